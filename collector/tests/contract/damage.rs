//! What is broken is named, and stops what must stop.

use std::path::Path;
use std::sync::Arc;

use journal::Disk;
use journal::sim::{Crash, Faults};
use narrows_collector::commit::{CommitError, Store};
use receive::{Sink, SinkError};
use telemetry::TenantId;

use crate::query;
use crate::world::{Ground, Item, World, batch};

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

async fn send(store: &Store, world: &World, body: &str) -> Result<(), SinkError> {
    let items = [Item { body: body.to_owned(), time_ns: 0, resource: 1 }];
    store.append(batch(&tenant(), None, world.now_ns(), &items)).await.map(drop)
}

fn restart(world: &World) {
    world.disk.crash(Crash::Process);
    world.disk.restart();
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_accepted_until_the_restart() {
    let world = World::new(1, 1, Ground::Files);
    let store = world.open().await.unwrap();
    send(&store, &world, "before").await.unwrap();
    world.disk.set_faults(Faults { sync_error_percent: 100, ..Faults::default() });
    assert!(matches!(send(&store, &world, "during").await, Err(SinkError::Unavailable { .. })));
    world.disk.set_faults(Faults::default());
    for _ in 0..3 {
        let error = send(&store, &world, "after").await.unwrap_err();
        assert!(
            matches!(&error, SinkError::Unavailable { reason, .. } if reason.contains("restart")),
            "{error:?}"
        );
    }
    let health = store.health();
    assert!(!health.ready && health.reasons[0].contains("partition 0"), "{health:?}");
    store.apply().await.unwrap();
    assert_eq!(query::count(&store, &tenant()).await, 1, "queries go on");
    drop(store);
    restart(&world);
    let store = world.open().await.unwrap();
    send(&store, &world, "again").await.unwrap();
    store.apply().await.unwrap();
    let rows = query::rows(&store, &tenant()).await;
    assert!(rows.contains_key("before") && rows.contains_key("again") && !rows.contains_key("after"));
}

#[tokio::test]
async fn a_record_that_crashes_the_engine_is_set_aside_and_the_others_go_on() {
    let world = World::new(1, 1, Ground::Files);
    let bomb = |world: &World| {
        let mut options = world.options().unwrap();
        options.before_apply = Some(Arc::new(|_, batch| {
            let text = String::from_utf8_lossy(&batch.payload).into_owned();
            assert!(!text.contains("bomb"), "this record crashes the engine");
        }));
        options
    };
    let store = Store::open(bomb(&world)).await.unwrap();
    for body in ["one", "bomb", "three"] {
        send(&store, &world, body).await.unwrap();
    }
    store.apply().await.unwrap();
    assert_eq!(query::rows(&store, &tenant()).await.into_keys().collect::<Vec<_>>(), ["one", "three"]);
    for round in 0..3 {
        let store = if round == 0 { Arc::clone(&store) } else { Store::open(bomb(&world)).await.unwrap() };
        let partition = &store.stats().partitions[0];
        assert_eq!((partition.aside_total, partition.aside[0].offset), (1, 2), "round {round}");
        assert!(partition.aside[0].reason.contains("crashes the engine"));
        let health = store.health();
        assert!(health.ready && health.reasons[0].contains("set aside"), "{health:?}");
        assert_eq!(query::count(&store, &tenant()).await, 2);
        store.barrier(false).await.unwrap();
    }
    let names = world.disk.list(Path::new("/blobs")).unwrap();
    assert!(names.iter().any(|name| name.ends_with(".record")), "its bytes are kept: {names:?}");
}

async fn sealed_world() -> (World, String) {
    let world = World::new(1, 1, Ground::Files);
    let store = world.open().await.unwrap();
    send(&store, &world, "one").await.unwrap();
    store.barrier(false).await.unwrap();
    drop(store);
    restart(&world);
    let names = world.disk.list(Path::new("/blobs")).unwrap();
    let manifest = names.into_iter().rfind(|name| name.ends_with(".manifest")).unwrap();
    (world, manifest)
}

async fn refusal(world: &World) -> CommitError {
    world.open().await.err().expect("it must not open")
}

#[tokio::test]
async fn a_damaged_manifest_stops_the_start_by_name() {
    let (world, manifest) = sealed_world().await;
    world.disk.flip(&Path::new("/blobs").join(&manifest), 30, 1).unwrap();
    let error = refusal(&world).await;
    let text = error.to_string();
    assert!(matches!(error, CommitError::Manifest { .. }), "{text}");
    assert!(text.contains(&manifest.replace('+', "/")) && text.contains("restore"), "{text}");
}

#[tokio::test]
async fn a_missing_manifest_stops_the_start_by_name() {
    let (world, manifest) = sealed_world().await;
    world.disk.remove(&Path::new("/blobs").join(&manifest)).unwrap();
    let error = refusal(&world).await;
    assert!(matches!(&error, CommitError::Manifest { reason, .. } if reason.contains("missing")), "{error}");
}

#[tokio::test]
async fn lost_documents_stop_the_start() {
    let (world, _) = sealed_world().await;
    world.disk.remove(Path::new("/meta/all.documents")).unwrap();
    assert!(matches!(refusal(&world).await, CommitError::NoDocument { name } if name == "logs-0"));
}

#[tokio::test]
async fn a_lost_journal_stops_the_start_instead_of_giving_offsets_again() {
    let (world, _) = sealed_world().await;
    for name in world.disk.list(Path::new("/journal/logs-0")).unwrap() {
        world.disk.remove(&Path::new("/journal/logs-0").join(name)).unwrap();
    }
    assert!(matches!(refusal(&world).await, CommitError::Gap { sealed: 1, end: 1, .. }));
}

#[tokio::test]
async fn a_damaged_split_makes_answers_partial_and_is_named() {
    let (world, _) = sealed_world().await;
    let names = world.disk.list(Path::new("/blobs")).unwrap();
    let split = names.into_iter().find(|name| name.ends_with(".split")).unwrap();
    world.disk.flip(&Path::new("/blobs").join(&split), 40, 0xff).unwrap();
    let store = world.open().await.unwrap();
    send(&store, &world, "two").await.unwrap();
    store.apply().await.unwrap();
    let answer = query::answer(&store, &tenant()).await;
    assert!(answer.partial && answer.records.len() == 1, "{answer:?}");
    let health = store.health();
    assert!(health.ready && health.damaged[0].name == split.replace('+', "/"), "{health:?}");
    assert!(health.reasons.iter().any(|reason| reason.contains("damaged")));
}

#[tokio::test]
async fn a_merge_leaves_a_damaged_split_out_and_goes_on() {
    let (world, _) = sealed_world().await;
    let damaged = world
        .disk
        .list(Path::new("/blobs"))
        .unwrap()
        .into_iter()
        .find(|name| name.ends_with(".split"))
        .unwrap();
    let store = world.open().await.unwrap();
    for body in ["two", "three"] {
        send(&store, &world, body).await.unwrap();
        store.barrier(false).await.unwrap();
    }
    drop(store);
    restart(&world);
    world.disk.flip(&Path::new("/blobs").join(&damaged), 40, 0xff).unwrap();
    let store = world.open().await.unwrap();
    let report = store.barrier(true).await.unwrap();
    assert_eq!(report.splits, 2, "the damaged one, and the other two as one");
    let answer = query::answer(&store, &tenant()).await;
    assert!(answer.partial && answer.records.len() == 2, "{answer:?}");
    assert_eq!(store.health().damaged.len(), 1);
}
