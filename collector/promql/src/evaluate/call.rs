//! Functions of instant vectors.

use telemetry::samples::MatchOp;
use telemetry::{LabelSet, METRIC_NAME};

use super::annotations::Annotations;
use super::dates;
use super::map::Stage;
use super::native::Native;
use super::rows::{Row, Steps, none};
use super::{Context, unsupported};
use crate::ast::{Call, Expr, ExprKind, Function};
use crate::{Matcher, QueryError};

/// Whether a function looks at one series at a time and needs no more than scalars beside it.
pub(super) fn is_stage(function: Function) -> bool {
    stage_of(function).is_some()
        || matches!(
            function,
            Function::Clamp | Function::ClampMin | Function::ClampMax | Function::Round | Function::Timestamp
        )
}

/// What a function without scalars does to a series.
pub(super) fn stage_of(function: Function) -> Option<Stage> {
    let histogram: fn(&Native) -> f64 = match function {
        Function::HistogramCount => |native| native.count,
        Function::HistogramSum => |native| native.sum,
        Function::HistogramAvg => |native| native.sum / native.count,
        Function::HistogramStdvar => Native::variance,
        Function::HistogramStddev => |native| native.variance().sqrt(),
        _ => return dates::function_of(function).or_else(|| mathematical(function)).map(Stage::Number),
    };
    Some(Stage::Histogram(histogram))
}

fn mathematical(function: Function) -> Option<fn(f64) -> f64> {
    Some(match function {
        Function::Abs => f64::abs,
        Function::Ceil => f64::ceil,
        Function::Floor => f64::floor,
        Function::Exp => f64::exp,
        Function::Sqrt => f64::sqrt,
        Function::Ln => f64::ln,
        Function::Log2 => f64::log2,
        Function::Log10 => f64::log10,
        Function::Sin => f64::sin,
        Function::Cos => f64::cos,
        Function::Tan => f64::tan,
        Function::Asin => f64::asin,
        Function::Acos => f64::acos,
        Function::Atan => f64::atan,
        Function::Sinh => f64::sinh,
        Function::Cosh => f64::cosh,
        Function::Tanh => f64::tanh,
        Function::Asinh => f64::asinh,
        Function::Acosh => f64::acosh,
        Function::Atanh => f64::atanh,
        Function::Rad => |value| value * std::f64::consts::PI / 180.0,
        Function::Deg => |value| value * 180.0 / std::f64::consts::PI,
        // NaN and both zeros stay what they are.
        Function::Sgn => |value| {
            if value < 0.0 {
                -1.0
            } else if value > 0.0 {
                1.0
            } else {
                value
            }
        },
        _ => return None,
    })
}

impl Context<'_> {
    /// All functions that look at more than one series.
    pub(super) fn call(
        &self,
        call: &Call,
        expr: &Expr,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        match call.function {
            Function::AbsentOverTime => self.absent_over_time(call, steps, notes),
            Function::Absent => {
                let present = self.present(&call.args[0], steps, notes)?;
                self.keep(absent(&call.args[0], &present, false))
            }
            Function::Vector => {
                let mut row = Row::empty(LabelSet::empty(), 0);
                row.values = self.scalar(&call.args[0], steps, notes)?;
                self.forget(row.values.len());
                self.keep(vec![row])
            }
            Function::LabelReplace => self.label_replace(call, steps, notes),
            Function::LabelJoin => self.label_join(call, steps, notes),
            Function::Sort | Function::SortDesc | Function::SortByLabel | Function::SortByLabelDesc => {
                self.sort(call, expr, steps, notes)
            }
            Function::HistogramQuantile => self.histogram_quantile(call, steps, notes),
            Function::HistogramQuantiles => self.histogram_quantiles(call, steps, notes),
            Function::HistogramFraction => self.histogram_fraction(call, steps, notes),
            function if call.args.is_empty() => match dates::function_of(function) {
                Some(date) => {
                    let mut row = Row::empty(LabelSet::empty(), 0);
                    row.values = steps.times().map(|time_ms| date(time_ms.div_euclid(1000) as f64)).collect();
                    self.keep(vec![row])
                }
                None => Err(unsupported(function.name())),
            },
            function => match call.args.iter().find_map(subquery_of) {
                Some(subquery) => self.subquery_call(call, subquery, steps, notes),
                None => Err(unsupported(function.name())),
            },
        }
    }

    /// At which steps there is any series.
    fn present(&self, expr: &Expr, steps: Steps, notes: &mut Annotations) -> Result<Vec<bool>, QueryError> {
        let mut all = vec![false; steps.count];
        let add = |present: &mut Vec<bool>, row: &Row| {
            present.iter_mut().enumerate().for_each(|(step, present)| *present |= row.has(step));
        };
        if let Some(pipeline) = self.pipeline(expr, steps, notes)? {
            pipeline.fold(
                self,
                notes,
                || vec![false; steps.count],
                |present, row, _| {
                    add(present, &row);
                    Ok(())
                },
                |part, _| {
                    all.iter_mut().zip(part).for_each(|(all, part)| *all |= part);
                    Ok(())
                },
            )?;
        } else {
            let rows = self.vector(expr, steps, notes)?;
            rows.iter().for_each(|row| add(&mut all, row));
            self.release(&rows);
        }
        Ok(all)
    }

    fn absent_over_time(
        &self,
        call: &Call,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        // Present is what it is the opposite of.
        let present = Call { function: Function::PresentOverTime, args: call.args.clone() };
        let span = call.args[0].span.clone();
        let present = Expr { kind: ExprKind::Call(present), span };
        let present = self.present(&present, steps, notes)?;
        self.keep(absent(&call.args[0], &present, true))
    }
}

fn subquery_of(arg: &Expr) -> Option<&crate::ast::Subquery> {
    match &arg.without_parens().kind {
        ExprKind::Subquery(subquery) => Some(subquery),
        _ => None,
    }
}

/// 1 where nothing is, with the labels that a selector asks for by `=`.
fn absent(arg: &Expr, present: &[bool], drop_name: bool) -> Vec<Row> {
    let matchers: &[Matcher] = match &arg.without_parens().kind {
        ExprKind::Vector(selector) => &selector.matchers,
        ExprKind::Matrix(matrix) => &matrix.selector.matchers,
        _ => &[],
    };
    let asks = |name: &str| matchers.iter().filter(|matcher| matcher.name() == name).count();
    let equal = matchers.iter().filter(|matcher| {
        matcher.op() == MatchOp::Equal && matcher.name() != METRIC_NAME && asks(matcher.name()) == 1
    });
    let labels = LabelSet::new(equal.map(|matcher| (matcher.name(), matcher.value())));
    let mut row = Row::empty(labels.unwrap_or_else(|_| LabelSet::empty()), 0);
    row.values = present.iter().map(|present| if *present { none() } else { 1.0 }).collect();
    row.drop_name = drop_name;
    vec![row]
}
