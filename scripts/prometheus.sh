#!/usr/bin/env bash
# A real Prometheus beside the real collector: both have the same samples and have to give the same answers; the
# agent scrapes the same targets by the same prometheus.yml; promtool and what Grafana asks are tried.
#   PROFILE   cargo profile of the binaries (dev)
# Needs the Debian packages prometheus and prometheus-node-exporter; nothing of theirs has to run.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

for program in prometheus promtool prometheus-node-exporter; do
  command -v "$program" >/dev/null ||
    die "$program is not installed: scripts/doctor.sh --fix, or apt-get install prometheus prometheus-node-exporter"
done

bin=$(bin_dir "${PROFILE:-dev}")
work=$(mktemp -d)
# A password that has to be escaped in an URL.
export NARROWS_ADMIN_PASSWORD='peers: 100% @/real' NARROWS_INGEST_TOKEN=token-of-prometheus
echo token-of-the-agent >"$work/agent-token"
cat >"$work/collector.yaml" <<YAML
own_metrics: false
require_token: true
tenants:
  - name: default
  - { name: agent, ingest_token_file: agent-token }
YAML
NARROWS_LOG=warn "$bin/narrows-collector" --config "$work/collector.yaml" --data "$work/data" \
  --listen 127.0.0.1:0 --listen-grpc 127.0.0.1:0 >"$work/out" &
collector=$!
finish() {
  stop_all "$collector"
  rm -rf "$work"
}
trap finish EXIT
http=$(wait_for_line "$work/out" '^listening on http' 60) || die "the collector did not start"
grpc=$(wait_for_line "$work/out" '^listening on grpc' 10) || die "the collector did not start"
timeout --kill-after=10 100 python3 scripts/prometheus.py "$bin/narrows-agent" "$work" \
  "${http#listening on }" "${grpc#listening on grpc://}"
