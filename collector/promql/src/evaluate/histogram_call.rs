//! `histogram_quantile` and `histogram_fraction`, of classic and native histograms.

use std::collections::HashMap;
use std::ops::Range;

use telemetry::LabelSet;

use super::annotations::{Annotations, Forced};
use super::budget::{Budget, Pace};
use super::classic::{self, Bucket};
use super::native::{Doubt, Native};
use super::numbers::{general, parse};
use super::range_call::quantile_out_of_range;
use super::rows::{Row, Steps, bytes_of, is_some, merge_equal};
use super::{Context, text};
use crate::QueryError;
use crate::ast::Call;

/// The label that holds the upper bound of a classic bucket.
const BOUND: &str = "le";

/// What is computed of each histogram; scalars have a value for each step.
enum Measure<'s> {
    Quantile(&'s [f64]),
    Fraction(&'s [f64], &'s [f64]),
}

/// A vector, classic buckets put together.
struct Histograms<'r> {
    rows: &'r [Row],
    /// By their labels without the bound.
    classic: Vec<(LabelSet, Vec<(f64, usize)>)>,
    native: Vec<usize>,
    /// Classic ones of the same labels as native ones: place in `classic`.
    same: HashMap<usize, usize>,
    span: Range<usize>,
    steps: Steps,
}

impl Context<'_> {
    pub(super) fn histogram_quantile(
        &self,
        call: &Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let quantiles = self.scalar(&call.args[0], steps, notes)?;
        check_quantiles(&quantiles, &call.args[0].span, notes);
        let rows = self.vector(&call.args[1], steps, notes)?;
        let histograms = Histograms::of(&rows, call.args[1].without_parens().span.clone(), steps, notes);
        let results = histograms.measure(&Measure::Quantile(&quantiles), &self.budget, notes)?;
        self.forget(quantiles.len());
        self.release(&rows);
        self.keep(merge_equal(results)?)
    }

    pub(super) fn histogram_fraction(
        &self,
        call: &Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let lower = self.scalar(&call.args[0], steps, notes)?;
        let upper = self.scalar(&call.args[1], steps, notes)?;
        let rows = self.vector(&call.args[2], steps, notes)?;
        let histograms = Histograms::of(&rows, call.args[2].without_parens().span.clone(), steps, notes);
        let results = histograms.measure(&Measure::Fraction(&lower, &upper), &self.budget, notes)?;
        self.forget(lower.len() + upper.len());
        self.release(&rows);
        self.keep(merge_equal(results)?)
    }

    /// Several quantiles at once, told apart by a label.
    pub(super) fn histogram_quantiles(
        &self,
        call: &Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let label = text(&call.args[1]);
        let rows = self.vector(&call.args[0], steps, notes)?;
        let histograms = Histograms::of(&rows, call.args[0].without_parens().span.clone(), steps, notes);
        let mut all = Vec::new();
        for arg in &call.args[2..] {
            let quantiles = self.scalar(arg, steps, notes)?;
            check_quantiles(&quantiles, &arg.span, notes);
            let results = histograms.measure(&Measure::Quantile(&quantiles), &self.budget, notes)?;
            for row in &results {
                self.labelled(row, &label, &quantiles, &mut all)?;
            }
            self.forget(quantiles.len());
        }
        let taken = bytes_of(&rows) + bytes_of(&all);
        let all = merge_equal(all)?;
        self.budget.change(taken, bytes_of(&all))?;
        Ok(all)
    }

    /// A row with the quantile as a label; several if it changes from step to step.
    fn labelled(
        &self,
        row: &Row,
        label: &str,
        quantiles: &[f64],
        all: &mut Vec<Row>,
    ) -> Result<(), QueryError> {
        // Two texts for each step.
        let texts_bytes = 2 * quantiles.len() * (size_of::<String>() + 24);
        self.budget.take(texts_bytes)?;
        let of_step: Vec<String> = quantiles.iter().map(|q| open_metrics(*q)).collect();
        let mut texts = of_step.clone();
        texts.sort_unstable();
        texts.dedup();
        for text in texts {
            self.budget.check()?;
            let mut part = row.clone();
            part.labels = row.labels.with(label, &text);
            part.retain(|step| of_step[step] == text);
            self.budget.take(part.bytes())?;
            all.push(part);
        }
        self.budget.give_back(texts_bytes);
        Ok(())
    }
}

/// As OpenMetrics has quantiles: `1.0`.
fn open_metrics(value: f64) -> String {
    let text = general(value);
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') { format!("{text}.0") } else { text }
}

fn check_quantiles(quantiles: &[f64], span: &Range<usize>, notes: &mut Annotations) {
    for q in quantiles.iter().filter(|q| !(0.0..=1.0).contains(*q)) {
        notes.warn(span, quantile_out_of_range(*q));
    }
}

impl<'r> Histograms<'r> {
    fn of(rows: &'r [Row], span: Range<usize>, steps: Steps, notes: &mut Annotations) -> Self {
        let mut places: HashMap<LabelSet, usize> = HashMap::new();
        let mut classic: Vec<(LabelSet, Vec<(f64, usize)>)> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if !row.values.iter().any(|value| is_some(*value)) {
                continue;
            }
            let bound = row.labels.get(BOUND).unwrap_or_default();
            let Some(upper) = parse(bound) else {
                notes.warn(&span, bad_bound(bound, row.metric()));
                continue;
            };
            let key = row.labels.filtered(|name| name != BOUND);
            let place = *places.entry(key).or_insert_with_key(|key| {
                classic.push((key.clone(), Vec::new()));
                classic.len() - 1
            });
            classic[place].1.push((upper, index));
        }
        let native = (0..rows.len()).filter(|index| !rows[*index].histograms.is_empty());
        let native: Vec<usize> = native.collect();
        let same = native.iter().filter_map(|index| Some((*index, *places.get(&rows[*index].labels)?)));
        let same = same.collect();
        Self { rows, classic, native, same, span, steps }
    }

    fn measure(
        &self,
        measure: &Measure<'_>,
        budget: &Budget,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let pace = Pace::default();
        // Steps at which both kinds are there have no result.
        let mut mixed: HashMap<usize, Vec<bool>> = HashMap::new();
        let mut results = Vec::new();
        for &index in &self.native {
            let row = &self.rows[index];
            let mut result = Row::empty(row.labels.clone(), self.steps.count);
            result.drop_name = true;
            for (step, native) in &row.histograms {
                pace.work(budget, native.weight())?;
                let step = *step as usize;
                if let Some(place) = self.same.get(&index).filter(|place| self.has_classic(**place, step)) {
                    mixed.entry(*place).or_insert_with(|| vec![false; self.steps.count])[step] = true;
                    let metric = for_metric(row.metric());
                    notes.warn(
                        &self.span,
                        format!("vector contains a mix of classic and native histograms{metric}"),
                    );
                    continue;
                }
                result.values[step] = measure.of_native(native, step, row.metric(), &self.span, notes);
            }
            results.push(result);
        }
        for (place, (labels, members)) in self.classic.iter().enumerate() {
            let labels = labels.filtered(|name| name != telemetry::METRIC_NAME);
            let mut result = Row::empty(labels, self.steps.count);
            result.drop_name = true;
            let mut buckets = Vec::with_capacity(members.len());
            for step in 0..self.steps.count {
                pace.work(budget, members.len())?;
                if mixed.get(&place).is_some_and(|mixed| mixed[step]) {
                    continue;
                }
                buckets.clear();
                buckets.extend(self.buckets(members, step));
                if !buckets.is_empty() {
                    let time_ms = self.steps.time(step);
                    result.values[step] = measure.of_classic(&mut buckets, step, time_ms, &self.span, notes);
                }
            }
            results.push(result);
        }
        results.retain(|row| !row.is_empty());
        Ok(results)
    }

    fn has_classic(&self, place: usize, step: usize) -> bool {
        self.buckets(&self.classic[place].1, step).next().is_some()
    }

    fn buckets(&self, members: &[(f64, usize)], step: usize) -> impl Iterator<Item = Bucket> {
        let values = members.iter().map(move |(upper, index)| (*upper, self.rows[*index].values[step]));
        values.filter(|(_, count)| is_some(*count)).map(|(upper, count)| Bucket { upper, count })
    }
}

impl Measure<'_> {
    fn of_native(
        &self,
        native: &Native,
        step: usize,
        metric: &str,
        span: &Range<usize>,
        notes: &mut Annotations,
    ) -> f64 {
        let (value, doubt) = match self {
            Self::Quantile(quantiles) => native.quantile(quantiles[step]),
            Self::Fraction(lower, upper) => native.fraction(lower[step], upper[step]),
        };
        if let Some(doubt) = doubt {
            let text = match doubt {
                Doubt::IsNan => "input to histogram_quantile has NaN observations, result is NaN",
                Doubt::Skewed => "input to histogram_quantile has NaN observations, result is skewed higher",
                Doubt::Excluded => {
                    "input to histogram_fraction has NaN observations, which are excluded from all fractions"
                }
            };
            notes.info(span, format!("{text}{}", for_metric(metric)));
        }
        value
    }

    fn of_classic(
        &self,
        buckets: &mut Vec<Bucket>,
        step: usize,
        time_ms: i64,
        span: &Range<usize>,
        notes: &mut Annotations,
    ) -> f64 {
        match self {
            Self::Quantile(quantiles) => {
                let (value, raised) = classic::quantile(quantiles[step], buckets);
                if let Some(raised) = raised {
                    let times = (time_ms, time_ms);
                    let forced = Forced { times, bounds: raised.bounds, largest: raised.largest, samples: 1 };
                    notes.force("", span, forced);
                }
                value
            }
            Self::Fraction(lower, upper) => classic::fraction(lower[step], upper[step], buckets),
        }
    }
}

fn bad_bound(bound: &str, metric: &str) -> String {
    format!("bucket label {BOUND:?} is missing or has a malformed value of {bound:?}{}", for_metric(metric))
}

fn for_metric(metric: &str) -> String {
    if metric.is_empty() { String::new() } else { format!(" for metric name {metric:?}") }
}
