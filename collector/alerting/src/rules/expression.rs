//! What a rule asks: PromQL, or a search over logs whose table becomes a vector.

use promql::ast::{BinaryOp, ExprKind};
use search::{Cell, Number, Query, Stage, Table};
use telemetry::LabelSet;

use super::file::Kind;

/// A question that was understood.
#[derive(Clone, Debug)]
pub enum Expression {
    /// PromQL.
    Promql(promql::Expr),
    /// A search.
    Logs(LogsExpression),
}

/// `search | stats count() by service > 10`.
#[derive(Clone, Debug)]
pub struct LogsExpression {
    /// The search, which has a stage `stats` or `top`.
    pub query: Query,
    /// Which rows are wanted; `None`: all.
    pub threshold: Option<(Comparison, f64)>,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

/// A value that is compared with a number at the root of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// `>`.
    pub op: Comparison,
    /// The number.
    pub value: f64,
    /// What is compared with it, as it was written.
    pub query: String,
}

/// Longer ones first.
const COMPARISONS: [(&str, Comparison); 6] = [
    (">=", Comparison::GreaterOrEqual),
    ("<=", Comparison::LessOrEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    (">", Comparison::Greater),
    ("<", Comparison::Less),
];

impl Comparison {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        COMPARISONS.iter().find(|(_, op)| *op == self).map_or("", |(text, _)| *text)
    }

    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }

    /// With the sides exchanged.
    fn turned(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            other => other,
        }
    }
}

impl Expression {
    /// Reads what a group of this kind asks.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, String> {
        match kind {
            Kind::Promql => {
                let expr = promql::parse(text).map_err(|error| {
                    let (line, column) = place_in(text, error.span.start);
                    format!("{line}:{column}: {}", error.message)
                })?;
                Ok(Self::Promql(expr))
            }
            Kind::Logs => LogsExpression::parse(text).map(Self::Logs),
        }
    }

    /// What stands for an expression that was refused.
    pub(super) fn nothing() -> Self {
        let number = promql::ast::Number { value: 0.0, is_duration: false };
        Self::Promql(promql::Expr { kind: ExprKind::Number(number), span: 0..0 })
    }

    /// The number that the expression compares with at its root, for charts.
    pub fn threshold(&self, text: &str) -> Option<Threshold> {
        match self {
            Self::Promql(expr) => promql_threshold(expr, text),
            Self::Logs(logs) => {
                let (op, value) = logs.threshold?;
                let query = split_threshold(text).0.to_owned();
                Some(Threshold { op, value, query })
            }
        }
    }
}

fn promql_threshold(expr: &promql::Expr, text: &str) -> Option<Threshold> {
    let ExprKind::Binary(binary) = &expr.without_parens().kind else { return None };
    let op = match binary.op {
        BinaryOp::Greater => Comparison::Greater,
        BinaryOp::GreaterEqual => Comparison::GreaterOrEqual,
        BinaryOp::Less => Comparison::Less,
        BinaryOp::LessEqual => Comparison::LessOrEqual,
        BinaryOp::Equal => Comparison::Equal,
        BinaryOp::NotEqual => Comparison::NotEqual,
        _ => return None,
    };
    let number = |expr: &promql::Expr| match &expr.without_parens().kind {
        ExprKind::Number(number) => Some(number.value),
        _ => None,
    };
    let side = |expr: &promql::Expr| text.get(expr.span.clone()).unwrap_or_default().to_owned();
    match (number(&binary.lhs), number(&binary.rhs)) {
        (None, Some(value)) => Some(Threshold { op, value, query: side(&binary.lhs) }),
        (Some(value), None) => Some(Threshold { op: op.turned(), value, query: side(&binary.rhs) }),
        _ => None,
    }
}

impl LogsExpression {
    fn parse(text: &str) -> Result<Self, String> {
        let (search, threshold) = split_threshold(text);
        let query = search::parse(search).map_err(|error| {
            let bytes = search.char_indices().nth(error.span.start).map_or(search.len(), |(at, _)| at);
            let (line, column) = place_in(search, bytes);
            let hint = error.hint.map_or(String::new(), |hint| format!("; {hint}"));
            format!("{line}:{column}: {}{hint}", error.message)
        })?;
        match query.aggregation() {
            Some(Stage::Stats(stats))
                if stats.by.iter().any(|by| matches!(by, search::Group::Bin { .. })) =>
            {
                Err("a rule cannot group by bin(): it is asked once for its window".into())
            }
            Some(_) => Ok(Self { query, threshold }),
            None => Err("a rule over logs needs a table: add `| stats count() by (service)`".into()),
        }
    }

    /// The rows that pass, as the elements of a vector: text columns are labels, the last column of numbers is
    /// the value.
    pub fn vector(&self, table: &Table) -> Result<Vec<(LabelSet, f64)>, String> {
        let numbers = self.number_columns();
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let is_number = |name: &&str| numbers.iter().any(|number| number == name);
        let Some(value_at) = names.iter().rposition(is_number) else {
            return Err("the table has no column of numbers".into());
        };
        let mut vector = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            let Some(value) = row.get(value_at).and_then(number_of) else { continue };
            if self.threshold.is_some_and(|(op, bound)| !op.holds(value, bound)) {
                continue;
            }
            let labels = names.iter().zip(row).filter(|(name, _)| !is_number(name));
            let labels = labels.filter_map(|(name, cell)| Some((label_name(name), text_of(cell)?)));
            vector.push((LabelSet::new(labels).map_err(|error| error.to_string())?, value));
        }
        Ok(vector)
    }

    /// The columns that the stage computes.
    fn number_columns(&self) -> Vec<String> {
        match self.query.aggregation() {
            Some(Stage::Stats(stats)) => stats.measures.iter().map(search::Measure::column).collect(),
            Some(Stage::Top(top)) => top.columns().into_iter().skip(1).collect(),
            _ => Vec::new(),
        }
    }
}

/// The search, and the comparison with a number behind it.
fn split_threshold(text: &str) -> (&str, Option<(Comparison, f64)>) {
    let trimmed = text.trim_end();
    let Some((before, last)) = trimmed.rsplit_once(char::is_whitespace) else { return (text, None) };
    let Ok(value) = last.parse::<f64>() else { return (text, None) };
    let before = before.trim_end();
    for (sign, op) in COMPARISONS {
        if let Some(search) = before.strip_suffix(sign) {
            // Within the filter, `duration > 5` is a condition.
            if search.contains('|') && search.ends_with(|c: char| c.is_whitespace() || c == ')') {
                return (search.trim_end(), Some((op, value)));
            }
        }
    }
    (text, None)
}

fn number_of(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(Number::Int(number)) => Some(*number as f64),
        Cell::Number(Number::Double(number)) => Some(*number),
        _ => None,
    }
}

fn text_of(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) => Some(text.clone()),
        Cell::Number(number) => Some(number.to_string()),
        Cell::Time(ns) => Some(ns.to_string()),
    }
}

/// A column as a label that templates can name: `k8s.pod.name` is `k8s_pod_name`.
fn label_name(column: &str) -> String {
    let prefixes = ["attributes.", "resource."];
    let bare = prefixes.iter().find_map(|prefix| column.strip_prefix(prefix)).unwrap_or(column);
    let name: String = bare.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Line and column of a byte, from 1.
fn place_in(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
