//! Evaluation of queries, over all steps at once: a vector is a row of cells for each series.
//!
//! Series of the store are read one by one, in parallel if they are many. What is computed from one series alone
//! (selectors, functions of ranges, arithmetic with scalars) is done when it is read, and aggregations take such rows
//! in as they come: their memory is that of the groups, not that of the series.
//!
//! The semantics are those of Prometheus 3: ranges and the lookback are open on the left; functions that change
//! what a value means drop the metric's name at the end of the query, so that label functions can still use it.

mod aggregate;
mod annotations;
mod binary;
mod budget;
mod call;
mod classic;
mod dates;
mod histogram_call;
mod kahan;
mod labels;
mod map;
mod native;
mod numbers;
mod operator;
mod over_time;
mod parallel;
mod range_call;
mod rate;
mod rows;
mod scalar;
mod select;
mod sort;
mod subquery;
mod time;
mod vector;
mod window;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::ast::{Expr, ExprKind, ValueType};
use crate::value::{Answer, Point, Series, Value};
use telemetry::samples::Histogram;

use crate::{Querier, QueryError};
use annotations::Annotations;
use budget::Budget;
pub use budget::Limits;
use rows::{Cell, Row, Steps, bytes_of, is_some, merge_equal, without_name};

/// The most steps of a query or of a subquery; the API allows far fewer for a query.
const MOST_STEPS: usize = 1_000_000;

/// What a query is evaluated with.
pub struct Evaluation<'a> {
    /// The store.
    pub querier: &'a dyn Querier,
    /// What the query may use.
    pub limits: Limits,
    /// How old the sample of an instant selector may be, 300,000 unless asked for otherwise.
    pub lookback_ms: i64,
    /// The step of subqueries that say none; Prometheus' default evaluation interval is 60,000.
    pub default_step_ms: i64,
    /// The text of the query, for the places in warnings; may be empty.
    pub text: &'a str,
}

/// The times of the whole query, which `start()` and the like mean.
#[derive(Clone, Copy, Debug)]
struct Query {
    start_ms: i64,
    end_ms: i64,
    /// 0 for an instant query.
    step_ms: i64,
}

/// One query while it is evaluated.
struct Context<'a> {
    evaluation: &'a Evaluation<'a>,
    query: Query,
    budget: Budget,
    /// What the store said is missing.
    missing: Mutex<Vec<String>>,
}

/// Evaluates a query at one time.
pub fn instant(evaluation: &Evaluation<'_>, expr: &Expr, time_ms: i64) -> Result<Answer, QueryError> {
    let query = Query { start_ms: time_ms, end_ms: time_ms, step_ms: 0 };
    let context = Context::new(evaluation, query);
    let mut notes = Annotations::default();
    let steps = Steps::one(time_ms);
    let value = match expr.value_type() {
        ValueType::Scalar => Value::Scalar(time_ms, context.scalar(expr, steps, &mut notes)?[0]),
        ValueType::String => Value::String(time_ms, text(expr)),
        ValueType::Vector => {
            let rows = finished(context.vector(expr, steps, &mut notes)?)?;
            Value::Vector(rows.iter().filter_map(|row| point(row, time_ms)).collect())
        }
        ValueType::Matrix => Value::Matrix(sorted(context.matrix(expr, steps, &mut notes)?)),
    };
    Ok(context.answer(value, notes))
}

/// Evaluates a query at `start_ms`, `start_ms + step_ms`, … up to `end_ms`. The value is a matrix.
pub fn range(
    evaluation: &Evaluation<'_>,
    expr: &Expr,
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
) -> Result<Answer, QueryError> {
    if step_ms <= 0 || end_ms < start_ms {
        return Err(QueryError::Execution(
            "a range query needs a step above 0 and an end that is not before its start".into(),
        ));
    }
    let context = Context::new(evaluation, Query { start_ms, end_ms, step_ms });
    let mut notes = Annotations::default();
    let steps = Steps::new(start_ms, end_ms, step_ms);
    check_steps(steps)?;
    let series = match expr.value_type() {
        ValueType::Scalar => {
            let mut row = Row::empty(telemetry::LabelSet::empty(), 0);
            row.values = context.scalar(expr, steps, &mut notes)?;
            vec![series(&row, steps)]
        }
        ValueType::Vector => {
            let rows = finished(context.vector(expr, steps, &mut notes)?)?;
            context.converted(rows, steps)?
        }
        other => {
            return Err(QueryError::Execution(format!(
                "invalid expression type {:?} for range query, must be Scalar or instant Vector",
                other.description()
            )));
        }
    };
    Ok(context.answer(Value::Matrix(sorted(series)), notes))
}

impl<'a> Context<'a> {
    fn new(evaluation: &'a Evaluation<'a>, query: Query) -> Self {
        let budget = Budget::new(evaluation.limits.clone());
        Self { evaluation, query, budget, missing: Mutex::new(Vec::new()) }
    }

    fn answer(self, value: Value, notes: Annotations) -> Answer {
        let (mut warnings, infos) = notes.finish(self.evaluation.text);
        for missing in self.missing.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if !warnings.contains(&missing) {
                warnings.push(missing);
            }
        }
        Answer { value, warnings, infos, samples_read: self.budget.samples_read() }
    }

    /// Warnings of the store.
    fn note_warnings(&self, warnings: Vec<String>) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).extend(warnings);
    }

    /// Counts the memory of new rows.
    fn keep(&self, rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
        self.budget.take(bytes_of(&rows))?;
        Ok(rows)
    }

    /// Rows are about to go.
    fn release(&self, rows: &[Row]) {
        self.budget.give_back(bytes_of(rows));
    }

    /// Rows as they are answered; each goes when its series is there, for both are of the same size.
    fn converted(&self, rows: Vec<Row>, steps: Steps) -> Result<Vec<Series>, QueryError> {
        let mut all = Vec::new();
        for row in rows {
            self.budget.check()?;
            let series = series(&row, steps);
            self.budget.take(16 * series.floats.capacity() + select::histogram_bytes(&series.histograms))?;
            self.release(std::slice::from_ref(&row));
            all.push(series);
        }
        Ok(all)
    }

    /// What a part of the query looks like.
    fn text_of(&self, expr: Option<&Expr>) -> String {
        let span = expr.map_or(0..0, |expr| expr.without_parens().span.clone());
        self.evaluation.text.get(span).unwrap_or_default().to_owned()
    }

    /// Where an aggregation stands: it begins before its first part.
    fn aggregate_span(&self, aggregate: &crate::ast::Aggregate) -> Range<usize> {
        let inner = aggregate.param.as_ref().map_or(&aggregate.expr.span, |param| &param.span);
        let before = self.evaluation.text.get(..inner.start).unwrap_or_default();
        let start = before.to_ascii_lowercase().rfind(aggregate.op.as_str()).unwrap_or(inner.start);
        start..inner.end
    }
}

fn check_steps(steps: Steps) -> Result<(), QueryError> {
    if steps.count > MOST_STEPS {
        return Err(QueryError::TooLarge(format!(
            "{} steps are more than the limit of {MOST_STEPS}; use a larger step or a shorter time",
            steps.count
        )));
    }
    Ok(())
}

/// Metric names that are to go are gone, and series of the same labels are one.
fn finished(mut rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
    for row in rows.iter_mut().filter(|row| row.drop_name) {
        row.labels = without_name(&row.labels);
    }
    rows.retain(|row| !row.is_empty());
    merge_equal(rows)
}

fn sorted(mut series: Vec<Series>) -> Vec<Series> {
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series
}

fn point(row: &Row, time_ms: i64) -> Option<(telemetry::LabelSet, i64, Point)> {
    let point = match row.cell(0) {
        Cell::Empty => return None,
        Cell::Float(value) => Point::Float(value),
        Cell::Histogram(native) => Point::Histogram(native.to_histogram()),
    };
    Some((row.labels.clone(), time_ms, point))
}

fn series(row: &Row, steps: Steps) -> Series {
    let some = steps.times().zip(&row.values).filter(|(_, value)| is_some(**value));
    // No larger than needed: answers are counted.
    let mut floats = Vec::with_capacity(some.clone().count());
    floats.extend(some.map(|(time_ms, value)| (time_ms, *value)));
    let histograms = row.histograms.iter();
    Series {
        labels: row.labels.clone(),
        floats,
        histograms: histograms
            .map(|(step, native)| (steps.time(*step as usize), native.to_histogram()))
            .collect(),
    }
}

/// The value of a text.
fn text(expr: &Expr) -> String {
    match &expr.without_parens().kind {
        ExprKind::String(text) => text.clone(),
        _ => String::new(),
    }
}

/// A feature that the language has and the evaluator has not.
fn unsupported(what: &str) -> QueryError {
    QueryError::Execution(format!("{what} is not supported yet"))
}

pub(crate) use numbers::parse as parse_number;

/// The sum of two histograms, or their difference; for the notation of scripts.
pub(crate) fn add_histograms(a: &Histogram, b: &Histogram, is_less: bool) -> Option<Histogram> {
    let mut sum = native::Native::of(a);
    let other = native::Native::of(b);
    if is_less { sum.subtract(&other) } else { sum.add(&other) }.ok()?;
    Some(sum.to_histogram())
}

/// Whether the second histogram follows a reset after the first.
pub(crate) fn is_reset(before: &Histogram, after: &Histogram) -> bool {
    native::Native::of(after).is_reset_after(&native::Native::of(before))
}

/// A native histogram with the bounds of a classic one; its buckets are cumulative and ascending.
pub(crate) fn custom_histogram(buckets: &[(f64, f64)], count: Option<f64>, sum: f64) -> Histogram {
    let finite: Vec<f64> =
        buckets.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite()).collect();
    let infinite = buckets.iter().find(|(bound, _)| *bound == f64::INFINITY).map(|(_, count)| *count);
    let last = buckets.last().map_or(0.0, |(_, count)| *count);
    let count = infinite.or(count).unwrap_or(last);
    let mut before = 0.0;
    let cumulative =
        buckets.iter().filter(|(bound, _)| bound.is_finite()).map(|(_, count)| *count).chain([count]);
    let counts: Vec<f64> = cumulative.map(|count| count - std::mem::replace(&mut before, count)).collect();
    Histogram {
        schema: -53,
        is_float: true,
        count,
        sum,
        positive_spans: vec![telemetry::samples::Span { offset: 0, len: counts.len() as u32 }],
        positive_counts: counts,
        custom_values: finite,
        ..Histogram::default()
    }
}
