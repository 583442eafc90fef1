//! OTLP/JSON in, Jaeger's JSON out: what its UI does with files of spans that people drop onto it.

use axum::body::Body;
use axum::response::Response;
use telemetry::otlp::json::decode_traces;

use super::{JaegerError, answer};
use crate::api::error::ApiError;
use crate::api::trace_search::Traces;

/// A longer body is not read.
const MAX_BODY_BYTES: usize = 16 << 20;

/// Turns an `ExportTraceServiceRequest` in OTLP/JSON into Jaeger's traces; nothing is stored.
#[utoipa::path(
    post, path = "/jaeger/api/transform", tag = "jaeger", operation_id = "jaeger_transform",
    request_body(content = Object, description = "OTLP/JSON, up to 16 MiB"),
    responses(
        (status = 200, description = "The traces", body = Object),
        (status = 400, description = "It is no OTLP/JSON", body = Object),
    )
)]
pub(crate) async fn transform(body: Body) -> Result<Response, JaegerError> {
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await;
    let too_long =
        |_| ApiError::Body(format!("the body is longer than {MAX_BODY_BYTES} bytes, or broke off"));
    let body = body.map_err(too_long)?;
    let decode = move || decode_traces(&body).map_err(|error| ApiError::Body(error.to_string()));
    let payload = tokio::task::spawn_blocking(decode).await.map_err(|_| ApiError::Internal)??;
    answer(Traces::of(payload)).await
}
