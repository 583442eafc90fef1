//! The answer of `stats` and `top`: named columns and rows of cells.

use std::cmp::Ordering;

use serde::Serialize;

use crate::Number;

/// Rows in their final order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What each cell of a row means.
    pub columns: Vec<Column>,
    /// As many cells per row as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// A column's heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// As the query names it.
    pub name: String,
    /// What its cells hold.
    pub kind: ColumnKind,
}

/// What a column's cells hold; any of them can be `Null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Text, and numbers where attributes have both.
    String,
    /// Numbers only.
    Number,
    /// Times only.
    Time,
}

/// One value of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The record has no such field.
    Null,
    /// Text.
    Text(String),
    /// A number.
    Number(Number),
    /// The start of a time bin, ns since 1970.
    Time(i64),
}

impl Cell {
    /// Numbers, then times, then text by code point, nulls last.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let rank = |cell: &Self| match cell {
            Self::Number(_) => 0,
            Self::Time(_) => 1,
            Self::Text(_) => 2,
            Self::Null => 3,
        };
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(*b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}
