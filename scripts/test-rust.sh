#!/usr/bin/env bash
# Every Rust test of the workspace, with nextest where it is installed.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

export CONFORMANCE_DATA=${CONFORMANCE_DATA:-$root/../shared/testdata}
if [ ! -d "$CONFORMANCE_DATA" ]; then
  say "CONFORMANCE_DATA ($CONFORMANCE_DATA) is not there: the conformance suites are SKIPPED" >&2
  [ "${NARROWS_CONFORMANCE:-}" = required ] && die "NARROWS_CONFORMANCE=required, so that is a failure"
fi
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --locked ${CI:+--profile ci} "$@"
else
  cargo test --workspace --locked "$@"
fi
