//! The queue on disk: one journal for all signals. A record holds a batch and
//! the cursors of the sources that it came from, so that both become durable in
//! one act; every segment begins with the newest cursor of each live source.
//!
//! Invariants:
//! - A record's producer (id, epoch, seq) and bytes are fixed when it is enqueued. The epoch is drawn each time the
//!   queue is opened, so that a queue that was deleted, restored or cloned never uses a number again; what an earlier
//!   run has enqueued keeps its own.
//! - Records below `acknowledged` are settled: taken by the collector, refused by it, or dropped and counted.
//! - At most [`WINDOW`] records above the lowest unsettled one are handed out.
//! - Sequence numbers rise as offsets do, and all but [`append::MAX_APPENDS`] of those that were given are in the
//!   journal: a number never lies far below the collector's highest, where it would be taken for one that was seen.

mod append;
mod ledger;
mod record;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use journal::{Disk, FileJournal, Journal, JournalError, Options};
use parking_lot::Mutex;
use telemetry::{Batch, Producer, Signal};
use tokio::sync::{Notify, Semaphore};

use crate::config::WhenFull;
use crate::metrics::Metrics;
use append::Numbers;
use ledger::Ledger;
pub(crate) use record::{Cursor, Cursors};

/// The largest record with its header in the journal (CONTRACT 3 of the design).
pub(crate) const MAX_RECORD_BYTES: usize = 768 << 10;
/// So much of a parcel's payload and cursors fits whatever the producer is called.
pub(crate) const MAX_PARCEL_BYTES: usize = MAX_RECORD_BYTES - 1024;
/// How many records above the lowest unsettled one may be under way.
pub(crate) const WINDOW: u64 = 1024;
/// What goes into one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parcel {
    /// What kind of items the payload holds.
    pub(crate) signal: Signal,
    /// As the signal has it; empty if there are only cursors.
    pub(crate) payload: Bytes,
    /// How many log records, samples or data points it holds.
    pub(crate) items: u32,
    /// Where its sources stand behind it.
    pub(crate) cursors: Vec<Cursor>,
}

impl Default for Parcel {
    fn default() -> Self {
        Self { signal: Signal::Logs, payload: Bytes::new(), items: 0, cursors: Vec::new() }
    }
}

/// A record that was handed out.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) offset: u64,
    pub(crate) items: u32,
    pub(crate) batch: Batch,
}

/// What was found when the queue was opened.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// The newest place of each live source.
    pub(crate) cursors: Cursors,
    /// Records that are not settled.
    pub(crate) pending: u64,
    /// What a crash had left half written.
    pub(crate) torn_bytes: u64,
    /// Durable records that could not be read any more, given up as asked.
    pub(crate) damaged: u64,
}

/// Who owns the queue and how large it may get.
#[derive(Clone, Debug)]
pub(crate) struct QueueOptions {
    pub(crate) agent_id: String,
    pub(crate) max_bytes: u64,
    pub(crate) when_full: WhenFull,
    pub(crate) accept_damage: bool,
    /// Everything on the calling task, in a fixed order: for tests on a simulated disk.
    pub(crate) inline: bool,
}

/// Why a parcel was not enqueued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueueError {
    /// No room came free in time.
    #[error("the agent's queue is full")]
    Full,
    /// The parcel is over the record limit.
    #[error("the batch is larger than a queue record can be")]
    TooLarge,
    /// The journal has stopped, or could not be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The queue was written by something else.
    #[error("the queue's record {offset} cannot be read: {source}")]
    Foreign { offset: u64, source: record::NotARecord },
}

/// The queue. One per data directory.
pub(crate) struct Queue {
    journal: FileJournal,
    ledger: Arc<Mutex<Ledger>>,
    numbers: Mutex<Numbers>,
    slots: Arc<Semaphore>,
    options: QueueOptions,
    producer: Producer,
    metrics: Arc<Metrics>,
    /// Woken when room may have come free or the window has moved.
    settled: Notify,
    /// One at a time looks for room, so that no more is dropped than needed.
    room: tokio::sync::Mutex<()>,
}

impl Queue {
    /// Opens the queue in `directory`, or begins a new one. Blocks.
    pub(crate) async fn open(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        options: QueueOptions,
        metrics: Arc<Metrics>,
    ) -> Result<(Arc<Self>, Restored), QueueError> {
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let (journal, recovery) = FileJournal::open(disk, directory, journal_options(&options, &ledger))?;
        let foreign = |offset| move |source| QueueError::Foreign { offset, source };
        let (acknowledged, cursors) =
            record::decode_preamble(recovery.preamble).map_err(foreign(recovery.preamble_offset))?;
        ledger.lock().restore(acknowledged, cursors);
        replay(&journal, &ledger, recovery.preamble_offset).await?;
        let restored = {
            let mut ledger = ledger.lock();
            ledger.start_at(journal.start());
            let damaged =
                recovery.damage.iter().map(|damage| damage.offsets.end - damage.offsets.start).sum();
            Restored {
                cursors: ledger.cursors().clone(),
                pending: ledger.pending(journal.end()),
                torn_bytes: recovery.torn_bytes,
                damaged,
            }
        };
        metrics.queue_max_bytes.set(options.max_bytes as i64);
        // Checked with the configuration; only a host's name could still be odd, and that is made fit.
        let id = Arc::from(options.agent_id.as_str());
        let producer = Producer { id, epoch: rand::random(), seq: 1, run: rand::random() };
        let (numbers, slots) = (Mutex::default(), Arc::new(Semaphore::new(append::MAX_APPENDS)));
        let (settled, room) = (Notify::new(), tokio::sync::Mutex::new(()));
        let queue =
            Arc::new(Self { journal, ledger, numbers, slots, options, producer, metrics, settled, room });
        if !recovery.damage.is_empty() {
            queue.keep_cursors(&restored.cursors).await?;
        }
        Ok((queue, restored))
    }

    /// The next records that were not handed out yet, in order; waits for them. To be called by one task only.
    pub(crate) async fn take(&self, max_bytes: usize) -> Result<Vec<Queued>, QueueError> {
        loop {
            let settled = self.settled.notified();
            let (next, room) = self.ledger.lock().next();
            if room == 0 {
                settled.await;
                continue;
            }
            tokio::select! {
                () = self.journal.wait(next) => {}
                () = settled => continue,
            }
            let end = self.journal.end();
            let mut entries = self.journal.read(next, max_bytes).await?;
            if entries.is_empty() {
                // Damage that was accepted: none of these can be read any more.
                self.pass_over(end).await?;
                continue;
            }
            entries.truncate(usize::try_from(room).unwrap_or(usize::MAX));
            let taken = self.hand_out(entries).await?;
            if !taken.is_empty() {
                return Ok(taken);
            }
        }
    }

    async fn pass_over(&self, end: u64) -> Result<(), QueueError> {
        let advanced = self.ledger.lock().pass_over(end);
        self.forget(advanced).await
    }

    /// Records without a batch are settled at once.
    async fn hand_out(&self, entries: Vec<journal::Entry>) -> Result<Vec<Queued>, QueueError> {
        let mut taken = Vec::with_capacity(entries.len());
        for entry in entries {
            let offset = entry.offset;
            if !self.ledger.lock().hand_out(offset) {
                continue;
            }
            match record::decode(&entry.record) {
                Ok((_, batch)) if batch.is_empty() => self.settle(offset).await?,
                Ok((head, batch)) => match Batch::decode(&batch) {
                    Ok(batch) => taken.push(Queued { offset, items: head.items, batch }),
                    Err(error) => self.give_up(offset, head.items, &error.to_string()).await?,
                },
                Err(error) => self.give_up(offset, 1, &error.to_string()).await?,
            }
        }
        Ok(taken)
    }

    async fn give_up(&self, offset: u64, items: u32, why: &str) -> Result<(), QueueError> {
        tracing::error!(offset, why, "dropped a queue record that cannot be read");
        self.metrics.drop_records("unreadable", u64::from(items));
        self.settle(offset).await
    }

    /// Notes that a record needs to be sent no more.
    pub(crate) async fn settle(&self, offset: u64) -> Result<(), QueueError> {
        let advanced = self.ledger.lock().settle(offset);
        self.forget(advanced).await
    }

    /// Gives room back if `acknowledged` has moved.
    async fn forget(&self, advanced: Option<u64>) -> Result<(), QueueError> {
        if let Some(acknowledged) = advanced {
            self.journal.truncate(acknowledged + 1).await?;
            self.observe();
            self.settled.notify_waiters();
        }
        Ok(())
    }

    /// Whether a record that was handed out has been dropped to make room.
    pub(crate) fn is_dropped(&self, offset: u64) -> bool {
        self.ledger.lock().is_dropped(offset)
    }

    /// The newest durable place of a source.
    pub(crate) fn cursor(&self, source: &Bytes) -> Option<Bytes> {
        self.ledger.lock().cursors().get(source).cloned()
    }

    /// How many records are not settled.
    pub(crate) fn pending(&self) -> u64 {
        self.ledger.lock().pending(self.journal.end())
    }

    /// Keeps what was acknowledged since the newest record, so that a clean restart sends nothing twice.
    pub(crate) async fn close(self: &Arc<Self>) -> Result<(), QueueError> {
        let is_news = self.ledger.lock().has_news();
        if is_news { self.append(Parcel::default(), Some(Duration::from_secs(1))).await } else { Ok(()) }
    }

    /// Why nothing more can be enqueued, if that is so.
    pub(crate) fn failed(&self) -> Option<JournalError> {
        self.journal.failed()
    }

    /// This process's number in the producer of what it sends.
    pub(crate) fn run(&self) -> u64 {
        self.producer.run
    }

    /// Bytes on disk.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.journal.size_bytes()
    }

    fn observe(&self) {
        self.metrics.queue_bytes.set(self.journal.size_bytes() as i64);
        self.metrics.queue_records.set(self.pending() as i64);
    }
}

fn journal_options(options: &QueueOptions, ledger: &Arc<Mutex<Ledger>>) -> Options {
    let (for_preamble, for_records) = (ledger.clone(), ledger.clone());
    Options {
        segment_bytes: segment_bytes(options.max_bytes),
        max_record_bytes: MAX_RECORD_BYTES,
        preamble: Some(Box::new(move || {
            let ledger = for_preamble.lock();
            record::encode_preamble(ledger.acknowledged(), ledger.cursors())
        })),
        on_durable: Some(Box::new(move |entry| {
            // What cannot be decoded here was encoded by this process a moment ago: it can.
            if let Ok((head, _)) = record::decode(&entry.record) {
                for_records.lock().note(head);
            }
        })),
        accept_damage: options.accept_damage,
        inline: options.inline,
    }
}

/// Small enough that settling gives room back soon, large enough that files are few. A larger record gets one of its own.
fn segment_bytes(max_bytes: u64) -> u64 {
    (max_bytes / 8).min(16 << 20)
}

/// Brings the ledger up to the journal's end.
async fn replay(journal: &FileJournal, ledger: &Mutex<Ledger>, from: u64) -> Result<(), QueueError> {
    let mut from = from;
    loop {
        let entries = journal.read(from, 4 << 20).await?;
        let Some(last) = entries.last() else { return Ok(()) };
        from = last.offset + 1;
        for entry in &entries {
            let decoded = record::decode(&entry.record);
            let (head, _) = decoded.map_err(|source| QueueError::Foreign { offset: entry.offset, source })?;
            ledger.lock().note(head);
        }
    }
}

/// Now, in ns since 1970.
pub(crate) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
