//! The sealed file of spans: immutable, one tenant's and one partition's, rows by trace (traces by first start, spans
//! by (start, seq)), columns in blocks, read by ranges, footer last. docs/format/span-split.md has every byte.

mod attribute;
mod block;
mod check;
mod columns;
mod format;
mod ids;
mod index;
mod interner;
mod merge;
mod numbers;
mod reader;
mod sheet;
mod slot;
mod sort;
mod statistics;
mod take;
mod texts;
mod tool;
mod whole;
mod writer;

pub(crate) use attribute::Attribute;
pub(crate) use block::Block;
pub(crate) use check::{check, is_span_file};
pub(crate) use columns::{EventNames, Names, Texts};
pub(crate) use format::BlockMeta;
pub(crate) use ids::{Parents, Traces};
pub(crate) use reader::{SpanReader, Tables, TraceRows};
pub(crate) use statistics::{Operation, Statistics};
pub use tool::{SpanFile, SpanFileOptions};
pub(crate) use whole::WholeBlock;

use sealed::Upload;

use crate::EventsError;
use crate::split::{ReadError, SplitRef};

/// The `format` of such a file in manifests.
pub(crate) const SPANS: u8 = 3;

/// The id of a trace, as W3C has it.
pub(crate) type TraceId = [u8; 16];

/// A span that is to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanSource<'a> {
    /// The `Resource` message.
    pub(crate) resource: &'a [u8],
    pub(crate) resource_schema_url: &'a str,
    /// The `InstrumentationScope` message.
    pub(crate) scope: &'a [u8],
    pub(crate) scope_schema_url: &'a str,
    /// A valid `Span` message.
    pub(crate) span: &'a [u8],
    /// Journal offset << 20 | index in the batch.
    pub(crate) seq: u64,
    /// The effective time.
    pub(crate) time_ns: i64,
}

/// Spans that are to be written, in any order.
pub(crate) trait Sources {
    fn len(&self) -> usize;
    /// One of them; cheap, as all are asked for a few times.
    fn get(&self, at: usize) -> SpanSource<'_>;
}

impl Sources for [SpanSource<'_>] {
    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, at: usize) -> SpanSource<'_> {
        self[at]
    }
}

/// What a file is written for and how hard it is compressed.
#[derive(Clone, Debug)]
pub(crate) struct WriteOptions {
    pub(crate) tenant: String,
    pub(crate) partition: u16,
    /// zstd level of its columns: 1 for what is soon merged, 3 for what stays.
    pub(crate) level: i32,
    /// Rows of a full block.
    pub(crate) block_rows: usize,
}

/// A file that was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// How the manifest lists it.
    pub(crate) listed: SplitRef,
    /// Spans that found no room because the file's tables were full, by their places: they go into another file. At
    /// least one span finds room.
    pub(crate) left: Vec<u32>,
}

/// A merge that was written.
#[derive(Debug)]
pub(crate) struct MergedSpans {
    /// How the manifest lists it.
    pub(crate) listed: SplitRef,
    /// How many of the inputs it holds, the first ones: the others' tables had no room beside theirs.
    pub(crate) inputs: usize,
}

/// Why a merge was not written.
#[derive(Debug)]
pub(crate) enum MergeFailure {
    /// This input could not be read.
    Read {
        input: usize,
        error: ReadError,
    },
    Write(EventsError),
}

/// Sorts spans and writes them to one file, which is durable when this returns. Blocks.
pub(crate) fn write<S: Sources + ?Sized>(
    spans: &S,
    options: &WriteOptions,
    upload: Upload,
) -> Result<Written, EventsError> {
    sort::write(spans, options, upload)
}

/// Writes the first of these files' rows, of as many as have room, to one file; traces that are in several become
/// one. `None` if fewer than two have room, and then nothing is written. Holds a few blocks of each input. Blocks.
pub(crate) fn merge(
    inputs: &[SpanReader],
    options: &WriteOptions,
    upload: Upload,
) -> Result<Option<MergedSpans>, MergeFailure> {
    merge::merge(inputs, options, upload)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
