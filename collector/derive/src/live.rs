//! Counts since a subject is known, written as counters: what has changed at each flush, the others once a minute.

use std::collections::BTreeSet;

use crate::cell::Cell;
use crate::slab::{Slab, SlabWriter};
use crate::subject::{FIRST_LESS, local_key, split_key, split_local};

/// An unchanged counter is written every so many steps, not all of them at once.
const EVERY_STEPS: u32 = 6;

/// The parts that are counted here.
pub(crate) const PARTS: usize = 4;

/// A subject's cells.
pub(crate) type Parts = [Cell; PARTS];

/// A subject whose counters are to be written.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) subject: u32,
    pub(crate) before: Parts,
    pub(crate) now: Parts,
    /// Whether `now` is other than `before`.
    pub(crate) is_changed: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    slab: Slab,
}

impl Live {
    pub(crate) fn of_slab(slab: Slab) -> Self {
        Self { slab }
    }

    pub(crate) fn slab(&self) -> &Slab {
        &self.slab
    }

    /// Adds what came since the last flush and tells which subjects are to be written. What is taken away stays
    /// counted: a counter never falls.
    pub(crate) fn apply(&mut self, packed: &Slab, step: u32, mut told: impl FnMut(&Counted)) {
        let mut deltas: Vec<(u64, &[u8])> = packed
            .iter()
            .map(|(key, cell)| (split_key(key).1, cell))
            .filter(|(local, _)| split_local(*local).1 < (PARTS as u64).min(FIRST_LESS))
            .collect();
        deltas.sort_by_key(|(local, _)| *local);
        let mut writer = SlabWriter::with_capacity(self.slab.as_bytes().len() + deltas.len() * 8);
        let (mut olds, mut news) = (self.slab.iter().peekable(), deltas.into_iter().peekable());
        let subject_of = |entry: Option<&(u64, &[u8])>| entry.map(|(local, _)| split_local(*local).0);
        while let Some(subject) =
            [subject_of(olds.peek()), subject_of(news.peek())].into_iter().flatten().min()
        {
            let is_its = |entry: &(u64, &[u8])| split_local(entry.0).0 == subject;
            let is_changed = news.peek().is_some_and(is_its);
            if !is_changed && !step.wrapping_add(subject).is_multiple_of(EVERY_STEPS) {
                while let Some((local, cell)) = olds.next_if(is_its) {
                    writer.push_encoded(local, cell);
                }
                continue;
            }
            let mut before = Parts::default();
            while let Some((local, cell)) = olds.next_if(is_its) {
                before[split_local(local).1 as usize % PARTS] = Cell::decode(cell).unwrap_or_default();
            }
            let mut now = before.clone();
            while let Some((local, cell)) = news.next_if(is_its) {
                now[split_local(local).1 as usize % PARTS].add(&Cell::decode(cell).unwrap_or_default());
            }
            for (part, cell) in now.iter().enumerate().filter(|(_, cell)| !cell.counts.is_empty()) {
                writer.push(local_key(subject, part as u64), cell);
            }
            told(&Counted { subject, before, now, is_changed });
        }
        drop(olds);
        self.slab = writer.finish();
    }

    /// Forgets subjects.
    pub(crate) fn forget(&mut self, subjects: &[u32]) {
        if subjects.is_empty() {
            return;
        }
        let subjects: BTreeSet<u32> = subjects.iter().copied().collect();
        let mut writer = SlabWriter::with_capacity(self.slab.as_bytes().len());
        let kept = self.slab.iter().filter(|(local, _)| !subjects.contains(&split_local(*local).0));
        kept.for_each(|(local, cell)| writer.push_encoded(local, cell));
        self.slab = writer.finish();
    }
}
