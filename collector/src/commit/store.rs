//! The store: every partition that exists, of logs, of samples and of spans, behind one front.

mod barrier;
mod health;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use telemetry::TenantId;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::CommitError;
use super::accept::{ActiveSeries, Counters, InFlight, Producers, Rates};
use super::blobs::remove_half_written;
use super::derived::{Outlet, PRODUCER_PREFIX, is_derived};
use super::document::{PREFIX, SealDocument};
use super::engine::Engine;
use super::kind::{Kind, PartitionId};
use super::lock::DirectoryLock;
use super::options::{RateLimit, SeriesLimits, StoreOptions};
use super::partition::Partition;
use super::route::Routes;

pub use barrier::BarrierReport;
pub use health::{Health, StoreStats, TenantStats};

/// How long each task may take for its last step when the store shuts down.
const LAST_STEP: Duration = Duration::from_secs(3);

/// Accepts batches durably, applies them, seals and merges what was applied, and says what queries may read.
pub struct Store {
    pub(super) options: Arc<StoreOptions>,
    /// All that exist, by kind and number; numbers past `options.partitions` are served, too.
    pub(super) partitions: BTreeMap<PartitionId, Arc<Partition>>,
    /// Of the logs.
    pub(super) routes: Routes,
    pub(super) active: ActiveSeries,
    pub(super) counters: Counters,
    pub(super) in_flight: InFlight,
    pub(super) producers: Producers,
    pub(super) rates: Rates,
    pub(super) disk_is_low: AtomicBool,
    /// Bytes of files that were dropped and may still be on the disk, with the time they were dropped.
    dropped: Mutex<Vec<(i64, u64)>>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    _lock: Option<DirectoryLock>,
}

impl Store {
    /// Opens every partition that exists, and those that are asked for. Everything acknowledged before
    /// is applied when this returns.
    pub async fn open(options: StoreOptions) -> Result<Arc<Self>, CommitError> {
        let options = Arc::new(options);
        let lock = options.lock.as_deref().map(DirectoryLock::acquire).transpose()?;
        if let Some(directory) = &options.blob_directory {
            remove_half_written(directory)?;
        }
        let mut partitions: BTreeMap<PartitionId, Arc<Partition>> = BTreeMap::new();
        for id in existing(&options).await? {
            // All partitions of the samples are open by then: that is how kinds are ordered.
            let outlet = (id.kind == Kind::Spans).then(|| {
                let samples = partitions.values().filter(|partition| partition.id().kind == Kind::Samples);
                Arc::new(Outlet::new(&options, samples.cloned().collect()))
            });
            let partition = Arc::new(Partition::open(Arc::clone(&options), id, outlet).await?);
            partition.replay().await?;
            partitions.insert(id, partition);
        }
        let keys = partitions.values().map(|partition| (partition.id(), partition.window_keys()));
        let keys: Vec<_> = keys.collect();
        let known = keys.iter().flat_map(|(_, keys)| keys.iter().cloned());
        let known = known.filter(|key| !key.producer.starts_with(PRODUCER_PREFIX));
        let producers = Producers::new(options.producers, known);
        let of_logs = keys.iter().filter(|(id, _)| id.kind == Kind::Logs);
        let keys = of_logs.flat_map(|(id, keys)| keys.iter().map(|key| (id.number, key)));
        let store = Arc::new(Self {
            routes: Routes::new(options.partitions, keys),
            active: ActiveSeries::new(options.series_limits),
            counters: Counters::default(),
            in_flight: InFlight::default(),
            producers,
            rates: Rates::new(options.rates.clone()),
            disk_is_low: AtomicBool::new(false),
            dropped: Mutex::default(),
            stop: watch::Sender::new(false),
            tasks: Mutex::default(),
            partitions,
            options,
            _lock: lock,
        });
        store.look_at_disk();
        store.note_active_series().await;
        if store.options.background {
            store.start_tasks();
        }
        Ok(store)
    }

    /// What a query of this tenant reads: one consistent version per partition.
    pub fn snapshots(&self, tenant: &TenantId) -> Vec<events::Snapshot> {
        self.log_engines().map(|(_, engine)| engine.snapshot(tenant)).collect()
    }

    /// What a query of this tenant's spans reads: one consistent version per partition.
    pub fn span_snapshots(&self, tenant: &TenantId) -> Vec<events::spans::Snapshot> {
        let engines = self.partitions.values().filter_map(|partition| match partition.engine() {
            Engine::Spans(engine, _) => Some(engine),
            Engine::Logs(_) | Engine::Samples(_) => None,
        });
        engines.map(|engine| engine.snapshot(tenant)).collect()
    }

    /// Follows this tenant's records, those to come or those behind a row per partition that was passed before.
    pub fn tails(&self, tenant: &TenantId, after: &BTreeMap<u16, u64>) -> Vec<events::Tail> {
        self.log_engines().map(|(number, engine)| engine.tail(tenant, after.get(&number).copied())).collect()
    }

    /// How long data is kept; `None` is for ever.
    pub fn retention(&self) -> Option<Duration> {
        let ns = self.options.items.retention_ns?;
        Some(Duration::from_nanos(u64::try_from(ns).unwrap_or(0)))
    }

    /// What the tenant of this name may send, and how many series it may have.
    pub fn limits_of(&self, tenant: &str) -> (RateLimit, SeriesLimits) {
        let rate = TenantId::new(tenant).map_or(self.options.rates.every, |id| self.options.rates.of(&id));
        (rate, self.options.series_limits)
    }

    /// What a PromQL query of this tenant reads: one consistent version of its series.
    pub fn series(&self, tenant: &TenantId) -> series::Snapshots {
        series::Snapshots(self.sample_engines().map(|engine| engine.snapshot(tenant)).collect())
    }

    /// Deletes of a tenant that no merge has carried out yet.
    pub fn pending_deletes(&self, tenant: &TenantId) -> usize {
        self.sample_engines().map(|engine| engine.pending_deletes(tenant)).max().unwrap_or(0)
    }

    /// The set of active series as it is stored, so that the limits hold after a restart, too.
    async fn note_active_series(&self) {
        const HOUR_MS: i64 = 3_600_000;
        let now_ns = (self.options.clock)();
        let now_ms = now_ns / 1_000_000;
        let names = self.sample_engines().flat_map(|engine| engine.rows_by_tenant().into_keys());
        let names: BTreeSet<String> = names.collect();
        for tenant in names.iter().filter_map(|name| TenantId::new(name).ok()) {
            let stored = self.series(&tenant);
            let read = move || stored.series(&[Vec::new()], now_ms - HOUR_MS, i64::MAX, usize::MAX);
            // Reading files blocks.
            match tokio::task::spawn_blocking(read).await {
                Ok(Ok(found)) => {
                    let series = self.active.of(&tenant);
                    let mut active = series.at(now_ns);
                    // One over the limit is there all the same; it only does not count.
                    let of_senders = found.iter().filter(|labels| !labels.metric().is_some_and(is_derived));
                    of_senders.for_each(|labels| drop(active.admit(labels.hash64(), labels.iter())));
                }
                Ok(Err(error)) => tracing::warn!(%tenant, %error, "cannot count the series that are stored"),
                Err(error) => tracing::error!(%tenant, %error, "counting the series that are stored failed"),
            }
        }
    }

    fn log_engines(&self) -> impl Iterator<Item = (u16, &events::Partition)> {
        self.partitions.iter().filter_map(|(id, partition)| match partition.engine() {
            Engine::Logs(engine) => Some((id.number, engine)),
            Engine::Samples(_) | Engine::Spans(..) => None,
        })
    }

    pub(super) fn sample_engines(&self) -> impl Iterator<Item = &series::Partition> {
        self.partitions.values().filter_map(|partition| match partition.engine() {
            Engine::Samples(engine) => Some(engine),
            Engine::Logs(_) | Engine::Spans(..) => None,
        })
    }

    /// Accepts nothing more, applies what was acknowledged, and ends the tasks. What is not sealed is
    /// replayed at the next start.
    pub async fn shutdown(self: Arc<Self>) {
        self.in_flight.close().await;
        // Spans first: what is derived from them goes into the samples.
        for partition in self.partitions.values().rev() {
            // What stops applying is in the partition's status; the journal keeps the rest.
            while matches!(partition.apply_chunk().await, Ok(records) if records > 0) {}
        }
        self.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in tasks {
            let abort = task.abort_handle();
            match tokio::time::timeout(LAST_STEP, task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a task of the store had ended badly"),
                // A seal or merge that is cut off is one that a crash cut off: the next start sweeps it up.
                Err(_late) => abort.abort(),
            }
        }
    }

    /// Compares the list of known producers with the windows that there are; the background does so every half minute.
    pub fn refresh_producers(&self) {
        // Before the windows are read: what is admitted meanwhile is newer than them.
        let turn = self.producers.next_turn();
        for partition in self.partitions.values() {
            let keys = partition.window_keys().into_iter();
            self.producers.note_windows(keys.filter(|key| !key.producer.starts_with(PRODUCER_PREFIX)));
        }
        self.producers.forget_before(turn);
    }

    /// Looks at the disk's free space now; the background does so every second.
    pub fn look_at_disk(&self) {
        let Some(free_space) = &self.options.free_space else { return };
        match free_space() {
            Ok(space) => {
                let low = space.is_low(&self.options.pressure);
                if self.disk_is_low.swap(low, Ordering::Relaxed) != low {
                    tracing::warn!(
                        low,
                        free_bytes = space.free_bytes,
                        "free space of the data directory's disk"
                    );
                }
            }
            Err(error) => tracing::warn!(%error, "cannot ask for the disk's free space"),
        }
    }
}

/// The partitions to open: those with a seal document, and `0..partitions`.
async fn existing(options: &StoreOptions) -> Result<BTreeSet<PartitionId>, CommitError> {
    let listed = options.meta.list(PREFIX).await?;
    let documents: BTreeSet<PartitionId> =
        listed.iter().filter_map(|(key, _)| SealDocument::partition(key)).collect();
    let journals = super::heavy::heavy(|| options.journals.existing())
        .map_err(|source| CommitError::Journal { name: "*".to_owned(), source })?;
    // The document is written before the journal is made, so a journal alone means a lost document.
    let lost =
        journals.into_iter().find(|name| PartitionId::parse(name).is_some_and(|id| !documents.contains(&id)));
    match lost {
        Some(name) => Err(CommitError::NoDocument { name }),
        None => {
            let numbers = 0..options.partitions.max(1);
            let wanted = numbers.flat_map(|number| Kind::ALL.map(|kind| PartitionId { kind, number }));
            Ok(documents.into_iter().chain(wanted).collect())
        }
    }
}
