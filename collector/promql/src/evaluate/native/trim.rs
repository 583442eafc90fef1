//! What is left of a histogram below or above a value; a bucket that the value cuts keeps a part of its
//! observations.

use super::{Bucket, Native};

/// Which observations stay.
#[derive(Clone, Copy)]
struct Trim {
    value: f64,
    /// Those below the value, or those above it.
    keeps_below: bool,
    is_custom: bool,
}

impl Native {
    /// Leaves out what is above (`upper`) or below a value. If anything goes, the sum is estimated from the middles
    /// of what is left of the buckets.
    pub(crate) fn trim(&mut self, value: f64, upper: bool) {
        let trim = Trim { value, keeps_below: upper, is_custom: self.is_custom() };
        let positive: Vec<_> =
            self.positive.iter().map(|entry| trim.of(self.positive_bucket(*entry), true)).collect();
        let negative: Vec<_> =
            self.negative.iter().map(|entry| trim.of(self.negative_bucket(*entry), false)).collect();
        let zero = self.zero_bucket().map(|mut zero| {
            self.trim_zero(&mut zero);
            trim.of_zero(zero)
        });
        let before = self.observed();
        for (buckets, kept) in [(&mut self.positive, &positive), (&mut self.negative, &negative)] {
            buckets.iter_mut().zip(kept).for_each(|((_, count), (kept, _))| *count = *kept);
            buckets.retain(|(_, count)| *count != 0.0);
        }
        self.zero_count = zero.map_or(self.zero_count, |(kept, _)| kept);
        if self.observed() != before {
            let all = positive.iter().chain(&negative).chain(&zero).filter(|(kept, _)| *kept != 0.0);
            let (mut count, mut sum) = (0.0, 0.0);
            all.for_each(|(kept, middle)| {
                count += kept;
                sum += kept * middle;
            });
            (self.count, self.sum) = (count, sum);
        }
    }

    fn observed(&self) -> f64 {
        let buckets = self.positive.iter().chain(&self.negative);
        self.zero_count + buckets.map(|(_, count)| *count).sum::<f64>()
    }
}

impl Trim {
    /// How many observations of a bucket stay, and the middle of where they are.
    fn of(self, bucket: Bucket, is_positive: bool) -> (f64, f64) {
        let Bucket { lower, upper, count, .. } = bucket;
        let stays = if self.keeps_below { upper <= self.value } else { lower >= self.value };
        if stays {
            return (count, self.middle(lower, upper, is_positive));
        }
        let goes = if self.keeps_below { lower >= self.value } else { upper <= self.value };
        if goes || self.value.is_nan() {
            return (0.0, 0.0);
        }
        if lower == f64::NEG_INFINITY || upper == f64::INFINITY {
            return self.of_endless(bucket);
        }
        let below = count * bucket.part_below(self.value, self.is_custom);
        if self.keeps_below {
            (below, self.middle(lower, self.value, is_positive))
        } else {
            (count - below, self.middle(self.value, upper, is_positive))
        }
    }

    /// Where in an endless bucket its observations are is not known. One that ends above 0 is taken to begin there;
    /// otherwise they count as on the far side of the value.
    fn of_endless(self, Bucket { lower, upper, count, .. }: Bucket) -> (f64, f64) {
        let value = self.value;
        if lower == f64::NEG_INFINITY && upper.is_finite() && upper > 0.0 {
            return match self.keeps_below {
                true if value > 0.0 => (count * value / upper, value / 2.0),
                false if value >= 0.0 => (count * (1.0 - value / upper), f64::midpoint(value, upper)),
                _ => (0.0, 0.0),
            };
        }
        let stays =
            if lower == f64::NEG_INFINITY { self.keeps_below && upper <= 0.0 } else { !self.keeps_below };
        if stays { (count, value) } else { (0.0, 0.0) }
    }

    fn of_zero(self, Bucket { lower, upper, count, .. }: Bucket) -> (f64, f64) {
        let cut = self.value.clamp(lower, upper);
        if self.value.is_nan() {
            return (0.0, 0.0);
        }
        let (from, to) = if self.keeps_below { (lower, cut) } else { (cut, upper) };
        let whole = if self.keeps_below { self.value >= upper } else { self.value <= lower };
        if whole {
            return (count, f64::midpoint(lower, upper));
        }
        if from >= to {
            (0.0, 0.0)
        } else {
            (count * ((to - from) / (upper - lower)), f64::midpoint(from, to))
        }
    }

    fn middle(self, lower: f64, upper: f64, is_positive: bool) -> f64 {
        match (lower.is_infinite(), upper.is_infinite()) {
            (true, true) => 0.0,
            (true, false) if upper > 0.0 => upper / 2.0,
            (true, false) => upper,
            (false, true) => lower,
            _ if self.is_custom => f64::midpoint(lower, upper),
            _ => (lower * upper).abs().sqrt() * if is_positive { 1.0 } else { -1.0 },
        }
    }
}
