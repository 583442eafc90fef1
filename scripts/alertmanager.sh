#!/usr/bin/env bash
# Debian's Alertmanager beside the collector: the same configuration and the same 200 steps of alerts, silences and
# inhibition; their webhooks must get the same messages, and their APIs give the same groups. Then amtool and a real
# Prometheus talk to the collector.
#   PROFILE   cargo profile of the binaries (dev)
# Needs the Debian packages prometheus and prometheus-alertmanager; nothing of theirs has to run.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

for program in prometheus prometheus-alertmanager amtool; do
  command -v "$program" >/dev/null ||
    die "$program is not installed: scripts/doctor.sh --fix, or apt-get install prometheus prometheus-alertmanager"
done

bin=$(bin_dir "${PROFILE:-dev}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
timeout --kill-after=10 300 python3 scripts/alertmanager.py "$bin/narrows-collector" "$work"
