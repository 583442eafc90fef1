//! Values of templates, and how Go would write them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::number::general;
use super::time::{Moment, duration_text};

/// What a template works on. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Nil,
    /// A truth.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text.
    Str(Arc<str>),
    /// HTML that is to be written as it is.
    Html(Arc<str>),
    /// A list.
    List(Arc<[Value]>),
    /// A map; a key that it lacks gives the empty text, or nothing where values are no texts.
    Map(Arc<BTreeMap<String, Value>>),
    /// A struct; a field that it lacks is an error.
    Struct(Arc<Struct>),
    /// A moment in UTC, Unix milliseconds.
    Time(i64),
    /// A moment as a clock elsewhere shows it.
    Zoned(Arc<Moment>),
    /// A duration in nanoseconds.
    Duration(i64),
}

/// Named fields in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Struct {
    /// As messages call its type.
    pub name: &'static str,
    /// Names and values.
    pub fields: Vec<(&'static str, Value)>,
}

impl Value {
    /// A struct.
    pub fn structure(name: &'static str, fields: Vec<(&'static str, Value)>) -> Self {
        Self::Struct(Arc::new(Struct { name, fields }))
    }

    /// A map of texts.
    pub fn map<K: Into<String>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), Self::Str(value.into())));
        Self::Map(Arc::new(pairs.collect()))
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) | Self::Html(text) => Some(text),
            _ => None,
        }
    }

    /// What a field or key has. `None` if there can be none of that name.
    pub fn field(&self, name: &str) -> Option<Value> {
        match self {
            Self::Map(map) => Some(map.get(name).cloned().unwrap_or_else(|| zero(map))),
            Self::Struct(of) => {
                of.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone())
            }
            _ => None,
        }
    }

    /// Whether `if` takes it for true: not empty, not zero.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Duration(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) | Self::Html(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Struct(_) | Self::Time(_) | Self::Zoned(_) => true,
        }
    }

    /// As Go's messages name its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Html(_) => "template.HTML",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]string",
            Self::Struct(of) => of.name,
            Self::Time(_) | Self::Zoned(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
        }
    }

    /// The moment that it is.
    pub fn moment(&self) -> Option<Moment> {
        match self {
            Self::Time(unix_ms) => Some(Moment::utc(*unix_ms)),
            Self::Zoned(moment) => Some((**moment).clone()),
            _ => None,
        }
    }

    /// As `print` and `%v` write it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, "<nil>");
        text
    }

    /// As an action writes it.
    pub(super) fn printed(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, "<no value>");
        text
    }

    fn write(&self, out: &mut String, nil: &str) {
        // Writing into a String cannot fail.
        let _infallible = match self {
            Self::Nil => out.write_str(nil),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => out.write_str(&general(*value, None, false)),
            Self::Str(text) | Self::Html(text) => out.write_str(text),
            Self::List(list) => {
                out.push('[');
                for (index, value) in list.iter().enumerate() {
                    out.push_str(if index > 0 { " " } else { "" });
                    value.write(out, "<nil>");
                }
                out.write_str("]")
            }
            Self::Map(map) => {
                out.push_str("map[");
                for (index, (name, value)) in map.iter().enumerate() {
                    out.push_str(if index > 0 { " " } else { "" });
                    out.push_str(name);
                    out.push(':');
                    value.write(out, "<nil>");
                }
                out.write_str("]")
            }
            Self::Struct(of) => {
                out.push('{');
                for (index, (_, value)) in of.fields.iter().enumerate() {
                    out.push_str(if index > 0 { " " } else { "" });
                    value.write(out, "<nil>");
                }
                out.write_str("}")
            }
            Self::Time(unix_ms) => out.write_str(&Moment::utc(*unix_ms).text()),
            Self::Zoned(moment) => out.write_str(&moment.text()),
            Self::Duration(ns) => out.write_str(&duration_text(*ns)),
        };
    }
}

/// What a map gives for a key that it lacks.
fn zero(map: &BTreeMap<String, Value>) -> Value {
    match map.values().all(|value| matches!(value, Value::Str(_))) {
        true => Value::Str(Arc::from("")),
        false => Value::Nil,
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(Arc::from(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}
