//! What queries answer, as the model can compare it.

use std::collections::BTreeMap;

use events::{Order, Request};
use narrows_collector::commit::Store;
use promql::{Querier, QueryError, Select, Values};
use telemetry::TenantId;
use telemetry::otlp::{LogRecord, TracesRequest};

use crate::points::Points;
use crate::world::{TRACES, trace_id};

/// Every row of a tenant: its body, and the times of all rows with that body.
pub(crate) type Rows = BTreeMap<String, Vec<i64>>;

fn request(limit: usize) -> Request {
    Request {
        query: search::parse("*").unwrap(),
        start_ns: i64::MIN,
        end_ns: i64::MAX,
        order: Order::Oldest,
        limit,
        cursor: None,
        deadline: None,
        max_memory_bytes: 256 << 20,
    }
}

/// Reads all rows of a tenant, page by page, and holds the count of each page against them.
pub(crate) async fn rows(store: &Store, tenant: &TenantId) -> Rows {
    let snapshots = store.snapshots(tenant);
    let (mut rows, mut request, mut read) = (Rows::new(), request(97), 0);
    loop {
        let answer = events::search(&snapshots, &request).await.unwrap();
        assert!(!answer.partial, "{:?}", answer.warnings);
        for hit in &answer.records {
            let body = LogRecord::of_valid(&hit.record).body.to_text().into_owned();
            rows.entry(body).or_default().push(hit.key.time_ns);
            read += 1;
        }
        let Some(next) = answer.next else {
            assert_eq!(read, answer.matched, "the pages hold what is counted");
            return rows;
        };
        request.cursor = Some(next);
    }
}

/// How many rows a tenant has, by one query.
pub(crate) async fn count(store: &Store, tenant: &TenantId) -> u64 {
    let answer = events::search(&store.snapshots(tenant), &request(0)).await.unwrap();
    assert!(!answer.partial, "{:?}", answer.warnings);
    answer.matched
}

/// Every span of a tenant: its name, and the starts of all with that name.
pub(crate) async fn spans(store: &Store, tenant: &TenantId) -> Rows {
    let snapshots = store.span_snapshots(tenant);
    let mut rows = Rows::new();
    for number in 0..TRACES {
        let Some(trace) = events::spans::trace(&snapshots, trace_id(number)).await.unwrap() else { continue };
        assert!(!trace.partial, "{:?}", trace.warnings);
        for (_, _, span) in TracesRequest::parse(&trace.payload).unwrap().spans() {
            rows.entry(span.name.to_owned()).or_default().push(span.start_ns as i64);
        }
    }
    rows
}

/// What no sender sends: series that the collector derives.
fn is_derived(metric: Option<&str>) -> bool {
    metric.is_some_and(|name| name.starts_with("narrows_") || name.starts_with("traces_"))
}

/// The first page, whatever it lacks.
pub(crate) async fn answer(store: &Store, tenant: &TenantId) -> events::Answer {
    events::search(&store.snapshots(tenant), &request(100)).await.unwrap()
}

/// Every sample of a tenant, off the runtime's threads: reading blocks.
pub(crate) async fn points(store: &Store, tenant: &TenantId) -> Result<Points, QueryError> {
    let series = store.series(tenant);
    let read = move || {
        let everything = Select { matchers: &[], start_ms: i64::MIN, end_ms: i64::MAX };
        let selection = series.select(&everything)?;
        let (mut points, mut values) = (Points::new(), Values::default());
        for index in 0..selection.len() {
            if is_derived(selection.labels(index).metric()) {
                continue;
            }
            selection.read(index, &mut values)?;
            assert!(values.times_ms.is_sorted_by(|a, b| a < b), "each time once: {:?}", values.times_ms);
            let bits = values.values.iter().map(|value| value.to_bits());
            let times: Vec<_> = values.times_ms.iter().copied().zip(bits).collect();
            let other = if times.is_empty() { None } else { points.insert(selection.labels(index), times) };
            assert!(other.is_none(), "each series once: {:?}", selection.labels(index));
        }
        assert_eq!(selection.warnings(), [""; 0]);
        Ok(points)
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}
