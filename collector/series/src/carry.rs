//! What a tenant's records leave behind beside samples: the newest time of active series, sums
//! of increases, what families say of themselves, deletes that are not done everywhere yet.
//!
//! It outlives heads and stands in the manifest. Its clock is when records were received, so that
//! the same journal always leaves the same behind, whenever it is sealed.

mod bytes;
mod delta;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use promql::{BadMatcher, Matcher};
use telemetry::Labels;
use telemetry::samples::{Cursor, Delete, Entry, Metadata, SamplesError, Series, is_stale};

pub(crate) use bytes::{decode, encode};
pub(crate) use delta::Sum;

use crate::head::{ByHash, Head};

/// A series is active for so long after its last sample.
const ACTIVE_S: u32 = 3600;
/// A family is forgotten when it said nothing of itself for so long.
const DESCRIBED_S: u32 = 30 * 24 * 3600;
/// No tenant describes more families, or in more bytes; the next ones are not kept.
const MAX_DESCRIBED: usize = 100_000;
const MAX_DESCRIBED_BYTES: usize = 32 << 20;
/// A longer name is no family's; longer units and texts are cut.
const MAX_FAMILY_BYTES: usize = 1024;
const MAX_UNIT_BYTES: usize = 64;
const MAX_HELP_BYTES: usize = 1024;
/// No gap between records counts as more: a system clock that once was years ahead must neither forget
/// everything nor stop forgetting.
const STEP_S: i64 = 600;
/// The clock before the first record; 0 is long ago.
const FIRST_S: u32 = 2 * ACTIVE_S;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Newest {
    pub(crate) newest_ms: i64,
    pub(crate) received_s: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Described {
    pub(crate) metadata: Metadata,
    received_s: u32,
}

impl Described {
    fn size_bytes(&self) -> usize {
        let Metadata { family, unit, help, .. } = &self.metadata;
        family.len() + unit.len() + help.len() + 64
    }
}

/// An order to forget, for what lies in frozen heads and segments.
#[derive(Clone, Debug)]
pub(crate) struct Deletion {
    pub(crate) offset: u64,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

impl Deletion {
    fn new(offset: u64, delete: &Delete) -> Result<Self, BadMatcher> {
        let matchers = delete.matchers.iter().map(|(name, op, value)| Matcher::new(name, *op, value));
        let matchers = matchers.collect::<Result<_, _>>()?;
        Ok(Self { offset, matchers, start_ms: delete.start_ms, end_ms: delete.end_ms })
    }

    /// Whether it may hide something of a file or head of this time, in which deletes up to `clean_offset` are done.
    pub(crate) fn concerns(&self, clean_offset: u64, min_ms: i64, max_ms: i64) -> bool {
        self.offset > clean_offset && self.start_ms <= max_ms && self.end_ms >= min_ms
    }
}

/// What was received and is not kept, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Increases (of delta series) that are not finite.
    pub increases: u64,
    /// What families said of themselves, beyond what a tenant may.
    pub families: u64,
}

/// One tenant's carried state.
#[derive(Clone, Debug)]
pub(crate) struct Carry {
    /// Seconds that passed over records, in steps of at most `STEP_S`. All times of receipt are of this clock.
    pub(crate) now_s: u32,
    /// When the newest record was received, s since 1970; set back with the system clock.
    newest_s: u32,
    /// Series of sealed heads by the hash of their labels; the head knows its own.
    pub(crate) newest: ByHash<Newest>,
    sums: HashMap<Box<[u8]>, Sum>,
    described: BTreeMap<String, Described>,
    described_bytes: usize,
    /// When families were forgotten last.
    swept_s: u32,
    pub(crate) deletes: Arc<[Deletion]>,
    /// Those of the record that is being applied.
    new_deletes: Vec<Deletion>,
    /// What is left of `RECORD_SURPLUS` in this record.
    surplus: usize,
    pub(crate) left_out: LeftOut,
}

impl Default for Carry {
    fn default() -> Self {
        Self {
            now_s: FIRST_S,
            newest_s: 0,
            newest: ByHash::default(),
            sums: HashMap::new(),
            described: BTreeMap::new(),
            described_bytes: 0,
            swept_s: 0,
            deletes: Arc::default(),
            new_deletes: Vec::new(),
            surplus: 0,
            left_out: LeftOut::default(),
        }
    }
}

impl Carry {
    pub(crate) fn is_active(&self, received_s: u32) -> bool {
        self.now_s.saturating_sub(received_s) <= ACTIVE_S
    }

    fn pass_time(&mut self, received_s: u32) {
        let passed_s = i64::from(received_s) - i64::from(self.newest_s);
        if !(-STEP_S..=0).contains(&passed_s) {
            self.newest_s = received_s;
            self.now_s = self.now_s.saturating_add(passed_s.clamp(0, STEP_S) as u32);
        }
    }

    /// Applies a record to a head; what stands before an error is applied. `end_record` is to be called next.
    pub(crate) fn apply(
        &mut self,
        head: &mut Head,
        offset: u64,
        received_at_ns: i64,
        payload: &[u8],
    ) -> Result<(), String> {
        let received_s = u32::try_from(received_at_ns / 1_000_000_000).unwrap_or(0);
        self.pass_time(received_s);
        self.surplus = delta::RECORD_SURPLUS;
        head.begin(offset, received_at_ns);
        let malformed = |error: SamplesError| error.to_string();
        let mut cursor = Cursor::new(payload).map_err(malformed)?;
        let mut outcome = Ok(());
        while let Some(entry) = cursor.next().map_err(malformed)? {
            match entry {
                Entry::Series(series) => self.series(head, &series),
                Entry::Metadata(metadata) => self.describe(metadata),
                Entry::Delete(delete) => match Deletion::new(offset, &delete) {
                    Ok(deletion) => self.delete(head, deletion),
                    Err(error) => outcome = Err(error.to_string()),
                },
            }
        }
        outcome
    }

    fn series(&mut self, head: &mut Head, series: &Series<'_>) {
        if series.samples.is_empty() && series.histograms.is_empty() && series.exemplars.is_empty() {
            return;
        }
        let number = head.find(series.labels.as_bytes());
        let number = number.unwrap_or_else(|hash| self.add(head, hash, series.labels));
        if series.is_delta {
            self.increases(head, number, series);
        } else {
            for sample in series.samples {
                if self.takes(head, number, sample.time_ms, is_stale(sample.value)) {
                    head.push(number, sample.time_ms, sample.value);
                }
            }
            for (time_ms, histogram) in series.histograms {
                if self.takes(head, number, *time_ms, is_stale(histogram.sum)) {
                    head.push_histogram(number, *time_ms, histogram);
                }
            }
        }
        if !series.exemplars.is_empty() {
            head.push_exemplars(number, series.exemplars);
        }
    }

    fn add(&self, head: &mut Head, hash: u64, labels: Labels<'_>) -> u32 {
        let newest = self.newest.get(&hash);
        head.add(hash, labels, newest.map(|newest| (newest.newest_ms, newest.received_s)))
    }

    /// Whether a sample is taken: a stale marker that is older than the series' newest sample is not.
    #[inline]
    fn takes(&self, head: &mut Head, number: u32, time_ms: i64, stale: bool) -> bool {
        let (newest_ms, received_s) = head.newest(number);
        if !self.is_active(*received_s) {
            *newest_ms = i64::MIN;
        }
        *received_s = self.now_s;
        if stale && time_ms < *newest_ms {
            return false;
        }
        *newest_ms = time_ms.max(*newest_ms);
        true
    }

    fn increases(&mut self, head: &mut Head, number: u32, series: &Series<'_>) {
        let labels = series.labels.as_bytes();
        let mut sum = self.sums.remove(labels).unwrap_or_default();
        if !self.is_active(sum.received_s) {
            sum = Sum::default();
        }
        sum.received_s = self.now_s;
        for sample in series.samples {
            let Some(value) = sum.add(sample.value) else {
                self.left_out.increases += 1;
                continue;
            };
            let stale = is_stale(value);
            let time_ms = if stale { sample.time_ms } else { sum.at(sample.time_ms) };
            if self.takes(head, number, time_ms, stale) {
                head.push(number, time_ms, value);
            }
        }
        for (time_ms, histogram) in series.histograms {
            let Some(histogram) = sum.add_histogram(histogram, &mut self.surplus) else {
                self.left_out.increases += 1;
                continue;
            };
            let stale = is_stale(histogram.sum);
            let time_ms = if stale { *time_ms } else { sum.at(*time_ms) };
            if self.takes(head, number, time_ms, stale) {
                head.push_histogram(number, time_ms, &histogram);
            }
        }
        self.sums.insert(labels.into(), sum);
    }

    fn describe(&mut self, mut metadata: Metadata) {
        metadata.unit.truncate(metadata.unit.floor_char_boundary(MAX_UNIT_BYTES));
        metadata.help.truncate(metadata.help.floor_char_boundary(MAX_HELP_BYTES));
        let described = Described { metadata, received_s: self.now_s };
        if !self.has_room(&described) {
            self.forget_families();
            if !self.has_room(&described) {
                self.left_out.families += 1;
                return;
            }
        }
        self.put_described(described);
    }

    fn has_room(&self, new: &Described) -> bool {
        let family = &new.metadata.family;
        let old = self.described.get(family);
        let count = self.described.len() + usize::from(old.is_none());
        let bytes = self.described_bytes + new.size_bytes() - old.map_or(0, Described::size_bytes);
        family.len() <= MAX_FAMILY_BYTES && count <= MAX_DESCRIBED && bytes <= MAX_DESCRIBED_BYTES
    }

    fn put_described(&mut self, described: Described) {
        self.described_bytes += described.size_bytes();
        if let Some(old) = self.described.insert(described.metadata.family.clone(), described) {
            self.described_bytes -= old.size_bytes();
        }
    }

    /// What families say of themselves, by name. Whether one is forgotten depends on records, not on seals.
    pub(crate) fn families(&self) -> impl Iterator<Item = &Described> {
        let is_known =
            |described: &&Described| self.now_s.saturating_sub(described.received_s) <= DESCRIBED_S;
        self.described.values().filter(is_known)
    }

    fn forget_families(&mut self) {
        if self.swept_s == self.now_s {
            return;
        }
        self.swept_s = self.now_s;
        let (now_s, bytes) = (self.now_s, &mut self.described_bytes);
        self.described.retain(|_, described| {
            let keeps = now_s.saturating_sub(described.received_s) <= DESCRIBED_S;
            *bytes -= if keeps { 0 } else { described.size_bytes() };
            keeps
        });
    }

    fn delete(&mut self, head: &mut Head, deletion: Deletion) {
        head.delete(&deletion.matchers, deletion.start_ms, deletion.end_ms);
        self.new_deletes.push(deletion);
    }

    /// Takes over the deletes of the record that was applied, all at once: a record may have many.
    pub(crate) fn end_record(&mut self) {
        if !self.new_deletes.is_empty() {
            self.deletes = self.deletes.iter().cloned().chain(self.new_deletes.drain(..)).collect();
        }
    }

    /// Series that are active, by the hash of their labels, and when their last sample was received, ms since 1970.
    pub(crate) fn active(&self, head: &Head) -> Vec<(u64, i64)> {
        let mut received: ByHash<u32> =
            self.newest.iter().map(|(hash, newest)| (*hash, newest.received_s)).collect();
        received.extend(head.all_newest().map(|(hash, _, received_s)| (hash, received_s)));
        let active = received.into_iter().filter(|(_, received_s)| self.is_active(*received_s));
        let ago_s = |received_s: u32| i64::from(self.now_s.saturating_sub(received_s));
        let ms = |received_s: u32| (i64::from(self.newest_s) - ago_s(received_s)) * 1000;
        active.map(|(hash, received_s)| (hash, ms(received_s))).collect()
    }

    /// Takes over what a head knows that will be sealed, and forgets what is too old.
    pub(crate) fn keep(&mut self, head: &Head) {
        for (hash, newest_ms, received_s) in head.all_newest() {
            self.newest.insert(hash, Newest { newest_ms, received_s });
        }
        let now_s = self.now_s;
        let is_active = |received_s: u32| now_s.saturating_sub(received_s) <= ACTIVE_S;
        self.newest.retain(|_, newest| is_active(newest.received_s));
        self.sums.retain(|_, sum| is_active(sum.received_s));
        self.forget_families();
    }
}

#[cfg(test)]
mod tests;
