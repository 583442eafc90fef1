//! The second implementation of the seam, for tests: it behaves like a stream on a server. A record becomes durable
//! some time after it was sent, acknowledgements arrive in another order than they were given, records are capped at
//! 1 MiB, and a handle whose epoch is over is refused. It forgets everything with the process.

use crate::{Entry, Journal, JournalError};
use bytes::Bytes;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};
use tokio::task::yield_now;

/// The largest record.
pub const MEMORY_RECORD_BYTES: usize = 1 << 20;
/// An acknowledgement is late by up to so many turns of the runtime.
const MOST_TURNS: u32 = 8;

/// A handle to a journal in memory, with the epoch that it may append under.
pub struct MemoryJournal {
    stream: Arc<Stream>,
    epoch: u64,
}

/// What all handles share: the server.
struct Stream {
    state: Mutex<State>,
    end: watch::Sender<u64>,
}

struct State {
    epoch: u64,
    start: u64,
    records: VecDeque<Bytes>,
    /// Sent and not yet durable.
    sent: VecDeque<Sent>,
    rng: StdRng,
}

struct Sent {
    epoch: u64,
    record: Bytes,
    reply: oneshot::Sender<Result<u64, JournalError>>,
}

impl MemoryJournal {
    /// An empty journal. The seed decides the order of acknowledgements.
    pub fn new(seed: u64) -> Self {
        let state = State {
            epoch: 1,
            start: 1,
            records: VecDeque::new(),
            sent: VecDeque::new(),
            rng: StdRng::seed_from_u64(seed),
        };
        Self { stream: Arc::new(Stream { state: Mutex::new(state), end: watch::Sender::new(1) }), epoch: 1 }
    }

    /// A new owner of the same journal: earlier handles can read, but change nothing any more.
    pub fn take_over(&self) -> Self {
        let mut state = self.stream.state.lock();
        state.epoch += 1;
        Self { stream: self.stream.clone(), epoch: state.epoch }
    }
}

impl Stream {
    /// Makes everything that was sent durable, in order.
    fn settle(&self) {
        let mut state = self.state.lock();
        while let Some(Sent { epoch, record, reply }) = state.sent.pop_front() {
            let outcome = state.check(epoch).map(|()| {
                state.records.push_back(record);
                state.end() - 1
            });
            // One who stopped waiting is not told; the record stays.
            let _gone = reply.send(outcome);
        }
        self.end.send_replace(state.end());
    }

    /// Waits a random while.
    async fn dawdle(&self) {
        let turns = self.state.lock().rng.random_range(1..=MOST_TURNS);
        for _ in 0..turns {
            yield_now().await;
        }
    }
}

impl State {
    fn end(&self) -> u64 {
        self.start + self.records.len() as u64
    }

    fn check(&self, epoch: u64) -> Result<(), JournalError> {
        if epoch == self.epoch { Ok(()) } else { Err(JournalError::Fenced { epoch, current: self.epoch }) }
    }
}

#[async_trait::async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, record: Bytes) -> Result<u64, JournalError> {
        if record.len() > MEMORY_RECORD_BYTES {
            return Err(JournalError::TooLarge {
                size_bytes: record.len(),
                limit_bytes: MEMORY_RECORD_BYTES,
            });
        }
        let (reply, answer) = oneshot::channel();
        self.stream.state.lock().sent.push_back(Sent { epoch: self.epoch, record, reply });
        self.stream.dawdle().await;
        self.stream.settle();
        self.stream.dawdle().await;
        answer.await.unwrap_or(Err(JournalError::Stopped))
    }

    async fn read(&self, from: u64, max_bytes: usize) -> Result<Vec<Entry>, JournalError> {
        yield_now().await;
        let state = self.stream.state.lock();
        let skip = from.saturating_sub(state.start) as usize;
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (offset, record) in (state.start..).zip(&state.records).skip(skip) {
            bytes += record.len();
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            entries.push(Entry { offset, record: record.clone() });
        }
        Ok(entries)
    }

    async fn wait(&self, offset: u64) {
        let mut end = self.stream.end.subscribe();
        // The sender lives in `self`, so the channel cannot close meanwhile.
        let _closed = end.wait_for(|end| *end > offset).await;
    }

    async fn truncate(&self, before: u64) -> Result<(), JournalError> {
        yield_now().await;
        let mut state = self.stream.state.lock();
        state.check(self.epoch)?;
        let gone = before.min(state.end()).saturating_sub(state.start);
        state.records.drain(..gone as usize);
        state.start += gone;
        Ok(())
    }

    fn start(&self) -> u64 {
        self.stream.state.lock().start
    }

    fn end(&self) -> u64 {
        *self.stream.end.borrow()
    }

    fn size_bytes(&self) -> u64 {
        self.stream.state.lock().records.iter().map(|record| record.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures::StreamExt;
    use futures::stream::FuturesUnordered;

    #[tokio::test]
    async fn acknowledgements_come_in_another_order_than_offsets() {
        let journal = MemoryJournal::new(3);
        let appends: FuturesUnordered<_> =
            (0..20).map(|_| journal.append(Bytes::from_static(b"x"))).collect();
        let offsets: Vec<u64> = appends.map(Result::unwrap).collect().await;
        assert!(!offsets.is_sorted(), "{offsets:?}");
        assert_eq!(journal.end(), 21);
    }

    #[tokio::test]
    async fn an_old_epoch_is_fenced_even_between_sending_and_durable() {
        let old = MemoryJournal::new(1);
        let mut pending = old.append(Bytes::from_static(b"late"));
        assert!(futures::poll!(&mut pending).is_pending());
        let new = old.take_over();
        assert!(matches!(pending.await, Err(JournalError::Fenced { epoch: 1, current: 2 })));
        assert!(matches!(old.truncate(9).await, Err(JournalError::Fenced { .. })));
        assert_eq!(new.append(Bytes::from_static(b"first")).await.unwrap(), 1);
        assert_eq!(old.read(1, 100).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_record_over_one_mebibyte_is_refused() {
        let journal = MemoryJournal::new(1);
        let record = Bytes::from(vec![0; MEMORY_RECORD_BYTES + 1]);
        assert!(matches!(journal.append(record.clone()).await, Err(JournalError::TooLarge { .. })));
        assert_eq!(journal.append(record.slice(1..)).await.unwrap(), 1);
    }
}
