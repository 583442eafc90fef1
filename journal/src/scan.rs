//! Walking over the records of one segment file, front to back: used when a journal is opened and when old records are
//! read. A record is good if its offset is the expected one and both checksums fit; everything else is bad.

use crate::DiskFile;
use crate::format::{RECORD_HEADER_BYTES, RecordHeader};
use bytes::{Bytes, BytesMut};
use std::io;
use std::ops::Range;

pub(crate) struct Scan<'a> {
    file: &'a dyn DiskFile,
    salt: u32,
    /// Where the next record begins; the buffer holds the file's bytes from here.
    position: u64,
    until: u64,
    buffer: BytesMut,
    chunk_bytes: usize,
}

pub(crate) enum Step {
    Record { position: u64, durable: u64, body: Bytes },
    Bad,
    End,
}

/// What a search after a bad record found.
pub(crate) struct Found {
    /// The offset of the next good record, where the scan now stands.
    pub(crate) next: Option<u64>,
    /// The highest durable mark in any record header passed on the way, 0 if none.
    pub(crate) durable: u64,
}

impl<'a> Scan<'a> {
    /// Reads `chunk_bytes` at a time and nothing past `until`.
    pub(crate) fn new(file: &'a dyn DiskFile, salt: u32, bytes: Range<u64>, chunk_bytes: usize) -> Self {
        Self { file, salt, position: bytes.start, until: bytes.end, buffer: BytesMut::new(), chunk_bytes }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn next(&mut self, expected: u64) -> io::Result<Step> {
        if self.position >= self.until {
            return Ok(Step::End);
        }
        if !self.fill(RECORD_HEADER_BYTES)? {
            return Ok(Step::Bad);
        }
        let Some(header) = RecordHeader::decode(self.salt, &self.buffer) else { return Ok(Step::Bad) };
        if header.offset != expected || !self.fill(header.record_bytes())? {
            return Ok(Step::Bad);
        }
        if !header.fits(&self.buffer[RECORD_HEADER_BYTES..header.record_bytes()]) {
            return Ok(Step::Bad);
        }
        let position = self.position;
        let body = self.take(header.record_bytes()).split_off(RECORD_HEADER_BYTES);
        Ok(Step::Record { position, durable: header.durable, body })
    }

    /// Stands at a bad record: looks byte by byte for the next good one with an offset in `offsets`. Headers whose body
    /// is bad still tell what was durable when they were written.
    pub(crate) fn search(&mut self, offsets: Range<u64>) -> io::Result<Found> {
        let rest = self.until - self.position;
        if !self.fill(rest as usize)? {
            self.until = self.position + self.buffer.len() as u64;
        }
        let mut durable = 0;
        for at in 0..self.buffer.len() {
            let bytes = &self.buffer[at..];
            let Some(header) = RecordHeader::decode(self.salt, bytes) else { continue };
            if !offsets.contains(&header.offset) {
                continue;
            }
            durable = durable.max(header.durable);
            let body = bytes.get(RECORD_HEADER_BYTES..header.record_bytes());
            if body.is_some_and(|body| header.fits(body)) {
                self.take(at);
                return Ok(Found { next: Some(header.offset), durable });
            }
        }
        self.take(self.buffer.len());
        Ok(Found { next: None, durable })
    }

    /// Jumps over a stretch that is known to be bad.
    pub(crate) fn skip_to(&mut self, position: u64) {
        let buffered = (position - self.position).min(self.buffer.len() as u64) as usize;
        self.take(buffered);
        if self.position < position {
            self.position = position;
        }
    }

    fn take(&mut self, count: usize) -> Bytes {
        self.position += count as u64;
        self.buffer.split_to(count).freeze()
    }

    /// Makes the buffer hold at least `wanted` bytes; false if the file ends before.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        while self.buffer.len() < wanted {
            let have = self.buffer.len();
            let from = self.position + have as u64;
            let left = self.until.saturating_sub(from);
            if left < (wanted - have) as u64 {
                return Ok(false);
            }
            let count = left.min((wanted - have).max(self.chunk_bytes) as u64) as usize;
            self.buffer.resize(have + count, 0);
            let read = self.file.read_at(&mut self.buffer[have..], from)?;
            self.buffer.truncate(have + read);
            if read == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
