//! What is left of a histogram below or above a value; a bucket that the value cuts keeps a part of its
//! observations.

use super::{Bucket, Native};

impl Native {
    /// Leaves out what is above (`upper`) or below a value. The sum is estimated from the middles of the buckets.
    pub(crate) fn trim(&mut self, value: f64, upper: bool) {
        if value.is_nan() {
            return;
        }
        let is_custom = self.is_custom();
        let keep = |bucket: Bucket| bucket.kept(value, upper, is_custom);
        let mut positive = std::mem::take(&mut self.positive);
        positive.iter_mut().for_each(|entry| entry.1 = keep(self.positive_bucket(*entry)));
        let mut negative = std::mem::take(&mut self.negative);
        negative.iter_mut().for_each(|entry| entry.1 = keep(self.negative_bucket(*entry)));
        if let Some(zero) = self.zero_bucket() {
            self.zero_count = keep(zero);
        }
        positive.retain(|(_, count)| *count != 0.0);
        negative.retain(|(_, count)| *count != 0.0);
        (self.positive, self.negative) = (positive, negative);
        let buckets = self.ascending();
        self.count = buckets.iter().map(|bucket| bucket.count).sum();
        self.sum = buckets.iter().map(|bucket| bucket.count * bucket.middle(is_custom)).sum();
    }
}
