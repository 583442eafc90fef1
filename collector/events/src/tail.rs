//! Rows in the order they came, from a point on: every one once, wherever it is by
//! then. What is applied wakes the reader; the store itself is the buffer, so that a
//! reader that is slow, or goes away and comes back, costs nothing and loses nothing
//! but what its own limits leave out, which is counted.
//!
//! A tail's place is the `seq` of the last row that it has passed. Rows behind it are in
//! the head, looked at from its end; or in splits, if a seal was faster than the reader.

use std::sync::Arc;
use std::time::Instant;

use search::{Expr, LogRow};
use telemetry::TenantId;
use telemetry::otlp::LogRecord;
use tokio::sync::watch;

use crate::execute::Hit;
use crate::execute::fetch::OpenBlock;
use crate::execute::rows::HeadView;
use crate::find::head_hit;
use crate::head::Chunk;
use crate::key::RowKey;
use crate::partition::{Inner, Partition, Pinned};
use crate::split::ReadError;

/// What one reading may cost.
#[derive(Clone, Copy, Debug)]
pub struct TailLimits {
    /// Records that are handed over; others that match are counted.
    pub records: usize,
    /// Bytes of those records.
    pub bytes: usize,
    /// Rows that are looked at, the newest ones; others are counted.
    pub rows: usize,
    /// When no more is read of splits, and what is left of them is counted. Rows of the head are always looked at.
    pub deadline: Option<Instant>,
}

impl TailLimits {
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|at| at <= Instant::now())
    }
}

/// What came since the last reading.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    /// Matching records in the order they came.
    pub records: Vec<Hit>,
    /// Matching records beyond the limits.
    pub dropped: u64,
    /// Rows that nobody looked at: too many, unreadable, or too slow to read.
    pub unread: u64,
}

/// Follows one tenant's rows in one partition.
pub struct Tail {
    partition: Arc<Inner>,
    tenant: TenantId,
    after: u64,
    applied: watch::Receiver<u64>,
}

impl Partition {
    /// Follows a tenant's rows: those applied from now on, or those behind the row `after`.
    pub fn tail(&self, tenant: &TenantId, after: Option<u64>) -> Tail {
        let mut applied = self.inner.applied.subscribe();
        let newest = last_seq_of(self.inner.state.read().applied_offset());
        // What was asked for may be of another life of the data directory. What is there is looked at first.
        let after = after.map_or(newest, |after| after.min(newest));
        if after < newest {
            applied.mark_changed();
        }
        Tail { partition: self.inner.clone(), tenant: tenant.clone(), after, applied }
    }
}

/// No row of the batch at `offset` is behind it.
fn last_seq_of(offset: u64) -> u64 {
    RowKey::seq(offset + 1, 0) - 1
}

impl Tail {
    /// The partition's number.
    pub fn partition(&self) -> u16 {
        self.partition.partition
    }

    /// The last row that was passed: where another tail goes on.
    pub fn after(&self) -> u64 {
        self.after
    }

    /// Returns when something was applied since the last reading; never when the partition is gone.
    pub async fn more(&mut self) {
        if self.applied.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Reads what came and moves on behind it. Blocks on the disk where a seal was faster.
    pub fn read(&mut self, filter: &Expr, limits: &TailLimits) -> Arrived {
        self.applied.mark_unchanged();
        let (chunks, splits, newest) = self.behind();
        let mut reading = Reading {
            filter,
            limits,
            partition: self.partition.partition,
            out: Arrived::default(),
            bytes: 0,
        };
        let in_head: usize = chunks.iter().map(|chunk| rows_behind(chunk, self.after)).sum();
        if !splits.is_empty() {
            let left = limits.rows.saturating_sub(in_head);
            reading.splits(splits, self.after, left);
        }
        let mut skip = in_head.saturating_sub(limits.rows);
        for chunk in chunks.iter().rev() {
            let first = chunk.rows.len() - rows_behind(chunk, self.after);
            let skipped = skip.min(chunk.rows.len() - first);
            skip -= skipped;
            reading.out.unread += skipped as u64;
            (first + skipped..chunk.rows.len()).for_each(|row| reading.head_row(chunk, row));
        }
        self.after = self.after.max(last_seq_of(newest));
        reading.out
    }

    /// One version of what is behind: chunks, newest first, splits, and the offset that all of it goes up to.
    fn behind(&self) -> (Vec<Arc<Chunk>>, Vec<Arc<Pinned>>, u64) {
        let state = self.partition.state.read();
        let chunks = state.chunks_behind(&self.tenant, self.after);
        let listed = state.listed.of_tenant(self.tenant.as_str());
        let splits = listed.iter().filter(|split| split.listed().max_seq > self.after).cloned().collect();
        (chunks, splits, state.applied_offset())
    }
}

/// How many of a chunk's rows are behind `after`.
fn rows_behind(chunk: &Chunk, after: u64) -> usize {
    let passed = (after + 1).saturating_sub(chunk.seq(0));
    chunk.rows.len().saturating_sub(usize::try_from(passed).unwrap_or(usize::MAX))
}

/// A reading under way.
struct Reading<'a> {
    filter: &'a Expr,
    limits: &'a TailLimits,
    partition: u16,
    out: Arrived,
    bytes: usize,
}

impl Reading<'_> {
    fn head_row(&mut self, chunk: &Arc<Chunk>, row: usize) {
        if self.filter.matches(&HeadView::new(chunk, row)) {
            self.take(|partition| head_hit(chunk, row, partition), chunk.raw(row).len());
        }
    }

    fn take(&mut self, hit: impl FnOnce(u16) -> Hit, size_bytes: usize) {
        let fits = self.bytes + size_bytes <= self.limits.bytes || self.out.records.is_empty();
        if self.out.records.len() >= self.limits.records || !fits {
            self.out.dropped += 1;
            return;
        }
        self.bytes += size_bytes;
        self.out.records.push(hit(self.partition));
    }

    /// The newest `most` rows of splits behind `after`, in the order they came.
    fn splits(&mut self, mut splits: Vec<Arc<Pinned>>, after: u64, most: usize) {
        splits.sort_by_key(|split| std::cmp::Reverse(split.listed().max_seq));
        let mut places = Vec::new();
        for (index, split) in splits.iter().enumerate() {
            let before = places.len();
            // Full already, and with rows that all came later.
            let full = before >= most;
            let oldest = places.first().map_or(0, |(seq, ..): &Place| *seq);
            if (full && split.listed().max_seq < oldest) || self.limits.is_late() {
                self.out.unread += split.listed().rows;
            } else if let Err(error) = self.places_of(split, index, after, &mut places) {
                places.truncate(before);
                self.give_up(split, &error);
            }
            places.sort_unstable();
            let surplus = places.len().saturating_sub(most);
            places.drain(..surplus);
            self.out.unread += surplus as u64;
        }
        let (mut open, count) = (None, places.len());
        for (read, place) in places.into_iter().enumerate() {
            if self.limits.is_late() {
                self.out.unread += (count - read) as u64;
                return;
            }
            let split = &splits[place.1];
            match self.whole(&mut open, split, place) {
                Ok(hit) => self.sealed_row(hit),
                Err(error) => {
                    split.note(&error);
                    self.out.unread += 1;
                }
            }
        }
    }

    /// Each row of a split behind `after`; those that there is no time for are counted.
    fn places_of(
        &mut self,
        split: &Arc<Pinned>,
        index: usize,
        after: u64,
        out: &mut Vec<Place>,
    ) -> Result<(), ReadError> {
        let reader = split.open()?;
        let blocks = &reader.footer.blocks;
        for block in 0..blocks.len() {
            if self.limits.is_late() {
                self.out.unread += blocks[block..].iter().map(|meta| u64::from(meta.rows)).sum::<u64>();
                break;
            }
            let seqs = reader.seqs(block)?;
            let behind = seqs.iter().enumerate().filter(|(_, seq)| **seq > after);
            out.extend(behind.map(|(row, seq)| (*seq, index, block as u32, row as u32)));
        }
        Ok(())
    }

    fn whole(
        &self,
        open: &mut Option<OpenBlock>,
        split: &Arc<Pinned>,
        (seq, _, block, row): Place,
    ) -> Result<Hit, ReadError> {
        let time_ns = split.open()?.times(block as usize)?[row as usize];
        let key = RowKey { time_ns, partition: self.partition, seq };
        OpenBlock::hit(open, split, block, row, key)
    }

    fn sealed_row(&mut self, hit: Hit) {
        let record = LogRecord::of_valid(&hit.record);
        let (resource, scope) = (hit.stream.resource(), hit.stream.scope());
        let row = LogRow { resource, scope, record: &record, time_ns: hit.key.time_ns };
        if self.filter.matches(&row) {
            let size_bytes = hit.record.len();
            self.take(|_| hit.clone(), size_bytes);
        }
    }

    /// Up to all rows of a split that cannot be read may be missing.
    fn give_up(&mut self, split: &Arc<Pinned>, error: &ReadError) {
        split.note(error);
        tracing::warn!(name = split.listed().name, %error, "a live tail leaves a split out");
        self.out.unread += split.listed().rows;
    }
}

/// A row of a split: its `seq`, the split's number, block and row.
type Place = (u64, usize, u32, u32);
