#!/usr/bin/env bash
# The demo shop on real PostgreSQL, Redis and RabbitMQ, with a collector and an agent that watch it; Ctrl-C stops all.
#   FAULT    what goes wrong after WARM_S seconds, for FAULT_S seconds: one of those of docs/demo.md; none by default
#   WARM_S   seconds before it (180)
#   FAULT_S  seconds of it (180)
#   and those of scripts/demo/shop.sh
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
# shellcheck source=scripts/demo/shop.sh
source "$root/scripts/demo/shop.sh"

if [ -n "${FAULT:-}" ] && [ -z "${intensities[$FAULT]:-}" ]; then
  die "there is no fault $FAULT; there are ${faults[*]}"
fi
finish() {
  trap - INT TERM EXIT
  say "stopping"
  shop_stop
}
trap 'finish; exit 0' INT TERM
trap finish EXIT
shop_start

cat <<TEXT

  The shop is open: ${RATE:-30} customers a second.

  Open        $url
  Log in      admin / $password
  The shop    http://127.0.0.1:$edge_port/products?category=1
  RabbitMQ    http://127.0.0.1:$mq_http_port (guest / guest)
  What customers see, second by second
              tail -f $figures
  Break it    curl -H 'content-type: application/json' -d '{"name":"cpu_hog","intensity":20}' ${control[catalog]}/fault
              (0 repairs it; docs/demo.md has the others)
  Logs        $work/log/

  Ctrl-C stops everything.

TEXT

# pause SECONDS: a sleep that a signal ends.
pause() {
  sleep "$1" &
  wait $! || true
}
if [ -n "${FAULT:-}" ]; then
  say "$(date +%T) everything is well for ${WARM_S:-180} s"
  pause "${WARM_S:-180}"
  say "$(date +%T) $FAULT begins"
  fault "$FAULT" "${intensities[$FAULT]}"
  pause "${FAULT_S:-180}"
  fault "$FAULT" 0
  say "$(date +%T) $FAULT is over"
fi
while kill -0 "$collector_pid" 2>/dev/null; do pause 1; done
die "the collector ended by itself; its last words: $(tail -n 3 "$work/log/collector.log")"
