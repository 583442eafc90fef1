//! The way into the queue: room below the limit first, then a number and a
//! place in the journal in one step.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use journal::{Journal, JournalError};
use telemetry::{Batch, Producer, TenantId};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinHandle, coop};

use super::{Cursor, Cursors, Parcel, Queue, QueueError, now_ns, record, segment_bytes};
use crate::config::WhenFull;

/// How many appends may be under way in the journal. Fewer than it queues up, so that one that was begun has its place.
pub(super) const MAX_APPENDS: usize = 512;
/// What a record holds besides its payload, its cursors, and the agent's name.
const HEAD_BYTES: usize = 128;
/// So many bytes of cursors go into a record without a batch.
const CURSORS_BYTES: usize = 400 << 10;
/// How long to wait before the disk is tried again after it was full.
const FULL_DISK_PAUSE: Duration = Duration::from_secs(1);

/// Sequence numbers; those of records that were certainly not written are used again before any new one, the lowest
/// first, so that the numbers in the queue stay dense (the collector's window is over numbers).
#[derive(Debug, Default)]
pub(super) struct Numbers {
    given: u64,
    free: BTreeSet<u64>,
}

impl Numbers {
    fn take(&mut self) -> u64 {
        self.free.pop_first().unwrap_or_else(|| {
            self.given += 1;
            self.given
        })
    }
}

impl Parcel {
    /// At least as many bytes as its record's body takes, but for the agent's name.
    fn size_bytes(&self) -> usize {
        HEAD_BYTES + self.payload.len() + self.cursors.iter().map(Cursor::size_bytes).sum::<usize>()
    }
}

impl Queue {
    /// Notes all places anew: the preamble that had them may be among what is damaged, and the records that led from an
    /// older one to them will go when they are settled.
    pub(super) async fn keep_cursors(self: &Arc<Self>, cursors: &Cursors) -> Result<(), QueueError> {
        let (mut parcel, mut bytes) = (Parcel::default(), 0);
        for (source, place) in cursors {
            let cursor = Cursor { source: source.clone(), place: Some(place.clone()) };
            bytes += cursor.size_bytes();
            parcel.cursors.push(cursor);
            if bytes >= CURSORS_BYTES {
                self.write(&std::mem::take(&mut parcel)).await?;
                bytes = 0;
            }
        }
        if parcel.cursors.is_empty() { Ok(()) } else { self.write(&parcel).await }
    }

    /// Appends a parcel; it is durable when this returns `Ok`. With `patience` it waits for room so long at the most,
    /// without as long as it takes. If the future is dropped, the parcel may become durable or not.
    pub(crate) async fn append(
        self: &Arc<Self>,
        parcel: Parcel,
        patience: Option<Duration>,
    ) -> Result<(), QueueError> {
        let deadline = patience.map(|patience| tokio::time::Instant::now() + patience);
        self.append_by(parcel, deadline, true).await
    }

    /// With `below` the limit is kept, else there was room a moment ago.
    async fn append_by(
        self: &Arc<Self>,
        parcel: Parcel,
        deadline: Option<tokio::time::Instant>,
        below: bool,
    ) -> Result<(), QueueError> {
        let size_bytes = (parcel.size_bytes() + self.options.agent_id.len()) as u64;
        loop {
            if below {
                self.wait_for_room(size_bytes, deadline).await?;
            }
            let slot = wait_until(deadline, self.slots.clone().acquire_owned()).await?;
            match self.begin(&parcel, slot.ok()).await.unwrap_or(Err(JournalError::Stopped)) {
                Ok(_) => {
                    self.observe();
                    return Ok(());
                }
                Err(JournalError::TooLarge { .. }) => return Err(QueueError::TooLarge),
                Err(JournalError::Full { .. }) => self.wait_for_disk(deadline).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Appends the parcels of one request: room for all of them first, so that none is in the queue when another has none
    /// and the request comes again. More than half a queue goes piece by piece: so much room may never be.
    pub(crate) async fn append_all(
        self: &Arc<Self>,
        parcels: Vec<Parcel>,
        patience: Duration,
    ) -> Result<(), QueueError> {
        let whole: usize =
            parcels.iter().map(|parcel| parcel.size_bytes() + self.options.agent_id.len()).sum();
        let deadline = tokio::time::Instant::now() + patience;
        let has_room = parcels.len() > 1 && whole as u64 <= self.options.max_bytes / 2;
        if has_room {
            self.wait_for_room(whole as u64, Some(deadline)).await?;
        }
        for parcel in parcels {
            match has_room {
                true => self.append_by(parcel, Some(deadline), false).await?,
                false => self.append(parcel, Some(patience)).await?,
            }
        }
        Ok(())
    }

    /// Appends a parcel now, whatever the limit is.
    async fn write(self: &Arc<Self>, parcel: &Parcel) -> Result<(), QueueError> {
        self.begin(parcel, None).await.unwrap_or(Err(JournalError::Stopped))?;
        Ok(())
    }

    /// Numbers the parcel and gives it its place in the journal, in one step. What was begun goes on to its end even if
    /// nobody waits for it any more: only then is it known whether the number is used.
    fn begin(
        self: &Arc<Self>,
        parcel: &Parcel,
        slot: Option<OwnedSemaphorePermit>,
    ) -> JoinHandle<Result<u64, JournalError>> {
        let mut numbers = self.numbers.lock();
        let seq = (!parcel.payload.is_empty()).then(|| numbers.take());
        let (queue, record) = (self.clone(), self.encode(seq, parcel));
        // Without a budget: a task that has used up its own would not get its place.
        let mut appending = Box::pin(coop::unconstrained(async move { queue.journal.append(record).await }));
        let first = appending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(numbers);
        let queue = self.clone();
        tokio::spawn(async move {
            let _until_then = slot;
            let outcome = match first {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => appending.await,
            };
            if let Err(JournalError::Full { .. } | JournalError::TooLarge { .. }) = outcome {
                queue.numbers.lock().free.extend(seq);
            }
            outcome
        })
    }

    /// The record; its batch goes under `seq`, which is `None` if there are only cursors.
    fn encode(&self, seq: Option<u64>, parcel: &Parcel) -> Bytes {
        let head = record::Head {
            acknowledged: self.ledger.lock().acknowledged(),
            items: parcel.items,
            cursors: parcel.cursors.clone(),
        };
        let Some(seq) = seq else { return record::encode(&head, &[]) };
        let batch = Batch {
            tenant: TenantId::default_tenant(),
            signal: parcel.signal,
            producer: Some(Producer { seq, ..self.producer.clone() }),
            received_at_ns: now_ns(),
            payload: parcel.payload.clone(),
        };
        record::encode(&head, &batch.encode())
    }

    /// Waits until the record fits below the limit, or makes room, as the policy says.
    async fn wait_for_room(
        &self,
        bytes: u64,
        deadline: Option<tokio::time::Instant>,
    ) -> Result<(), QueueError> {
        if self.journal.size_bytes() + bytes <= self.options.max_bytes {
            return Ok(());
        }
        // Who holds it may be waiting for room without a deadline.
        let _one_at_a_time = wait_until(deadline, self.room.lock()).await?;
        loop {
            let settled = self.settled.notified();
            if self.journal.size_bytes() + bytes <= self.options.max_bytes {
                return Ok(());
            }
            if self.options.when_full == WhenFull::DropOldest && self.drop_oldest().await? {
                continue;
            }
            self.metrics.queue_full.inc();
            wait_until(deadline, settled).await?;
        }
    }

    async fn wait_for_disk(&self, deadline: Option<tokio::time::Instant>) -> Result<(), QueueError> {
        self.metrics.disk_full.inc();
        if self.options.when_full == WhenFull::DropOldest {
            let _one_at_a_time = wait_until(deadline, self.room.lock()).await?;
            self.drop_oldest().await?;
        }
        if deadline.is_some_and(|deadline| tokio::time::Instant::now() + FULL_DISK_PAUSE > deadline) {
            return Err(QueueError::Full);
        }
        tokio::time::sleep(FULL_DISK_PAUSE).await;
        Ok(())
    }

    /// Drops about a segment's worth of the oldest records. Returns whether there was anything to drop.
    async fn drop_oldest(&self) -> Result<bool, QueueError> {
        let target = segment_bytes(self.options.max_bytes) as usize;
        let (mut from, mut dropped_bytes) = (self.ledger.lock().acknowledged() + 1, 0);
        let first = from;
        while dropped_bytes < target {
            let entries = self.journal.read(from, target - dropped_bytes).await?;
            let Some(last) = entries.last().map(|entry| entry.offset) else { break };
            let mut ledger = self.ledger.lock();
            for entry in &entries {
                dropped_bytes += entry.record.len();
                if ledger.is_waiting(entry.offset) {
                    let items = record::decode(&entry.record).map_or(1, |(head, _)| u64::from(head.items));
                    self.metrics.drop_records("queue_full", items);
                }
            }
            ledger.drop_through(last);
            from = last + 1;
        }
        self.journal.truncate(from).await?;
        self.observe();
        self.settled.notify_waiters();
        Ok(from > first)
    }
}

/// A deadline that passes while waiting means that the queue stays full.
async fn wait_until<T>(
    deadline: Option<tokio::time::Instant>,
    event: impl Future<Output = T>,
) -> Result<T, QueueError> {
    match deadline {
        None => Ok(event.await),
        Some(deadline) => tokio::time::timeout_at(deadline, event).await.map_err(|_| QueueError::Full),
    }
}
