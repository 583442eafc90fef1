//! What people changed, and who they were: log records of the collector's own, in the
//! tenant `default`, written the way everything is.

use std::net::IpAddr;

use bytes::Bytes;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource, write_scope};
use telemetry::{Batch, Signal, TenantId, Value};

use super::{App, now_ns};
use crate::auth::Principal;

/// The service of all records that the collector itself writes.
const SERVICE: &str = "narrows";
/// The scope's name, by which searches find them.
const SCOPE: &str = "audit";
const MAX_OBJECT_CHARS: usize = 256;

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

    /// The same of somebody who is no principal, as a login that failed.
    pub(crate) async fn note(&self, entry: &Entry<'_>) {
        let Entry { actor, action, object, address, outcome, tenant } = entry;
        tracing::info!(actor, action, object, %address, outcome, %tenant, "audit");
        if let Err(error) = self.store.append_own(batch(entry, now_ns())).await {
            // What was done stays done; that it is missing from the log must be seen.
            self.metrics.audit_lost();
            tracing::error!(%error, actor, action, object, "a line of the audit log is lost");
        }
    }
}

fn batch(entry: &Entry<'_>, now_ns: i64) -> Batch {
    let object: String = entry.object.chars().take(MAX_OBJECT_CHARS).collect();
    let address = entry.address.to_canonical().to_string();
    let failed = if entry.outcome == "ok" { "" } else { " (failed)" };
    let body = format!("{} {} {object}{failed}", entry.actor, entry.action);
    let attributes = [
        ("actor", Value::Str(entry.actor)),
        ("action", Value::Str(entry.action)),
        ("object", Value::Str(&object)),
        ("address", Value::Str(&address)),
        ("outcome", Value::Str(entry.outcome)),
        ("tenant", Value::Str(entry.tenant.as_str())),
    ];
    let (severity_number, severity_text) = if entry.outcome == "ok" { (9, "INFO") } else { (13, "WARN") };
    let (mut resource, mut scope, mut record) = (Vec::new(), Vec::new(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str(SERVICE))]);
    write_scope(&mut scope, SCOPE, env!("CARGO_PKG_VERSION"), &[]);
    write_record(
        &mut record,
        &RecordFields {
            time_ns: u64::try_from(now_ns).unwrap_or_default(),
            observed_time_ns: u64::try_from(now_ns).unwrap_or_default(),
            severity_number,
            severity_text,
            body: Value::Str(&body),
            attributes: &attributes,
            ..RecordFields::default()
        },
    );
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
