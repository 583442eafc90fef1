//! Rendering of answers that can be large.

use axum::response::{IntoResponse, Response};
use http::header;
use serde::Serialize;

use super::error::ApiError;

/// As JSON bytes.
pub(crate) fn render(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::with_capacity(16 << 10);
    serde_json::to_writer(&mut out, value).map_err(|error| {
        tracing::error!(%error, "cannot render an answer");
        ApiError::Internal
    })?;
    Ok(out)
}

/// Renders on a blocking thread.
pub(crate) async fn off_thread(
    render: impl FnOnce() -> Result<Vec<u8>, ApiError> + Send + 'static,
) -> Result<Response, ApiError> {
    let bytes = tokio::task::spawn_blocking(render).await.map_err(|_| ApiError::Internal)??;
    Ok(response(bytes))
}

/// Of what was rendered before.
pub(crate) fn response(json: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}
