//! Counting what is accepted, and what is being accepted at this moment.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::commit::divide::{Divided, Refusal};

/// Items since the start.
#[derive(Debug, Default)]
pub(in crate::commit) struct Counters {
    accepted: AtomicU64,
    refused: Mutex<BTreeMap<Refusal, u64>>,
}

impl Counters {
    pub(super) fn note(&self, divided: &Divided) {
        self.accepted.fetch_add(divided.outcome.accepted, Ordering::Relaxed);
        divided.refused.iter().for_each(|(reason, count)| self.refuse(*reason, *count));
    }

    pub(super) fn refuse(&self, reason: Refusal, count: u64) {
        *self.refused.lock().entry(reason).or_default() += count;
    }

    pub(in crate::commit) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(in crate::commit) fn refused(&self) -> BTreeMap<Refusal, u64> {
        self.refused.lock().clone()
    }
}

/// Appends that are under way. Once closed, none begins.
#[derive(Debug, Default)]
pub(in crate::commit) struct InFlight {
    closed: AtomicBool,
    count: AtomicUsize,
    left: Notify,
}

/// One append; ends when dropped.
pub(super) struct Entered<'a>(&'a InFlight);

impl InFlight {
    pub(super) fn enter(&self) -> Option<Entered<'_>> {
        // Counted before it looks, so that `close` sees either the count or is seen.
        self.count.fetch_add(1, Ordering::SeqCst);
        let entered = Entered(self);
        (!self.closed.load(Ordering::SeqCst)).then_some(entered)
    }

    /// Lets none begin, and returns when all have ended.
    pub(in crate::commit) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        loop {
            let left = self.left.notified();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            left.await;
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn closing_waits_for_those_inside_and_lets_none_in() {
        let in_flight = Arc::new(InFlight::default());
        let entered = in_flight.enter();
        assert!(entered.is_some());
        let closing = tokio::spawn({
            let in_flight = Arc::clone(&in_flight);
            async move { in_flight.close().await }
        });
        tokio::task::yield_now().await;
        assert!(in_flight.enter().is_none() && !closing.is_finished());
        drop(entered);
        assert!(closing.await.is_ok());
    }
}
