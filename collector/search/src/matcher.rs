//! Whether a record fulfils a filter: the one evaluator for head, splits and naive scans.

use telemetry::Value;

use crate::{Expr, Field, FieldMatch, Row, SpanField, Test};

impl Expr {
    /// Whether a record fulfils the condition. Of several conditions the cheap ones are looked at first.
    pub fn matches<R: Row>(&self, row: &R) -> bool {
        match self {
            Self::All => true,
            Self::And(children) => by_cost(children).all(|child| child.matches(row)),
            Self::Or(children) => by_cost(children).any(|child| child.matches(row)),
            Self::Not(child) => !child.matches(row),
            Self::Text(text) => text.matches(&row.body()),
            Self::Field(asked) => asked.matches(row),
        }
    }
}

impl FieldMatch {
    /// Whether a record's field passes.
    pub fn matches<R: Row>(&self, row: &R) -> bool {
        match (&self.field, &self.test) {
            (Field::Severity, Test::Severity(range)) => range.contains(row.severity()),
            (Field::Severity, Test::Exists) => row.severity() != 0,
            (Field::TraceId, Test::Id(id)) => row.trace_id().is_some_and(|trace| id.matches(&trace)),
            (Field::TraceId, Test::Exists) => row.trace_id().is_some(),
            (Field::SpanId, Test::Id(id)) => row.span_id().is_some_and(|span| id.matches(&span)),
            (Field::SpanId, Test::Exists) => row.span_id().is_some(),
            (Field::Pattern, Test::Id(id)) => {
                let is_it = |pattern: Option<u64>| pattern.is_some_and(|one| id.matches(&one.to_be_bytes()));
                is_it(row.pattern()) || is_it(row.pattern_alone())
            }
            (Field::Pattern, Test::Exists) => row.pattern().is_some(),
            (Field::Span(SpanField::ParentId), Test::Id(id)) => {
                row.parent_id().is_some_and(|parent| id.matches(&parent))
            }
            (Field::Span(SpanField::ParentId), Test::Exists) => row.parent_id().is_some(),
            (Field::Span(SpanField::Event), _) => {
                row.any_event(&mut |name| self.matches_value(&Value::Str(name)))
            }
            (Field::Severity, _) => false,
            (field, _) if field.is_id() => false,
            _ => row.field(&self.field).is_some_and(|value| self.matches_value(&value)),
        }
    }
}

/// The cost classes, cheapest first: numbers in the record's head, a field, a group, the text of the body, a
/// regular expression.
const COSTS: std::ops::Range<u8> = 0..5;

fn by_cost(children: &[Expr]) -> impl Iterator<Item = &Expr> {
    COSTS.flat_map(|class| children.iter().filter(move |child| cost(child) == class))
}

fn cost(expr: &Expr) -> u8 {
    match expr {
        Expr::All => 0,
        Expr::Field(FieldMatch { test: Test::Regex(_), .. }) => 4,
        Expr::Field(asked) => match asked.field {
            Field::Severity | Field::TraceId | Field::SpanId | Field::Pattern => 0,
            Field::Span(field) => match field {
                SpanField::Kind | SpanField::Status | SpanField::Duration => 0,
                SpanField::ParentId | SpanField::Root => 0,
                SpanField::Name | SpanField::StatusMessage => 1,
                SpanField::Event => 2,
            },
            _ => 1,
        },
        Expr::Not(child) => cost(child),
        Expr::And(_) | Expr::Or(_) => 2,
        Expr::Text(_) => 3,
    }
}
