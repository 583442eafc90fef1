//! Documents in one SQLite file: WAL with `synchronous=FULL`, so that a commit is
//! synced when it returns.
//!
//! One thread owns the connection and does everything in the order it was asked;
//! the documents are few and small, and a second connection would only bring
//! `SQLITE_BUSY`. Tables: `documents(key, revision, body)` and the one row of
//! `counter`, the highest revision ever given: it survives deletes, so revisions
//! only grow.

mod store;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::{Document, Meta, MetaError, Watch, Watchers, check_key, check_put};
use store::Store;

/// How many operations may wait for the thread; more wait in their callers.
const WAITING: usize = 64;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// [`Meta`] in a SQLite file.
#[derive(Debug)]
pub struct SqliteMeta {
    jobs: mpsc::Sender<Job>,
    watchers: Watchers,
    path: PathBuf,
}

impl SqliteMeta {
    /// Opens the file, or makes it; its directory must exist. Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, MetaError> {
        let mut store = Store::open(path)?;
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING);
        std::thread::Builder::new()
            .name("meta".to_owned())
            .spawn(move || {
                while let Some(job) = waiting.blocking_recv() {
                    job(&mut store);
                }
            })
            .map_err(|error| MetaError::Store(format!("cannot start its thread: {error}")))?;
        Ok(Self { jobs, watchers: Watchers::default(), path: path.to_owned() })
    }

    /// Where the documents stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn run<T, F>(&self, job: F) -> Result<T, MetaError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Store) -> Result<T, MetaError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            // The caller may have gone away; what was asked is done all the same.
            let _gone = reply.send(job(store));
        });
        let gone = || MetaError::Store("its thread has ended".to_owned());
        self.jobs.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl Meta for SqliteMeta {
    async fn get(&self, key: &str) -> Result<Option<Document>, MetaError> {
        check_key(key)?;
        let key = key.to_owned();
        self.run(move |store| store.get(&key)).await
    }

    async fn put(&self, key: &str, body: Bytes, expect: u64) -> Result<u64, MetaError> {
        check_put(key, &body)?;
        let owned = key.to_owned();
        let revision = self.run(move |store| store.put(&owned, &body, expect)).await?;
        self.watchers.tell(key);
        Ok(revision)
    }

    async fn delete(&self, key: &str, expect: u64) -> Result<(), MetaError> {
        check_key(key)?;
        let owned = key.to_owned();
        self.run(move |store| store.delete(&owned, expect)).await?;
        self.watchers.tell(key);
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, MetaError> {
        let prefix = prefix.to_owned();
        self.run(move |store| store.list(&prefix)).await
    }

    fn watch(&self, prefix: &str) -> Watch {
        self.watchers.watch(prefix)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
