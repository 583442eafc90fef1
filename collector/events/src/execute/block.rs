//! Evaluates a condition on the rows of one block, decoding only the columns that
//! it comes to.

use std::sync::Arc;

use roaring::RoaringBitmap;
use search::{Expr, Field, FieldMatch};

use super::plan::{Check, Node};
use super::rows::{BlockView, Needs};
use crate::patterns::book::Book;
use crate::split::block::{BodyColumn, TraceColumn};
use crate::split::coded::Coded;
use crate::split::column::StringColumn;
use crate::split::record::Lifted;
use crate::split::rest::Attribute;
use crate::split::{ReadError, SplitReader, Stream};

/// Ascending row numbers inside of a block.
pub(super) type Rows = Vec<u32>;

/// A block of a split that is being evaluated.
pub(super) struct BlockRows<'a> {
    pub(super) split: &'a SplitReader,
    pub(super) block: usize,
    /// Rows of the split before this block.
    first_row: u32,
}

impl<'a> BlockRows<'a> {
    pub(super) fn new(split: &'a SplitReader, block: usize) -> Self {
        Self { split, block, first_row: split.block(block).first_row }
    }

    /// Those of `rows` that fulfil the condition.
    pub(super) fn select(&self, node: &Node<'_>, rows: Rows) -> Result<Rows, ReadError> {
        if rows.is_empty() {
            return Ok(rows);
        }
        Ok(match node {
            Node::All => rows,
            Node::And(children) => {
                let mut rows = rows;
                for child in children {
                    rows = self.select(child, rows)?;
                }
                rows
            }
            Node::Or(children) => {
                let (mut left, mut found) = (rows, Rows::new());
                for child in children {
                    let hits = self.select(child, left.clone())?;
                    left = without(&left, &hits);
                    found.extend(hits);
                }
                found.sort_unstable();
                found
            }
            Node::Not(child) => {
                let hits = self.select(child, rows.clone())?;
                without(&rows, &hits)
            }
            Node::Severity(wanted) => {
                let severities = self.split.severities(self.block)?;
                severities.select(rows, |severity| wanted[usize::from(*severity)])
            }
            Node::Streams(wanted) => {
                let streams = self.split.row_streams(self.block)?;
                streams.select(rows, |stream| wanted[*stream as usize])
            }
            Node::Trace(id) => {
                let with_id = self.split.traces(self.block)?.find(id);
                keep(rows, |row| with_id.binary_search(&(row as u32)).is_ok())
            }
            Node::Rows(proposed) => self.proposed(rows, proposed),
            Node::Text(text) => self.text(text, rows)?,
            Node::Check(check) => self.check(check, rows)?,
        })
    }

    fn proposed(&self, rows: Rows, proposed: &RoaringBitmap) -> Rows {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return rows };
        let wanted =
            proposed.range(self.first_row + first..=self.first_row + last).map(|row| row - self.first_row);
        if rows.len() as u32 == last - first + 1 {
            return wanted.collect();
        }
        let mut wanted = wanted.peekable();
        let mut rows = rows;
        rows.retain(|row| {
            while wanted.next_if(|next| next < row).is_some() {}
            wanted.peek() == Some(row)
        });
        rows
    }

    fn check(&self, check: &Check<'_>, rows: Rows) -> Result<Rows, ReadError> {
        let rows = match &check.proposed {
            Some(proposed) => self.proposed(rows, proposed),
            None => rows,
        };
        if rows.is_empty() {
            return Ok(rows);
        }
        if let Expr::Field(asked) = check.expr
            && let Field::Attribute(path) | Field::Any(path) = &asked.field
            && let Some(column) = self.split.attribute(self.block, path)?
        {
            return self.check_attribute(&column, check, asked, rows);
        }
        let columns = Columns::read(self.split, self.block, check.needs, check.book)?;
        let mut scratch = Vec::new();
        Ok(keep(rows, |row| check.expr.matches(&columns.view(row, &mut scratch))))
    }

    /// Looks at a single attribute's column instead of at whole records.
    fn check_attribute(
        &self,
        column: &Attribute,
        check: &Check<'_>,
        asked: &FieldMatch,
        rows: Rows,
    ) -> Result<Rows, ReadError> {
        let streams = match check.by_resource.iter().any(|passes| *passes) {
            true => Some(self.split.row_streams(self.block)?),
            false => None,
        };
        let passes = streams.map(|streams| move |row: usize| check.by_resource[*streams.get(row) as usize]);
        Ok(column.select(rows, |value| asked.matches_value(value), passes))
    }
}

pub(super) fn keep(mut rows: Rows, mut wanted: impl FnMut(usize) -> bool) -> Rows {
    rows.retain(|row| wanted(*row as usize));
    rows
}

/// `rows` less `hits`; both ascend.
fn without(rows: &[u32], hits: &[u32]) -> Rows {
    let mut hits = hits.iter().peekable();
    let left = rows.iter().filter(|row| {
        while hits.next_if(|hit| hit < row).is_some() {}
        hits.peek() != Some(row)
    });
    left.copied().collect()
}

/// The stream number of each row, and the streams.
type RowStreams = (Arc<Coded<u32>>, Arc<Vec<Stream>>);

/// Some columns of a block, to look at rows through.
pub(super) struct Columns<'b> {
    times: Option<Arc<Vec<i64>>>,
    severities: Option<Arc<Coded<u8>>>,
    streams: Option<RowStreams>,
    traces: Option<Arc<TraceColumn>>,
    bodies: Option<Arc<BodyColumn>>,
    shapes: Option<Arc<Vec<u8>>>,
    rests: Option<Arc<StringColumn>>,
    book: Option<&'b Book>,
}

impl<'b> Columns<'b> {
    pub(super) fn read(
        split: &SplitReader,
        block: usize,
        needs: Needs,
        book: Option<&'b Book>,
    ) -> Result<Self, ReadError> {
        let wanted = |column| needs.has(column).then_some(());
        Ok(Self {
            times: wanted(Needs::TIME).map(|()| split.times(block)).transpose()?,
            severities: wanted(Needs::SEVERITY).map(|()| split.severities(block)).transpose()?,
            streams: match wanted(Needs::STREAM) {
                Some(()) => Some((split.row_streams(block)?, split.streams()?)),
                None => None,
            },
            traces: wanted(Needs::TRACE).map(|()| split.traces(block)).transpose()?,
            bodies: wanted(Needs::BODY).map(|()| split.bodies(block)).transpose()?,
            shapes: wanted(Needs::SHAPE).map(|()| split.shapes(block)).transpose()?,
            rests: wanted(Needs::REST).map(|()| split.rests(block)).transpose()?,
            book,
        })
    }

    /// A row; its body may be put together in `scratch`.
    pub(super) fn view<'a>(&'a self, row: usize, scratch: &'a mut Vec<u8>) -> BlockView<'a> {
        BlockView {
            time_ns: self.times.as_ref().map_or(0, |times| times[row]),
            severity: self.severities.as_ref().map_or(0, |severities| *severities.get(row)),
            stream: self.streams.as_ref().map(|(numbers, streams)| &streams[*numbers.get(row) as usize]),
            trace: self.traces.as_ref().and_then(|traces| traces.get(row)),
            body: self.bodies.as_ref().map(|bodies| bodies.get(row, scratch)),
            has_body: self.has_body(row),
            rest: self.rests.as_ref().map_or(&[], |rests| rests.get(row)),
            book: self.book,
            ..BlockView::default()
        }
    }

    /// A body that is not lifted is kept raw, so an empty text that is not lifted is no body.
    fn has_body(&self, row: usize) -> bool {
        self.shapes.as_ref().is_some_and(|shapes| Lifted(shapes[row]).has(Lifted::BODY))
    }
}
