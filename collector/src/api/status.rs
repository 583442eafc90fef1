//! How the collector does, for the UI: what it has of this tenant, and how to send more.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use telemetry::TenantId;
use utoipa::ToSchema;

use super::error::ErrorBody;
use super::probes::{Damaged, Readiness};
use super::{App, time};
use crate::auth::Principal;
use crate::commit::{ProducerStats, StoreStats};

/// Of more records than this the collector's own are no longer counted: it is asked for every few seconds.
const TOLD_APART: u64 = 10_000;

/// The collector's state, for one tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    /// The program's version.
    version: &'static str,
    /// Since its start.
    uptime_s: u64,
    /// It takes data and answers queries.
    ready: bool,
    /// Why not, or what is wrong although it does.
    reasons: Vec<String>,
    /// How to send data.
    otlp: OtlpStatus,
    /// What is stored.
    logs: LogsStatus,
    /// What is stored of traces.
    traces: TracesStatus,
    /// Who has sent it.
    agents: Vec<AgentStatus>,
    /// Sealed files that were set aside.
    damaged: Vec<Damaged>,
}

/// How to send data.
#[derive(Serialize, ToSchema)]
pub(crate) struct OtlpStatus {
    /// OTLP/HTTP.
    http: String,
    /// OTLP/gRPC.
    grpc: String,
    /// Even from the collector's own machine.
    token_required: bool,
}

/// What is stored of a tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct LogsStatus {
    /// Records that queries can find.
    records: u64,
    /// Those of them that were sent, without the lines of the audit log; from 10,000 records on they are not told apart.
    sent: u64,
    /// When the newest batch came, as far as it is known.
    last_received_at: Option<String>,
    /// Bytes of sealed files.
    bytes_on_disk: u64,
    /// Sealed files.
    splits: u64,
}

/// What is stored of a tenant's traces.
#[derive(Serialize, ToSchema)]
pub(crate) struct TracesStatus {
    /// Spans that queries can find.
    spans: u64,
    /// Bytes of sealed files.
    bytes_on_disk: u64,
    /// Sealed files.
    splits: u64,
}

/// A sender that numbers its batches.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentStatus {
    id: String,
    last_seen: String,
}

/// Tells how the collector does.
#[utoipa::path(
    get, path = "/api/v1/narrows/status", tag = "operation",
    responses(
        (status = 200, description = "The state", body = Status),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Json<Status> {
    // What is wrong can name other tenants' files and agents.
    let readiness = if principal.is_operator() { Readiness::of(&app) } else { Readiness::general(&app) };
    let stats = app.store.stats();
    let tenant = stats.tenants.get(principal.tenant.as_str()).copied().unwrap_or_default();
    let sent = if tenant.records < TOLD_APART {
        // The state is told whatever queries do.
        let own = app.own_lines(&principal.tenant).await.unwrap_or_default();
        tenant.records.saturating_sub(own)
    } else {
        tenant.records
    };
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        uptime_s: app.started.elapsed().as_secs(),
        ready: readiness.ready,
        reasons: readiness.reasons,
        otlp: OtlpStatus {
            http: app.addresses.http.clone(),
            grpc: app.addresses.grpc.clone(),
            token_required: app.auth.require_token(),
        },
        logs: LogsStatus {
            records: tenant.records,
            sent,
            last_received_at: last_received_at_ns(&stats, &principal, app.auth.tenants().len())
                .map(time::format),
            bytes_on_disk: tenant.size_bytes,
            splits: tenant.splits,
        },
        traces: TracesStatus {
            spans: tenant.spans,
            bytes_on_disk: tenant.spans_bytes,
            splits: tenant.span_splits,
        },
        agents: agents(&stats.producers, &principal.tenant),
        damaged: readiness.damaged.unwrap_or_default(),
    })
}

/// The newest batch. Among several tenants it is known of numbered batches only: the store's own
/// number would tell one tenant of another.
fn last_received_at_ns(stats: &StoreStats, principal: &Principal, tenants: usize) -> Option<i64> {
    if tenants == 1 {
        return stats.last_received_at_ns;
    }
    let own = stats.producers.iter().filter(|producer| producer.tenant == principal.tenant);
    own.map(|producer| producer.last_received_at_ns).max()
}

/// The tenant's senders by name, each with its last batch: one has a window per epoch and partition.
fn agents(producers: &[ProducerStats], tenant: &TenantId) -> Vec<AgentStatus> {
    let mut last_seen: BTreeMap<&str, i64> = BTreeMap::new();
    for producer in producers.iter().filter(|producer| producer.tenant == *tenant) {
        let seen = last_seen.entry(&producer.id).or_insert(i64::MIN);
        *seen = producer.last_received_at_ns.max(*seen);
    }
    let view = |(id, seen): (&str, i64)| AgentStatus { id: id.to_owned(), last_seen: time::format(seen) };
    last_seen.into_iter().map(view).collect()
}
