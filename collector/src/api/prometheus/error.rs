//! Errors in Prometheus' envelope, and the one place that decides their status.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use promql::{ParseError, QueryError};
use receive::SinkError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::blocking::Lost;
use crate::api::error::{ApiError, Position};

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromError {
    /// A parameter.
    #[error("invalid parameter {name:?}: {message}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What is wrong, echoing the value.
        message: String,
    },
    /// The query's text.
    #[error("invalid parameter \"query\": {0}")]
    Parse(#[from] ParseError),
    /// The query cannot be computed, or costs too much.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// No place for it, or the store failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The store does not take what was to be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// As many deletes as may wait for a merge.
    #[error(
        "{} deletes wait to be carried out: wait for a merge, or ask for one with clean_tombstones",
        series::MAX_PENDING_DELETES
    )]
    TooManyDeletes,
    /// A bug; the log says more.
    #[error("the request failed inside the collector")]
    Internal,
}

/// The body of an error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PromErrorBody {
    /// `error`.
    status: &'static str,
    /// What kind, for programs.
    #[serde(rename = "errorType")]
    error_type: &'static str,
    /// For people.
    error: String,
    /// Which bytes of the query are meant; our own addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
}

impl From<Lost> for PromError {
    fn from(_: Lost) -> Self {
        Self::Internal
    }
}

impl PromError {
    pub(super) fn parameter(name: &'static str, message: impl Into<String>) -> Self {
        Self::Parameter { name, message: message.into() }
    }

    fn verdict(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Parameter { .. } | Self::Parse(_) => (StatusCode::BAD_REQUEST, "bad_data"),
            Self::Query(QueryError::Execution(_) | QueryError::TooLarge(_)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "execution")
            }
            Self::Query(QueryError::Timeout(_)) => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            Self::Query(QueryError::Cancelled) => (StatusCode::SERVICE_UNAVAILABLE, "canceled"),
            Self::Query(QueryError::Storage(_)) | Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
            Self::Api(ApiError::Busy { .. }) => (StatusCode::TOO_MANY_REQUESTS, "unavailable"),
            Self::Api(ApiError::Body(_) | ApiError::Parameter { .. }) => {
                (StatusCode::BAD_REQUEST, "bad_data")
            }
            Self::TooManyDeletes => (StatusCode::TOO_MANY_REQUESTS, "unavailable"),
            Self::Sink(SinkError::Throttled { .. }) => (StatusCode::TOO_MANY_REQUESTS, "unavailable"),
            Self::Sink(SinkError::TooLarge { .. } | SinkError::Refused { .. }) => {
                (StatusCode::BAD_REQUEST, "bad_data")
            }
            Self::Sink(SinkError::Unavailable { .. }) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Api(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }
}

impl IntoResponse for PromError {
    fn into_response(self) -> Response {
        let (status, error_type) = self.verdict();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self, "a PromQL request failed");
        }
        let position = match &self {
            Self::Parse(error) => Some(Position { start: error.span.start, end: error.span.end }),
            _ => None,
        };
        let body = PromErrorBody { status: "error", error_type, error: self.to_string(), position };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
