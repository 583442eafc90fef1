//! What readers and the writer share: the durable records, as a list of segments and a ring of the newest in memory.

use crate::segment::Segment;
use crate::{Disk, Entry, JournalError};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

/// How many bytes of the newest records stay in memory, so that one who reads close behind the writer reads no file.
const RING_BYTES: usize = 8 << 20;

/// One journal directory, opened.
pub(crate) struct View {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) directory: PathBuf,
    records: Mutex<Records>,
    end: watch::Sender<u64>,
    /// Set once, never cleared: a failed sync is not tried again.
    failed: OnceLock<JournalError>,
    /// Held while segments are removed: the order of removals is the order of offsets.
    truncating: Mutex<()>,
}

/// Never empty of segments; the last one is being written.
struct Records {
    segments: Vec<Segment>,
    ring: VecDeque<Entry>,
    ring_bytes: usize,
}

impl View {
    pub(crate) fn new(disk: Arc<dyn Disk>, directory: PathBuf, segments: Vec<Segment>, end: u64) -> Self {
        Self {
            disk,
            directory,
            records: Mutex::new(Records { segments, ring: VecDeque::new(), ring_bytes: 0 }),
            end: watch::Sender::new(end),
            failed: OnceLock::new(),
            truncating: Mutex::new(()),
        }
    }

    pub(crate) fn start(&self) -> u64 {
        self.records.lock().segments.first().map_or(1, |segment| segment.header.first)
    }

    pub(crate) fn end(&self) -> u64 {
        *self.end.borrow()
    }

    pub(crate) async fn wait(&self, offset: u64) {
        let mut end = self.end.subscribe();
        // The sender lives in `self`, so the channel cannot close meanwhile.
        let _closed = end.wait_for(|end| *end > offset).await;
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.records.lock().segments.iter().map(|segment| segment.size_bytes).sum()
    }

    pub(crate) fn check(&self) -> Result<(), JournalError> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Stops the journal for good.
    pub(crate) fn fail(&self, attempt: &'static str, path: &Path, source: io::Error) -> JournalError {
        let error = JournalError::Failed { attempt, path: path.to_owned(), source: Arc::new(source) };
        self.failed.get_or_init(|| error).clone()
    }

    /// Adds a segment in which nothing is written yet.
    pub(crate) fn push_segment(&self, segment: Segment) {
        self.records.lock().segments.push(segment);
    }

    /// Shows readers a group that is durable now and ends the newest segment at `size_bytes`.
    pub(crate) fn publish(&self, first: u64, bodies: &[Bytes], positions: &[u64], size_bytes: u64) {
        let end = first + bodies.len() as u64;
        {
            let mut records = self.records.lock();
            let offsets = first..end;
            if let Some(tail) = records.segments.last_mut() {
                offsets.clone().zip(positions).for_each(|(offset, position)| tail.note(offset, *position));
                tail.end = end;
                tail.size_bytes = size_bytes;
            }
            for (offset, body) in offsets.zip(bodies) {
                records.remember(Entry { offset, record: body.clone() });
            }
        }
        self.end.send_replace(end);
    }

    /// Records from memory; `None` if the first wanted is only in a file.
    pub(crate) fn read_ring(&self, from: u64, max_bytes: usize) -> Option<Vec<Entry>> {
        if from >= self.end() {
            return Some(Vec::new());
        }
        let records = self.records.lock();
        // Offsets in the ring have no gaps: it holds only what this process appended.
        let skip = from.checked_sub(records.ring.front()?.offset)? as usize;
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            let first = bytes == 0;
            bytes += entry.record.len().max(1);
            first || bytes <= max_bytes
        };
        Some(records.ring.iter().skip(skip).take_while(fits).cloned().collect())
    }

    /// Records from files. Blocks.
    pub(crate) fn read_files(&self, mut from: u64, max_bytes: usize) -> Result<Vec<Entry>, JournalError> {
        while let Some(segment) = self.segment_with(from) {
            let entries = segment.read(from, max_bytes)?;
            if !entries.is_empty() {
                return Ok(entries);
            }
            // Only a hole at its end makes a segment give nothing.
            from = segment.end;
        }
        Ok(Vec::new())
    }

    /// The segment that holds `from`, or else the next one, as it is now. Its file can be read even if it is removed
    /// meanwhile.
    fn segment_with(&self, from: u64) -> Option<Segment> {
        let records = self.records.lock();
        let at = records.segments.partition_point(|segment| segment.end <= from);
        records.segments.get(at).cloned()
    }

    /// Removes segments that lie wholly below `before`, oldest first, each removal durable before the next: a power
    /// loss must not bring an old one back without those after it. The newest always stays. Blocks.
    pub(crate) fn truncate(&self, before: u64) -> Result<(), JournalError> {
        let _one_at_a_time = self.truncating.lock();
        loop {
            self.check()?;
            let Some(path) = self.records.lock().removable(before) else { return Ok(()) };
            self.disk.remove(&path).map_err(|source| JournalError::io("remove", &path, source))?;
            self.records.lock().segments.remove(0);
            self.disk
                .sync_dir(&self.directory)
                .map_err(|source| self.fail("sync", &self.directory, source))?;
        }
    }
}

impl Records {
    fn remember(&mut self, entry: Entry) {
        self.ring_bytes += entry.record.len();
        self.ring.push_back(entry);
        while self.ring_bytes > RING_BYTES || self.ring.len() > RING_BYTES / 64 {
            let Some(oldest) = self.ring.pop_front() else { return };
            self.ring_bytes -= oldest.record.len();
        }
    }

    /// The oldest segment, if the next one begins at or below `before`. The next one is durable with its preamble, or
    /// it would not be in the list.
    fn removable(&self, before: u64) -> Option<PathBuf> {
        let next = self.segments.get(1)?;
        (next.header.first <= before).then(|| self.segments[0].path.clone())
    }
}
