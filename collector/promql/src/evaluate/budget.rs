//! What a query may still use: samples, memory, time. Shared by the threads that work on it.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::QueryError;

/// What one query may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Samples that are read from the store.
    pub max_samples: usize,
    /// Bytes that the values of the query take at one time, estimated.
    pub max_memory_bytes: usize,
    /// When the query is stopped.
    pub timeout: Option<Instant>,
    /// Set when nobody waits for the answer any more.
    pub cancel: Option<Arc<AtomicBool>>,
    /// Threads that work on it at most. One is the least work, more are the sooner answer.
    pub threads: usize,
}

impl Default for Limits {
    /// Prometheus' 50 million samples, 1 GiB, no end.
    fn default() -> Self {
        Self {
            max_samples: 50_000_000,
            max_memory_bytes: 1 << 30,
            timeout: None,
            cancel: None,
            threads: usize::MAX,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    started: Instant,
    samples: AtomicU64,
    memory: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, started: Instant::now(), samples: AtomicU64::new(0), memory: AtomicUsize::new(0) }
    }

    pub(crate) fn samples_read(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }

    /// Counts samples that were read.
    pub(crate) fn read(&self, samples: usize) -> Result<(), QueryError> {
        let before = self.samples.fetch_add(samples as u64, Ordering::Relaxed);
        if before + samples as u64 <= self.limits.max_samples as u64 {
            return Ok(());
        }
        Err(QueryError::TooLarge(format!(
            "query processing would load too many samples into memory in query execution: the limit is {}; select \
             fewer series, or a shorter time",
            self.limits.max_samples
        )))
    }

    /// Counts memory that is in use from now on.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), QueryError> {
        let before = self.memory.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.limits.max_memory_bytes {
            return Ok(());
        }
        Err(QueryError::TooLarge(format!(
            "the query needs more memory than the limit of {} MiB; select fewer series, a shorter time or a larger \
             step, or aggregate",
            self.limits.max_memory_bytes >> 20
        )))
    }

    /// Gives back what [`Self::take`] took.
    pub(crate) fn give_back(&self, bytes: usize) {
        // What was never taken must not make the counter wrap: every query would be too large from then on.
        let less = |used: usize| Some(used.saturating_sub(bytes));
        let before = self.memory.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default();
        debug_assert!(before >= bytes, "{bytes} bytes are given back, {before} were taken");
    }

    /// What took `before` takes `now`.
    pub(crate) fn change(&self, before: usize, now: usize) -> Result<(), QueryError> {
        if now > before {
            return self.take(now - before);
        }
        self.give_back(before - now);
        Ok(())
    }

    /// To be called between pieces of work that take about a millisecond.
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        if self.limits.cancel.as_ref().is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(QueryError::Cancelled);
        }
        match self.limits.timeout {
            Some(end) if Instant::now() >= end => {
                let seconds = end.saturating_duration_since(self.started).as_secs_f64();
                Err(QueryError::Timeout((seconds * 10.0).round() / 10.0))
            }
            _ => Ok(()),
        }
    }
}

/// Work of unknown length: asks now and then whether it may go on.
#[derive(Debug, Default)]
pub(crate) struct Pace(Cell<usize>);

impl Pace {
    /// Cells that are gone through in about a millisecond.
    const WORK: usize = 1 << 16;

    /// So many cells are about to be gone through.
    #[inline]
    pub(crate) fn work(&self, budget: &Budget, cells: usize) -> Result<(), QueryError> {
        let done = self.0.get().saturating_add(cells);
        self.0.set(if done < Self::WORK { done } else { 0 });
        if done < Self::WORK { Ok(()) } else { budget.check() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_name_themselves() {
        let limits = Limits { max_samples: 10, max_memory_bytes: 2 << 20, ..Limits::default() };
        let budget = Budget::new(limits);
        assert!(budget.read(10).is_ok());
        let Err(QueryError::TooLarge(text)) = budget.read(1) else { panic!("passed") };
        assert!(text.contains("too many samples") && text.contains("10"), "{text}");
        assert!(budget.take(2 << 20).is_ok());
        budget.give_back(1 << 20);
        assert!(budget.take(1 << 20).is_ok());
        assert!(matches!(budget.take(1), Err(QueryError::TooLarge(text)) if text.contains("2 MiB")));
    }

    #[test]
    fn what_grows_and_shrinks_stays_counted() {
        let budget = Budget::new(Limits { max_memory_bytes: 100, ..Limits::default() });
        assert!(budget.change(0, 60).is_ok() && budget.change(60, 40).is_ok());
        assert!(budget.take(60).is_ok() && budget.take(1).is_err());
    }

    #[test]
    fn long_work_asks_now_and_then() {
        let cancel = Arc::new(AtomicBool::new(true));
        let budget = Budget::new(Limits { cancel: Some(cancel), ..Limits::default() });
        let pace = Pace::default();
        assert!(pace.work(&budget, Pace::WORK - 1).is_ok());
        assert_eq!(pace.work(&budget, 1), Err(QueryError::Cancelled));
        assert!(pace.work(&budget, 1).is_ok(), "the next question comes after the same work");
    }

    #[test]
    fn a_query_ends_when_it_must() {
        let cancel = Arc::new(AtomicBool::new(false));
        let limits = Limits { cancel: Some(Arc::clone(&cancel)), ..Limits::default() };
        let budget = Budget::new(limits);
        assert!(budget.check().is_ok());
        cancel.store(true, Ordering::Relaxed);
        assert_eq!(budget.check(), Err(QueryError::Cancelled));
        let late = Budget::new(Limits { timeout: Some(Instant::now()), ..Limits::default() });
        assert_eq!(late.check(), Err(QueryError::Timeout(0.0)));
    }
}
