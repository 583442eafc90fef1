//! Numbers of variable length, and a cursor that answers with [`Damage`] where bytes are missing.

use crate::error::Damage;

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_zigzag(out: &mut Vec<u8>, value: i64) {
    put_varint(out, zigzag(value));
}

pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// How many bytes [`put_varint`] takes.
pub(crate) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Reads front to back.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    part: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], part: &'static str) -> Self {
        Self { bytes, at: 0, part }
    }

    /// How far it has come.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn damage(&self, what: &'static str) -> Damage {
        Damage { part: self.part, at: self.at, what }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Damage> {
        let Some(taken) = self.bytes[self.at..].get(..len) else {
            return Err(self.damage("it ends too early"));
        };
        self.at += len;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damage> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn float(&mut self) -> Result<f64, Damage> {
        Ok(f64::from_bits(load_u64(self.take(8)?)))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Damage> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                break;
            }
            value |= low << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.damage("a number is too long"))
    }

    pub(crate) fn zigzag(&mut self) -> Result<i64, Damage> {
        Ok(unzigzag(self.varint()?))
    }

    /// Passes numbers of variable length, as `varint` reads them.
    pub(crate) fn skip_varints(&mut self, mut count: usize) -> Result<(), Damage> {
        while count > 0 {
            let next = self.bytes.get(self.at..self.at + 8).filter(|_| count >= 8).map(load_u64);
            if next.is_some_and(|eight| eight & 0x8080_8080_8080_8080 == 0) {
                (self.at, count) = (self.at + 8, count - 8);
            } else {
                self.varint()?;
                count -= 1;
            }
        }
        Ok(())
    }

    /// A count or a length that may not exceed `most`.
    pub(crate) fn count(&mut self, most: usize) -> Result<usize, Damage> {
        let value = self.varint()?;
        match usize::try_from(value) {
            Ok(count) if count <= most => Ok(count),
            _ => Err(self.damage("a count is larger than what there can be")),
        }
    }

    pub(crate) fn finish(&self) -> Result<(), Damage> {
        if self.remaining() > 0 { Err(self.damage("bytes are left over")) } else { Ok(()) }
    }
}

/// The little-endian number in up to 8 bytes.
pub(crate) fn load_u64(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    let len = bytes.len().min(8);
    whole[..len].copy_from_slice(&bytes[..len]);
    u64::from_le_bytes(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_know_their_length() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), 1 << 62, u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value), "{value}");
            assert_eq!(Reader::new(&out, "x").varint(), Ok(value));
            let signed = value as i64;
            assert_eq!(unzigzag(zigzag(signed)), signed);
        }
    }

    #[test]
    fn numbers_are_passed_as_they_are_read() {
        let mut bytes = Vec::new();
        for value in [3, 0, 9, 127, 128, 5, 1 << 40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 300, 13] {
            put_varint(&mut bytes, value);
        }
        bytes.extend([0xff; 11]);
        for count in 0..30 {
            let (mut read, mut passed) = (Reader::new(&bytes, "x"), Reader::new(&bytes, "x"));
            let all: Result<Vec<u64>, Damage> = (0..count).map(|_| read.varint()).collect();
            assert_eq!(passed.skip_varints(count), all.map(drop), "{count}");
            assert_eq!(passed.at(), read.at(), "{count}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_damage() {
        let mut reader = Reader::new(&[0xff; 11], "x");
        assert!(reader.varint().is_err());
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], "x");
        assert!(reader.varint().is_err());
        assert!(Reader::new(&[0x80], "x").varint().is_err());
    }
}
