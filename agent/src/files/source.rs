//! One file that is being tailed: reads what is new, line by line, and notices
//! when the file begins again.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use telemetry::detect::Clock;

use super::position::{FileKey, Fingerprint, Mode, Place};
use crate::batch::{BatchBuilder, Labels};
use crate::config::FileInput;
use crate::lines::{Joiner, Line, MAX_LINE_BYTES, Marks};
use crate::metrics::Metrics;

/// How much is read at once. Longer than a line can be, so that every read gets on.
pub(super) const CHUNK_BYTES: usize = 512 << 10;

/// One open file.
pub(super) struct Source {
    pub(super) key: FileKey,
    pub(super) place: Place,
    pub(super) labels: Arc<Labels>,
    /// The input that found it.
    pub(super) input: FileInput,
    file: File,
    /// The file as it was when it was last looked at.
    seen: Option<(u64, SystemTime)>,
    /// There was more to read than one look does.
    more: bool,
    /// Per stream, a record that may go on: where it ends so far, and since when.
    waiting: [Option<(u64, Instant)>; 3],
    /// When it last had something new.
    pub(super) changed_at: Instant,
    /// Where a pattern has found it last; its lines keep the name of `place`.
    pub(super) found_at: PathBuf,
    /// Since when no pattern finds it: it was renamed or removed.
    pub(super) gone_since: Option<Instant>,
    /// Since when it cannot be read.
    pub(super) failing_since: Option<Instant>,
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
    pub(super) fn new(
        key: FileKey,
        file: File,
        place: Place,
        labels: Arc<Labels>,
        input: FileInput,
        now: Instant,
    ) -> Self {
        Self {
            key,
            found_at: place.path.clone(),
            place,
            labels,
            input,
            file,
            seen: None,
            more: false,
            waiting: [None; 3],
            changed_at: now,
            gone_since: None,
            failing_since: None,
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
        if meta.len() < self.place.reach() {
            self.restart("it is shorter than it was", batch, moment, metrics);
        } else if seen == self.seen && !self.more {
            if !self.is_due(moment.now) {
                self.flush_stale(buffer, batch, moment, metrics)?;
                return Ok(false);
            }
        } else {
            self.changed_at = moment.now;
        }
        self.seen = seen;
        self.read(buffer, batch, moment, metrics, false)
    }

    /// Reads a chunk; with `is_last`, nothing is waited for.
    fn read(
        &mut self,
        buffer: &mut [u8],
        batch: &mut BatchBuilder,
        moment: &Moment,
        metrics: &Metrics,
        is_last: bool,
    ) -> io::Result<bool> {
        // Until it is known: what cannot be read now is tried again, though the file does not change.
        self.more = true;
        let read = self.file.read_at(&mut buffer[..CHUNK_BYTES], self.place.offset)?;
        // Checked behind the read: a file that began again before it is noticed here, whatever its length.
        if !self.place.fingerprint.holds(&self.file, self.place.reach())? {
            self.restart("its content was replaced", batch, moment, metrics);
            return Ok(true);
        }
        let before = (self.place.offset, self.place.ahead);
        let place = self.consume(&buffer[..read], batch, moment, metrics, is_last);
        (self.place.offset, self.place.mode, self.place.ahead) = place;
        if before != (self.place.offset, self.place.ahead) {
            self.store(batch, moment);
        }
        self.more = batch.is_full() || read == CHUNK_BYTES;
        Ok(self.more)
    }

    /// Delivers the chunk's records and returns the place behind them.
    fn consume(
        &mut self,
        chunk: &[u8],
        batch: &mut BatchBuilder,
        moment: &Moment,
        metrics: &Metrics,
        is_last: bool,
    ) -> (u64, Mode, [u64; 3]) {
        let (labels, base) = (self.labels.clone(), self.place.offset);
        let clock = Clock { now_ns: moment.now_ns, zone: &labels.zone };
        let mut joiner = Joiner::new(&labels.lines, clock, self.place.ahead);
        let mut mode = self.place.mode;
        let mut at = if base == 0 && chunk.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let deliver = |joiner: &mut Joiner<'_, '_>, batch: &mut BatchBuilder| {
            while !batch.is_full()
                && let Some(joined) = joiner.pop()
            {
                batch.joined(&labels, joined, moment.now, moment.now_ns);
            }
        };
        while at < chunk.len() && !batch.is_full() {
            let (used, next) = next_line(&chunk[at..], base + at as u64, mode, &mut joiner, metrics);
            if used == 0 {
                break;
            }
            (at, mode) = (at + used, next);
            deliver(&mut joiner, batch);
        }
        if !batch.is_full() {
            let end = base + at as u64;
            let due =
                |slot: usize, end| self.waiting[slot].is_some_and(|wait| is_over(wait, end, moment, &labels));
            // More than a chunk was read and nothing could be delivered: a record is not waited for at such a price.
            let is_stuck = chunk.len() == CHUNK_BYTES && joiner.place(end).0 == base;
            match is_last || is_stuck {
                true => joiner.flush(),
                false if chunk.len() < CHUNK_BYTES => joiner.settle(),
                false => {}
            }
            joiner.flush_due(due);
            deliver(&mut joiner, batch);
        }
        self.wait_for(joiner.waiting(), moment.now);
        let (offset, ahead) = joiner.place(base + at as u64);
        let mode = match offset {
            offset if offset == base && at == 0 => self.place.mode,
            offset if offset == base => {
                if self.place.mode == Mode::Continuing {
                    Mode::Continuing
                } else {
                    Mode::Line
                }
            }
            offset if offset == base + at as u64 => mode,
            _ => Mode::Line,
        };
        (offset, mode, ahead)
    }

    /// Notes since when records have not grown.
    fn wait_for(&mut self, ends: [u64; 3], now: Instant) {
        for (waiting, end) in self.waiting.iter_mut().zip(ends) {
            *waiting = match *waiting {
                _ if end == 0 => None,
                Some((known, since)) if known == end => Some((known, since)),
                _ => Some((end, now)),
            };
        }
    }

    /// Whether a record has waited for its next line for long enough.
    fn is_due(&self, now: Instant) -> bool {
        let patience = self.labels.lines.flush_after;
        self.waiting.iter().flatten().any(|(_, since)| now.saturating_duration_since(*since) >= patience)
    }

    fn store(&mut self, batch: &mut BatchBuilder, moment: &Moment) {
        // It fails if the file was cut meanwhile; then nothing holds, and the file is read from its start.
        self.place.fingerprint = Fingerprint::read(&self.file, self.place.reach()).unwrap_or_default();
        batch.cursor(self.place.cursor(self.key), moment.now);
    }

    /// Delivers a line that has waited too long for its newline.
    fn flush_stale(
        &mut self,
        buffer: &mut [u8],
        batch: &mut BatchBuilder,
        moment: &Moment,
        metrics: &Metrics,
    ) -> io::Result<()> {
        let is_quiet = moment.now.saturating_duration_since(self.changed_at) >= moment.partial_after;
        if is_quiet { self.finish(buffer, batch, moment, metrics) } else { Ok(()) }
    }

    /// Delivers what may go on, and what stands behind the last newline.
    pub(super) fn finish(
        &mut self,
        buffer: &mut [u8],
        batch: &mut BatchBuilder,
        moment: &Moment,
        metrics: &Metrics,
    ) -> io::Result<()> {
        if self.waiting.iter().any(Option::is_some) {
            self.read(buffer, batch, moment, metrics, true)?;
        }
        if self.place.mode == Mode::Skipping {
            return Ok(());
        }
        let read = self.file.read_at(&mut buffer[..MAX_LINE_BYTES], self.place.offset)?;
        let rest = &buffer[..read];
        // A newline has come since: the next look reads it.
        if rest.is_empty() || memchr::memchr(b'\n', rest).is_some() {
            return Ok(());
        }
        let labels = self.labels.clone();
        let clock = Clock { now_ns: moment.now_ns, zone: &labels.zone };
        let mut joiner = Joiner::new(&labels.lines, clock, [0; 3]);
        let (start, end) = (self.place.offset, self.place.offset + read as u64);
        joiner.alone(Line { raw: rest, start, end, marks: Marks { partial: true, ..Marks::default() } });
        while let Some(joined) = joiner.pop() {
            batch.joined(&labels, joined, moment.now, moment.now_ns);
        }
        self.place.mode = Mode::Continuing;
        (self.place.offset, self.place.ahead) = (end, [0; 3]);
        self.store(batch, moment);
        Ok(())
    }

    fn restart(&mut self, why: &str, batch: &mut BatchBuilder, moment: &Moment, metrics: &Metrics) {
        let path = self.place.path.display();
        tracing::info!(%path, why, offset = self.place.offset, "reading a file from its start again");
        metrics.truncations.inc();
        self.place.offset = 0;
        self.place.mode = Mode::Line;
        self.place.ahead = [0; 3];
        self.waiting = [None; 3];
        // Of no bytes at all: cannot fail.
        self.place.fingerprint = Fingerprint::read(&self.file, 0).unwrap_or_default();
        batch.cursor(self.place.cursor(self.key), moment.now);
    }

    /// Whether all of the file is delivered.
    pub(super) fn is_read(&self) -> io::Result<bool> {
        let is_waiting = self.waiting.iter().any(Option::is_some);
        Ok(!is_waiting && self.place.offset >= self.file.metadata()?.len())
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

/// Hands one line to the joiner. Returns how many bytes of `rest` that took, and what the bytes behind are.
fn next_line<'a>(
    rest: &'a [u8],
    start: u64,
    mode: Mode,
    joiner: &mut Joiner<'a, '_>,
    metrics: &Metrics,
) -> (usize, Mode) {
    let marks = Marks { partial: mode == Mode::Continuing, ..Marks::default() };
    let line = |raw: &'a [u8], used: usize, marks| Line { raw, start, end: start + used as u64, marks };
    match memchr::memchr(b'\n', rest) {
        Some(end) => {
            match mode {
                Mode::Skipping => metrics.cut_bytes.inc_by(end as u64),
                Mode::Continuing => joiner.alone(line(&rest[..end], end + 1, marks)),
                Mode::Line => joiner.line(line(&rest[..end], end + 1, marks)),
            }
            metrics.cut_bytes.inc_by(match mode {
                Mode::Skipping => 0,
                _ => end.saturating_sub(MAX_LINE_BYTES) as u64,
            });
            (end + 1, Mode::Line)
        }
        None if mode == Mode::Skipping => {
            metrics.cut_bytes.inc_by(rest.len() as u64);
            (rest.len(), mode)
        }
        None if rest.len() > MAX_LINE_BYTES => {
            let marks = Marks { cut: true, ..marks };
            joiner.alone(line(&rest[..MAX_LINE_BYTES], MAX_LINE_BYTES, marks));
            (MAX_LINE_BYTES, Mode::Skipping)
        }
        None => (0, mode),
    }
}

/// Whether a record that has not grown since has waited for its next line for long enough.
fn is_over(waiting: (u64, Instant), end: u64, moment: &Moment, labels: &Labels) -> bool {
    waiting.0 == end && moment.now.saturating_duration_since(waiting.1) >= labels.lines.flush_after
}
