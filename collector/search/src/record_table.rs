//! Records as rows of a table, and in another order than that of time: `fields` and `sort` without `stats`.

use std::cmp::Ordering;

use crate::aggregate::group_cell;
use crate::{Cell, Column, ColumnKind, Field, Group, Query, Row, SortKey, Table};

/// What a name in `fields` and `sort` means of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordColumn {
    /// `timestamp`: the effective time.
    Time,
    /// Any other name.
    Field(Field),
}

/// The table of a `fields` stage.
#[derive(Clone, Debug)]
pub struct RecordTable {
    names: Vec<String>,
    columns: Vec<RecordColumn>,
    rows: Vec<Vec<Cell>>,
}

/// The order of a `sort` stage over records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSort {
    keys: Vec<(RecordColumn, bool)>,
}

/// What a record is sorted by. Only those of one sort compare in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortValue {
    cells: Vec<(Cell, bool)>,
}

impl RecordColumn {
    /// What a name means; `None` where nothing is named.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "timestamp" | "@timestamp" => Some(Self::Time),
            _ => Field::named(name).map(Self::Field),
        }
    }

    /// What a name means of a span; `None` for what spans don't have.
    pub fn of_span(name: &str) -> Option<Self> {
        match Self::named(name)? {
            Self::Time => Some(Self::Time),
            Self::Field(_) => Field::of_span(name).map(Self::Field),
        }
    }

    /// The column's name.
    pub fn name(&self) -> String {
        match self {
            Self::Time => "timestamp".to_owned(),
            Self::Field(field) => field.name(),
        }
    }

    /// A record's cell in this column.
    pub fn cell<R: Row>(&self, row: &R) -> Cell {
        match self {
            Self::Time => Cell::Time(row.time_ns()),
            Self::Field(field) => group_cell(&Group::Field(field.clone()), row),
        }
    }
}

impl RecordTable {
    /// For the query's `fields`; `None` if it has none, or has them behind `stats` or `top`.
    pub fn of(query: &Query) -> Option<Self> {
        Some(Self::with(query.fields()?.to_vec(), RecordColumn::named))
    }

    /// For a query for spans: its `fields`, or `usual` ones where it only has a `sort`; `None` if it has neither,
    /// or has them behind `stats` or `top`.
    pub fn of_spans(query: &Query, usual: &[&str]) -> Option<Self> {
        let names = match (query.fields(), query.sort()) {
            (Some(names), _) => names.to_vec(),
            (None, Some(_)) => usual.iter().map(|name| (*name).to_owned()).collect(),
            (None, None) => return None,
        };
        Some(Self::with(names, RecordColumn::of_span))
    }

    fn with(names: Vec<String>, meaning: impl Fn(&str) -> Option<RecordColumn>) -> Self {
        let columns = names.iter().filter_map(|name| meaning(name)).collect();
        Self { names, columns, rows: Vec::new() }
    }

    /// A record's cells, for a row that is added later.
    pub fn cells<R: Row>(&self, row: &R) -> Vec<Cell> {
        self.columns.iter().map(|column| column.cell(row)).collect()
    }

    /// Adds cells that [`Self::cells`] gave as the last row.
    pub fn add_cells(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Adds a record as the last row.
    pub fn add<R: Row>(&mut self, row: &R) {
        self.rows.push(self.cells(row));
    }

    /// The table.
    pub fn finish(self) -> Table {
        let kind = |index: usize| match &self.columns[index] {
            RecordColumn::Time => ColumnKind::Time,
            RecordColumn::Field(_) => ColumnKind::of(self.rows.iter().map(|row| &row[index])),
        };
        let names = self.names.iter().enumerate();
        let columns = names.map(|(index, name)| Column { name: name.clone(), kind: kind(index) }).collect();
        Table { columns, rows: self.rows }
    }
}

impl RecordSort {
    /// For the query's `sort`; `None` if it has none, or has it behind `stats` or `top`.
    pub fn of(query: &Query) -> Option<Self> {
        Self::with(query, RecordColumn::named)
    }

    /// As [`Self::of`], for a query for spans.
    pub fn of_spans(query: &Query) -> Option<Self> {
        Self::with(query, RecordColumn::of_span)
    }

    fn with(query: &Query, meaning: impl Fn(&str) -> Option<RecordColumn>) -> Option<Self> {
        let key = |key: &SortKey| Some((meaning(&key.name)?, key.descending));
        Some(Self { keys: query.sort()?.iter().filter_map(key).collect() })
    }

    /// Whether it is by time first, and the greatest first: then no value of a record matters.
    pub fn by_time(&self) -> Option<bool> {
        match self.keys.first() {
            Some((RecordColumn::Time, descending)) if self.keys.len() == 1 => Some(*descending),
            _ => None,
        }
    }

    /// What is asked of each record.
    pub fn columns(&self) -> impl Iterator<Item = &RecordColumn> {
        self.keys.iter().map(|(column, _)| column)
    }

    /// What a record is sorted by.
    pub fn value<R: Row>(&self, row: &R) -> SortValue {
        SortValue { cells: self.keys.iter().map(|(column, down)| (column.cell(row), *down)).collect() }
    }
}

impl SortValue {
    /// About how many bytes of memory it takes.
    pub fn size_bytes(&self) -> usize {
        let text = |cell: &Cell| if let Cell::Text(text) = cell { text.capacity() } else { 0 };
        self.cells.iter().map(|(cell, _)| size_of::<(Cell, bool)>() + text(cell)).sum()
    }
}

impl Ord for SortValue {
    fn cmp(&self, other: &Self) -> Ordering {
        let orders =
            self.cells.iter().zip(&other.cells).map(|((a, down), (b, _))| a.compare_sorted(b, *down));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for SortValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
