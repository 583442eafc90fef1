//! Silences: made, changed, ended and listed.

use std::sync::Arc;

use alerting::matcher::Matcher;
use alerting::silence::{Silence, State as SilenceState};
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::AmError;
use super::filter::{flag, matchers};
use super::wire::{self, GettableSilence, PostableSilence};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::pairs::Pairs;
use crate::api::{App, now_ns};
use crate::auth::Principal;

const MAX_BODY_BYTES: usize = 256 << 10;

/// Which silence holds now.
#[derive(Serialize, ToSchema)]
#[schema(as = AmSilencePut)]
pub(crate) struct Put {
    /// Its id; another one than was sent, where the silence could not be changed.
    #[serde(rename = "silenceID")]
    silence_id: String,
}

/// Silences: active ones by their end, then pending ones by their start, then ended ones, newest first.
#[utoipa::path(
    get, path = "/alertmanager/api/v2/silences", tag = "alertmanager", operation_id = "am_silences",
    params(
        ("filter" = Option<Vec<String>>, Query, description = "A matcher that the silence has; may be repeated"),
        ("active" = Option<bool>, Query, description = "With active ones; true when not given"),
        ("expired" = Option<bool>, Query, description = "With ended ones"),
        ("pending" = Option<bool>, Query, description = "With those that begin later"),
    ),
    responses(
        (status = 200, description = "Silences", body = Vec<GettableSilence>),
        (status = 400, description = "A parameter is wrong", body = String),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<Vec<GettableSilence>>, AmError> {
    let wanted: Vec<Matcher> = matchers(&pairs, "filter")?;
    let (active, pending, expired) =
        (flag(&pairs, "active")?, flag(&pairs, "pending")?, flag(&pairs, "expired")?);
    let now_ms = now_ns() / 1_000_000;
    let is_wanted = |silence: &&Silence| {
        let of_state = match silence.state_at(now_ms) {
            SilenceState::Active => active,
            SilenceState::Pending => pending,
            SilenceState::Expired => expired,
        };
        of_state && wanted.iter().all(|matcher| silence.matchers.contains(matcher))
    };
    let collect =
        |core: &alerting::dispatch::Core| core.state().silences.all().filter(is_wanted).cloned().collect();
    let mut silences: Vec<Silence> = app.notifier.with(&principal.tenant, collect)?;
    silences.sort_by_key(|silence| {
        let state = silence.state_at(now_ms);
        let time = match state {
            SilenceState::Active => silence.ends_at_ms,
            SilenceState::Pending => silence.starts_at_ms,
            SilenceState::Expired => silence.ends_at_ms.saturating_neg(),
        };
        (state, time)
    });
    Ok(Json(silences.iter().map(|silence| wire::silence(silence, now_ms)).collect()))
}

/// One silence.
#[utoipa::path(
    get, path = "/alertmanager/api/v2/silence/{id}", tag = "alertmanager", operation_id = "am_silence",
    params(("id" = String, Path, description = "Its UUID")),
    responses(
        (status = 200, description = "The silence", body = GettableSilence),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 404, description = "There is none", body = String),
    )
)]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Json<GettableSilence>, AmError> {
    let now_ms = now_ns() / 1_000_000;
    let find = |core: &alerting::dispatch::Core| {
        core.state().silences.get(&id).map(|silence| wire::silence(silence, now_ms))
    };
    let found = app.notifier.with(&principal.tenant, find)?;
    found.map(Json).ok_or_else(|| AmError::NotFound(id.chars().take(64).collect()))
}

/// Makes a silence, or changes the one of its id. Durable when this is answered.
#[utoipa::path(
    post, path = "/alertmanager/api/v2/silences", tag = "alertmanager", operation_id = "am_put_silence",
    request_body = PostableSilence,
    responses(
        (status = 200, description = "It holds", body = Put),
        (status = 400, description = "It is no silence", body = String),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "There is none of this id", body = String),
        (status = 503, description = "It cannot be made durable", body = String),
    )
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Json<Put>, AmError> {
    let too_large = |_| AmError::Bad(format!("the body is larger than {MAX_BODY_BYTES} bytes"));
    let body = to_bytes(request.into_body(), MAX_BODY_BYTES).await.map_err(too_large)?;
    let posted: PostableSilence = serde_json::from_slice(&body)
        .map_err(|error| AmError::Bad(format!("the body is not a silence: {error}")))?;
    let (user, now_ms) = (principal.user.clone(), now_ns() / 1_000_000);
    // Regular expressions take their time to compile.
    let draft = tokio::task::spawn_blocking(move || posted.draft(&user, now_ms));
    let draft = draft.await.map_err(|_| ApiError::Internal)??;
    let silence_id = app.notifier.silence(&principal.tenant, draft).await?;
    app.audit(&principal, "silence.put", &format!("silence/{silence_id}")).await;
    Ok(Json(Put { silence_id }))
}

/// Ends a silence. Durable when this is answered.
#[utoipa::path(
    delete, path = "/alertmanager/api/v2/silence/{id}", tag = "alertmanager", operation_id = "am_end_silence",
    params(("id" = String, Path, description = "Its UUID")),
    responses(
        (status = 200, description = "It has ended"),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "There is none", body = String),
        (status = 503, description = "It cannot be made durable", body = String),
    )
)]
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<StatusCode, AmError> {
    app.notifier.end_silence(&principal.tenant, &id).await?;
    app.audit(&principal, "silence.end", &format!("silence/{id}")).await;
    Ok(StatusCode::OK)
}
