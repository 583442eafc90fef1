//! One account of all request bytes in memory. A request that does not fit is
//! answered 503 at once; waiting for room while holding some would deadlock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::problem::Problem;

/// Bytes in use out of a fixed total.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    max_bytes: usize,
}

/// A share of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    budget: Arc<Budget>,
    held: usize,
}

impl Budget {
    pub(crate) fn new(max_bytes: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max_bytes })
    }

    pub(crate) fn used_bytes(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn lease(self: &Arc<Self>) -> Lease {
        Lease { budget: Arc::clone(self), held: 0 }
    }
}

impl Lease {
    /// Takes `bytes` more, or none at all.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.budget.max_bytes);
        self.budget
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .map_err(|_| Problem::Busy)?;
        self.held += bytes;
        Ok(())
    }

    /// Gives back `bytes` of what it holds.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shrink(self.held);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn leases_share_the_total_and_give_it_back() {
        let budget = Budget::new(100);
        let (mut first, mut second) = (budget.lease(), budget.lease());
        first.grow(60).unwrap();
        assert!(matches!(second.grow(41), Err(Problem::Busy)));
        second.grow(40).unwrap();
        first.shrink(10);
        assert_eq!(budget.used_bytes(), 90);
        assert!(second.grow(usize::MAX).is_err(), "an overflow is no fit");
        drop(first);
        drop(second);
        assert_eq!(budget.used_bytes(), 0);
    }
}
