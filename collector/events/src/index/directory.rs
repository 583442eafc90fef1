//! A read-only tantivy directory over the index files inside of a split.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tantivy::directory::error::{DeleteError, OpenReadError, OpenWriteError};
use tantivy::directory::{FileHandle, OwnedBytes, WatchCallback, WatchHandle, WritePtr};
use tantivy::{Directory, HasLen};

use crate::split::ReadError;

/// Where the bytes of index files come from.
pub(crate) trait PageSource: Send + Sync + 'static {
    /// The place of a file in the split's list, and its length.
    fn find(&self, name: &str) -> Option<(usize, usize)>;
    /// Bytes of file `file`, checked; blocks.
    fn read(&self, file: usize, range: Range<usize>) -> Result<Vec<u8>, ReadError>;
}

/// The directory; `fault` keeps the first read error, which tantivy would blur.
#[derive(Clone)]
pub(super) struct SplitDirectory {
    source: Arc<dyn PageSource>,
    pub(super) fault: Arc<Mutex<Option<ReadError>>>,
}

impl SplitDirectory {
    pub(super) fn new(source: Arc<dyn PageSource>) -> Self {
        Self { source, fault: Arc::default() }
    }

    fn handle(&self, path: &Path) -> Result<Handle, OpenReadError> {
        let found = path.to_str().and_then(|name| self.source.find(name));
        let (file, len) = found.ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))?;
        Ok(Handle { directory: self.clone(), file, len })
    }
}

impl fmt::Debug for SplitDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SplitDirectory")
    }
}

#[derive(Debug)]
struct Handle {
    directory: SplitDirectory,
    file: usize,
    len: usize,
}

impl HasLen for Handle {
    fn len(&self) -> usize {
        self.len
    }
}

impl FileHandle for Handle {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        match self.directory.source.read(self.file, range) {
            Ok(bytes) => Ok(OwnedBytes::new(bytes)),
            Err(error) => {
                let blurred = io::Error::other(error.to_string());
                self.directory.fault.lock().get_or_insert(error);
                Err(blurred)
            }
        }
    }
}

/// Nothing is written, deleted or watched here.
fn read_only() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "the index of a split is read-only")
}

impl Directory for SplitDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        Ok(Arc::new(self.handle(path)?))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: Arc::new(read_only()), filepath: path.to_owned() })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.handle(path).is_ok())
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(read_only(), path.to_owned()))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let handle = self.handle(path)?;
        let bytes = handle.read_bytes(0..handle.len);
        bytes.map(|bytes| bytes.to_vec()).map_err(|error| OpenReadError::IoError {
            io_error: Arc::new(error),
            filepath: PathBuf::from(path),
        })
    }

    fn atomic_write(&self, _path: &Path, _data: &[u8]) -> io::Result<()> {
        Err(read_only())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn watch(&self, _callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
