//! What a group keeps for each step: enough to add a series, to be merged with what another thread has, and to
//! give the result.

use std::collections::BTreeMap;
use std::ops::Range;

use telemetry::samples::ResetHint;

use crate::ast::AggregateOp;
use crate::evaluate::annotations::Annotations;
use crate::evaluate::kahan::{self, Mean};
use crate::evaluate::native::{Notes, Total};
use crate::evaluate::range_call::mixed_schemas;
use crate::evaluate::rows::{Row, is_some, none};

/// The cells of one group.
pub(super) struct Cells {
    op: AggregateOp,
    floats: Floats,
    histograms: BTreeMap<u32, Histograms>,
    /// What `histograms` take.
    histogram_bytes: usize,
}

enum Floats {
    /// Sums and their compensations.
    Sums(Vec<f64>, Vec<f64>),
    /// Means; only those with a count stand for something.
    Means(Vec<Mean>, Vec<u32>),
    /// Counts.
    Counts(Vec<u32>),
    /// The smallest or largest.
    Extremes(Vec<f64>),
    /// Count, mean, sum of squared distances from it.
    Deviations(Vec<[f64; 3]>),
}

/// The histograms of one step.
#[derive(Clone)]
struct Histograms {
    total: Total,
    incompatible: bool,
    hints: [bool; 2],
}

impl Cells {
    pub(super) fn new(op: AggregateOp, steps: usize) -> Self {
        let floats = match op {
            AggregateOp::Sum => Floats::Sums(vec![none(); steps], vec![0.0; steps]),
            AggregateOp::Avg => Floats::Means(vec![Mean::default(); steps], vec![0; steps]),
            AggregateOp::Min | AggregateOp::Max => Floats::Extremes(vec![none(); steps]),
            AggregateOp::Stddev | AggregateOp::Stdvar => Floats::Deviations(vec![[0.0; 3]; steps]),
            _ => Floats::Counts(vec![0; steps]),
        };
        Self { op, floats, histograms: BTreeMap::new(), histogram_bytes: 0 }
    }

    /// What the histograms take that were added so far.
    pub(super) fn histogram_bytes(&self) -> usize {
        self.histogram_bytes
    }

    /// What is taken before anything is added.
    pub(super) fn bytes(&self) -> usize {
        match &self.floats {
            Floats::Sums(sums, _) => sums.len() * 16,
            Floats::Means(means, _) => means.len() * (size_of::<Mean>() + 4),
            Floats::Counts(counts) => counts.len() * 4,
            Floats::Extremes(extremes) => extremes.len() * 8,
            Floats::Deviations(deviations) => deviations.len() * 24,
        }
    }

    pub(super) fn add(&mut self, row: &Row, span: &Range<usize>, notes: &mut Annotations) {
        let values = row.values.iter().enumerate().filter(|(_, value)| is_some(**value));
        match &mut self.floats {
            Floats::Sums(sums, compensations) => {
                let cells = sums.iter_mut().zip(compensations);
                for ((sum, compensation), value) in
                    cells.zip(&row.values).filter(|(_, value)| is_some(**value))
                {
                    if is_some(*sum) {
                        (*sum, *compensation) = kahan::add(*value, *sum, *compensation);
                    } else {
                        *sum = *value;
                    }
                }
            }
            Floats::Means(means, counts) => values.for_each(|(step, value)| {
                means[step].add(*value);
                counts[step] += 1;
            }),
            Floats::Counts(counts) => {
                values.for_each(|(step, _)| counts[step] += 1);
                row.histograms.iter().for_each(|(step, _)| counts[*step as usize] += 1);
                return;
            }
            Floats::Extremes(extremes) => {
                let is_max = self.op == AggregateOp::Max;
                values.for_each(|(step, value)| extreme(&mut extremes[step], *value, is_max));
            }
            Floats::Deviations(deviations) => values.for_each(|(step, value)| {
                deviations[step] = deviation(deviations[step], *value);
            }),
        }
        if !row.histograms.is_empty() {
            self.add_histograms(row, span, notes);
        }
    }

    fn add_histograms(&mut self, row: &Row, span: &Range<usize>, notes: &mut Annotations) {
        if !matches!(self.op, AggregateOp::Sum | AggregateOp::Avg) {
            notes.info(span, format!("ignored histogram in {} aggregation", self.op.as_str()));
            return;
        }
        for (step, native) in &row.histograms {
            let hints = [native.hint == ResetHint::Yes, native.hint == ResetHint::No];
            let is_mean = self.op == AggregateOp::Avg;
            let Some(mine) = self.histograms.get_mut(step) else {
                let total = Total::new(native, is_mean);
                self.histogram_bytes += total.bytes();
                self.histograms.insert(*step, Histograms { total, incompatible: false, hints });
                continue;
            };
            if !mine.incompatible {
                let before = mine.total.bytes();
                let joined = mine.join(hints, |total| total.add(native));
                self.histogram_bytes += mine.total.bytes().saturating_sub(before);
                note(joined, row.metric(), span, notes);
            }
        }
    }

    /// As if what `other` has seen came after what this has.
    pub(super) fn merge(&mut self, other: Self, span: &Range<usize>, notes: &mut Annotations) {
        match (&mut self.floats, other.floats) {
            (Floats::Sums(sums, compensations), Floats::Sums(others, rests)) => {
                let cells = sums.iter_mut().zip(compensations);
                for ((sum, compensation), (other, rest)) in cells.zip(others.into_iter().zip(rests)) {
                    if !is_some(*sum) {
                        (*sum, *compensation) = (other, rest);
                    } else if is_some(other) {
                        (*sum, *compensation) = kahan::add(other, *sum, *compensation);
                        *compensation += if sum.is_infinite() { 0.0 } else { rest };
                    }
                }
            }
            (Floats::Means(means, counts), Floats::Means(others, more)) => {
                means.iter_mut().zip(others).for_each(|(mean, other)| mean.merge(&other));
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
            }
            (Floats::Counts(counts), Floats::Counts(more)) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
            }
            (Floats::Extremes(extremes), Floats::Extremes(others)) => {
                let is_max = self.op == AggregateOp::Max;
                let cells = extremes.iter_mut().zip(others).filter(|(_, other)| is_some(*other));
                cells.for_each(|(mine, other)| extreme(mine, other, is_max));
            }
            (Floats::Deviations(deviations), Floats::Deviations(others)) => {
                deviations.iter_mut().zip(others).for_each(|(mine, other)| *mine = joined(*mine, other));
            }
            _ => {}
        }
        for (step, other) in other.histograms {
            let Some(mine) = self.histograms.get_mut(&step) else {
                self.histogram_bytes += other.total.bytes();
                self.histograms.insert(step, other);
                continue;
            };
            mine.incompatible |= other.incompatible;
            if !mine.incompatible {
                let before = mine.total.bytes();
                let joined = mine.join(other.hints, |total| total.merge(other.total));
                self.histogram_bytes += mine.total.bytes().saturating_sub(before);
                note(joined, "", span, notes);
            }
        }
    }

    pub(super) fn finish(self, row: &mut Row, span: &Range<usize>, notes: &mut Annotations) {
        match self.floats {
            Floats::Sums(sums, compensations) => {
                let cells = row.values.iter_mut().zip(sums.into_iter().zip(compensations));
                cells
                    .filter(|(_, (sum, _))| is_some(*sum))
                    .for_each(|(cell, (sum, rest))| *cell = sum + rest);
            }
            Floats::Means(means, counts) => {
                let cells = row.values.iter_mut().zip(means.into_iter().zip(counts));
                cells.filter(|(_, (_, count))| *count > 0).for_each(|(cell, (mean, _))| *cell = mean.mean());
            }
            Floats::Counts(counts) => {
                let is_group = self.op == AggregateOp::Group;
                let cells = row.values.iter_mut().zip(counts).filter(|(_, count)| *count > 0);
                cells.for_each(|(cell, count)| *cell = if is_group { 1.0 } else { f64::from(count) });
            }
            Floats::Extremes(extremes) => row.values = extremes,
            Floats::Deviations(deviations) => {
                let is_root = self.op == AggregateOp::Stddev;
                let cells = row.values.iter_mut().zip(deviations).filter(|(_, [count, ..])| *count > 0.0);
                cells.for_each(|(cell, [count, _, squares])| {
                    let variance = squares / count;
                    *cell = if is_root { variance.sqrt() } else { variance };
                });
            }
        }
        for (step, histograms) in self.histograms {
            histograms.finish(step, row, span, notes);
        }
    }
}

impl Histograms {
    /// Whether bounds were reconciled; nothing if the kinds of the histograms differ.
    fn join<E>(
        &mut self,
        hints: [bool; 2],
        add: impl FnOnce(&mut Total) -> Result<Notes, E>,
    ) -> Option<bool> {
        self.hints = [self.hints[0] | hints[0], self.hints[1] | hints[1]];
        let joined = add(&mut self.total).ok();
        self.incompatible = joined.is_none();
        joined.map(|noted| noted.reconciled)
    }

    fn finish(self, step: u32, row: &mut Row, span: &Range<usize>, notes: &mut Annotations) {
        let cell = &mut row.values[step as usize];
        if is_some(*cell) {
            *cell = none();
            notes.warn(span, "encountered a mix of histograms and floats for aggregation");
            return;
        }
        if self.hints == [true, true] {
            notes.warn(span, "conflicting counter resets during histogram aggregation");
        }
        if self.incompatible {
            return;
        }
        row.histograms.push((step, self.total.finish().into()));
    }
}

fn note(joined: Option<bool>, metric: &str, span: &Range<usize>, notes: &mut Annotations) {
    match joined {
        None => notes.warn(span, mixed_schemas(metric)),
        Some(true) => notes.info(span, "mismatched custom buckets were reconciled during aggregation"),
        Some(false) => {}
    }
}

/// NaN only if there is nothing else.
fn extreme(cell: &mut f64, value: f64, is_max: bool) {
    let is_better = if is_max { *cell < value } else { *cell > value };
    // An empty cell is a NaN too.
    if is_better || cell.is_nan() {
        *cell = value;
    }
}

fn deviation([count, mean, squares]: [f64; 3], value: f64) -> [f64; 3] {
    if count == 0.0 {
        return [1.0, value, if value.is_finite() { 0.0 } else { f64::NAN }];
    }
    let count = count + 1.0;
    let delta = value - mean;
    let mean = mean + delta / count;
    [count, mean, squares + delta * (value - mean)]
}

fn joined(mine: [f64; 3], other: [f64; 3]) -> [f64; 3] {
    if mine[0] == 0.0 || other[0] == 0.0 {
        return if mine[0] == 0.0 { other } else { mine };
    }
    let count = mine[0] + other[0];
    let delta = other[1] - mine[1];
    let mean = mine[1] + delta * other[0] / count;
    [count, mean, mine[2] + other[2] + delta * delta * mine[0] * other[0] / count]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use telemetry::LabelSet;

    const OPS: [AggregateOp; 8] = [
        AggregateOp::Sum,
        AggregateOp::Avg,
        AggregateOp::Count,
        AggregateOp::Group,
        AggregateOp::Min,
        AggregateOp::Max,
        AggregateOp::Stddev,
        AggregateOp::Stdvar,
    ];

    fn row(values: &[Option<f64>]) -> Row {
        let mut row = Row::empty(LabelSet::empty(), values.len());
        row.values = values.iter().map(|value| value.unwrap_or(none())).collect();
        row
    }

    fn result(op: AggregateOp, parts: &[&[Vec<Option<f64>>]]) -> Vec<f64> {
        let mut notes = Annotations::default();
        let mut all = Cells::new(op, 3);
        for part in parts {
            let mut cells = Cells::new(op, 3);
            part.iter().for_each(|values| cells.add(&row(values), &(0..0), &mut notes));
            all.merge(cells, &(0..0), &mut notes);
        }
        let mut result = row(&[None; 3]);
        all.finish(&mut result, &(0..0), &mut notes);
        result.values
    }

    proptest! {
        #[test]
        fn parts_give_what_the_whole_gives(
            rows in proptest::collection::vec(proptest::collection::vec(proptest::option::of(-1e6f64..1e6), 3), 0..12),
            split in 0usize..12,
        ) {
            let split = split.min(rows.len());
            for op in OPS {
                let whole = result(op, &[&rows]);
                let parts = result(op, &[&rows[..split], &rows[split..]]);
                for (a, b) in whole.iter().zip(&parts) {
                    prop_assert_eq!(is_some(*a), is_some(*b));
                    prop_assert!(!is_some(*a) || (a - b).abs() <= 1e-9 * a.abs().max(1.0), "{op:?}: {a} {b}");
                }
            }
        }
    }
}
