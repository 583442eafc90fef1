//! The footer, byte for byte as docs/format/span-split.md has it.

use super::SPANS;
use super::numbers::cut_off;
use crate::split::column::{Decoded, Malformed};
use crate::split::format::{MAX_BLOCK_ROWS, Reader, Section, put_text};
use crate::split::record::put_varint;

/// Begins every file.
pub(super) const HEAD_MAGIC: &[u8; 8] = b"NRWSPLT\x03";
/// Ends every file.
pub(super) const TAIL_MAGIC: &[u8; 8] = b"NRWSEND\x03";

/// The sections of a block that are not slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Part {
    Traces = 0,
    Starts = 1,
    SpanIds = 2,
    Parents = 3,
    Seqs = 4,
    Durations = 5,
    Streams = 6,
    Names = 7,
    OtherNames = 8,
    Kinds = 9,
    Statuses = 10,
    Shapes = 11,
    EventShapes = 12,
    LinkShapes = 13,
}

/// The sheets, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum SheetId {
    Spans = 0,
    Events = 1,
    Links = 2,
}

/// Slots' sections are numbered from here on.
const FIRST_SLOT: u32 = 16;

/// The number of a slot's section in a block.
pub(super) fn slot_section(sheet: SheetId, slot: u32) -> u32 {
    FIRST_SLOT + 3 * slot + sheet as u32
}

/// The sheet and slot of a section.
pub(super) fn slot_of(section: u32) -> Option<(usize, u32)> {
    let slot = section.checked_sub(FIRST_SLOT)?;
    Some(((slot % 3) as usize, slot / 3))
}

/// What is known of a block without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockMeta {
    /// The number of its first row in the file.
    pub(crate) first_row: u32,
    pub(crate) rows: u32,
    /// The number of its first trace in the file. A trace that goes on in the next block counts again there.
    pub(crate) first_trace: u32,
    /// How many traces it has rows of.
    pub(crate) traces: u32,
    /// The lowest effective time of its spans.
    pub(crate) min_time_ns: i64,
    /// The highest one.
    pub(crate) max_time_ns: i64,
    /// The largest duration, exactly.
    pub(crate) max_duration_ns: u64,
    /// Spans with status error.
    pub(crate) errors: u32,
    /// Number and place of each section; they ascend, and stand one behind the other.
    pub(super) sections: Vec<(u32, Section)>,
}

impl BlockMeta {
    pub(super) fn section(&self, number: u32) -> Section {
        let found = self.sections.binary_search_by_key(&number, |(number, _)| *number);
        found.map_or(Section::default(), |place| self.sections[place].1)
    }

    /// Where the block's bytes are.
    pub(super) fn range(&self) -> (u64, u64) {
        let start = self.sections.first().map_or(0, |(_, section)| section.offset);
        (start, self.sections.iter().map(|(_, section)| u64::from(section.len)).sum())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        [self.rows, self.traces, self.errors].iter().for_each(|count| put_varint(out, u64::from(*count)));
        out.extend(self.min_time_ns.to_le_bytes());
        out.extend(self.max_time_ns.to_le_bytes());
        put_varint(out, self.max_duration_ns);
        put_varint(out, self.range().0);
        put_varint(out, self.sections.len() as u64);
        let mut next = 0;
        for (number, section) in &self.sections {
            put_varint(out, u64::from(*number - next));
            next = *number + 1;
            put_varint(out, u64::from(section.len));
            out.extend(section.crc.to_le_bytes());
        }
    }

    fn decode(reader: &mut Reader<'_>, (first_row, first_trace): (u32, u32)) -> Decoded<Self> {
        let (rows, traces, errors) = (reader.varint_u32()?, reader.varint_u32()?, reader.varint_u32()?);
        if rows > MAX_BLOCK_ROWS || traces > rows || errors > rows {
            return Err(Malformed("a block claims to have too many rows".to_owned()));
        }
        let min_time_ns = i64::from_le_bytes(reader.array()?);
        let max_time_ns = i64::from_le_bytes(reader.array()?);
        let max_duration_ns = reader.varint()?;
        let mut offset = reader.varint()?;
        let (mut sections, mut next) = (Vec::new(), 0u32);
        for _ in 0..reader.varint()? {
            let number = next.checked_add(reader.varint_u32()?).ok_or_else(cut_off)?;
            next = number.checked_add(1).ok_or_else(cut_off)?;
            let len = reader.varint_u32()?;
            sections.push((number, Section { offset, len, crc: u32::from_le_bytes(reader.array()?) }));
            offset = offset.checked_add(u64::from(len)).ok_or_else(cut_off)?;
        }
        Ok(Self {
            first_row,
            rows,
            first_trace,
            traces,
            min_time_ns,
            max_time_ns,
            max_duration_ns,
            errors,
            sections,
        })
    }
}

/// Everything that a reader needs to find its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) tenant: String,
    pub(super) partition: u16,
    /// The zstd level that it was written with.
    pub(super) level: u8,
    pub(super) rows: u64,
    pub(super) blocks: Vec<BlockMeta>,
    /// Resources and scopes.
    pub(super) streams: Section,
    /// Names, and the slots, shapes and dictionaries of the sheets.
    pub(super) tables: Section,
    pub(super) statistics: Section,
    /// Trace ids to traces.
    pub(super) index: Section,
}

impl Footer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![SPANS, self.level];
        out.extend(self.partition.to_le_bytes());
        put_text(&mut out, &self.tenant);
        put_varint(&mut out, self.rows);
        for section in [&self.streams, &self.tables, &self.statistics, &self.index] {
            put_varint(&mut out, section.offset);
            put_varint(&mut out, u64::from(section.len));
            out.extend(section.crc.to_le_bytes());
        }
        put_varint(&mut out, self.blocks.len() as u64);
        self.blocks.iter().for_each(|block| block.encode(&mut out));
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Decoded<Self> {
        let mut reader = Reader { bytes };
        let format = reader.byte()?;
        if format != SPANS {
            return Err(Malformed(format!("unknown format version {format}")));
        }
        let mut footer = Self {
            level: reader.byte()?,
            partition: u16::from_le_bytes(reader.array()?),
            tenant: reader.text()?,
            rows: reader.varint()?,
            ..Self::default()
        };
        let mut sections = [Section::default(); 4];
        for section in &mut sections {
            let (offset, len) = (reader.varint()?, reader.varint_u32()?);
            *section = Section { offset, len, crc: u32::from_le_bytes(reader.array()?) };
        }
        [footer.streams, footer.tables, footer.statistics, footer.index] = sections;
        let mut firsts = (0u32, 0u32);
        for _ in 0..reader.varint()? {
            let block = BlockMeta::decode(&mut reader, firsts)?;
            firsts.0 = firsts.0.checked_add(block.rows).ok_or_else(cut_off)?;
            firsts.1 += block.traces;
            footer.blocks.push(block);
        }
        match u64::from(firsts.0) == footer.rows && reader.bytes.is_empty() {
            true => Ok(footer),
            false => Err(Malformed("the blocks' rows do not add up".to_owned())),
        }
    }

    /// How many traces the blocks have, with those that count twice.
    pub(super) fn traces(&self) -> u32 {
        self.blocks.last().map_or(0, |block| block.first_trace + block.traces)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Footer {
        let section = |offset, len| Section { offset, len, crc: 0xdead_beef };
        let block = BlockMeta {
            rows: 8192,
            traces: 650,
            errors: 3,
            min_time_ns: i64::MIN,
            max_time_ns: i64::MAX,
            max_duration_ns: u64::MAX,
            sections: vec![(0, section(1 << 40, 9)), (11, section((1 << 40) + 9, 70_000))],
            ..BlockMeta::default()
        };
        let next =
            BlockMeta { first_row: 8192, first_trace: 650, rows: 1, traces: 1, ..BlockMeta::default() };
        Footer {
            tenant: "acme".to_owned(),
            partition: 3,
            level: 1,
            rows: 8193,
            blocks: vec![block, next],
            streams: section(7, 9),
            index: section(70, 90),
            ..Footer::default()
        }
    }

    #[test]
    fn footers_round_trip_and_cut_ones_fail() {
        let bytes = sample().encode();
        assert_eq!(Footer::decode(&bytes).unwrap(), sample());
        assert!((0..bytes.len()).all(|len| Footer::decode(&bytes[..len]).is_err()));
        assert_eq!(sample().traces(), 651);
        let changes: [fn(&mut BlockMeta); 2] = [|block| block.rows += 1, |block| block.errors = 9000];
        for change in changes {
            let mut footer = sample();
            change(&mut footer.blocks[0]);
            assert!(Footer::decode(&footer.encode()).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail_without_panic(mut bytes: Vec<u8>, at: u16, byte: u8) {
            let _footer = Footer::decode(&bytes);
            bytes = sample().encode();
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
            let _footer = Footer::decode(&bytes);
        }
    }
}
