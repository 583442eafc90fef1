//! Byte strings that are kept once and named by a number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64;

const NONE: u32 = u32::MAX;
/// Blocks grow with what there is, between these.
const MIN_BLOCK_BYTES: usize = 1 << 10;
const MAX_BLOCK_BYTES: usize = 64 << 10;

/// Keys are hashes already.
#[derive(Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A map by hash.
pub(crate) type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Identity>>;

#[derive(Clone, Copy)]
struct Place {
    block: u32,
    at: u32,
    len: u32,
    /// The next one of the same hash.
    chain: u32,
}

/// Numbers distinct byte strings in the order in which they come.
#[derive(Default)]
pub(super) struct Interner {
    blocks: Vec<Vec<u8>>,
    places: Vec<Place>,
    by_hash: ByHash<u32>,
    size_bytes: usize,
}

impl Interner {
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes + self.places.len() * size_of::<Place>() + self.by_hash.capacity() * 17
    }

    pub(super) fn get(&self, number: u32) -> &[u8] {
        let place = &self.places[number as usize];
        &self.blocks[place.block as usize][place.at as usize..(place.at + place.len) as usize]
    }

    pub(super) fn find(&self, hash: u64, bytes: &[u8]) -> Option<u32> {
        let mut number = *self.by_hash.get(&hash)?;
        while number != NONE {
            if self.get(number) == bytes {
                return Some(number);
            }
            number = self.places[number as usize].chain;
        }
        None
    }

    /// Adds what `find` did not find.
    pub(super) fn add(&mut self, hash: u64, bytes: &[u8]) -> u32 {
        let fits = |block: &Vec<u8>| block.len() + bytes.len() <= block.capacity();
        if !self.blocks.last().is_some_and(fits) {
            let capacity = bytes.len().max(self.size_bytes.clamp(MIN_BLOCK_BYTES, MAX_BLOCK_BYTES));
            self.size_bytes += capacity;
            self.blocks.push(Vec::with_capacity(capacity));
        }
        let block = self.blocks.len() - 1;
        let at = self.blocks[block].len() as u32;
        self.blocks[block].extend_from_slice(bytes);
        let number = self.places.len() as u32;
        let chain = self.by_hash.insert(hash, number).unwrap_or(NONE);
        self.places.push(Place { block: block as u32, at, len: bytes.len() as u32, chain });
        number
    }

    /// The number of a string, new or old.
    pub(super) fn intern(&mut self, bytes: &[u8]) -> u32 {
        let hash = xxh3_64(bytes);
        self.find(hash, bytes).unwrap_or_else(|| self.add(hash, bytes))
    }
}
