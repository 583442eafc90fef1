//! A split's blob: reads ranges of it and checks them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;

use super::SplitRef;
use super::column::Malformed;
use super::format::{PLAIN, Section, TAIL_BYTES};
use crate::cache::{BlockCache, CacheKey, Part};

/// What is read at the end of a blob at first: most footers fit.
const TAIL_READ_BYTES: u64 = 64 << 10;

/// Why a part of a split could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The bytes are not those that were written, or are gone: the split is set aside.
    #[error("{0}")]
    Damaged(String),
    /// The store did not answer; it may next time.
    #[error("the blob store failed: {0}")]
    Store(#[from] object_store::Error),
}

impl From<Malformed> for ReadError {
    fn from(error: Malformed) -> Self {
        Self::Damaged(error.0)
    }
}

/// Where a split's bytes are.
#[derive(Clone)]
enum Source {
    Blob { store: Arc<dyn ObjectStore>, path: Path },
    Memory(Bytes),
}

/// A number that no other file of this process has; 0 is for those that are never cached.
fn next_id() -> u64 {
    static NEXT_ID: AtomicU64 = AtomicU64::new(1);
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// A listed split.
pub(crate) struct SplitFile {
    source: Source,
    pub(crate) listed: SplitRef,
    /// A number of its own in this process, for the cache.
    pub(crate) id: u64,
    cache: Weak<BlockCache>,
}

impl SplitFile {
    /// A split that is read through `cache`, or with `Weak::new()` past any.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, cache: Weak<BlockCache>, listed: SplitRef) -> Self {
        let path = Path::from(listed.name.as_str());
        Self { source: Source::Blob { store, path }, listed, id: next_id(), cache }
    }

    /// The same split, read through another cache.
    pub(crate) fn with_cache(&self, cache: &Arc<BlockCache>) -> Self {
        let cache = Arc::downgrade(cache);
        Self { source: self.source.clone(), listed: self.listed.clone(), id: next_id(), cache }
    }

    /// Whether what is read of it is kept anywhere.
    pub(crate) fn has_cache(&self) -> bool {
        self.cache.strong_count() > 0
    }

    /// A split's bytes that no manifest lists; nothing of it is cached.
    pub(crate) fn in_memory(bytes: Bytes) -> Self {
        let listed = SplitRef {
            name: "in memory".to_owned(),
            tenant: String::new(),
            rows: 0,
            size_bytes: bytes.len() as u64,
            min_time_ns: 0,
            max_time_ns: 0,
            min_seq: 0,
            max_seq: 0,
            format: PLAIN,
            indexed: false,
        };
        Self { source: Source::Memory(bytes), listed, id: 0, cache: Weak::new() }
    }

    /// Reads a range; blocks, so only for threads that may.
    pub(crate) fn read(&self, offset: u64, len: u64) -> Result<Bytes, ReadError> {
        let end = offset.checked_add(len).filter(|end| *end <= self.listed.size_bytes);
        let end = end.ok_or_else(|| ReadError::Damaged("a section lies outside of the blob".to_owned()))?;
        let (store, path) = match &self.source {
            Source::Blob { store, path } => (store, path),
            Source::Memory(bytes) => return Ok(bytes.slice(offset as usize..end as usize)),
        };
        // `get_ranges` costs a local store one hop to another thread where `get_range` costs two.
        let range = std::iter::once(offset..end).collect::<Vec<_>>();
        let read = Handle::current().block_on(store.get_ranges(path, &range));
        match read.map(|mut parts| parts.pop()) {
            Ok(Some(bytes)) if bytes.len() as u64 == len => Ok(bytes),
            Ok(_) => Err(ReadError::Damaged("the blob is cut off".to_owned())),
            Err(object_store::Error::NotFound { .. }) => {
                Err(ReadError::Damaged("the blob is missing".to_owned()))
            }
            Err(error) => Err(self.explain(store, path, error)),
        }
    }

    /// A range that cannot be read may be one that a shorter blob does not have.
    fn explain(&self, store: &dyn ObjectStore, path: &Path, error: object_store::Error) -> ReadError {
        match Handle::current().block_on(store.head(path)) {
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
        if crc32c::crc32c(&bytes) != section.crc {
            return Err(ReadError::Damaged(format!("{what} at byte {} has a bad checksum", section.offset)));
        }
        Ok(bytes)
    }

    /// The footer's bytes, checked; the file must end with `magic`.
    pub(crate) fn footer(&self, magic: &[u8; 8]) -> Result<Bytes, ReadError> {
        let damaged = |what: &str| ReadError::Damaged(what.to_owned());
        let size = self.listed.size_bytes;
        let tail_len = size.min(TAIL_READ_BYTES);
        let tail = self.read(size - tail_len, tail_len)?;
        let (front, end) = tail.split_at(tail.len().saturating_sub(TAIL_BYTES));
        let Some((footer_len, rest)) = end.split_first_chunk::<4>() else {
            return Err(damaged("the blob is too short"));
        };
        let Some((crc, ending)) = rest.split_first_chunk::<4>() else {
            return Err(damaged("the blob is too short"));
        };
        if ending != magic {
            return Err(damaged("the blob does not end as a split does"));
        }
        let footer_len = u64::from(u32::from_le_bytes(*footer_len));
        let footer = match front.len() as u64 >= footer_len {
            true => tail.slice(front.len() - footer_len as usize..front.len()),
            false => {
                let start = size.checked_sub(TAIL_BYTES as u64 + footer_len);
                self.read(start.ok_or_else(|| damaged("the footer is longer than the blob"))?, footer_len)?
            }
        };
        match crc32c::crc32c(&footer) == u32::from_le_bytes(*crc) {
            true => Ok(footer),
            false => Err(damaged("the footer has a bad checksum")),
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

    /// The part, if the cache has it.
    pub(crate) fn known<T: Send + Sync + 'static>(&self, part: Part, index: u32) -> Option<Arc<T>> {
        let cache = self.cache.upgrade()?;
        cache.get_or_load::<T, ()>(CacheKey { file: self.id, part, index }, || Err(())).ok()
    }

    /// Drops what the cache has of it.
    pub(crate) fn forget(&self) {
        if let Some(cache) = self.cache.upgrade() {
            cache.forget(self.id);
        }
    }
}
