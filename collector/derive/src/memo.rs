//! Numbers that were found before, by what they were found for. It only saves time: what is not here is found again.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_128_with_seed;

/// It begins anew when there are more.
const MAX_ENTRIES: usize = 1 << 16;

/// Numbers by two texts and a number, of which a hash of 128 bits is kept.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    entries: HashMap<u64, Entry, BuildHasherDefault<AsIs>>,
}

#[derive(Debug)]
struct Entry {
    check: u64,
    number: u32,
}

impl Memo {
    /// The number for these, found by `find` if it is not known, which also says whether it may be kept: what was over a
    /// cap is asked for each time, since another may have made it known under its name since.
    #[inline]
    pub(crate) fn get(
        &mut self,
        tag: u64,
        first: &str,
        second: &str,
        find: impl FnOnce() -> (u32, bool),
    ) -> u32 {
        let mut hash = xxh3_128_with_seed(first.as_bytes(), tag);
        if !second.is_empty() {
            hash = hash.rotate_left(1) ^ xxh3_128_with_seed(second.as_bytes(), hash as u64);
        }
        let (key, check) = (hash as u64, (hash >> 64) as u64);
        if let Some(entry) = self.entries.get(&key)
            && entry.check == check
        {
            return entry.number;
        }
        let (number, is_kept) = find();
        if !is_kept {
            return number;
        }
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.clear();
        }
        self.entries.insert(key, Entry { check, number });
        number
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Keys that are hashes already.
#[derive(Debug, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
