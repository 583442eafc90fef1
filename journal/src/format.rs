//! The bytes of a segment, as docs/format/journal.md draws them: a header with the preamble, then records. Integers are
//! little-endian. Pure: nothing here touches a file.

use bytes::Bytes;
use crc32c::{crc32c, crc32c_append};

/// The newest format, and the only one so far.
pub(crate) const VERSION: u8 = 1;
/// A segment's header without its preamble.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 36;
/// A record's header.
pub(crate) const RECORD_HEADER_BYTES: usize = 28;

const MAGIC: [u8; 4] = *b"NRWJ";

/// How a segment begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Drawn at random per segment and mixed into the checksum of every record header, so that no byte string inside a
    /// record can pass for a record.
    pub(crate) salt: u32,
    /// The offset of the first record.
    pub(crate) first: u64,
    /// All records below this were durable before the segment got its name.
    pub(crate) durable: u64,
    pub(crate) preamble: Bytes,
}

/// Why a segment's header cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Version(u8),
    Damaged,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size_bytes() as usize);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION, 0, 0, 0]);
        out.extend_from_slice(&self.salt.to_le_bytes());
        out.extend_from_slice(&(self.preamble.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.durable.to_le_bytes());
        let crc = crc32c_append(crc32c(&out), &self.preamble);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&self.preamble);
        out
    }

    /// The preamble's length as the first bytes of a segment give it, not yet checked.
    pub(crate) fn preamble_bytes(fixed: &[u8; SEGMENT_HEADER_BYTES]) -> u32 {
        u32_at(fixed, 12)
    }

    pub(crate) fn decode(fixed: &[u8; SEGMENT_HEADER_BYTES], preamble: Bytes) -> Result<Self, HeaderFault> {
        if fixed[..4] != MAGIC {
            return Err(HeaderFault::Damaged);
        }
        if fixed[4] != VERSION {
            return Err(HeaderFault::Version(fixed[4]));
        }
        if crc32c_append(crc32c(&fixed[..32]), &preamble) != u32_at(fixed, 32) {
            return Err(HeaderFault::Damaged);
        }
        Ok(Self { salt: u32_at(fixed, 8), first: u64_at(fixed, 16), durable: u64_at(fixed, 24), preamble })
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        (SEGMENT_HEADER_BYTES + self.preamble.len()) as u64
    }
}

/// How a record begins. Its checksum covers the body's, so a record belongs to its segment as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) body_crc: u32,
    pub(crate) offset: u64,
    /// All records below this were durable when this one was written.
    pub(crate) durable: u64,
    pub(crate) length: u32,
}

impl RecordHeader {
    pub(crate) fn new(offset: u64, durable: u64, body: &[u8]) -> Self {
        Self { body_crc: crc32c(body), offset, durable, length: body.len() as u32 }
    }

    pub(crate) fn encode(&self, salt: u32) -> [u8; RECORD_HEADER_BYTES] {
        let mut out = [0; RECORD_HEADER_BYTES];
        out[4..8].copy_from_slice(&self.body_crc.to_le_bytes());
        out[8..16].copy_from_slice(&self.offset.to_le_bytes());
        out[16..24].copy_from_slice(&self.durable.to_le_bytes());
        out[24..28].copy_from_slice(&self.length.to_le_bytes());
        let crc = crc32c_append(salt, &out[4..]);
        out[..4].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header at the start of `bytes`, if one of this segment is there.
    pub(crate) fn decode(salt: u32, bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<RECORD_HEADER_BYTES>()?;
        if crc32c_append(salt, &bytes[4..]) != u32_at(bytes, 0) {
            return None;
        }
        Some(Self {
            body_crc: u32_at(bytes, 4),
            offset: u64_at(bytes, 8),
            durable: u64_at(bytes, 16),
            length: u32_at(bytes, 24),
        })
    }

    /// The header and the body together.
    pub(crate) fn record_bytes(&self) -> usize {
        RECORD_HEADER_BYTES + self.length as usize
    }

    pub(crate) fn fits(&self, body: &[u8]) -> bool {
        crc32c(body) == self.body_crc
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn any_flipped_bit_of_a_segment_header_is_noticed() {
        let header =
            SegmentHeader { salt: 7, first: 9, durable: 12, preamble: Bytes::from_static(b"cursor") };
        let good = header.encode();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let fixed = bytes.first_chunk().unwrap();
            let preamble = Bytes::copy_from_slice(&bytes[SEGMENT_HEADER_BYTES..]);
            assert!(SegmentHeader::decode(fixed, preamble).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn any_flipped_bit_of_a_record_header_is_noticed() {
        let header = RecordHeader::new(41, 40, b"body");
        let good = header.encode(99);
        assert_eq!(RecordHeader::decode(99, &good), Some(header));
        assert_eq!(RecordHeader::decode(98, &good), None, "another segment's record");
        for bit in 0..good.len() * 8 {
            let mut bytes = good;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(RecordHeader::decode(99, &bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn the_documented_example_is_what_we_write() {
        let document = include_str!("../../docs/format/journal.md");
        let example = document.split("```example").nth(1).unwrap().split("```").next().unwrap();
        let bytes: Vec<u8> = example
            .lines()
            .filter_map(|line| line.split('|').next())
            .flat_map(|hex| {
                hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect::<Vec<_>>()
            })
            .collect();
        let header =
            SegmentHeader { salt: 0x1122_3344, first: 5, durable: 5, preamble: Bytes::from_static(b"abc") };
        let mut ours = header.encode();
        for (offset, durable, body) in [(5, 5, b"one".as_slice()), (6, 6, b"")] {
            ours.extend_from_slice(&RecordHeader::new(offset, durable, body).encode(header.salt));
            ours.extend_from_slice(body);
        }
        let hex: Vec<String> = ours.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(bytes, ours, "we write {}", hex.join(" "));
    }
}
