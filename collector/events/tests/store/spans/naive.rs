//! The answers by the book: every span is looked at.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use events::spans::{
    Operation, Point, Request, ServiceCount, SpanSummary, TraceId, TraceOrder, TraceSummary,
};
use search::{Aggregation, AggregationLimits, RecordSort, RecordTable, Row, SpanRow, Table};
use telemetry::Value;
use telemetry::otlp::{Resource, Scope, Span, StatusCode};

use super::world::Kept;

const USUAL: [&str; 8] =
    ["timestamp", "trace_id", "span_id", "service", "name", "kind", "status", "duration"];

impl Kept {
    pub(crate) fn span(&self) -> Span<'_> {
        Span::of_valid(&self.made.raw)
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        self.span().trace_id().unwrap()
    }

    fn with_row<T>(&self, read: impl FnOnce(&SpanRow<'_>) -> T) -> T {
        let span = self.span();
        read(&SpanRow {
            resource: Resource::of_valid(&self.made.resource),
            scope: Scope::of_valid(&self.made.scope),
            span: &span,
            time_ns: self.time_ns,
        })
    }

    fn service(&self) -> String {
        self.with_row(|row| match row.field(&search::Field::Service) {
            Some(Value::Str(name)) => name.to_owned(),
            _ => "unknown_service".to_owned(),
        })
    }

    fn summary(&self) -> SpanSummary {
        let span = self.span();
        SpanSummary {
            span_id: span.span_id().unwrap(),
            parent_id: span.parent_id(),
            service: self.service(),
            name: span.name.to_owned(),
            kind: span.kind,
            status: span.status,
            start_ns: self.time_ns,
            duration_ns: span.duration_ns(),
        }
    }

    fn rank(&self, order: TraceOrder) -> i128 {
        match order {
            TraceOrder::Newest => i128::from(self.time_ns),
            TraceOrder::Oldest => -i128::from(self.time_ns),
            TraceOrder::Slowest => i128::from(self.span().duration_ns()),
        }
    }
}

/// The spans that match in the range.
pub(crate) fn matching<'k>(kept: &'k [Kept], request: &Request) -> Vec<&'k Kept> {
    let in_range = |kept: &&Kept| {
        kept.time_ns >= request.start_ns && (kept.time_ns < request.end_ns || request.end_ns == i64::MAX)
    };
    let matches = |kept: &&Kept| kept.with_row(|row| request.query.filter.matches(row));
    kept.iter().filter(in_range).filter(matches).collect()
}

pub(crate) fn traces(kept: &[Kept], request: &Request) -> Vec<TraceSummary> {
    let matching = matching(kept, request);
    let mut ranks: HashMap<TraceId, i128> = HashMap::new();
    for span in &matching {
        let rank = ranks.entry(span.trace_id()).or_insert(i128::MIN);
        *rank = (*rank).max(span.rank(request.order));
    }
    let mut best: Vec<(TraceId, i128)> = ranks.into_iter().collect();
    best.sort_by_key(|(id, rank)| (Reverse(*rank), *id));
    best.truncate(request.query.limit().unwrap_or(request.limit));
    let mut traces: Vec<TraceSummary> = best.iter().map(|(id, _)| told(kept, &matching, *id)).collect();
    traces.sort_by_key(|trace| {
        let first = match request.order {
            TraceOrder::Newest => -i128::from(trace.start_ns),
            TraceOrder::Oldest => i128::from(trace.start_ns),
            TraceOrder::Slowest => -i128::from(trace.duration_ns),
        };
        (first, trace.trace_id)
    });
    traces
}

fn told(kept: &[Kept], matching: &[&Kept], id: TraceId) -> TraceSummary {
    let spans: Vec<&Kept> = kept.iter().filter(|span| span.trace_id() == id).collect();
    let ids: HashSet<[u8; 8]> = spans.iter().filter_map(|span| span.span().span_id()).collect();
    let start_ns = spans.iter().map(|span| span.time_ns).min().unwrap();
    let end_ns = spans.iter().map(|span| span.time_ns + span.span().duration_ns() as i64).max().unwrap();
    let first = |wanted: &dyn Fn(&Span<'_>) -> bool| {
        let found = spans.iter().filter(|span| wanted(&span.span()));
        found.map(|span| span.summary()).min_by_key(|span| (span.start_ns, span.span_id))
    };
    let root = first(&|span| span.parent_id().is_none())
        .or_else(|| first(&|span| span.parent_id().is_some_and(|parent| !ids.contains(&parent))));
    let mut services: BTreeMap<String, ServiceCount> = BTreeMap::new();
    for span in &spans {
        let service = span.service();
        let of = services.entry(service.clone()).or_insert(ServiceCount { service, spans: 0, errors: 0 });
        of.spans += 1;
        of.errors += u32::from(span.span().status == StatusCode::Error);
    }
    let mut services: Vec<ServiceCount> = services.into_values().collect();
    services.sort_by_key(|service| Reverse(service.spans));
    let mut matched: Vec<SpanSummary> =
        matching.iter().filter(|span| span.trace_id() == id).map(|span| span.summary()).collect();
    matched.sort_by_key(|span| (Reverse(span.duration_ns), span.start_ns, span.span_id));
    let matched_spans = matched.len() as u32;
    matched.truncate(3);
    TraceSummary {
        trace_id: id,
        start_ns,
        duration_ns: (end_ns - start_ns) as u64,
        root,
        spans: spans.len() as u32,
        errors: services.iter().map(|service| service.errors).sum(),
        services,
        matched,
        matched_spans,
    }
}

/// The table of the query's stages, if it has any that make one.
pub(crate) fn table(kept: &[Kept], request: &Request) -> Option<Table> {
    let mut matching = matching(kept, request);
    if let Some(mut table) = Aggregation::of(&request.query, AggregationLimits::default()) {
        matching.iter().for_each(|span| span.with_row(|row| table.add(row)).unwrap());
        return Some(table.finish());
    }
    let mut table = RecordTable::of_spans(&request.query, &USUAL)?;
    let sort = RecordSort::of_spans(&request.query);
    let order = match sort.as_ref().and_then(RecordSort::by_time) {
        Some(true) => TraceOrder::Newest,
        Some(false) => TraceOrder::Oldest,
        None => request.order,
    };
    let sort = sort.filter(|sort| sort.by_time().is_none());
    matching.sort_by_cached_key(|span| {
        let value = sort.as_ref().map(|sort| span.with_row(|row| sort.value(row)));
        (value, Reverse(span.rank(order)), span.trace_id(), span.span().span_id())
    });
    let limit = request.query.limit().unwrap_or(request.limit);
    matching.iter().take(limit).for_each(|span| span.with_row(|row| table.add(row)));
    Some(table.finish())
}

/// One point per matching trace.
pub(crate) fn points(kept: &[Kept], request: &Request) -> Vec<Point> {
    let matching = matching(kept, request);
    let ids: BTreeSet<TraceId> = matching.iter().map(|span| span.trace_id()).collect();
    let point = |id: TraceId| {
        let own = || matching.iter().filter(|span| span.trace_id() == id);
        let longest = own()
            .max_by_key(|span| {
                (span.span().duration_ns(), Reverse(span.time_ns), Reverse(span.span().span_id()))
            })
            .unwrap();
        Point {
            trace_id: id,
            start_ns: longest.time_ns,
            duration_ns: longest.span().duration_ns(),
            is_error: own().any(|span| span.span().status == StatusCode::Error),
            service: longest.service(),
            name: longest.span().name.to_owned(),
        }
    };
    let mut points: Vec<Point> = ids.into_iter().map(point).collect();
    points.sort_by_key(|point| (point.start_ns, point.trace_id));
    points
}

pub(crate) fn operations(kept: &[Kept], request: &Request) -> Vec<Operation> {
    let mut counts = BTreeMap::new();
    for span in matching(kept, request) {
        *counts.entry((span.service(), span.span().name.to_owned(), span.span().kind)).or_insert(0) += 1;
    }
    counts
        .into_iter()
        .map(|((service, name, kind), spans)| Operation { service, name, kind, spans })
        .collect()
}
