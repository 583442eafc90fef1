#!/usr/bin/env bash
# Unmodified log shippers against the real collector: rsyslog (omelasticsearch), the official Elasticsearch
# client of two major versions, python-logging-loki. Each record must be found.
#   NARROWS_URL, NARROWS_PASSWORD, NARROWS_TOKEN   a collector that runs; without them one is started
#   PROFILE                                        cargo profile of the one that is started (dev)
# Needs the Debian packages rsyslog and rsyslog-elasticsearch; the Python packages are put into the cache.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

shippers=$cache/shippers
if [ ! -f "$shippers/.ready-1" ]; then
  say "installing the Python clients of Elasticsearch and Loki into $shippers"
  for major in 8 9; do
    python3 -m venv "$shippers/$major"
    "$shippers/$major/bin/pip" install --quiet --disable-pip-version-check \
      "elasticsearch>=$major,<$((major + 1))" python-logging-loki
  done
  touch "$shippers/.ready-1"
fi

if [ -z "${NARROWS_URL:-}" ]; then
  work=$(mktemp -d)
  export NARROWS_ADMIN_PASSWORD=shippers NARROWS_INGEST_TOKEN=token-of-the-shippers
  NARROWS_LOG=warn "$(bin_dir "${PROFILE:-dev}")/narrows-collector" --data "$work/data" \
    --listen 127.0.0.1:0 --listen-grpc 127.0.0.1:0 >"$work/out" &
  collector=$!
  finish() {
    stop_all "$collector"
    rm -rf "$work"
  }
  trap finish EXIT
  line=$(wait_for_line "$work/out" '^listening on http' 60) || die "the collector did not start"
  NARROWS_URL=${line#listening on } NARROWS_PASSWORD=$NARROWS_ADMIN_PASSWORD NARROWS_TOKEN=$NARROWS_INGEST_TOKEN
fi

run() { timeout 180 "$shippers/$1/bin/python" scripts/shippers.py "$NARROWS_URL" "$NARROWS_PASSWORD" "${NARROWS_TOKEN:-}" "${@:2}"; }
run 8
run 9 elasticsearch
