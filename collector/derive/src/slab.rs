//! Cells by ascending key, packed one behind the other: the form in memory is the form in a state.
//!
//! Bytes: per cell the distance to the key before, the length of its bytes, its bytes.

use crate::bytes::{Reader, put_bytes, put_uint};
use crate::cell::Cell;

/// Packed cells. They are only walked and rewritten, never looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slab {
    bytes: Vec<u8>,
}

impl Slab {
    /// Checks bytes that `as_bytes` gave.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let mut key = 0u64;
        let mut is_first = true;
        while !reader.is_at_end() {
            let distance = reader.uint()?;
            key = key.checked_add(distance).filter(|_| distance > 0 || is_first)?;
            Cell::decode(reader.bytes()?)?;
            is_first = false;
        }
        Some(Self { bytes: bytes.to_vec() })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Key and bytes of each cell.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let mut reader = Reader::new(&self.bytes);
        let mut key = 0u64;
        std::iter::from_fn(move || {
            key = key.wrapping_add(reader.uint()?);
            Some((key, reader.bytes()?))
        })
    }
}

/// Packs cells that come in the order of their keys.
#[derive(Debug, Default)]
pub(crate) struct SlabWriter {
    bytes: Vec<u8>,
    before: u64,
    scratch: Vec<u8>,
}

impl SlabWriter {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    pub(crate) fn push_encoded(&mut self, key: u64, cell: &[u8]) {
        debug_assert!(key > self.before || self.bytes.is_empty());
        put_uint(&mut self.bytes, key - self.before);
        put_bytes(&mut self.bytes, cell);
        self.before = key;
    }

    pub(crate) fn push(&mut self, key: u64, cell: &Cell) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        cell.encode(&mut scratch);
        self.push_encoded(key, &scratch);
        self.scratch = scratch;
    }

    pub(crate) fn finish(mut self) -> Slab {
        // What is kept for a quarter of an hour is worth a copy.
        self.bytes.shrink_to_fit();
        Slab { bytes: self.bytes }
    }
}

/// Both in one: cells of equal keys are added up.
pub(crate) fn merge(left: &Slab, right: &Slab) -> Slab {
    let mut writer = SlabWriter::with_capacity(left.bytes.len() + right.bytes.len());
    let (mut lefts, mut rights) = (left.iter().peekable(), right.iter().peekable());
    loop {
        match (lefts.peek(), rights.peek()) {
            (Some((a, mine)), Some((b, its))) if a == b => {
                let mut cell = Cell::decode(mine).unwrap_or_default();
                cell.add(&Cell::decode(its).unwrap_or_default());
                writer.push(*a, &cell);
                lefts.next();
                rights.next();
            }
            (Some((a, cell)), other) if other.is_none_or(|(b, _)| a < b) => {
                writer.push_encoded(*a, cell);
                lefts.next();
            }
            (_, Some((b, cell))) => {
                writer.push_encoded(*b, cell);
                rights.next();
            }
            _ => return writer.finish(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Model = BTreeMap<u64, Vec<u64>>;

    fn slab(model: &Model) -> Slab {
        let mut writer = SlabWriter::default();
        for (key, durations) in model {
            let mut durations = durations.clone();
            durations.sort_unstable();
            writer.push(*key, &Cell::of_sorted(durations.into_iter()));
        }
        writer.finish()
    }

    fn model() -> impl Strategy<Value = Model> {
        let keys = prop_oneof![0u64..20, any::<u64>()];
        proptest::collection::btree_map(keys, proptest::collection::vec(0u64..1000, 0..5), 0..20)
    }

    proptest! {
        #[test]
        fn merged_slabs_are_the_slab_of_both(left in model(), right in model()) {
            let merged = merge(&slab(&left), &slab(&right));
            let mut both = left;
            for (key, durations) in right {
                both.entry(key).or_default().extend(durations);
            }
            prop_assert_eq!(&merged, &slab(&both));
            prop_assert_eq!(Slab::parse(merged.as_bytes()), Some(merged));
        }

        #[test]
        fn any_bytes_parse_or_fail(bytes: Vec<u8>) {
            if let Some(slab) = Slab::parse(&bytes) {
                prop_assert!(slab.iter().map(|(key, _)| key).is_sorted_by(|a, b| a < b));
            }
        }
    }
}
