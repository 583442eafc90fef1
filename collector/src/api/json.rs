//! Rendering of answers that can be large, and reading of small bodies.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// A body of names and secrets.
const MAX_SMALL_BYTES: usize = 16 << 10;
/// From the request's head to the end of its body.
const SMALL_TIME: Duration = Duration::from_secs(10);

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

/// Reads a small body of the shape that the message shows. It may hold secrets: nothing of it is echoed.
pub(crate) async fn read_small<T: DeserializeOwned>(request: Request, shape: &str) -> Result<T, ApiError> {
    let refused =
        || ApiError::Body(format!("the body is longer than {MAX_SMALL_BYTES} bytes, or was cut off"));
    let read = tokio::time::timeout(SMALL_TIME, to_bytes(request.into_body(), MAX_SMALL_BYTES)).await;
    let body = read.map_err(|_| refused())?.map_err(|_| refused())?;
    // The library's own message could echo a password.
    serde_json::from_slice(&body).map_err(|_| ApiError::Body(format!("the body must be {shape} as JSON")))
}
