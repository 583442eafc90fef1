#![allow(clippy::unwrap_used)]

use telemetry::samples::{Histogram, ResetHint, Span};

use super::Native;

fn native(schema: i8, zero: f64, offset: i32, counts: &[f64]) -> Native {
    let total: f64 = zero + counts.iter().sum::<f64>();
    Native::of(&Histogram {
        schema,
        count: total,
        sum: total,
        zero_threshold: 0.001,
        zero_count: zero,
        positive_spans: vec![Span { offset, len: u32::try_from(counts.len()).unwrap() }],
        positive_counts: counts.to_vec(),
        ..Histogram::default()
    })
}

#[test]
fn bounds_are_powers() {
    for (index, schema, bound) in [
        (0, 0, 1.0),
        (1, 0, 2.0),
        (-1, 0, 0.5),
        (1, 1, std::f64::consts::SQRT_2),
        (3, 1, 2.0 * std::f64::consts::SQRT_2),
        (1, -1, 4.0),
        (1024, 0, f64::MAX),
        (1025, 0, f64::INFINITY),
        (-1074, 0, f64::from_bits(1)),
    ] {
        let found = super::exponential_bound(index, schema);
        assert!(found == bound || ((found - bound) / bound).abs() < 1e-15, "{index} of {schema}: {found}");
    }
}

#[test]
fn a_histogram_survives_the_way_there_and_back() {
    let histogram = native(2, 3.0, -4, &[1.0, 0.0, 0.0, 2.0, 5.0]).to_histogram();
    assert_eq!(histogram.positive_spans, [Span { offset: -4, len: 1 }, Span { offset: 2, len: 2 }]);
    assert!(Native::of(&histogram).equals(&native(2, 3.0, -4, &[1.0, 0.0, 0.0, 2.0, 5.0])));
}

#[test]
fn sums_are_of_the_lower_resolution() {
    let mut sum = native(1, 1.0, 1, &[1.0, 2.0, 3.0]);
    sum.add(&native(0, 2.0, 1, &[10.0, 20.0])).unwrap();
    assert_eq!(sum.to_string(), "{count:39, sum:39, [-0.001,0.001]:3, (1,2]:13, (2,4]:23}");
    sum.subtract(&native(0, 3.0, 1, &[13.0])).unwrap();
    assert_eq!(sum.to_string(), "{count:23, sum:23, (2,4]:23}");
}

#[test]
fn resets_are_found() {
    let before = native(0, 1.0, 1, &[1.0, 2.0]);
    for (after, is_reset) in [
        (native(0, 1.0, 1, &[1.0, 2.0]), false),
        (native(0, 1.0, 1, &[1.0, 3.0]), false),
        (native(0, 1.0, 1, &[5.0]), true),
        (native(0, 0.0, 1, &[5.0, 5.0]), true),
        (native(1, 1.0, 1, &[5.0, 5.0]), true),
        (native(-1, 1.0, 1, &[3.0]), false),
    ] {
        assert_eq!(after.is_reset_after(&before), is_reset, "{after}");
    }
    let mut hinted = native(0, 9.0, 1, &[9.0, 9.0]);
    hinted.hint = ResetHint::Yes;
    assert!(hinted.is_reset_after(&before));
}

#[test]
fn quantiles_and_fractions_agree() {
    let histogram = native(0, 0.0, 1, &[2.0, 6.0, 2.0]);
    for q in [0.1, 0.25, 0.5, 0.75, 0.9] {
        let (value, doubt) = histogram.quantile(q);
        assert!(doubt.is_none());
        let (fraction, _) = histogram.fraction(f64::NEG_INFINITY, value);
        assert!((fraction - q).abs() < 1e-12, "{q}: {value} {fraction}");
    }
    assert_eq!(histogram.quantile(1.1).0, f64::INFINITY);
}
