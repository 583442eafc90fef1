//! Documents on a simulated disk: all of them in one file, replaced as a whole by each change.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use journal::sim::SimDisk;
use journal::{Disk, append_all};
use meta::{Document, Meta, MetaError, Watch, Watchers, check_key, check_put};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
struct All {
    newest: u64,
    documents: BTreeMap<String, (u64, Vec<u8>)>,
}

/// Meta whose every change is one rename.
pub(crate) struct SimMeta {
    disk: SimDisk,
    directory: PathBuf,
    all: Mutex<All>,
    /// A sync of the directory failed: what the cache shows may not be on the disk, so nothing is shown.
    stopped: AtomicBool,
    watchers: Watchers,
}

impl SimMeta {
    /// Reads the file, or begins without documents.
    pub(crate) fn open(disk: &SimDisk, directory: &Path) -> io::Result<Self> {
        journal::create_dir_synced(disk, directory)?;
        // A process that died may have left its rename unsynced; what is read now must stay.
        disk.sync_dir(directory)?;
        let all = match disk.open(&directory.join("all.documents")) {
            Ok(file) => {
                let mut bytes = vec![0; file.size_bytes()? as usize];
                let read = file.read_at(&mut bytes, 0)?;
                serde_json::from_slice(&bytes[..read]).map_err(io::Error::other)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => All::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            disk: disk.clone(),
            directory: directory.to_owned(),
            all: Mutex::new(all),
            stopped: AtomicBool::new(false),
            watchers: Watchers::default(),
        })
    }

    fn change(&self, key: &str, expect: u64, body: Option<Vec<u8>>) -> Result<u64, MetaError> {
        self.check()?;
        let mut all = self.all.lock();
        let current = all.documents.get(key).map_or(0, |(revision, _)| *revision);
        if current != expect {
            return Err(MetaError::Conflict { key: key.to_owned(), expected: expect, current });
        }
        let mut next = all.clone();
        next.newest += 1;
        match body {
            Some(body) => next.documents.insert(key.to_owned(), (next.newest, body)),
            None => next.documents.remove(key),
        };
        self.write(&next).map_err(|error| MetaError::Store(error.to_string()))?;
        // From the rename on, the change may be seen after a crash.
        let renamed = self.disk.rename(&self.staged(), &self.directory.join("all.documents"));
        renamed.map_err(|error| unknown(key, &error))?;
        *all = next;
        self.disk.sync_dir(&self.directory).map_err(|error| {
            self.stopped.store(true, Ordering::Relaxed);
            unknown(key, &error)
        })?;
        self.watchers.tell(key);
        Ok(all.newest)
    }

    fn write(&self, all: &All) -> io::Result<()> {
        let staged = self.staged();
        if self.disk.open(&staged).is_ok() {
            self.disk.remove(&staged)?;
        }
        let bytes = serde_json::to_vec(all).unwrap();
        let file = self.disk.create(&staged)?;
        append_all(&*file, &mut [io::IoSlice::new(&bytes)])?;
        file.sync_data()
    }

    fn check(&self) -> Result<(), MetaError> {
        match self.stopped.load(Ordering::Relaxed) || self.disk.is_down() {
            true => Err(MetaError::Store("stopped after a failed sync".to_owned())),
            false => Ok(()),
        }
    }

    fn staged(&self) -> PathBuf {
        self.directory.join("all.staged")
    }
}

fn unknown(key: &str, error: &io::Error) -> MetaError {
    MetaError::Unknown { key: key.to_owned(), cause: error.to_string() }
}

#[async_trait]
impl Meta for SimMeta {
    async fn get(&self, key: &str) -> Result<Option<Document>, MetaError> {
        check_key(key)?;
        self.check()?;
        let all = self.all.lock();
        let found = all.documents.get(key).cloned();
        Ok(found.map(|(revision, body)| Document { revision, body: Bytes::from(body) }))
    }

    async fn put(&self, key: &str, body: Bytes, expect: u64) -> Result<u64, MetaError> {
        check_put(key, &body)?;
        self.change(key, expect, Some(body.to_vec()))
    }

    async fn delete(&self, key: &str, expect: u64) -> Result<(), MetaError> {
        check_key(key)?;
        self.change(key, expect, None).map(drop)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, MetaError> {
        self.check()?;
        let all = self.all.lock();
        let found = all.documents.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, (revision, _))| (key.clone(), *revision)).collect())
    }

    fn watch(&self, prefix: &str) -> Watch {
        self.watchers.watch(prefix)
    }
}

#[tokio::test]
async fn documents_on_a_simulated_disk_keep_the_model() {
    let disk = SimDisk::new(1);
    for seed in 0..4 {
        let meta = SimMeta::open(&disk, Path::new("/meta")).unwrap();
        meta::testing::check_meta(&meta, seed, 100).await;
    }
}
