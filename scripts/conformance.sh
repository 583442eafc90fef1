#!/usr/bin/env bash
# The suites of CONFORMANCE_DATA, a line each: conformance.sh [SUITE]
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

export CONFORMANCE_DATA=${CONFORMANCE_DATA:-$root/../shared/testdata}
export NARROWS_CONFORMANCE=required
[ -d "$CONFORMANCE_DATA" ] || die "CONFORMANCE_DATA ($CONFORMANCE_DATA) is not there; docs/conformance.md names the sources"
# A suite is the test `conformance_<suite>` (with _ for -) of the crate that owns what it tests.
declare -A crate=(
  [otlp]=narrows-telemetry [zipkin]=narrows-telemetry [openmetrics]=narrows-telemetry [exposition]=narrows-telemetry [loghub]=narrows-events [syslog]=narrows-agent
  [multiline]=narrows-agent [prometheus-config]=narrows-agent [promql-parse]=narrows-promql
  [promqltest-memory]=narrows-promql [promqltest]=narrows-collector [crisp]=narrows-bottleneck
  [jaeger]=narrows-collector [zipkin-query]=narrows-collector
  [alertmanager]=narrows-alerting [rules]=narrows-alerting [promtool]=narrows-alerting
)
suites=${1:-${!crate[*]} grafana-dashboards}
status=0
for suite in $suites; do
  if [ "$suite" = grafana-dashboards ]; then
    (cd ui && NO_COLOR=1 npx --no-install vitest run --project unit src/lib/dashboard/conformance.test.ts 2>&1) |
      grep -oE "^$suite [0-9]+/[0-9]+|FAIL.*" || status=1
    continue
  fi
  [ -n "${crate[$suite]:-}" ] || die "no suite $suite yet; there are: ${!crate[*]}"
  # Tests that have passed before are dots in front of the line.
  cargo test --quiet --locked -p "${crate[$suite]}" "conformance_${suite//-/_}" -- --nocapture 2>&1 |
    sed -E 's/^\.+//' | grep -E "^($suite |  )|panicked|FAILED" || status=1
done
exit $status
