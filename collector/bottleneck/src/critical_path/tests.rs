//! Cases by hand, each the shape of a question: who was waited for?

#![allow(clippy::unwrap_used)]

use super::*;

/// A span: parent, start, end.
type Given = (Option<usize>, u64, u64);
/// A section: span, start, end.
type Found = (usize, u64, u64);

fn spans(given: &[Given], is_async: &[usize]) -> Vec<PathSpan> {
    let span = |(index, &(parent, start_ns, end_ns)): (usize, &Given)| PathSpan {
        parent,
        start_ns,
        end_ns,
        is_async: is_async.contains(&index),
    };
    given.iter().enumerate().map(span).collect()
}

fn path_of(given: &[Given], is_async: &[usize]) -> Vec<Found> {
    let sections = critical_path(&spans(given, is_async), 0);
    sections.iter().map(|section| (section.span, section.start_ns, section.end_ns)).collect()
}

const ROOT: Given = (None, 0, 100);

#[test]
fn the_path_is_what_was_waited_for() {
    let c = |start, end| (Some(0), start, end);
    let cases: [(&str, Vec<Given>, Vec<Found>); 16] = [
        ("alone", vec![ROOT], vec![(0, 0, 100)]),
        (
            "one after another",
            vec![ROOT, c(10, 30), c(50, 70)],
            vec![(0, 0, 10), (1, 10, 30), (0, 30, 50), (2, 50, 70), (0, 70, 100)],
        ),
        (
            "back to back",
            vec![ROOT, c(10, 50), c(50, 70)],
            vec![(0, 0, 10), (1, 10, 50), (2, 50, 70), (0, 70, 100)],
        ),
        (
            "in parallel the last to end",
            vec![ROOT, c(10, 80), c(20, 90)],
            vec![(0, 0, 20), (2, 20, 90), (0, 90, 100)],
        ),
        (
            "in parallel, and one before both",
            vec![ROOT, c(5, 10), c(10, 80), c(20, 90)],
            vec![(0, 0, 5), (1, 5, 10), (0, 10, 20), (3, 20, 90), (0, 90, 100)],
        ),
        (
            "ends together: the last to begin, then one before",
            vec![ROOT, c(10, 90), c(60, 90), c(20, 60)],
            vec![(0, 0, 20), (3, 20, 60), (2, 60, 90), (0, 90, 100)],
        ),
        ("sticks out at the end", vec![ROOT, c(60, 150)], vec![(0, 0, 60), (1, 60, 100)]),
        ("sticks out at the start", vec![(None, 50, 100), c(10, 70)], vec![(1, 50, 70), (0, 70, 100)]),
        ("longer than its parent", vec![(None, 50, 100), c(10, 700)], vec![(1, 50, 100)]),
        ("wholly outside, with all below", vec![ROOT, c(110, 150), (Some(1), 20, 40)], vec![(0, 0, 100)]),
        ("before", vec![(None, 50, 100), c(10, 20)], vec![(0, 50, 100)]),
        (
            "clipped below a clipped one",
            vec![ROOT, c(60, 150), (Some(1), 80, 140), (Some(1), 120, 130)],
            vec![(0, 0, 60), (1, 60, 80), (2, 80, 100)],
        ),
        (
            "what takes no time is no section",
            vec![ROOT, c(50, 50), c(10, 50), c(100, 100), c(0, 0)],
            vec![(0, 0, 10), (2, 10, 50), (0, 50, 100)],
        ),
        ("the root took no time", vec![(None, 7, 7), c(7, 7)], vec![]),
        (
            "an end before the start",
            vec![ROOT, c(70, 20), c(10, 30)],
            vec![(0, 0, 10), (2, 10, 30), (0, 30, 100)],
        ),
        (
            "grandchildren of two",
            vec![ROOT, c(10, 50), (Some(1), 20, 40), c(60, 90), (Some(3), 60, 90)],
            vec![(0, 0, 10), (1, 10, 20), (2, 20, 40), (1, 40, 50), (0, 50, 60), (4, 60, 90), (0, 90, 100)],
        ),
    ];
    for (name, given, expected) in cases {
        assert_eq!(path_of(&given, &[]), expected, "{name}");
    }
}

#[test]
fn nobody_waits_for_what_is_asynchronous_nor_for_what_it_calls() {
    let given = [ROOT, (Some(0), 10, 90), (Some(1), 20, 80), (Some(0), 30, 40)];
    assert_eq!(path_of(&given, &[1]), [(0, 0, 30), (3, 30, 40), (0, 40, 100)]);
    assert_eq!(path_of(&given, &[0])[0], (0, 0, 10), "the root itself may be");
}

#[test]
fn odd_parents_are_borne() {
    assert_eq!(critical_path(&spans(&[ROOT], &[]), 1), []);
    assert_eq!(critical_path(&[], 0), []);
    assert_eq!(path_of(&[(Some(0), 0, 9)], &[]), [(0, 0, 9)]);
    // A cycle is cut at the root.
    assert_eq!(path_of(&[(Some(1), 0, 9), (Some(0), 2, 4)], &[]), [(0, 0, 2), (1, 2, 4), (0, 4, 9)]);
}

#[test]
fn a_path_is_summed_by_span_and_by_key() {
    let spans = spans(&[ROOT, (Some(0), 10, 30), (Some(0), 50, 70), (Some(0), 60, 65)], &[]);
    let path = path_with_tolerance(&spans, 0, 0.0);
    assert_eq!(path_times(&path.sections, spans.len()), [60, 20, 20, 0]);
    assert_eq!(exclusive_times(&path, &spans), [60, 20, 20, 0]);
    let by_service = totals_by_key(&path.sections, |span| if span == 0 { "shop" } else { "cart" });
    assert_eq!(by_service, [("shop", 60), ("cart", 40)]);
    assert_eq!(totals_by_key(&path.sections, |span| span % 3), [(0, 60), (1, 20), (2, 20)]);
}

#[test]
fn a_tolerance_lets_neighbours_overlap_a_little() {
    let neighbours = [(None, 0, 1000), (Some(0), 10, 210), (Some(0), 209, 309)];
    let with = |given: &[Given], tolerance| {
        let path = path_with_tolerance(&spans(given, &[]), 0, tolerance);
        exclusive_times(&path, &spans(given, &[]))
    };
    assert_eq!(with(&neighbours, 0.0), [900, 0, 100]);
    assert_eq!(with(&neighbours, 0.01), [700, 200, 100]);
    let third = [neighbours.as_slice(), &[(Some(0), 150, 209)]].concat();
    assert_eq!(with(&third, 0.01), [841, 0, 100, 59], "another one ends meanwhile");
    let much = [(None, 0, 1000), (Some(0), 10, 219), (Some(0), 209, 309)];
    assert_eq!(with(&much, 0.01), [900, 0, 100], "10 of 1000 is not less than 1 %");
    let inside = [(None, 0, 1000), (Some(0), 209, 211), (Some(0), 209, 309)];
    assert_eq!(with(&inside, 0.01), [900, 0, 100], "began together");
}

#[test]
fn depth_and_breadth_are_no_matter() {
    const N: usize = 100_000;
    let end = 10 * N as u64;
    let chain = (0..N as u64).map(|index| (index.checked_sub(1).map(|up| up as usize), index, end - index));
    let path = path_of(&chain.collect::<Vec<_>>(), &[]);
    assert_eq!(path.len(), 2 * N - 1);
    assert_eq!(path[N - 1], (N - 1, N as u64 - 1, end - N as u64 + 1));
    let fan = (1..N as u64).map(|index| (Some(0), index, index + 1));
    let fan: Vec<Given> = std::iter::once((None, 0, end)).chain(fan).collect();
    assert_eq!(path_of(&fan, &[]).len(), N + 1);
    let begun = std::time::Instant::now();
    let fan: Vec<Given> = fan.iter().map(|&(parent, start, end)| (parent, start, end + 1)).collect();
    path_with_tolerance(&spans(&fan, &[]), 0, 0.01);
    assert!(begun.elapsed().as_secs() < 10, "as many overlaps as children");
}
