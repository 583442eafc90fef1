#!/usr/bin/env bash
# Names what this machine lacks. With --fix installs what it can: Debian packages (as root) and
# Python packages in a private environment. --for run|demo|test limits it to what that needs.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

fix=0 purpose=all
while [ $# -gt 0 ]; do
  case "$1" in
    --fix) fix=1 ;;
    --for) purpose=$2; shift ;;
    *) die "usage: doctor.sh [--fix] [--for run|demo|test]" ;;
  esac
  shift
done

packages=() missing=()

# need COMMAND PACKAGE WHY: a command that a Debian package brings.
need() {
  # Servers stand in sbin, which is not in everybody's path.
  PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 && return 0
  packages+=("$2")
  missing+=("$1: $3 (package $2)")
}
# need_file PACKAGE WHY PATH…: a file that a Debian package brings; a path may have been a pattern.
need_file() {
  [ -e "$3" ] && return 0
  packages+=("$1")
  missing+=("$3: $2 (package $1)")
}
# want COMMAND HOW WHY: a command that has to be installed by hand.
want() {
  command -v "$1" >/dev/null 2>&1 || missing+=("$1: $3; $2")
}
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -1)" = "$2" ]; }

want cargo "install Rust 1.95 or newer with rustup" "builds both programs"
if command -v rustc >/dev/null && ! version_at_least "$(rustc -V | cut -d' ' -f2)" 1.95; then
  missing+=("rustc 1.95: this is $(rustc -V | cut -d' ' -f2); run rustup update")
fi
want node "install Node.js 20 or newer" "builds the web UI"
# What Vite 8 asks for.
if command -v node >/dev/null && ! node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)'; then
  missing+=("node 20.19, 22.12 or newer: this is $(node -v)")
fi
need npm npm "builds the web UI"
need gcc build-essential "compiles zstd and SQLite"
need curl curl "asks the programs in scripts"
need python3 python3 "runs the OpenTelemetry SDK in tests"
if [ "$purpose" != run ]; then
  need redis-server redis-server "is a database of instrumented programs"
  need_file postgresql "is another one" /usr/lib/postgresql/*/bin/initdb
  need_file rabbitmq-server "is a broker" /usr/lib/rabbitmq/bin/rabbitmq-server
fi
if [ "$purpose" != run ] && [ "$purpose" != demo ]; then
  need chromium chromium "the browser of the tests"
  need strace strace "shows the order of syncs on disk"
  need openssl openssl "makes certificates"
  need nginx nginx "writes a real access log"
  need rsyslogd rsyslog "ships logs as Elasticsearch's clients do"
  need prometheus prometheus "writes and answers beside the collector"
  need prometheus-alertmanager prometheus-alertmanager "gets the same alerts as the collector"
  need prometheus-node-exporter prometheus-node-exporter "is scraped"
  need_file rsyslog-elasticsearch "rsyslog's output to Elasticsearch" /usr/lib/*/rsyslog/omelasticsearch.so
  need_file systemd-journal-remote "writes a journal" /lib/systemd/systemd-journal-remote
  need journalctl systemd "reads a journal"
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    packages+=(python3-venv)
    missing+=("python3 venv: a private place for Python packages (package python3-venv)")
  fi
fi

if [ $fix = 1 ] && [ ${#packages[@]} -gt 0 ] && [ -z "${NARROWS_DOCTOR_INSTALLED:-}" ] &&
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  say "installing ${packages[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  NARROWS_DOCTOR_INSTALLED=1 exec "$0" --fix --for "$purpose"
fi

if [ ${#missing[@]} -gt 0 ]; then
  say "missing on this machine:"
  printf '  %s\n' "${missing[@]}"
  [ ${#packages[@]} -gt 0 ] && say "as root: apt-get install ${packages[*]}"
  exit 1
fi

if [ "$purpose" != run ] && [ "$purpose" != demo ] && [ ! -x "$venv/bin/python" ]; then
  if [ $fix = 0 ]; then
    say "not yet there: the Python OpenTelemetry SDK and a mail server for tests; make test installs it into $venv"
  fi
fi
if [ $fix = 1 ] && [ "$purpose" != run ] && [ "$purpose" != demo ] && [ ! -f "$venv/.ready-2" ]; then
  say "installing the Python OpenTelemetry SDK and a mail server for tests"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check \
    opentelemetry-sdk opentelemetry-exporter-otlp-proto-grpc opentelemetry-exporter-otlp-proto-http aiosmtpd
  touch "$venv/.ready-2"
fi
[ $fix = 1 ] || say "everything is here"
