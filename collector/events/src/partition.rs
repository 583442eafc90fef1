//! A partition of the logs: the heads and splits of its tenants, and the one
//! version of both that queries see. It knows no journal: whoever drives it
//! applies records in order, seals, commits, and publishes what was committed.

mod blobs;
mod files;
mod seal;
mod state;

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use object_store::ObjectStore;
use parking_lot::RwLock;
use telemetry::{Batch, Signal, TenantId};
use tokio::sync::watch;

pub(crate) use blobs::Blobs;
pub(crate) use files::{Listed, Pinned};
pub(crate) use state::State;

use crate::EventsError;
use crate::cache::BlockCache;
use crate::chunks::Chunks;
use crate::head::Chunk;
use crate::split::{Layout, SplitRef};

/// How a partition is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// What was read from splits; give every partition of a process the same one.
    pub cache: Arc<BlockCache>,
    /// No split gets more rows.
    pub max_split_rows: u64,
    /// Rows of a full block.
    pub block_rows: usize,
    /// A merge indexes the words of bodies from this many rows on; smaller splits are scanned.
    pub min_index_rows: u64,
    /// How many splits of about one size are merged into one.
    pub merge_factor: usize,
    /// zstd level of a seal: soon merged, so fast.
    pub seal_level: i32,
    /// zstd level of a merge.
    pub merge_level: i32,
    /// How new splits are written.
    pub layout: Layout,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache: BlockCache::new(64 << 20),
            max_split_rows: 2_000_000,
            // Measured on workload L: 8,192 costs 0.2 bytes a record and 0.1 CPU-s per million more, needles the same.
            block_rows: 16_384,
            min_index_rows: 64 << 10,
            merge_factor: 8,
            seal_level: 1,
            // Level 6: 1.1 bytes a record less for 0.8 CPU-s per million more.
            merge_level: 3,
            layout: Layout::default(),
        }
    }
}

/// What waits in the heads of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadStats {
    /// Rows of all tenants.
    pub rows: u64,
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

/// A split that is set aside: it is in no answer, and answers that miss it are partial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedSplit {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// One partition; clones are the same partition.
#[derive(Clone)]
pub struct Partition {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) partition: u16,
    pub(crate) options: Options,
    pub(crate) blobs: Blobs,
    pub(crate) state: RwLock<State<Chunk>>,
    /// The offset that was applied last, for tails.
    pub(crate) applied: watch::Sender<u64>,
}

/// One consistent version of a tenant's rows in a partition. Its splits stay readable while it lives.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) partition: u16,
    pub(crate) chunks: Chunks<Chunk>,
    pub(crate) splits: Arc<Vec<Arc<Pinned>>>,
}

impl Partition {
    /// An empty partition; call `recover` next.
    pub fn new(blobs: Arc<dyn ObjectStore>, partition: u16, options: Options) -> Self {
        let blobs = Blobs::new(blobs, "logs", partition);
        let (state, applied) = (RwLock::default(), watch::Sender::new(0));
        Self { inner: Arc::new(Inner { partition, options, blobs, state, applied }) }
    }

    /// At start: the file list of the last committed manifest. Opens no file.
    pub fn recover(&self, files: Vec<SplitRef>) {
        let mut state = self.inner.state.write();
        state.stats.offset = files.iter().map(|file| file.max_seq >> 20).max().unwrap_or(0);
        state.listed = Listed::default();
        self.inner.list(&mut state, files);
    }

    /// Adds a journal record's rows to the head; queries see them when this returns.
    ///
    /// Offsets must ascend. Never fails: what cannot be walked is set aside and counted.
    pub fn apply(&self, offset: u64, batch: &Batch) {
        let read = match batch.signal {
            Signal::Logs => catch_unwind(AssertUnwindSafe(|| Chunk::read(offset, batch)))
                .unwrap_or_else(|_| Err("the record crashed the engine".to_owned())),
            _ => Err("not a batch of logs".to_owned()),
        };
        self.inner.state.write().applied(offset, batch, read);
        self.inner.applied.send_replace(offset);
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

    /// The rows of one tenant as they are now.
    pub fn snapshot(&self, tenant: &TenantId) -> Snapshot {
        let state = self.inner.state.read();
        Snapshot {
            partition: self.inner.partition,
            chunks: state.head(tenant),
            splits: state.listed.of_tenant(tenant.as_str()),
        }
    }

    /// How many rows each tenant has, in head and splits.
    pub fn rows_by_tenant(&self) -> HashMap<String, u64> {
        self.inner.state.read().rows_by_tenant()
    }

    /// The bytes of all sound splits by part: columns, filters, index. Reads footers.
    pub async fn bytes_by_part(&self) -> Result<BTreeMap<&'static str, u64>, EventsError> {
        let splits: Vec<Arc<Pinned>> = self.inner.state.read().listed.iter().cloned().collect();
        let read = tokio::task::spawn_blocking(move || {
            let mut parts = BTreeMap::new();
            for split in splits {
                let Ok(reader) = split.open().inspect_err(|error| split.note(error)) else { continue };
                for (part, bytes) in reader.footer.sizes(split.listed().size_bytes) {
                    *parts.entry(part).or_default() += bytes;
                }
            }
            parts
        });
        read.await.map_err(|error| EventsError::Task(error.to_string()))
    }

    /// The splits that were found damaged and are set aside.
    pub fn damaged(&self) -> Vec<DamagedSplit> {
        self.inner.state.read().listed.damaged()
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

impl State<Chunk> {
    /// A tenant's chunks with rows behind `seq`, newest first.
    pub(crate) fn chunks_behind(&self, tenant: &TenantId, seq: u64) -> Vec<Arc<Chunk>> {
        let is_behind =
            |chunk: &&Arc<Chunk>| chunk.rows.len().checked_sub(1).is_some_and(|last| chunk.seq(last) > seq);
        self.head(tenant).iter().rev().take_while(is_behind).cloned().collect()
    }
}
