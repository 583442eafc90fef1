//! Retention by whole files, and deleting what no version lists any more.

use std::collections::BTreeSet;

use super::Partition;
use crate::commit::CommitError;
use crate::commit::engine::SealedFile;
use crate::commit::manifest::Manifest;

impl Partition {
    /// Drops these files from the version, as far as it lists them; answers those that it dropped.
    pub(in crate::commit) async fn drop_files(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<Vec<SealedFile>, CommitError> {
        let _turn = self.merging.lock().await;
        self.check()?;
        let mut dropped = Vec::new();
        self.commit(|current| {
            let (gone, kept) = current.files.iter().cloned().partition(|file| names.contains(file.name()));
            dropped = gone;
            (!dropped.is_empty()).then(|| Manifest { files: kept, ..current.clone() })
        })
        .await?;
        Ok(dropped)
    }

    /// The files of the committed version.
    pub(in crate::commit) async fn committed_files(&self) -> Vec<SealedFile> {
        self.version.lock().await.version.manifest.files.clone()
    }

    /// Deletes blobs that neither the version nor a query needs, after the grace period. Nothing is
    /// being written or pending meanwhile, so a blob that is not listed will not be.
    pub(in crate::commit) async fn sweep(&self) -> Result<(), CommitError> {
        let _merging = self.merging.lock().await;
        let _sealing = self.sealing.lock().await;
        self.check()?;
        let mut committed = self.version.lock().await;
        self.settle(&mut committed).await?;
        self.engine.delete_unlisted(self.options.grace).await?;
        self.delete_retired(&mut committed).await;
        Ok(())
    }
}
