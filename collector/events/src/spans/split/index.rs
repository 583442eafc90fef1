//! Which traces a file has: the hashes of their ids, sorted, and the number of each. An id whose hash is not there is
//! not in the file; another trace has the same hash in one of some ten thousand cases.

use super::TraceId;
use super::numbers::{self, cut_off, differences, sums};
use crate::split::bloom::trace_hash;
use crate::split::column::Decoded;
use crate::split::format::Reader;
use crate::split::record::put_part;

fn short_hash(id: &TraceId) -> u32 {
    (trace_hash(id) >> 32) as u32
}

/// The traces of the blocks that are written, in order.
#[derive(Debug, Default)]
pub(super) struct IndexBuilder {
    hashes: Vec<u32>,
}

impl IndexBuilder {
    pub(super) fn push(&mut self, id: &TraceId) {
        self.hashes.push(short_hash(id));
    }

    pub(super) fn encode(&self, level: i32) -> Vec<u8> {
        let mut entries: Vec<(u32, u32)> =
            self.hashes.iter().enumerate().map(|(trace, hash)| (*hash, trace as u32)).collect();
        entries.sort_unstable();
        let mut out = Vec::new();
        let hashes = differences(entries.iter().map(|(hash, _)| i64::from(*hash)));
        put_part(&mut out, &numbers::encode(&hashes, level));
        let traces: Vec<i64> = entries.iter().map(|(_, trace)| i64::from(*trace)).collect();
        put_part(&mut out, &numbers::encode(&traces, level));
        out
    }
}

/// The traces of an open file.
#[derive(Debug, Default)]
pub(super) struct TraceIndex {
    hashes: Vec<u32>,
    traces: Vec<u32>,
}

impl TraceIndex {
    pub(super) fn decode(section: &[u8], traces: usize) -> Decoded<Self> {
        let mut reader = Reader { bytes: section };
        let hashes = numbers::codes(sums(numbers::decode_plain(reader.bytes()?, traces)?), usize::MAX)?;
        let numbers = numbers::codes(numbers::decode_plain(reader.bytes()?, traces)?, traces)?;
        match hashes.is_sorted() {
            true => Ok(Self { hashes, traces: numbers }),
            false => Err(cut_off()),
        }
    }

    /// The numbers of traces that may have this id, ascending.
    pub(super) fn find(&self, id: &TraceId) -> &[u32] {
        let hash = short_hash(id);
        let start = self.hashes.partition_point(|known| *known < hash);
        let count = self.hashes[start..].iter().take_while(|known| **known == hash).count();
        &self.traces[start..start + count]
    }

    pub(super) fn size_bytes(&self) -> usize {
        8 * self.hashes.len()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there_and_little_else() {
        let id = |n: u32| u128::from(n).to_be_bytes();
        let mut builder = IndexBuilder::default();
        (0..20_000).chain([7]).for_each(|n| builder.push(&id(n)));
        let section = builder.encode(3);
        assert!(section.len() < 20_000 * 5, "{}", section.len());
        let index = TraceIndex::decode(&section, 20_001).unwrap();
        assert!((0..20_000).all(|n| index.find(&id(n)).contains(&n)));
        assert_eq!(index.find(&id(7)), [7, 20_000], "a trace in two blocks");
        let wrong = (20_000..70_000).filter(|n| !index.find(&id(*n)).is_empty()).count();
        assert!(wrong < 5, "{wrong}");
        assert!(TraceIndex::decode(&section, 20_000).is_err());
        assert!(
            (0..section.len()).step_by(991).all(|len| TraceIndex::decode(&section[..len], 20_001).is_err())
        );
        let none = IndexBuilder::default().encode(3);
        assert_eq!(TraceIndex::decode(&none, 0).unwrap().find(&id(1)), [0u32; 0]);
    }
}
