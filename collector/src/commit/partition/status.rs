//! What a partition says about itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use telemetry::{Batch, TenantId};

use super::Partition;
use crate::commit::CommitError;
use crate::commit::kind::PartitionId;
use crate::commit::manifest::Aside;
use crate::commit::windows::{Window, WindowKey};

/// Why a partition does not work as it should.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// It accepts and commits nothing until the process is restarted.
    pub(super) failed: Option<String>,
    /// The last seal or merge that failed, until one succeeds.
    pub(super) last_error: Option<String>,
}

/// A partition in numbers.
#[derive(Clone, Debug)]
pub struct PartitionStats {
    /// Which it is.
    pub partition: PartitionId,
    /// The epoch of this owner.
    pub epoch: u64,
    /// The first journal offset that is not durable yet.
    pub journal_end: u64,
    /// Everything up to this offset can be found.
    pub applied_offset: u64,
    /// Everything up to this offset is in files.
    pub sealed_offset: u64,
    /// Durable and not applied.
    pub lag_bytes: u64,
    /// What the journal takes up.
    pub journal_bytes: u64,
    /// Rows that are not in files yet.
    pub head_rows: u64,
    /// Memory that they take up.
    pub head_bytes: u64,
    /// Memory of what derives series from its records; 0 where nothing does.
    pub derived_bytes: u64,
    /// Seals since the start.
    pub seals: u64,
    /// Merges since the start.
    pub merges: u64,
    /// Batches that had been applied before.
    pub duplicates: u64,
    /// Records that could not be applied.
    pub aside_total: u64,
    /// The first of them.
    pub aside: Vec<Aside>,
    /// The newest `received_at` that was applied, since the system clock was last set back; 0 before the first.
    pub last_received_at_ns: i64,
    /// The last seal or merge that failed, until one succeeds.
    pub last_error: Option<String>,
}

/// A sender of numbered batches.
#[derive(Clone, Debug)]
pub struct ProducerStats {
    /// Whose items it sends.
    pub tenant: TenantId,
    /// Its name.
    pub id: Arc<str>,
    /// The incarnation of its queue.
    pub epoch: u64,
    /// The highest number that was applied.
    pub highest_seq: u64,
    /// When its newest batch was received, ns since 1970.
    pub last_received_at_ns: i64,
    /// How often a process came back after another one had sent on the same epoch: not 0 means two
    /// live agents on one queue, or on copies of it.
    pub returns: u32,
}

impl Partition {
    /// Stops accepting and committing; the first reason stays.
    pub(in crate::commit) fn fail(&self, reason: String) {
        let mut status = self.status.lock();
        if status.failed.is_none() {
            tracing::error!(partition = %self.id, reason, "the partition has stopped");
            status.failed = Some(reason);
        }
    }

    /// Why it has stopped, if it has.
    pub(in crate::commit) fn failed(&self) -> Option<String> {
        self.status.lock().failed.clone()
    }

    /// An error if it has stopped.
    pub(in crate::commit) fn check(&self) -> Result<(), CommitError> {
        self.failed().map_or(Ok(()), |reason| Err(CommitError::Stopped(reason)))
    }

    /// Notes how a seal or merge went, for health.
    pub(in crate::commit) fn note<T>(&self, outcome: &Result<T, CommitError>) {
        let mut status = self.status.lock();
        match outcome {
            Ok(_) => status.last_error = None,
            Err(error) => {
                tracing::error!(partition = %self.id, %error, source = ?std::error::Error::source(error), "cannot commit");
                status.last_error = Some(error.to_string());
            }
        }
    }

    /// Who may send numbered batches to it: the keys of its windows.
    pub(in crate::commit) fn window_keys(&self) -> Vec<WindowKey> {
        self.applied.lock().windows.iter().map(|(key, _)| key.clone()).collect()
    }

    /// Whether a numbered batch is one that was applied before.
    pub(in crate::commit) fn has_applied(&self, batch: &Batch) -> bool {
        self.applied.lock().windows.is_applied(batch)
    }

    /// Who sent numbered batches, as far as `keep` wants to know.
    pub(in crate::commit) fn producers(&self, keep: impl Fn(&Window) -> bool) -> Vec<ProducerStats> {
        let applied = self.applied.lock();
        let kept = applied.windows.iter().filter(|(_, window)| keep(window));
        let stats = kept.map(|(key, window)| ProducerStats {
            tenant: key.tenant.clone(),
            id: Arc::clone(&key.producer),
            epoch: key.epoch,
            highest_seq: window.highest,
            last_received_at_ns: window.last_received_at_ns,
            returns: window.returns,
        });
        stats.collect()
    }

    pub(in crate::commit) fn stats(&self) -> PartitionStats {
        let head = self.engine.head_stats();
        let derived_bytes = self.engine.derived().map_or(0, |derived| derived.size_bytes() as u64);
        let applied = self.applied.lock();
        PartitionStats {
            partition: self.id,
            epoch: self.epoch,
            journal_end: self.journal.end(),
            applied_offset: applied.offset,
            sealed_offset: self.sealed_offset(),
            lag_bytes: self.lag_bytes(),
            journal_bytes: self.journal_bytes(),
            head_rows: head.rows,
            head_bytes: head.bytes,
            derived_bytes,
            seals: self.seals.load(Ordering::Relaxed),
            merges: self.merges.load(Ordering::Relaxed),
            duplicates: applied.duplicates,
            aside_total: applied.aside_total,
            aside: applied.aside.clone(),
            last_received_at_ns: applied.windows.newest_ns(),
            last_error: self.status.lock().last_error.clone(),
        }
    }
}
