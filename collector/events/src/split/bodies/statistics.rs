//! What is known of the bodies of each block without reading it: how many rows have which signature, and
//! between which values the parameters of a column lie.

use std::ops::Range;

use super::super::column::{Decoded, Delta, Malformed, decode_numbers, encode_numbers};
use super::super::format::{BlockMeta, Reader};
use super::super::record::put_part;
use super::{BodyBuilder, RAW, SignatureTable};
use crate::signature::MAX_SLOTS;

/// No split has more counts, nor more ranges: those of the largest splits of the smallest signatures.
const MAX_ENTRIES: usize = 1 << 24;

/// Numbers of each block, one block's behind the other's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lists {
    /// How many each block has.
    lens: Vec<u32>,
    /// Ascending in a block.
    keys: Vec<u32>,
}

impl Lists {
    fn push_block(&mut self, keys: impl Iterator<Item = u32>) {
        let before = self.keys.len();
        self.keys.extend(keys);
        self.lens.push((self.keys.len() - before) as u32);
    }

    /// Lengths, then each key less the one before it.
    fn encode(&self, out: &mut Vec<u8>) {
        let (mut gaps, mut at) = (Vec::with_capacity(self.keys.len()), 0);
        for len in &self.lens {
            let mut last = 0;
            for key in &self.keys[at..at + *len as usize] {
                gaps.push(key - last);
                last = *key;
            }
            at += *len as usize;
        }
        put_part(out, &encode_numbers(&self.lens, Delta::None));
        put_part(out, &encode_numbers(&gaps, Delta::None));
    }

    /// Keys are below `most`; a block has at most `per_row` for each of its rows.
    fn decode(reader: &mut Reader<'_>, blocks: &[BlockMeta], most: usize, per_row: usize) -> Decoded<Self> {
        let lens: Vec<u32> = decode_numbers(reader.bytes()?, blocks.len())?;
        let count = lens.iter().fold(0usize, |sum, len| sum.saturating_add(*len as usize));
        let too_many = |(len, block): (&u32, &BlockMeta)| {
            *len as usize > most.min((block.rows as usize).saturating_mul(per_row))
        };
        if count > MAX_ENTRIES || lens.iter().zip(blocks).any(too_many) {
            return Err(wrong());
        }
        let mut keys: Vec<u32> = decode_numbers(reader.bytes()?, count)?;
        let mut at = 0;
        for len in &lens {
            let block = &mut keys[at..at + *len as usize];
            at += block.len();
            for place in 1..block.len() {
                let gap = block[place];
                block[place] = block[place - 1].checked_add(gap).filter(|_| gap > 0).ok_or_else(wrong)?;
            }
            if block.last().is_some_and(|last| *last as usize >= most) {
                return Err(wrong());
            }
        }
        Ok(Self { lens, keys })
    }

    fn ranges(&self) -> Vec<Range<usize>> {
        let mut end = 0;
        let ranges = self.lens.iter().map(|len| {
            let start = end;
            end += *len as usize;
            start..end
        });
        ranges.collect()
    }
}

/// The statistics of a split that is being written.
#[derive(Debug, Default)]
pub(crate) struct StatisticsBuilder {
    codes: Lists,
    counts: Vec<u32>,
    columns: Lists,
    least: Vec<u64>,
    widths: Vec<u64>,
    /// Rows per code, of one block.
    scratch: Vec<u32>,
}

impl StatisticsBuilder {
    pub(crate) fn push_block(&mut self, bodies: &BodyBuilder) {
        for code in &bodies.codes {
            let code = *code as usize;
            if self.scratch.len() <= code {
                self.scratch.resize(code + 1, 0);
            }
            self.scratch[code] += 1;
        }
        let present = self.scratch.iter().enumerate().filter(|(_, count)| **count > 0);
        self.counts.extend(present.clone().map(|(_, count)| *count));
        self.codes.push_block(present.map(|(code, _)| code as u32));
        self.scratch.clear();
        let ranges = bodies.columns.iter().enumerate();
        let ranges = ranges.filter_map(|(column, values)| Some((column as u32, values.range()?)));
        for (_, (least, most)) in ranges.clone() {
            self.least.push(least);
            self.widths.push(most - least);
        }
        self.columns.push_block(ranges.map(|(column, _)| column));
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.codes.encode(&mut out);
        put_part(&mut out, &encode_numbers(&self.counts, Delta::None));
        self.columns.encode(&mut out);
        put_part(&mut out, &encode_numbers(&self.least, Delta::None));
        put_part(&mut out, &encode_numbers(&self.widths, Delta::None));
        out
    }
}

/// The statistics of an open split.
#[derive(Debug)]
pub(crate) struct Statistics {
    codes: Lists,
    code_ranges: Vec<Range<usize>>,
    counts: Vec<u32>,
    columns: Lists,
    column_ranges: Vec<Range<usize>>,
    least: Vec<u64>,
    widths: Vec<u64>,
    /// Rows without signature before each block, and in all.
    raw_before: Vec<u32>,
}

impl Statistics {
    pub(crate) fn decode(section: &[u8], blocks: &[BlockMeta], table: &SignatureTable) -> Decoded<Self> {
        let mut reader = Reader { bytes: section };
        let codes = Lists::decode(&mut reader, blocks, table.len() + 1, 1)?;
        let counts: Vec<u32> = decode_numbers(reader.bytes()?, codes.keys.len())?;
        let columns = Lists::decode(&mut reader, blocks, table.column_count(), MAX_SLOTS)?;
        let least = decode_numbers(reader.bytes()?, columns.keys.len())?;
        let widths = decode_numbers(reader.bytes()?, columns.keys.len())?;
        if !reader.bytes.is_empty() {
            return Err(wrong());
        }
        let (code_ranges, column_ranges) = (codes.ranges(), columns.ranges());
        let mut raw_before = vec![0u32];
        for (block, range) in blocks.iter().zip(&code_ranges) {
            let rows: u64 = counts[range.clone()].iter().map(|count| u64::from(*count)).sum();
            if rows != u64::from(block.rows) {
                return Err(wrong());
            }
            let raw = if codes.keys.get(range.start) == Some(&RAW) && !range.is_empty() {
                counts[range.start]
            } else {
                0
            };
            let before = raw_before.last().copied().unwrap_or_default();
            raw_before.push(before.checked_add(raw).ok_or_else(wrong)?);
        }
        Ok(Self { codes, code_ranges, counts, columns, column_ranges, least, widths, raw_before })
    }

    /// The codes of a block's rows, ascending, and how many rows have each.
    pub(crate) fn counts(&self, block: usize) -> impl Iterator<Item = (u32, u32)> {
        let range = self.code_ranges[block].clone();
        self.codes.keys[range.clone()].iter().copied().zip(self.counts[range].iter().copied())
    }

    /// How many rows of the split have each code.
    pub(crate) fn totals(&self, table: &SignatureTable) -> Vec<u64> {
        let mut totals = vec![0; table.len() + 1];
        let counts = self.codes.keys.iter().zip(&self.counts);
        counts.for_each(|(code, count)| totals[*code as usize] += u64::from(*count));
        totals
    }

    /// Whether a column of integers may hold this value in a block.
    pub(crate) fn may_hold(&self, block: usize, column: u32, value: u64) -> bool {
        let range = self.column_ranges[block].clone();
        match self.columns.keys[range.clone()].binary_search(&column) {
            Ok(place) => {
                let place = range.start + place;
                value.checked_sub(self.least[place]).is_some_and(|above| above <= self.widths[place])
            }
            Err(_) => false,
        }
    }

    /// The rows of a block that have no signature, numbered through the split.
    pub(crate) fn raw_rows(&self, block: usize) -> Range<u32> {
        self.raw_before[block]..self.raw_before[block + 1]
    }

    /// How many rows have no signature.
    pub(crate) fn raw_count(&self) -> u32 {
        self.raw_before.last().copied().unwrap_or_default()
    }

    /// Whether a block's bodies are what this says.
    pub(crate) fn agree(&self, block: usize, codes: &[u32]) -> bool {
        let mut sorted = codes.to_vec();
        sorted.sort_unstable();
        let counted = sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32));
        self.counts(block).eq(counted)
    }

    pub(crate) fn size_bytes(&self) -> usize {
        8 * self.codes.keys.len() + 20 * self.columns.keys.len() + 72 * self.code_ranges.len()
    }
}

fn wrong() -> Malformed {
    Malformed("the statistics of the bodies are not those of its blocks".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn more_codes_than_rows_are_refused() {
        let mut lists = Lists::default();
        lists.push_block([0, 4].into_iter());
        lists.push_block([1, 3, 5].into_iter());
        let mut bytes = Vec::new();
        lists.encode(&mut bytes);
        let decode = |rows, per_row| {
            let blocks = [2, rows].map(|rows| BlockMeta { rows, ..BlockMeta::default() });
            Lists::decode(&mut Reader { bytes: &bytes }, &blocks, 6, per_row)
        };
        assert_eq!(decode(3, 1).unwrap(), lists);
        assert!(decode(2, 1).is_err());
        assert!(decode(2, 2).is_ok());
    }
}
