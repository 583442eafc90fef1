//! Verdicts: where the bottleneck is, was, or would be said to be if somebody asks.

mod analyze;
mod charts;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::{Extension, Json};
use bottleneck::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::params::{Params, given, read_count, short};
use super::{App, json, now_ns, time};
use crate::auth::Principal;
use crate::verdicts::{Feedback, Kept, Watch, Which};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;
const MAX_ACTUAL_CHARS: usize = 1_000;
const NS: i64 = 1_000_000_000;

/// Routes that read.
pub(super) fn viewers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(analyze::analyze))
        .routes(routes!(charts::evidence))
        .routes(routes!(charts::symptom))
}

/// Routes that change what the people of a tenant share.
pub(super) fn editors() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(feedback))
}

/// Which verdicts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// `open` (default), `closed`, `not_localised`, or `all`.
    state: Option<String>,
    /// Only those that were looked at since: RFC 3339 or Unix seconds.
    since: Option<String>,
    /// 1 to 500, 50 when not given.
    limit: Option<String>,
}

/// Which revision.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RevParams {
    /// Its number; the newest when not given.
    rev: Option<String>,
}

/// Which verdict.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct VerdictPath {
    /// The verdict's `id`.
    id: String,
}

/// A verdict and its life; times are Unix seconds.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoredView {
    /// Sorts by time.
    id: String,
    /// Grows with each revision, from 1.
    rev: u32,
    opened_s: i64,
    updated_s: i64,
    /// Null while its symptoms go on.
    closed_s: Option<i64>,
    /// What the analysis says: docs/bottlenecks.md.
    #[schema(value_type = Object)]
    verdict: Verdict,
    feedback: Option<FeedbackView>,
    /// Fingerprints of alerts that told of it.
    alerts: Vec<String>,
    /// The verdict that its symptoms belong to now, if they turned out to have the same cause.
    merged_into: Option<String>,
}

/// What somebody says about a verdict.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeedbackView {
    /// `correct` or `wrong`.
    answer: String,
    actual: Option<String>,
    by: String,
    at_s: i64,
}

/// Verdicts.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListAnswer {
    /// The newest first.
    verdicts: Vec<StoredView>,
    /// Whether somebody looks for symptoms: `on`, `late` (the last look is too long ago, or failed), `off`
    /// (`verdicts.enabled` is false). No verdict means that nothing is wrong where it is `on` alone.
    watch: WatchView,
    /// When the last look was that saw everything, Unix seconds; null before the first.
    looked_at_s: Option<i64>,
}

/// Whether somebody looks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WatchView {
    On,
    Late,
    Off,
}

impl From<Watch> for WatchView {
    fn from(watch: Watch) -> Self {
        match watch {
            Watch::On => Self::On,
            Watch::Late => Self::Late,
            Watch::Off => Self::Off,
        }
    }
}

/// One verdict.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneAnswer {
    #[serde(flatten)]
    stored: StoredView,
    /// Those that can be read by `rev`, the oldest first.
    revisions: Vec<RevisionView>,
}

/// A revision.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevisionView {
    rev: u32,
    at_s: i64,
    headline: String,
}

/// What somebody says about a verdict.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFeedback {
    /// `correct` or `wrong`.
    answer: String,
    /// What it really was, up to 1000 characters.
    #[serde(default)]
    actual: Option<String>,
}

impl From<Kept> for StoredView {
    fn from(kept: Kept) -> Self {
        let feedback = kept.feedback.map(|Feedback { answer, actual, by, at_s }| FeedbackView {
            answer,
            actual,
            by,
            at_s,
        });
        Self {
            id: kept.id,
            rev: kept.rev,
            opened_s: kept.opened_s,
            updated_s: kept.updated_s,
            closed_s: kept.closed_s,
            verdict: kept.verdict,
            feedback,
            alerts: kept.alerts,
            merged_into: kept.merged_into,
        }
    }
}

/// Lists verdicts.
#[utoipa::path(
    get, path = "/api/v1/narrows/bottlenecks", tag = "bottlenecks", operation_id = "bottlenecks",
    params(ListParams),
    responses(
        (status = 200, description = "The verdicts", body = ListAnswer),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(params): Params<ListParams>,
) -> Result<Json<ListAnswer>, ApiError> {
    let which = match given(params.state.as_deref()) {
        None | Some("open") => Which::Open,
        Some("closed") => Which::Closed,
        Some("not_localised") => Which::NotLocalised,
        Some("all") => Which::All,
        Some(other) => {
            let message = format!("{:?} is no state: open, closed, not_localised or all", short(other));
            return Err(ApiError::parameter("state", message));
        }
    };
    let since = given(params.since.as_deref()).map(time::parse).transpose();
    let since = since.map_err(|message| ApiError::parameter("since", message))?;
    let limit = read_count("limit", params.limit.as_deref(), DEFAULT_LIMIT, MAX_LIMIT)?;
    let since_s = since.map_or(i64::MIN, |ns| ns.div_euclid(NS));
    let found = app.verdicts.list(&principal.tenant, which, since_s, limit).await?;
    let (watch, looked_at_s) = app.verdicts.watch(&principal.tenant, now_ns().div_euclid(NS));
    let verdicts = found.into_iter().map(StoredView::from).collect();
    Ok(Json(ListAnswer { verdicts, watch: watch.into(), looked_at_s }))
}

/// Tells one verdict, as it is or as one of its revisions was.
#[utoipa::path(
    get, path = "/api/v1/narrows/bottlenecks/{id}", tag = "bottlenecks", operation_id = "bottleneck",
    params(VerdictPath, RevParams),
    responses(
        (status = 200, description = "The verdict", body = OneAnswer),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 404, description = "No such verdict or revision", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(VerdictPath { id }): Path<VerdictPath>,
    Params(params): Params<RevParams>,
) -> Result<Json<OneAnswer>, ApiError> {
    let kept = find_revision(&app, &principal, &id, &params).await?;
    let revision = |one: &crate::verdicts::Revision| RevisionView {
        rev: one.rev,
        at_s: one.at_s,
        headline: one.headline.clone(),
    };
    let revisions = kept.revisions.iter().map(revision).collect();
    Ok(Json(OneAnswer { stored: kept.into(), revisions }))
}

/// Keeps what somebody says about a verdict; a later answer replaces an earlier one.
#[utoipa::path(
    post, path = "/api/v1/narrows/bottlenecks/{id}/feedback", tag = "bottlenecks",
    operation_id = "bottleneck_feedback", params(VerdictPath), request_body = NewFeedback,
    responses(
        (status = 200, description = "The verdict", body = StoredView),
        (status = 400, description = "The body is no feedback", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such verdict", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn feedback(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(VerdictPath { id }): Path<VerdictPath>,
    request: Request,
) -> Result<Json<StoredView>, ApiError> {
    let new: NewFeedback =
        json::read_small(request, r#"{"answer":"correct" or "wrong","actual":"what it was"?}"#).await?;
    if !matches!(new.answer.as_str(), "correct" | "wrong") {
        return Err(ApiError::Body(format!("answer: {:?} is neither correct nor wrong", short(&new.answer))));
    }
    if new.actual.as_ref().is_some_and(|text| text.chars().count() > MAX_ACTUAL_CHARS) {
        return Err(ApiError::Body(format!("actual: longer than {MAX_ACTUAL_CHARS} characters")));
    }
    let feedback = Feedback {
        answer: new.answer,
        actual: new.actual.filter(|text| !text.trim().is_empty()),
        by: principal.user.clone(),
        at_s: now_ns().div_euclid(NS),
    };
    check_id(&id)?;
    let kept = app.verdicts.answer(&principal.tenant, &id, feedback).await?.ok_or_else(|| none(&id))?;
    app.audit(&principal, "verdict.feedback", &format!("verdict/{id}")).await;
    Ok(Json(kept.into()))
}

async fn find(app: &App, principal: &Principal, id: &str) -> Result<Kept, ApiError> {
    check_id(id)?;
    app.verdicts.get(&principal.tenant, id).await?.ok_or_else(|| none(id))
}

/// As it is, or as one of its revisions was.
async fn find_revision(
    app: &App,
    principal: &Principal,
    id: &str,
    params: &RevParams,
) -> Result<Kept, ApiError> {
    let mut kept = find(app, principal, id).await?;
    if let Some(rev) = given(params.rev.as_deref()) {
        let gone = || ApiError::NoVerdict(format!("revision {} of the verdict {id}", short(rev)));
        let number: u32 = rev.parse().map_err(|_| gone())?;
        let known = kept.revisions.iter().find(|one| one.rev == number).ok_or_else(gone)?;
        (kept.rev, kept.updated_s) = (number, known.at_s);
        kept.verdict = app.verdicts.revision(&principal.tenant, id, number).await?.ok_or_else(gone)?;
    }
    Ok(kept)
}

/// What is no id of ours names no verdict; it must not become part of a key.
fn check_id(id: &str) -> Result<(), ApiError> {
    let is_id = id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_id { Ok(()) } else { Err(none(id)) }
}

fn none(id: &str) -> ApiError {
    ApiError::NoVerdict(format!("verdict {}", short(id)))
}
