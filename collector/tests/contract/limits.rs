//! What is pushed back, what is refused, and what retention takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use narrows_collector::commit::{Kind, RateLimit, Refusal, SeriesLimits, Space, Store, StoreOptions};
use receive::{Sink, SinkError};
use telemetry::{Producer, TenantId};

use crate::query;
use crate::world::{Ground, Item, RETENTION_NS, SECOND_NS, World, batch, samples};

fn tenant() -> TenantId {
    TenantId::default_tenant()
}

async fn open(world: &World, change: impl FnOnce(&mut StoreOptions)) -> Arc<Store> {
    let mut options = world.options().unwrap();
    change(&mut options);
    Store::open(options).await.unwrap()
}

fn items(from: u64, count: u64, time_ns: i64) -> Vec<Item> {
    (from..from + count).map(|n| Item { body: format!("record {n}"), time_ns, resource: n % 3 }).collect()
}

async fn send(store: &Store, world: &World, items: &[Item]) -> Result<telemetry::Outcome, SinkError> {
    store.append(batch(&tenant(), None, world.now_ns(), items)).await
}

/// Free space that a test can change.
fn space(options: &mut StoreOptions, free_bytes: &Arc<AtomicU64>) {
    let free_bytes = Arc::clone(free_bytes);
    options.free_space = Some(Arc::new(move || {
        Ok(Space { total_bytes: 100 << 30, free_bytes: free_bytes.load(Ordering::Relaxed) })
    }));
}

#[tokio::test]
async fn a_nearly_full_disk_refuses_before_it_is_full_and_recovers_by_itself() {
    let world = World::new(1, 1, Ground::Files);
    let free = Arc::new(AtomicU64::new(50 << 30));
    let store = open(&world, |options| space(options, &free)).await;
    send(&store, &world, &items(0, 5, 0)).await.unwrap();
    free.store((2 << 30) - 1, Ordering::Relaxed);
    store.look_at_disk();
    let error = send(&store, &world, &items(5, 5, 0)).await.unwrap_err();
    assert!(
        matches!(&error, SinkError::Unavailable { reason, retry_after } if reason.contains("full") && !retry_after.is_zero()),
        "{error:?}"
    );
    assert!(!store.health().ready);
    store.apply().await.unwrap();
    assert_eq!(query::count(&store, &tenant()).await, 5, "queries go on");
    free.store(50 << 30, Ordering::Relaxed);
    store.look_at_disk();
    send(&store, &world, &items(5, 5, 0)).await.unwrap();
    assert!(store.health().ready);
}

#[tokio::test]
async fn ingest_is_pushed_back_while_applying_or_sealing_is_behind() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |options| {
        options.pressure.lag_bytes = 2000;
        options.pressure.journal_bytes = 6000;
    })
    .await;
    let mut sent = 0;
    let pushed_back = |error: SinkError, word: &str| match error {
        SinkError::Unavailable { reason, .. } => assert!(reason.contains(word), "{reason}"),
        other => panic!("{other:?}"),
    };
    let mut fill = async |store: &Store| loop {
        match send(store, &world, &items(sent, 5, 0)).await {
            Ok(_) => sent += 5,
            Err(error) => return error,
        }
    };
    pushed_back(fill(&store).await, "indexing");
    store.apply().await.unwrap();
    loop {
        let error = fill(&store).await;
        store.apply().await.unwrap();
        if format!("{error:?}").contains("sealing") {
            break;
        }
    }
    assert!(!store.health().ready);
    store.barrier(false).await.unwrap();
    assert!(store.health().ready);
    fill(&store).await;
    store.apply().await.unwrap();
    assert_eq!(query::count(&store, &tenant()).await, sent);
}

#[tokio::test]
async fn a_tenant_over_its_rate_waits_as_long_as_it_is_told_and_nobody_else_does() {
    let world = World::new(1, 1, Ground::Files);
    let every = RateLimit { bytes_per_second: None, records_per_second: Some(10) };
    let store = open(&world, |options| options.rates.every = every).await;
    send(&store, &world, &items(0, 60, 0)).await.unwrap();
    let error = send(&store, &world, &items(60, 1, 0)).await.unwrap_err();
    let SinkError::Throttled { reason, retry_after } = error else { panic!("{error:?}") };
    assert!(reason.contains("10 records a second"), "{reason}");
    assert_eq!(store.stats().refused, [(Refusal::OverRate, 1)].into());
    let other = TenantId::new("other").unwrap();
    store.append(batch(&other, None, world.now_ns(), &items(0, 1, 0))).await.unwrap();
    world.advance(i64::try_from(retry_after.as_nanos()).unwrap() + SECOND_NS / 10);
    send(&store, &world, &items(60, 1, 0)).await.unwrap();
    store.apply().await.unwrap();
    assert_eq!(query::count(&store, &tenant()).await, 61);
}

#[tokio::test]
async fn refused_items_are_told_and_counted() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |_| {}).await;
    let now = world.now_ns();
    let mut all = items(0, 1, now - RETENTION_NS - SECOND_NS);
    all.extend(items(1, 1, now));
    all.extend(items(2, 1, now + 3601 * SECOND_NS));
    all.push(Item { body: "x".repeat(4000), time_ns: now, resource: 1 });
    all.extend(items(4, 1, 0));
    let outcome = send(&store, &world, &all).await.unwrap();
    assert_eq!((outcome.accepted, outcome.rejected), (2, 3));
    let indices: Vec<u32> = outcome.reasons.iter().map(|reason| reason.index).collect();
    assert_eq!(indices, [0, 2, 3]);
    let stats = store.stats();
    assert_eq!(stats.accepted, 2);
    let expected = [(Refusal::TooOld, 1), (Refusal::TooFarAhead, 1), (Refusal::TooLarge, 1)];
    assert_eq!(stats.refused, expected.into());
}

#[tokio::test]
async fn a_large_batch_is_cut_and_with_a_producer_refused() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |_| {}).await;
    let many = items(0, 200, 0);
    let outcome = send(&store, &world, &many).await.unwrap();
    assert_eq!(outcome.accepted, 200);
    let producer = Producer::new("host-1", 1, 1, 1).unwrap();
    let numbered = batch(&tenant(), Some(producer), world.now_ns(), &many);
    assert!(matches!(store.append(numbered).await, Err(SinkError::TooLarge { .. })));
    store.apply().await.unwrap();
    assert!(store.stats().partitions[0].journal_end > 5, "it was cut into several records");
    assert_eq!(query::rows(&store, &tenant()).await.len(), 200);
}

#[tokio::test]
async fn retention_by_age_drops_whole_files_and_partial_overlap_waits() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |_| {}).await;
    let now = world.now_ns();
    for (at, range) in [(now - 900 * SECOND_NS, 0), (now - 500 * SECOND_NS, 10)] {
        send(&store, &world, &items(range, 10, at)).await.unwrap();
        store.barrier(false).await.unwrap();
    }
    world.advance(200 * SECOND_NS);
    assert_eq!(store.retain().await.unwrap(), 1);
    assert_eq!(query::count(&store, &tenant()).await, 10);
    let mut mixed = items(20, 5, world.now_ns() - 900 * SECOND_NS);
    mixed.extend(items(25, 5, world.now_ns()));
    send(&store, &world, &mixed).await.unwrap();
    store.barrier(true).await.unwrap();
    world.advance(800 * SECOND_NS);
    assert_eq!(store.retain().await.unwrap(), 0, "a file with a newer row waits");
    world.advance(300 * SECOND_NS);
    assert_eq!(store.retain().await.unwrap(), 1);
    store.sweep().await.unwrap();
    drop(store);
    let store = open(&world, |_| {}).await;
    assert_eq!(query::count(&store, &tenant()).await, 0);
}

#[tokio::test]
async fn retention_by_share_of_the_disk_takes_the_oldest_first() {
    let world = World::new(1, 3, Ground::Files);
    let free = Arc::new(AtomicU64::new(1 << 40));
    let share = |options: &mut StoreOptions| {
        space(options, &free);
        options.pressure.min_free_bytes = 0;
        options.pressure.min_free_share = 0.0;
        options.disk_share = Some(0.5);
        options.grace = std::time::Duration::from_secs(60);
    };
    let store = open(&world, share).await;
    for n in 0..6 {
        let at = world.now_ns() - (600 - n as i64 * 100) * SECOND_NS;
        send(&store, &world, &items(n * 10, 10, at)).await.unwrap();
        store.barrier(false).await.unwrap();
    }
    assert_eq!(store.retain().await.unwrap(), 0);
    let stats = store.stats();
    // What is there may take up half of itself and of what is free: with this much free, two thirds of it.
    free.store((stats.files_bytes + stats.journal_bytes) / 3, Ordering::Relaxed);
    let dropped = store.retain().await.unwrap();
    assert!(dropped > 0 && (dropped as u64) < stats.splits, "{dropped} of {}", stats.splits);
    let rows = query::rows(&store, &tenant()).await;
    let oldest_left = rows.values().flatten().min().unwrap();
    let gone = (0..60).map(|n| format!("record {n}")).filter(|body| !rows.contains_key(body));
    assert!(gone.count() > 0 && *oldest_left > world.now_ns() - 600 * SECOND_NS);
    let again = store.retain().await.unwrap();
    assert_eq!(again, 0, "what is going is not counted twice");
}

#[tokio::test]
async fn two_live_agents_on_one_epoch_are_shown_and_a_restart_is_not() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |_| {}).await;
    let mut number = 0;
    let mut send_run = async |run: u64| {
        number += 1;
        let producer = Producer::new("host-1", 7, number, run).unwrap();
        let item = items(number, 1, 0);
        store.append(batch(&tenant(), Some(producer), world.now_ns(), &item)).await.unwrap();
        store.apply().await.unwrap();
    };
    send_run(1).await;
    send_run(2).await;
    assert!(store.health().reasons.is_empty());
    send_run(1).await;
    let health = store.health();
    assert!(
        health.ready && health.reasons[0].contains("host-1") && health.reasons[0].contains("two live agents")
    );
    assert_eq!(store.stats().producers[0].returns, 1);
    store.barrier(false).await.unwrap();
    drop(store);
    let store = open(&world, |_| {}).await;
    assert_eq!(store.stats().producers[0].returns, 1, "it is kept in the manifest");
}

#[tokio::test]
async fn after_shutdown_nothing_is_accepted_and_everything_accepted_is_there() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |options| options.background = true).await;
    send(&store, &world, &items(0, 30, 0)).await.unwrap();
    Arc::clone(&store).shutdown().await;
    assert_eq!(query::count(&store, &tenant()).await, 30);
    assert!(matches!(send(&store, &world, &items(30, 1, 0)).await, Err(SinkError::Unavailable { .. })));
    drop(store);
    let store = open(&world, |_| {}).await;
    assert_eq!(query::count(&store, &tenant()).await, 30);
}

/// A journal that is far past the seal limits does not fill memory at the start: it is sealed on the way.
#[tokio::test]
async fn replay_is_sealed_on_the_way() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |_| {}).await;
    for n in 0..120 {
        send(&store, &world, &items(n * 10, 10, 0)).await.unwrap();
    }
    assert_eq!(store.stats().partitions[0].sealed_offset, 0);
    drop(store);
    let store = open(&world, |options| options.seal.rows = 500).await;
    let stats = store.stats();
    assert!(stats.partitions[0].sealed_offset > 0 && stats.partitions[0].head_rows < 500, "{stats:?}");
    assert_eq!(query::count(&store, &tenant()).await, 1200);
}

/// What is stored of a metric: the numbers of its series, ascending, each with its one value.
async fn stored(store: &Store, metric: &str) -> Vec<u64> {
    store.apply().await.unwrap();
    let points = query::points(store, &tenant()).await.unwrap();
    let mut numbers = Vec::new();
    for (labels, times) in points.iter().filter(|(labels, _)| labels.metric() == Some(metric)) {
        let number: u64 = labels.get("n").unwrap().parse().unwrap();
        assert_eq!(times.iter().map(|(_, bits)| f64::from_bits(*bits)).collect::<Vec<_>>(), [number as f64]);
        numbers.push(number);
    }
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn series_over_a_limit_are_refused_before_they_are_stored_and_idle_ones_make_room() {
    for partitions in [1, 3] {
        let world = World::new(1, partitions, Ground::Files);
        let limited = |options: &mut StoreOptions| {
            options.series_limits = SeriesLimits { per_tenant: 5, per_metric: 3 }
        };
        let store = open(&world, limited).await;
        let now = world.now_ns();
        let many: Vec<_> = (0..5).map(|n| ("big", n, now)).chain((0..3).map(|n| ("small", n, now))).collect();
        let outcome = store.append(samples(None, now, &many)).await.unwrap();
        assert_eq!((outcome.accepted, outcome.rejected), (5, 3));
        let told: Vec<_> =
            outcome.reasons.iter().map(|r| (r.index, r.reason.contains("active series"))).collect();
        assert_eq!(told, [(3, true), (4, true), (7, true)]);
        assert_eq!(store.stats().refused, [(Refusal::TooManySeries, 3)].into());
        assert_eq!((stored(&store, "big").await, stored(&store, "small").await), (vec![0, 1, 2], vec![0, 1]));
        store.barrier(false).await.unwrap();
        drop(store);

        let store = open(&world, limited).await;
        let outcome = store.append(samples(None, now, &many)).await.unwrap();
        assert_eq!((outcome.accepted, outcome.rejected), (5, 3), "the same ones after a restart");
        world.advance(3700 * SECOND_NS);
        let now = world.now_ns();
        let others: Vec<_> = (7..9).map(|n| ("big", n, now)).collect();
        let outcome = store.append(samples(None, now, &others)).await.unwrap();
        assert_eq!((outcome.accepted, outcome.rejected), (2, 0), "nobody was active for an hour");
        assert_eq!(stored(&store, "big").await, [0, 1, 2, 7, 8]);
    }
}

#[tokio::test]
async fn samples_out_of_time_are_told_and_counted() {
    for partitions in [1, 3] {
        let world = World::new(1, partitions, Ground::Files);
        let store = open(&world, |_| {}).await;
        let now = world.now_ns();
        let times = [
            now - RETENTION_NS - SECOND_NS,
            now - RETENTION_NS,
            now,
            now + 3600 * SECOND_NS,
            now + 3601 * SECOND_NS,
        ];
        let all: Vec<_> = (0..).zip(times).map(|(n, time_ns)| ("m", n, time_ns)).collect();
        let outcome = store.append(samples(None, now, &all)).await.unwrap();
        assert_eq!((outcome.accepted, outcome.rejected), (3, 2));
        assert_eq!(outcome.reasons.iter().map(|reason| reason.index).collect::<Vec<_>>(), [0, 4]);
        let expected = [(Refusal::TooOld, 1), (Refusal::TooFarAhead, 1)];
        assert_eq!(store.stats().refused, expected.into());
        assert_eq!(stored(&store, "m").await, [1, 2, 3]);
    }
}

#[tokio::test]
async fn a_large_batch_of_samples_is_cut_and_with_a_producer_refused() {
    let world = World::new(1, 1, Ground::Files);
    let store = open(&world, |_| {}).await;
    let now = world.now_ns();
    let many: Vec<_> = (0..400).map(|n| ("m", n, now)).collect();
    let producer = Producer::new("host-1", 1, 1, 1).unwrap();
    let refused = store.append(samples(Some(producer.clone()), now, &many)).await;
    assert!(matches!(refused, Err(SinkError::TooLarge { .. })), "{refused:?}");
    assert_eq!(stored(&store, "m").await, [0; 0]);
    assert_eq!(store.append(samples(None, now, &many)).await.unwrap().accepted, 400);
    assert_eq!(stored(&store, "m").await.len(), 400);
    let of_samples =
        store.stats().partitions.into_iter().find(|p| p.partition.kind == Kind::Samples).unwrap();
    assert!(of_samples.journal_end > 3, "it was cut into several records");
    // One that was refused made nothing known: its number is free.
    let outcome = store.append(samples(Some(producer), now, &[("small", 1, now)])).await.unwrap();
    assert_eq!((outcome.accepted, stored(&store, "small").await), (1, vec![1]));
}
