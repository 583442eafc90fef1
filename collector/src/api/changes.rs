//! What people and programs did: told here, and shown beside what it may have caused.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use receive::Sink;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alertmanager::alerts::sender;
use super::error::{ApiError, ErrorBody, QueryRefusals};
use super::params::Params;
use super::services::TimeParams;
use super::{App, Peer, json, now_ns, time};
use crate::auth::Principal;
use crate::verdicts::told::{self, Told};

const MAX_NAME_CHARS: usize = 200;
const MAX_KIND_CHARS: usize = 32;
const MAX_TEXT_CHARS: usize = 1_000;
/// How far ahead of this machine's clock a change may be.
const MAX_AHEAD_NS: i64 = 300 * 1_000_000_000;
const TOO_OLD: &str = "time: older than what is kept";
const SHAPE: &str = r#"{"time"?, "service" or "host", "kind": "deploy", "text": "catalog 2.30 to 2.31"}"#;

/// Routes that read.
pub(super) fn viewers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Routes that decide about access themselves: changes are let in as other data is.
pub(super) fn open() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(tell))
}

/// A change to be told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChange {
    /// When: RFC 3339 or Unix seconds; now when not given.
    #[serde(default)]
    time: Option<serde_json::Value>,
    /// What it was done to.
    #[serde(default)]
    service: Option<String>,
    /// The same, where it is no service.
    #[serde(default)]
    host: Option<String>,
    /// `deploy`, `config`, `flag`, `schema`, …: 1 to 32 of `a-z`, `0-9`, `_` and `-`.
    kind: String,
    /// What was done, 1 to 1000 characters.
    text: String,
}

/// Something that somebody did.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeView {
    at: String,
    service: Option<String>,
    host: Option<String>,
    kind: String,
    text: String,
    /// Who told it; `ingest` for a program that sends data.
    by: String,
}

/// Changes of a stretch of time.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangesAnswer {
    /// The oldest first; at most 500, the newest of the range.
    changes: Vec<ChangeView>,
}

impl From<Told> for ChangeView {
    fn from(told: Told) -> Self {
        let Told { at_ns, service, host, kind, text, by } = told;
        Self { at: time::format(at_ns), service, host, kind, text, by }
    }
}

/// Lists what was told.
#[utoipa::path(
    get, path = "/api/v1/narrows/changes", tag = "bottlenecks", operation_id = "changes",
    params(TimeParams),
    responses(
        (status = 200, description = "The changes", body = ChangesAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(when): Params<TimeParams>,
) -> Result<Json<ChangesAnswer>, ApiError> {
    let range = when.range()?;
    let admitted = app.queries.admit().await?;
    let snapshots = app.store.snapshots(&principal.tenant);
    let (range, bytes) = ((range.start_ns, range.end_ns), admitted.memory_bytes);
    let read = told::read(&snapshots, range, admitted.deadline, bytes);
    let found = super::logs::within(admitted.deadline, read).await?;
    Ok(Json(ChangesAnswer { changes: found.into_iter().map(ChangeView::from).collect() }))
}

/// Tells of a change; it is durable when this is answered.
#[utoipa::path(
    post, path = "/api/v1/narrows/changes", tag = "bottlenecks", operation_id = "tell_change",
    request_body = NewChange, security((), ("session" = []), ("basic" = []), ("bearer" = [])),
    responses(
        (status = 201, description = "Kept", body = ChangeView),
        (status = 400, description = "The body is no change", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 429, description = "The tenant sends too much", body = ErrorBody),
        (status = 503, description = "It cannot be made durable", body = ErrorBody),
    )
)]
pub(crate) async fn tell(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
) -> Result<Response, ApiError> {
    let (tenant, user) = sender(&app, request.headers(), peer).await?;
    let change: NewChange = json::read_small(request, SHAPE).await?;
    let now = now_ns();
    let told = change.told(user.unwrap_or_else(|| "ingest".to_owned()), now)?;
    match app.store.append(told.batch(tenant, now)).await?.accepted {
        0 => Err(ApiError::Body(TOO_OLD.to_owned())),
        _ => Ok((StatusCode::CREATED, Json(ChangeView::from(told))).into_response()),
    }
}

impl NewChange {
    fn told(self, by: String, now_ns: i64) -> Result<Told, ApiError> {
        let at_ns = match &self.time {
            None | Some(serde_json::Value::Null) => now_ns,
            Some(serde_json::Value::String(text)) => {
                time::parse(text).map_err(|message| ApiError::Body(format!("time: {message}")))?
            }
            Some(number) => time::parse(&number.to_string())
                .map_err(|message| ApiError::Body(format!("time: {message}")))?,
        };
        // Of a log record a time of 0 means that it has none.
        if at_ns <= 0 {
            return Err(ApiError::Body(TOO_OLD.to_owned()));
        }
        if at_ns > now_ns + MAX_AHEAD_NS {
            return Err(ApiError::Body(
                "time: more than 5 minutes ahead; tell it when it has happened".to_owned(),
            ));
        }
        let is_kind = (1..=MAX_KIND_CHARS).contains(&self.kind.len())
            && self
                .kind
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
        if !is_kind {
            return Err(ApiError::Body(format!(
                "kind: 1 to {MAX_KIND_CHARS} of a-z, 0-9, _ and -, as deploy, config, flag, schema"
            )));
        }
        check("text", &self.text, MAX_TEXT_CHARS)?;
        match (&self.service, &self.host) {
            (Some(name), None) => check("service", name, MAX_NAME_CHARS)?,
            (None, Some(name)) => check("host", name, MAX_NAME_CHARS)?,
            _ => {
                return Err(ApiError::Body(
                    "name either the service or the host that was changed".to_owned(),
                ));
            }
        }
        let Self { service, host, kind, text, .. } = self;
        Ok(Told { at_ns, service, host, kind, text, by })
    }
}

fn check(name: &str, text: &str, most: usize) -> Result<(), ApiError> {
    let is_text = (1..=most).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() && c != '\n');
    if is_text {
        return Ok(());
    }
    Err(ApiError::Body(format!(
        "{name}: 1 to {most} characters without control characters or spaces at its ends"
    )))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_what_when_and_to_whom() {
        let read = |json: &str| {
            let change: NewChange = serde_json::from_str(json).map_err(|error| error.to_string())?;
            change.told("ci".to_owned(), 1_000_000_000_000).map_err(|error| error.to_string())
        };
        let told = read(r#"{"service":"catalog","kind":"deploy","text":"1 → 2"}"#).unwrap();
        assert_eq!(
            (told.at_ns, told.service.as_deref(), told.by.as_str()),
            (1_000_000_000_000, Some("catalog"), "ci")
        );
        for (time, at_s) in [("\"990\"", 990), ("990", 990), ("\"1970-01-01T00:16:30Z\"", 990)] {
            let told = read(&format!(r#"{{"time":{time},"host":"a","kind":"flag","text":"x"}}"#)).unwrap();
            assert_eq!(told.at_ns, at_s * 1_000_000_000, "{time}");
        }
        let bad = [
            (r#"{"service":"a","host":"b","kind":"deploy","text":"x"}"#, "either the service or the host"),
            (r#"{"kind":"deploy","text":"x"}"#, "either the service or the host"),
            (r#"{"service":"a","kind":"Deploy","text":"x"}"#, "kind"),
            (r#"{"service":"a","kind":"deploy","text":" x"}"#, "text"),
            (r#"{"service":"","kind":"deploy","text":"x"}"#, "service"),
            (r#"{"service":"a","kind":"deploy","text":"x","time":"2030-01-01T00:00:00Z"}"#, "ahead"),
            (r#"{"service":"a","kind":"deploy","text":"x","time":"soon"}"#, "time"),
            (r#"{"service":"a","kind":"deploy","text":"x","time":0}"#, "older"),
            (r#"{"service":"a","kind":"deploy","text":"x","time":"-1"}"#, "older"),
            (r#"{"service":"a","kind":"deploy","text":"x","time":"1969-12-31T23:59:59Z"}"#, "older"),
            (r#"{"service":"a","kind":"deploy","text":"x","who":"me"}"#, "unknown field"),
        ];
        for (json, expected) in bad {
            let error = read(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
