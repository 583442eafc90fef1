//! Quantiles, fractions and deviations. Within a bucket observations are taken to be spread evenly: on a
//! logarithmic scale, or on a linear one in custom buckets and around zero.

use super::{Bucket, Native};
use crate::evaluate::kahan;

/// What makes a quantile or a fraction doubtful: observations that are NaN, which no bucket has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The quantile falls among the NaNs.
    IsNan,
    /// They count as larger than all numbers.
    Skewed,
    /// They are in no fraction.
    Excluded,
}

impl Native {
    /// The value that the fraction `q` of the observations does not exceed.
    pub(crate) fn quantile(&self, q: f64) -> (f64, Option<Doubt>) {
        if q < 0.0 {
            return (f64::NEG_INFINITY, None);
        }
        if q > 1.0 {
            return (f64::INFINITY, None);
        }
        if self.count == 0.0 || q.is_nan() {
            return (f64::NAN, None);
        }
        let mut buckets = self.ascending();
        let forward = self.sum.is_nan() || q < 0.5;
        if !forward {
            buckets.reverse();
        }
        let mut rank = if forward { q * self.count } else { (1.0 - q) * self.count };
        let mut rest = buckets.into_iter().filter(|bucket| bucket.count != 0.0);
        let mut found =
            Bucket { lower: 0.0, upper: 0.0, lower_inclusive: false, upper_inclusive: false, count: 0.0 };
        let mut count = 0.0;
        for bucket in rest.by_ref() {
            found = bucket;
            count += bucket.count;
            if count >= rank {
                break;
            }
        }
        if self.is_custom() {
            if found.lower == f64::NEG_INFINITY {
                if found.upper <= 0.0 {
                    return (found.upper, None);
                }
                found.lower = 0.0;
            } else if found.upper == f64::INFINITY {
                return (found.lower, None);
            }
        } else {
            self.trim_zero(&mut found);
        }
        count = count.min(self.count);
        if count < rank {
            let is_nan = self.sum.is_nan();
            return if is_nan { (f64::NAN, Some(Doubt::IsNan)) } else { (found.upper, None) };
        }
        rank = if forward { rank - (count - found.count) } else { count - rank };
        let doubt = (self.sum.is_nan() && count + rest.map(|bucket| bucket.count).sum::<f64>() < self.count)
            .then_some(Doubt::Skewed);
        (found.at(rank / found.count, self.is_custom()), doubt)
    }

    /// The part of the observations in `(lower, upper]`.
    pub(crate) fn fraction(&self, lower: f64, upper: f64) -> (f64, Option<Doubt>) {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return (f64::NAN, None);
        }
        if lower >= upper {
            return (0.0, None);
        }
        let buckets = self.ascending();
        let mut total = self.count;
        let mut doubt = None;
        if self.sum.is_nan() {
            total = buckets.iter().map(|bucket| bucket.count).sum();
            doubt = (total < self.count).then_some(Doubt::Excluded);
        }
        let below = |value: f64| self.rank_of(value, &buckets).filter(|rank| *rank <= total).unwrap_or(total);
        ((below(upper) - below(lower)) / self.count, doubt)
    }

    /// How many observations are below a value; `None` if all are.
    fn rank_of(&self, value: f64, buckets: &[Bucket]) -> Option<f64> {
        let mut rank = 0.0;
        for bucket in buckets {
            let mut bucket = *bucket;
            let around_zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
            if around_zero {
                self.trim_zero(&mut bucket);
            }
            if bucket.lower >= value {
                return Some(rank);
            }
            if bucket.upper > value {
                if bucket.lower == f64::NEG_INFINITY {
                    return Some(bucket.count);
                }
                return Some(rank + bucket.count * bucket.part_below(value, self.is_custom() || around_zero));
            }
            rank += bucket.count;
        }
        None
    }

    /// Where only positive (or only negative) values were observed, the bucket around zero begins (or ends) there.
    pub(super) fn trim_zero(&self, bucket: &mut Bucket) {
        if bucket.lower > 0.0 || bucket.upper < 0.0 {
            return;
        }
        match (self.negative.is_empty(), self.positive.is_empty()) {
            (true, false) => bucket.lower = 0.0,
            (false, true) => bucket.upper = 0.0,
            _ => {}
        }
    }

    /// The variance, each observation standing in the middle of its bucket.
    pub(crate) fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let (mut sum, mut compensation) = (0.0, 0.0);
        for bucket in self.ascending().iter().filter(|bucket| bucket.count != 0.0) {
            let middle = bucket.middle(self.is_custom());
            let delta = middle - mean;
            (sum, compensation) = kahan::add(bucket.count * delta * delta, sum, compensation);
        }
        (sum + compensation) / self.count
    }
}

impl Bucket {
    fn middle(&self, is_custom: bool) -> f64 {
        if is_custom {
            return f64::midpoint(self.upper, self.lower);
        }
        if self.lower <= 0.0 && self.upper >= 0.0 {
            return 0.0;
        }
        let middle = (self.upper * self.lower).sqrt();
        if self.upper < 0.0 { -middle } else { middle }
    }

    /// The value that a part of the bucket's observations does not exceed.
    fn at(&self, part: f64, is_custom: bool) -> f64 {
        if is_custom || (self.lower <= 0.0 && self.upper >= 0.0) {
            return self.lower + (self.upper - self.lower) * part;
        }
        let (lower, upper) = (self.lower.abs().log2(), self.upper.abs().log2());
        if self.lower > 0.0 {
            return (lower + (upper - lower) * part).exp2();
        }
        -(upper + (lower - upper) * (1.0 - part)).exp2()
    }

    pub(super) fn part_below(&self, value: f64, is_linear: bool) -> f64 {
        if is_linear {
            return (value - self.lower) / (self.upper - self.lower);
        }
        let (lower, upper, value_log) =
            (self.lower.abs().log2(), self.upper.abs().log2(), value.abs().log2());
        if value > 0.0 {
            return (value_log - lower) / (upper - lower);
        }
        1.0 - (value_log - upper) / (lower - upper)
    }
}
