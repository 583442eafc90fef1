//! Columns of a block as queries read them.

use std::ops::Range;
use std::sync::Arc;

use telemetry::Value;

use super::reader::Tables;
use super::{TraceId, plain};
use crate::split::coded::Coded;

/// Which rows of a block are which trace's.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    pub(super) ids: Vec<TraceId>,
    /// The row behind each trace's last.
    pub(super) ends: Vec<u32>,
}

impl Traces {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, trace: usize) -> &TraceId {
        &self.ids[trace]
    }

    pub(crate) fn rows(&self, trace: usize) -> Range<usize> {
        let start = trace.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[trace] as usize
    }

    /// The place of the row's trace.
    pub(crate) fn of_row(&self, row: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= row)
    }
}

/// The parents of a block's spans.
#[derive(Debug, Default)]
pub(crate) struct Parents {
    pub(super) ids: Vec<[u8; 8]>,
}

impl Parents {
    /// `None` for spans without one.
    pub(crate) fn get(&self, row: usize) -> Option<[u8; 8]> {
        Some(self.ids[row]).filter(|id| *id != [0; 8])
    }
}

/// The names of a block's spans.
#[derive(Debug)]
pub(crate) struct Names {
    pub(super) tables: Arc<Tables>,
    /// Numbers in [`Tables::names`], or one more than the last for names that have none.
    pub(super) codes: Coded<u32>,
    /// Names without number, "" for others.
    pub(super) others: Vec<String>,
}

impl Names {
    pub(crate) fn get(&self, row: usize) -> &str {
        match self.tables.names.get(*self.codes.get(row) as usize) {
            Some(name) => name,
            None => &self.others[row],
        }
    }

    /// Those of `rows`, which ascend, whose name is wanted.
    pub(crate) fn select(&self, rows: Vec<u32>, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let names = &self.tables.names;
        let mut rows =
            self.codes.select(rows, |code| names.get(*code as usize).is_none_or(|name| wanted(name)));
        if !self.others.is_empty() {
            rows.retain(|row| {
                let has_number = (*self.codes.get(*row as usize) as usize) < names.len();
                has_number || wanted(&self.others[*row as usize])
            });
        }
        rows
    }
}

/// Texts of a block, one per row.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    texts: Vec<String>,
}

impl Texts {
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        Self { texts: texts.map(str::to_owned).collect() }
    }

    /// "" for none.
    pub(crate) fn get(&self, row: usize) -> &str {
        &self.texts[row]
    }

    /// Those of `rows`, which ascend, whose text is wanted.
    pub(crate) fn select(&self, mut rows: Vec<u32>, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        rows.retain(|row| wanted(self.get(*row as usize)));
        rows
    }
}

/// What the rows of a block have under a path of attributes.
#[derive(Debug)]
pub(crate) struct Attribute {
    /// Whole attribute fields of spans, and the path in them.
    pub(super) path: String,
    pub(super) rows: Arc<plain::Rows>,
}

impl Attribute {
    pub(crate) fn get(&self, row: usize) -> Option<Value<'_>> {
        plain::value_at(self.rows.span(row).attributes(), &self.path)
    }

    /// Those of `rows`, which ascend, whose value `matches`, or, where there is none, the row `passes`.
    pub(crate) fn select(
        &self,
        mut rows: Vec<u32>,
        matches: impl Fn(&Value<'_>) -> bool,
        passes: impl Fn(usize) -> bool,
    ) -> Vec<u32> {
        rows.retain(|row| match self.get(*row as usize) {
            Some(value) => matches(&value),
            None => passes(*row as usize),
        });
        rows
    }

    /// The different values, if they are few, and each row's.
    pub(crate) fn coded(&self) -> Option<&Coded<crate::split::rest::Given>> {
        None
    }
}

/// The names of the events of a block's spans.
#[derive(Debug, Default)]
pub(crate) struct EventNames {
    pub(super) names: Vec<Vec<String>>,
}

impl EventNames {
    /// The names of a span's events, in order.
    pub(crate) fn of(&self, row: usize) -> impl Iterator<Item = &str> {
        self.names[row].iter().map(String::as_str)
    }

    /// Those of `rows`, which ascend, with an event whose name is wanted.
    pub(crate) fn select(&self, mut rows: Vec<u32>, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        rows.retain(|row| self.of(*row as usize).any(&wanted));
        rows
    }
}

/// A block with all its columns.
#[derive(Debug)]
pub(crate) struct WholeBlock {
    pub(super) rows: Arc<plain::Rows>,
}

impl WholeBlock {
    /// Appends the row's `Span` message: equal to the one that was written (fields of one number keep their order).
    pub(crate) fn write_span(&self, row: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.rows.span(row).raw);
    }

    /// The row's number in [`Tables::streams`].
    pub(crate) fn stream(&self, row: usize) -> u32 {
        self.rows.streams[row]
    }

    pub(crate) fn seq(&self, row: usize) -> u64 {
        self.rows.seqs[row]
    }

    pub(crate) fn time_ns(&self, row: usize) -> i64 {
        self.rows.times[row]
    }
}
