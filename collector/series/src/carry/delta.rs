//! Sums of series whose samples are increases.

use std::collections::BTreeMap;

use telemetry::samples::{Histogram, ResetHint, Span, is_stale};

/// A sum of histograms with more buckets gets coarser ones.
const MAX_BUCKETS: usize = 640;
/// The schemas whose buckets are powers; each has half as many as the next.
const EXPONENTIAL: std::ops::RangeInclusive<i8> = -4..=8;
/// Sums of histograms may have so many more spans and buckets than the increases of one record, in all; then
/// they begin anew. It bounds what a record of small increases to large sums can ask for.
pub(super) const RECORD_SURPLUS: usize = 8 << 20;

/// What was added up so far.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sum {
    pub(crate) float: f64,
    pub(crate) histogram: Option<Histogram>,
    /// The latest time of an increase: the sum stands at no earlier one.
    pub(crate) newest_ms: i64,
    /// When the last increase was received, s since 1970.
    pub(crate) received_s: u32,
}

impl Default for Sum {
    fn default() -> Self {
        Self { float: 0.0, histogram: None, newest_ms: i64::MIN, received_s: 0 }
    }
}

impl Sum {
    /// Where the sum with an increase of this time stands: behind an earlier sum it would read as a reset.
    pub(super) fn at(&mut self, time_ms: i64) -> i64 {
        self.newest_ms = self.newest_ms.max(time_ms);
        self.newest_ms
    }

    /// The sum with this increase; a stale marker stays one. `None`: an increase must be finite.
    pub(super) fn add(&mut self, value: f64) -> Option<f64> {
        if is_stale(value) {
            return Some(value);
        }
        if !value.is_finite() {
            return None;
        }
        let sum = self.float + value;
        self.float = if sum.is_finite() { sum } else { value };
        Some(self.float)
    }

    /// The same of histograms. One of another shape begins anew, which reads as a reset, and so does one for
    /// which `surplus` has no room.
    pub(super) fn add_histogram(&mut self, more: &Histogram, surplus: &mut usize) -> Option<Histogram> {
        if is_stale(more.sum) {
            return Some(more.clone());
        }
        let buckets = more.positive_counts.iter().chain(&more.negative_counts);
        if !buckets.chain([&more.count, &more.zero_count]).all(|count| count.is_finite()) {
            return None;
        }
        let both = self.histogram.as_ref().and_then(|sum| {
            let beyond = size(sum).saturating_sub(size(more));
            *surplus = surplus.checked_sub(beyond)?;
            joined(sum, more)
        });
        let sum = both.unwrap_or_else(|| more.clone());
        self.histogram = Some(sum.clone());
        Some(sum)
    }
}

/// Spans, buckets and bounds.
fn size(histogram: &Histogram) -> usize {
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    spans + histogram.positive_counts.len() + histogram.negative_counts.len() + histogram.custom_values.len()
}

fn joined(sum: &Histogram, more: &Histogram) -> Option<Histogram> {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let is_exponential = EXPONENTIAL.contains(&sum.schema) && EXPONENTIAL.contains(&more.schema);
    let same = (sum.schema == more.schema || is_exponential)
        && sum.zero_threshold.to_bits() == more.zero_threshold.to_bits()
        && bits(&sum.custom_values) == bits(&more.custom_values)
        && more.reset_hint != ResetHint::Gauge;
    if !same {
        return None;
    }
    let mut both = Histogram {
        reset_hint: ResetHint::Unknown,
        is_float: sum.is_float || more.is_float,
        count: sum.count + more.count,
        sum: if more.sum.is_finite() { sum.sum + more.sum } else { sum.sum },
        zero_count: sum.zero_count + more.zero_count,
        ..sum.clone()
    };
    let same_layout = sum.schema == more.schema
        && sum.positive_spans == more.positive_spans
        && sum.negative_spans == more.negative_spans;
    if same_layout {
        let own = both.positive_counts.iter_mut().chain(&mut both.negative_counts);
        let more = more.positive_counts.iter().chain(&more.negative_counts);
        own.zip(more).for_each(|(count, more)| *count += more);
        return Some(both);
    }
    join_buckets(&mut both, more)?;
    Some(both)
}

/// Adds buckets by their place, in the coarser of both schemas or one in which they are few enough.
fn join_buckets(sum: &mut Histogram, more: &Histogram) -> Option<()> {
    let mut schema = sum.schema.min(more.schema);
    let (mut positive, mut negative) = (BTreeMap::new(), BTreeMap::new());
    for histogram in [&*sum, more] {
        let coarser = histogram.schema - schema;
        add_buckets(&mut positive, (&histogram.positive_spans, &histogram.positive_counts), coarser);
        add_buckets(&mut negative, (&histogram.negative_spans, &histogram.negative_counts), coarser);
    }
    while positive.len() + negative.len() > MAX_BUCKETS {
        if !EXPONENTIAL.contains(&(schema - 1)) {
            return None;
        }
        schema -= 1;
        for side in [&mut positive, &mut negative] {
            let mut halved = BTreeMap::new();
            for (index, count) in &*side {
                *halved.entry(coarsened(*index, 1)).or_insert(0.0) += count;
            }
            *side = halved;
        }
    }
    sum.schema = schema;
    (sum.positive_spans, sum.positive_counts) = spans(positive)?;
    (sum.negative_spans, sum.negative_counts) = spans(negative)?;
    Some(())
}

/// The bucket that has this one in it, so many schemas lower.
fn coarsened(index: i64, coarser: i8) -> i64 {
    ((index - 1) >> coarser) + 1
}

fn add_buckets(buckets: &mut BTreeMap<i64, f64>, (spans, counts): (&[Span], &[f64]), coarser: i8) {
    let mut index = 0i64;
    let mut counts = counts.iter();
    for span in spans {
        index += i64::from(span.offset);
        for count in counts.by_ref().take(span.len as usize) {
            *buckets.entry(coarsened(index, coarser)).or_insert(0.0) += count;
            index += 1;
        }
    }
}

fn spans(buckets: BTreeMap<i64, f64>) -> Option<(Vec<Span>, Vec<f64>)> {
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

    fn add(sum: &mut Sum, more: &Histogram) -> Histogram {
        sum.add_histogram(more, &mut RECORD_SURPLUS.clone()).unwrap()
    }

    #[test]
    fn buckets_are_added_by_their_place() {
        let mut sum = Sum::default();
        add(&mut sum, &histogram(&[(-2, 2), (3, 1)], &[1.0, 2.0, 4.0]));
        let both = add(&mut sum, &histogram(&[(-1, 3), (5, 1)], &[8.0, 16.0, 32.0, 64.0]));
        // Buckets -2, -1, 3 and -1, 0, 1, 7.
        assert_eq!(both, histogram(&[(-2, 4), (1, 1), (3, 1)], &[1.0, 10.0, 16.0, 32.0, 4.0, 64.0]));
    }

    #[test]
    fn another_shape_begins_anew() {
        let mut sum = Sum::default();
        add(&mut sum, &histogram(&[(0, 1)], &[1.0]));
        for other in [
            Histogram { zero_threshold: 0.5, ..histogram(&[(0, 1)], &[5.0]) },
            Histogram { schema: -53, custom_values: vec![1.0], ..histogram(&[(0, 1)], &[5.0]) },
        ] {
            assert_eq!(add(&mut sum, &other), other);
        }
    }

    #[test]
    fn schemas_meet_in_the_coarser_one() {
        let mut sum = Sum::default();
        // Buckets 1 … 4 of schema 2 are 1 of schema 0; 5 … 8 are 2.
        add(&mut sum, &Histogram { schema: 2, ..histogram(&[(1, 5)], &[1.0, 2.0, 4.0, 8.0, 16.0]) });
        let both = add(&mut sum, &histogram(&[(0, 2)], &[32.0, 64.0]));
        assert_eq!(both, histogram(&[(0, 3)], &[32.0, 79.0, 16.0]));
        let both = add(&mut sum, &Histogram { schema: 1, ..histogram(&[(3, 1)], &[1.0]) });
        assert_eq!(both, histogram(&[(0, 3)], &[32.0, 79.0, 17.0]));
    }

    #[test]
    fn a_sum_has_no_more_buckets_than_it_may() {
        let mut sum = Sum::default();
        for index in 0..20_000 {
            // 7919 is prime to 20,000: every place is met once, in no order.
            let place = index * 7919 % 20_000 - 10_000;
            let both = add(&mut sum, &Histogram { schema: 8, ..histogram(&[(place, 1)], &[1.0]) });
            assert!(both.positive_counts.len() <= MAX_BUCKETS, "{}", both.positive_counts.len());
            assert_eq!(both.positive_counts.iter().sum::<f64>(), f64::from(index + 1), "none is lost");
        }
        assert_eq!(sum.histogram.unwrap().schema, 3);
        let mut custom = Sum::default();
        let shape = |place| Histogram { schema: -53, ..histogram(&[(place, 1)], &[1.0]) };
        let most = (0..2000).map(|place| add(&mut custom, &shape(place)).positive_counts.len()).max();
        assert_eq!(most, Some(MAX_BUCKETS), "then it begins anew");
    }

    #[test]
    fn small_increases_to_a_large_sum_are_bounded_per_record() {
        let (mut sum, mut surplus) = (Sum::default(), 100 * MAX_BUCKETS);
        sum.add_histogram(&histogram(&[(0, 640)], &[1.0; 640]), &mut surplus).unwrap();
        let small = histogram(&[(0, 1)], &[1.0]);
        let sizes: Vec<usize> =
            (0..10_000).map(|_| size(&sum.add_histogram(&small, &mut surplus).unwrap())).collect();
        assert!(sizes.iter().sum::<usize>() <= 102 * MAX_BUCKETS + 2 * 10_000);
        assert_eq!(sum.histogram.unwrap().count, 10_000.0 - 100.0, "begun anew, and added up from there");
    }

    #[test]
    fn a_stale_marker_is_no_increase_and_what_is_not_finite_neither() {
        let mut sum = Sum::default();
        assert_eq!(sum.add(2.0), Some(2.0));
        assert!(is_stale(sum.add(telemetry::samples::stale_nan()).unwrap()));
        assert_eq!((sum.add(f64::NAN), sum.add(f64::INFINITY)), (None, None));
        assert_eq!(sum.add(3.0), Some(5.0));
        let bad = histogram(&[(0, 1)], &[f64::NAN]);
        assert_eq!(sum.add_histogram(&bad, &mut RECORD_SURPLUS.clone()), None);
        assert_eq!((sum.add(f64::MAX), sum.add(f64::MAX)), (Some(f64::MAX), Some(f64::MAX)), "begun anew");
    }
}
