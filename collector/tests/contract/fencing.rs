//! Owners: one at a time, by the epoch in the document.

use std::path::Path;
use std::sync::Arc;

use narrows_collector::commit::{CommitError, Kind, PartitionId, Store};
use receive::{Sink, SinkError};
use telemetry::{Producer, TenantId};

use crate::documents::SimMeta;
use crate::query;
use crate::world::{Ground, Item, MemoryJournals, World, batch};

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

async fn send(store: &Store, world: &World, bodies: std::ops::Range<u64>) -> Result<(), SinkError> {
    let items: Vec<Item> =
        bodies.map(|n| Item { body: format!("record {n}"), time_ns: 0, resource: n }).collect();
    store.append(batch(&tenant(), None, world.now_ns(), &items)).await.map(drop)
}

fn streams() -> World {
    let mut world = World::new(1, 1, Ground::Memory(MemoryJournals::new(1)));
    world.shared = Some(Arc::new(SimMeta::open(&world.disk, Path::new("/meta")).unwrap()));
    world
}

#[tokio::test]
async fn a_paused_owners_late_seal_fails_and_it_stops() {
    let world = streams();
    let paused = world.open().await.unwrap();
    send(&paused, &world, 0..10).await.unwrap();
    paused.apply().await.unwrap();

    let owner = world.open().await.unwrap();
    assert!(matches!(paused.seal(PartitionId::logs(0)).await, Err(CommitError::Fenced { epoch: 1, .. })));
    assert!(!paused.health().ready && owner.health().ready);
    assert!(matches!(send(&paused, &world, 10..11).await, Err(SinkError::Unavailable { .. })));
    assert!(
        paused.seal(PartitionId::logs(0)).await.is_err()
            && paused.merge(PartitionId::logs(0), true).await.is_err()
            && paused.sweep().await.is_err()
    );

    send(&owner, &world, 20..30).await.unwrap();
    owner.barrier(true).await.unwrap();
    owner.sweep().await.unwrap();
    assert_eq!(query::count(&owner, &tenant()).await, 20);
    let next = world.open().await.unwrap();
    assert_eq!(query::rows(&next, &tenant()).await.len(), 20);
    assert_eq!(next.stats().partitions[0].epoch, 3);
}

#[tokio::test]
async fn an_append_that_is_late_for_its_epoch_is_not_acknowledged() {
    let world = streams();
    let paused = world.open().await.unwrap();
    let owner = world.open().await.unwrap();
    let error = send(&paused, &world, 0..1).await.unwrap_err();
    assert!(matches!(error, SinkError::Unavailable { .. }), "{error:?}");
    assert!(!paused.health().ready);
    owner.barrier(true).await.unwrap();
    assert_eq!(query::count(&owner, &tenant()).await, 0);
}

#[tokio::test]
async fn a_paused_merge_cannot_remove_what_the_next_owner_lists() {
    let world = streams();
    let paused = world.open().await.unwrap();
    for n in 0..4 {
        send(&paused, &world, n * 10..n * 10 + 10).await.unwrap();
        paused.apply().await.unwrap();
        paused.seal(PartitionId::logs(0)).await.unwrap();
    }
    let owner = world.open().await.unwrap();
    assert!(matches!(paused.merge(PartitionId::logs(0), true).await, Err(CommitError::Fenced { .. })));
    drop(paused.sweep().await);
    assert_eq!(query::rows(&owner, &tenant()).await.len(), 40);
    owner.merge(PartitionId::logs(0), true).await.unwrap();
    owner.sweep().await.unwrap();
    assert_eq!(query::rows(&owner, &tenant()).await.len(), 40);
}

/// Two partitions become three, then one: nothing is lost, and resends still meet their windows.
#[tokio::test]
async fn the_number_of_partitions_may_change() {
    let mut world = World::new(3, 2, Ground::Files);
    let mut sent = 0;
    for partitions in [2, 3, 1] {
        world.partitions = partitions;
        let store: Arc<Store> = world.open().await.unwrap();
        send(&store, &world, sent..sent + 20).await.unwrap();
        sent += 20;
        for host in 0..20 {
            let producer = Producer::new(&format!("host-{host}"), 1, 1, 1).unwrap();
            let item = Item { body: format!("numbered {host}"), time_ns: 0, resource: host };
            store.append(batch(&tenant(), Some(producer), world.now_ns(), &[item])).await.unwrap();
        }
        store.apply().await.unwrap();
        let rows = query::rows(&store, &tenant()).await;
        assert_eq!(rows.len() as u64, sent + 20);
        assert!(rows.values().all(|times| times.len() == 1), "a resend was applied twice");
        let logs = store.stats().partitions.iter().filter(|one| one.partition.kind == Kind::Logs).count();
        assert_eq!(logs, usize::from(partitions).max(if partitions == 1 { 3 } else { 2 }));
        store.barrier(partitions == 3).await.unwrap();
        drop(store);
    }
}
