//! The samples that a range function sees at each step: `(end - range, end]`, found by indices that only go forward.

use std::ops::Range;
use std::sync::Arc;

use telemetry::samples::{ResetHint, is_stale};

use super::native::Native;
use super::rows::{Row, is_some};
use crate::Values;

/// What one series has, without stale markers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    pub(crate) times_ms: Vec<i64>,
    pub(crate) values: Vec<f64>,
    pub(crate) histograms: Vec<(i64, Arc<Native>)>,
}

impl Samples {
    /// Takes what was read; the memory of the vectors goes back and forth.
    pub(crate) fn take(&mut self, read: &mut Values) {
        std::mem::swap(&mut self.times_ms, &mut read.times_ms);
        std::mem::swap(&mut self.values, &mut read.values);
        self.histograms.clear();
        if self.values.iter().any(|value| is_stale(*value)) {
            self.drop_stale();
        }
        let live = read.histograms.iter().filter(|(_, histogram)| !is_stale(histogram.sum));
        self.histograms.extend(live.map(|(time_ms, histogram)| (*time_ms, Arc::new(Native::of(histogram)))));
    }

    fn drop_stale(&mut self) {
        let mut kept = 0;
        for index in 0..self.values.len() {
            if !is_stale(self.values[index]) {
                self.times_ms[kept] = self.times_ms[index];
                self.values[kept] = self.values[index];
                kept += 1;
            }
        }
        self.times_ms.truncate(kept);
        self.values.truncate(kept);
    }

    /// The values of a subquery. Hints about resets are dropped: steps may leave out the sample that had one, or
    /// show it twice.
    pub(crate) fn of_row(row: &Row, time_of: impl Fn(usize) -> i64) -> Self {
        let mut samples = Self::default();
        for (step, value) in row.values.iter().enumerate().filter(|(_, value)| is_some(**value)) {
            samples.times_ms.push(time_of(step));
            samples.values.push(*value);
        }
        samples.histograms = row
            .histograms
            .iter()
            .map(|(step, native)| {
                let native = if matches!(native.hint, ResetHint::Yes | ResetHint::No) {
                    Arc::new(native.with_hint(ResetHint::Unknown))
                } else {
                    Arc::clone(native)
                };
                (time_of(*step as usize), native)
            })
            .collect();
        samples
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.times_ms.is_empty() && self.histograms.is_empty()
    }

    fn window(&self, floats: Range<usize>, histograms: Range<usize>, bounds: Bounds) -> Window<'_> {
        Window {
            times_ms: &self.times_ms[floats.clone()],
            values: &self.values[floats],
            histograms: &self.histograms[histograms],
            bounds,
        }
    }
}

/// The ends of a window, and the step's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Not in it.
    pub(crate) start_ms: i64,
    /// In it.
    pub(crate) end_ms: i64,
    pub(crate) step_ms: i64,
}

/// What a range function sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) times_ms: &'a [i64],
    pub(crate) values: &'a [f64],
    pub(crate) histograms: &'a [(i64, Arc<Native>)],
    pub(crate) bounds: Bounds,
}

impl Window<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.times_ms.is_empty() && self.histograms.is_empty()
    }

    pub(crate) fn is_mixed(&self) -> bool {
        !self.times_ms.is_empty() && !self.histograms.is_empty()
    }
}

/// Finds windows; each must start and end no earlier than the one before it.
#[derive(Debug, Default)]
pub(crate) struct Slider {
    floats: Range<usize>,
    histograms: Range<usize>,
}

impl Slider {
    /// The indices of the floats of the window.
    #[inline]
    pub(crate) fn floats(&mut self, times_ms: &[i64], bounds: Bounds) -> Range<usize> {
        let Range { start: low, end: high } = &mut self.floats;
        while *high < times_ms.len() && times_ms[*high] <= bounds.end_ms {
            *high += 1;
        }
        while *low < *high && times_ms[*low] <= bounds.start_ms {
            *low += 1;
        }
        *low..*high
    }

    pub(crate) fn window<'a>(&mut self, samples: &'a Samples, bounds: Bounds) -> Window<'a> {
        let floats = self.floats(&samples.times_ms, bounds);
        let Range { start: low, end: high } = &mut self.histograms;
        let histograms = &samples.histograms;
        while *high < histograms.len() && histograms[*high].0 <= bounds.end_ms {
            *high += 1;
        }
        while *low < *high && histograms[*low].0 <= bounds.start_ms {
            *low += 1;
        }
        samples.window(floats, *low..*high, bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn windows_are_those_that_a_search_finds(
            gaps in proptest::collection::vec(1i64..40, 0..60), range in 1i64..100, step in 1i64..50,
        ) {
            let times_ms: Vec<i64> = gaps.iter().scan(0, |time, gap| { *time += gap; Some(*time) }).collect();
            let mut slider = Slider::default();
            for end_ms in (0..1500).step_by(step as usize) {
                let bounds = Bounds { start_ms: end_ms - range, end_ms, step_ms: end_ms };
                let low = times_ms.partition_point(|time| *time <= bounds.start_ms);
                let high = times_ms.partition_point(|time| *time <= end_ms);
                prop_assert_eq!(&times_ms[slider.floats(&times_ms, bounds)], &times_ms[low..high.max(low)]);
            }
        }
    }
}
