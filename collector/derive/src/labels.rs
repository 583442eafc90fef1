//! What the series call a span's operation and the other end of its call, for whoever puts single spans beside them.

use telemetry::otlp::{Span, SpanKind};

use crate::names;
use crate::options::Options;
use crate::target::Target;

/// The label `operation` of a span.
pub fn operation_of(span: &Span<'_>) -> String {
    names::operation(span.name, names::route_of(span), Options::default().max_name_bytes)
}

/// The other end of a call without a span of its own, as the label `server` (of a consumer: `client`) has it.
/// `None` for a span that calls and hears nobody.
pub fn peer_of(span: &Span<'_>) -> Option<String> {
    if !matches!(span.kind, SpanKind::Client | SpanKind::Producer | SpanKind::Consumer) {
        return None;
    }
    let Target { name, namespace, .. } = Target::of_span(span);
    Some(if namespace.is_empty() { name.to_owned() } else { format!("{name}/{namespace}") })
}
