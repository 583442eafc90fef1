//! The group commit: appends queue up while a group is written and synced, and form the next group together. Nothing
//! waits for company: with no sync running, a lone append is synced at once.

use crate::JournalError;
use crate::log::Log;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// The queue's bound. When it is full, appends wait: back-pressure.
pub(crate) const QUEUE_RECORDS: usize = 1024;
/// A group ends at so many records: with a header and a body each, as many parts as one write call takes.
const GROUP_RECORDS: usize = 512;
/// A group ends when it reaches so many bytes, so that nothing waits long for those before it.
const GROUP_BYTES: usize = 4 << 20;

pub(crate) struct Pending {
    pub(crate) record: Bytes,
    pub(crate) reply: oneshot::Sender<Result<u64, JournalError>>,
}

pub(crate) struct Writer {
    log: Log,
    queue: mpsc::Receiver<Pending>,
    bodies: Vec<Bytes>,
    replies: Vec<oneshot::Sender<Result<u64, JournalError>>>,
}

impl Writer {
    pub(crate) fn new(log: Log, queue: mpsc::Receiver<Pending>) -> Self {
        Self { log, queue, bodies: Vec::new(), replies: Vec::new() }
    }

    /// Serves the queue until the journal is dropped. Blocks.
    pub(crate) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            self.commit_group(first);
        }
    }

    /// Serves what is queued now.
    pub(crate) fn run_queued(&mut self) {
        while let Ok(first) = self.queue.try_recv() {
            self.commit_group(first);
        }
    }

    fn commit_group(&mut self, first: Pending) {
        let mut group_bytes = self.add(first);
        while self.bodies.len() < GROUP_RECORDS && group_bytes < GROUP_BYTES {
            let Ok(pending) = self.queue.try_recv() else { break };
            group_bytes += self.add(pending);
        }
        let outcome = self.log.commit(&self.bodies);
        self.bodies.clear();
        for (at, reply) in (0..).zip(self.replies.drain(..)) {
            // One who stopped waiting is not told; the record stays.
            let _gone = reply.send(outcome.clone().map(|first| first + at));
        }
    }

    fn add(&mut self, pending: Pending) -> usize {
        let bytes = pending.record.len();
        self.bodies.push(pending.record);
        self.replies.push(pending.reply);
        bytes
    }
}
