//! What queries see, and what waits to be sealed: heads by tenant, the list of files, and their counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use telemetry::{Batch, TenantId};

use super::{HeadStats, Listed, SetAside};
use crate::chunks::{Chunks, HeadChunk};

/// How many batches that were set aside are named; all are counted.
const MAX_SET_ASIDE: usize = 1000;

/// One version of a partition.
pub(crate) struct State<C: HeadChunk> {
    heads: BTreeMap<TenantId, Chunks<C>>,
    pub(crate) listed: Listed,
    pub(crate) stats: HeadStats,
    set_aside: Vec<SetAside>,
    set_aside_count: u64,
}

impl<C: HeadChunk> Default for State<C> {
    fn default() -> Self {
        Self {
            heads: BTreeMap::new(),
            listed: Listed::default(),
            stats: HeadStats::default(),
            set_aside: Vec::new(),
            set_aside_count: 0,
        }
    }
}

impl<C: HeadChunk> State<C> {
    /// Takes in what became of the batch at `offset`.
    pub(crate) fn applied(&mut self, offset: u64, batch: &Batch, read: Result<C, String>) {
        self.stats.offset = self.stats.offset.max(offset);
        match read {
            Ok(chunk) if chunk.row_count() == 0 => {}
            Ok(chunk) => self.push(batch, chunk),
            Err(reason) => self.set_aside(SetAside { offset, reason }),
        }
    }

    fn push(&mut self, batch: &Batch, chunk: C) {
        self.stats.add(&chunk);
        match self.heads.get_mut(&batch.tenant) {
            Some(chunks) => chunks.push(Arc::new(chunk)),
            None => {
                let mut chunks = Chunks::default();
                chunks.push(Arc::new(chunk));
                self.heads.insert(batch.tenant.clone(), chunks);
            }
        }
    }

    fn set_aside(&mut self, batch: SetAside) {
        tracing::error!(offset = batch.offset, reason = batch.reason, "a batch is set aside");
        self.set_aside_count += 1;
        if self.set_aside.len() < MAX_SET_ASIDE {
            self.set_aside.push(batch);
        }
    }

    /// How many batches were set aside, and the first of them.
    pub(crate) fn all_set_aside(&self) -> (u64, Vec<SetAside>) {
        (self.set_aside_count, self.set_aside.clone())
    }

    /// Head rows up to `offset` are in files now.
    pub(crate) fn drop_heads_upto(&mut self, offset: u64) {
        for chunks in self.heads.values_mut() {
            *chunks = chunks.after(offset);
        }
        self.heads.retain(|_, chunks| !chunks.is_empty());
        let mut stats = HeadStats { offset: self.stats.offset, ..HeadStats::default() };
        self.heads.values().flat_map(Chunks::iter).for_each(|chunk| stats.add(&**chunk));
        self.stats = stats;
    }

    /// A tenant's chunks.
    pub(crate) fn head(&self, tenant: &TenantId) -> Chunks<C> {
        self.heads.get(tenant).cloned().unwrap_or_default()
    }

    /// How many rows each tenant has, in head and files.
    pub(crate) fn rows_by_tenant(&self) -> HashMap<String, u64> {
        let mut rows = HashMap::new();
        for (tenant, chunks) in &self.heads {
            let count: usize = chunks.iter().map(|chunk| chunk.row_count()).sum();
            *rows.entry(tenant.as_str().to_owned()).or_default() += count as u64;
        }
        for file in self.listed.references() {
            *rows.entry(file.tenant).or_default() += file.rows;
        }
        rows
    }

    /// The highest offset whose rows are in head or files.
    pub(crate) fn applied_offset(&self) -> u64 {
        self.stats.offset
    }

    /// Each tenant's chunks up to an offset.
    pub(crate) fn heads_upto(&self, upto: u64) -> Vec<(TenantId, Vec<Arc<C>>)> {
        let upto = |chunks: &Chunks<C>| {
            chunks.iter().filter(|chunk| chunk.offset() <= upto).cloned().collect::<Vec<_>>()
        };
        let heads = self.heads.iter().map(|(tenant, chunks)| (tenant.clone(), upto(chunks)));
        heads.filter(|(_, chunks)| !chunks.is_empty()).collect()
    }
}

impl HeadStats {
    fn add<C: HeadChunk>(&mut self, chunk: &C) {
        self.rows += chunk.row_count() as u64;
        self.bytes += chunk.size_bytes() as u64;
        let oldest = self.oldest_received_at_ns.unwrap_or(i64::MAX);
        self.oldest_received_at_ns = Some(oldest.min(chunk.received_at_ns()));
    }
}
