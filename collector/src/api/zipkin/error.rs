//! Errors as Zipkin's server has them: a status and a line of text.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::api::error::ApiError;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ZipkinError {
    /// As everywhere.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No such trace.
    #[error("there is no trace {0}")]
    NoTrace(String),
}

impl ZipkinError {
    pub(super) fn parameter(name: &'static str, message: impl Into<String>) -> Self {
        ApiError::parameter(name, message).into()
    }
}

impl IntoResponse for ZipkinError {
    fn into_response(self) -> Response {
        let text = self.to_string();
        let mut response = match self {
            Self::Api(error) => error.into_response(),
            Self::NoTrace(_) => StatusCode::NOT_FOUND.into_response(),
        };
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, plain);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = text.into();
        response
    }
}
