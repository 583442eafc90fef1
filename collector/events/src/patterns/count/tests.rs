//! What counting takes of memory.

use super::*;
use crate::patterns::block::Seen;
use crate::patterns::book::Outlines;

/// Counts of one pattern.
fn tallies() -> Tallies<[u8; 64]> {
    let mut outlines = Outlines::default();
    outlines.take(Seen::of(&mut Outliner::default(), "started").unwrap());
    let book = Book::of(&outlines, || Ok::<(), ()>(())).unwrap();
    let options = PatternOptions { limit: 1, buckets: Buckets::covering(0, 10, 1), examples: 2 };
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
