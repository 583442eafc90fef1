//! `/-/healthy`, `/-/ready`, `/metrics`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use telemetry::TenantId;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::{App, Peer, guard};
use crate::auth::{AuthError, Principal, Role};
use crate::commit::{Health, PartitionStats, ProducerStats};

/// Whether the collector takes and answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// It does.
    pub ready: bool,
    /// Why not, or what is wrong although it does. Without credentials of an admin of `default`, only how many things of
    /// which kind.
    pub reasons: Vec<String>,
    /// Sealed files that were set aside; answers that would have read them are partial. Only with
    /// such credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damaged: Option<Vec<Damaged>>,
}

/// A sealed file that cannot be read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Damaged {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Readiness {
    /// As it is now, for the admin.
    pub(crate) fn of(app: &App) -> Self {
        let health = app.store.health();
        let damaged = health.damaged.into_iter();
        let damaged = damaged.map(|split| Damaged { name: split.name, reason: split.reason }).collect();
        Self::new(app, health.ready, health.reasons, Some(damaged))
    }

    /// For anybody: names of tenants, senders and files are nobody's business.
    pub(crate) fn general(app: &App) -> Self {
        let (health, stats) = (app.store.health(), app.store.stats());
        let reasons = kinds(&health, &stats.partitions, &stats.producers);
        Self::new(app, health.ready, reasons, None)
    }

    fn new(app: &App, ready: bool, mut reasons: Vec<String>, damaged: Option<Vec<Damaged>>) -> Self {
        if let Some(certificates) = &app.addresses.certificates {
            let conditions = certificates.conditions();
            match damaged {
                Some(_) => reasons.extend(conditions),
                None if conditions.is_empty() => {}
                None => reasons.push(format!("things are wrong with the certificates: {}", conditions.len())),
            }
        }
        if app.is_stopping() {
            reasons.push("stopping".to_owned());
        }
        Self { ready: ready && !app.is_stopping(), reasons, damaged }
    }
}

/// What is wrong, in numbers only.
fn kinds(health: &Health, partitions: &[PartitionStats], producers: &[ProducerStats]) -> Vec<String> {
    let partitions = |test: fn(&PartitionStats) -> bool| partitions.iter().filter(|one| test(one)).count();
    let known = [
        (health.damaged.len(), "sealed files are damaged"),
        (partitions(|one| one.last_error.is_some()), "partitions failed to seal or merge"),
        (partitions(|one| one.aside_total > 0), "partitions have set records aside"),
        (producers.iter().filter(|one| one.returns > 0).count(), "producers are two live agents"),
    ];
    // Whatever else there is stops ingest, and its words could name anything.
    let rest = health.reasons.len().saturating_sub(known.iter().map(|(count, _)| count).sum());
    let known = known.into_iter().chain([(rest, "conditions of the disk or a partition stop ingest")]);
    known.filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}")).collect()
}

/// The process is alive.
#[utoipa::path(
    get, path = "/-/healthy", tag = "operation", security(()),
    responses((status = 200, description = "It is", body = String))
)]
pub(crate) async fn healthy() -> &'static str {
    "healthy\n"
}

/// Data is taken and queries are answered. The admin is told details.
#[utoipa::path(
    get, path = "/-/ready", tag = "operation", security((), ("session" = []), ("basic" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready, and why", body = Readiness),
    )
)]
pub(crate) async fn ready(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    // Wrong credentials change nothing: a probe must get its answer.
    let principal = app.authenticate(&headers, peer).await;
    let readiness = match principal {
        Ok(principal) if principal.is_operator() => Readiness::of(&app),
        _ => Readiness::general(&app),
    };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// The collector's own metrics. From this machine without credentials, unless tokens are required.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", security((), ("basic" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "Prometheus text format 0.0.4", body = String, content_type = "text/plain"),
        (status = 401, description = "From elsewhere, without credentials", body = ErrorBody),
    )
)]
pub(crate) async fn metrics(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let peer = guard::peer(&parts)?;
    let is_trusted = app.auth.is_trusted(&parts.headers, Some(peer));
    if !is_trusted || parts.headers.contains_key(header::AUTHORIZATION) {
        let principal = app.authenticate(&parts.headers, peer).await?;
        require_metrics(&principal)?;
    }
    let text = app.metrics.render(&app).map_err(|error| {
        tracing::error!(%error, "cannot render metrics");
        ApiError::Internal
    })?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// They are stored in the tenant `default` anyway: its viewers may have them.
fn require_metrics(principal: &Principal) -> Result<(), ApiError> {
    if principal.role_in(&TenantId::default_tenant()) >= Some(Role::Viewer) {
        return Ok(());
    }
    let message = "the collector's own metrics are of the tenant default: they take the role viewer there";
    Err(AuthError::Forbidden(message.to_owned()).into())
}

#[cfg(test)]
mod tests {
    use crate::commit::DamagedFile;

    use super::*;

    #[test]
    fn nobody_is_told_a_name() {
        let damaged = |name: &str| DamagedFile { name: name.to_owned(), reason: "cut off".to_owned() };
        let reasons =
            ["the disk is nearly full", "logs partition 3 has stopped: /secret/path", "file a", "file b"];
        let health = Health {
            ready: false,
            reasons: reasons.map(str::to_owned).to_vec(),
            damaged: vec![damaged("secret/a"), damaged("secret/b")],
            lag_bytes: 0,
        };
        let expected =
            ["sealed files are damaged: 2", "conditions of the disk or a partition stop ingest: 2"];
        assert_eq!(kinds(&health, &[], &[]), expected);
        let well = Health { ready: true, reasons: Vec::new(), damaged: Vec::new(), lag_bytes: 0 };
        assert!(kinds(&well, &[], &[]).is_empty());
    }
}
