#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use meta::SqliteMeta;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource};
use telemetry::{Batch, Signal, TenantId, Value};

use super::*;
use crate::commit::{FileJournals, Store, StoreOptions, local_blobs, system_now_ns};

const STEPS: usize = 6;
/// The step since which something may be new.
const HOT: usize = 4;

/// A service says a text at a severity, so often in each step.
struct Said {
    service: String,
    text: String,
    severity: u8,
    counts: [usize; STEPS],
}

fn said(service: &str, text: &str, severity: u8, counts: [usize; STEPS]) -> Said {
    Said { service: service.to_owned(), text: text.to_owned(), severity, counts }
}

fn batch(said: &Said, start_s: i64) -> Batch {
    let mut writer = RecordsWriter::default();
    let (mut resource, mut record) = (Vec::new(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str(&said.service))]);
    writer.resource(&resource, "");
    writer.scope(b"", "");
    for (step, count) in said.counts.into_iter().enumerate() {
        for n in 0..count as u64 {
            record.clear();
            let step_ns = (start_s + 10 * step as i64).cast_unsigned() * 1_000_000_000;
            let fields = RecordFields {
                time_ns: step_ns + n * 1_000_000,
                body: Value::Str(&said.text),
                severity_number: said.severity,
                ..RecordFields::default()
            };
            write_record(&mut record, &fields);
            writer.record(&record);
        }
    }
    let payload = Bytes::from(writer.finish());
    let received_at_ns = (start_s + 10 * STEPS as i64) * 1_000_000_000;
    Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Logs,
        producer: None,
        received_at_ns,
        payload,
    }
}

/// What is read of what was said; `names` are the nodes.
async fn read_of(all: &[Said], names: &[String]) -> Read {
    read_within(all, names, 64 << 20).await
}

async fn read_within(all: &[Said], names: &[String], memory_bytes: usize) -> Read {
    let dir = tempfile::tempdir().unwrap();
    let journals = FileJournals::new(Arc::new(journal::OsDisk), dir.path().join("journal"));
    let meta = Arc::new(SqliteMeta::open(&dir.path().join("meta.sqlite")).unwrap());
    let blobs = local_blobs(&dir.path().join("blobs")).unwrap();
    let store = Store::open(StoreOptions::new(Arc::new(journals), blobs, meta)).await.unwrap();
    let start_s = system_now_ns() / 10_000_000_000 * 10 - 120;
    for said in all {
        store.append_own(batch(said, start_s)).await.unwrap();
    }
    store.barrier(false).await.unwrap();
    let grid = Grid { start_s, step_s: 10, steps: STEPS };
    let by_name = names.iter().cloned().enumerate().map(|(node, name)| (name, node)).collect();
    let bounds = Bounds { deadline: Instant::now() + Duration::from_secs(60), memory_bytes };
    let hot_s = grid.time_s(HOT);
    read(&store.snapshots(&TenantId::default_tenant()), grid, hot_s, &by_name, bounds).await.unwrap()
}

fn counts(pattern: &LogPattern) -> Vec<usize> {
    pattern.counts.iter().map(|count| *count as usize).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_services_say_is_known_of_each() {
    let names: Vec<String> = (0..20).map(|n| format!("service-{n}")).collect();
    let done = |n: usize| [n + 1, n + 1, n + 1, n + 1, 0, n];
    let mut all: Vec<Said> = names
        .iter()
        .enumerate()
        .flat_map(|(n, name)| {
            [said(name, "request done", 9, done(n)), said(name, "slow", 13, [1, 0, 0, 0, 0, n])]
        })
        .collect();
    // Two say it for the first time, one tells as an error what it told before.
    let (new, turned) = ([0, 0, 0, 0, 2, 1], [0, 0, 0, 0, 3, 3]);
    all.extend([said(&names[0], "gone", 9, new), said(&names[1], "gone", 9, new)]);
    all.push(said(&names[2], "request done", 17, turned));
    all.push(said("nobody", "request done", 9, [9; STEPS]));
    let read = read_of(&all, &names).await;
    assert!(read.notes.is_empty(), "{:?}", read.notes);
    let found: BTreeMap<(NodeId, &str, u8), Vec<usize>> =
        read.patterns.iter().map(|one| ((one.node, one.text.as_str(), one.severity), counts(one))).collect();
    let mut expected = BTreeMap::new();
    for n in 0..names.len() {
        expected.insert((n, "request done", 9), done(n).to_vec());
        expected.insert((n, "slow", 13), vec![1, 0, 0, 0, 0, n]);
    }
    expected.extend([((0, "gone", 9), new.to_vec()), ((1, "gone", 9), new.to_vec())]);
    expected.insert((2, "request done", 17), turned.to_vec());
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_service_that_says_very_much_the_most_frequent_is_read_and_the_others_keep_theirs() {
    let letters =
        |n: usize| [n / 26, n % 26].map(|at| char::from(b'a' + at as u8)).iter().collect::<String>();
    // Patterns that differ in more than a word.
    let text = |n: usize| format!("{0} {0}{0} x{0} {0}y", letters(n));
    let count = |n: usize| if n < 210 { [2, 0, 0, 0, 0, 0] } else { [3, 0, 0, 0, 0, 0] };
    let mut all: Vec<Said> = (0..220).map(|n| said("loud", &text(n), 9, count(n))).collect();
    all.push(said("still", "request done", 9, [1, 0, 0, 0, 0, 0]));
    let read = read_of(&all, &["loud".to_owned(), "still".to_owned()]).await;
    let of_node = |node| read.patterns.iter().filter(|one| one.node == node).collect::<Vec<_>>();
    assert_eq!((of_node(0).len(), of_node(1).len()), (MAX_OF_SERVICE, 1));
    let busy = of_node(0).into_iter().filter(|one| counts(one)[0] == 3).count();
    assert_eq!(busy, 10, "those that come most often are among them");
    assert_eq!(read.notes, ["of 221 log patterns of services the 201 busiest were looked at"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_memory_is_short_the_patterns_of_one_service_are_known() {
    let names: Vec<String> = (0..300).map(|n| format!("service-{n}")).collect();
    let mut all: Vec<Said> = names.iter().map(|name| said(name, "request done", 9, [1; STEPS])).collect();
    all.push(said(&names[7], "gone for ever", 17, [0, 0, 0, 0, 2, 3]));
    for (memory_bytes, shared, note) in [
        (64 << 20, 300, None),
        (90_000, 0, Some("log patterns that services share are left out: there are too many")),
    ] {
        let read = read_within(&all, &names, memory_bytes).await;
        assert_eq!(read.notes.first().map(String::as_str), note, "{:?}", read.notes);
        let gone: Vec<_> = read.patterns.iter().filter(|one| one.severity == 17).collect();
        assert_eq!((gone.len(), read.patterns.len()), (1, 1 + shared));
        assert_eq!((gone[0].node, counts(gone[0])), (7, vec![0, 0, 0, 0, 2, 3]));
    }
}

#[test]
fn a_search_that_is_late_costs_its_own_patterns_alone() {
    let mut notes = Vec::new();
    for _ in 0..2 {
        assert!(in_time(Err(SearchError::Timeout), &mut notes).unwrap().is_empty());
    }
    assert_eq!(notes, ["not all log patterns could be read in time"], "said once");
    assert!(in_time(Err(SearchError::Internal("broken".to_owned())), &mut notes).is_err());
    assert!(in_time(Ok(Vec::new()), &mut notes).is_ok() && notes.len() == 1);
}
