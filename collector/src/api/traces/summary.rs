//! What a search for traces tells.

use std::time::Duration;

use events::spans::{Answer, Points, SpanSummary, TraceSummary};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::logs::{TableView, hex, millis};
use crate::api::time;

/// Traces, or the table of `stats` and its like.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchAnswer<'a> {
    /// In the order that was asked for.
    traces: Vec<TraceView<'a>>,
    /// How many spans match, of those that were looked at.
    matched_spans: u64,
    /// Everything in the range was looked at; else it stopped when the answer was certain.
    whole: bool,
    /// Spans of the range that were looked at or ruled out.
    searched: u64,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: &'a [String],
    /// How long it took.
    took_ms: f64,
    /// Set when the query has a stage `stats`, `top`, `sort` or `fields`.
    #[schema(value_type = Option<Object>)]
    table: Option<TableView<'a>>,
}

/// A trace with matching spans, as a whole.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundTrace)]
pub(crate) struct TraceView<'a> {
    trace_id: String,
    /// When its first span began.
    start: String,
    /// From there to the end of the span that ended last.
    duration_ns: u64,
    /// The span without a parent; else the first one whose parent is not there.
    root: Option<SummaryView<'a>>,
    /// How many spans.
    spans: u32,
    /// How many of them failed.
    errors: u32,
    /// Whose spans: most spans first.
    services: Vec<ServiceView<'a>>,
    /// Up to three matching spans, the longest first.
    matched: Vec<SummaryView<'a>>,
    /// How many match in the range.
    matched_spans: u32,
}

/// A service's part in a trace.
#[derive(Serialize, ToSchema)]
#[schema(as = ServicePart)]
struct ServiceView<'a> {
    service: &'a str,
    spans: u32,
    errors: u32,
}

/// The head of a span.
#[derive(Serialize, ToSchema)]
#[schema(as = SpanSummary)]
struct SummaryView<'a> {
    span_id: String,
    parent_id: Option<String>,
    service: &'a str,
    name: &'a str,
    /// `server`, `consumer`, `client`, `producer`, `internal` or `unspecified`.
    kind: &'static str,
    /// `unset`, `ok` or `error`.
    status: &'static str,
    start: String,
    duration_ns: u64,
}

/// Traces as points of duration over time.
#[derive(Serialize, ToSchema)]
pub(crate) struct PointsAnswer<'a> {
    points: Vec<PointView<'a>>,
    /// How many traces match, points or not.
    total: u64,
    /// Something could not be read: `warnings` says what.
    partial: bool,
    /// For people.
    warnings: &'a [String],
    /// How long it took.
    took_ms: f64,
}

/// A trace as a point, by the longest of its matching spans.
#[derive(Serialize, ToSchema)]
struct PointView<'a> {
    trace_id: String,
    start: String,
    duration_ns: u64,
    /// Whether a matching span failed.
    error: bool,
    service: &'a str,
    name: &'a str,
}

impl<'a> SearchAnswer<'a> {
    pub(super) fn of(answer: &'a Answer, took: Duration) -> Self {
        Self {
            traces: answer.traces.iter().map(TraceView::of).collect(),
            matched_spans: answer.matched_spans,
            whole: answer.is_whole,
            searched: answer.searched,
            partial: answer.partial,
            warnings: &answer.warnings,
            took_ms: millis(took),
            table: answer.table.as_ref().map(TableView),
        }
    }
}

impl<'a> TraceView<'a> {
    fn of(trace: &'a TraceSummary) -> Self {
        let services = trace.services.iter();
        Self {
            trace_id: hex(&trace.trace_id),
            start: time::format(trace.start_ns),
            duration_ns: trace.duration_ns,
            root: trace.root.as_ref().map(SummaryView::of),
            spans: trace.spans,
            errors: trace.errors,
            services: services
                .map(|one| ServiceView { service: &one.service, spans: one.spans, errors: one.errors })
                .collect(),
            matched: trace.matched.iter().map(SummaryView::of).collect(),
            matched_spans: trace.matched_spans,
        }
    }
}

impl<'a> SummaryView<'a> {
    fn of(span: &'a SpanSummary) -> Self {
        Self {
            span_id: hex(&span.span_id),
            parent_id: span.parent_id.map(|id| hex(&id)),
            service: &span.service,
            name: &span.name,
            kind: span.kind.name(),
            status: span.status.name(),
            start: time::format(span.start_ns),
            duration_ns: span.duration_ns,
        }
    }
}

impl<'a> PointsAnswer<'a> {
    pub(super) fn of(found: &'a Points, took: Duration) -> Self {
        let points = found.points.iter().map(|point| PointView {
            trace_id: hex(&point.trace_id),
            start: time::format(point.start_ns),
            duration_ns: point.duration_ns,
            error: point.is_error,
            service: &point.service,
            name: &point.name,
        });
        Self {
            points: points.collect(),
            total: found.total,
            partial: found.partial,
            warnings: &found.warnings,
            took_ms: millis(took),
        }
    }
}
