//! The order of an instant vector.

use std::cmp::Ordering;

use telemetry::LabelSet;

use super::annotations::Annotations;
use super::rows::{Row, Steps, bytes_of, is_some};
use super::{Context, text};
use crate::QueryError;
use crate::ast::{Call, Expr, Function};

impl Context<'_> {
    pub(super) fn sort(
        &self,
        call: &Call,
        expr: &Expr,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        if !steps.is_one() {
            let text = "sort is ineffective for range queries since results are always ordered by labels";
            notes.warn(&expr.span, text);
        }
        let mut rows = self.vector(&call.args[0], steps, notes)?;
        let by_label = matches!(call.function, Function::SortByLabel | Function::SortByLabelDesc);
        let descending = matches!(call.function, Function::SortDesc | Function::SortByLabelDesc);
        if by_label {
            let labels: Vec<String> = call.args[1..].iter().map(text).collect();
            rows.sort_by(|a, b| {
                let order = by_labels(&labels, &a.labels, &b.labels);
                if descending { order.reverse() } else { order }
            });
            return Ok(rows);
        }
        let before = bytes_of(&rows);
        for row in &mut rows {
            row.histograms.clear();
        }
        if steps.is_one() {
            rows.retain(|row| is_some(row.values[0]));
            rows.sort_by(|a, b| by_value(a.values[0], b.values[0], descending));
        }
        self.budget.change(before, bytes_of(&rows))?;
        Ok(rows)
    }
}

/// NaN is last in both directions.
fn by_value(a: f64, b: f64, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => {
            let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
        (is_nan, other) => is_nan.cmp(&other),
    }
}

fn by_labels(names: &[String], a: &LabelSet, b: &LabelSet) -> Ordering {
    let differing =
        names.iter().map(|name| natural(a.get(name).unwrap_or_default(), b.get(name).unwrap_or_default()));
    differing.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.cmp(b))
}

/// Numbers in a text by their value: `node2` before `node10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a, b);
    loop {
        let (Some(x), Some(y)) = (chunk(&mut a_rest), chunk(&mut b_rest)) else {
            return a_rest.len().cmp(&b_rest.len()).then_with(|| a.cmp(b));
        };
        let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
        let order = if is_number(x) && is_number(y) {
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            x.cmp(y)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The digits, or the other characters, that a text begins with.
fn chunk<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let first = rest.chars().next()?.is_ascii_digit();
    let end = rest.find(|c: char| c.is_ascii_digit() != first).unwrap_or(rest.len());
    let (part, after) = rest.split_at(end);
    *rest = after;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_count() {
        let mut texts = ["node10", "node2", "4m1000", "4m5", "", "node2a", "node02"];
        texts.sort_by(|a, b| natural(a, b));
        assert_eq!(texts, ["", "4m5", "4m1000", "node02", "node2", "node2a", "node10"]);
    }
}
