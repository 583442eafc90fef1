//! Logging in and out, who somebody is, and one's own password and sessions.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use telemetry::TenantId;
use utoipa::{IntoParams, ToSchema};

use super::audit::Entry;
use super::error::{ApiError, ErrorBody};
use super::params::short;
use super::{App, Peer, json, time};
use crate::auth::{Access, AccountError, AuthError, COOKIE, NewSession, Principal, Role, SessionView};

/// Who wants in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The user's name.
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
    let headers = request.headers().clone();
    app.auth.browser().check_write(&headers)?;
    app.auth.browser().check_no_form(&headers)?;
    let login: Login = json::read_small(request, "{\"user\":\"…\",\"password\":\"…\"}").await?;
    let outcome = app.auth.login(&login.user, &login.password, &headers, peer).await;
    app.metrics.login(match &outcome {
        Ok(_) => "ok",
        Err(AuthError::TooMany { .. } | AuthError::Busy) => "too_many",
        Err(_) => "failed",
    });
    match outcome {
        Ok(session) => {
            note(&app, &login.user, "session.begin", peer.ip()).await;
            Ok(with_cookie(&cookie_of(&session)))
        }
        Err(error) => {
            app.note_wrong_password(&error, peer.ip()).await;
            Err(error.into())
        }
    }
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
    let principal = app.authenticate(&headers, peer).await?;
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
pub(crate) async fn logout(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    app.auth.browser().check_write(&headers)?;
    if let Some(user) = app.auth.logout(&headers).await? {
        note(&app, &user, "session.end", peer.ip()).await;
    }
    Ok(with_cookie(&format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")))
}

/// A user's new password, by themselves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnPassword {
    /// The one of now.
    current: String,
    /// 12 characters to 1 KiB.
    password: String,
}

/// Somebody changes their own password: all their sessions end, and the one that asks goes on under another id.
#[utoipa::path(
    put, path = "/api/v1/narrows/session/password", tag = "session", request_body = OwnPassword,
    operation_id = "set_own_password",
    responses(
        (status = 204, description = "Changed; by a session, the cookie of the new one is set"),
        (status = 400, description = "The new password is too short or too long", body = ErrorBody),
        (status = 401, description = "Nobody, or the current password is wrong", body = ErrorBody),
        (status = 403, description = "Not a user, or a foreign page", body = ErrorBody),
        (status = 429, description = "Too many wrong passwords", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn password(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, ApiError> {
    let shape = "{\"current\":\"…\",\"password\":\"…\"}";
    let OwnPassword { current, password } = json::read_small(request, shape).await?;
    let changed = app.auth.set_own_password(&principal, &current, &password).await;
    if let Err(AccountError::Auth(error)) = &changed {
        app.note_wrong_password(error, principal.address).await;
    }
    let session = changed?;
    app.audit(&principal, "user.password", &format!("user/{}", principal.user)).await;
    Ok(match session {
        Some(session) => with_cookie(&cookie_of(&session)),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// A login that has not ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionRow {
    /// Stays the same; opens nothing.
    id: String,
    user: String,
    /// Null for one of an older version.
    created_at: Option<String>,
    expires_at: String,
    /// From where; empty for one of an older version.
    address: String,
    /// It is the one that asks.
    current: bool,
}

/// Logins that have not ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionsAnswer {
    /// The newest first.
    sessions: Vec<SessionRow>,
}

/// Which session.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct SessionPath {
    /// The session's `id`.
    id: String,
}

/// Lists one's own sessions, and those of users whom one administers as a whole.
#[utoipa::path(
    get, path = "/api/v1/narrows/sessions", tag = "session", operation_id = "sessions",
    responses(
        (status = 200, description = "The sessions", body = SessionsAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn sessions(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Json<SessionsAnswer> {
    let current = principal.session_id();
    let all = app.auth.sessions().into_iter().filter(|session| is_theirs(&app, &principal, session));
    let row = |session: SessionView| SessionRow {
        current: current.as_deref() == Some(session.id.as_str()),
        id: session.id,
        user: session.user,
        created_at: session.created_s.map(format_s),
        expires_at: format_s(session.expires_s),
        address: session.address,
    };
    Json(SessionsAnswer { sessions: all.map(row).collect() })
}

/// Ends a session, one's own or that of a user whom one administers as a whole.
#[utoipa::path(
    delete, path = "/api/v1/narrows/sessions/{id}", tag = "session", params(SessionPath),
    operation_id = "end_session",
    responses(
        (status = 204, description = "Ended"),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such session", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<StatusCode, ApiError> {
    let found = app.auth.sessions().into_iter().find(|session| session.id == id);
    let session = found.filter(|session| is_theirs(&app, &principal, session));
    let session = session.ok_or_else(|| AccountError::Unknown { what: "session", name: short(&id) })?;
    app.auth.end_session(&session.id).await?;
    app.audit(&principal, "session.end", &format!("session/{} of user/{}", session.id, session.user)).await;
    Ok(StatusCode::NO_CONTENT)
}

fn is_theirs(app: &App, principal: &Principal, session: &SessionView) -> bool {
    let is_own = principal.is_user() && principal.user == session.user;
    let administers =
        || app.auth.user(&session.user).is_ok_and(|user| principal.administers_whole(&user.roles));
    is_own || (principal.role == Role::Admin && administers())
}

fn format_s(seconds: u64) -> String {
    time::format(i64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000))
}

/// What somebody did who had no session before, or has none after.
async fn note(app: &App, user: &str, action: &str, address: IpAddr) {
    let entry = Entry {
        actor: user,
        action,
        object: "session",
        address,
        outcome: "ok",
        tenant: &TenantId::default_tenant(),
    };
    app.note(&entry).await;
}

fn cookie_of(session: &NewSession) -> String {
    let (token, seconds) = (&session.token, session.lifetime.as_secs());
    format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict")
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

fn with_cookie(cookie: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}
