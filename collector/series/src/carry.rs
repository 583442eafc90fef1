//! What a tenant's records leave behind beside samples: the newest time of active series, sums
//! of increases, what families say of themselves, deletes that are not done everywhere yet.
//!
//! It outlives heads and stands in the manifest. Its clock is when records were received, so that
//! the same journal always leaves the same behind.

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
/// No tenant describes more families; the next ones are not kept.
const MAX_DESCRIBED: usize = 100_000;

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

/// One tenant's carried state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carry {
    /// When the newest record was received, s since 1970.
    pub(crate) now_s: u32,
    /// Series of sealed heads by the hash of their labels; the head knows its own.
    pub(crate) newest: ByHash<Newest>,
    sums: HashMap<Box<[u8]>, Sum>,
    pub(crate) described: BTreeMap<String, Described>,
    pub(crate) deletes: Arc<[Deletion]>,
}

impl Carry {
    pub(crate) fn is_active(&self, received_s: u32) -> bool {
        self.now_s.saturating_sub(received_s) <= ACTIVE_S
    }

    /// Applies a record to a head; what stands before an error is applied.
    pub(crate) fn apply(
        &mut self,
        head: &mut Head,
        offset: u64,
        received_at_ns: i64,
        payload: &[u8],
    ) -> Result<(), String> {
        let received_s = u32::try_from(received_at_ns / 1_000_000_000).unwrap_or(0);
        self.now_s = self.now_s.max(received_s);
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
                    head.push_histogram(number, *time_ms, histogram.clone());
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
            let value = sum.add(sample.value);
            if self.takes(head, number, sample.time_ms, is_stale(value)) {
                head.push(number, sample.time_ms, value);
            }
        }
        for (time_ms, histogram) in series.histograms {
            let histogram = sum.add_histogram(histogram);
            if self.takes(head, number, *time_ms, is_stale(histogram.sum)) {
                head.push_histogram(number, *time_ms, histogram);
            }
        }
        self.sums.insert(labels.into(), sum);
    }

    fn describe(&mut self, metadata: Metadata) {
        let is_known = self.described.contains_key(&metadata.family);
        if is_known || self.described.len() < MAX_DESCRIBED {
            let described = Described { metadata, received_s: self.now_s };
            self.described.insert(described.metadata.family.clone(), described);
        }
    }

    fn delete(&mut self, head: &mut Head, deletion: Deletion) {
        head.delete(&deletion.matchers, deletion.start_ms, deletion.end_ms);
        self.deletes = self.deletes.iter().cloned().chain([deletion]).collect();
    }

    /// Series that are active, by the hash of their labels, and when their last sample was received, ms since 1970.
    pub(crate) fn active(&self, head: &Head) -> Vec<(u64, i64)> {
        let mut received: ByHash<u32> =
            self.newest.iter().map(|(hash, newest)| (*hash, newest.received_s)).collect();
        received.extend(head.all_newest().map(|(hash, _, received_s)| (hash, received_s)));
        let active = received.into_iter().filter(|(_, received_s)| self.is_active(*received_s));
        active.map(|(hash, received_s)| (hash, i64::from(received_s) * 1000)).collect()
    }

    /// Takes over what a head knows that will be sealed, and forgets what is too old.
    pub(crate) fn keep(&mut self, head: &Head) {
        for (hash, newest_ms, received_s) in head.all_newest() {
            self.newest.insert(hash, Newest { newest_ms, received_s });
        }
        let now_s = self.now_s;
        let is_younger = |received_s: u32, than_s: u32| now_s.saturating_sub(received_s) <= than_s;
        self.newest.retain(|_, newest| is_younger(newest.received_s, ACTIVE_S));
        self.sums.retain(|_, sum| is_younger(sum.received_s, ACTIVE_S));
        self.described.retain(|_, described| is_younger(described.received_s, DESCRIBED_S));
    }
}
