//! OTLP → Zipkin's v2 JSON, by OpenTelemetry's rules for Zipkin. A span that came as one goes out as it came, as far
//! as OTLP has a place for it (see `zipkin.rs` for the way in).
//!
//! Of OTLP the format has no place for: nanoseconds, types of tags, links, trace state and flags.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use crate::otlp::{Event, Resource, Scope, Span as OtlpSpan, SpanKind, StatusCode, TracesRequest};
use crate::value::{KeyValues, Value};
use crate::zipkin::attributes::{DEBUG, DURATION, LOCAL_IPV6, NO_TIMESTAMP, PEER_IPV6, SHARED};

/// A span.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span<'a> {
    /// 32 digits, or 16 if the first 16 are zeros.
    pub trace_id: Id<16>,
    /// The caller's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Id<8>>,
    /// Its id.
    pub id: Id<8>,
    /// `CLIENT`, `SERVER`, `PRODUCER` or `CONSUMER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// What it does.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: &'a str,
    /// When it began, µs since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    /// How long it took, µs, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
    /// Where it ran.
    #[serde(skip_serializing_if = "Endpoint::is_empty")]
    pub local_endpoint: Endpoint<'a>,
    /// The other end.
    #[serde(skip_serializing_if = "Endpoint::is_empty")]
    pub remote_endpoint: Endpoint<'a>,
    /// What happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Annotation<'a>>,
    /// Attributes, and the resource's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// The server's half of a call whose client's half has the same id.
    #[serde(skip_serializing_if = "is_false")]
    pub shared: bool,
    /// Asked to be kept.
    #[serde(skip_serializing_if = "is_false")]
    pub debug: bool,
}

/// A node of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint<'a> {
    /// Which service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<Cow<'a, str>>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<IpAddr>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<IpAddr>,
    /// Its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Annotation<'a> {
    /// When, µs since 1970.
    pub timestamp: u64,
    /// What.
    pub value: Cow<'a, str>,
}

/// An id in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id<const N: usize>(pub [u8; N]);

/// The attributes that say where an end of a call is. Those that the way in writes become the endpoint alone; of others
/// the first that is there is told as a tag, too.
struct Names {
    service: &'static [&'static str],
    address: &'static [&'static str],
    /// The second address, where there are both.
    ipv6: &'static str,
    port: &'static [&'static str],
}

const LOCAL: Names = Names {
    service: &[],
    address: &["network.local.address", "net.sock.host.addr", "net.host.ip"],
    ipv6: LOCAL_IPV6,
    port: &["network.local.port", "net.sock.host.port", "net.host.port"],
};
const PEER: Names = Names {
    service: &["peer.service", "server.address", "net.peer.name"],
    address: &["network.peer.address", "net.sock.peer.addr", "net.peer.ip"],
    ipv6: PEER_IPV6,
    port: &["network.peer.port", "net.sock.peer.port", "net.peer.port"],
};

const SERVICE: &str = "service.name";
/// What is told elsewhere than in tags.
const NO_TAGS: [&str; 11] = [
    "network.local.address",
    "network.local.port",
    "network.peer.address",
    "network.peer.port",
    "peer.service",
    LOCAL_IPV6,
    PEER_IPV6,
    SHARED,
    DEBUG,
    NO_TIMESTAMP,
    DURATION,
];

/// All spans of an `ExportTraceServiceRequest` that was validated before. Spans without ids are left out.
pub fn spans(payload: &[u8]) -> Vec<Span<'_>> {
    let request = TracesRequest::of_valid(payload);
    let mut clients = HashSet::new();
    for (_, _, span) in request.spans() {
        if matches!(span.kind, SpanKind::Client | SpanKind::Producer) {
            clients.insert((span.trace_id(), span.span_id()));
        }
    }
    let all = request.spans().filter_map(|(resource, scope, span)| {
        let mut made = Span::of(&resource.resource, &scope.scope, &span)?;
        let is_called = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
        made.shared |= is_called && clients.contains(&(span.trace_id(), span.span_id()));
        Some(made)
    });
    all.collect()
}

impl<'a> Span<'a> {
    fn of(resource: &Resource<'a>, scope: &Scope<'a>, span: &OtlpSpan<'a>) -> Option<Self> {
        let attributes = span.attributes();
        let is_set = |key| matches!(attributes.get(key), Some(Value::Bool(true)));
        let service = resource.attributes().get(SERVICE).map(|name| name.to_text());
        let service_name = service.filter(|name| !name.is_empty());
        let timestamp = Some(span.start_ns / 1000).filter(|us| *us > 0 && !is_set(NO_TIMESTAMP));
        Some(Self {
            trace_id: Id(span.trace_id()?),
            parent_id: span.parent_id().map(Id),
            id: Id(span.span_id()?),
            kind: kind(span.kind),
            name: span.name,
            timestamp,
            duration: duration(span),
            local_endpoint: Endpoint { service_name, ..Endpoint::of(&attributes, &LOCAL) },
            remote_endpoint: Endpoint::of(&attributes, &PEER),
            annotations: span.events().map(annotation).collect(),
            shared: is_set(SHARED),
            debug: is_set(DEBUG),
            tags: tags(resource, scope, span),
        })
    }
}

impl<'a> Endpoint<'a> {
    fn of(attributes: &KeyValues<'a>, names: &Names) -> Self {
        let text =
            |key: &str| attributes.get(key).map(|value| value.to_text()).filter(|text| !text.is_empty());
        let address = |key: &str| text(key)?.parse::<IpAddr>().ok();
        let port = |key: &str| text(key)?.parse::<u16>().ok().filter(|port| *port > 0);
        let first = names.address.iter().find_map(|key| address(key));
        let second = address(names.ipv6);
        Self {
            service_name: names.service.iter().find_map(|key| text(key)),
            ipv4: first.filter(IpAddr::is_ipv4),
            ipv6: first.or(second).filter(IpAddr::is_ipv6).or(second.filter(IpAddr::is_ipv6)),
            port: names.port.iter().find_map(|key| port(key)),
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn kind(kind: SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Client => Some("CLIENT"),
        SpanKind::Server => Some("SERVER"),
        SpanKind::Producer => Some("PRODUCER"),
        SpanKind::Consumer => Some("CONSUMER"),
        SpanKind::Internal | SpanKind::Unspecified => None,
    }
}

/// Zipkin knows no duration of 0: there is none, and what took less than a microsecond took one.
fn duration(span: &OtlpSpan<'_>) -> Option<u64> {
    if let Some(Value::Int(us)) = span.attributes().get(DURATION) {
        return u64::try_from(us).ok();
    }
    let took = Some(span.duration_ns()).filter(|ns| *ns > 0)?;
    Some((took / 1000).max(1))
}

/// The name alone, or with its attributes as JSON, as OpenTelemetry writes it.
fn annotation<'a>(event: Event<'a>) -> Annotation<'a> {
    let attributes = event.attributes();
    let value = match attributes.iter().next() {
        None => event.name.into(),
        Some(_) => {
            let told = serde_json::json!({ event.name: attributes.to_json() });
            told.to_string().into()
        }
    };
    Annotation { timestamp: event.time_ns / 1000, value }
}

/// The resource's attributes, the span's own, the scope's name, its status: the later ones count.
fn tags<'a>(
    resource: &Resource<'a>,
    scope: &Scope<'a>,
    span: &OtlpSpan<'a>,
) -> BTreeMap<Cow<'a, str>, Cow<'a, str>> {
    let mut tags = BTreeMap::new();
    let of_resource = resource.attributes().iter().filter(|(key, _)| *key != SERVICE);
    let own = span.attributes().iter().filter(|(key, _)| !NO_TAGS.contains(key));
    for (key, value) in of_resource.chain(own) {
        tags.insert(key.into(), value.to_text());
    }
    let code = match span.status {
        StatusCode::Unset => "",
        StatusCode::Ok => "OK",
        // The tag makes the span red. One that the sender has written says it all.
        StatusCode::Error if tags.contains_key("error") => "",
        StatusCode::Error => {
            tags.insert("error".into(), span.status_message.into());
            "ERROR"
        }
    };
    let told = [
        ("otel.scope.name", scope.name),
        ("otel.scope.version", scope.version),
        ("otel.status_code", code),
        ("w3c.tracestate", span.trace_state),
    ];
    let told = told.into_iter().filter(|(_, value)| !value.is_empty());
    tags.extend(told.map(|(key, value)| (key.into(), value.into())));
    tags
}

impl<const N: usize> Serialize for Id<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * N);
        // An id of 64 bits came with as many digits.
        let zeros = if N == 16 && self.0[..8] == [0; 8] { 8 } else { 0 };
        for byte in &self.0[zeros..] {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        to.serialize_str(&text)
    }
}

fn is_false(bit: &bool) -> bool {
    !bit
}

#[cfg(test)]
mod tests;
