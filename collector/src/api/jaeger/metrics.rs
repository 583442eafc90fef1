//! Rates, errors and latencies of services ("service performance monitoring"): `MetricsFamily` of OpenMetrics'
//! protobuf in JSON, as Jaeger answers it.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use promql::Series;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Envelope, JaegerError, times};
use crate::api::derived::{When, evaluate};
use crate::api::pairs::Pairs;
use crate::api::{App, format_time, now_ns};
use crate::auth::Principal;

/// How wide the derived series' buckets are.
const BUCKET_MS: i64 = 10_000;
const DEFAULT_LOOKBACK_MS: i64 = 3_600_000;
const DEFAULT_RATE_MS: i64 = 600_000;
/// As for PromQL.
const MAX_POINTS: i64 = 11_000;
const MAX_SERVICES: usize = 100;

/// What is asked.
#[derive(Debug)]
struct Asked {
    by_operation: bool,
    /// Conditions on the series, in PromQL.
    of: String,
    window_ms: i64,
    when: When,
}

/// Latencies at a quantile, ms.
#[utoipa::path(
    get, path = "/jaeger/api/metrics/latencies", tag = "jaeger", operation_id = "jaeger_latencies",
    params(
        ("service" = Vec<String>, Query, description = "Whose, may repeat"),
        ("quantile" = String, Query, description = "Over 0, up to 1"),
        ("groupByOperation" = Option<bool>, Query, description = "Apart by operation"),
        ("spanKind" = Option<Vec<String>>, Query, description = "Of which kinds; server when not given"),
        ("endTs" = Option<String>, Query, description = "Until when, ms since 1970"),
        ("lookback" = Option<String>, Query, description = "How long before that, ms"),
        ("step" = Option<String>, Query, description = "ms between points"),
        ("ratePer" = Option<String>, Query, description = "Over how many ms each point is"),
    ),
    responses((status = 200, description = "A family of metrics", body = Object))
)]
pub(crate) async fn latencies(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<Value>, JaegerError> {
    let quantile = pairs.get("quantile").and_then(|text| text.parse::<f64>().ok());
    let quantile = quantile.filter(|quantile| *quantile > 0.0 && *quantile <= 1.0);
    let message = "it has to be a number over 0, up to 1";
    let quantile = quantile.ok_or_else(|| JaegerError::parameter("quantile", message))?;
    let asked = asked(&pairs, now_ns() / 1_000_000)?;
    let summed = asked.sum("narrows_red_duration_seconds", "");
    let query = format!("histogram_quantile({quantile}, {summed}) * 1000");
    family(&app, &principal, &asked, "latencies", &format!("latency at the quantile {quantile}, ms"), query)
        .await
}

/// Calls per second.
#[utoipa::path(
    get, path = "/jaeger/api/metrics/calls", tag = "jaeger", operation_id = "jaeger_calls",
    params(("service" = Vec<String>, Query, description = "Whose; other parameters as for latencies")),
    responses((status = 200, description = "A family of metrics", body = Object))
)]
pub(crate) async fn calls(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<Value>, JaegerError> {
    let asked = asked(&pairs, now_ns() / 1_000_000)?;
    let query = format!("{} / {}", asked.sum("narrows_red_calls", ""), asked.window_ms as f64 / 1000.0);
    family(&app, &principal, &asked, "call_rate", "calls per second", query).await
}

/// The part of the calls that failed.
#[utoipa::path(
    get, path = "/jaeger/api/metrics/errors", tag = "jaeger", operation_id = "jaeger_errors",
    params(("service" = Vec<String>, Query, description = "Whose; other parameters as for latencies")),
    responses((status = 200, description = "A family of metrics", body = Object))
)]
pub(crate) async fn errors(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<Value>, JaegerError> {
    let asked = asked(&pairs, now_ns() / 1_000_000)?;
    let all = asked.sum("narrows_red_calls", "");
    // Where nothing failed there is no series of failures: 0 of all.
    let failed = asked.sum("narrows_red_calls", ",status=\"error\"");
    let query = format!("({failed} or 0 * {all}) / {all}");
    family(&app, &principal, &asked, "error_rate", "part of the calls that failed", query).await
}

/// The least sensible step, ms.
#[utoipa::path(
    get, path = "/jaeger/api/metrics/minstep", tag = "jaeger", operation_id = "jaeger_min_step",
    responses((status = 200, description = "The width of a bucket", body = Object))
)]
pub(crate) async fn min_step() -> Json<impl Serialize> {
    Json(Envelope::of(BUCKET_MS, 0))
}

fn asked(pairs: &Pairs, now_ms: i64) -> Result<Asked, JaegerError> {
    let services: Vec<&str> = pairs.all("service").filter(|name| !name.is_empty()).collect();
    if services.is_empty() || services.len() > MAX_SERVICES {
        return Err(JaegerError::parameter("service", format!("1 to {MAX_SERVICES} of them are required")));
    }
    let kinds: Vec<String> =
        pairs.all("spanKind").filter(|kind| !kind.is_empty()).map(str::to_lowercase).collect();
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.strip_prefix("span_kind_").unwrap_or(kind)).collect();
    let kinds = if kinds.is_empty() { vec!["server"] } else { kinds };
    let millis = |name, default| -> Result<i64, JaegerError> {
        Ok(times::millis(pairs, name)?.filter(|ms| *ms > 0).unwrap_or(default))
    };
    let end_ms = millis("endTs", now_ms)?;
    let start_ms = end_ms.saturating_sub(millis("lookback", DEFAULT_LOOKBACK_MS)?);
    let step_ms = millis("step", BUCKET_MS)?.max(BUCKET_MS);
    if (end_ms - start_ms) / step_ms > MAX_POINTS {
        return Err(JaegerError::parameter(
            "step",
            format!("more than {MAX_POINTS} points: take a longer one"),
        ));
    }
    Ok(Asked {
        by_operation: pairs.get("groupByOperation") == Some("true"),
        of: format!("service=~{},kind=~{}", one_of(&services), one_of(&kinds)),
        window_ms: millis("ratePer", DEFAULT_RATE_MS)?.max(BUCKET_MS),
        when: When::Range(start_ms, end_ms, step_ms),
    })
}

impl Asked {
    /// The sum of a family's buckets in the window.
    fn sum(&self, family: &str, more: &str) -> String {
        let by = if self.by_operation { "service, operation" } else { "service" };
        format!("sum by ({by}) (sum_over_time({family}{{{}{more}}}[{}ms]))", self.of, self.window_ms)
    }
}

/// A quoted regex for one of some texts.
fn one_of(texts: &[&str]) -> String {
    let mut regex = String::new();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            regex.push('|');
        }
        for character in text.chars() {
            if character.is_ascii_punctuation() && !"_<>".contains(character) {
                regex.push('\\');
            }
            regex.push(character);
        }
    }
    let mut quoted = String::from("\"");
    for character in regex.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // Writing to a String cannot fail.
            _ if character.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

async fn family(
    app: &App,
    principal: &Principal,
    asked: &Asked,
    name: &str,
    help: &str,
    query: String,
) -> Result<Json<Value>, JaegerError> {
    let found = evaluate(app, principal, query, asked.when).await?;
    let (prefix, grouped) = if asked.by_operation {
        ("service_operation", "service & operation")
    } else {
        ("service", "service")
    };
    Ok(Json(json!({
        "name": format!("{prefix}_{name}"),
        "type": "GAUGE",
        "help": format!("{help}, grouped by {grouped}"),
        "metrics": found.iter().map(metric).collect::<Vec<_>>(),
    })))
}

fn metric(series: &Series) -> Value {
    let label = |(name, shown): (&str, &str)| {
        let value = series.labels.get(name)?;
        Some(json!({"name": shown, "value": value}))
    };
    let labels: Vec<_> =
        [("operation", "operation"), ("service", "service_name")].into_iter().filter_map(label).collect();
    let point = |(time_ms, value): &(i64, f64)| {
        let timestamp = format_time(time_ms.saturating_mul(1_000_000));
        value.is_finite().then(|| json!({"gaugeValue": {"doubleValue": value}, "timestamp": timestamp}))
    };
    json!({"labels": labels, "metricPoints": series.floats.iter().filter_map(point).collect::<Vec<_>>()})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_promql_whatever_the_names_are() {
        let now_ms = 1_795_601_859_000;
        for name in ["shop", "a.b|c", "quo\"te", "back\\slash", "new\nline", "größe", "{}", "a-b"] {
            let encoded: String =
                form_urlencoded::Serializer::new(String::new()).append_pair("service", name).finish();
            let asked = asked(&Pairs::read(&encoded), now_ms).unwrap();
            let expr = promql::parse(&asked.sum("narrows_red_calls", ",status=\"error\"")).unwrap();
            let matchers = expr.selectors()[0].to_vec();
            let service = matchers.iter().find(|matcher| matcher.name() == "service").unwrap();
            assert!(service.matches(name) && !service.matches("axb"), "{name}: {service:?}");
        }
    }

    #[test]
    fn parameters_have_jaeger_s_defaults() {
        let of = |query: &str| asked(&Pairs::read(query), 3_600_000).map_err(|error| error.to_string());
        let plain = of("service=a").unwrap();
        assert_eq!(plain.of, "service=~\"a\",kind=~\"server\"");
        assert_eq!((plain.window_ms, plain.by_operation), (600_000, false));
        assert!(matches!(plain.when, When::Range(0, 3_600_000, 10_000)));
        let full = of("service=a&service=b&spanKind=SPAN_KIND_CLIENT&spanKind=server&endTs=50000&lookback=20000&step=1000&ratePer=60000&groupByOperation=true").unwrap();
        assert_eq!(full.of, "service=~\"a|b\",kind=~\"client|server\"");
        assert_eq!((full.window_ms, full.by_operation), (60_000, true));
        assert!(matches!(full.when, When::Range(30_000, 50_000, 10_000)));
        for query in ["", "service=a&step=x", "service=a&lookback=999999999999"] {
            assert!(of(query).is_err(), "{query}");
        }
    }
}
