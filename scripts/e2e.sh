#!/usr/bin/env bash
# The whole way on the real programs: `make run`'s own script, Chromium, OpenTelemetry SDKs, shippers, Prometheus.
#   E2E_PROFILE   cargo profile of the binaries (dev)
#   NARROWS_SHOTS where screenshots go (kept out of the repository by default)
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

profile=${E2E_PROFILE:-dev}
if [ "$profile" = dev ]; then
  # The same build as for the Rust tests, so that nothing is compiled twice.
  cargo test --workspace --locked --quiet --no-run
else
  cargo build --locked --quiet --profile "$profile" -p narrows-collector -p narrows-agent -p narrows-bench
fi
work=$(mktemp -d)
free_ports() {
  python3 -c 'import socket
socks = [socket.socket() for _ in range(5)]
[s.bind(("127.0.0.1", 0)) for s in socks]
print(*("127.0.0.1:%d" % s.getsockname()[1] for s in socks))'
}
read -r LISTEN LISTEN_GRPC OTLP_GRPC OTLP_HTTP STATUS < <(free_ports)
export LISTEN LISTEN_GRPC OTLP_GRPC OTLP_HTTP STATUS
DATA=$work PROFILE=$profile scripts/run.sh >"$work/run.out" 2>&1 &
runner=$!
finish() {
  stop_all "$runner"
  rm -rf "$work"
}
trap finish EXIT
wait_for_line "$work/run.out" 'Ctrl-C stops both' 90 >/dev/null || { cat "$work/run.out" >&2; die "the programs did not start"; }

export NARROWS_URL=http://$LISTEN
NARROWS_PASSWORD=$(cat "$work/collector/admin-password")
export NARROWS_PASSWORD
export NARROWS_LOG_FILE=$work/logs/e2e.log
export NARROWS_SHOTS=${NARROWS_SHOTS:-$work/shots}
mkdir -p "$NARROWS_SHOTS"

# matched QUERY: how many records of the last hour match.
matched() {
  curl -fsS -u "admin:$NARROWS_PASSWORD" -G "$NARROWS_URL/api/v1/narrows/logs/search" \
    --data-urlencode "query=$1" --data-urlencode limit=1 |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["matched"])'
}
# expect QUERY COUNT: within 5 s.
expect() {
  local found
  for ((i = 0; i < 50; i++)); do
    found=$(matched "$1")
    [ "$found" = "$2" ] && { say "ok  $1: $2 records"; return 0; }
    sleep 0.1
  done
  die "$1: $found records, not $2"
}

# bounded SECONDS COMMAND…: a step that hangs is a step that failed.
bounded() {
  local begun=$SECONDS
  timeout --kill-after=30 "$@" || die "${*:2}: failed, or took longer than $1 s"
  say "ok  ${*:2}: $((SECONDS - begun)) s"
}

bounded 900 npm --prefix ui run --silent e2e
for protocol in grpc http; do
  agent=http://$OTLP_HTTP collector=http://$LISTEN
  [ "$protocol" = grpc ] && agent=http://$OTLP_GRPC collector=http://$LISTEN_GRPC
  "$venv/bin/python" scripts/sdk_logs.py "$protocol" "$agent" "agent$protocol"
  "$venv/bin/python" scripts/sdk_logs.py "$protocol" "$collector" "direct$protocol"
  expect "\"cart agent$protocol validated\" service:python-$protocol severity:warn" 20
  expect "\"cart direct$protocol validated\" service:python-$protocol cart.items>=10" 10
done
expect 'exception.type:ValueError severity:error' 4
NARROWS_TOKEN=$(cat "$work/collector/ingest-token") bounded 300 scripts/shippers.sh
PROFILE=$profile bounded 420 scripts/instrumented.sh
PROFILE=$profile bounded 420 scripts/prometheus.sh
PROFILE=$profile bounded 420 scripts/alertmanager.sh
PROFILE=$profile ROUNDS=6 ALERTS=1000 bounded 420 scripts/notify-kill.sh
PROFILE=$profile bounded 420 scripts/tls.sh
PROFILE=$profile bounded 420 scripts/on-call.sh
PROFILE=$profile bounded 420 scripts/verdict.sh
kill -TERM "$runner"
wait "$runner" && say "ok  both programs stopped on SIGTERM" || die "the programs did not stop cleanly"
trap 'rm -rf "$work"' EXIT
