//! One file that is being tailed: reads what is new, line by line, and notices
//! when the file begins again.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::batch::{BatchBuilder, Labels, MAX_LINE_BYTES, Marks};
use super::position::{FileKey, Fingerprint, Mode, Place};
use crate::metrics::Metrics;

/// How much is read at once. Longer than a line can be, so that every read gets on.
pub(super) const CHUNK_BYTES: usize = 512 << 10;

/// One open file.
pub(super) struct Source {
    pub(super) key: FileKey,
    pub(super) place: Place,
    pub(super) labels: Arc<Labels>,
    file: File,
    /// The file as it was when it was last looked at.
    seen: Option<(u64, SystemTime)>,
    /// There was more to read than one look does.
    more: bool,
    /// When it last had something new.
    pub(super) changed_at: Instant,
    /// Where a pattern has found it last; its lines keep the name of `place`.
    pub(super) found_at: PathBuf,
    /// Since when no pattern finds it: it was renamed or removed.
    pub(super) gone_since: Option<Instant>,
    pub(super) next_look: Instant,
}

/// The times at which things happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) now_ns: i64,
    /// How long a line may stay without its newline.
    pub(super) partial_after: Duration,
}

impl Source {
    pub(super) fn new(key: FileKey, file: File, place: Place, labels: Arc<Labels>, now: Instant) -> Self {
        Self {
            key,
            found_at: place.path.clone(),
            place,
            labels,
            file,
            seen: None,
            more: false,
            changed_at: now,
            gone_since: None,
            next_look: now,
        }
    }

    /// Reads what is new, up to a chunk or until the batch is full. Returns whether there may be more right now.
    pub(super) fn look(
        &mut self,
        buffer: &mut [u8],
        batch: &mut BatchBuilder,
        moment: &Moment,
        metrics: &Metrics,
    ) -> io::Result<bool> {
        let meta = self.file.metadata()?;
        let seen = Some((meta.len(), meta.modified()?));
        if meta.len() < self.place.offset {
            self.restart("it is shorter than it was", batch, moment, metrics);
        } else if seen == self.seen && !self.more {
            self.flush_stale(buffer, batch, moment)?;
            return Ok(false);
        }
        self.seen = seen;
        self.changed_at = moment.now;
        let read = self.file.read_at(&mut buffer[..CHUNK_BYTES], self.place.offset)?;
        // Checked behind the read: a file that began again before it is noticed here, whatever its length.
        if !self.place.fingerprint.holds(&self.file, self.place.offset)? {
            self.restart("its content was replaced", batch, moment, metrics);
            self.more = true;
            return Ok(true);
        }
        let used = self.consume(&buffer[..read], batch, moment, metrics);
        if used > 0 {
            self.advance(used as u64, batch, moment);
        }
        self.more = batch.is_full() || read == CHUNK_BYTES;
        Ok(self.more)
    }

    fn consume(
        &mut self,
        chunk: &[u8],
        batch: &mut BatchBuilder,
        moment: &Moment,
        metrics: &Metrics,
    ) -> usize {
        let mut at = if self.place.offset == 0 && chunk.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        while at < chunk.len() && !batch.is_full() {
            let rest = &chunk[at..];
            let partial = self.place.mode == Mode::Continuing;
            match memchr::memchr(b'\n', rest) {
                Some(end) => {
                    if self.place.mode == Mode::Skipping {
                        metrics.cut_bytes.inc_by(end as u64);
                    } else {
                        metrics.cut_bytes.inc_by(end.saturating_sub(MAX_LINE_BYTES) as u64);
                        let marks = Marks { cut: false, partial };
                        batch.line(&self.labels, &rest[..end], marks, moment.now, moment.now_ns);
                    }
                    self.place.mode = Mode::Line;
                    at += end + 1;
                }
                None if self.place.mode == Mode::Skipping => {
                    metrics.cut_bytes.inc_by(rest.len() as u64);
                    at = chunk.len();
                }
                None if rest.len() > MAX_LINE_BYTES => {
                    let marks = Marks { cut: true, partial };
                    batch.line(&self.labels, &rest[..MAX_LINE_BYTES], marks, moment.now, moment.now_ns);
                    self.place.mode = Mode::Skipping;
                    at += MAX_LINE_BYTES;
                }
                None => break,
            }
        }
        at
    }

    fn advance(&mut self, bytes: u64, batch: &mut BatchBuilder, moment: &Moment) {
        self.place.offset += bytes;
        // It fails if the file was cut meanwhile; then nothing holds, and the file is read from its start.
        self.place.fingerprint = Fingerprint::read(&self.file, self.place.offset).unwrap_or_default();
        batch.place(self.key, &self.place, moment.now);
    }

    /// Delivers a line that has waited too long for its newline.
    fn flush_stale(
        &mut self,
        buffer: &mut [u8],
        batch: &mut BatchBuilder,
        moment: &Moment,
    ) -> io::Result<()> {
        if moment.now.saturating_duration_since(self.changed_at) < moment.partial_after {
            return Ok(());
        }
        self.flush_partial(buffer, batch, moment)
    }

    /// Delivers what stands behind the last newline.
    pub(super) fn flush_partial(
        &mut self,
        buffer: &mut [u8],
        batch: &mut BatchBuilder,
        moment: &Moment,
    ) -> io::Result<()> {
        if self.place.mode == Mode::Skipping {
            return Ok(());
        }
        let read = self.file.read_at(&mut buffer[..MAX_LINE_BYTES], self.place.offset)?;
        let rest = &buffer[..read];
        // A newline has come since: the next look reads it.
        if rest.is_empty() || memchr::memchr(b'\n', rest).is_some() {
            return Ok(());
        }
        batch.line(&self.labels, rest, Marks { cut: false, partial: true }, moment.now, moment.now_ns);
        self.place.mode = Mode::Continuing;
        self.advance(read as u64, batch, moment);
        Ok(())
    }

    fn restart(&mut self, why: &str, batch: &mut BatchBuilder, moment: &Moment, metrics: &Metrics) {
        let path = self.place.path.display();
        tracing::info!(%path, why, offset = self.place.offset, "reading a file from its start again");
        metrics.truncations.inc();
        self.place.offset = 0;
        self.place.mode = Mode::Line;
        // Of no bytes at all: cannot fail.
        self.place.fingerprint = Fingerprint::read(&self.file, 0).unwrap_or_default();
        batch.place(self.key, &self.place, moment.now);
    }

    /// Whether no name leads to the file any more.
    pub(super) fn is_removed(&self) -> bool {
        self.file.metadata().is_ok_and(|meta| meta.nlink() == 0)
    }

    /// Bytes that were there at the last look and are not read.
    pub(super) fn lag_bytes(&self) -> u64 {
        self.seen.map_or(0, |(len, _)| len.saturating_sub(self.place.offset))
    }

    /// The name that its lines carry.
    pub(super) fn path(&self) -> &PathBuf {
        &self.place.path
    }
}
