//! Aggregations: many series become one for each group, or few of each group are kept.

mod cells;
mod pick;
mod values;

use std::collections::HashMap;

use telemetry::{LabelSet, METRIC_NAME};

use super::Context;
use super::annotations::Annotations;
use super::budget::{Budget, Pace};
use super::range_call::quantile_out_of_range;
use super::rows::{Row, Steps};
use crate::QueryError;
use crate::ast::{Aggregate, AggregateOp, Expr, ExprKind};
use cells::Cells;

/// Which labels groups share.
pub(super) struct Grouping<'e> {
    labels: &'e [String],
    without: bool,
}

impl<'e> Grouping<'e> {
    fn of(aggregate: &'e Aggregate) -> Self {
        Self { labels: &aggregate.labels, without: aggregate.without }
    }

    /// The labels of a series' group.
    pub(super) fn key(&self, labels: &LabelSet) -> LabelSet {
        let listed = |name: &str| self.labels.iter().any(|label| label == name);
        if self.without {
            return labels.filtered(|name| name != METRIC_NAME && !listed(name));
        }
        if self.labels.is_empty() {
            return LabelSet::empty();
        }
        labels.filtered(listed)
    }

    /// The same as canonical bytes.
    fn key_bytes(&self, labels: &LabelSet, key: &mut Vec<u8>) {
        key.clear();
        if !self.without && self.labels.is_empty() {
            return;
        }
        let mut rest = labels.iter();
        loop {
            let before = rest.as_bytes();
            let Some((name, _)) = rest.next() else { return };
            let is_listed = self.labels.iter().any(|label| label == name);
            let stays = if self.without { name != METRIC_NAME && !is_listed } else { is_listed };
            if stays {
                key.extend_from_slice(&before[..before.len() - rest.as_bytes().len()]);
            }
        }
    }
}

impl Context<'_> {
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        match aggregate.op {
            AggregateOp::CountValues => self.count_values(aggregate, steps, notes),
            AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk | AggregateOp::LimitRatio => {
                self.pick(aggregate, steps, notes)
            }
            AggregateOp::Quantile => self.quantile(aggregate, steps, notes),
            _ => self.accumulate(aggregate, steps, notes),
        }
    }

    /// `sum` and its kin. Series of the store go into the groups one by one and are forgotten.
    fn accumulate(
        &self,
        aggregate: &Aggregate,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let grouping = Grouping::of(aggregate);
        let new = || Groups {
            aggregate,
            steps,
            places: HashMap::new(),
            groups: Vec::new(),
            bytes: 0,
            key: Vec::new(),
        };
        let mut all = new();
        if let Some(mut pipeline) = self.pipeline(&aggregate.expr, steps, notes)? {
            if matches!(aggregate.op, AggregateOp::Count | AggregateOp::Group) {
                pipeline = pipeline.for_presence(grouping.without || !grouping.labels.is_empty());
            }
            pipeline.fold(
                self,
                notes,
                new,
                |groups, row, notes| groups.add(&grouping, &row, &self.budget, notes),
                |part, notes| all.merge(part, &self.budget, notes),
            )?;
        } else {
            let rows = self.vector(&aggregate.expr, steps, notes)?;
            let pace = Pace::default();
            for row in &rows {
                pace.work(&self.budget, steps.count)?;
                all.add(&grouping, row, &self.budget, notes)?;
            }
            self.release(&rows);
        }
        self.keep(all.finish(&self.budget, notes))
    }

    /// A value of the scalar parameter for each step.
    fn scalar_param(
        &self,
        aggregate: &Aggregate,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<f64>, QueryError> {
        match &aggregate.param {
            Some(param) => self.scalar(param, steps, notes),
            None => Err(QueryError::Execution(format!("{} needs a parameter", aggregate.op.as_str()))),
        }
    }

    fn quantile(
        &self,
        aggregate: &Aggregate,
        steps: Steps,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let quantiles = self.scalar_param(aggregate, steps, notes)?;
        for q in quantiles.iter().filter(|q| !(0.0..=1.0).contains(*q)) {
            let span = aggregate.param.as_ref().map_or(0..0, |param| param.span.clone());
            notes.warn(&span, quantile_out_of_range(*q));
        }
        let rows = self.vector(&aggregate.expr, steps, notes)?;
        if rows.iter().any(|row| !row.histograms.is_empty()) {
            notes.info(&aggregate.expr.span, "ignored histogram in quantile aggregation");
        }
        let members = members(&Grouping::of(aggregate), &rows);
        let mut results = Vec::new();
        for (labels, members) in members {
            results.push(self.quantiles(labels, &rows, &members, &quantiles)?);
        }
        results.retain(|row| !row.is_empty());
        self.forget(quantiles.len());
        self.release(&rows);
        self.keep(results)
    }
}

/// The groups, and which rows are in them, both in the order of the rows.
fn members(grouping: &Grouping<'_>, rows: &[Row]) -> Vec<(LabelSet, Vec<usize>)> {
    let mut places: HashMap<LabelSet, usize> = HashMap::new();
    let mut groups: Vec<(LabelSet, Vec<usize>)> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let key = grouping.key(&row.labels);
        let place = *places.entry(key).or_insert_with_key(|key| {
            groups.push((key.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(index);
    }
    groups
}

/// Groups that grow by a series at a time.
struct Groups<'e> {
    aggregate: &'e Aggregate,
    steps: Steps,
    /// By the canonical bytes of their labels.
    places: HashMap<Box<[u8]>, usize>,
    groups: Vec<Group>,
    /// Counted against the memory limit.
    bytes: usize,
    /// The group that is looked up.
    key: Vec<u8>,
}

struct Group {
    labels: LabelSet,
    drop_name: bool,
    cells: Cells,
}

impl Groups<'_> {
    fn add(
        &mut self,
        grouping: &Grouping<'_>,
        row: &Row,
        budget: &Budget,
        notes: &mut Annotations,
    ) -> Result<(), QueryError> {
        let span = &self.aggregate.expr.span;
        grouping.key_bytes(&row.labels, &mut self.key);
        let place = match self.places.get(&*self.key) {
            Some(place) => *place,
            None => self.place(LabelSet::of_canonical(&self.key), budget)?,
        };
        let group = &mut self.groups[place];
        group.drop_name |= row.drop_name;
        let before = group.cells.histogram_bytes();
        group.cells.add(row, span, notes);
        let grown = group.cells.histogram_bytes().saturating_sub(before);
        self.bytes += grown;
        budget.take(grown)
    }

    fn place(&mut self, labels: LabelSet, budget: &Budget) -> Result<usize, QueryError> {
        if let Some(place) = self.places.get(labels.as_bytes()) {
            return Ok(*place);
        }
        let cells = Cells::new(self.aggregate.op, self.steps.count);
        let bytes = cells.bytes() + 2 * labels.as_bytes().len() + size_of::<Group>();
        budget.take(bytes)?;
        self.bytes += bytes;
        self.places.insert(labels.as_bytes().into(), self.groups.len());
        self.groups.push(Group { labels, drop_name: false, cells });
        Ok(self.groups.len() - 1)
    }

    fn merge(&mut self, other: Self, budget: &Budget, notes: &mut Annotations) -> Result<(), QueryError> {
        let span = &self.aggregate.expr.span;
        for group in other.groups {
            let place = self.place(group.labels, budget)?;
            let mine = &mut self.groups[place];
            mine.drop_name |= group.drop_name;
            let before = mine.cells.histogram_bytes();
            mine.cells.merge(group.cells, span, notes);
            let grown = mine.cells.histogram_bytes().saturating_sub(before);
            self.bytes += grown;
            budget.take(grown)?;
        }
        budget.give_back(other.bytes);
        Ok(())
    }

    fn finish(self, budget: &Budget, notes: &mut Annotations) -> Vec<Row> {
        let span = &self.aggregate.expr.span;
        let rows = self.groups.into_iter().map(|group| {
            let mut row = Row::empty(group.labels, self.steps.count);
            row.drop_name = group.drop_name;
            group.cells.finish(&mut row, span, notes);
            row
        });
        let rows = rows.filter(|row| !row.is_empty()).collect();
        budget.give_back(self.bytes);
        rows
    }
}

/// The text parameter of `count_values`.
fn text_param(param: Option<&Expr>) -> &str {
    match param.map(|param| &param.without_parens().kind) {
        Some(ExprKind::String(text)) => text,
        _ => "",
    }
}
