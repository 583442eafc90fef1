//! What the store says about itself: to probes, to the UI, to metrics.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::Store;
use crate::commit::derived::PRODUCER_PREFIX;
use crate::commit::divide::Refusal;
use crate::commit::engine::{DamagedFile, SealedFile};
use crate::commit::kind::Kind;
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
    pub damaged: Vec<DamagedFile>,
    /// Durable and not yet visible, of the partition that is most behind.
    pub lag_bytes: u64,
}

/// What it holds.
#[derive(Clone, Debug)]
pub struct StoreStats {
    /// Log records that queries can find.
    pub records: u64,
    /// Samples that queries can find.
    pub samples: u64,
    /// Spans that queries can find.
    pub spans: u64,
    /// When the newest batch was received, ns since 1970.
    pub last_received_at_ns: Option<i64>,
    /// Bytes of sealed files.
    pub files_bytes: u64,
    /// Bytes of journals.
    pub journal_bytes: u64,
    /// Sealed files of log records.
    pub splits: u64,
    /// Sealed files of samples.
    pub segments: u64,
    /// Sealed files of spans.
    pub span_splits: u64,
    /// By tenant.
    pub tenants: BTreeMap<String, TenantStats>,
    /// Who sent numbered batches within the last seven days.
    pub producers: Vec<ProducerStats>,
    /// By partition.
    pub partitions: Vec<PartitionStats>,
    /// What the sample engines left out since the start: increases that are no numbers, families past a cap.
    pub left_out: series::LeftOut,
    /// Items accepted since the start.
    pub accepted: u64,
    /// Items refused since the start, by reason.
    pub refused: BTreeMap<Refusal, u64>,
}

/// A tenant's share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantStats {
    /// Log records that queries can find.
    pub records: u64,
    /// Samples that queries can find.
    pub samples: u64,
    /// Spans that queries can find.
    pub spans: u64,
    /// Series that had a sample within the last hour.
    pub active_series: u64,
    /// Bytes of its sealed files of log records.
    pub size_bytes: u64,
    /// How many those are.
    pub splits: u64,
    /// Bytes of its sealed files of samples.
    pub segments_bytes: u64,
    /// How many those are.
    pub segments: u64,
    /// Bytes of its sealed files of spans.
    pub spans_bytes: u64,
    /// How many those are.
    pub span_splits: u64,
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
            let (id, stats) = (partition.id(), partition.stats());
            let id = format!("{} partition {}", id.kind.name(), id.number);
            if let Some(reason) = partition.failed() {
                health.not_ready(format!("{id} has stopped: {reason}"));
            } else if partition.unsealed_bytes() > self.options.pressure.journal_bytes
                || partition.head_is_full()
            {
                health.not_ready(format!("{id} cannot seal fast enough"));
            }
            if let Some(error) = stats.last_error {
                health.reasons.push(format!("{id}: {error}"));
            }
            if stats.aside_total > 0 {
                let offsets: Vec<u64> = stats.aside.iter().take(5).map(|aside| aside.offset).collect();
                health.reasons.push(format!(
                    "{id}: {} records could not be applied and were set aside, the first at {offsets:?}",
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
                let tenant = tenants.entry(tenant).or_default();
                match partition.id().kind {
                    Kind::Logs => tenant.records += rows,
                    Kind::Samples => tenant.samples += rows,
                    Kind::Spans => tenant.spans += rows,
                }
            }
            for file in partition.engine().files() {
                tenants.entry(file.tenant().to_owned()).or_default().count(partition.id().kind, &file);
            }
        }
        for (tenant, count) in self.active.counts((self.options.clock)()) {
            tenants.entry(tenant.as_str().to_owned()).or_default().active_series = count;
        }
        let last = partitions.iter().map(|partition| partition.last_received_at_ns).max();
        StoreStats {
            records: tenants.values().map(|tenant| tenant.records).sum(),
            samples: tenants.values().map(|tenant| tenant.samples).sum(),
            spans: tenants.values().map(|tenant| tenant.spans).sum(),
            segments: tenants.values().map(|tenant| tenant.segments).sum(),
            span_splits: tenants.values().map(|tenant| tenant.span_splits).sum(),
            last_received_at_ns: last.filter(|at| *at > 0),
            files_bytes: tenants.values().map(TenantStats::files_bytes).sum(),
            journal_bytes: partitions.iter().map(|partition| partition.journal_bytes).sum(),
            splits: tenants.values().map(|tenant| tenant.splits).sum(),
            tenants,
            producers: self.producers(|_| true),
            partitions,
            left_out: self.left_out(),
            accepted: self.counters.accepted(),
            refused: self.counters.refused(),
        }
    }

    fn left_out(&self) -> series::LeftOut {
        let mut all = series::LeftOut::default();
        for one in self.sample_engines().map(series::Partition::left_out) {
            all.increases += one.increases;
            all.families += one.families;
        }
        all
    }

    fn producers(&self, keep: impl Fn(&Window) -> bool) -> Vec<ProducerStats> {
        let all = self.partitions.values().flat_map(|partition| partition.producers(&keep));
        // The collector itself is no sender.
        all.filter(|producer| !producer.id.starts_with(PRODUCER_PREFIX)).collect()
    }
}

impl TenantStats {
    fn files_bytes(&self) -> u64 {
        self.size_bytes + self.segments_bytes + self.spans_bytes
    }

    fn count(&mut self, kind: Kind, file: &SealedFile) {
        let (bytes, files) = match kind {
            Kind::Logs => (&mut self.size_bytes, &mut self.splits),
            Kind::Samples => (&mut self.segments_bytes, &mut self.segments),
            Kind::Spans => (&mut self.spans_bytes, &mut self.span_splits),
        };
        *bytes += file.size_bytes();
        *files += 1;
    }
}

impl Health {
    fn not_ready(&mut self, reason: String) {
        self.ready = false;
        self.reasons.push(reason);
    }
}
