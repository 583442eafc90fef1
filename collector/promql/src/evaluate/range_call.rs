//! Functions of range vectors: one series in, one row out.

use std::ops::Range;
use std::sync::Arc;

use telemetry::LabelSet;
use telemetry::samples::ResetHint;

use super::annotations::Annotations;
use super::budget::{Budget, Pace};
use super::native::{Native, Total};
use super::over_time::{
    mean, median_deviation, place_of_largest, place_of_smallest, quantile, regression, smooth, sum, variance,
};
use super::rate::{self, Kind};
use super::rows::{Row, Steps, is_some};
use super::time::Reference;
use super::window::{Bounds, Samples, Slider, Window};
use crate::QueryError;
use crate::ast::Function;

/// A call of such a function, except for the series.
#[derive(Clone, Debug)]
pub(crate) struct RangeCall {
    pub(crate) function: Function,
    pub(crate) range_ms: i64,
    pub(crate) reference: Reference,
    /// The scalar arguments, a value for each step.
    pub(crate) scalars: Vec<Vec<f64>>,
    /// Where the first argument stands.
    pub(crate) span: Range<usize>,
}

/// Is told how many cells are about to be gone through; an error says that there is no time.
pub(super) type Work<'w> = &'w dyn Fn(usize) -> Result<(), QueryError>;

/// How many numbers' work a histogram is.
const HISTOGRAM_CELLS: usize = 64;

/// What a window becomes.
enum Outcome {
    Nothing,
    Float(f64),
    Histogram(Arc<Native>),
}

impl RangeCall {
    /// Which samples the step at this time sees.
    #[inline]
    pub(super) fn bounds(&self, step_ms: i64) -> Bounds {
        let end_ms = self.reference.time(step_ms);
        Bounds { start_ms: end_ms.saturating_sub(self.range_ms), end_ms, step_ms }
    }

    /// Computes all steps of a series.
    pub(crate) fn row(
        &self,
        labels: LabelSet,
        samples: &Samples,
        steps: Steps,
        budget: &Budget,
        notes: &mut Annotations,
    ) -> Result<Row, QueryError> {
        let mut row = Row::empty(labels, steps.count);
        row.drop_name = !matches!(self.function, Function::LastOverTime | Function::FirstOverTime);
        if samples.is_empty() {
            return Ok(row);
        }
        if self.is_constant() && !steps.is_one() {
            let one = self.row(row.labels.clone(), samples, Steps::one(steps.start_ms), budget, notes)?;
            row.values.fill(one.values[0]);
            if let Some((_, native)) = one.histograms.first() {
                row.histograms = (0..steps.count as u32).map(|step| (step, Arc::clone(native))).collect();
            }
            return Ok(row);
        }
        // One series may have very many samples at very many steps.
        let pace = Pace::default();
        let work = |cells: usize| pace.work(budget, cells);
        match self.rate_kind() {
            Some(kind) if samples.histograms.is_empty() => {
                rate::floats(kind, self, samples, steps, &mut row, &work)?;
            }
            _ => self.windows(samples, steps, &mut row, &work, notes)?,
        }
        self.check_name(&row, notes);
        Ok(row)
    }

    /// How many numbers its scalars have.
    pub(super) fn numbers(&self) -> usize {
        self.scalars.iter().map(Vec::len).sum()
    }

    /// Whether all steps have one result.
    fn is_constant(&self) -> bool {
        self.reference.is_fixed() && self.scalars.is_empty()
    }

    fn rate_kind(&self) -> Option<Kind> {
        match self.function {
            Function::Rate => Some(Kind::RATE),
            Function::Increase => Some(Kind::INCREASE),
            Function::Delta => Some(Kind::DELTA),
            _ => None,
        }
    }

    /// `work` is told how much is about to be done, and may stop it.
    fn windows(
        &self,
        samples: &Samples,
        steps: Steps,
        row: &mut Row,
        work: Work<'_>,
        notes: &mut Annotations,
    ) -> Result<(), QueryError> {
        let mut slider = Slider::default();
        let mut scratch = Vec::new();
        for step in 0..steps.count {
            let window = slider.window(samples, self.bounds(steps.time(step)));
            work(1 + window.values.len() + HISTOGRAM_CELLS * window.histograms.len())?;
            if window.is_empty() {
                continue;
            }
            match self.outcome(&window, step, row.metric(), &mut scratch, notes) {
                Outcome::Nothing => {}
                Outcome::Float(value) => row.values[step] = value,
                Outcome::Histogram(native) => row.histograms.push((step as u32, native)),
            }
        }
        Ok(())
    }

    /// Rates of what is no counter by its name.
    fn check_name(&self, row: &Row, notes: &mut Annotations) {
        let metric = row.metric();
        let is_counter = ["_total", "_sum", "_count", "_bucket"].iter().any(|end| metric.ends_with(end));
        if !matches!(self.function, Function::Rate | Function::Increase) || metric.is_empty() || is_counter {
            return;
        }
        if row.values.iter().any(|value| is_some(*value)) {
            notes.info(
                &self.span,
                format!(
                    "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {metric:?}"
                ),
            );
        }
    }

    fn outcome(
        &self,
        window: &Window<'_>,
        step: usize,
        metric: &str,
        scratch: &mut Vec<f64>,
        notes: &mut Annotations,
    ) -> Outcome {
        use Function::{
            AvgOverTime, Changes, CountOverTime, Delta, FirstOverTime, Idelta, Increase, Irate, LastOverTime,
            Rate, Resets, SumOverTime, TsOfFirstOverTime, TsOfLastOverTime,
        };
        let (values, points) = (window.values, window.histograms);
        match self.function {
            Rate | Increase | Delta | SumOverTime | AvgOverTime if window.is_mixed() => {
                notes.warn(&self.span, mixed(metric));
                Outcome::Nothing
            }
            Rate | Increase | Delta => self.rate(window, metric, notes),
            SumOverTime if points.is_empty() => Outcome::Float(sum(values)),
            AvgOverTime if points.is_empty() => Outcome::Float(mean(values)),
            SumOverTime | AvgOverTime => self.sum_of_histograms(window, metric, notes),
            Irate | Idelta => self.last_two(window, metric, notes),
            CountOverTime => Outcome::Float((values.len() + points.len()) as f64),
            Function::PresentOverTime | Function::AbsentOverTime => Outcome::Float(1.0),
            LastOverTime => edge(window, false),
            FirstOverTime => edge(window, true),
            TsOfFirstOverTime => Outcome::Float(first_ms(window) as f64 / 1000.0),
            TsOfLastOverTime => Outcome::Float(last_ms(window) as f64 / 1000.0),
            Changes => Outcome::Float(pairs(window, |before, after| before.differs(after)) as f64),
            Resets => Outcome::Float(pairs(window, |before, after| before.resets_to(after)) as f64),
            _ if values.is_empty() => Outcome::Nothing,
            _ => self.of_floats(window, step, metric, scratch, notes),
        }
    }

    /// Functions that leave histograms out.
    fn of_floats(
        &self,
        window: &Window<'_>,
        step: usize,
        metric: &str,
        scratch: &mut Vec<f64>,
        notes: &mut Annotations,
    ) -> Outcome {
        let (times_ms, values) = (window.times_ms, window.values);
        let scalar = |index: usize| self.scalars.get(index).map_or(f64::NAN, |scalar| scalar[step]);
        let seconds = |index: usize| times_ms[index] as f64 / 1000.0;
        if window.is_mixed() {
            notes.info(
                &self.span,
                format!("ignored histograms in a range containing both floats and histograms for metric name {metric:?}"),
            );
        }
        let result = match self.function {
            Function::MaxOverTime => values[place_of_largest(values, false)],
            Function::MinOverTime => values[place_of_smallest(values, false)],
            Function::TsOfMaxOverTime => seconds(place_of_largest(values, true)),
            Function::TsOfMinOverTime => seconds(place_of_smallest(values, true)),
            Function::StddevOverTime => variance(values).sqrt(),
            Function::StdvarOverTime => variance(values),
            Function::MadOverTime => median_deviation(values),
            Function::QuantileOverTime => {
                let q = scalar(0);
                if !(0.0..=1.0).contains(&q) {
                    notes.warn(&self.span, quantile_out_of_range(q));
                }
                scratch.clear();
                scratch.extend_from_slice(values);
                quantile(q, scratch)
            }
            Function::Deriv if values.len() >= 2 => regression(times_ms, values, times_ms[0]).0,
            Function::PredictLinear if values.len() >= 2 => {
                let (slope, now) = regression(times_ms, values, window.bounds.step_ms);
                slope * scalar(0) + now
            }
            Function::DoubleExponentialSmoothing => {
                let Some(smoothed) = smooth(values, scalar(0), scalar(1)) else { return Outcome::Nothing };
                smoothed
            }
            _ => return Outcome::Nothing,
        };
        Outcome::Float(result)
    }

    fn rate(&self, window: &Window<'_>, metric: &str, notes: &mut Annotations) -> Outcome {
        let Some(kind) = self.rate_kind() else { return Outcome::Nothing };
        if window.histograms.is_empty() {
            let samples = Samples {
                times_ms: window.times_ms.to_vec(),
                values: window.values.to_vec(),
                histograms: Vec::new(),
            };
            let mut row = Row::empty(LabelSet::empty(), 1);
            let read =
                rate::floats(kind, self, &samples, Steps::one(window.bounds.step_ms), &mut row, &|_| Ok(()));
            return if read.is_ok() && is_some(row.values[0]) {
                Outcome::Float(row.values[0])
            } else {
                Outcome::Nothing
            };
        }
        rate::histograms(kind, window, metric, self, notes)
            .map_or(Outcome::Nothing, |native| Outcome::Histogram(Arc::new(native)))
    }

    fn sum_of_histograms(&self, window: &Window<'_>, metric: &str, notes: &mut Annotations) -> Outcome {
        let Some(((_, first), rest)) = window.histograms.split_first() else { return Outcome::Nothing };
        let mut total = Total::new(first, self.function == Function::AvgOverTime);
        let mut reconciled = false;
        for (_, native) in rest {
            let Ok(noted) = total.add(native) else {
                notes.warn(&self.span, mixed_schemas(metric));
                return Outcome::Nothing;
            };
            reconciled |= noted.reconciled;
        }
        let hinted = |hint| window.histograms.iter().any(|(_, native)| native.hint == hint);
        if hinted(ResetHint::Yes) && hinted(ResetHint::No) {
            notes.warn(&self.span, "conflicting counter resets during histogram aggregation");
        }
        if reconciled {
            notes.info(&self.span, "mismatched custom buckets were reconciled during aggregation");
        }
        Outcome::Histogram(Arc::new(total.finish()))
    }

    /// `irate` and `idelta`.
    fn last_two(&self, window: &Window<'_>, metric: &str, notes: &mut Annotations) -> Outcome {
        let Some([before, after]) = newest(window) else { return Outcome::Nothing };
        let is_rate = self.function == Function::Irate;
        let elapsed = (after.time_ms() - before.time_ms()) as f64 / 1000.0;
        if elapsed == 0.0 {
            return Outcome::Nothing;
        }
        match (before, after) {
            (Sample::Float(_, before), Sample::Float(_, after)) => {
                let change = if is_rate && after < before { after } else { after - before };
                Outcome::Float(if is_rate { change / elapsed } else { change })
            }
            (Sample::Histogram(_, before), Sample::Histogram(_, after)) => {
                let is_gauge = [before, after].map(|native| native.hint == ResetHint::Gauge);
                if is_rate && is_gauge.contains(&true) {
                    notes.warn(
                        &self.span,
                        format!("this native histogram metric is not a counter: {metric:?}"),
                    );
                }
                if !is_rate && is_gauge.contains(&false) {
                    notes
                        .warn(&self.span, format!("this native histogram metric is not a gauge: {metric:?}"));
                }
                let mut change = Native::clone(after);
                if !is_rate || !after.is_reset_after(before) {
                    let Ok(noted) = change.subtract(before) else {
                        notes.warn(&self.span, mixed_schemas(metric));
                        return Outcome::Nothing;
                    };
                    if noted.reconciled {
                        notes
                            .info(&self.span, "mismatched custom buckets were reconciled during subtraction");
                    }
                }
                if is_rate {
                    change.divide(elapsed);
                }
                change.hint = ResetHint::Gauge;
                Outcome::Histogram(Arc::new(change))
            }
            _ => {
                notes.warn(&self.span, mixed(metric));
                Outcome::Nothing
            }
        }
    }
}

pub(super) fn mixed_schemas(metric: &str) -> String {
    format!(
        "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {metric:?}"
    )
}

/// A warning of a quantile that is none.
pub(crate) fn quantile_out_of_range(q: f64) -> String {
    format!("quantile value should be between 0 and 1, got {}", super::numbers::general(q))
}

fn mixed(metric: &str) -> String {
    format!("encountered a mix of histograms and floats for metric name {metric:?}")
}

/// A float or a histogram of a window.
#[derive(Clone, Copy)]
enum Sample<'a> {
    Float(i64, f64),
    Histogram(i64, &'a Arc<Native>),
}

impl<'a> Sample<'a> {
    fn time_ms(&self) -> i64 {
        match self {
            Self::Float(time_ms, _) | Self::Histogram(time_ms, _) => *time_ms,
        }
    }

    fn differs(self, after: Self) -> bool {
        match (self, after) {
            (Self::Float(_, before), Self::Float(_, after)) => {
                before != after && !(before.is_nan() && after.is_nan())
            }
            (Self::Histogram(_, before), Self::Histogram(_, after)) => !after.equals(before),
            _ => true,
        }
    }

    fn resets_to(self, after: Self) -> bool {
        match (self, after) {
            (Self::Float(_, before), Self::Float(_, after)) => after < before,
            (Self::Histogram(_, before), Self::Histogram(_, after)) => after.is_reset_after(before),
            _ => true,
        }
    }
}

/// All samples of a window in the order of time.
fn in_order<'a>(window: &Window<'a>) -> impl Iterator<Item = Sample<'a>> + use<'a> {
    let mut floats = window
        .times_ms
        .iter()
        .zip(window.values)
        .map(|(time, value)| Sample::Float(*time, *value))
        .peekable();
    let mut points =
        window.histograms.iter().map(|(time, native)| Sample::Histogram(*time, native)).peekable();
    std::iter::from_fn(move || match (floats.peek(), points.peek()) {
        (Some(float), Some(point)) if float.time_ms() > point.time_ms() => points.next(),
        (None, _) => points.next(),
        _ => floats.next(),
    })
}

fn pairs<'a>(window: &Window<'a>, counts: impl Fn(Sample<'a>, Sample<'a>) -> bool) -> usize {
    let mut samples = in_order(window);
    let Some(mut before) = samples.next() else { return 0 };
    let mut count = 0;
    for after in samples {
        count += usize::from(counts(before, after));
        before = after;
    }
    count
}

fn newest<'a>(window: &Window<'a>) -> Option<[Sample<'a>; 2]> {
    let (values, points) = (window.values.len(), window.histograms.len());
    let tail = Window {
        times_ms: &window.times_ms[values.saturating_sub(2)..],
        values: &window.values[values.saturating_sub(2)..],
        histograms: &window.histograms[points.saturating_sub(2)..],
        bounds: window.bounds,
    };
    let mut last = [None, None];
    for sample in in_order(&tail) {
        last = [last[1], Some(sample)];
    }
    Some([last[0]?, last[1]?])
}

fn first_ms(window: &Window<'_>) -> i64 {
    in_order(window).next().map_or(0, |sample| sample.time_ms())
}

fn last_ms(window: &Window<'_>) -> i64 {
    let float = window.times_ms.last().copied();
    let point = window.histograms.last().map(|(time_ms, _)| *time_ms);
    float.max(point).unwrap_or(0)
}

fn edge(window: &Window<'_>, is_first: bool) -> Outcome {
    let sample = if is_first {
        in_order(window).next()
    } else {
        let last = last_ms(window);
        match (window.times_ms.last(), window.histograms.last()) {
            (Some(time_ms), _) if *time_ms == last => {
                window.values.last().map(|value| Sample::Float(last, *value))
            }
            (_, Some((_, native))) => Some(Sample::Histogram(last, native)),
            _ => None,
        }
    };
    match sample {
        Some(Sample::Float(_, value)) => Outcome::Float(value),
        Some(Sample::Histogram(_, native)) => Outcome::Histogram(Arc::clone(native)),
        None => Outcome::Nothing,
    }
}
