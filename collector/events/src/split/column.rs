//! Encodings of one column of a block: numbers by pco, bytes by zstd, strings as
//! lengths and joined bytes. Decoders check counts and sizes, and never panic.

use pco::standalone::{simple_compress, simple_decompress_into};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

/// No section decompresses to more; a block ends long before.
pub(crate) const MAX_RAW_BYTES: usize = 64 << 20;

/// Why a section's bytes are not what they should be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) String);

pub(crate) type Decoded<T> = Result<T, Malformed>;

fn malformed(what: &str) -> Malformed {
    Malformed(what.to_owned())
}

/// What pco may try with a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delta {
    /// Neighbours are unrelated.
    None,
    /// Neighbours are close.
    First,
}

/// Numbers by pco, classic mode, level 4.
pub(crate) fn encode_numbers<T: pco::data_types::Number>(numbers: &[T], delta: Delta) -> Vec<u8> {
    encode_numbers_at(numbers, delta, 4)
}

/// The level of pco beside a level of zstd: what is soon merged is written fast.
pub(crate) fn pco_level(zstd_level: i32) -> usize {
    if zstd_level <= 1 { 2 } else { 4 }
}

/// Numbers by pco, classic mode.
pub(crate) fn encode_numbers_at<T: pco::data_types::Number>(
    numbers: &[T],
    delta: Delta,
    level: usize,
) -> Vec<u8> {
    let delta = match delta {
        Delta::None => DeltaSpec::NoOp,
        Delta::First => DeltaSpec::TryConsecutive(1),
    };
    let config = ChunkConfig::default()
        .with_compression_level(level)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(delta);
    // Only a bad configuration fails, and this one is fixed.
    simple_compress(numbers, &config).unwrap_or_default()
}

/// Whether neighbours are closer to each other than to the lowest value.
pub(crate) fn delta_of(values: &[u64]) -> Delta {
    let sample = &values[..values.len().min(1024)];
    let least = sample.iter().min().copied().unwrap_or_default();
    let bits = |number: u64| u64::from(64 - number.leading_zeros());
    let plain: u64 = sample.iter().map(|value| bits(value - least)).sum();
    let apart: u64 = sample.windows(2).map(|pair| 1 + bits(pair[0].abs_diff(pair[1]))).sum();
    if apart + (sample.len() as u64) < plain { Delta::First } else { Delta::None }
}

/// Exactly `count` numbers.
pub(crate) fn decode_numbers<T: pco::data_types::Number + Default>(
    bytes: &[u8],
    count: usize,
) -> Decoded<Vec<T>> {
    let mut numbers = vec![T::default(); count];
    let progress =
        simple_decompress_into(bytes, &mut numbers).map_err(|error| Malformed(error.to_string()))?;
    if progress.n_processed != count || !progress.finished {
        return Err(malformed("a column of numbers has the wrong length"));
    }
    Ok(numbers)
}

/// The raw length, then a zstd frame.
pub(crate) fn encode_bytes(bytes: &[u8], level: i32) -> Vec<u8> {
    let mut out = (bytes.len() as u32).to_le_bytes().to_vec();
    // Compression into memory of our own fails only when there is none.
    out.extend(zstd::bulk::compress(bytes, level).unwrap_or_default());
    out
}

/// What `encode_bytes` was given.
pub(crate) fn decode_bytes(bytes: &[u8]) -> Decoded<Vec<u8>> {
    let (len, frame) =
        bytes.split_first_chunk().ok_or_else(|| malformed("a compressed column is cut off"))?;
    let len = u32::from_le_bytes(*len) as usize;
    if len > MAX_RAW_BYTES {
        return Err(malformed("a compressed column claims to be too large"));
    }
    let raw = zstd::bulk::decompress(frame, len).map_err(|error| Malformed(error.to_string()))?;
    if raw.len() != len {
        return Err(malformed("a compressed column has the wrong length"));
    }
    Ok(raw)
}

/// Strings of one column while it is built: a code per row (what it means is the column's
/// matter; `len` recovers the length from it) and the joined bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strings {
    pub(crate) codes: Vec<u32>,
    pub(crate) bytes: Vec<u8>,
}

impl Strings {
    pub(crate) fn push(&mut self, code: u32, bytes: &[u8]) {
        self.codes.push(code);
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn clear(&mut self) {
        self.codes.clear();
        self.bytes.clear();
    }

    pub(crate) fn encode(&self, level: i32) -> Vec<u8> {
        encode_strings(&self.codes, &self.bytes, level)
    }
}

/// The length of the codes, the codes, the bytes.
fn encode_strings(codes: &[u32], bytes: &[u8], level: i32) -> Vec<u8> {
    let codes = encode_numbers(codes, Delta::None);
    let mut out = (codes.len() as u32).to_le_bytes().to_vec();
    out.extend(codes);
    out.extend(encode_bytes(bytes, level));
    out
}

/// Strings of one column, read.
#[derive(Debug)]
pub(crate) struct StringColumn {
    codes: Vec<u32>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl StringColumn {
    /// Reads `count` strings; `len` gives a string's length from its code.
    pub(crate) fn decode(section: &[u8], count: usize, len: impl Fn(u32) -> u32) -> Decoded<Self> {
        let cut_off = || malformed("a string column is cut off");
        let (codes_len, after) = section.split_first_chunk().ok_or_else(cut_off)?;
        let codes_len = u32::from_le_bytes(*codes_len) as usize;
        let (codes, bytes) = after.split_at_checked(codes_len).ok_or_else(cut_off)?;
        let codes: Vec<u32> = decode_numbers(codes, count)?;
        let bytes = decode_bytes(bytes)?;
        let mut end = 0u64;
        let mut ends = Vec::with_capacity(count);
        for code in &codes {
            end += u64::from(len(*code));
            ends.push(end as u32);
        }
        if end != bytes.len() as u64 {
            return Err(malformed("the lengths of a string column do not add up"));
        }
        Ok(Self { codes, ends, bytes })
    }

    /// Strings whose codes are their lengths.
    pub(crate) fn of(strings: Strings) -> Self {
        let Strings { codes, bytes } = strings;
        let mut end = 0;
        let ends = codes.iter().map(|len| {
            end += len;
            end
        });
        Self { ends: ends.collect(), codes, bytes }
    }

    /// The strings as they would be built, to be written again.
    pub(crate) fn into_strings(self) -> Strings {
        Strings { codes: self.codes, bytes: self.bytes }
    }

    pub(crate) fn code(&self, row: usize) -> u32 {
        self.codes[row]
    }

    pub(crate) fn get(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start as usize..self.ends[row] as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.bytes.len() + 8 * self.codes.len()
    }

    pub(crate) fn is_ascii(&self) -> bool {
        self.bytes.is_ascii()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_round_trip(signed: Vec<i64>, unsigned: Vec<u64>, small: Vec<u32>) {
            for delta in [Delta::None, Delta::First] {
                prop_assert_eq!(&decode_numbers::<i64>(&encode_numbers(&signed, delta), signed.len()).unwrap(), &signed);
                prop_assert_eq!(&decode_numbers::<u64>(&encode_numbers(&unsigned, delta), unsigned.len()).unwrap(), &unsigned);
                prop_assert_eq!(&decode_numbers::<u32>(&encode_numbers(&small, delta), small.len()).unwrap(), &small);
            }
        }

        #[test]
        fn strings_round_trip(strings: Vec<Vec<u8>>, level in 1..4) {
            let mut column = Strings::default();
            strings.iter().for_each(|bytes| column.push((bytes.len() as u32) << 1, bytes));
            let read = StringColumn::decode(&column.encode(level), strings.len(), |code| code >> 1).unwrap();
            for (row, bytes) in strings.iter().enumerate() {
                prop_assert_eq!(read.get(row), &**bytes);
            }
        }

        #[test]
        fn any_bytes_decode_or_fail_without_panic(bytes: Vec<u8>, count in 0..100usize) {
            let _numbers = decode_numbers::<i64>(&bytes, count);
            let _bytes = decode_bytes(&bytes);
            let _strings = StringColumn::decode(&bytes, count, |code| code);
        }
    }

    #[test]
    fn a_wrong_count_is_an_error() {
        let bytes = encode_numbers(&[1u32, 2, 3], Delta::None);
        for count in [0, 2, 4] {
            assert!(decode_numbers::<u32>(&bytes, count).is_err(), "{count}");
        }
    }
}
