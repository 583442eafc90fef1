//! Writes OTLP logs and traces requests: items that are made here, and items that are
//! copied raw from a request into another (cut by size, by partition, by what was refused).

mod metrics;
mod pieces;
mod span;

pub use metrics::{MetricHead, MetricsWriter, NumberFields, NumberKind};
pub use pieces::{MetricsPiece, PieceLimits, cut_metrics};
pub use span::{EventFields, LinkFields, SpanFields, write_span};

use super::wire::{put_bytes, put_fixed32, put_fixed64, put_text, put_uint, varint_len};
use crate::value::Value;

/// Groups raw `LogRecord`s or raw `Span`s under raw resources and scopes: both requests number their fields alike.
///
/// Call `resource`, then `scope`, then `record`s, in any number; groups without records are left out.
#[derive(Debug, Default)]
pub struct RecordsWriter {
    out: Vec<u8>,
    resource: Vec<u8>,
    scope: Vec<u8>,
    resource_head: Vec<u8>,
    scope_head: Vec<u8>,
    records: usize,
}

impl RecordsWriter {
    /// Begins the group of a `Resource` message.
    pub fn resource(&mut self, resource: &[u8], schema_url: &str) {
        self.flush_resource();
        self.resource_head.clear();
        put_bytes(&mut self.resource_head, 1, resource);
        put_text(&mut self.resource_head, 3, schema_url.as_bytes());
    }

    /// Begins the group of an `InstrumentationScope` message.
    pub fn scope(&mut self, scope: &[u8], schema_url: &str) {
        self.flush_scope();
        self.scope_head.clear();
        if !scope.is_empty() {
            put_bytes(&mut self.scope_head, 1, scope);
        }
        put_text(&mut self.scope_head, 3, schema_url.as_bytes());
    }

    /// Adds a `LogRecord` or `Span` message to the group that was begun last.
    pub fn record(&mut self, record: &[u8]) {
        put_bytes(&mut self.scope, 2, record);
        self.records += 1;
    }

    /// How many records were added.
    pub fn record_count(&self) -> usize {
        self.records
    }

    /// An upper bound of the request's size in bytes so far.
    pub fn size_bytes(&self) -> usize {
        let heads = self.resource_head.len() + self.scope_head.len();
        let open = self.resource.len() + self.scope.len() + heads;
        self.out.len() + open + 2 * (1 + varint_len(open as u64 + 32))
    }

    /// The request's bytes.
    pub fn finish(mut self) -> Vec<u8> {
        self.flush_resource();
        self.out
    }

    fn flush_scope(&mut self) {
        if self.scope.is_empty() {
            return;
        }
        let mut group = std::mem::take(&mut self.scope);
        group.splice(..0, self.scope_head.iter().copied());
        put_bytes(&mut self.resource, 2, &group);
        group.clear();
        self.scope = group;
    }

    fn flush_resource(&mut self) {
        self.flush_scope();
        if self.resource.is_empty() {
            return;
        }
        let mut group = std::mem::take(&mut self.resource);
        group.splice(..0, self.resource_head.iter().copied());
        put_bytes(&mut self.out, 1, &group);
        group.clear();
        self.resource = group;
    }
}

/// What a new record says; fields at their default are not written.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordFields<'a> {
    /// When it happened, ns since 1970.
    pub time_ns: u64,
    /// When it was seen, ns since 1970.
    pub observed_time_ns: u64,
    /// 1 to 24.
    pub severity_number: u8,
    /// The source's own word.
    pub severity_text: &'a str,
    /// What it says.
    pub body: Value<'a>,
    /// Keys and values in order.
    pub attributes: &'a [(&'a str, Value<'a>)],
    /// 16 bytes, or none.
    pub trace_id: &'a [u8],
    /// 8 bytes, or none.
    pub span_id: &'a [u8],
    /// W3C trace flags.
    pub flags: u32,
    /// The event's name.
    pub event_name: &'a str,
}

/// Appends a `LogRecord` message.
pub fn write_record(out: &mut Vec<u8>, record: &RecordFields<'_>) {
    put_fixed64(out, 1, record.time_ns);
    put_uint(out, 2, u64::from(record.severity_number));
    put_text(out, 3, record.severity_text.as_bytes());
    if !matches!(record.body, Value::Empty) {
        put_value(out, 5, &record.body);
    }
    for (key, value) in record.attributes {
        write_attribute(out, 6, key, value);
    }
    put_fixed32(out, 8, record.flags);
    put_text(out, 9, record.trace_id);
    put_text(out, 10, record.span_id);
    put_fixed64(out, 11, record.observed_time_ns);
    put_text(out, 12, record.event_name.as_bytes());
}

/// Appends a `Resource` message.
pub fn write_resource(out: &mut Vec<u8>, attributes: &[(&str, Value<'_>)]) {
    for (key, value) in attributes {
        write_attribute(out, 1, key, value);
    }
}

/// Appends an `InstrumentationScope` message.
pub fn write_scope(out: &mut Vec<u8>, name: &str, version: &str, attributes: &[(&str, Value<'_>)]) {
    put_text(out, 1, name.as_bytes());
    put_text(out, 2, version.as_bytes());
    for (key, value) in attributes {
        write_attribute(out, 3, key, value);
    }
}

/// Appends a `KeyValue` message under field `number`.
pub fn write_attribute(out: &mut Vec<u8>, number: u32, key: &str, value: &Value<'_>) {
    let mut entry = Vec::with_capacity(key.len() + 24);
    put_text(&mut entry, 1, key.as_bytes());
    put_value(&mut entry, 2, value);
    put_bytes(out, number, &entry);
}

/// Appends an `AnyValue` message under field `number`; a set value is written even if it is 0, false or "".
pub(crate) fn put_value(out: &mut Vec<u8>, number: u32, value: &Value<'_>) {
    let mut any = Vec::with_capacity(16);
    match value {
        Value::Empty => {}
        Value::Str(text) => put_bytes(&mut any, 1, text.as_bytes()),
        Value::Bool(bit) => any.extend([2 << 3, u8::from(*bit)]),
        Value::Int(number) => {
            any.push(3 << 3);
            super::wire::put_varint(&mut any, *number as u64);
        }
        Value::Double(number) => {
            any.push(4 << 3 | 1);
            any.extend(number.to_le_bytes());
        }
        Value::Array(values) => put_bytes(&mut any, 5, values.0),
        Value::Map(map) => {
            let mut entries = Vec::new();
            map.raw_entries().for_each(|entry| put_bytes(&mut entries, 1, entry));
            put_bytes(&mut any, 6, &entries);
        }
        Value::Bytes(bytes) => put_bytes(&mut any, 7, bytes),
    }
    put_bytes(out, number, &any);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
