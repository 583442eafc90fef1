#!/usr/bin/env bash
# A service that stops, and the person on call: one mail within 90 s by the shipped rules and the shipped
# deploy/alertmanager.yml, a link in it that opens the alert on a phone, and one mail when the service is back. The mail
# server is aiosmtpd with TLS and passwords; the service sends spans by OpenTelemetry's own exporter.
#   PROFILE       cargo profile of the binaries (release)
#   NARROWS_SHOTS where screenshots go
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

mail_server "$work"

# The shipped file, with what it says is to be filled in.
sed -e "s/mail.example.org:587/localhost:$smtp/" -e 's/smtp_auth_username: narrows/smtp_auth_username: u/' \
  -e 's/^  smtp_auth_password_file:.*/&\n  smtp_tls_config: { ca_file: ca.pem }/' deploy/alertmanager.yml >"$work/alertmanager.yml"
printf right >"$work/smtp-password"
"$bin/narrows-collector" check-alertmanager-config "$work/alertmanager.yml"
echo "alertmanager_config: alertmanager.yml" >"$work/collector.yaml"
NARROWS_ADMIN_PASSWORD=correct-horse-battery "$bin/narrows-collector" --config "$work/collector.yaml" --data "$work/data" \
  --listen 127.0.0.1:0 --listen-grpc 127.0.0.1:0 >"$work/collector.log" 2>&1 &
pids+=($!)
url=$(wait_for_line "$work/collector.log" '^listening on http://' 60) || { cat "$work/collector.log" >&2; die "the collector did not start"; }
url=${url#listening on }
grpc=$(wait_for_line "$work/collector.log" '^listening on grpc://' 10)
grpc=http://${grpc#listening on grpc://}

# mails: how many came.
mails() { grep -c '"subject"' "$work/mails" || true; }
# mail_within COUNT SECONDS: waits until so many came; prints how long it took.
mail_within() {
  local begun=$SECONDS
  while [ "$(mails)" -lt "$1" ]; do
    if [ $((SECONDS - begun)) -ge "$2" ]; then
      tail -n 30 "$work/collector.log" >&2
      curl -fsS -u admin:correct-horse-battery "$url/api/v1/narrows/alerts" >&2 || true
      die "mail $1 did not come within $2 s"
    fi
    sleep 0.2
  done
  echo $((SECONDS - begun))
}

serve() { exec "$bin/examples/emit_spans" "$grpc" 0.5 >/dev/null; }
serve &
service=$!
sleep 40
[ "$(mails)" = 0 ] || { cat "$work/mails" >&2; die "a mail came while the service was there"; }
kill -TERM "$service"
wait "$service" || true
took=$(mail_within 1 90)
say "ok  the service stopped, and the mail came after $took s"
link=$(python3 - "$work/mails" "$url" <<'PY'
import json, re, sys
(mail,) = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
assert mail["tls"] and mail["user"] == "u", mail
assert mail["to"] == ["on-call@example.org"] and not mail["defects"], mail
for part in (mail["subject"], mail["plain"], mail["html"]):
    assert "rust-shop" in part and "silent" in part.lower(), part
link = re.search(re.escape(sys.argv[2]) + r"/alerts/[0-9a-f]{16}", mail["plain"])
assert link and link[0] in mail["html"], mail["plain"]
print(link[0])
PY
)
(cd ui && NARROWS_ALERT=$link NARROWS_LOG_FILE=/dev/null NARROWS_URL=$url NARROWS_PASSWORD=correct-horse-battery npx --no-install vitest run --project oncall)
serve &
pids+=($!)
took=$(mail_within 2 150)
say "ok  the service is back, and the mail about it came after $took s"
# Whatever else would be told has had its time: a group's next turn comes within a minute.
sleep 65
python3 - "$work/mails" <<'PY'
import json, sys
first, second = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
assert "resolved" in second["subject"].lower() and "rust-shop" in second["subject"], second["subject"]
print("ok  two mails and no more:", first["subject"], "|", second["subject"])
PY
