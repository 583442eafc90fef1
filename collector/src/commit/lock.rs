//! One process per data directory: an advisory lock on the file `lock`, which the
//! system releases when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use super::CommitError;

/// Held for as long as the directory is used.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Locks `directory`, which must exist.
    pub fn acquire(directory: &Path) -> Result<Self, CommitError> {
        let path = directory.join("lock");
        let failed = |attempt| {
            let path = path.clone();
            move |source| CommitError::Io { attempt, path, source }
        };
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the message: an unreadable lock file is as locked as any.
                let _unreadable = file.read_to_string(&mut holder);
                let holder =
                    if holder.trim().is_empty() { "unknown".to_owned() } else { holder.trim().to_owned() };
                return Err(CommitError::InUse { path: directory.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        file.set_len(0).map_err(failed("write"))?;
        write!(file, "process {}", std::process::id()).map_err(failed("write"))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let lock = DirectoryLock::acquire(directory.path()).unwrap();
        let error = DirectoryLock::acquire(directory.path()).unwrap_err().to_string();
        let name = format!("process {}", std::process::id());
        assert!(error.contains(&name) && error.contains(&*directory.path().to_string_lossy()), "{error}");
        drop(lock);
        DirectoryLock::acquire(directory.path()).unwrap();
    }
}
