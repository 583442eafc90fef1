//! `quantile` and `count_values`: aggregations that need all values of a step.

use std::collections::HashMap;

use telemetry::LabelSet;

use super::{Context, Grouping, text_param};
use crate::QueryError;
use crate::ast::Aggregate;
use crate::evaluate::annotations::Annotations;
use crate::evaluate::budget::Pace;
use crate::evaluate::numbers::plain;
use crate::evaluate::over_time::quantile;
use crate::evaluate::rows::{Cell, Row, Steps, is_some};

impl Context<'_> {
    /// The quantile of some rows at each step.
    pub(super) fn quantiles(
        &self,
        labels: LabelSet,
        rows: &[Row],
        members: &[usize],
        quantiles: &[f64],
    ) -> Result<Row, QueryError> {
        let mut result = Row::empty(labels, quantiles.len());
        let (pace, mut values) = (Pace::default(), Vec::with_capacity(members.len()));
        for (step, cell) in result.values.iter_mut().enumerate() {
            pace.work(&self.budget, members.len())?;
            values.clear();
            values.extend(
                members.iter().map(|index| rows[*index].values[step]).filter(|value| is_some(*value)),
            );
            if !values.is_empty() {
                *cell = quantile(quantiles[step], &mut values);
            }
        }
        result.drop_name = members.iter().any(|index| rows[*index].drop_name);
        Ok(result)
    }

    pub(super) fn count_values(
        &self,
        aggregate: &Aggregate,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let label = text_param(aggregate.param.as_ref());
        // What is not UTF-8 in the query has become U+FFFD.
        if label.is_empty() || label.contains('\u{fffd}') {
            let written = self.text_of(aggregate.param.as_ref());
            return Err(QueryError::Execution(format!("invalid label name {written}")));
        }
        let mut by = aggregate.labels.clone();
        if !aggregate.without {
            by.push(label.to_owned());
        }
        let grouping = Grouping { labels: &by, without: aggregate.without };
        let rows = self.vector(&aggregate.expr, steps, notes)?;
        let mut places: HashMap<LabelSet, usize> = HashMap::new();
        let mut results: Vec<Row> = Vec::new();
        let pace = Pace::default();
        for row in &rows {
            let mut before: Option<(String, usize)> = None;
            for step in 0..steps.count {
                pace.work(&self.budget, 16)?;
                let text = match row.cell(step) {
                    Cell::Empty => continue,
                    Cell::Float(value) => plain(value),
                    Cell::Histogram(native) => native.to_string(),
                };
                let place = match before.take() {
                    Some((same, place)) if same == text => place,
                    _ => {
                        let key = grouping.key(&row.labels.with(label, &text));
                        if let Some(place) = places.get(&key) {
                            *place
                        } else {
                            let result = Row::empty(key.clone(), steps.count);
                            self.budget.take(result.bytes())?;
                            places.insert(key, results.len());
                            results.push(result);
                            results.len() - 1
                        }
                    }
                };
                let cell = &mut results[place].values[step];
                *cell = if is_some(*cell) { *cell + 1.0 } else { 1.0 };
                before = Some((text, place));
            }
        }
        self.release(&rows);
        Ok(results)
    }
}
