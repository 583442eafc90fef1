//! The careful way through a batch: record by record into one writer per partition.

use std::collections::BTreeMap;

use bytes::Bytes;
use receive::SinkError;
use telemetry::otlp::{LogRecord, LogsRequest, RecordsWriter, ResourceLogs, ScopeLogs};
use telemetry::{Batch, Outcome};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Divided, ItemLimits, Refusal, TimeWindow, payload_limit};
use crate::commit::kind::PartitionId;
use crate::commit::route::Routes;

/// Tags and lengths that a record, its scope and its resource can add at most.
const FRAMING_BYTES: usize = 64;

/// The parts of a batch may take up this many times its payload, and one record: each part copies its resource and
/// scope, so a small batch under large ones could become gigabytes. Ones of up to half of a record's limit always fit.
const MAX_COPIES: usize = 4;

pub(super) struct Cutter<'a> {
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

/// A payload that is being written, and which group of the request it is in.
#[derive(Default)]
struct Open {
    writer: RecordsWriter,
    group: Option<(usize, usize)>,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(batch: Batch, routes: &'a Routes, limits: &ItemLimits, window: TimeWindow) -> Self {
        let limit_bytes = payload_limit(&batch, limits);
        Self {
            total_limit_bytes: (MAX_COPIES * batch.payload.len()).saturating_add(limit_bytes),
            total_bytes: 0,
            batch,
            routes,
            limit_bytes,
            window,
            open: BTreeMap::new(),
            divided: Divided::default(),
        }
    }

    pub(super) fn run(mut self, request: &LogsRequest<'_>) -> Result<Divided, SinkError> {
        let mut index = 0;
        for (resource_at, resource) in request.resources().enumerate() {
            let partition = self.routes.of_resource(&self.batch, resource.resource.raw);
            for (scope_at, scope) in resource.scopes().enumerate() {
                for record in scope.records() {
                    self.record(index, partition, (resource_at, scope_at), &resource, &scope, &record)?;
                    index += 1;
                }
            }
        }
        self.finish()
    }

    fn record(
        &mut self,
        index: u32,
        partition: u16,
        group: (usize, usize),
        resource: &ResourceLogs<'_>,
        scope: &ScopeLogs<'_>,
        record: &LogRecord<'_>,
    ) -> Result<(), SinkError> {
        if let Some((refusal, time_ns)) = self.window.check(record) {
            self.refuse(index, refusal, || time_reason(refusal, time_ns));
            return Ok(());
        }
        let resource_bytes = resource.resource.raw.len() + resource.schema_url.len();
        let scope_bytes = scope.scope.raw.len() + scope.schema_url.len();
        let record_bytes = record.raw.len() + FRAMING_BYTES;
        if resource_bytes + scope_bytes + record_bytes > self.limit_bytes {
            let limit = self.limit_bytes;
            let reason = || format!("a record of {} bytes is over the limit of {limit}", record.raw.len());
            self.refuse(index, Refusal::TooLarge, reason);
            return Ok(());
        }
        let open = self.open.entry(partition).or_default();
        let added_bytes = match open.begins(group) {
            (true, _) => resource_bytes + scope_bytes + record_bytes,
            (false, true) => scope_bytes + record_bytes,
            (false, false) => record_bytes,
        };
        let may_cut = self.batch.producer.is_none();
        if may_cut && open.writer.size_bytes() + added_bytes > self.limit_bytes {
            let full = std::mem::take(open);
            self.close(partition, full.writer)?;
        }
        let open = self.open.entry(partition).or_default();
        let (begins_resource, begins_scope) = open.begins(group);
        if begins_resource {
            open.writer.resource(resource.resource.raw, resource.schema_url);
        }
        if begins_scope {
            open.writer.scope(scope.scope.raw, scope.schema_url);
        }
        open.group = Some(group);
        open.writer.record(record.raw);
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
        self.divided.parts.push((PartitionId::logs(partition), Batch { payload, ..self.batch.clone() }));
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
