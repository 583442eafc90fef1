//! What was counted since the last flush: an observation is two numbers at the end of a list, which is now and then
//! sorted and packed into cells. Sums do not depend on when that happens.

use std::collections::BTreeMap;

use crate::cell::Cell;
use crate::slab::{Slab, SlabWriter, merge};
use crate::subject::{Part, key};

/// So many observations are packed at once: 4 MiB of them.
const MAX_OBSERVATIONS: usize = 1 << 18;

/// So many candidates for exemplars are sorted out at once.
const MAX_CANDIDATES: usize = 1 << 16;

/// A span to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exemplar {
    pub(crate) trace_id: [u8; 16],
    pub(crate) duration_ns: u64,
    pub(crate) end_ns: u64,
}

/// By subject and step: the slowest span that came since the last flush, the first of equal ones.
pub(crate) type Exemplars = BTreeMap<(u32, u32), Exemplar>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    observations: Vec<(u64, u64)>,
    packed: Slab,
    /// Per subject the newest step and the slowest of it: what is faster need not be looked at.
    slowest: Vec<(u32, u64)>,
    candidates: Vec<((u32, u32), Exemplar)>,
    exemplars: Exemplars,
}

impl Log {
    /// Of what `packed` and `exemplars` gave.
    pub(crate) fn restore(packed: Slab, exemplars: Exemplars) -> Self {
        Self { packed, exemplars, ..Self::default() }
    }

    /// Counts a duration. What only counts has none.
    #[inline]
    pub(crate) fn count(&mut self, step: u32, subject: u32, part: Part, duration_ns: u64) {
        if subject == u32::MAX {
            return;
        }
        self.observations.push((key(step, subject, part), duration_ns));
        if self.observations.len() >= MAX_OBSERVATIONS {
            self.pack();
        }
    }

    /// Offers a span as the exemplar of its subject and step.
    #[inline]
    pub(crate) fn offer(
        &mut self,
        step: u32,
        subject: u32,
        span: impl FnOnce() -> Exemplar,
        duration_ns: u64,
    ) {
        if subject == u32::MAX {
            return;
        }
        let at = subject as usize;
        if at >= self.slowest.len() {
            self.slowest.resize(at + 1, (0, 0));
        }
        let (newest, slowest) = &mut self.slowest[at];
        if step == *newest && duration_ns <= *slowest {
            return;
        }
        if step >= *newest {
            (*newest, *slowest) = (step, duration_ns);
        }
        self.candidates.push(((subject, step), span()));
        if self.candidates.len() >= MAX_CANDIDATES {
            sort_out(&mut self.exemplars, &mut self.candidates);
        }
    }

    fn pack(&mut self) {
        self.observations.sort_unstable();
        self.packed = merge(&self.packed, &pack(&self.observations));
        self.observations.clear();
    }

    /// All that was counted, as cells by step, subject and part.
    pub(crate) fn packed(&self) -> Slab {
        let mut observations = self.observations.clone();
        observations.sort_unstable();
        merge(&self.packed, &pack(&observations))
    }

    /// The exemplars of all that was counted.
    pub(crate) fn exemplars(&self) -> Exemplars {
        let mut exemplars = self.exemplars.clone();
        sort_out(&mut exemplars, &mut self.candidates.clone());
        exemplars
    }

    /// The same, and begins anew.
    pub(crate) fn take(&mut self) -> (Slab, Exemplars) {
        self.pack();
        sort_out(&mut self.exemplars, &mut self.candidates);
        self.slowest.clear();
        (std::mem::take(&mut self.packed), std::mem::take(&mut self.exemplars))
    }

    /// Whether nothing was counted since the last flush.
    pub(crate) fn is_empty(&self) -> bool {
        self.observations.is_empty() && self.packed.is_empty()
    }

    /// Bytes in memory.
    pub(crate) fn size_bytes(&self) -> usize {
        self.observations.capacity() * 16 + self.candidates.capacity() * 48 + self.packed.size_bytes()
    }
}

/// Cells of sorted observations.
fn pack(observations: &[(u64, u64)]) -> Slab {
    let mut writer = SlabWriter::with_capacity(observations.len() * 2);
    for run in observations.chunk_by(|a, b| a.0 == b.0) {
        writer.push(run[0].0, &Cell::of_sorted(run.iter().map(|(_, duration)| *duration)));
    }
    writer.finish()
}

/// Keeps the slowest of each; of equal ones that which came first.
fn sort_out(exemplars: &mut Exemplars, candidates: &mut Vec<((u32, u32), Exemplar)>) {
    for (key, candidate) in candidates.drain(..) {
        let best = exemplars.entry(key).or_insert(candidate);
        if candidate.duration_ns > best.duration_ns {
            *best = candidate;
        }
    }
}
