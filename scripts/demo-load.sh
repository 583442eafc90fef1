#!/usr/bin/env bash
# Makes this host busy for a while, so that its pressure shows: demo-load.sh [SECONDS]
# Four busy loops for each core, and nothing else; they end by themselves.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] && ((seconds >= 1 && seconds <= 3600)) || die "SECONDS: a whole number of 1 to 3600, not $seconds"
loops=$((4 * $(nproc)))
say "$loops busy loops for $seconds s: see Hosts, or the dashboard Host"
for ((i = 0; i < loops; i++)); do
  timeout "$seconds" sh -c 'while :; do :; done' &
done
# `timeout` ends each with 124: that is the plan.
wait || true
say "done"
