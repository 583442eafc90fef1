//! A segment's blob: reads ranges of it and checks them.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle};

use super::SegmentRef;
use super::format::Section;
use crate::cache::{CacheKey, PageCache, Part};
use crate::error::Damage;
use crate::wire::Malformed;

/// Why a part of a segment could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The bytes are not those that were written, or are gone: the segment is set aside.
    #[error("{0}")]
    Damaged(String),
    /// The store did not answer; it may next time.
    #[error("the blob store failed: {0}")]
    Store(#[from] object_store::Error),
}

impl From<Malformed> for ReadError {
    fn from(error: Malformed) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<Damage> for ReadError {
    fn from(error: Damage) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// A listed segment.
pub(crate) struct SegmentFile {
    store: Arc<dyn ObjectStore>,
    path: Path,
    pub(crate) listed: SegmentRef,
    /// A number of its own in this process, for the cache.
    id: u64,
    cache: Weak<PageCache>,
    /// Where it is read front to back: what was read last, and where that is.
    ahead: Option<Mutex<(u64, Bytes)>>,
}

/// How much is read at once of a file that is read front to back.
const AHEAD_BYTES: u64 = 1 << 20;

impl SegmentFile {
    /// A segment that is read through `cache`, or with `Weak::new()` past any.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, cache: Weak<PageCache>, listed: SegmentRef) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let path = Path::from(listed.name.as_str());
        Self { store, path, listed, id, cache, ahead: None }
    }

    /// The same, to be read front to back.
    pub(crate) fn read_ahead(self) -> Self {
        Self { ahead: Some(Mutex::default()), ..self }
    }

    /// Reads a range; blocks, so only for threads that may.
    pub(crate) fn read(&self, offset: u64, len: u64) -> Result<Bytes, ReadError> {
        let end = offset.checked_add(len).filter(|end| *end <= self.listed.size_bytes);
        let end = end.ok_or_else(|| ReadError::Damaged("a section lies outside of the blob".to_owned()))?;
        let Some(ahead) = &self.ahead else { return self.fetch(offset, end) };
        let mut ahead = ahead.lock();
        let known = ahead.0..ahead.0 + ahead.1.len() as u64;
        if offset < known.start || end > known.end {
            let until = end.max(self.listed.size_bytes.min(offset + AHEAD_BYTES));
            *ahead = (offset, self.fetch(offset, until)?);
        }
        let start = (offset - ahead.0) as usize;
        Ok(ahead.1.slice(start..start + len as usize))
    }

    fn fetch(&self, offset: u64, end: u64) -> Result<Bytes, ReadError> {
        // `get_ranges` costs a local store one hop to another thread where `get_range` costs two.
        let range = std::iter::once(offset..end).collect::<Vec<_>>();
        match wait(self.store.get_ranges(&self.path, &range)).map(|mut parts| parts.pop()) {
            Ok(Some(bytes)) if bytes.len() as u64 == end - offset => Ok(bytes),
            Ok(_) => Err(ReadError::Damaged("the blob is cut off".to_owned())),
            Err(object_store::Error::NotFound { .. }) => {
                Err(ReadError::Damaged("the blob is missing".to_owned()))
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    /// A range that cannot be read may be one that a shorter blob does not have.
    fn explain(&self, error: object_store::Error) -> ReadError {
        match wait(self.store.head(&self.path)) {
            Ok(meta) if meta.size != self.listed.size_bytes => ReadError::Damaged(format!(
                "the blob has {} bytes instead of {}",
                meta.size, self.listed.size_bytes
            )),
            _ => ReadError::Store(error),
        }
    }

    /// Reads a section and checks it; what has no bytes is not read.
    pub(crate) fn section(&self, section: &Section, what: &str) -> Result<Bytes, ReadError> {
        if section.len == 0 {
            return Ok(Bytes::new());
        }
        let bytes = self.read(section.offset, u64::from(section.len))?;
        self.check(section, &bytes, what)?;
        Ok(bytes)
    }

    /// Whether these are the bytes of a section.
    pub(crate) fn check(&self, section: &Section, bytes: &[u8], what: &str) -> Result<(), ReadError> {
        match crc32c::crc32c(bytes) == section.crc {
            true => Ok(()),
            false => Err(ReadError::Damaged(format!("{what} at byte {} has a bad checksum", section.offset))),
        }
    }

    /// The part from the cache, else loaded.
    pub(crate) fn cached<T: Send + Sync + 'static>(
        &self,
        part: Part,
        index: u32,
        load: impl FnOnce() -> Result<(T, usize), ReadError>,
    ) -> Result<Arc<T>, ReadError> {
        match self.cache.upgrade() {
            Some(cache) => cache.get_or_load(CacheKey { file: self.id, part, index }, load),
            None => load().map(|(value, _)| Arc::new(value)),
        }
    }

    /// Drops what the cache has of it.
    pub(crate) fn forget(&self) {
        if let Some(cache) = self.cache.upgrade() {
            cache.forget(self.id);
        }
    }
}

/// Waits on a thread that may block, whether or not it belongs to a runtime.
fn wait<T>(future: impl Future<Output = object_store::Result<T>>) -> object_store::Result<T> {
    if let Ok(runtime) = Handle::try_current() {
        return runtime.block_on(future);
    }
    // Without a runtime a local store reads in place: a runtime of its own, or a hop to another thread, would take
    // many times longer than the read.
    let mut future = std::pin::pin!(future);
    if let Poll::Ready(read) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return read;
    }
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(future),
        Err(source) => Err(object_store::Error::Generic { store: "runtime", source: Box::new(source) }),
    }
}
