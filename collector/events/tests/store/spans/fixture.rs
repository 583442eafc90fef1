//! Spans as strategies, and as the OTLP messages that they travel as.

use proptest::prelude::*;
use telemetry::Value;
use telemetry::otlp::{
    EventFields, RecordsWriter, SpanFields, SpanKind, StatusCode, write_resource, write_scope, write_span,
};

pub(crate) const SECOND_NS: u64 = 1_000_000_000;
/// When the first span may begin.
pub(crate) const START_NS: u64 = 1_700_000_000 * SECOND_NS;

/// A span before it has an id of its own.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) trace: u8,
    /// How many spans of its trace before it its parent is; 0 for none.
    pub(crate) parent: u8,
    pub(crate) service: u8,
    pub(crate) name: u8,
    pub(crate) kind: u64,
    pub(crate) status: u64,
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    pub(crate) attribute: u8,
    pub(crate) event: u8,
}

/// A span with what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) resource: Vec<u8>,
    pub(crate) scope: Vec<u8>,
    pub(crate) raw: Vec<u8>,
}

pub(crate) fn draft() -> impl Strategy<Value = Draft> {
    // Mostly within two minutes, some without a start, some hours late.
    let start = prop_oneof![
        8 => (0..120u64).prop_map(|s| START_NS + s * SECOND_NS),
        1 => Just(0),
        1 => (0..5u64).prop_map(|h| START_NS - h * 3600 * SECOND_NS),
    ];
    let duration = prop_oneof![0..5_000u64, (0..20u64).prop_map(|n| n * 100_000_000)];
    let what = (0..5u8, 0..5u8, 0..7u64, prop_oneof![4 => 0..2u64, 1 => Just(2)], 0..6u8, 0..4u8);
    (0..8u8, 0..5u8, what, start, duration).prop_map(
        |(trace, parent, (service, name, kind, status, attribute, event), start_ns, duration_ns)| Draft {
            trace,
            parent,
            service,
            name,
            kind,
            status,
            start_ns,
            duration_ns,
            attribute,
            event,
        },
    )
}

pub(crate) fn trace_id(number: u8) -> [u8; 16] {
    let mut id = [number; 16];
    id[0] = number + 1;
    id
}

/// The message of a span with this id.
pub(crate) fn make(draft: &Draft, number: u64) -> Made {
    let trace_id = trace_id(draft.trace);
    let span_id = number.to_be_bytes();
    let parent = number.saturating_sub(u64::from(draft.parent)).to_be_bytes();
    let name = ["GET /cart", "POST /order", "SELECT", "", "größe ÄÖ"][usize::from(draft.name)];
    let attributes: &[(&str, Value<'_>)] = match draft.attribute {
        0 => &[("http.method", Value::Str("GET")), ("http.status_code", Value::Int(200))],
        1 => &[("http.method", Value::Str("POST")), ("http.status_code", Value::Int(500))],
        2 => &[("http.status_code", Value::Str("503")), ("took_ms", Value::Double(12.5))],
        3 => &[("zone", Value::Str("own")), ("flag", Value::Bool(true))],
        4 => &[("http.method", Value::Str("GET")), ("http.method", Value::Str("PUT"))],
        _ => &[],
    };
    let event = |name| EventFields { time_ns: draft.start_ns, name, attributes: &[] };
    let events: &[EventFields<'_>] = match draft.event {
        0 => &[event("exception")],
        1 => &[event(""), event("retry")],
        _ => &[],
    };
    let mut raw = Vec::new();
    let span = SpanFields {
        trace_id: &trace_id,
        span_id: &span_id,
        parent_id: if draft.parent == 0 { &[] } else { &parent },
        name,
        kind: SpanKind::of_number(draft.kind),
        start_ns: draft.start_ns,
        end_ns: draft.start_ns + draft.duration_ns,
        attributes,
        events,
        status: StatusCode::of_number(draft.status),
        status_message: if draft.status == 2 { "connection refused" } else { "" },
        ..SpanFields::default()
    };
    write_span(&mut raw, &span);
    let mut resource = Vec::new();
    let named = |service| [("service.name", Value::Str(service)), ("zone", Value::Str("eu"))];
    match draft.service {
        0 => write_resource(&mut resource, &named("checkout")),
        1 => write_resource(&mut resource, &named("cart")),
        2 => write_resource(&mut resource, &[("host.name", Value::Str("node-1"))]),
        // Neither is a name.
        3 => write_resource(&mut resource, &[("service.name", Value::Int(5)), ("host.name", Value::Str(""))]),
        _ => {}
    }
    let mut scope = Vec::new();
    if draft.service == 0 {
        write_scope(&mut scope, "http", "1.0", &[]);
    }
    Made { resource, scope, raw }
}

/// A request of these spans in their order.
pub(crate) fn request(spans: &[Made]) -> Vec<u8> {
    let mut writer = RecordsWriter::default();
    let mut before: Option<&Made> = None;
    for span in spans {
        if before.is_none_or(|before| (&before.resource, &before.scope) != (&span.resource, &span.scope)) {
            writer.resource(&span.resource, "");
            writer.scope(&span.scope, "");
        }
        writer.record(&span.raw);
        before = Some(span);
    }
    writer.finish()
}
