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
    /// What only spans have.
    Span(SpanField),
}

/// A field of a span that no log record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanField {
    /// `name` or `operation`.
    Name,
    /// `kind`: its role in a call, in lower case.
    Kind,
    /// `status`: how it ended, in lower case.
    Status,
    /// `status_message`.
    StatusMessage,
    /// `duration`: end minus start, in ns.
    Duration,
    /// `parent_id`.
    ParentId,
    /// `root`: whether it has no parent.
    Root,
    /// `event`: the names of its events; one has to fulfil the condition.
    Event,
}

/// What a query is about: it decides what names mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Logs,
    Spans,
}

impl SpanField {
    const ALL: [Self; 8] = [
        Self::Name,
        Self::Kind,
        Self::Status,
        Self::StatusMessage,
        Self::Duration,
        Self::ParentId,
        Self::Root,
        Self::Event,
    ];

    /// The name that a query would use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Kind => "kind",
            Self::Status => "status",
            Self::StatusMessage => "status_message",
            Self::Duration => "duration",
            Self::ParentId => "parent_id",
            Self::Root => "root",
            Self::Event => "event",
        }
    }

    /// All the values that it can have, where they are few.
    pub(crate) fn values(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Kind => Some(&["unspecified", "internal", "server", "client", "producer", "consumer"]),
            Self::Status => Some(&["unset", "ok", "error"]),
            Self::Root => Some(&["true", "false"]),
            _ => None,
        }
    }
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

    /// What a name means in a query for spans; `None` for what spans don't have, and where nothing is named.
    pub fn of_span(name: &str) -> Option<Self> {
        let name = if name == "operation" { "name" } else { name };
        if let Some(field) = SpanField::ALL.into_iter().find(|field| field.name() == name) {
            return Some(Self::Span(field));
        }
        match Self::named(name)? {
            // `level` is a severity in logs only; spans may have an attribute of this name.
            Self::Severity if name == "level" => Some(Self::Any(name.to_owned())),
            Self::Severity | Self::Body | Self::EventName | Self::Pattern => None,
            field => Some(field),
        }
    }

    /// Whether its values are ids: they have no order, and are no text.
    pub(crate) fn is_id(&self) -> bool {
        matches!(self, Self::TraceId | Self::SpanId | Self::Pattern | Self::Span(SpanField::ParentId))
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
            Self::Span(field) => field.name().to_owned(),
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
