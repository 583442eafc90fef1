//! What is bounded by bytes and by counts: the head in memory, and the producers that are known.

use std::sync::Arc;
use std::time::Duration;

use narrows_collector::commit::{Kind, PartitionStats, Refusal, Store, StoreOptions};
use receive::{Sink, SinkError};
use telemetry::{Producer, TenantId};

use crate::query;
use crate::world::{Ground, Item, SECOND_NS, World, batch, samples};

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

async fn open(world: &World, change: impl FnOnce(&mut StoreOptions)) -> Arc<Store> {
    let mut options = world.options().unwrap();
    change(&mut options);
    Store::open(options).await.unwrap()
}

async fn send(store: &Store, world: &World, number: u64) -> Result<(), SinkError> {
    let items: Vec<Item> = (number * 10..number * 10 + 10)
        .map(|n| Item { body: format!("record {n}"), time_ns: 0, resource: n })
        .collect();
    store.append(batch(&tenant(), None, world.now_ns(), &items)).await.map(drop)
}

/// The journal and the rows are far below their limits; the head's bytes are not.
#[tokio::test]
async fn a_head_that_fills_its_memory_pushes_back_until_it_is_sealed() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |options| options.pressure.head_bytes = 20_000).await;
    let mut sent = 0;
    let error = loop {
        match send(&store, &world, sent).await {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        store.apply().await.unwrap();
    };
    assert!(
        matches!(&error, SinkError::Unavailable { reason, .. } if reason.contains("memory")),
        "{error:?}"
    );
    assert!(!store.health().ready && store.stats().partitions[0].head_bytes > 20_000);
    store.barrier(false).await.unwrap();
    assert!(store.health().ready);
    send(&store, &world, sent).await.unwrap();
    store.apply().await.unwrap();
    assert_eq!(query::count(&store, &tenant()).await, (sent + 1) * 10);
    let stats = &store.stats().partitions[0];
    assert_eq!((stats.seals, stats.merges), (1, 0));
}

/// The tasks seal by the head's bytes alone, and go on by themselves after they were held up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_background_seals_by_the_heads_bytes() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |options| {
        options.background = true;
        (options.seal.head_bytes, options.pressure.head_bytes) = (1 << 40, 20_000);
    })
    .await;
    let mut sent = 0;
    let all = async {
        while sent < 60 {
            match send(&store, &world, sent).await {
                Ok(()) => sent += 1,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
        while query::count(&store, &tenant()).await < 600 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("it goes on by itself");
    assert!(store.stats().partitions[0].seals > 0);
    store.shutdown().await;
}

#[tokio::test]
async fn replay_is_sealed_on_the_way_by_the_heads_bytes() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |_| {}).await;
    let wide = "x".repeat(1000);
    for n in 0..1500 {
        let item = Item { body: format!("record {n} {wide}"), time_ns: 0, resource: n };
        store.append(batch(&tenant(), None, world.now_ns(), &[item])).await.unwrap();
    }
    drop(store);
    let store = open(&world, |options| {
        (options.seal.journal_bytes, options.seal.rows) = (u64::MAX, u64::MAX);
        options.seal.head_bytes = 200_000;
    })
    .await;
    let stats = store.stats();
    assert!(stats.partitions[0].sealed_offset > 0 && stats.partitions[0].head_rows < 1500, "{stats:?}");
    assert_eq!(query::count(&store, &tenant()).await, 1500);
}

async fn send_as(
    store: &Store,
    world: &World,
    tenant: &TenantId,
    epoch: u64,
    seq: u64,
) -> Result<(), SinkError> {
    let producer = Producer::new("host-1", epoch, seq, 1).unwrap();
    let item = Item { body: format!("record {epoch} {seq}"), time_ns: 0, resource: 1 };
    store.append(batch(tenant, Some(producer), world.now_ns(), &[item])).await.map(drop)
}

#[tokio::test]
async fn a_new_producer_is_throttled_when_there_are_too_many_and_known_ones_go_on() {
    let world = World::new(1, 3, Ground::Files);
    let limited = |options: &mut StoreOptions| {
        (options.producers.per_tenant, options.producers.total) = (5, 7);
    };
    let store = open(&world, limited).await;
    let (one, other) = (tenant(), TenantId::new("other").unwrap());
    for epoch in 0..5 {
        send_as(&store, &world, &one, epoch, 1).await.unwrap();
    }
    for _ in 0..2 {
        let error = send_as(&store, &world, &one, 5, 1).await.unwrap_err();
        assert!(
            matches!(&error, SinkError::Throttled { reason, .. } if reason.contains("the tenant")),
            "{error:?}"
        );
    }
    assert_eq!(store.stats().refused, [(Refusal::TooManyProducers, 2)].into());
    send_as(&store, &world, &one, 4, 2).await.unwrap();
    send_as(&store, &world, &other, 0, 1).await.unwrap();
    send_as(&store, &world, &other, 1, 1).await.unwrap();
    assert!(matches!(send_as(&store, &world, &other, 2, 1).await, Err(SinkError::Throttled { .. })));
    store.barrier(false).await.unwrap();
    (0..3).for_each(|_| store.refresh_producers());
    assert_eq!(store.stats().producers.len(), 7);
    drop(store);
    let store = open(&world, limited).await;
    assert!(matches!(send_as(&store, &world, &other, 2, 1).await, Err(SinkError::Throttled { .. })));
    send_as(&store, &world, &other, 1, 2).await.unwrap();
}

/// Nobody is left without a place by a batch that came to nothing.
#[tokio::test]
async fn a_batch_of_which_nothing_is_kept_makes_no_producer_known() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |options| options.producers.per_tenant = 1).await;
    let producer = Producer::new("host-1", 1, 1, 1).unwrap();
    let old = Item { body: "old".to_owned(), time_ns: 1, resource: 1 };
    let outcome = store.append(batch(&tenant(), Some(producer), world.now_ns(), &[old])).await.unwrap();
    assert_eq!((outcome.accepted, outcome.rejected), (0, 1));
    send_as(&store, &world, &tenant(), 2, 1).await.unwrap();
}

fn of_samples(store: &Store) -> PartitionStats {
    store.stats().partitions.into_iter().find(|one| one.partition.kind == Kind::Samples).unwrap()
}

/// Ten series' samples of a second of their own.
async fn send_samples(store: &Store, world: &World, second: u64) -> Result<(), SinkError> {
    let time_ns = world.now_ns() + second as i64 * SECOND_NS;
    let all: Vec<_> = (0..10).map(|n| ("m", second / 50 * 10 + n, time_ns)).collect();
    store.append(samples(None, world.now_ns(), &all)).await.map(drop)
}

async fn count_samples(store: &Store) -> u64 {
    let points = query::points(store, &tenant()).await.unwrap();
    points.values().map(|times| times.len() as u64).sum()
}

#[tokio::test]
async fn a_head_of_samples_that_fills_its_memory_pushes_back_until_it_is_sealed() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |options| options.pressure.head_bytes = 20_000).await;
    let mut sent = 0;
    let error = loop {
        match send_samples(&store, &world, sent).await {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        store.apply().await.unwrap();
    };
    assert!(
        matches!(&error, SinkError::Unavailable { reason, .. } if reason.contains("memory")),
        "{error:?}"
    );
    assert!(!store.health().ready && of_samples(&store).head_bytes > 20_000);
    send(&store, &world, 0).await.unwrap();
    store.barrier(false).await.unwrap();
    assert!(store.health().ready);
    send_samples(&store, &world, sent).await.unwrap();
    store.apply().await.unwrap();
    assert_eq!(count_samples(&store).await, (sent + 1) * 10);
}

#[tokio::test]
async fn replay_of_samples_is_sealed_on_the_way_by_each_of_its_own_limits() {
    let world = World::new(1, 1, Ground::Files);
    let unlimited = |options: &mut StoreOptions| {
        let limits = &mut options.seal_samples;
        (limits.rows, limits.journal_bytes, limits.head_bytes) = (u64::MAX, u64::MAX, u64::MAX);
    };
    let store = open(&world, unlimited).await;
    let mut sent = 0;
    while of_samples(&store).journal_end < 8000 {
        send_samples(&store, &world, sent % 3000).await.unwrap();
        sent += 1;
    }
    drop(store);
    let store = open(&world, unlimited).await;
    assert_eq!(of_samples(&store).sealed_offset, 0);
    drop(store);
    let store = open(&world, |options| {
        unlimited(options);
        // Those of the logs are not looked at.
        options.seal.rows = 1;
        options.seal_samples.head_bytes = 40_000;
    })
    .await;
    let stats = of_samples(&store);
    assert!(stats.sealed_offset > 0 && stats.sealed_offset + 1 < stats.journal_end, "{stats:?}");
    assert_eq!(count_samples(&store).await, 30_000);
}
