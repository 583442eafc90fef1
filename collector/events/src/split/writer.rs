//! Writes a split: blocks as rows come in, then filters, streams, index, footer.

use telemetry::otlp::LogRecord;

use super::SplitRef;
use super::block::{BlockBuilder, EncodedBlock};
use super::format::{
    Column, FORMAT, Footer, HEAD_MAGIC, IndexFile, MAX_BLOCK_ROWS, PAGE_BYTES, Section, TAIL_MAGIC,
};
use super::record::{Body, Row};
use super::streams::{Stream, StreamsBuilder};
use super::upload::{PART_BYTES, Upload};
use crate::EventsError;
use crate::index::IndexBuilder;

/// What a split is written for and how hard it is compressed.
pub(crate) struct WriterOptions {
    pub(crate) tenant: String,
    pub(crate) partition: u16,
    /// zstd level of its columns.
    pub(crate) level: i32,
    /// Whether to index the words of bodies.
    pub(crate) index: bool,
    /// Rows of a full block.
    pub(crate) block_rows: usize,
}

/// A split that is being written. Rows must come in (time, seq) order.
pub(crate) struct SplitWriter {
    upload: Upload,
    out: Vec<u8>,
    /// Bytes that were handed to the upload.
    uploaded: u64,
    level: i32,
    block_rows: usize,
    footer: Footer,
    streams: StreamsBuilder,
    block: BlockBuilder,
    blooms: Vec<Vec<u8>>,
    index: Option<IndexBuilder>,
    seqs: (u64, u64),
}

impl SplitWriter {
    pub(crate) fn new(upload: Upload, options: WriterOptions) -> Result<Self, EventsError> {
        let index = match options.index {
            true => Some(IndexBuilder::new().map_err(|error| build_failed(&upload, &error))?),
            false => None,
        };
        let footer = Footer {
            tenant: options.tenant,
            partition: options.partition,
            level: options.level as u8,
            ..Footer::default()
        };
        Ok(Self {
            upload,
            out: HEAD_MAGIC.to_vec(),
            uploaded: 0,
            level: options.level,
            block_rows: options.block_rows.min(MAX_BLOCK_ROWS as usize),
            footer,
            streams: StreamsBuilder::default(),
            block: BlockBuilder::default(),
            blooms: Vec::new(),
            index,
            seqs: (u64::MAX, 0),
        })
    }

    /// The name that the split will have.
    pub(crate) fn name(&self) -> &str {
        self.upload.name()
    }

    /// The number that rows of this stream carry; `None` if the split has no room for more streams.
    pub(crate) fn stream(&mut self, stream: &Stream) -> Option<u32> {
        self.streams.intern(stream)
    }

    /// The numbers of these streams; `None` if the split has no room for all of them.
    pub(crate) fn streams(&mut self, streams: &[Stream]) -> Option<Vec<u32>> {
        self.streams.intern_all(streams)
    }

    pub(crate) fn level(&self) -> i32 {
        self.level
    }

    /// Whether a block of so many rows may be taken whole: neither it nor the open one would stay small.
    pub(crate) fn takes_block_of(&self, rows: usize) -> bool {
        let open = self.block.rows();
        rows >= self.block_rows / 2 && (open == 0 || open >= self.block_rows / 2)
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: &Row<'_>, stream: u32) -> Result<(), EventsError> {
        if let Some(index) = &mut self.index {
            add_words(index, &row.body, &mut self.block.hashes)
                .map_err(|error| build_failed(&self.upload, &error))?;
        }
        self.note_seq(row.seq);
        self.block.push(row, stream);
        if self.block.is_full(self.block_rows) { self.end_block() } else { Ok(()) }
    }

    /// Ends the open block, if it has rows.
    pub(crate) fn end_block(&mut self) -> Result<(), EventsError> {
        if self.block.rows() == 0 {
            return Ok(());
        }
        let block = self.block.finish(self.level);
        self.append(block)
    }

    /// Adds a finished block of rows that follow all others; `bodies` are its rows' for the index.
    pub(crate) fn push_block<'a>(
        &mut self,
        block: EncodedBlock,
        seqs: &[u64],
        bodies: impl Iterator<Item = Body<'a>>,
        hashes: &mut Vec<u64>,
    ) -> Result<(), EventsError> {
        self.end_block()?;
        if let Some(index) = &mut self.index {
            for body in bodies {
                add_words(index, &body, hashes).map_err(|error| build_failed(&self.upload, &error))?;
            }
        }
        seqs.iter().for_each(|seq| self.note_seq(*seq));
        let bloom = super::bloom::build(hashes);
        self.append(EncodedBlock { bloom, ..block })
    }

    fn note_seq(&mut self, seq: u64) {
        self.seqs = (self.seqs.0.min(seq), self.seqs.1.max(seq));
    }

    fn append(&mut self, block: EncodedBlock) -> Result<(), EventsError> {
        let EncodedBlock { mut meta, sections, bloom } = block;
        meta.first_row = self.footer.rows as u32;
        for (place, bytes) in sections.iter().enumerate() {
            meta.sections[place] = self.section(bytes);
        }
        self.footer.rows += u64::from(meta.rows);
        self.footer.blocks.push(meta);
        self.blooms.push(bloom);
        self.drain()
    }

    fn section(&mut self, bytes: &[u8]) -> Section {
        if bytes.is_empty() {
            return Section::default();
        }
        let offset = self.uploaded + self.out.len() as u64;
        self.out.extend_from_slice(bytes);
        Section { offset, len: bytes.len() as u32, crc: crc32c::crc32c(bytes) }
    }

    fn drain(&mut self) -> Result<(), EventsError> {
        if self.out.len() < PART_BYTES {
            return Ok(());
        }
        self.uploaded += self.out.len() as u64;
        self.upload.push(std::mem::take(&mut self.out))
    }

    /// Writes what stands behind the blocks; the split is durable when this returns.
    pub(crate) fn finish(mut self) -> Result<SplitRef, EventsError> {
        let written = self.write_end();
        match written {
            Ok(()) => {}
            Err(error) => {
                self.upload.abort();
                return Err(error);
            }
        }
        let blocks = &self.footer.blocks;
        let listed = SplitRef {
            name: self.upload.name().to_owned(),
            tenant: self.footer.tenant.clone(),
            rows: self.footer.rows,
            size_bytes: self.uploaded + self.out.len() as u64,
            min_time_ns: blocks.first().map_or(0, |block| block.min_time_ns),
            max_time_ns: blocks.last().map_or(0, |block| block.max_time_ns),
            min_seq: self.seqs.0,
            max_seq: self.seqs.1,
            format: FORMAT,
            indexed: !self.footer.index.is_empty(),
        };
        self.upload.finish(self.out)?;
        Ok(listed)
    }

    /// Gives up a split that is half written.
    pub(crate) fn abort(self) {
        self.upload.abort();
    }

    fn write_end(&mut self) -> Result<(), EventsError> {
        self.end_block()?;
        for (place, bloom) in std::mem::take(&mut self.blooms).into_iter().enumerate() {
            self.footer.blocks[place].sections[Column::Bloom as usize] = self.section(&bloom);
        }
        let streams = self.streams.encode(self.level);
        self.footer.streams = self.section(&streams);
        self.drain()?;
        self.write_index()?;
        let footer = self.footer.encode();
        self.out.extend_from_slice(&footer);
        self.out.extend((footer.len() as u32).to_le_bytes());
        self.out.extend(crc32c::crc32c(&footer).to_le_bytes());
        self.out.extend_from_slice(TAIL_MAGIC);
        Ok(())
    }

    fn write_index(&mut self) -> Result<(), EventsError> {
        let Some(index) = self.index.take() else { return Ok(()) };
        let files = index.finish().map_err(|error| build_failed(&self.upload, &error))?;
        for (name, bytes) in files {
            let mut pages = Vec::new();
            for page in bytes.chunks(PAGE_BYTES) {
                pages.push(self.section(page));
                self.drain()?;
            }
            self.footer.index.push(IndexFile { name, len: bytes.len() as u64, pages });
        }
        Ok(())
    }
}

fn add_words(index: &mut IndexBuilder, body: &Body<'_>, hashes: &mut Vec<u64>) -> tantivy::Result<()> {
    match body {
        Body::Text(text) => index.add(text, hashes),
        Body::Raw(field) => index.add(&LogRecord::of_valid(field).body.to_text(), hashes),
    }
}

fn build_failed(upload: &Upload, error: &tantivy::TantivyError) -> EventsError {
    EventsError::Build { name: upload.name().to_owned(), reason: error.to_string() }
}
