#!/usr/bin/env bash
# One long-lived shop; each fault RUNS times, quiet runs, a deploy that changes nothing, more traffic: what was said
# about each, as a line of JSON in $SUITE/results.jsonl. Runs that have a line are not run again.
#   SUITE      directory of the results (demo-suite in the cache)
#   RUNS       of each fault (3)
#   QUIET      quiet runs (10)
#   ONLY       names of runs, as "lock missing_index quiet deploy traffic"; all by default
#   and those of scripts/demo/shop.sh
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
# shellcheck source=scripts/demo/shop.sh
source "$root/scripts/demo/shop.sh"

suite=${SUITE:-$cache/demo-suite}
mkdir -p "$suite"
finish() {
  trap - INT TERM EXIT
  shop_stop
}
trap 'finish; exit 1' INT TERM
trap finish EXIT
# What else runs on this machine is not to be measured: where the kernel shares CPUs by session, this one comes first.
if [ "$(id -u)" = 0 ] && [ -w /proc/self/autogroup ]; then echo -10 >/proc/self/autogroup || true; fi
export LISTEN=${LISTEN:-127.0.0.1:0}
shop_start
say "results in $suite/results.jsonl"

listed=()
for name in "${faults[@]}"; do listed+=("$name=${intensities[$name]}"); done
NARROWS_PASSWORD=$password python3 scripts/demo/suite.py --url "$url" --figures "$figures" \
  --results "$suite/results.jsonl" --runs "${RUNS:-3}" --quiet "${QUIET:-10}" --only "${ONLY:-}" \
  --traffic "${intensities[traffic]}" \
  --control "catalog=${control[catalog]}" "checkout=${control[checkout]}" "worker=${control[worker]}" \
  "proxy=${control[proxy]}" "neighbour=${control[neighbour]}" "load=${control[load]}" \
  --intensity "${listed[@]}" &
suite_pid=$!
trap 'kill -TERM "$suite_pid" 2>/dev/null; wait "$suite_pid" 2>/dev/null; finish; exit 1' INT TERM
wait "$suite_pid"
