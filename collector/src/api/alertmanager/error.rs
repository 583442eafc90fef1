//! Errors as Alertmanager has them: a status and a JSON text.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::api::error::ApiError;
use crate::notify::NotifyError;
use alerting::silence::SilenceError;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AmError {
    /// As everywhere.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A parameter or the body.
    #[error("{0}")]
    Bad(String),
    /// Posts of others are being worked on.
    #[error("too many alerts are being posted at once: try again, or post fewer at a time")]
    Busy,
    /// No such silence.
    #[error("silence {0} not found")]
    NotFound(String),
    /// What is kept cannot be changed or read.
    #[error(transparent)]
    Notify(#[from] NotifyError),
}

impl From<SilenceError> for AmError {
    fn from(error: SilenceError) -> Self {
        NotifyError::Silence(error).into()
    }
}

impl AmError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Bad(_) | Self::Notify(NotifyError::Silence(SilenceError::Invalid(_))) => {
                StatusCode::BAD_REQUEST
            }
            Self::NotFound(_)
            | Self::Notify(NotifyError::Tenant(_) | NotifyError::Silence(SilenceError::NotFound(_))) => {
                StatusCode::NOT_FOUND
            }
            Self::Notify(NotifyError::TooMany) => StatusCode::TOO_MANY_REQUESTS,
            Self::Notify(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            // It decides itself.
            Self::Api(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for AmError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let cause = std::error::Error::source(&self).map(ToString::to_string).unwrap_or_default();
            tracing::error!(cause, "{self}");
        }
        let error = match self {
            Self::Api(error) => return error.into_response(),
            other => other,
        };
        let mut response = (status, Json(error.to_string())).into_response();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
