//! Spans at rest: the head in memory, splits in the blob store, merges, and the
//! execution of queries over both: traces by id, traces by their spans, tables.
//!
//! A [`Partition`] is driven from outside as [`crate::Partition`] is: `apply`, `seal`,
//! commit, `publish`. A trace may be in several splits and the head: every answer about
//! a trace looks at all of them.

mod facets;
mod find;
mod gather;
mod head;
mod merge;
mod operations;
mod over_time;
mod partition;
mod points;
mod prune;
mod query;
mod rows;
mod seal;
mod select;
#[allow(dead_code, unused_imports)]
pub(crate) mod split;
mod summary;
mod top;
mod trace;
mod view;

use std::time::Instant;

use telemetry::otlp::{SpanKind, StatusCode};

pub use facets::facets;
pub use operations::{Operation, operations};
pub use over_time::{OverTime, over_time};
pub use partition::{Options, Partition, Snapshot};
pub use points::{Point, Points, points};
pub use query::search;
pub use split::{SpanFile, SpanFileOptions};
pub use trace::{Trace, trace, trace_within};

/// A trace's id.
pub type TraceId = [u8; 16];

/// What stands for the name of a service that is not given.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

/// Which traces come first. Those that are answered are chosen by their matching spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TraceOrder {
    /// Those with the newest matching spans; in the answer by the trace's start, descending.
    #[default]
    Newest,
    /// Those with the oldest matching spans; in the answer by the trace's start.
    Oldest,
    /// Those with the longest matching spans; in the answer by the trace's duration, descending.
    Slowest,
}

/// A query with its range and bounds.
#[derive(Clone, Debug)]
pub struct Request {
    /// As [`::search::parse_spans`] reads it: which spans, and what to make of them.
    pub query: ::search::Query,
    /// The earliest effective start of a span, ns since 1970.
    pub start_ns: i64,
    /// The first one behind the range; `i64::MAX` for no end.
    pub end_ns: i64,
    /// How many traces, or rows of a table of spans.
    pub limit: usize,
    /// Which ones.
    pub order: TraceOrder,
    /// When to give up.
    pub deadline: Instant,
    /// Memory for groups, traces and rows.
    pub memory_bytes: usize,
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Traces with a matching span in the range, in order. Empty if there is a table.
    pub traces: Vec<TraceSummary>,
    /// The result of `stats`, `top`, `sort` or `fields`.
    pub table: Option<::search::Table>,
    /// How many spans match, of those that were looked at.
    pub matched_spans: u64,
    /// Everything in the range was looked at; else it stopped when the answer was certain.
    pub is_whole: bool,
    /// How many spans were looked at, or left out by what is known of them.
    pub searched: u64,
    /// Something could not be read: `warnings` say what.
    pub partial: bool,
    /// For people.
    pub warnings: Vec<String>,
}

/// A trace with matching spans, as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceSummary {
    /// Its id.
    pub trace_id: TraceId,
    /// When its first span began.
    pub start_ns: i64,
    /// From there to the end of the span that ended last.
    pub duration_ns: u64,
    /// The span without a parent; else the first one whose parent is not there.
    pub root: Option<SpanSummary>,
    /// How many spans.
    pub spans: u32,
    /// How many of them failed.
    pub errors: u32,
    /// Whose spans: most spans first.
    pub services: Vec<ServiceCount>,
    /// At most three matching spans in the range, the longest first.
    pub matched: Vec<SpanSummary>,
    /// How many match in the range.
    pub matched_spans: u32,
}

/// A service's part in a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCount {
    /// Its name; [`UNKNOWN_SERVICE`] where none is given.
    pub service: String,
    /// How many spans.
    pub spans: u32,
    /// How many of them failed.
    pub errors: u32,
}

/// The head of a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanSummary {
    /// Its id.
    pub span_id: [u8; 8],
    /// The span that it is part of.
    pub parent_id: Option<[u8; 8]>,
    /// Its service's name; [`UNKNOWN_SERVICE`] where none is given.
    pub service: String,
    /// What it does.
    pub name: String,
    /// Its role in a call.
    pub kind: SpanKind,
    /// How it ended.
    pub status: StatusCode,
    /// Its effective start.
    pub start_ns: i64,
    /// How long it took.
    pub duration_ns: u64,
}
