//! Sealing and merging: data files first, then one commit, then the journal's end
//! that nobody needs any more.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::Partition;
use super::apply::Applied;
use crate::commit::CommitError;
use crate::commit::engine::{MergeOutcome, SealedFile};
use crate::commit::heavy::heavy;
use crate::commit::manifest::Manifest;

/// A manifest without files, the records set aside, the journal bytes so far.
type Cut = (Manifest, Vec<(u64, Bytes)>, u64);

impl Partition {
    /// Whether a seal is due by size, rows or age.
    pub(in crate::commit) fn seal_is_due(&self) -> bool {
        let oldest_ns = self.engine.head_stats().oldest_received_at_ns;
        let age_ns = oldest_ns.map_or(0, |oldest_ns| (self.options.clock)().saturating_sub(oldest_ns));
        age_ns >= self.options.seal_limits(self.id.kind).age.as_nanos() as i64 || self.seal_is_due_by_size()
    }

    pub(super) fn seal_is_due_by_size(&self) -> bool {
        let limits = self.options.seal_limits(self.id.kind);
        // A head that is full must be sealed whatever the other limit says: nothing else makes room.
        let head_bytes = limits.head_bytes.min(self.options.pressure.head_bytes);
        self.unsealed_bytes() >= limits.journal_bytes
            || self.head_bytes() >= head_bytes
            || self.engine.head_stats().rows >= limits.rows
    }

    /// Seals everything that is applied now; answers whether there was anything.
    pub(in crate::commit) async fn seal(&self) -> Result<bool, CommitError> {
        let _turn = self.sealing.lock().await;
        self.check()?;
        self.settle_pending().await?;
        let (offset, bytes) = {
            let applied = self.applied.lock();
            (applied.offset, applied.bytes)
        };
        if offset == self.sealed_offset() {
            self.forget_sealed(Some(bytes)).await;
            return Ok(false);
        }
        let (cut, records, bytes) = {
            // The state tells that what was derived is emitted; so that must be durable before.
            let _turn = self.applying.lock().await;
            self.deliver_derived().await?;
            // The state of many series takes a while to write down.
            heavy(|| self.cut())?
        };
        let upto = cut.sealed_offset;
        let added = self.engine.seal(self.epoch, upto).await?;
        let sealed = self.commit_seal(cut, &added, &records).await;
        self.let_go(&sealed, &added).await;
        // If the outcome is unknown, the journal keeps everything from the last version that is known.
        self.forget_sealed(sealed.is_ok().then_some(bytes)).await;
        self.seals.fetch_add(u64::from(matches!(sealed, Ok(true))), Ordering::Relaxed);
        self.merge_due.notify_one();
        sealed
    }

    async fn commit_seal(
        &self,
        cut: Manifest,
        added: &[SealedFile],
        records: &[(u64, Bytes)],
    ) -> Result<bool, CommitError> {
        for (offset, record) in records {
            let name = format!("{}/{offset:016x}.record", Self::blob_directory(self.id));
            self.put_blob(&name, record.clone()).await?;
        }
        self.commit(|current| {
            let files = current.files.iter().chain(added).cloned().collect();
            Some(Manifest { files, ..cut })
        })
        .await
    }

    /// Files that certainly were not committed may be swept up.
    async fn let_go(&self, outcome: &Result<bool, CommitError>, added: &[SealedFile]) {
        if outcome.is_err() && self.version.lock().await.pending.is_none() {
            self.engine.discard(added);
        }
    }

    /// What is applied now.
    fn cut(&self) -> Result<Cut, CommitError> {
        let mut applied = self.applied.lock();
        applied.windows.sweep();
        let Applied { offset, windows, aside, aside_total, aside_records, duplicates, bytes, .. } = &*applied;
        let manifest = Manifest {
            partition: self.id,
            epoch: self.epoch,
            sealed_offset: *offset,
            files: Vec::new(),
            windows: windows.clone(),
            aside: aside.clone(),
            aside_total: *aside_total,
            duplicates: *duplicates,
            state: self.engine.state()?,
        };
        Ok((manifest, aside_records.clone(), *bytes))
    }

    /// Lets go of what only unsealed records need; `bytes` were applied up to the sealed offset.
    async fn forget_sealed(&self, bytes: Option<u64>) {
        let offset = self.sealed_offset();
        if let Some(bytes) = bytes {
            self.sealed_bytes.store(bytes, Ordering::Relaxed);
        }
        self.applied.lock().aside_records.retain(|(record, _)| *record > offset);
        self.truncate_journal(offset).await;
    }

    /// Lets the journal forget what is sealed. A failure costs only room: the next seal tries again.
    pub(super) async fn truncate_journal(&self, sealed_offset: u64) {
        if let Err(error) = self.journal.truncate(sealed_offset + 1).await {
            tracing::warn!(partition = %self.id, %error, "cannot remove sealed journal segments; tried again later");
        }
    }

    /// Does one merge, if one is worth it; `all` forces down to the fewest files. Answers whether there may be more.
    pub(in crate::commit) async fn merge(&self, all: bool) -> Result<bool, CommitError> {
        let _turn = self.merging.lock().await;
        self.check()?;
        self.settle_pending().await?;
        let (added, removed) = match self.engine.merge(self.epoch, all).await? {
            MergeOutcome::Nothing => return Ok(false),
            MergeOutcome::Damaged => return Ok(true),
            MergeOutcome::Merged { added, removed } => (added, removed),
        };
        let committed = self.commit(|current| {
            let files = current.files.iter().filter(|file| !removed.contains(file.name())).cloned();
            let files: Vec<_> = files.chain(added.iter().cloned()).collect();
            // Offset and windows stay those of the last seal: a merge changes no state but the files.
            Some(Manifest { files, ..current.clone() })
        });
        let committed = committed.await;
        self.let_go(&committed, &added).await;
        self.merges.fetch_add(u64::from(matches!(committed, Ok(true))), Ordering::Relaxed);
        committed
    }

    /// The offset that the committed version covers.
    pub(in crate::commit) fn sealed_offset(&self) -> u64 {
        self.sealed_offset.load(Ordering::Acquire)
    }

    pub(super) async fn settle_pending(&self) -> Result<(), CommitError> {
        let mut committed = self.version.lock().await;
        self.settle(&mut committed).await
    }
}
