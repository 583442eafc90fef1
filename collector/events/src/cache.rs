//! One bounded cache per process for what queries read again: open splits, stream
//! tables, filters, index pages, decompressed columns (those of few values by codes). Second-chance eviction by bytes.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// What a cached value belongs to: a file of this process, a part, and which one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    pub(crate) file: u64,
    pub(crate) part: Part,
    pub(crate) index: u32,
}

/// The kinds of values; each has one Rust type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Footer,
    Streams,
    Signatures,
    Statistics,
    Codes,
    Bloom,
    Index,
    Page,
    Outlines,
    AllOutlines,
    Book,
    Column(u8),
    /// Of the attribute whose path has this hash.
    Attribute(u64),
}

/// The process-wide cache of what was read from splits.
#[derive(Debug)]
pub struct BlockCache {
    capacity_bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<CacheKey, Entry>,
    queue: VecDeque<CacheKey>,
    used_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    size_bytes: usize,
    touched: AtomicBool,
}

impl BlockCache {
    /// What an entry costs beside its value.
    const ENTRY_BYTES: usize = 128;

    /// A cache that holds about `capacity_bytes`.
    pub fn new(capacity_bytes: usize) -> Arc<Self> {
        Arc::new(Self { capacity_bytes, state: Mutex::default() })
    }

    /// The cached value, or what `load` returns with its size in bytes.
    pub(crate) fn get_or_load<T: Any + Send + Sync, E>(
        &self,
        key: CacheKey,
        load: impl FnOnce() -> Result<(T, usize), E>,
    ) -> Result<Arc<T>, E> {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let (value, size_bytes) = load()?;
        let value = Arc::new(value);
        self.put(key, value.clone(), size_bytes + Self::ENTRY_BYTES);
        Ok(value)
    }

    fn get<T: Any + Send + Sync>(&self, key: CacheKey) -> Option<Arc<T>> {
        let state = self.state.lock();
        let entry = state.entries.get(&key)?;
        entry.touched.store(true, Ordering::Relaxed);
        entry.value.clone().downcast().ok()
    }

    fn put(&self, key: CacheKey, value: Arc<dyn Any + Send + Sync>, size_bytes: usize) {
        if size_bytes > self.capacity_bytes / 4 {
            return;
        }
        let mut state = self.state.lock();
        let entry = Entry { value, size_bytes, touched: AtomicBool::new(false) };
        state.used_bytes += size_bytes;
        match state.entries.insert(key, entry) {
            Some(old) => state.used_bytes -= old.size_bytes,
            None => state.queue.push_back(key),
        }
        while state.used_bytes > self.capacity_bytes {
            let Some(oldest) = state.queue.pop_front() else { break };
            state.evict(oldest);
        }
    }

    /// Forgets everything of a file that is gone.
    pub(crate) fn forget(&self, file: u64) {
        let mut state = self.state.lock();
        let mut freed = 0;
        state.entries.retain(|key, entry| {
            let keep = key.file != file;
            freed += if keep { 0 } else { entry.size_bytes };
            keep
        });
        state.queue.retain(|key| key.file != file);
        state.used_bytes -= freed;
    }
}

impl State {
    /// Drops the entry, or queues it again if it was used since it was queued last.
    fn evict(&mut self, key: CacheKey) {
        let Some(entry) = self.entries.get(&key) else { return };
        if entry.touched.swap(false, Ordering::Relaxed) {
            self.queue.push_back(key);
            return;
        }
        self.used_bytes -= entry.size_bytes;
        self.entries.remove(&key);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn key(index: u32) -> CacheKey {
        CacheKey { file: u64::from(index % 2), part: Part::Page, index }
    }

    fn load(cache: &BlockCache, index: u32) -> bool {
        let mut loaded = false;
        let value = cache.get_or_load::<u32, ()>(key(index), || {
            loaded = true;
            Ok((index, 872))
        });
        assert_eq!(*value.unwrap(), index);
        loaded
    }

    #[test]
    fn holds_its_bound_and_keeps_what_is_used() {
        let cache = BlockCache::new(10_000);
        assert!(load(&cache, 0) && !load(&cache, 0));
        for index in 1..100 {
            load(&cache, index);
            load(&cache, 0);
            assert!(cache.state.lock().used_bytes <= 10_000);
        }
        assert!(!load(&cache, 0), "used between any two evictions");
        assert!(load(&cache, 1));
    }

    #[test]
    fn forgets_a_file() {
        let cache = BlockCache::new(10_000);
        assert!((0..4).all(|index| load(&cache, index)));
        cache.forget(0);
        assert_eq!(cache.state.lock().used_bytes, 2000);
        assert!(load(&cache, 0) && !load(&cache, 1));
    }
}
