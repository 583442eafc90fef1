//! API tokens: what programs show instead of a password. An admin makes and takes them for
//! tenants that they administer; a token's text is told once.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody};
use super::params::short;
use super::{App, json, now_ns, time, users};
use crate::auth::{AccountError, ApiToken, AuthError, NewToken, Principal, Roles, Scope};

const MAX_NAME_CHARS: usize = 100;
const MAX_TENANTS: usize = 1000;

/// Tenants by name, or `*` for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum TenantNames {
    /// `*`: all of them, also those that come later.
    Every(Star),
    /// These.
    Named(Vec<String>),
}

/// The text `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) enum Star {
    #[serde(rename = "*")]
    Star,
}

/// A token, without its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// Stays the same.
    id: String,
    /// What people call it.
    name: String,
    /// What it opens.
    scopes: Vec<Scope>,
    /// In which tenants, those that the asker administers.
    tenants: TenantNames,
    /// Null for those of the configuration.
    created_at: Option<String>,
    /// Who made it.
    created_by: String,
    /// From then on it opens nothing; null if never.
    expires_at: Option<String>,
    /// Stored once a minute; null if never.
    last_used_at: Option<String>,
    /// It stands in the configuration and cannot be taken back here.
    configured: bool,
}

/// All tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokensAnswer {
    /// Those of the configuration, then by name.
    tokens: Vec<TokenView>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    view: TokenView,
    /// Its text, told here and never again.
    token: String,
}

/// A token to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// 1 to 100 characters.
    name: String,
    /// `ingest`, `read`, `write`, `admin`, at least one; `write` opens what `read` does, `admin` everything.
    scopes: Vec<Scope>,
    /// Tenants, at least one, or `*`.
    tenants: TenantNames,
    /// RFC 3339 or Unix seconds; without it the token does not expire.
    #[serde(default)]
    expires_at: Option<String>,
}

/// Which token.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct TokenPath {
    /// The token's `id`.
    id: String,
}

/// Lists tokens that open a tenant that the asker administers.
#[utoipa::path(
    get, path = "/api/v1/narrows/tokens", tag = "access", operation_id = "tokens",
    responses(
        (status = 200, description = "The tokens", body = TokensAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Json<TokensAnswer> {
    let tokens = app.auth.tokens().into_iter();
    Json(TokensAnswer { tokens: tokens.filter_map(|token| view(token, &principal)).collect() })
}

/// Makes a token.
#[utoipa::path(
    post, path = "/api/v1/narrows/tokens", tag = "access", request_body = TokenRequest,
    operation_id = "create_token",
    responses(
        (status = 201, description = "Made; `token` is its text", body = MadeToken),
        (status = 400, description = "The body is no token", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 422, description = "There are too many tokens", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, ApiError> {
    let shape = "{\"name\":\"…\",\"scopes\":[\"read\"],\"tenants\":[\"default\"],\"expires_at\":null}, scopes out of \
                 ingest, read, write and admin, tenants also \"*\"";
    let new = check(&app, &principal, json::read_small(request, shape).await?)?;
    let (token, text) = app.auth.create_token(new).await?;
    app.audit(&principal, "token.create", &object(&token)).await;
    let Some(view) = view(token, &principal) else { return Err(ApiError::Internal) };
    Ok((StatusCode::CREATED, Json(MadeToken { view, token: text })).into_response())
}

/// Takes a token back: from now on it opens nothing.
#[utoipa::path(
    delete, path = "/api/v1/narrows/tokens/{id}", tag = "access", params(TokenPath), operation_id = "remove_token",
    responses(
        (status = 204, description = "Taken back"),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such token", body = ErrorBody),
        (status = 409, description = "It stands in the configuration", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(TokenPath { id }): Path<TokenPath>,
) -> Result<StatusCode, ApiError> {
    let found = app.auth.tokens().into_iter().find(|token| token.id == id);
    let seen = found.filter(|token| view(token.clone(), &principal).is_some());
    let token = seen.ok_or_else(|| AccountError::Unknown { what: "token", name: short(&id) })?;
    let names = names(&token);
    if !names.iter().all(|name| principal.administers(name)) {
        let message = "the token opens tenants that you do not administer, too".to_owned();
        return Err(AuthError::Forbidden(message).into());
    }
    app.auth.remove_token(&id).await?;
    app.audit(&principal, "token.remove", &object(&token)).await;
    Ok(StatusCode::NO_CONTENT)
}

fn check(app: &App, principal: &Principal, asked: TokenRequest) -> Result<NewToken, ApiError> {
    let TokenRequest { name, mut scopes, tenants, expires_at } = asked;
    check_name(&name)?;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(ApiError::Body("scopes: at least one of ingest, read, write and admin".to_owned()));
    }
    let tenants = match tenants {
        TenantNames::Every(_) => None,
        TenantNames::Named(mut names) => {
            names.sort_unstable();
            names.dedup();
            if names.is_empty() || names.len() > MAX_TENANTS {
                return Err(ApiError::Body(format!("tenants: 1 to {MAX_TENANTS} of them, or \"*\"")));
            }
            Some(names)
        }
    };
    for name in tenants.as_deref().unwrap_or(&[Roles::EVERY.to_owned()]) {
        users::check_tenant(app, principal, name)?;
    }
    let expires_at_ns = expires_at.as_deref().map(time::parse).transpose();
    let expires_at_ns =
        expires_at_ns.map_err(|message| ApiError::Body(format!("expires_at: {message}; {}", time::FORMS)))?;
    if expires_at_ns.is_some_and(|at| at <= now_ns()) {
        return Err(ApiError::Body("expires_at: the time has passed already".to_owned()));
    }
    Ok(NewToken { name, scopes, tenants, expires_at_ns, created_by: principal.user.clone() })
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

/// What the asker may see of a token; `None` if that is nothing.
fn view(token: ApiToken, principal: &Principal) -> Option<TokenView> {
    let all = principal.administers_all();
    let tenants = match token.tenants {
        None if all => TenantNames::Every(Star::Star),
        None => return None,
        Some(names) => {
            let seen: Vec<String> = names.into_iter().filter(|name| principal.administers(name)).collect();
            if seen.is_empty() {
                return None;
            }
            TenantNames::Named(seen)
        }
    };
    Some(TokenView {
        id: token.id,
        name: token.name,
        scopes: token.scopes,
        tenants,
        created_at: token.created_at_ns.map(time::format),
        created_by: token.created_by,
        expires_at: token.expires_at_ns.map(time::format),
        last_used_at: token.last_used_at_ns.map(time::format),
        configured: token.configured,
    })
}

fn names(token: &ApiToken) -> Vec<String> {
    token.tenants.clone().unwrap_or_else(|| vec![Roles::EVERY.to_owned()])
}

/// The token and what it opens, without its text.
fn object(token: &ApiToken) -> String {
    let scopes: Vec<String> = token.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
    format!(
        "token/{} {:?} scopes {} tenants {}",
        token.id,
        token.name,
        scopes.join(","),
        names(token).join(",")
    )
}
