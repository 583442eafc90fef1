#!/usr/bin/env bash
# Kills the real collector at random moments in a storm of alerts, and counts what a webhook gets: no alert may be
# lost, and none told twice but what was on its way when the process died.
#   ROUNDS    kills (50)
#   ALERTS    alerts of the storm (10000)
#   PROFILE   cargo profile of the binaries (dev)
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

bin=$(bin_dir "${PROFILE:-dev}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
timeout --kill-after=10 900 python3 scripts/notify_kill.py "$bin/narrows-collector" "$work" "${ROUNDS:-50}" "${ALERTS:-10000}"
