//! Lists of names for a search form, and who calls whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use events::spans::{Request, TraceOrder};
use search::{Cell, Query};
use serde::Serialize;
use utoipa::ToSchema;

use super::ZipkinError;
use super::search::range;
use crate::api::derived::call_links;
use crate::api::logs::within;
use crate::api::pairs::Pairs;
use crate::api::trace_search::{of_service, operations};
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// Values of one list.
const MAX_VALUES: usize = 1000;
/// How far back values are looked for.
const VALUES_NS: i64 = 3_600_000_000_000;

/// Tags whose values a form may offer: few each, and everywhere.
const KEYS: [&str; 8] = [
    "db.system",
    "deployment.environment",
    "host.name",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.status_code",
    "service.version",
];

/// Calls of a service to another.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkView {
    parent: String,
    child: String,
    call_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    error_count: u64,
}

/// The services.
#[utoipa::path(
    get, path = "/zipkin/api/v2/services", tag = "zipkin", operation_id = "zipkin_services",
    responses((status = 200, description = "Their names", body = Vec<String>))
)]
pub(crate) async fn services(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<BTreeSet<String>>, ZipkinError> {
    let all = operations(&app, &principal, now_ns()).await?;
    Ok(Json(all.into_iter().map(|operation| operation.service).collect()))
}

/// The names of a service's spans.
#[utoipa::path(
    get, path = "/zipkin/api/v2/spans", tag = "zipkin", operation_id = "zipkin_spans",
    params(("serviceName" = String, Query, description = "Whose")),
    responses((status = 200, description = "Their names", body = Vec<String>))
)]
pub(crate) async fn span_names(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<BTreeSet<String>>, ZipkinError> {
    let service = service(&pairs)?;
    let all = operations(&app, &principal, now_ns()).await?;
    let own = all.into_iter().filter(|operation| operation.service == service && !operation.name.is_empty());
    Ok(Json(own.map(|operation| operation.name).collect()))
}

/// The services that a service's spans talk to.
#[utoipa::path(
    get, path = "/zipkin/api/v2/remoteServices", tag = "zipkin", operation_id = "zipkin_remote_services",
    params(("serviceName" = String, Query, description = "Whose spans")),
    responses((status = 200, description = "Their names", body = Vec<String>))
)]
pub(crate) async fn remote_services(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<BTreeSet<String>>, ZipkinError> {
    let service = service(&pairs)?.to_owned();
    values(&app, &principal, "peer.service", Some(&service)).await
}

/// Tags whose values can be listed.
#[utoipa::path(
    get, path = "/zipkin/api/v2/autocompleteKeys", tag = "zipkin", operation_id = "zipkin_autocomplete_keys",
    responses((status = 200, description = "Their names", body = Vec<String>))
)]
pub(crate) async fn autocomplete_keys() -> Json<[&'static str; 8]> {
    Json(KEYS)
}

/// Values of one of those tags, of the last hour.
#[utoipa::path(
    get, path = "/zipkin/api/v2/autocompleteValues", tag = "zipkin", operation_id = "zipkin_autocomplete_values",
    params(("key" = String, Query, description = "The tag")),
    responses((status = 200, description = "The values; none for other tags", body = Vec<String>))
)]
pub(crate) async fn autocomplete_values(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<BTreeSet<String>>, ZipkinError> {
    let key = pairs.get("key").ok_or_else(|| ZipkinError::parameter("key", "it is missing"))?;
    match KEYS.iter().find(|known| **known == key) {
        Some(known) => values(&app, &principal, known, None).await,
        None => Ok(Json(BTreeSet::new())),
    }
}

/// Counts calls between services.
#[utoipa::path(
    get, path = "/zipkin/api/v2/dependencies", tag = "zipkin", operation_id = "zipkin_dependencies",
    params(
        ("endTs" = String, Query, description = "Until when, ms since 1970"),
        ("lookback" = Option<String>, Query, description = "How long before that, ms; a day when not given"),
    ),
    responses((status = 200, description = "Parents, children and how many calls", body = Vec<LinkView>))
)]
pub(crate) async fn dependencies(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<Vec<LinkView>>, ZipkinError> {
    let (start_ns, end_ns) = range(&pairs, now_ns())?;
    let (end_ms, lookback_ms) = (end_ns / 1_000_000, (end_ns - start_ns) / 1_000_000);
    let links = call_links(&app, &principal, end_ms, lookback_ms).await?;
    let view = |link: crate::api::derived::CallLink| LinkView {
        parent: link.parent,
        child: link.child,
        call_count: link.calls,
        error_count: link.errors,
    };
    Ok(Json(links.into_iter().map(view).collect()))
}

fn service(pairs: &Pairs) -> Result<&str, ZipkinError> {
    pairs.get("serviceName").ok_or_else(|| ZipkinError::parameter("serviceName", "it is missing"))
}

/// The most frequent values of a tag in the last hour.
async fn values(
    app: &App,
    principal: &Principal,
    key: &str,
    service: Option<&str>,
) -> Result<Json<BTreeSet<String>>, ZipkinError> {
    let now_ns = now_ns();
    let parsed = search::parse_spans(&format!("* | top {MAX_VALUES} {key}"));
    let stages = parsed.map_err(crate::api::ApiError::from)?.stages;
    let filter = service.map_or(search::Expr::All, of_service);
    let admitted = app.queries.admit().await?;
    let request = Request {
        query: Query { filter, stages },
        start_ns: now_ns.saturating_sub(VALUES_NS),
        end_ns: i64::MAX,
        limit: MAX_VALUES,
        order: TraceOrder::Newest,
        deadline: admitted.deadline,
        memory_bytes: admitted.memory_bytes,
    };
    let snapshots = app.store.span_snapshots(&principal.tenant);
    let answer = within(admitted.deadline, events::spans::search(&snapshots, &request)).await?;
    let rows = answer.table.map(|table| table.rows).unwrap_or_default();
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Number(number) => Some(number.to_string()),
        Cell::Null | Cell::Time(_) => None,
    };
    let values = rows.iter().filter_map(|row| row.first().and_then(text)).filter(|text| !text.is_empty());
    Ok(Json(values.collect()))
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
