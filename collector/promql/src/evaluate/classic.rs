//! Quantiles and fractions of classic histograms: cumulative counts up to upper bounds. Within a bucket
//! observations are taken to be spread evenly.

/// Differences between neighbours of less than this part of them are rounding.
const TOLERANCE: f64 = 1e-12;

/// A bucket of a classic histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    /// `le`.
    pub(super) upper: f64,
    /// Observations that are not above it.
    pub(super) count: f64,
}

/// Where counts had to be raised, since they must not go down: bounds, and the largest difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Raised {
    pub(super) bounds: (f64, f64),
    pub(super) largest: f64,
}

/// The value that the fraction `q` of the observations does not exceed. Sorts and repairs the buckets.
pub(super) fn quantile(q: f64, buckets: &mut Vec<Bucket>) -> (f64, Option<Raised>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, None);
    }
    if q > 1.0 {
        return (f64::INFINITY, None);
    }
    if !sorted(buckets) {
        return (f64::NAN, None);
    }
    let raised = make_monotonic(buckets);
    let last = buckets.len() - 1;
    let observations = buckets[last].count;
    if last == 0 || observations == 0.0 || observations.is_nan() {
        return (f64::NAN, raised);
    }
    let rank = q * observations;
    let at = buckets[..last].partition_point(|bucket| bucket.count < rank);
    if at == last {
        return (buckets[last - 1].upper, raised);
    }
    if at == 0 && buckets[0].upper <= 0.0 {
        return (buckets[0].upper, raised);
    }
    let (start, before) = if at == 0 { (0.0, 0.0) } else { (buckets[at - 1].upper, buckets[at - 1].count) };
    let Bucket { upper, count } = buckets[at];
    (start + (upper - start) * ((rank - before) / (count - before)), raised)
}

/// The part of the observations in `(lower, upper]`.
pub(super) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !sorted(buckets) {
        return f64::NAN;
    }
    let count = buckets[buckets.len() - 1].count;
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let below = |value| rank_of(value, buckets).filter(|rank| *rank <= count).unwrap_or(count);
    (below(upper) - below(lower)) / count
}

/// How many observations are below a value; `None` if all are.
fn rank_of(value: f64, buckets: &[Bucket]) -> Option<f64> {
    let mut rank = 0.0;
    let mut start = if buckets[0].upper <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
    for bucket in buckets {
        if start >= value {
            return Some(rank);
        }
        if bucket.upper > value {
            // Nothing is known of where in an endless bucket they are.
            let part = (value - start) / (bucket.upper - start);
            let is_endless = start == f64::NEG_INFINITY;
            return Some(if is_endless { bucket.count } else { rank + (bucket.count - rank) * part });
        }
        (rank, start) = (bucket.count, bucket.upper);
    }
    None
}

/// Sorts, and adds up buckets of one bound. Whether the last has no bound, as it must.
fn sorted(buckets: &mut Vec<Bucket>) -> bool {
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    if buckets.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return false;
    }
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
    true
}

fn make_monotonic(buckets: &mut [Bucket]) -> Option<Raised> {
    let mut raised: Option<Raised> = None;
    let mut highest = buckets[0].count;
    for bucket in &mut buckets[1..] {
        let difference = highest - bucket.count;
        let is_rounding = difference.abs() < TOLERANCE * (highest.abs() + bucket.count.abs());
        if difference == 0.0 || is_rounding {
            bucket.count = highest;
        } else if difference > 0.0 {
            bucket.count = highest;
            let before =
                raised.unwrap_or(Raised { bounds: (f64::INFINITY, f64::NEG_INFINITY), largest: 0.0 });
            raised = Some(Raised {
                bounds: (before.bounds.0.min(bucket.upper), before.bounds.1.max(bucket.upper)),
                largest: before.largest.max(difference),
            });
        } else {
            highest = bucket.count;
        }
    }
    raised
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|(upper, count)| Bucket { upper: *upper, count: *count }).collect()
    }

    #[test]
    fn quantiles_are_interpolated_within_a_bucket() {
        let inf = f64::INFINITY;
        for (q, pairs, expected) in [
            (0.5, &[(1.0, 2.0), (2.0, 4.0), (inf, 4.0)][..], 1.0),
            (0.75, &[(inf, 4.0), (2.0, 4.0), (1.0, 2.0)], 1.5),
            (1.0, &[(1.0, 2.0), (inf, 4.0)], 1.0),
            (0.5, &[(-1.0, 3.0), (inf, 4.0)], -1.0),
            (0.25, &[(1.0, 1.0), (1.0, 1.0), (inf, 4.0)], 0.5),
            (-1.0, &[(1.0, 1.0), (inf, 4.0)], f64::NEG_INFINITY),
        ] {
            assert_eq!(quantile(q, &mut buckets(pairs)).0, expected, "{q} of {pairs:?}");
        }
        for pairs in [&[(1.0, 1.0)][..], &[(inf, 1.0)], &[(1.0, 0.0), (inf, 0.0)]] {
            assert!(quantile(0.5, &mut buckets(pairs)).0.is_nan(), "{pairs:?}");
        }
    }

    #[test]
    fn counts_that_go_down_are_raised() {
        let mut decreasing = buckets(&[(1.0, 5.0), (2.0, 4.0), (3.0, 2.0), (f64::INFINITY, 10.0)]);
        let (value, raised) = quantile(0.4, &mut decreasing);
        assert_eq!(value, 0.8);
        assert_eq!(raised, Some(Raised { bounds: (2.0, 3.0), largest: 3.0 }));
        let mut rounded = buckets(&[(1.0, 5.0), (2.0, 5.0 - 1e-13), (f64::INFINITY, 10.0)]);
        assert_eq!(quantile(0.4, &mut rounded).1, None);
    }

    #[test]
    fn fractions_are_the_inverse() {
        let inf = f64::INFINITY;
        let mut uneven = buckets(&[(1.0, 2.0), (2.0, 8.0), (4.0, 10.0), (inf, 10.0)]);
        for q in [0.1, 0.2, 0.5, 0.9] {
            let value = quantile(q, &mut uneven.clone()).0;
            assert!((fraction(-inf, value, &mut uneven) - q).abs() < 1e-12, "{q}");
        }
        assert_eq!(fraction(2.0, 1.0, &mut uneven), 0.0);
    }
}
