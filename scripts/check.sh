#!/usr/bin/env bash
# Formatting, lints, licences, types, containers and units. Fails on the first finding of each kind, after running all.
set -uo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

failed=0
step() {
  local name=$1
  shift
  if "$@"; then say "ok      $name"; else say "FAILED  $name"; failed=1; fi
}
step "rustfmt" cargo fmt --all --check
step "clippy" cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
if command -v cargo-deny >/dev/null 2>&1; then
  step "cargo-deny" cargo deny --log-level error --offline check bans licenses sources
else
  say "skipped cargo-deny: not installed (cargo install cargo-deny --locked)"
fi
if [ ! -d ui/node_modules ]; then (cd ui && npm ci --no-audit --no-fund --loglevel=error); fi
step "biome" npm --prefix ui run --silent lint
step "types" npm --prefix ui run --silent typecheck
step "containers and units" scripts/check-containers.sh
# What a script tells people to install, `make test` has to install by itself.
doctor_knows_packages() {
  local package unknown=0
  for package in $(grep -hoE 'apt-get install [a-z][a-z -]*' scripts/*.sh scripts/*.py | cut -d' ' -f3- | tr ' ' '\n' | sort -u); do
    grep -qE "^ *(need|need_file) .*\b$package\b" scripts/doctor.sh && continue
    say "scripts/doctor.sh does not know the package $package"
    unknown=1
  done
  return $unknown
}
step "packages of the scripts" doctor_knows_packages
step "the demo suite's judgement" env PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover -q -s scripts/demo
for script in scripts/*.sh scripts/demo/*.sh fuzz/*.sh deploy/*.sh .ci/run; do
  step "$script parses" bash -n "$script"
done
exit $failed
