//! A bounded cache of what queries read again of sealed files. Second-chance eviction by bytes.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// What a cached value belongs to: a file of this process, a part, and which one of its kind. `P` names the kinds of
/// parts; the values of each have one Rust type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey<P> {
    /// The file's number in this process.
    pub file: u64,
    /// What it is.
    pub part: P,
    /// Which one.
    pub index: u32,
}

/// What was read of sealed files; one for a process, for what many queries read.
#[derive(Debug)]
pub struct Cache<P> {
    capacity_bytes: usize,
    state: Mutex<State<P>>,
}

#[derive(Debug)]
struct State<P> {
    entries: HashMap<CacheKey<P>, Entry>,
    queue: VecDeque<CacheKey<P>>,
    used_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    size_bytes: usize,
    touched: AtomicBool,
}

impl<P: Copy + Eq + Hash> Cache<P> {
    /// What an entry costs beside its value.
    const ENTRY_BYTES: usize = 128;

    /// A cache that holds about `capacity_bytes`.
    pub fn new(capacity_bytes: usize) -> Arc<Self> {
        let state = State { entries: HashMap::new(), queue: VecDeque::new(), used_bytes: 0 };
        Arc::new(Self { capacity_bytes, state: Mutex::new(state) })
    }

    /// The cached value, or what `load` returns with its size in bytes.
    pub fn get_or_load<T: Any + Send + Sync, E>(
        &self,
        key: CacheKey<P>,
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

    fn get<T: Any + Send + Sync>(&self, key: CacheKey<P>) -> Option<Arc<T>> {
        let state = self.state.lock();
        let entry = state.entries.get(&key)?;
        entry.touched.store(true, Ordering::Relaxed);
        entry.value.clone().downcast().ok()
    }

    fn put(&self, key: CacheKey<P>, value: Arc<dyn Any + Send + Sync>, size_bytes: usize) {
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
    pub fn forget(&self, file: u64) {
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

impl<P: Copy + Eq + Hash> State<P> {
    /// Drops the entry, or queues it again if it was used since it was queued last.
    fn evict(&mut self, key: CacheKey<P>) {
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

    fn key(index: u32) -> CacheKey<u8> {
        CacheKey { file: u64::from(index % 2), part: 0, index }
    }

    fn load(cache: &Cache<u8>, index: u32) -> bool {
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
        let cache = Cache::new(10_000);
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
        let cache = Cache::new(10_000);
        assert!((0..4).all(|index| load(&cache, index)));
        cache.forget(0);
        assert_eq!(cache.state.lock().used_bytes, 2000);
        assert!(load(&cache, 0) && !load(&cache, 1));
    }
}
