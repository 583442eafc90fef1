//! The life of blobs and batches: tenants, pins, deletion, what is set aside, bounds.

use std::time::{Duration, Instant};

use events::{FacetOptions, Options, Partition, Request, SearchError, SplitRef};
use futures::TryStreamExt;
use object_store::ObjectStore;
use search::Field;
use telemetry::{Batch, Signal, TenantId};

use crate::naive::scan;
use crate::records::{Any, Record, T0, bytes_field, fixed64_field, key_value};
use crate::world::{self, World, ask, batch, options};

/// A record with this body, `second` seconds in.
pub(crate) fn line(second: u64, body: &str) -> Record {
    let (mut resource, mut raw) = (Vec::new(), Vec::new());
    bytes_field(&mut resource, 1, &key_value("service.name", &Any::Str("checkout".to_owned())));
    fixed64_field(&mut raw, 1, T0 + second * 1_000_000_000);
    bytes_field(&mut raw, 5, &Any::Str(body.to_owned()).encode());
    Record { resource, scope: Vec::new(), raw }
}

fn lines(seconds: std::ops::Range<u64>, body: &str) -> Vec<Record> {
    seconds.map(|second| line(second, body)).collect()
}

async fn blobs(world: &World) -> usize {
    world.store.list(None).try_collect::<Vec<_>>().await.unwrap().len()
}

#[tokio::test]
async fn tenants_never_see_each_other() {
    let (a, b) = (TenantId::new("a").unwrap(), TenantId::new("b").unwrap());
    let mut world = World::new();
    for round in 0..4 {
        world.append(&a, &lines(round * 10..round * 10 + 9, "secret of a"));
        world.append(&b, &lines(round * 10..round * 10 + 5, "secret of b"));
        if round != 1 {
            world.seal().await;
        }
        for tenant in [&a, &b] {
            for query in ["secret", "*", "a", "b", "* | stats count() by (body)"] {
                let request = ask(query);
                let answer = world.search(tenant, &request).await;
                scan(&world.kept, tenant, &request).check(&answer, &request, query);
            }
        }
        world.merge_all().await;
    }
    let files = world.partition.files();
    assert_eq!(
        files.iter().map(|file| (file.tenant.as_str(), file.rows)).collect::<Vec<_>>(),
        [("a", 36), ("b", 20)]
    );
    assert_eq!(world.partition.rows_by_tenant()["a"], 36);
    assert_eq!(world.search(&TenantId::new("c").unwrap(), &ask("*")).await.matched, 0);
}

#[tokio::test]
async fn a_plan_over_two_tenants_is_refused() {
    let (a, b) = (TenantId::new("a").unwrap(), TenantId::new("b").unwrap());
    let mut world = World::new();
    world.append(&a, &lines(0..5, "x"));
    world.append(&b, &lines(0..5, "x"));
    world.seal().await;
    let inputs = world.partition.files();
    assert!(world.partition.merge(1, events::MergePlan { inputs }).await.is_err());
}

#[tokio::test]
async fn a_snapshot_reads_what_it_pinned() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    world.append(&tenant, &lines(0..10, "one"));
    world.seal().await;
    world.append(&tenant, &lines(10..20, "two"));
    world.seal().await;
    world.append(&tenant, &lines(20..30, "three"));
    let pinned = world.partition.snapshot(&tenant);
    world.seal().await;
    world.merge_all().await;
    assert_eq!(
        world.partition.delete_unlisted(Duration::ZERO).await.unwrap(),
        1,
        "the split of the pinned head rows"
    );
    for _ in 0..2 {
        let answer = events::search(std::slice::from_ref(&pinned), &ask("*")).await.unwrap();
        assert_eq!((answer.matched, answer.partial, answer.records.len()), (30, false, 30));
    }
    assert_eq!(blobs(&world).await, 3);
    drop(pinned);
    assert_eq!(world.partition.delete_unlisted(Duration::from_secs(60)).await.unwrap(), 0, "its grace runs");
    assert_eq!(world.partition.delete_unlisted(Duration::ZERO).await.unwrap(), 2);
    assert_eq!(blobs(&world).await, 1);
    assert_eq!(world.search(&tenant, &ask("*")).await.matched, 30);
}

#[tokio::test]
async fn blobs_that_were_never_published_go_after_a_restart_only() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    world.append(&tenant, &lines(0..10, "one"));
    world.seal().await;
    world.append(&tenant, &lines(0..10, "two"));
    let unpublished = world.partition.seal(1, 2).await.unwrap();
    assert_eq!(world.partition.delete_unlisted(Duration::ZERO).await.unwrap(), 0, "it may be published yet");
    let fresh = Partition::new(world.store.clone(), 3, options());
    assert_eq!(fresh.delete_unlisted(Duration::ZERO).await.unwrap(), 0, "nothing is known before recovery");
    fresh.recover(world.partition.files());
    assert_eq!(fresh.delete_unlisted(Duration::from_secs(60)).await.unwrap(), 0);
    assert_eq!(fresh.delete_unlisted(Duration::ZERO).await.unwrap(), 1);
    world.partition.discard(&unpublished);
    assert_eq!(world.partition.delete_unlisted(Duration::ZERO).await.unwrap(), 0);
    assert_eq!(blobs(&world).await, 1);
}

#[tokio::test]
async fn a_seal_changes_nothing_until_it_is_published() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    world.append(&tenant, &lines(0..10, "one"));
    world.append(&tenant, &lines(10..20, "two"));
    let sealed = world.partition.seal(7, 1).await.unwrap();
    assert_eq!(sealed.iter().map(|split| split.rows).collect::<Vec<_>>(), [10]);
    assert!(sealed[0].name.starts_with("logs/3/default/00000007-"), "{}", sealed[0].name);
    assert_eq!((world.partition.files().len(), world.partition.head_stats().rows), (0, 20));
    world.partition.publish(sealed, 1);
    let stats = world.partition.head_stats();
    assert_eq!((world.partition.files().len(), stats.rows, stats.offset), (1, 10, 2));
    assert_eq!(stats.oldest_received_at_ns, Some(world::RECEIVED_NS));
    assert_eq!(world.search(&tenant, &ask("*")).await.matched, 20);
    assert!(world.partition.seal(7, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_that_cannot_be_walked_is_set_aside() {
    let tenant = TenantId::default_tenant();
    let world = World::new();
    world.partition.apply(1, &batch(&tenant, vec![0xff, 0xff]));
    world.partition.apply(2, &Batch { signal: Signal::Spans, ..batch(&tenant, Vec::new()) });
    world.partition.apply(3, &batch(&tenant, Vec::new()));
    let (count, first) = world.partition.set_aside();
    assert_eq!((count, first.iter().map(|batch| batch.offset).collect::<Vec<_>>()), (2, vec![1, 2]));
    assert_eq!((world.partition.head_stats().rows, world.partition.head_stats().offset), (0, 3));
}

#[tokio::test]
async fn queries_end_at_their_bounds() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    for second in 0..20 {
        world.append(&tenant, &[line(second, &format!("body number {second}"))]);
    }
    world.seal().await;
    world.append(&tenant, &lines(20..40, "x"));
    let snapshot = [world.partition.snapshot(&tenant)];
    let mut request = ask("*");
    request.deadline = Some(Instant::now());
    assert!(matches!(events::search(&snapshot, &request).await, Err(SearchError::Timeout)));
    request = ask("* | stats count() by (body)");
    request.max_memory_bytes = 500;
    assert!(matches!(events::search(&snapshot, &request).await, Err(SearchError::Aggregate(_))));
    request = ask("*");
    request.max_memory_bytes = 500;
    assert!(matches!(events::search(&snapshot, &request).await, Err(SearchError::TooLarge { .. })));
    request = ask("*");
    request.deadline = Some(Instant::now() + Duration::from_secs(60));
    assert_eq!(events::search(&snapshot, &request).await.unwrap().matched, 40);
}

/// What each source of rows has keeps to the cap; so does what all have.
#[tokio::test]
async fn what_is_gathered_from_several_sources_keeps_to_the_cap() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    let mut least = Vec::new();
    for round in 0..2u64 {
        for second in 20 * round..20 * round + 20 {
            world.append(&tenant, &[line(second, &format!("body number {second}"))]);
        }
        world.seal().await;
        let snapshot = [world.partition.snapshot(&tenant)];
        let (sorted, values) = (ask("* | sort by body"), ask("*"));
        let options = FacetOptions { fields: vec![Field::Body], limit: 5, prefix: String::new() };
        let (mut sorted_in, mut counted_in) = (None, None);
        for max_memory_bytes in (500..50_000).step_by(100) {
            let request = Request { max_memory_bytes, ..sorted.clone() };
            if sorted_in.is_none() && events::search(&snapshot, &request).await.is_ok() {
                sorted_in = Some(max_memory_bytes);
            }
            let request = Request { max_memory_bytes, ..values.clone() };
            if counted_in.is_none() && events::facets(&snapshot, &request, &options).await.is_ok() {
                counted_in = Some(max_memory_bytes);
            }
        }
        least.push((sorted_in.unwrap(), counted_in.unwrap()));
    }
    let [one, two] = [least[0], least[1]];
    assert!(2 * two.0 > 3 * one.0 && 2 * two.1 > 3 * one.1, "{least:?}");
}

#[tokio::test]
async fn the_values_of_head_rows_keep_to_the_cap() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    for second in 0..20 {
        world.append(&tenant, &[line(second, &format!("body number {second}"))]);
    }
    let options = FacetOptions { fields: vec![Field::Body], limit: 5, prefix: String::new() };
    let request = Request { max_memory_bytes: 500, ..ask("*") };
    let ended = events::facets(&[world.partition.snapshot(&tenant)], &request, &options).await;
    assert!(matches!(ended, Err(SearchError::TooLarge { what: "the values of fields", .. })), "{ended:?}");
}

/// Each body is one parameter: blocks of a merge end at as many bytes as those of a seal.
#[tokio::test]
async fn long_parameters_come_back_from_a_merge() {
    let tenant = TenantId::default_tenant();
    let mut world = World::with(Options { block_rows: 16_384, ..options() });
    let body = |n: u64| format!("{n}{}", "x".repeat(400_000));
    for half in 0..2 {
        let records: Vec<Record> = (0..100).map(|n| line(2 * n + half, &body(2 * n + half))).collect();
        world.append(&tenant, &records);
        world.seal().await;
    }
    world.merge_all().await;
    assert_eq!(world.partition.files().len(), 1);
    let request = Request { max_memory_bytes: 256 << 20, ..ask("*") };
    let answer = world.search(&tenant, &request).await;
    scan(&world.kept, &tenant, &request).check(&answer, &request, "long parameters");
    assert!(world.partition.damaged().is_empty());
}

#[tokio::test]
async fn groups_that_are_counted_by_columns_keep_to_the_cap() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    world.append(&tenant, &lines(0..2000, "x"));
    world.seal().await;
    let snapshot = [world.partition.snapshot(&tenant)];
    let mut request = ask("* | stats count() by (bin(1s))");
    request.max_memory_bytes = 4000;
    let ended = events::search(&snapshot, &request).await;
    assert!(matches!(ended, Err(SearchError::TooLarge { what: "the groups of a split", .. })), "{ended:?}");
    request.query = search::parse("* | stats count() by (bin(1h))").unwrap();
    assert_eq!(events::search(&snapshot, &request).await.unwrap().matched, 2000);
}

/// 160 scopes of one large resource: more than a split has room for.
#[tokio::test]
async fn a_resource_with_very_many_scopes_fills_several_splits() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    let (mut resource, mut large) = (Vec::new(), Record { ..line(0, "x") });
    bytes_field(&mut resource, 1, &key_value("text", &Any::Str("y".repeat(300_000))));
    large.resource = resource;
    let scoped = |n: u64| {
        let mut record = Record { raw: line(n, "x").raw, ..large.clone() };
        bytes_field(&mut record.scope, 1, n.to_string().as_bytes());
        record
    };
    let records: Vec<Record> = (0..160).map(scoped).collect();
    world.append(&tenant, &records);
    world.append(&tenant, &[line(500, "small"), line(501, "small")]);
    world.seal().await;
    world.append(&tenant, &[line(502, "small")]);
    world.seal().await;
    let rows = |world: &World| world.partition.files().iter().map(|file| file.rows).collect::<Vec<_>>();
    assert_eq!((rows(&world).iter().sum::<u64>(), rows(&world).len()), (163, 3), "{:?}", rows(&world));
    world.merge_all().await;
    assert_eq!((rows(&world).iter().sum::<u64>(), rows(&world).len()), (163, 2), "{:?}", rows(&world));
    let mut request = ask("x");
    request.limit = 1;
    let answer = world.search(&tenant, &request).await;
    assert_eq!((answer.partial, answer.matched), (false, 160));
    assert_eq!(answer.records[0].stream.resource, large.resource);
}

#[tokio::test]
async fn several_partitions_are_one_sequence() {
    let tenant = TenantId::default_tenant();
    let store = std::sync::Arc::new(object_store::memory::InMemory::new());
    let partitions: Vec<Partition> = (0..3).map(|n| Partition::new(store.clone(), n, options())).collect();
    for (n, partition) in partitions.iter().enumerate() {
        partition.recover(Vec::new());
        let records = (0..20).map(|second| line(second * 3 + n as u64, "x")).collect::<Vec<_>>();
        partition.apply(1, &batch(&tenant, crate::records::request(&records)));
    }
    world::seal(&partitions[1], 1).await;
    let snapshots: Vec<_> = partitions.iter().map(|partition| partition.snapshot(&tenant)).collect();
    let (mut request, mut seconds) = (ask("x"), Vec::new());
    request.limit = 7;
    loop {
        let answer = events::search(&snapshots, &request).await.unwrap();
        assert_eq!(answer.matched, 60);
        seconds.extend(answer.records.iter().map(|hit| (hit.key.time_ns - T0 as i64) / 1_000_000_000));
        request.cursor = answer.next;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seconds, (0..60).rev().collect::<Vec<_>>());
}

#[test]
fn references_are_kept_as_json() {
    let reference = SplitRef {
        name: "logs/0/a/1.split".to_owned(),
        tenant: "a".to_owned(),
        rows: 1,
        size_bytes: 2,
        min_time_ns: -3,
        max_time_ns: 4,
        min_seq: u64::MAX,
        max_seq: 6,
        format: 1,
        indexed: true,
    };
    let json = serde_json::to_string(&reference).unwrap();
    assert_eq!(serde_json::from_str::<SplitRef>(&json).unwrap(), reference);
}
