//! A record as a query sees it, wherever it is kept.

use std::borrow::Cow;

use telemetry::otlp::{LogRecord, Resource, Scope};
use telemetry::{KeyValues, Value};

use crate::Field;
use crate::field::lookup;

/// What queries ask of a record. Head, split and naive scan implement it; the matcher is the same for all.
pub trait Row {
    /// The effective time, ns since 1970.
    fn time_ns(&self) -> i64;
    /// OTLP's severity number, or the one that the source's word stands for; 0 when unset.
    fn severity(&self) -> u8;
    /// The trace id; none if it is invalid or all zeros.
    fn trace_id(&self) -> Option<[u8; 16]>;
    /// The span id; none if it is invalid or all zeros.
    fn span_id(&self) -> Option<[u8; 8]>;
    /// The id of the body's pattern, where the store knows it.
    fn pattern(&self) -> Option<u64> {
        None
    }
    /// The id that the body's pattern would have if no other body were like it. A pattern that was found when few
    /// were known, and is part of a wider one now, is still found by its id.
    fn pattern_alone(&self) -> Option<u64> {
        None
    }
    /// The span that it is part of; only spans have one.
    fn parent_id(&self) -> Option<[u8; 8]> {
        None
    }
    /// Whether an event of it has a name that passes; only spans have events.
    fn any_event(&self, _passes: &mut dyn FnMut(&str) -> bool) -> bool {
        false
    }
    /// The body as text ([`Value::to_text`]); of a span the name and, on a line behind it, the status message.
    fn body(&self) -> Cow<'_, str>;
    /// Any other field's value. `None` and `Value::Empty` both mean that it is missing, and so do an empty
    /// scope or event name, and a service or host name that isn't a string. Severity, ids and patterns are not
    /// asked for.
    fn field(&self, field: &Field) -> Option<Value<'_>>;
}

/// A record in its OTLP form.
#[derive(Clone, Copy, Debug)]
pub struct LogRow<'a> {
    /// What emitted it.
    pub resource: Resource<'a>,
    /// The scope that recorded it.
    pub scope: Scope<'a>,
    /// The record.
    pub record: &'a LogRecord<'a>,
    /// Its effective time, ns since 1970.
    pub time_ns: i64,
}

impl Row for LogRow<'_> {
    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    fn severity(&self) -> u8 {
        self.record.severity()
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        self.record.trace_id()
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        self.record.span_id()
    }

    fn body(&self) -> Cow<'_, str> {
        self.record.body.to_text()
    }

    fn field(&self, field: &Field) -> Option<Value<'_>> {
        match field {
            Field::Severity | Field::TraceId | Field::SpanId | Field::Pattern | Field::Span(_) => None,
            Field::Service => name(&self.resource.attributes(), "service.name"),
            Field::Host => name(&self.resource.attributes(), "host.name"),
            Field::Body => Some(self.record.body),
            Field::Scope => filled(self.scope.name),
            Field::EventName => filled(self.record.event_name),
            Field::Attribute(path) => lookup(&self.record.attributes(), path),
            Field::Resource(path) => lookup(&self.resource.attributes(), path),
            Field::Any(path) => {
                lookup(&self.record.attributes(), path).or_else(|| lookup(&self.resource.attributes(), path))
            }
        }
    }
}

/// A resource's service or host name.
pub(crate) fn name<'a>(attributes: &KeyValues<'a>, path: &str) -> Option<Value<'a>> {
    lookup(attributes, path).filter(|value| matches!(value, Value::Str(_)))
}

pub(crate) fn filled(text: &str) -> Option<Value<'_>> {
    (!text.is_empty()).then_some(Value::Str(text))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
