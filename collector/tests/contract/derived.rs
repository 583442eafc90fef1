//! What is derived from spans, through crashes at any operation of the disk: the steps of ten seconds are exactly
//! those of a plain count over all spans that were acknowledged, however late they came and however often the
//! store was killed, sealed and merged meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use derive::testing::{Arrivals, Expected, Made, Setup};
use journal::sim::Crash;
use meta::testing::Dice;
use narrows_collector::commit::{MAX_RECORD_BYTES, PartitionId, Store};
use promql::{Querier, Select, Values};
use receive::{Sink, SinkError};
use telemetry::{Batch, Producer, TenantId};

use crate::world::{Ground, START_NS, World};

/// By labels without `partition` and time: what was counted, floats or values in histograms.
type Counted = BTreeMap<(String, i64), u64>;

async fn open(world: &World) -> Option<Arc<Store>> {
    let mut options = world.options().ok()?;
    options.items.max_record_bytes = MAX_RECORD_BYTES;
    options.items.retention_ns = None;
    Store::open(options).await.ok()
}

/// Starts the store until it comes up.
async fn reopen(world: &World, dice: &mut Dice, is_calm: bool) -> Arc<Store> {
    if !world.disk.is_down() {
        world.disk.crash(Crash::Process);
    }
    loop {
        world.disk.restart();
        if !is_calm && dice.chance(0.3) {
            world.disk.crash_at(1 + dice.roll(20), Crash::Power);
        }
        match open(world).await {
            Some(store) if !world.disk.is_down() => return store,
            other => assert!(world.disk.is_down(), "the store does not open: {}", other.is_some()),
        }
    }
}

/// One thing that goes on in the background.
async fn work(store: &Store, partitions: u16, dice: &mut Dice) {
    let number = dice.roll(u64::from(partitions)) as u16;
    let spans_or_samples =
        if dice.chance(0.5) { PartitionId::spans(number) } else { PartitionId::samples(number) };
    // A crash makes each of these fail; the loop sees that the disk is down.
    match dice.roll(10) {
        0..6 => drop(store.apply().await),
        6 | 7 => drop(store.seal(spans_or_samples).await),
        8 => drop(store.merge(spans_or_samples, dice.chance(0.5)).await),
        _ => drop(store.barrier(dice.chance(0.5)).await),
    }
}

async fn through_crashes(seed: u64, partitions: u16) -> (u64, u64) {
    let world = World::new(seed, partitions, Ground::Files);
    let (mut dice, mut crashes, mut seq) = (Dice::new(seed), 0u64, 0u64);
    let mut store = reopen(&world, &mut dice, true).await;
    let setup = Setup { seed, services: 20, traces_per_second: 1, batch_ms: 1000, ..Setup::default() };
    let (mut arrivals, mut all) = (Arrivals::new(setup, START_NS as u64, 150), Vec::new());
    while let Some((now_ns, made)) = arrivals.next_spans() {
        world.advance(now_ns as i64 - world.now_ns());
        seq += 1;
        let producer = Some(Producer::new("topology", 1, seq, 1).unwrap());
        let batch = Batch { producer, ..Made::batch(&made, now_ns) };
        if dice.chance(0.05) {
            let crash = if dice.chance(0.7) { Crash::Power } else { Crash::Process };
            world.disk.crash_at(1 + dice.roll(80), crash);
        }
        loop {
            let sent = store.append(batch.clone()).await;
            work(&store, partitions, &mut dice).await;
            if world.disk.is_down() || dice.chance(0.003) {
                crashes += 1;
                drop(store);
                store = reopen(&world, &mut dice, false).await;
            }
            match sent {
                Ok(outcome) => break assert_eq!(outcome.accepted, made.len() as u64),
                // The answer was lost: it is sent again, numbered as before.
                Err(SinkError::Unavailable { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        all.extend(made);
    }
    drop(store);
    let store = reopen(&world, &mut dice, true).await;
    for _ in 0..6 {
        world.advance(10_000_000_000);
        store.barrier(true).await.unwrap();
    }
    compare(&store, &all).await;
    (all.len() as u64, crashes)
}

async fn compare(store: &Store, all: &[Made]) {
    let expected = Expected::of_spans(all);
    let (calls, durations) = counted(store).await;
    assert_eq!(calls, expected.counts, "calls");
    let totals = expected.distributions.into_iter();
    let expected: Counted = totals.map(|(key, one)| (key, one.buckets.values().sum())).collect();
    assert_eq!(durations, expected, "durations");
}

async fn counted(store: &Store) -> (Counted, Counted) {
    let series = store.series(&TenantId::default_tenant());
    let read = move || {
        let everything = Select { matchers: &[], start_ms: i64::MIN, end_ms: i64::MAX };
        let selection = series.select(&everything).unwrap();
        let (mut calls, mut durations, mut values) = (Counted::new(), Counted::new(), Values::default());
        for index in 0..selection.len() {
            let labels = selection.labels(index);
            let steps = ["narrows_red_", "narrows_edge_"];
            if !labels.metric().is_some_and(|name| steps.iter().any(|step| name.starts_with(step))) {
                continue;
            }
            let kept = labels.iter().filter(|(name, _)| *name != "partition");
            let kept: Vec<String> = kept.map(|(name, value)| format!("{name}=\"{value}\"")).collect();
            let kept = kept.join(",");
            selection.read(index, &mut values).unwrap();
            for (time_ms, value) in
                values.times_ms.iter().zip(&values.values).filter(|(_, value)| **value > 0.0)
            {
                *calls.entry((kept.clone(), *time_ms)).or_default() += *value as u64;
            }
            for (time_ms, histogram) in values.histograms.iter().filter(|(_, one)| one.count > 0.0) {
                *durations.entry((kept.clone(), *time_ms)).or_default() += histogram.count as u64;
            }
        }
        (calls, durations)
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

fn run(partitions: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut spans, mut crashes) = (0, 0);
    for seed in 0..crate::history::how_many(4) {
        let (of_seed, crashed) =
            runtime.block_on(through_crashes(seed * 10 + u64::from(partitions), partitions));
        (spans, crashes) = (spans + of_seed, crashes + crashed);
    }
    println!("{partitions} partitions: {spans} spans, {crashes} crashes, every step exact");
    assert!(crashes > 20, "only {crashes} crashes");
}

#[test]
fn steps_are_exact_through_crashes_with_one_partition() {
    run(1);
}

#[test]
fn steps_are_exact_through_crashes_with_three_partitions() {
    run(3);
}
