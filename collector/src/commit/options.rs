//! What the store is opened with. The defaults are those of the program; tests
//! replace the clock, the disk's free space and the thresholds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use meta::Meta;
use object_store::ObjectStore;
use telemetry::{Batch, TenantId};

use super::divide::{ItemLimits, MAX_RECORD_BYTES};
use super::journals::Journals;
use super::kind::Kind;
use super::space::FreeSpace;

/// Nanoseconds since 1970, now.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Called before a batch is applied; a panic in it is handled as one of the engine's.
pub type BeforeApply = Arc<dyn Fn(u64, &Batch) + Send + Sync>;

/// What a store stands on and how it behaves.
#[derive(Clone)]
pub struct StoreOptions {
    /// The data directory to lock for as long as the store lives; `None` locks nothing.
    pub lock: Option<PathBuf>,
    /// Where journals are.
    pub journals: Arc<dyn Journals>,
    /// Sealed files and manifests.
    pub blobs: Arc<dyn ObjectStore>,
    /// Where `blobs` are files, if they are: what a crash left half written there is removed at the start.
    pub blob_directory: Option<PathBuf>,
    /// Seal documents.
    pub meta: Arc<dyn Meta>,
    /// How many partitions new batches are divided over. Others that exist are served, too.
    pub partitions: u16,
    /// What items must keep to.
    pub items: ItemLimits,
    /// When to seal log records.
    pub seal: SealLimits,
    /// When to seal samples.
    pub seal_samples: SealLimits,
    /// When to seal spans.
    pub seal_spans: SealLimits,
    /// When to push back.
    pub pressure: PressureLimits,
    /// How many producers may be known.
    pub producers: ProducerLimits,
    /// What each tenant may send in a second.
    pub rates: RateLimits,
    /// The data directory may take up this share of (its own size + what is free); `None`: no limit.
    pub disk_share: Option<f64>,
    /// Files that no version lists any more are kept this long for queries that still read them.
    pub grace: Duration,
    /// How often retention and sweeping are done.
    pub house_keeping: Duration,
    /// Options of the log engine.
    pub events: events::Options,
    /// Options of the span engine.
    pub spans: events::spans::Options,
    /// Options of the sample engine.
    pub series: series::Options,
    /// How many series each tenant may have.
    pub series_limits: SeriesLimits,
    /// The time.
    pub clock: Clock,
    /// The disk's space; `None`: not looked at.
    pub free_space: Option<FreeSpace>,
    /// Whether tasks apply, seal and merge by themselves. Without, a test calls each step.
    pub background: bool,
    /// For tests of records that crash the engine.
    pub before_apply: Option<BeforeApply>,
}

/// A seal is due when one of these is reached.
#[derive(Clone, Copy, Debug)]
pub struct SealLimits {
    /// Journal bytes since the last seal.
    pub journal_bytes: u64,
    /// Rows in the head.
    pub rows: u64,
    /// Memory that the head takes up.
    pub head_bytes: u64,
    /// Age of the head's oldest row.
    pub age: Duration,
}

/// A batch of a producer that is not known is refused beyond these. One incarnation of a sender's queue counts as one
/// producer, and is known until seven days after its last batch.
#[derive(Clone, Copy, Debug)]
pub struct ProducerLimits {
    /// Of one tenant.
    pub per_tenant: usize,
    /// Of all.
    pub total: usize,
}

/// What may be sent in a second, on average; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// Bytes of payload: OTLP, decompressed.
    pub bytes_per_second: Option<u64>,
    /// Records.
    pub records_per_second: Option<u64>,
}

/// The tenants' rate limits.
#[derive(Clone, Debug, Default)]
pub struct RateLimits {
    /// Of every tenant that is not named.
    pub every: RateLimit,
    /// Of those that are.
    pub of_tenant: BTreeMap<TenantId, RateLimit>,
}

/// How many series may be active, that is, may have had a sample within the last hour.
#[derive(Clone, Copy, Debug)]
pub struct SeriesLimits {
    /// Of one tenant.
    pub per_tenant: usize,
    /// Of one metric of a tenant.
    pub per_metric: usize,
}

impl Default for SeriesLimits {
    fn default() -> Self {
        Self { per_tenant: 1_000_000, per_metric: 500_000 }
    }
}

impl RateLimit {
    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What is not limited here is as `other` says.
    pub fn or(self, other: Self) -> Self {
        Self {
            bytes_per_second: self.bytes_per_second.or(other.bytes_per_second),
            records_per_second: self.records_per_second.or(other.records_per_second),
        }
    }
}

impl RateLimits {
    /// A tenant's own limit, else that of all.
    pub fn of(&self, tenant: &TenantId) -> RateLimit {
        self.of_tenant.get(tenant).copied().unwrap_or(self.every)
    }
}

/// Ingest is refused with "try again" beyond these.
#[derive(Clone, Copy, Debug)]
pub struct PressureLimits {
    /// Durable and not yet applied: this bounds how late a record becomes visible.
    pub lag_bytes: u64,
    /// Journal bytes since the last seal: this bounds replay and memory.
    pub journal_bytes: u64,
    /// Memory that the head of a partition takes up. Nothing is applied beyond it, either.
    pub head_bytes: u64,
    /// Free bytes that are left alone.
    pub min_free_bytes: u64,
    /// Free share of the disk that is left alone.
    pub min_free_share: f64,
}

impl StoreOptions {
    /// When to seal partitions of a kind.
    pub(super) fn seal_limits(&self, kind: Kind) -> &SealLimits {
        match kind {
            Kind::Logs => &self.seal,
            Kind::Samples => &self.seal_samples,
            Kind::Spans => &self.seal_spans,
        }
    }

    /// The program's defaults on these three stores.
    pub fn new(journals: Arc<dyn Journals>, blobs: Arc<dyn ObjectStore>, meta: Arc<dyn Meta>) -> Self {
        const DAY_NS: i64 = 24 * 3600 * 1_000_000_000;
        Self {
            lock: None,
            journals,
            blobs,
            blob_directory: None,
            meta,
            partitions: 1,
            items: ItemLimits {
                retention_ns: Some(15 * DAY_NS),
                future_max_ns: 3600 * 1_000_000_000,
                max_record_bytes: MAX_RECORD_BYTES,
            },
            seal: SealLimits {
                journal_bytes: 64 << 20,
                rows: 250_000,
                head_bytes: 128 << 20,
                age: Duration::from_secs(600),
            },
            seal_samples: SealLimits {
                // Half of where samples are pushed back: a seal takes a while, and ingest goes on meanwhile.
                journal_bytes: 128 << 20,
                rows: u64::MAX,
                head_bytes: 96 << 20,
                age: Duration::from_secs(1800),
            },
            seal_spans: SealLimits {
                // The head is most of what the collector holds under load; a seal's own cost is small.
                journal_bytes: 96 << 20,
                rows: 130_000,
                head_bytes: 128 << 20,
                age: Duration::from_secs(600),
            },
            pressure: PressureLimits {
                lag_bytes: 32 << 20,
                journal_bytes: 256 << 20,
                head_bytes: 384 << 20,
                min_free_bytes: 1 << 30,
                min_free_share: 0.02,
            },
            producers: ProducerLimits { per_tenant: 10_000, total: 100_000 },
            rates: RateLimits::default(),
            disk_share: Some(0.8),
            grace: Duration::from_secs(60),
            house_keeping: Duration::from_secs(30),
            events: events::Options::default(),
            // Eight seals are half of the largest split: merged then, and not again. A merge at fewer rows would make two
            // of them fit into one, and all be written twice.
            spans: events::spans::Options { merge_factor: 14, ..events::spans::Options::default() },
            series: series::Options::default(),
            series_limits: SeriesLimits::default(),
            clock: Arc::new(system_now_ns),
            free_space: None,
            background: true,
            before_apply: None,
        }
    }
}

/// The system's time.
pub fn system_now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::commit::{FileJournals, local_blobs};
    use meta::SqliteMeta;

    #[test]
    fn a_seal_is_due_long_before_anything_is_pushed_back() {
        let dir = tempfile::tempdir().unwrap();
        let journals = FileJournals::new(Arc::new(journal::OsDisk), dir.path().join("journal"));
        let blobs = local_blobs(&dir.path().join("blobs")).unwrap();
        let meta = SqliteMeta::open(&dir.path().join("meta.db")).unwrap();
        let options = StoreOptions::new(Arc::new(journals), blobs, Arc::new(meta));
        for kind in Kind::ALL {
            let seal = options.seal_limits(kind);
            assert!(2 * seal.journal_bytes <= options.pressure.journal_bytes, "{kind:?}");
            assert!(2 * seal.head_bytes <= options.pressure.head_bytes, "{kind:?}");
        }
    }
}
