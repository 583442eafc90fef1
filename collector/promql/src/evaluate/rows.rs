//! Vectors over all steps of an evaluation: one row for each series, one cell for each step.

use std::collections::HashMap;
use std::sync::Arc;

use telemetry::LabelSet;
use telemetry::METRIC_NAME;
use telemetry::samples::{STALE_NAN_BITS, stale_nan};

use super::native::Native;
use crate::QueryError;

/// The times at which an expression is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) start_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) count: usize,
}

impl Steps {
    pub(crate) fn one(time_ms: i64) -> Self {
        Self { start_ms: time_ms, step_ms: 1, count: 1 }
    }

    /// From `start_ms` to at most `end_ms`.
    pub(crate) fn new(start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        let step_ms = step_ms.max(1);
        let span = usize::try_from(end_ms.saturating_sub(start_ms) / step_ms).ok();
        let count = if end_ms < start_ms { 0 } else { span.unwrap_or(0) + 1 };
        Self { start_ms, step_ms, count }
    }

    pub(crate) fn time(&self, step: usize) -> i64 {
        self.start_ms + self.step_ms * step as i64
    }

    pub(crate) fn end_ms(&self) -> i64 {
        self.time(self.count.saturating_sub(1))
    }

    pub(crate) fn is_one(&self) -> bool {
        self.count == 1
    }

    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + Clone + use<> {
        let steps = *self;
        (0..steps.count).map(move |step| steps.time(step))
    }
}

/// Whether a cell holds a number. Series never hold the stale marker, so it says that there is none.
#[inline]
pub(crate) fn is_some(cell: f64) -> bool {
    cell.to_bits() != STALE_NAN_BITS
}

/// A cell that holds no number.
#[inline]
pub(crate) fn none() -> f64 {
    stale_nan()
}

/// One series.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) labels: LabelSet,
    /// Whether the metric's name goes at the end. Until then label functions can still use it.
    pub(crate) drop_name: bool,
    /// A cell for each step.
    pub(crate) values: Vec<f64>,
    /// Steps that hold a histogram, ascending; their cells are empty.
    pub(crate) histograms: Vec<(u32, Arc<Native>)>,
}

impl Row {
    /// Without a cell that holds anything.
    pub(crate) fn empty(labels: LabelSet, steps: usize) -> Self {
        Self { labels, drop_name: false, values: vec![none(); steps], histograms: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.histograms.is_empty() && !self.values.iter().any(|value| is_some(*value))
    }

    pub(crate) fn histogram(&self, step: usize) -> Option<&Arc<Native>> {
        if self.histograms.is_empty() {
            return None;
        }
        let at = self.histograms.binary_search_by_key(&(step as u32), |(at, _)| *at).ok()?;
        Some(&self.histograms[at].1)
    }

    pub(crate) fn cell(&self, step: usize) -> Cell<'_> {
        let value = self.values[step];
        if is_some(value) {
            return Cell::Float(value);
        }
        self.histogram(step).map_or(Cell::Empty, Cell::Histogram)
    }

    pub(crate) fn has(&self, step: usize) -> bool {
        is_some(self.values[step]) || self.histogram(step).is_some()
    }

    /// Empties the cells for which `keep` says no.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        for (step, value) in self.values.iter_mut().enumerate() {
            if !keep(step) {
                *value = none();
            }
        }
        self.histograms.retain(|(step, _)| keep(*step as usize));
    }

    /// An estimate, for the memory limit.
    pub(crate) fn bytes(&self) -> usize {
        let histograms: usize = self.histograms.iter().map(|(_, native)| 16 + 16 * native.weight()).sum();
        size_of::<Self>() + self.values.capacity() * 8 + self.labels.as_bytes().len() + histograms
    }

    /// The metric's name, or nothing.
    pub(crate) fn metric(&self) -> &str {
        self.labels.metric().unwrap_or_default()
    }
}

/// An estimate of what some rows take.
pub(crate) fn bytes_of(rows: &[Row]) -> usize {
    rows.iter().map(Row::bytes).sum()
}

/// What a series has at a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    Empty,
    Float(f64),
    Histogram(&'a Arc<Native>),
}

/// The labels that are left when a metric's name no longer says what the value is.
pub(crate) fn without_name(labels: &LabelSet) -> LabelSet {
    labels.filtered(|name| !matches!(name, METRIC_NAME | "__type__" | "__unit__"))
}

/// Two series of the same labels.
pub(crate) fn duplicate() -> QueryError {
    QueryError::Execution("vector cannot contain metrics with the same labelset".into())
}

/// Rows of the same labels become one. It is an error if they have values at the same time.
pub(crate) fn merge_equal(rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
    let mut places: HashMap<LabelSet, usize> = HashMap::with_capacity(rows.len());
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match places.get(&row.labels) {
            Some(&place) => merge_into(&mut merged[place], row)?,
            None => {
                places.insert(row.labels.clone(), merged.len());
                merged.push(row);
            }
        }
    }
    Ok(merged)
}

fn merge_into(row: &mut Row, other: Row) -> Result<(), QueryError> {
    for step in 0..row.values.len() {
        if other.has(step) && row.has(step) {
            return Err(duplicate());
        }
        if is_some(other.values[step]) {
            row.values[step] = other.values[step];
        }
    }
    row.histograms.extend(other.histograms);
    row.histograms.sort_by_key(|(step, _)| *step);
    Ok(())
}
