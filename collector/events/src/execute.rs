//! Runs queries over snapshots: prunes by time, statistics, filters and index,
//! checks what is left record by record, and gathers a page, a table or a histogram.
//!
//! `matched` is exact, so every block that may hold a match is looked at; a page that
//! is full only stops the reading of keys and records. A count costs the columns that
//! the filter needs, no more.

mod attribute;
mod best;
mod block;
mod collect;
mod explain;
mod facets;
pub(crate) mod fetch;
mod patterns;
mod plan;
pub(crate) mod rows;
mod run;
pub(crate) mod scan;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod text;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use search::{Aggregation, AggregationLimits, LogRow, Query, RecordSort, RecordTable, Table};
use telemetry::otlp::LogRecord;
use tokio::task::spawn_blocking;

use crate::SearchError;
use crate::key::{Cursor, RowKey};
use crate::partition::Snapshot;
use crate::patterns::book::Book;
use crate::split::Stream;
use best::Best;
use collect::{Counts, Hits, Partial, Place, Sink};
use rows::WithPattern;
use scan::{CancelOnDrop, Limits};

pub use explain::{Explain, PatternWork, RuledOut};
pub(crate) use facets::FieldCounts;
pub use facets::{Facet, FacetOptions, FacetValue, Facets, facets};
pub use patterns::patterns;

/// Which records come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By descending time.
    #[default]
    Newest,
    /// By ascending time.
    Oldest,
}

/// A query with its range and bounds.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to look for, and what to make of it.
    pub query: Query,
    /// The earliest effective time, ns since 1970.
    pub start_ns: i64,
    /// The first effective time behind the range; `i64::MAX` for no end.
    pub end_ns: i64,
    /// Which records come first.
    pub order: Order,
    /// Records of a page.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// When to give up.
    pub deadline: Option<Instant>,
    /// Memory for groups, records and what is made ready of the filter for a split.
    pub max_memory_bytes: usize,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its place among all rows; `key.time_ns` is its effective time.
    pub key: RowKey,
    /// Its resource and scope, as OTLP messages.
    pub stream: Stream,
    /// The `LogRecord` message, equal to the one that was received.
    pub record: Bytes,
}

/// What a query found.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The page, in order. Empty if there is a table.
    pub records: Vec<Hit>,
    /// The result of `stats`, `top` or `fields`.
    pub table: Option<Table>,
    /// How many records match in the range, exactly, whatever the page.
    pub matched: u64,
    /// How many rows of the range were looked at or left out by what is known of them.
    pub searched_rows: u64,
    /// Something could not be read: `warnings` say what.
    pub partial: bool,
    /// For people.
    pub warnings: Vec<String>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    /// What it cost.
    pub explain: Explain,
}

/// Time buckets of one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// Where the first one begins.
    pub start_ns: i64,
    /// More than 0.
    pub width_ns: i64,
    /// How many.
    pub count: usize,
}

impl Buckets {
    /// Round widths from 1 ms to 7 days.
    const WIDTHS_MS: [i64; 32] = [
        1,
        2,
        5,
        10,
        20,
        50,
        100,
        200,
        500,
        1_000,
        2_000,
        5_000,
        10_000,
        15_000,
        30_000,
        60_000,
        120_000,
        300_000,
        600_000,
        900_000,
        1_800_000,
        3_600_000,
        7_200_000,
        10_800_000,
        21_600_000,
        43_200_000,
        86_400_000,
        172_800_000,
        604_800_000,
        2_592_000_000,
        31_536_000_000,
        315_360_000_000,
    ];

    /// At most about `most` buckets of a round width that cover the range; the first begins at a
    /// multiple of the width.
    pub fn covering(start_ns: i64, end_ns: i64, most: usize) -> Self {
        let (start, end) = (i128::from(start_ns), i128::from(end_ns.max(start_ns.saturating_add(1))));
        let most = most.clamp(1, 10_000) as i128;
        let widths = Self::WIDTHS_MS.iter().map(|ms| i128::from(*ms) * 1_000_000);
        let longest = i128::from(Self::WIDTHS_MS[31]) * 1_000_000;
        let width = widths.into_iter().find(|width| (end - start) <= width * most).unwrap_or(longest);
        let first = start.div_euclid(width) * width;
        // A range from before the first multiple that fits begins where it can.
        let first = first.max(i128::from(i64::MIN));
        let count = (end - first).div_euclid(width) + i128::from((end - first).rem_euclid(width) != 0);
        Self { start_ns: first as i64, width_ns: width as i64, count: count as usize }
    }

    pub(crate) fn of(&self, time_ns: i64) -> Option<usize> {
        let offset = i128::from(time_ns) - i128::from(self.start_ns);
        let bucket = usize::try_from(offset.div_euclid(i128::from(self.width_ns))).ok()?;
        (bucket < self.count).then_some(bucket)
    }
}

/// How many records there are, by severity class and time.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// The buckets of every series.
    pub buckets: Buckets,
    /// Per class of [`Histogram::CLASSES`] a count per bucket.
    pub counts: [Vec<u64>; 7],
    /// The records in the range, exactly.
    pub matched: u64,
    /// Something could not be read: `warnings` say what.
    pub partial: bool,
    /// For people.
    pub warnings: Vec<String>,
}

impl Histogram {
    /// The severity classes in the order of `counts`.
    pub const CLASSES: [&str; 7] = ["unset", "trace", "debug", "info", "warn", "error", "fatal"];
}

/// Runs a query over one tenant's snapshots.
pub async fn search(snapshots: &[Snapshot], request: &Request) -> Result<Answer, SearchError> {
    if request.query.patterns() {
        return patterns::table(snapshots, request).await;
    }
    let sort = RecordSort::of(&request.query);
    let order = match sort.as_ref().and_then(RecordSort::by_time) {
        Some(descending) => {
            if descending {
                Order::Newest
            } else {
                Order::Oldest
            }
        }
        None => request.order,
    };
    let request = &Request { order, ..request.clone() };
    let limits = Limits::of(request);
    // Held to the end: reading the page's records takes longer than finding them.
    let _guard = CancelOnDrop(limits.clone());
    let page = Page::of(request);
    let sink = sink(request, sort.filter(|sort| sort.by_time().is_none()), &page);
    let gathered = run::gather(snapshots, request, sink, &limits).await?;
    let Partial { sink, matched, searched: searched_rows, explain } = gathered.partial;
    let mut warnings = gathered.warnings;
    let mut answer = Answer { matched, searched_rows, explain, ..Answer::default() };
    match sink {
        Sink::Table(table) => answer.table = Some(off_runtime(move || table.finish()).await?),
        Sink::Hits(hits) => {
            let found = hits.into_sorted();
            answer.next = page.next(found.last().map(|(key, _)| *key), found.len());
            answer.records = fetch::fetch(found, limits, &mut warnings).await?;
        }
        Sink::Best(best) => answer.records = fetch_sorted(best.into_sorted(), limits, &mut warnings).await?,
        Sink::Histogram(_) | Sink::Fields(_) | Sink::Patterns(_) => {}
    }
    if let Some(table) = RecordTable::of(&request.query) {
        answer.table = Some(project(table, std::mem::take(&mut answer.records), gathered.book).await?);
    }
    answer.partial = !warnings.is_empty();
    answer.warnings = warnings;
    Ok(answer)
}

fn sink(request: &Request, sort: Option<RecordSort>, page: &Page) -> Sink {
    let limits = AggregationLimits { size_bytes: request.max_memory_bytes, ..AggregationLimits::default() };
    if let Some(table) = Aggregation::of(&request.query, limits) {
        return Sink::Table(table);
    }
    match sort {
        Some(sort) => Sink::Best(Best::new(sort, request.order, page.take)),
        None => Sink::Hits(Hits::new(request.order, page.take, request.cursor.map(|cursor| cursor.after))),
    }
}

/// Reads records in the order of time, for that of their blocks, and gives them in theirs.
async fn fetch_sorted(
    found: Vec<(RowKey, Place)>,
    limits: Arc<Limits>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Hit>, SearchError> {
    let ranks: HashMap<RowKey, usize> =
        found.iter().enumerate().map(|(rank, (key, _))| (*key, rank)).collect();
    let mut by_time = found;
    by_time.sort_by_key(|(key, _)| *key);
    let mut hits = fetch::fetch(by_time, limits, warnings).await?;
    hits.sort_by_key(|hit| ranks.get(&hit.key).copied());
    Ok(hits)
}

/// Records as the rows of a table.
async fn project(
    mut table: RecordTable,
    hits: Vec<Hit>,
    book: Option<Arc<Book>>,
) -> Result<Table, SearchError> {
    off_runtime(move || {
        for hit in &hits {
            let (resource, scope) = (hit.stream.resource(), hit.stream.scope());
            let record = LogRecord::of_valid(&hit.record);
            let row = LogRow { resource, scope, record: &record, time_ns: hit.key.time_ns };
            table.add(&WithPattern::new(row, book.as_deref()));
        }
        table.finish()
    })
    .await
}

/// Work that takes long enough to hold up the runtime.
async fn off_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SearchError> {
    spawn_blocking(work).await.map_err(|error| SearchError::Internal(error.to_string()))
}

/// Counts the records of a query over one tenant's snapshots by severity class and time; its stages do not count.
pub async fn histogram(
    snapshots: &[Snapshot],
    request: &Request,
    buckets: Buckets,
) -> Result<Histogram, SearchError> {
    let limits = Limits::of(request);
    let _guard = CancelOnDrop(limits.clone());
    let sink = Sink::Histogram(Counts::new(buckets));
    let gathered = run::gather(snapshots, request, sink, &limits).await?;
    let counts = match gathered.partial.sink {
        Sink::Histogram(counts) => counts,
        _ => Counts::new(buckets),
    };
    Ok(Histogram {
        buckets,
        counts: counts.by_class,
        matched: gathered.partial.matched,
        partial: !gathered.warnings.is_empty(),
        warnings: gathered.warnings,
    })
}

/// How many records this page takes, after those of the pages before it, under the query's own `limit`.
struct Page {
    take: usize,
    returned: u64,
    most: Option<u64>,
}

impl Page {
    fn of(request: &Request) -> Self {
        let returned = request.cursor.map_or(0, |cursor| cursor.returned);
        let most = request.query.limit().map(|limit| limit as u64);
        let left = most.map_or(u64::MAX, |most| most.saturating_sub(returned));
        Self { take: request.limit.min(usize::try_from(left).unwrap_or(usize::MAX)), returned, most }
    }

    /// A full page has a next one, which may turn out empty.
    fn next(&self, last: Option<RowKey>, found: usize) -> Option<Cursor> {
        let returned = self.returned + found as u64;
        let more = found == self.take && self.most.is_none_or(|most| returned < most);
        last.filter(|_| more).map(|after| Cursor { after, returned })
    }
}
