//! Outlines that are put together, and what holds of them.

use super::*;

fn seen(text: &str, count: u64, first_ns: i64, kinds: &[Kind]) -> Seen {
    let text = text.replace('*', "\u{1}");
    let id = super::super::outline::id_of(&text);
    Seen { id, text: text.into(), kinds: kinds.into(), count, first_ns }
}

fn outlines(all: &[Seen]) -> Outlines {
    let mut outlines = Outlines::default();
    all.iter().for_each(|seen| outlines.add(seen));
    outlines
}

/// Very many outlines are thinned out between files: a table's own order must not show in what is left.
#[test]
fn what_is_left_of_very_many_outlines_follows_from_the_order_of_files() {
    let merged = |by_copy: bool| {
        let mut all = Outlines::default();
        for file in 0..10u64 {
            let of_file = (0..16_384u64).map(|n| {
                // Some are in several files, where they become frequent.
                let name = if n % 8 == 0 { n % 6_000 } else { file * 100_000 + n };
                seen(&format!("outline {name:x} of many"), 1 + n % 5, 0, &[])
            });
            let mut own = Outlines::default();
            of_file.for_each(|seen| own.take(seen));
            own.end_file();
            if by_copy { all.merge(&own) } else { all.absorb(own) }
        }
        let mut left: Vec<(u64, u64)> = all.seen.values().map(|seen| (seen.id, seen.count)).collect();
        left.sort_unstable();
        (left, all.size_bytes)
    };
    let first = merged(true);
    assert!(first.0.len() < 100_000, "thinned out once");
    assert!(first == merged(true) && first == merged(false));
}

#[test]
fn outlines_cover_what_says_nothing_new() {
    let all = outlines(&[seen("took *", 5, 100, &[Kind::Number]), seen("started", 1, 7, &[])]);
    let covers = |one: Seen| all.covers(&outlines(&[one]));
    assert!(all.covers(&Outlines::default()));
    assert!(covers(seen("took *", 9, 100, &[Kind::Number])));
    assert!(!covers(seen("took *", 9, 99, &[Kind::Number])), "older");
    assert!(!covers(seen("took *", 9, 100, &[Kind::Ip])), "another kind");
    assert!(!covers(seen("ended", 1, 100, &[])), "another outline");
}

#[test]
fn the_memory_of_outlines_is_known_before_it_is_taken() {
    let all = outlines(&[seen("took *", 5, 100, &[Kind::Number]), seen("started", 1, 7, &[])]);
    let many: Vec<Seen> = (0..1000).map(|n| seen(&format!("word {n:x} of many"), 1, 0, &[])).collect();
    assert!(Book::making_bytes(&all) > 500);
    assert!(Book::making_bytes(&outlines(&many)) > 500_000);
}
