//! On the real file system, with the writer's own thread.

use super::*;
use journal::{Disk, OsDisk};

fn options(segment_bytes: u64) -> Options {
    Options { segment_bytes, ..Options::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_acknowledged_record_of_eight_tasks_can_be_read() {
    const EACH: u64 = 250;
    let directory = tempfile::tempdir().unwrap();
    let open =
        |bytes| FileJournal::open(Arc::new(OsDisk), directory.path().join("a/b"), options(bytes)).unwrap();
    let journal = Arc::new(open(40_000).0);
    let tasks: Vec<_> = (0..8)
        .map(|task| tokio::spawn(append_many(journal.clone(), task, EACH)))
        .chain([tokio::spawn(follow(journal.clone(), 8 * EACH))])
        .collect();
    let mut acknowledged = Vec::new();
    for task in tasks {
        acknowledged.push(task.await.unwrap());
    }
    let mut followed = acknowledged.pop().unwrap();
    followed.sort();
    let mut expected: Vec<_> = acknowledged.into_iter().flatten().collect();
    expected.sort();
    assert_eq!(followed, expected, "a reader beside the writers sees everything once");
    drop(journal);
    let (journal, recovery) = open(40_000);
    assert_eq!((recovery.end, recovery.torn_bytes), (8 * EACH + 1, 0));
    let read: Vec<_> =
        read_all(&journal).await.unwrap().into_iter().map(|entry| (entry.offset, entry.record)).collect();
    assert_eq!(read, expected);
}

async fn append_many(journal: Arc<FileJournal>, task: u64, count: u64) -> Vec<(u64, Bytes)> {
    let mut acknowledged = Vec::new();
    for at in 0..count {
        let record = Bytes::from(format!("task {task} record {at} {}", "x".repeat((at % 97) as usize)));
        let offset = journal.append(record.clone()).await.unwrap();
        assert!(acknowledged.last().is_none_or(|(last, _)| *last < offset));
        acknowledged.push((offset, record));
    }
    acknowledged
}

async fn follow(journal: Arc<FileJournal>, count: u64) -> Vec<(u64, Bytes)> {
    let mut seen = Vec::new();
    while (seen.len() as u64) < count {
        let next = seen.len() as u64 + 1;
        journal.wait(next).await;
        let entries = journal.read(next, 4000).await.unwrap();
        assert_eq!(entries[0].offset, next);
        seen.extend(entries.into_iter().map(|entry| (entry.offset, entry.record)));
    }
    seen
}

#[tokio::test]
async fn old_records_are_read_from_files_and_segments_go_when_they_may() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) =
        FileJournal::open(Arc::new(OsDisk), directory.path().into(), options(1 << 20)).unwrap();
    let record = |at: u64| Bytes::from(vec![at as u8; 300_000]);
    for at in 1..=60 {
        assert_eq!(journal.append(record(at)).await.unwrap(), at);
    }
    for from in [1, 2, 3, 4, 29, 31, 32, 33, 34, 59, 60] {
        let entries = journal.read(from, 700_000).await.unwrap();
        assert!(!entries.is_empty() && entries.len() <= 2);
        for (entry, offset) in entries.iter().zip(from..) {
            assert_eq!((entry.offset, &entry.record), (offset, &record(offset)));
        }
    }
    assert!(journal.read(61, 1).await.unwrap().is_empty());
    let before = journal.size_bytes();
    journal.truncate(31).await.unwrap();
    assert!(journal.start() > 25 && journal.start() <= 31, "{}", journal.start());
    assert!(journal.size_bytes() < before * 6 / 10);
    assert_eq!(OsDisk.list(directory.path()).unwrap().len() as u64, 20 - (journal.start() - 1) / 3);
    assert_eq!(journal.read(1, 1).await.unwrap()[0].offset, journal.start());
}

#[tokio::test]
async fn an_empty_record_is_a_record() {
    let directory = tempfile::tempdir().unwrap();
    let open = || FileJournal::open(Arc::new(OsDisk), directory.path().into(), options(100)).unwrap().0;
    let journal = open();
    for offset in 1..=9 {
        assert_eq!(journal.append(Bytes::new()).await.unwrap(), offset);
    }
    drop(journal);
    assert_eq!(read_all(&open()).await.unwrap().len(), 9);
}

#[test]
fn a_new_file_does_not_replace_and_lists_are_sorted() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["b", "a", "c"] {
        OsDisk.create(&directory.path().join(name)).unwrap();
    }
    assert_eq!(OsDisk.list(directory.path()).unwrap(), ["a", "b", "c"]);
    let again = OsDisk.create(&directory.path().join("a")).err().unwrap();
    assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
    OsDisk.create_dir(directory.path()).unwrap();
    assert!(OsDisk.create_dir(&directory.path().join("a")).is_err());
}
