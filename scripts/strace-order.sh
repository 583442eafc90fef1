#!/usr/bin/env bash
# Runs the collector under strace and checks the order of what reaches the disk (docs/adr/0001): the journal is
# synced before each reply that acknowledges; at a seal: file sync, its name, directory sync, document commit,
# journal unlink. Prints a verdict; exits 1 on a violation, 2 if it could not be run.
#   PROFILE  cargo profile of the binary (release)
#   ROUNDS   single requests that are followed through (40)
#   BULK_MB  bulk that makes the journal start new segments (80)
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

bin=$(bin_dir "${PROFILE:-release}")/narrows-collector
[[ -x $bin ]] || { say "no $bin: build it first"; exit 2; }
for tool in strace curl python3; do
  command -v "$tool" >/dev/null || { say "$tool is not installed"; exit 2; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/narrows-strace.XXXXXX")
tracer=
cleanup() {
  trap - EXIT
  if [[ -n $tracer ]]; then
    pkill -TERM -P "$tracer" 2>/dev/null || true
    wait "$tracer" 2>/dev/null || true
  fi
  [[ -n ${KEEP:-} ]] && cp "$work/trace" "$KEEP"
  rm -rf "$work"
}
trap cleanup EXIT

calls=read,recvfrom,recvmsg,write,writev,pwrite64,sendto,sendmsg,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat
NARROWS_ADMIN_PASSWORD=strace-order strace -f -yy -s 8192 -e "trace=$calls" -o "$work/trace" \
  "$bin" --data "$work/data" --listen 127.0.0.1:0 --listen-grpc 127.0.0.1:0 >"$work/log" 2>&1 &
tracer=$!
line=$(wait_for_line "$work/log" 'listening on http://' 30) || { cat "$work/log"; exit 2; }
url=$(grep -oE 'http://[^ ]+' <<<"$line")

post() { curl -sS -o /dev/null -w '%{http_code}\n' -H 'content-type: application/json' --data-binary "@$1" "$url/v1/logs"; }
record() { printf '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"%s"}}]}]}]}' "$1"; }
seal() {
  curl -sS -f -o /dev/null -u admin:strace-order -X POST "$url/api/v1/narrows/admin/seal?merge=$1"
}

# Four at a time: those share a sync.
posts=()
for ((n = 0; n < ${ROUNDS:-40}; n++)); do
  record "marker-$n-end" >"$work/request-$n"
  post "$work/request-$n" >>"$work/codes" &
  posts+=($!)
  if ((n % 4 == 3)); then
    wait "${posts[@]}"
    posts=()
  fi
done
seal false
python3 - "$work/bulk" <<'PY'
import json, sys
body = "bulk " + "x" * 3000
records = [{"body": {"stringValue": f"{n} {body}"}} for n in range(200)]
with open(sys.argv[1], "w") as out:
    json.dump({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}, out)
PY
bulk_bytes=$(stat -c %s "$work/bulk")
for ((sent = 0; sent < ${BULK_MB:-80} * 1000000; sent += bulk_bytes)); do
  code=$(post "$work/bulk")
  if [[ $code != 200 ]]; then sleep 1; fi
done
seal true
seal true
pkill -TERM -P "$tracer"
wait "$tracer" || true
tracer=

python3 "$root/scripts/strace_order.py" "$work/trace" "$(grep -c 200 "$work/codes")"
