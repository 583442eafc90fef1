//! A partition of the spans: as [`crate::Partition`] is one of the logs, with the same
//! state, list and blobs.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use parking_lot::{Mutex, RwLock};
use telemetry::{Batch, Signal, TenantId};

use super::head::{Chunk, Streams};
use crate::cache::BlockCache;
use crate::chunks::Chunks;
use crate::partition::{Blobs, Pinned, State};
use crate::split::SplitRef;
use crate::{DamagedSplit, EventsError, HeadStats, SetAside};

/// How a partition is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// What was read from splits; give every partition of a process the same one, logs too.
    pub cache: Arc<BlockCache>,
    /// No split gets more rows.
    pub max_split_rows: u64,
    /// Rows of a full block.
    pub block_rows: usize,
    /// How many splits of about one size are merged into one.
    pub merge_factor: usize,
    /// zstd level of a seal: soon merged, so fast.
    pub seal_level: i32,
    /// zstd level of a merge.
    pub merge_level: i32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache: BlockCache::new(64 << 20),
            max_split_rows: 2_000_000,
            // A trace is read by its block: 8,192 rows make that twice as long, for 0.3 bytes a span.
            block_rows: 4_096,
            merge_factor: 8,
            seal_level: 1,
            merge_level: 3,
        }
    }
}

/// One partition; clones are the same partition.
#[derive(Clone)]
pub struct Partition {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) partition: u16,
    pub(super) options: Options,
    pub(super) blobs: Blobs,
    pub(super) state: RwLock<State<Chunk>>,
    /// Those of the chunks since the last seal.
    pub(super) streams: Mutex<Streams>,
}

/// One consistent version of a tenant's spans in a partition. Its splits stay readable while it lives.
#[derive(Clone)]
pub struct Snapshot {
    pub(super) partition: u16,
    pub(super) chunks: Chunks<Chunk>,
    pub(super) splits: Arc<Vec<Arc<Pinned>>>,
}

impl Partition {
    /// An empty partition; call `recover` next.
    pub fn new(blobs: Arc<dyn ObjectStore>, partition: u16, options: Options) -> Self {
        let blobs = Blobs::new(blobs, "spans", partition);
        let (state, streams) = (RwLock::default(), Mutex::default());
        Self { inner: Arc::new(Inner { partition, options, blobs, state, streams }) }
    }

    /// At start: the file list of the last committed manifest. Opens no file.
    pub fn recover(&self, files: Vec<SplitRef>) {
        let mut state = self.inner.state.write();
        state.stats.offset = files.iter().map(|file| file.max_seq >> 20).max().unwrap_or(0);
        state.listed = Default::default();
        self.inner.list(&mut state, files);
    }

    /// Adds a journal record's spans to the head; queries see them when this returns.
    ///
    /// Offsets must ascend. Never fails: what cannot be walked is set aside and counted.
    pub fn apply(&self, offset: u64, batch: &Batch) {
        let read = match batch.signal {
            Signal::Spans => {
                let mut streams = self.inner.streams.lock();
                catch_unwind(AssertUnwindSafe(|| Chunk::read(offset, batch, &mut streams)))
                    .unwrap_or_else(|_| Err("the record crashed the engine".to_owned()))
            }
            _ => Err("not a batch of spans".to_owned()),
        };
        self.inner.state.write().applied(offset, batch, read);
    }

    /// What waits to be sealed.
    pub fn head_stats(&self) -> HeadStats {
        self.inner.state.read().stats
    }

    /// How many batches were set aside since the start, and the first of them, copied.
    pub fn set_aside(&self) -> (u64, Vec<SetAside>) {
        self.inner.state.read().all_set_aside()
    }

    /// Swaps what queries see at once: head rows up to `sealed_offset` leave, `files` is the new list.
    ///
    /// To be called after the document that names them is committed.
    pub fn publish(&self, files: Vec<SplitRef>, sealed_offset: u64) {
        let mut state = self.inner.state.write();
        state.drop_heads_upto(sealed_offset);
        self.inner.list(&mut state, files);
    }

    /// The splits that queries see.
    pub fn files(&self) -> Vec<SplitRef> {
        self.inner.state.read().listed.references()
    }

    /// The spans of one tenant as they are now.
    pub fn snapshot(&self, tenant: &TenantId) -> Snapshot {
        let state = self.inner.state.read();
        Snapshot {
            partition: self.inner.partition,
            chunks: state.head(tenant),
            splits: state.listed.of_tenant(tenant.as_str()),
        }
    }

    /// How many spans each tenant has, in head and splits.
    pub fn rows_by_tenant(&self) -> HashMap<String, u64> {
        self.inner.state.read().rows_by_tenant()
    }

    /// The splits that were found damaged and are set aside.
    pub fn damaged(&self) -> Vec<DamagedSplit> {
        self.inner.state.read().listed.damaged()
    }

    /// Outputs of a seal or merge that will not be committed: `delete_unlisted` may take them.
    pub fn discard(&self, outputs: &[SplitRef]) {
        self.inner.blobs.discard(outputs.iter().map(|output| output.name.as_str()));
    }

    /// Deletes blobs that neither the list nor a snapshot needs, `grace` after they left the list, or
    /// were written by a run that never published them. Gives how many.
    pub async fn delete_unlisted(&self, grace: Duration) -> Result<usize, EventsError> {
        self.inner.blobs.delete_unlisted(grace, || self.files()).await
    }
}

impl Inner {
    fn list(&self, state: &mut State<Chunk>, files: Vec<SplitRef>) {
        self.blobs.listed(&files);
        let new = |reference| Pinned::new(self.blobs.store(), &self.options.cache, reference);
        for retired in state.listed.replace(files, new) {
            self.blobs.retire(retired);
        }
    }
}
