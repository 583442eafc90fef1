//! Alerts: posted by whoever may send data, and listed.

use std::sync::Arc;

use alerting::dispatch::Core;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, header};
use receive::{Gate, RequestHead};
use telemetry::TenantId;

use super::body::{Refused, read};
use super::error::AmError;
use super::filter::Filter;
use super::wire::{self, GettableAlert, PostableAlert};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::pairs::Pairs;
use crate::api::{App, Peer, guard, now_ns};
use crate::auth::{AuthError, IngestGate, Principal, Role};

/// Alerts that fire now, by fingerprint.
#[utoipa::path(
    get, path = "/alertmanager/api/v2/alerts", tag = "alertmanager", operation_id = "am_alerts",
    params(
        ("active" = Option<bool>, Query, description = "With those that somebody is told of; true when not given"),
        ("silenced" = Option<bool>, Query, description = "With silenced ones"),
        ("inhibited" = Option<bool>, Query, description = "With inhibited ones"),
        ("unprocessed" = Option<bool>, Query, description = "Without effect"),
        ("filter" = Option<Vec<String>>, Query, description = "A matcher; may be repeated"),
        ("receiver" = Option<String>, Query, description = "A regular expression for the names of receivers"),
        ("receiver_matchers" = Option<Vec<String>>, Query, description = "A matcher of receivers' labels; may be repeated"),
    ),
    responses(
        (status = 200, description = "Alerts", body = Vec<GettableAlert>),
        (status = 400, description = "A parameter is wrong", body = String),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    pairs: Pairs,
) -> Result<Json<Vec<GettableAlert>>, AmError> {
    let filter = Filter::read(&pairs)?;
    let now_ms = now_ns() / 1_000_000;
    let mut alerts = app.notifier.with(&principal.tenant, |core| collect(core, &filter, now_ms))?;
    alerts.sort_by(|a, b| a.fingerprint().cmp(b.fingerprint()));
    alerts.iter_mut().for_each(|alert| alert.explain(&app.notifier, principal.tenant.as_str()));
    Ok(Json(alerts))
}

fn collect(core: &Core, filter: &Filter, now_ms: i64) -> Vec<GettableAlert> {
    let firing = core.state().alerts.values().filter(|stored| !stored.alert.is_resolved_at(now_ms));
    let mut alerts = Vec::new();
    for stored in firing.filter(|stored| filter.wants_labels(&stored.alert.labels)) {
        let labels = &stored.alert.labels;
        let receivers: Vec<String> = core.receivers_of(labels).into_iter().map(str::to_owned).collect();
        if !receivers.iter().any(|name| filter.wants_receiver(name, &core.setup().receiver_labels)) {
            continue;
        }
        let status = core.status(labels, now_ms);
        if filter.wants_status(&status) {
            alerts.push(wire::alert(stored, status, receivers, Vec::new()));
        }
    }
    alerts
}

/// Takes alerts in; they are durable when this is answered. What is wrong with one does not keep the others out.
#[utoipa::path(
    post, path = "/alertmanager/api/v2/alerts", tag = "alertmanager", operation_id = "am_post_alerts",
    request_body = Vec<PostableAlert>, security((), ("session" = []), ("basic" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "Taken"),
        (status = 400, description = "Not all of it are alerts; the others are taken", body = String),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed, or a foreign page", body = ErrorBody),
        (status = 413, description = "Too large", body = String),
        (status = 429, description = "The tenant has too many alerts, or too many are on their way", body = String),
        (status = 503, description = "They cannot be made durable", body = String),
    )
)]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
) -> Result<Response, AmError> {
    let (parts, body) = request.into_parts();
    let tenant = sender(&app, &parts.headers, peer).await?.0;
    let most = app.limits.body_bytes;
    let (body, _share) = match read(&app.posted, body, most).await {
        Ok(read) => read,
        Err(Refused::Busy) => return Err(AmError::Busy),
        Err(Refused::TooLarge) => {
            let text =
                format!("the body is larger than {most} bytes, or did not come whole: post fewer alerts");
            return Ok((StatusCode::PAYLOAD_TOO_LARGE, Json(text)).into_response());
        }
    };
    let posted: Vec<PostableAlert> = serde_json::from_slice(&body)
        .map_err(|error| AmError::Bad(format!("the body is not a list of alerts: {error}")))?;
    let (mut drafts, mut refused) = (Vec::with_capacity(posted.len()), Vec::new());
    for alert in posted {
        match alert.draft() {
            Ok(draft) => drafts.push(draft),
            Err(why) => refused.push(why),
        }
    }
    let taken = app.notifier.post(&tenant, drafts).await?;
    refused.extend(taken.refused);
    match refused.first() {
        None => Ok(StatusCode::OK.into_response()),
        Some(first) => {
            let (bad, good) = (refused.len(), taken.accepted);
            Err(AmError::Bad(format!("{bad} alerts are wrong and {good} were taken; the first: {first}")))
        }
    }
}

/// Whose alerts, or changes, these are: of whoever may send data, or of an editor; and who that is, if it is known.
pub(in crate::api) async fn sender(
    app: &Arc<App>,
    headers: &HeaderMap,
    peer: std::net::SocketAddr,
) -> Result<(TenantId, Option<String>), ApiError> {
    // Somebody who says who they are is no nobody on this machine.
    let is_by_cookie = !headers.contains_key(header::AUTHORIZATION) && app.auth.has_cookie(headers);
    let refused = match IngestGate(Arc::clone(&app.auth)).admit(&RequestHead::new(headers, Some(peer))) {
        Ok(tenant) if !is_by_cookie => return Ok((tenant, None)),
        Ok(_) => None,
        Err(refused) => Some(refused),
    };
    // Whatever the credentials, a foreign page sends nothing.
    app.auth.browser().check_write(headers)?;
    let principal = match (app.authenticate(headers, peer).await, refused) {
        (Ok(principal), _) => principal,
        (Err(known @ AuthError::Forbidden(_)), _) | (Err(known), None) => return Err(known.into()),
        (Err(_), Some(refused)) => return Err(refused.into()),
    };
    guard::require(&principal, Role::Editor)?;
    guard::check_write(app, headers, &principal, false)?;
    Ok((principal.tenant, Some(principal.user)))
}
