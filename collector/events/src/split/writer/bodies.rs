//! What a writer makes of bodies: a plain column, or signatures and parameters.

use telemetry::otlp::LogRecord;

use super::super::block::BodyColumn;
use super::super::bodies::{BodyBuilder, SignatureBodies, StatisticsBuilder, TableBuilder};
use super::super::column::{MAX_RAW_BYTES, Strings};
use super::super::record::Body;
use crate::index::IndexBuilder;
use crate::signature::Masked;

/// The numbers that another split's signatures have here.
pub(crate) type Numbers = [Option<u32>];

/// Where words and hashes of bodies go, if they go anywhere.
pub(super) type Words<'a> = Option<(&'a mut IndexBuilder, &'a mut Vec<u64>)>;

/// The bodies of the open block, and what is kept of those before it.
pub(super) enum BodyWriter {
    Plain(Strings),
    Signatures(Box<Signatures>),
}

#[derive(Default)]
pub(super) struct Signatures {
    pub(super) table: TableBuilder,
    pub(super) statistics: StatisticsBuilder,
    block: BodyBuilder,
    masked: Masked,
    scratch: Vec<u8>,
}

impl BodyWriter {
    /// Bytes of the open block's bodies.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Plain(bodies) => bodies.bytes.len(),
            Self::Signatures(signatures) => signatures.block.text_bytes(),
        }
    }

    /// Whether the open block has room for no more parameters.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Signatures(signatures) if signatures.block.is_full())
    }

    /// Whether the open block has more than a reader takes.
    pub(super) fn is_too_large(&self) -> bool {
        match self {
            Self::Plain(bodies) => bodies.bytes.len() > MAX_RAW_BYTES,
            Self::Signatures(signatures) => signatures.block.is_too_large(),
        }
    }

    /// Adds the body of a row of `stream`.
    pub(super) fn push(&mut self, body: Body<'_>, stream: u32, words: Words<'_>) -> tantivy::Result<()> {
        match self {
            Self::Plain(bodies) => {
                let (code, bytes) = body.coded();
                bodies.push(code, bytes);
                add_words(words, body)
            }
            Self::Signatures(signatures) => signatures.push(body, stream, words),
        }
    }

    /// Adds the body of another split's row.
    pub(super) fn copy(
        &mut self,
        from: &BodyColumn,
        row: usize,
        numbers: &Numbers,
        stream: u32,
        words: Words<'_>,
    ) -> tantivy::Result<()> {
        match (&mut *self, from) {
            (Self::Signatures(signatures), BodyColumn::Signatures(from)) => {
                signatures.copy(from, row, numbers, words)
            }
            _ => {
                let mut scratch = Vec::new();
                self.push(from.get(row, &mut scratch), stream, words)
            }
        }
    }

    /// The section of the open block, which ends.
    pub(super) fn finish_block(&mut self, level: i32) -> Vec<u8> {
        match self {
            Self::Plain(bodies) => {
                let section = bodies.encode(level);
                bodies.clear();
                section
            }
            Self::Signatures(signatures) => {
                let section = signatures.block.encode(level);
                signatures.statistics.push_block(&signatures.block);
                signatures.block.clear();
                section
            }
        }
    }
}

impl Signatures {
    fn push(&mut self, body: Body<'_>, stream: u32, words: Words<'_>) -> tantivy::Result<()> {
        if let Body::Text(text) = body
            && let Some(signature) = self.table.mask(text, stream, &mut self.masked)
        {
            let hashes = words.map(|(_, hashes)| hashes);
            self.block.push_masked(&self.table, signature, &self.masked, text, hashes);
            return Ok(());
        }
        self.block.push_raw(body);
        add_words(words, body)
    }

    fn copy(
        &mut self,
        from: &SignatureBodies,
        row: usize,
        numbers: &Numbers,
        mut words: Words<'_>,
    ) -> tantivy::Result<()> {
        let hashes = words.as_mut().map(|(_, hashes)| &mut **hashes);
        if self.block.copy(&self.table, from, row, numbers, hashes) {
            return Ok(());
        }
        let body = from.get(row, &mut self.scratch);
        self.block.push_raw(body);
        add_words(words, body)
    }
}

fn add_words(words: Words<'_>, body: Body<'_>) -> tantivy::Result<()> {
    let Some((index, hashes)) = words else { return Ok(()) };
    match body {
        Body::Text(text) => index.add(text, hashes),
        Body::Raw(field) => index.add(&LogRecord::of_valid(field).body.to_text(), hashes),
    }
}
