//! Matching traces as points in time and duration, for scatter plots.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use search::{Field, SpanField};
use telemetry::otlp::StatusCode;

use super::gather::{Gathered, Sink, gather};
use super::query::off_runtime;
use super::view::{SpanView, service_name};
use super::{Request, Snapshot, TraceId};
use crate::SearchError;
use crate::execute::scan::CancelOnDrop;

/// A trace, by the longest of its matching spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The trace.
    pub trace_id: TraceId,
    /// When the span began.
    pub start_ns: i64,
    /// How long it took.
    pub duration_ns: u64,
    /// Whether a matching span of the trace failed.
    pub is_error: bool,
    /// Whose span it is.
    pub service: String,
    /// What it does.
    pub name: String,
}

/// Points of matching traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Points {
    /// In order of time; at most as many as asked for: of each stretch of time the slowest, then some of every
    /// duration.
    pub points: Vec<Point>,
    /// How many traces match, exactly.
    pub total: u64,
    /// Something could not be read: `warnings` say what.
    pub partial: bool,
    /// For people.
    pub warnings: Vec<String>,
}

/// One point per matching trace, at most `limit`; the query's stages do not count.
pub async fn points(snapshots: &[Snapshot], request: &Request, limit: usize) -> Result<Points, SearchError> {
    let limits = request.limits();
    let _guard = CancelOnDrop(limits.clone());
    let gathered = gather(snapshots, request, Longest::default(), &limits).await?;
    let Gathered { sink, warnings, .. } = gathered;
    off_runtime(move || {
        let total = sink.traces.len() as u64;
        let points = chosen(sink.traces.into_iter().collect(), limit);
        Points { points, total, partial: !warnings.is_empty(), warnings }
    })
    .await
}

/// The longest matching span of a trace.
struct Span {
    time_ns: i64,
    duration_ns: u64,
    span_id: [u8; 8],
    is_error: bool,
    service: Arc<str>,
    name: Arc<str>,
}

#[derive(Default)]
struct Longest {
    traces: HashMap<TraceId, Span>,
    texts: HashSet<Arc<str>>,
    text_bytes: usize,
}

impl Longest {
    /// The one copy of a text.
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let own: Arc<str> = text.into();
        self.text_bytes += text.len() + 48;
        self.texts.insert(own.clone());
        own
    }

    fn offer(&mut self, id: TraceId, span: Span) {
        match self.traces.get_mut(&id) {
            Some(known) => {
                let is_error = known.is_error || span.is_error;
                if span.key() > known.key() {
                    *known = span;
                }
                known.is_error = is_error;
            }
            None => {
                self.traces.insert(id, span);
            }
        }
    }
}

/// Of spans of one length the first counts.
type Key = (u64, Reverse<i64>, Reverse<[u8; 8]>);

impl Span {
    fn key(&self) -> Key {
        (self.duration_ns, Reverse(self.time_ns), Reverse(self.span_id))
    }
}

impl Sink for Longest {
    const STOPS_EARLY: bool = false;

    fn fields(&self) -> Vec<Field> {
        vec![
            Field::TraceId,
            Field::SpanId,
            Field::Service,
            Field::Span(SpanField::Name),
            Field::Span(SpanField::Status),
            Field::Span(SpanField::Duration),
        ]
    }

    fn fork(&self) -> Self {
        Self::default()
    }

    fn take<V: SpanView>(&mut self, view: &V) -> Result<(), SearchError> {
        let is_error = view.status() == StatusCode::Error;
        let (time_ns, duration_ns) = (view.time_ns(), view.duration_ns());
        let span_id = view.span_id().unwrap_or_default();
        if let Some(known) = self.traces.get_mut(&view.id()) {
            known.is_error |= is_error;
            if (duration_ns, Reverse(time_ns), Reverse(span_id)) <= known.key() {
                return Ok(());
            }
        }
        let (service, name) = (self.text(service_name(view.service())), self.text(view.name()));
        self.offer(view.id(), Span { time_ns, duration_ns, span_id, is_error, service, name });
        Ok(())
    }

    fn merge(&mut self, mut other: Self) -> Result<(), SearchError> {
        for (id, span) in std::mem::take(&mut other.traces) {
            let (service, name) = (self.text(&span.service), self.text(&span.name));
            self.offer(id, Span { service, name, ..span });
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.traces.capacity() * size_of::<(TraceId, Span)>() + self.text_bytes
    }
}

/// Of each stretch of time first the slowest, then those that halve what is left again and again.
fn chosen(mut traces: Vec<(TraceId, Span)>, limit: usize) -> Vec<Point> {
    if traces.len() > limit {
        let first = traces.iter().map(|(_, span)| span.time_ns).min().unwrap_or(0);
        let last = traces.iter().map(|(_, span)| span.time_ns).max().unwrap_or(0);
        let bins = (limit / 4).clamp(1, 1_000);
        let width = (i128::from(last) - i128::from(first)) / bins as i128 + 1;
        let bin_of = |span: &Span| (i128::from(span.time_ns) - i128::from(first)) / width;
        // By bin, then by duration, descending.
        traces.sort_unstable_by_key(|(id, span)| (bin_of(span), Reverse(span.duration_ns), *id));
        let mut turns: Vec<(u32, usize)> = Vec::with_capacity(traces.len());
        for bin in traces.chunk_by(|(_, a), (_, b)| bin_of(a) == bin_of(b)) {
            let before = turns.len();
            turns.extend(spread(bin.len()).enumerate().map(|(turn, rank)| (turn as u32, before + rank)));
        }
        turns.sort_unstable();
        turns.truncate(limit);
        let taken: HashSet<usize> = turns.into_iter().map(|(_, at)| at).collect();
        let mut at = 0..;
        traces.retain(|_| at.next().is_some_and(|at| taken.contains(&at)));
    }
    traces.sort_unstable_by_key(|(id, span)| (span.time_ns, *id));
    let point = |(trace_id, span): (TraceId, Span)| Point {
        trace_id,
        start_ns: span.time_ns,
        duration_ns: span.duration_ns,
        is_error: span.is_error,
        service: span.service.to_string(),
        name: span.name.to_string(),
    };
    traces.into_iter().map(point).collect()
}

/// The numbers below `len`, 0 first, each in the middle of a gap that those before it left.
fn spread(len: usize) -> impl Iterator<Item = usize> {
    let bits = usize::BITS - len.saturating_sub(1).leading_zeros();
    let reversed = move |at: usize| at.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0);
    (0..1usize << bits).map(reversed).filter(move |at| *at < len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(number: u8, time_ns: i64, duration_ns: u64) -> (TraceId, Span) {
        let text: Arc<str> = "a".into();
        let (service, name) = (text.clone(), text);
        let span_id = [number; 8];
        ([number; 16], Span { time_ns, duration_ns, span_id, is_error: false, service, name })
    }

    #[test]
    fn of_many_traces_the_slowest_of_each_time_are_there() {
        let traces = || (0..200).map(|n| trace(n, i64::from(n / 50) * 1000, u64::from(n))).collect();
        let durations =
            |limit| -> Vec<u64> { chosen(traces(), limit).iter().map(|point| point.duration_ns).collect() };
        assert_eq!(durations(200).len(), 200);
        for limit in [16, 40, 199] {
            let found = durations(limit);
            assert_eq!(found.len(), limit);
            assert!([49, 99, 149, 199].iter().all(|slowest| found.contains(slowest)), "{limit}: {found:?}");
        }
        assert_eq!(durations(0).len(), 0);
        assert_eq!(durations(1), [199]);
    }

    #[test]
    fn each_number_is_spread_once() {
        for len in [0, 1, 2, 3, 7, 8, 9, 100] {
            let mut all: Vec<usize> = spread(len).collect();
            assert!(len == 0 || all[0] == 0);
            all.sort_unstable();
            assert_eq!(all, (0..len).collect::<Vec<_>>());
        }
    }
}
