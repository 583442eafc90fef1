//! Alerts for people: those that rules here have pending, those that fire, whoever raised them, and those that ended
//! lately, each with what becomes of it.

mod history;
mod view;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::{App, blocking, now_ns};
use crate::auth::Principal;
use history::Stretch;
use view::AlertView;

/// All alerts that are known.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertList {
    /// Those that fire, then pending ones, then those that ended; each by start, newest first.
    alerts: Vec<AlertView>,
}

/// An alert and when it was there.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertWithHistory {
    #[serde(flatten)]
    alert: AlertView,
    /// As its rule has written it; empty for alerts that came from elsewhere. Oldest first.
    history: Vec<Stretch>,
}

/// Lists alerts that are pending, fire or ended within 5 days.
#[utoipa::path(
    get, path = "/api/v1/narrows/alerts", tag = "alerts", operation_id = "alerts",
    responses(
        (status = 200, description = "Alerts", body = AlertList),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<AlertList>, ApiError> {
    let now_ms = now_ns() / 1_000_000;
    Ok(Json(AlertList { alerts: view::all(&app, &principal.tenant, now_ms)? }))
}

/// One alert, and when it was there within 5 days.
#[utoipa::path(
    get, path = "/api/v1/narrows/alerts/{fingerprint}", tag = "alerts", operation_id = "alert",
    params(("fingerprint" = String, Path, description = "16 hexadecimal digits")),
    responses(
        (status = 200, description = "The alert", body = AlertWithHistory),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 404, description = "Nobody knows it", body = ErrorBody),
        (status = 429, description = "Too many queries run and wait", body = ErrorBody),
    )
)]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(fingerprint): Path<String>,
) -> Result<Json<AlertWithHistory>, ApiError> {
    let now_ms = now_ns() / 1_000_000;
    let unknown = || ApiError::NoAlert(fingerprint.chars().take(32).collect());
    let is_hex = fingerprint.len() == 16 && fingerprint.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u64::from_str_radix(&fingerprint, 16).ok().filter(|_| is_hex).ok_or_else(unknown)?;
    let alert = view::one(&app, &principal.tenant, number, now_ms)?.ok_or_else(unknown)?;
    let labels = alert.labels().clone();
    let admitted = app.queries.admit().await?;
    let series = app.store.series(&principal.tenant);
    let read = move |_: &blocking::Running| -> Result<Vec<Stretch>, ApiError> {
        Ok(history::of(&series, &labels, now_ms)?)
    };
    let history = blocking::blocking(admitted, read).await?;
    Ok(Json(AlertWithHistory { alert, history }))
}
