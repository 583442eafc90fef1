//! A partition of the samples: the heads and segments of its tenants, and the one
//! version of both that queries see. It knows no journal: whoever drives it
//! applies records in order, seals, commits, and publishes what was committed.

mod blobs;
mod error;
mod files;
mod seal;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStore;
use parking_lot::RwLock;
use telemetry::samples::Metadata;
use telemetry::{Batch, Signal, TenantId};

pub use error::SeriesError;
pub(crate) use files::{Listed, Pinned};

use crate::cache::PageCache;
use crate::carry::{self, Carry, Deletion, LeftOut};
use crate::head::Head;
use crate::segment::SegmentRef;
use blobs::Blobs;
pub(crate) use seal::day;

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
    /// When the oldest of them was received; `None` if there is no series.
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

/// No more deletes of a tenant should wait to be done.
pub const MAX_PENDING_DELETES: usize = 1000;

/// How many batches that were set aside are named; all are counted.
const MAX_SET_ASIDE: usize = 1000;

/// One partition; clones are the same partition.
#[derive(Clone)]
pub struct Partition {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) partition: u16,
    pub(crate) options: Options,
    pub(crate) blobs: Blobs,
    pub(crate) state: RwLock<State>,
}

/// What queries see, and what waits to be sealed.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    /// Heads that a seal took, in the order of the journal.
    frozen: Vec<Frozen>,
    pub(crate) listed: Listed,
    stats: HeadStats,
    set_aside: Vec<SetAside>,
    set_aside_count: u64,
}

/// A tenant's open head and what outlives it.
#[derive(Default)]
pub(crate) struct Tenant {
    head: Arc<RwLock<Head>>,
    pub(crate) carry: Carry,
}

/// A head that no record is added to any more.
struct Frozen {
    tenant: TenantId,
    head: Arc<RwLock<Head>>,
    /// The segments that it was written to, once it was.
    outputs: Option<Vec<String>>,
}

/// One consistent version of a tenant's samples in a partition. Its segments stay readable while it lives.
#[derive(Clone)]
pub struct Snapshot {
    partition: Partition,
    tenant: TenantId,
    /// From old to new, all of them older than the heads.
    pub(crate) segments: Arc<Vec<Arc<Pinned>>>,
    /// From old to new; the last one is open.
    pub(crate) heads: Vec<Arc<RwLock<Head>>>,
    pub(crate) deletes: Arc<[Deletion]>,
}

impl Partition {
    /// An empty partition; call `recover` next.
    pub fn new(blobs: Arc<dyn ObjectStore>, partition: u16, options: Options) -> Self {
        let blobs = Blobs::new(blobs, partition);
        Self { inner: Arc::new(Inner { partition, options, blobs, state: RwLock::default() }) }
    }

    /// At start: the file list and the derived state of the last committed manifest. Opens no file.
    pub fn recover(&self, files: Vec<SegmentRef>, state: &[u8]) -> Result<(), SeriesError> {
        let recovered = carry::decode(state)?;
        let tenants = recovered.tenants.into_iter();
        let mut state = self.inner.state.write();
        *state = State {
            tenants: tenants.map(|(tenant, carry)| (tenant, Tenant { carry, ..Tenant::default() })).collect(),
            ..State::default()
        };
        state.stats.offset = recovered.offset;
        self.inner.list(&mut state, files);
        Ok(())
    }

    /// Adds a journal record's samples to the head; queries see them when this returns.
    ///
    /// Offsets must ascend. Never fails: what cannot be read is set aside and counted; the entries of the
    /// batch before it stay.
    pub fn apply(&self, offset: u64, batch: &Batch) {
        let mut state = self.inner.state.write();
        state.stats.offset = state.stats.offset.max(offset);
        if batch.signal != Signal::Samples {
            return state.set_aside(SetAside { offset, reason: "not a batch of samples".to_owned() });
        }
        let State { tenants, stats, .. } = &mut *state;
        let tenant = tenants.entry(batch.tenant.clone()).or_default();
        let mut head = tenant.head.write();
        let before = head.stats();
        let applied = catch_unwind(AssertUnwindSafe(|| {
            tenant.carry.apply(&mut head, offset, batch.received_at_ns, &batch.payload)
        }));
        tenant.carry.end_record();
        stats.replace(before, head.stats());
        drop(head);
        let applied = applied.unwrap_or_else(|_| Err("the record crashed the engine".to_owned()));
        if let Err(reason) = applied {
            state.set_aside(SetAside { offset, reason });
        }
    }

    /// What waits to be sealed.
    pub fn head_stats(&self) -> HeadStats {
        self.inner.state.read().stats
    }

    /// How many batches were set aside since the start, and the first of them, copied.
    pub fn set_aside(&self) -> (u64, Vec<SetAside>) {
        let state = self.inner.state.read();
        (state.set_aside_count, state.set_aside.clone())
    }

    /// The derived state at the applied offset, for the manifest: what samples to come depend on beside the
    /// segments. To be taken when no record is being applied.
    pub fn state(&self) -> Result<Bytes, SeriesError> {
        let state = self.inner.state.read();
        let heads: Vec<_> = state.tenants.values().map(|tenant| tenant.head.read()).collect();
        let tenants =
            state.tenants.iter().zip(&heads).map(|((name, tenant), head)| (name, &tenant.carry, &**head));
        carry::encode(state.stats.offset, tenants).map(Bytes::from)
    }

    /// What was received and is not kept, since the start.
    pub fn left_out(&self) -> LeftOut {
        let state = self.inner.state.read();
        let all = state.tenants.values().map(|tenant| tenant.carry.left_out);
        all.fold(LeftOut::default(), |sum, own| LeftOut {
            increases: sum.increases + own.increases,
            families: sum.families + own.families,
        })
    }

    /// How many deletes of a tenant are not done everywhere yet. Each costs every query: whoever takes new ones
    /// refuses them beyond [`MAX_PENDING_DELETES`].
    pub fn pending_deletes(&self, tenant: &TenantId) -> usize {
        let state = self.inner.state.read();
        state.tenants.get(tenant).map_or(0, |tenant| tenant.carry.deletes.len())
    }

    /// Swaps what queries see at once: heads whose segments are in `files` leave, `files` is the new list.
    ///
    /// To be called after the document that names them is committed.
    pub fn publish(&self, files: Vec<SegmentRef>, sealed_offset: u64) {
        let mut state = self.inner.state.write();
        let names: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        state.frozen.retain(|frozen| {
            let sealed = frozen.outputs.as_ref();
            let all = sealed.is_some_and(|outputs| outputs.iter().all(|name| names.contains(name.as_str())));
            !all || frozen.head.read().min_offset > sealed_offset
        });
        self.inner.list(&mut state, files);
        state.forget_deletes();
        state.count_heads();
    }

    /// Outputs of a seal or merge that will not be committed: `delete_unlisted` may take them.
    pub fn discard(&self, outputs: &[SegmentRef]) {
        let names: HashSet<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        for frozen in &mut self.inner.state.write().frozen {
            let is_named = |names_of: &Vec<String>| names_of.iter().any(|name| names.contains(name.as_str()));
            if frozen.outputs.as_ref().is_some_and(is_named) {
                frozen.outputs = None;
            }
        }
        self.inner.blobs.discard(names.into_iter());
    }

    /// The segments that queries see.
    pub fn files(&self) -> Vec<SegmentRef> {
        self.inner.state.read().listed.references()
    }

    /// The segments that were found damaged and are set aside.
    pub fn damaged(&self) -> Vec<DamagedSegment> {
        self.inner.state.read().listed.damaged()
    }

    /// The samples of one tenant as they are now.
    pub fn snapshot(&self, tenant: &TenantId) -> Snapshot {
        let state = self.inner.state.read();
        let frozen = state.frozen.iter().filter(|frozen| frozen.tenant == *tenant);
        let mut heads: Vec<_> = frozen.map(|frozen| frozen.head.clone()).collect();
        let open = state.tenants.get(tenant);
        heads.extend(open.map(|open| open.head.clone()));
        Snapshot {
            partition: self.clone(),
            tenant: tenant.clone(),
            segments: state.listed.of_tenant(tenant.as_str()),
            heads,
            deletes: open.map(|open| open.carry.deletes.clone()).unwrap_or_default(),
        }
    }

    /// How many samples each tenant has, in head and segments.
    pub fn rows_by_tenant(&self) -> HashMap<String, u64> {
        let state = self.inner.state.read();
        let mut rows = HashMap::new();
        let heads = state.heads().map(|(tenant, head)| (tenant.as_str().to_owned(), head.read().rows()));
        let files = state.listed.references().into_iter().map(|file| (file.tenant, file.rows));
        for (tenant, count) in heads.chain(files).filter(|(_, count)| *count > 0) {
            *rows.entry(tenant).or_default() += count;
        }
        rows
    }

    /// The series that had a sample within the hour before the newest record, of each tenant: the hash of their
    /// labels (`LabelSet::hash64`), and when the last was received, ms since 1970. For limits, after a start.
    pub fn active_series(&self) -> HashMap<TenantId, Vec<(u64, i64)>> {
        let state = self.inner.state.read();
        let active = |tenant: &Tenant| tenant.carry.active(&tenant.head.read());
        state.tenants.iter().map(|(name, tenant)| (name.clone(), active(tenant))).collect()
    }
}

impl Snapshot {
    /// What families say of themselves now.
    pub(crate) fn metadata(&self) -> Vec<Metadata> {
        let state = self.partition.inner.state.read();
        let described = state.tenants.get(&self.tenant).map(|tenant| tenant.carry.families());
        described.into_iter().flatten().map(|described| described.metadata.clone()).collect()
    }
}

impl HeadStats {
    /// One head's part changed.
    fn replace(&mut self, before: HeadStats, after: HeadStats) {
        self.rows = (self.rows + after.rows).saturating_sub(before.rows);
        self.series = (self.series + after.series).saturating_sub(before.series);
        self.bytes = (self.bytes + after.bytes).saturating_sub(before.bytes);
        let oldest = [self.oldest_received_at_ns, after.oldest_received_at_ns];
        self.oldest_received_at_ns = oldest.into_iter().flatten().min();
    }
}

impl Head {
    fn stats(&self) -> HeadStats {
        HeadStats {
            rows: self.rows(),
            series: u64::from(self.series_count()),
            bytes: self.size_bytes(),
            oldest_received_at_ns: self.oldest_received_at_ns,
            offset: self.max_offset,
        }
    }
}

impl Inner {
    fn list(&self, state: &mut State, files: Vec<SegmentRef>) {
        self.blobs.listed(&files);
        let new = |reference| Pinned::new(self.blobs.store(), &self.options.cache, reference);
        for retired in state.listed.replace(files, new) {
            self.blobs.retire(retired);
        }
    }
}

impl State {
    /// The highest offset whose rows are in head or segments.
    pub(crate) fn applied_offset(&self) -> u64 {
        self.stats.offset
    }

    /// The deletes of a tenant that are not done everywhere.
    pub(crate) fn deletes_of(&self, tenant: &str) -> Arc<[Deletion]> {
        let tenant = TenantId::new(tenant).ok().and_then(|tenant| self.tenants.get(&tenant));
        tenant.map(|tenant| tenant.carry.deletes.clone()).unwrap_or_default()
    }

    fn heads(&self) -> impl Iterator<Item = (&TenantId, &Arc<RwLock<Head>>)> {
        let frozen = self.frozen.iter().map(|frozen| (&frozen.tenant, &frozen.head));
        frozen.chain(self.tenants.iter().map(|(name, tenant)| (name, &tenant.head)))
    }

    fn set_aside(&mut self, batch: SetAside) {
        tracing::error!(offset = batch.offset, reason = batch.reason, "a batch of samples is set aside");
        self.set_aside_count += 1;
        if self.set_aside.len() < MAX_SET_ASIDE {
            self.set_aside.push(batch);
        }
    }

    fn count_heads(&mut self) {
        let mut stats = HeadStats { offset: self.stats.offset, ..HeadStats::default() };
        for (_, head) in self.heads() {
            stats.replace(HeadStats::default(), head.read().stats());
        }
        self.stats = stats;
    }

    /// Forgets deletes that hide nothing any more: they are done in all segments and heads.
    fn forget_deletes(&mut self) {
        let Self { tenants, frozen, listed, .. } = self;
        for (name, tenant) in tenants.iter_mut().filter(|(_, tenant)| !tenant.carry.deletes.is_empty()) {
            let segments = listed.of_tenant(name.as_str());
            let in_segment = |deletion: &Deletion| {
                let file = segments.iter().map(|segment| segment.listed());
                file.into_iter()
                    .any(|file| deletion.concerns(file.clean_offset, file.min_time_ms, file.max_time_ms))
            };
            let in_head = |deletion: &Deletion| {
                let mut heads = frozen.iter().filter(|frozen| frozen.tenant == *name);
                heads.any(|frozen| deletion.offset > frozen.head.read().clean_offset)
            };
            let needed =
                tenant.carry.deletes.iter().filter(|deletion| in_segment(deletion) || in_head(deletion));
            tenant.carry.deletes = needed.cloned().collect();
        }
    }
}
