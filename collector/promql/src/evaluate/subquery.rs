//! Subqueries: an expression at the multiples of a step, as samples of a range.

use super::annotations::Annotations;
use super::rows::{Row, Steps};
use super::time::Reference;
use super::window::Samples;
use super::{Context, check_steps};
use crate::QueryError;
use crate::ast::{Call, Subquery};

impl Context<'_> {
    /// The rows of the expression, and at which times they are.
    pub(super) fn subquery(
        &self,
        subquery: &Subquery,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<(Vec<Row>, Steps), QueryError> {
        let range_ms = self.query.positive_ms(&subquery.range)?;
        let step_ms = match &subquery.step {
            Some(step) => self.query.positive_ms(step)?,
            None => self.evaluation.default_step_ms.max(1),
        };
        let reference = Reference::of(&subquery.time, &self.query)?;
        // The first multiple of the step that is after the start of the first window.
        let before = reference.time(steps.start_ms).saturating_sub(range_ms);
        let start_ms = (before.div_euclid(step_ms) + 1).saturating_mul(step_ms);
        let inner = Steps::new(start_ms, reference.time(steps.end_ms()), step_ms);
        check_steps(inner)?;
        Ok((self.vector(&subquery.expr, inner, notes)?, inner))
    }

    /// A function of a subquery.
    pub(super) fn subquery_call(
        &self,
        call: &Call,
        subquery: &Subquery,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let (rows, inner) = self.subquery(subquery, steps, notes)?;
        let range_ms = self.query.positive_ms(&subquery.range)?;
        let reference = Reference::of(&subquery.time, &self.query)?;
        let range_call = self.range_call(call, range_ms, reference, steps, notes)?;
        let mut results = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if index % 64 == 0 {
                self.budget.check()?;
            }
            let samples = Samples::of_row(row, |step| inner.time(step));
            let mut result = range_call.row(row.labels.clone(), &samples, steps, &self.budget, notes)?;
            result.drop_name |= row.drop_name;
            if !result.is_empty() {
                self.budget.take(result.bytes())?;
                results.push(result);
            }
        }
        self.release(&rows);
        self.forget(range_call.numbers());
        Ok(results)
    }
}
