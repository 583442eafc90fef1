//! Puts a file into the blob store while it is written: small ones in one piece,
//! large ones in parts, so that a merge holds only a part in memory.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tokio::runtime::Handle;

/// Object stores want parts of at least 5 MiB.
pub const PART_BYTES: usize = 8 << 20;

/// The blob store refused to write.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {name}")]
pub struct UploadError {
    /// The blob's name.
    pub name: String,
    /// The cause.
    pub source: object_store::Error,
}

/// A blob that is being written; blocks, so only for threads that may.
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    name: String,
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Upload {
    /// Of a blob that is not there yet. Nothing is written before the first part.
    pub fn new(store: Arc<dyn ObjectStore>, name: String) -> Self {
        Self { store, name, parts: None }
    }

    /// The blob's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes the next part; at least `PART_BYTES` of it.
    pub fn push(&mut self, part: Vec<u8>) -> Result<(), UploadError> {
        let runtime = Handle::current();
        if self.parts.is_none() {
            let begun = runtime.block_on(self.store.put_multipart(&Path::from(self.name.as_str())));
            self.parts = Some(begun.map_err(|source| self.failed(source))?);
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let put = runtime.block_on(parts.put_part(PutPayload::from(part)));
        put.map_err(|source| self.failed(source))
    }

    /// Writes the last part; the blob is durable and visible when this returns.
    pub fn finish(mut self, last: Vec<u8>) -> Result<(), UploadError> {
        let runtime = Handle::current();
        if self.parts.is_none() {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let path = Path::from(self.name.as_str());
            let put = runtime.block_on(self.store.put_opts(&path, PutPayload::from(last), options));
            return put.map(drop).map_err(|source| self.failed(source));
        }
        self.push(last)?;
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let completed = runtime.block_on(parts.complete());
        completed.map(drop).map_err(|source| self.failed(source))
    }

    /// Gives up; what was written is removed where the store can do so.
    pub fn abort(mut self) {
        let Some(parts) = &mut self.parts else { return };
        if let Err(error) = Handle::current().block_on(parts.abort()) {
            tracing::warn!(name = self.name, %error, "an unfinished file could not be removed");
        }
    }

    fn failed(&self, source: object_store::Error) -> UploadError {
        UploadError { name: self.name.clone(), source }
    }
}
