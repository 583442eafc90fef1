//! Rows of head and splits as the matcher sees them, read no further than asked.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use bytes::Bytes;
use search::{Field, LogRow, Row, lookup};
use telemetry::Value;
use telemetry::otlp::LogRecord;

use crate::head::Chunk;
use crate::patterns::book::Book;
use crate::split::Stream;
use crate::split::record::Body;

/// A row of the head; its record is walked when something beside time and severity is asked for.
pub(crate) struct HeadView<'a> {
    pub(super) chunk: &'a Arc<Chunk>,
    pub(super) row: usize,
    /// The patterns, where the query asks for them.
    book: Option<&'a Book>,
    /// Of its body, found once.
    outline: OnceCell<Option<u64>>,
    record: OnceCell<LogRecord<'a>>,
}

impl<'a> HeadView<'a> {
    pub(crate) fn new(chunk: &'a Arc<Chunk>, row: usize) -> Self {
        Self { chunk, row, book: None, outline: OnceCell::new(), record: OnceCell::new() }
    }

    pub(super) fn with(self, book: Option<&'a Book>) -> Self {
        Self { book, ..self }
    }

    fn record(&self) -> &LogRecord<'a> {
        self.record.get_or_init(|| self.chunk.record(self.row))
    }
}

impl Row for HeadView<'_> {
    fn time_ns(&self) -> i64 {
        self.chunk.rows[self.row].time_ns
    }

    fn severity(&self) -> u8 {
        self.chunk.rows[self.row].severity
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        self.record().trace_id()
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        self.record().span_id()
    }

    fn pattern(&self) -> Option<u64> {
        self.pattern_alone().and_then(|outline| Some(self.book?.pattern_of_outline(outline)))
    }

    fn pattern_alone(&self) -> Option<u64> {
        self.book?;
        *self.outline.get_or_init(|| Book::outline_of(&self.body()))
    }

    fn body(&self) -> Cow<'_, str> {
        self.record().body.to_text()
    }

    fn field(&self, field: &Field) -> Option<Value<'_>> {
        match field {
            Field::Body => Some(self.record().body),
            _ => field_of(self.chunk.stream(self.row), self.record(), field),
        }
    }
}

/// What a row shows whose stream is not needed.
static NO_STREAM: Stream = Stream {
    resource: Bytes::new(),
    resource_schema_url: Bytes::new(),
    scope: Bytes::new(),
    scope_schema_url: Bytes::new(),
};

/// A row of a block, with the columns that the query needs; the others are at their defaults.
#[derive(Default)]
pub(super) struct BlockView<'a> {
    pub(super) time_ns: i64,
    pub(super) severity: u8,
    pub(super) stream: Option<&'a Stream>,
    pub(super) trace: Option<&'a [u8; 16]>,
    pub(super) body: Option<Body<'a>>,
    /// Whether the record has a body at all.
    pub(super) has_body: bool,
    pub(super) rest: &'a [u8],
    /// The patterns, where the query asks for them.
    pub(super) book: Option<&'a Book>,
    /// Of its body, found once.
    pub(super) outline: OnceCell<Option<u64>>,
    pub(super) record: OnceCell<LogRecord<'a>>,
}

impl<'a> BlockView<'a> {
    /// The record without the fields that are in columns.
    fn record(&self) -> &LogRecord<'a> {
        self.record.get_or_init(|| LogRecord::of_valid(self.rest))
    }

    fn body_value(&self) -> Option<Value<'a>> {
        match self.body? {
            Body::Text(_) if !self.has_body => None,
            Body::Text(text) => Some(Value::Str(text)),
            Body::Raw(field) => Some(LogRecord::of_valid(field).body),
        }
    }
}

impl Row for BlockView<'_> {
    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    fn severity(&self) -> u8 {
        self.severity
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        self.trace.copied()
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        self.record().span_id()
    }

    fn pattern(&self) -> Option<u64> {
        self.pattern_alone().and_then(|outline| Some(self.book?.pattern_of_outline(outline)))
    }

    fn pattern_alone(&self) -> Option<u64> {
        self.book?;
        *self.outline.get_or_init(|| Book::outline_of(&self.body()))
    }

    fn body(&self) -> Cow<'_, str> {
        match self.body {
            None => Cow::Borrowed(""),
            Some(Body::Text(text)) => Cow::Borrowed(text),
            Some(Body::Raw(field)) => LogRecord::of_valid(field).body.to_text(),
        }
    }

    fn field(&self, field: &Field) -> Option<Value<'_>> {
        if *field == Field::Body {
            return self.body_value();
        }
        field_of(self.stream.unwrap_or(&NO_STREAM), self.record(), field)
    }
}

/// What `search::LogRow` answers for fields of the stream and the record, borrowed from what outlives the row.
fn field_of<'a>(stream: &'a Stream, record: &LogRecord<'a>, field: &Field) -> Option<Value<'a>> {
    let resource = |path: &str| lookup(&stream.resource().attributes(), path);
    let name = |path: &str| resource(path).filter(|value| matches!(value, Value::Str(_)));
    let filled = |text: &'a str| (!text.is_empty()).then_some(Value::Str(text));
    match field {
        Field::Severity | Field::TraceId | Field::SpanId | Field::Pattern | Field::Body => None,
        Field::Span(_) => None,
        Field::Service => name("service.name"),
        Field::Host => name("host.name"),
        Field::Scope => filled(stream.scope().name),
        Field::EventName => filled(record.event_name),
        Field::Attribute(path) => lookup(&record.attributes(), path),
        Field::Resource(path) => resource(path),
        Field::Any(path) => lookup(&record.attributes(), path).or_else(|| resource(path)),
    }
}

/// A record with its pattern.
pub(super) struct WithPattern<'a> {
    row: LogRow<'a>,
    book: Option<&'a Book>,
    outline: OnceCell<Option<u64>>,
}

impl<'a> WithPattern<'a> {
    pub(super) fn new(row: LogRow<'a>, book: Option<&'a Book>) -> Self {
        Self { row, book, outline: OnceCell::new() }
    }
}

impl Row for WithPattern<'_> {
    fn time_ns(&self) -> i64 {
        self.row.time_ns()
    }

    fn severity(&self) -> u8 {
        self.row.severity()
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        self.row.trace_id()
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        self.row.span_id()
    }

    fn pattern(&self) -> Option<u64> {
        self.pattern_alone().and_then(|outline| Some(self.book?.pattern_of_outline(outline)))
    }

    fn pattern_alone(&self) -> Option<u64> {
        self.book?;
        *self.outline.get_or_init(|| Book::outline_of(&self.body()))
    }

    fn body(&self) -> Cow<'_, str> {
        self.row.body()
    }

    fn field(&self, field: &Field) -> Option<Value<'_>> {
        self.row.field(field)
    }
}

/// Which columns of a block something needs, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs(u8);

impl Needs {
    pub(super) const NONE: Self = Self(0);
    pub(super) const TIME: Self = Self(1);
    pub(super) const SEVERITY: Self = Self(2);
    pub(super) const STREAM: Self = Self(4);
    pub(super) const TRACE: Self = Self(8);
    pub(super) const BODY: Self = Self(16);
    pub(super) const SHAPE: Self = Self(32);
    pub(super) const REST: Self = Self(64);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Nothing beside these.
    pub(super) fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(super) fn of(field: &Field) -> Self {
        match field {
            Field::Span(_) => Self::NONE,
            Field::Severity => Self::SEVERITY,
            Field::Service | Field::Host | Field::Scope | Field::Resource(_) => Self::STREAM,
            Field::Body => Self::BODY.and(Self::SHAPE),
            Field::Pattern => Self::BODY,
            Field::TraceId => Self::TRACE,
            Field::SpanId | Field::EventName | Field::Attribute(_) => Self::REST,
            Field::Any(_) => Self::REST.and(Self::STREAM),
        }
    }
}
