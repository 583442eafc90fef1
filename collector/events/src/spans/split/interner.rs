//! Byte strings by number, in order of first appearance: what a writer keeps for a whole file, and what a reader
//! finds again.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use xxhash_rust::xxh3::xxh3_64;

use super::numbers::cut_off;
use crate::split::column::Decoded;
use crate::split::format::Reader;
use crate::split::hashed::Hashed;
use crate::split::record::{put_part, put_varint};

/// Numbers byte strings up to a bound.
#[derive(Debug)]
pub(super) struct Interner {
    /// By hash. Of two that share one, the second finds no room.
    numbers: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    texts: TextTable,
    max_values: usize,
    max_bytes: usize,
    /// The one that was looked up last.
    recent: u32,
}

/// Byte strings by number.
#[derive(Debug, Default)]
pub(crate) struct TextTable {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Interner {
    pub(super) fn new(max_values: usize, max_bytes: usize) -> Self {
        let (numbers, texts) = (HashMap::default(), TextTable::default());
        Self { numbers, texts, max_values, max_bytes, recent: 0 }
    }

    /// The number of `bytes`; `None` if there is no room for it.
    pub(super) fn intern(&mut self, bytes: &[u8]) -> Option<u32> {
        if (self.recent as usize) < self.texts.len() && self.texts.get(self.recent) == bytes {
            return Some(self.recent);
        }
        let hash = xxh3_64(bytes);
        let number = match self.numbers.get(&hash) {
            Some(number) if self.texts.get(*number) == bytes => *number,
            Some(_) => return None,
            None => {
                if self.texts.len() >= self.max_values
                    || self.texts.bytes.len() + bytes.len() > self.max_bytes
                {
                    return None;
                }
                let number = self.texts.len() as u32;
                self.numbers.insert(hash, number);
                self.texts.push(bytes);
                number
            }
        };
        self.recent = number;
        Some(number)
    }

    pub(super) fn texts(&self) -> &TextTable {
        &self.texts
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Forgets all but the first `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        for number in len..self.texts.len() {
            self.numbers.remove(&xxh3_64(self.texts.get(number as u32)));
        }
        self.texts.ends.truncate(len);
        self.texts.bytes.truncate(self.texts.ends.last().map_or(0, |end| *end as usize));
        self.recent = 0;
    }
}

impl TextTable {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len() as u32);
    }

    pub(crate) fn get(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start as usize..self.ends[number] as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len() as u32).map(|number| self.get(number))
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.bytes.len() + 4 * self.ends.len()
    }

    /// How many, then each with its length.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.len() as u64);
        self.iter().for_each(|text| put_part(out, text));
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Decoded<Self> {
        let mut table = Self::default();
        let count = reader.varint()?;
        if count > reader.bytes.len() as u64 {
            return Err(cut_off());
        }
        for _ in 0..count {
            table.push(reader.bytes()?);
        }
        Ok(table)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_what_it_has_room_for_and_forgets_the_last() {
        let mut interner = Interner::new(3, 10);
        let numbers = |interner: &mut Interner, texts: &[&str]| {
            texts.iter().map(|text| interner.intern(text.as_bytes())).collect::<Vec<_>>()
        };
        assert_eq!(
            numbers(&mut interner, &["a", "", "a", "b", "c", "b"]),
            [0, 1, 0, 2, 9, 2].map(|n| (n < 9).then_some(n))
        );
        interner.truncate(1);
        assert_eq!(numbers(&mut interner, &["0123456789", "b", "a"]), [None, Some(1), Some(0)]);
        let mut out = Vec::new();
        interner.texts().encode(&mut out);
        let read = TextTable::decode(&mut Reader { bytes: &out }).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [b"a", b"b"]);
        assert!((0..out.len()).all(|len| TextTable::decode(&mut Reader { bytes: &out[..len] }).is_err()));
    }
}
