//! What a span must be like, as the engine is asked and as a whole trace is checked.

use events::spans::UNKNOWN_SERVICE;
use search::{Expr, Field, FieldMatch, Literal, SpanField, SpanRow, Test, lookup};
use telemetry::KeyValues;
use telemetry::otlp::{Scope, Span, TracesRequest};

use crate::api::error::ApiError;

/// Which spans make their traces wanted: all that is given has to hold for one span.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Wanted {
    /// Whose it is.
    pub(in crate::api) service: Option<String>,
    /// What it does.
    pub(in crate::api) operation: Option<String>,
    /// What it carries.
    pub(in crate::api) tags: Vec<TagTest>,
    /// Whether tags may also stand in events, links and the scope.
    pub(in crate::api) is_everywhere: bool,
    /// How long it took at least, ns.
    pub(in crate::api) min_ns: Option<u64>,
    /// How long it took at most, ns.
    pub(in crate::api) max_ns: Option<u64>,
    /// When it began at the earliest, ns since 1970.
    pub(in crate::api) start_ns: i64,
    /// Before when it began, ns since 1970.
    pub(in crate::api) end_ns: i64,
}

/// A tag with a value, or something of this name: an event, or a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct TagTest {
    /// Its name.
    pub(in crate::api) key: String,
    /// Its value as text.
    pub(in crate::api) value: Option<String>,
}

impl Wanted {
    /// All but the tags.
    pub(super) fn base(&self) -> Result<Expr, ApiError> {
        let mut all = Vec::new();
        all.extend(self.service.as_deref().map(of_service));
        all.extend(self.operation.as_deref().map(|name| equals(Field::Span(SpanField::Name), name)));
        for (bound_ns, operator) in [(self.min_ns, ">="), (self.max_ns, "<=")] {
            if let Some(bound_ns) = bound_ns {
                let text = format!("duration{operator}{}ns", bound_ns.min(i64::MAX as u64));
                all.push(search::parse_spans(&text)?.filter);
            }
        }
        Ok(Expr::and(all))
    }

    /// All, with the tags in the places that the engine knows: the span's attributes and its resource's.
    pub(super) fn indexed(&self) -> Result<Expr, ApiError> {
        let tags = self.tags.iter().map(TagTest::indexed);
        Ok(Expr::and(std::iter::once(self.base()?).chain(tags)))
    }

    /// Whether a span of a trace is as wanted, with its tags in any place.
    pub(super) fn is_met_by(&self, payload: &[u8]) -> bool {
        let Ok(base) = self.base() else { return false };
        let tags: Vec<_> = self.tags.iter().map(|tag| (tag, tag.indexed())).collect();
        TracesRequest::of_valid(payload).spans().any(|(resource, scope, span)| {
            let row = SpanRow {
                resource: resource.resource,
                scope: scope.scope,
                span: &span,
                time_ns: span.effective_time_ns(0),
            };
            (self.start_ns..self.end_ns).contains(&row.time_ns)
                && base.matches(&row)
                && tags
                    .iter()
                    .all(|(tag, indexed)| indexed.matches(&row) || tag.stands_elsewhere(&span, &scope.scope))
        })
    }
}

impl TagTest {
    fn indexed(&self) -> Expr {
        let test = match &self.value {
            Some(value) => Test::Equals(Literal::new(value)),
            None => Test::Exists,
        };
        let of = |field| Expr::Field(FieldMatch { field, test: test.clone() });
        let attributes = [of(Field::Attribute(self.key.clone())), of(Field::Resource(self.key.clone()))];
        Expr::or(attributes.into_iter().chain(self.derived()))
    }

    /// Of tags that are made of what OTLP has fields for: see `telemetry::jaeger`.
    fn derived(&self) -> Option<Expr> {
        let Some(value) = self.value.as_deref() else {
            let is_error = (self.key == "error").then(|| span(SpanField::Status, "error"));
            let event = span(SpanField::Event, &self.key);
            return Some(Expr::or(is_error.into_iter().chain([event])));
        };
        let lower = value.to_ascii_lowercase();
        Some(match self.key.as_str() {
            "error" if lower == "true" => span(SpanField::Status, "error"),
            "span.kind" => span(SpanField::Kind, &lower),
            "otel.status_code" => span(SpanField::Status, &lower),
            "otel.status_description" => span(SpanField::StatusMessage, value),
            "otel.scope.name" | "otel.library.name" => equals(Field::Scope, value),
            _ => return None,
        })
    }

    fn stands_elsewhere(&self, span: &Span<'_>, scope: &Scope<'_>) -> bool {
        let Some(value) = self.value.as_deref() else { return false };
        let test = Test::Equals(Literal::new(value));
        let asked = FieldMatch { field: Field::Attribute(self.key.clone()), test };
        let is_in = |attributes: KeyValues<'_>| {
            lookup(&attributes, &self.key).is_some_and(|value| asked.matches_value(&value))
        };
        let is_name = |name: &str| self.key == "event" && name == value;
        let of_scope = match self.key.as_str() {
            "otel.scope.version" | "otel.library.version" => scope.version == value,
            _ => is_in(scope.attributes()),
        };
        of_scope
            || span.events().any(|event| is_name(event.name) || is_in(event.attributes()))
            || span.links().any(|link| is_in(link.attributes()))
    }
}

/// Spans of a service; those that name none have a name here.
pub(in crate::api) fn of_service(name: &str) -> Expr {
    let is_it = equals(Field::Service, name);
    if name != UNKNOWN_SERVICE {
        return is_it;
    }
    let named = Expr::Field(FieldMatch { field: Field::Service, test: Test::Exists });
    Expr::or([is_it, named.not()])
}

fn span(field: SpanField, value: &str) -> Expr {
    equals(Field::Span(field), value)
}

fn equals(field: Field, value: &str) -> Expr {
    Expr::Field(FieldMatch { field, test: Test::Equals(Literal::new(value)) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
