//! Runs a query over snapshots: the best traces, or a table over the matching spans.

use std::cmp::Reverse;

use search::{Aggregation, AggregationLimits, Cell, Field, Group, group_cell};
use tokio::task::spawn_blocking;

use super::gather::{Gathered, Sink, gather};
use super::prune::{Operation, is_of_operations};
use super::rows::Rows;
use super::summary::{Blocks, Wanted, summarise};
use super::top::TopTraces;
use super::view::SpanView;
use super::{Answer, Request, Snapshot, TraceId, TraceOrder, TraceSummary};
use crate::SearchError;
use crate::execute::scan::{CancelOnDrop, Limits, Range};

/// The most traces of an answer.
const MOST_TRACES: usize = 1_000;

/// Traces with at least one matching span in the range; with `stats`, `top`, `sort` or `fields` a table over the
/// matching spans. A `limit` of the query counts instead of the request's.
pub async fn search(snapshots: &[Snapshot], request: &Request) -> Result<Answer, SearchError> {
    let limits = request.limits();
    let _guard = CancelOnDrop(limits.clone());
    let bounds = AggregationLimits { size_bytes: request.memory_bytes, ..AggregationLimits::default() };
    if let Some(table) = Aggregation::of(&request.query, bounds) {
        let gathered = gather(snapshots, request, Table::new(table), &limits).await?;
        let (table, mut answer) = Answer::of(gathered);
        answer.table = Some(off_runtime(move || table.0.finish()).await?);
        return Ok(answer);
    }
    if let Some(rows) = Rows::of(request) {
        let request = Request { order: rows.order, ..request.clone() };
        let gathered = gather(snapshots, &request, rows, &limits).await?;
        let (rows, mut answer) = Answer::of(gathered);
        answer.table = Some(off_runtime(move || rows.finish()).await?);
        return Ok(answer);
    }
    let most = request.query.limit().unwrap_or(request.limit).min(MOST_TRACES);
    let gathered = gather(snapshots, request, TopTraces::new(request.order, most), &limits).await?;
    let (top, answer) = Answer::of(gathered);
    with_traces(snapshots, request, top.into_ids(), answer).await
}

/// Tells of the traces that were found.
async fn with_traces(
    snapshots: &[Snapshot],
    request: &Request,
    ids: Vec<TraceId>,
    mut answer: Answer,
) -> Result<Answer, SearchError> {
    let limits = request.limits();
    let _guard = CancelOnDrop(limits.clone());
    let (snapshots, request) = (snapshots.to_vec(), request.clone());
    off_runtime(move || {
        let range = Range { start_ns: request.start_ns, end_ns: request.end_ns };
        let wanted = Wanted { filter: &request.query.filter, range };
        let mut blocks = Blocks::default();
        for id in ids {
            let told = summarise(&snapshots, id, &wanted, (&limits, &mut blocks), &mut answer.warnings)?;
            // Unless all its splits became unreadable meanwhile.
            answer.traces.extend(Some(told).filter(|told| told.spans > 0));
        }
        sort(&mut answer.traces, request.order);
        answer.warnings.sort();
        answer.warnings.dedup();
        answer.partial = !answer.warnings.is_empty();
        Ok(answer)
    })
    .await?
}

fn sort(traces: &mut [TraceSummary], order: TraceOrder) {
    match order {
        TraceOrder::Newest => traces.sort_by_key(|trace| (Reverse(trace.start_ns), trace.trace_id)),
        TraceOrder::Oldest => traces.sort_by_key(|trace| (trace.start_ns, trace.trace_id)),
        TraceOrder::Slowest => traces.sort_by_key(|trace| (Reverse(trace.duration_ns), trace.trace_id)),
    }
}

impl Request {
    pub(super) fn limits(&self) -> std::sync::Arc<Limits> {
        Limits::until(Some(self.deadline), self.memory_bytes)
    }
}

impl Answer {
    /// What was gathered, but for what becomes of the sink.
    fn of<S>(gathered: Gathered<S>) -> (S, Self) {
        let Gathered { sink, matched, searched, is_whole, warnings } = gathered;
        let partial = !warnings.is_empty();
        (sink, Self { matched_spans: matched, searched, is_whole, partial, warnings, ..Self::default() })
    }
}

/// Work that takes long enough to hold up the runtime.
pub(super) async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SearchError> {
    spawn_blocking(work).await.map_err(|error| SearchError::Internal(error.to_string()))
}

/// The sink of `stats` and `top`.
struct Table(Aggregation, Aggregation);

impl Table {
    fn new(empty: Aggregation) -> Self {
        Self(empty.clone(), empty)
    }
}

impl Sink for Table {
    const STOPS_EARLY: bool = false;

    fn fields(&self) -> Vec<Field> {
        let groups = self.0.by().iter().filter_map(|group| match group {
            Group::Field(field) => Some(field),
            Group::Bin { .. } => None,
        });
        groups.chain(self.0.inputs()).cloned().collect()
    }

    fn fork(&self) -> Self {
        Self::new(self.1.clone())
    }

    fn take<V: SpanView>(&mut self, view: &V) -> Result<(), SearchError> {
        Ok(self.0.add(view)?)
    }

    fn takes_known(&self) -> bool {
        let is_known = |group: &Group| match group {
            Group::Field(field) => is_of_operations(field),
            Group::Bin { .. } => false,
        };
        self.0.counts_only() && self.0.by().iter().all(is_known)
    }

    fn take_known(&mut self, operations: &[Operation<'_>]) -> Result<bool, SearchError> {
        // Names that are not known may be several ones.
        if operations.iter().any(|operation| operation.name.is_none()) {
            return Ok(false);
        }
        let groups = self.0.by().to_vec();
        for operation in operations {
            let cells: Vec<Cell> = groups.iter().map(|group| group_cell(group, operation)).collect();
            self.0.add_count(&cells, operation.spans)?;
        }
        Ok(true)
    }

    fn merge(&mut self, other: Self) -> Result<(), SearchError> {
        Ok(self.0.merge(other.0)?)
    }

    fn size_bytes(&self) -> usize {
        self.0.size_bytes()
    }
}
