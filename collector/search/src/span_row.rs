//! A span in its OTLP form, as a query sees it.

use std::borrow::Cow;

use telemetry::Value;
use telemetry::otlp::{Resource, Scope, Span};

use crate::field::lookup;
use crate::row::{filled, name};
use crate::{Field, Row, SpanField};

/// A span in its OTLP form.
#[derive(Clone, Copy, Debug)]
pub struct SpanRow<'a> {
    /// What emitted it.
    pub resource: Resource<'a>,
    /// The scope that recorded it.
    pub scope: Scope<'a>,
    /// The span.
    pub span: &'a Span<'a>,
    /// Its effective time, ns since 1970.
    pub time_ns: i64,
}

impl SpanRow<'_> {
    /// What text is searched in: the name and, on a line behind it, what the status says.
    pub fn text<'t>(name: &'t str, status_message: &str) -> Cow<'t, str> {
        match status_message {
            "" => Cow::Borrowed(name),
            message => Cow::Owned(format!("{name}\n{message}")),
        }
    }

    /// A field that is no attribute, of what is known of a span.
    fn own(&self, field: SpanField) -> Option<Value<'_>> {
        match field {
            SpanField::Name => filled(self.span.name),
            SpanField::Kind => Some(Value::Str(self.span.kind.name())),
            SpanField::Status => Some(Value::Str(self.span.status.name())),
            SpanField::StatusMessage => filled(self.span.status_message),
            SpanField::Duration => Some(Value::Int(Self::duration(self.span.duration_ns()))),
            SpanField::ParentId => None,
            SpanField::Root => Some(Value::Bool(self.span.parent_id().is_none())),
            SpanField::Event => self.span.events().map(|event| event.name).find_map(filled),
        }
    }

    /// A name of the resource; an empty one is none.
    fn named(&self, path: &str) -> Option<Value<'_>> {
        name(&self.resource.attributes(), path).filter(|value| !matches!(value, Value::Str("")))
    }

    /// A duration as a number of the language.
    pub fn duration(duration_ns: u64) -> i64 {
        i64::try_from(duration_ns).unwrap_or(i64::MAX)
    }
}

impl Row for SpanRow<'_> {
    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    fn severity(&self) -> u8 {
        0
    }

    fn trace_id(&self) -> Option<[u8; 16]> {
        self.span.trace_id()
    }

    fn span_id(&self) -> Option<[u8; 8]> {
        self.span.span_id()
    }

    fn parent_id(&self) -> Option<[u8; 8]> {
        self.span.parent_id()
    }

    fn any_event(&self, passes: &mut dyn FnMut(&str) -> bool) -> bool {
        self.span.events().any(|event| !event.name.is_empty() && passes(event.name))
    }

    fn body(&self) -> Cow<'_, str> {
        Self::text(self.span.name, self.span.status_message)
    }

    fn field(&self, field: &Field) -> Option<Value<'_>> {
        match field {
            Field::Severity | Field::TraceId | Field::SpanId | Field::Pattern => None,
            Field::Body | Field::EventName => None,
            Field::Service => self.named("service.name"),
            Field::Host => self.named("host.name"),
            Field::Scope => filled(self.scope.name),
            Field::Span(field) => self.own(*field),
            Field::Attribute(path) => lookup(&self.span.attributes(), path),
            Field::Resource(path) => lookup(&self.resource.attributes(), path),
            Field::Any(path) => {
                lookup(&self.span.attributes(), path).or_else(|| lookup(&self.resource.attributes(), path))
            }
        }
    }
}
