//! Summation that keeps what rounding loses (Kahan's, with Neumaier's improvement), as Prometheus sums.

/// Adds `increment` to a sum and its compensation; the sum that is meant is `sum + compensation`.
#[inline]
pub(crate) fn add(increment: f64, sum: f64, compensation: f64) -> (f64, f64) {
    let total = sum + increment;
    let compensation = if total.is_infinite() {
        0.0
    } else if sum.abs() >= increment.abs() {
        compensation + ((sum - total) + increment)
    } else {
        compensation + ((increment - total) + sum)
    };
    (total, compensation)
}

/// A running mean that goes over to the incremental formula when the sum would overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    sum: f64,
    compensation: f64,
    count: f64,
    incremental: bool,
}

impl Mean {
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            // Not `0 + value`, which would count as an overflow if the value is infinite.
            self.sum = value;
            return;
        }
        if !self.incremental {
            let (sum, compensation) = add(value, self.sum, self.compensation);
            if !sum.is_infinite() {
                (self.sum, self.compensation) = (sum, compensation);
                return;
            }
            self.incremental = true;
            self.sum /= self.count - 1.0;
            self.compensation /= self.count - 1.0;
        }
        let kept = (self.count - 1.0) / self.count;
        (self.sum, self.compensation) = add(value / self.count, kept * self.sum, kept * self.compensation);
    }

    /// As if what `other` has seen came after what this has.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.count == 0.0 || other.count == 0.0 {
            if self.count == 0.0 {
                *self = *other;
            }
            return;
        }
        let count = self.count + other.count;
        if !self.incremental && !other.incremental {
            let (sum, compensation) = add(other.sum, self.sum, self.compensation);
            if !sum.is_infinite() {
                let compensation = compensation + other.compensation;
                *self = Self { sum, compensation, count, incremental: false };
                return;
            }
        }
        let (mine, theirs) = (self.count / count, other.count / count);
        let (sum, compensation) =
            add(other.mean() * theirs, self.partial_mean() * mine, self.mean_compensation() * mine);
        *self = Self { sum, compensation, count, incremental: true };
    }

    fn partial_mean(&self) -> f64 {
        if self.incremental { self.sum } else { self.sum / self.count }
    }

    fn mean_compensation(&self) -> f64 {
        if self.incremental { self.compensation } else { self.compensation / self.count }
    }

    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        self.partial_mean() + self.mean_compensation()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_survive_large_ones() {
        let (mut sum, mut compensation) = (0.0, 0.0);
        for value in [2.0, 8.0, 1e100, -1e100] {
            (sum, compensation) = add(value, sum, compensation);
        }
        assert_eq!(sum + compensation, 10.0);
    }

    #[test]
    fn a_mean_does_not_overflow_and_can_be_merged() {
        let values = [f64::MAX, f64::MAX, f64::MAX / 2.0, f64::MAX, 3.0];
        for split in 0..=values.len() {
            let (mut left, mut right) = (Mean::default(), Mean::default());
            values[..split].iter().for_each(|value| left.add(*value));
            values[split..].iter().for_each(|value| right.add(*value));
            left.merge(&right);
            let ratio = left.mean() / (f64::MAX * 0.7);
            assert!((ratio - 1.0).abs() < 1e-12, "split {split}: {ratio}");
        }
    }
}
