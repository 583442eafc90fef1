//! How many appends per second the journal makes durable on this machine's disk, by record size and number of tasks.
//!
//! `cargo run --release -p narrows-journal --example append_bench [DIRECTORY]`: the directory decides which disk is
//! measured; without one it is a temporary directory.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use journal::{Disk, DiskFile, FileJournal, Journal, Options, OsDisk};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const RUN_TIME: Duration = Duration::from_secs(3);

fn main() {
    let temporary = tempfile::tempdir().unwrap();
    let parent = std::env::args().nth(1).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    println!(
        "{:>12} {:>6} {:>10} {:>8} {:>8} {:>14}",
        "record bytes", "tasks", "appends/s", "MB/s", "syncs/s", "records/sync"
    );
    for (record_bytes, tasks) in
        [(1_000, 1), (1_000, 16), (1_000, 256), (300_000, 1), (300_000, 8), (300_000, 32)]
    {
        let directory = parent.join(format!("append-bench-{record_bytes}-{tasks}"));
        runtime.block_on(run(&directory, record_bytes, tasks));
        std::fs::remove_dir_all(directory).unwrap();
    }
}

async fn run(directory: &Path, record_bytes: usize, tasks: usize) {
    let syncs = Arc::new(AtomicU64::new(0));
    let disk = Arc::new(CountingDisk { syncs: syncs.clone() });
    let (journal, _) = FileJournal::open(disk, directory.to_owned(), Options::default()).unwrap();
    let journal = Arc::new(journal);
    let record = Bytes::from(vec![0x5a; record_bytes]);
    let started = Instant::now();
    let running: Vec<_> =
        (0..tasks).map(|_| tokio::spawn(append_until(journal.clone(), record.clone(), started))).collect();
    let mut appends = 0;
    for task in running {
        appends += task.await.unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();
    let syncs = syncs.load(Ordering::Relaxed) as f64;
    println!(
        "{record_bytes:>12} {tasks:>6} {:>10.0} {:>8.1} {:>8.0} {:>14.1}",
        appends as f64 / seconds,
        appends as f64 * record_bytes as f64 / 1e6 / seconds,
        syncs / seconds,
        appends as f64 / syncs,
    );
}

async fn append_until(journal: Arc<FileJournal>, record: Bytes, started: Instant) -> u64 {
    let mut appends = 0;
    while started.elapsed() < RUN_TIME {
        let offset = journal.append(record.clone()).await.unwrap();
        appends += 1;
        // Keeps the directory small, as a reader that follows does.
        if offset % 1000 == 0 {
            journal.truncate(offset).await.unwrap();
        }
    }
    appends
}

/// The real disk, counting the syncs of files.
struct CountingDisk {
    syncs: Arc<AtomicU64>,
}

struct CountingFile {
    file: Arc<dyn DiskFile>,
    syncs: Arc<AtomicU64>,
}

impl CountingDisk {
    fn count(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(CountingFile { file, syncs: self.syncs.clone() })
    }
}

impl Disk for CountingDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.count(OsDisk.create(path)?))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.count(OsDisk.open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove(path)
    }
    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        OsDisk.list(directory)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        OsDisk.create_dir(path)
    }
    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        OsDisk.sync_dir(directory)
    }
}

impl DiskFile for CountingFile {
    fn append(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.file.append(parts)
    }
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.file.read_at(buffer, position)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }
    fn size_bytes(&self) -> io::Result<u64> {
        self.file.size_bytes()
    }
    fn truncate(&self, size_bytes: u64) -> io::Result<()> {
        self.file.truncate(size_bytes)
    }
}
