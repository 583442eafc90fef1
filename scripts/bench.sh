#!/usr/bin/env bash
# Workloads through the real collector: bench.sh logs [RECORDS[,RECORDS…]] | traces | metrics | rules | bomb
#   SERIES, SCRAPES   sizes of workload M (20000,100000 and 480; fewer scrapes where time is short)
#   PEERS             what it is measured beside, ours among them (narrows,victoria-metrics,prometheus)
#   ARGS              further arguments of narrows-bench
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
kind=${1:-logs}
read -ra more <<<"${ARGS:-}"
cargo build --locked --release -p narrows-collector -p narrows-agent -p narrows-bench
case "$kind" in
  logs)
    scripts/bench-bin.sh logs --records "${2:-1000000}" "${more[@]}"
    scripts/bench-bin.sh agent
    ;;
  traces) scripts/bench-bin.sh traces "${more[@]}" ;;
  metrics)
    peers=${PEERS:-narrows,victoria-metrics,prometheus}
    for peer in victoria-metrics prometheus; do
      case ",$peers," in
        *",$peer,"*) command -v "$peer" >/dev/null || die "install the Debian package $peer, or leave it out of PEERS" ;;
      esac
    done
    scripts/bench-bin.sh metrics --series "${SERIES:-20000,100000}" --scrapes "${SCRAPES:-480}" --peers "$peers" \
      --cache "$cache/bench" "${more[@]}"
    ;;
  rules)
    command -v prometheus >/dev/null || die "install the Debian package prometheus"
    scripts/bench-bin.sh rules "${more[@]}"
    ;;
  bomb) scripts/bench-bin.sh bomb "${more[@]}" ;;
  *) die "what to measure: logs, traces, metrics, rules or bomb" ;;
esac
