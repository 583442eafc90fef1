//! The footer of a segment and its tail. docs/format/segment.md has every byte.

use super::file::ReadError;
use crate::wire::{Malformed, Reader, put_bytes, put_signed, put_varint};

/// The version that is written.
pub(crate) const VERSION: u8 = 1;
pub(crate) const HEAD_MAGIC: &[u8; 8] = b"NRWSERS\x01";
pub(crate) const TAIL_MAGIC: &[u8; 8] = b"NRWSEND\x01";
pub(crate) const TAIL_BYTES: u64 = 16;
/// Series of a page.
pub(crate) const GROUP_SERIES: usize = 16;
/// Samples of a chunk.
pub(crate) const CHUNK_ROWS: usize = 480;
/// Histograms of a chunk.
pub(crate) const HISTOGRAM_ROWS: usize = 120;
/// Series of a block of labels.
pub(crate) const LABEL_SERIES: usize = 256;
/// Groups of a block of the directory.
pub(crate) const BLOCK_GROUPS: usize = 64;
/// No compressed table is larger.
const MAX_TABLE_BYTES: usize = 256 << 20;

/// Bytes of the blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) crc: u32,
}

/// A label name's values and their series.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NameSections {
    pub(crate) values: Section,
    pub(crate) postings: Section,
}

/// A run of time columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ColumnBlock {
    /// Number of its first column.
    pub(crate) first: u32,
    pub(crate) directory: Section,
    pub(crate) data: Section,
}

/// A run of groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct GroupBlock {
    /// Its first series.
    pub(crate) first: u32,
    /// Number of its first page.
    pub(crate) first_page: u32,
    pub(crate) directory: Section,
}

/// What a reader reads first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Footer {
    pub(crate) partition: u16,
    pub(crate) tenant: String,
    pub(crate) series: u32,
    pub(crate) rows: u64,
    pub(crate) min_time_ms: i64,
    pub(crate) max_time_ms: i64,
    pub(crate) min_offset: u64,
    pub(crate) max_offset: u64,
    pub(crate) clean_offset: u64,
    /// Dictionary of label names.
    pub(crate) names: Section,
    /// One per name, in order.
    pub(crate) labels: Vec<NameSections>,
    /// Labels of `LABEL_SERIES` series each.
    pub(crate) label_blocks: Vec<Section>,
    pub(crate) columns: Vec<ColumnBlock>,
    pub(crate) groups: Vec<GroupBlock>,
    pub(crate) histograms: Section,
    pub(crate) exemplars: Section,
}

pub(crate) fn put_section(out: &mut Vec<u8>, section: &Section) {
    put_varint(out, section.offset);
    put_varint(out, u64::from(section.len));
    out.extend(section.crc.to_le_bytes());
}

pub(crate) fn read_section(reader: &mut Reader<'_>) -> Result<Section, Malformed> {
    Ok(Section { offset: reader.varint()?, len: reader.u32()?, crc: u32::from_le_bytes(reader.array()?) })
}

impl Footer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend(self.partition.to_le_bytes());
        put_bytes(&mut out, self.tenant.as_bytes());
        put_varint(&mut out, u64::from(self.series));
        put_varint(&mut out, self.rows);
        put_signed(&mut out, self.min_time_ms);
        put_signed(&mut out, self.max_time_ms);
        for offset in [self.min_offset, self.max_offset, self.clean_offset] {
            put_varint(&mut out, offset);
        }
        put_section(&mut out, &self.names);
        put_varint(&mut out, self.labels.len() as u64);
        for name in &self.labels {
            put_section(&mut out, &name.values);
            put_section(&mut out, &name.postings);
        }
        put_varint(&mut out, self.label_blocks.len() as u64);
        self.label_blocks.iter().for_each(|block| put_section(&mut out, block));
        put_varint(&mut out, self.columns.len() as u64);
        for block in &self.columns {
            put_varint(&mut out, u64::from(block.first));
            put_section(&mut out, &block.directory);
            put_section(&mut out, &block.data);
        }
        put_varint(&mut out, self.groups.len() as u64);
        for block in &self.groups {
            put_varint(&mut out, u64::from(block.first));
            put_varint(&mut out, u64::from(block.first_page));
            put_section(&mut out, &block.directory);
        }
        put_section(&mut out, &self.histograms);
        put_section(&mut out, &self.exemplars);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut reader = Reader::new(bytes);
        let version = reader.byte()?;
        if version != VERSION {
            return Err(ReadError::Damaged(format!("format version {version}, this build knows {VERSION}")));
        }
        let footer = Self::read(&mut reader)?;
        if !reader.is_at_end() {
            return Err(ReadError::Damaged("bytes behind the footer".to_owned()));
        }
        Ok(footer)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let partition = u16::from_le_bytes(reader.array()?);
        let tenant = reader.text()?.to_owned();
        let (series, rows) = (reader.u32()?, reader.varint()?);
        let (min_time_ms, max_time_ms) = (reader.signed()?, reader.signed()?);
        let (min_offset, max_offset) = (reader.varint()?, reader.varint()?);
        let clean_offset = reader.varint()?;
        let names = read_section(reader)?;
        let mut footer = Self {
            partition,
            tenant,
            series,
            rows,
            min_time_ms,
            max_time_ms,
            min_offset,
            max_offset,
            clean_offset,
            names,
            ..Self::default()
        };
        for _ in 0..reader.count(12)? {
            let (values, postings) = (read_section(reader)?, read_section(reader)?);
            footer.labels.push(NameSections { values, postings });
        }
        for _ in 0..reader.count(6)? {
            footer.label_blocks.push(read_section(reader)?);
        }
        for _ in 0..reader.count(13)? {
            let (first, directory, data) = (reader.u32()?, read_section(reader)?, read_section(reader)?);
            footer.columns.push(ColumnBlock { first, directory, data });
        }
        for _ in 0..reader.count(8)? {
            let (first, first_page, directory) = (reader.u32()?, reader.u32()?, read_section(reader)?);
            footer.groups.push(GroupBlock { first, first_page, directory });
        }
        footer.histograms = read_section(reader)?;
        footer.exemplars = read_section(reader)?;
        Ok(footer)
    }

    pub(crate) fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + self.labels.len() * size_of::<NameSections>()
            + self.label_blocks.len() * size_of::<Section>()
            + self.columns.len() * size_of::<ColumnBlock>()
            + self.groups.len() * size_of::<GroupBlock>()
    }
}

/// A table with its raw length before it, zstd.
pub(crate) fn pack(raw: &[u8], level: i32) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    put_varint(&mut out, raw.len() as u64);
    out.extend(zstd::bulk::compress(raw, level)?);
    Ok(out)
}

/// Reads what `pack` wrote.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut reader = Reader::new(bytes);
    let len = reader.varint()? as usize;
    if len > MAX_TABLE_BYTES {
        return Err(ReadError::Damaged(format!("a table of {len} bytes is too large")));
    }
    let raw = zstd::bulk::decompress(reader.rest(), len);
    let raw = raw.map_err(|error| ReadError::Damaged(format!("a table cannot be decompressed: {error}")))?;
    if raw.len() != len {
        return Err(ReadError::Damaged("a table has another length than it says".to_owned()));
    }
    Ok(raw)
}
