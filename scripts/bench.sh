#!/usr/bin/env bash
# Workload L through the real collector, then the agent: bench.sh [RECORDS[,RECORDS…]]
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
cargo build --locked --release -p narrows-collector -p narrows-agent -p narrows-bench
scripts/bench-bin.sh logs --records "${1:-1000000}"
scripts/bench-bin.sh agent
