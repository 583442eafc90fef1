#![allow(clippy::unwrap_used)]
//! Round trips, and bytes that nobody wrote.

use promql::Total;
use proptest::prelude::*;
use telemetry::samples::{Histogram, ResetHint, Span, stale_nan};

use super::*;

fn check(values: &[(i64, Histogram)]) -> usize {
    let mut bytes = Vec::new();
    encode_histograms(values, &mut bytes);
    let back = decode_histograms(&bytes).unwrap();
    assert_eq!(bits(&back), bits(values));
    check_totals(&bytes);
    for (time, histogram) in values {
        let mut alone = Vec::new();
        encode_histogram(histogram, &mut alone);
        let back = decode_histogram(&alone).unwrap();
        assert_eq!(bits(&[(*time, back)]), bits(&[(*time, histogram.clone())]));
        let total = decode_total(&alone).unwrap();
        assert_eq!(total_bits(&total), (histogram.count.to_bits(), histogram.sum.to_bits()));
        assert!(decode_histogram(&alone[..alone.len() - 1]).is_err());
        assert!(decode_total(&alone[..alone.len() - 1]).is_err());
    }
    bytes.len()
}

fn total_bits(total: &Total) -> (u64, u64) {
    (total.count.to_bits(), total.sum.to_bits())
}

/// Counts and sums are those of the histograms, of any bytes; and what is damage to one reader is to the other.
fn check_totals(bytes: &[u8]) {
    let mut totals = Vec::new();
    let read = decode_totals(bytes, &mut totals);
    match decode_histograms(bytes) {
        Err(_) => assert!(read.is_err()),
        Ok(histograms) => {
            let of = |(time, histogram): &(i64, Histogram)| {
                (*time, (histogram.count.to_bits(), histogram.sum.to_bits()))
            };
            let found = totals.iter().map(|(time, total)| (*time, total_bits(total)));
            assert_eq!(found.collect::<Vec<_>>(), histograms.iter().map(of).collect::<Vec<_>>());
            assert_eq!(read, Ok(()));
        }
    }
}

/// As text in which every float stands by its bits.
fn bits(values: &[(i64, Histogram)]) -> Vec<String> {
    let one = |(time, h): &(i64, Histogram)| {
        let list = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        format!(
            "{time} {:?} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?}",
            h.schema,
            h.reset_hint,
            list(&[h.count, h.sum, h.zero_threshold, h.zero_count]),
            h.is_float,
            h.positive_spans,
            list(&h.positive_counts),
            h.negative_spans,
            list(&h.negative_counts),
            list(&h.custom_values),
        )
    };
    values.iter().map(one).collect()
}

fn count() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (0u64..1000).prop_map(|count| count as f64),
        1 => any::<u64>().prop_map(f64::from_bits),
        1 => prop::sample::select(vec![-0.0, stale_nan(), f64::INFINITY, 9_007_199_254_740_993.0, -5.0, 0.5]),
    ]
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::vec((any::<i32>(), any::<u32>()).prop_map(|(offset, len)| Span { offset, len }), 0..3)
}

prop_compose! {
    fn histogram()(
        (schema, hint, is_float) in (any::<i8>(), 0u8..4, any::<bool>()),
        scalars in prop::array::uniform4(count()),
        (positive_spans, negative_spans) in (spans(), spans()),
        positive_counts in prop::collection::vec(count(), 0..6),
        negative_counts in prop::collection::vec(count(), 0..3),
        custom_values in prop::collection::vec(count(), 0..3),
    ) -> Histogram {
        let [count, sum, zero_threshold, zero_count] = scalars;
        Histogram {
            schema, reset_hint: ResetHint::from_byte(hint).unwrap(), is_float, count, sum, zero_threshold,
            zero_count, positive_spans, positive_counts, negative_spans, negative_counts, custom_values,
        }
    }
}

/// Runs of one layout whose counts change.
fn chunk() -> impl Strategy<Value = Vec<(i64, Histogram)>> {
    let run = (histogram(), prop::collection::vec((any::<u16>(), count(), count()), 1..6)).prop_map(
        |(base, steps)| {
            let mut at = base;
            let step = |(time, sum, first): (u16, f64, f64)| {
                at.sum = sum;
                if let Some(count) = at.positive_counts.first_mut() {
                    *count = first;
                }
                at.count = first;
                (i64::from(time), at.clone())
            };
            steps.into_iter().map(step).collect::<Vec<_>>()
        },
    );
    prop::collection::vec(run, 0..5).prop_map(|runs| runs.concat())
}

proptest! {
    #[test]
    fn histograms_come_back_bit_for_bit(values in chunk()) {
        check(&values);
    }

    #[test]
    fn damaged_histograms_do_not_panic(
        values in chunk(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        encode_histograms(&values, &mut bytes);
        for (index, with) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= with;
        }
        check_totals(&bytes);
        check_totals(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn bytes_that_nobody_wrote_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_totals(&bytes);
    }
}

#[test]
fn a_growing_histogram_takes_few_bytes() {
    let of = |i: u32| Histogram {
        schema: 3,
        count: f64::from(i * 40),
        sum: f64::from(i) * 12.5,
        zero_threshold: 2.938_735_877_055_719e-39,
        positive_spans: vec![Span { offset: -20, len: 20 }, Span { offset: 3, len: 10 }],
        positive_counts: (0..30).map(|bucket| f64::from(i * (bucket % 7))).collect(),
        ..Histogram::default()
    };
    let values: Vec<_> = (0..120).map(|i| (i64::from(i) * 15_000, of(i))).collect();
    let len = check(&values);
    assert!(len < 120 * 12, "{len}");
}

#[test]
fn layouts_that_repeat_are_bounded() {
    let of =
        |i: i64| (i, Histogram { custom_values: vec![0.5; 1000], count: i as f64, ..Histogram::default() });
    let values: Vec<_> = (0..1200).map(of).collect();
    check(&values);
}
