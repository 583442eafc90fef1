//! OTLP → Jaeger.

use std::collections::{BTreeMap, HashMap};

use serde::{Serialize, Serializer};

use super::{Tag, UNKNOWN_SERVICE, key};
use crate::otlp::{Event, Link, Resource, Scope, Span as OtlpSpan, SpanKind, StatusCode, TracesRequest};
use crate::value::Value;

/// A trace's id: 32 digits, or 16 if the first 16 are zeros, as Jaeger prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// A span's id: 16 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

/// Spans of one trace.
#[derive(Clone, Debug, Serialize)]
pub struct Trace<'a> {
    /// Its id.
    #[serde(rename = "traceID")]
    pub trace_id: TraceId,
    /// In the order given.
    pub spans: Vec<Span<'a>>,
    /// What emitted them: `p1`, `p2`, …
    pub processes: BTreeMap<String, Process<'a>>,
    /// For people.
    pub warnings: Option<Vec<String>>,
}

/// One operation.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span<'a> {
    /// The trace's id.
    #[serde(rename = "traceID")]
    pub trace_id: TraceId,
    /// Its id.
    #[serde(rename = "spanID")]
    pub span_id: SpanId,
    /// 1 if it was sampled.
    #[serde(skip_serializing_if = "is_zero")]
    pub flags: u32,
    /// What it does.
    pub operation_name: &'a str,
    /// Its parent and others.
    pub references: Vec<Reference>,
    /// When it began, µs since 1970.
    pub start_time: u64,
    /// How long it took, µs.
    pub duration: u64,
    /// Attributes and what Jaeger has no other place for.
    pub tags: Vec<Tag<'a>>,
    /// Events.
    pub logs: Vec<Log<'a>>,
    /// Which of the trace's processes.
    #[serde(rename = "processID")]
    pub process_id: String,
    /// For people.
    pub warnings: Option<Vec<String>>,
}

/// Another span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// `CHILD_OF` or `FOLLOWS_FROM`.
    #[serde(rename = "refType")]
    pub ref_type: &'static str,
    /// Its trace.
    #[serde(rename = "traceID")]
    pub trace_id: TraceId,
    /// Its id.
    #[serde(rename = "spanID")]
    pub span_id: SpanId,
}

/// An event.
#[derive(Clone, Debug, Serialize)]
pub struct Log<'a> {
    /// When, µs since 1970.
    pub timestamp: u64,
    /// Its name as `event`, and its attributes.
    pub fields: Vec<Tag<'a>>,
}

/// What emitted a span.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Process<'a> {
    /// `service.name`.
    pub service_name: std::borrow::Cow<'a, str>,
    /// The resource's other attributes.
    pub tags: Vec<Tag<'a>>,
}

const CHILD_OF: &str = "CHILD_OF";
const FOLLOWS_FROM: &str = "FOLLOWS_FROM";

/// The traces of a request, by first occurrence. Spans without ids are left out.
pub fn traces<'a>(request: &TracesRequest<'a>) -> Vec<Trace<'a>> {
    let mut gathered = Gathered::default();
    for resource in request.resources() {
        // Which process it is in the trace that was met last: most requests have a trace, or a resource, alone.
        let mut last: Option<(usize, String)> = None;
        for scope in resource.scopes() {
            for span in scope.spans() {
                let (Some(trace_id), Some(span_id)) = (span.trace_id(), span.span_id()) else { continue };
                let at = gathered.trace(trace_id);
                let process_id = match &last {
                    Some((trace, process_id)) if *trace == at => process_id.clone(),
                    _ => gathered.process(at, &resource.resource),
                };
                last = Some((at, process_id.clone()));
                let ids = (trace_id, span_id);
                gathered.traces[at].spans.push(Span::of(&span, &scope.scope, ids, process_id));
            }
        }
    }
    gathered.traces
}

#[derive(Default)]
struct Gathered<'a> {
    traces: Vec<Trace<'a>>,
    by_id: HashMap<[u8; 16], usize>,
    /// Of each trace its processes by their `Resource` messages.
    processes: Vec<HashMap<&'a [u8], String>>,
}

impl<'a> Gathered<'a> {
    fn trace(&mut self, trace_id: [u8; 16]) -> usize {
        *self.by_id.entry(trace_id).or_insert_with(|| {
            self.traces.push(Trace::empty(trace_id));
            self.processes.push(HashMap::new());
            self.traces.len() - 1
        })
    }

    fn process(&mut self, trace: usize, resource: &Resource<'a>) -> String {
        let known = &mut self.processes[trace];
        let next = known.len() + 1;
        let new = || {
            let id = format!("p{next}");
            self.traces[trace].processes.insert(id.clone(), process(resource));
            id
        };
        known.entry(resource.raw).or_insert_with(new).clone()
    }
}

impl Trace<'_> {
    fn empty(trace_id: [u8; 16]) -> Self {
        Self { trace_id: TraceId(trace_id), spans: Vec::new(), processes: BTreeMap::new(), warnings: None }
    }
}

fn process<'a>(resource: &Resource<'a>) -> Process<'a> {
    let attributes = resource.attributes();
    let service_name =
        attributes.get(key::SERVICE).map(|name| name.to_text()).filter(|name| !name.is_empty());
    let tags = attributes.iter().filter(|(name, _)| *name != key::SERVICE).map(Tag::of_attribute).collect();
    Process { service_name: service_name.unwrap_or(UNKNOWN_SERVICE.into()), tags }
}

impl<'a> Span<'a> {
    fn of(
        span: &OtlpSpan<'a>,
        scope: &Scope<'a>,
        (trace_id, span_id): ([u8; 16], [u8; 8]),
        process_id: String,
    ) -> Self {
        Self {
            trace_id: TraceId(trace_id),
            span_id: SpanId(span_id),
            // The bits above mean other things in Jaeger than in W3C's flags.
            flags: span.flags & 1,
            operation_name: span.name,
            references: references(span, trace_id),
            start_time: span.start_ns / 1000,
            duration: span.duration_ns() / 1000,
            tags: tags(span, scope),
            logs: span.events().map(log).collect(),
            process_id,
            warnings: warnings(span),
        }
    }
}

/// The parent first, unless a link that came as a reference says what it is to the span, and where it stood.
fn references(span: &OtlpSpan<'_>, trace_id: [u8; 16]) -> Vec<Reference> {
    let mut references: Vec<_> = span.links().filter_map(|link| reference(&link)).collect();
    if let Some(parent) = span.parent_id() {
        let is_parent = |link: &Link<'_>| link.trace_id() == Some(trace_id) && link.span_id() == Some(parent);
        let is_told = span.links().any(|link| is_parent(&link) && ref_type(&link).is_some());
        let (trace_id, span_id) = (TraceId(trace_id), SpanId(parent));
        if !is_told {
            references.insert(0, Reference { ref_type: CHILD_OF, trace_id, span_id });
        }
    }
    references
}

fn reference(link: &Link<'_>) -> Option<Reference> {
    let ref_type = if ref_type(link) == Some("child_of") { CHILD_OF } else { FOLLOWS_FROM };
    Some(Reference { ref_type, trace_id: TraceId(link.trace_id()?), span_id: SpanId(link.span_id()?) })
}

fn ref_type<'a>(link: &Link<'a>) -> Option<&'a str> {
    match link.attributes().get(key::REF_TYPE) {
        Some(Value::Str(text)) => Some(text),
        _ => None,
    }
}

/// In the order in which OpenTelemetry's exporter for Jaeger writes them.
fn tags<'a>(span: &OtlpSpan<'a>, scope: &Scope<'a>) -> Vec<Tag<'a>> {
    let mut tags = Vec::new();
    let text = |tags: &mut Vec<Tag<'a>>, key: &'static str, value: &'a str| {
        if !value.is_empty() {
            tags.push(Tag::text(key, value));
        }
    };
    text(&mut tags, "otel.scope.name", scope.name);
    text(&mut tags, "otel.scope.version", scope.version);
    let of_scope = |(name, value)| Tag {
        key: format!("{}{name}", key::SCOPE).into(),
        ..Tag::of_attribute((name, value))
    };
    tags.extend(scope.attributes().iter().map(of_scope));
    let attributes = span.attributes();
    tags.extend(attributes.iter().filter(|(name, _)| *name != key::WARNINGS).map(Tag::of_attribute));
    if span.kind != SpanKind::Unspecified {
        tags.push(Tag::text(key::KIND, span.kind.name()));
    }
    match span.status {
        StatusCode::Unset => {}
        StatusCode::Ok => tags.push(Tag::text(key::STATUS, "OK")),
        StatusCode::Error => {
            tags.push(Tag::text(key::STATUS, "ERROR"));
            // One that the instrumentation has written itself says the same.
            tags.retain(|tag| tag.key != key::ERROR);
            tags.push(Tag { key: key::ERROR.into(), value: super::TagValue::Bool(true) });
        }
    }
    text(&mut tags, key::STATUS_MESSAGE, span.status_message);
    text(&mut tags, key::TRACE_STATE, span.trace_state);
    tags
}

fn log<'a>(event: Event<'a>) -> Log<'a> {
    let name = Some(event.name).filter(|name| !name.is_empty()).map(|name| Tag::text(key::EVENT, name));
    let fields = name.into_iter().chain(event.attributes().iter().map(Tag::of_attribute)).collect();
    Log { timestamp: event.time_ns / 1000, fields }
}

fn warnings(span: &OtlpSpan<'_>) -> Option<Vec<String>> {
    let mut warnings = Vec::new();
    match span.attributes().get(key::WARNINGS) {
        Some(Value::Array(texts)) => warnings.extend(texts.iter().map(|text| text.to_text().into_owned())),
        Some(text) => warnings.push(text.to_text().into_owned()),
        None => {}
    }
    if span.end_ns < span.start_ns {
        warnings.push("the span ends before it starts".to_owned());
    }
    for (count, what) in [
        (span.dropped_attributes, "attributes"),
        (span.dropped_events, "events"),
        (span.dropped_links, "links"),
    ] {
        if count > 0 {
            warnings.push(format!("the sender has dropped {count} {what}"));
        }
    }
    (!warnings.is_empty()).then_some(warnings)
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = u128::from_be_bytes(self.0);
        if id >> 64 == 0 { write!(f, "{id:016x}") } else { write!(f, "{id:032x}") }
    }
}

impl Serialize for SpanId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl std::fmt::Display for SpanId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}
