//! Spans of head and splits as the matcher and the sinks see them, read no further than asked.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use search::{Field, Row, SpanField, SpanRow, lookup};
use telemetry::Value;
use telemetry::otlp::{Span, SpanKind, StatusCode};

use super::head::{Chunk, HeadSpan};
use super::prune::Operation;
use super::split::{Attribute, Block, EventNames, Names, Parents, Tables, Texts, Traces};
use super::{SpanSummary, TraceId, UNKNOWN_SERVICE};
use crate::split::coded::Coded;
use crate::split::{ReadError, Stream};

/// A span, of head or split. What is asked of it beyond the row is among the fields that were read.
pub(super) trait SpanView: Row {
    fn id(&self) -> TraceId;
    fn duration_ns(&self) -> u64;
    fn status(&self) -> StatusCode;
    fn kind(&self) -> SpanKind;
    /// "" for none.
    fn service(&self) -> &str;
    fn name(&self) -> &str;

    /// The head of the span.
    fn summary(&self) -> SpanSummary {
        SpanSummary {
            span_id: self.span_id().unwrap_or_default(),
            parent_id: self.parent_id(),
            service: service_name(self.service()).to_owned(),
            name: self.name().to_owned(),
            kind: self.kind(),
            status: self.status(),
            start_ns: self.time_ns(),
            duration_ns: self.duration_ns(),
        }
    }
}

/// The fields that [`SpanView::summary`] needs.
pub(super) const SUMMARY: [Field; 8] = [
    Field::TraceId,
    Field::SpanId,
    Field::Service,
    Field::Span(SpanField::ParentId),
    Field::Span(SpanField::Name),
    Field::Span(SpanField::Kind),
    Field::Span(SpanField::Status),
    Field::Span(SpanField::Duration),
];

/// A service's name for answers.
pub(super) fn service_name(service: &str) -> &str {
    if service.is_empty() { UNKNOWN_SERVICE } else { service }
}

/// A span of the head; its message is walked when something beside the row is asked for.
pub(super) struct HeadView<'a> {
    chunk: &'a Chunk,
    row: usize,
    span: OnceCell<Span<'a>>,
}

impl<'a> HeadView<'a> {
    pub(super) fn new(chunk: &'a Chunk, row: usize) -> Self {
        Self { chunk, row, span: OnceCell::new() }
    }

    fn head(&self) -> &'a HeadSpan {
        &self.chunk.rows[self.row]
    }

    fn operation(&self) -> Operation<'a> {
        self.chunk.operation(self.head().operation as usize)
    }

    fn span(&self) -> &Span<'a> {
        self.span.get_or_init(|| self.chunk.span(self.row))
    }
}

impl SpanView for HeadView<'_> {
    fn id(&self) -> TraceId {
        self.head().trace_id
    }

    fn duration_ns(&self) -> u64 {
        self.head().duration_ns
    }

    fn status(&self) -> StatusCode {
        self.head().status
    }

    fn kind(&self) -> SpanKind {
        self.operation().kind
    }

    fn service(&self) -> &str {
        self.operation().service
    }

    fn name(&self) -> &str {
        self.operation().name.unwrap_or_default()
    }
}

impl Row for HeadView<'_> {
    fn time_ns(&self) -> i64 {
        self.head().time_ns
    }

    fn severity(&self) -> u8 {
        0
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        Some(self.head().trace_id).filter(|id| *id != [0; 16])
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        Some(self.head().span_id).filter(|id| *id != [0; 8])
    }

    fn parent_id(&self) -> Option<[u8; 8]> {
        Some(self.head().parent_id).filter(|id| *id != [0; 8])
    }

    fn any_event(&self, passes: &mut dyn FnMut(&str) -> bool) -> bool {
        self.span().events().any(|event| !event.name.is_empty() && passes(event.name))
    }

    fn body(&self) -> Cow<'_, str> {
        SpanRow::text(SpanView::name(self), self.span().status_message)
    }

    fn field(&self, field: &Field) -> Option<Value<'_>> {
        match field {
            Field::Service => filled(self.service()),
            Field::Span(SpanField::StatusMessage) => filled(self.span().status_message),
            Field::Span(SpanField::Event) => self.span().events().map(|event| event.name).find_map(filled),
            Field::Span(field) => own_field(self, *field),
            Field::Attribute(path) => lookup(&self.span().attributes(), path),
            Field::Any(path) => lookup(&self.span().attributes(), path)
                .or_else(|| lookup(&self.chunk.stream(self.row).resource().attributes(), path)),
            field => stream_field(self.chunk.stream(self.row), field),
        }
    }
}

/// A field that is known of every view.
fn own_field<'v, V: SpanView>(view: &'v V, field: SpanField) -> Option<Value<'v>> {
    match field {
        SpanField::Name => filled(view.name()),
        SpanField::Kind => Some(Value::Str(view.kind().name())),
        SpanField::Status => Some(Value::Str(view.status().name())),
        SpanField::Duration => Some(Value::Int(SpanRow::duration(view.duration_ns()))),
        SpanField::Root => Some(Value::Bool(view.parent_id().is_none())),
        SpanField::ParentId | SpanField::StatusMessage | SpanField::Event => None,
    }
}

/// A field of the resource or the scope, as `search::SpanRow` has it.
pub(super) fn stream_field<'a>(stream: &'a Stream, field: &Field) -> Option<Value<'a>> {
    let resource = |path: &str| lookup(&stream.resource().attributes(), path);
    let named = |path| resource(path).filter(|value| matches!(value, Value::Str(name) if !name.is_empty()));
    match field {
        Field::Service => named("service.name"),
        Field::Host => named("host.name"),
        Field::Scope => filled(stream.scope().name),
        Field::Resource(path) => resource(path),
        _ => None,
    }
}

fn filled(text: &str) -> Option<Value<'_>> {
    (!text.is_empty()).then_some(Value::Str(text))
}

/// The columns of a block that some fields need, beside the times.
pub(super) struct Columns {
    pub(super) times: Arc<Vec<i64>>,
    tables: Arc<Tables>,
    traces: Option<Arc<Traces>>,
    span_ids: Option<Arc<Vec<[u8; 8]>>>,
    parents: Option<Arc<Parents>>,
    streams: Option<Arc<Coded<u32>>>,
    names: Option<Arc<Names>>,
    kinds: Option<Arc<Coded<SpanKind>>>,
    statuses: Option<Arc<Coded<StatusCode>>>,
    messages: Option<Arc<Texts>>,
    durations: Option<Arc<Vec<u64>>>,
    events: Option<Arc<EventNames>>,
    attributes: HashMap<String, Arc<Attribute>>,
}

impl Columns {
    pub(super) fn read(block: &Block, fields: &[Field]) -> Result<Self, ReadError> {
        let mut columns = Self {
            times: block.times()?,
            tables: block.tables()?,
            traces: None,
            span_ids: None,
            parents: None,
            streams: None,
            names: None,
            kinds: None,
            statuses: None,
            messages: None,
            durations: None,
            events: None,
            attributes: HashMap::new(),
        };
        fields.iter().try_for_each(|field| columns.add(block, field))?;
        Ok(columns)
    }

    fn add(&mut self, block: &Block, field: &Field) -> Result<(), ReadError> {
        match field {
            Field::TraceId => self.traces = Some(block.traces()?),
            Field::SpanId => self.span_ids = Some(block.span_ids()?),
            Field::Service | Field::Host | Field::Scope | Field::Resource(_) => {
                self.streams = Some(block.streams()?);
            }
            Field::Attribute(path) | Field::Any(path) => {
                if matches!(field, Field::Any(_)) {
                    self.streams = Some(block.streams()?);
                }
                self.attributes.insert(path.clone(), block.attribute(path)?);
            }
            Field::Span(field) => match field {
                SpanField::Name => self.names = Some(block.names()?),
                SpanField::Kind => self.kinds = Some(block.kinds()?),
                SpanField::Status => self.statuses = Some(block.statuses()?),
                SpanField::StatusMessage => self.messages = Some(block.status_messages()?),
                SpanField::Duration => self.durations = Some(block.durations()?),
                SpanField::ParentId | SpanField::Root => self.parents = Some(block.parents()?),
                SpanField::Event => self.events = Some(block.event_names()?),
            },
            Field::Severity | Field::Body | Field::EventName | Field::Pattern => {}
        }
        Ok(())
    }

    fn stream(&self, row: usize) -> Option<&Stream> {
        self.tables.streams.get(*self.streams.as_ref()?.get(row) as usize)
    }

    /// The values of a field and how many of `rows`, which ascend, have each; `None` if they have to be asked one by
    /// one. The field was read.
    pub(super) fn tally(&self, field: &Field, rows: &[u32]) -> Option<Vec<(Option<Value<'_>>, u64)>> {
        match field {
            Field::Service | Field::Host | Field::Scope | Field::Resource(_) => {
                let tally = self.streams.as_ref()?.tally(rows).into_iter();
                let value = |stream: &u32| stream_field(self.tables.streams.get(*stream as usize)?, field);
                Some(tally.map(|(stream, count)| (value(stream), count)).collect())
            }
            Field::Span(SpanField::Kind) => {
                let tally = self.kinds.as_ref()?.tally(rows).into_iter();
                Some(tally.map(|(kind, count)| (filled(kind.name()), count)).collect())
            }
            Field::Span(SpanField::Status) => {
                let tally = self.statuses.as_ref()?.tally(rows).into_iter();
                Some(tally.map(|(status, count)| (filled(status.name()), count)).collect())
            }
            Field::Attribute(path) | Field::Any(path) => {
                if matches!(field, Field::Any(_)) && self.is_in_resources(path) {
                    return None;
                }
                let tally = self.attributes.get(path)?.coded()?.tally(rows).into_iter();
                Some(tally.map(|(given, count)| (given.value(), count)).collect())
            }
            _ => None,
        }
    }

    /// Whether a resource of the block has an attribute.
    fn is_in_resources(&self, path: &str) -> bool {
        let of_stream = |stream: &u32| self.tables.streams.get(*stream as usize);
        let has = |stream: &Stream| lookup(&stream.resource().attributes(), path).is_some();
        let streams = self.streams.iter().flat_map(|streams| streams.values());
        streams.filter_map(of_stream).any(has)
    }

    /// Each of `rows`, which ascend.
    pub(super) fn views<'a>(&'a self, rows: &'a [u32]) -> impl Iterator<Item = BlockView<'a>> {
        let mut trace = rows.first().map_or(0, |row| match &self.traces {
            Some(traces) => traces.of_row(*row as usize),
            None => 0,
        });
        rows.iter().map(move |row| {
            let row = *row as usize;
            if let Some(traces) = &self.traces {
                while traces.rows(trace).end <= row {
                    trace += 1;
                }
            }
            BlockView { columns: self, row, trace }
        })
    }
}

/// A span of a block.
pub(super) struct BlockView<'a> {
    columns: &'a Columns,
    row: usize,
    /// The place of its trace.
    trace: usize,
}

impl SpanView for BlockView<'_> {
    fn id(&self) -> TraceId {
        self.columns.traces.as_ref().map_or([0; 16], |traces| *traces.id(self.trace))
    }

    fn duration_ns(&self) -> u64 {
        self.columns.durations.as_ref().map_or(0, |durations| durations[self.row])
    }

    fn status(&self) -> StatusCode {
        self.columns.statuses.as_ref().map_or(StatusCode::Unset, |statuses| *statuses.get(self.row))
    }

    fn kind(&self) -> SpanKind {
        self.columns.kinds.as_ref().map_or(SpanKind::Unspecified, |kinds| *kinds.get(self.row))
    }

    fn service(&self) -> &str {
        let streams = self.columns.streams.as_ref();
        streams.map_or("", |streams| self.columns.tables.service(*streams.get(self.row)))
    }

    fn name(&self) -> &str {
        self.columns.names.as_ref().map_or("", |names| names.get(self.row))
    }
}

impl Row for BlockView<'_> {
    fn time_ns(&self) -> i64 {
        self.columns.times[self.row]
    }

    fn severity(&self) -> u8 {
        0
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        Some(self.id()).filter(|id| *id != [0; 16])
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        self.columns.span_ids.as_ref().map(|ids| ids[self.row]).filter(|id| *id != [0; 8])
    }

    fn parent_id(&self) -> Option<[u8; 8]> {
        self.columns.parents.as_ref().and_then(|parents| parents.get(self.row))
    }

    fn any_event(&self, passes: &mut dyn FnMut(&str) -> bool) -> bool {
        let Some(events) = &self.columns.events else { return false };
        events.of(self.row).any(|name| !name.is_empty() && passes(name))
    }

    fn body(&self) -> Cow<'_, str> {
        let message = self.columns.messages.as_ref().map_or("", |messages| messages.get(self.row));
        SpanRow::text(self.name(), message)
    }

    fn field(&self, field: &Field) -> Option<Value<'_>> {
        match field {
            Field::Service => filled(self.service()),
            Field::Span(SpanField::StatusMessage) => {
                self.columns.messages.as_ref().and_then(|messages| filled(messages.get(self.row)))
            }
            Field::Span(SpanField::Event) => {
                self.columns.events.as_ref().and_then(|events| events.of(self.row).find_map(filled))
            }
            Field::Span(field) => own_field(self, *field),
            Field::Attribute(path) => self.columns.attributes.get(path)?.get(self.row),
            Field::Any(path) => self
                .columns
                .attributes
                .get(path)?
                .get(self.row)
                .or_else(|| lookup(&self.columns.stream(self.row)?.resource().attributes(), path)),
            field => stream_field(self.columns.stream(self.row)?, field),
        }
    }
}
