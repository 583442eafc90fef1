//! The committed version and the one step that changes it.
//!
//! Order of a commit: the data files are durable already; the manifest is put; the
//! document is put by its revision; queries switch over. A put whose outcome is
//! unknown stays pending, and is settled before anything else is committed: it is put
//! again until the store says yes, or says that the document has changed. Then the
//! document itself tells whether the change was ours.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use meta::MetaError;
use object_store::path::Path as BlobPath;

use super::Partition;
use crate::commit::CommitError;
use crate::commit::document::SealDocument;
use crate::commit::manifest::Manifest;

/// How often a put with an unknown outcome is tried before the caller is told.
const ATTEMPTS: usize = 3;

/// A version: what the manifest says, and where it says it.
pub(super) struct Version {
    pub(super) manifest: Manifest,
    pub(super) name: Option<String>,
    pub(super) document: Bytes,
}

/// What this owner knows to be committed, and what may be.
pub(super) struct Committed {
    pub(super) version: Arc<Version>,
    pub(super) revision: u64,
    pub(super) owner: String,
    pub(super) pending: Option<Arc<Version>>,
    /// Numbers this owner's manifests, so that no name is used twice.
    pub(super) written: u64,
    /// Manifests that no document names any more, with the time they were replaced.
    pub(super) retired: Vec<(String, i64)>,
}

impl Partition {
    /// Commits what `change` makes of the current manifest; `None` from it commits nothing.
    pub(super) async fn commit(
        &self,
        change: impl FnOnce(&Manifest) -> Option<Manifest> + Send,
    ) -> Result<bool, CommitError> {
        let mut committed = self.version.lock().await;
        self.settle(&mut committed).await?;
        let Some(mut manifest) = change(&committed.version.manifest) else { return Ok(false) };
        manifest.epoch = self.epoch;
        committed.written += 1;
        let name = self.manifest_name(manifest.sealed_offset, committed.written);
        self.put_blob(&name, manifest.encode()).await?;
        let document = SealDocument {
            version: 1,
            epoch: self.epoch,
            owner: committed.owner.clone(),
            sealed_offset: manifest.sealed_offset,
            manifest: Some(name.clone()),
        };
        committed.pending =
            Some(Arc::new(Version { manifest, name: Some(name), document: document.encode() }));
        self.settle(&mut committed).await?;
        Ok(true)
    }

    /// Finds out whether a pending version became the committed one. Nothing is pending when this returns `Ok`.
    pub(super) async fn settle(&self, committed: &mut Committed) -> Result<(), CommitError> {
        let key = SealDocument::key(self.id);
        let mut unknown = None;
        for _ in 0..ATTEMPTS {
            let Some(next) = committed.pending.clone() else { return Ok(()) };
            match self.options.meta.put(&key, next.document.clone(), committed.revision).await {
                Ok(revision) => self.adopt(committed, next, revision),
                Err(MetaError::Conflict { .. }) => match self.options.meta.get(&key).await? {
                    Some(found) if found.body == next.document => self.adopt(committed, next, found.revision),
                    _ => return Err(self.fenced()),
                },
                Err(error @ MetaError::Unknown { .. }) => unknown = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        unknown.map_or(Ok(()), |error| if committed.pending.is_some() { Err(error.into()) } else { Ok(()) })
    }

    /// The document names `next` now: queries may see it.
    fn adopt(&self, committed: &mut Committed, next: Arc<Version>, revision: u64) {
        self.engine.publish(&next.manifest.files, next.manifest.sealed_offset);
        self.measure_head();
        if let Some(name) = &committed.version.name {
            committed.retired.push((name.clone(), (self.options.clock)()));
        }
        self.sealed_offset.store(next.manifest.sealed_offset, Ordering::Release);
        committed.version = next;
        committed.revision = revision;
        committed.pending = None;
    }

    fn fenced(&self) -> CommitError {
        let error = CommitError::Fenced { partition: self.id, epoch: self.epoch };
        self.fail(error.to_string());
        error
    }

    fn manifest_name(&self, sealed_offset: u64, number: u64) -> String {
        let directory = Self::blob_directory(self.id);
        format!("{directory}/{:08x}-{sealed_offset:016x}-{number:08x}.manifest", self.epoch)
    }

    pub(super) async fn put_blob(&self, name: &str, body: Bytes) -> Result<(), CommitError> {
        use object_store::ObjectStoreExt;
        let put = self.options.blobs.put(&BlobPath::from(name), body.into()).await;
        put.map(drop).map_err(|source| CommitError::Blob { name: name.to_owned(), source })
    }

    /// Deletes blobs of this module that no document names, `grace` after they were replaced.
    pub(super) async fn delete_retired(&self, committed: &mut Committed) {
        use object_store::ObjectStoreExt;
        let before = (self.options.clock)().saturating_sub(self.options.grace.as_nanos() as i64);
        let due: BTreeSet<String> =
            committed.retired.iter().filter(|(_, at)| *at <= before).map(|(name, _)| name.clone()).collect();
        for name in due {
            match self.options.blobs.delete(&BlobPath::from(name.as_str())).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {
                    committed.retired.retain(|(retired, _)| *retired != name);
                }
                Err(error) => {
                    tracing::warn!(name, %error, "cannot delete an old manifest; it is tried again");
                    return;
                }
            }
        }
    }
}
