//! What occurs in a chunk or a block by service, name and kind, and what a filter makes of that.

use telemetry::otlp::SpanKind;

/// Spans that share service, name and kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation<'a> {
    /// "" for none.
    pub(super) service: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: SpanKind,
    pub(super) spans: u64,
    pub(super) errors: u64,
    /// Not below the largest duration.
    pub(super) max_duration_ns: u64,
}
