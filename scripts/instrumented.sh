#!/usr/bin/env bash
# Programs with unmodified OpenTelemetry SDKs, through the agent: a Python front (Flask, requests, psycopg2 on a real
# PostgreSQL), a Node cart (http, ioredis on a real Redis), and the Rust exporter; then Zipkin JSON. Their traces must be
# whole, and the map must show the calls and the databases.
#   NARROWS_URL, NARROWS_PASSWORD   a collector that runs
#   OTLP_GRPC, OTLP_HTTP            the agent's OTLP addresses, host:port
#   PROFILE                         cargo profile whose example is run (dev)
# Needs the Debian packages postgresql and redis-server; packages of Python and Node are put into the cache.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
: "${NARROWS_URL:?}" "${NARROWS_PASSWORD:?}" "${OTLP_GRPC:?}" "${OTLP_HTTP:?}"

home=$cache/instrumented
if [ ! -f "$home/.ready-1" ]; then
  say "installing the OpenTelemetry SDKs of Python and Node into $home"
  python3 -m venv "$home/python"
  "$home/python/bin/pip" install --quiet --disable-pip-version-check \
    opentelemetry-distro opentelemetry-exporter-otlp opentelemetry-instrumentation-flask \
    opentelemetry-instrumentation-requests opentelemetry-instrumentation-psycopg2 flask requests psycopg2-binary
  mkdir -p "$home/node"
  cp scripts/instrumented/package.json "$home/node/"
  npm --prefix "$home/node" install --silent --no-audit --no-fund
  touch "$home/.ready-1"
fi

work=$(mktemp -d)
chmod 755 "$work"
pids=()
finish() {
  stop_all "${pids[@]}"
  [ -d "$work/pg" ] && as_postgres "$postgres/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
read -r pg_port redis_port cart_port front_port < <(python3 -c 'import socket
socks = [socket.socket() for _ in range(4)]
[s.bind(("127.0.0.1", 0)) for s in socks]
print(*(s.getsockname()[1] for s in socks))')

# PostgreSQL does not run as root.
as_postgres() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
postgres=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
mkdir "$work/pg"
[ "$(id -u)" != 0 ] || chown postgres "$work/pg"
as_postgres "$postgres/initdb" -D "$work/pg/data" -A trust -U shop --no-sync >/dev/null
as_postgres "$postgres/pg_ctl" -D "$work/pg/data" -w -l "$work/pg/log" \
  -o "-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off" start >/dev/null
"$postgres/psql" -q "postgresql://shop@127.0.0.1:$pg_port/postgres" \
  -c "CREATE DATABASE shop" >/dev/null
"$postgres/psql" -q "postgresql://shop@127.0.0.1:$pg_port/shop" \
  -c "CREATE TABLE products (name text); INSERT INTO products VALUES ('lamp'), ('chair')"
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/redis.log" &
pids+=($!)

export OTEL_BSP_SCHEDULE_DELAY=500 OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none OTEL_TRACES_EXPORTER=otlp
# It looks for modules beside the program, which stands in the repository.
OTEL_SERVICE_NAME=cart OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT=http://$OTLP_HTTP \
  CART_PORT=$cart_port CART_REDIS_PORT=$redis_port NODE_PATH=$home/node/node_modules \
  node --require "$home/node/node_modules/@opentelemetry/auto-instrumentations-node/build/src/register.js" \
  scripts/instrumented/cart.cjs >"$work/cart.log" 2>&1 &
pids+=($!)
OTEL_SERVICE_NAME=front OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_ENDPOINT=http://$OTLP_GRPC \
  FRONT_PORT=$front_port FRONT_CART=http://127.0.0.1:$cart_port \
  FRONT_DATABASE="postgresql://shop@127.0.0.1:$pg_port/shop" \
  PATH=$home/python/bin:$PATH "$home/python/bin/opentelemetry-instrument" "$home/python/bin/python" \
  scripts/instrumented/front.py >"$work/front.log" 2>&1 &
pids+=($!)

# A connection alone: a request would be a trace that nobody asked for.
for ((i = 0; i < 300; i++)); do
  (exec 3<>"/dev/tcp/127.0.0.1/$cart_port") 2>/dev/null && break
  sleep 0.2
done
example=$(bin_dir "${PROFILE:-dev}")/examples/emit_spans
if ! timeout 150 python3 scripts/instrumented/check.py "http://127.0.0.1:$front_port" "http://$OTLP_GRPC" \
  "http://$OTLP_HTTP" "$example"; then
  tail -n 20 "$work"/*.log >&2
  die "the traces are not as the programs made them"
fi
