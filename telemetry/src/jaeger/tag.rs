//! Tags: `{"key","type","value"}` with one of five types.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::otlp::Any;
use crate::value::Value;

/// Integers further from 0 are no whole numbers in JavaScript: Jaeger writes them as text.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// A key with a typed value.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag<'a> {
    /// Its name.
    pub key: Cow<'a, str>,
    /// Its value.
    pub value: TagValue<'a>,
}

/// What a tag can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum TagValue<'a> {
    /// `string`; also lists and maps, as JSON.
    Str(Cow<'a, str>),
    /// `bool`.
    Bool(bool),
    /// `int64`.
    Int(i64),
    /// `float64`.
    Float(f64),
    /// `binary`, in base64.
    Binary(Cow<'a, [u8]>),
}

impl<'a> Tag<'a> {
    pub(super) fn text(key: &'a str, value: impl Into<Cow<'a, str>>) -> Self {
        Self { key: key.into(), value: TagValue::Str(value.into()) }
    }

    pub(super) fn of_attribute((key, value): (&'a str, Value<'a>)) -> Self {
        Self { key: key.into(), value: TagValue::of_value(value) }
    }
}

impl<'a> TagValue<'a> {
    fn of_value(value: Value<'a>) -> Self {
        match value {
            Value::Bool(bit) => Self::Bool(bit),
            Value::Int(number) => Self::Int(number),
            Value::Double(number) => Self::Float(number),
            Value::Bytes(bytes) => Self::Binary(bytes.into()),
            Value::Str(_) | Value::Empty | Value::Array(_) | Value::Map(_) => Self::Str(value.to_text()),
        }
    }

    pub(super) fn into_any(self) -> Any<'a> {
        match self {
            Self::Str(text) => Any::Str(text),
            Self::Bool(bit) => Any::Bool(bit),
            Self::Int(number) => Any::Int(number),
            Self::Float(number) => Any::Double(number),
            Self::Binary(bytes) => Any::Bytes(bytes),
        }
    }

    /// Reads `value` as `kind` says; what does not fit its type stays as it is written.
    pub(super) fn read(kind: Option<&str>, value: &'a serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let text = match value {
            Json::String(text) => text.as_str(),
            Json::Bool(bit) => return Self::Bool(*bit),
            Json::Number(number) => return Self::of_number(kind, number),
            Json::Null => "",
            other => return Self::Str(other.to_string().into()),
        };
        let typed = match kind {
            Some("bool") => text.parse().ok().map(Self::Bool),
            Some("int64") => text.parse().ok().map(Self::Int),
            Some("float64") => text.parse().ok().map(Self::Float),
            Some("binary") => STANDARD.decode(text).ok().map(|bytes| Self::Binary(bytes.into())),
            _ => None,
        };
        typed.unwrap_or(Self::Str(text.into()))
    }

    fn of_number(kind: Option<&str>, number: &serde_json::Number) -> Self {
        match number.as_i64().filter(|_| kind != Some("float64")) {
            Some(whole) => Self::Int(whole),
            None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Str(_) => "string",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::Binary(_) => "binary",
        }
    }
}

impl Serialize for Tag<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut tag = to.serialize_struct("Tag", 3)?;
        tag.serialize_field("key", &self.key)?;
        tag.serialize_field("type", self.value.kind())?;
        match &self.value {
            TagValue::Str(text) => tag.serialize_field("value", text)?,
            TagValue::Bool(bit) => tag.serialize_field("value", bit)?,
            TagValue::Int(number) if number.unsigned_abs() > MAX_SAFE_INTEGER => {
                tag.serialize_field("value", &number.to_string())?;
            }
            TagValue::Int(number) => tag.serialize_field("value", number)?,
            TagValue::Float(number) if number.is_finite() => tag.serialize_field("value", number)?,
            // JSON has no such numbers.
            TagValue::Float(number) => tag.serialize_field("value", &number.to_string())?,
            TagValue::Binary(bytes) => tag.serialize_field("value", &STANDARD.encode(bytes))?,
        }
        tag.end()
    }
}
