#!/usr/bin/env bash
# Starts a collector and an agent on this host, says how to use them, and stops both on Ctrl-C.
#   PROFILE  cargo profile of the binaries (release)
#   DATA     where they keep their data (./data)
#   FILES    globs that the agent tails, besides $DATA/logs/*.log
#   LISTEN, LISTEN_GRPC, OTLP_GRPC, OTLP_HTTP, STATUS   addresses, all on loopback
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

profile=${PROFILE:-release}
data=${DATA:-$root/data}
bin=$(bin_dir "$profile")
mkdir -p "$data/logs" "$data/run"
collector_log=$data/run/collector.log
agent_log=$data/run/agent.log
pids=()

stop() {
  trap - INT TERM EXIT
  # The agent first, so that what it still holds reaches the collector. (After a Ctrl-C in a terminal both have
  # the signal already; what the agent holds then waits on disk.)
  for pid in "${pids[@]}"; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  say "stopped"
}
trap 'stop; exit 0' INT TERM
trap stop EXIT

: >"$collector_log"
"$bin/narrows-collector" --data "$data/collector" --listen "${LISTEN:-127.0.0.1:7070}" \
  --listen-grpc "${LISTEN_GRPC:-127.0.0.1:7071}" >"$collector_log" 2>&1 &
pids+=($!)
http=$(wait_for_line "$collector_log" '^listening on https?://' 60) || { cat "$collector_log" >&2; die "the collector did not start"; }
http=${http#listening on }
grpc=$(wait_for_line "$collector_log" '^listening on grpc://' 10)
grpc=${grpc#listening on grpc://}

cat >"$data/run/agent.yaml" <<YAML
data: "$data/agent"
status: ${STATUS:-127.0.0.1:7072}
inputs:
  files: [{ include: ["$data/logs/*.log"] }]
  otlp: { grpc: "${OTLP_GRPC:-127.0.0.1:4317}", http: "${OTLP_HTTP:-127.0.0.1:4318}" }
output: { collector: "http://$grpc" }
YAML
set -f
files=()
for glob in ${FILES:-}; do files+=(--file "$glob"); done
"$bin/narrows-agent" --config "$data/run/agent.yaml" "${files[@]}" >"$agent_log" 2>&1 &
agent=$!
set +f
pids=("$agent" "${pids[@]}")
for ((i = 0; i < 100; i++)); do
  curl -fsS "http://${STATUS:-127.0.0.1:7072}/-/healthy" >/dev/null 2>&1 && break
  kill -0 "$agent" 2>/dev/null || { cat "$agent_log" >&2; die "the agent did not start"; }
  sleep 0.1
done

cat <<TEXT

  Narrows is running.

  Open      $http
  Log in    admin / $(cat "$data/collector/admin-password" 2>/dev/null || echo '(the password that you set)')

  Send a line     echo "hello from \$(hostname)" >> $data/logs/hello.log
  Send by OTLP    export OTEL_EXPORTER_OTLP_ENDPOINT=http://${OTLP_GRPC:-127.0.0.1:4317}
  Watch files     make run FILES='/var/log/*.log'
  Logs of both    $data/run/

  Ctrl-C stops both.

TEXT
while kill -0 "${pids[0]}" 2>/dev/null && kill -0 "${pids[1]}" 2>/dev/null; do
  sleep 1 &
  wait $! || true
done
say "one of the programs ended by itself; see $data/run/" >&2
exit 1
