//! A journal that was written in format 1 opens for ever, with just these contents.
//!
//! `WRITE_JOURNAL_FIXTURE=1` writes it anew (for a new format, in a new directory: never over an old one).

use super::*;
use journal::OsDisk;
use std::path::PathBuf;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1")
}

fn records() -> Vec<Bytes> {
    let mut records: Vec<Bytes> =
        ["first", "", "a line\n", "ünïcödé"].map(|text| Bytes::from_static(text.as_bytes())).into();
    records.push((0..=255).collect());
    records.push(Bytes::from(vec![0; 100]));
    records.extend((0..4).map(|at| Bytes::from(format!("record {at}"))));
    records
}

fn options() -> Options {
    Options {
        segment_bytes: 400,
        preamble: Some(Box::new(|| b"cursor of 3 sources".to_vec())),
        ..Options::default()
    }
}

#[tokio::test]
async fn format_1_opens() {
    if std::env::var_os("WRITE_JOURNAL_FIXTURE").is_some() {
        write().await;
    }
    // Opening may rewrite the newest segment, so it works on a copy.
    let copy = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    names.sort();
    assert_eq!(names, [1, 5, 6].map(|first| format!("{first:020}.segment")));
    let (journal, recovery) =
        FileJournal::open(Arc::new(OsDisk), copy.path().into(), Options::default()).unwrap();
    let expected = Recovery {
        start: 1,
        end: 11,
        torn_bytes: 0,
        preamble: b"cursor of 3 sources".to_vec(),
        preamble_offset: 6,
        damage: Vec::new(),
    };
    assert_eq!(recovery, expected);
    let expected: Vec<Entry> =
        (1..).zip(records()).map(|(offset, record)| Entry { offset, record }).collect();
    assert_eq!(read_all(&journal).await.unwrap(), expected);
}

async fn write() {
    std::fs::create_dir(directory()).expect("an old fixture is never replaced");
    let (journal, _) = FileJournal::open(Arc::new(OsDisk), directory(), options()).unwrap();
    for record in records() {
        journal.append(record).await.unwrap();
    }
}
