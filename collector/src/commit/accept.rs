//! Accepting: limits → division → journal → outcome. An `Ok` means that everything
//! it counts as accepted is durable in every partition that it fell into.

mod active;
mod gauge;
mod producers;
mod rates;

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use journal::JournalError;
use receive::{Sink, SinkError};
use telemetry::{Batch, Outcome, TenantId};
use tokio::time::timeout;

use super::Store;
use super::derived::PRODUCER_PREFIX;
use super::divide::{Divided, Refusal, divide, divide_samples, divide_spans};
use super::engine::Engine;
use super::heavy::heavy;
use super::kind::{Kind, PartitionId};
use super::partition::Partition;
use super::windows::WindowKey;

pub(super) use active::{ActiveSeries, TenantSeries};
pub(super) use gauge::{Counters, InFlight};
pub(super) use producers::Producers;
pub(super) use rates::Rates;

/// A payload from here on is walked off the async threads: about half a millisecond.
const HEAVY_BYTES: usize = 256 << 10;

/// How long a sender waits until what it sent is visible; it is durable before.
const VISIBLE: Duration = Duration::from_secs(30);

/// When to try again after each kind of refusal.
const AFTER_LAG: Duration = Duration::from_secs(1);
const AFTER_FULL: Duration = Duration::from_secs(10);
const AFTER_FAILURE: Duration = Duration::from_secs(30);
const AFTER_PRODUCERS: Duration = Duration::from_secs(60);

impl Sink for Store {
    async fn append(&self, batch: Batch) -> Result<Outcome, SinkError> {
        self.accept(batch, true).await
    }

    async fn wait_visible(&self) {
        self.visible(|_| true).await;
    }
}

impl Store {
    /// Waits until the samples that were stored are what a query reads.
    pub async fn wait_samples_visible(&self) {
        self.visible(|partition| matches!(partition.engine(), Engine::Samples(_))).await;
    }

    async fn visible(&self, is_wanted: impl Fn(&Partition) -> bool) {
        let wanted = self.partitions.values().filter(|partition| is_wanted(partition));
        let applied = wanted.map(|partition| async move {
            let end = partition.journal_end();
            if let Err(error) = partition.apply_until(end).await {
                // It is durable, and becomes visible when the fault that `/-/ready` tells of is mended.
                tracing::warn!(%error, "cannot make visible what was stored");
            }
        });
        if timeout(VISIBLE, join_all(applied)).await.is_err() {
            tracing::warn!("what was stored becomes visible later than a sender waits for it");
        }
    }

    /// Appends what the collector itself has to tell: it takes nothing from the tenant's rate.
    pub async fn append_own(&self, batch: Batch) -> Result<Outcome, SinkError> {
        self.accept(batch, false).await
    }

    async fn accept(&self, batch: Batch, is_rated: bool) -> Result<Outcome, SinkError> {
        let _in_flight =
            self.in_flight.enter().ok_or_else(|| unavailable("the collector is shutting down", AFTER_LAG))?;
        let Some(kind) = Kind::of(batch.signal) else {
            return Err(SinkError::Refused { reason: format!("{:?} are not stored here", batch.signal) });
        };
        if batch.producer.as_ref().is_some_and(|producer| producer.id.starts_with(PRODUCER_PREFIX)) {
            let reason = format!("producer ids that begin with {PRODUCER_PREFIX} are the collector's own");
            return Err(SinkError::Refused { reason });
        }
        self.check_disk()?;
        let key = WindowKey::of(&batch);
        let (tenant, size_bytes) = (batch.tenant.clone(), batch.payload.len());
        let divided = self.divide(kind, batch)?;
        for (id, _) in &divided.parts {
            self.check_partition(self.partition(*id)?)?;
        }
        if kind == Kind::Spans {
            self.check_derived()?;
        }
        if let Some(key) = key.filter(|_| !divided.parts.is_empty()) {
            self.admit(key, &divided)?;
        }
        if is_rated {
            self.take_from_rate(&tenant, size_bytes, &divided)?;
        }
        self.append_all(&divided).await?;
        self.counters.note(&divided);
        Ok(divided.outcome)
    }

    fn check_disk(&self) -> Result<(), SinkError> {
        if self.disk_is_low.load(Ordering::Relaxed) {
            return Err(unavailable("the collector's disk is nearly full", AFTER_FULL));
        }
        Ok(())
    }

    fn divide(&self, kind: Kind, batch: Batch) -> Result<Divided, SinkError> {
        let large = batch.payload.len() >= HEAVY_BYTES;
        let work = || match kind {
            Kind::Logs => divide(batch, &self.routes, &self.options.items),
            Kind::Samples => {
                divide_samples(batch, self.options.partitions, &self.options.items, &self.active)
            }
            Kind::Spans => divide_spans(batch, &self.routes, &self.options.items),
        };
        if large { heavy(work) } else { work() }
    }

    fn partition(&self, id: PartitionId) -> Result<&Partition, SinkError> {
        let partition = self.partitions.get(&id).map(AsRef::as_ref);
        partition.ok_or_else(|| unavailable(&format!("the partition {id} is not open"), AFTER_FAILURE))
    }

    fn check_partition(&self, partition: &Partition) -> Result<(), SinkError> {
        let limits = &self.options.pressure;
        if let Some(reason) = partition.failed() {
            return Err(unavailable(&reason, AFTER_FAILURE));
        }
        if partition.lag_bytes() > limits.lag_bytes {
            return Err(unavailable("indexing is behind what was accepted", AFTER_LAG));
        }
        if partition.unsealed_bytes() > limits.journal_bytes {
            return Err(unavailable("sealing is behind what was accepted", AFTER_FULL));
        }
        if partition.head_is_full() {
            return Err(unavailable("sealing is behind: what is not sealed fills its memory", AFTER_LAG));
        }
        Ok(())
    }

    /// Spans become visible only where what follows from them can be stored.
    fn check_derived(&self) -> Result<(), SinkError> {
        let mut samples = self.partitions.values().filter(|partition| partition.id().kind == Kind::Samples);
        match samples.find_map(|partition| partition.failed()) {
            Some(reason) => Err(unavailable(&format!("samples cannot be stored: {reason}"), AFTER_FAILURE)),
            None => Ok(()),
        }
    }

    /// A batch of an unknown producer makes a dedup window; there may be only so many. It is refused here because applying
    /// refuses nothing.
    fn admit(&self, key: WindowKey, divided: &Divided) -> Result<(), SinkError> {
        self.producers.admit(key).map_err(|reason| {
            self.counters.refuse(Refusal::TooManyProducers, divided.outcome.accepted);
            SinkError::Throttled { reason, retry_after: AFTER_PRODUCERS }
        })
    }

    /// Last of all checks: what is refused for another reason costs the tenant nothing.
    fn take_from_rate(
        &self,
        tenant: &TenantId,
        size_bytes: usize,
        divided: &Divided,
    ) -> Result<(), SinkError> {
        let records = divided.outcome.accepted;
        self.rates.take(tenant, size_bytes, records, (self.options.clock)()).map_err(|overdrawn| {
            self.counters.refuse(Refusal::OverRate, records);
            SinkError::Throttled { reason: overdrawn.reason, retry_after: overdrawn.retry_after }
        })
    }

    /// Starts every append before it waits for any, so that they share one sync.
    async fn append_all(&self, divided: &Divided) -> Result<(), SinkError> {
        let appends = divided.parts.iter().map(|(id, part)| async move {
            let partition = self.partition(*id)?;
            partition.append(part).await.map(drop).map_err(journal_refusal)
        });
        join_all(appends).await.into_iter().collect()
    }
}

fn journal_refusal(error: JournalError) -> SinkError {
    match error {
        JournalError::TooLarge { size_bytes, limit_bytes } => SinkError::TooLarge { size_bytes, limit_bytes },
        JournalError::Full { .. } => unavailable("the journal's disk is full", AFTER_FULL),
        other => unavailable(&format!("the journal does not accept anything: {other}"), AFTER_FAILURE),
    }
}

fn unavailable(reason: &str, retry_after: Duration) -> SinkError {
    SinkError::Unavailable { reason: reason.to_owned(), retry_after }
}
