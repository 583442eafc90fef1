//! Every error of the collector's own API, and the one place that decides its
//! status, code and words: `{"error":{"code","message","hint"?,"position"?}}`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use events::SearchError;
use http::{HeaderValue, StatusCode, header};
use meta::MetaError;
use promql::QueryError;
use receive::{Denied, SinkError};
use search::{AggregateError, ParseError};
use serde::Serialize;
use utoipa::openapi::{self, ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::blocking::Lost;
use crate::auth::{AccountError, AuthError};
use crate::commit::CommitError;
use crate::verdicts::KeptError;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Nobody is known, or known but not allowed.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A user, token or session that is not changed.
    #[error(transparent)]
    Account(AccountError),
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
    /// No such record.
    #[error("there is no record {id}{}", if *unread { ", as far as can be read" } else { "" })]
    NoRecord {
        /// Its id.
        id: String,
        /// A sealed file that may hold it cannot be read.
        unread: bool,
    },
    /// No such trace.
    #[error("there is no trace {0}")]
    NoTrace(String),
    /// No such span in a trace.
    #[error("there is no span {id} in the trace{}", if *unread { ", as far as can be read" } else { "" })]
    NoSpan {
        /// Its id.
        id: String,
        /// A sealed file that may hold it cannot be read.
        unread: bool,
    },
    /// No such saved view.
    #[error("there is no view {0}")]
    NoView(String),
    /// Something of this name is there already.
    #[error("a view named {0:?} is there already")]
    Exists(String),
    /// Somebody else has changed it meanwhile.
    #[error("the view {0} has another revision by now")]
    Conflict(String),
    /// As many views as there may be.
    #[error("there are {0} views already: no more are kept")]
    TooManyViews(usize),
    /// No such alert.
    #[error("there is no alert {0}")]
    NoAlert(String),
    /// No such verdict, or nothing of it that was asked for.
    #[error("there is no {0}")]
    NoVerdict(String),
    /// A verdict cannot be read or kept.
    #[error("the verdicts cannot be read or kept")]
    Verdicts(#[from] KeptError),
    /// What came in is not taken now.
    #[error(transparent)]
    Intake(#[from] SinkError),
    /// No such receiver.
    #[error("there is no receiver {0}")]
    NoReceiver(String),
    /// No such dashboard.
    #[error("there is no dashboard {0}")]
    NoDashboard(String),
    /// Somebody else has changed it meanwhile.
    #[error("the dashboard {0} has another revision by now")]
    DashboardConflict(String),
    /// As many dashboards as there may be.
    #[error("there are {0} dashboards already: no more are kept")]
    TooManyDashboards(usize),
    /// A plain request to the WebSocket.
    #[error("this is a WebSocket")]
    NoWebSocket,
    /// As many as there may be of something that lasts.
    #[error("{most} {what} are open: no more are taken")]
    TooManyOpen {
        /// What.
        what: &'static str,
        /// The most of them.
        most: usize,
    },
    /// The document store failed.
    #[error("the document store failed")]
    Meta(#[from] MetaError),
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
    /// Stored series cannot be read, or not in time.
    #[error(transparent)]
    Series(#[from] QueryError),
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

/// How a query may be refused, as the description of every route that runs one tells it.
pub(crate) struct QueryRefusals;

impl IntoResponses for QueryRefusals {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let all = [
            ("400", "A parameter or the query is wrong"),
            ("401", "Nobody"),
            ("403", "Not allowed"),
            ("422", "The query needs more memory than one may"),
            ("429", "Too many queries run and wait"),
            ("503", "The query took too long"),
        ];
        let body = || ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
        let response = |(status, description): (&str, &str)| {
            let response = ResponseBuilder::new().description(description);
            (status.to_owned(), response.content("application/json", body()).build().into())
        };
        all.into_iter().map(response).collect()
    }
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

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Auth(error) => Self::Auth(error),
            error => Self::Account(error),
        }
    }
}

fn of_account(error: &AccountError) -> (StatusCode, &'static str) {
    match error {
        AccountError::Invalid(_) => (StatusCode::BAD_REQUEST, "bad_request"),
        AccountError::Unknown { .. } => (StatusCode::NOT_FOUND, "not_found"),
        AccountError::Exists(_) => (StatusCode::CONFLICT, "exists"),
        AccountError::LastAdmin(_) => (StatusCode::CONFLICT, "last_admin"),
        AccountError::Fixed(_) => (StatusCode::CONFLICT, "fixed"),
        AccountError::TooMany { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "too_many"),
        // Made an error of its own before it comes here.
        AccountError::Auth(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_failed"),
    }
}

impl From<Lost> for ApiError {
    fn from(_: Lost) -> Self {
        Self::Internal
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
            Self::Auth(AuthError::Bad(_) | AuthError::WrongPassword { .. }) => {
                (StatusCode::UNAUTHORIZED, "bad_credentials")
            }
            Self::Account(error) => of_account(error),
            Self::Auth(AuthError::TooMany { .. }) => (StatusCode::TOO_MANY_REQUESTS, "too_many_failures"),
            Self::Auth(AuthError::Busy) | Self::Busy { .. } | Self::TooManyOpen { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "busy")
            }
            Self::Auth(AuthError::Forbidden(_)) | Self::Denied(Denied::Forbidden { .. }) => {
                (StatusCode::FORBIDDEN, "forbidden")
            }
            Self::Auth(
                AuthError::Meta(_)
                | AuthError::File { .. }
                | AuthError::Document { .. }
                | AuthError::Crypto(_),
            )
            | Self::Store(_)
            | Self::Verdicts(_)
            | Self::Meta(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_failed"),
            Self::Intake(SinkError::Throttled { .. }) => (StatusCode::TOO_MANY_REQUESTS, "throttled"),
            Self::Intake(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Parameter { .. } => (StatusCode::BAD_REQUEST, "bad_parameter"),
            Self::Query(_) => (StatusCode::BAD_REQUEST, "bad_query"),
            Self::Body(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Search(SearchError::Timeout) | Self::Series(QueryError::Timeout(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, "query_timeout")
            }
            Self::Search(
                SearchError::TooLarge { .. }
                | SearchError::Aggregate(
                    AggregateError::TooManyGroups { .. } | AggregateError::TooLarge { .. },
                ),
            )
            | Self::Series(QueryError::TooLarge(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "query_too_large"),
            Self::Search(_) | Self::Series(_) | Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            Self::NotFound(_)
            | Self::NoRecord { .. }
            | Self::NoTrace(_)
            | Self::NoSpan { .. }
            | Self::NoView(_)
            | Self::NoAlert(_)
            | Self::NoVerdict(_)
            | Self::NoReceiver(_)
            | Self::NoDashboard(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Exists(_) => (StatusCode::CONFLICT, "exists"),
            Self::Conflict(_) | Self::DashboardConflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::TooManyViews(_) => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_views"),
            Self::TooManyDashboards(_) => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_dashboards"),
            Self::NoWebSocket => (StatusCode::UPGRADE_REQUIRED, "upgrade_required"),
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
            Self::TooManyOpen { .. } => "close one, or wait until one has ended",
            Self::NoRecord { .. } => {
                "records leave when their retention ends; ids come from `id` of an answer"
            }
            Self::NoAlert(_) => {
                "alerts are known for 5 days after their end; /api/v1/narrows/alerts lists them"
            }
            Self::NoVerdict(_) => {
                "/api/v1/narrows/bottlenecks?state=all lists verdicts; old ones and old revisions are not kept"
            }
            Self::NoTrace(_) => {
                "traces leave when their retention ends; one that has just been sent is there within a second"
            }
            Self::Account(AccountError::LastAdmin(_)) => "give another user the role admin for \"*\" first",
            Self::Account(AccountError::Exists(_)) => "choose another name, or change the user that is there",
            Self::Account(AccountError::TooMany { .. }) => "remove those that nobody needs",
            Self::Exists(_) => "choose another name, or change the view that is there",
            Self::Conflict(_) => "read the views again, and send the revision that you see there",
            Self::DashboardConflict(_) => {
                "read the dashboard again, and send the revision that you see there"
            }
            Self::TooManyDashboards(_) => "delete dashboards that nobody needs",
            Self::TooManyViews(_) => "delete views that nobody needs",
            Self::NoWebSocket => "connect with ws://, as `narrows-collector tail` does",
            Self::Search(
                SearchError::TooLarge { .. }
                | SearchError::Aggregate(
                    AggregateError::TooManyGroups { .. } | AggregateError::TooLarge { .. },
                ),
            ) => "a filter, a shorter time range or a wider bin() leaves less to hold",
            Self::Series(QueryError::TooLarge(_)) => "a shorter time range reads less",
            Self::NotFound(_) => "GET /api/v1/narrows/openapi.json lists what there is",
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Auth(AuthError::TooMany { retry_after, .. }) => Some(*retry_after),
            Self::Auth(AuthError::Busy) | Self::Busy { .. } => Some(Duration::from_secs(1)),
            Self::TooManyOpen { .. } => Some(Duration::from_secs(10)),
            Self::Intake(
                SinkError::Throttled { retry_after, .. } | SinkError::Unavailable { retry_after, .. },
            ) => Some(*retry_after),
            Self::Stopping | Self::Store(_) | Self::Meta(_) => Some(Duration::from_secs(5)),
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

impl ApiError {
    /// What a client is told of it; what is not its own fault is logged as well.
    pub(super) fn body(&self) -> ErrorBody {
        let (status, code) = self.status();
        if status == StatusCode::INTERNAL_SERVER_ERROR || code == "store_failed" {
            self.log(code);
        }
        let position = match self {
            Self::Query(error) => Some(Position::from(error)),
            _ => None,
        };
        ErrorBody { error: ErrorText { code, message: self.to_string(), hint: self.hint(), position } }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, _) = self.status();
        let mut response = (status, Json(self.body())).into_response();
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
