//! The answer by the book: every record is looked at, in order.

use events::{Answer, Hit, Order, Request};
use search::{Aggregation, AggregationLimits, LogRow, RecordSort, RecordTable, Table};
use telemetry::TenantId;
use telemetry::otlp::{LogRecord, Resource, Scope};

use crate::records::canonical;
use crate::world::Kept;

pub(crate) struct Expected {
    pub(crate) matched: u64,
    pub(crate) records: Vec<Kept>,
    pub(crate) table: Option<Table>,
}

fn with_row<T>(kept: &Kept, read: impl FnOnce(&LogRow<'_>) -> T) -> T {
    let record = LogRecord::of_valid(&kept.record.raw);
    read(&LogRow {
        resource: Resource::of_valid(&kept.record.resource),
        scope: Scope::of_valid(&kept.record.scope),
        record: &record,
        time_ns: kept.key.time_ns,
    })
}

/// What a query must find among `kept`.
pub(crate) fn scan(kept: &[Kept], tenant: &TenantId, request: &Request) -> Expected {
    let mut table = Aggregation::of(&request.query, AggregationLimits::default());
    let mut records = Vec::new();
    for one in kept.iter().filter(|one| one.tenant == *tenant) {
        let time_ns = one.key.time_ns;
        let in_range =
            time_ns >= request.start_ns && (time_ns < request.end_ns || request.end_ns == i64::MAX);
        if in_range && with_row(one, |row| request.query.filter.matches(row)) {
            records.push(one.clone());
            if let Some(table) = &mut table {
                with_row(one, |row| table.add(row)).unwrap();
            }
        }
    }
    records.sort_by_key(|one| one.key);
    if request.order == Order::Newest {
        records.reverse();
    }
    if let Some(sort) = RecordSort::of(&request.query) {
        if sort.by_time() == Some(request.order != Order::Newest) {
            records.reverse();
        } else {
            records.sort_by_key(|one| with_row(one, |row| sort.value(row)));
        }
    }
    let mut fields = RecordTable::of(&request.query);
    if let Some(fields) = &mut fields {
        let page = request.limit.min(request.query.limit().unwrap_or(usize::MAX));
        records.iter().take(page).for_each(|one| with_row(one, |row| fields.add(row)));
    }
    let table = table.map(Aggregation::finish).or_else(|| fields.map(RecordTable::finish));
    Expected { matched: records.len() as u64, records, table }
}

impl Expected {
    /// Checks an answer to a request without cursor.
    pub(crate) fn check(&self, answer: &Answer, request: &Request, what: &str) {
        assert!(!answer.partial, "{what}: {:?}", answer.warnings);
        assert_eq!(answer.matched, self.matched, "{what}");
        assert_eq!(answer.table, self.table, "{what}");
        if self.table.is_some() {
            assert!(answer.records.is_empty(), "{what}");
            return;
        }
        let page = request.limit.min(request.query.limit().unwrap_or(usize::MAX));
        let expected = &self.records[..page.min(self.records.len())];
        assert_eq!(answer.records.len(), expected.len(), "{what}");
        for (hit, kept) in answer.records.iter().zip(expected) {
            check_hit(hit, kept, what);
        }
    }
}

/// The record is equal to the one that went in.
pub(crate) fn check_hit(hit: &Hit, kept: &Kept, what: &str) {
    assert_eq!(hit.key, kept.key, "{what}");
    assert_eq!(canonical(&hit.record), canonical(&kept.record.raw), "{what}");
    assert_eq!(
        (&*hit.stream.resource, &*hit.stream.scope),
        (&*kept.record.resource, &*kept.record.scope),
        "{what}"
    );
    assert_eq!(hit.stream.resource_schema_url, "https://schema.example/1", "{what}");
}
