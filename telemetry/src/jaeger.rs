//! Jaeger's JSON, as its query API and its UI speak it: spans with typed tags, references, logs, and processes
//! on the side. [`write`](Trace) makes it from OTLP and [`decode`] reads it; what Jaeger has no place for becomes
//! tags by OpenTelemetry's rules for Jaeger (`span.kind`, `otel.status_code`, `error`, `otel.scope.name`, …).
//!
//! Of OTLP the format has no place for: nanoseconds, attributes and trace states of links, schemas,
//! and how many attributes an event's sender dropped. Lists and maps become JSON texts.

mod read;
mod tag;
mod write;

pub use read::{JaegerError, decode};
pub use tag::{Tag, TagValue};
pub use write::{Log, Process, Reference, Span, SpanId, Trace, TraceId, traces};

/// The service of a resource that names none.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

/// Keys of tags that are no attributes in OTLP.
mod key {
    pub(super) const SERVICE: &str = "service.name";
    pub(super) const KIND: &str = "span.kind";
    pub(super) const STATUS: &str = "otel.status_code";
    pub(super) const STATUS_MESSAGE: &str = "otel.status_description";
    pub(super) const ERROR: &str = "error";
    pub(super) const TRACE_STATE: &str = "w3c.tracestate";
    /// In front of `name`, `version` and the scope's attributes.
    pub(super) const SCOPE: &str = "otel.scope.";
    /// What the scope was called before; only read.
    pub(super) const LIBRARY: &str = "otel.library.";
    /// The name of an event, among the fields of a log.
    pub(super) const EVENT: &str = "event";
    /// Of a link: `child_of` or `follows_from`.
    pub(super) const REF_TYPE: &str = "opentracing.ref_type";
    /// Warnings that came with a span.
    pub(super) const WARNINGS: &str = "@jaeger@warnings";
}

#[cfg(test)]
mod tests;
