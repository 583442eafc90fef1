//! What people changed, and who they were: log records of the collector's own, in the
//! tenant `default`, written the way everything is.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use bytes::Bytes;
use events::Hit;
use serde::{Deserialize, Serialize};
use telemetry::otlp::{LogRecord, RecordFields, RecordsWriter, write_record, write_resource, write_scope};
use telemetry::{Batch, Signal, TenantId, Value};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, QueryRefusals};
use super::params::{PageParams, Params, Range, RangeParams, given, read_count};
use super::{App, now_ns, time};
use crate::auth::{Auth, AuthError, Principal};

/// The service of all records that the collector itself writes.
const SERVICE: &str = "narrows";
/// The scope's name, by which searches find them.
const SCOPE: &str = "audit";
/// The search that finds them.
const OWN_LINES: &str = "service:narrows scope:audit attributes.proof:*";
const MAX_OBJECT_CHARS: usize = 256;
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
const DAY_NS: i64 = 86_400_000_000_000;

/// One line of the audit log. Nothing in it may be a secret.
pub(crate) struct Entry<'a> {
    /// A user's name, or `token:` and a token's.
    pub(crate) actor: &'a str,
    /// What was done: `noun.verb`.
    pub(crate) action: &'a str,
    /// To what: `noun/name`.
    pub(crate) object: &'a str,
    /// From where.
    pub(crate) address: IpAddr,
    /// `ok` or `failed`.
    pub(crate) outcome: &'a str,
    /// Of which tenant.
    pub(crate) tenant: &'a TenantId,
}

impl App {
    /// Notes that somebody has changed something. Call it when the change is durable, before the answer.
    ///
    /// `action` is `noun.verb`, as `view.delete`; `object` is `noun/name`, never a secret.
    pub async fn audit(&self, principal: &Principal, action: &str, object: &str) {
        self.note(&Entry {
            actor: &principal.user,
            action,
            object,
            address: principal.address,
            outcome: "ok",
            tenant: &principal.tenant,
        })
        .await;
    }

    /// Who sent this request, and whose data it is about. Every way in goes through here: none where guesses leave no trace.
    pub(crate) async fn authenticate(
        &self,
        headers: &http::HeaderMap,
        peer: std::net::SocketAddr,
    ) -> Result<Principal, AuthError> {
        let outcome = self.auth.authenticate(headers, peer).await;
        if let Err(error) = &outcome {
            self.note_wrong_password(error, peer.ip()).await;
        }
        outcome
    }

    /// Notes that a password was wrong; what was typed as the name is not told unless it is a user's.
    pub(crate) async fn note_wrong_password(&self, error: &AuthError, address: IpAddr) {
        let AuthError::WrongPassword { known } = error else { return };
        self.note(&Entry {
            actor: known.as_deref().unwrap_or("unknown"),
            action: "session.begin",
            object: "session",
            address,
            outcome: "failed",
            tenant: &TenantId::default_tenant(),
        })
        .await;
    }

    /// The same of somebody who is no principal, as a login that failed.
    pub(crate) async fn note(&self, entry: &Entry<'_>) {
        let Entry { actor, action, object, address, outcome, tenant } = entry;
        tracing::info!(actor, action, object, %address, outcome, %tenant, "audit");
        if let Err(error) = self.store.append_own(batch(&self.auth, entry, now_ns())).await {
            // What was done stays done; that it is missing from the log must be seen.
            self.metrics.audit_lost();
            tracing::error!(%error, actor, action, object, "a line of the audit log is lost");
        }
    }
}

impl App {
    /// How many lines of the audit log are among the tenant's records.
    pub(crate) async fn own_lines(&self, tenant: &TenantId) -> Result<u64, ApiError> {
        if tenant.as_str() != TenantId::DEFAULT {
            return Ok(0);
        }
        let admitted = self.queries.admit().await?;
        let all = Range { start_ns: i64::MIN, end_ns: i64::MAX };
        let page = PageParams { limit: Some("1".to_owned()), ..PageParams::default() }.page()?;
        let request = super::logs::request(search::parse(OWN_LINES)?, all, page, &admitted);
        let snapshots = self.store.snapshots(tenant);
        Ok(super::logs::within(admitted.deadline, events::search(&snapshots, &request)).await?.matched)
    }
}

/// In the order of the proof.
const FIELDS: [&str; 6] = ["actor", "action", "object", "address", "outcome", "tenant"];
const PROOF: &str = "proof";

fn batch(auth: &Auth, entry: &Entry<'_>, now_ns: i64) -> Batch {
    let time_ns = u64::try_from(now_ns).unwrap_or_default();
    let object: String = entry.object.chars().take(MAX_OBJECT_CHARS).collect();
    let address = entry.address.to_canonical().to_string();
    let values = [entry.actor, entry.action, &object, &address, entry.outcome, entry.tenant.as_str()];
    let proof = prove(auth, time_ns, &values);
    let fields = FIELDS.into_iter().chain([PROOF]).zip(values.into_iter().chain([proof.as_str()]));
    let attributes: Vec<(&str, Value<'_>)> = fields.map(|(name, value)| (name, Value::Str(value))).collect();
    let is_ok = entry.outcome == "ok";
    let body = format!("{} {} {object}{}", entry.actor, entry.action, if is_ok { "" } else { " (failed)" });
    let (severity_number, severity_text) = if is_ok { (9, "INFO") } else { (13, "WARN") };
    let (mut resource, mut scope, mut record) = (Vec::new(), Vec::new(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str(SERVICE))]);
    write_scope(&mut scope, SCOPE, env!("CARGO_PKG_VERSION"), &[]);
    let fields = RecordFields {
        time_ns,
        observed_time_ns: time_ns,
        severity_number,
        severity_text,
        body: Value::Str(&body),
        attributes: &attributes,
        ..RecordFields::default()
    };
    write_record(&mut record, &fields);
    let mut writer = RecordsWriter::default();
    writer.resource(&resource, "");
    writer.scope(&scope, "");
    writer.record(&record);
    Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Logs,
        producer: None,
        received_at_ns: now_ns,
        payload: Bytes::from(writer.finish()),
    }
}

/// The time is part of it: a line that is copied tells of its own time.
fn prove(auth: &Auth, time_ns: u64, values: &[&str; 6]) -> String {
    let time = time_ns.to_string();
    let all: Vec<&str> = std::iter::once(time.as_str()).chain(values.iter().copied()).collect();
    auth.proof(&all)
}

/// A line of the audit log.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    at: String,
    /// A user's name, or `token:` and a token's; `unknown` where nobody of that name is known.
    actor: String,
    /// `noun.verb`.
    action: String,
    /// `noun/name`, and what it is now.
    object: String,
    /// From where.
    address: String,
    /// `ok` or `failed`.
    outcome: String,
    /// Which tenant the request was about.
    tenant: String,
}

/// The audit log, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditAnswer {
    records: Vec<AuditEntry>,
    /// Lines that only look like the collector's own: they carry no proof of it, and are left out.
    forged: usize,
    /// For the parameter `cursor` of the next page; null when there is none.
    next_cursor: Option<String>,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: Vec<String>,
}

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// The first moment: RFC 3339, or Unix seconds; a day before the end when not given.
    start: Option<String>,
    /// Behind the last moment; now when not given.
    end: Option<String>,
    /// 1 to 1000, 100 when not given.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Reads the audit log: for the tenant `default` all of it, for another what was about that tenant.
#[utoipa::path(
    get, path = "/api/v1/narrows/audit", tag = "access", params(AuditParams), operation_id = "audit",
    responses(
        (status = 200, description = "The lines", body = AuditAnswer),
        QueryRefusals,
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(principal): Extension<Principal>,
    Params(params): Params<AuditParams>,
) -> Result<Json<AuditAnswer>, ApiError> {
    let AuditParams { start, end, limit, cursor } = params;
    let limit = read_count("limit", limit.as_deref(), DEFAULT_LIMIT, MAX_LIMIT)?;
    let page = PageParams { limit: Some(limit.to_string()), order: None, cursor }.page()?;
    let now = now_ns();
    let start = match (given(start.as_deref()), given(end.as_deref())) {
        (None, None) => Some(time::format(now - DAY_NS)),
        (None, Some(end)) => time::parse(end).ok().map(|end| time::format(end.saturating_sub(DAY_NS))),
        (Some(start), _) => Some(start.to_owned()),
    };
    let range = RangeParams { query: None, start, end }.range(now)?;
    let whole = principal.tenant.as_str() == TenantId::DEFAULT;
    let of_tenant =
        if whole { String::new() } else { format!(" attributes.tenant:\"{}\"", principal.tenant) };
    let query = search::parse(&format!("{OWN_LINES}{of_tenant}"))?;
    let admitted = app.queries.admit().await?;
    let request = super::logs::request(query, range, page, &admitted);
    let snapshots = app.store.snapshots(&TenantId::default_tenant());
    let found = super::logs::within(admitted.deadline, events::search(&snapshots, &request)).await?;
    let records: Vec<AuditEntry> = found.records.iter().filter_map(|hit| entry(&app.auth, hit)).collect();
    Ok(Json(AuditAnswer {
        forged: found.records.len() - records.len(),
        records,
        next_cursor: found.next.map(|cursor| cursor.to_string()),
        partial: found.partial,
        warnings: found.warnings,
    }))
}

/// The line of a record that carries its proof.
fn entry(auth: &Auth, hit: &Hit) -> Option<AuditEntry> {
    let record = LogRecord::of_valid(&hit.record);
    let text = |name: &str| match record.attributes().get(name) {
        Some(Value::Str(text)) => text,
        _ => "",
    };
    let values = FIELDS.map(text);
    if prove(auth, record.time_ns, &values) != text(PROOF) {
        return None;
    }
    let [actor, action, object, address, outcome, tenant] = values.map(str::to_owned);
    Some(AuditEntry { at: time::format(hit.key.time_ns), actor, action, object, address, outcome, tenant })
}
