//! Sums of series whose samples are increases.

use std::collections::BTreeMap;

use telemetry::samples::{Histogram, ResetHint, Span, is_stale};

/// What was added up so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) float: f64,
    pub(crate) histogram: Option<Histogram>,
    /// When the last increase was received, s since 1970.
    pub(crate) received_s: u32,
}

impl Sum {
    /// The sum with this increase; a stale marker stays one.
    pub(crate) fn add(&mut self, value: f64) -> f64 {
        if is_stale(value) {
            return value;
        }
        self.float += value;
        self.float
    }

    /// The same of histograms. One of another shape begins anew, which reads as a reset.
    pub(crate) fn add_histogram(&mut self, more: &Histogram) -> Histogram {
        if is_stale(more.sum) {
            return more.clone();
        }
        let both = self.histogram.as_ref().and_then(|sum| joined(sum, more));
        let sum = both.unwrap_or_else(|| more.clone());
        self.histogram = Some(sum.clone());
        sum
    }
}

fn joined(sum: &Histogram, more: &Histogram) -> Option<Histogram> {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let same = sum.schema == more.schema
        && sum.zero_threshold.to_bits() == more.zero_threshold.to_bits()
        && bits(&sum.custom_values) == bits(&more.custom_values)
        && more.reset_hint != ResetHint::Gauge;
    if !same {
        return None;
    }
    let (positive_spans, positive_counts) = joined_buckets(
        (&sum.positive_spans, &sum.positive_counts),
        (&more.positive_spans, &more.positive_counts),
    )?;
    let (negative_spans, negative_counts) = joined_buckets(
        (&sum.negative_spans, &sum.negative_counts),
        (&more.negative_spans, &more.negative_counts),
    )?;
    Some(Histogram {
        schema: sum.schema,
        reset_hint: ResetHint::Unknown,
        is_float: sum.is_float || more.is_float,
        count: sum.count + more.count,
        sum: sum.sum + more.sum,
        zero_threshold: sum.zero_threshold,
        zero_count: sum.zero_count + more.zero_count,
        positive_spans,
        positive_counts,
        negative_spans,
        negative_counts,
        custom_values: sum.custom_values.clone(),
    })
}

type Buckets<'a> = (&'a [Span], &'a [f64]);

fn joined_buckets(a: Buckets<'_>, b: Buckets<'_>) -> Option<(Vec<Span>, Vec<f64>)> {
    if a.0 == b.0 {
        return Some((a.0.to_vec(), a.1.iter().zip(b.1).map(|(a, b)| a + b).collect()));
    }
    let mut buckets = BTreeMap::new();
    for (spans, counts) in [a, b] {
        let mut index = 0i64;
        let mut counts = counts.iter();
        for span in spans {
            index += i64::from(span.offset);
            for count in counts.by_ref().take(span.len as usize) {
                *buckets.entry(index).or_insert(0.0) += count;
                index += 1;
            }
        }
    }
    let (mut spans, mut end) = (Vec::<Span>::new(), 0i64);
    for index in buckets.keys() {
        match spans.last_mut() {
            Some(last) if *index == end => last.len += 1,
            _ => spans.push(Span { offset: i32::try_from(index - end).ok()?, len: 1 }),
        }
        end = index + 1;
    }
    Some((spans, buckets.into_values().collect()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn histogram(spans: &[(i32, u32)], counts: &[f64]) -> Histogram {
        Histogram {
            count: counts.iter().sum(),
            positive_spans: spans.iter().map(|(offset, len)| Span { offset: *offset, len: *len }).collect(),
            positive_counts: counts.to_vec(),
            ..Histogram::default()
        }
    }

    #[test]
    fn buckets_are_added_by_their_place() {
        let mut sum = Sum::default();
        sum.add_histogram(&histogram(&[(-2, 2), (3, 1)], &[1.0, 2.0, 4.0]));
        let both = sum.add_histogram(&histogram(&[(-1, 3), (5, 1)], &[8.0, 16.0, 32.0, 64.0]));
        // Buckets -2, -1, 3 and -1, 0, 1, 7.
        assert_eq!(both, histogram(&[(-2, 4), (1, 1), (3, 1)], &[1.0, 10.0, 16.0, 32.0, 4.0, 64.0]));
    }

    #[test]
    fn another_shape_begins_anew() {
        let mut sum = Sum::default();
        sum.add_histogram(&histogram(&[(0, 1)], &[1.0]));
        let other = Histogram { schema: 3, ..histogram(&[(0, 1)], &[5.0]) };
        assert_eq!(sum.add_histogram(&other), other);
    }

    #[test]
    fn a_stale_marker_is_no_increase() {
        let mut sum = Sum::default();
        assert_eq!(sum.add(2.0), 2.0);
        assert!(is_stale(sum.add(telemetry::samples::stale_nan())));
        assert_eq!(sum.add(3.0), 5.0);
    }
}
