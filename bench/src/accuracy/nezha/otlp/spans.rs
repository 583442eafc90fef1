//! Spans. The set says of a span who made it and below which other it is; what it is in a call follows from that.

use std::collections::{BTreeMap, HashMap};

use telemetry::otlp::{SpanFields, SpanKind, write_span};

use super::{Stretch, id};
use crate::accuracy::nezha::rows::Span;

/// How the conventions end the name of the span that hands a message on.
const SENDS: &str = " send";

/// One span.
pub(super) struct Written<'a> {
    pub(super) source: (&'a String, &'a String),
    pub(super) end_ns: u64,
    /// Answers a call of another service.
    pub(super) is_call: bool,
    pub(super) raw: Vec<u8>,
}

/// The spans of all requests that begin in a stretch; whole requests, so that no call lacks its other half.
pub(super) fn all<'a>(spans: &'a [Span], stretch: &Stretch) -> Vec<Written<'a>> {
    let mut traces: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in spans {
        traces.entry(&span.trace).or_default().push(span);
    }
    let begins = |trace: &Vec<&Span>| trace.iter().map(|span| span.start_ns).min().unwrap_or(0);
    let held = traces.into_values().filter(|trace| stretch.holds(begins(trace)));
    held.flat_map(|trace| {
        let kinds = kinds(&trace);
        let written = trace.into_iter().zip(kinds).filter_map(|(span, kind)| write(span, kind, stretch));
        written.collect::<Vec<_>>()
    })
    .collect()
}

/// What each span of a request is: who is called by another service, or by nobody, answers; whose callee is of another
/// service, calls.
pub(super) fn kinds(trace: &[&Span]) -> Vec<SpanKind> {
    let places: HashMap<&str, usize> =
        trace.iter().enumerate().map(|(place, span)| (span.id.as_str(), place)).collect();
    let mut kinds = vec![SpanKind::Internal; trace.len()];
    for (place, span) in trace.iter().enumerate() {
        let parent = places.get(span.parent.as_str()).copied();
        match parent.filter(|parent| trace[*parent].service != span.service) {
            None if span.parent == "root" => kinds[place] = SpanKind::Server,
            None => {}
            Some(parent) if trace[parent].operation.ends_with(SENDS) => {
                (kinds[parent], kinds[place]) = (SpanKind::Producer, SpanKind::Consumer);
            }
            Some(parent) => (kinds[parent], kinds[place]) = (SpanKind::Client, SpanKind::Server),
        }
    }
    kinds
}

fn write<'a>(span: &'a Span, kind: SpanKind, stretch: &Stretch) -> Option<Written<'a>> {
    let (trace_id, span_id) = (id::<16>(&span.trace)?, id::<8>(&span.id)?);
    let parent = id::<8>(&span.parent);
    let end_ns = stretch.moved(span.end_ns);
    let fields = SpanFields {
        trace_id: &trace_id,
        span_id: &span_id,
        parent_id: parent.as_ref().map_or(&[], |id| id),
        name: &span.operation,
        kind,
        start_ns: stretch.moved(span.start_ns),
        end_ns,
        ..SpanFields::default()
    };
    let mut raw = Vec::with_capacity(120);
    write_span(&mut raw, &fields);
    let is_call = matches!(kind, SpanKind::Server | SpanKind::Consumer) && parent.is_some();
    Some(Written { source: (&span.service, &span.pod), end_ns, is_call, raw })
}
