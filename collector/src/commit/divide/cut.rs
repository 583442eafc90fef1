//! The careful way through a batch of logs or spans: item by item into one writer per partition.

use std::collections::BTreeMap;

use bytes::Bytes;
use receive::SinkError;
use telemetry::otlp::{LogsRequest, RecordsWriter, TracesRequest};
use telemetry::{Batch, Outcome};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Divided, ItemLimits, Refusal, TimeWindow, payload_limit};
use crate::commit::kind::{Kind, PartitionId};
use crate::commit::route::Routes;

/// Tags and lengths that a record, its scope and its resource can add at most.
const FRAMING_BYTES: usize = 64;

/// Spans of one resource fall into all partitions, so that it is copied into each: up to this size a batch may.
const SPREAD_BYTES: usize = 1 << 20;

/// The parts of a batch may take up this many times its payload, and one record: each part copies its resource and
/// scope, so a small batch under large ones could become gigabytes. Ones of up to half of a record's limit always fit.
const MAX_COPIES: usize = 4;

pub(super) struct Cutter<'a> {
    kind: Kind,
    batch: Batch,
    routes: &'a Routes,
    limit_bytes: usize,
    /// How much all parts may take up, and how much those that are closed do.
    total_limit_bytes: usize,
    total_bytes: usize,
    window: TimeWindow,
    open: BTreeMap<u16, Open>,
    divided: Divided,
}

/// What items of one resource and scope share.
struct Group<'a> {
    /// Which resource of the request, and which scope of that.
    at: (usize, usize),
    resource: &'a [u8],
    resource_schema: &'a str,
    scope: &'a [u8],
    scope_schema: &'a str,
}

/// A payload that is being written, and which group of the request it is in.
#[derive(Default)]
struct Open {
    writer: RecordsWriter,
    group: Option<(usize, usize)>,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(
        kind: Kind,
        batch: Batch,
        routes: &'a Routes,
        limits: &ItemLimits,
        window: TimeWindow,
    ) -> Self {
        let limit_bytes = payload_limit(&batch, limits);
        let copies = match kind {
            Kind::Spans if batch.payload.len() <= SPREAD_BYTES => MAX_COPIES.max(routes.count()),
            _ => MAX_COPIES,
        };
        Self {
            kind,
            total_limit_bytes: (copies * batch.payload.len()).saturating_add(limit_bytes),
            total_bytes: 0,
            batch,
            routes,
            limit_bytes,
            window,
            open: BTreeMap::new(),
            divided: Divided::default(),
        }
    }

    pub(super) fn logs(mut self, request: &LogsRequest<'_>) -> Result<Divided, SinkError> {
        let (mut index, received_at_ns) = (0, self.batch.received_at_ns);
        for (resource_at, resource) in request.resources().enumerate() {
            let partition = self.routes.of_resource(&self.batch, resource.resource.raw);
            for (scope_at, scope) in resource.scopes().enumerate() {
                let group = Group {
                    at: (resource_at, scope_at),
                    resource: resource.resource.raw,
                    resource_schema: resource.schema_url,
                    scope: scope.scope.raw,
                    scope_schema: scope.schema_url,
                };
                for record in scope.records() {
                    self.item(
                        index,
                        partition,
                        &group,
                        record.raw,
                        record.effective_time_ns(received_at_ns),
                    )?;
                    index += 1;
                }
            }
        }
        self.finish()
    }

    pub(super) fn spans(mut self, request: &TracesRequest<'_>) -> Result<Divided, SinkError> {
        let (mut index, received_at_ns) = (0, self.batch.received_at_ns);
        for (resource_at, resource) in request.resources().enumerate() {
            for (scope_at, scope) in resource.scopes().enumerate() {
                let group = Group {
                    at: (resource_at, scope_at),
                    resource: resource.resource.raw,
                    resource_schema: resource.schema_url,
                    scope: scope.scope.raw,
                    scope_schema: scope.schema_url,
                };
                for span in scope.spans() {
                    let partition = self.routes.of_trace(span.trace_id());
                    self.item(index, partition, &group, span.raw, span.effective_time_ns(received_at_ns))?;
                    index += 1;
                }
            }
        }
        self.finish()
    }

    fn item(
        &mut self,
        index: u32,
        partition: u16,
        group: &Group<'_>,
        raw: &[u8],
        time_ns: i64,
    ) -> Result<(), SinkError> {
        if let Some((refusal, time_ns)) = self.window.check(time_ns) {
            self.refuse(index, refusal, || time_reason(refusal, time_ns));
            return Ok(());
        }
        let resource_bytes = group.resource.len() + group.resource_schema.len();
        let scope_bytes = group.scope.len() + group.scope_schema.len();
        let item_bytes = raw.len() + FRAMING_BYTES;
        if resource_bytes + scope_bytes + item_bytes > self.limit_bytes {
            let (limit, what) = (self.limit_bytes, if self.kind == Kind::Spans { "span" } else { "record" });
            let reason = || format!("a {what} of {} bytes is over the limit of {limit}", raw.len());
            self.refuse(index, Refusal::TooLarge, reason);
            return Ok(());
        }
        let open = self.open.entry(partition).or_default();
        let added_bytes = match open.begins(group.at) {
            (true, _) => resource_bytes + scope_bytes + item_bytes,
            (false, true) => scope_bytes + item_bytes,
            (false, false) => item_bytes,
        };
        let may_cut = self.batch.producer.is_none();
        if may_cut && open.writer.size_bytes() + added_bytes > self.limit_bytes {
            let full = std::mem::take(open);
            self.close(partition, full.writer)?;
        }
        let open = self.open.entry(partition).or_default();
        let (begins_resource, begins_scope) = open.begins(group.at);
        if begins_resource {
            open.writer.resource(group.resource, group.resource_schema);
        }
        if begins_scope {
            open.writer.scope(group.scope, group.scope_schema);
        }
        open.group = Some(group.at);
        open.writer.record(raw);
        self.divided.outcome.accepted += 1;
        Ok(())
    }

    fn refuse(&mut self, index: u32, refusal: Refusal, reason: impl FnOnce() -> String) {
        *self.divided.refused.entry(refusal).or_default() += 1;
        let outcome = &mut self.divided.outcome;
        // The text is made only while it will be kept.
        let text = if outcome.reasons.len() < Outcome::MAX_REASONS { reason() } else { String::new() };
        outcome.reject(index, text);
    }

    fn finish(mut self) -> Result<Divided, SinkError> {
        for (partition, open) in std::mem::take(&mut self.open) {
            self.close(partition, open.writer)?;
        }
        let too_large = self.divided.parts.iter().find(|(_, part)| part.payload.len() > self.limit_bytes);
        match too_large {
            Some((_, part)) => {
                Err(SinkError::TooLarge { size_bytes: part.payload.len(), limit_bytes: self.limit_bytes })
            }
            None => Ok(self.divided),
        }
    }

    fn close(&mut self, partition: u16, writer: RecordsWriter) -> Result<(), SinkError> {
        if writer.record_count() == 0 {
            return Ok(());
        }
        let payload = Bytes::from(writer.finish());
        self.total_bytes += payload.len();
        let id = PartitionId { kind: self.kind, number: partition };
        self.divided.parts.push((id, Batch { payload, ..self.batch.clone() }));
        if self.total_bytes > self.total_limit_bytes {
            let (size_bytes, limit_bytes) = (self.total_bytes, self.total_limit_bytes);
            return Err(SinkError::TooLarge { size_bytes, limit_bytes });
        }
        Ok(())
    }
}

impl Open {
    /// Whether a record of this group begins a resource here, and whether it begins a scope.
    fn begins(&self, group: (usize, usize)) -> (bool, bool) {
        (self.group.map(|(resource_at, _)| resource_at) != Some(group.0), self.group != Some(group))
    }
}

pub(super) fn time_reason(refusal: Refusal, time_ns: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(time_ns)).ok();
    let time = time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{time_ns} ns"));
    match refusal {
        Refusal::TooOld => format!("its time {time} is older than what is kept"),
        _ => format!("its time {time} is too far in the future"),
    }
}
