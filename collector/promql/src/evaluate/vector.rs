//! Which part of the evaluator an expression goes to.

use super::annotations::Annotations;
use super::budget::Pace;
use super::map::Stage;
use super::range_call::RangeCall;
use super::rows::{Row, Steps, bytes_of};
use super::select::{Pipeline, Read};
use super::time::Reference;
use super::{Context, Series};
use crate::QueryError;
use crate::ast::{Call, Expr, ExprKind, Function, MatrixSelector, UnaryOp, ValueType};

impl Context<'_> {
    /// The rows of a vector; of those without a value some may be left out. Their memory is counted.
    pub(super) fn vector(
        &self,
        expr: &Expr,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        self.budget.check()?;
        if steps.count == 0 {
            return Ok(Vec::new());
        }
        if let Some(pipeline) = self.pipeline(expr, steps, notes)? {
            return pipeline.collect(self, notes);
        }
        if let Some((inner, stage)) = self.stage(expr, steps, notes)? {
            let mut rows = self.vector(inner, steps, notes)?;
            let (pace, before) = (Pace::default(), bytes_of(&rows));
            for row in &mut rows {
                pace.work(&self.budget, steps.count)?;
                stage.apply(row, notes);
            }
            self.forget(stage.numbers());
            self.budget.change(before, bytes_of(&rows))?;
            return Ok(rows);
        }
        match &expr.kind {
            ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Plus, inner) => {
                self.vector(inner, steps, notes)
            }
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, steps, notes),
            ExprKind::Binary(binary) => self.binary(binary, expr, steps, notes),
            ExprKind::Call(call) => self.call(call, expr, steps, notes),
            _ => Err(QueryError::Execution("an instant vector is expected".into())),
        }
    }

    /// The values of a range selector or a subquery at one time.
    pub(super) fn matrix(
        &self,
        expr: &Expr,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Series>, QueryError> {
        match &expr.without_parens().kind {
            ExprKind::Matrix(matrix) => {
                let range_ms = self.query.positive_ms(&matrix.range)?;
                super::select::raw(self, &matrix.selector, range_ms, steps.start_ms)
            }
            ExprKind::Subquery(subquery) => {
                let (rows, steps) = self.subquery(subquery, steps, notes)?;
                self.converted(super::finished(rows)?, steps)
            }
            _ => Err(QueryError::Execution("a range vector is expected".into())),
        }
    }

    /// An expression that is computed from each series of the store alone.
    pub(super) fn pipeline(
        &self,
        expr: &Expr,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Option<Pipeline<'_>>, QueryError> {
        let Some(base) = base(expr) else { return Ok(None) };
        if steps.count == 0 {
            return Ok(None);
        }
        let mut stages = Vec::new();
        let mut rest = expr;
        while !std::ptr::eq(rest, base) {
            rest = match self.stage(rest, steps, notes)? {
                Some((inner, stage)) => {
                    stages.push(stage);
                    inner
                }
                None => match &rest.kind {
                    ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Plus, inner) => inner,
                    _ => return Ok(None),
                },
            };
        }
        stages.reverse();
        let lookback_ms = self.evaluation.lookback_ms;
        let (selector, read) = match &base.kind {
            ExprKind::Vector(selector) => {
                let reference = Reference::of(&selector.time, &self.query)?;
                (selector, Read::Instant { reference, lookback_ms, timestamps: false })
            }
            ExprKind::Call(call) if call.function == Function::Timestamp => {
                let ExprKind::Vector(selector) = &call.args[0].without_parens().kind else { return Ok(None) };
                let reference = Reference::of(&selector.time, &self.query)?;
                (selector, Read::Instant { reference, lookback_ms, timestamps: true })
            }
            ExprKind::Call(call) => {
                let Some(matrix) = matrix_of(call) else { return Ok(None) };
                let reference = Reference::of(&matrix.selector.time, &self.query)?;
                let range_ms = self.query.positive_ms(&matrix.range)?;
                (&matrix.selector, Read::Range(self.range_call(call, range_ms, reference, steps, notes)?))
            }
            _ => return Ok(None),
        };
        Pipeline::new(self, selector, read, stages, steps).map(Some)
    }

    /// A function of a range, its scalars evaluated.
    pub(super) fn range_call(
        &self,
        call: &Call,
        range_ms: i64,
        reference: Reference,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<RangeCall, QueryError> {
        let scalars = call.args.iter().filter(|arg| arg.value_type() == ValueType::Scalar);
        let scalars: Vec<Vec<f64>> =
            scalars.map(|arg| self.scalar(arg, steps, notes)).collect::<Result<_, _>>()?;
        if call.function == Function::DoubleExponentialSmoothing {
            check_factors(&scalars)?;
        }
        let span = call.args[0].without_parens().span.clone();
        Ok(RangeCall { function: call.function, range_ms, reference, scalars, span })
    }

    /// The outermost step of an expression, if it looks at one series at a time, and what it is applied to.
    fn stage<'e>(
        &self,
        expr: &'e Expr,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Option<(&'e Expr, Stage)>, QueryError> {
        match &expr.kind {
            ExprKind::Unary(UnaryOp::Minus, inner) => Ok(Some((inner, Stage::Negate))),
            ExprKind::Binary(binary) if binary.matching.is_none() => {
                let scalar_is_left = binary.lhs.value_type() == ValueType::Scalar;
                let (scalar, inner) =
                    if scalar_is_left { (&binary.lhs, &binary.rhs) } else { (&binary.rhs, &binary.lhs) };
                let stage = Stage::Binary {
                    op: binary.op,
                    scalar: self.scalar(scalar, steps, notes)?,
                    scalar_is_left,
                    return_bool: binary.return_bool,
                    span: expr.span.clone(),
                };
                Ok(Some((inner, stage)))
            }
            ExprKind::Call(call) => self.call_stage(call, steps, notes),
            _ => Ok(None),
        }
    }

    fn call_stage<'e>(
        &self,
        call: &'e Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Option<(&'e Expr, Stage)>, QueryError> {
        let Some(inner) = call.args.first().filter(|arg| arg.value_type() == ValueType::Vector) else {
            return Ok(None);
        };
        let mut scalar = |index: usize| self.scalar(&call.args[index], steps, notes);
        let stage = match call.function {
            Function::Clamp => Stage::Clamp { low: scalar(1)?, high: scalar(2)? },
            Function::ClampMin => {
                Stage::Clamp { low: scalar(1)?, high: self.constant(f64::INFINITY, steps)? }
            }
            Function::ClampMax => {
                Stage::Clamp { low: self.constant(f64::NEG_INFINITY, steps)?, high: scalar(1)? }
            }
            Function::Round if call.args.len() > 1 => Stage::Round(scalar(1)?),
            Function::Round => Stage::Round(self.constant(1.0, steps)?),
            Function::Timestamp if !matches!(inner.without_parens().kind, ExprKind::Vector(_)) => {
                Stage::Timestamp(steps)
            }
            other => match super::call::stage_of(other) {
                Some(stage) => stage,
                None => return Ok(None),
            },
        };
        Ok(Some((inner, stage)))
    }
}

/// The selector, or the function of a range selector, that an expression stands on, if it looks at nothing else
/// but scalars.
fn base(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Vector(_) => Some(expr),
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => base(inner),
        ExprKind::Binary(binary) if binary.matching.is_none() => {
            let scalar_is_left = binary.lhs.value_type() == ValueType::Scalar;
            base(if scalar_is_left { &binary.rhs } else { &binary.lhs })
        }
        ExprKind::Call(call) => match call.function {
            Function::AbsentOverTime => None,
            Function::Timestamp if matches!(call.args[0].without_parens().kind, ExprKind::Vector(_)) => {
                Some(expr)
            }
            _ if matrix_of(call).is_some() => Some(expr),
            function if super::call::is_stage(function) => base(call.args.first()?),
            _ => None,
        },
        _ => None,
    }
}

/// The range selector among the arguments.
pub(super) fn matrix_of(call: &Call) -> Option<&MatrixSelector> {
    call.args.iter().find_map(|arg| match &arg.without_parens().kind {
        ExprKind::Matrix(matrix) => Some(matrix),
        _ => None,
    })
}

fn check_factors(scalars: &[Vec<f64>]) -> Result<(), QueryError> {
    for (name, values) in ["smoothing", "trend"].into_iter().zip(scalars) {
        if let Some(value) = values.iter().find(|value| !(**value > 0.0 && **value < 1.0)) {
            return Err(QueryError::Execution(format!(
                "invalid {name} factor. Expected: 0 < {}f < 1, got: {value:.6}",
                &name[..1]
            )));
        }
    }
    Ok(())
}
