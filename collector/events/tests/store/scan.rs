//! Search equals a naive scan: in the head, in splits, across both, while they change.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use events::{Buckets, Layout, Order};
use object_store::ObjectStoreExt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use telemetry::TenantId;

use crate::naive::scan;
use crate::queries::query;
use crate::records::{Any, Record, T0, bytes_field, fixed64_field, key_value, record, varint_field};
use crate::world::{self, LAYOUTS, World, ask};

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What happens between batches.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Nothing,
    Seal,
    SealAndMerge,
    MergeAll,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<(Vec<Record>, Step)>> {
    let step = select(vec![Step::Nothing, Step::Nothing, Step::Seal, Step::SealAndMerge, Step::MergeAll]);
    vec((vec(record(), 0..24), step), 1..7)
}

/// A query, a range in seconds around the records or all time, oldest first, a page.
type Asked = (String, Option<(i64, i64)>, bool, usize);

fn requests() -> impl Strategy<Value = Vec<Asked>> {
    let range = proptest::option::of((-5..610i64, 0..610i64));
    vec((query(), range, any::<bool>(), select(vec![0usize, 1, 2, 5, 1000])), 6..14)
}

/// One layout, or both in turn.
fn layouts() -> impl Strategy<Value = Vec<Layout>> {
    select(vec![vec![Layout::Plain], vec![Layout::Signatures], vec![Layout::Signatures], LAYOUTS.to_vec()])
}

pub(crate) async fn build(steps: &[(Vec<Record>, Step)], layouts: &[Layout], tenant: &TenantId) -> World {
    let mut world = World::of(layouts[0]);
    for (place, (records, step)) in steps.iter().enumerate() {
        if world.partition.head_stats().rows == 0 {
            world.switch(layouts[place % layouts.len()]);
        }
        world.append(tenant, records);
        change(&mut world, *step).await;
    }
    world
}

pub(crate) async fn change(world: &mut World, step: Step) {
    match step {
        Step::Nothing => {}
        Step::Seal => world.seal().await,
        Step::SealAndMerge => {
            world.seal().await;
            world.merge(false).await;
        }
        Step::MergeAll => {
            world.seal().await;
            world.merge_all().await;
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 96, ..Config::default() })]

    #[test]
    fn search_equals_a_naive_scan(steps in steps(), layouts in layouts(), requests in requests()) {
        let tenant = TenantId::default_tenant();
        runtime().block_on(async {
            let world = build(&steps, &layouts, &tenant).await;
            for (query, range, oldest, limit) in requests {
                let mut request = ask(&query);
                if let Some((start, len)) = range {
                    request.start_ns = T0 as i64 + start * 1_000_000_000;
                    request.end_ns = request.start_ns + len * 1_000_000_000;
                }
                request.order = if oldest { Order::Oldest } else { Order::Newest };
                request.limit = limit;
                let answer = world.search(&tenant, &request).await;
                scan(&world.kept, &tenant, &request).check(&answer, &request, &format!("{query} {range:?}"));
            }
        });
    }

    #[test]
    fn histograms_equal_a_naive_count(steps in steps(), layouts in layouts(), query in query(), buckets in 1..200usize, start in -5..300i64, len in 1..400i64) {
        let tenant = TenantId::default_tenant();
        runtime().block_on(async {
            let world = build(&steps, &layouts, &tenant).await;
            let mut request = ask(&query);
            request.start_ns = T0 as i64 + start * 1_000_000_000;
            request.end_ns = request.start_ns + len * 1_000_000_000;
            let buckets = Buckets::covering(request.start_ns, request.end_ns, buckets);
            let found = events::histogram(&[world.partition.snapshot(&tenant)], &request, buckets).await.unwrap();
            request.query.stages.clear();
            let expected = scan(&world.kept, &tenant, &request);
            assert_eq!(found.matched, expected.matched);
            let mut counts: [Vec<u64>; 7] = std::array::from_fn(|_| vec![0; buckets.count]);
            for kept in &expected.records {
                let severity = telemetry::otlp::LogRecord::of_valid(&kept.record.raw).severity();
                let class = events::Histogram::CLASSES.iter().position(|c| *c == telemetry::severity::class(severity));
                let bucket = (kept.key.time_ns - buckets.start_ns) / buckets.width_ns;
                counts[class.unwrap()][bucket as usize] += 1;
            }
            assert_eq!(found.counts, counts, "{query}");
        });
    }

    #[test]
    fn pages_give_every_row_once_across_seals_and_merges(
        steps in steps(), layouts in layouts(), later in steps(), query in query(), oldest: bool, limit in 1..9usize,
    ) {
        let tenant = TenantId::default_tenant();
        runtime().block_on(async {
            let mut world = build(&steps, &layouts, &tenant).await;
            let mut request = ask(&query);
            request.query.stages.retain(|stage| matches!(stage, search::Stage::Limit(_)));
            request.order = if oldest { Order::Oldest } else { Order::Newest };
            let expected = scan(&world.kept, &tenant, &request);
            let most = request.query.limit().unwrap_or(usize::MAX).min(expected.records.len());
            request.limit = limit;
            let mut changes = later.into_iter().map(|(_, step)| step).cycle();
            let mut keys = Vec::new();
            loop {
                let answer = world.search(&tenant, &request).await;
                assert_eq!(answer.matched, expected.matched);
                keys.extend(answer.records.iter().map(|hit| hit.key));
                request.cursor = answer.next;
                if answer.next.is_none() {
                    break;
                }
                match changes.next().unwrap() {
                    Step::Nothing => {}
                    Step::Seal => world.seal().await,
                    Step::SealAndMerge | Step::MergeAll => world.merge_all().await,
                }
            }
            let expected: Vec<_> = expected.records[..most].iter().map(|kept| kept.key).collect();
            assert_eq!(keys, expected, "{query}");
        });
    }
}

/// Some records, the same ones in each run.
pub(crate) fn some_records(count: usize) -> Vec<Record> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| record().new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn counts_stay_while_seals_and_merges_run() {
    for layout in LAYOUTS {
        counts_stay(layout).await;
    }
}

async fn counts_stay(layout: Layout) {
    let tenant = TenantId::default_tenant();
    let mut world = World::of(layout);
    let records = some_records(600);
    for batch in records.chunks(10) {
        world.append(&tenant, batch);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let changes = tokio::spawn({
        let (partition, stop, last) = (world.partition.clone(), stop.clone(), world.offset);
        async move {
            for upto in 1..=last {
                world::seal(&partition, upto).await;
                while world::merge(&partition, upto, upto % 10 == 0).await {}
                partition.delete_unlisted(std::time::Duration::ZERO).await.unwrap();
            }
            stop.store(true, Ordering::SeqCst);
        }
    });
    let queries = [
        "*",
        "refused",
        "\"connection refused\"",
        "severity>=error",
        "service:checkout k:*",
        "-timeout",
        "'Connection'",
        "c*n",
        "body=~\"[Cc]onnection refused\"",
        "k:in(5, 500, prod) service:c*t",
        "* | stats sum(k), p50(k), distinct(body), max(env) by service",
        "k:* | sort by k desc, severity | limit 20",
        "refused | fields timestamp, k, body",
    ];
    let expected: Vec<_> = queries.iter().map(|query| scan(&world.kept, &tenant, &ask(query))).collect();
    let mut rounds = 0;
    while !stop.load(Ordering::SeqCst) {
        for (query, expected) in queries.iter().zip(&expected) {
            let request = ask(query);
            expected.check(&world.search(&tenant, &request).await, &request, query);
        }
        rounds += 1;
    }
    changes.await.unwrap();
    assert!(rounds > 5, "only {rounds} rounds of queries");
    assert_eq!(world.partition.head_stats().rows, 0);
    let names: BTreeSet<String> = world.partition.files().into_iter().map(|file| file.name).collect();
    assert!(names.len() < 10, "{names:?}");
}

#[tokio::test]
async fn columns_of_few_values_are_not_read_again() {
    let queries = [
        "status>=500 | top 10 service",
        "status:200 env:prod | stats count()",
        "severity>=error service:checkout | stats count() by (service, severity)",
        "absent:x OR -status>=500 | stats count() by severity",
    ];
    let tenant = TenantId::default_tenant();
    for layout in LAYOUTS {
        let mut world = World::of(layout);
        world.append(&tenant, &(0..300).map(of_few_values).collect::<Vec<_>>());
        world.seal().await;
        world.merge_all().await;
        for query in queries {
            let request = ask(query);
            let first = world.search(&tenant, &request).await;
            assert!(first.matched > 0, "{query}");
            scan(&world.kept, &tenant, &request).check(&first, &request, query);
        }
        for file in world.partition.files() {
            world.store.delete(&file.name.as_str().into()).await.unwrap();
        }
        for query in queries {
            let request = ask(query);
            scan(&world.kept, &tenant, &request).check(
                &world.search(&tenant, &request).await,
                &request,
                query,
            );
        }
        let other = world.search(&tenant, &ask("method:GET | stats count()")).await;
        assert!(other.partial, "the blob is gone");
    }
}

/// A record whose attributes, service and severity are each one of a few.
fn of_few_values(n: u64) -> Record {
    let named = |key: &str, value: &str| key_value(key, &Any::Str(value.to_owned()));
    let (mut resource, mut raw) = (Vec::new(), Vec::new());
    bytes_field(&mut resource, 1, &named("service.name", ["checkout", "cart", "pay"][n as usize % 3]));
    if n.is_multiple_of(5) {
        bytes_field(&mut resource, 1, &named("env", "prod"));
    }
    fixed64_field(&mut raw, 1, T0 + n * 1_000_000);
    varint_field(&mut raw, 2, [9, 9, 17, 21][n as usize % 4]);
    bytes_field(&mut raw, 6, &key_value("status", &Any::Int([200, 404, 500, 503][n as usize / 7 % 4])));
    bytes_field(&mut raw, 6, &named("method", ["GET", "PUT"][n as usize / 3 % 2]));
    Record { resource, scope: Vec::new(), raw }
}

#[tokio::test]
async fn merging_keeps_every_row_and_key() {
    for layouts in [[LAYOUTS[0]; 2], [LAYOUTS[1]; 2], LAYOUTS, [LAYOUTS[1], LAYOUTS[0]]] {
        merging_keeps(layouts).await;
    }
}

/// Splits in both layouts in turn, merged into one of the first.
async fn merging_keeps(layouts: [Layout; 2]) {
    let tenant = TenantId::default_tenant();
    let mut world = World::of(layouts[0]);
    for (place, batch) in some_records(300).chunks(25).enumerate() {
        world.switch(layouts[place % 2]);
        world.append(&tenant, batch);
        world.seal().await;
    }
    world.switch(layouts[0]);
    let before = world.search(&tenant, &ask("*")).await;
    let rows: u64 = world.partition.files().iter().map(|file| file.rows).sum();
    assert_eq!((rows, world.partition.files().len()), (300, 12));
    world.merge_all().await;
    let files = world.partition.files();
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    assert!(rows == 300 && files.iter().all(|file| file.indexed));
    assert!(files.iter().all(|file| (file.format == 1) == (layouts[0] == Layout::Plain)));
    assert!(files.len() <= 2, "one of today's and one of those that end in the future: {files:?}");
    let after = world.search(&tenant, &ask("*")).await;
    let keys = |answer: &events::Answer| answer.records.iter().map(|hit| hit.key).collect::<Vec<_>>();
    assert_eq!(keys(&before), keys(&after));
    assert_eq!(before.records, after.records, "to the byte: a merge copies columns");
    let (min, max) = (before.records.last().unwrap().key.time_ns, before.records[0].key.time_ns);
    let times =
        (files.iter().map(|file| file.min_time_ns).min(), files.iter().map(|file| file.max_time_ns).max());
    assert_eq!(times, (Some(min), Some(max)));
}
