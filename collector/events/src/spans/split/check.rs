//! The integrity check of one file: reads every part of it and compares what its parts say of each other.

use bytes::Bytes;
use telemetry::otlp::{Span, StatusCode};

use super::TraceId;
use super::block::Block;
use super::format::{HEAD_MAGIC, TAIL_MAGIC};
use super::reader::SpanReader;
use super::whole::WholeBlock;
use crate::split::ReadError;

/// Whether these bytes are those of a file of spans, whatever is in it.
pub(crate) fn is_span_file(bytes: &[u8]) -> bool {
    bytes.ends_with(TAIL_MAGIC)
}

fn damaged<T>(what: &str) -> Result<T, ReadError> {
    Err(ReadError::Damaged(what.to_owned()))
}

/// Checks a file: how many rows it has, or what is wrong with it first.
pub(crate) fn check(bytes: Bytes) -> Result<u64, ReadError> {
    if !bytes.starts_with(HEAD_MAGIC) {
        return damaged("the file does not begin as one of spans does");
    }
    let file = SpanReader::of_bytes(bytes)?;
    let mut last = None;
    for place in 0..file.blocks().len() {
        let block = file.block(place);
        let whole = block.whole()?;
        check_order(&block, &whole, &mut last)?;
        check_spans(&block, &whole)?;
        check_operations(&file, place, &block)?;
        check_index(&file, place, &block)?;
    }
    Ok(file.rows())
}

/// Traces ascend by their first start, spans by start and seq. A trace may go on in the next block.
fn check_order(
    block: &Block,
    whole: &WholeBlock,
    last: &mut Option<(TraceId, i64)>,
) -> Result<(), ReadError> {
    let traces = block.traces()?;
    for trace in 0..traces.len() {
        let rows = traces.rows(trace);
        let keys = rows.clone().map(|row| (whole.time_ns(row), whole.seq(row)));
        if !keys.is_sorted() {
            return damaged("the rows of a trace are out of order");
        }
        let (id, first) = (*traces.id(trace), whole.time_ns(rows.start));
        if last.is_some_and(|(_, last)| last > first) {
            return damaged("its traces are out of order");
        }
        if last.is_none_or(|(last, _)| last != id) {
            *last = Some((id, first));
        }
    }
    Ok(())
}

/// Every span can be put together, and the columns say what it says.
fn check_spans(block: &Block, whole: &WholeBlock) -> Result<(), ReadError> {
    let (names, durations) = (block.names()?, block.durations()?);
    let (statuses, ids, traces) = (block.statuses()?, block.span_ids()?, block.traces()?);
    let (events, messages) = (block.event_names()?, block.status_messages()?);
    let mut out = Vec::new();
    for row in 0..whole.rows() {
        out.clear();
        whole.write_span(row, &mut out);
        let span = Span::of_valid(&out);
        let same = span.name == names.get(row)
            && span.duration_ns() == durations[row]
            && span.status == *statuses.get(row)
            && span.status_message == messages.get(row)
            && span.span_id().unwrap_or_default() == ids[row]
            && span.trace_id().unwrap_or_default() == *traces.id(traces.of_row(row))
            && events.of(row).eq(span.events().map(|event| event.name));
        if !same {
            return damaged("the columns of a block say other things than its spans");
        }
    }
    Ok(())
}

/// What is known of the block without reading it is so.
fn check_operations(file: &SpanReader, place: usize, block: &Block) -> Result<(), ReadError> {
    let (statistics, durations) = (file.statistics()?, block.durations()?);
    let (statuses, times, meta) = (block.statuses()?, block.times()?, block.meta());
    let errors = (0..block.rows()).filter(|row| *statuses.get(*row) == StatusCode::Error).count();
    let operations = statistics.of(place);
    let spans: u64 = operations.iter().map(|operation| u64::from(operation.spans)).sum();
    let longest = durations.iter().max().copied().unwrap_or_default();
    let same = meta.max_duration_ns == longest
        && meta.errors as usize == errors
        && spans == u64::from(meta.rows)
        && operations.iter().all(|operation| operation.errors <= operation.spans)
        && operations.iter().any(|operation| operation.max_duration_ns >= longest)
        && times.iter().min() == Some(&meta.min_time_ns)
        && times.iter().max() == Some(&meta.max_time_ns);
    if same { Ok(()) } else { damaged("the statistics say other things of a block than its rows") }
}

/// The index has every trace of the block.
fn check_index(file: &SpanReader, place: usize, block: &Block) -> Result<(), ReadError> {
    let (index, traces) = (file.index()?, block.traces()?);
    let first = block.meta().first_trace;
    let has = |trace: usize| index.find(traces.id(trace)).contains(&(first + trace as u32));
    match (0..traces.len()).all(has) {
        true => Ok(()),
        false => damaged(&format!("the index lacks a trace of block {place}")),
    }
}
