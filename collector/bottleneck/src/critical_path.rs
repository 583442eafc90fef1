//! The critical path of one trace: which span the root was waiting for, at each moment.

/// What the analysis needs to know of a span. Spans are named by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathSpan {
    /// The span that called; `None` for a root, and where the caller is not there.
    pub parent: Option<usize>,
    /// When it began, ns.
    pub start_ns: u64,
    /// When it ended, ns; not before the start.
    pub end_ns: u64,
    /// Whether nobody waits for it: a consumer of messages, or one that only follows from its parent.
    pub is_async: bool,
}

/// A stretch of the path: during it the trace waited for this span itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Index of the span.
    pub span: usize,
    /// From, ns.
    pub start_ns: u64,
    /// To, ns; after `start_ns`.
    pub end_ns: u64,
}
