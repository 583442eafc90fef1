//! The life of a partition: constant counts beside seals and merges, pins, grace, damage, restarts, set-aside batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use promql::{Querier, Select, Values};
use series::{Partition, SegmentRef, Snapshots};
use telemetry::samples::{Delete, Exemplar, MatchOp, Sample, Writer, stale_nan};
use telemetry::{LabelSet, Signal, TenantId};

use crate::world::{Bits, RECEIVED_NS, World, batch, labels, matcher, options, read};

const EVER: (i64, i64) = (i64::MIN, i64::MAX);
const DAY_MS: i64 = 24 * 3600 * 1000;

fn up(number: usize) -> LabelSet {
    labels(&[("__name__", "up"), ("instance", &format!("host-{number:02}"))])
}

/// Some series over a few records.
fn fill(world: &mut World, from_ms: i64) {
    for record in 0..5 {
        let mut writer = Writer::new();
        for number in 0..40 {
            let value = number as f64 + record as f64 / 4.0;
            let sample = Sample { time_ms: from_ms + record * 1000, value };
            writer.series_of(&up(number), false, &[sample], &[], &[]);
        }
        world.apply(batch(RECEIVED_NS, writer.finish()));
    }
}

/// A delete takes the newest samples away; what comes at the time of an earlier late one comes after it all the same.
#[tokio::test]
async fn the_later_value_wins_behind_a_delete_of_the_newest() {
    let mut world = World::new();
    for (number, (late, again)) in
        [(vec![20], 20), (vec![20, 25, 20], 25), (vec![5], 5)].into_iter().enumerate()
    {
        let series = up(number);
        world.samples(&series, &[(10, 1.0), (40, 2.0)]);
        let late: Vec<_> = late.into_iter().map(|time_ms| (time_ms, 3.0)).collect();
        world.samples(&series, &late);
        let mut writer = Writer::new();
        let is = ("instance".to_owned(), MatchOp::Equal, format!("host-{number:02}"));
        writer.delete(&Delete { matchers: vec![is], start_ms: 30, end_ms: 50 });
        world.apply(batch(RECEIVED_NS, writer.finish()));
        world.samples(&series, &[(again, 4.0)]);
        let read = async |world: &World| {
            let is = matcher("instance", MatchOp::Equal, &format!("host-{number:02}"));
            let found = world.read(vec![is], EVER).await;
            found[0].1.0.iter().find(|(time_ms, _)| *time_ms == again).map(|(_, bits)| f64::from_bits(*bits))
        };
        assert_eq!(read(&world).await, Some(4.0), "{late:?}");
        world.seal().await;
        assert_eq!(read(&world).await, Some(4.0), "{late:?}, sealed");
    }
}

async fn blobs(world: &World) -> Vec<String> {
    let listed: Vec<_> = world.store.list(None).try_collect().await.unwrap();
    listed.into_iter().map(|blob| blob.location.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_constant_beside_seals_and_merges() {
    let mut world = World::new();
    fill(&mut world, 0);
    let partition = world.partition.clone();
    let over = Arc::new(AtomicBool::new(false));
    let reader = {
        let over = over.clone();
        std::thread::spawn(move || {
            let mut reads = 0;
            while !over.load(Ordering::Relaxed) {
                let snapshots = Snapshots(vec![partition.snapshot(&TenantId::default_tenant())]);
                let found = read(&snapshots, &[], (0, 4000));
                let count: usize = found.iter().map(|(_, (floats, _))| floats.len()).sum();
                assert_eq!((found.len(), count), (40, 200));
                reads += 1;
            }
            reads
        })
    };
    for round in 1..25 {
        fill(&mut world, round * 10_000);
        world.seal().await;
        world.merge(round % 3 == 0).await;
        world.partition.delete_unlisted(Duration::ZERO).await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    assert!(reader.join().unwrap() > 0);
    assert_eq!(world.partition.head_stats().rows, 0);
}

#[tokio::test]
async fn a_snapshot_keeps_its_files_and_the_rest_goes_after_its_grace() {
    let mut world = World::new();
    fill(&mut world, 0);
    world.seal().await;
    fill(&mut world, 10_000);
    world.seal().await;
    let snapshots = world.snapshots();
    assert!(world.merge(true).await);
    assert_eq!(world.partition.delete_unlisted(Duration::ZERO).await.unwrap(), 0, "a snapshot reads both");
    assert_eq!(blobs(&world).await.len(), 3);
    let found = tokio::task::spawn_blocking(move || read(&snapshots, &[], EVER)).await.unwrap();
    assert_eq!(found, world.read(Vec::new(), EVER).await);
    assert_eq!(world.partition.delete_unlisted(Duration::from_secs(3600)).await.unwrap(), 0);
    assert_eq!(world.partition.delete_unlisted(Duration::ZERO).await.unwrap(), 2);
    assert_eq!(blobs(&world).await, world.manifest.files.iter().map(|f| f.name.clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_written_in_vain_goes_and_its_samples_stay() {
    let mut world = World::new();
    fill(&mut world, 0);
    let before = world.read(Vec::new(), EVER).await;
    let added = world.partition.seal(1, 5).await.unwrap();
    assert_eq!(world.partition.delete_unlisted(Duration::ZERO).await.unwrap(), 0, "it may be committed yet");
    world.partition.discard(&added);
    assert_eq!(world.partition.delete_unlisted(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(world.read(Vec::new(), EVER).await, before);
    assert_eq!(world.partition.head_stats().rows, 200);
    world.seal().await;
    assert_eq!(world.read(Vec::new(), EVER).await, before);
    assert_eq!((world.partition.head_stats().rows, world.manifest.files.len()), (0, 1));
}

/// What a damaged store answers, with its warnings; reads that fail stop the test.
async fn read_damaged(world: &World) -> (Vec<(LabelSet, Bits)>, Vec<String>) {
    let snapshots = world.snapshots();
    let read = move || {
        let selection =
            snapshots.select(&Select { matchers: &[], start_ms: EVER.0, end_ms: EVER.1 }).unwrap();
        let (mut values, mut found) = (Values::default(), Vec::new());
        for index in 0..selection.len() {
            selection.read(index, &mut values).unwrap();
            if !values.is_empty() {
                found.push((selection.labels(index), crate::world::bits(&values)));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        (found, selection.warnings())
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

#[tokio::test]
async fn no_flipped_byte_is_read_as_a_sample() {
    let mut world = World::new();
    fill(&mut world, 0);
    world.seal().await;
    fill(&mut world, 10_000);
    let whole = world.read(Vec::new(), EVER).await;
    let head_only = whole.iter().map(|(labels, (floats, _))| {
        (labels.clone(), (floats.iter().copied().filter(|(t, _)| *t >= 10_000).collect(), Vec::new()))
    });
    let head_only: Vec<(LabelSet, Bits)> = head_only.collect();
    let path = Path::from(world.manifest.files[0].name.as_str());
    let bytes = world.store.get(&path).await.unwrap().bytes().await.unwrap();
    let mut harmless = 0;
    for at in 0..bytes.len() {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 0x10;
        world.store.put(&path, flipped.into()).await.unwrap();
        world.restart();
        let (found, warnings) = read_damaged(&world).await;
        if warnings.is_empty() {
            // The dictionaries were not asked for; the head magic is for people.
            assert_eq!(found, whole, "byte {at}");
            harmless += 1;
            continue;
        }
        assert_eq!(found.len(), 40, "byte {at}");
        assert!(warnings[0].contains("the answer is partial: segment series/3/default/"), "{warnings:?}");
        assert_eq!(world.partition.damaged()[0].name, world.manifest.files[0].name);
        assert_eq!(read_damaged(&world).await.0, head_only, "byte {at}: set aside from then on");
        assert_eq!(world.partition.plan_merge(true), None, "nor is it merged");
    }
    assert!(harmless < bytes.len() / 2, "{harmless} of {} bytes", bytes.len());
}

#[tokio::test]
async fn cut_and_missing_files_are_set_aside() {
    for cut in [None, Some(0), Some(10), Some(500)] {
        let mut world = World::new();
        fill(&mut world, 0);
        world.seal().await;
        let path = Path::from(world.manifest.files[0].name.as_str());
        let bytes: Bytes = world.store.get(&path).await.unwrap().bytes().await.unwrap();
        world.store.delete(&path).await.unwrap();
        if let Some(len) = cut {
            world.store.put(&path, bytes.slice(..len).into()).await.unwrap();
        }
        world.restart();
        let (found, warnings) = read_damaged(&world).await;
        assert_eq!((found.len(), warnings.len()), (0, 1), "{cut:?}");
        assert_eq!(world.partition.damaged().len(), 1, "{cut:?}");
    }
}

#[tokio::test]
async fn a_damaged_input_ends_a_merge_and_is_left_out_of_the_next() {
    let mut world = World::new();
    for start in [0, 10_000, 20_000] {
        fill(&mut world, start);
        world.seal().await;
    }
    let mut files = world.partition.files();
    files.sort_by_key(|file| file.max_offset);
    let path = Path::from(files[2].name.as_str());
    let mut bytes = world.store.get(&path).await.unwrap().bytes().await.unwrap().to_vec();
    bytes[12] ^= 1;
    world.store.put(&path, bytes.into()).await.unwrap();
    let plan = world.partition.plan_merge(true).unwrap();
    let error = world.partition.merge(1, plan).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("segment {} is damaged", files[2].name)), "{error}");
    let plan = world.partition.plan_merge(true).unwrap();
    assert_eq!(plan.inputs, files[..2]);
}

#[tokio::test]
async fn a_plan_that_is_out_of_date_is_refused() {
    let mut world = World::new();
    for start in [0, 10_000] {
        fill(&mut world, start);
        world.seal().await;
    }
    let plan = world.partition.plan_merge(true).unwrap();
    assert!(world.merge(true).await);
    let error = world.partition.merge(1, plan).await.unwrap_err();
    assert!(error.to_string().contains("out of date"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_read_is_set_aside_and_the_rest_goes_on() {
    let mut world = World::new();
    fill(&mut world, 0);
    world.apply(batch(RECEIVED_NS, vec![9]));
    world.apply(telemetry::Batch { signal: Signal::Logs, ..batch(RECEIVED_NS, Vec::new()) });
    let mut cut = Writer::new();
    cut.series_of(&up(0), false, &[Sample { time_ms: 9000, value: 1.0 }], &[], &[]);
    cut.series_of(&up(1), false, &[Sample { time_ms: 9000, value: 1.0 }], &[], &[]);
    let mut cut = cut.finish();
    cut.pop();
    world.apply(batch(RECEIVED_NS, cut));
    let mut bad = Writer::new();
    let matchers = vec![("__name__".to_owned(), MatchOp::Matches, "(".to_owned())];
    bad.delete(&Delete { matchers, start_ms: 0, end_ms: 1 });
    world.apply(batch(RECEIVED_NS, bad.finish()));
    let (count, named) = world.partition.set_aside();
    assert_eq!((count, named.iter().map(|s| s.offset).collect::<Vec<_>>()), (4, vec![6, 7, 8, 9]));
    assert!(named[1].reason.contains("not a batch of samples"), "{}", named[1].reason);
    assert!(named[3].reason.contains("bad regular expression"), "{}", named[3].reason);
    let one = world.read(vec![matcher("instance", MatchOp::Equal, "host-00")], EVER).await;
    assert_eq!(one[0].1.0.len(), 6, "what stands before the error is kept");
    assert_eq!(world.partition.head_stats().offset, 9);
}

#[tokio::test]
async fn an_old_stale_marker_is_dropped_also_after_a_seal_and_a_restart() {
    let mut world = World::new();
    world.samples(&up(0), &[(5000, 1.0)]);
    world.seal().await;
    world.samples(&up(0), &[(4000, stale_nan())]);
    world.seal().await;
    world.restart();
    world.samples(&up(0), &[(4500, stale_nan()), (4600, 2.0), (6000, stale_nan())]);
    let found = world.read(Vec::new(), EVER).await;
    let times: Vec<i64> = found[0].1.0.iter().map(|(time_ms, _)| *time_ms).collect();
    assert_eq!(times, [4600, 5000, 6000]);
}

#[tokio::test]
async fn the_state_is_the_same_after_a_restart() {
    let mut world = World::new();
    fill(&mut world, 0);
    let mut writer = Writer::new();
    let increases = [Sample { time_ms: 1, value: 2.0 }, Sample { time_ms: 2, value: 3.0 }];
    writer.series_of(&labels(&[("__name__", "done_total")]), true, &increases, &[], &[]);
    writer.metadata(&telemetry::samples::Metadata { family: "up".into(), ..Default::default() });
    world.apply(batch(RECEIVED_NS + 5_000_000_000, writer.finish()));
    let before = world.partition.state().unwrap();
    world.restart();
    assert_eq!(world.partition.state().unwrap(), before, "replayed whole");
    world.seal().await;
    world.restart();
    assert_eq!(world.partition.state().unwrap(), before, "recovered");
    let active = world.partition.active_series();
    let active = &active[&TenantId::default_tenant()];
    assert_eq!(active.len(), 41);
    let received = active.iter().find(|(hash, _)| *hash == up(7).hash64()).unwrap().1;
    assert_eq!(received, RECEIVED_NS / 1_000_000_000 * 1000);
}

#[tokio::test]
async fn bytes_that_are_no_state_are_refused() {
    let mut world = World::new();
    fill(&mut world, 0);
    let state = world.partition.state().unwrap();
    let mut flipped = state.to_vec();
    flipped[0] = 9;
    // A length that no memory has room for is only what the bytes say.
    let mut long = vec![2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
    long.extend_from_slice(&state[4..]);
    for bad in [&flipped[..], &state[..state.len() - 1], &[1], &long] {
        let partition = Partition::new(world.store.clone(), 3, options());
        let error = partition.recover(Vec::new(), bad).unwrap_err();
        assert!(error.to_string().contains("state"), "{error}");
    }
}

#[tokio::test]
async fn segments_are_of_a_day_each_unless_the_days_are_many() {
    for (days, segments) in [(1, 1), (3, 3), (33, 17), (1000, 32)] {
        let mut world = World::new();
        for day in 0..days {
            world.samples(&up(day as usize % 3), &[(day * DAY_MS + 5, 1.0)]);
        }
        let before = world.read(Vec::new(), EVER).await;
        world.seal().await;
        let files = world.partition.files();
        assert_eq!(files.len(), segments, "{days} days");
        assert_eq!(files.iter().map(|file| file.rows).sum::<u64>(), days as u64);
        let ranges = |file: &SegmentRef| (file.min_time_ms, file.max_time_ms);
        let mut ranges: Vec<_> = files.iter().map(ranges).collect();
        ranges.sort_unstable();
        assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "they overlap: {ranges:?}");
        assert_eq!(world.read(Vec::new(), EVER).await, before);
    }
}

#[tokio::test]
async fn deletes_leave_the_disk_with_the_next_merge_and_are_forgotten() {
    let mut world = World::new();
    fill(&mut world, 0);
    world.seal().await;
    let mut writer = Writer::new();
    let matchers = vec![("instance".to_owned(), MatchOp::Matches, "host-0.".to_owned())];
    writer.delete(&Delete { matchers, start_ms: 0, end_ms: 2000 });
    world.apply(batch(RECEIVED_NS, writer.finish()));
    let before = world.read(Vec::new(), EVER).await;
    let rows = |found: &[(LabelSet, Bits)]| found.iter().map(|(_, (floats, _))| floats.len()).sum::<usize>();
    assert_eq!(rows(&before), 200 - 30);
    let with = world.partition.state().unwrap().len();
    assert!(world.merge(false).await, "one segment with deleted samples is worth it");
    assert!(!world.merge(false).await, "once");
    assert_eq!(world.partition.files()[0].rows, 170);
    assert_eq!(world.read(Vec::new(), EVER).await, before);
    assert!(world.partition.state().unwrap().len() < with, "the delete is in the state no more");
    let mut writer = Writer::new();
    writer.delete(&Delete { matchers: Vec::new(), start_ms: EVER.0, end_ms: EVER.1 });
    world.apply(batch(RECEIVED_NS, writer.finish()));
    assert!(world.merge(true).await);
    assert_eq!(world.partition.files(), [], "nothing is left to keep");
}

#[tokio::test]
async fn exemplars_are_where_their_series_has_samples() {
    let mut world = World::new();
    let exemplar = |time_ms| Exemplar { labels: labels(&[("trace_id", "a")]), value: 1.0, time_ms };
    let mut writer = Writer::new();
    let exemplars = [exemplar(400 * DAY_MS), exemplar(7), exemplar(i64::MAX)];
    writer.series_of(&up(0), false, &[Sample { time_ms: 5, value: 1.0 }], &[], &exemplars);
    writer.series_of(&up(1), false, &[], &[], &[exemplar(7)]);
    world.apply(batch(RECEIVED_NS, writer.finish()));
    let snapshots = world.snapshots();
    assert_eq!(snapshots.series(&[Vec::new()], EVER.0, EVER.1, 9).unwrap(), [up(0)]);
    world.seal().await;
    let files = world.partition.files();
    assert_eq!(files.iter().map(|file| (file.min_time_ms, file.max_time_ms)).collect::<Vec<_>>(), [(5, 7)]);
    let snapshots = world.snapshots();
    let ask = move || {
        let series = snapshots.series(&[Vec::new()], EVER.0, EVER.1, 9).unwrap();
        (series, snapshots.exemplars(&[], EVER.0, EVER.1).unwrap())
    };
    let (series, exemplars) = tokio::task::spawn_blocking(ask).await.unwrap();
    assert_eq!(series, [up(0)], "listed neither before nor after");
    assert_eq!(exemplars, [(up(0), vec![exemplar(7)])]);
}

#[tokio::test]
async fn records_without_series_are_no_reason_to_seal() {
    let mut world = World::new();
    let mut writer = Writer::new();
    writer.metadata(&telemetry::samples::Metadata { family: "up".into(), ..Default::default() });
    world.apply(batch(RECEIVED_NS, writer.finish()));
    assert_eq!(world.partition.head_stats().oldest_received_at_ns, None);
    fill(&mut world, 0);
    assert_eq!(world.partition.head_stats().oldest_received_at_ns, Some(RECEIVED_NS));
    world.seal().await;
    assert_eq!(world.partition.head_stats().oldest_received_at_ns, None);
}

#[tokio::test]
async fn deletes_of_one_record_wait_together_until_they_are_done() {
    let mut world = World::new();
    fill(&mut world, 0);
    world.seal().await;
    let mut writer = Writer::new();
    for number in 0..2000 {
        let matchers = vec![("instance".to_owned(), MatchOp::Equal, format!("host-{number:02}"))];
        writer.delete(&Delete { matchers, start_ms: 0, end_ms: 2000 });
    }
    world.apply(batch(RECEIVED_NS, writer.finish()));
    let tenant = TenantId::default_tenant();
    assert_eq!(world.partition.pending_deletes(&tenant), 2000);
    assert_eq!(world.partition.pending_deletes(&TenantId::new("other").unwrap()), 0);
    assert!(world.merge(false).await);
    assert_eq!((world.partition.pending_deletes(&tenant), world.partition.files()[0].rows), (0, 80));
}

/// What one record of increases leaves.
fn increase(world: &mut World, received_s: i64, samples: &[(i64, f64)]) {
    let mut writer = Writer::new();
    let samples: Vec<Sample> =
        samples.iter().map(|(time_ms, value)| Sample { time_ms: *time_ms, value: *value }).collect();
    writer.series_of(&up(0), true, &samples, &[], &[]);
    world.apply(batch(RECEIVED_NS + received_s * 1_000_000_000, writer.finish()));
}

async fn floats(world: &World) -> Vec<(i64, f64)> {
    let found = world.read(Vec::new(), EVER).await;
    found[0].1.0.iter().map(|(time_ms, bits)| (*time_ms, f64::from_bits(*bits))).collect()
}

#[tokio::test]
async fn a_late_increase_is_no_reset_also_after_a_restart() {
    let mut world = World::new();
    increase(&mut world, 0, &[(10, 1.0), (30, 2.0), (20, 4.0)]);
    assert_eq!(floats(&world).await, [(10, 1.0), (30, 7.0)]);
    world.seal().await;
    world.restart();
    increase(&mut world, 1, &[(15, 1.0), (25, f64::NAN), (40, f64::INFINITY), (35, 2.0)]);
    assert_eq!(floats(&world).await, [(10, 1.0), (30, 8.0), (35, 10.0)]);
    assert_eq!(world.partition.left_out().increases, 2);
}

#[tokio::test]
async fn a_clock_that_was_wrong_once_does_not_end_forgetting() {
    let mut world = World::new();
    increase(&mut world, 0, &[(10, 1.0)]);
    // One record as of years later, by another series.
    let mut writer = Writer::new();
    writer.series_of(&up(1), false, &[Sample { time_ms: 1, value: 1.0 }], &[], &[]);
    let other = writer.finish();
    world.apply(batch(RECEIVED_NS + 1_000_000_000_000_000_000, other.clone()));
    increase(&mut world, 60, &[(20, 2.0)]);
    world.seal().await;
    world.restart();
    for minute in 2..70 {
        world.apply(batch(RECEIVED_NS + minute * 60_000_000_000, other.clone()));
    }
    let active = &world.partition.active_series()[&TenantId::default_tenant()];
    assert_eq!(active, &[(up(1).hash64(), RECEIVED_NS / 1_000_000 + 69 * 60_000)]);
    increase(&mut world, 70 * 60, &[(30, 4.0)]);
    let found = world.read(vec![matcher("instance", MatchOp::Equal, "host-00")], EVER).await;
    let values: Vec<f64> = found[0].1.0.iter().map(|(_, bits)| f64::from_bits(*bits)).collect();
    assert_eq!(values, [1.0, 3.0, 4.0], "kept over the wrong clock, begun anew after an hour");
}
