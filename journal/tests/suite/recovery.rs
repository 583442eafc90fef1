//! Damage is told from a torn tail, and named; nothing is skipped in silence.

use super::*;
use journal::Disk;
use journal::sim::Crash;

const HEADER: u64 = 36;
const RECORD: u64 = 28;

/// Six records of five bytes, each synced on its own: three in each of two segments.
async fn two_segments(disk: &SimDisk) {
    let (journal, _) = open(disk, inline(HEADER + 3 * (RECORD + 5))).unwrap();
    append_each(&journal, &["one--", "two--", "three", "four-", "five-", "six--"]).await;
    drop(journal);
    assert_eq!(segments(disk).len(), 2);
}

fn names(offsets: impl IntoIterator<Item = u64>) -> Vec<(u64, String)> {
    let all = ["one--", "two--", "three", "four-", "five-", "six--"];
    offsets.into_iter().map(|offset| (offset, all[offset as usize - 1].to_owned())).collect()
}

#[tokio::test]
async fn every_flipped_byte_is_damage_before_the_mark_and_torn_after_it() {
    let pristine = SimDisk::new(1);
    two_segments(&pristine).await;
    let files = segments(&pristine);
    let sizes: Vec<u64> =
        files.iter().map(|file| pristine.open(file).unwrap().size_bytes().unwrap()).collect();
    for (at, file) in files.iter().enumerate() {
        for position in 0..sizes[at] {
            let disk = SimDisk::new(1);
            two_segments(&disk).await;
            disk.flip(file, position, 0x10).unwrap();
            // The last record is the only one that no later mark proves durable.
            let is_tail = at == 1 && position >= HEADER + 2 * (RECORD + 5);
            match open(&disk, inline(1000)) {
                Ok((journal, recovery)) => {
                    assert!(is_tail, "{file:?} {position}");
                    assert_eq!((recovery.end, recovery.torn_bytes), (6, RECORD + 5));
                    assert_eq!(texts(&journal).await, names(1..=5));
                }
                Err(JournalError::Damaged { segment, position: found, offset }) => {
                    assert!(!is_tail, "{file:?} {position}");
                    assert!(file.ends_with(segment));
                    let record = position.checked_sub(HEADER).map(|within| within / (RECORD + 5));
                    let start = record.map_or(0, |record| HEADER + record * (RECORD + 5));
                    assert_eq!((found, offset), (start, 1 + 3 * at as u64 + record.unwrap_or(0)));
                }
                Err(JournalError::Version { .. }) => assert_eq!(position, 4),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[tokio::test]
async fn a_torn_group_after_damage_still_proves_it_damage() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, inline(10_000)).unwrap();
    append_each(&journal, &["one--", "two--", "three"]).await;
    drop(journal);
    let file = &segments(&disk)[0];
    disk.flip(file, HEADER + RECORD + 5 + RECORD, 1).unwrap(); // the body of record 2
    disk.flip(file, HEADER + 2 * (RECORD + 5) + RECORD, 1).unwrap(); // the body of record 3
    let Err(JournalError::Damaged { offset, .. }) = open(&disk, inline(10_000)) else { panic!("opened") };
    assert_eq!(offset, 2);
}

#[tokio::test]
async fn damage_is_passed_over_only_when_asked_and_then_reported() {
    let disk = SimDisk::new(1);
    two_segments(&disk).await;
    let files = segments(&disk);
    disk.flip(&files[0], HEADER + RECORD + 5 + 2, 0xff).unwrap();
    for _ in 0..2 {
        assert!(matches!(open(&disk, inline(1000)), Err(JournalError::Damaged { offset: 2, .. })));
        let options = Options { accept_damage: true, ..inline(1000) };
        let (journal, recovery) = open(&disk, options).unwrap();
        assert_eq!(recovery.damage.len(), 1);
        assert_eq!(recovery.damage[0].offsets, 2..3);
        assert_eq!(recovery.damage[0].bytes, HEADER + RECORD + 5..HEADER + 2 * (RECORD + 5));
        assert_eq!(texts(&journal).await, names([1, 3, 4, 5, 6]));
        assert_eq!(journal.read(2, 1).await.unwrap()[0].offset, 3);
    }
}

#[tokio::test]
async fn a_lost_header_or_segment_loses_no_other_and_no_offset_is_given_twice() {
    let accept = || Options { accept_damage: true, ..inline(1000) };
    for lost in 0..2 {
        let disk = SimDisk::new(1);
        two_segments(&disk).await;
        disk.flip(&segments(&disk)[lost], 20, 1).unwrap();
        assert!(matches!(open(&disk, inline(1000)), Err(JournalError::Damaged { position: 0, .. })));
        let (journal, recovery) = open(&disk, accept()).unwrap();
        assert_eq!(texts(&journal).await, names(if lost == 0 { 4..=6 } else { 1..=3 }));
        assert!(recovery.end >= 7, "{recovery:?}");
        let offset = journal.append(Bytes::from_static(b"next")).await.unwrap();
        assert_eq!(offset, recovery.end);
        drop(journal);
        let (journal, again) = open(&disk, accept()).unwrap();
        assert_eq!(read_all(&journal).await.unwrap().last().unwrap().offset, offset);
        assert_eq!(again.damage, recovery.damage);
    }
}

#[tokio::test]
async fn a_missing_segment_is_damage() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, inline(HEADER + RECORD + 5)).unwrap();
    append_each(&journal, &["one--", "two--", "three"]).await;
    drop(journal);
    disk.remove(&segments(&disk)[1]).unwrap();
    let Err(JournalError::Damaged { offset, .. }) = open(&disk, inline(1000)) else { panic!("opened") };
    assert_eq!(offset, 2);
    let (journal, recovery) = open(&disk, Options { accept_damage: true, ..inline(1000) }).unwrap();
    assert_eq!(recovery.damage[0].offsets, 2..3);
    assert_eq!(texts(&journal).await, names([1, 3]));
}

#[tokio::test]
async fn a_record_that_was_cut_out_is_damage() {
    let disk = SimDisk::new(1);
    two_segments(&disk).await;
    let file = &segments(&disk)[0];
    let mut bytes = vec![0; (HEADER + 3 * (RECORD + 5)) as usize];
    disk.open(file).unwrap().read_at(&mut bytes, 0).unwrap();
    let second = (HEADER + RECORD + 5) as usize;
    bytes.drain(second..second + RECORD as usize + 5);
    disk.remove(file).unwrap();
    disk.create(file).unwrap().append(&[std::io::IoSlice::new(&bytes)]).unwrap();
    let Err(JournalError::Damaged { offset, .. }) = open(&disk, inline(1000)) else { panic!("opened") };
    assert_eq!(offset, 2);
    let (journal, recovery) = open(&disk, Options { accept_damage: true, ..inline(1000) }).unwrap();
    assert_eq!((recovery.damage[0].offsets.clone(), recovery.damage[0].bytes.is_empty()), (2..3, true));
    assert_eq!(texts(&journal).await, names([1, 3, 4, 5, 6]));
}

#[tokio::test]
async fn a_tail_that_was_copied_is_durable_from_then_on() {
    let disk = SimDisk::new(1);
    two_segments(&disk).await;
    drop(open(&disk, inline(1000)).unwrap());
    let file = &segments(&disk)[1];
    let last = disk.open(file).unwrap().size_bytes().unwrap() - 1;
    disk.flip(file, last, 1).unwrap();
    assert!(matches!(open(&disk, inline(1000)), Err(JournalError::Damaged { offset: 6, .. })));
    let (journal, recovery) = open(&disk, Options { accept_damage: true, ..inline(1000) }).unwrap();
    assert_eq!((recovery.end, recovery.torn_bytes), (7, 0), "offset 6 was given once already");
    assert_eq!(journal.append(Bytes::from_static(b"seven")).await.unwrap(), 7);
}

#[tokio::test]
async fn a_record_that_looks_like_a_record_is_only_a_body() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, inline(10_000)).unwrap();
    append_each(&journal, &["one", "two"]).await;
    let file = disk.open(&segments(&disk)[0]).unwrap();
    // A file with the same offsets, seen by someone who does not know this segment's salt.
    let other = SimDisk::new(2);
    let (stranger, _) = open(&other, inline(10_000)).unwrap();
    append_each(&stranger, &["a", "b", "c", "d", "e"]).await;
    let mut bytes = vec![0; stranger.size_bytes() as usize];
    other.open(&segments(&other)[0]).unwrap().read_at(&mut bytes, 0).unwrap();
    let before = file.size_bytes().unwrap();
    journal.append(bytes.into()).await.unwrap();
    drop(journal);
    disk.flip(&segments(&disk)[0], before, 1).unwrap(); // tears the outer record's header
    let (journal, recovery) = open(&disk, inline(10_000)).unwrap();
    assert_eq!((recovery.end, texts(&journal).await.len()), (3, 2));
}

#[tokio::test]
async fn a_preamble_names_the_segment_that_it_belongs_to() {
    let disk = SimDisk::new(1);
    let seen = Arc::new(std::sync::Mutex::new(String::new()));
    let (told, asked) = (seen.clone(), seen.clone());
    let options = Options {
        preamble: Some(Box::new(move || asked.lock().unwrap().clone().into_bytes())),
        on_durable: Some(Box::new(move |entry| *told.lock().unwrap() = format!("up to {}", entry.offset))),
        ..inline(160)
    };
    let (journal, recovery) = open(&disk, options).unwrap();
    assert_eq!((recovery.start, recovery.end, recovery.preamble.len()), (1, 1, 0));
    append_each(&journal, &["one--", "two--", "three", "four-", "five-", "six--", "seven"]).await;
    journal.truncate(journal.end()).await.unwrap();
    assert_eq!(segments(&disk).len(), 1, "only the newest stays");
    drop(journal);
    disk.crash(Crash::Power);
    disk.restart();
    let (_, recovery) = open(&disk, inline(160)).unwrap();
    let expected = format!("up to {}", recovery.preamble_offset - 1);
    assert_eq!(String::from_utf8(recovery.preamble).unwrap(), expected);
    assert!(recovery.preamble_offset > 1 && recovery.start == recovery.preamble_offset);
}

#[tokio::test]
async fn without_its_own_the_newest_preamble_counts_from_where_it_stood() {
    let disk = SimDisk::new(1);
    let seen = Arc::new(std::sync::Mutex::new("nothing".to_owned()));
    let (told, asked) = (seen.clone(), seen.clone());
    let options = Options {
        preamble: Some(Box::new(move || asked.lock().unwrap().clone().into_bytes())),
        on_durable: Some(Box::new(move |entry| *told.lock().unwrap() = format!("up to {}", entry.offset))),
        ..inline(160)
    };
    let (journal, _) = open(&disk, options).unwrap();
    append_each(&journal, &["one--", "two--", "three", "four-", "five-", "six--", "seven"]).await;
    drop(journal);
    let files = segments(&disk);
    disk.flip(&files[files.len() - 1], 20, 1).unwrap();
    // Opening begins a segment that knows nothing, and finds the same preamble behind it the next time.
    for _ in 0..2 {
        let (journal, recovery) = open(&disk, Options { accept_damage: true, ..inline(160) }).unwrap();
        assert!(recovery.preamble_offset > 1 && recovery.preamble_offset < recovery.end);
        let expected = format!("up to {}", recovery.preamble_offset - 1);
        assert_eq!(String::from_utf8(recovery.preamble).unwrap(), expected);
        let behind = journal.read(recovery.preamble_offset, 1000).await.unwrap();
        assert_eq!(
            behind[0].offset, recovery.preamble_offset,
            "the records that it does not know can be read"
        );
    }
}
