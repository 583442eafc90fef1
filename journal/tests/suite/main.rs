//! What a journal promises, held against it from outside.

#![allow(clippy::unwrap_used)]

mod faults;
mod fixture;
mod histories;
mod model;
mod os;
mod recovery;

use bytes::Bytes;
use journal::sim::SimDisk;
use journal::{Entry, FileJournal, Journal, JournalError, Options, Recovery};
use std::path::Path;
use std::sync::Arc;

const DIRECTORY: &str = "/data/journal";

/// Options with which everything happens in a fixed order, and small segments.
fn inline(segment_bytes: u64) -> Options {
    Options { segment_bytes, inline: true, ..Options::default() }
}

fn open(disk: &SimDisk, options: Options) -> Result<(FileJournal, Recovery), JournalError> {
    FileJournal::open(Arc::new(disk.clone()), DIRECTORY.into(), options)
}

async fn append_each(journal: &dyn Journal, records: &[&'static str]) {
    for record in records {
        journal.append(Bytes::from_static(record.as_bytes())).await.unwrap();
    }
}

/// Everything that can be read, a few records at a time.
async fn read_all(journal: &dyn Journal) -> Result<Vec<Entry>, JournalError> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let from = entries.last().map_or(journal.start(), |entry| entry.offset + 1);
        let more = journal.read(from, 300).await?;
        if more.is_empty() {
            return Ok(entries);
        }
        entries.extend(more);
    }
}

async fn texts(journal: &dyn Journal) -> Vec<(u64, String)> {
    let entries = read_all(journal).await.unwrap();
    entries
        .into_iter()
        .map(|entry| (entry.offset, String::from_utf8_lossy(&entry.record).into_owned()))
        .collect()
}

/// The journal's files, oldest first, as full paths.
fn segments(disk: &dyn journal::Disk) -> Vec<std::path::PathBuf> {
    let names = disk.list(Path::new(DIRECTORY)).unwrap();
    names.into_iter().map(|name| Path::new(DIRECTORY).join(name)).collect()
}
