//! Whether a counter started anew between two histograms.

use std::sync::Arc;

use telemetry::samples::ResetHint;

use super::{Buckets, Native};

impl Native {
    /// Whether a count went down since `previous`, or a bucket is gone that had observations.
    pub(crate) fn is_reset_after(&self, previous: &Self) -> bool {
        match self.hint {
            ResetHint::Yes => return true,
            ResetHint::No => return false,
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < previous.count || self.is_custom() != previous.is_custom() {
            return true;
        }
        if self.is_custom() {
            return self.is_custom_reset(previous);
        }
        // Resolution and threshold change in these directions only with a reset.
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        let mut previous = previous.clone();
        previous.widen_zero(self.zero_threshold);
        if previous.zero_threshold != self.zero_threshold || self.zero_count < previous.zero_count {
            return true;
        }
        previous.reduce_to(self.schema);
        decreased(&self.positive, &previous.positive) || decreased(&self.negative, &previous.negative)
    }

    fn is_custom_reset(&self, previous: &Self) -> bool {
        if self.bounds == previous.bounds {
            return decreased(&self.positive, &previous.positive);
        }
        let (mut mine, mut theirs) = (self.clone(), previous.clone());
        let bounds: Arc<[f64]> = mine.bounds.iter().copied().filter(|b| theirs.bounds.contains(b)).collect();
        mine.rebound(&bounds);
        theirs.rebound(&bounds);
        decreased(&mine.positive, &theirs.positive)
    }
}

fn decreased(current: &Buckets, previous: &Buckets) -> bool {
    let mut current = current.iter().copied().peekable();
    previous.iter().any(|&(index, count)| {
        while current.next_if(|(other, _)| *other < index).is_some() {}
        current.peek().filter(|(other, _)| *other == index).map_or(count > 0.0, |(_, now)| *now < count)
    })
}
