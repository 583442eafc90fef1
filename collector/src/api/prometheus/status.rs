//! What Prometheus' clients ask about the server itself.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::form::Form;
use super::{PromError, blocking, success};
use crate::api::{App, now_ns, time};
use crate::auth::Principal;

/// The Prometheus whose API this is: clients choose by it what they ask.
const COMPATIBLE_VERSION: &str = "3.5.0";

/// The version. It has no `features`, by which clients know Mimir.
#[utoipa::path(
    get, path = "/api/v1/status/buildinfo", tag = "prometheus",
    responses((status = 200, description = "The version of Prometheus whose API this is", body = Object))
)]
pub(super) async fn buildinfo() -> Response {
    success(json!({
        "version": COMPATIBLE_VERSION,
        "revision": concat!("narrows-", env!("CARGO_PKG_VERSION")),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }))
}

/// How the process does.
#[utoipa::path(
    get, path = "/api/v1/status/runtimeinfo", tag = "prometheus",
    responses((status = 200, description = "Start, series, retention", body = Object))
)]
pub(super) async fn runtimeinfo(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Response {
    let stats = app.store.stats();
    let tenant = stats.tenants.get(principal.tenant.as_str()).copied().unwrap_or_default();
    let started_ns =
        now_ns().saturating_sub(i64::try_from(app.started.elapsed().as_nanos()).unwrap_or(i64::MAX));
    success(json!({
        "startTime": time::format(started_ns),
        "serverTime": time::format(now_ns()),
        "reloadConfigSuccess": true,
        "lastConfigTime": time::format(started_ns),
        "timeSeriesCount": tenant.active_series,
        "storageRetention": app.store.retention().map_or_else(|| "0s".to_owned(), time::days),
    }))
}

/// Command-line flags; those of Prometheus mean nothing here.
#[utoipa::path(
    get, path = "/api/v1/status/flags", tag = "prometheus",
    responses((status = 200, description = "None", body = Object))
)]
pub(super) async fn flags(State(app): State<Arc<App>>) -> Response {
    let retention = app.store.retention().map_or_else(|| "0s".to_owned(), time::days);
    success(json!({ "storage.tsdb.retention.time": retention, "query.lookback-delta": "5m" }))
}

/// The configuration; agents scrape, not the collector.
#[utoipa::path(
    get, path = "/api/v1/status/config", tag = "prometheus",
    responses((status = 200, description = "An empty one", body = Object))
)]
pub(super) async fn config() -> Response {
    success(json!({ "yaml": "" }))
}

/// Where series come from.
#[utoipa::path(
    get, path = "/api/v1/status/tsdb", tag = "prometheus",
    params(("limit" = Option<String>, Query, description = "The most rows of each list, 10 when not given")),
    responses((status = 200, description = "Metrics and labels by their series", body = Object))
)]
pub(super) async fn tsdb(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    let limit = if form.get("limit").is_some() { form.limit("limit")?.min(10_000) } else { 10 };
    let admitted = app.queries.admit().await?;
    let stored = app.store.series(&principal.tenant);
    let cardinality = blocking(admitted, move |_| Ok(stored.cardinality(i64::MIN, i64::MAX, limit)?)).await?;
    let rows = |rows: &[series::CardinalityRow]| -> Value {
        rows.iter().map(|row| json!({ "name": row.name, "value": row.count })).collect()
    };
    Ok(success(json!({
        "headStats": {
            "numSeries": cardinality.series,
            "numLabelPairs": cardinality.labels.iter().map(|row| row.count).sum::<u64>(),
        },
        "seriesCountByMetricName": rows(&cardinality.metrics),
        "labelValueCountByLabelName": rows(&cardinality.labels),
        "memoryInBytesByLabelName": [],
        "seriesCountByLabelValuePair": rows(&cardinality.pairs),
    })))
}

/// Alertmanagers that alerts are sent to: none.
#[utoipa::path(
    get, path = "/api/v1/alertmanagers", tag = "prometheus",
    responses((status = 200, description = "None", body = Object))
)]
pub(super) async fn alertmanagers() -> Response {
    success(json!({ "activeAlertmanagers": [], "droppedAlertmanagers": [] }))
}

/// Scrape targets: agents have them, and tell of them at their own status address.
#[utoipa::path(
    get, path = "/api/v1/targets", tag = "prometheus",
    responses((status = 200, description = "None", body = Object))
)]
pub(super) async fn targets() -> Response {
    success(json!({ "activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {} }))
}
