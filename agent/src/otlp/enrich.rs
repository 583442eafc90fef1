//! Gives resources that do not say which host they are from our host's
//! attributes, runs the processors, and cuts requests that are larger than a queue record.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use telemetry::otlp::{
    Any, DecodeError, Item, LogRecord, RecordsWriter, Request, Resource, Span, write_any_attribute,
    write_attribute,
};
use telemetry::{KeyValues, Signal};

use super::fields::without;
use super::spans::{self, Redact};
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

/// A log record or a span, on its way through the processors.
trait Record<'a>: Item<'a> {
    /// What batches of it are called.
    const SIGNAL: Signal;

    /// Whether the processors may do anything to it.
    fn is_changed_by(processors: &Processors) -> bool;

    /// As the processors leave it; `None` if a rule drops it.
    fn process(
        raw: &'a [u8],
        enricher: &Enricher,
        processors: &Processors,
        context: &Context,
    ) -> Option<Cow<'a, [u8]>>;
}

impl<'a> Record<'a> for LogRecord<'a> {
    const SIGNAL: Signal = Signal::Logs;

    fn is_changed_by(processors: &Processors) -> bool {
        !processors.is_empty()
    }

    fn process(
        raw: &'a [u8],
        enricher: &Enricher,
        processors: &Processors,
        context: &Context,
    ) -> Option<Cow<'a, [u8]>> {
        if processors.is_empty() {
            return Some(Cow::Borrowed(raw));
        }
        let record = LogRecord::of_valid(raw);
        let mut draft = Draft::of_record(&record);
        let outcome = processors.apply(&mut draft, context);
        enricher.metrics.observe_outcome(&outcome);
        let mut out = Vec::with_capacity(raw.len() + 16);
        draft.encode(&mut out, record.observed_time_ns as i64, ROOM);
        outcome.dropped_by.is_none().then_some(Cow::Owned(out))
    }
}

/// Rules are for log records: a trace of which some spans are gone tells what did not happen.
impl<'a> Record<'a> for Span<'a> {
    const SIGNAL: Signal = Signal::Spans;

    fn is_changed_by(processors: &Processors) -> bool {
        processors.redact_anything()
    }

    fn process(
        raw: &'a [u8],
        enricher: &Enricher,
        processors: &Processors,
        _: &Context,
    ) -> Option<Cow<'a, [u8]>> {
        if !processors.redact_anything() {
            return Some(Cow::Borrowed(raw));
        }
        Some(spans::redact(raw, &Counting { enricher, processors }))
    }
}

/// Redaction that counts what it has found.
struct Counting<'p> {
    enricher: &'p Enricher,
    processors: &'p Processors,
}

impl Redact for Counting<'_> {
    fn attributes<'a>(&self, raw: &'a [u8], number: u64, attributes: KeyValues<'a>) -> Cow<'a, [u8]> {
        self.enricher.redact(raw, number, attributes, self.processors)
    }

    fn text(&self, text: &str) -> Option<String> {
        let (redacted, outcome) = self.processors.redact_text(text);
        self.enricher.metrics.observe_outcome(&outcome);
        redacted
    }
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

    /// The request as parcels, of spans or else of log records. One that needs no change is passed on as it is.
    pub(super) fn pieces(&self, signal: Signal, payload: &Bytes) -> Result<Pieces, DecodeError> {
        match signal {
            Signal::Spans => self.pieces_of::<Span<'_>>(payload),
            _ => self.pieces_of::<LogRecord<'_>>(payload),
        }
    }

    fn pieces_of<'a, R: Record<'a>>(&self, payload: &'a Bytes) -> Result<Pieces, DecodeError> {
        let request = Request::<R>::parse(payload)?;
        let is_complete = request.resources().all(|resource| names_host(&resource.resource));
        let processors = self.processing.newest();
        if is_complete && payload.len() <= MAX_PARCEL_BYTES && !R::is_changed_by(&processors) {
            let items = request.count() as u32;
            let parcel = Parcel { signal: R::SIGNAL, payload: payload.clone(), items, ..Parcel::default() };
            return Ok(Pieces { parcels: vec![parcel], ..Pieces::default() });
        }
        Ok(self.rebuild(&request, &processors))
    }

    fn rebuild<'a, R: Record<'a>>(&self, request: &Request<'a, R>, processors: &Processors) -> Pieces {
        let (mut pieces, mut writer, mut index) = (Pieces::default(), RecordsWriter::default(), 0);
        for resource in request.resources() {
            let raw_resource = self.complete(&resource.resource);
            let attributes = Resource::of_valid(&raw_resource).attributes();
            let raw_resource = self.redact(&raw_resource, 1, attributes, processors);
            let context = context(&resource.resource);
            writer.resource(&raw_resource, resource.schema_url);
            for scope in resource.scopes() {
                let raw_scope = self.redact(scope.scope.raw, 3, scope.scope.attributes(), processors);
                writer.scope(&raw_scope, scope.schema_url);
                for record in scope.raw_items() {
                    let Some(raw) = R::process(record, self, processors, &context) else {
                        pieces.filtered += 1;
                        index += 1;
                        continue;
                    };
                    let overhead = raw_resource.len() + raw_scope.len() + 64;
                    if writer.record_count() > 0
                        && writer.size_bytes() + raw.len() + overhead > MAX_PARCEL_BYTES
                    {
                        pieces.push(R::SIGNAL, std::mem::take(&mut writer));
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
        pieces.push(R::SIGNAL, writer);
        pieces
    }

    /// A message whose attributes stand in field `number`, without secrets.
    fn redact<'a>(
        &self,
        raw: &'a [u8],
        number: u64,
        attributes: KeyValues<'a>,
        processors: &Processors,
    ) -> Cow<'a, [u8]> {
        if !processors.redact_anything() {
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
    fn complete(&self, resource: &Resource<'_>) -> Vec<u8> {
        let mut raw = resource.raw.to_vec();
        if !names_host(resource) {
            let own = resource.attributes();
            for (key, value) in self.attributes.iter().filter(|(key, _)| own.get(key).is_none()) {
                write_attribute(&mut raw, 1, key, &value.as_value());
            }
        }
        raw
    }
}

impl Pieces {
    fn push(&mut self, signal: Signal, writer: RecordsWriter) {
        let items = writer.record_count() as u32;
        if items > 0 {
            let payload = writer.finish().into();
            self.parcels.push(Parcel { signal, payload, items, ..Parcel::default() });
        }
    }
}

fn context(resource: &Resource<'_>) -> Context {
    let service = resource.attributes().get("service.name");
    let service = service.map_or_else(String::new, |value| value.to_text().into_owned());
    Context { source: "otlp".to_owned(), service, file: String::new() }
}

fn names_host(resource: &Resource<'_>) -> bool {
    resource.attributes().get("host.name").is_some()
}
