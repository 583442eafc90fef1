# shellcheck shell=bash
# Sourced by demo.sh and demo-suite.sh: the demo shop with its servers, a collector and an agent, all on loopback, in a
# temporary directory. `shop_start` starts them and sets the variables below; `shop_stop` stops them, by pid.
#   PROFILE              cargo profile of the programs (release)
#   LISTEN               the collector's address (127.0.0.1:7070)
#   RATE, SEED           requests a second (30) and the seed of their arrivals (7)
#   PRODUCTS             rows of the table (300000)
# Sets: work, url, password, figures, and control: the control port's URL by role (catalog, checkout, worker, edge,
# proxy, neighbour, load).

shop_pids=()
servers_pids=()
declare -A control

# as_user USER COMMAND…: PostgreSQL and RabbitMQ do not run as root. It becomes the command: call it in brackets or in the
# background, where $! is the command then.
as_user() {
  local user=$1
  shift
  if [ "$(id -u)" = 0 ]; then exec setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; else exec "$@"; fi
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
  local limit=$1 what=$2
  shift 2
  for ((i = 0; i < limit * 10; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  tail -n 20 "$work"/log/*.log >&2
  die "$what did not start within $limit s"
}

owned_directory() {
  mkdir "$work/$1"
  [ "$(id -u)" != 0 ] || chown "$2" "$work/$1"
}

# port NUMBER: whether something listens there.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

postgres_start() {
  postgres=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
  owned_directory pg postgres
  (as_user postgres "$postgres/initdb" -D "$work/pg/data" -A trust -U shop --no-sync -E UTF8 --locale=C >/dev/null)
  as_user postgres "$postgres/postgres" -D "$work/pg/data" -p "$pg_port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off -c jit=off -c max_parallel_workers_per_gather=0 -c shared_buffers=256MB \
    -c shared_preload_libraries=pg_stat_statements >"$work/log/postgresql.log" 2>&1 &
  postgres_pid=$!
  database=postgresql://shop@127.0.0.1:$pg_port/shop
  wait_for 60 PostgreSQL "$postgres/psql" -qc 'SELECT 1' "postgresql://shop@127.0.0.1:$pg_port/postgres"
  "$postgres/psql" -qc 'CREATE DATABASE shop' "postgresql://shop@127.0.0.1:$pg_port/postgres"
  # Before the agent looks for it.
  "$postgres/psql" -qc 'CREATE EXTENSION pg_stat_statements' "$database"
}

redis_start() {
  redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/log/redis.log" &
  servers_pids+=($!)
  wait_for 10 Redis listens "$redis_port"
}

# With a port mapper of its own, which would stay behind otherwise.
rabbitmq_start() {
  owned_directory mq rabbitmq
  echo '[rabbitmq_management].' >"$work/mq/plugins"
  printf 'management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = %s\n' "$mq_http_port" >"$work/mq/rabbitmq.conf"
  local environment=(
    "HOME=$work/mq" "ERL_EPMD_ADDRESS=127.0.0.1" "ERL_EPMD_PORT=$epmd_port"
    "RABBITMQ_NODENAME=shop-$mq_port@localhost" "RABBITMQ_MNESIA_BASE=$work/mq/data" "RABBITMQ_LOG_BASE=$work/mq/log"
    "RABBITMQ_PID_FILE=$work/mq/pid" "RABBITMQ_CONF_ENV_FILE=$work/mq/none"
    "RABBITMQ_ENABLED_PLUGINS_FILE=$work/mq/plugins" "RABBITMQ_CONFIG_FILE=$work/mq/rabbitmq.conf"
    "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1" "RABBITMQ_NODE_PORT=$mq_port" "RABBITMQ_DIST_PORT=$mq_dist_port"
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 1 +sbwt none"
  )
  as_user rabbitmq env "${environment[@]}" epmd >"$work/log/epmd.log" 2>&1 &
  epmd_pid=$!
  wait_for 10 epmd listens "$epmd_port"
  as_user rabbitmq env "${environment[@]}" /usr/lib/rabbitmq/bin/rabbitmq-server \
    </dev/null >"$work/log/rabbitmq.log" 2>&1 &
  rabbitmq_pid=$!
}

narrows_start() {
  "$bin/narrows-collector" --data "$work/collector" --listen "${LISTEN:-127.0.0.1:7070}" \
    --listen-grpc 127.0.0.1:0 >"$work/log/collector.log" 2>&1 &
  collector_pid=$!
  url=$(wait_for_line "$work/log/collector.log" '^listening on https?://' 60) || {
    cat "$work/log/collector.log" >&2
    die "the collector did not start"
  }
  url=${url#listening on }
  local grpc
  grpc=$(wait_for_line "$work/log/collector.log" '^listening on grpc://' 10)
  # shellcheck disable=SC2034 # for who sources this
  password=$(cat "$work/collector/admin-password")
  cat >"$work/agent.yaml" <<YAML
data: "$work/agent"
status: 127.0.0.1:0
inputs:
  otlp: { grpc: "127.0.0.1:$otlp_port", http: "127.0.0.1:0" }
  host: { interval: 5s }
  postgresql: [{ endpoint: "127.0.0.1:$pg_port", user: shop, databases: [shop], interval: 5s }]
  redis: [{ endpoint: "127.0.0.1:$redis_port", interval: 5s }]
  rabbitmq: [{ endpoint: "127.0.0.1:$mq_http_port", interval: 5s }]
output: { collector: "http://${grpc#listening on grpc://}" }
YAML
  "$bin/narrows-agent" --config "$work/agent.yaml" >"$work/log/agent.log" 2>&1 &
  agent_pid=$!
  wait_for 20 "the agent" listens "$otlp_port"
}

# role NAME PROGRAM CONTROL_PORT OPTION…: under an executable of its own, so that the host's metrics tell roles apart.
role() {
  local name=$1 program=$2 port=$3
  shift 3
  ln "$bin/narrows-demo" "$work/bin/$program" 2>/dev/null || cp "$bin/narrows-demo" "$work/bin/$program"
  "$work/bin/$program" "$name" --control "127.0.0.1:$port" "$@" >"$work/log/$name.log" 2>&1 &
  shop_pids=($! "${shop_pids[@]}")
  control[$name]=http://127.0.0.1:$port
  wait_for 20 "$name" listens "$port"
}

services_start() {
  mkdir "$work/bin"
  "$bin/narrows-demo" setup --database "$database" --products "${PRODUCTS:-300000}"
  local otlp=(--otlp "http://127.0.0.1:$otlp_port") broker=(--rabbitmq "amqp://127.0.0.1:$mq_port/%2f")
  role neighbour report-batch "${controls[0]}"
  role catalog shop-catalog "${controls[1]}" "${otlp[@]}" --listen "127.0.0.1:$catalog_port" \
    --database "$database" --redis "redis://127.0.0.1:$redis_port/0"
  role proxy shop-proxy "${controls[2]}" --listen "127.0.0.1:$proxy_port" --to "127.0.0.1:$catalog_port"
  role worker shop-worker "${controls[3]}" "${otlp[@]}" "${broker[@]}" --database "$database"
  role checkout shop-checkout "${controls[4]}" "${otlp[@]}" "${broker[@]}" --database "$database" \
    --listen "127.0.0.1:$checkout_port" --catalog "http://127.0.0.1:$proxy_port"
  role edge shop-edge "${controls[5]}" "${otlp[@]}" --listen "127.0.0.1:$edge_port" \
    --catalog "http://127.0.0.1:$catalog_port" --checkout "http://127.0.0.1:$checkout_port"
  wait_for 20 "the edge" listens "$edge_port"
  figures=$work/figures.jsonl
  role load shop-load "${controls[6]}" --edge "http://127.0.0.1:$edge_port" --rate "${RATE:-30}" --seed "${SEED:-7}" \
    --figures "$figures"
}

shop_start() {
  bin=$(bin_dir "${PROFILE:-release}")
  for program in narrows-collector narrows-agent narrows-demo; do
    [ -x "$bin/$program" ] || die "$bin/$program is not built; make demo builds it"
  done
  work=$(mktemp -d)
  chmod 755 "$work"
  mkdir "$work/log"
  read -r pg_port redis_port mq_port mq_http_port mq_dist_port epmd_port otlp_port catalog_port proxy_port \
    checkout_port edge_port control_ports < <(python3 -c 'import socket
socks = [socket.socket() for _ in range(18)]
[s.bind(("127.0.0.1", 0)) for s in socks]
print(*(s.getsockname()[1] for s in socks))')
  read -ra controls <<<"$control_ports"
  rabbitmq_start
  postgres_start
  redis_start
  narrows_start
  wait_for 180 RabbitMQ listens "$mq_http_port"
  wait_for 30 "RabbitMQ's AMQP port" listens "$mq_port"
  services_start
}

# The load first, then the services against the stream, the agent and the collector, the servers last.
shop_stop() {
  stop_all "${shop_pids[@]}" ${agent_pid:+"$agent_pid"} ${collector_pid:+"$collector_pid"} "${servers_pids[@]}"
  # A fast shutdown: SIGTERM would wait for clients.
  if [ -n "${postgres_pid:-}" ]; then
    kill -INT "$postgres_pid" 2>/dev/null || true
    wait "$postgres_pid" 2>/dev/null || true
  fi
  stop_all ${rabbitmq_pid:+"$rabbitmq_pid"} ${epmd_pid:+"$epmd_pid"}
  [ -z "${work:-}" ] || rm -rf "$work"
}

# fault NAME INTENSITY: 0 clears.
fault() {
  local role
  case $1 in
    cpu_hog | pool_exhaustion | missing_index | n_plus_one) role=${control[catalog]} ;;
    lock) role=${control[checkout]} ;;
    queue_backlog | no_consumer) role=${control[worker]} ;;
    edge_latency) role=${control[proxy]} ;;
    noisy_neighbour) role=${control[neighbour]} ;;
    traffic) role=${control[load]} ;;
    *) die "there is no fault $1; there are ${faults[*]}" ;;
  esac
  curl -fsS -H 'content-type: application/json' -d "{\"name\":\"$1\",\"intensity\":$2}" "$role/fault" >/dev/null
}

faults=(cpu_hog noisy_neighbour lock pool_exhaustion missing_index n_plus_one edge_latency queue_backlog no_consumer)
declare -A intensities=(
  [cpu_hog]=20 [noisy_neighbour]=24 [lock]=70 [pool_exhaustion]=1 [missing_index]=1 [n_plus_one]=250
  [edge_latency]=80 [queue_backlog]=400 [no_consumer]=1 [traffic]=30
)
