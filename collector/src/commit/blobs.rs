//! The blob store of one machine: files in a directory.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use super::CommitError;

/// Blobs as files under `directory`, which is made if it is missing.
///
/// A put writes a staged file, syncs it, renames it and syncs the directory before it returns
/// (`object_store` 0.14, `with_fsync`); directories that it makes are synced into their parents.
/// Its default syncs nothing. Deletes are not synced: a blob that comes back is unlisted, and is
/// deleted again.
pub fn local_blobs(directory: &Path) -> Result<Arc<dyn ObjectStore>, CommitError> {
    let failed =
        |source: std::io::Error| CommitError::Io { attempt: "create", path: directory.to_owned(), source };
    journal::create_dir_synced(&journal::OsDisk, directory).map_err(failed)?;
    let store = LocalFileSystem::new_with_prefix(directory)
        .map_err(|source| CommitError::Blob { name: directory.display().to_string(), source })?;
    Ok(Arc::new(store.with_fsync(true)))
}

/// Removes staged files, which the store names `<blob>#<number>` while it writes them. Only for the
/// owner of the directory: another process may be writing them.
pub(super) fn remove_half_written(directory: &Path) -> Result<(), CommitError> {
    let failed = |source| CommitError::Io { attempt: "clean up", path: directory.to_owned(), source };
    match remove_staged(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome.map_err(failed),
    }
}

fn remove_staged(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_staged(&entry.path())?;
        } else if is_staged(&entry.file_name().to_string_lossy()) {
            tracing::info!(path = %entry.path().display(), "a half-written blob is removed");
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_staged(name: &str) -> bool {
    let number = name.rsplit_once('#').map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use object_store::{ObjectStoreExt, path::Path as BlobPath};

    #[tokio::test]
    async fn half_written_blobs_go_and_whole_ones_stay() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = local_blobs(&directory.path().join("blobs")).unwrap();
        let name = BlobPath::from("logs/0/default/a.split");
        blobs.put(&name, "whole".into()).await.unwrap();
        let mut upload = blobs.put_multipart(&BlobPath::from("logs/0/default/b.split")).await.unwrap();
        upload.put_part("half".into()).await.unwrap();
        std::mem::forget(upload); // as a crash would
        let at = directory.path().join("blobs/logs/0/default");
        assert_eq!(fs::read_dir(&at).unwrap().count(), 2);
        remove_half_written(&directory.path().join("blobs")).unwrap();
        assert_eq!(fs::read_dir(&at).unwrap().count(), 1);
        assert_eq!(blobs.get(&name).await.unwrap().bytes().await.unwrap(), "whole");
        remove_half_written(&directory.path().join("none")).unwrap();
    }
}
