#!/usr/bin/env bash
# A shop whose database loses an index, told to the real collector as OTLP: the verdict must name the statement, in the
# API, in a terminal and in a browser, with its chart, its trace and the raw series.
#   PROFILE       cargo profile of the binaries (dev)
#   NARROWS_SHOTS where screenshots go
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

bin=$(bin_dir "${PROFILE:-dev}")
work=$(mktemp -d)
export NARROWS_ADMIN_PASSWORD=correct-horse-battery NARROWS_INGEST_TOKEN=token-of-the-shop
NARROWS_LOG=warn "$bin/narrows-collector" --data "$work/data" --listen 127.0.0.1:0 --listen-grpc 127.0.0.1:0 \
  >"$work/out" 2>"$work/log" &
collector=$!
shop=
finish() {
  stop_all ${shop:+"$shop"} "$collector"
  rm -rf "$work"
}
trap finish EXIT
url=$(wait_for_line "$work/out" '^listening on http' 60) || { cat "$work/log" >&2; die "the collector did not start"; }
url=${url#listening on }

# Scenario 7 of docs/accuracy.md: 9 minutes as always and 20 s without the index are told at once, 3 minutes as they happen.
NARROWS_TOKEN=$NARROWS_INGEST_TOKEN "$bin/narrows-bench" simulate --scenario 7 --hot 20 --live 18 --to "$url" >"$work/shop" &
shop=$!

verdicts() { curl -fsS -u "admin:$NARROWS_ADMIN_PASSWORD" "$url/api/v1/narrows/bottlenecks?state=all"; }
begun=$SECONDS
while :; do
  verdict=$(verdicts | python3 -c '
import json, sys
for stored in json.load(sys.stdin)["verdicts"]:
    if stored["verdict"]["culprit"]:
        culprit = stored["verdict"]["culprit"]
        print(stored["id"], culprit["kind"], culprit["entity"]["service"], stored["verdict"]["headline"], sep="|")
        break')
  [ -z "$verdict" ] || break
  [ $((SECONDS - begun)) -lt 90 ] || { verdicts >&2; tail -n 20 "$work/log" >&2; die "no verdict came within 90 s"; }
  sleep 1
done
IFS='|' read -r id kind service headline <<<"$verdict"
say "    $headline"
[ "$kind" = slow_statement ] || die "the verdict is $kind of $service, not slow_statement"
say "ok  the verdict came after $((SECONDS - begun)) s"
"$bin/narrows-collector" why edge --url "$url" >"$work/why" || die "why: $(cat "$work/why")"
grep -qF "$headline" "$work/why" || { cat "$work/why" >&2; die "why says something else"; }
say "ok  a terminal says the same"
NARROWS_VERDICT=$id NARROWS_LOG_FILE=/dev/null NARROWS_URL=$url NARROWS_PASSWORD=$NARROWS_ADMIN_PASSWORD \
  npm --prefix ui run --silent e2e:verdict
