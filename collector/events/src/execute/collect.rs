//! What a query gathers from rows: the first records of a page, a table, or a
//! histogram. Each file of rows is gathered on its own and then merged, so that a
//! file that turns out damaged half-way leaves nothing behind.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use search::{Aggregation, Cell, Group, group_cell};

use super::best::Best;
use super::explain::Explain;
use super::facets::FieldCounts;
use super::patterns::Gather;
use super::plan::class_of;
use super::rows::{BlockView, Needs};
use super::scan::Limits;
use super::{Buckets, Order};
use crate::SearchError;
use crate::head::Chunk;
use crate::key::RowKey;
use crate::partition::Pinned;
use crate::split::Stream;
use crate::split::coded::Coded;
use crate::split::format::SEVERITIES;

/// Where a found record is.
#[derive(Clone)]
pub(super) enum Place {
    Head(Arc<Chunk>, u32),
    Split(Arc<Pinned>, u32, u32),
}

/// What is gathered, by kind of query.
#[derive(Clone)]
pub(super) enum Sink {
    /// The first records in order, at most so many, behind the cursor.
    Hits(Hits),
    /// The first records by the values of fields.
    Best(Best),
    /// `stats` and `top`.
    Table(Aggregation),
    /// Counts by time and severity class.
    Histogram(Counts),
    /// Counts by the values of some fields.
    Fields(FieldCounts),
    /// Counts by pattern.
    Patterns(Box<Gather>),
}

impl Sink {
    /// Whether it looks at the pattern of each record.
    pub(super) fn asks_for_patterns(&self) -> bool {
        matches!(self, Self::Fields(counts) if counts.asks_for_patterns())
    }

    /// Whether what grows with the rows is within the query's memory.
    pub(super) fn check_size(&self, limits: &Limits) -> Result<(), SearchError> {
        match self {
            Self::Best(best) => limits.check_size(best.size_bytes(), "the values to sort by"),
            Self::Table(table) => limits.check_size(table.size_bytes(), "the groups"),
            Self::Fields(counts) => limits.check_size(counts.size_bytes(), "the values of fields"),
            // Bounded by the page, by the buckets, and by themselves.
            Self::Hits(_) | Self::Histogram(_) | Self::Patterns(_) => Ok(()),
        }
    }
}

/// What was gathered from some rows.
pub(super) struct Partial {
    pub(super) sink: Sink,
    pub(super) matched: u64,
    pub(super) searched: u64,
    pub(super) explain: Explain,
}

impl Partial {
    pub(super) fn new(sink: Sink) -> Self {
        Self { sink, matched: 0, searched: 0, explain: Explain::default() }
    }

    pub(super) fn merge(&mut self, other: Self, limits: &Limits) -> Result<(), SearchError> {
        self.matched += other.matched;
        self.searched += other.searched;
        self.explain.merge(&other.explain);
        match (&mut self.sink, other.sink) {
            (Sink::Hits(own), Sink::Hits(other)) => own.merge(other),
            (Sink::Best(own), Sink::Best(other)) => own.merge(other),
            (Sink::Table(own), Sink::Table(other)) => own.merge(other)?,
            (Sink::Histogram(own), Sink::Histogram(other)) => own.merge(&other),
            (Sink::Fields(own), Sink::Fields(other)) => own.merge(other),
            (Sink::Patterns(own), Sink::Patterns(other)) => own.merge(*other),
            _ => {}
        }
        self.sink.check_size(limits)
    }
}

/// The first records of a page.
#[derive(Clone)]
pub(super) struct Hits {
    order: Order,
    limit: usize,
    /// Only rows behind this one.
    after: Option<RowKey>,
    /// Only rows before this one: others are known to come first.
    bound: Option<RowKey>,
    found: BTreeMap<RowKey, Place>,
}

impl Hits {
    pub(super) fn new(order: Order, limit: usize, after: Option<RowKey>) -> Self {
        Self { order, limit, after, bound: None, found: BTreeMap::new() }
    }

    /// An empty one for more rows: of those that cannot come into this page any more it takes none.
    pub(super) fn fork(&self) -> Self {
        let full = self.found.len() >= self.limit;
        let bound = if full { self.last() } else { self.bound };
        Self { bound, found: BTreeMap::new(), ..*self }
    }

    /// The row that would leave first.
    fn last(&self) -> Option<RowKey> {
        let last = match self.order {
            Order::Newest => self.found.first_key_value(),
            Order::Oldest => self.found.last_key_value(),
        };
        last.map(|(key, _)| *key)
    }

    fn precedes(&self, a: &RowKey, b: &RowKey) -> bool {
        match self.order {
            Order::Newest => a > b,
            Order::Oldest => a < b,
        }
    }

    /// Whether a row between these times could come onto the page.
    pub(super) fn wants_times(&self, min_time_ns: i64, max_time_ns: i64) -> bool {
        if self.limit == 0 {
            return false;
        }
        let before = |bound: RowKey| match self.order {
            Order::Newest => max_time_ns >= bound.time_ns,
            Order::Oldest => min_time_ns <= bound.time_ns,
        };
        let behind = |after: RowKey| match self.order {
            Order::Newest => min_time_ns <= after.time_ns,
            Order::Oldest => max_time_ns >= after.time_ns,
        };
        self.current_bound().is_none_or(before) && self.after.is_none_or(behind)
    }

    fn current_bound(&self) -> Option<RowKey> {
        if self.found.len() >= self.limit { self.last() } else { self.bound }
    }

    /// Offers a row; whether one that comes later in order could still be taken.
    pub(super) fn offer(&mut self, key: RowKey, place: impl FnOnce() -> Place) -> bool {
        if self.limit == 0 || self.current_bound().is_some_and(|bound| !self.precedes(&key, &bound)) {
            return false;
        }
        if self.after.is_none_or(|after| self.precedes(&after, &key)) {
            self.insert(key, place());
        }
        true
    }

    fn insert(&mut self, key: RowKey, place: Place) {
        self.found.insert(key, place);
        if self.found.len() > self.limit {
            match self.order {
                Order::Newest => self.found.pop_first(),
                Order::Oldest => self.found.pop_last(),
            };
        }
    }

    fn merge(&mut self, other: Self) {
        other.found.into_iter().for_each(|(key, place)| self.insert(key, place));
    }

    /// The records in order.
    pub(super) fn into_sorted(self) -> Vec<(RowKey, Place)> {
        let found = self.found.into_iter();
        match self.order {
            Order::Newest => found.rev().collect(),
            Order::Oldest => found.collect(),
        }
    }
}

/// Counts by severity class and time bucket.
#[derive(Clone)]
pub(super) struct Counts {
    pub(super) buckets: Buckets,
    pub(super) by_class: [Vec<u64>; 7],
}

impl Counts {
    pub(super) fn new(buckets: Buckets) -> Self {
        Self { buckets, by_class: std::array::from_fn(|_| vec![0; buckets.count]) }
    }

    pub(super) fn add(&mut self, time_ns: i64, severity: u8, count: u64) {
        if let Some(bucket) = self.buckets.of(time_ns) {
            self.by_class[class_of(severity)][bucket] += count;
        }
    }

    /// Adds a block's rows if they all lie in one bucket.
    pub(super) fn add_block(
        &mut self,
        min_time_ns: i64,
        max_time_ns: i64,
        severities: &[u32; SEVERITIES],
    ) -> bool {
        // One that begins before the first bucket and ends behind the last has rows in all of them.
        let bucket = self.buckets.of(min_time_ns);
        if bucket.is_none() || bucket != self.buckets.of(max_time_ns) {
            return false;
        }
        for (severity, count) in severities.iter().enumerate() {
            self.add(min_time_ns, severity as u8, u64::from(*count));
        }
        true
    }

    fn merge(&mut self, other: &Self) {
        for (own, other) in self.by_class.iter_mut().zip(&other.by_class) {
            own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
        }
    }
}

/// Counts groups by what columns say, and hands them to the aggregation together:
/// one lookup of a small key per row instead of one of the groups' values.
#[derive(Default)]
pub(super) struct Grouped {
    counts: HashMap<(u32, u8, i64), u64>,
    /// Of each stream, in the bin at 0: that of all rows where there are no bins.
    by_stream: Vec<u64>,
}

impl Grouped {
    /// The columns that groups may be made of for this to be possible.
    const COLUMNS: Needs = Needs::TIME.and(Needs::SEVERITY).and(Needs::STREAM);

    /// What the table needs of each row, and whether groups can be counted so.
    pub(super) fn needs(table: &Aggregation) -> (Needs, bool) {
        let needs = table.by().iter().map(|group| match group {
            Group::Bin { .. } => Needs::TIME,
            Group::Field(field) => Needs::of(field),
        });
        let needs = needs.chain(table.inputs().map(Needs::of)).fold(Needs::NONE, Needs::and);
        (needs, needs.within(Self::COLUMNS) && table.counts_only())
    }

    /// The width of the time bins, where there are some.
    pub(super) fn bin_width(table: &Aggregation) -> Option<i64> {
        table.by().iter().find_map(|group| match group {
            Group::Bin { width_ns } => Some(*width_ns),
            Group::Field(_) => None,
        })
    }

    /// Memory that the groups hold: an entry and its mark per place, of which an eighth stays free.
    pub(super) fn size_bytes(&self) -> usize {
        let entries = self.counts.capacity() * (size_of::<((u32, u8, i64), u64)>() + 1) / 7 * 8;
        entries + self.by_stream.capacity() * size_of::<u64>()
    }

    pub(super) fn add(&mut self, stream: u32, severity: u8, bin: i64, count: u64) {
        *self.counts.entry((stream, severity, bin)).or_default() += count;
    }

    /// Adds rows of a block, which all lie in one bin, by the columns that groups are made of.
    pub(super) fn add_rows(
        &mut self,
        bin: i64,
        rows: &[u32],
        streams: Option<&Coded<u32>>,
        severities: Option<&Coded<u8>>,
    ) {
        match (streams, severities) {
            (None, None) => self.add(0, 0, bin, rows.len() as u64),
            (Some(streams), None) if bin == 0 => {
                let highest = streams.values().iter().max().map_or(0, |stream| *stream as usize + 1);
                self.by_stream.resize(self.by_stream.len().max(highest), 0);
                let tally = streams.tally(rows).into_iter();
                tally.for_each(|(stream, count)| self.by_stream[*stream as usize] += count);
            }
            (Some(streams), None) => {
                streams.tally(rows).into_iter().for_each(|(stream, count)| self.add(*stream, 0, bin, count));
            }
            (None, Some(severities)) => {
                let tally = severities.tally(rows).into_iter();
                tally.for_each(|(severity, count)| self.add(0, *severity, bin, count));
            }
            (Some(streams), Some(severities)) => match streams.tally_with(severities, rows) {
                Some(pairs) => {
                    pairs.into_iter().for_each(|(stream, severity, count)| {
                        self.add(*stream, *severity, bin, count);
                    });
                }
                None => rows.iter().for_each(|row| {
                    self.add(*streams.get(*row as usize), *severities.get(*row as usize), bin, 1);
                }),
            },
        }
    }

    pub(super) fn finish(self, streams: &[Stream], table: &mut Aggregation) -> Result<(), SearchError> {
        let by = table.by().to_vec();
        let by_stream = (0..).zip(self.by_stream).filter(|(_, count)| *count > 0);
        let by_stream = by_stream.map(|(stream, count)| ((stream, 0, 0), count));
        for ((stream, severity, bin), count) in by_stream.chain(self.counts) {
            let row = BlockView {
                time_ns: bin,
                severity,
                stream: streams.get(stream as usize),
                ..BlockView::default()
            };
            let cells: Vec<Cell> = by.iter().map(|group| group_cell(group, &row)).collect();
            table.add_count(&cells, count)?;
        }
        Ok(())
    }
}
