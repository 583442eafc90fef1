//! Rate, errors and durations per step, from the series that are derived from spans (docs/derived-series.md). A
//! bucket of ten seconds is a step.

use std::collections::BTreeMap;
use std::time::Instant;

use bottleneck::{Grid, Series};
use promql::{Matcher, Querier, QueryError, Select, Selection, Total, Values};
use telemetry::LabelSet;
use telemetry::samples::MatchOp;

use crate::api::services::durations::Durations;

/// Width of the buckets of derived series.
pub(crate) const STEP_S: u32 = 10;

/// What was counted of something.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    pub(super) calls: Series,
    pub(super) errors: Series,
    /// Empty where no durations were read.
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
        Self { seconds: vec![0.0; steps], ..Self::of_calls(steps) }
    }

    fn of_calls(steps: usize) -> Self {
        Self { calls: vec![0.0; steps], errors: vec![0.0; steps], ..Self::default() }
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

    pub(super) fn select(&self, matchers: &[Matcher]) -> Result<Box<dyn Selection + '_>, QueryError> {
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

    /// Calls `see` with the place and the labels of each series, in the order in which the store has them: what lies
    /// together is read once.
    pub(super) fn each_series(
        &self,
        selection: &(dyn Selection + '_),
        mut see: impl FnMut(usize, &LabelSet) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let mut cursor = selection.cursor();
        for index in 0..selection.len() {
            self.check()?;
            let labels = match &mut cursor {
                Some(cursor) => cursor.labels(index),
                None => selection.labels(index),
            };
            see(index, &labels)?;
        }
        Ok(())
    }

    /// Counts calls by a key that is made of the labels; series without one are left out. Of more than `most` keys
    /// those with the most calls, and how many there are.
    pub(super) fn calls<K: Ord>(
        &self,
        matchers: &[Matcher],
        most: usize,
        key: impl Fn(&LabelSet) -> Option<K>,
    ) -> Result<(BTreeMap<K, Lines>, usize), QueryError> {
        let selection = self.select(matchers)?;
        let mut places: BTreeMap<K, usize> = BTreeMap::new();
        let mut counted = Vec::new();
        self.each_series(selection.as_ref(), |index, labels| {
            if let Some(key) = key(labels) {
                let next = places.len();
                let place = *places.entry(key).or_insert(next);
                counted.push(Counted { index, place, is_error: labels.get("status") == Some("error") });
            }
            Ok(())
        })?;
        let count = places.len();
        // Lines of all of them at once might not fit.
        if count > most {
            places = self.busiest(selection.as_ref(), places, &counted, most)?;
        }
        let mut lines: Vec<Option<Lines>> = vec![None; count];
        places.values().for_each(|place| lines[*place] = Some(Lines::of_calls(self.grid.steps)));
        counted.retain(|one| lines[one.place].is_some());
        self.each_counted(selection.as_ref(), &counted, |one, step, calls| {
            if let Some(lines) = &mut lines[one.place] {
                lines.calls[step] += calls;
                lines.errors[step] += if one.is_error { calls } else { 0.0 };
            }
        })?;
        let with_lines = places.into_iter().filter_map(|(key, place)| Some((key, lines[place].take()?)));
        Ok((with_lines.collect(), count))
    }

    /// The keys with the most calls; of as many the first.
    fn busiest<K: Ord>(
        &self,
        selection: &(dyn Selection + '_),
        places: BTreeMap<K, usize>,
        counted: &[Counted],
        most: usize,
    ) -> Result<BTreeMap<K, usize>, QueryError> {
        let mut totals = vec![0.0; places.len()];
        self.each_counted(selection, counted, |one, _, calls| totals[one.place] += calls)?;
        let mut places: Vec<(K, usize)> = places.into_iter().collect();
        // A stable sort: they are in order.
        places.sort_by(|(_, a), (_, b)| totals[*b].total_cmp(&totals[*a]));
        Ok(places.into_iter().take(most).collect())
    }

    /// Calls `see` with the calls of each step of some series.
    fn each_counted(
        &self,
        selection: &(dyn Selection + '_),
        counted: &[Counted],
        mut see: impl FnMut(&Counted, usize, f64),
    ) -> Result<(), QueryError> {
        let (mut cursor, mut values) = (selection.cursor(), Values::default());
        for one in counted {
            self.check()?;
            match &mut cursor {
                Some(cursor) => cursor.read(one.index, &mut values)?,
                None => selection.read(one.index, &mut values)?,
            }
            let known = values.times_ms.iter().zip(&values.values);
            for (time_ms, calls) in known.filter(|(_, calls)| **calls > 0.0 && calls.is_finite()) {
                if let Some(step) = self.step(*time_ms) {
                    see(one, step, *calls);
                }
            }
        }
        Ok(())
    }

    /// Adds the sums of a series of durations to those of the steps; to none at first.
    pub(super) fn add_sums(
        &self,
        selection: &(dyn Selection + '_),
        index: usize,
        sums: &mut Series,
    ) -> Result<(), QueryError> {
        sums.resize(self.grid.steps, 0.0);
        selection.each_total(index, &mut |time_ms, total| {
            if let Some(step) = self.step(time_ms).filter(|_| is_told(total)) {
                sums[step] += total.sum;
            }
        })
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
        let mut with_high: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        self.each_series(selection.as_ref(), |index, labels| {
            let Some(key) = key(labels) else { return Ok(()) };
            let Some(lines) = into.get_mut(&key) else { return Ok(()) };
            lines.seconds.resize(self.grid.steps, 0.0);
            if wants_high(&key) {
                with_high.entry(key).or_default().push(index);
                return Ok(());
            }
            self.add_sums(selection.as_ref(), index, &mut lines.seconds)
        })?;
        for (key, indexes) in with_high {
            self.check()?;
            let Some(lines) = into.get_mut(&key) else { continue };
            // Quantiles of one at a time: all histograms at once would not fit.
            let mut steps: Vec<Option<Durations>> = vec![None; self.grid.steps];
            for index in indexes {
                selection.each_histogram(index, &mut |time_ms, histogram| {
                    let total = Total { count: histogram.count, sum: histogram.sum };
                    if let Some(step) = self.step(time_ms).filter(|_| is_told(total)) {
                        lines.seconds[step] += histogram.sum;
                        steps[step].get_or_insert_default().add(histogram);
                    }
                })?;
            }
            lines.high = steps.iter().map(p95).collect();
        }
        Ok(())
    }
}

/// A series of calls.
struct Counted {
    index: usize,
    /// That of its key.
    place: usize,
    is_error: bool,
}

fn is_told(total: Total) -> bool {
    total.count > 0.0 && total.sum.is_finite()
}

fn p95(durations: &Option<Durations>) -> f64 {
    let quantile_ns = durations.as_ref().and_then(|durations| durations.quantile_ns(0.95));
    quantile_ns.map_or(f64::NAN, |ns| ns as f64 / 1e9)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use promql::testing::MemoryStore;

    use super::*;

    #[test]
    fn the_busiest_are_kept_with_all_their_calls() {
        let mut store = MemoryStore::default();
        // Ten calls in each of three buckets, times n; half of them fail.
        for n in 0..9_u32 {
            for status in ["ok", "error"] {
                let operation = format!("op-{}", n % 5);
                let labels = [
                    ("__name__", "narrows_red_calls"),
                    ("operation", operation.as_str()),
                    ("status", status),
                    ("n", if n < 5 { "a" } else { "b" }),
                ];
                let labels = LabelSet::new(labels).unwrap();
                (1..=3).for_each(|step| store.add(&labels, step * 10_000, f64::from(5 * n)));
            }
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        let grid = Grid { start_s: 0, step_s: STEP_S, steps: 3 };
        let reading = Reading { querier: &store, grid, deadline };
        let read = |most: usize| {
            let of_family = matchers("narrows_red_calls", &[]).unwrap();
            let key = |labels: &LabelSet| labels.get("operation").map(str::to_owned);
            let (all, count) = reading.calls(&of_family, most, key).unwrap();
            let lines = |(key, lines): (String, Lines)| (key, lines.calls, lines.errors);
            (all.into_iter().map(lines).collect::<Vec<_>>(), count)
        };
        // op-0 has 0 + 5, op-1 1 + 6, op-2 2 + 7, op-3 3 + 8, op-4 4 times ten.
        let of = |n: u32, times: f64| (format!("op-{n}"), vec![10.0 * times; 3], vec![5.0 * times; 3]);
        let all = vec![of(0, 5.0), of(1, 7.0), of(2, 9.0), of(3, 11.0), of(4, 4.0)];
        assert_eq!(read(5), (all.clone(), 5));
        assert_eq!(read(3), (all[1..4].to_vec(), 5));
    }
}
