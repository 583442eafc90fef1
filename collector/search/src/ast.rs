//! A query as a tree, in its one normal form: what parsing gives, and printing gives back.

use crate::{Field, FieldMatch, TextMatch};

/// Which records, and what to make of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What a record must fulfil.
    pub filter: Expr,
    /// At most one `stats` or `top`, then at most one `limit`.
    pub stages: Vec<Stage>,
}

/// A condition on a record. Made by [`Expr::and`], [`Expr::or`] and [`Expr::not`], it is in normal form:
/// no `And` inside of an `And`, no `Or` inside of an `Or`, at least two children, no double `Not`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// Every record.
    All,
    /// All of these hold.
    And(Vec<Expr>),
    /// One of these holds.
    Or(Vec<Expr>),
    /// This does not hold; a missing field fulfils it.
    Not(Box<Expr>),
    /// The body contains this text.
    Text(TextMatch),
    /// A field is as asked.
    Field(FieldMatch),
}

/// A step after the filter. A new one is a variant here, a file in `parse/` and a line in its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `stats …`.
    Stats(Stats),
    /// `top 10 field`.
    Top(Top),
    /// `limit 20`: at most so many records, or rows of the table.
    Limit(usize),
}

/// `stats count() as n by (field, bin(1m))`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// What to compute; at least one.
    pub measures: Vec<Measure>,
    /// What to group by, in the order of the columns.
    pub by: Vec<Group>,
}

/// One computed column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// How.
    pub function: Function,
    /// Its name after `as`.
    pub name: Option<String>,
}

/// What `stats` can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `count()`: how many records.
    Count,
}

/// What records are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// A field's value.
    Field(Field),
    /// `bin(1m)`: the time, rounded down to a multiple of this many ns since 1970.
    Bin {
        /// More than 0.
        width_ns: i64,
    },
}

/// The most frequent values of a field: by count, then by value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// How many of them.
    pub count: usize,
    /// Whose values.
    pub field: Field,
}

impl Query {
    /// The `stats` or `top` stage.
    pub fn aggregation(&self) -> Option<&Stage> {
        self.stages.iter().find(|stage| !matches!(stage, Stage::Limit(_)))
    }

    /// The number after `limit`.
    pub fn limit(&self) -> Option<usize> {
        self.stages.iter().find_map(|stage| match stage {
            Stage::Limit(count) => Some(*count),
            _ => None,
        })
    }
}

impl Expr {
    /// All of them.
    pub fn and(children: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for child in children {
            match child {
                Self::All => {}
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::All,
            1 => flat.remove(0),
            _ => Self::And(flat),
        }
    }

    /// Any of them; no children at all match nothing.
    pub fn or(children: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for child in children {
            match child {
                Self::All => return Self::All,
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::All.not(),
            1 => flat.remove(0),
            _ => Self::Or(flat),
        }
    }

    /// The opposite.
    #[allow(clippy::should_implement_trait)]
    pub fn not(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The conditions that must all hold: an `And`'s children, or the expression itself.
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(children) => children,
            Self::All => &[],
            other => std::slice::from_ref(other),
        }
    }
}

impl Function {
    /// Every function, as the parser and its messages know them.
    pub const EVERY: [(&'static str, Self); 1] = [("count", Self::Count)];

    /// Its name in a query.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
        }
    }
}

impl Measure {
    /// The column's name: after `as`, or as `count()`.
    pub fn column(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{}()", self.function.name()))
    }
}

impl Group {
    /// The column's name; a bin's is `time`.
    pub fn column(&self) -> String {
        match self {
            Self::Field(field) => field.name(),
            Self::Bin { .. } => "time".to_owned(),
        }
    }
}
