#!/usr/bin/env bash
# A shop whose database loses an index, told to the real collector as OTLP: the verdict must name the statement, in the
# API, in a terminal, in the mail of an alert that fires for it, and in a browser behind that mail's link, with its chart,
# its trace and the raw series.
#   PROFILE       cargo profile of the binaries (dev)
#   NARROWS_SHOTS where screenshots go
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

bin=$(bin_dir "${PROFILE:-dev}")
work=$(mktemp -d)
pids=()
finish() {
  stop_all "${pids[@]}"
  rm -rf "$work"
}
trap finish EXIT
mail_server "$work"
cat >"$work/alertmanager.yml" <<YAML
global: { smtp_smarthost: "localhost:$smtp", smtp_from: narrows@example.org, smtp_auth_username: u, smtp_auth_password: right, smtp_tls_config: { ca_file: ca.pem } }
# Told again soon: the alert may fire before there is a verdict.
route: { receiver: on-call, group_wait: 5s, group_interval: 10s, repeat_interval: 10s }
receivers: [{ name: on-call, email_configs: [{ to: on-call@example.org }] }]
YAML
cat >"$work/rules.yaml" <<'YAML'
groups:
  - name: entry
    interval: 5s
    rules:
      - alert: EntrySlow
        # 10 ms, and 60 without the index.
        expr: histogram_avg(sum by (service, span_name) (rate(traces_spanmetrics_latency{service="edge", span_kind="SPAN_KIND_SERVER", span_name="GET /products/{sku}"}[30s]))) > 0.03
        for: 10s
YAML
printf 'alertmanager_config: alertmanager.yml\nrule_files: [rules.yaml]\n' >"$work/collector.yaml"
export NARROWS_ADMIN_PASSWORD=correct-horse-battery NARROWS_INGEST_TOKEN=token-of-the-shop
NARROWS_LOG=warn "$bin/narrows-collector" --config "$work/collector.yaml" --data "$work/data" --listen 127.0.0.1:0 --listen-grpc 127.0.0.1:0 \
  >"$work/out" 2>"$work/log" &
pids+=($!)
url=$(wait_for_line "$work/out" '^listening on http' 60) || { cat "$work/log" >&2; die "the collector did not start"; }
url=${url#listening on }

# Scenario 7 of docs/accuracy.md: 9 minutes as always and 20 s without the index are told at once, 3 minutes as they happen.
NARROWS_TOKEN=$NARROWS_INGEST_TOKEN "$bin/narrows-bench" simulate --scenario 7 --hot 20 --live 18 --to "$url" >"$work/shop" &
pids+=($!)

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
link=$(wait_for_line "$work/mails" "$url/bottlenecks/" 90) || { cat "$work/mails" "$work/log" >&2; die "no mail with the verdict came"; }
link=$(python3 - "$link" "$url" "$headline" <<'PY'
import json, re, sys
mail = json.loads(sys.argv[1])
for part in ("plain", "html"):
    assert "Why" in mail[part] and 'href="/' not in mail[part], mail[part]
link = re.search(re.escape(sys.argv[2]) + r"/bottlenecks/[0-9a-z]+", mail["plain"])
assert link and link[0] in mail["html"], mail["plain"]
print(link[0])
PY
)
say "ok  a mail has it, $link, $((SECONDS - begun)) s after the verdict was asked for first"
[ "$link" = "$url/bottlenecks/$id" ] || die "the mail's link is not $id"
NARROWS_VERDICT=$link NARROWS_LOG_FILE=/dev/null NARROWS_URL=$url NARROWS_PASSWORD=$NARROWS_ADMIN_PASSWORD \
  npm --prefix ui run --silent e2e:verdict
