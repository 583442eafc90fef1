//! `admin/tsdb/delete_series`: an order to forget, written to the journal as samples are.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use promql::Matcher;
use receive::Sink;
use telemetry::samples::{Delete, Writer};
use telemetry::{Batch, Signal};

use super::error::PromErrorBody;
use super::form::Form;
use super::{PromError, blocking};
use crate::api::error::ApiError;
use crate::api::{App, now_ns};
use crate::auth::Principal;

/// Deletes samples of the series that selectors find: at once from every answer, from the disk with the next merge.
#[utoipa::path(
    post, path = "/api/v1/admin/tsdb/delete_series", tag = "prometheus",
    params(
        ("match[]" = Vec<String>, Query, description = "Selectors, at least one"),
        ("start" = Option<String>, Query, description = "RFC 3339 or Unix seconds; the beginning of time when not given"),
        ("end" = Option<String>, Query, description = "RFC 3339 or Unix seconds, inclusive; the end of time when not given"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A parameter is wrong", body = PromErrorBody),
        (status = 503, description = "The store takes nothing now", body = PromErrorBody),
    )
)]
pub(super) async fn delete_series(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    let (start_ms, end_ms) = form.range()?;
    if app.store.pending_deletes(&principal.tenant) >= series::MAX_PENDING_DELETES {
        return Err(PromError::TooManyDeletes);
    }
    let admitted = app.queries.admit().await?;
    let (payload, what) = blocking(admitted, move |_| {
        let sets = form.matches()?;
        if sets.is_empty() {
            return Err(PromError::parameter("match[]", "no match[] parameter provided"));
        }
        let mut writer = Writer::new();
        for set in &sets {
            writer.delete(&Delete { matchers: set.iter().map(texts).collect(), start_ms, end_ms });
        }
        let sets = sets.iter().map(|set| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
        let sets: Vec<String> = sets.map(|set| format!("{{{set}}}")).collect();
        Ok((writer.finish(), sets.join(" ")))
    })
    .await?;
    let batch = Batch {
        tenant: principal.tenant.clone(),
        signal: Signal::Samples,
        producer: None,
        received_at_ns: now_ns(),
        payload: Bytes::from(payload),
    };
    app.store.append(batch).await?;
    app.audit(&principal, "series.delete", &format!("series {what}")).await;
    app.store.wait_visible().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn texts(matcher: &Matcher) -> (String, telemetry::samples::MatchOp, String) {
    (matcher.name().to_owned(), matcher.op(), matcher.value().to_owned())
}

/// As by POST.
#[utoipa::path(
    put, path = "/api/v1/admin/tsdb/delete_series", tag = "prometheus",
    responses((status = 204, description = "Deleted"))
)]
pub(super) async fn delete_series_by_put(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
    form: Form,
) -> Result<Response, PromError> {
    delete_series(state, principal, form).await
}

/// Takes what was deleted from the disk now: seals and merges.
#[utoipa::path(
    post, path = "/api/v1/admin/tsdb/clean_tombstones", tag = "prometheus",
    responses((status = 204, description = "Done"), (status = 503, description = "The store failed"))
)]
pub(super) async fn clean_tombstones(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Result<Response, PromError> {
    // A task of its own: a client that goes away must not stop a merge half way.
    let store = Arc::clone(&app.store);
    let work = tokio::spawn(async move { store.barrier(true).await });
    work.await.map_err(|_| PromError::Internal)?.map_err(ApiError::from)?;
    app.audit(&principal, "series.clean", "series").await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// As by POST.
#[utoipa::path(
    put, path = "/api/v1/admin/tsdb/clean_tombstones", tag = "prometheus",
    responses((status = 204, description = "Done"), (status = 503, description = "The store failed"))
)]
pub(super) async fn clean_tombstones_by_put(
    state: State<Arc<App>>,
    principal: Extension<Principal>,
) -> Result<Response, PromError> {
    clean_tombstones(state, principal).await
}
