//! What counting takes of memory.

use super::*;
use crate::patterns::block::Seen;
use crate::patterns::book::Outlines;

/// Counts of one pattern.
fn tallies() -> Tallies<[u8; 64]> {
    tallies_of(Buckets::covering(0, 10, 1), false)
}

fn tallies_of(buckets: Buckets, by_service: bool) -> Tallies<[u8; 64]> {
    let mut outlines = Outlines::default();
    outlines.take(Seen::of(&mut Outliner::default(), "started").unwrap());
    let book = Book::of(&outlines, || Ok::<(), ()>(())).unwrap();
    let options = PatternOptions { limit: 1, buckets, examples: 2, by_service };
    Tallies::new(Arc::new(book), options, 1 << 20)
}

fn key(time_ns: i64) -> RowKey {
    RowKey { time_ns, partition: 0, seq: 0 }
}

#[test]
fn examples_are_counted_once() {
    let mut tallies = tallies();
    tallies.add(0, 1, 0, None);
    let before = tallies.size_bytes();
    (0..1000).for_each(|time_ns| tallies.add_example(0, key(time_ns), || [0; 64]));
    assert_eq!(tallies.size_bytes() - before, 2 * size_of::<(RowKey, [u8; 64])>());
}

#[test]
fn files_that_are_put_together_take_what_they_took() {
    let name = |number: u32| format!("a service with some name and number {number}");
    let of_file = |services: std::ops::Range<u32>| {
        let mut tallies = tallies();
        tallies.add(0, 1, 0, None);
        services.clone().for_each(|number| tallies.add_service(0, number, 1));
        let names: Vec<String> = (0..services.end).map(name).collect();
        tallies.end_file(|number| Some(&names[number as usize]));
        tallies.add_example(0, key(i64::from(services.end)), || [0; 64]);
        tallies
    };
    let (all, empty) = (of_file(0..100).size_bytes(), tallies().size_bytes());
    assert!(all - empty > 100 * name(0).len());
    let mut merged = tallies();
    merged.merge(of_file(0..50));
    let half = merged.size_bytes();
    merged.merge(of_file(50..100));
    let example = size_of::<(RowKey, [u8; 64])>();
    assert_eq!(merged.size_bytes(), all + example);
    assert!(half - empty > 50 * name(0).len());
    merged.merge(of_file(0..100));
    assert_eq!(merged.size_bytes(), all + example, "nothing new");
}

#[test]
fn a_service_holds_the_buckets_from_its_first_to_its_last() {
    let buckets = Buckets { start_ns: 0, width_ns: 1, count: 900 };
    // (number of the service, bucket) of a file's records.
    let of_file = |rows: &[(u32, Option<usize>)]| {
        let mut tallies = tallies_of(buckets, true);
        for (service, bucket) in rows {
            tallies.add(0, 1, 4, *bucket);
            tallies.add_of_service((0, *service), 4, *bucket);
        }
        let before = tallies.size_bytes();
        tallies
            .end_file(|number| ["a", "b", ""].get(number as usize).copied().filter(|name| !name.is_empty()));
        assert!(tallies.size_bytes() <= before + 2 * service_bytes("a"), "nothing is held twice");
        tallies
    };
    let mut merged = of_file(&[(0, Some(500)), (1, Some(7)), (0, Some(503)), (2, Some(1))]);
    let held = merged.size_bytes();
    merged.merge(of_file(&[(0, Some(498)), (1, None), (0, Some(500))]));
    assert_eq!(merged.size_bytes() - held, 2 * 8, "two buckets more of a");
    let (found, _) = merged.finish();
    let row = |service: &str, records, first_bucket, counts: &[u64]| ServiceRow {
        service: service.to_owned(),
        severities: [0, 0, 0, 0, records, 0, 0],
        first_bucket,
        counts: counts.to_vec(),
    };
    assert_eq!(found[0].row.of_services, [row("a", 4, 498, &[1, 0, 2, 0, 0, 1]), row("b", 2, 7, &[1])]);
}

#[test]
fn the_counts_of_services_do_not_outgrow_a_query_within_a_block() {
    let buckets = Buckets { start_ns: 0, width_ns: 1, count: 1_000 };
    let mut tallies = tallies_of(buckets, true);
    tallies.add(0, 1, 4, None);
    for service in 0..10_000 {
        [0, 999].into_iter().for_each(|bucket| tallies.add_of_service((0, service), 4, Some(bucket)));
    }
    let most = 1 << 20;
    assert!((most..most + 10_000).contains(&tallies.size_bytes()), "too large, and hardly more");
}
