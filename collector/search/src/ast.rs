//! A query as a tree, in its one normal form: what parsing gives, and printing gives back.

use crate::{Field, FieldMatch, TextMatch};

mod function;

pub use function::{Function, Quantile};

/// Which records, and what to make of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What a record must fulfil.
    pub filter: Expr,
    /// In an order that makes sense: `stats`, `top` or `patterns` is the first; behind `stats` and `top` stand
    /// steps on their table, in any order; a query for records has at most one `sort`, `fields` and `limit`
    /// each, the `sort` first.
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

/// A step after the filter. A new one is a variant here, a function in `parse/` and a line in its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `stats …`.
    Stats(Stats),
    /// `top 10 field`.
    Top(Top),
    /// `sort by a desc, b`: of records, by fields; of a table, by columns.
    Sort(Vec<SortKey>),
    /// `fields a, b`: a table of these fields, see [`crate::RecordColumn`]; of a table, these columns.
    Fields(Vec<String>),
    /// `limit 20`: at most so many records, or rows of the table.
    Limit(usize),
    /// `patterns`: the patterns of the records' bodies.
    Patterns,
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

/// What to sort by, and in which direction; what has no value comes last either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// A field or a column.
    pub name: String,
    /// The greatest first.
    pub descending: bool,
}

impl Query {
    /// The `stats` or `top` stage.
    pub fn aggregation(&self) -> Option<&Stage> {
        self.stages.first().filter(|stage| matches!(stage, Stage::Stats(_) | Stage::Top(_)))
    }

    /// Whether it asks for patterns instead of records.
    pub fn patterns(&self) -> bool {
        self.stages.first() == Some(&Stage::Patterns)
    }

    /// Whether a record's pattern makes a difference to the answer.
    pub fn asks_for_patterns(&self) -> bool {
        let of_name = |name: &String| Field::named(name) == Some(Field::Pattern);
        let in_stage = |stage: &Stage| match stage {
            Stage::Stats(stats) => {
                let inputs = stats.measures.iter().filter_map(|measure| measure.function.field());
                let groups = stats.by.iter().filter_map(|group| match group {
                    Group::Field(field) => Some(field),
                    Group::Bin { .. } => None,
                });
                inputs.chain(groups).any(|field| *field == Field::Pattern)
            }
            Stage::Top(top) => top.field == Field::Pattern,
            Stage::Sort(keys) => keys.iter().any(|key| of_name(&key.name)),
            Stage::Fields(names) => names.iter().any(of_name),
            Stage::Limit(_) | Stage::Patterns => false,
        };
        self.filter.asks_for_patterns() || self.stages.iter().any(in_stage)
    }

    /// What the records are sorted by; without it, or behind `stats` and `top`, nothing.
    pub fn sort(&self) -> Option<&[SortKey]> {
        self.of_records().find_map(|stage| match stage {
            Stage::Sort(keys) => Some(keys.as_slice()),
            _ => None,
        })
    }

    /// Which fields an answer of records has, where the query says so.
    pub fn fields(&self) -> Option<&[String]> {
        self.of_records().find_map(|stage| match stage {
            Stage::Fields(names) => Some(names.as_slice()),
            _ => None,
        })
    }

    /// The number after `limit`; of several the first.
    pub fn limit(&self) -> Option<usize> {
        self.stages.iter().find_map(|stage| match stage {
            Stage::Limit(count) => Some(*count),
            _ => None,
        })
    }

    fn of_records(&self) -> impl Iterator<Item = &Stage> {
        self.stages.iter().filter(|_| self.aggregation().is_none())
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

    /// Whether a condition is on the record's pattern.
    pub fn asks_for_patterns(&self) -> bool {
        match self {
            Self::And(children) | Self::Or(children) => children.iter().any(Self::asks_for_patterns),
            Self::Not(child) => child.asks_for_patterns(),
            Self::Field(asked) => asked.field == Field::Pattern,
            Self::All | Self::Text(_) => false,
        }
    }
}

impl Measure {
    /// The column's name: after `as`, or as `count()`.
    pub fn column(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.function.column())
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

impl Stats {
    /// The table's columns: groups, then functions.
    pub fn columns(&self) -> impl Iterator<Item = String> {
        self.by.iter().map(Group::column).chain(self.measures.iter().map(Measure::column))
    }
}

impl Top {
    /// The column of the counts.
    pub const COUNT: &str = "count";

    /// The table's columns.
    pub fn columns(&self) -> [String; 2] {
        [self.field.name(), Self::COUNT.to_owned()]
    }
}
