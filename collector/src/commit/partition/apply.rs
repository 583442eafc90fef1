//! Applying: journal records, in order, through the dedup windows into the engine.
//! Total and deterministic: nothing here looks at a clock, and no record can stop it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use bytes::Bytes;
use journal::Entry;
use telemetry::Batch;

use super::Partition;
use crate::commit::CommitError;
use crate::commit::derived::Derived;
use crate::commit::heavy::heavy;
use crate::commit::manifest::{Aside, MAX_NAMED_ASIDE, Manifest};
use crate::commit::windows::{Decision, Windows};

/// How much of the journal is read and applied at once. The head's limits are looked at in between, and a record of
/// two bytes takes up many times that in the head.
const CHUNK_BYTES: usize = 1 << 20;

/// The state that belongs to an offset. Changed only together with the engine, under one lock,
/// so that a seal takes both from the same moment.
pub(super) struct Applied {
    pub(super) offset: u64,
    pub(super) windows: Windows,
    pub(super) aside: Vec<Aside>,
    pub(super) aside_total: u64,
    /// Records set aside since the last seal, which keeps them as blobs.
    pub(super) aside_records: Vec<(u64, Bytes)>,
    /// How many the engine has set aside since the start.
    engine_aside: u64,
    pub(super) duplicates: u64,
    /// Journal bytes applied since the start.
    pub(super) bytes: u64,
}

impl Applied {
    pub(super) fn of_manifest(manifest: &Manifest) -> Self {
        Self {
            offset: manifest.sealed_offset,
            windows: manifest.windows.clone(),
            aside: manifest.aside.clone(),
            aside_total: manifest.aside_total,
            aside_records: Vec::new(),
            engine_aside: 0,
            duplicates: manifest.duplicates,
            bytes: 0,
        }
    }

    fn set_aside(&mut self, entry: &Entry, reason: String) {
        tracing::error!(offset = entry.offset, reason, "a journal record cannot be applied; it is set aside");
        self.aside_total += 1;
        self.aside_records.push((entry.offset, entry.record.clone()));
        if self.aside.len() < MAX_NAMED_ASIDE {
            self.aside.push(Aside { offset: entry.offset, reason });
        }
    }
}

impl Partition {
    /// Applies what is durable now, one chunk of it; answers how many records that were.
    pub(in crate::commit) async fn apply_chunk(&self) -> Result<usize, CommitError> {
        let _turn = self.applying.lock().await;
        self.deliver_derived().await?;
        // Not what was told of: a delivery that failed, or was cancelled, must not apply anything twice.
        let from = self.applied.lock().offset + 1;
        let end = self.journal.end();
        if end <= from {
            return Ok(0);
        }
        let entries = self.journal.read(from, CHUNK_BYTES).await.map_err(|source| {
            self.note_journal_error(&source);
            self.journal_error(source)
        })?;
        if entries.is_empty() {
            // The rest was lost to damage that the operator has accepted.
            self.applied.lock().offset = end - 1;
        }
        let applied = heavy(|| {
            let is_full = |_: &&Entry| self.engine.derived().is_some_and(Derived::is_full);
            // At least one, whatever waits.
            let last = entries.iter().inspect(|entry| self.apply(entry)).position(|entry| is_full(&entry));
            last.map_or(entries.len(), |last| last + 1)
        });
        self.measure_head();
        let offset = self.applied.lock().offset;
        if offset + 1 >= self.journal.end() {
            self.lag_bytes.store(0, Ordering::Relaxed);
        }
        self.applied_offset.send_replace(offset);
        self.deliver_derived().await?;
        Ok(applied)
    }

    /// Makes durable what was derived from applied records. To be called by whoever has the turn to apply.
    pub(super) async fn deliver_derived(&self) -> Result<(), CommitError> {
        match (self.engine.derived(), &self.outlet) {
            (Some(derived), Some(outlet)) => derived.deliver(outlet).await,
            _ => Ok(()),
        }
    }

    /// Returns when everything below `end` is applied.
    pub(in crate::commit) async fn apply_until(&self, end: u64) -> Result<(), CommitError> {
        while self.applied_offset() + 1 < end {
            self.apply_chunk().await?;
        }
        Ok(())
    }

    /// The offset up to which everything is applied.
    pub(in crate::commit) fn applied_offset(&self) -> u64 {
        *self.applied_offset.borrow()
    }

    fn apply(&self, entry: &Entry) {
        let mut applied = self.applied.lock();
        applied.offset = entry.offset;
        applied.bytes += entry.record.len() as u64;
        self.applied_bytes.store(applied.bytes, Ordering::Relaxed);
        self.lag_bytes.fetch_sub(entry.record.len() as i64, Ordering::Relaxed);
        let batch = match Batch::decode(&entry.record) {
            Ok(batch) if batch.signal == self.id.kind.signal() => batch,
            Ok(batch) => {
                return applied
                    .set_aside(entry, format!("signal {:?} in the journal {}", batch.signal, self.id));
            }
            Err(error) => return applied.set_aside(entry, error.to_string()),
        };
        let decision = applied.windows.decide(&batch.tenant, batch.producer.as_ref(), batch.received_at_ns);
        if decision == Decision::Duplicate {
            applied.duplicates += 1;
            return;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if let Some(before) = &self.options.before_apply {
                before(entry.offset, &batch);
            }
            self.engine.apply(entry.offset, &batch);
        }));
        match outcome {
            Ok(()) => self.note_engine_aside(&mut applied, entry),
            Err(panic) => applied.set_aside(entry, format!("the engine panicked: {}", panic_text(&*panic))),
        }
    }
}

impl Partition {
    /// The engine sets a record aside by itself when it cannot read it.
    fn note_engine_aside(&self, applied: &mut Applied, entry: &Entry) {
        let (count, reason) = self.engine.set_aside(entry.offset);
        if count > applied.engine_aside {
            applied.engine_aside = count;
            applied.set_aside(entry, reason.unwrap_or_else(|| "the engine refused it".to_owned()));
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
