//! Answers that are no records: named columns and rows of cells, and what the stages behind `stats` do to them.

use std::cmp::Ordering;

use serde::Serialize;

use crate::{Number, SortKey, Stage};

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

impl Table {
    /// Carries out `sort`, `fields` and `limit`.
    pub(crate) fn apply(&mut self, stage: &Stage) {
        match stage {
            Stage::Limit(count) => self.rows.truncate(*count),
            Stage::Sort(keys) => self.sort(keys),
            Stage::Fields(names) => self.select(names),
            Stage::Stats(_) | Stage::Top(_) | Stage::Patterns => {}
        }
    }

    /// Equal rows stay in their order.
    fn sort(&mut self, keys: &[SortKey]) {
        let place = |key: &SortKey| Some((self.place(&key.name)?, key.descending));
        let keys: Vec<(usize, bool)> = keys.iter().filter_map(place).collect();
        self.rows.sort_by(|a, b| {
            let orders = keys.iter().map(|(column, down)| a[*column].compare_sorted(&b[*column], *down));
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
    }

    fn select(&mut self, names: &[String]) {
        let places: Vec<usize> = names.iter().filter_map(|name| self.place(name)).collect();
        self.columns = places.iter().map(|place| self.columns[*place].clone()).collect();
        for row in &mut self.rows {
            *row = places.iter().map(|place| row[*place].clone()).collect();
        }
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }
}

impl ColumnKind {
    /// Of a column with these cells.
    pub(crate) fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let mut cells = cells.filter(|cell| **cell != Cell::Null).peekable();
        let numbers = cells.peek().is_some() && cells.all(|cell| matches!(cell, Cell::Number(_)));
        if numbers { Self::Number } else { Self::String }
    }
}

impl Cell {
    /// In a sorted column: nulls last, whatever the direction.
    pub(crate) fn compare_sorted(&self, other: &Self, descending: bool) -> Ordering {
        let nulls = (*self == Self::Null).cmp(&(*other == Self::Null));
        nulls.then_with(|| if descending { other.compare(self) } else { self.compare(other) })
    }

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
