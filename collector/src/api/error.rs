//! Every error of the collector's own API, and the one place that decides its
//! status, code and words: `{"error":{"code","message","hint"?,"position"?}}`.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use events::SearchError;
use http::{HeaderValue, StatusCode, header};
use receive::Denied;
use search::{AggregateError, ParseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::AuthError;
use crate::commit::CommitError;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Nobody is known, or known but not allowed.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A web page elsewhere, or another `Host`.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A parameter that cannot be read.
    #[error("parameter {name}: {message}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What is wrong, echoing the value.
        message: String,
        /// What to write.
        hint: Option<&'static str>,
    },
    /// The query's text.
    #[error(transparent)]
    Query(#[from] ParseError),
    /// The request's body or query string as a whole.
    #[error("{0}")]
    Body(String),
    /// More queries than run and wait.
    #[error("{running} queries run and {waiting} wait: no more are taken")]
    Busy {
        /// At once.
        running: usize,
        /// For their turn.
        waiting: usize,
    },
    /// The query failed.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] CommitError),
    /// It is stopping.
    #[error("the collector is stopping")]
    Stopping,
    /// No such path.
    #[error("nothing is served under {0}")]
    NotFound(String),
    /// Another method is meant.
    #[error("the method {0} is not allowed here")]
    Method(String),
    /// A bug; the log says more.
    #[error("the request failed inside the collector")]
    Internal,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorText,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorText {
    /// For programs: stays the same.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Which characters of the query are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// A range of characters of a query; empty where something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Position {
    /// The first.
    pub start: usize,
    /// Behind the last.
    pub end: usize,
}

impl From<&ParseError> for Position {
    fn from(error: &ParseError) -> Self {
        Self { start: error.span.start, end: error.span.end }
    }
}

impl ApiError {
    /// A parameter that cannot be read.
    pub(super) fn parameter(name: &'static str, message: impl Into<String>) -> Self {
        Self::Parameter { name, message: message.into(), hint: None }
    }

    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Auth(AuthError::Missing) | Self::Denied(Denied::Unauthenticated { .. }) => {
                (StatusCode::UNAUTHORIZED, "unauthenticated")
            }
            Self::Auth(AuthError::Bad(_)) => (StatusCode::UNAUTHORIZED, "bad_credentials"),
            Self::Auth(AuthError::TooMany { .. }) => (StatusCode::TOO_MANY_REQUESTS, "too_many_failures"),
            Self::Auth(AuthError::Busy) | Self::Busy { .. } => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::Auth(AuthError::Forbidden(_)) | Self::Denied(Denied::Forbidden { .. }) => {
                (StatusCode::FORBIDDEN, "forbidden")
            }
            Self::Auth(AuthError::Meta(_) | AuthError::File { .. } | AuthError::Crypto(_))
            | Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_failed"),
            Self::Parameter { .. } => (StatusCode::BAD_REQUEST, "bad_parameter"),
            Self::Query(_) => (StatusCode::BAD_REQUEST, "bad_query"),
            Self::Body(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Search(SearchError::Timeout) => (StatusCode::SERVICE_UNAVAILABLE, "query_timeout"),
            Self::Search(
                SearchError::TooLarge { .. }
                | SearchError::Aggregate(
                    AggregateError::TooManyGroups { .. } | AggregateError::TooLarge { .. },
                ),
            ) => (StatusCode::UNPROCESSABLE_ENTITY, "query_too_large"),
            Self::Search(SearchError::NotHere(_)) => (StatusCode::BAD_REQUEST, "bad_query"),
            Self::Search(_) | Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Auth(AuthError::Missing) => {
                "log in at POST /api/v1/narrows/session, or send HTTP Basic or a Bearer token"
            }
            Self::Query(error) => return error.hint.clone(),
            Self::Parameter { hint, .. } => (*hint)?,
            Self::Auth(AuthError::Busy) | Self::Busy { .. } => "wait a moment and try again",
            Self::Search(
                SearchError::TooLarge { .. }
                | SearchError::Aggregate(
                    AggregateError::TooManyGroups { .. } | AggregateError::TooLarge { .. },
                ),
            ) => "a filter, a shorter time range or a wider bin() leaves less to hold",
            Self::NotFound(_) => "GET /api/v1/narrows/openapi.json lists what there is",
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Auth(AuthError::TooMany { retry_after, .. }) => Some(*retry_after),
            Self::Auth(AuthError::Busy) | Self::Busy { .. } => Some(Duration::from_secs(1)),
            Self::Stopping | Self::Store(_) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// A cause that the client is not told is logged here, once.
    fn log(&self, code: &'static str) {
        let mut causes = Vec::new();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        tracing::error!(code, causes = causes.join(": "), "{self}");
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        if status == StatusCode::INTERNAL_SERVER_ERROR || code == "store_failed" {
            self.log(code);
        }
        let position = match &self {
            Self::Query(error) => Some(Position::from(error)),
            _ => None,
        };
        let error = ErrorText { code, message: self.to_string(), hint: self.hint(), position };
        let mut response = (status, Json(ErrorBody { error })).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // Not Basic: browsers would open a dialog of their own over the login page.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after() {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn answer(error: ApiError) -> (StatusCode, serde_json::Value) {
        let (parts, body) = error.into_response().into_parts();
        (parts.status, serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap())
    }

    #[tokio::test]
    async fn a_query_that_grows_too_large_is_the_asker_s_to_change() {
        let errors = [
            SearchError::TooLarge { what: "records", cap_bytes: 7 },
            AggregateError::TooManyGroups { limit: 7 }.into(),
            AggregateError::TooLarge { limit_bytes: 7 }.into(),
        ];
        for error in errors {
            let (status, body) = answer(error.into()).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
            assert_eq!(body["error"]["code"], "query_too_large");
            assert!(body["error"]["message"].as_str().unwrap().contains("more than 7"), "{body}");
            assert!(body["error"]["hint"].is_string(), "{body}");
        }
        let (status, body) = answer(SearchError::from(AggregateError::Mismatch).into()).await;
        assert_eq!(
            (status, &body["error"]["hint"]),
            (StatusCode::INTERNAL_SERVER_ERROR, &serde_json::Value::Null)
        );
    }
}
