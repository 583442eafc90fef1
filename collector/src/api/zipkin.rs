//! Zipkin's query API v2 under `/zipkin/api/v2/`, as Lens and Grafana's data source call it: docs/zipkin-query.md.

mod error;
mod names;
mod search;

use std::sync::Arc;

use axum::Json;
use axum::response::Response;
use serde_json::{Value, json as json_value};
use telemetry::zipkin_json::{Span, spans};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::trace_search::Traces;
use super::{App, json};

pub(crate) use error::ZipkinError;

/// Traces of an answer when the client does not say.
const DEFAULT_LIMIT: u64 = 10;
/// How far back a search looks when the client does not say, ms.
const DEFAULT_LOOKBACK_MS: i64 = 86_400_000;

/// Every route that needs a viewer.
pub(super) fn viewers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(names::services))
        .routes(routes!(names::span_names))
        .routes(routes!(names::remote_services))
        .routes(routes!(names::autocomplete_keys))
        .routes(routes!(names::autocomplete_values))
        .routes(routes!(names::dependencies))
        .routes(routes!(search::search))
        .routes(routes!(search::trace))
        .routes(routes!(search::trace_many))
        .routes(routes!(config))
}

/// Routes that nobody has to log in for.
pub(super) fn open() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(health))
}

/// What Lens, Zipkin's UI, wants to know of its server.
#[utoipa::path(
    get, path = "/zipkin/config.json", tag = "zipkin", operation_id = "zipkin_config",
    responses((status = 200, description = "Its configuration", body = Object))
)]
pub(crate) async fn config() -> Json<Value> {
    Json(json_value!({
        "environment": "",
        "queryLimit": DEFAULT_LIMIT,
        "defaultLookback": 900_000,
        "searchEnabled": true,
        "logsUrl": null,
        "supportUrl": null,
        "archivePostUrl": null,
        "archiveUrl": null,
        "dependency": {"enabled": true, "lowErrorRate": 0.5, "highErrorRate": 0.75},
    }))
}

/// Whether it is there: probes of Zipkin ask for it.
#[utoipa::path(
    get, path = "/zipkin/health", tag = "zipkin", operation_id = "zipkin_health",
    responses((status = 200, description = "It is", body = Object))
)]
pub(crate) async fn health() -> Json<Value> {
    Json(json_value!({"status": "UP", "zipkin": {"status": "UP", "details": {}}}))
}

/// Lists of spans, made on a thread of its own. What could not be read is told in a header: the format has no place.
async fn answer(found: Traces, shape: Shape) -> Result<Response, ZipkinError> {
    let warnings = found.warnings.join("; ");
    let made = json::off_thread(move || {
        let traces: Vec<Vec<Span<'_>>> = found.payloads.iter().map(|payload| spans(payload)).collect();
        match shape {
            Shape::Traces => json::render(&traces),
            Shape::OneTrace => json::render(&traces.into_iter().flatten().collect::<Vec<_>>()),
        }
    });
    let mut response = made.await?;
    if let Ok(told) = warnings.parse::<http::HeaderValue>()
        && !warnings.is_empty()
    {
        response.headers_mut().insert(http::HeaderName::from_static("x-narrows-warnings"), told);
    }
    Ok(response)
}

#[derive(Clone, Copy)]
enum Shape {
    /// A list of lists.
    Traces,
    /// A list.
    OneTrace,
}
