//! A record as JSON, straight from its OTLP bytes: no tree in between.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::Hit;
use search::{Cell, Column, Number, Table};
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use telemetry::otlp::{LogRecord, Scope};
use telemetry::{KeyValues, Value, severity};
use utoipa::ToSchema;

use crate::api::time;

/// One log record.
#[derive(Serialize, ToSchema)]
pub(crate) struct Record<'a> {
    /// Stays the same for as long as the record does.
    id: String,
    /// When it happened, else when it was seen, else when it came.
    timestamp: String,
    /// When it was first seen by a collector.
    observed_timestamp: Option<String>,
    /// The source's own word, else the standard name of the number.
    severity: Option<Cow<'a, str>>,
    /// 1 to 24; 0 when not given.
    severity_number: u8,
    /// The resource's `service.name`.
    service: Option<Cow<'a, str>>,
    /// The resource's `host.name`.
    host: Option<Cow<'a, str>>,
    /// What it says: text, or any JSON.
    #[schema(value_type = Value)]
    body: Json<'a>,
    /// Its attributes.
    #[schema(value_type = Object)]
    attributes: JsonMap<'a>,
    /// The attributes of what emitted it.
    #[schema(value_type = Object)]
    resource: JsonMap<'a>,
    /// The logger.
    #[schema(value_type = Option<Object>)]
    scope: Option<ScopeView<'a>>,
    /// 32 hexadecimal digits.
    trace_id: Option<String>,
    /// 16 hexadecimal digits.
    span_id: Option<String>,
    /// The event's name.
    event_name: Option<&'a str>,
    /// W3C trace flags in the low byte.
    flags: u32,
}

#[derive(Serialize)]
struct ScopeView<'a> {
    name: &'a str,
    version: &'a str,
    attributes: JsonMap<'a>,
}

impl<'a> Record<'a> {
    /// Of what a search has found.
    pub(in crate::api) fn of(hit: &'a Hit) -> Self {
        let record = LogRecord::of_valid(&hit.record);
        let resource = hit.stream.resource().attributes();
        let named = |key| resource.get(key).map(|value| value.to_text());
        let observed = i64::try_from(record.observed_time_ns).ok().filter(|time| *time != 0);
        Self {
            id: hit.key.id(),
            timestamp: time::format(hit.key.time_ns),
            observed_timestamp: observed.map(time::format),
            severity: severity_word(&record),
            severity_number: record.severity_number,
            service: named("service.name"),
            host: named("host.name"),
            body: Json(record.body),
            attributes: JsonMap(record.attributes()),
            resource: JsonMap(resource),
            scope: scope(&hit.stream.scope),
            trace_id: record.trace_id().map(|id| hex(&id)),
            span_id: record.span_id().map(|id| hex(&id)),
            event_name: Some(record.event_name).filter(|name| !name.is_empty()),
            flags: record.flags,
        }
    }
}

pub(super) fn severity_word<'a>(record: &LogRecord<'a>) -> Option<Cow<'a, str>> {
    match record.severity_text {
        "" => severity::name(record.severity_number).map(Cow::Borrowed),
        text => Some(Cow::Borrowed(text)),
    }
}

fn scope(raw: &[u8]) -> Option<ScopeView<'_>> {
    if raw.is_empty() {
        return None;
    }
    let scope = Scope::of_valid(raw);
    Some(ScopeView { name: scope.name, version: scope.version, attributes: JsonMap(scope.attributes()) })
}

pub(in crate::api) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A value as plain JSON: bytes as base64, NaN and infinities as text, nothing as null.
struct Json<'a>(Value<'a>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Empty => serializer.serialize_unit(),
            Value::Str(text) => serializer.serialize_str(text),
            Value::Bool(bit) => serializer.serialize_bool(bit),
            Value::Int(number) => serializer.serialize_i64(number),
            Value::Double(number) if number.is_finite() => serializer.serialize_f64(number),
            Value::Double(number) => serializer.collect_str(&number),
            Value::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            Value::Map(map) => JsonMap(map).serialize(serializer),
            Value::Array(values) => {
                let mut seq = serializer.serialize_seq(None)?;
                values.iter().try_for_each(|value| seq.serialize_element(&Json(value)))?;
                seq.end()
            }
        }
    }
}

/// Keys and values as an object; of a key that stands twice, the last value stays.
pub(in crate::api) struct JsonMap<'a>(pub(in crate::api) KeyValues<'a>);

impl Serialize for JsonMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries: Vec<_> = self.0.iter().collect();
        let last: HashMap<&str, usize> = match entries.len() {
            0 | 1 => HashMap::new(),
            _ => entries.iter().enumerate().map(|(index, (key, _))| (*key, index)).collect(),
        };
        let mut map = serializer.serialize_map(None)?;
        for (index, (key, value)) in entries.iter().enumerate() {
            if last.get(key).is_none_or(|last| *last == index) {
                map.serialize_entry(key, &Json(*value))?;
            }
        }
        map.end()
    }
}

/// A table: `{"columns":[{"name","kind"}],"rows":[[…]]}`.
pub(in crate::api) struct TableView<'a>(pub(in crate::api) &'a Table);

impl Serialize for TableView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = serializer.serialize_struct("Table", 2)?;
        table.serialize_field::<Vec<Column>>("columns", &self.0.columns)?;
        let rows: Vec<Vec<CellView<'_>>> =
            self.0.rows.iter().map(|row| row.iter().map(CellView).collect()).collect();
        table.serialize_field("rows", &rows)?;
        table.end()
    }
}

pub(super) struct CellView<'a>(pub(super) &'a Cell);

impl Serialize for CellView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Null => serializer.serialize_unit(),
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::Time(time_ns) => serializer.serialize_str(&time::format(*time_ns)),
            Cell::Number(Number::Int(number)) => serializer.serialize_i64(*number),
            Cell::Number(Number::Double(number)) if number.is_finite() => serializer.serialize_f64(*number),
            Cell::Number(Number::Double(number)) => serializer.collect_str(number),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
