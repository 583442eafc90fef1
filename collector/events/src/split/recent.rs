//! Columns of layout "signatures" that are small because records come in batches: streams that were named not
//! long ago, and rows that follow the last one of their stream. docs/format/split.md has both.

use std::collections::HashMap;

use super::column::{Decoded, Delta, Malformed, decode_numbers, encode_numbers};
use super::format::Reader;
use super::record::put_part;

/// A stream that was named longer ago is named again.
const MAX_BACK: u32 = 256;

/// Streams as they are named, and per row how many names back its own is: 0 for the next one.
pub(crate) fn encode_streams(streams: &[u32]) -> Vec<u8> {
    let (mut named, mut places) = (Vec::new(), HashMap::new());
    let mut codes = Vec::with_capacity(streams.len());
    for stream in streams {
        let count = named.len() as u32;
        let back = places.get(stream).map(|place| count - place).filter(|back| *back <= MAX_BACK);
        codes.push(back.unwrap_or(0));
        if back.is_none() {
            places.insert(*stream, count);
            named.push(*stream);
        }
    }
    let mut out = Vec::new();
    put_part(&mut out, &encode_numbers(&codes, Delta::None));
    put_part(&mut out, &encode_numbers(&named, Delta::None));
    out
}

/// What `encode_streams` was given.
pub(crate) fn decode_streams(section: &[u8], count: usize) -> Decoded<Vec<u32>> {
    let mut reader = Reader { bytes: section };
    let mut codes: Vec<u32> = decode_numbers(reader.bytes()?, count)?;
    let names = codes.iter().filter(|code| **code == 0).count();
    let named: Vec<u32> = decode_numbers(reader.bytes()?, names)?;
    let mut seen = 0;
    for code in &mut codes {
        let place = match *code {
            0 => {
                seen += 1;
                seen - 1
            }
            back => (seen as u32).checked_sub(back).ok_or_else(wrong)? as usize,
        };
        *code = *named.get(place).ok_or_else(wrong)?;
    }
    if reader.bytes.is_empty() { Ok(codes) } else { Err(wrong()) }
}

fn wrong() -> Malformed {
    Malformed("the streams of a block are cut off".to_owned())
}

/// What the `seq` of a row would be if it came right behind the last row of its stream, or of the block.
#[derive(Default)]
struct Expected {
    last: u64,
    of_stream: HashMap<u32, u64>,
}

impl Expected {
    fn next(&self, stream: u32) -> u64 {
        self.of_stream.get(&stream).unwrap_or(&self.last).wrapping_add(1)
    }

    fn note(&mut self, stream: u32, seq: u64) {
        self.last = seq;
        self.of_stream.insert(stream, seq);
    }
}

/// How far each row's `seq` is from what was to be expected.
pub(crate) fn encode_seqs(seqs: &[u64], streams: &[u32]) -> Vec<u8> {
    let mut expected = Expected::default();
    let apart = seqs.iter().zip(streams).map(|(seq, stream)| {
        let apart = seq.wrapping_sub(expected.next(*stream)) as i64;
        expected.note(*stream, *seq);
        apart
    });
    encode_numbers(&apart.collect::<Vec<_>>(), Delta::None)
}

/// What `encode_seqs` was given.
pub(crate) fn decode_seqs(section: &[u8], streams: &[u32]) -> Decoded<Vec<u64>> {
    let apart: Vec<i64> = decode_numbers(section, streams.len())?;
    let mut expected = Expected::default();
    let seqs = apart.into_iter().zip(streams).map(|(apart, stream)| {
        let seq = expected.next(*stream).wrapping_add(apart as u64);
        expected.note(*stream, seq);
        seq
    });
    Ok(seqs.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_come_back(rows in vec((prop_oneof![0..9u32, any::<u32>()], any::<u64>()), 0..800)) {
            let (streams, seqs): (Vec<u32>, Vec<u64>) = rows.into_iter().unzip();
            prop_assert_eq!(&decode_streams(&encode_streams(&streams), streams.len()).unwrap(), &streams);
            prop_assert_eq!(&decode_seqs(&encode_seqs(&seqs, &streams), &streams).unwrap(), &seqs);
        }

        #[test]
        fn any_bytes_decode_or_fail_without_panic(bytes: Vec<u8>, streams in vec(0..9u32, 0..50), at: u16, byte: u8) {
            let _streams = decode_streams(&bytes, streams.len());
            let _seqs = decode_seqs(&bytes, &streams);
            let mut section = encode_streams(&streams);
            let at = usize::from(at) % section.len();
            section[at] = byte;
            let _streams = decode_streams(&section, streams.len());
        }
    }

    #[test]
    fn batches_of_streams_cost_little() {
        // Rows of 20 streams in turn, each stream's behind the others' in the batch.
        let streams: Vec<u32> = (0..8000).map(|row| row / 2000 * 100 + row % 20).collect();
        let seqs: Vec<u64> =
            (0..8000u64).map(|row| (row / 2000) << 20 | (row % 20 * 100 + row % 2000 / 20)).collect();
        assert!(encode_seqs(&seqs, &streams).len() < 1000);
        assert!(encode_streams(&streams).len() < 8000 * 5 / 8 + 1000);
        let far: Vec<u32> = (0..1000).chain(0..1000).collect();
        assert_eq!(decode_streams(&encode_streams(&far), 2000).unwrap(), far, "named again");
    }
}
