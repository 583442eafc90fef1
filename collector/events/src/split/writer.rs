//! Writes a split: blocks as rows come in, then filters, streams, index, footer.

mod bodies;

use sealed::{PART_BYTES, Upload};

use super::block::{self, BlockBuilder, BodyColumn, EncodedBlock};
use super::column::{MAX_RAW_BYTES, Strings};
use super::format::{
    Column, Footer, HEAD_MAGIC, IndexFile, MAX_BLOCK_ROWS, PAGE_BYTES, PLAIN, SIGNATURES, Section, TAIL_MAGIC,
};
use super::record::Row;
use super::streams::{Stream, StreamsBuilder};
use super::{Layout, SplitRef};
use crate::EventsError;
use crate::index::IndexBuilder;
use bodies::BodyWriter;
pub(crate) use bodies::Numbers;

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
    /// How bodies are written.
    pub(crate) layout: Layout,
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
    bodies: BodyWriter,
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
        let (format, bodies) = match options.layout {
            Layout::Plain => (PLAIN, BodyWriter::Plain(Strings::default())),
            Layout::Signatures => (SIGNATURES, BodyWriter::Signatures(Box::default())),
        };
        let footer = Footer {
            format,
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
            bodies,
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

    /// Makes room for signatures of other splits, in this order; their numbers. None for those that do not fit.
    pub(crate) fn signatures<'a>(&mut self, signatures: impl Iterator<Item = &'a [u8]>) -> Vec<Option<u32>> {
        match &mut self.bodies {
            BodyWriter::Plain(_) => signatures.map(|_| None).collect(),
            BodyWriter::Signatures(own) => signatures.map(|signature| own.table.intern(signature)).collect(),
        }
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
        let words = self.index.as_mut().map(|index| (index, &mut self.block.hashes));
        let pushed = self.bodies.push(row.body, stream, words);
        pushed.map_err(|error| build_failed(&self.upload, &error))?;
        self.pushed(row, stream)
    }

    /// Adds a row whose body stands in another split's block; `numbers` are those of its signatures here.
    pub(crate) fn push_copied(
        &mut self,
        row: &Row<'_>,
        stream: u32,
        (bodies, place): (&BodyColumn, usize),
        numbers: &Numbers,
    ) -> Result<(), EventsError> {
        let words = self.index.as_mut().map(|index| (index, &mut self.block.hashes));
        let copied = self.bodies.copy(bodies, place, numbers, stream, words);
        copied.map_err(|error| build_failed(&self.upload, &error))?;
        self.pushed(row, stream)
    }

    fn pushed(&mut self, row: &Row<'_>, stream: u32) -> Result<(), EventsError> {
        self.note_seq(row.seq);
        self.block.push(row, stream);
        let full = self.block.is_full(self.block_rows, self.bodies.text_bytes()) || self.bodies.is_full();
        if full { self.end_block() } else { Ok(()) }
    }

    /// Ends the open block, if it has rows.
    pub(crate) fn end_block(&mut self) -> Result<(), EventsError> {
        if self.block.rows() == 0 {
            return Ok(());
        }
        let bodies = self.finish_bodies()?;
        let block = self.block.finish(self.level, self.footer.format, bodies);
        self.append(block)
    }

    /// Adds a finished block of rows that follow all others, but for the columns that are given.
    pub(crate) fn push_block(
        &mut self,
        mut block: EncodedBlock,
        (seqs, streams, severities): (&[u64], &[u32], &[u8]),
        (bodies, numbers): (&BodyColumn, &Numbers),
        hashes: &mut Vec<u64>,
    ) -> Result<(), EventsError> {
        self.end_block()?;
        for (row, stream) in streams.iter().enumerate() {
            let words = self.index.as_mut().map(|index| (index, &mut *hashes));
            let copied = self.bodies.copy(bodies, row, numbers, *stream, words);
            copied.map_err(|error| build_failed(&self.upload, &error))?;
            if self.bodies.is_too_large() {
                break;
            }
        }
        let bodies = self.finish_bodies()?;
        let format = self.footer.format;
        block.sections[Column::Seq as usize] = block::encode_seqs(seqs, streams, format);
        block.sections[Column::Severity as usize] = block::encode_severities(severities, format, self.level);
        block.sections[Column::Stream as usize] = block::encode_streams(streams, format);
        block.sections[Column::Body as usize] = bodies;
        seqs.iter().for_each(|seq| self.note_seq(*seq));
        let bloom = super::bloom::build(hashes);
        self.append(EncodedBlock { bloom, ..block })
    }

    /// The section of the open block's bodies. What no reader takes is not written: inputs stay as they are.
    fn finish_bodies(&mut self) -> Result<Vec<u8>, EventsError> {
        match self.bodies.is_too_large() {
            true => Err(EventsError::Build {
                name: self.upload.name().to_owned(),
                reason: format!("the bodies of a block take more than {MAX_RAW_BYTES} bytes"),
            }),
            false => Ok(self.bodies.finish_block(self.level)),
        }
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
        Ok(self.upload.push(std::mem::take(&mut self.out))?)
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
            format: self.footer.format,
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
        self.write_signatures()?;
        self.drain()?;
        self.write_index()?;
        let footer = self.footer.encode();
        self.out.extend_from_slice(&footer);
        self.out.extend((footer.len() as u32).to_le_bytes());
        self.out.extend(crc32c::crc32c(&footer).to_le_bytes());
        self.out.extend_from_slice(TAIL_MAGIC);
        Ok(())
    }

    fn write_signatures(&mut self) -> Result<(), EventsError> {
        let BodyWriter::Signatures(signatures) = &self.bodies else { return Ok(()) };
        let (table, statistics) = (signatures.table.encode(self.level), signatures.statistics.encode());
        if let Some(index) = &mut self.index {
            for number in 0..signatures.table.len() as u32 {
                let added = index.add_signature(signatures.table.signature(number));
                added.map_err(|error| build_failed(&self.upload, &error))?;
            }
        }
        self.footer.signatures = self.section(&table);
        self.footer.statistics = self.section(&statistics);
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

fn build_failed(upload: &Upload, error: &tantivy::TantivyError) -> EventsError {
    EventsError::Build { name: upload.name().to_owned(), reason: error.to_string() }
}
