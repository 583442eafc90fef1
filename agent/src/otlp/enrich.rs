//! Gives resources that do not say which host they are from our host's
//! attributes, runs the processors, and cuts requests that are larger than a queue record.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use telemetry::otlp::{
    Any, DecodeError, LogRecord, LogsRequest, RecordsWriter, Resource, ResourceLogs, write_any_attribute,
    write_attribute,
};

use crate::config::Scalar;
use crate::draft::{Attributes, Draft, Room};
use crate::metrics::Metrics;
use crate::process::{Context, Processing, Processors};
use crate::queue::{MAX_PARCEL_BYTES, Parcel};

/// Knows what this host is.
pub(super) struct Enricher {
    attributes: Vec<(String, Scalar)>,
    processing: Processing,
    metrics: Arc<Metrics>,
}

/// A program's record is kept as large as it is: it fits a parcel, or is refused.
const ROOM: Room = Room { body_bytes: usize::MAX, record_bytes: usize::MAX };

/// A request, ready for the queue.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pieces {
    pub(super) parcels: Vec<Parcel>,
    /// Records that no parcel can hold, by their index in the request.
    pub(super) too_large: Vec<u32>,
    /// How many records rules have dropped.
    pub(super) filtered: u64,
}

impl Enricher {
    pub(super) fn new(resource: &[(String, Scalar)], processing: Processing, metrics: Arc<Metrics>) -> Self {
        Self { attributes: resource.to_vec(), processing, metrics }
    }

    /// The request as parcels. One that needs no change is passed on as it is.
    pub(super) fn pieces(&self, payload: &Bytes) -> Result<Pieces, DecodeError> {
        let request = LogsRequest::parse(payload)?;
        let is_complete = request.resources().all(|resource| names_host(&resource));
        let processors = self.processing.newest();
        if is_complete && payload.len() <= MAX_PARCEL_BYTES && processors.is_empty() {
            let parcel = Parcel {
                payload: payload.clone(),
                items: request.record_count() as u32,
                ..Parcel::default()
            };
            return Ok(Pieces { parcels: vec![parcel], ..Pieces::default() });
        }
        Ok(self.rebuild(&request, &processors))
    }

    fn rebuild(&self, request: &LogsRequest<'_>, processors: &Processors) -> Pieces {
        let (mut pieces, mut writer, mut index) = (Pieces::default(), RecordsWriter::default(), 0);
        for resource in request.resources() {
            let raw_resource = self.complete(&resource);
            let attributes = Resource::of_valid(&raw_resource).attributes();
            let raw_resource = self.redact(&raw_resource, 1, attributes, processors);
            let context = context(&resource);
            writer.resource(&raw_resource, resource.schema_url);
            for scope in resource.scopes() {
                let raw_scope = self.redact(scope.scope.raw, 3, scope.scope.attributes(), processors);
                writer.scope(&raw_scope, scope.schema_url);
                for record in scope.records() {
                    let Some(raw) = self.process(&record, processors, &context) else {
                        pieces.filtered += 1;
                        index += 1;
                        continue;
                    };
                    let overhead = raw_resource.len() + raw_scope.len() + 64;
                    if writer.record_count() > 0
                        && writer.size_bytes() + raw.len() + overhead > MAX_PARCEL_BYTES
                    {
                        pieces.push(std::mem::take(&mut writer));
                        writer.resource(&raw_resource, resource.schema_url);
                        writer.scope(&raw_scope, scope.schema_url);
                    }
                    if raw.len() + overhead + writer.size_bytes() > MAX_PARCEL_BYTES {
                        pieces.too_large.push(index);
                    } else {
                        writer.record(&raw);
                    }
                    index += 1;
                }
            }
        }
        pieces.push(writer);
        pieces
    }

    /// The record as the processors leave it; `None` if a rule drops it.
    fn process<'a>(
        &self,
        record: &LogRecord<'a>,
        processors: &Processors,
        context: &Context,
    ) -> Option<Cow<'a, [u8]>> {
        if processors.is_empty() {
            return Some(Cow::Borrowed(record.raw));
        }
        let mut draft = Draft::of_record(record);
        let outcome = processors.apply(&mut draft, context);
        self.metrics.observe_outcome(&outcome);
        let mut raw = Vec::with_capacity(record.raw.len() + 16);
        draft.encode(&mut raw, record.observed_time_ns as i64, ROOM);
        outcome.dropped_by.is_none().then_some(Cow::Owned(raw))
    }

    /// A resource or scope whose attributes stand in field `number`, without secrets.
    fn redact<'a>(
        &self,
        raw: &'a [u8],
        number: u64,
        attributes: telemetry::KeyValues<'a>,
        processors: &Processors,
    ) -> Cow<'a, [u8]> {
        if processors.is_empty() {
            return Cow::Borrowed(raw);
        }
        let mut attributes: Attributes<'a> =
            attributes.iter().map(|(key, value)| (Cow::Borrowed(key), Any::from_value(value))).collect();
        let outcome = processors.redact(&mut attributes);
        if outcome.redacted.is_empty() {
            return Cow::Borrowed(raw);
        }
        self.metrics.observe_outcome(&outcome);
        let mut out = without(raw, number);
        attributes.iter().for_each(|(key, value)| write_any_attribute(&mut out, number as u32, key, value));
        Cow::Owned(out)
    }

    /// The resource with our attributes behind its own; what it says itself stays.
    fn complete(&self, resource: &ResourceLogs<'_>) -> Vec<u8> {
        let mut raw = resource.resource.raw.to_vec();
        if !names_host(resource) {
            let own = resource.resource.attributes();
            for (key, value) in self.attributes.iter().filter(|(key, _)| own.get(key).is_none()) {
                write_attribute(&mut raw, 1, key, &value.as_value());
            }
        }
        raw
    }
}

impl Pieces {
    fn push(&mut self, writer: RecordsWriter) {
        let items = writer.record_count() as u32;
        if items > 0 {
            self.parcels.push(Parcel { payload: writer.finish().into(), items, ..Parcel::default() });
        }
    }
}

/// A valid message without one of its fields.
fn without(raw: &[u8], number: u64) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(raw.len()), raw);
    while let Some((len, field)) = field_len(rest).filter(|(len, _)| *len <= rest.len()) {
        let (whole, behind) = rest.split_at(len);
        if field != number {
            out.extend_from_slice(whole);
        }
        rest = behind;
    }
    out
}

/// How long the first field is, and its number.
fn field_len(raw: &[u8]) -> Option<(usize, u64)> {
    let (tag, at) = varint(raw)?;
    let len = match tag & 7 {
        0 => at + varint(raw.get(at..)?)?.1,
        1 => at + 8,
        2 => {
            let (len, size) = varint(raw.get(at..)?)?;
            usize::try_from(len).ok()?.checked_add(at + size)?
        }
        5 => at + 4,
        _ => return None,
    };
    Some((len, tag >> 3))
}

fn varint(raw: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (at, byte) in raw.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

fn context(resource: &ResourceLogs<'_>) -> Context {
    let service = resource.resource.attributes().get("service.name");
    let service = service.map_or_else(String::new, |value| value.to_text().into_owned());
    Context { source: "otlp".to_owned(), service, file: String::new() }
}

fn names_host(resource: &ResourceLogs<'_>) -> bool {
    resource.resource.attributes().get("host.name").is_some()
}
