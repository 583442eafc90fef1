//! What operators make of two cells.

use std::ops::Range;
use std::sync::Arc;

use telemetry::samples::ResetHint;

use super::annotations::Annotations;
use super::native::Native;
use super::rows::Cell;
use crate::ast::BinaryOp;

/// The result for one cell.
#[derive(Clone, Debug)]
pub(crate) enum Combined {
    /// There is no result, whatever `bool` says.
    Impossible,
    /// A value, and whether a comparison keeps it.
    Float(f64, bool),
    /// The same of a histogram.
    Histogram(Arc<Native>, bool),
}

/// Whether what the result means is no longer what the metric's name says.
pub(crate) fn changes_meaning(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Mod
            | BinaryOp::Pow
            | BinaryOp::Atan2
    )
}

/// Two numbers. A comparison gives the left one.
#[inline]
pub(crate) fn numbers(op: BinaryOp, left: f64, right: f64) -> Combined {
    let compared = |keep| Combined::Float(left, keep);
    let value = match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div => left / right,
        BinaryOp::Mod => left % right,
        BinaryOp::Pow => left.powf(right),
        BinaryOp::Atan2 => left.atan2(right),
        BinaryOp::Equal => return compared(left == right),
        BinaryOp::NotEqual => return compared(left != right),
        BinaryOp::Greater => return compared(left > right),
        BinaryOp::Less => return compared(left < right),
        BinaryOp::GreaterEqual => return compared(left >= right),
        BinaryOp::LessEqual => return compared(left <= right),
        _ => return Combined::Impossible,
    };
    Combined::Float(value, true)
}

/// Two scalars: comparisons give 0 or 1.
pub(crate) fn scalars(op: BinaryOp, left: f64, right: f64) -> f64 {
    match numbers(op, left, right) {
        Combined::Float(_, keep) if op.is_comparison() => f64::from(u8::from(keep)),
        Combined::Float(value, _) => value,
        _ => f64::NAN,
    }
}

/// Two cells that both hold something.
pub(crate) fn cells(
    op: BinaryOp,
    left: Cell<'_>,
    right: Cell<'_>,
    span: &Range<usize>,
    notes: &mut Annotations,
) -> Combined {
    let combined = match (left, right) {
        (Cell::Float(left), Cell::Float(right)) => numbers(op, left, right),
        (Cell::Histogram(left), Cell::Float(right)) => histogram_by_number(op, left, right),
        (Cell::Float(left), Cell::Histogram(right)) if op == BinaryOp::Mul => multiplied(right, left),
        (Cell::Histogram(left), Cell::Histogram(right)) => histograms(op, left, right, span, notes),
        _ => Combined::Impossible,
    };
    let incompatible =
        matches!((op, left, right), (BinaryOp::Add | BinaryOp::Sub, Cell::Histogram(_), Cell::Histogram(_)));
    if matches!(combined, Combined::Impossible) && !incompatible {
        let (left, right, op) = (kind(left), kind(right), op.as_str());
        notes.info(
            span,
            format!("incompatible sample types encountered for binary operator {op:?}: {left} {op} {right}"),
        );
    }
    combined
}

fn kind(cell: Cell<'_>) -> &'static str {
    if matches!(cell, Cell::Histogram(_)) { "histogram" } else { "float" }
}

fn multiplied(native: &Native, factor: f64) -> Combined {
    let mut native = native.clone();
    native.multiply(factor);
    Combined::Histogram(Arc::new(native), true)
}

fn histogram_by_number(op: BinaryOp, left: &Native, right: f64) -> Combined {
    let mut native = left.clone();
    match op {
        BinaryOp::Mul => native.multiply(right),
        BinaryOp::Div => native.divide(right),
        BinaryOp::TrimUpper => native.trim(right, true),
        BinaryOp::TrimLower => native.trim(right, false),
        _ => return Combined::Impossible,
    }
    Combined::Histogram(Arc::new(native), true)
}

fn histograms(
    op: BinaryOp,
    left: &Arc<Native>,
    right: &Arc<Native>,
    span: &Range<usize>,
    notes: &mut Annotations,
) -> Combined {
    let (name, result) = match op {
        BinaryOp::Equal => return Combined::Histogram(Arc::clone(left), left.equals(right)),
        BinaryOp::NotEqual => return Combined::Histogram(Arc::clone(left), !left.equals(right)),
        BinaryOp::Add => {
            let mut sum = Native::clone(left);
            ("addition", sum.add(right).map(|noted| (sum, noted)))
        }
        BinaryOp::Sub => {
            let mut difference = Native::clone(left);
            let result = difference.subtract(right);
            difference.hint = ResetHint::Gauge;
            ("subtraction", result.map(|noted| (difference, noted)))
        }
        _ => return Combined::Impossible,
    };
    let Ok((native, noted)) = result else {
        notes.warn(
            span,
            format!("incompatible bucket layout encountered for binary operator {}", op.as_str()),
        );
        return Combined::Impossible;
    };
    if noted.collision {
        notes.warn(span, format!("conflicting counter resets during histogram {name}"));
    }
    if noted.reconciled {
        notes.info(span, format!("mismatched custom buckets were reconciled during {name}"));
    }
    Combined::Histogram(Arc::new(native), true)
}
