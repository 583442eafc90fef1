//! Dashboards in Grafana's classic schema: those that are shipped, and those that people
//! saved or imported. A dashboard's JSON stays as it was given, to the letter.

mod classic;
mod store;

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody};
use super::params::short;
use super::{App, time};
use crate::auth::Principal;
use classic::Classic;
use store::Found;

pub use store::Dashboards;

/// The largest dashboard: a document's limit, with room for what is kept beside it.
const MAX_DASHBOARD_BYTES: usize = 1000 << 10;

/// Where a dashboard comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// With the program.
    Shipped,
    /// From somebody of the tenant.
    Saved,
}

/// A dashboard in the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct DashboardRow {
    uid: String,
    title: String,
    tags: Vec<String>,
    folder: String,
    source: Source,
    /// Changes with every change: to be sent with the next one; 0 for a shipped one.
    revision: u64,
    /// When it was saved last.
    updated_at: Option<String>,
}

/// All dashboards.
#[derive(Serialize, ToSchema)]
pub(crate) struct DashboardsAnswer {
    /// By title.
    dashboards: Vec<DashboardRow>,
}

/// One dashboard.
#[derive(Serialize, ToSchema)]
pub(crate) struct DashboardAnswer {
    /// As it was given.
    #[schema(value_type = Object)]
    dashboard: Box<RawValue>,
    source: Source,
    /// To be sent with the next change; 0 for a shipped one.
    revision: u64,
    /// When it was saved last.
    updated_at: Option<String>,
}

impl From<Found> for DashboardAnswer {
    fn from(found: Found) -> Self {
        let Found { classic, source, revision, updated_at_ns } = found;
        Self { dashboard: classic.json, source, revision, updated_at: updated_at_ns.map(time::format) }
    }
}

impl DashboardRow {
    fn of_shipped(classic: &Classic) -> Self {
        let Classic { uid, title, tags, .. } = classic;
        Self {
            uid: uid.clone(),
            title: title.clone(),
            tags: tags.clone(),
            folder: String::new(),
            source: Source::Shipped,
            revision: 0,
            updated_at: None,
        }
    }
}

impl From<Found> for DashboardRow {
    fn from(found: Found) -> Self {
        let Found { classic, source, revision, updated_at_ns } = found;
        Self { source, revision, updated_at: updated_at_ns.map(time::format), ..Self::of_shipped(&classic) }
    }
}

/// A dashboard to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDashboard {
    /// Grafana's classic JSON. Without a `uid` it gets one; one that is there already is replaced.
    #[schema(value_type = Object)]
    dashboard: Box<RawValue>,
    /// That of the dashboard as it was read; none for a new one, or to take the place of whatever is there.
    #[serde(default)]
    revision: Option<u64>,
}

/// Which dashboard.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DashboardPath {
    /// Its `uid`.
    uid: String,
}

/// Lists dashboards.
#[utoipa::path(
    get, path = "/api/v1/narrows/dashboards", tag = "dashboards", operation_id = "dashboards",
    responses(
        (status = 200, description = "The dashboards", body = DashboardsAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<DashboardsAnswer>, ApiError> {
    Ok(Json(DashboardsAnswer { dashboards: app.dashboards.rows(&principal.tenant).await? }))
}

/// Reads a dashboard.
#[utoipa::path(
    get, path = "/api/v1/narrows/dashboards/{uid}", tag = "dashboards", params(DashboardPath),
    operation_id = "dashboard",
    responses(
        (status = 200, description = "The dashboard", body = DashboardAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 404, description = "No such dashboard", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(DashboardPath { uid }): Path<DashboardPath>,
) -> Result<Json<DashboardAnswer>, ApiError> {
    Ok(Json(app.dashboards.get(&principal.tenant, &uid).await?.into()))
}

/// Saves a dashboard, or imports one.
#[utoipa::path(
    post, path = "/api/v1/narrows/dashboards", tag = "dashboards", request_body = NewDashboard,
    operation_id = "save_dashboard",
    responses(
        (status = 200, description = "Changed", body = DashboardAnswer),
        (status = 201, description = "New", body = DashboardAnswer),
        (status = 400, description = "The body is no dashboard", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 409, description = "Changed meanwhile", body = ErrorBody),
        (status = 422, description = "There are too many dashboards", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn save(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, ApiError> {
    let limit = 2 * MAX_DASHBOARD_BYTES;
    let body = to_bytes(request.into_body(), limit).await;
    let body =
        body.map_err(|_| ApiError::Body(format!("the body is longer than {limit} bytes, or was cut off")))?;
    let new: NewDashboard = serde_json::from_slice(&body)
        .map_err(|error| ApiError::Body(format!("the body is no dashboard: {error}")))?;
    let classic = Classic::new(new.dashboard).map_err(ApiError::Body)?;
    let uid = classic.uid.clone();
    let (found, is_new) = app.dashboards.save(&principal.tenant, classic, new.revision).await?;
    let action = if is_new { "dashboard.create" } else { "dashboard.change" };
    app.audit(&principal, action, &format!("dashboard/{uid}")).await;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(DashboardAnswer::from(found))).into_response())
}

/// Deletes a saved dashboard; a shipped one of the same uid is there again.
#[utoipa::path(
    delete, path = "/api/v1/narrows/dashboards/{uid}", tag = "dashboards", params(DashboardPath),
    operation_id = "delete_dashboard",
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such saved dashboard", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(DashboardPath { uid }): Path<DashboardPath>,
) -> Result<StatusCode, ApiError> {
    app.dashboards.remove(&principal.tenant, &uid).await?;
    app.audit(&principal, "dashboard.remove", &format!("dashboard/{}", short(&uid))).await;
    Ok(StatusCode::NO_CONTENT)
}
