//! Merges files trace by trace: the one that begins first is taken from every input that has rows of it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use sealed::Upload;

use super::index::TraceIndex;
use super::reader::{SpanReader, Tables};
use super::whole::WholeBlock;
use super::writer::SpanWriter;
use super::{MergeFailure, MergedSpans, SpanSource, TraceId, WriteOptions};
use crate::cache::BlockCache;
use crate::split::ReadError;

/// So many blocks of an input are kept: late parts of traces are not far away.
const KEPT_BLOCKS: usize = 3;
/// What is kept of all inputs beside them.
const CACHE_BYTES: usize = 32 << 20;

/// An input and how far it is written.
struct Input {
    reader: SpanReader,
    index: Arc<TraceIndex>,
    tables: Arc<Tables>,
    /// The next trace: its block, and its place there.
    block: usize,
    place: usize,
    /// Blocks that were read last, the latest behind.
    kept: Vec<(usize, Arc<WholeBlock>)>,
}

/// A row of a trace, and where its message is.
struct Found {
    input: usize,
    block: Arc<WholeBlock>,
    row: usize,
    message: Range<usize>,
}

impl Input {
    fn open(reader: &SpanReader, cache: &Arc<BlockCache>) -> Result<Self, ReadError> {
        let reader = reader.with_cache(cache);
        let (index, tables) = (reader.index()?, reader.tables()?);
        Ok(Self { reader, index, tables, block: 0, place: 0, kept: Vec::new() })
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

    /// All its rows of a trace; their messages are appended.
    fn rows(
        &mut self,
        input: usize,
        id: &TraceId,
        found: &mut Vec<Found>,
        messages: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let index = self.index.clone();
        for trace in index.find(id) {
            let (block, place) = self.reader.place_of(*trace)?;
            let block = self.whole(block)?;
            if block.traces().id(place) == id {
                let mut start = messages.len();
                block.write_spans(block.traces().rows(place), messages, |row, end| {
                    found.push(Found { input, block: block.clone(), row, message: start..end });
                    start = end;
                });
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
        if !writer.has_room_for(&open.tables.streams) {
            break;
        }
        inputs.push(open);
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
            messages.clear();
            for (input, open) in inputs.iter_mut().enumerate() {
                open.rows(input, &id, &mut found, &mut messages)
                    .map_err(|error| MergeFailure::Read { input, error })?;
            }
            write_trace(&id, &mut found, &messages, writer)?;
            done.insert(id);
        }
        let following = inputs[input].next(&done).map_err(|error| MergeFailure::Read { input, error })?;
        next.extend(following.map(|following| Reverse((following, input))));
    }
    Ok(inputs.len())
}

fn write_trace(
    id: &TraceId,
    found: &mut [Found],
    messages: &[u8],
    writer: &mut SpanWriter,
) -> Result<(), MergeFailure> {
    found.sort_by_key(|found| (found.block.time_ns(found.row), found.block.seq(found.row), found.input));
    let spans = found.iter().map(|Found { block, row, message, .. }| {
        let stream = &block.tables().streams[block.stream(*row) as usize];
        SpanSource {
            resource: &stream.resource,
            resource_schema_url: std::str::from_utf8(&stream.resource_schema_url).unwrap_or_default(),
            scope: &stream.scope,
            scope_schema_url: std::str::from_utf8(&stream.scope_schema_url).unwrap_or_default(),
            span: &messages[message.clone()],
            seq: block.seq(*row),
            time_ns: block.time_ns(*row),
        }
    });
    let spans: Vec<SpanSource<'_>> = spans.collect();
    // There is room: the streams of all inputs are known.
    writer.push_trace(id, &spans).map_err(MergeFailure::Write).map(drop)
}
