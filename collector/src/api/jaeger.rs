//! Jaeger's query API v1 under `/jaeger/api/`, as its UI, Grafana's data source and Kiali call it: docs/jaeger.md.

mod dependencies;
mod error;
mod metrics;
mod search;
mod services;
mod times;
mod transform;

use std::sync::Arc;

use axum::response::Response;
use axum::routing::post;
use serde::Serialize;
use telemetry::jaeger::traces;
use telemetry::otlp::TracesRequest;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::trace_search::Traces;
use super::{App, json};

pub(crate) use error::{ErrorView, JaegerError};

/// Every route; all of them read.
pub(super) fn viewers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(services::services))
        .routes(routes!(services::operations_of))
        .routes(routes!(services::operations))
        .routes(routes!(search::search))
        .routes(routes!(search::trace))
        .routes(routes!(dependencies::dependencies))
        .routes(routes!(metrics::latencies))
        .routes(routes!(metrics::calls))
        .routes(routes!(metrics::errors))
        .routes(routes!(metrics::min_step))
        .routes(routes!(transform::transform))
        .route("/jaeger/api/archive/{trace_id}", post(search::archive))
}

/// What every answer is in. Numbers of pages are always 0: there are no pages.
#[derive(Debug, Serialize)]
struct Envelope<T> {
    data: Option<T>,
    total: usize,
    limit: usize,
    offset: usize,
    errors: Option<Vec<ErrorView>>,
    /// What could not be read or was cut; our own addition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl<T> Envelope<T> {
    fn of(data: T, total: usize) -> Self {
        Self { data: Some(data), total, limit: 0, offset: 0, errors: None, warnings: Vec::new() }
    }

    fn failed(errors: Vec<ErrorView>) -> Self {
        Self { data: None, total: 0, limit: 0, offset: 0, errors: Some(errors), warnings: Vec::new() }
    }
}

/// Traces in Jaeger's form, made on a thread of its own.
async fn answer(found: Traces) -> Result<Response, JaegerError> {
    let made = json::off_thread(move || {
        let requests = found.payloads.iter().map(|payload| TracesRequest::of_valid(payload));
        let mut envelope = Envelope::of(requests.flat_map(|request| traces(&request)).collect::<Vec<_>>(), 0);
        let missing = |id: [u8; 16]| ErrorView {
            code: 0,
            msg: "trace not found".to_owned(),
            trace_id: Some(telemetry::jaeger::TraceId(id).to_string()),
        };
        let errors: Vec<_> = found.missing.into_iter().map(missing).collect();
        envelope.errors = (!errors.is_empty()).then_some(errors);
        envelope.warnings = found.warnings;
        json::render(&envelope)
    });
    Ok(made.await?)
}
