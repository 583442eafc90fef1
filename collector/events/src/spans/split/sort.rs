//! The order of rows: traces by their first start, spans of a trace by (start, seq). A start is the effective time.

use std::collections::HashMap;

use sealed::Upload;
use telemetry::otlp::Span;

use super::writer::{Row, SpanWriter};
use super::{Sources, SpanSource, TraceId, WriteOptions, Written};
use crate::EventsError;

/// Spans by trace.
struct Groups {
    ids: Vec<TraceId>,
    /// The earliest time of each.
    firsts: Vec<i64>,
    /// The trace of each span.
    of_spans: Vec<u32>,
}

impl Groups {
    fn of<S: Sources + ?Sized>(spans: &S) -> Self {
        let mut numbers: HashMap<TraceId, u32> = HashMap::new();
        let (mut ids, mut firsts) = (Vec::new(), Vec::<i64>::new());
        let mut of_spans = Vec::with_capacity(spans.len());
        let mut last: Option<u32> = None;
        for span in (0..spans.len()).map(|at| spans.get(at)) {
            let id = trace_id(span.span);
            // Spans of one trace often follow each other.
            let known = last.filter(|last| ids[*last as usize] == id);
            let number = known.unwrap_or_else(|| {
                *numbers.entry(id).or_insert_with(|| {
                    ids.push(id);
                    firsts.push(span.time_ns);
                    ids.len() as u32 - 1
                })
            });
            let first = &mut firsts[number as usize];
            *first = (*first).min(span.time_ns);
            of_spans.push(number);
            last = Some(number);
        }
        Self { ids, firsts, of_spans }
    }

    /// The place of each trace among all.
    fn ranks(&self) -> (Vec<u32>, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.ids.len() as u32).collect();
        order.sort_unstable_by_key(|trace| (self.firsts[*trace as usize], &self.ids[*trace as usize]));
        let mut ranks = vec![0; order.len()];
        order.iter().enumerate().for_each(|(rank, trace)| ranks[*trace as usize] = rank as u32);
        (order, ranks)
    }
}

/// As queries see it; zeros for none.
fn trace_id(span: &[u8]) -> TraceId {
    match span {
        // The first field of nearly all, and no field 1 behind it.
        [0x0a, 16, rest @ ..] if rest.len() > 18 && rest[16] == 0x12 && !has_another_id(&rest[16..]) => {
            rest[..16].try_into().unwrap_or_default()
        }
        _ => Span::of_valid(span).trace_id().unwrap_or_default(),
    }
}

/// Whether field 1 stands among these fields.
fn has_another_id(fields: &[u8]) -> bool {
    let mut at = 0;
    while let Some((number, end)) = crate::split::record::next_field(fields, at) {
        if number == 1 {
            return true;
        }
        at = end;
    }
    false
}

/// Stands for the number of a stream that has no room.
const NO_ROOM: u32 = u32::MAX;

/// The number of each span's stream.
fn streams<S: Sources + ?Sized>(spans: &S, writer: &mut SpanWriter) -> Vec<u32> {
    let mut numbers = Vec::with_capacity(spans.len());
    let mut last: Option<(SpanSource<'_>, u32)> = None;
    for span in (0..spans.len()).map(|at| spans.get(at)) {
        // Spans of one batch and stream share its bytes.
        let number = match &last {
            Some((last, number)) if shares_stream(last, &span) => *number,
            _ => writer.stream(&span).unwrap_or(NO_ROOM),
        };
        numbers.push(number);
        last = Some((span, number));
    }
    numbers
}

fn shares_stream(a: &SpanSource<'_>, b: &SpanSource<'_>) -> bool {
    std::ptr::eq(a.resource, b.resource)
        && std::ptr::eq(a.scope, b.scope)
        && std::ptr::eq(a.resource_schema_url, b.resource_schema_url)
        && std::ptr::eq(a.scope_schema_url, b.scope_schema_url)
}

/// Where a span stands among all. Of those of one trace and time, the seq decides, which is seldom looked at.
#[derive(Clone, Copy)]
struct Place {
    rank: u32,
    at: u32,
    time_ns: i64,
}

/// All that have room, in order.
fn places<S: Sources + ?Sized>(spans: &S, groups: &Groups, ranks: &[u32], streams: &[u32]) -> Vec<Place> {
    let mut places = Vec::with_capacity(spans.len());
    for (at, _) in streams.iter().enumerate().filter(|(_, stream)| **stream != NO_ROOM) {
        let rank = ranks[groups.of_spans[at] as usize];
        places.push(Place { rank, at: at as u32, time_ns: spans.get(at).time_ns });
    }
    let seq = |place: &Place| spans.get(place.at as usize).seq;
    places.sort_unstable_by(|a, b| {
        (a.rank, a.time_ns).cmp(&(b.rank, b.time_ns)).then_with(|| (seq(a), a.at).cmp(&(seq(b), b.at)))
    });
    places
}

/// Sorts and writes.
pub(super) fn write<S: Sources + ?Sized>(
    spans: &S,
    options: &WriteOptions,
    upload: Upload,
) -> Result<Written, EventsError> {
    let mut writer = SpanWriter::new(upload, options);
    let streams = streams(spans, &mut writer);
    let groups = Groups::of(spans);
    let (order, ranks) = groups.ranks();
    let places = places(spans, &groups, &ranks, &streams);
    let mut trace = Vec::new();
    for group in places.chunk_by(|a, b| a.rank == b.rank) {
        trace.clear();
        trace.extend(group.iter().map(|Place { at, time_ns, .. }| {
            let SpanSource { span, seq, .. } = spans.get(*at as usize);
            Row { span, seq, time_ns: *time_ns, stream: streams[*at as usize] }
        }));
        let id = &groups.ids[order[group[0].rank as usize] as usize];
        if let Err(error) = writer.push_trace(id, &trace) {
            writer.abort();
            return Err(error);
        }
    }
    let left = (0u32..).zip(&streams).filter(|(_, stream)| **stream == NO_ROOM);
    let left = left.map(|(at, _)| at).collect();
    Ok(Written { listed: writer.finish()?, left })
}
