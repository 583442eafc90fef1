//! Attribute values that are made here, from lines and messages of others: they
//! own what had to be unescaped and borrow the rest.

use std::borrow::Cow;

use super::wire::{put_bytes, put_text, put_uint, put_varint, varint_len};
use crate::value::Value;

/// A value that owns or borrows its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Any<'a> {
    /// No value is set.
    #[default]
    Empty,
    /// Text.
    Str(Cow<'a, str>),
    /// Truth.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// Raw bytes.
    Bytes(Cow<'a, [u8]>),
    /// Values in order.
    Array(Vec<Any<'a>>),
    /// Keys and values in order; a key may stand twice.
    Map(Vec<(Cow<'a, str>, Any<'a>)>),
}

impl<'a> Any<'a> {
    /// The same value, taken out of a message.
    pub fn from_value(value: Value<'a>) -> Self {
        match value {
            Value::Empty => Self::Empty,
            Value::Str(text) => Self::Str(Cow::Borrowed(text)),
            Value::Bool(bit) => Self::Bool(bit),
            Value::Int(number) => Self::Int(number),
            Value::Double(number) => Self::Double(number),
            Value::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
            Value::Array(values) => Self::Array(values.iter().map(Self::from_value).collect()),
            Value::Map(map) => Self::Map(
                map.iter().map(|(key, value)| (Cow::Borrowed(key), Self::from_value(value))).collect(),
            ),
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// How long the `AnyValue` message is.
    fn size_bytes(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Str(text) => field_len(text.len()),
            Self::Bool(_) => 2,
            Self::Int(number) => 1 + varint_len(*number as u64),
            Self::Double(_) => 9,
            Self::Bytes(bytes) => field_len(bytes.len()),
            Self::Array(values) => field_len(values.iter().map(|value| field_len(value.size_bytes())).sum()),
            Self::Map(entries) => field_len(entries.iter().map(|entry| field_len(entry_len(entry))).sum()),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => {}
            Self::Str(text) => put_bytes(out, 1, text.as_bytes()),
            Self::Bool(bit) => out.extend([2 << 3, u8::from(*bit)]),
            Self::Int(number) => {
                out.push(3 << 3);
                put_varint(out, *number as u64);
            }
            Self::Double(number) => {
                out.push(4 << 3 | 1);
                out.extend(number.to_le_bytes());
            }
            Self::Bytes(bytes) => put_bytes(out, 7, bytes),
            Self::Array(values) => {
                head(out, 5, values.iter().map(|value| field_len(value.size_bytes())).sum());
                values.iter().for_each(|value| write_any(out, 1, value));
            }
            Self::Map(entries) => {
                head(out, 6, entries.iter().map(|entry| field_len(entry_len(entry))).sum());
                entries.iter().for_each(|(key, value)| write_any_attribute(out, 1, key, value));
            }
        }
    }
}

/// Appends a `KeyValue` message under field `number`, without a buffer of its own.
pub fn write_any_attribute(out: &mut Vec<u8>, number: u32, key: &str, value: &Any<'_>) {
    let value_len = value.size_bytes();
    let key_len = if key.is_empty() { 0 } else { field_len(key.len()) };
    head(out, number, key_len + field_len(value_len));
    put_text(out, 1, key.as_bytes());
    head(out, 2, value_len);
    value.write(out);
}

/// Appends an `AnyValue` message under field `number`.
pub fn write_any(out: &mut Vec<u8>, number: u32, value: &Any<'_>) {
    head(out, number, value.size_bytes());
    value.write(out);
}

/// Appends to a `LogRecord` message how many of its attributes its sender has dropped.
pub fn write_dropped_attributes(out: &mut Vec<u8>, count: u32) {
    put_uint(out, 7, u64::from(count));
}

/// Tag and length of a field; every number here is below 16.
fn head(out: &mut Vec<u8>, number: u32, len: usize) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, len as u64);
}

/// A length-delimited field with so many bytes inside.
fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

fn entry_len((key, value): &(Cow<'_, str>, Any<'_>)) -> usize {
    let key_len = if key.is_empty() { 0 } else { field_len(key.len()) };
    key_len + field_len(value.size_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::otlp::{LogsRequest, RecordsWriter};
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Any<'static>> {
        let leaf = prop_oneof![
            Just(Any::Empty),
            ".{0,20}".prop_map(|text| Any::Str(text.into())),
            any::<bool>().prop_map(Any::Bool),
            any::<i64>().prop_map(Any::Int),
            (-1e300..1e300).prop_map(Any::Double),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Any::Bytes(bytes.into())),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let keys = ".{0,10}".prop_map(Cow::Owned);
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Any::Array),
                proptest::collection::vec((keys, inner), 0..5).prop_map(Any::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_it_was(
            attributes in proptest::collection::vec((".{0,200}", any_value()), 0..6), body in any_value(),
        ) {
            let mut record = Vec::new();
            write_any(&mut record, 5, &body);
            for (key, value) in &attributes {
                write_any_attribute(&mut record, 6, key, value);
            }
            let mut writer = RecordsWriter::default();
            writer.resource(&[], "");
            writer.scope(&[], "");
            writer.record(&record);
            let payload = writer.finish();
            let request = LogsRequest::parse(&payload).unwrap();
            let (_, _, read) = request.records().next().unwrap();
            prop_assert_eq!(Any::from_value(read.body), body);
            let seen: Vec<_> =
                read.attributes().iter().map(|(key, value)| (key.to_owned(), Any::from_value(value))).collect();
            prop_assert_eq!(seen, attributes);
        }
    }
}
