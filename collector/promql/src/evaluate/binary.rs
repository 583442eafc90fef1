//! Operators between two vectors: series find each other by their labels.

mod matching;
mod sets;

use std::collections::HashMap;
use std::ops::Range;

use telemetry::{LabelSet, METRIC_NAME};

use super::Context;
use super::annotations::Annotations;
use super::budget::Pace;
use super::operator::{Combined, cells, changes_meaning};
use super::rows::{Cell, Row, Steps, bytes_of, merge_equal, without_name};
use crate::QueryError;
use crate::ast::{Binary, Cardinality, Expr, VectorMatching};
use matching::{Group, Groups, match_labels};

impl Context<'_> {
    pub(super) fn binary(
        &self,
        binary: &Binary,
        expr: &Expr,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let matching = binary.matching.clone().unwrap_or_default();
        let left = self.vector(&binary.lhs, steps, notes)?;
        let right = self.vector(&binary.rhs, steps, notes)?;
        let used = bytes_of(&left) + bytes_of(&right);
        let (taken, results) = if binary.op.is_set() {
            // The rows are those of the operands.
            (used, sets::combine(binary.op, &matching, left, right))
        } else {
            let swapped = matching.cardinality == Cardinality::OneToMany;
            let (many, one) = if swapped { (right, left) } else { (left, right) };
            let (span, pace) = (&expr.span, Pace::default());
            let join = Join { context: self, binary, matching: &matching, span, swapped, steps, pace };
            let results = join.run(&many, &one, notes)?;
            (used + bytes_of(&results), results)
        };
        let results = merge_equal(results)?;
        self.budget.change(taken, bytes_of(&results))?;
        Ok(results)
    }
}

/// Arithmetic or a comparison. The left side is the one that may have many series in a group.
struct Join<'j> {
    context: &'j Context<'j>,
    binary: &'j Binary,
    matching: &'j VectorMatching,
    span: &'j Range<usize>,
    /// Whether "many" is on the right in the query.
    swapped: bool,
    steps: Steps,
    pace: Pace,
}

/// Which cells of a group have had a partner.
struct Matched {
    /// One to one: any. Many to one: by the labels of the result.
    by_labels: HashMap<LabelSet, Vec<bool>>,
    any: Vec<bool>,
    /// What `by_labels` takes.
    bytes: usize,
}

impl Join<'_> {
    fn run(&self, many: &[Row], one: &[Row], notes: &mut Annotations) -> Result<Vec<Row>, QueryError> {
        let groups = Groups::of(self.matching, many, one);
        let fills = self.fills();
        if one.is_empty() && fills.is_none() || many.is_empty() && fills.is_none() {
            return Ok(Vec::new());
        }
        self.check_one_side(&groups, many, one, fills.is_some())?;
        let mut results = Vec::new();
        for (index, group) in groups.groups.iter().enumerate() {
            if index % 64 == 0 {
                self.context.budget.check()?;
            }
            self.group(group, many, one, &mut results, notes)?;
        }
        Ok(results)
    }

    /// What stands for missing series: of "many", of "one". With `group_right` Prometheus takes `fill_left` for the
    /// side of "many" too, and so does this.
    fn fills(&self) -> Option<(Option<f64>, Option<f64>)> {
        let (many, one) = (self.matching.fill_left, self.matching.fill_right);
        (many.is_some() || one.is_some()).then_some((many, one))
    }

    fn work(&self, cells: usize) -> Result<(), QueryError> {
        self.pace.work(&self.context.budget, cells)
    }

    /// Two series of a group on the side of "one" must not have values at a time at which the other side has any.
    fn check_one_side(
        &self,
        groups: &Groups,
        many: &[Row],
        one: &[Row],
        always: bool,
    ) -> Result<(), QueryError> {
        let present = |step: usize| {
            self.work(many.len())?;
            Ok(always || many.iter().any(|row| row.has(step)))
        };
        let mut many_present: Option<Vec<bool>> = None;
        for group in groups.groups.iter().filter(|group| group.one.len() > 1) {
            let present = match many_present.take() {
                Some(present) => present,
                None => (0..self.steps.count).map(present).collect::<Result<_, QueryError>>()?,
            };
            let present = many_present.insert(present);
            for step in (0..self.steps.count).filter(|step| present[*step]) {
                self.work(group.one.len())?;
                let mut there = group.one.iter().filter(|index| one[**index].has(step));
                if let (Some(first), Some(second)) = (there.next(), there.next()) {
                    return Err(self.many_to_many(&one[*first].labels, &one[*second].labels));
                }
            }
        }
        Ok(())
    }

    fn many_to_many(&self, first: &LabelSet, second: &LabelSet) -> QueryError {
        let side = if self.swapped { "left" } else { "right" };
        let group = match_labels(self.matching, second);
        let mut texts = [first.to_string(), second.to_string()];
        texts.sort();
        QueryError::Execution(format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{}, {}];\
             many-to-many matching not allowed: matching labels must be unique on one side",
            texts[0], texts[1]
        ))
    }

    fn group(
        &self,
        group: &Group,
        many: &[Row],
        one: &[Row],
        results: &mut Vec<Row>,
        notes: &mut Annotations,
    ) -> Result<(), QueryError> {
        let (fill_many, fill_one) = self.fills().unwrap_or_default();
        let any = vec![false; self.steps.count];
        let mut matched = Matched { by_labels: HashMap::new(), any, bytes: 0 };
        let missing = match fill_one {
            Some(_) => self.missing(&group.one, one)?,
            None => Vec::new(),
        };
        for left in group.many.iter().map(|index| &many[*index]) {
            for right in group.one.iter().map(|index| &one[*index]) {
                results.extend(self.pair(left, right, &|step| right.has(step), &mut matched, notes)?);
            }
            if let Some(fill) = fill_one {
                let right = filled(match_labels(self.matching, &left.labels), fill, self.steps);
                results.extend(self.pair(left, &right, &|step| missing[step], &mut matched, notes)?);
            }
        }
        if let Some(fill) = fill_many {
            let found = matched.any.clone();
            for right in group.one.iter().map(|index| &one[*index]) {
                let left = filled(match_labels(self.matching, &right.labels), fill, self.steps);
                let alone = |step: usize| !found[step] && right.has(step);
                results.extend(self.pair(&left, right, &alone, &mut matched, notes)?);
            }
        }
        self.context.budget.give_back(matched.bytes);
        Ok(())
    }

    /// At which steps none of some rows has a value.
    fn missing(&self, members: &[usize], rows: &[Row]) -> Result<Vec<bool>, QueryError> {
        let missing = |step: usize| {
            self.work(members.len())?;
            Ok(!members.iter().any(|index| rows[*index].has(step)))
        };
        (0..self.steps.count).map(missing).collect()
    }

    /// One series of each side, at the steps at which the left one has a value and `is_wanted` says yes.
    fn pair(
        &self,
        left: &Row,
        right: &Row,
        is_wanted: &dyn Fn(usize) -> bool,
        matched: &mut Matched,
        notes: &mut Annotations,
    ) -> Result<Option<Row>, QueryError> {
        let mut row: Option<Row> = None;
        for step in 0..self.steps.count {
            self.work(1)?;
            let left_cell = left.cell(step);
            if matches!(left_cell, Cell::Empty) || !is_wanted(step) {
                continue;
            }
            let (mine, other) =
                if self.swapped { (right.cell(step), left_cell) } else { (left_cell, right.cell(step)) };
            let combined = cells(self.binary.op, mine, other, self.span, notes);
            if matches!(combined, Combined::Impossible) {
                continue;
            }
            let row = row.get_or_insert_with(|| {
                let mut row = Row::empty(self.result_labels(left, right), self.steps.count);
                row.drop_name = self.drops_name(left, right);
                row
            });
            self.claim(&row.labels, step, matched)?;
            set(row, step, combined, self.binary.return_bool);
        }
        let row = row.filter(|row| !row.is_empty());
        self.context.budget.take(row.as_ref().map_or(0, Row::bytes))?;
        Ok(row)
    }

    /// Whether the metric's name goes at the end: as it would from the side that it comes from.
    fn drops_name(&self, left: &Row, right: &Row) -> bool {
        let is_included = self.matching.include.iter().any(|name| name == METRIC_NAME);
        self.binary.return_bool || if is_included { right.drop_name } else { left.drop_name }
    }

    /// A group must not give two results for the same labels.
    fn claim(&self, labels: &LabelSet, step: usize, matched: &mut Matched) -> Result<(), QueryError> {
        if self.matching.cardinality == Cardinality::OneToOne {
            if matched.any[step] {
                return Err(QueryError::Execution(
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                        .into(),
                ));
            }
            matched.any[step] = true;
            return Ok(());
        }
        matched.any[step] = true;
        if !matched.by_labels.contains_key(labels) {
            let bytes = size_of::<(LabelSet, Vec<bool>)>() + labels.as_bytes().len() + self.steps.count;
            self.context.budget.take(bytes)?;
            matched.bytes += bytes;
            matched.by_labels.insert(labels.clone(), vec![false; self.steps.count]);
        }
        let claimed =
            matched.by_labels.get_mut(labels).map(|steps| std::mem::replace(&mut steps[step], true));
        if claimed == Some(true) {
            return Err(QueryError::Execution(
                "multiple matches for labels: grouping labels must ensure unique matches".into(),
            ));
        }
        Ok(())
    }

    fn result_labels(&self, left: &Row, right: &Row) -> LabelSet {
        let mut labels =
            if changes_meaning(self.binary.op) { without_name(&left.labels) } else { left.labels.clone() };
        if self.matching.cardinality == Cardinality::OneToOne {
            let listed = |name: &str| self.matching.labels.iter().any(|label| label == name);
            labels = labels.filtered(|name| listed(name) == self.matching.on);
        }
        for name in &self.matching.include {
            labels = labels.with(name, right.labels.get(name).unwrap_or_default());
        }
        labels
    }
}

fn set(row: &mut Row, step: usize, combined: Combined, return_bool: bool) {
    match combined {
        Combined::Float(_, keep) | Combined::Histogram(_, keep) if return_bool => {
            row.values[step] = f64::from(u8::from(keep));
        }
        Combined::Float(value, true) => row.values[step] = value,
        Combined::Histogram(native, true) => row.histograms.push((step as u32, native)),
        _ => {}
    }
}

fn filled(labels: LabelSet, value: f64, steps: Steps) -> Row {
    let mut row = Row::empty(labels, 0);
    row.values = vec![value; steps.count];
    row
}
