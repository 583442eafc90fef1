//! OTLP attribute values (`common.v1.AnyValue`), borrowed from validated protobuf bytes.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::otlp::wire::{Field, Fields, Wire, messages};

/// One value; nested ones are read as they are walked.
#[derive(Clone, Copy, Debug, Default)]
pub enum Value<'a> {
    /// No value is set.
    #[default]
    Empty,
    /// Text.
    Str(&'a str),
    /// Truth.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double; NaN and infinities are kept.
    Double(f64),
    /// Values in order.
    Array(Values<'a>),
    /// Keys and values in order; a key may stand twice.
    Map(KeyValues<'a>),
    /// Raw bytes.
    Bytes(&'a [u8]),
}

/// The elements of an array value.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a>(pub(crate) &'a [u8]);

/// Keys with values: attributes of a record, scope or resource, or a nested map.
#[derive(Clone, Copy, Debug)]
pub struct KeyValues<'a> {
    raw: &'a [u8],
    field: u32,
}

impl<'a> Values<'a> {
    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        messages(self.0, 1).map(Value::from_any_value)
    }
}

impl<'a> KeyValues<'a> {
    /// The `KeyValue` messages that stand under `field` of the message `raw`.
    pub(crate) fn new(raw: &'a [u8], field: u32) -> Self {
        Self { raw, field }
    }

    /// No keys at all.
    pub fn empty() -> Self {
        Self { raw: &[], field: 1 }
    }

    /// Keys and values in the sender's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        messages(self.raw, self.field).map(key_value)
    }

    /// The first value under `key`.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Each entry's raw `KeyValue` message.
    pub(crate) fn raw_entries(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        messages(self.raw, self.field)
    }

    /// As a JSON object; of a key that stands twice, the last value stays.
    pub fn to_json(&self) -> serde_json::Value {
        self.iter().map(|(key, value)| (key.to_owned(), value.to_json())).collect()
    }
}

impl<'a> Value<'a> {
    /// Reads an `AnyValue` message that was validated before.
    pub(crate) fn from_any_value(raw: &'a [u8]) -> Self {
        let mut value = Self::Empty;
        for Field { number, wire } in Fields::of_valid(raw) {
            value = match (number, wire) {
                (1, Wire::Bytes(text)) => Self::Str(valid_str(text)),
                (2, Wire::Varint(bit)) => Self::Bool(bit != 0),
                (3, Wire::Varint(bits)) => Self::Int(bits as i64),
                (4, Wire::Fixed64(bits)) => Self::Double(f64::from_bits(bits)),
                (5, Wire::Bytes(raw)) => Self::Array(Values(raw)),
                (6, Wire::Bytes(raw)) => Self::Map(KeyValues::new(raw, 1)),
                (7, Wire::Bytes(bytes)) => Self::Bytes(bytes),
                _ => value,
            };
        }
        value
    }

    /// Plain JSON: bytes as base64, NaN and infinities as strings, empty as null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Empty => Json::Null,
            Self::Str(text) => Json::from(*text),
            Self::Bool(bit) => Json::from(*bit),
            Self::Int(number) => Json::from(*number),
            Self::Double(number) => serde_json::Number::from_f64(*number)
                .map_or_else(|| Json::from(number.to_string()), Json::Number),
            Self::Array(values) => values.iter().map(|value| value.to_json()).collect(),
            Self::Map(map) => map.to_json(),
            Self::Bytes(bytes) => Json::from(STANDARD.encode(bytes)),
        }
    }

    /// What people read and search: text as it is, anything else as compact JSON, empty as "".
    pub fn to_text(&self) -> Cow<'a, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Str(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => Cow::Owned(STANDARD.encode(bytes)),
            Self::Bool(bit) => Cow::Borrowed(if *bit { "true" } else { "false" }),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Double(number) => Cow::Owned(number.to_string()),
            Self::Array(_) | Self::Map(_) => Cow::Owned(self.to_json().to_string()),
        }
    }
}

fn key_value(raw: &[u8]) -> (&str, Value<'_>) {
    let (mut key, mut value) = ("", Value::Empty);
    for Field { number, wire } in Fields::of_valid(raw) {
        match (number, wire) {
            (1, Wire::Bytes(text)) => key = valid_str(text),
            (2, Wire::Bytes(any)) => value = Value::from_any_value(any),
            _ => {}
        }
    }
    (key, value)
}

/// Text that `LogsRequest::parse` has checked.
pub(crate) fn valid_str(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
