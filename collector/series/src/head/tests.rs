//! What a head knows after odd orders of floats, histograms and deletes.

#![allow(clippy::unwrap_used)]

use telemetry::LabelSet;

use super::*;

const EVER: (i64, i64) = (i64::MIN, i64::MAX);

fn head() -> Head {
    let (mut head, labels) = (Head::default(), LabelSet::new([("__name__", "up")]).unwrap());
    head.begin(1, 5);
    let hash = head.find(labels.as_bytes()).unwrap_err();
    head.add(hash, labels.iter(), None);
    head
}

fn floats(head: &Head) -> Vec<(i64, f64)> {
    let mut values = Values::default();
    head.read(0, EVER, &mut Vec::new(), &mut values);
    values.times_ms.into_iter().zip(values.values).collect()
}

fn exemplar(time_ms: i64) -> Exemplar {
    Exemplar { labels: LabelSet::new([("trace_id", "a")]).unwrap(), value: 1.0, time_ms }
}

#[test]
fn what_came_late_is_outdated_after_a_delete_too() {
    let mut head = head();
    for (time_ms, value) in [(1, 1.0), (10, 2.0), (5, 3.0)] {
        head.push(0, time_ms, value);
    }
    head.delete(&[], 8, 20);
    head.push(0, 5, 4.0);
    assert_eq!(floats(&head), [(1, 1.0), (5, 4.0)]);
    head.delete(&[], 0, 20);
    head.push(0, 5, 5.0);
    assert_eq!((floats(&head), head.rows()), (vec![(5, 5.0)], 1));
}

#[test]
fn a_value_that_comes_again_wins_over_one_that_came_between() {
    let mut head = head();
    for value in [1.0, 2.0, 1.0] {
        head.push(0, 5, value);
    }
    assert_eq!(floats(&head), [(5, 1.0)]);
}

#[test]
fn a_histogram_and_a_float_of_one_time_replace_each_other() {
    let mut head = head();
    let histogram = |count| Histogram { count, ..Histogram::default() };
    for time_ms in 0..2000 {
        head.push(0, time_ms, 1.0);
    }
    for time_ms in (500..2000).rev() {
        head.push_histogram(0, time_ms, &histogram(1.0));
        head.push_histogram(0, time_ms, &histogram(2.0));
    }
    for time_ms in 1000..2000 {
        head.push(0, time_ms, 3.0);
    }
    let mut values = Values::default();
    head.read(0, EVER, &mut Vec::new(), &mut values);
    let times: Vec<i64> = (0..500).chain(1000..2000).collect();
    assert_eq!(values.times_ms, times);
    assert_eq!((values.values[499], values.values[500]), (1.0, 3.0));
    assert!(values.histograms.iter().map(|(time_ms, _)| *time_ms).eq(500..1000));
    assert!(values.histograms.iter().all(|(_, histogram)| histogram.count == 2.0));
    head.delete(&[], 400, 1000);
    assert!(floats(&head).iter().all(|(time_ms, _)| !(400..=1000).contains(time_ms)), "none comes back");
    assert_eq!((head.histogram_rows, head.histogram_bytes), (0, 0));
}

#[test]
fn a_head_of_no_series_has_no_age() {
    let mut empty = Head::default();
    empty.begin(1, 5);
    assert_eq!(empty.oldest_received_at_ns, None);
    let mut head = head();
    assert_eq!(head.oldest_received_at_ns, Some(5));
    head.begin(2, 3);
    head.begin(3, 9);
    assert_eq!(head.oldest_received_at_ns, Some(3));
}

#[test]
fn the_last_exemplars_stay_and_are_counted() {
    let mut head = head();
    let before = head.size_bytes();
    let many: Vec<Exemplar> = (0..100_000).map(exemplar).collect();
    head.push_exemplars(0, &many);
    let kept: Vec<i64> = head.exemplars_of(0, EVER).map(|exemplar| exemplar.time_ms).collect();
    assert!(kept.into_iter().eq(99_872..100_000));
    assert!(head.size_bytes() >= before + 128 * exemplar_bytes(&exemplar(0)));
    head.push_exemplars(0, &[exemplar(7)]);
    assert_eq!(head.exemplar_bytes, 128 * exemplar_bytes(&exemplar(0)));
    head.delete(&[], EVER.0, EVER.1);
    assert_eq!(head.exemplar_bytes, 0);
}
