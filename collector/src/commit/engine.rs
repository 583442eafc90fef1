//! The engine behind a partition: `events` for logs, `series` for samples, `events::spans` for spans. All
//! are driven alike; here is all that knows which one it is.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use events::{EventsError, SplitRef};
use series::{SegmentRef, SeriesError};
use telemetry::Batch;

use super::CommitError;
use super::derived::Derived;
use super::kind::{Kind, PartitionId};
use super::options::StoreOptions;

/// A sealed file, as a manifest lists it.
#[derive(Clone, Debug, PartialEq)]
pub enum SealedFile {
    /// Of log records, or of spans.
    Split(SplitRef),
    /// Of samples.
    Segment(SegmentRef),
}

/// A sealed file that is set aside: it is in no answer, and answers that miss it are partial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedFile {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What waits to be sealed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeadStats {
    /// Records or samples.
    pub(super) rows: u64,
    /// Memory in use for them.
    pub(super) bytes: u64,
    /// When the oldest of them was received.
    pub(super) oldest_received_at_ns: Option<i64>,
}

/// What a merge did.
pub(super) enum MergeOutcome {
    /// There was nothing worth it.
    Nothing,
    /// An input was damaged and is set aside; the next try leaves it out.
    Damaged,
    /// These take the place of those.
    Merged { added: Vec<SealedFile>, removed: BTreeSet<String> },
}

/// One of the three.
pub(super) enum Engine {
    Logs(events::Partition),
    Samples(series::Partition),
    Spans(events::spans::Partition, Box<Derived>),
}

impl Engine {
    pub(super) fn new(id: PartitionId, options: &StoreOptions) -> Self {
        let blobs = Arc::clone(&options.blobs);
        match id.kind {
            Kind::Logs => Self::Logs(events::Partition::new(blobs, id.number, options.events.clone())),
            Kind::Samples => Self::Samples(series::Partition::new(blobs, id.number, options.series.clone())),
            Kind::Spans => Self::Spans(
                events::spans::Partition::new(blobs, id.number, options.spans.clone()),
                Box::new(Derived::new(id)),
            ),
        }
    }

    /// At start: the file list and the state of the last committed manifest.
    pub(super) fn recover(&self, files: &[SealedFile], state: &[u8]) -> Result<(), CommitError> {
        match self {
            Self::Logs(engine) => engine.recover(splits(files)),
            Self::Samples(engine) => engine.recover(segments(files), state)?,
            Self::Spans(engine, derived) => {
                engine.recover(splits(files));
                derived.recover(state)?;
            }
        }
        Ok(())
    }

    pub(super) fn apply(&self, offset: u64, batch: &Batch) {
        match self {
            Self::Logs(engine) => engine.apply(offset, batch),
            Self::Samples(engine) => engine.apply(offset, batch),
            Self::Spans(engine, derived) => {
                engine.apply(offset, batch);
                derived.apply(offset, batch);
            }
        }
    }

    pub(super) fn head_stats(&self) -> HeadStats {
        match self {
            Self::Logs(engine) => engine.head_stats().into(),
            Self::Spans(engine, _) => engine.head_stats().into(),
            Self::Samples(engine) => {
                let series::HeadStats { rows, bytes, oldest_received_at_ns, .. } = engine.head_stats();
                HeadStats { rows, bytes, oldest_received_at_ns }
            }
        }
    }

    /// How many batches it has set aside since the start, and why it did so with the one at `offset`.
    pub(super) fn set_aside(&self, offset: u64) -> (u64, Option<String>) {
        match self {
            Self::Logs(engine) => of_offset(engine.set_aside(), offset),
            Self::Spans(engine, _) => of_offset(engine.set_aside(), offset),
            Self::Samples(engine) => {
                let (count, named) = engine.set_aside();
                let named = named.into_iter().rev().find(|aside| aside.offset == offset);
                (count, named.map(|aside| aside.reason))
            }
        }
    }

    /// Writes files of what was applied up to `upto`; queries see the head until `publish`.
    pub(super) async fn seal(&self, epoch: u64, upto: u64) -> Result<Vec<SealedFile>, CommitError> {
        Ok(match self {
            Self::Logs(engine) => {
                engine.seal(epoch, upto).await?.into_iter().map(SealedFile::Split).collect()
            }
            Self::Samples(engine) => {
                engine.seal(epoch, upto).await?.into_iter().map(SealedFile::Segment).collect()
            }
            Self::Spans(engine, _) => {
                engine.seal(epoch, upto).await?.into_iter().map(SealedFile::Split).collect()
            }
        })
    }

    /// What it has to know of sealed records to go on applying.
    pub(super) fn state(&self) -> Result<Bytes, CommitError> {
        match self {
            Self::Logs(_) => Ok(Bytes::new()),
            Self::Samples(engine) => Ok(engine.state()?),
            Self::Spans(_, derived) => Ok(derived.state().into()),
        }
    }

    pub(super) fn publish(&self, files: &[SealedFile], sealed_offset: u64) {
        match self {
            Self::Logs(engine) => engine.publish(splits(files), sealed_offset),
            Self::Samples(engine) => engine.publish(segments(files), sealed_offset),
            Self::Spans(engine, _) => engine.publish(splits(files), sealed_offset),
        }
    }

    pub(super) fn discard(&self, added: &[SealedFile]) {
        match self {
            Self::Logs(engine) => engine.discard(&splits(added)),
            Self::Samples(engine) => engine.discard(&segments(added)),
            Self::Spans(engine, _) => engine.discard(&splits(added)),
        }
    }

    pub(super) async fn merge(&self, epoch: u64, all: bool) -> Result<MergeOutcome, CommitError> {
        match self {
            Self::Logs(engine) => {
                let Some(plan) = engine.plan_merge(all) else { return Ok(MergeOutcome::Nothing) };
                of_splits(engine.merge(epoch, plan).await)
            }
            Self::Spans(engine, _) => {
                let Some(plan) = engine.plan_merge(all) else { return Ok(MergeOutcome::Nothing) };
                of_splits(engine.merge(epoch, plan).await)
            }
            Self::Samples(engine) => {
                let Some(plan) = engine.plan_merge(all) else { return Ok(MergeOutcome::Nothing) };
                match engine.merge(epoch, plan).await {
                    Err(SeriesError::Damaged { .. }) => Ok(MergeOutcome::Damaged),
                    merged => {
                        let series::Merged { added, removed } = merged?;
                        let added = added.into_iter().map(SealedFile::Segment).collect();
                        Ok(MergeOutcome::Merged { added, removed: removed.into_iter().collect() })
                    }
                }
            }
        }
    }

    pub(super) async fn delete_unlisted(&self, grace: Duration) -> Result<(), CommitError> {
        match self {
            Self::Logs(engine) => engine.delete_unlisted(grace).await?,
            Self::Samples(engine) => engine.delete_unlisted(grace).await?,
            Self::Spans(engine, _) => engine.delete_unlisted(grace).await?,
        };
        Ok(())
    }

    pub(super) fn files(&self) -> Vec<SealedFile> {
        match self {
            Self::Logs(engine) => engine.files().into_iter().map(SealedFile::Split).collect(),
            Self::Samples(engine) => engine.files().into_iter().map(SealedFile::Segment).collect(),
            Self::Spans(engine, _) => engine.files().into_iter().map(SealedFile::Split).collect(),
        }
    }

    pub(super) fn damaged(&self) -> Vec<DamagedFile> {
        match self {
            Self::Logs(engine) => engine.damaged().into_iter().map(DamagedFile::from).collect(),
            Self::Spans(engine, _) => engine.damaged().into_iter().map(DamagedFile::from).collect(),
            Self::Samples(engine) => {
                let file =
                    |file: series::DamagedSegment| DamagedFile { name: file.name, reason: file.reason };
                engine.damaged().into_iter().map(file).collect()
            }
        }
    }

    pub(super) fn rows_by_tenant(&self) -> HashMap<String, u64> {
        match self {
            Self::Logs(engine) => engine.rows_by_tenant(),
            Self::Samples(engine) => engine.rows_by_tenant(),
            Self::Spans(engine, _) => engine.rows_by_tenant(),
        }
    }

    /// What else its records tell.
    pub(super) fn derived(&self) -> Option<&Derived> {
        match self {
            Self::Spans(_, derived) => Some(derived),
            Self::Logs(_) | Self::Samples(_) => None,
        }
    }
}

impl SealedFile {
    /// Its blob's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Split(file) => &file.name,
            Self::Segment(file) => &file.name,
        }
    }

    /// Whose rows it has.
    pub fn tenant(&self) -> &str {
        match self {
            Self::Split(file) => &file.tenant,
            Self::Segment(file) => &file.tenant,
        }
    }

    /// Its bytes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Split(file) => file.size_bytes,
            Self::Segment(file) => file.size_bytes,
        }
    }

    /// The time of its newest row, ns since 1970.
    pub fn max_time_ns(&self) -> i64 {
        match self {
            Self::Split(file) => file.max_time_ns,
            Self::Segment(file) => file.max_time_ms.saturating_mul(1_000_000),
        }
    }
}

impl From<events::HeadStats> for HeadStats {
    fn from(stats: events::HeadStats) -> Self {
        let events::HeadStats { rows, bytes, oldest_received_at_ns, .. } = stats;
        Self { rows, bytes, oldest_received_at_ns }
    }
}

impl From<events::DamagedSplit> for DamagedFile {
    fn from(file: events::DamagedSplit) -> Self {
        Self { name: file.name, reason: file.reason }
    }
}

fn of_offset((count, named): (u64, Vec<events::SetAside>), offset: u64) -> (u64, Option<String>) {
    let named = named.into_iter().rev().find(|aside| aside.offset == offset);
    (count, named.map(|aside| aside.reason))
}

fn of_splits(merged: Result<events::Merged, EventsError>) -> Result<MergeOutcome, CommitError> {
    if let Err(EventsError::Damaged { .. }) = merged {
        return Ok(MergeOutcome::Damaged);
    }
    let events::Merged { added, removed } = merged?;
    let added = added.into_iter().map(SealedFile::Split).collect();
    Ok(MergeOutcome::Merged { added, removed: removed.into_iter().collect() })
}

fn splits(files: &[SealedFile]) -> Vec<SplitRef> {
    let split = |file: &SealedFile| match file {
        SealedFile::Split(file) => Some(file.clone()),
        SealedFile::Segment(_) => None,
    };
    files.iter().filter_map(split).collect()
}

fn segments(files: &[SealedFile]) -> Vec<SegmentRef> {
    let segment = |file: &SealedFile| match file {
        SealedFile::Segment(file) => Some(file.clone()),
        SealedFile::Split(_) => None,
    };
    files.iter().filter_map(segment).collect()
}
