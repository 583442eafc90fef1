#!/usr/bin/env bash
# TLS on the real programs, with the certificates of docs/tls.md: an agent with a certificate and no token, spans of the
# sample service through it, a browser's client, a renewed certificate, and the images' health check.
#   PROFILE   cargo profile of the binaries (release)
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

bin=$(bin_dir "${PROFILE:-release}")
work=$(mktemp -d)
pids=()
finish() {
  stop_all "${pids[@]}"
  rm -rf "$work"
}
trap finish EXIT

certificates "$work"
cat >"$work/collector.yaml" <<YAML
require_token: true
tls: { cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem, require_client_cert: grpc }
YAML
NARROWS_ADMIN_PASSWORD=correct "$bin/narrows-collector" --config "$work/collector.yaml" --data "$work/data" --listen 127.0.0.1:0 \
  --listen-grpc 127.0.0.1:0 >"$work/collector.log" 2>&1 &
pids+=($!)
url=$(wait_for_line "$work/collector.log" '^listening on https://' 60) || { cat "$work/collector.log" >&2; die "the collector did not start"; }
url=${url#listening on }
grpc=$(wait_for_line "$work/collector.log" '^listening on grpc://' 10)
grpc=${grpc#listening on grpc://}

cat >"$work/agent.yaml" <<YAML
data: "$work/agent"
status: 127.0.0.1:0
inputs:
  files: [{ include: ["$work/*.line"] }]
  host: { enabled: false }
  otlp: { grpc: "127.0.0.1:0", http: "127.0.0.1:0" }
output:
  collector: https://$grpc
  tls: { ca_file: "$work/ca.pem", cert_file: "$work/agent.pem", key_file: "$work/agent.key" }
YAML
"$bin/narrows-agent" --config "$work/agent.yaml" >"$work/agent.log" 2>&1 &
pids=($! "${pids[@]}")
status=$(wait_for_line "$work/agent.log" '^status on http://' 20) || { cat "$work/agent.log" >&2; die "the agent did not start"; }
otlp=$(wait_for_line "$work/agent.log" '^receiving OTLP on grpc://' 20)

# get PATH: as the admin, by TLS.
get() { curl -fsS --cacert "$work/ca.pem" -u admin:correct "$url$1"; }
# found PATH WORDS: within 10 s.
found() {
  for ((i = 0; i < 100; i++)); do
    get "$1" | grep -q "$2" && { say "ok  $1"; return 0; }
    sleep 0.1
  done
  cat "$work/agent.log" >&2
  die "$1 never says $2"
}
echo "over mutual TLS" >"$work/one.line"
found '/api/v1/narrows/logs/search?query=mutual' '"matched":1'
trace=$("$bin/examples/emit_spans" "http://${otlp#receiving OTLP on grpc://}")
found "/api/v1/narrows/traces/$trace" 'SELECT baskets'
deploy/healthy.sh "${status##*:}" && say "ok  the health check of the images"

# shown: the serial number of the certificate in use.
shown() { openssl s_client -connect "${url#https://}" -CAfile "$work/ca.pem" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
before=$(shown)
openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -days 90 -out "$work/cert.pem" \
  -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1') 2>/dev/null
kill -HUP "${pids[1]}"
for ((i = 0; i < 50; i++)); do
  [ "$(shown)" != "$before" ] && break
  sleep 0.1
done
[ "$(shown)" != "$before" ] || die "the renewed certificate is not in use"
echo "and after" >>"$work/one.line"
found '/api/v1/narrows/logs/search?query=after' '"matched":1'
say "ok  a renewed certificate is in use, and the agent's connection went on"
curl -sS "http://${url#https://}" | grep -q 'write https://' && say "ok  plain HTTP is told to write https"
