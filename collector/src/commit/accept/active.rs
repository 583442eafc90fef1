//! Which series are active, so that there are only so many: a set of hashes per tenant,
//! of series that had a sample within the last hour. What is over the limit is refused
//! here, before the acknowledgement, because applying refuses nothing.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use telemetry::{Labels, METRIC_NAME, TenantId};
use xxhash_rust::xxh3::xxh3_64;

use crate::commit::options::SeriesLimits;

/// A series without a sample for this long is not active any more.
const ACTIVE_MINUTES: u32 = 60;
/// How often a full set is looked through for those that are not active any more.
const SWEEP_MINUTES: u32 = 5;
/// Labels whose values are counted, per tenant.
const MAX_LABELS: usize = 256;

/// The active series of all tenants.
#[derive(Debug)]
pub(in crate::commit) struct ActiveSeries {
    limits: SeriesLimits,
    tenants: Mutex<BTreeMap<TenantId, Arc<TenantSeries>>>,
}

/// Those of one tenant.
#[derive(Debug)]
pub(in crate::commit) struct TenantSeries {
    limits: SeriesLimits,
    series: Mutex<Series>,
}

#[derive(Debug, Default)]
struct Series {
    /// By the hash of the labels: the minute of the last sample, and the metric.
    seen: HashMap<u64, (u32, u32), BuildHasherDefault<Hashed>>,
    /// How many series each metric has, by a hash of its name. Two that share one share a limit.
    metrics: HashMap<u32, u32>,
    swept: u32,
    /// About how many values each label has.
    values: BTreeMap<Box<str>, Distinct>,
}

/// The set while one batch is looked at.
pub(in crate::commit) struct Admission<'a> {
    limits: SeriesLimits,
    series: MutexGuard<'a, Series>,
    minute: u32,
}

impl ActiveSeries {
    pub(in crate::commit) fn new(limits: SeriesLimits) -> Self {
        Self { limits, tenants: Mutex::default() }
    }

    pub(in crate::commit) fn of(&self, tenant: &TenantId) -> Arc<TenantSeries> {
        let mut tenants = self.tenants.lock();
        let limits = self.limits;
        let new = || Arc::new(TenantSeries { limits, series: Mutex::default() });
        Arc::clone(tenants.entry(tenant.clone()).or_insert_with(new))
    }

    /// How many each tenant has now.
    pub(in crate::commit) fn counts(&self, now_ns: i64) -> Vec<(TenantId, u64)> {
        let tenants = self.tenants.lock().clone();
        let count = |(tenant, series): (TenantId, Arc<TenantSeries>)| {
            let mut active = series.at(now_ns);
            active.sweep();
            (tenant, active.series.seen.len() as u64)
        };
        tenants.into_iter().map(count).collect()
    }
}

impl TenantSeries {
    /// The set for a batch that was received at this time.
    pub(in crate::commit) fn at(&self, received_at_ns: i64) -> Admission<'_> {
        let minute = u32::try_from(received_at_ns / 60_000_000_000).unwrap_or(0);
        Admission { limits: self.limits, series: self.series.lock(), minute }
    }
}

impl Admission<'_> {
    /// Notes a sample of a series that is known; answers whether it is.
    pub(in crate::commit) fn renew(&mut self, hash: u64) -> bool {
        let known = self.series.seen.get_mut(&hash);
        known.map(|(minute, _)| *minute = self.minute).is_some()
    }

    /// Notes a sample of a series; a new one is refused when there are as many as may be.
    pub(in crate::commit) fn admit(&mut self, hash: u64, labels: Labels<'_>) -> Result<(), String> {
        if self.renew(hash) { Ok(()) } else { self.add(hash, labels) }
    }

    /// As `admit`, for those that need no reason; answers whether the series is in.
    pub(in crate::commit) fn admit_quietly(&mut self, hash: u64, labels: Labels<'_>) -> bool {
        let name = labels.value(METRIC_NAME).unwrap_or_default();
        let is_full = self.series.seen.len() >= self.limits.per_tenant
            || self.of_metric(xxh3_64(name.as_bytes()) as u32) >= self.limits.per_metric;
        !is_full && self.admit(hash, labels).is_ok()
    }

    #[cold]
    fn add(&mut self, hash: u64, labels: Labels<'_>) -> Result<(), String> {
        let name = labels.value(METRIC_NAME).unwrap_or_default();
        if self.series.seen.len() >= self.limits.per_tenant {
            self.sweep();
        }
        let metric = xxh3_64(name.as_bytes()) as u32;
        let of_metric = self.of_metric(metric);
        let count = self.series.seen.len();
        let full = if count >= self.limits.per_tenant {
            Some(format!("the tenant has {count} active series, its limit"))
        } else if of_metric >= self.limits.per_metric {
            self.sweep();
            let of_metric = self.of_metric(metric);
            let text = format!("the metric {} has {of_metric} active series, its limit", shortened(name));
            (of_metric >= self.limits.per_metric).then_some(text)
        } else {
            None
        };
        if let Some(full) = full {
            return Err(format!("{full}{}", self.series.grown(labels)));
        }
        self.series.count_values(labels);
        *self.series.metrics.entry(metric).or_default() += 1;
        self.series.seen.insert(hash, (self.minute, metric));
        Ok(())
    }

    fn of_metric(&self, metric: u32) -> usize {
        self.series.metrics.get(&metric).map_or(0, |count| *count as usize)
    }

    /// Forgets what is not active any more; not more often than it is worth.
    fn sweep(&mut self) {
        // A clock that was set back counts on from there.
        let since = self.minute.checked_sub(self.series.swept).unwrap_or(SWEEP_MINUTES);
        if since < SWEEP_MINUTES {
            return;
        }
        let (minute, series) = (self.minute, &mut *self.series);
        series.swept = minute;
        let metrics = &mut series.metrics;
        series.seen.retain(|_, (seen, metric)| {
            let stays = seen.saturating_add(ACTIVE_MINUTES) >= minute;
            if let Some(count) = metrics.get_mut(metric).filter(|_| !stays) {
                *count -= 1;
            }
            stays
        });
        metrics.retain(|_, count| *count > 0);
    }
}

impl Series {
    fn count_values(&mut self, labels: Labels<'_>) {
        for (name, value) in labels {
            if !self.values.contains_key(name) && self.values.len() < MAX_LABELS {
                self.values.insert(name.into(), Distinct::default());
            }
            if let Some(distinct) = self.values.get_mut(name) {
                distinct.add(xxh3_64(value.as_bytes()));
            }
        }
    }

    /// Which of a series' labels has the most values.
    fn grown(&self, labels: Labels<'_>) -> String {
        let counted = labels.filter_map(|(name, _)| Some((self.values.get(name)?.estimate(), name)));
        match counted.max() {
            Some((count, name)) => {
                format!(
                    "; its label {:?} has grown to about {count} values: drop it, or raise the limit",
                    shortened(name)
                )
            }
            None => String::new(),
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// The keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// About how many different hashes were added (HyperLogLog, Flajolet et al. 2007): 1,024 registers, within 3 %.
#[derive(Debug)]
struct Distinct(Box<[u8; 1024]>);

impl Default for Distinct {
    fn default() -> Self {
        Self(Box::new([0; 1024]))
    }
}

impl Distinct {
    fn add(&mut self, hash: u64) {
        let rank = (hash << 10 | 1 << 9).leading_zeros() as u8 + 1;
        let register = &mut self.0[(hash >> 54) as usize];
        *register = rank.max(*register);
    }

    fn estimate(&self) -> u64 {
        const ALPHA: f64 = 0.7213 / (1.0 + 1.079 / 1024.0);
        let sum: f64 = self.0.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
        let empty = self.0.iter().filter(|rank| **rank == 0).count() as f64;
        let raw = ALPHA * 1024.0 * 1024.0 / sum;
        let estimate = if raw < 2560.0 && empty > 0.0 { 1024.0 * (1024.0 / empty).ln() } else { raw };
        estimate.round() as u64
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use telemetry::LabelSet;

    const MINUTE_NS: i64 = 60_000_000_000;

    fn admit(active: &ActiveSeries, minute: i64, metric: &str, user: u32) -> Result<(), String> {
        let set = LabelSet::new([("__name__", metric), ("job", "a"), ("user", &user.to_string())]).unwrap();
        let tenant = active.of(&TenantId::default_tenant());
        tenant.at(minute * MINUTE_NS).admit(set.hash64(), set.iter())
    }

    #[test]
    fn idle_series_make_room_after_an_hour() {
        let active = ActiveSeries::new(SeriesLimits { per_tenant: 3, per_metric: 100 });
        assert!((0..3).all(|user| admit(&active, 1000, "m", user).is_ok()));
        let refused = admit(&active, 1010, "m", 3).unwrap_err();
        assert!(refused.contains("3 active series") && refused.contains("\"user\""), "{refused}");
        assert!(admit(&active, 1050, "m", 0).is_ok(), "one that is known passes");
        assert!(admit(&active, 1061, "m", 4).is_ok(), "1 and 2 are idle");
        assert!(admit(&active, 1061, "m", 5).is_ok());
        assert!(admit(&active, 1061, "m", 6).is_err());
        assert_eq!(active.counts(1062 * MINUTE_NS), [(TenantId::default_tenant(), 3)]);
        assert_eq!(active.counts(2000 * MINUTE_NS), [(TenantId::default_tenant(), 0)]);
        // A clock that is set back forgets nothing, and goes on.
        assert!(admit(&active, 900, "m", 7).is_ok());
        assert_eq!(active.counts(970 * MINUTE_NS), [(TenantId::default_tenant(), 0)]);
        assert!(active.of(&TenantId::default_tenant()).series.lock().metrics.is_empty());
    }

    #[test]
    fn one_metric_cannot_take_all() {
        let active = ActiveSeries::new(SeriesLimits { per_tenant: 100, per_metric: 5 });
        assert_eq!((0..10).filter(|user| admit(&active, 0, "big", *user).is_ok()).count(), 5);
        assert!(admit(&active, 0, "big", 9).unwrap_err().contains("the metric big"));
        assert!(admit(&active, 0, "small", 9).is_ok());
    }

    #[test]
    fn the_estimate_is_close() {
        for count in [1u64, 10, 500, 3000, 100_000] {
            let mut distinct = Distinct::default();
            (0..count).for_each(|n| distinct.add(xxh3_64(&n.to_le_bytes())));
            let error = distinct.estimate().abs_diff(count) as f64 / count as f64;
            assert!(error < 0.1, "{count}: {}", distinct.estimate());
        }
    }
}
