//! A table of the best matching spans: `sort`, `fields` and `limit` without `stats`.

use std::collections::BTreeMap;

use search::{Cell, Field, RecordColumn, RecordSort, RecordTable, SortValue, SpanField, Table};

use super::gather::Sink;
use super::view::SpanView;
use super::{Request, TraceId, TraceOrder};
use crate::SearchError;

/// The most spans of a table.
const MOST_ROWS: usize = 10_000;
/// The columns where a query only has a `sort`.
const USUAL: [&str; 8] =
    ["timestamp", "trace_id", "span_id", "service", "name", "kind", "status", "duration"];

/// A span's place: by the value that is sorted by, then by rank, the greatest first, then by ids; spans that are
/// equal in all of it are told apart by the order of finding.
type Key = (Option<SortValue>, std::cmp::Reverse<i64>, TraceId, [u8; 8], u64);

/// At most so many spans.
pub(super) struct Rows {
    /// In which order the spans come, before they are sorted by values.
    pub(super) order: TraceOrder,
    limit: usize,
    /// If not by time.
    sort: Option<RecordSort>,
    table: RecordTable,
    columns: Vec<RecordColumn>,
    rows: BTreeMap<Key, Vec<Cell>>,
    taken: u64,
    size_bytes: usize,
}

impl Rows {
    /// For the query's `fields` or `sort`; `None` if it has neither.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let table = RecordTable::of_spans(&request.query, &USUAL)?;
        let sort = RecordSort::of_spans(&request.query);
        let order = match sort.as_ref().and_then(RecordSort::by_time) {
            Some(true) => TraceOrder::Newest,
            Some(false) => TraceOrder::Oldest,
            None => request.order,
        };
        let sort = sort.filter(|sort| sort.by_time().is_none());
        let named = |name: &str| RecordColumn::of_span(name);
        let columns = match request.query.fields() {
            Some(names) => names.iter().filter_map(|name| named(name)).collect(),
            None => USUAL.iter().filter_map(|name| named(name)).collect(),
        };
        let limit = request.query.limit().unwrap_or(request.limit).min(MOST_ROWS);
        Some(Self { order, limit, sort, table, columns, rows: BTreeMap::new(), taken: 0, size_bytes: 0 })
    }

    /// The rows as a table, in order.
    pub(super) fn finish(mut self) -> Table {
        self.rows.into_values().for_each(|cells| self.table.add_cells(cells));
        self.table.finish()
    }

    fn insert(&mut self, key: Key, cells: Vec<Cell>) {
        self.size_bytes += size_of_row(&key, &cells);
        self.rows.insert(key, cells);
        if self.rows.len() > self.limit
            && let Some((key, cells)) = self.rows.pop_last()
        {
            self.size_bytes -= size_of_row(&key, &cells);
        }
    }

    /// The last one, if there are enough.
    fn worst(&self) -> Option<&Key> {
        self.rows.last_key_value().map(|(key, _)| key).filter(|_| self.rows.len() >= self.limit)
    }
}

/// Memory that a row takes, about.
fn size_of_row((value, ..): &Key, cells: &[Cell]) -> usize {
    let text = |cell: &Cell| if let Cell::Text(text) = cell { text.len() } else { 0 };
    let cells: usize = cells.iter().map(|cell| size_of::<Cell>() + text(cell)).sum();
    size_of::<Key>() + value.as_ref().map_or(0, SortValue::size_bytes) + cells
}

impl Sink for Rows {
    const STOPS_EARLY: bool = true;

    fn fields(&self) -> Vec<Field> {
        let sorted = self.sort.iter().flat_map(RecordSort::columns);
        let of_columns = sorted.chain(&self.columns).filter_map(|column| match column {
            RecordColumn::Time => None,
            RecordColumn::Field(field) => Some(field),
        });
        let own = [Field::TraceId, Field::SpanId, Field::Span(SpanField::Duration)];
        of_columns.cloned().chain(own).collect()
    }

    fn fork(&self) -> Self {
        Self {
            order: self.order,
            limit: self.limit,
            sort: self.sort.clone(),
            table: self.table.clone(),
            columns: self.columns.clone(),
            rows: BTreeMap::new(),
            taken: 0,
            size_bytes: 0,
        }
    }

    fn take<V: SpanView>(&mut self, view: &V) -> Result<(), SearchError> {
        let rank = self.order.rank(view.time_ns(), view.duration_ns());
        let value = self.sort.as_ref().map(|sort| sort.value(view));
        self.taken += 1;
        let key = (value, std::cmp::Reverse(rank), view.id(), view.span_id().unwrap_or_default(), self.taken);
        if self.worst().is_none_or(|worst| key < *worst) {
            let cells = self.table.cells(view);
            self.insert(key, cells);
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), SearchError> {
        for ((value, rank, id, span_id, _), cells) in other.rows {
            self.taken += 1;
            self.insert((value, rank, id, span_id, self.taken), cells);
        }
        Ok(())
    }

    fn is_enough(&self, bound: i64) -> bool {
        let by_rank = self.sort.is_none();
        self.limit == 0 || by_rank && self.worst().is_some_and(|(_, rank, ..)| rank.0 > bound)
    }

    fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}
