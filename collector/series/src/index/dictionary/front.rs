//! Front coding: blocks of sorted texts, the first of a block whole, each other one as the number of bytes that it
//! shares with the one before and the rest.

use std::cmp::Ordering;
use std::ops::Range;

use bytes::Bytes;
use roaring::RoaringBitmap;

use crate::encode::{Reader, load_u64, put_varint};

/// Texts of a block: a lookup reads half of them.
const BLOCK: u32 = 16;

/// The blocks' offsets as u32, then the blocks.
pub(super) fn write(texts: &[&str]) -> Vec<u8> {
    let mut offsets = Vec::new();
    let mut blocks = Vec::new();
    let mut before: &[u8] = &[];
    for (index, text) in texts.iter().enumerate() {
        let text = text.as_bytes();
        if index % BLOCK as usize == 0 {
            offsets.extend_from_slice(&(blocks.len() as u32).to_le_bytes());
            before = &[];
        }
        let shared = text.iter().zip(before).take_while(|(a, b)| a == b).count();
        put_varint(&mut blocks, shared as u64);
        put_varint(&mut blocks, (text.len() - shared) as u64);
        blocks.extend_from_slice(&text[shared..]);
        before = text;
    }
    offsets.extend_from_slice(&blocks);
    offsets
}

/// Front-coded texts.
#[derive(Clone, Debug)]
pub(super) struct Front {
    len: u32,
    bytes: Bytes,
    blocks_at: usize,
}

impl Front {
    pub(super) fn open(bytes: Bytes, len: u32) -> Option<Self> {
        let blocks_at = len.div_ceil(BLOCK) as usize * 4;
        (bytes.len() >= blocks_at).then_some(Self { len, bytes, blocks_at })
    }

    pub(super) fn text(&self, id: u32) -> Option<Vec<u8>> {
        let mut walk = self.walk(id / BLOCK);
        for _ in 0..=id % BLOCK {
            if !walk.next() {
                return None;
            }
        }
        Some(walk.text)
    }

    /// How many texts are smaller, and whether the next one is the same.
    pub(super) fn lower_bound(&self, key: &[u8]) -> (u32, bool) {
        // The last block whose first text is not larger.
        let (mut low, mut high) = (0, self.len.div_ceil(BLOCK));
        while low < high {
            let middle = low + (high - low) / 2;
            let mut walk = self.walk(middle);
            if walk.next() && walk.text() <= key { low = middle + 1 } else { high = middle }
        }
        let mut walk = self.walk(low.saturating_sub(1));
        while walk.next() {
            match walk.text().cmp(key) {
                Ordering::Less => {}
                order => return (walk.next_id - 1, order == Ordering::Equal),
            }
        }
        (walk.next_id, false)
    }

    /// The ids in a range whose text passes; it is told how many bytes a text shares with the one before.
    pub(super) fn select(
        &self,
        ids: Range<u32>,
        mut passes: impl FnMut(&[u8], usize) -> bool,
    ) -> RoaringBitmap {
        let mut walk = self.walk(ids.start / BLOCK);
        let mut passing = RoaringBitmap::new();
        let mut first = true;
        while walk.next_id < ids.end && walk.next() {
            if walk.next_id <= ids.start {
                continue;
            }
            let shared = if first { 0 } else { walk.shared };
            first = false;
            if passes(&walk.text, shared) {
                passing.insert(walk.next_id - 1);
            }
        }
        passing
    }

    /// From the start of a block on.
    pub(super) fn walk(&self, block: u32) -> Walk<'_> {
        let at = self
            .bytes
            .get(block as usize * 4..block as usize * 4 + 4)
            .map_or(usize::MAX, |at| load_u64(at) as usize);
        let rest = self.bytes.get(self.blocks_at.saturating_add(at)..).unwrap_or_default();
        Walk {
            reader: Reader::new(rest, "a block of texts"),
            len: self.len,
            next_id: block.saturating_mul(BLOCK),
            shared: 0,
            text: Vec::new(),
        }
    }
}

/// Texts one after another.
pub(super) struct Walk<'a> {
    reader: Reader<'a>,
    len: u32,
    next_id: u32,
    shared: usize,
    text: Vec<u8>,
}

impl Walk<'_> {
    /// Goes on to the next text; false at the end.
    pub(super) fn next(&mut self) -> bool {
        self.next_id < self.len && self.read().is_some()
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    fn read(&mut self) -> Option<()> {
        self.shared = self.reader.count(self.text.len()).ok()?;
        let rest = self.reader.count(self.reader.remaining()).ok()?;
        self.text.truncate(self.shared);
        self.text.extend_from_slice(self.reader.take(rest).ok()?);
        self.next_id += 1;
        Some(())
    }
}
