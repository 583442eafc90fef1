//! Errors in Jaeger's envelope. Their status is decided where all of them are, in `api/error.rs`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::Envelope;
use crate::api::error::ApiError;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JaegerError {
    /// As everywhere.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No such trace.
    #[error("trace not found")]
    NoTrace,
    /// What this collector does not do.
    #[error("{0}")]
    NotDone(&'static str),
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ErrorView {
    /// The HTTP status, or 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) code: u16,
    /// For people.
    pub(super) msg: String,
    /// Which trace is meant.
    #[serde(rename = "traceID", skip_serializing_if = "Option::is_none")]
    pub(super) trace_id: Option<String>,
}

impl JaegerError {
    pub(super) fn parameter(name: &'static str, message: impl Into<String>) -> Self {
        ApiError::parameter(name, message).into()
    }
}

impl IntoResponse for JaegerError {
    fn into_response(self) -> Response {
        let msg = self.to_string();
        let mut response = match self {
            Self::Api(error) => error.into_response(),
            Self::NoTrace => StatusCode::NOT_FOUND.into_response(),
            Self::NotDone(_) => StatusCode::NOT_IMPLEMENTED.into_response(),
        };
        let error = ErrorView { code: response.status().as_u16(), msg, trace_id: None };
        let body = Json(Envelope::<()>::failed(vec![error])).into_response();
        // The status and what else the error says in headers stay.
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().extend(body.headers().clone());
        *response.body_mut() = body.into_body();
        response
    }
}

fn is_zero(code: &u16) -> bool {
    *code == 0
}
