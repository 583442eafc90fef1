//! Damaged splits: set aside and named, never a panic, never a wrong answer that claims to be whole.

use bytes::Bytes;
use events::{Answer, Buckets, Layout, SplitRef};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use telemetry::TenantId;

use crate::life::line;
use crate::records::{T0, TRACES, bytes_field, varint_field};
use crate::world::{LAYOUTS, World, ask};

const QUERIES: [&str; 5] = [
    "*",
    "refused",
    "\"connection refused\" OR req123456",
    "trace_id:07070707070707070707070707070707",
    "severity>=error service:checkout | stats count() by (service, bin(1m))",
];

/// One merged split of a few rows, and its listing.
async fn small_split(layout: Layout) -> (World, SplitRef) {
    let tenant = TenantId::default_tenant();
    let mut world = World::of(layout);
    let bodies = ["connection refused", "user req123456 logged in", "refused", "ok"];
    for (second, body) in bodies.iter().cycle().take(17).enumerate() {
        let mut record = line(second as u64, body);
        varint_field(&mut record.raw, 2, second as u64 + 8);
        bytes_field(&mut record.raw, 9, &TRACES[second % 3]);
        world.append(&tenant, &[record]);
    }
    world.seal().await;
    world.merge_all().await;
    let split = world.partition.files().remove(0);
    (world, split)
}

/// Everything that the queries answer.
async fn answers(world: &World, files: Vec<SplitRef>) -> Vec<Answer> {
    let partition = world.reopened(files);
    let snapshot = [partition.snapshot(&TenantId::default_tenant())];
    let mut answers = Vec::new();
    for query in QUERIES {
        let answer = events::search(&snapshot, &ask(query)).await.unwrap();
        if answer.partial {
            assert!(!answer.warnings.is_empty());
            assert_eq!(partition.damaged().len(), 1);
            assert!(answer.warnings[0].contains(&partition.damaged()[0].name));
        }
        answers.push(answer);
    }
    let request = ask("refused");
    let buckets = Buckets::covering(T0 as i64, T0 as i64 + 60_000_000_000, 10);
    let histogram = events::histogram(&snapshot, &request, buckets).await.unwrap();
    answers.push(Answer { matched: histogram.matched, partial: histogram.partial, ..Answer::default() });
    answers
}

fn same(a: &Answer, b: &Answer) -> bool {
    a.matched == b.matched && a.records == b.records && a.table == b.table
}

async fn put(world: &World, name: &str, bytes: Vec<u8>) {
    world.store.put(&Path::from(name), bytes.into()).await.unwrap();
}

async fn get(world: &World, name: &str) -> Bytes {
    world.store.get(&Path::from(name)).await.unwrap().bytes().await.unwrap()
}

#[tokio::test]
async fn no_flipped_byte_gives_a_wrong_answer() {
    for layout in LAYOUTS {
        flip_every_byte(layout).await;
    }
}

async fn flip_every_byte(layout: Layout) {
    let (world, split) = small_split(layout).await;
    let whole = answers(&world, vec![split.clone()]).await;
    assert!(whole.iter().all(|answer| !answer.partial && answer.matched > 0));
    let good = get(&world, &split.name).await;
    assert_eq!(events::check_split(&good), Ok(split.rows));
    let mut noticed = 0;
    for at in 0..good.len() {
        let mut bytes = good.to_vec();
        bytes[at] ^= if at % 2 == 0 { 0xff } else { 1 };
        put(&world, &split.name, bytes).await;
        let damaged = answers(&world, vec![split.clone()]).await;
        for (answer, whole) in damaged.iter().zip(&whole) {
            assert!(answer.partial || same(answer, whole), "byte {at} of {}", good.len());
        }
        noticed += usize::from(damaged.iter().any(|answer| answer.partial));
    }
    assert!(noticed > good.len() / 2, "{noticed} of {}", good.len());
}

#[tokio::test]
async fn a_cut_or_missing_blob_is_set_aside_and_the_rest_serves() {
    let (mut world, split) = small_split(Layout::Signatures).await;
    let tenant = TenantId::default_tenant();
    world.append(&tenant, &[line(1000, "refused later")]);
    world.seal().await;
    let files = world.partition.files();
    let good = get(&world, &split.name).await;
    for len in [0, 1, 15, 16, good.len() / 2, good.len() - 1] {
        put(&world, &split.name, good[..len].to_vec()).await;
        let damaged = answers(&world, files.clone()).await;
        assert!(damaged[0].partial && damaged[0].matched == 1, "{len} bytes");
    }
    world.store.delete(&Path::from(split.name.as_str())).await.unwrap();
    let partition = world.reopened(files);
    let snapshot = [partition.snapshot(&tenant)];
    let answer = events::search(&snapshot, &ask("refused")).await.unwrap();
    assert_eq!((answer.partial, answer.matched, answer.records.len()), (true, 1, 1));
    assert!(
        answer.warnings[0].contains(&split.name) && answer.warnings[0].contains("missing"),
        "{:?}",
        answer.warnings
    );
    assert_eq!(partition.damaged()[0].name, split.name);
    let mut elsewhere = ask("refused");
    elsewhere.start_ns = T0 as i64 + 500_000_000_000;
    let answer = events::search(&snapshot, &elsewhere).await.unwrap();
    assert_eq!((answer.partial, answer.matched), (false, 1), "an answer that does not touch it is whole");
    let plan = partition.plan_merge(true).unwrap();
    assert!(plan.inputs.iter().all(|input| input.name != split.name), "it is never merged");
}

#[tokio::test]
async fn a_merge_finds_damage_and_goes_on_without_it() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    for round in 0..3 {
        world.append(&tenant, &[line(round, "a"), line(round + 10, "b")]);
        world.seal().await;
    }
    let broken = world.partition.files().remove(1);
    let mut bytes = get(&world, &broken.name).await.to_vec();
    bytes[20] ^= 1;
    put(&world, &broken.name, bytes).await;
    let plan = world.partition.plan_merge(true).unwrap();
    assert!(matches!(world.partition.merge(1, plan).await, Err(events::EventsError::Damaged { .. })));
    assert_eq!(world.partition.damaged()[0].name, broken.name);
    world.merge_all().await;
    assert_eq!(world.partition.files().len(), 2);
    let answer = world.search(&tenant, &ask("*")).await;
    assert_eq!((answer.partial, answer.matched), (true, 4));
}
