//! The bucket around zero: two histograms are added when theirs are of one width.

use super::Native;

impl Native {
    /// Widens the buckets around zero until both are of one width that cuts no bucket that has observations.
    pub(super) fn reconcile_zero(&mut self, other: &mut Self) {
        while self.zero_threshold != other.zero_threshold {
            if self.zero_threshold > other.zero_threshold {
                other.widen_zero(self.zero_threshold);
            } else {
                self.widen_zero(other.zero_threshold);
            }
        }
    }

    /// Takes what is within the threshold into the zero bucket; the threshold grows to the end of a bucket that
    /// it would cut.
    pub(super) fn widen_zero(&mut self, threshold: f64) {
        let mut threshold = threshold;
        while let Some(wider) = self.cut_by(threshold) {
            threshold = wider;
        }
        let schema = self.schema;
        let mut taken = 0.0;
        for buckets in [&mut self.positive, &mut self.negative] {
            buckets.retain(|&(index, count)| {
                let stays = super::exponential_bound(index - 1, schema) >= threshold;
                if !stays {
                    taken += count;
                }
                stays
            });
        }
        self.zero_count += taken;
        self.zero_threshold = threshold;
    }

    fn cut_by(&self, threshold: f64) -> Option<f64> {
        self.positive.iter().chain(&self.negative).find_map(|&(index, _)| {
            let upper = self.bound(index);
            (self.bound(index - 1) < threshold && upper > threshold).then_some(upper)
        })
    }
}
