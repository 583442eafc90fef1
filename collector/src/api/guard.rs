//! What stands before the handlers: panics, counting, `Host`, credentials.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};

use super::error::ApiError;
use super::{App, Peer};
use crate::auth::{AuthError, Principal, Role};

/// Nothing runs, nothing is loaded, no page puts it into a frame.
const DATA_ONLY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";

/// A panic in a handler becomes a 500; the process goes on.
pub(super) async fn catch_panic(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            // The panic hook has logged where.
            tracing::error!(path, "a request panicked");
            ApiError::Internal.into_response()
        }
    }
}

/// Counts requests by route and status.
pub(super) async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    // Paths that clients make up must not become labels.
    let route = route.as_deref().unwrap_or("ui");
    app.metrics.request(route, response.status().as_u16(), begun.elapsed());
    response
}

/// A name that is not ours means that some page has pointed its own name here (DNS rebinding).
pub(super) async fn check_host(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.auth.browser().check_host(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(denied) => ApiError::Denied(denied).into_response(),
    }
}

/// Answers of the API are for the one who asked, now; and they are data, whatever a browser would make of them.
pub(super) async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DATA_ONLY));
    response
}

/// Another method than the route has.
pub(super) async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::Method(method.to_string())
}

/// Somebody who may read everything of the tenant; puts the `Principal` into the request.
pub(super) struct Viewer;

/// Somebody who may change what the tenant's people share.
pub(super) struct Editor;

/// Somebody who may do everything with the tenant.
pub(super) struct Admin;

/// Somebody who may do what is about all tenants: an admin of `default`, the tenant of who runs the collector.
pub(super) struct Operator;

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let principal = identify(parts, app).await?;
        require(&principal, Role::Viewer)?;
        let_in(parts, app, principal).map(|()| Self)
    }
}

impl FromRequestParts<Arc<App>> for Editor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let principal = identify(parts, app).await?;
        require(&principal, Role::Editor)?;
        let_in(parts, app, principal).map(|()| Self)
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let principal = identify(parts, app).await?;
        require(&principal, Role::Admin)?;
        let_in(parts, app, principal).map(|()| Self)
    }
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let principal = identify(parts, app).await?;
        if !principal.is_operator() {
            let message = "this is about all tenants: it takes an admin of the tenant default".to_owned();
            return Err(AuthError::Forbidden(message).into());
        }
        let_in(parts, app, principal).map(|()| Self)
    }
}

async fn identify(parts: &Parts, app: &Arc<App>) -> Result<Principal, ApiError> {
    Ok(app.authenticate(&parts.headers, peer(parts)?).await?)
}

fn let_in(parts: &mut Parts, app: &Arc<App>, principal: Principal) -> Result<(), ApiError> {
    if !is_safe(&parts.method) {
        check_write(app, &parts.headers, &principal, takes_forms(parts.uri.path()))?;
    }
    parts.extensions.insert(principal);
    Ok(())
}

/// What a write must be like, whatever the credentials: a browser sends cookies by itself, and may send others.
pub(super) fn check_write(
    app: &App,
    headers: &HeaderMap,
    principal: &Principal,
    takes_forms: bool,
) -> Result<(), ApiError> {
    let browser = app.auth.browser();
    browser.check_write(headers)?;
    if principal.is_by_cookie() {
        browser.check_page_is_named(headers)?;
    }
    if !takes_forms {
        browser.check_no_form(headers)?;
    }
    Ok(())
}

/// The connection's other end; the server puts it into every request.
pub(super) fn peer(parts: &Parts) -> Result<std::net::SocketAddr, ApiError> {
    parts.extensions.get::<Peer>().map(|peer| peer.0).ok_or(ApiError::Internal)
}

/// Whether somebody has this role, or a higher one, in the tenant that they ask about.
pub(super) fn require(principal: &Principal, role: Role) -> Result<(), ApiError> {
    let (has, tenant) = (principal.role, &principal.tenant);
    if has >= role {
        return Ok(());
    }
    let message = match has {
        Role::Ingest => "an ingest token may send data, and nothing else".to_owned(),
        _ => format!("this takes the role {} in the tenant {tenant}, not {}", role.name(), has.name()),
    };
    Err(AuthError::Forbidden(message).into())
}

/// Prometheus' clients send their parameters as forms; everything else here is JSON.
fn takes_forms(path: &str) -> bool {
    let is_prometheus = path.starts_with("/api/v1/") || path.starts_with("/prometheus/");
    is_prometheus && !path.starts_with("/api/v1/narrows/")
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt;

    async fn crash() -> &'static str {
        panic!("a bug")
    }

    #[tokio::test]
    async fn a_panicking_handler_answers_500() {
        let router = Router::new().route("/", get(crash)).layer(from_fn(catch_panic));
        let request = Request::get("/").body(Body::empty()).unwrap();
        assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
