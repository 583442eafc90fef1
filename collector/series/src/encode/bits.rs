//! Frame of reference: the smallest number, then each number's distance from it in as few bits as the largest
//! distance needs. Bits fill bytes from the lowest upwards.

use super::bytes::{Reader, load_u64, put_zigzag, zigzag};
use crate::error::Damage;

/// How a run of numbers is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    min: i64,
    width: u32,
}

impl Frame {
    /// The frame that fits these; distances wrap, so every run has one.
    pub(super) fn of(numbers: &[i64]) -> Self {
        let min = numbers.iter().copied().min().unwrap_or(0);
        let max = numbers.iter().copied().max().unwrap_or(0);
        Self { min, width: 64 - (max.wrapping_sub(min) as u64).leading_zeros() }
    }

    /// Whether all the numbers are the same.
    pub(super) fn is_flat(self) -> bool {
        self.width == 0
    }

    pub(super) fn header_len(self) -> usize {
        super::bytes::varint_len(zigzag(self.min)) + 1
    }

    /// Bytes of `n` packed numbers.
    pub(super) fn body_len(self, n: usize) -> usize {
        // Only a count of 2^58 and more could overflow; counts are bounded by memory.
        n.saturating_mul(self.width as usize).div_ceil(8)
    }

    pub(super) fn write_header(self, out: &mut Vec<u8>) {
        put_zigzag(out, self.min);
        out.push(self.width as u8);
    }

    pub(super) fn read_header(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        let min = reader.zigzag()?;
        let width = u32::from(reader.byte()?);
        if width > 64 {
            return Err(reader.damage("numbers of more than 64 bits"));
        }
        Ok(Self { min, width })
    }

    pub(super) fn pack(self, numbers: &[i64], out: &mut Vec<u8>) {
        let (mut held, mut filled) = (0u128, 0);
        for number in numbers {
            held |= u128::from(number.wrapping_sub(self.min) as u64) << filled;
            filled += self.width;
            while filled >= 32 {
                out.extend_from_slice(&(held as u32).to_le_bytes());
                held >>= 32;
                filled -= 32;
            }
        }
        out.extend_from_slice(&held.to_le_bytes()[..filled.div_ceil(8) as usize]);
    }

    /// Appends `n` numbers of a body of [`Frame::body_len`] bytes.
    pub(super) fn unpack(self, body: &[u8], n: usize, out: &mut Vec<i64>) {
        if self.width == 0 {
            out.resize(out.len() + n, self.min);
            return;
        }
        out.reserve(n);
        let mask = u64::MAX >> (64 - self.width);
        let width = self.width as usize;
        let number = |index: usize| {
            let (byte, shift) = (index * width / 8, index * width % 8);
            let low = window(body, byte) >> shift;
            // A wide number may reach into a ninth byte.
            let high = if shift + width > 64 { window(body, byte + 8) << (64 - shift) } else { 0 };
            ((low | high) & mask) as i64
        };
        out.extend((0..n).map(|index| number(index).wrapping_add(self.min)));
    }
}

fn window(body: &[u8], at: usize) -> u64 {
    match body.get(at..at + 8) {
        Some(bytes) => load_u64(bytes),
        None => load_u64(body.get(at..).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_of_every_width_come_back(
            width in 0u32..=64,
            base: i64,
            raw in proptest::collection::vec(any::<u64>(), 0..80),
        ) {
            let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
            let numbers: Vec<i64> = raw.iter().map(|bits| base.wrapping_add((bits & mask) as i64)).collect();
            let frame = Frame::of(&numbers);
            let mut out = Vec::new();
            frame.write_header(&mut out);
            prop_assert_eq!(out.len(), frame.header_len());
            frame.pack(&numbers, &mut out);
            prop_assert_eq!(out.len(), frame.header_len() + frame.body_len(numbers.len()));
            let mut reader = Reader::new(&out, "x");
            let read = Frame::read_header(&mut reader).unwrap();
            let mut back = Vec::new();
            read.unpack(reader.take(reader.remaining()).unwrap(), numbers.len(), &mut back);
            prop_assert_eq!(back, numbers);
        }
    }
}
