//! Varints and texts of a state, written and read back without trust in what is read.

/// Appends a number, seven bits a byte.
pub(crate) fn put_uint(out: &mut Vec<u8>, number: u64) {
    put_wide(out, u128::from(number));
}

/// Appends a wide number, seven bits a byte.
pub(crate) fn put_wide(out: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a length and so many bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what the functions above wrote; `None` where the bytes end early or say too much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) fn uint(&mut self) -> Option<u64> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Some(u64::from(*byte))
            }
            _ => self.wide().and_then(|number| u64::try_from(number).ok()),
        }
    }

    pub(crate) fn wide(&mut self) -> Option<u128> {
        let mut number = 0u128;
        for index in 0..19 {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u128::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                return (index < 18 || *byte < 4).then_some(number);
            }
        }
        None
    }

    pub(crate) fn uint32(&mut self) -> Option<u32> {
        self.uint()?.try_into().ok()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline]
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.uint()?).ok()?;
        self.take(len)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// How many things of at least a byte follow: never more than there are bytes.
    pub(crate) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.uint()?).ok().filter(|count| *count <= self.rest.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_bytes_read_as_they_were_written(uint: u64, wide: u128, bytes: Vec<u8>) {
            let mut out = Vec::new();
            put_uint(&mut out, uint);
            put_wide(&mut out, wide);
            put_bytes(&mut out, &bytes);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.uint(), Some(uint));
            prop_assert_eq!(reader.wide(), Some(wide));
            prop_assert_eq!(reader.bytes(), Some(&bytes[..]));
            prop_assert!(reader.is_at_end());
            for len in 0..out.len() {
                let mut reader = Reader::new(&out[..len]);
                let all = reader.uint().and_then(|_| reader.wide()).and_then(|_| reader.bytes());
                prop_assert!(all.is_none());
            }
        }
    }
}
