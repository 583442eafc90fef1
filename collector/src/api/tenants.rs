//! Whose data is kept apart, what each may send, and what each takes of the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::error::ErrorBody;
use crate::auth::{Principal, Role};
use crate::commit::{SeriesLimits, TenantStats};

/// A tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantView {
    name: String,
    /// The configuration names it; one that it names no more still has data.
    configured: bool,
    /// The asker's; null where they have none.
    role: Option<Role>,
    /// How long data is kept, as `15d`; `0s` is for ever.
    retention: String,
    limits: LimitsView,
    storage: StorageView,
}

/// What a tenant may send.
#[derive(Serialize, ToSchema)]
pub(crate) struct LimitsView {
    /// Null is no limit.
    ingest_bytes_per_second: Option<u64>,
    /// Null is no limit.
    ingest_records_per_second: Option<u64>,
    /// Series with a sample within the last hour.
    active_series: usize,
    /// The same, of one metric.
    active_series_per_metric: usize,
}

/// What a tenant has stored; bytes are those of sealed files.
#[derive(Serialize, ToSchema)]
pub(crate) struct StorageView {
    logs_bytes: u64,
    series_bytes: u64,
    traces_bytes: u64,
    /// Log records.
    records: u64,
    spans: u64,
    samples: u64,
    active_series: u64,
}

/// All tenants.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantsAnswer {
    /// Those of the configuration in its order, then others that have data.
    tenants: Vec<TenantView>,
    /// Bytes of sealed files, of all tenants; null for who does not administer all of them.
    total_bytes: Option<u64>,
    /// Bytes of journals, of all tenants; null for who does not administer all of them.
    journal_bytes: Option<u64>,
}

/// Lists the tenants that the asker may read.
#[utoipa::path(
    get, path = "/api/v1/narrows/tenants", tag = "access", operation_id = "tenants",
    responses(
        (status = 200, description = "The tenants", body = TenantsAnswer),
        (status = 401, description = "Nobody", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
) -> Json<TenantsAnswer> {
    let stats = app.store.stats();
    let retention = app.store.retention().map_or_else(|| "0s".to_owned(), super::time::days);
    let view = |name: &str, configured: bool, role: Option<Role>| TenantView {
        name: name.to_owned(),
        configured,
        role,
        retention: retention.clone(),
        limits: limits(&app, name),
        storage: storage(&stats.tenants, name),
    };
    let readable = principal.tenants.iter().filter(|access| access.role >= Role::Viewer);
    let mut tenants: Vec<TenantView> =
        readable.map(|access| view(access.tenant.as_str(), true, Some(access.role))).collect();
    let all = principal.administers_all();
    if all {
        let known: BTreeSet<&str> = app.auth.tenants().iter().map(|tenant| tenant.as_str()).collect();
        let others = stats.tenants.keys().filter(|name| !known.contains(name.as_str()));
        tenants.extend(others.map(|name| view(name, false, None)));
    }
    let (total_bytes, journal_bytes) = (all.then_some(stats.files_bytes), all.then_some(stats.journal_bytes));
    Json(TenantsAnswer { tenants, total_bytes, journal_bytes })
}

fn limits(app: &App, name: &str) -> LimitsView {
    let (rate, SeriesLimits { per_tenant, per_metric }) = app.store.limits_of(name);
    LimitsView {
        ingest_bytes_per_second: rate.bytes_per_second,
        ingest_records_per_second: rate.records_per_second,
        active_series: per_tenant,
        active_series_per_metric: per_metric,
    }
}

fn storage(stats: &BTreeMap<String, TenantStats>, name: &str) -> StorageView {
    let stats = stats.get(name).copied().unwrap_or_default();
    StorageView {
        logs_bytes: stats.size_bytes,
        series_bytes: stats.segments_bytes,
        traces_bytes: stats.spans_bytes,
        records: stats.records,
        spans: stats.spans,
        samples: stats.samples,
        active_series: stats.active_series,
    }
}
