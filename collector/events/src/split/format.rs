//! The footer of a split, byte for byte as docs/format/split.md has it: what blocks
//! there are, where each section stands, and its checksum.

use super::column::Malformed;
use super::record::put_varint;

/// Begins every split.
pub(crate) const HEAD_MAGIC: &[u8; 8] = b"NRWSPLT\x01";
/// Ends every split.
pub(crate) const TAIL_MAGIC: &[u8; 8] = b"NRWSEND\x01";
/// The layout "plain".
pub(crate) const PLAIN: u8 = 1;
/// The layout "signatures".
pub(crate) const SIGNATURES: u8 = 2;
/// Footer length, footer checksum, magic.
pub(crate) const TAIL_BYTES: usize = 16;
/// What of an index file has one checksum.
pub(crate) const PAGE_BYTES: usize = 64 << 10;
/// How many severity numbers there are, 0 included.
pub(crate) const SEVERITIES: usize = 25;
/// No block has more rows: what a footer claims is reserved before it is read.
pub(crate) const MAX_BLOCK_ROWS: u32 = 1 << 20;
/// Blocks with more streams than this do not list them.
pub(crate) const MAX_LISTED_STREAMS: usize = 64;

/// The columns of a block, in the order of the footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Column {
    Time = 0,
    Seq = 1,
    Observed = 2,
    Severity = 3,
    Shape = 4,
    Stream = 5,
    Trace = 6,
    Body = 7,
    Rest = 8,
    Bloom = 9,
}

impl Column {
    pub(crate) const COUNT: usize = 10;
}

/// Where bytes stand in the blob, and their CRC32C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) crc: u32,
}

/// What is known of a block without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockMeta {
    /// The number of its first row in the split.
    pub(crate) first_row: u32,
    pub(crate) rows: u32,
    pub(crate) min_time_ns: i64,
    pub(crate) max_time_ns: i64,
    /// Rows per severity number.
    pub(crate) severities: [u32; SEVERITIES],
    /// Its streams in ascending order; `None` if they are too many to list.
    pub(crate) streams: Option<Vec<u32>>,
    pub(crate) sections: [Section; Column::COUNT],
}

/// One file of the index: its name inside tantivy, length, and pages in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexFile {
    pub(crate) name: String,
    pub(crate) len: u64,
    pub(crate) pages: Vec<Section>,
}

/// Everything that a reader needs to find its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footer {
    /// The layout.
    pub(crate) format: u8,
    pub(crate) tenant: String,
    pub(crate) partition: u16,
    pub(crate) rows: u64,
    /// The zstd level that its columns were written with.
    pub(crate) level: u8,
    pub(crate) blocks: Vec<BlockMeta>,
    pub(crate) streams: Section,
    /// The table of signatures; only in that layout, like the next one.
    pub(crate) signatures: Section,
    /// How many rows of each block have which signature.
    pub(crate) statistics: Section,
    /// Empty if the words of bodies are not indexed.
    pub(crate) index: Vec<IndexFile>,
}

impl Footer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.format, self.level];
        out.extend(self.partition.to_le_bytes());
        put_text(&mut out, &self.tenant);
        put_varint(&mut out, self.rows);
        put_section(&mut out, &self.streams);
        if self.format == SIGNATURES {
            put_section(&mut out, &self.signatures);
            put_section(&mut out, &self.statistics);
        }
        put_varint(&mut out, self.blocks.len() as u64);
        self.blocks.iter().for_each(|block| block.encode(&mut out));
        put_varint(&mut out, self.index.len() as u64);
        for file in &self.index {
            put_text(&mut out, &file.name);
            put_varint(&mut out, file.len);
            file.pages.iter().for_each(|page| put_section(&mut out, page));
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { bytes };
        let format = reader.byte()?;
        if ![PLAIN, SIGNATURES].contains(&format) {
            return Err(Malformed(format!("unknown format version {format}")));
        }
        let level = reader.byte()?;
        let partition = u16::from_le_bytes(reader.array()?);
        let tenant = reader.text()?;
        let rows = reader.varint()?;
        let streams = reader.section()?;
        let (mut signatures, mut statistics) = Default::default();
        if format == SIGNATURES {
            (signatures, statistics) = (reader.section()?, reader.section()?);
        }
        let mut first_row = 0u32;
        let mut blocks = Vec::new();
        for _ in 0..reader.varint()? {
            let block = BlockMeta::decode(&mut reader, first_row)?;
            first_row = first_row.checked_add(block.rows).ok_or_else(cut_off)?;
            blocks.push(block);
        }
        if u64::from(first_row) != rows {
            return Err(Malformed("the blocks' rows do not add up".to_owned()));
        }
        let mut index = Vec::new();
        for _ in 0..reader.varint()? {
            let (name, len) = (reader.text()?, reader.varint()?);
            let pages =
                (0..len.div_ceil(PAGE_BYTES as u64)).map(|_| reader.section()).collect::<Result<_, _>>()?;
            index.push(IndexFile { name, len, pages });
        }
        Ok(Self { format, tenant, partition, rows, level, blocks, streams, signatures, statistics, index })
    }
}

impl BlockMeta {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.rows));
        out.extend(self.min_time_ns.to_le_bytes());
        out.extend(self.max_time_ns.to_le_bytes());
        self.severities.iter().for_each(|count| put_varint(out, u64::from(*count)));
        match &self.streams {
            None => put_varint(out, 0),
            Some(streams) => {
                put_varint(out, streams.len() as u64 + 1);
                streams.iter().for_each(|stream| put_varint(out, u64::from(*stream)));
            }
        }
        self.sections.iter().for_each(|section| put_section(out, section));
    }

    fn decode(reader: &mut Reader<'_>, first_row: u32) -> Result<Self, Malformed> {
        let rows = reader.varint_u32()?;
        if rows > MAX_BLOCK_ROWS {
            return Err(Malformed("a block claims to have too many rows".to_owned()));
        }
        let min_time_ns = i64::from_le_bytes(reader.array()?);
        let max_time_ns = i64::from_le_bytes(reader.array()?);
        let mut severities = [0; SEVERITIES];
        for count in &mut severities {
            *count = reader.varint_u32()?;
        }
        if severities.iter().map(|count| u64::from(*count)).sum::<u64>() != u64::from(rows) {
            return Err(Malformed("the severities of a block do not add up to its rows".to_owned()));
        }
        let streams: Option<Vec<u32>> = match reader.varint()? {
            0 => None,
            count => Some((1..count).map(|_| reader.varint_u32()).collect::<Result<_, _>>()?),
        };
        if streams.as_ref().is_some_and(|streams| !streams.is_sorted_by(|a, b| a < b)) {
            return Err(Malformed("the streams of a block do not ascend".to_owned()));
        }
        let mut sections = [Section::default(); Column::COUNT];
        for section in &mut sections {
            *section = reader.section()?;
        }
        Ok(Self { first_row, rows, min_time_ns, max_time_ns, severities, streams, sections })
    }
}

/// Appends a text with its length before it.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_section(out: &mut Vec<u8>, section: &Section) {
    put_varint(out, section.offset);
    put_varint(out, u64::from(section.len));
    out.extend(section.crc.to_le_bytes());
}

fn cut_off() -> Malformed {
    Malformed("the footer is cut off".to_owned())
}

/// Reads fixed-width numbers, varints and texts from the front of bytes.
pub(crate) struct Reader<'a> {
    pub(crate) bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or_else(cut_off)?;
        self.bytes = rest;
        Ok(*array)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(cut_off())
    }

    pub(crate) fn varint_u32(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.varint()?).map_err(|_| cut_off())
    }

    /// Bytes with their length before them.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(self.varint()?).map_err(|_| cut_off())?;
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or_else(cut_off)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// Text with its length before it.
    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| cut_off())
    }

    fn section(&mut self) -> Result<Section, Malformed> {
        let offset = self.varint()?;
        let len = self.varint_u32()?;
        let crc = u32::from_le_bytes(self.array()?);
        Ok(Section { offset, len, crc })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples() -> [Footer; 2] {
        let section = Section { offset: 7, len: 9, crc: 11 };
        let plain = sample();
        let signatures =
            Footer { format: SIGNATURES, signatures: section, statistics: section, ..plain.clone() };
        [plain, signatures]
    }

    fn sample() -> Footer {
        let section = Section { offset: 1 << 40, len: 70_000, crc: 0xdead_beef };
        let block = BlockMeta {
            first_row: 0,
            rows: SEVERITIES as u32,
            min_time_ns: i64::MIN,
            max_time_ns: i64::MAX,
            severities: [1; SEVERITIES],
            streams: Some(vec![0, 7]),
            sections: [section; Column::COUNT],
        };
        let mut many = BlockMeta { first_row: 25, rows: 1, streams: None, ..BlockMeta::default() };
        many.severities[9] = 1;
        let none = BlockMeta { first_row: 26, streams: Some(Vec::new()), ..BlockMeta::default() };
        let file = IndexFile { name: "a.term".to_owned(), len: 70_000, pages: vec![section; 2] };
        Footer {
            format: PLAIN,
            tenant: "acme".to_owned(),
            partition: 3,
            rows: 26,
            level: 3,
            blocks: vec![block, many, none],
            streams: section,
            index: vec![file],
            ..Footer::default()
        }
    }

    #[test]
    fn footers_round_trip_and_cut_ones_fail() {
        for footer in samples() {
            let bytes = footer.encode();
            assert_eq!(Footer::decode(&bytes).unwrap(), footer);
            for len in 0..bytes.len() {
                assert!(Footer::decode(&bytes[..len]).is_err(), "{len}");
            }
        }
        assert!(Footer::decode(&Footer { format: 3, ..sample() }.encode()).is_err());
    }

    #[test]
    fn a_block_of_too_many_rows_is_refused() {
        let mut footer = sample();
        footer.blocks[1].rows = MAX_BLOCK_ROWS + 1;
        footer.blocks[1].severities[9] = MAX_BLOCK_ROWS + 1;
        footer.rows = 26 + u64::from(MAX_BLOCK_ROWS);
        assert!(Footer::decode(&footer.encode()).is_err());
    }

    #[test]
    fn severities_that_do_not_add_up_and_streams_that_do_not_ascend_are_refused() {
        let decoded = |change: fn(&mut BlockMeta)| {
            let mut footer = sample();
            change(&mut footer.blocks[0]);
            Footer::decode(&footer.encode()).is_ok()
        };
        assert!(decoded(|_| {}));
        assert!(!decoded(|block| block.severities[7] += 1));
        assert!(!decoded(|block| block.severities[7] -= 1));
        assert!(!decoded(|block| block.streams = Some(vec![7, 0])));
        assert!(!decoded(|block| block.streams = Some(vec![7, 7])));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail_without_panic(mut bytes: Vec<u8>, at: u16, byte: u8) {
            let _footer = Footer::decode(&bytes);
            for footer in samples() {
                bytes = footer.encode();
                let at = usize::from(at) % bytes.len();
                bytes[at] = byte;
                let _footer = Footer::decode(&bytes);
            }
        }
    }
}
