//! What a journal of spans tells besides its spans: series of services and calls (`derive`), appended to the
//! samples as numbered batches, so that a replay neither doubles nor resets them.
//!
//! The consumer is part of the engine of a spans partition: it applies the same records under the same lock, and
//! its state goes into the same manifest. What it emits waits in order until it is durable in the samples'
//! journals; no manifest is committed before that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;
use telemetry::{Batch, Producer, Signal};

use super::CommitError;
use super::accept::ActiveSeries;
use super::divide::{ItemLimits, MAX_RECORD_BYTES, divide_samples};
use super::kind::PartitionId;
use super::options::{SeriesLimits, StoreOptions};
use super::partition::Partition;

/// How the ids of this module's producers begin; nobody else may use such.
pub(super) const PRODUCER_PREFIX: &str = "derive/";

/// Whether a metric is one that is derived; those count towards no tenant's limit.
pub(super) fn is_derived(metric: &str) -> bool {
    const PREFIXES: [&str; 5] =
        ["narrows_red_", "narrows_edge_", "narrows_spans_", "traces_spanmetrics_", "traces_service_graph_"];
    PREFIXES.iter().any(|prefix| metric.starts_with(prefix))
}

/// How many batches one journal record may make: the seq counts them in its low bits.
const PART_BITS: u32 = 16;

/// The consumer of one partition of spans.
pub(super) struct Derived {
    id: PartitionId,
    producer: Arc<str>,
    consumer: Mutex<derive::Spans>,
    waiting: Mutex<Waiting>,
}

/// Emitted, and not known to be durable yet; oldest first.
#[derive(Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    bytes: usize,
}

/// Nothing more is applied before so much is delivered: a replay emits all at once what took hours.
const FULL_BYTES: usize = 4 << 20;

impl Derived {
    pub(super) fn new(id: PartitionId) -> Self {
        let consumer = derive::Spans::new(id.number, derive::Options::default());
        Self {
            id,
            producer: Arc::from(format!("{PRODUCER_PREFIX}{id}")),
            consumer: Mutex::new(consumer),
            waiting: Mutex::default(),
        }
    }

    /// At start: what `state` gave at the last seal; empty before the first.
    pub(super) fn recover(&self, state: &[u8]) -> Result<(), CommitError> {
        if !state.is_empty() {
            let recovered = derive::Spans::recover(self.id.number, derive::Options::default(), state);
            *self.consumer.lock() = recovered
                .map_err(|error| CommitError::State { partition: self.id, reason: error.to_string() })?;
        }
        Ok(())
    }

    /// Applies a journal record; what follows from it waits from now on.
    pub(super) fn apply(&self, offset: u64, batch: &Batch) {
        let emissions = self.consumer.lock().apply(batch);
        let mut waiting = self.waiting.lock();
        for (part, emission) in (1..).zip(emissions) {
            let producer = Producer {
                id: Arc::clone(&self.producer),
                epoch: 0,
                // In the order of the journal, and the same at each replay.
                seq: (offset << PART_BITS) | part,
                run: 0,
            };
            waiting.bytes += emission.payload.len();
            waiting.batches.push_back(Batch {
                tenant: emission.tenant,
                signal: Signal::Samples,
                producer: Some(producer),
                received_at_ns: batch.received_at_ns,
                payload: emission.payload,
            });
        }
    }

    /// Whether so much waits that it is to be delivered first.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.lock().bytes > FULL_BYTES
    }

    pub(super) fn state(&self) -> Vec<u8> {
        self.consumer.lock().state()
    }

    /// Memory of the consumer.
    pub(super) fn size_bytes(&self) -> usize {
        self.consumer.lock().size_bytes()
    }

    /// Whether time that passes makes it emit something, at `now_ns` at the latest.
    pub(super) fn wants_tick(&self, now_ns: i64) -> bool {
        self.consumer.lock().next_flush_ns().is_some_and(|flush_ns| flush_ns <= now_ns)
    }

    /// Appends what waits, in order, and returns when it is durable. One at a time calls this.
    pub(super) async fn deliver(&self, outlet: &Outlet) -> Result<(), CommitError> {
        loop {
            let Some(batch) = self.waiting.lock().batches.front().cloned() else { return Ok(()) };
            outlet.append(batch).await?;
            let mut waiting = self.waiting.lock();
            if let Some(delivered) = waiting.batches.pop_front() {
                waiting.bytes -= delivered.payload.len();
            }
        }
    }
}

/// Where derived samples go: past the limits of tenants, since they have limits of their own.
pub(super) struct Outlet {
    samples: Vec<Arc<Partition>>,
    partitions: u16,
    items: ItemLimits,
    active: ActiveSeries,
    /// When those that are active no more were last forgotten: nothing is over a limit, so nothing else does it.
    swept_ns: AtomicI64,
}

const SWEEP_NS: i64 = 600_000_000_000;

impl Outlet {
    /// An outlet into these partitions of the samples.
    pub(super) fn new(options: &StoreOptions, samples: Vec<Arc<Partition>>) -> Self {
        let without_limit = SeriesLimits { per_tenant: usize::MAX, per_metric: usize::MAX };
        let active = ActiveSeries::new(without_limit);
        // Emissions are made to fit into the largest record; whatever senders may fill.
        let items = ItemLimits { max_record_bytes: MAX_RECORD_BYTES, ..options.items };
        Self { samples, partitions: options.partitions, items, active, swept_ns: AtomicI64::new(0) }
    }

    async fn append(&self, batch: Batch) -> Result<(), CommitError> {
        let now_ns = batch.received_at_ns;
        if now_ns.saturating_sub(self.swept_ns.load(Ordering::Relaxed)).abs() > SWEEP_NS {
            self.swept_ns.store(now_ns, Ordering::Relaxed);
            drop(self.active.counts(now_ns));
        }
        let divided = match divide_samples(batch, self.partitions, &self.items, &self.active) {
            Ok(divided) => divided,
            // No emission is like that. Were one, everything behind it must go on all the same.
            Err(error) => {
                tracing::error!(%error, "derived samples cannot be stored");
                return Ok(());
            }
        };
        if divided.outcome.rejected > 0 {
            // Only what is older than the retention: all other limits are off.
            tracing::debug!(count = divided.outcome.rejected, "derived samples are too old to keep");
        }
        for (id, part) in &divided.parts {
            // Every partition that batches are divided over is open.
            let Some(partition) = self.samples.iter().find(|partition| partition.id() == *id) else {
                continue;
            };
            if partition.has_applied(part) {
                // A replay emits again what was stored before the restart.
                continue;
            }
            let appended = partition.append(part).await;
            appended.map_err(|source| CommitError::Journal { name: id.to_string(), source })?;
        }
        Ok(())
    }
}
