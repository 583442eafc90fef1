//! Users and what they may do. An admin gives and takes roles in the tenants that they
//! administer, and sees no others; what concerns a user as a whole (password, removal,
//! `disabled`) takes an admin of every tenant that the user has a role in.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody};
use super::params::short;
use super::{App, json, time};
use crate::auth::{AccountError, AuthError, Principal, Role, Roles, User};

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    /// What they log in with.
    name: String,
    /// Roles by tenant, those of the tenants that the asker administers; `*` is every tenant.
    #[schema(value_type = BTreeMap<String, Role>)]
    roles: BTreeMap<String, Role>,
    /// They are not let in.
    disabled: bool,
    /// Null for the user of the first start.
    created_at: Option<String>,
}

/// All users.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsersAnswer {
    /// By name.
    users: Vec<UserView>,
}

/// A user to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// 1 to 64 of `a-z`, `0-9` and `. _ - @`.
    name: String,
    /// 12 characters to 1 KiB.
    password: String,
    /// `viewer`, `editor` or `admin` by tenant, at least one; `*` is every tenant.
    #[schema(value_type = BTreeMap<String, Role>)]
    roles: Roles,
}

/// What a user is to become; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    /// Takes the place of the roles in all tenants that the asker administers.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, Role>>)]
    roles: Option<Roles>,
    /// They are not let in any more.
    #[serde(default)]
    disabled: Option<bool>,
}

/// A user's new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// 12 characters to 1 KiB.
    password: String,
}

/// Which user.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct UserPath {
    /// Their name.
    name: String,
}

/// Lists users that have a role in a tenant that the asker administers.
#[utoipa::path(
    get, path = "/api/v1/narrows/users", tag = "access", operation_id = "users",
    responses(
        (status = 200, description = "The users", body = UsersAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Json<UsersAnswer> {
    let users = app.auth.users().into_iter();
    Json(UsersAnswer { users: users.filter_map(|user| view(user, &principal)).collect() })
}

/// Makes a user.
#[utoipa::path(
    post, path = "/api/v1/narrows/users", tag = "access", request_body = NewUser, operation_id = "create_user",
    responses(
        (status = 201, description = "Made", body = UserView),
        (status = 400, description = "The body is no user, or the password too short", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 409, description = "There is a user of this name", body = ErrorBody),
        (status = 422, description = "There are too many users", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, ApiError> {
    let shape = "{\"name\":\"…\",\"password\":\"…\",\"roles\":{\"tenant\":\"viewer\"}}";
    let NewUser { name, password, roles } = json::read_small(request, shape).await?;
    check_roles(&app, &principal, &roles)?;
    if roles.0.is_empty() {
        return Err(ApiError::Body("roles: at least one, as {\"default\":\"viewer\"}".to_owned()));
    }
    let user = app.auth.create_user(&name, &password, roles).await?;
    app.audit(&principal, "user.create", &object(&user)).await;
    Ok((StatusCode::CREATED, Json(view(user, &principal))).into_response())
}

/// Changes what a user may do. If anything changes, all their sessions end.
#[utoipa::path(
    put, path = "/api/v1/narrows/users/{name}", tag = "access", params(UserPath), request_body = UserChange,
    operation_id = "change_user",
    responses(
        (status = 200, description = "Changed", body = UserView),
        (status = 400, description = "The body is no change", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such user", body = ErrorBody),
        (status = 409, description = "Nobody would be left who may do everything", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(UserPath { name }): Path<UserPath>,
    request: Request,
) -> Result<Json<Option<UserView>>, ApiError> {
    let shape = "{\"roles\":{\"tenant\":\"viewer\"},\"disabled\":false}, or one of them";
    let UserChange { roles, disabled } = json::read_small(request, shape).await?;
    let user = visible(&app, &principal, &name)?;
    if let Some(roles) = &roles {
        check_roles(&app, &principal, roles)?;
    }
    if disabled.is_some_and(|disabled| disabled != user.disabled) {
        check_whole(&principal, &user)?;
    }
    let merge = |user: &User| match roles {
        // What is not the asker's to take stays.
        Some(Roles(new)) => {
            let kept = user.roles.0.iter().filter(|(tenant, _)| !principal.administers(tenant));
            let kept = kept.map(|(tenant, role)| (tenant.clone(), *role));
            Ok(Roles(kept.chain(new).collect()))
        }
        None => Ok(user.roles.clone()),
    };
    let user = app.auth.change_user(&name, merge, disabled).await?;
    app.audit(&principal, "user.change", &object(&user)).await;
    Ok(Json(view(user, &principal)))
}

/// Gives a user another password. All their sessions end.
#[utoipa::path(
    put, path = "/api/v1/narrows/users/{name}/password", tag = "access", params(UserPath),
    request_body = NewPassword, operation_id = "set_password",
    responses(
        (status = 204, description = "Changed"),
        (status = 400, description = "The password is too short or too long", body = ErrorBody),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, one's own, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such user", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn password(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(UserPath { name }): Path<UserPath>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let NewPassword { password } = json::read_small(request, "{\"password\":\"…\"}").await?;
    let user = visible(&app, &principal, &name)?;
    check_whole(&principal, &user)?;
    if principal.is_user() && principal.user == name {
        // Whoever finds a browser open must not take over the account.
        let message = "your own password is changed at PUT /api/v1/narrows/session/password";
        return Err(AuthError::Forbidden(message.to_owned()).into());
    }
    app.auth.set_password(&name, &password).await?;
    app.audit(&principal, "user.password", &format!("user/{name}")).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a user; their sessions end. Tokens that they made stay.
#[utoipa::path(
    delete, path = "/api/v1/narrows/users/{name}", tag = "access", params(UserPath), operation_id = "remove_user",
    responses(
        (status = 204, description = "Removed"),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 404, description = "No such user", body = ErrorBody),
        (status = 409, description = "The first start's user, or the last who may do everything", body = ErrorBody),
        (status = 503, description = "The document store failed", body = ErrorBody),
    )
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Path(UserPath { name }): Path<UserPath>,
) -> Result<StatusCode, ApiError> {
    let user = visible(&app, &principal, &name)?;
    check_whole(&principal, &user)?;
    app.auth.remove_user(&name).await?;
    app.audit(&principal, "user.remove", &format!("user/{name}")).await;
    Ok(StatusCode::NO_CONTENT)
}

/// What the asker may see of a user; `None` if that is nothing.
fn view(user: User, principal: &Principal) -> Option<UserView> {
    let User { name, roles, disabled, created_at_ns } = user;
    let all = principal.administers_all();
    let roles: BTreeMap<String, Role> =
        roles.0.into_iter().filter(|(tenant, _)| principal.administers(tenant)).collect();
    let is_seen = all || !roles.is_empty();
    is_seen.then(|| UserView { name, roles, disabled, created_at: created_at_ns.map(time::format) })
}

/// The user, if the asker may know of them.
fn visible(app: &App, principal: &Principal, name: &str) -> Result<User, ApiError> {
    let user = app.auth.user(name)?;
    if view(user.clone(), principal).is_some() {
        return Ok(user);
    }
    Err(AccountError::Unknown { what: "user", name: short(name) }.into())
}

/// Each role is one of a user's, in a tenant that there is and that the asker administers.
fn check_roles(app: &App, principal: &Principal, roles: &Roles) -> Result<(), ApiError> {
    for (tenant, role) in &roles.0 {
        if *role == Role::Ingest {
            let message = "a user's role is viewer, editor or admin; what sends data takes a token";
            return Err(ApiError::Body(message.to_owned()));
        }
        check_tenant(app, principal, tenant)?;
    }
    Ok(())
}

/// A tenant that there is and that the asker administers, or `*`.
pub(super) fn check_tenant(app: &App, principal: &Principal, tenant: &str) -> Result<(), ApiError> {
    if !principal.administers(tenant) {
        let message = format!("this takes the role admin in the tenant {:?}", short(tenant));
        return Err(AuthError::Forbidden(message).into());
    }
    let is_known = tenant == Roles::EVERY || app.auth.tenants().iter().any(|one| one.as_str() == tenant);
    if is_known {
        return Ok(());
    }
    Err(ApiError::Body(format!("there is no tenant {:?}: the configuration names them", short(tenant))))
}

/// What concerns a user as a whole takes an admin of all that they have a role in.
fn check_whole(principal: &Principal, user: &User) -> Result<(), ApiError> {
    if principal.administers_whole(&user.roles) {
        return Ok(());
    }
    let message = format!("{} has roles in tenants that you do not administer", user.name);
    Err(AuthError::Forbidden(message).into())
}

/// The user and what they may do now.
fn object(user: &User) -> String {
    let roles = user.roles.0.iter().map(|(tenant, role)| format!("{tenant}={}", role.name()));
    let roles = roles.collect::<Vec<_>>().join(",");
    let disabled = if user.disabled { " disabled" } else { "" };
    format!("user/{} roles {roles}{disabled}", user.name)
}
