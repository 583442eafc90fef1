//! Dedup windows: which numbered batches were applied already. Decided in journal
//! order and by nothing else, so a replay decides the same.
//!
//! A window belongs to (tenant, producer id, epoch) within one partition. It knows
//! the highest seq and, one bit each, which of the [`WIDTH`] seqs up to it were
//! applied; what is lower counts as applied, because a producer keeps far fewer in
//! flight. A window that was not used for [`LIFE_NS`] of the partition's own clock is
//! as good as absent.
//!
//! That clock counts the time that passed between batches, by their `received_at`,
//! but no gap as more than [`STEP_NS`]: a system clock that once was years ahead must
//! neither expire what is in use nor stop everything from expiring until that year.

use std::collections::BTreeMap;
use std::sync::Arc;

use telemetry::{Batch, Producer, TenantId};

/// How many seqs up to the highest are told apart.
pub(super) const WIDTH: u64 = 4096;

/// The most that one gap between batches counts for; also how far `received_at` must go back to count as a system
/// clock that was set, and not as batches that overtook each other.
pub(super) const STEP_NS: i64 = 600 * 1_000_000_000;

/// How long a window is kept after its last use: 7 days.
pub(super) const LIFE_NS: i64 = 7 * 24 * 3600 * 1_000_000_000;

/// The most words of bits that a window has.
pub(super) const WORDS: usize = WIDTH as usize / 64;

/// Whose window it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowKey {
    /// Whose items.
    pub tenant: TenantId,
    /// Who sends them.
    pub producer: Arc<str>,
    /// Which incarnation of the sender's queue.
    pub epoch: u64,
}

impl WindowKey {
    /// The window that decides about this batch.
    pub(super) fn of(batch: &Batch) -> Option<Self> {
        let Producer { id, epoch, .. } = batch.producer.as_ref()?;
        Some(Self { tenant: batch.tenant.clone(), producer: Arc::clone(id), epoch: *epoch })
    }
}

/// What is known of one producer's incarnation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The highest seq that was applied.
    pub highest: u64,
    /// `received_at` of its newest batch; for people only.
    pub last_received_at_ns: i64,
    /// The partition's clock when it was last used.
    pub(super) used_ns: i64,
    /// The sending process of the newest batch.
    pub run: u64,
    /// The one before that, if there was another.
    pub previous_run: Option<u64>,
    /// How often a run came back after another one: two live senders on one queue's epoch.
    pub returns: u32,
    /// Bit `seq % WIDTH`; only seqs in `(highest - WIDTH, highest]` have a meaning. Words past the last that is not 0
    /// are left out: most windows are of a queue that sent little.
    pub(super) bits: Vec<u64>,
}

/// What is to become of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is new: apply it.
    Fresh,
    /// It was applied before: leave it.
    Duplicate,
}

/// All windows of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Time that passed, in steps of at most [`STEP_NS`].
    pub(super) clock_ns: i64,
    /// The newest `received_at` that was applied, since the system clock was last set back; 0 before the first.
    pub(super) newest_ns: i64,
    pub(super) windows: BTreeMap<WindowKey, Window>,
}

impl Windows {
    /// Decides about the next batch in journal order, and remembers it.
    pub fn decide(
        &mut self,
        tenant: &TenantId,
        producer: Option<&Producer>,
        received_at_ns: i64,
    ) -> Decision {
        self.pass_time(received_at_ns);
        let Some(producer) = producer else { return Decision::Fresh };
        let key =
            WindowKey { tenant: tenant.clone(), producer: Arc::clone(&producer.id), epoch: producer.epoch };
        let clock_ns = self.clock_ns;
        match self.windows.get_mut(&key) {
            Some(window) if !window.expired(clock_ns) => {
                (window.used_ns, window.last_received_at_ns) = (clock_ns, received_at_ns);
                window.decide(producer)
            }
            _ => {
                let window = Window { used_ns: clock_ns, ..Window::new(producer, received_at_ns) };
                self.windows.insert(key, window);
                Decision::Fresh
            }
        }
    }

    fn pass_time(&mut self, received_at_ns: i64) {
        let passed_ns = received_at_ns.saturating_sub(self.newest_ns);
        if !(-STEP_NS..=0).contains(&passed_ns) {
            self.newest_ns = received_at_ns;
            self.clock_ns = self.clock_ns.saturating_add(passed_ns.clamp(0, STEP_NS));
        }
    }

    /// Drops what has expired. Changes no decision, so it may be called at any time.
    pub fn sweep(&mut self) {
        let clock_ns = self.clock_ns;
        self.windows.retain(|_, window| !window.expired(clock_ns));
    }

    /// The newest `received_at` that was applied, since the system clock was last set back; 0 before the first.
    pub fn newest_ns(&self) -> i64 {
        self.newest_ns
    }

    /// Every window with its key, in order.
    /// Whether a numbered batch is one that was applied before.
    pub fn is_applied(&self, batch: &Batch) -> bool {
        let window = WindowKey::of(batch).and_then(|key| self.windows.get(&key));
        let seq = batch.producer.as_ref().map(|producer| producer.seq);
        window.zip(seq).is_some_and(|(window, seq)| !window.expired(self.clock_ns) && window.is_applied(seq))
    }

    /// Every window.
    pub fn iter(&self) -> impl Iterator<Item = (&WindowKey, &Window)> {
        self.windows.iter()
    }
}

impl Window {
    fn new(producer: &Producer, received_at_ns: i64) -> Self {
        let mut window = Self::empty(producer.seq, received_at_ns, producer.run);
        window.set(producer.seq);
        window
    }

    /// A window in which nothing up to `highest` was applied yet.
    pub(super) fn empty(highest: u64, last_received_at_ns: i64, run: u64) -> Self {
        Self {
            highest,
            last_received_at_ns,
            used_ns: 0,
            run,
            previous_run: None,
            returns: 0,
            bits: Vec::new(),
        }
    }

    /// The lowest seq that has a bit.
    pub(super) fn lowest(&self) -> u64 {
        self.highest.saturating_sub(WIDTH - 1).max(1)
    }

    fn expired(&self, clock_ns: i64) -> bool {
        clock_ns.saturating_sub(self.used_ns) > LIFE_NS
    }

    fn decide(&mut self, producer: &Producer) -> Decision {
        self.note_run(producer.run);
        if producer.seq > self.highest {
            self.advance(producer.seq);
        } else if self.is_applied(producer.seq) {
            return Decision::Duplicate;
        }
        self.set(producer.seq);
        Decision::Fresh
    }

    /// A, B, A: the first process still lives.
    fn note_run(&mut self, run: u64) {
        if run == self.run {
            return;
        }
        if self.previous_run == Some(run) {
            self.returns = self.returns.saturating_add(1);
        }
        self.previous_run = Some(self.run);
        self.run = run;
    }

    /// Whether `seq` counts as applied.
    pub fn is_applied(&self, seq: u64) -> bool {
        if seq > self.highest {
            return false;
        }
        self.highest - seq >= WIDTH || self.bits.get(word(seq)).is_some_and(|word| word & bit(seq) != 0)
    }

    fn advance(&mut self, highest: u64) {
        if highest - self.highest >= WIDTH {
            self.bits.clear();
        } else {
            for seq in self.highest + 1..=highest {
                if let Some(word) = self.bits.get_mut(word(seq)) {
                    *word &= !bit(seq);
                }
            }
            self.trim();
        }
        self.highest = highest;
    }

    pub(super) fn set(&mut self, seq: u64) {
        let at = word(seq);
        if self.bits.len() <= at {
            self.bits.resize(at + 1, 0);
        }
        self.bits[at] |= bit(seq);
    }

    /// Leaves out the words that need not be there.
    pub(super) fn trim(&mut self) {
        let needed = self.bits.iter().rposition(|word| *word != 0).map_or(0, |at| at + 1);
        self.bits.truncate(needed);
    }
}

fn word(seq: u64) -> usize {
    (seq % WIDTH / 64) as usize
}

fn bit(seq: u64) -> u64 {
    1 << (seq % 64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
