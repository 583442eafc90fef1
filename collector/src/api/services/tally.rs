//! What was counted of some calls: how many, how many failed, how long they took; by bins of time.

use std::collections::HashSet;

use serde::Serialize;
use telemetry::samples::Histogram;
use utoipa::ToSchema;

use super::durations::Durations;
use super::grid::{Axis, Grid, Known};

/// Calls of one bin.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) calls: f64,
    errors: f64,
    pub(super) durations: Durations,
}

/// Calls by bin.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tally {
    cells: Vec<Cell>,
    /// Hashes of the names of what was called.
    operations: HashSet<u64>,
}

/// Rate, errors and durations of a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Summary {
    /// Calls per second.
    pub(super) rate: f64,
    /// The part of them that failed; 0 without calls.
    pub(super) errors: f64,
    /// Half of the calls took no longer; null without calls.
    pub(super) p50_ns: Option<u64>,
    /// 95 of 100 took no longer.
    pub(super) p95_ns: Option<u64>,
    /// 99 of 100 took no longer.
    pub(super) p99_ns: Option<u64>,
}

/// The same for each bin; null where nothing is known, or nothing was called.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Lines {
    #[serde(flatten)]
    axis: Axis,
    rate: Vec<Option<f64>>,
    errors: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_ns: Option<Vec<Option<u64>>>,
    p95_ns: Vec<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ns: Option<Vec<Option<u64>>>,
}

impl Cell {
    fn join(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.durations.join(&other.durations);
    }

    fn errors(&self) -> Option<f64> {
        (self.calls > 0.0).then(|| (self.errors / self.calls).min(1.0))
    }
}

impl Tally {
    pub(super) fn new(grid: &Grid) -> Self {
        Self { cells: vec![Cell::default(); grid.bins], operations: HashSet::new() }
    }

    /// What an empty one takes.
    pub(super) fn bytes(grid: &Grid) -> usize {
        grid.bins * size_of::<Cell>() + 128
    }

    pub(super) fn add_calls(&mut self, bin: usize, calls: f64, is_error: bool) {
        let Some(cell) = self.cells.get_mut(bin).filter(|_| calls > 0.0 && calls.is_finite()) else { return };
        cell.calls += calls;
        if is_error {
            cell.errors += calls;
        }
    }

    /// Notes that an operation was called. Says how many bytes it has grown by.
    pub(super) fn add_operation(&mut self, hash: u64) -> usize {
        if self.operations.insert(hash) { 2 * size_of::<u64>() } else { 0 }
    }

    /// How many different operations were called.
    pub(super) fn operations(&self) -> usize {
        self.operations.len()
    }

    /// Says how many bytes it has grown by.
    pub(super) fn add_durations(&mut self, bin: usize, durations: &Histogram) -> usize {
        self.cells.get_mut(bin).map_or(0, |cell| cell.durations.add(durations))
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.cells.iter_mut().zip(&other.cells).for_each(|(own, its)| own.join(its));
        self.operations.extend(&other.operations);
    }

    /// All bins as one.
    pub(super) fn whole(&self) -> Cell {
        let mut whole = Cell::default();
        self.cells.iter().for_each(|cell| whole.join(cell));
        whole
    }

    pub(super) fn summary(&self, grid: &Grid, known: Known) -> Summary {
        let whole = self.whole();
        Summary {
            rate: whole.calls / grid.seconds(known),
            errors: whole.errors().unwrap_or(0.0),
            p50_ns: whole.durations.quantile_ns(0.5),
            p95_ns: whole.durations.quantile_ns(0.95),
            p99_ns: whole.durations.quantile_ns(0.99),
        }
    }

    /// For a small picture.
    pub(super) fn spark(&self, grid: &Grid, known: Known) -> Lines {
        let cells = grid.shown(&self.cells);
        let rates = cells.iter().zip(grid.seconds_of_bins(known));
        Lines {
            axis: grid.axis(),
            rate: rates.map(|(cell, seconds)| seconds.map(|seconds| short(cell.calls / seconds))).collect(),
            errors: cells.iter().map(|cell| cell.errors().map(short)).collect(),
            p50_ns: None,
            p95_ns: quantiles(cells, 0.95),
            p99_ns: None,
        }
    }

    /// For a chart.
    pub(super) fn lines(&self, grid: &Grid, known: Known) -> Lines {
        let cells = grid.shown(&self.cells);
        let (p50_ns, p99_ns) = (Some(quantiles(cells, 0.5)), Some(quantiles(cells, 0.99)));
        Lines { p50_ns, p99_ns, ..self.spark(grid, known) }
    }
}

fn quantiles(cells: &[Cell], q: f64) -> Vec<Option<u64>> {
    cells.iter().map(|cell| cell.durations.quantile_ns(q)).collect()
}

/// Six digits, which is more than anybody sees of a line.
fn short(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let scale = 10f64.powi(5 - value.abs().log10().floor() as i32);
    if scale.is_finite() { (value * scale).round() / scale } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_six_digits() {
        for (value, expected) in
            [(0.0, 0.0), (1.0 / 3.0, 0.333_333), (1_234_567.8, 1_234_570.0), (2e-9 / 3.0, 6.666_67e-10)]
        {
            assert!((short(value) - expected).abs() <= expected * 1e-12, "{value}");
        }
        assert!(short(f64::MIN_POSITIVE) > 0.0);
    }
}
