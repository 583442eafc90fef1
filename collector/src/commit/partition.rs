//! One partition of the logs, of the samples or of the spans: a journal, the engine that its records are applied
//! to, and the version that the seal document names.
//!
//! Three turns, each taken by one task at a time: applying (journal → engine),
//! sealing (engine → files) and merging (files → fewer files; retention and sweeping
//! take it, too). `version` is locked only to commit, so that a long merge delays no
//! seal. Lock order: merging, sealing, version.

mod apply;
mod open;
mod retain;
mod seal;
mod status;
mod version;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use journal::{Journal, JournalError};
use parking_lot::Mutex;
use telemetry::{Batch, TenantId};
use tokio::sync::{Notify, watch};

use super::CommitError;
use super::derived::Outlet;
use super::engine::Engine;
use super::kind::PartitionId;
use super::options::StoreOptions;
use apply::Applied;
use status::Status;
use version::Committed;

pub use status::{PartitionStats, ProducerStats};

/// A partition that this process owns.
pub(super) struct Partition {
    id: PartitionId,
    epoch: u64,
    options: Arc<StoreOptions>,
    journal: Arc<dyn Journal>,
    engine: Engine,
    /// Where what the engine derives goes; of spans only.
    outlet: Option<Arc<Outlet>>,
    applying: tokio::sync::Mutex<()>,
    applied: Mutex<Applied>,
    /// The offset in `applied`, for those who wait for it.
    applied_offset: watch::Sender<u64>,
    sealing: tokio::sync::Mutex<()>,
    merging: tokio::sync::Mutex<()>,
    version: tokio::sync::Mutex<Committed>,
    /// What the committed version covers, for those who do not want to wait for a commit.
    sealed_offset: AtomicU64,
    status: Mutex<Status>,
    /// Journal bytes that are durable and not applied; about right while both go on, exact when caught up.
    lag_bytes: AtomicI64,
    /// `Applied::bytes`, for those who do not want to wait for a record to be applied.
    applied_bytes: AtomicU64,
    /// Memory of the engine's head, for those who do not want to wait for a record to be applied.
    head_bytes: AtomicU64,
    /// One measures at a time, so that the last figure is of the last state.
    measuring: Mutex<()>,
    /// Seals that were committed since the start.
    seals: AtomicU64,
    /// Merges, likewise.
    merges: AtomicU64,
    /// `Applied::bytes` at the last seal.
    sealed_bytes: AtomicU64,
    /// Wakes the task that seals, before its time.
    seal_due: Notify,
    /// Wakes the task that merges.
    merge_due: Notify,
}

impl Partition {
    /// The directory of blobs that this module writes: manifests and records set aside.
    fn blob_directory(id: PartitionId) -> String {
        format!("commit/{}/{}", id.kind.name(), id.number)
    }

    pub(super) fn id(&self) -> PartitionId {
        self.id
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Appends one batch; it is durable when this returns.
    pub(super) async fn append(&self, batch: &Batch) -> Result<u64, JournalError> {
        let record: Bytes = batch.encode();
        let size_bytes = record.len() as i64;
        // Before the append: the applier may take it off again before this task runs on.
        self.lag_bytes.fetch_add(size_bytes, Ordering::Relaxed);
        self.journal.append(record).await.inspect_err(|error| {
            self.lag_bytes.fetch_sub(size_bytes, Ordering::Relaxed);
            self.note_journal_error(error);
        })
    }

    /// Lets time pass for what is derived from the records, if that waits for it.
    pub(super) async fn tick(&self) -> Result<(), JournalError> {
        let now_ns = (self.options.clock)();
        if !self.engine.derived().is_some_and(|derived| derived.wants_tick(now_ns)) {
            return Ok(());
        }
        let tick = Batch {
            tenant: TenantId::default_tenant(),
            signal: self.id.kind.signal(),
            producer: None,
            received_at_ns: now_ns,
            payload: Bytes::new(),
        };
        self.append(&tick).await.map(drop)
    }

    /// What the store says of a journal's error.
    pub(super) fn journal_error(&self, source: JournalError) -> CommitError {
        CommitError::Journal { name: self.id.to_string(), source }
    }

    fn note_journal_error(&self, error: &JournalError) {
        if !matches!(error, JournalError::TooLarge { .. } | JournalError::Full { .. }) {
            self.fail(format!(
                "its journal stopped ({error}); restart the collector once the cause is mended"
            ));
        }
    }

    /// Durable and not yet applied.
    pub(super) fn lag_bytes(&self) -> u64 {
        self.lag_bytes.load(Ordering::Relaxed).max(0) as u64
    }

    /// Applied and not yet sealed: what a restart reads again.
    pub(super) fn unsealed_bytes(&self) -> u64 {
        let applied = self.applied_bytes.load(Ordering::Relaxed);
        applied.saturating_sub(self.sealed_bytes.load(Ordering::Relaxed))
    }

    /// Memory that the head takes up.
    pub(super) fn head_bytes(&self) -> u64 {
        self.head_bytes.load(Ordering::Relaxed)
    }

    /// Whether the head takes up so much that nothing may be added before it is sealed.
    pub(super) fn head_is_full(&self) -> bool {
        self.head_bytes() > self.options.pressure.head_bytes
    }

    /// To be called when the engine's head has changed.
    fn measure_head(&self) {
        let _turn = self.measuring.lock();
        self.head_bytes.store(self.engine.head_stats().bytes, Ordering::Relaxed);
    }

    /// What the journal takes up on its disk.
    pub(super) fn journal_bytes(&self) -> u64 {
        self.journal.size_bytes()
    }
}

/// Waiting, for the background tasks.
impl Partition {
    /// The first offset that is not durable yet.
    pub(super) fn journal_end(&self) -> u64 {
        self.journal.end()
    }

    /// Returns when there is something to apply.
    pub(super) async fn more(&self) {
        self.journal.wait(self.applied_offset() + 1).await;
    }

    /// Wakes the sealing task if the head has grown past its limits.
    pub(super) fn note_head(&self) {
        if self.seal_is_due_by_size() {
            self.seal_due.notify_one();
        }
    }

    /// Returns when a seal may be due.
    pub(super) async fn seal_wanted(&self, tick: Duration) {
        // Either way the caller looks.
        let _woken = tokio::time::timeout(tick, self.seal_due.notified()).await;
    }

    /// Returns when a merge may be worth it.
    pub(super) async fn merge_wanted(&self, tick: Duration) {
        let _woken = tokio::time::timeout(tick, self.merge_due.notified()).await;
    }
}
