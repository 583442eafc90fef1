//! Buckets, and the end of pages that nobody waits for; what queries find is tested against naive scans in
//! tests/store.

use std::sync::atomic::Ordering;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use telemetry::otlp::{RecordFields, RecordsWriter, write_record};
use telemetry::{Batch, Signal, TenantId};

use super::plan::{Compiler, Node};
use super::scan::Stop;
use super::*;
use crate::{BlockCache, Options, Partition};

/// A published split of so many rows, ten to a block; every read takes `wait`.
async fn slow_partition(rows: u64, wait: Duration) -> Partition {
    let store = ThrottledStore::new(InMemory::new(), ThrottleConfig::default());
    store.config_mut(|config| config.wait_get_per_call = wait);
    let options = Options { block_rows: 10, cache: BlockCache::new(0), ..Options::default() };
    let partition = Partition::new(std::sync::Arc::new(store), 0, options);
    partition.recover(Vec::new());
    let mut writer = RecordsWriter::default();
    writer.resource(b"", "");
    writer.scope(b"", "");
    for time_ns in 1..=rows {
        let mut record = Vec::new();
        write_record(&mut record, &RecordFields { time_ns, ..RecordFields::default() });
        writer.record(&record);
    }
    let batch = Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Logs,
        producer: None,
        received_at_ns: 1,
        payload: writer.finish().into(),
    };
    partition.apply(1, &batch);
    let files = partition.seal(1, 1).await.unwrap();
    partition.publish(files, 1);
    partition
}

fn everything() -> Request {
    Request {
        query: search::parse("*").unwrap(),
        start_ns: i64::MIN,
        end_ns: i64::MAX,
        order: Order::Newest,
        limit: 1000,
        cursor: None,
        deadline: None,
        max_memory_bytes: 1 << 20,
    }
}

#[tokio::test]
async fn a_page_is_not_read_past_the_deadline_or_for_nobody() {
    let partition = slow_partition(30, Duration::ZERO).await;
    let snapshot = [partition.snapshot(&TenantId::default_tenant())];
    let request = everything();
    let found = || async {
        let sink = Sink::Hits(Hits::new(request.order, request.limit, None));
        let gathered = run::gather(&snapshot, &request, sink, &Limits::of(&request)).await.unwrap();
        match gathered.partial.sink {
            Sink::Hits(hits) => hits.into_sorted(),
            _ => Vec::new(),
        }
    };
    let (limits, mut warnings) = (Limits::of(&request), Vec::new());
    assert_eq!(fetch::fetch(found().await, limits.clone(), &mut warnings).await.unwrap().len(), 30);
    limits.cancelled.store(true, Ordering::Relaxed);
    let fetched = fetch::fetch(found().await, limits, &mut warnings).await;
    assert!(matches!(fetched, Err(SearchError::Timeout)));
    let late = Limits::of(&Request { deadline: Some(Instant::now()), ..everything() });
    assert!(matches!(fetch::fetch(found().await, late, &mut warnings).await, Err(SearchError::Timeout)));
}

/// Finding the rows takes some 40 reads, fetching them some 200.
#[tokio::test]
async fn a_page_that_nobody_waits_for_is_not_read_on() {
    let partition = slow_partition(200, Duration::from_millis(10)).await;
    let snapshot = [partition.snapshot(&TenantId::default_tenant())];
    let request = everything();
    let searched = tokio::time::timeout(Duration::from_millis(800), search(&snapshot, &request)).await;
    assert!(searched.is_err(), "fast enough to end");
    drop(snapshot);
    partition.publish(Vec::new(), 1);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let deleted = partition.delete_unlisted(Duration::ZERO).await.unwrap();
    assert_eq!(deleted, 1, "the split is still being read");
}

/// Rows within all buckets, before them and behind them: none of it is known from the block's ends.
#[test]
fn a_block_around_all_buckets_is_counted_row_by_row() {
    let mut counts = Counts::new(Buckets { start_ns: 100, width_ns: 10, count: 3 });
    let severities = [1; crate::split::format::SEVERITIES];
    assert!(!counts.add_block(50, 200, &severities));
    assert!(!counts.add_block(105, 115, &severities));
    assert!(counts.add_block(110, 119, &severities));
    assert_eq!(counts.by_class.iter().flatten().sum::<u64>(), 25);
}

#[tokio::test]
async fn conditions_are_made_ready_within_time_and_memory() {
    let partition = slow_partition(3, Duration::ZERO).await;
    let snapshot = partition.snapshot(&TenantId::default_tenant());
    let split = snapshot.splits[0].clone();
    let compiled = move |query: &str, cancelled: bool, max_memory_bytes: usize| {
        let (split, query) = (split.clone(), search::parse(query).unwrap());
        spawn_blocking(move || {
            let limits = Limits::of(&Request { max_memory_bytes, ..everything() });
            limits.cancelled.store(cancelled, Ordering::Relaxed);
            let Ok(split) = split.open() else { return None };
            match Node::compile(&query.filter, &mut Compiler::new(&split, None, &limits)) {
                Err(Stop::Query(error)) => Some(error),
                _ => None,
            }
        })
    };
    assert!(compiled("a (b OR c)", false, 1 << 20).await.unwrap().is_none());
    assert!(matches!(compiled("a (b OR c)", true, 1 << 20).await.unwrap(), Some(SearchError::Timeout)));
    let mut cap = 0;
    while compiled("a", false, cap).await.unwrap().is_some() {
        cap += 1;
    }
    assert!(cap > 0, "a condition takes memory");
    let ended = compiled("a (b OR c)", false, cap).await.unwrap();
    assert!(matches!(ended, Some(SearchError::TooLarge { .. })), "{ended:?}");
}

#[test]
fn buckets_cover_the_range_with_round_widths() {
    let s = 1_000_000_000;
    let cases = [
        ((0, 7200 * s, 120), (0, 60 * s, 120)),
        ((30 * s, 7230 * s, 120), (0, 60 * s, 121)),
        ((1, 2, 10), (0, 1_000_000, 1)),
        ((5 * s, 5 * s, 10), (5 * s, 1_000_000, 1)),
        ((-90 * s, 90 * s, 3), (-120 * s, 60 * s, 4)),
    ];
    for ((start, end, most), (first, width, count)) in cases {
        let buckets = Buckets::covering(start, end, most);
        assert_eq!(
            (buckets.start_ns, buckets.width_ns, buckets.count),
            (first, width, count),
            "{start}..{end}"
        );
        assert_eq!(buckets.of(start), Some(((start - first) / width) as usize));
        assert!(buckets.of(end.max(start + 1) - 1).is_some());
        assert_eq!((buckets.of(first - 1), buckets.of(first + width * count as i64)), (None, None));
    }
    let everything = Buckets::covering(i64::MIN, i64::MAX, 120);
    assert!(everything.of(i64::MIN).is_some() && everything.of(i64::MAX - 1).is_some(), "{everything:?}");
}
