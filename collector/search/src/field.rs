//! Fields by name, and their values in a record's attributes.

use telemetry::{KeyValues, Value};

/// What a name in a query means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `severity` or `level`: the severity number, 0 when unset.
    Severity,
    /// `service`: the resource's `service.name`, if it is a string.
    Service,
    /// `host`: the resource's `host.name`, if it is a string.
    Host,
    /// `body`.
    Body,
    /// `trace_id`.
    TraceId,
    /// `span_id`.
    SpanId,
    /// `scope`: the instrumentation scope's name.
    Scope,
    /// `event_name`.
    EventName,
    /// `pattern`: the id of the body's pattern.
    Pattern,
    /// `attributes.x`: the record's attribute `x`, by [`lookup`].
    Attribute(String),
    /// `resource.x`: the resource's attribute `x`, by [`lookup`].
    Resource(String),
    /// Any other name: the record's attribute, else the resource's.
    Any(String),
}

impl Field {
    /// What a name means; `None` where nothing is named, as in `attributes.`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "severity" | "level" => Self::Severity,
            "service" => Self::Service,
            "host" => Self::Host,
            "body" => Self::Body,
            "trace_id" => Self::TraceId,
            "span_id" => Self::SpanId,
            "scope" => Self::Scope,
            "event_name" => Self::EventName,
            "pattern" => Self::Pattern,
            "" | "attributes." | "resource." => return None,
            _ => match (name.strip_prefix("attributes."), name.strip_prefix("resource.")) {
                (Some(key), _) => Self::Attribute(key.to_owned()),
                (_, Some(key)) => Self::Resource(key.to_owned()),
                _ => Self::Any(name.to_owned()),
            },
        })
    }

    /// The name that a query would use.
    pub fn name(&self) -> String {
        match self {
            Self::Severity => "severity".to_owned(),
            Self::Service => "service".to_owned(),
            Self::Host => "host".to_owned(),
            Self::Body => "body".to_owned(),
            Self::TraceId => "trace_id".to_owned(),
            Self::SpanId => "span_id".to_owned(),
            Self::Scope => "scope".to_owned(),
            Self::EventName => "event_name".to_owned(),
            Self::Pattern => "pattern".to_owned(),
            Self::Attribute(key) => format!("attributes.{key}"),
            Self::Resource(key) => format!("resource.{key}"),
            Self::Any(name) => name.clone(),
        }
    }
}

/// The value under a dotted path: the key that is the whole path, else inside of a map under its first part.
///
/// A value that is set to nothing counts as missing.
pub fn lookup<'a>(attributes: &KeyValues<'a>, path: &str) -> Option<Value<'a>> {
    let mut nested = None;
    for (key, value) in attributes.iter() {
        let Some(rest) = path.strip_prefix(key) else { continue };
        if rest.is_empty() && !matches!(value, Value::Empty) {
            return Some(value);
        }
        if let (None, Some(rest), Value::Map(map)) = (nested, rest.strip_prefix('.'), value) {
            nested = lookup(&map, rest);
        }
    }
    nested
}
