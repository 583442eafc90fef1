//! From spans to a traces request: OpenTelemetry's "Zipkin to OTLP".

use std::collections::HashMap;

use super::attributes::{DEBUG, DURATION, LOCAL_IPV6, NO_TIMESTAMP, PEER_IPV6, SHARED};
use super::span::{Endpoint, Kind, Span};
use super::{Report, ReportError};
use crate::otlp::wire::{close, open, put_bytes, put_text_entry, varint_len};
use crate::otlp::{EventFields, SpanFields, SpanKind, StatusCode, write_span};
use crate::room::Room;
use crate::value::Value;

/// What a group takes besides its spans.
const GROUP_BYTES: usize = 160;

/// Spans as they are written, a group for each service; asks for the memory that they take.
pub(super) struct Writer<'r> {
    groups: Vec<Group>,
    by_service: HashMap<String, usize>,
    report: Report,
    room: Room<'r>,
    max_spans: usize,
    /// Spans of the body so far.
    spans: usize,
    /// Bytes of the groups so far.
    written: usize,
    /// What of the span that is being read waits in memory.
    pub(super) held: usize,
    /// The first thing that refuses the whole body; readers that cannot pass it on leave it here.
    pub(super) failed: Option<ReportError>,
    span: Vec<u8>,
}

struct Group {
    service: String,
    spans: Vec<u8>,
}

impl<'r> Writer<'r> {
    pub(super) fn new(max_spans: usize, room: Room<'r>) -> Self {
        Self {
            groups: Vec::new(),
            by_service: HashMap::new(),
            report: Report::default(),
            room,
            max_spans,
            spans: 0,
            written: 0,
            held: 0,
            failed: None,
            span: Vec::new(),
        }
    }

    /// Asks for more for what is being read.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), ReportError> {
        self.held += bytes;
        // The groups stand beside the payload when that is put together.
        Ok(self.room.hold(2 * self.written + self.span.len() + self.held)?)
    }

    /// Takes a span of the body, which may be several in v2.
    pub(super) fn take(&mut self, spans: &[Span<'_>]) -> Result<(), ReportError> {
        for span in spans {
            if let Err(fault) = self.span(span) {
                // All of them have the same ids.
                return self.leave_out(&fault);
            }
            self.group(&span.local.service)?;
        }
        self.count()
    }

    /// Leaves a span of the body out.
    pub(super) fn leave_out(&mut self, fault: &str) -> Result<(), ReportError> {
        let index = self.spans;
        self.report.rejected += 1;
        self.report.first_reason.get_or_insert_with(|| format!("span {index} {fault}"));
        self.count()
    }

    fn count(&mut self) -> Result<(), ReportError> {
        self.spans += 1;
        self.held = 0;
        if self.spans > self.max_spans { Err(ReportError::TooMany(self.max_spans)) } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Report {
        let mut payload = Vec::with_capacity(self.written);
        for group in self.groups.drain(..) {
            let start = open(&mut payload, 1);
            let resource = open(&mut payload, 1);
            if !group.service.is_empty() {
                put_text_entry(&mut payload, 1, "service.name", &group.service);
            }
            close(&mut payload, resource);
            put_bytes(&mut payload, 2, &group.spans);
            close(&mut payload, start);
        }
        Report { payload, ..self.report }
    }

    /// Puts the span that was written into its service's group.
    fn group(&mut self, service: &str) -> Result<(), ReportError> {
        let at = match self.by_service.get(service) {
            Some(at) => *at,
            None => {
                self.written += GROUP_BYTES + 3 * service.len();
                self.groups.push(Group { service: service.to_owned(), spans: Vec::new() });
                self.by_service.insert(service.to_owned(), self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        self.written += 1 + varint_len(self.span.len() as u64) + self.span.len();
        self.hold(0)?;
        put_bytes(&mut self.groups[at].spans, 2, &self.span);
        Ok(())
    }

    /// Writes one span; or says what is wrong with it.
    fn span(&mut self, span: &Span<'_>) -> Result<(), String> {
        let of_trace = span.trace_id.read::<16>().map_err(|fault| format!("has the trace id {fault}"))?;
        let own = span.id.read::<8>().map_err(|fault| format!("has the id {fault}"))?;
        let parent = span.parent_id.read::<8>().map_err(|fault| format!("has the parent id {fault}"))?;
        let trace_id = of_trace.ok_or("has no trace id, or one of zeros")?;
        let span_id = own.ok_or("has no id, or one of zeros")?;
        // Zipkin takes its own id as a parent for none.
        let parent = parent.filter(|parent| *parent != span_id);
        let times = Times::of(span);
        let attributes = attributes(span, &times);
        let status = status(span);
        let events: Vec<EventFields<'_>> = span
            .annotations
            .iter()
            .map(|annotation| EventFields {
                time_ns: nanoseconds(annotation.timestamp),
                name: &annotation.value,
                attributes: &[],
            })
            .collect();
        self.span.clear();
        write_span(
            &mut self.span,
            &SpanFields {
                trace_id: &trace_id,
                span_id: &span_id,
                parent_id: parent.as_ref().map_or(&[], |id| id),
                trace_state: tag(span, "w3c.tracestate").unwrap_or_default(),
                name: &span.name,
                kind: kind(span),
                start_ns: times.start_ns,
                end_ns: times.end_ns,
                attributes: &attributes,
                events: &events,
                status: status.0,
                status_message: status.1,
                ..SpanFields::default()
            },
        );
        Ok(())
    }
}

/// When a span began and ended.
struct Times {
    start_ns: u64,
    end_ns: u64,
    /// Whether the start is the first annotation's time.
    is_derived: bool,
}

impl Times {
    fn of(span: &Span<'_>) -> Self {
        let first = span.annotations.iter().map(|annotation| annotation.timestamp).filter(|time| *time > 0);
        let is_derived = span.timestamp == 0;
        let start = if is_derived { first.min().unwrap_or(0) } else { span.timestamp };
        let end = if start == 0 { 0 } else { start.saturating_add(span.duration) };
        Self { start_ns: nanoseconds(start), end_ns: nanoseconds(end), is_derived: is_derived && start != 0 }
    }
}

fn nanoseconds(micros: u64) -> u64 {
    micros.saturating_mul(1000)
}

fn kind(span: &Span<'_>) -> SpanKind {
    match span.kind {
        Kind::Client => SpanKind::Client,
        Kind::Server => SpanKind::Server,
        Kind::Producer => SpanKind::Producer,
        Kind::Consumer => SpanKind::Consumer,
        Kind::None if tag(span, "span.kind") == Some("internal") => SpanKind::Internal,
        Kind::None => SpanKind::Unspecified,
    }
}

/// Zipkin takes a span with the tag `error` for failed, whatever it says; `false` is what some send for success.
/// OpenTelemetry's exporters say the code besides.
fn status<'a>(span: &'a Span<'_>) -> (StatusCode, &'a str) {
    let error = tag(span, "error").filter(|error| !error.eq_ignore_ascii_case("false"));
    let message = tag(span, "otel.status_description").or(error.filter(|error| *error != "true"));
    let code = tag(span, "otel.status_code").map(|code| code.strip_prefix("STATUS_CODE_").unwrap_or(code));
    match (code, error) {
        (Some("ERROR"), _) | (_, Some(_)) => (StatusCode::Error, message.unwrap_or_default()),
        (Some("OK"), None) => (StatusCode::Ok, ""),
        _ => (StatusCode::Unset, ""),
    }
}

fn tag<'a>(span: &'a Span<'_>, key: &str) -> Option<&'a str> {
    span.tags.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
}

/// The tags; then the endpoints, unless a tag says the same by its own name; then what OTLP has no field for.
fn attributes<'a>(span: &'a Span<'_>, times: &Times) -> Vec<(&'a str, Value<'a>)> {
    let mut all: Vec<(&str, Value<'_>)> =
        span.tags.iter().map(|(key, value)| (&**key, Value::Str(value))).collect();
    let mut add = |key, value| {
        if tag(span, key).is_none() {
            all.push((key, value));
        }
    };
    let local = ["network.local.address", LOCAL_IPV6, "network.local.port"];
    let peer = ["network.peer.address", PEER_IPV6, "network.peer.port"];
    if !span.remote.service.is_empty() {
        add("peer.service", Value::Str(&span.remote.service));
    }
    for (endpoint, keys) in [(&span.local, local), (&span.remote, peer)] {
        address(endpoint, keys, &mut add);
    }
    let flags = [(DEBUG, span.is_debug), (SHARED, span.is_shared), (NO_TIMESTAMP, times.is_derived)];
    for (key, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        add(key, Value::Bool(true));
    }
    if times.start_ns == 0 && span.duration > 0 {
        add(DURATION, Value::Int(i64::try_from(span.duration).unwrap_or(i64::MAX)));
    }
    all
}

fn address<'a>(
    endpoint: &'a Endpoint<'_>,
    [address, second, port]: [&'static str; 3],
    add: &mut impl FnMut(&'static str, Value<'a>),
) {
    let addresses = [&*endpoint.ipv4, &*endpoint.ipv6];
    let given = addresses.into_iter().filter(|address| !address.is_empty());
    given.zip([address, second]).for_each(|(value, key)| add(key, Value::Str(value)));
    if endpoint.port > 0 {
        add(port, Value::Int(endpoint.port.into()));
    }
}
