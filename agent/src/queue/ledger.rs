//! What the queue knows about its records without reading them: how far they
//! are settled, which are handed out, and where their sources stand.

use std::collections::BTreeSet;

use super::WINDOW;
use super::record::{self, Cursors, Head};

/// Offsets: settled ≤ `acknowledged` < handed out or settled < `next` ≤ waiting.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    acknowledged: u64,
    /// Settled out of order, above `acknowledged`.
    settled: BTreeSet<u64>,
    next: u64,
    /// Records up to here were dropped to make room, unless they had been settled before.
    dropped_through: u64,
    cursors: Cursors,
    /// Whether batches were settled since the newest record that says so.
    news: bool,
}

impl Ledger {
    /// Begins with what a segment's preamble says.
    pub(super) fn restore(&mut self, acknowledged: u64, cursors: Cursors) {
        self.acknowledged = acknowledged;
        self.cursors = cursors;
    }

    /// Ends the replay: what lies before `start` is gone, so it was settled.
    pub(super) fn start_at(&mut self, start: u64) {
        self.acknowledged = self.acknowledged.max(start - 1);
        self.next = self.acknowledged + 1;
    }

    /// A record has become durable.
    pub(super) fn note(&mut self, head: Head) {
        head.cursors.into_iter().for_each(|cursor| record::apply(&mut self.cursors, cursor));
        self.acknowledged = self.acknowledged.max(head.acknowledged);
        self.news &= head.acknowledged < self.acknowledged;
    }

    /// The offset to read next, and how many may be handed out from there.
    pub(super) fn next(&self) -> (u64, u64) {
        (self.next, (self.acknowledged + 1 + WINDOW).saturating_sub(self.next))
    }

    /// Returns whether the record is there to be sent: it may have been dropped since it was read.
    pub(super) fn hand_out(&mut self, offset: u64) -> bool {
        if offset < self.next {
            return false;
        }
        // Offsets that a read has skipped do not exist.
        self.settled.extend(self.next..offset);
        self.next = offset + 1;
        true
    }

    /// Nothing below `end` is left to be handed out. Returns the new `acknowledged` if it has moved.
    pub(super) fn pass_over(&mut self, end: u64) -> Option<u64> {
        self.settled.extend(self.next..end);
        self.next = self.next.max(end);
        self.advance()
    }

    /// Returns the new `acknowledged` if it has moved.
    pub(super) fn settle(&mut self, offset: u64) -> Option<u64> {
        self.news = true;
        if offset > self.acknowledged {
            self.settled.insert(offset);
        }
        self.advance()
    }

    /// Whether a record is neither settled nor handed out.
    pub(super) fn is_waiting(&self, offset: u64) -> bool {
        offset >= self.next
    }

    /// Everything up to `offset` makes room. Who holds a record of it counts it when giving it up.
    pub(super) fn drop_through(&mut self, offset: u64) {
        self.dropped_through = self.dropped_through.max(offset);
        self.acknowledged = self.acknowledged.max(offset);
        self.next = self.next.max(offset + 1);
        self.settled = self.settled.split_off(&(offset + 1));
        self.advance();
    }

    pub(super) fn is_dropped(&self, offset: u64) -> bool {
        offset <= self.dropped_through
    }

    /// How many records below `end` are not settled.
    pub(super) fn pending(&self, end: u64) -> u64 {
        (end - 1).saturating_sub(self.acknowledged).saturating_sub(self.settled.len() as u64)
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(super) fn cursors(&self) -> &Cursors {
        &self.cursors
    }

    pub(super) fn has_news(&self) -> bool {
        self.news
    }

    fn advance(&mut self) -> Option<u64> {
        let before = self.acknowledged;
        while self.settled.first() == Some(&(self.acknowledged + 1)) {
            self.settled.pop_first();
            self.acknowledged += 1;
        }
        (self.acknowledged > before).then_some(self.acknowledged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(acknowledged: u64) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.restore(acknowledged, Cursors::new());
        ledger.start_at(1);
        ledger
    }

    #[test]
    fn acknowledged_moves_over_gapless_settlements_only() {
        let mut ledger = opened(10);
        assert!((11..=14).all(|offset| ledger.hand_out(offset)));
        assert_eq!(ledger.settle(12), None);
        assert_eq!(ledger.settle(14), None);
        assert_eq!(ledger.pending(15), 2);
        assert_eq!(ledger.settle(11), Some(12));
        assert_eq!(ledger.settle(13), Some(14));
        assert_eq!((ledger.pending(15), ledger.settle(13)), (0, None));
    }

    #[test]
    fn the_window_is_over_the_lowest_unsettled() {
        let mut ledger = opened(0);
        assert_eq!(ledger.next(), (1, WINDOW));
        assert!((1..=WINDOW).all(|offset| ledger.hand_out(offset)));
        assert!((2..=WINDOW).all(|offset| ledger.settle(offset).is_none()));
        assert_eq!(ledger.next(), (WINDOW + 1, 0));
        ledger.settle(1);
        assert_eq!(ledger.next(), (WINDOW + 1, WINDOW));
    }

    #[test]
    fn dropping_passes_over_what_is_handed_out() {
        let mut ledger = opened(0);
        assert!((1..=3).all(|offset| ledger.hand_out(offset)));
        ledger.settle(2);
        assert!(!ledger.is_waiting(3) && ledger.is_waiting(4));
        ledger.drop_through(5);
        assert!(ledger.is_dropped(1) && ledger.is_dropped(5) && !ledger.is_dropped(6));
        assert_eq!((ledger.acknowledged(), ledger.next().0, ledger.settle(1)), (5, 6, None));
        assert!(!ledger.hand_out(4), "read before it was dropped");
    }

    #[test]
    fn offsets_that_a_read_skips_are_settled() {
        let mut ledger = opened(0);
        assert!(ledger.hand_out(4));
        assert_eq!(ledger.settle(4), Some(4));
    }

    #[test]
    fn news_are_settled_batches_that_no_record_tells_of() {
        let mut ledger = opened(0);
        assert!(!ledger.has_news());
        assert!(ledger.hand_out(1));
        ledger.settle(1);
        assert!(ledger.has_news());
        ledger.note(Head { acknowledged: 1, items: 0, cursors: Vec::new() });
        assert!(!ledger.has_news());
    }
}
