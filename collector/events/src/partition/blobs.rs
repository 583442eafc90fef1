//! The blobs of a partition of one kind of rows: names for new ones, and which of them may go.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;

use super::{Partition, Pinned};
use crate::EventsError;
use crate::split::SplitRef;

pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    life: Mutex<Life>,
}

/// What is known of blobs that are not in the list.
#[derive(Default)]
struct Life {
    /// Written or being written, but not published yet.
    pending: HashSet<String>,
    /// Left the list; queries may still read them.
    retired: Vec<(Instant, Arc<Pinned>)>,
    /// Until the list was given once, nothing is known to be superfluous.
    recovered: bool,
}

impl Blobs {
    /// `kind` is the first part of every name.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, kind: &str, partition: u16) -> Self {
        Self { store, prefix: format!("{kind}/{partition}"), life: Mutex::default() }
    }

    pub(crate) fn store(&self) -> Arc<dyn ObjectStore> {
        self.store.clone()
    }

    /// A new name; the owner's epoch is in it.
    pub(crate) fn name(&self, tenant: &str, epoch: u64) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // The clock only keeps names of different runs apart; nothing reads it back.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("{}/{tenant}/{epoch:08x}-{now:016x}-{count:x}.split", self.prefix);
        self.life.lock().pending.insert(name.clone());
        name
    }

    /// These names are in the list now.
    pub(crate) fn listed(&self, files: &[SplitRef]) {
        let mut life = self.life.lock();
        life.recovered = true;
        for file in files {
            life.pending.remove(&file.name);
        }
    }

    pub(crate) fn retire(&self, split: Arc<Pinned>) {
        split.file.forget();
        self.life.lock().retired.push((Instant::now(), split));
    }

    pub(crate) fn discard<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let mut life = self.life.lock();
        for name in names {
            life.pending.remove(name);
        }
    }

    /// Retired splits that no snapshot holds, when their grace is over.
    fn take_unpinned(&self, grace: Duration) -> Vec<Arc<Pinned>> {
        let mut life = self.life.lock();
        let over = |(since, split): &(Instant, Arc<Pinned>)| {
            since.elapsed() >= grace && Arc::strong_count(split) == 1
        };
        let (gone, kept) = std::mem::take(&mut life.retired).into_iter().partition(over);
        life.retired = kept;
        gone.into_iter().map(|(_, split)| split).collect()
    }

    fn is_known(&self, name: &str) -> bool {
        let life = self.life.lock();
        let is_retired = life.retired.iter().any(|(_, split)| split.listed().name == name);
        !life.recovered || is_retired || life.pending.contains(name)
    }
}

impl Blobs {
    /// Deletes blobs that neither the list nor a snapshot needs, `grace` after they left the list, or
    /// were written by a run that never published them. Gives how many.
    pub(crate) async fn delete_unlisted(
        &self,
        grace: Duration,
        listed: impl FnOnce() -> Vec<SplitRef>,
    ) -> Result<usize, EventsError> {
        let mut deleted = 0;
        for split in self.take_unpinned(grace) {
            split.file.forget();
            let name = split.listed().name.clone();
            if let Err(error) = delete(&self.store, &name).await {
                self.retire(split);
                return Err(error);
            }
            deleted += 1;
        }
        for name in self.orphans(grace, listed).await? {
            delete(&self.store, &name).await?;
            deleted += 1;
        }
        Ok(deleted)
    }

    /// Blobs that nobody knows of, older than `grace`.
    async fn orphans(
        &self,
        grace: Duration,
        listed: impl FnOnce() -> Vec<SplitRef>,
    ) -> Result<Vec<String>, EventsError> {
        let prefix = Path::from(self.prefix.as_str());
        let listing = self.store.list(Some(&prefix)).try_collect::<Vec<_>>().await;
        let listing = listing.map_err(|source| EventsError::Read { name: self.prefix.clone(), source })?;
        // Asked for after the listing: what is published meanwhile is in one of the two.
        let listed: HashSet<String> = listed().into_iter().map(|file| file.name).collect();
        let oldest = SystemTime::now().checked_sub(grace).unwrap_or(UNIX_EPOCH);
        let old = listing.into_iter().filter(|blob| SystemTime::from(blob.last_modified) <= oldest);
        let names = old.map(|blob| blob.location.to_string());
        Ok(names.filter(|name| !listed.contains(name) && !self.is_known(name)).collect())
    }
}

impl Partition {
    /// Outputs of a seal or merge that will not be committed: `delete_unlisted` may take them.
    pub fn discard(&self, outputs: &[SplitRef]) {
        self.inner.blobs.discard(outputs.iter().map(|output| output.name.as_str()));
    }

    /// Deletes blobs that neither the list nor a snapshot needs, `grace` after they left the list, or
    /// were written by a run that never published them. Gives how many.
    pub async fn delete_unlisted(&self, grace: Duration) -> Result<usize, EventsError> {
        self.inner.blobs.delete_unlisted(grace, || self.files()).await
    }
}

async fn delete(store: &Arc<dyn ObjectStore>, name: &str) -> Result<(), EventsError> {
    match store.delete(&Path::from(name)).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(source) => Err(EventsError::Read { name: name.to_owned(), source }),
    }
}
