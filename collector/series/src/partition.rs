//! A partition of the samples: the heads and segments of its tenants, and the one
//! version of both that queries see. It knows no journal: whoever drives it
//! applies records in order, seals, commits, and publishes what was committed.

mod error;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::ObjectStore;
use parking_lot::RwLock;
use telemetry::{Batch, TenantId};

pub use error::SeriesError;

use crate::cache::PageCache;
use crate::segment::SegmentRef;

/// How a partition is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// What was read from segments; give every partition of a process the same one.
    pub cache: Arc<PageCache>,
    /// No merge writes a segment of more samples.
    pub max_segment_rows: u64,
    /// How many segments of about one size are merged into one.
    pub merge_factor: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache: PageCache::new(64 << 20), max_segment_rows: 2_000_000_000, merge_factor: 4 }
    }
}

/// What waits in the heads of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadStats {
    /// Samples of all tenants, histograms among them.
    pub rows: u64,
    /// Series that have some.
    pub series: u64,
    /// Memory in use for them.
    pub bytes: u64,
    /// When the oldest of them was received.
    pub oldest_received_at_ns: Option<i64>,
    /// The highest journal offset that was applied, or sealed before this start.
    pub offset: u64,
}

/// A batch that could not be applied. It stays in the journal until that is truncated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its journal offset.
    pub offset: u64,
    /// Why.
    pub reason: String,
}

/// A segment that is set aside: it is in no answer, and answers that miss it say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedSegment {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// One partition; clones are the same partition.
#[derive(Clone)]
pub struct Partition {
    inner: Arc<Inner>,
}

struct Inner {
    _blobs: Arc<dyn ObjectStore>,
    _partition: u16,
    _options: Options,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    files: Vec<SegmentRef>,
    stats: HeadStats,
}

/// One consistent version of a tenant's samples in a partition. Its segments stay readable while it lives.
#[derive(Clone)]
pub struct Snapshot {}

impl Partition {
    /// An empty partition; call `recover` next.
    pub fn new(blobs: Arc<dyn ObjectStore>, partition: u16, options: Options) -> Self {
        let state = RwLock::default();
        Self { inner: Arc::new(Inner { _blobs: blobs, _partition: partition, _options: options, state }) }
    }

    /// At start: the file list and the derived state of the last committed manifest. Opens no file.
    pub fn recover(&self, files: Vec<SegmentRef>, _state: &[u8]) -> Result<(), SeriesError> {
        self.inner.state.write().files = files;
        Ok(())
    }

    /// Adds a journal record's samples to the head; queries see them when this returns.
    ///
    /// Offsets must ascend. Never fails: what cannot be read is set aside and counted.
    pub fn apply(&self, offset: u64, _batch: &Batch) {
        self.inner.state.write().stats.offset = offset;
    }

    /// What waits to be sealed.
    pub fn head_stats(&self) -> HeadStats {
        self.inner.state.read().stats
    }

    /// How many batches were set aside since the start, and the first of them.
    pub fn set_aside(&self) -> (u64, Vec<SetAside>) {
        (0, Vec::new())
    }

    /// Writes the head rows of records up to `upto` as segments. What queries see does not change.
    pub async fn seal(&self, _epoch: u64, _upto: u64) -> Result<Vec<SegmentRef>, SeriesError> {
        Ok(Vec::new())
    }

    /// The derived state at the applied offset, for the manifest.
    pub fn state(&self) -> Bytes {
        Bytes::new()
    }

    /// Swaps what queries see at once: sealed head rows leave, `files` is the new list.
    ///
    /// To be called after the document that names them is committed.
    pub fn publish(&self, files: Vec<SegmentRef>, _sealed_offset: u64) {
        self.inner.state.write().files = files;
    }

    /// Outputs of a seal or merge that will not be committed: `delete_unlisted` may take them.
    pub fn discard(&self, _outputs: &[SegmentRef]) {}

    /// Deletes blobs that neither the list nor a snapshot needs, `grace` after they left the list, or
    /// were written by a run that never published them. Gives how many.
    pub async fn delete_unlisted(&self, _grace: Duration) -> Result<usize, SeriesError> {
        Ok(0)
    }

    /// The segments that queries see.
    pub fn files(&self) -> Vec<SegmentRef> {
        self.inner.state.read().files.clone()
    }

    /// The segments that were found damaged and are set aside.
    pub fn damaged(&self) -> Vec<DamagedSegment> {
        Vec::new()
    }

    /// How many samples each tenant has, in head and segments.
    pub fn rows_by_tenant(&self) -> HashMap<String, u64> {
        HashMap::new()
    }

    /// The samples of one tenant as they are now.
    pub fn snapshot(&self, _tenant: &TenantId) -> Snapshot {
        Snapshot {}
    }

    /// The series that had a sample within the hour before the newest record, of each tenant: the hash of their
    /// labels (`LabelSet::hash64`), and when the last was received, ms since 1970. For limits, after a start.
    pub fn active_series(&self) -> HashMap<TenantId, Vec<(u64, i64)>> {
        HashMap::new()
    }
}
