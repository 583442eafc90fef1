//! `topk`, `bottomk`, `limitk` and `limit_ratio`: some series of each group are kept as they are.

use std::cmp::Ordering;

use super::{Context, Grouping, members};
use crate::QueryError;
use crate::ast::{Aggregate, AggregateOp};
use crate::evaluate::annotations::Annotations;
use crate::evaluate::budget::Pace;
use crate::evaluate::numbers::general;
use crate::evaluate::rows::{Row, Steps, is_some};

impl Context<'_> {
    pub(super) fn pick(
        &self,
        aggregate: &Aggregate,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let params = self.scalar_param(aggregate, steps, notes)?;
        let rows = self.vector(&aggregate.expr, steps, notes)?;
        check_params(aggregate, &params, notes)?;
        let by_value = matches!(aggregate.op, AggregateOp::Topk | AggregateOp::Bottomk);
        let used = match aggregate.op {
            AggregateOp::LimitRatio => params.iter().any(|ratio| *ratio != 0.0),
            _ => params.iter().any(|k| *k >= 1.0),
        };
        if by_value && used && rows.iter().any(|row| !row.histograms.is_empty()) {
            let span = self.aggregate_span(aggregate);
            notes.info(&span, format!("ignored histogram in {} aggregation", aggregate.op.as_str()));
        }
        let groups = members(&Grouping::of(aggregate), &rows);
        let marks = rows.len() * steps.count;
        self.budget.take(marks)?;
        let mut picked = Picked::new(&rows, steps);
        let pace = Pace::default();
        for (step, param) in params.iter().enumerate() {
            for (_, members) in &groups {
                pace.work(&self.budget, members.len())?;
                picked.pick(aggregate.op, *param, members, step);
            }
        }
        let Picked { order, kept, .. } = picked;
        self.release(&rows);
        self.forget(params.len());
        self.budget.give_back(marks);
        let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
        let results = order.into_iter().filter_map(|index| {
            let mut row = rows[index].take()?;
            row.retain(|step| kept[index * steps.count + step]);
            Some(row)
        });
        self.keep(results.collect())
    }
}

fn check_params(aggregate: &Aggregate, params: &[f64], notes: &mut Annotations) -> Result<(), QueryError> {
    let is_ratio = aggregate.op == AggregateOp::LimitRatio;
    if params.iter().any(|param| param.is_nan()) {
        let what = if is_ratio { "Ratio" } else { "Parameter" };
        return Err(QueryError::Execution(format!("{what} value is NaN")));
    }
    let span = aggregate.param.as_ref().map_or(0..0, |param| param.span.clone());
    for param in params {
        if is_ratio && param.abs() > 1.0 {
            let (got, capped) = (general(*param), param.signum());
            notes.warn(
                &span,
                format!("ratio value should be between -1 and 1, got {got}, capping to {}", general(capped)),
            );
        }
        if !is_ratio && param.abs() >= i64::MAX as f64 {
            let how = if *param > 0.0 { "overflows" } else { "underflows" };
            return Err(QueryError::Execution(format!("Scalar value {} {how} int64", general(*param))));
        }
    }
    Ok(())
}

/// Which cells stay.
struct Picked<'r> {
    rows: &'r [Row],
    steps: usize,
    /// By row, then by step.
    kept: Vec<bool>,
    /// The rows of which something stays, in the order in which they were picked first.
    order: Vec<usize>,
    seen: Vec<bool>,
}

impl<'r> Picked<'r> {
    fn new(rows: &'r [Row], steps: Steps) -> Self {
        let kept = vec![false; rows.len() * steps.count];
        Self { rows, steps: steps.count, kept, order: Vec::new(), seen: vec![false; rows.len()] }
    }

    fn pick(&mut self, op: AggregateOp, param: f64, members: &[usize], step: usize) {
        let rows = self.rows;
        match op {
            AggregateOp::LimitRatio => {
                for index in members.iter().filter(|index| rows[**index].has(step)) {
                    if is_in_ratio(param, rows[*index].labels.hash64()) {
                        self.keep(*index, step);
                    }
                }
            }
            AggregateOp::Limitk => {
                let present = members.iter().filter(|index| rows[**index].has(step));
                present.take(count(param)).for_each(|index| self.keep(*index, step));
            }
            _ => {
                let value = |index: usize| rows[index].values[step];
                let mut present: Vec<usize> =
                    members.iter().copied().filter(|index| is_some(value(*index))).collect();
                let is_top = op == AggregateOp::Topk;
                present.sort_by(|a, b| order(value(*a), value(*b), is_top));
                present.iter().take(count(param)).for_each(|index| self.keep(*index, step));
            }
        }
    }

    fn keep(&mut self, index: usize, step: usize) {
        self.kept[index * self.steps + step] = true;
        if !self.seen[index] {
            self.seen[index] = true;
            self.order.push(index);
        }
    }
}

fn count(param: f64) -> usize {
    if param < 1.0 { 0 } else { param as usize }
}

/// The best first, NaN last.
fn order(a: f64, b: f64, is_top: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) if is_top => b.partial_cmp(&a).unwrap_or(Ordering::Equal),
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (is_nan, other) => is_nan.cmp(&other),
    }
}

/// Whether a series is among a ratio of all; a negative one takes those that `1 + ratio` leaves out.
fn is_in_ratio(ratio: f64, hash: u64) -> bool {
    let place = (hash >> 11) as f64 / (1u64 << 53) as f64;
    if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio }
}
