//! Housekeeping where one part is held up or has failed: the rest goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use meta::{Document, Meta, MetaError, Watch};
use narrows_collector::commit::{CommitError, PartitionId, Space, Store, StoreOptions};
use receive::Sink;
use telemetry::TenantId;

use crate::query;
use crate::world::{Ground, Item, RETENTION_NS, SECOND_NS, World, batch};

/// Documents whose puts can be held up, and one of which can be somebody else's.
struct Troubled {
    inner: Arc<dyn Meta>,
    held: AtomicBool,
    taken: AtomicBool,
}

impl Troubled {
    fn under(options: &mut StoreOptions) -> Arc<Self> {
        let inner = Arc::clone(&options.meta);
        let troubled = Arc::new(Self { inner, held: AtomicBool::default(), taken: AtomicBool::default() });
        options.meta = Arc::clone(&troubled) as Arc<dyn Meta>;
        troubled
    }
}

#[async_trait]
impl Meta for Troubled {
    async fn get(&self, key: &str) -> Result<Option<Document>, MetaError> {
        self.inner.get(key).await
    }

    async fn put(&self, key: &str, body: Bytes, expect: u64) -> Result<u64, MetaError> {
        while self.held.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if self.taken.load(Ordering::SeqCst) && key.ends_with("/0") {
            return Err(MetaError::Conflict { key: key.to_owned(), expected: expect, current: expect + 1 });
        }
        self.inner.put(key, body, expect).await
    }

    async fn delete(&self, key: &str, expect: u64) -> Result<(), MetaError> {
        self.inner.delete(key, expect).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, MetaError> {
        self.inner.list(prefix).await
    }

    fn watch(&self, prefix: &str) -> Watch {
        self.inner.watch(prefix)
    }
}

async fn send(store: &Store, world: &World, count: u64) {
    let items: Vec<Item> =
        (0..count).map(|n| Item { body: format!("record {n}"), time_ns: 0, resource: n }).collect();
    store.append(batch(&TenantId::default_tenant(), None, world.now_ns(), &items)).await.unwrap();
}

#[tokio::test]
async fn the_disk_is_looked_at_while_retention_waits_for_a_commit() {
    let world = World::new(1, 1, Ground::Files);
    let free = Arc::new(AtomicU64::new(50 << 30));
    let mut options = world.options().unwrap();
    let troubled = Troubled::under(&mut options);
    options.free_space = Some(Arc::new({
        let free = Arc::clone(&free);
        move || Ok(Space { total_bytes: 100 << 30, free_bytes: free.load(Ordering::SeqCst) })
    }));
    (options.background, options.house_keeping) = (true, Duration::from_millis(10));
    let store = Store::open(options).await.unwrap();
    send(&store, &world, 5).await;
    store.apply().await.unwrap();
    troubled.held.store(true, Ordering::SeqCst);
    let sealing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.seal(PartitionId::logs(0)).await }
    });
    // Until retention certainly waits for the commit that is held up.
    tokio::time::sleep(Duration::from_millis(100)).await;
    free.store(1 << 20, Ordering::SeqCst);
    let noticed = async {
        while store.health().ready {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), noticed)
        .await
        .expect("a full disk is noticed within a second or two");
    assert!(!sealing.is_finished());
    troubled.held.store(false, Ordering::SeqCst);
    assert!(sealing.await.unwrap().unwrap());
    store.shutdown().await;
}

#[tokio::test]
async fn retention_and_sweeping_go_on_past_a_partition_that_failed() {
    let world = World::new(1, 3, Ground::Files);
    let mut options = world.options().unwrap();
    let troubled = Troubled::under(&mut options);
    let store = Store::open(options).await.unwrap();
    send(&store, &world, 60).await;
    store.barrier(false).await.unwrap();
    let splits = || {
        let names = journal::Disk::list(&world.disk, std::path::Path::new("/blobs")).unwrap();
        names.into_iter().filter(|name| name.ends_with(".split")).count()
    };
    assert_eq!(splits(), 3);
    troubled.taken.store(true, Ordering::SeqCst);
    world.advance(RETENTION_NS + SECOND_NS);
    let error = store.retain().await.unwrap_err();
    assert!(matches!(error, CommitError::Fenced { .. }), "{error:?}");
    assert_eq!(store.stats().splits, 1, "the other two dropped theirs");
    assert!(query::count(&store, &TenantId::default_tenant()).await < 60);
    assert!(matches!(store.sweep().await, Err(CommitError::Stopped(_))));
    assert_eq!(splits(), 1, "the other two are swept");
    assert!(store.retain().await.is_err(), "it is told each time");
}
