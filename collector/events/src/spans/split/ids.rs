//! The columns that make rows spans of traces: traces, span ids, parents as rows back, starts, and where the rows
//! come from in the journal.

use std::collections::HashMap;
use std::ops::Range;

use super::TraceId;
use super::numbers::{self, Codec, cut_off, decode_plain};
use crate::split::column::Decoded;
use crate::split::format::Reader;
use crate::split::record::put_part;

pub(super) type SpanId = [u8; 8];

/// In traces up to this many rows parents are found by looking.
const SMALL_TRACE: usize = 64;

/// These columns of the open block.
#[derive(Debug, Default)]
pub(super) struct IdBuilder {
    trace_ids: Vec<u8>,
    trace_rows: Vec<i64>,
    firsts: Vec<i64>,
    deltas: Vec<i64>,
    last_start: u64,
    span_ids: Vec<SpanId>,
    /// Per row of the open trace.
    parents: Vec<Option<SpanId>>,
    backs: Vec<i64>,
    strangers: Vec<u8>,
    offsets: Vec<i64>,
    indexes: Vec<i64>,
    last_seq: u64,
    codecs: [Codec; 6],
}

/// A row as these columns have it.
#[derive(Clone, Debug)]
pub(super) struct IdRow {
    pub(super) span_id: SpanId,
    pub(super) parent_id: Option<SpanId>,
    pub(super) start_ns: u64,
    pub(super) seq: u64,
}

/// The bits of a `seq` that number it in its batch.
const INDEX_BITS: u32 = 20;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;

/// What stands in the place of a row's `seq`: how far its offset is from the one before, and its index, or how far
/// that is from the one before in the same batch.
fn apart(seq: u64, last: u64) -> (i64, i64) {
    let offset = (seq >> INDEX_BITS) as i64 - (last >> INDEX_BITS) as i64;
    let index = (seq & INDEX_MASK) as i64;
    (offset, if offset == 0 { index - (last & INDEX_MASK) as i64 } else { index })
}

/// The `seq` that is so far from the last one.
fn joined(offset: i64, index: i64, last: u64) -> u64 {
    let index = if offset == 0 { index.wrapping_add((last & INDEX_MASK) as i64) } else { index };
    ((last >> INDEX_BITS).wrapping_add(offset as u64) << INDEX_BITS).wrapping_add(index as u64)
}

impl IdBuilder {
    /// Begins a trace; the rows that follow are its.
    pub(super) fn begin_trace(&mut self, id: &TraceId) {
        self.trace_ids.extend_from_slice(id);
        self.trace_rows.push(0);
    }

    pub(super) fn push(&mut self, row: &IdRow) {
        let Some(rows) = self.trace_rows.last_mut() else { return };
        match *rows {
            0 => self.firsts.push(row.start_ns as i64),
            _ => self.deltas.push(row.start_ns.wrapping_sub(self.last_start) as i64),
        }
        *rows += 1;
        self.last_start = row.start_ns;
        self.span_ids.push(row.span_id);
        self.parents.push(row.parent_id);
        let (offset, index) = apart(row.seq, self.last_seq);
        self.offsets.push(offset);
        self.indexes.push(index);
        self.last_seq = row.seq;
    }

    /// Ends the trace, or its rows in this block.
    pub(super) fn end_trace(&mut self) {
        let rows = &self.parents;
        let ids = &self.span_ids[self.span_ids.len() - rows.len()..];
        let mut known: HashMap<SpanId, usize> = HashMap::new();
        if rows.len() > SMALL_TRACE {
            for (row, id) in ids.iter().enumerate() {
                known.entry(*id).or_insert(row);
            }
        }
        for (row, parent) in rows.iter().enumerate() {
            let Some(parent) = parent else { continue };
            let found = match rows.len() > SMALL_TRACE {
                true => known.get(parent).copied(),
                false => {
                    let before = ids[..row].iter().rposition(|id| id == parent);
                    before.or_else(|| ids.iter().position(|id| id == parent))
                }
            };
            match found.filter(|found| *found != row) {
                Some(found) => self.backs.push(row as i64 - found as i64),
                None => {
                    self.backs.push(0);
                    self.strangers.extend_from_slice(parent);
                }
            }
        }
        self.parents.clear();
    }

    pub(super) fn traces(&self) -> usize {
        self.trace_rows.len()
    }

    /// The block's sections: traces, starts, span ids, parents, seqs.
    pub(super) fn finish_block(&mut self, level: i32) -> [Vec<u8>; 5] {
        let [lens, firsts, deltas, backs, offsets, indexes] = &mut self.codecs;
        let mut traces = Vec::new();
        put_part(&mut traces, &lens.encode(&self.trace_rows, level, &[]));
        traces.extend_from_slice(&self.trace_ids);
        let mut starts = Vec::new();
        let apart = numbers::differences(self.firsts.iter().copied());
        let first = apart.first().copied().unwrap_or_default();
        starts.extend(first.to_le_bytes());
        put_part(&mut starts, &firsts.encode(apart.get(1..).unwrap_or_default(), level, &[]));
        starts.extend(deltas.encode(&self.deltas, level, &[]));
        let mut parents = Vec::new();
        put_part(&mut parents, &backs.encode(&self.backs, level, &[]));
        parents.extend_from_slice(&self.strangers);
        let mut seqs = Vec::new();
        put_part(&mut seqs, &offsets.encode(&self.offsets, level, &[]));
        seqs.extend(indexes.encode(&self.indexes, level, &[]));
        let span_ids = self.span_ids.as_flattened().to_vec();
        *self = Self { codecs: self.codecs, ..Self::default() };
        [traces, starts, span_ids, parents, seqs]
    }
}

/// Which rows of a block are which trace's.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    ids: Vec<TraceId>,
    /// The row behind each trace's last.
    ends: Vec<u32>,
}

impl Traces {
    pub(super) fn decode(section: &[u8], traces: usize, rows: usize) -> Decoded<Self> {
        let mut reader = Reader { bytes: section };
        let counts = numbers::counts(decode_plain(reader.bytes()?, traces)?, rows)?;
        let mut end = 0;
        let ends = counts.into_iter().map(|count| {
            end += count;
            end
        });
        let ends = ends.collect();
        match reader.bytes.as_chunks::<16>() {
            (ids, []) if ids.len() == traces => Ok(Self { ids: ids.to_vec(), ends }),
            _ => Err(cut_off()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, trace: usize) -> &TraceId {
        &self.ids[trace]
    }

    pub(crate) fn rows(&self, trace: usize) -> Range<usize> {
        let start = trace.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[trace] as usize
    }

    /// The place of the row's trace.
    pub(crate) fn of_row(&self, row: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= row)
    }

    pub(super) fn size_bytes(&self) -> usize {
        20 * self.ids.len()
    }
}

pub(super) fn decode_starts(section: &[u8], traces: &Traces) -> Decoded<Vec<u64>> {
    let mut reader = Reader { bytes: section };
    let mut first = i64::from_le_bytes(reader.array()?);
    let apart = decode_plain(reader.bytes()?, traces.len().saturating_sub(1))?;
    let rows = traces.ends.last().map_or(0, |rows| *rows as usize);
    // A trace without rows would have a first start all the same.
    if (0..traces.len()).any(|trace| traces.rows(trace).is_empty()) {
        return Err(cut_off());
    }
    let deltas = decode_plain(reader.bytes, rows - traces.len())?;
    let (mut apart, mut deltas) = (apart.into_iter(), deltas.into_iter());
    let mut starts = Vec::with_capacity(rows);
    for trace in 0..traces.len() {
        if trace > 0 {
            first = first.wrapping_add(apart.next().unwrap_or_default());
        }
        let mut start = first as u64;
        starts.push(start);
        for delta in deltas.by_ref().take(traces.rows(trace).len() - 1) {
            start = start.wrapping_add(delta as u64);
            starts.push(start);
        }
    }
    Ok(starts)
}

pub(super) fn decode_seqs(section: &[u8], rows: usize) -> Decoded<Vec<u64>> {
    let mut reader = Reader { bytes: section };
    let offsets = decode_plain(reader.bytes()?, rows)?;
    let indexes = decode_plain(reader.bytes, rows)?;
    let mut last = 0;
    let seqs = offsets.into_iter().zip(indexes).map(|(offset, index)| {
        last = joined(offset, index, last);
        last
    });
    Ok(seqs.collect())
}

pub(super) fn decode_span_ids(section: &[u8], rows: usize) -> Decoded<Vec<SpanId>> {
    match section.as_chunks::<8>() {
        (ids, []) if ids.len() == rows => Ok(ids.to_vec()),
        _ => Err(cut_off()),
    }
}

/// The parents of a block's spans.
#[derive(Debug, Default)]
pub(crate) struct Parents {
    /// Zeros for none.
    ids: Vec<SpanId>,
    /// The parent's row, if it is in the block; `u32::MAX` if not.
    rows: Vec<u32>,
}

impl Parents {
    pub(super) fn decode(
        section: &[u8],
        has_parent: impl Iterator<Item = bool>,
        span_ids: &[SpanId],
    ) -> Decoded<Self> {
        let with: Vec<usize> = has_parent.enumerate().filter(|(_, has)| *has).map(|(row, _)| row).collect();
        let mut reader = Reader { bytes: section };
        let backs = decode_plain(reader.bytes()?, with.len())?;
        let (strangers, []) = reader.bytes.as_chunks::<8>() else { return Err(cut_off()) };
        let mut strangers = strangers.iter();
        let (mut ids, mut rows) = (vec![[0; 8]; span_ids.len()], vec![u32::MAX; span_ids.len()]);
        for (row, back) in with.into_iter().zip(backs) {
            ids[row] = match back {
                0 => *strangers.next().ok_or_else(cut_off)?,
                back => {
                    let parent = (row as i64).checked_sub(back).and_then(|row| usize::try_from(row).ok());
                    let parent = parent.filter(|parent| *parent < span_ids.len()).ok_or_else(cut_off)?;
                    rows[row] = parent as u32;
                    span_ids[parent]
                }
            };
        }
        if strangers.next().is_some() { Err(cut_off()) } else { Ok(Self { ids, rows }) }
    }

    /// `None` for spans without one.
    pub(crate) fn get(&self, row: usize) -> Option<SpanId> {
        Some(self.ids[row]).filter(|id| *id != [0; 8])
    }

    /// A row of the same trace with the parent's id, if the block has one. Ids may be shared: there may be others.
    pub(crate) fn row(&self, row: usize) -> Option<usize> {
        Some(self.rows[row]).filter(|row| *row != u32::MAX).map(|row| row as usize)
    }

    /// As it stood; zeros for none.
    pub(super) fn raw(&self, row: usize) -> SpanId {
        self.ids[row]
    }

    pub(super) fn size_bytes(&self) -> usize {
        12 * self.ids.len()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn row() -> impl Strategy<Value = IdRow> {
        let id = || prop_oneof![(0..6u8).prop_map(|n| [n; 8]), any::<[u8; 8]>()];
        let start = prop_oneof![0..1000u64, any::<u64>()];
        let seq = prop_oneof![0..50u64, (0..3u64, 0..9u64).prop_map(|(a, b)| a << 20 | b), any::<u64>()];
        (id(), proptest::option::of(id()), start, seq).prop_map(|(span_id, parent_id, start_ns, seq)| IdRow {
            span_id,
            parent_id,
            start_ns,
            seq,
        })
    }

    proptest! {
        #[test]
        fn columns_come_back(traces in vec((any::<[u8; 16]>(), vec(row(), 1..90)), 1..6), level in 1..4, at: u16, byte: u8) {
            let mut builder = IdBuilder::default();
            for (id, rows) in &traces {
                builder.begin_trace(id);
                rows.iter().for_each(|row| builder.push(row));
                builder.end_trace();
            }
            let rows: Vec<&IdRow> = traces.iter().flat_map(|(_, rows)| rows).collect();
            let mut sections = builder.finish_block(level);
            let [trace_part, starts, span_ids, parents, seqs] = &sections;
            let read = Traces::decode(trace_part, traces.len(), rows.len()).unwrap();
            for (trace, (id, rows)) in traces.iter().enumerate() {
                prop_assert_eq!((read.id(trace), read.rows(trace).len()), (id, rows.len()));
                prop_assert!(read.rows(trace).all(|row| read.of_row(row) == trace));
            }
            let of = |of: fn(&IdRow) -> u64| rows.iter().map(|row| of(row)).collect::<Vec<_>>();
            prop_assert_eq!(decode_starts(starts, &read).unwrap(), of(|row| row.start_ns));
            prop_assert_eq!(decode_seqs(seqs, rows.len()).unwrap(), of(|row| row.seq));
            let ids = decode_span_ids(span_ids, rows.len()).unwrap();
            prop_assert!(ids.iter().zip(&rows).all(|(id, row)| *id == row.span_id));
            let has = || rows.iter().map(|row| row.parent_id.is_some());
            let read_parents = Parents::decode(parents, has(), &ids).unwrap();
            for (at, row) in rows.iter().enumerate() {
                prop_assert_eq!(read_parents.raw(at), row.parent_id.unwrap_or_default());
                if let Some(parent) = read_parents.row(at) {
                    prop_assert_eq!(read.of_row(parent), read.of_row(at));
                    prop_assert_eq!(Some(ids[parent]), row.parent_id);
                }
            }
            for section in &mut sections {
                if !section.is_empty() {
                    let at = usize::from(at) % section.len();
                    section[at] = byte;
                }
            }
            let [trace_part, starts, _, parents, seqs] = &sections;
            let _read = Traces::decode(trace_part, traces.len(), rows.len());
            let _read = decode_starts(starts, &read);
            let _read = decode_seqs(seqs, rows.len());
            let _read = Parents::decode(parents, has(), &ids);
        }
    }
}
