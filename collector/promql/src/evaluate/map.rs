//! What is done to one series without looking at another.

use std::ops::Range;

use super::annotations::Annotations;
use super::native::Native;
use super::numbers::{larger, smaller};
use super::operator::{Combined, cells, changes_meaning, numbers};
use super::rows::{Cell, Row, Steps, is_some, none};
use crate::ast::BinaryOp;

/// A step of a pipeline. Scalars have a value for each step of the evaluation.
pub(crate) enum Stage {
    /// A function of numbers; histograms are dropped.
    Number(fn(f64) -> f64),
    /// A function of histograms; numbers are dropped.
    Histogram(fn(&Native) -> f64),
    /// Times instead of values.
    Timestamp(Steps),
    Clamp {
        low: Vec<f64>,
        high: Vec<f64>,
    },
    /// To multiples.
    Round(Vec<f64>),
    Negate,
    /// With a scalar.
    Binary {
        op: BinaryOp,
        scalar: Vec<f64>,
        scalar_is_left: bool,
        return_bool: bool,
        span: Range<usize>,
    },
}

impl Stage {
    /// How many numbers its scalars have.
    pub(crate) fn numbers(&self) -> usize {
        match self {
            Self::Clamp { low, high } => low.len() + high.len(),
            Self::Round(scalar) | Self::Binary { scalar, .. } => scalar.len(),
            Self::Number(_) | Self::Histogram(_) | Self::Timestamp(_) | Self::Negate => 0,
        }
    }

    pub(crate) fn apply(&self, row: &mut Row, notes: &mut Annotations) {
        match self {
            Self::Number(function) => numbers_of(row, |_, value| function(value)),
            Self::Clamp { low, high } => numbers_of(row, |step, value| {
                let (low, high) = (low[step], high[step]);
                if high < low { none() } else { larger(low, smaller(high, value)) }
            }),
            Self::Round(nearest) => numbers_of(row, |step, value| {
                // The inverse, for fewer inaccuracies with 0.1 and the like.
                let inverse = 1.0 / nearest[step];
                (value * inverse + 0.5).floor() / inverse
            }),
            Self::Histogram(function) => {
                row.values.fill(none());
                for (step, native) in std::mem::take(&mut row.histograms) {
                    row.values[step as usize] = function(&native);
                }
                row.drop_name = true;
            }
            Self::Timestamp(steps) => timestamps(row, *steps),
            Self::Negate => negate(row),
            Self::Binary { op, scalar, scalar_is_left, return_bool, span } => {
                let scalar = Operand { op: *op, scalar, is_left: *scalar_is_left, return_bool: *return_bool };
                scalar.apply(row, span, notes);
            }
        }
    }
}

#[inline]
fn numbers_of(row: &mut Row, function: impl Fn(usize, f64) -> f64) {
    row.histograms.clear();
    row.drop_name = true;
    for (step, value) in row.values.iter_mut().enumerate() {
        if is_some(*value) {
            *value = function(step, *value);
        }
    }
}

fn timestamps(row: &mut Row, steps: Steps) {
    for step in 0..row.values.len() {
        if row.has(step) {
            row.values[step] = steps.time(step) as f64 / 1000.0;
        }
    }
    row.histograms.clear();
    row.drop_name = true;
}

fn negate(row: &mut Row) {
    for value in row.values.iter_mut().filter(|value| is_some(**value)) {
        *value = -*value;
    }
    for (_, native) in &mut row.histograms {
        let mut negated = Native::clone(native);
        negated.multiply(-1.0);
        *native = negated.into();
    }
    row.drop_name = true;
}

/// A scalar beside a vector.
struct Operand<'a> {
    op: BinaryOp,
    scalar: &'a [f64],
    is_left: bool,
    return_bool: bool,
}

impl Operand<'_> {
    fn apply(&self, row: &mut Row, span: &Range<usize>, notes: &mut Annotations) {
        row.drop_name |= self.return_bool || changes_meaning(self.op);
        for (value, scalar) in row.values.iter_mut().zip(self.scalar) {
            if is_some(*value) {
                let (left, right) = if self.is_left { (*scalar, *value) } else { (*value, *scalar) };
                *value = self.result(numbers(self.op, left, right), *value);
            }
        }
        let mut kept = Vec::new();
        for (step, native) in std::mem::take(&mut row.histograms) {
            let scalar = Cell::Float(self.scalar[step as usize]);
            let cell = Cell::Histogram(&native);
            let (left, right) = if self.is_left { (scalar, cell) } else { (cell, scalar) };
            if let Combined::Histogram(native, true) = cells(self.op, left, right, span, notes) {
                kept.push((step, native));
            }
        }
        row.histograms = kept;
    }

    /// Comparisons keep the vector's value, on whichever side it is.
    fn result(&self, combined: Combined, vector: f64) -> f64 {
        match combined {
            Combined::Float(_, keep) if self.return_bool => f64::from(u8::from(keep)),
            Combined::Float(_, false) => none(),
            Combined::Float(..) if self.op.is_comparison() => vector,
            Combined::Float(value, true) => value,
            _ => none(),
        }
    }
}
