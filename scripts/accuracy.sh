#!/usr/bin/env bash
# How often the bottleneck analysis is right, a line per set: accuracy.sh [SUITE] [options of narrows-bench accuracy]
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

export CONFORMANCE_DATA=${CONFORMANCE_DATA:-$root/../shared/testdata}
options=()
programs=(-p narrows-bench)
# A set that is fed to a collector needs one.
case ${1:-} in *-otlp | *-stored) programs+=(-p narrows-collector) ;; esac
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  options+=(--suite "$1")
  shift
fi
if [ ! -d "$CONFORMANCE_DATA" ]; then
  say "CONFORMANCE_DATA ($CONFORMANCE_DATA) is not there: the published sets cannot be run; docs/accuracy.md names them" >&2
fi
bin=$(bin_dir "${PROFILE:-release}")
cargo build --quiet --locked --profile "${PROFILE:-release}" "${programs[@]}"
exec "$bin/narrows-bench" --bin-dir "$bin" accuracy "${options[@]}" "$@"
