//! What people and programs did: deployments, changed settings, flags. Each is a log record in the tenant's own
//! records, so that it is as durable as everything that is accepted, falls with the same retention, counts under the
//! same rate limit, and is found by a search (`service:narrows scope:change`).

use std::time::Instant;

use bytes::Bytes;
use events::{Hit, Order, SearchError, Snapshot};
use telemetry::otlp::{LogRecord, RecordFields, RecordsWriter, write_record, write_resource, write_scope};
use telemetry::{Batch, Signal, TenantId, Value};

/// The service of all records that the collector itself writes.
const SERVICE: &str = "narrows";
const SCOPE: &str = "change";
/// Changes that one answer has.
pub(crate) const MAX_CHANGES: usize = 500;

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// When, ns since 1970.
    pub(crate) at_ns: i64,
    /// To which service; else to which host.
    pub(crate) service: Option<String>,
    pub(crate) host: Option<String>,
    /// `deploy`, `config`, `flag`, `schema`, ….
    pub(crate) kind: String,
    /// What, in words.
    pub(crate) text: String,
    /// Who told it.
    pub(crate) by: String,
}

impl Told {
    /// To be appended as what a sender writes is.
    pub(crate) fn batch(&self, tenant: TenantId, now_ns: i64) -> Batch {
        let fields = [
            ("change.kind", Some(&self.kind)),
            ("change.service", self.service.as_ref()),
            ("change.host", self.host.as_ref()),
            ("change.by", Some(&self.by)),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, Value::Str(value?))));
        let attributes: Vec<(&str, Value<'_>)> = fields.collect();
        let (mut resource, mut scope, mut record) = (Vec::new(), Vec::new(), Vec::new());
        write_resource(&mut resource, &[("service.name", Value::Str(SERVICE))]);
        write_scope(&mut scope, SCOPE, env!("CARGO_PKG_VERSION"), &[]);
        let fields = RecordFields {
            time_ns: u64::try_from(self.at_ns).unwrap_or_default(),
            observed_time_ns: u64::try_from(now_ns).unwrap_or_default(),
            severity_number: 9,
            severity_text: "INFO",
            body: Value::Str(&self.text),
            attributes: &attributes,
            ..RecordFields::default()
        };
        write_record(&mut record, &fields);
        let mut writer = RecordsWriter::default();
        writer.resource(&resource, "");
        writer.scope(&scope, "");
        writer.record(&record);
        let payload = Bytes::from(writer.finish());
        Batch { tenant, signal: Signal::Logs, producer: None, received_at_ns: now_ns, payload }
    }

    fn of(hit: &Hit) -> Self {
        let record = LogRecord::of_valid(&hit.record);
        let text = |name: &str| match record.attributes().get(name) {
            Some(Value::Str(text)) => Some(text.to_owned()),
            _ => None,
        };
        Self {
            at_ns: hit.key.time_ns,
            service: text("change.service"),
            host: text("change.host"),
            kind: text("change.kind").unwrap_or_default(),
            text: record.body.to_text().into_owned(),
            by: text("change.by").unwrap_or_default(),
        }
    }
}

/// What was told of a stretch of time, oldest first, at most [`MAX_CHANGES`]; the newest are kept.
pub(crate) async fn read(
    snapshots: &[Snapshot],
    (start_ns, end_ns): (i64, i64),
    deadline: Instant,
    memory_bytes: usize,
) -> Result<Vec<Told>, SearchError> {
    let query = format!("service:{SERVICE} scope:{SCOPE} attributes.change.kind:*");
    let query = search::parse(&query).map_err(|error| SearchError::Internal(error.to_string()))?;
    let request = events::Request {
        query,
        start_ns,
        end_ns,
        order: Order::Newest,
        limit: MAX_CHANGES,
        cursor: None,
        deadline: Some(deadline),
        max_memory_bytes: memory_bytes,
    };
    let found = events::search(snapshots, &request).await?;
    Ok(found.records.iter().rev().map(Told::of).collect())
}
