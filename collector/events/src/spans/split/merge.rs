//! Merges files trace by trace: the one that begins first is taken from every input that has rows of it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use sealed::Upload;

use super::index::TraceIndex;
use super::reader::{SpanReader, Tables};
use super::whole::WholeBlock;
use super::writer::{Row, SpanWriter};
use super::{MergeFailure, MergedSpans, TraceId, WriteOptions};
use crate::cache::BlockCache;
use crate::split::ReadError;

/// So many blocks of an input are kept: late parts of traces are not far away.
const KEPT_BLOCKS: usize = 3;
/// So many rows of a trace are put together at a time.
const CHUNK_ROWS: usize = if cfg!(test) { 32 } else { 1 << 14 };
/// What is kept of all inputs beside them: a block's columns are read one after the other, and then it is kept whole.
const CACHE_BYTES: usize = 8 << 20;

/// An input and how far it is written.
struct Input {
    reader: SpanReader,
    index: Arc<TraceIndex>,
    tables: Arc<Tables>,
    /// The output's number of each stream.
    streams: Vec<u32>,
    /// The next trace: its block, and its place there.
    block: usize,
    place: usize,
    /// Blocks that were read last, the latest behind.
    kept: Vec<(usize, Arc<WholeBlock>)>,
}

/// A row of a trace, in the order in which they are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    time_ns: i64,
    seq: u64,
    input: usize,
    block: usize,
    row: usize,
}

impl Found {
    /// Whether it stands right behind `other`.
    fn follows(&self, other: &Self) -> bool {
        (self.input, self.block, self.row) == (other.input, other.block, other.row + 1)
    }
}

impl Input {
    fn open(reader: &SpanReader, cache: &Arc<BlockCache>) -> Result<Self, ReadError> {
        let reader = reader.with_cache(cache);
        let (index, tables) = (reader.index()?, reader.tables()?);
        Ok(Self { reader, index, tables, streams: Vec::new(), block: 0, place: 0, kept: Vec::new() })
    }

    fn whole(&mut self, block: usize) -> Result<Arc<WholeBlock>, ReadError> {
        if let Some(place) = self.kept.iter().position(|(known, _)| *known == block) {
            let found = self.kept.remove(place);
            self.kept.push(found);
        } else {
            let whole = self.reader.block(block).whole()?;
            if self.kept.len() == KEPT_BLOCKS {
                self.kept.remove(0);
            }
            self.kept.push((block, whole));
        }
        let (_, whole) = &self.kept[self.kept.len() - 1];
        Ok(whole.clone())
    }

    /// The next trace that is not `done`, and its first start.
    fn next(&mut self, done: &HashSet<TraceId>) -> Result<Option<(i64, TraceId)>, ReadError> {
        while let Some(meta) = self.reader.blocks().get(self.block) {
            if self.place == meta.traces as usize {
                self.block += 1;
                self.place = 0;
                continue;
            }
            let whole = self.whole(self.block)?;
            let id = *whole.traces().id(self.place);
            if !done.contains(&id) {
                return Ok(Some((whole.time_ns(whole.traces().rows(self.place).start), id)));
            }
            self.place += 1;
        }
        Ok(None)
    }

    /// All its rows of a trace.
    fn rows(&mut self, input: usize, id: &TraceId, found: &mut Vec<Found>) -> Result<(), ReadError> {
        let index = self.index.clone();
        for trace in index.find(id) {
            let (block, place) = self.reader.place_of(*trace)?;
            let whole = self.whole(block)?;
            if whole.traces().id(place) == id {
                found.extend(whole.traces().rows(place).map(|row| {
                    let (time_ns, seq) = (whole.time_ns(row), whole.seq(row));
                    Found { time_ns, seq, input, block, row }
                }));
            }
        }
        Ok(())
    }
}

pub(super) fn merge(
    inputs: &[SpanReader],
    options: &WriteOptions,
    upload: Upload,
) -> Result<Option<MergedSpans>, MergeFailure> {
    let mut writer = SpanWriter::new(upload, options);
    let merged = write(inputs, &mut writer);
    match merged {
        Ok(0) => {
            writer.abort();
            Ok(None)
        }
        Ok(inputs) => {
            let listed = writer.finish().map_err(MergeFailure::Write)?;
            Ok(Some(MergedSpans { listed, inputs }))
        }
        Err(failure) => {
            writer.abort();
            Err(failure)
        }
    }
}

/// How many inputs were written; 0 if fewer than two have room.
fn write(readers: &[SpanReader], writer: &mut SpanWriter) -> Result<usize, MergeFailure> {
    let (mut inputs, cache) = (Vec::new(), BlockCache::new(CACHE_BYTES));
    for (input, reader) in readers.iter().enumerate() {
        let open = Input::open(reader, &cache).map_err(|error| MergeFailure::Read { input, error })?;
        let Some(streams) = writer.streams(&open.tables.streams) else { break };
        inputs.push(Input { streams, ..open });
    }
    if inputs.len() < readers.len().min(2) {
        return Ok(0);
    }
    let mut done = HashSet::new();
    let mut next = BinaryHeap::new();
    for (input, open) in inputs.iter_mut().enumerate() {
        let first = open.next(&done).map_err(|error| MergeFailure::Read { input, error })?;
        next.extend(first.map(|first| Reverse((first, input))));
    }
    let (mut found, mut messages) = (Vec::new(), Vec::new());
    while let Some(Reverse(((_, id), input))) = next.pop() {
        if !done.contains(&id) {
            found.clear();
            for (input, open) in inputs.iter_mut().enumerate() {
                open.rows(input, &id, &mut found).map_err(|error| MergeFailure::Read { input, error })?;
            }
            found.sort_unstable();
            for rows in found.chunks(CHUNK_ROWS) {
                write_rows(&id, rows, &mut inputs, &mut messages, writer)?;
            }
            done.insert(id);
        }
        let following = inputs[input].next(&done).map_err(|error| MergeFailure::Read { input, error })?;
        next.extend(following.map(|following| Reverse((following, input))));
    }
    Ok(inputs.len())
}

/// Writes rows of a trace, of a large one not all at once.
fn write_rows(
    id: &TraceId,
    rows: &[Found],
    inputs: &mut [Input],
    messages: &mut Vec<u8>,
    writer: &mut SpanWriter,
) -> Result<(), MergeFailure> {
    messages.clear();
    let (mut keys, mut start) = (Vec::with_capacity(rows.len()), 0);
    for run in rows.chunk_by(|row, next| next.follows(row)) {
        let Found { input, block, row: first, .. } = run[0];
        let open = &mut inputs[input];
        let whole = open.whole(block).map_err(|error| MergeFailure::Read { input, error })?;
        whole.write_spans(first..first + run.len(), messages, |row, end| {
            let Found { time_ns, seq, .. } = run[row - first];
            keys.push((start..end, seq, time_ns, open.streams[whole.stream(row) as usize]));
            start = end;
        });
    }
    let rows = keys.into_iter().map(|(message, seq, time_ns, stream)| {
        let span = &messages[message];
        Row { span, seq, time_ns, stream }
    });
    let rows: Vec<Row<'_>> = rows.collect();
    writer.push_trace(id, &rows).map_err(MergeFailure::Write)
}
