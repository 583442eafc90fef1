//! Rate, errors and durations per step, from the series that are derived from spans (docs/derived-series.md). A
//! bucket of ten seconds is a step.

use std::collections::BTreeMap;
use std::time::Instant;

use bottleneck::{Grid, Series};
use promql::{Matcher, Querier, QueryError, Select, Selection, Values};
use telemetry::LabelSet;
use telemetry::samples::{Histogram, MatchOp};

use crate::api::services::durations::Durations;

/// Width of the buckets of derived series.
pub(crate) const STEP_S: u32 = 10;

/// What was counted of something.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    pub(super) calls: Series,
    pub(super) errors: Series,
    pub(super) seconds: Series,
    /// p95 per step; empty where it was not asked for.
    pub(super) high: Series,
}

/// Reading of one stretch of time.
pub(super) struct Reading<'a> {
    pub(super) querier: &'a dyn Querier,
    pub(super) grid: Grid,
    pub(super) deadline: Instant,
}

impl Lines {
    pub(super) fn new(steps: usize) -> Self {
        Self {
            calls: vec![0.0; steps],
            errors: vec![0.0; steps],
            seconds: vec![0.0; steps],
            high: Vec::new(),
        }
    }

    pub(super) fn total(&self) -> f64 {
        self.calls.iter().sum()
    }

    /// Adds counts, not quantiles.
    pub(super) fn join(&mut self, other: &Self) {
        let pairs = [
            (&mut self.calls, &other.calls),
            (&mut self.errors, &other.errors),
            (&mut self.seconds, &other.seconds),
        ];
        for (own, its) in pairs {
            own.iter_mut().zip(its).for_each(|(own, its)| *own += its);
        }
    }

    /// Leaves out the first steps.
    pub(super) fn trim(&mut self, steps: usize) {
        for series in [&mut self.calls, &mut self.errors, &mut self.seconds, &mut self.high] {
            series.drain(..steps.min(series.len()));
        }
    }
}

/// Conditions on a family.
pub(super) fn matchers(family: &str, more: &[(&str, MatchOp, &str)]) -> Result<Vec<Matcher>, QueryError> {
    let all = std::iter::once(("__name__", MatchOp::Equal, family)).chain(more.iter().copied());
    let all = all.map(|(name, op, value)| Matcher::new(name, op, value));
    all.collect::<Result<_, _>>().map_err(|error| QueryError::Execution(error.to_string()))
}

impl Reading<'_> {
    /// To be called between pieces of work.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        if Instant::now() < self.deadline { Ok(()) } else { Err(QueryError::Timeout(super::SECONDS)) }
    }

    fn select(&self, matchers: &[Matcher]) -> Result<Box<dyn Selection + '_>, QueryError> {
        let step_ms = i64::from(self.grid.step_s) * 1_000;
        let start_ms = self.grid.start_s * 1_000;
        let end_ms = start_ms + i64::try_from(self.grid.steps).unwrap_or(i64::MAX / step_ms) * step_ms;
        // A bucket is named by its end.
        self.querier.select(&Select { matchers, start_ms: start_ms + 1, end_ms })
    }

    /// The step of a bucket, by its time.
    fn step(&self, time_ms: i64) -> Option<usize> {
        let step_ms = i64::from(self.grid.step_s) * 1_000;
        let step = (time_ms - 1 - self.grid.start_s * 1_000).div_euclid(step_ms);
        usize::try_from(step).ok().filter(|step| *step < self.grid.steps)
    }

    /// Counts calls by a key that is made of the labels; series without one are left out.
    pub(super) fn calls<K: Ord>(
        &self,
        matchers: &[Matcher],
        key: impl Fn(&LabelSet) -> Option<K>,
    ) -> Result<BTreeMap<K, Lines>, QueryError> {
        let mut all = BTreeMap::new();
        let selection = self.select(matchers)?;
        let mut values = Values::default();
        for index in 0..selection.len() {
            self.check()?;
            let labels = selection.labels(index);
            let Some(key) = key(&labels) else { continue };
            let is_error = labels.get("status") == Some("error");
            let lines = all.entry(key).or_insert_with(|| Lines::new(self.grid.steps));
            selection.read(index, &mut values)?;
            for (time_ms, calls) in values.times_ms.iter().zip(&values.values) {
                let Some(step) = self.step(*time_ms).filter(|_| *calls > 0.0 && calls.is_finite()) else {
                    continue;
                };
                lines.calls[step] += calls;
                lines.errors[step] += if is_error { *calls } else { 0.0 };
            }
        }
        Ok(all)
    }

    /// Adds durations to what was counted under the same keys; and p95 where `wants_high` says so.
    pub(super) fn durations<K: Ord>(
        &self,
        matchers: &[Matcher],
        into: &mut BTreeMap<K, Lines>,
        key: impl Fn(&LabelSet) -> Option<K>,
        wants_high: impl Fn(&K) -> bool,
    ) -> Result<(), QueryError> {
        let selection = self.select(matchers)?;
        let mut by_key: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for index in 0..selection.len() {
            if let Some(key) = key(&selection.labels(index)).filter(|key| into.contains_key(key)) {
                by_key.entry(key).or_default().push(index);
            }
        }
        for (key, indexes) in by_key {
            self.check()?;
            let Some(lines) = into.get_mut(&key) else { continue };
            // Quantiles of one at a time: all histograms at once would not fit.
            let mut steps = if wants_high(&key) { vec![None; self.grid.steps] } else { Vec::new() };
            for index in indexes {
                selection.each_histogram(index, &mut |time_ms, histogram| {
                    let Some(step) = self.step(time_ms) else { return };
                    add(histogram, &mut lines.seconds[step], steps.get_mut(step));
                })?;
            }
            lines.high = steps.iter().map(p95).collect();
        }
        Ok(())
    }
}

fn add(histogram: &Histogram, seconds: &mut f64, durations: Option<&mut Option<Durations>>) {
    if histogram.count > 0.0 && histogram.sum.is_finite() {
        *seconds += histogram.sum;
        if let Some(durations) = durations {
            durations.get_or_insert_default().add(histogram);
        }
    }
}

fn p95(durations: &Option<Durations>) -> f64 {
    let quantile_ns = durations.as_ref().and_then(|durations| durations.quantile_ns(0.95));
    quantile_ns.map_or(f64::NAN, |ns| ns as f64 / 1e9)
}
