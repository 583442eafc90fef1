//! Durations in buckets whose bounds are powers of `2^(1/32)` seconds (native histograms of schema 5): a quantile is
//! off by at most 2.2 %, and the bounds are the same for all series, for ever.
//!
//! Everything is counted in integers (ns), so that the order of counting cannot show in a sum.

use telemetry::samples::{Histogram, ResetHint, Span};

use crate::cell::Cell;

/// 2^5 buckets in each doubling.
const SCHEMA: i8 = 5;
const PER_OCTAVE: i32 = 1 << SCHEMA;

/// What is added to a bucket's index, so that a bucket's number is positive and 0 is the bucket of nothing.
const OFFSET: i32 = 1024;

/// The bucket around 0 is as narrow as the one that OTLP's histograms get.
const ZERO_THRESHOLD: f64 = 1e-128;

/// `2^(k / 32)`, correctly rounded.
#[rustfmt::skip]
#[allow(clippy::approx_constant)] // A row of a table, not a constant in use.
const BOUNDS: [f64; PER_OCTAVE as usize] = [
    1.0, 1.0218971486541166, 1.0442737824274138, 1.0671404006768237,
    1.0905077326652577, 1.1143867425958924, 1.1387886347566916, 1.1637248587775775,
    1.189207115002721, 1.215247359980469, 1.241857812073484, 1.2690509571917332,
    1.2968395546510096, 1.3252366431597413, 1.3542555469368927, 1.383909881963832,
    1.4142135623730951, 1.4451808069770467, 1.4768261459394993, 1.5091644275934228,
    1.5422108254079407, 1.5759808451078865, 1.6104903319492543, 1.645755478153965,
    1.681792830507429, 1.718619298122478, 1.7562521603732995, 1.7947090750031072,
    1.8340080864093424, 1.8741676341103, 1.9152065613971474, 1.9571441241754002,
];

const MANTISSA: u64 = (1 << 52) - 1;

/// Mantissa bits of the bounds.
const BOUND_BITS: [u64; PER_OCTAVE as usize] = {
    let mut bits = [0; PER_OCTAVE as usize];
    let mut at = 0;
    while at < bits.len() {
        bits[at] = BOUNDS[at].to_bits() & MANTISSA;
        at += 1;
    }
    bits
};

/// Per 32nd of a doubling (cut evenly): how many bounds lie below its begin.
const FIRST: [u8; PER_OCTAVE as usize] = {
    let mut first = [0; PER_OCTAVE as usize];
    let mut at = 0;
    while at < first.len() {
        let begin = (at as u64) << 47;
        while (first[at] as usize) < BOUND_BITS.len() && BOUND_BITS[first[at] as usize] < begin {
            first[at] += 1;
        }
        at += 1;
    }
    first
};

/// The number of a duration's bucket: 0 for none, else `1024 + i` where `2^((i - 1) / 32) s < duration <= 2^(i / 32) s`.
#[inline]
pub(crate) fn bucket_of(duration_ns: u64) -> u16 {
    if duration_ns == 0 {
        return 0;
    }
    let bits = (duration_ns as f64 / 1e9).to_bits();
    let (exponent, mantissa) = ((bits >> 52) as i32 - 1023, bits & MANTISSA);
    let mut below = usize::from(FIRST[(mantissa >> 47) as usize]);
    while below < BOUND_BITS.len() && BOUND_BITS[below] < mantissa {
        below += 1;
    }
    (OFFSET + exponent * PER_OCTAVE + below as i32) as u16
}

/// As the store of series has it.
pub(crate) fn to_native(cell: &Cell, reset_hint: ResetHint) -> Histogram {
    let mut native = Histogram {
        schema: SCHEMA,
        reset_hint,
        count: cell.count() as f64,
        sum: seconds(cell.sum),
        zero_threshold: ZERO_THRESHOLD,
        ..Histogram::default()
    };
    let mut next = 0;
    for (bucket, count) in &cell.counts {
        if *bucket == 0 {
            native.zero_count = *count as f64;
            continue;
        }
        let index = i32::from(*bucket) - OFFSET;
        match native.positive_spans.last_mut() {
            Some(span) if index == next => span.len += 1,
            _ => native.positive_spans.push(Span { offset: index - next, len: 1 }),
        }
        native.positive_counts.push(*count as f64);
        next = index + 1;
    }
    native
}

/// Of ns.
pub(crate) fn seconds(ns: u128) -> f64 {
    ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MAX_DURATION_NS;
    use proptest::prelude::*;

    /// By the definition, bound after bound.
    fn naive(duration_ns: u64) -> i32 {
        let value = duration_ns as f64 / 1e9;
        let mut index = -1000;
        while 2f64.powf(f64::from(index) / 32.0) < value {
            index += 1;
        }
        index
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_duration(exponent in 0u32..47, low: u64) {
            let duration = (1 << exponent | (low & ((1 << exponent) - 1))).min(MAX_DURATION_NS);
            prop_assert_eq!(i32::from(bucket_of(duration)) - OFFSET, naive(duration), "{}", duration);
        }
    }

    #[test]
    fn the_ends_have_buckets_and_nothing_is_bucket_zero() {
        assert_eq!(bucket_of(0), 0);
        assert_eq!(i32::from(bucket_of(1)) - OFFSET, -956);
        assert_eq!(i32::from(bucket_of(1_000_000_000)) - OFFSET, 0);
        assert_eq!(i32::from(bucket_of(1_000_000_001)) - OFFSET, 1);
        assert_eq!(i32::from(bucket_of(2_000_000_000)) - OFFSET, 32);
        assert_eq!(i32::from(bucket_of(MAX_DURATION_NS)) - OFFSET, naive(MAX_DURATION_NS));
    }

    #[test]
    fn spans_name_the_buckets() {
        let cell = Cell { sum: 3_500_000_000, counts: vec![(0, 2), (1024, 1), (1025, 4), (1034, 7)] };
        let native = to_native(&cell, ResetHint::Gauge);
        assert_eq!((native.count, native.sum, native.zero_count), (14.0, 3.5, 2.0));
        assert_eq!(native.positive_spans, [Span { offset: 0, len: 2 }, Span { offset: 8, len: 1 }]);
        assert_eq!(native.positive_counts, [1.0, 4.0, 7.0]);
    }
}
