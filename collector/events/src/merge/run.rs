//! The merge itself: inputs are read block by block in key order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Weak};

use super::{MergePlan, Merged};
use crate::EventsError;
use crate::partition::{Inner, Pinned};
use crate::split::block::{EncodedBlock, TraceColumn, listed};
use crate::split::format::{BlockMeta, Column, Section};
use crate::split::reader::{Tables, WholeBlock};
use crate::split::writer::SplitWriter;
use crate::split::{ReadError, SplitFile, SplitReader, bloom, rest};

pub(super) fn merge(inner: &Inner, epoch: u64, plan: &MergePlan) -> Result<Merged, EventsError> {
    let pinned = inner.state.read().listed.pin(plan)?;
    let Some(first) = plan.inputs.first() else {
        return Ok(Merged { removed: Vec::new(), added: Vec::new() });
    };
    let index = plan.rows() >= inner.options.min_index_rows;
    let mut writer = inner.writer(&first.tenant, epoch, inner.options.merge_level, index)?;
    let name = writer.name().to_owned();
    let written = match write(inner, &pinned, &mut writer) {
        Ok(0) => {
            writer.abort();
            inner.blobs.discard(std::iter::once(name.as_str()));
            pinned[0].set_full();
            return Ok(Merged { removed: Vec::new(), added: Vec::new() });
        }
        Ok(inputs) => writer.finish().map(|split| (split, inputs)),
        Err(error) => {
            writer.abort();
            Err(error)
        }
    };
    match written {
        Ok((split, inputs)) => Ok(Merged {
            removed: plan.inputs[..inputs].iter().map(|input| input.name.clone()).collect(),
            added: vec![split],
        }),
        Err(error) => {
            inner.blobs.discard(std::iter::once(name.as_str()));
            Err(error)
        }
    }
}

/// Writes the first inputs, as many as have room for their streams in one split. How many: 0 if only one has,
/// which is written already.
fn write(inner: &Inner, pinned: &[Arc<Pinned>], writer: &mut SplitWriter) -> Result<usize, EventsError> {
    let mut inputs = Vec::new();
    for split in pinned {
        let file = SplitFile::new(inner.blobs.store(), Weak::new(), split.listed().clone());
        match checked(split, Input::open(Arc::new(file), writer))? {
            Some(input) => inputs.push(input),
            None => break,
        }
    }
    if inputs.len() < pinned.len().min(2) {
        return Ok(0);
    }
    let count = inputs.len();
    number_signatures(&mut inputs, pinned, writer)?;
    let mut next = BinaryHeap::new();
    for (at, (input, split)) in inputs.iter_mut().zip(pinned).enumerate() {
        next.extend(checked(split, input.key())?.map(|key| Reverse((key, at))));
    }
    while let Some(Reverse((_, at))) = next.pop() {
        let bound = next.peek().map_or((i64::MAX, u64::MAX), |Reverse((key, _))| *key);
        let (input, split) = (&mut inputs[at], &pinned[at]);
        input.write_upto(bound, next.is_empty(), writer).map_err(|error| error.of(split))?;
        next.extend(checked(split, input.key())?.map(|key| Reverse((key, at))));
    }
    Ok(count)
}

/// Numbers the signatures of all inputs by how many rows have them, so that frequent ones have small numbers.
fn number_signatures(
    inputs: &mut [Input],
    pinned: &[Arc<Pinned>],
    writer: &mut SplitWriter,
) -> Result<(), EventsError> {
    let mut totals: HashMap<&[u8], u64> = HashMap::new();
    for (input, split) in inputs.iter().zip(pinned) {
        let Some(table) = &input.tables.signatures else { continue };
        let Some(statistics) = checked(split, input.reader.statistics())? else { continue };
        for (number, rows) in statistics.totals(table).into_iter().skip(1).enumerate() {
            *totals.entry(table.signature(number as u32)).or_default() += rows;
        }
    }
    let mut order: Vec<(&[u8], u64)> = totals.into_iter().collect();
    order.sort_unstable_by(|(a, a_rows), (b, b_rows)| b_rows.cmp(a_rows).then_with(|| a.cmp(b)));
    writer.signatures(order.into_iter().map(|(signature, _)| signature));
    for input in inputs {
        let Some(table) = &input.tables.signatures else { continue };
        input.numbers = writer.signatures((0..table.len()).map(|number| table.signature(number as u32)));
    }
    Ok(())
}

/// A failure to read an input, or to write the output.
enum Failure {
    Read(ReadError),
    Write(EventsError),
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<EventsError> for Failure {
    fn from(error: EventsError) -> Self {
        Self::Write(error)
    }
}

impl Failure {
    fn of(self, split: &Pinned) -> EventsError {
        let name = split.listed().name.clone();
        match self {
            Self::Write(error) => error,
            Self::Read(ReadError::Store(source)) => EventsError::Read { name, source },
            Self::Read(error) => {
                split.note(&error);
                EventsError::Damaged { name, reason: error.to_string() }
            }
        }
    }
}

fn checked<T>(split: &Pinned, read: Result<T, ReadError>) -> Result<T, EventsError> {
    read.map_err(|error| Failure::Read(error).of(split))
}

/// An input and how far it is written.
struct Input {
    reader: SplitReader,
    /// The output's number of each stream.
    streams: Vec<u32>,
    tables: Tables,
    /// The output's number of each signature, if it has one.
    numbers: Vec<Option<u32>>,
    block: usize,
    open: Option<WholeBlock>,
    row: usize,
}

impl Input {
    /// `None` if the output has no room for its streams.
    fn open(file: Arc<SplitFile>, writer: &mut SplitWriter) -> Result<Option<Self>, ReadError> {
        let reader = SplitReader::open(&file)?;
        let (streams, tables) = (writer.streams(&reader.streams()?), reader.tables()?);
        let numbers = Vec::new();
        Ok(streams.map(|streams| Self { reader, streams, tables, numbers, block: 0, open: None, row: 0 }))
    }

    fn meta(&self) -> Option<&BlockMeta> {
        self.reader.footer.blocks.get(self.block)
    }

    /// The next row's key, or one that is not above it while its block was not read; `None` at the end.
    fn key(&mut self) -> Result<Option<(i64, u64)>, ReadError> {
        let Some(meta) = self.meta() else { return Ok(None) };
        Ok(Some(match &self.open {
            Some(open) => (open.times[self.row], open.seqs[self.row]),
            None => (meta.min_time_ns, 0),
        }))
    }

    /// Writes rows while their keys are not above `bound`; at least opens the next block.
    fn write_upto(&mut self, bound: (i64, u64), last: bool, writer: &mut SplitWriter) -> Result<(), Failure> {
        while let Some(meta) = self.meta() {
            if self.open.is_none() {
                if (meta.min_time_ns, 0) > bound {
                    return Ok(());
                }
                let alone = last || meta.max_time_ns < bound.0;
                if alone && writer.takes_block_of(meta.rows as usize) {
                    self.copy_block(writer)?;
                    self.block += 1;
                    continue;
                }
                self.open = Some(self.reader.whole(self.block, &self.tables)?);
                self.row = 0;
            }
            if !self.write_rows(bound, writer)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes rows of the open block; whether all of it is written.
    fn write_rows(&mut self, bound: (i64, u64), writer: &mut SplitWriter) -> Result<bool, EventsError> {
        let Some(open) = &self.open else { return Ok(true) };
        while self.row < open.rows() && (open.times[self.row], open.seqs[self.row]) <= bound {
            let stream = self.streams[open.streams[self.row] as usize];
            let row = open.row_without_body(self.row);
            writer.push_copied(&row, stream, (&open.bodies, self.row), &self.numbers)?;
            self.row += 1;
        }
        if self.row < open.rows() {
            return Ok(false);
        }
        self.open = None;
        self.block += 1;
        Ok(true)
    }

    /// Takes a block whole: its streams and bodies get the output's numbers, its attributes the output's level.
    fn copy_block(&self, writer: &mut SplitWriter) -> Result<(), Failure> {
        let meta = &self.reader.footer.blocks[self.block];
        let rows = self.reader.keys(self.block, &self.tables)?;
        let streams: Vec<u32> = rows.streams.iter().map(|stream| self.streams[*stream as usize]).collect();
        let mut sections = vec![Vec::new(); Column::Bloom as usize];
        for column in [Column::Time, Column::Observed, Column::Shape, Column::Trace, Column::Rest] {
            sections[column as usize] = self.reader.raw(self.block, column)?.to_vec();
        }
        let section = |column: Column| &*sections[column as usize];
        let traces = TraceColumn::decode(section(Column::Trace), streams.len()).map_err(ReadError::from)?;
        if i32::from(self.reader.footer.level) != writer.level() {
            let rests = rest::decode(section(Column::Rest), streams.len()).map_err(ReadError::from)?;
            sections[Column::Rest as usize] = rest::encode(&rests.into_strings(), writer.level());
        }
        let bodies = self.reader.bodies_of(self.block, self.tables.signatures.as_ref())?;
        let meta = BlockMeta {
            streams: listed(&streams),
            sections: [Section::default(); Column::COUNT],
            ..meta.clone()
        };
        let mut hashes: Vec<u64> = traces.ids().iter().map(bloom::trace_hash).collect();
        let block = EncodedBlock { meta, sections, bloom: Vec::new() };
        let columns = (&**rows.seqs, &*streams, &*rows.severities);
        writer.push_block(block, columns, (&bodies, &self.numbers), &mut hashes)?;
        Ok(())
    }
}
