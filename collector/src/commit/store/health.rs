//! What the store says about itself: to probes, to the UI, to metrics.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use events::DamagedSplit;

use super::Store;
use crate::commit::divide::Refusal;
use crate::commit::partition::{PartitionStats, ProducerStats};
use crate::commit::windows::Window;

/// Whether it works.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether it accepts and answers.
    pub ready: bool,
    /// What is wrong, for people; may hold something although it is ready.
    pub reasons: Vec<String>,
    /// Sealed files that were set aside.
    pub damaged: Vec<DamagedSplit>,
    /// Durable and not yet visible, of the partition that is most behind.
    pub lag_bytes: u64,
}

/// What it holds.
#[derive(Clone, Debug)]
pub struct StoreStats {
    /// Records that queries can find.
    pub records: u64,
    /// When the newest batch was received, ns since 1970.
    pub last_received_at_ns: Option<i64>,
    /// Bytes of sealed files.
    pub files_bytes: u64,
    /// Bytes of journals.
    pub journal_bytes: u64,
    /// Sealed files.
    pub splits: u64,
    /// By tenant.
    pub tenants: BTreeMap<String, TenantStats>,
    /// Who sent numbered batches within the last seven days.
    pub producers: Vec<ProducerStats>,
    /// By partition.
    pub partitions: Vec<PartitionStats>,
    /// Items accepted since the start.
    pub accepted: u64,
    /// Items refused since the start, by reason.
    pub refused: BTreeMap<Refusal, u64>,
}

/// A tenant's share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantStats {
    /// Records that queries can find.
    pub records: u64,
    /// Bytes of its sealed files.
    pub size_bytes: u64,
    /// How many they are.
    pub splits: u64,
}

impl Store {
    /// Whether it works, and what is wrong.
    pub fn health(&self) -> Health {
        let mut health = Health { ready: true, reasons: Vec::new(), damaged: Vec::new(), lag_bytes: 0 };
        if self.disk_is_low.load(Ordering::Relaxed) {
            health.not_ready(
                "the disk is nearly full: nothing is accepted until there is room again".to_owned(),
            );
        }
        for partition in self.partitions.values() {
            let (number, stats) = (partition.number(), partition.stats());
            if let Some(reason) = partition.failed() {
                health.not_ready(format!("logs partition {number} has stopped: {reason}"));
            } else if partition.unsealed_bytes() > self.options.pressure.journal_bytes
                || partition.head_is_full()
            {
                health.not_ready(format!("logs partition {number} cannot seal fast enough"));
            }
            if let Some(error) = stats.last_error {
                health.reasons.push(format!("logs partition {number}: {error}"));
            }
            if stats.aside_total > 0 {
                let offsets: Vec<u64> = stats.aside.iter().take(5).map(|aside| aside.offset).collect();
                health.reasons.push(format!(
                    "logs partition {number}: {} records could not be applied and were set aside, the first at {offsets:?}",
                    stats.aside_total
                ));
            }
            health.lag_bytes = health.lag_bytes.max(stats.lag_bytes);
            health.damaged.extend(partition.engine().damaged());
        }
        for split in &health.damaged {
            health.reasons.push(format!("the sealed file {} is damaged: {}", split.name, split.reason));
        }
        for producer in self.producers(|window| window.returns > 0) {
            health.reasons.push(format!(
                "producer {} of tenant {} (epoch {:x}) is two live agents: stop one, or delete the queue directory of the copy",
                producer.id, producer.tenant, producer.epoch
            ));
        }
        health
    }

    /// What it holds.
    pub fn stats(&self) -> StoreStats {
        let partitions: Vec<_> = self.partitions.values().map(|partition| partition.stats()).collect();
        let mut tenants: BTreeMap<String, TenantStats> = BTreeMap::new();
        for partition in self.partitions.values() {
            for (tenant, rows) in partition.engine().rows_by_tenant() {
                tenants.entry(tenant).or_default().records += rows;
            }
            for file in partition.engine().files() {
                let tenant = tenants.entry(file.tenant).or_default();
                tenant.size_bytes += file.size_bytes;
                tenant.splits += 1;
            }
        }
        let last = partitions.iter().map(|partition| partition.last_received_at_ns).max();
        StoreStats {
            records: tenants.values().map(|tenant| tenant.records).sum(),
            last_received_at_ns: last.filter(|at| *at > 0),
            files_bytes: tenants.values().map(|tenant| tenant.size_bytes).sum(),
            journal_bytes: partitions.iter().map(|partition| partition.journal_bytes).sum(),
            splits: tenants.values().map(|tenant| tenant.splits).sum(),
            tenants,
            producers: self.producers(|_| true),
            partitions,
            accepted: self.counters.accepted(),
            refused: self.counters.refused(),
        }
    }

    fn producers(&self, keep: impl Fn(&Window) -> bool) -> Vec<ProducerStats> {
        self.partitions.values().flat_map(|partition| partition.producers(&keep)).collect()
    }
}

impl Health {
    fn not_ready(&mut self, reason: String) {
        self.ready = false;
        self.reasons.push(reason);
    }
}
