//! Scalars: one number for each step.

use super::annotations::Annotations;
use super::budget::Pace;
use super::numbers::{larger, smaller};
use super::operator::scalars;
use super::rows::{Steps, is_some};
use super::{Context, unsupported};
use crate::QueryError;
use crate::ast::{Call, Expr, ExprKind, Function, UnaryOp};

impl Context<'_> {
    /// The same number at each step. As all scalars it is counted until [`Self::forget`] is called.
    pub(super) fn constant(&self, value: f64, steps: Steps) -> Result<Vec<f64>, QueryError> {
        self.budget.take(8 * steps.count)?;
        Ok(vec![value; steps.count])
    }

    /// So many numbers of scalars are about to go.
    pub(super) fn forget(&self, numbers: usize) {
        self.budget.give_back(8 * numbers);
    }

    /// A number for each step; their memory is counted.
    pub(super) fn scalar(
        &self,
        expr: &Expr,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<f64>, QueryError> {
        match &expr.kind {
            ExprKind::Number(number) => self.constant(number.value, steps),
            ExprKind::Paren(inner) => self.scalar(inner, steps, notes),
            ExprKind::Unary(op, inner) => {
                let mut values = self.scalar(inner, steps, notes)?;
                if *op == UnaryOp::Minus {
                    values.iter_mut().for_each(|value| *value = -*value);
                }
                Ok(values)
            }
            ExprKind::Binary(binary) => {
                let left = self.scalar(&binary.lhs, steps, notes)?;
                let right = self.scalar(&binary.rhs, steps, notes)?;
                self.forget(right.len());
                Ok(left.into_iter().zip(right).map(|(left, right)| scalars(binary.op, left, right)).collect())
            }
            ExprKind::Call(call) => self.scalar_call(call, steps, notes),
            _ => Err(QueryError::Execution("a scalar is expected".into())),
        }
    }

    fn scalar_call(
        &self,
        call: &Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<f64>, QueryError> {
        let seconds = |ms: i64| self.constant(ms as f64 / 1000.0, steps);
        match call.function {
            Function::Time => {
                self.budget.take(8 * steps.count)?;
                Ok(steps.times().map(|time_ms| time_ms as f64 / 1000.0).collect())
            }
            Function::Pi => self.constant(std::f64::consts::PI, steps),
            Function::Start => seconds(self.query.start_ms),
            Function::End => seconds(self.query.end_ms),
            Function::Step => seconds(self.query.step_ms),
            Function::Range => seconds(self.query.end_ms - self.query.start_ms),
            Function::MaxOf | Function::MinOf => {
                let choose = if call.function == Function::MaxOf { larger } else { smaller };
                let left = self.scalar(&call.args[0], steps, notes)?;
                let right = self.scalar(&call.args[1], steps, notes)?;
                self.forget(right.len());
                Ok(left.into_iter().zip(right).map(|(left, right)| choose(left, right)).collect())
            }
            Function::Scalar => {
                let rows = self.vector(&call.args[0], steps, notes)?;
                let pace = Pace::default();
                let only = |step: usize| {
                    pace.work(&self.budget, rows.len())?;
                    let mut values = rows.iter().map(|row| row.values[step]).filter(|value| is_some(*value));
                    Ok(match (values.next(), values.next()) {
                        (Some(value), None) => value,
                        _ => f64::NAN,
                    })
                };
                self.budget.take(8 * steps.count)?;
                let values = (0..steps.count).map(only).collect::<Result<_, QueryError>>()?;
                self.release(&rows);
                Ok(values)
            }
            other => Err(unsupported(other.name())),
        }
    }
}
