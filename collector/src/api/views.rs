//! Saved views: what a page shows, under a name, for everybody of a tenant. A view is
//! one document; its state is the page's own business.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use meta::{Meta, MetaError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use telemetry::TenantId;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody};
use super::params::{Params, given};
use super::{App, now_ns, time};
use crate::auth::Principal;

const PREFIX: &str = "views";
/// Of one tenant.
const MAX_VIEWS: usize = 500;
const MAX_NAME_CHARS: usize = 100;
const MAX_STATE_BYTES: usize = 16 << 10;
/// A state with room for white space, and a name.
const MAX_BODY_BYTES: usize = 64 << 10;

/// The views of all tenants. This process is the only one that writes them.
pub struct Views {
    meta: Arc<dyn Meta>,
    /// Held from looking for a name to taking it.
    writing: tokio::sync::Mutex<()>,
}

/// What is kept of a view.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    name: String,
    page: String,
    state: serde_json::Map<String, serde_json::Value>,
    created_at_ns: i64,
    updated_at_ns: i64,
}

/// A saved view.
#[derive(Serialize, ToSchema)]
pub(crate) struct View {
    /// Stays the same.
    id: String,
    /// What people call it; no two of a page have the same.
    name: String,
    /// Which page it belongs to, as `logs`.
    page: String,
    /// What the page made of it.
    #[schema(value_type = Object)]
    state: serde_json::Map<String, serde_json::Value>,
    /// When it was made.
    created_at: String,
    /// When it was changed last.
    updated_at: String,
    /// Changes with every change: to be sent with the next one.
    revision: u64,
}

impl View {
    fn of(id: &str, kept: Kept, revision: u64) -> Self {
        Self {
            id: id.to_owned(),
            name: kept.name,
            page: kept.page,
            state: kept.state,
            created_at: time::format(kept.created_at_ns),
            updated_at: time::format(kept.updated_at_ns),
            revision,
        }
    }
}

impl Views {
    /// In a document store.
    pub fn new(meta: Arc<dyn Meta>) -> Self {
        Self { meta, writing: tokio::sync::Mutex::default() }
    }

    async fn all(&self, tenant: &TenantId) -> Result<Vec<(String, Kept, u64)>, ApiError> {
        let prefix = format!("{PREFIX}/{tenant}/");
        let mut views = Vec::new();
        for (key, _) in self.meta.list(&prefix).await? {
            let id = key.strip_prefix(&prefix).unwrap_or_default();
            // One that has gone meanwhile is gone.
            if let Some((kept, revision)) = self.get(tenant, id).await? {
                views.push((id.to_owned(), kept, revision));
            }
        }
        views.sort_by(|(_, a, _), (_, b, _)| (&a.page, &a.name).cmp(&(&b.page, &b.name)));
        Ok(views)
    }

    async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<(Kept, u64)>, ApiError> {
        let Some(document) = self.meta.get(&key(tenant, id)).await? else { return Ok(None) };
        let kept = serde_json::from_slice(&document.body).map_err(|error| {
            tracing::error!(%error, %tenant, id, "a saved view cannot be read");
            ApiError::Internal
        })?;
        Ok(Some((kept, document.revision)))
    }

    async fn create(&self, tenant: &TenantId, kept: Kept) -> Result<View, ApiError> {
        let _turn = self.writing.lock().await;
        let views = self.all(tenant).await?;
        if views.len() >= MAX_VIEWS {
            return Err(ApiError::TooManyViews(views.len()));
        }
        check_free(&views, &kept, "")?;
        let id = format!("{:016x}", rand::random::<u64>());
        let revision = self.meta.put(&key(tenant, &id), body(&kept)?, 0).await?;
        Ok(View::of(&id, kept, revision))
    }

    async fn change(&self, tenant: &TenantId, id: &str, change: Change) -> Result<View, ApiError> {
        let _turn = self.writing.lock().await;
        let views = self.all(tenant).await?;
        let found = views.iter().find(|(known, ..)| known == id);
        let (_, kept, _) = found.ok_or_else(|| ApiError::NoView(short(id)))?;
        let Change { name, state, revision } = change;
        let kept = Kept { name, state, updated_at_ns: now_ns(), ..kept.clone() };
        check_free(&views, &kept, id)?;
        match self.meta.put(&key(tenant, id), body(&kept)?, revision).await {
            Ok(revision) => Ok(View::of(id, kept, revision)),
            Err(MetaError::Conflict { .. }) => Err(ApiError::Conflict(id.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&self, tenant: &TenantId, id: &str) -> Result<(), ApiError> {
        let _turn = self.writing.lock().await;
        let found = self.get(tenant, id).await?;
        let (_, revision) = found.ok_or_else(|| ApiError::NoView(short(id)))?;
        Ok(self.meta.delete(&key(tenant, id), revision).await?)
    }
}

fn key(tenant: &TenantId, id: &str) -> String {
    format!("{PREFIX}/{tenant}/{id}")
}

fn body(kept: &Kept) -> Result<Bytes, ApiError> {
    serde_json::to_vec(kept).map(Bytes::from).map_err(|_| ApiError::Internal)
}

/// No other view of the page may have the name.
fn check_free(views: &[(String, Kept, u64)], kept: &Kept, own: &str) -> Result<(), ApiError> {
    let taken = views
        .iter()
        .any(|(id, other, _)| id != own && (&other.page, &other.name) == (&kept.page, &kept.name));
    if taken { Err(ApiError::Exists(kept.name.clone())) } else { Ok(()) }
}

/// Which views.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// Only those of this page, as `logs`.
    page: Option<String>,
}

/// Which view.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ViewPath {
    /// The view's `id`.
    id: String,
}

/// All views.
#[derive(Serialize, ToSchema)]
pub(crate) struct ViewsAnswer {
    /// By page and name.
    views: Vec<View>,
}

/// A view to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewView {
    /// 1 to 100 characters; no other view of the page has it.
    name: String,
    /// Which page it belongs to, as `logs`.
    page: String,
    /// Whatever the page needs, 16 KiB at most.
    #[schema(value_type = Object)]
    state: serde_json::Map<String, serde_json::Value>,
}

/// What a view is to become.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// 1 to 100 characters; no other view of the page has it.
    name: String,
    /// Whatever the page needs, 16 KiB at most.
    #[schema(value_type = Object)]
    state: serde_json::Map<String, serde_json::Value>,
    /// The view's, as it was read.
    revision: u64,
}

/// Lists saved views.
#[utoipa::path(
    get, path = "/api/v1/narrows/views", tag = "views", params(PageParams), operation_id = "views",
    responses(
        (status = 200, description = "The views", body = ViewsAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(params): Params<PageParams>,
) -> Result<Json<ViewsAnswer>, ApiError> {
    let views = app.views.all(&principal.tenant).await?.into_iter();
    let page = given(params.page.as_deref());
    let of_page = views.filter(|(_, kept, _)| page.is_none_or(|page| page == kept.page));
    Ok(Json(ViewsAnswer {
        views: of_page.map(|(id, kept, revision)| View::of(&id, kept, revision)).collect(),
    }))
}

/// Saves a view.
#[utoipa::path(
    post, path = "/api/v1/narrows/views", tag = "views", request_body = NewView, operation_id = "save_view",
    responses(
        (status = 201, description = "Saved", body = View),
        (status = 400, description = "The body is no view", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 409, description = "A view of this name is there", body = ErrorBody),
        (status = 422, description = "There are too many views", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, ApiError> {
    let NewView { name, page, state } = read(request).await?;
    check_name(&name)?;
    check_page(&page)?;
    check_state(&state)?;
    let now = now_ns();
    let kept = Kept { name, page, state, created_at_ns: now, updated_at_ns: now };
    let view = app.views.create(&principal.tenant, kept).await?;
    app.audit(&principal, "view.create", &format!("view/{}", view.id)).await;
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// Changes a view.
#[utoipa::path(
    put, path = "/api/v1/narrows/views/{id}", tag = "views", params(ViewPath), request_body = Change,
    operation_id = "change_view",
    responses(
        (status = 200, description = "Changed", body = View),
        (status = 400, description = "The body is no view", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such view", body = ErrorBody),
        (status = 409, description = "Changed meanwhile (`conflict`), or the name is taken (`exists`)", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(ViewPath { id }): Path<ViewPath>,
    request: Request,
) -> Result<Json<View>, ApiError> {
    check_id(&id)?;
    let change: Change = read(request).await?;
    check_name(&change.name)?;
    check_state(&change.state)?;
    let view = app.views.change(&principal.tenant, &id, change).await?;
    app.audit(&principal, "view.change", &format!("view/{id}")).await;
    Ok(Json(view))
}

/// Deletes a view.
#[utoipa::path(
    delete, path = "/api/v1/narrows/views/{id}", tag = "views", params(ViewPath), operation_id = "delete_view",
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such view", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(ViewPath { id }): Path<ViewPath>,
) -> Result<StatusCode, ApiError> {
    check_id(&id)?;
    app.views.remove(&principal.tenant, &id).await?;
    app.audit(&principal, "view.remove", &format!("view/{id}")).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn read<T: DeserializeOwned>(request: Request) -> Result<T, ApiError> {
    let body = to_bytes(request.into_body(), MAX_BODY_BYTES).await.map_err(|_| {
        ApiError::Body(format!("the body is longer than {MAX_BODY_BYTES} bytes, or was cut off"))
    })?;
    serde_json::from_slice(&body).map_err(|error| ApiError::Body(format!("the body is no view: {error}")))
}

/// What is no id of ours names no view; it must not become part of a key.
fn check_id(id: &str) -> Result<(), ApiError> {
    let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { Ok(()) } else { Err(ApiError::NoView(short(id))) }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let is_name = (1..=MAX_NAME_CHARS).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(char::is_control);
    if is_name {
        return Ok(());
    }
    let message = format!(
        "name: 1 to {MAX_NAME_CHARS} characters without control characters or spaces at its ends, not {:?}",
        short(name)
    );
    Err(ApiError::Body(message))
}

fn check_page(page: &str) -> Result<(), ApiError> {
    let is_page = (1..=32).contains(&page.len())
        && page.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_page {
        return Ok(());
    }
    Err(ApiError::Body(format!("page: 1 to 32 of a-z, 0-9 and -, not {:?}", short(page))))
}

fn check_state(state: &serde_json::Map<String, serde_json::Value>) -> Result<(), ApiError> {
    let size_bytes = serde_json::to_vec(state).map_or(usize::MAX, |json| json.len());
    if size_bytes <= MAX_STATE_BYTES {
        return Ok(());
    }
    Err(ApiError::Body(format!("state: {size_bytes} bytes as JSON, more than {MAX_STATE_BYTES}")))
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
