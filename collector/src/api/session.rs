//! Logging in and out, and who somebody is.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::{App, Peer};
use crate::auth::{Access, AuthError, COOKIE, Principal, Role};

const MAX_LOGIN_BYTES: usize = 8 << 10;
/// From the request's head to the end of its body.
const LOGIN_TIME: Duration = Duration::from_secs(10);

/// Who wants in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The user's name: `admin`.
    user: String,
    /// The password.
    password: String,
}

/// Who somebody is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Who {
    /// The user's name.
    user: String,
    /// What they may do with it.
    role: Role,
    /// Whose data this request is about.
    tenant: String,
    /// Whose data could be asked for, by the header `X-Scope-OrgID`.
    tenants: Vec<TenantRole>,
}

/// What somebody may do in a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantRole {
    name: String,
    role: Role,
}

/// Logs in: sets the cookie `narrows_session`.
#[utoipa::path(
    post, path = "/api/v1/narrows/session", tag = "session", request_body = Login, security(()),
    responses(
        (status = 204, description = "Logged in; the cookie is set"),
        (status = 400, description = "The body is not user and password", body = ErrorBody),
        (status = 401, description = "Wrong user or password", body = ErrorBody),
        (status = 403, description = "A foreign page", body = ErrorBody),
        (status = 429, description = "Too many failed logins, or too many at once", body = ErrorBody),
    )
)]
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
) -> Result<Response, ApiError> {
    app.auth.browser().check_write(request.headers())?;
    let headers = request.headers().clone();
    let login = read_login(request).await?;
    let outcome = app.auth.login(&login.user, &login.password, &headers, peer).await;
    app.metrics.login(match &outcome {
        Ok(_) => "ok",
        Err(AuthError::TooMany { .. } | AuthError::Busy) => "too_many",
        Err(_) => "failed",
    });
    let session = outcome?;
    let cookie = format!(
        "{COOKIE}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict",
        session.token,
        session.lifetime.as_secs()
    );
    Ok(with_cookie(&cookie))
}

/// Says who the credentials belong to.
#[utoipa::path(
    get, path = "/api/v1/narrows/session", tag = "session",
    responses(
        (status = 200, description = "Who it is", body = Who),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "A tenant that these credentials do not open", body = ErrorBody),
    )
)]
pub(crate) async fn who(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Json<Who>, ApiError> {
    let principal = app.auth.authenticate(&headers, peer).await?;
    Ok(Json(describe(&principal)))
}

/// Logs out; without a session nothing happens.
#[utoipa::path(
    delete, path = "/api/v1/narrows/session", tag = "session", security(()),
    responses(
        (status = 204, description = "Logged out"),
        (status = 403, description = "A foreign page", body = ErrorBody),
    )
)]
pub(crate) async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    app.auth.browser().check_write(&headers)?;
    app.auth.logout(&headers).await?;
    Ok(with_cookie(&format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")))
}

fn describe(principal: &Principal) -> Who {
    Who {
        user: principal.user.clone(),
        role: principal.role,
        tenant: principal.tenant.to_string(),
        tenants: principal.tenants.iter().map(of_tenant).collect(),
    }
}

fn of_tenant(access: &Access) -> TenantRole {
    TenantRole { name: access.tenant.to_string(), role: access.role }
}

async fn read_login(request: Request) -> Result<Login, ApiError> {
    let refused =
        || ApiError::Body(format!("the body is longer than {MAX_LOGIN_BYTES} bytes, or was cut off"));
    let read = tokio::time::timeout(LOGIN_TIME, to_bytes(request.into_body(), MAX_LOGIN_BYTES)).await;
    let body = read.map_err(|_| refused())?.map_err(|_| refused())?;
    // The library's own message could echo the password.
    serde_json::from_slice(&body).map_err(|_| {
        ApiError::Body("the body must be {\"user\":\"…\",\"password\":\"…\"} as JSON".to_owned())
    })
}

fn with_cookie(cookie: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}
