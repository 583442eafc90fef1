//! A full disk is survived; a failed write or sync stops the journal for good.

use super::*;
use journal::sim::{Crash, Faults};

fn record(byte: u8) -> Bytes {
    Bytes::from(vec![byte; 100])
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_accepted_until_it_is_opened_again() {
    for seed in 0..100 {
        let disk = SimDisk::new(seed);
        let (journal, _) = open(&disk, inline(10_000)).unwrap();
        assert_eq!(journal.append(record(b'a')).await.unwrap(), 1);
        disk.set_faults(Faults { sync_error_percent: 100, ..Faults::default() });
        let error = journal.append(record(b'b')).await.unwrap_err();
        assert!(matches!(error, JournalError::Failed { attempt: "sync", .. }), "{error}");
        disk.set_faults(Faults::default());
        assert!(matches!(journal.append(record(b'c')).await, Err(JournalError::Failed { .. })));
        assert!(matches!(journal.truncate(1).await, Err(JournalError::Failed { .. })));
        assert!(journal.failed().is_some());
        assert_eq!((journal.end(), read_all(&journal).await.unwrap().len()), (2, 1));
        drop(journal);
        if seed % 2 == 0 {
            disk.crash(Crash::Process);
            disk.restart();
        }
        let (journal, recovery) = open(&disk, inline(10_000)).unwrap();
        let kept = read_all(&journal).await.unwrap();
        assert!(kept[0].record == record(b'a') && kept.len() as u64 == recovery.end - 1);
        // What recovery kept is durable now, although the sync that failed is not repeated for its old file.
        disk.crash(Crash::Power);
        disk.restart();
        let (journal, _) = open(&disk, inline(10_000)).unwrap();
        assert_eq!(read_all(&journal).await.unwrap(), kept);
    }
}

#[tokio::test]
async fn a_failed_write_stops_the_journal() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, inline(10_000)).unwrap();
    disk.set_faults(Faults { write_error_percent: 100, ..Faults::default() });
    assert!(matches!(journal.append(record(b'a')).await, Err(JournalError::Failed { attempt: "write", .. })));
    disk.set_faults(Faults::default());
    assert!(matches!(journal.append(record(b'a')).await, Err(JournalError::Failed { .. })));
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    for capacity_bytes in 170..300 {
        let disk = SimDisk::new(capacity_bytes);
        let (journal, _) = open(&disk, inline(200)).unwrap();
        disk.set_faults(Faults {
            capacity_bytes: Some(capacity_bytes),
            short_write_percent: 50,
            ..Faults::default()
        });
        journal.append(record(b'a')).await.unwrap();
        // The second needs a new segment: the header may fit or not.
        let error = journal.append(record(b'b')).await.unwrap_err();
        assert!(matches!(error, JournalError::Full { .. }), "{error}");
        assert_eq!(journal.failed().map(|error| error.to_string()), None);
        disk.set_faults(Faults::default());
        assert_eq!(journal.append(record(b'c')).await.unwrap(), 2);
        disk.crash(Crash::Power);
        disk.restart();
        let (journal, recovery) = open(&disk, inline(200)).unwrap();
        assert_eq!(recovery.torn_bytes, 0);
        let bodies: Vec<u8> = read_all(&journal).await.unwrap().iter().map(|entry| entry.record[0]).collect();
        assert_eq!(bodies, b"ac");
    }
}

#[tokio::test]
async fn a_record_over_the_limit_is_refused_and_one_at_it_is_taken() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, Options { max_record_bytes: 128, ..inline(10_000) }).unwrap();
    let error = journal.append(Bytes::from(vec![0; 101])).await.unwrap_err();
    assert!(matches!(error, JournalError::TooLarge { size_bytes: 129, limit_bytes: 128 }));
    assert_eq!(journal.append(record(b'a')).await.unwrap(), 1);
}

#[tokio::test]
async fn concurrent_appends_share_one_write_and_one_sync() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, inline(1 << 20)).unwrap();
    let before = disk.operations();
    let offsets = futures::future::join_all((0..100).map(|byte| journal.append(record(byte)))).await;
    let offsets: Vec<u64> = offsets.into_iter().map(Result::unwrap).collect();
    assert_eq!(offsets, (1..=100).collect::<Vec<_>>());
    assert_eq!(disk.operations() - before, 2);
}
