//! Which series have a value: a list of ascending ids for each value, as differences or as a roaring bitmap,
//! whichever is smaller. Neighbouring short lists stand in one block, compressed with zstd.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io::Read;

use bytes::Bytes;
use roaring::RoaringBitmap;
use zstd::bulk::Decompressor;

use crate::encode::{Reader, put_varint, unzigzag, zigzag};
use crate::error::Damage;

const PART: &str = "postings";

/// A block ends at this many bytes: small enough to be decompressed for one list.
const BLOCK: usize = 4096;

/// zstd's set-up takes longer than it wins on less.
const WORTH_COMPRESSING: usize = 64;

/// No block becomes larger when it is decompressed.
const MOST_RAW: usize = 1 << 28;

/// Room that is allocated at once for a block, whatever it turns out to be.
const MOST_AT_ONCE: usize = 1 << 20;

/// Appends the lists; their places are their numbers. Ids are ascending, each once.
pub fn write_postings<'l>(lists: impl Iterator<Item = &'l [u32]>, out: &mut Vec<u8>) {
    let mut writer = Writer::default();
    lists.for_each(|list| writer.list(list));
    writer.finish(out);
}

#[derive(Default)]
struct Writer {
    count: u32,
    /// Of the block that is being filled.
    first: u32,
    raw: Vec<u8>,
    /// The first id of the last list of differences in it.
    base: u32,
    directory: Vec<u8>,
    block_count: u64,
    blocks: Vec<u8>,
}

impl Writer {
    fn list(&mut self, list: &[u32]) {
        debug_assert!(list.is_sorted_by(|a, b| a < b), "not ascending");
        // A byte an id at least: a list that fills most of a block begins one.
        if !self.raw.is_empty() && self.raw.len() + list.len() > BLOCK {
            self.block();
        }
        write_list(list, &mut self.base, &mut self.raw);
        self.count += 1;
        if self.raw.len() >= BLOCK {
            self.block();
        }
    }

    fn block(&mut self) {
        let compressed = (self.raw.len() >= WORTH_COMPRESSING && self.raw.len() <= MOST_RAW)
            .then(|| zstd::bulk::compress(&self.raw, 3).ok())
            .flatten()
            .filter(|compressed| compressed.len() < self.raw.len());
        let stored = compressed.as_ref().unwrap_or(&self.raw);
        put_varint(&mut self.directory, u64::from(self.count - self.first));
        put_varint(&mut self.directory, stored.len() as u64);
        put_varint(&mut self.directory, compressed.as_ref().map_or(0, |_| self.raw.len() as u64));
        self.blocks.extend_from_slice(stored);
        self.block_count += 1;
        self.first = self.count;
        self.base = 0;
        self.raw.clear();
    }

    fn finish(mut self, out: &mut Vec<u8>) {
        if !self.raw.is_empty() {
            self.block();
        }
        let start = out.len();
        put_varint(out, u64::from(self.count));
        put_varint(out, self.block_count);
        out.extend_from_slice(&self.directory);
        out.extend_from_slice(&self.blocks);
        let crc = crc32c::crc32c(&out[start..]);
        out.extend_from_slice(&crc.to_le_bytes());
    }
}

/// The length, doubled and one more if a bitmap follows; then the bitmap's size and itself, or the differences. The
/// first id is a difference from the first id of the list before: lists of one id each become alike.
fn write_list(list: &[u32], base: &mut u32, out: &mut Vec<u8>) {
    let mut differences = Vec::with_capacity(list.len());
    if let Some((first, rest)) = list.split_first() {
        put_varint(&mut differences, zigzag(i64::from(*first) - i64::from(*base)));
        let mut before = *first;
        for id in rest {
            put_varint(&mut differences, u64::from(id - before - 1));
            before = *id;
        }
    }
    // A bitmap is never smaller than the differences of a few ids.
    let bitmap = (list.len() > 8).then(|| bitmap(list, differences.len())).flatten();
    put_varint(out, (list.len() as u64) << 1 | u64::from(bitmap.is_some()));
    match bitmap {
        Some(bitmap) => {
            put_varint(out, bitmap.len() as u64);
            out.extend_from_slice(&bitmap);
        }
        None => {
            out.extend_from_slice(&differences);
            *base = list.first().copied().unwrap_or(*base);
        }
    }
}

/// A list as a bitmap, if it is smaller than so many bytes.
fn bitmap(list: &[u32], than: usize) -> Option<Vec<u8>> {
    let mut bitmap: RoaringBitmap = list.iter().copied().collect();
    bitmap.optimize();
    let mut bytes = Vec::new();
    (bitmap.serialized_size() < than && bitmap.serialize_into(&mut bytes).is_ok()).then_some(bytes)
}

/// Lists over the bytes that hold them.
#[derive(Clone, Debug)]
pub struct Postings {
    len: u32,
    blocks: Vec<Block>,
    bytes: Bytes,
}

#[derive(Clone, Debug)]
struct Block {
    first: u32,
    start: usize,
    end: usize,
    /// 0 if it is not compressed.
    raw_len: usize,
}

impl Postings {
    /// Exactly the bytes that [`write_postings`] appended.
    pub fn open(bytes: Bytes) -> Result<Self, Damage> {
        let mut reader = Reader::new(&bytes, PART);
        let Some(end) = bytes.len().checked_sub(4) else {
            return Err(reader.damage("they end too early"));
        };
        if crc32c::crc32c(&bytes[..end]).to_le_bytes() != bytes[end..] {
            return Err(reader.damage("their checksum differs"));
        }
        let len = reader.count(u32::MAX as usize)? as u32;
        let block_count = reader.count(bytes.len() / 3)?;
        let mut blocks = Vec::with_capacity(block_count);
        let (mut first, mut start) = (0u32, 0usize);
        for _ in 0..block_count {
            let lists = reader.count((len - first) as usize)?;
            let stored = reader.count(end)?;
            let raw_len = reader.count(MOST_RAW)?;
            blocks.push(Block { first, start, end: start + stored, raw_len });
            first += lists as u32;
            start += stored;
        }
        let base = reader.at();
        if first != len || base + start != end {
            return Err(reader.damage("their directory does not fit"));
        }
        blocks.iter_mut().for_each(|block| {
            block.start += base;
            block.end += base;
        });
        Ok(Self { len, blocks, bytes })
    }

    /// How many lists.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ids of one list; none if there is no such list.
    pub fn get(&self, list: u32) -> Result<RoaringBitmap, Damage> {
        self.union(&RoaringBitmap::from_iter([list]))
    }

    /// The ids that are in any of these lists.
    pub fn union(&self, lists: &RoaringBitmap) -> Result<RoaringBitmap, Damage> {
        let mut found = RoaringBitmap::new();
        let mut scattered = Vec::new();
        self.visit(lists, |list| {
            match list {
                List::Bitmap { bytes, .. } => match RoaringBitmap::deserialize_from(bytes) {
                    Ok(bitmap) => found |= bitmap,
                    Err(_) => return Err("a bitmap cannot be read"),
                },
                List::Ids(ids) => scattered.extend_from_slice(ids),
            }
            Ok(())
        })?;
        // Sorted, ids are appended; one by one each would be searched for.
        scattered.sort_unstable();
        scattered.dedup();
        found |= RoaringBitmap::from_sorted_iter(scattered).unwrap_or_default();
        Ok(found)
    }

    /// How many ids one list has.
    pub fn len_of(&self, list: u32) -> Result<u32, Damage> {
        let mut len = 0;
        self.visit(&RoaringBitmap::from_iter([list]), |list| {
            len = list.len();
            Ok(())
        })?;
        Ok(len)
    }

    /// How many ids each list has.
    pub fn lens(&self) -> Result<Vec<u32>, Damage> {
        let mut lens = Vec::new();
        let mut all = RoaringBitmap::new();
        all.insert_range(0..self.len);
        self.visit(&all, |list| {
            lens.push(list.len());
            Ok(())
        })?;
        Ok(lens)
    }

    /// Calls `take` with each of the lists.
    fn visit(
        &self,
        lists: &RoaringBitmap,
        mut take: impl FnMut(List<'_, '_>) -> Result<(), &'static str>,
    ) -> Result<(), Damage> {
        let mut wanted = lists.iter().take_while(|list| *list < self.len).peekable();
        let mut ids = Vec::new();
        while let Some(list) = wanted.peek().copied() {
            let index = self.blocks.partition_point(|block| block.first <= list) - 1;
            let end = self.blocks.get(index + 1).map_or(self.len, |block| block.first);
            let block = &self.blocks[index];
            let raw = self.raw(block)?;
            let mut reader = Reader::new(&raw, PART);
            let mut base = 0;
            for at in block.first..end {
                let Some(list) = wanted.peek().copied().filter(|list| *list < end) else {
                    break;
                };
                let found = read_list(&mut reader, &mut base, &mut ids)?;
                if at == list {
                    take(found).map_err(|what| reader.damage(what))?;
                    wanted.next();
                }
            }
        }
        Ok(())
    }

    fn raw(&self, block: &Block) -> Result<Bytes, Damage> {
        let stored = self.bytes.slice(block.start..block.end);
        if block.raw_len == 0 {
            return Ok(stored);
        }
        match decompress(&stored, block.raw_len) {
            Some(raw) if raw.len() == block.raw_len => Ok(raw.into()),
            _ => Err(Damage { part: PART, at: block.start, what: "a block cannot be decompressed" }),
        }
    }
}

thread_local! {
    /// Setting one up takes several times as long as decompressing a usual block.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = RefCell::new(Decompressor::new().ok());
}

fn decompress(stored: &[u8], raw_len: usize) -> Option<Vec<u8>> {
    if raw_len <= MOST_AT_ONCE {
        return DECOMPRESSOR.with_borrow_mut(|slot| slot.as_mut()?.decompress(stored, raw_len).ok());
    }
    // What a damaged directory says is not allocated before there are bytes for it; one more byte than there may
    // be shows that the block is another.
    let mut raw = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(stored).ok()?;
    decoder.take(raw_len as u64 + 1).read_to_end(&mut raw).ok()?;
    Some(raw)
}

/// A list as it stands in a block.
enum List<'b, 'i> {
    Ids(&'i [u32]),
    Bitmap { len: u32, bytes: &'b [u8] },
}

impl List<'_, '_> {
    fn len(&self) -> u32 {
        match self {
            Self::Ids(ids) => ids.len() as u32,
            Self::Bitmap { len, .. } => *len,
        }
    }
}

/// Reads the next list of a block; `base` is the first id of the list of differences before, `ids` memory to use.
fn read_list<'b, 'i>(
    reader: &mut Reader<'b>,
    base: &mut u32,
    ids: &'i mut Vec<u32>,
) -> Result<List<'b, 'i>, Damage> {
    let head = reader.varint()?;
    let len = u32::try_from(head >> 1).map_err(|_| reader.damage("a list is too long"))?;
    if head & 1 == 1 {
        let size = reader.count(reader.remaining())?;
        return Ok(List::Bitmap { len, bytes: reader.take(size)? });
    }
    ids.clear();
    for _ in 0..len {
        let code = reader.varint()?;
        let id = match ids.last() {
            None => unzigzag(code).checked_add(i64::from(*base)),
            Some(before) => {
                i64::try_from(code).ok().and_then(|code| code.checked_add(i64::from(*before) + 1))
            }
        };
        let id =
            id.and_then(|id| u32::try_from(id).ok()).ok_or_else(|| reader.damage("an id that cannot be"))?;
        ids.push(id);
    }
    *base = ids.first().copied().unwrap_or(*base);
    Ok(List::Ids(ids))
}
