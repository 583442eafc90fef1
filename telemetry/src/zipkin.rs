//! Zipkin's spans (v2 in JSON and protobuf, v1 in JSON), read straight into an OTLP traces request by
//! OpenTelemetry's translation, and by Zipkin's own of v1 into v2.
//!
//! A span that cannot be stored is left out with a reason and the others go on; a body that is no list of spans is
//! refused as a whole. What OTLP has no field for is kept in attributes ([`attributes`]), so that a span can be told
//! in Zipkin's words again.

mod json;
mod protobuf;
mod span;
mod v1;
mod write;

use crate::room::NoRoom;

pub use json::{decode_json, decode_v1_json};
pub use protobuf::decode_protobuf;

/// Attributes of spans for what OTLP has no field for.
pub mod attributes {
    /// True when the span was sent to be kept whatever the sampling.
    pub const DEBUG: &str = "zipkin.debug";
    /// True when the other side of the call has begun the span: both have its id.
    pub const SHARED: &str = "zipkin.shared";
    /// True when the span was sent without a timestamp, and begins with its first annotation.
    pub const NO_TIMESTAMP: &str = "zipkin.no_timestamp";
    /// The duration in µs of a span for which no time at all is known.
    pub const DURATION: &str = "zipkin.duration_us";
    /// The IPv6 address of a local endpoint that has an IPv4 address, too.
    pub const LOCAL_IPV6: &str = "zipkin.local.ipv6";
    /// The IPv6 address of a remote endpoint that has an IPv4 address, too.
    pub const PEER_IPV6: &str = "zipkin.peer.ipv6";
}

/// What a body of spans says, in OTLP.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// An `ExportTraceServiceRequest`, valid for [`crate::otlp::TracesRequest::parse`]: a resource per service.
    pub payload: Vec<u8>,
    /// Spans that were left out.
    pub rejected: u64,
    /// Why the first of them was.
    pub first_reason: Option<String>,
}

/// Why a body is no list of spans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The bytes or the text are not what they should be.
    #[error("{0}")]
    Malformed(String),
    /// More spans than one body may have.
    #[error("the body has more than {0} spans; send it in parts")]
    TooMany(usize),
    /// No memory is left now; later there may be.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
