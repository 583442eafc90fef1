//! Spans that wait for their other half: callers under their own id, callees under that of their caller.
//!
//! A caller whose callee did not come within 30 s counts as a call to outside, until the callee comes. One that has
//! found a callee stays these 30 s for further ones. All others stay as long as their step may change, 15 minutes.
//!
//! An entry is 24 bytes. Nothing depends on the order in which the table is walked.

mod half;
mod state;

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::memo::AsIs;
use crate::time::WINDOW_STEPS;

pub(crate) use half::Half;
use half::{Entry, Role};

/// A table per value of the key's highest bits, so that none is large when it grows.
const SHARDS: usize = 16;

/// One in so many places is kept for callers.
const CALLERS_SHARE: usize = 8;

/// A caller waits so many flushes before it counts as a call to outside: 30 to 40 s.
const FRESH_STEPS: u32 = 4;

#[derive(Clone, Debug, Default)]
pub(crate) struct Pairing {
    shards: [HashMap<u64, Entry, BuildHasherDefault<AsIs>>; SHARDS],
    /// Further callees that wait for one caller.
    more: BTreeMap<u64, Vec<Entry>>,
    len: usize,
    /// Callers by the step at whose end they are looked at.
    due: BTreeMap<u32, Vec<u64>>,
    /// Entries have the low bits of their step; it is one of those up to this.
    newest: u32,
    /// Entries of steps before it are no longer there.
    floor: u32,
    /// Those in no edge that were in the way and too old, by what [`owner`] says.
    lapsed: BTreeMap<u32, u64>,
}

/// What became of a span.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// It waits.
    Waits,
    /// Callees that had waited.
    Callees(Vec<Half>),
    /// The caller. The second says whether it was counted as a call to outside, which is not so.
    Caller(Half, bool),
    /// There is such a caller already.
    Repeated,
    /// There is no room for it.
    Overflow,
}

/// The key of a span in a tenant.
#[inline]
pub(crate) fn span_key(tenant: u32, trace_id: [u8; 16], span_id: [u8; 8]) -> u64 {
    let mut id = [0; 24];
    id[..16].copy_from_slice(&trace_id);
    id[16..].copy_from_slice(&span_id);
    xxh3_64_with_seed(&id, u64::from(tenant))
}

/// Marks an edge among services; the numbers of both have 31 bits.
pub(crate) const IS_EDGE: u32 = 1 << 31;

/// Whose an entry is that is counted in no edge: a callee's service, or the edge to outside of a caller, so marked.
fn owner(entry: Entry, id: u32) -> Option<u32> {
    match entry.role() {
        Role::Callee => Some(id),
        Role::Fresh => Some(id | IS_EDGE),
        Role::Paired | Role::Outside | Role::Corrected => None,
    }
}

fn shard_of(key: u64) -> usize {
    (key >> 60) as usize % SHARDS
}

impl Pairing {
    /// A caller came, while the steps up to `flushed` were over.
    pub(crate) fn caller(&mut self, key: u64, half: Half, flushed: u32, max: usize) -> Met {
        let due = (flushed + FRESH_STEPS).min(half.step + WINDOW_STEPS).max(flushed + 1);
        let entry = Entry::new(half, Role::Fresh, due);
        let Some(waiting) = self.entry(key) else {
            if self.len >= max {
                return Met::Overflow;
            }
            self.set(key, entry);
            self.due.entry(due).or_default().push(key);
            self.len += 1;
            return Met::Waits;
        };
        if waiting.role() != Role::Callee {
            return Met::Repeated;
        }
        let first = *waiting;
        *waiting = entry.with_role(Role::Paired);
        self.due.entry(due).or_default().push(key);
        let mut callees = vec![self.half(first)];
        for entry in self.more.remove(&key).unwrap_or_default() {
            self.len -= 1;
            if self.is_alive(entry) {
                callees.push(self.half(entry));
            } else {
                self.lapse(entry);
            }
        }
        Met::Callees(callees)
    }

    /// A callee came: only looks for its caller.
    pub(crate) fn find(&mut self, key: u64) -> Option<Met> {
        let entry = self.entry(key)?;
        let found = *entry;
        let (role, was_outside) = match found.role() {
            Role::Callee => return None,
            Role::Fresh | Role::Paired => (Role::Paired, false),
            Role::Outside => (Role::Corrected, true),
            Role::Corrected => (Role::Corrected, false),
        };
        *entry = found.with_role(role);
        Some(Met::Caller(self.half(found), was_outside))
    }

    /// A callee came.
    pub(crate) fn callee(&mut self, key: u64, half: Half, max: usize) -> Met {
        if let Some(met) = self.find(key) {
            return met;
        }
        // The last share is for callers: a call without its callee is on the map, one without its caller is not.
        if self.len >= max - max / CALLERS_SHARE {
            return Met::Overflow;
        }
        let entry = Entry::new(half, Role::Callee, 0);
        match self.entry(key) {
            None => self.set(key, entry),
            Some(_) => self.more.entry(key).or_default().push(entry),
        }
        self.len += 1;
        Met::Waits
    }

    /// Callers that are to be counted as calls to outside when the steps up to `step` are over.
    pub(crate) fn settle(&mut self, step: u32, mut told: impl FnMut(Half)) {
        let later = self.due.split_off(&(step + 1));
        let last = self.last_due();
        let now = std::mem::replace(&mut self.due, later).into_iter();
        for (due, key) in now.flat_map(|(due, keys)| keys.into_iter().map(move |key| (due, key))) {
            let Some(entry) = self.shards[shard_of(key)].get(&key).copied() else { continue };
            // Another one may have taken its place, with a time of its own.
            if entry.due(last) != due {
                continue;
            }
            match entry.role() {
                Role::Fresh => {
                    self.set(key, entry.with_role(Role::Outside));
                    told(self.half(entry));
                }
                Role::Paired => {
                    self.shards[shard_of(key)].remove(&key);
                    self.len -= 1;
                }
                _ => {}
            }
        }
    }

    /// Lets go of what is older than `floor`, and tells how many of them were in no edge, by owner.
    pub(crate) fn expire(&mut self, floor: u32) -> BTreeMap<u32, u64> {
        let mut open = std::mem::take(&mut self.lapsed);
        let newest = self.newest;
        let mut is_kept = |entry: &Entry| {
            let half = entry.half(newest);
            let is_kept = half.step >= floor;
            if !is_kept && let Some(owner) = owner(*entry, half.id) {
                *open.entry(owner).or_default() += 1;
            }
            is_kept
        };
        for shard in &mut self.shards {
            shard.retain(|_, entry| is_kept(entry));
        }
        self.more.retain(|_, more| {
            more.retain(&mut is_kept);
            !more.is_empty()
        });
        self.promote_more();
        self.len = self.shards.iter().map(HashMap::len).sum::<usize>()
            + self.more.values().map(Vec::len).sum::<usize>();
        open
    }

    /// All halves that wait and are counted in no edge: callees, and callers that are not yet calls to outside. By owner.
    pub(crate) fn open(&self) -> impl Iterator<Item = u32> {
        let entries = self.shards.iter().flat_map(HashMap::values).chain(self.more.values().flatten());
        entries.filter_map(|entry| owner(*entry, self.half(*entry).id))
    }

    /// Time goes on: what is older than `floor` is not there any more, whether or not it is let go of yet.
    pub(crate) fn pass(&mut self, step: u32, floor: u32) {
        (self.newest, self.floor) = (step + 1, floor);
    }

    /// Those in no edge that were in the way and too old, by owner.
    pub(crate) fn lapsed(&self) -> &BTreeMap<u32, u64> {
        &self.lapsed
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes in memory: a table has a byte per place besides, and an eighth of its places are free at least.
    pub(crate) fn size_bytes(&self) -> usize {
        let place = size_of::<(u64, Entry)>() + 1;
        let places = |capacity: usize| if capacity == 0 { 0 } else { (capacity * 8 / 7).next_power_of_two() };
        let tables: usize = self.shards.iter().map(|shard| places(shard.capacity()) * place).sum();
        let lists: usize = self.due.values().map(|keys| keys.capacity() * size_of::<u64>()).sum();
        tables
            + lists
            + self.more.values().map(|more| more.capacity() * size_of::<Entry>() + 64).sum::<usize>()
    }

    /// Where a first callee was let go of, one of those behind it takes its place.
    fn promote_more(&mut self) {
        let keys: Vec<u64> =
            self.more.keys().copied().filter(|key| !self.shards[shard_of(*key)].contains_key(key)).collect();
        for key in keys {
            if let Some(mut more) = self.more.remove(&key) {
                self.set(key, more.remove(0));
                if !more.is_empty() {
                    self.more.insert(key, more);
                }
            }
        }
    }

    fn half(&self, entry: Entry) -> Half {
        entry.half(self.newest)
    }

    /// What stands under a key and is not too old.
    #[inline]
    fn entry(&mut self, key: u64) -> Option<&mut Entry> {
        let (newest, floor) = (self.newest, self.floor);
        let is_old = |entry: &Entry| entry.half(newest).step < floor;
        let old = *self.shards[shard_of(key)].get(&key)?;
        if is_old(&old) {
            self.next_alive(key, old);
        }
        self.shards[shard_of(key)].get_mut(&key)
    }

    /// Lets go of an entry that is too old, and of those behind it up to one that is not, which takes its place.
    #[cold]
    fn next_alive(&mut self, key: u64, entry: Entry) {
        self.shards[shard_of(key)].remove(&key);
        self.len -= 1;
        self.lapse(entry);
        let mut more = self.more.remove(&key).unwrap_or_default().into_iter();
        while let Some(entry) = more.next() {
            if self.is_alive(entry) {
                self.set(key, entry);
                if more.len() > 0 {
                    self.more.insert(key, more.collect());
                }
                return;
            }
            self.len -= 1;
            self.lapse(entry);
        }
    }

    fn lapse(&mut self, entry: Entry) {
        if let Some(owner) = owner(entry, self.half(entry).id) {
            *self.lapsed.entry(owner).or_default() += 1;
        }
    }

    fn is_alive(&self, entry: Entry) -> bool {
        self.half(entry).step >= self.floor
    }

    fn set(&mut self, key: u64, entry: Entry) {
        self.shards[shard_of(key)].insert(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(step: u32) -> Half {
        Half { id: 3, step, duration_ns: 1, is_failed: false, is_message: false }
    }

    #[test]
    fn a_caller_below_a_raised_floor_is_told() {
        for is_in_the_way in [false, true] {
            let mut pairing = Pairing::default();
            pairing.pass(100, 10);
            assert_eq!(pairing.caller(1, caller(99), 100, 10), Met::Waits);
            pairing.pass(101, 101);
            if is_in_the_way {
                assert_eq!(pairing.caller(1, caller(102), 101, 10), Met::Waits);
            }
            assert_eq!(pairing.expire(101), BTreeMap::from([(3 | IS_EDGE, 1)]));
        }
    }

    #[test]
    fn a_caller_is_looked_at_when_it_is_due() {
        let mut pairing = Pairing::default();
        pairing.pass(100, 10);
        assert_eq!(pairing.caller(1, caller(99), 100, 10), Met::Waits);
        pairing.pass(102, 101);
        assert_eq!(pairing.caller(1, caller(102), 102, 10), Met::Waits);
        let mut told = Vec::new();
        pairing.settle(104, |half| told.push(half));
        assert_eq!(told, [], "that was the one before it");
        pairing.settle(106, |half| told.push(half));
        assert_eq!(told, [caller(102)]);
    }
}
