//! What a journal of spans tells besides its spans: series of services and calls (`derive`), appended to the
//! samples as numbered batches, so that a replay neither doubles nor resets them.
//!
//! The consumer is part of the engine of a spans partition: it applies the same records under the same lock, and
//! its state goes into the same manifest. What it emits waits in order until it is durable in the samples'
//! journals; no manifest is committed before that.

use std::collections::VecDeque;
use std::sync::Arc;

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

/// How many batches one journal record may make: the seq counts them in its low bits.
const PART_BITS: u32 = 16;

/// The consumer of one partition of spans.
pub(super) struct Derived {
    id: PartitionId,
    producer: Arc<str>,
    consumer: Mutex<derive::Spans>,
    /// Emitted, and not known to be durable yet; oldest first.
    waiting: Mutex<VecDeque<Batch>>,
}

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
            waiting.push_back(Batch {
                tenant: emission.tenant,
                signal: Signal::Samples,
                producer: Some(producer),
                received_at_ns: batch.received_at_ns,
                payload: emission.payload,
            });
        }
    }

    pub(super) fn state(&self) -> Vec<u8> {
        self.consumer.lock().state()
    }

    /// Whether time that passes makes it emit something, at `now_ns` at the latest.
    pub(super) fn wants_tick(&self, now_ns: i64) -> bool {
        self.consumer.lock().next_flush_ns().is_some_and(|flush_ns| flush_ns <= now_ns)
    }

    /// Appends what waits, in order, and returns when it is durable. One at a time calls this.
    pub(super) async fn deliver(&self, outlet: &Outlet) -> Result<(), CommitError> {
        loop {
            let Some(batch) = self.waiting.lock().front().cloned() else { return Ok(()) };
            outlet.append(batch).await?;
            self.waiting.lock().pop_front();
        }
    }
}

/// Where derived samples go: past the limits of tenants, since they have limits of their own.
pub(super) struct Outlet {
    samples: Vec<Arc<Partition>>,
    partitions: u16,
    items: ItemLimits,
    active: ActiveSeries,
}

impl Outlet {
    /// An outlet into these partitions of the samples.
    pub(super) fn new(options: &StoreOptions, samples: Vec<Arc<Partition>>) -> Self {
        let without_limit = SeriesLimits { per_tenant: usize::MAX, per_metric: usize::MAX };
        let active = ActiveSeries::new(without_limit);
        // Emissions are made to fit into the largest record; whatever senders may fill.
        let items = ItemLimits { max_record_bytes: MAX_RECORD_BYTES, ..options.items };
        Self { samples, partitions: options.partitions, items, active }
    }

    async fn append(&self, batch: Batch) -> Result<(), CommitError> {
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
            let appended = partition.append(part).await;
            appended.map_err(|source| CommitError::Journal { name: id.to_string(), source })?;
        }
        Ok(())
    }
}
