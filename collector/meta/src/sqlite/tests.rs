use super::*;
use crate::testing::{Fault, FlakyMeta, check_meta};
use std::sync::Arc;

fn open(directory: &tempfile::TempDir) -> SqliteMeta {
    SqliteMeta::open(&directory.path().join("meta.sqlite")).unwrap()
}

#[tokio::test]
async fn sqlite_keeps_the_model() {
    let directory = tempfile::tempdir().unwrap();
    for seed in 0..8 {
        check_meta(&open(&directory), seed, 150).await;
    }
}

#[tokio::test]
async fn a_store_that_fails_before_and_after_applying_keeps_the_model() {
    let directory = tempfile::tempdir().unwrap();
    let flaky = FlakyMeta::random(Arc::new(open(&directory)), 7, 0.3);
    for seed in 0..4 {
        check_meta(&flaky, seed, 150).await;
    }
    assert!(flaky.faults() > 20, "{} faults", flaky.faults());
}

#[tokio::test]
async fn documents_and_revisions_survive_a_reopen() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    let first = meta.put("seal/logs/0", Bytes::from_static(b"one"), 0).await.unwrap();
    let second = meta.put("seal/logs/1", Bytes::from_static(b"two"), 0).await.unwrap();
    meta.delete("seal/logs/1", second).await.unwrap();
    drop(meta);
    let meta = open(&directory);
    let document = meta.get("seal/logs/0").await.unwrap().unwrap();
    assert_eq!((document.revision, &document.body[..]), (first, &b"one"[..]));
    let third = meta.put("seal/logs/1", Bytes::new(), 0).await.unwrap();
    assert!(third > second, "a deleted document's revision is not given again");
}

#[tokio::test]
async fn the_writer_is_synchronous_full_over_wal() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    meta.put("a", Bytes::from_static(b"x"), 0).await.unwrap();
    assert!(directory.path().join("meta.sqlite-wal").exists());
    let level = meta.run(|store| store.pragma("synchronous")).await.unwrap();
    assert_eq!(level, 2, "2 is FULL");
}

#[tokio::test]
async fn bad_keys_and_large_bodies_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let meta = open(&directory);
    for key in ["", "a b", "ä", &"x".repeat(257)] {
        assert!(matches!(meta.put(key, Bytes::new(), 0).await, Err(MetaError::Key(_))), "{key}");
    }
    let large = Bytes::from(vec![0; crate::MAX_BODY_BYTES]);
    assert!(matches!(meta.put("a", large.clone(), 0).await, Err(MetaError::TooLarge { .. })));
    meta.put("a", large.slice(1..), 0).await.unwrap();
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory));
    let path = directory.path().join("meta.sqlite");
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    let error = SqliteMeta::open(&path).unwrap_err().to_string();
    assert!(error.contains("meta.sqlite") && error.contains("version 9"), "{error}");
}

#[tokio::test]
async fn one_of_many_writers_at_a_revision_wins() {
    let directory = tempfile::tempdir().unwrap();
    let meta = Arc::new(open(&directory));
    let start = meta.put("a", Bytes::new(), 0).await.unwrap();
    let writers: Vec<_> = (0..20u8)
        .map(|n| {
            let meta = Arc::clone(&meta);
            tokio::spawn(async move { meta.put("a", Bytes::from(vec![n]), start).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        won += usize::from(writer.await.unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_fault_of_each_kind_leaves_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let flaky = FlakyMeta::scripted(Arc::new(open(&directory)), [Fault::Before, Fault::After, Fault::None]);
    assert!(matches!(flaky.put("a", Bytes::new(), 0).await, Err(MetaError::Unknown { .. })));
    assert_eq!(flaky.get("a").await.unwrap(), None);
    assert!(matches!(flaky.put("a", Bytes::new(), 0).await, Err(MetaError::Unknown { .. })));
    let revision = flaky.get("a").await.unwrap().unwrap().revision;
    assert!(flaky.put("a", Bytes::new(), revision).await.unwrap() > revision);
}
