# shellcheck shell=bash
# Sourced by the other scripts: where things are.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/narrows
target=${CARGO_TARGET_DIR:-$root/target}
venv=$cache/venv

# The directory of a cargo profile's binaries.
bin_dir() {
  case "$1" in dev) echo "$target/debug" ;; *) echo "$target/$1" ;; esac
}

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# stop_all PID…: SIGTERM to each in turn, and SIGKILL to one that is still there 15 s later.
stop_all() {
  local pid
  for pid in "$@"; do
    kill -TERM "$pid" 2>/dev/null || continue
    for ((i = 0; i < 150; i++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null && say "process $pid did not end on SIGTERM" >&2
    wait "$pid" 2>/dev/null || true
  done
}

# Waits until a file holds a line that matches, for at most $3 seconds; prints the line.
wait_for_line() {
  local file=$1 pattern=$2 limit=$3 line
  for ((i = 0; i < limit * 20; i++)); do
    if line=$(grep -m1 -E "$pattern" "$file" 2>/dev/null); then
      printf '%s\n' "$line"
      return 0
    fi
    sleep 0.05
  done
  return 1
}

# certificates DIRECTORY: those of docs/tls.md, by the commands of the page, whose last block they are.
certificates() {
  awk '/^```sh$/ { block = ""; inside = 1; next } /^```$/ { inside = 0 } inside { block = block $0 "\n" } END { printf "%s", block }' \
    docs/tls.md >"$1/certificates.sh"
  (cd "$1" && bash -e certificates.sh >/dev/null 2>&1) || die "the commands of docs/tls.md do not work"
}

# mail_server DIRECTORY: aiosmtpd with STARTTLS and a password (user u, password right), its certificate by DIRECTORY/ca.pem.
# Its mails are lines of JSON in DIRECTORY/mails; sets smtp, its port, and adds its pid to pids. It ends with descriptor 4.
mail_server() {
  certificates "$1"
  mkfifo "$1/end"
  "$venv/bin/python" -W ignore collector/alerting/tests/it/mail.py "$1/cert.pem" "$1/key.pem" starttls \
    <"$1/end" >"$1/mails" 2>"$1/mail.log" &
  pids+=($!)
  # Held open: the mail server ends with its standard input.
  exec 4>"$1/end"
  # shellcheck disable=SC2034 # for who sources this
  smtp=$(wait_for_line "$1/mails" '^[0-9]+$' 20) || { cat "$1/mail.log" >&2; die "the mail server did not start"; }
}
