//! Goes through one source of rows: a piece of the head, or a split.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use search::{Aggregation, Expr, Group, Row, group_cell};

use super::attribute;
use super::best::Best;
use super::block::{BlockRows, Columns, Rows};
use super::collect::{Grouped, Hits, Partial, Place, Sink};
use super::patterns::BlockPlace;
use super::plan::{Compiler, Node, Verdict};
use super::rows::{HeadView, Needs};
use super::{Order, Request};
use crate::SearchError;
use crate::head::Chunk;
use crate::key::RowKey;
use crate::partition::Pinned;
use crate::patterns::book::Book;
use crate::split::{ReadError, SplitReader};

/// What every scan of a query shares.
pub(super) struct Query<'q> {
    pub(super) filter: &'q Expr,
    pub(super) range: Range,
    pub(super) order: Order,
    pub(super) limits: &'q Limits,
    /// The patterns, where the query asks for them.
    pub(super) book: Option<&'q Book>,
}

/// A range of times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) start_ns: i64,
    /// Exclusive; the last of all times stands for no end.
    pub(crate) end_ns: i64,
}

impl Range {
    /// Whether something between these times can be in it.
    pub(crate) fn overlaps(self, min_time_ns: i64, max_time_ns: i64) -> bool {
        max_time_ns >= self.start_ns && (min_time_ns < self.end_ns || self.end_ns == i64::MAX)
    }
}

/// When a query has to stop.
pub(crate) struct Limits {
    pub(crate) deadline: Option<Instant>,
    pub(crate) max_memory_bytes: usize,
    /// Nobody waits for the answer any more, or another scan failed.
    pub(crate) cancelled: AtomicBool,
}

impl Limits {
    pub(crate) fn of(request: &Request) -> Arc<Self> {
        Arc::new(Self {
            deadline: request.deadline,
            max_memory_bytes: request.max_memory_bytes,
            cancelled: AtomicBool::new(false),
        })
    }

    /// As a query for spans has them.
    pub(crate) fn until(deadline: Option<Instant>, max_memory_bytes: usize) -> Arc<Self> {
        Arc::new(Self { deadline, max_memory_bytes, cancelled: AtomicBool::new(false) })
    }

    /// Ends all scans of the query.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn check(&self) -> Result<(), SearchError> {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        match late || self.cancelled.load(Ordering::Relaxed) {
            true => Err(SearchError::Timeout),
            false => Ok(()),
        }
    }

    pub(crate) fn check_size(&self, size_bytes: usize, what: &'static str) -> Result<(), SearchError> {
        match size_bytes > self.max_memory_bytes {
            true => Err(SearchError::TooLarge { what, cap_bytes: self.max_memory_bytes }),
            false => Ok(()),
        }
    }
}

/// Ends what a query runs when nobody waits for its answer any more.
pub(crate) struct CancelOnDrop(pub(crate) Arc<Limits>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }
}

/// Why a scan ended early.
pub(crate) enum Stop {
    /// The source cannot be read; the others can.
    Source(ReadError),
    /// The whole query ends.
    Query(SearchError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Source(error)
    }
}

impl<E: Into<SearchError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Query(error.into())
    }
}

impl Query<'_> {
    fn contains(&self, time_ns: i64) -> bool {
        self.range.overlaps(time_ns, time_ns)
    }

    /// Scans chunks of the head.
    pub(super) fn scan_head(
        &self,
        partition: u16,
        chunks: &[Arc<Chunk>],
        out: &mut Partial,
    ) -> Result<(), Stop> {
        for chunk in chunks {
            self.limits.check()?;
            out.searched += chunk.rows.len() as u64;
            out.explain.head_rows += chunk.rows.len() as u64;
            for row in 0..chunk.rows.len() {
                let view = HeadView::new(chunk, row).with(self.book);
                if self.contains(view.time_ns()) && self.filter.matches(&view) {
                    out.matched += 1;
                    self.take_head_row(partition, &view, out)?;
                }
            }
            if let Sink::Patterns(gather) = &out.sink {
                self.limits.check_size(gather.size_bytes(), "patterns")?;
            }
            out.sink.check_size(self.limits)?;
        }
        if let Sink::Patterns(gather) = &mut out.sink {
            gather.end_file();
        }
        Ok(())
    }

    fn take_head_row(&self, partition: u16, view: &HeadView<'_>, out: &mut Partial) -> Result<(), Stop> {
        match &mut out.sink {
            Sink::Hits(hits) => {
                let key = RowKey { time_ns: view.time_ns(), partition, seq: view.chunk.seq(view.row) };
                hits.offer(key, || Place::Head(view.chunk.clone(), view.row as u32));
            }
            Sink::Best(best) => {
                let key = RowKey { time_ns: view.time_ns(), partition, seq: view.chunk.seq(view.row) };
                let value = best.sort.value(view);
                best.offer(value, key, || Place::Head(view.chunk.clone(), view.row as u32));
                self.limits.check_size(best.size_bytes(), "the values to sort by")?;
            }
            Sink::Table(table) => table.add(view)?,
            Sink::Histogram(counts) => counts.add(view.time_ns(), view.severity(), 1),
            Sink::Fields(counts) => counts.add(view),
            Sink::Patterns(gather) => gather.head_row(partition, view),
        }
        Ok(())
    }

    /// Scans a split.
    pub(super) fn scan_split(
        &self,
        partition: u16,
        pinned: &Arc<Pinned>,
        out: &mut Partial,
    ) -> Result<(), Stop> {
        let split = pinned.open()?;
        out.explain.splits += 1;
        let node = Node::compile(self.filter, &mut Compiler::new(&split, self.book, self.limits))?;
        let mut scan = SplitScan {
            query: self,
            partition,
            pinned,
            split: &split,
            node: &node,
            grouped: Grouped::default(),
        };
        let count = split.footer.blocks.len();
        for place in 0..count {
            self.limits.check()?;
            let block = match self.order {
                Order::Newest => count - 1 - place,
                Order::Oldest => place,
            };
            scan.block(block, out)?;
            self.limits.check_size(scan.grouped.size_bytes(), "the groups of a split")?;
        }
        let SplitScan { grouped, .. } = scan;
        match &mut out.sink {
            Sink::Table(table) => grouped.finish(&split.streams()?, table)?,
            Sink::Patterns(gather) => gather.end_file(),
            Sink::Hits(_) | Sink::Best(_) | Sink::Histogram(_) | Sink::Fields(_) => {}
        }
        Ok(())
    }
}

/// The times of a bin, as `search` has it: the first and the last one may be cut off.
fn bin_of(time_ns: i64, width_ns: i64) -> std::ops::Range<i64> {
    let within = time_ns.rem_euclid(width_ns);
    time_ns.saturating_sub(within)..time_ns.saturating_add(width_ns - within)
}

struct SplitScan<'a> {
    query: &'a Query<'a>,
    partition: u16,
    pinned: &'a Arc<Pinned>,
    split: &'a SplitReader,
    node: &'a Node<'a>,
    grouped: Grouped,
}

impl SplitScan<'_> {
    fn block(&mut self, block: usize, out: &mut Partial) -> Result<(), Stop> {
        let meta = self.split.block(block);
        out.explain.blocks += 1;
        if !self.query.range.overlaps(meta.min_time_ns, meta.max_time_ns) {
            out.explain.outside += 1;
            return Ok(());
        }
        out.searched += u64::from(meta.rows);
        let verdict = self.node.judge(self.split, block)?;
        if verdict == Verdict::None {
            return Ok(out.explain.ruled_out.add(self.node, self.split, block)?);
        }
        let whole = self.query.contains(meta.min_time_ns) && self.query.contains(meta.max_time_ns);
        if whole && verdict == Verdict::All && self.take_block(block, out) {
            out.explain.by_statistics += 1;
            return Ok(());
        }
        if whole
            && self.wants_count(block, out)
            && let Some(count) = self.node.count(self.split, block)?
        {
            self.take_count(count, out);
            out.explain.by_statistics += 1;
            return Ok(());
        }
        out.explain.read += 1;
        out.explain.read_rows += u64::from(meta.rows);
        let rows = if whole { (0..meta.rows).collect() } else { self.rows_in_range(block)? };
        let rows = match verdict {
            Verdict::All => rows,
            _ => BlockRows::new(self.split, block).select(self.node, rows)?,
        };
        out.matched += rows.len() as u64;
        self.take_rows(block, &rows, out)
    }

    /// Whether it makes no difference which rows of the block match.
    fn wants_count(&self, block: usize, out: &Partial) -> bool {
        let meta = self.split.block(block);
        match &out.sink {
            Sink::Hits(hits) => !hits.wants_times(meta.min_time_ns, meta.max_time_ns),
            Sink::Table(table) => table.by().is_empty() && table.counts_only(),
            Sink::Best(_) | Sink::Histogram(_) | Sink::Fields(_) | Sink::Patterns(_) => false,
        }
    }

    fn take_count(&mut self, count: u64, out: &mut Partial) {
        out.matched += count;
        if matches!(out.sink, Sink::Table(_)) && count > 0 {
            self.grouped.add(0, 0, 0, count);
        }
    }

    /// Times ascend in a block.
    fn rows_in_range(&self, block: usize) -> Result<Rows, ReadError> {
        let times = self.split.times(block)?;
        let range = self.query.range;
        let start = times.partition_point(|time| *time < range.start_ns);
        let end = times.partition_point(|time| *time < range.start_ns || range.overlaps(*time, *time));
        Ok((start as u32..end as u32).collect())
    }

    /// Takes all rows of a block by its statistics, where they say enough.
    fn take_block(&mut self, block: usize, out: &mut Partial) -> bool {
        let meta = self.split.block(block);
        let taken = match &mut out.sink {
            Sink::Hits(hits) => !hits.wants_times(meta.min_time_ns, meta.max_time_ns),
            Sink::Best(_) => false,
            Sink::Histogram(counts) => counts.add_block(meta.min_time_ns, meta.max_time_ns, &meta.severities),
            Sink::Fields(_) => false,
            Sink::Table(table) => {
                let width = Grouped::bin_width(table);
                let bin = |time_ns: i64| width.map_or(0, |width| bin_of(time_ns, width).start);
                let (needs, columns) = Grouped::needs(table);
                let known =
                    columns && !needs.has(Needs::STREAM) && bin(meta.min_time_ns) == bin(meta.max_time_ns);
                if known {
                    let counts = meta.severities.iter().enumerate().filter(|(_, count)| **count > 0);
                    counts.for_each(|(severity, count)| {
                        let severity = if needs.has(Needs::SEVERITY) { severity as u8 } else { 0 };
                        self.grouped.add(0, severity, bin(meta.min_time_ns), u64::from(*count));
                    });
                }
                known
            }
            Sink::Patterns(_) => false,
        };
        if taken {
            out.matched += u64::from(meta.rows);
        }
        taken
    }

    fn take_rows(&mut self, block: usize, rows: &[u32], out: &mut Partial) -> Result<(), Stop> {
        if rows.is_empty() {
            return Ok(());
        }
        match &mut out.sink {
            Sink::Hits(hits) => Ok(self.take_hits(block, rows, hits)?),
            Sink::Best(best) => {
                self.take_best(block, rows, best)?;
                Ok(self.query.limits.check_size(best.size_bytes(), "the values to sort by")?)
            }
            Sink::Histogram(counts) => {
                let (times, severities) = (self.split.times(block)?, self.split.severities(block)?);
                rows.iter()
                    .for_each(|row| counts.add(times[*row as usize], *severities.get(*row as usize), 1));
                Ok(())
            }
            Sink::Fields(counts) => {
                counts.take_rows(self.split, block, rows, self.query.book)?;
                Ok(self.query.limits.check_size(counts.size_bytes(), "the values of fields")?)
            }
            Sink::Table(table) => {
                let (needs, by_columns) = Grouped::needs(table);
                if by_columns {
                    let width = Grouped::bin_width(table);
                    return Ok(self.count_rows(block, rows, needs, width)?);
                }
                if self.count_values(block, rows, table)? {
                    return Ok(());
                }
                let columns = Columns::read(self.split, block, needs, self.query.book)?;
                let mut scratch = Vec::new();
                for row in rows {
                    table.add(&columns.view(*row as usize, &mut scratch))?;
                }
                Ok(())
            }
            Sink::Patterns(gather) => {
                let (partition, pinned, split) = (self.partition, self.pinned, self.split);
                let limits = self.query.limits;
                gather.rows(BlockPlace { partition, pinned, split, block }, rows, limits)?;
                limits.check_size(gather.size_bytes(), "patterns")?;
                Ok(())
            }
        }
    }

    fn take_hits(&self, block: usize, rows: &[u32], hits: &mut Hits) -> Result<(), ReadError> {
        let meta = self.split.block(block);
        if !hits.wants_times(meta.min_time_ns, meta.max_time_ns) {
            return Ok(());
        }
        let (times, seqs) = (self.split.times(block)?, self.split.seqs(block)?);
        let mut offer = |row: u32| {
            let (time_ns, seq) = (times[row as usize], seqs[row as usize]);
            let key = RowKey { time_ns, partition: self.partition, seq };
            hits.offer(key, || Place::Split(self.pinned.clone(), block as u32, row))
        };
        match self.query.order {
            Order::Newest => rows.iter().rev().all(|row| offer(*row)),
            Order::Oldest => rows.iter().all(|row| offer(*row)),
        };
        Ok(())
    }

    fn take_best(&self, block: usize, rows: &[u32], best: &mut Best) -> Result<(), ReadError> {
        let columns = Columns::read(self.split, block, best.needs(), self.query.book)?;
        let (times, seqs) = (self.split.times(block)?, self.split.seqs(block)?);
        let mut scratch = Vec::new();
        for row in rows {
            let (time_ns, seq) = (times[*row as usize], seqs[*row as usize]);
            let key = RowKey { time_ns, partition: self.partition, seq };
            let value = best.sort.value(&columns.view(*row as usize, &mut scratch));
            best.offer(value, key, || Place::Split(self.pinned.clone(), block as u32, *row));
        }
        Ok(())
    }

    /// Counts rows by one attribute; false if that takes their records, or the table wants more of them.
    fn count_values(&self, block: usize, rows: &[u32], table: &mut Aggregation) -> Result<bool, Stop> {
        let [group @ Group::Field(field)] = table.by() else { return Ok(false) };
        if !table.counts_only() {
            return Ok(false);
        }
        let (group, field) = (group.clone(), field.clone());
        attribute::tally(self.split, block, rows, &field, |row, count| {
            Ok(table.add_count(&[group_cell(&group, row)], count)?)
        })
    }

    fn count_rows(
        &mut self,
        block: usize,
        rows: &[u32],
        needs: Needs,
        width: Option<i64>,
    ) -> Result<(), ReadError> {
        let severities = needs.has(Needs::SEVERITY).then(|| self.split.severities(block)).transpose()?;
        let streams = needs.has(Needs::STREAM).then(|| self.split.row_streams(block)).transpose()?;
        let Some(width) = width else {
            self.grouped.add_rows(0, rows, streams.as_deref(), severities.as_deref());
            return Ok(());
        };
        // Times ascend: a bin is divided out once for the rows in it.
        let times = self.split.times(block)?;
        let mut rest = rows;
        while let Some(first) = rest.first() {
            let bin = bin_of(times[*first as usize], width);
            let count = rest.partition_point(|row| bin.contains(&times[*row as usize]));
            // The very last time lies behind the bin that ends with it.
            let (within, behind) = rest.split_at(count.max(1));
            self.grouped.add_rows(bin.start, within, streams.as_deref(), severities.as_deref());
            rest = behind;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_at_the_ends_of_time_are_cut_off() {
        assert_eq!(bin_of(25, 10), 20..30);
        assert_eq!(bin_of(-25, 10), -30..-20);
        assert_eq!(bin_of(i64::MAX, 1000), 9_223_372_036_854_775_000..i64::MAX);
        let first = bin_of(i64::MIN, 1000);
        assert_eq!(first, i64::MIN..-9_223_372_036_854_775_000);
        assert_eq!(bin_of(first.end, 1000).start, first.end);
    }
}
