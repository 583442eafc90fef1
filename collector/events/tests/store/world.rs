//! A partition with its blobs, driven as the collector drives it, and beside it
//! every record that went in.

use std::sync::Arc;

use events::{Answer, BlockCache, Cursor, Layout, Options, Order, Partition, Request, RowKey, SplitRef};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use telemetry::{Batch, Signal, TenantId};

use crate::records::{Record, request};

/// When every batch was received.
pub(crate) const RECEIVED_NS: i64 = 1_700_000_300_000_000_000;

/// A record that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) tenant: TenantId,
    pub(crate) key: RowKey,
    pub(crate) record: Record,
}

pub(crate) struct World {
    pub(crate) store: Arc<InMemory>,
    pub(crate) partition: Partition,
    pub(crate) offset: u64,
    pub(crate) sealed: u64,
    pub(crate) kept: Vec<Kept>,
}

/// Every layout.
pub(crate) const LAYOUTS: [Layout; 2] = [Layout::Plain, Layout::Signatures];

/// Blocks of a few rows and an index for every merge, so that little data goes every way.
pub(crate) fn options() -> Options {
    Options {
        cache: BlockCache::new(1 << 20),
        max_split_rows: 100_000,
        block_rows: 7,
        min_index_rows: 1,
        merge_factor: 2,
        ..Options::default()
    }
}

pub(crate) fn batch(tenant: &TenantId, payload: Vec<u8>) -> Batch {
    Batch {
        tenant: tenant.clone(),
        signal: Signal::Logs,
        producer: None,
        received_at_ns: RECEIVED_NS,
        payload: payload.into(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(options())
    }

    pub(crate) fn with(options: Options) -> Self {
        let store = Arc::new(InMemory::new());
        let partition = Partition::new(store.clone(), 3, options);
        partition.recover(Vec::new());
        Self { store, partition, offset: 0, sealed: 0, kept: Vec::new() }
    }

    /// Blocks of a few rows, in this layout.
    pub(crate) fn of(layout: Layout) -> Self {
        Self::with(Options { layout, ..options() })
    }

    /// From now on splits are written in this layout; nothing may be in the head.
    pub(crate) fn switch(&mut self, layout: Layout) {
        assert_eq!(self.partition.head_stats().rows, 0);
        let files = self.partition.files();
        self.partition = Partition::new(self.store.clone(), 3, Options { layout, ..options() });
        self.partition.recover(files);
    }

    /// The same blobs, listed anew, as after a restart.
    pub(crate) fn reopened(&self, files: Vec<SplitRef>) -> Partition {
        let store: Arc<dyn ObjectStore> = self.store.clone();
        let partition = Partition::new(store, 3, options());
        partition.recover(files);
        partition
    }

    pub(crate) fn append(&mut self, tenant: &TenantId, records: &[Record]) {
        self.offset += 1;
        self.partition.apply(self.offset, &batch(tenant, request(records)));
        for (index, record) in records.iter().enumerate() {
            let parsed = telemetry::otlp::LogRecord::of_valid(&record.raw);
            let time_ns = parsed.effective_time_ns(RECEIVED_NS);
            let key = RowKey { time_ns, partition: 3, seq: RowKey::seq(self.offset, index as u32) };
            self.kept.push(Kept { tenant: tenant.clone(), key, record: record.clone() });
        }
    }

    pub(crate) async fn seal(&mut self) {
        self.sealed = self.offset;
        seal(&self.partition, self.sealed).await;
    }

    pub(crate) async fn merge(&self, all: bool) -> bool {
        merge(&self.partition, self.sealed, all).await
    }

    pub(crate) async fn merge_all(&self) {
        while self.merge(true).await {}
    }

    pub(crate) async fn search(&self, tenant: &TenantId, request: &Request) -> Answer {
        events::search(&[self.partition.snapshot(tenant)], request).await.unwrap()
    }
}

pub(crate) async fn seal(partition: &Partition, upto: u64) {
    let added = partition.seal(1, upto).await.unwrap();
    let mut files = partition.files();
    files.extend(added);
    partition.publish(files, upto);
}

/// One merge, published; whether there was one to do.
pub(crate) async fn merge(partition: &Partition, sealed: u64, all: bool) -> bool {
    let Some(plan) = partition.plan_merge(all) else { return false };
    let merged = partition.merge(1, plan).await.unwrap();
    let mut files = partition.files();
    files.retain(|file| !merged.removed.contains(&file.name));
    files.extend(merged.added);
    partition.publish(files, sealed);
    true
}

pub(crate) fn ask(query: &str) -> Request {
    Request {
        query: search::parse(query).unwrap(),
        start_ns: i64::MIN,
        end_ns: i64::MAX,
        order: Order::Newest,
        limit: 10_000,
        cursor: None::<Cursor>,
        deadline: None,
        max_memory_bytes: 64 << 20,
    }
}
