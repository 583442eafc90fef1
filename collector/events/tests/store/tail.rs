//! A live tail gives every matching record once, in the order they came, whatever
//! becomes of them meanwhile; and an id leads to its record wherever it is.

use std::time::{Duration, Instant};

use events::{Arrived, RecordId, Tail, TailLimits};
use proptest::prelude::*;
use proptest::test_runner::Config;
use search::Expr;
use telemetry::TenantId;

use crate::naive::{check_hit, scan};
use crate::queries::query;
use crate::records::Record;
use crate::scan::{change, runtime, some_records, steps};
use crate::world::{Kept, World, ask};

const ALL: TailLimits =
    TailLimits { records: usize::MAX, bytes: usize::MAX, rows: usize::MAX, deadline: None };

/// Reading may wait for the disk.
fn read(tail: &mut Tail, filter: &Expr, limits: &TailLimits) -> Arrived {
    tokio::task::block_in_place(|| tail.read(filter, limits))
}

fn check(arrived: &Arrived, expected: &[Kept], what: &str) {
    assert_eq!((arrived.dropped, arrived.unread), (0, 0), "{what}");
    assert_eq!(arrived.records.len(), expected.len(), "{what}");
    arrived.records.iter().zip(expected).for_each(|(hit, kept)| check_hit(hit, kept, what));
}

/// What matches, in the order it came.
fn matching(world: &World, tenant: &TenantId, query: &str) -> Vec<Kept> {
    let mut matching = scan(&world.kept, tenant, &ask(query)).records;
    matching.sort_by_key(|kept| kept.key.seq);
    matching
}

proptest! {
    #![proptest_config(Config { cases: 96, ..Config::default() })]

    #[test]
    fn a_tail_gives_every_match_once(
        steps in steps(), before in 0..4usize, query in query(), turns in proptest::collection::vec(0..4u8, 1..9),
    ) {
        let tenant = TenantId::default_tenant();
        runtime().block_on(async {
            let mut world = World::new();
            let (old, new) = steps.split_at(before.min(steps.len()));
            for (records, step) in old {
                world.append(&tenant, records);
                change(&mut world, *step).await;
            }
            let filter = ask(&query).query.filter;
            let mut passed = matching(&world, &tenant, &query).len();
            let mut tail = world.partition.tail(&tenant, None);
            for ((records, step), turn) in new.iter().zip(turns.iter().cycle()) {
                world.append(&tenant, records);
                world.append(&TenantId::new("another").unwrap(), records);
                change(&mut world, *step).await;
                if *turn == 0 {
                    continue;
                }
                // A client that has come back goes on where it was.
                if *turn == 1 {
                    tail = world.partition.tail(&tenant, Some(tail.after()));
                }
                let expected = matching(&world, &tenant, &query);
                check(&read(&mut tail, &filter, &ALL), &expected[passed..], &query);
                passed = expected.len();
            }
            let expected = matching(&world, &tenant, &query);
            check(&read(&mut tail, &filter, &ALL), &expected[passed..], &query);
            check(&read(&mut world.partition.tail(&tenant, Some(0)), &filter, &ALL), &expected, "from the start");
        });
    }

    #[test]
    fn an_id_leads_to_its_record(steps in steps()) {
        let tenant = TenantId::default_tenant();
        runtime().block_on(async {
            let world = crate::scan::build(&steps, &crate::world::LAYOUTS, &tenant).await;
            let snapshots = [world.partition.snapshot(&tenant)];
            for kept in &world.kept {
                let id = kept.key.id().parse().unwrap();
                let found = events::find(&snapshots, id, None).await.unwrap();
                check_hit(&found.hit.unwrap(), kept, &kept.key.id());
            }
            let last = world.kept.last().map_or(0, |kept| kept.key.seq);
            for seq in [0, 5, last + 1, u64::MAX] {
                let found = events::find(&snapshots, RecordId { partition: 3, seq }, None).await.unwrap();
                assert!(found.hit.is_none() && found.warnings.is_empty(), "{seq}");
            }
            let elsewhere = events::find(&snapshots, RecordId { partition: 4, seq: last }, None).await.unwrap();
            assert!(elsewhere.hit.is_none());
        });
    }
}

/// Batches of ten, with what is left over of them by `limits` in head and splits.
async fn behind(batches: usize, sealed: usize, limits: &TailLimits) -> (Arrived, Vec<Record>) {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    let mut tail = world.partition.tail(&tenant, None);
    let records = some_records(10 * batches);
    for (index, batch) in records.chunks(10).enumerate() {
        world.append(&tenant, batch);
        if index < sealed {
            world.seal().await;
        }
    }
    let arrived = read(&mut tail, &ask("*").query.filter, limits);
    let again = read(&mut tail, &ask("*").query.filter, limits);
    assert!(again.records.is_empty() && again.dropped == 0 && again.unread == 0, "nothing twice");
    (arrived, records)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_beyond_the_limits_is_counted() {
    for sealed in [0, 3, 6] {
        let (arrived, records) = behind(6, sealed, &TailLimits { records: 15, ..ALL }).await;
        assert_eq!((arrived.records.len(), arrived.dropped, arrived.unread), (15, 45, 0), "{sealed}");
        assert_eq!(arrived.records[0].key.seq, events::RowKey::seq(1, 0), "the oldest are given");

        let bytes = records[..20].iter().map(|record| record.raw.len()).sum();
        let (arrived, _) = behind(6, sealed, &TailLimits { bytes, ..ALL }).await;
        assert!((15..60).contains(&arrived.records.len()), "{sealed}: {}", arrived.records.len());
        assert_eq!(arrived.records.len() as u64 + arrived.dropped, 60);

        let (arrived, _) = behind(6, sealed, &TailLimits { rows: 25, ..ALL }).await;
        assert_eq!((arrived.records.len(), arrived.dropped, arrived.unread), (25, 0, 35), "{sealed}");
        assert_eq!(arrived.records[24].key.seq, events::RowKey::seq(6, 9), "the newest are looked at");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_to_read_is_counted() {
    for sealed in [0u64, 3, 6] {
        let in_time = Instant::now() + Duration::from_secs(3600);
        for (deadline, unread) in [(Instant::now(), 10 * sealed), (in_time, 0)] {
            let limits = TailLimits { deadline: Some(deadline), ..ALL };
            let (arrived, _) = behind(6, sealed as usize, &limits).await;
            assert_eq!((arrived.unread, arrived.dropped), (unread, 0), "{sealed}");
            assert_eq!(arrived.records.len() as u64, 60 - unread, "{sealed}: the head is always looked at");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_wakes_a_tail() {
    let tenant = TenantId::default_tenant();
    let mut world = World::new();
    world.append(&tenant, &some_records(1));
    let mut tail = world.partition.tail(&tenant, None);
    let soon = Duration::from_millis(50);
    assert!(tokio::time::timeout(soon, tail.more()).await.is_err(), "nothing came");
    let partition = world.partition.clone();
    let (woken, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(5), tail.more()), async {
        world.append(&tenant, &some_records(2));
    });
    woken.unwrap();
    assert_eq!(read(&mut tail, &ask("*").query.filter, &ALL).records.len(), 2);
    let mut back = partition.tail(&tenant, Some(0));
    tokio::time::timeout(Duration::from_secs(5), back.more()).await.unwrap();
    assert_eq!(read(&mut back, &ask("*").query.filter, &ALL).records.len(), 3);
    assert!(tokio::time::timeout(soon, back.more()).await.is_err(), "all of it is read");
    let mut ahead = partition.tail(&tenant, Some(u64::MAX));
    world.append(&tenant, &some_records(1));
    assert_eq!(read(&mut ahead, &ask("*").query.filter, &ALL).records.len(), 1, "a place of another life");
}
