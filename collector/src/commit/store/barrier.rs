//! Steps that are asked for from outside: the barrier, retention, sweeping. The
//! background tasks take the same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::Store;
use crate::commit::CommitError;
use crate::commit::engine::SealedFile;
use crate::commit::kind::PartitionId;

/// What the barrier reached.
#[derive(Clone, Debug)]
pub struct BarrierReport {
    /// By partition, up to where everything is in files.
    pub sealed_offsets: BTreeMap<PartitionId, u64>,
    /// How many files there are now.
    pub splits: usize,
    /// How long it took.
    pub took_ms: u64,
}

impl Store {
    /// Answers when everything that was acknowledged before the call is applied and sealed and, if
    /// asked for, merged to the fewest files per day.
    pub async fn barrier(&self, merge: bool) -> Result<BarrierReport, CommitError> {
        let started = Instant::now();
        let mut report = BarrierReport { sealed_offsets: BTreeMap::new(), splits: 0, took_ms: 0 };
        // Spans first: what is derived from them goes into the samples.
        for (id, partition) in self.partitions.iter().rev() {
            partition.tick().await.map_err(|source| partition.journal_error(source))?;
            partition.apply_until(partition.journal_end()).await?;
            partition.seal().await?;
            while merge && partition.merge(true).await? {}
            report.sealed_offsets.insert(*id, partition.sealed_offset());
            report.splits += partition.engine().files().len();
        }
        report.took_ms = started.elapsed().as_millis() as u64;
        Ok(report)
    }

    /// Drops files that are wholly older than the retention, and the oldest ones while the data takes
    /// up too much of the disk; answers how many. A partition that fails does not keep the others from it; the first
    /// failure is the answer.
    pub async fn retain(&self) -> Result<usize, CommitError> {
        let now_ns = (self.options.clock)();
        let mut files: Vec<(PartitionId, SealedFile)> = Vec::new();
        for (id, partition) in &self.partitions {
            files.extend(partition.committed_files().await.into_iter().map(|file| (*id, file)));
        }
        files.sort_by(|(_, a), (_, b)| (a.max_time_ns(), a.name()).cmp(&(b.max_time_ns(), b.name())));
        let by_age = self.options.items.retention_ns.map_or(0, |retention_ns| {
            files.partition_point(|(_, file)| file.max_time_ns() < now_ns.saturating_sub(retention_ns))
        });
        let due = &files[..by_age.max(self.too_many(&files, now_ns))];
        let (mut count, mut failed) = (0, Ok(()));
        for (id, partition) in &self.partitions {
            let of_partition = due.iter().filter(|(of, _)| of == id);
            let names: BTreeSet<String> = of_partition.map(|(_, file)| file.name().to_owned()).collect();
            if names.is_empty() {
                continue;
            }
            match partition.drop_files(&names).await {
                Ok(dropped) => {
                    count += dropped.len();
                    self.dropped.lock().extend(dropped.iter().map(|file| (now_ns, file.size_bytes())));
                }
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed.map(|()| count)
    }

    /// How many of the oldest files must go so that the rest keeps to its share of the disk.
    fn too_many(&self, files: &[(PartitionId, SealedFile)], now_ns: i64) -> usize {
        let (Some(share), Some(free_space)) = (self.options.disk_share, &self.options.free_space) else {
            return 0;
        };
        let Ok(space) = free_space() else { return 0 };
        let journals: u64 = self.partitions.values().map(|partition| partition.journal_bytes()).sum();
        let listed: u64 = files.iter().map(|(_, file)| file.size_bytes()).sum();
        // Files that were dropped a moment ago still take up room, which will be free.
        let grace_ns = 2 * self.options.grace.as_nanos() as i64;
        let mut dropped = self.dropped.lock();
        dropped.retain(|(at_ns, _)| now_ns.saturating_sub(*at_ns) < grace_ns);
        let going: u64 = dropped.iter().map(|(_, bytes)| bytes).sum();
        let allowed = ((journals + listed + going + space.free_bytes) as f64 * share) as u64;
        let mut size_bytes = journals + listed;
        let mut count = 0;
        for (_, file) in files {
            if size_bytes <= allowed {
                break;
            }
            size_bytes -= file.size_bytes();
            count += 1;
        }
        count
    }

    /// Deletes files that nothing needs any more and whose grace period is over, in every partition that can; the first
    /// failure is the answer.
    pub async fn sweep(&self) -> Result<(), CommitError> {
        let mut failed = Ok(());
        for partition in self.partitions.values() {
            failed = failed.and(partition.sweep().await);
        }
        failed
    }

    /// Applies everything that is durable now. For stores without a background.
    pub async fn apply(&self) -> Result<(), CommitError> {
        for partition in self.partitions.values().rev() {
            while partition.apply_chunk().await? > 0 {}
        }
        Ok(())
    }

    /// Seals one partition as far as it is applied. For stores without a background.
    pub async fn seal(&self, partition: PartitionId) -> Result<bool, CommitError> {
        match self.partitions.get(&partition) {
            Some(partition) => partition.seal().await,
            None => Ok(false),
        }
    }

    /// Does one merge in one partition, if one is worth it. For stores without a background.
    pub async fn merge(&self, partition: PartitionId, all: bool) -> Result<bool, CommitError> {
        match self.partitions.get(&partition) {
            Some(partition) => partition.merge(all).await,
            None => Ok(false),
        }
    }
}
