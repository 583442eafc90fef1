//! Counts under load, with everything real: threads, files, SQLite, the background tasks.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use journal::OsDisk;
use meta::SqliteMeta;
use narrows_collector::commit::{FileJournals, PartitionId, Store, StoreOptions, local_blobs, system_now_ns};
use receive::Sink;
use telemetry::TenantId;

use crate::query;
use crate::world::{Item, batch};

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

async fn open(directory: &Path, change: impl FnOnce(&mut StoreOptions)) -> Arc<Store> {
    let journals = Arc::new(FileJournals::new(Arc::new(OsDisk), directory.join("journal")));
    let blobs = local_blobs(&directory.join("blobs")).unwrap();
    let meta = Arc::new(SqliteMeta::open(&directory.join("meta.sqlite")).unwrap());
    let mut options = StoreOptions::new(journals, blobs, meta);
    options.lock = Some(directory.to_owned());
    options.grace = Duration::from_millis(50);
    options.events.merge_factor = 3;
    change(&mut options);
    Store::open(options).await.unwrap()
}

async fn send(store: &Store, number: u64, count: u64) {
    let items: Vec<Item> = (0..count)
        .map(|n| Item { body: format!("batch {number} record {n}"), time_ns: 0, resource: number % 5 })
        .collect();
    let outcome = store.append(batch(&tenant(), None, system_now_ns(), &items)).await.unwrap();
    assert_eq!(outcome.accepted, count);
}

/// With ingest stopped, seals and merges go on, and every count is the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_count_is_constant_while_sealing_and_merging() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), |options| {
        options.background = false;
        options.partitions = 3;
    })
    .await;
    let (mut sent, mut counted) = (0, 0);
    for round in 0..12 {
        for number in 0..5 {
            send(&store, round * 5 + number, 20).await;
            sent += 20;
        }
        store.apply().await.unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let counter = tokio::spawn({
            let (store, done) = (Arc::clone(&store), Arc::clone(&done));
            async move {
                let mut counts = 0u64;
                while !done.load(Ordering::Relaxed) || counts == 0 {
                    assert_eq!(query::count(&store, &tenant()).await, sent);
                    counts += 1;
                }
                counts
            }
        });
        for partition in 0..3 {
            store.seal(PartitionId::logs(partition)).await.unwrap();
            while store.merge(PartitionId::logs(partition), round % 2 == 0).await.unwrap() {}
        }
        store.sweep().await.unwrap();
        done.store(true, Ordering::Relaxed);
        counted += counter.await.unwrap();
    }
    println!("{counted} counts, all of them right, through 36 seals");
    assert_eq!(query::rows(&store, &tenant()).await.len() as u64, sent);
}

/// With ingest running and the background sealing all the time, counts only grow, and every record
/// that was acknowledged is seen within a moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_only_grow_while_everything_runs() {
    let directory = tempfile::tempdir().unwrap();
    let frequent = |options: &mut StoreOptions| {
        options.seal.rows = 200;
        options.seal.age = Duration::from_millis(300);
    };
    let store = open(directory.path(), frequent).await;
    let (acknowledged, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let sender = tokio::spawn({
        let (store, acknowledged, done) = (Arc::clone(&store), Arc::clone(&acknowledged), Arc::clone(&done));
        async move {
            for number in 0..150 {
                send(&store, number, 20).await;
                acknowledged.fetch_add(20, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            done.store(true, Ordering::SeqCst);
        }
    });
    let (mut last, mut counts) = (0, 0);
    while !done.load(Ordering::SeqCst) {
        let count = query::count(&store, &tenant()).await;
        assert!(count >= last, "{count} after {last}");
        (last, counts) = (count, counts + 1);
    }
    sender.await.unwrap();
    let total = acknowledged.load(Ordering::SeqCst);
    let seen = async {
        while query::count(&store, &tenant()).await < total {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), seen).await.expect("visible within two seconds");
    let report = store.barrier(true).await.unwrap();
    assert_eq!(query::count(&store, &tenant()).await, total);
    assert_eq!(report.splits, 1, "merged to the fewest");
    println!("{counts} counts, {total} records, sealed up to {:?}", report.sealed_offsets);
    Arc::clone(&store).shutdown().await;
    drop(store);
    let store = open(directory.path(), frequent).await;
    assert_eq!(query::count(&store, &tenant()).await, total);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), |_| {}).await;
    let error = {
        let journals = Arc::new(FileJournals::new(Arc::new(OsDisk), directory.path().join("journal")));
        let blobs = local_blobs(&directory.path().join("blobs")).unwrap();
        let meta = Arc::new(SqliteMeta::open(&directory.path().join("meta.sqlite")).unwrap());
        let mut options = StoreOptions::new(journals, blobs, meta);
        options.lock = Some(directory.path().to_owned());
        Store::open(options).await.err().expect("it must not open").to_string()
    };
    assert!(error.contains("in use"), "{error}");
    store.shutdown().await;
}
