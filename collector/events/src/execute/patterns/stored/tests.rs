//! What is kept between queries.

use object_store::memory::InMemory;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record};
use telemetry::{Batch, Signal, TenantId};

use super::*;
use crate::execute::Order;
use crate::{BlockCache, Options, Partition};

fn apply(partition: &Partition, offset: u64, records: &[(u64, &str)]) {
    let mut writer = RecordsWriter::default();
    writer.resource(b"", "");
    writer.scope(b"", "");
    for (time_ns, body) in records {
        let mut record = Vec::new();
        let body = telemetry::Value::Str(body);
        write_record(&mut record, &RecordFields { time_ns: *time_ns, body, ..RecordFields::default() });
        writer.record(&record);
    }
    let batch = Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Logs,
        producer: None,
        received_at_ns: 1,
        payload: writer.finish().into(),
    };
    partition.apply(offset, &batch);
}

async fn seal(partition: &Partition, offset: u64) {
    let mut files = partition.files();
    files.extend(partition.seal(1, offset).await.unwrap());
    partition.publish(files, offset);
}

fn request() -> Request {
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

async fn found(partition: &Partition) -> Arc<Book> {
    let request = request();
    let snapshots = [partition.snapshot(&TenantId::default_tenant())];
    let stored = book(&snapshots, &request, &Limits::of(&request)).await.unwrap();
    assert!(stored.warnings.is_empty());
    stored.book
}

fn partition(cache_bytes: usize) -> Partition {
    let options = Options { cache: BlockCache::new(cache_bytes), ..Options::default() };
    let partition = Partition::new(Arc::new(InMemory::new()), 0, options);
    partition.recover(Vec::new());
    partition
}

#[tokio::test]
async fn patterns_are_found_once_for_a_set_of_splits() {
    let partition = partition(1 << 20);
    apply(&partition, 1, &[(100, "took 7"), (200, "started")]);
    seal(&partition, 1).await;
    let first = found(&partition).await;
    assert!(Arc::ptr_eq(&first, &found(&partition).await));
    apply(&partition, 2, &[(300, "took 9")]);
    assert!(Arc::ptr_eq(&first, &found(&partition).await), "the head says nothing new");
    apply(&partition, 3, &[(50, "took 9")]);
    let older = found(&partition).await;
    assert!(older.patterns.iter().any(|pattern| pattern.first_seen_ns == 50));
    apply(&partition, 4, &[(300, "ended")]);
    assert_eq!(found(&partition).await.patterns.len(), 3);
    seal(&partition, 4).await;
    let sealed = found(&partition).await;
    assert_eq!(sealed.patterns.len(), 3);
    assert!(Arc::ptr_eq(&sealed, &found(&partition).await));
}

#[tokio::test]
async fn without_room_they_are_found_anew() {
    let partition = partition(0);
    apply(&partition, 1, &[(100, "took 7")]);
    seal(&partition, 1).await;
    let first = found(&partition).await;
    assert!(!Arc::ptr_eq(&first, &found(&partition).await));
    assert_eq!(first.patterns.len(), 1);
}

#[tokio::test]
async fn memory_is_refused_before_it_is_taken() {
    let partition = partition(0);
    let lines: Vec<String> = (0..50).map(|n| "x".repeat(n + 1) + " only").collect();
    let records: Vec<(u64, &str)> = lines.iter().map(|line| (1, line.as_str())).collect();
    apply(&partition, 1, &records);
    for sealed in [false, true] {
        if sealed {
            seal(&partition, 1).await;
        }
        let snapshots = [partition.snapshot(&TenantId::default_tenant())];
        for (max_memory_bytes, is_enough) in [(2_000, false), (20_000, false), (1 << 20, true)] {
            let request = Request { max_memory_bytes, ..request() };
            let made = book(&snapshots, &request, &Limits::of(&request)).await;
            assert_eq!(made.is_ok(), is_enough, "{sealed} {max_memory_bytes}");
        }
    }
}

#[test]
fn a_piece_of_a_head_is_counted_while_it_is_read() {
    let mut heads = Heads::default();
    let text = |n: usize| "x".repeat(n % 30 + 1) + " only";
    (0..1000).for_each(|n| heads.push((0, 0), &text(n), 0));
    let size_bytes = heads.size_bytes();
    assert!(size_bytes > 4 * 1000 + 30 * 20, "{size_bytes}");
}
