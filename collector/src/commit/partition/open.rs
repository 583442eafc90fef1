//! Opening a partition: take it over, read its version, open its journal, apply the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use bytes::Bytes;
use futures::TryStreamExt;
use journal::Journal;
use meta::{Meta, MetaError};
use object_store::ObjectStoreExt;
use object_store::path::Path as BlobPath;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::Partition;
use super::apply::Applied;
use super::status::Status;
use super::version::{Committed, Version};
use crate::commit::CommitError;
use crate::commit::derived::Outlet;
use crate::commit::document::SealDocument;
use crate::commit::engine::Engine;
use crate::commit::heavy::heavy;
use crate::commit::kind::PartitionId;
use crate::commit::manifest::Manifest;
use crate::commit::options::StoreOptions;

/// How often a put with an unknown outcome is tried.
const ATTEMPTS: usize = 5;

impl Partition {
    /// Takes the partition over and opens it at its committed version. Nothing is applied yet.
    pub(in crate::commit) async fn open(
        options: Arc<StoreOptions>,
        id: PartitionId,
        outlet: Option<Arc<Outlet>>,
    ) -> Result<Self, CommitError> {
        let owner = format!("{:016x}", rand::random::<u64>());
        let (document, revision) = take_over(&*options.meta, id, &owner).await?;
        let manifest = read_manifest(&options, id, &document).await?;
        let name = id.to_string();
        let journal = heavy(|| options.journals.open(&name))
            .map_err(|source| CommitError::Journal { name: name.clone(), source })?;
        check_journal(&name, &*journal, document.sealed_offset)?;

        let engine = Engine::new(id, &options);
        engine.recover(&manifest.files, &manifest.state)?;
        engine.publish(&manifest.files, manifest.sealed_offset);
        let applied = Applied::of_manifest(&manifest);
        let retired = old_manifests(&options, id, document.manifest.as_deref()).await?;
        let (epoch, sealed_offset) = (document.epoch, document.sealed_offset);
        let body = document.encode();
        let version = Arc::new(Version { manifest, name: document.manifest, document: body });
        let partition = Self {
            id,
            epoch,
            journal,
            engine,
            outlet,
            applying: tokio::sync::Mutex::default(),
            applied_offset: watch::Sender::new(applied.offset),
            applied: Mutex::new(applied),
            sealing: tokio::sync::Mutex::default(),
            merging: tokio::sync::Mutex::default(),
            version: tokio::sync::Mutex::new(Committed {
                version,
                revision,
                owner,
                pending: None,
                written: 0,
                retired,
            }),
            sealed_offset: AtomicU64::new(sealed_offset),
            status: Mutex::new(Status::default()),
            lag_bytes: AtomicI64::new(0),
            applied_bytes: AtomicU64::new(0),
            head_bytes: AtomicU64::new(0),
            measuring: Mutex::default(),
            seals: AtomicU64::new(0),
            merges: AtomicU64::new(0),
            sealed_bytes: AtomicU64::new(0),
            seal_due: Notify::new(),
            merge_due: Notify::new(),
            options,
        };
        partition.truncate_journal(sealed_offset).await;
        Ok(partition)
    }

    /// Applies what the journal holds past the sealed offset. A head that grows past the limits is
    /// sealed on the way, so memory stays bounded whatever the journal holds.
    pub(in crate::commit) async fn replay(&self) -> Result<(), CommitError> {
        let from = self.applied_offset();
        while self.apply_chunk().await? > 0 {
            if self.seal_is_due_by_size() {
                self.seal().await?;
            }
        }
        let records = self.applied_offset() - from;
        tracing::info!(partition = %self.id, epoch = self.epoch, records, "journal replayed");
        Ok(())
    }
}

/// Makes this process the owner: the document's epoch grows by one, and whoever had it before cannot commit.
async fn take_over(
    meta: &dyn Meta,
    id: PartitionId,
    owner: &str,
) -> Result<(SealDocument, u64), CommitError> {
    let key = SealDocument::key(id);
    let mut unknown = None;
    for _ in 0..ATTEMPTS {
        let found = meta.get(&key).await?;
        let (current, revision) = match &found {
            Some(found) => {
                let document = SealDocument::decode(&found.body)
                    .map_err(|reason| CommitError::Document { key: key.clone(), reason })?;
                (document, found.revision)
            }
            None => (SealDocument::empty(), 0),
        };
        if current.owner == owner {
            return Ok((current, revision));
        }
        let next = SealDocument { epoch: current.epoch + 1, owner: owner.to_owned(), ..current };
        match meta.put(&key, next.encode(), revision).await {
            Ok(revision) => return Ok((next, revision)),
            // Somebody else takes over at this moment, or the outcome is unknown: look again.
            Err(error @ (MetaError::Conflict { .. } | MetaError::Unknown { .. })) => unknown = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    Err(unknown.map_or_else(|| CommitError::Stopped("no attempt to take over".to_owned()), CommitError::Meta))
}

async fn read_manifest(
    options: &StoreOptions,
    id: PartitionId,
    document: &SealDocument,
) -> Result<Manifest, CommitError> {
    let Some(name) = &document.manifest else { return Ok(Manifest::empty(id)) };
    let raw: Bytes = match options.blobs.get(&BlobPath::from(name.as_str())).await {
        Ok(found) => {
            found.bytes().await.map_err(|source| CommitError::Blob { name: name.clone(), source })?
        }
        Err(object_store::Error::NotFound { .. }) => {
            return Err(CommitError::Manifest { name: name.clone(), reason: "it is missing".to_owned() });
        }
        Err(source) => return Err(CommitError::Blob { name: name.clone(), source }),
    };
    let manifest = Manifest::decode(&raw).map_err(|error| CommitError::manifest(name, &error))?;
    if manifest.partition != id || manifest.sealed_offset != document.sealed_offset {
        let reason = format!(
            "it is of {} at offset {}, the document says {id} at {}",
            manifest.partition, manifest.sealed_offset, document.sealed_offset
        );
        return Err(CommitError::Manifest { name: name.clone(), reason });
    }
    Ok(manifest)
}

/// The journal must reach from the sealed offset on.
fn check_journal(name: &str, journal: &dyn Journal, sealed: u64) -> Result<(), CommitError> {
    let (start, end) = (journal.start(), journal.end());
    if start <= sealed + 1 && sealed < end {
        return Ok(());
    }
    Err(CommitError::Gap { name: name.to_owned(), start, end, sealed })
}

/// Manifests of earlier versions, to be deleted after the grace period.
async fn old_manifests(
    options: &StoreOptions,
    id: PartitionId,
    current: Option<&str>,
) -> Result<Vec<(String, i64)>, CommitError> {
    let directory = Partition::blob_directory(id);
    let listed: Vec<_> = options
        .blobs
        .list(Some(&BlobPath::from(directory.as_str())))
        .try_collect()
        .await
        .map_err(|source| CommitError::Blob { name: directory, source })?;
    let now_ns = (options.clock)();
    let names = listed.into_iter().map(|blob| String::from(blob.location));
    let old = names.filter(|name| name.ends_with(".manifest") && Some(name.as_str()) != current);
    Ok(old.map(|name| (name, now_ns)).collect())
}
