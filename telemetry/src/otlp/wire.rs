//! The protobuf wire format (protobuf.dev, "Encoding"): tags, varints, lengths.

/// A field's number and what the wire holds for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    pub(crate) wire: Wire<'a>,
}

/// A field's raw content by wire type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// Why bytes are not the message that they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a field.
    #[error("the message ends inside a field")]
    Truncated,
    /// A varint of more than ten bytes or 64 bits.
    #[error("a varint is longer than 64 bits")]
    Varint,
    /// A wire type that proto3 does not have, or a field number 0.
    #[error("a field has the unknown tag {0}")]
    Tag(u64),
    /// A known field with another wire type than the specification gives it.
    #[error("{0} has the wrong wire type")]
    WireType(&'static str),
    /// Text that is not UTF-8.
    #[error("{0} is not valid UTF-8")]
    Utf8(&'static str),
    /// Values nested deeper than [`super::MAX_DEPTH`].
    #[error("values are nested deeper than {0} levels")]
    Depth(usize),
}

/// Reads a message field by field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field, `None` at the end of the message.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number =
            u32::try_from(tag >> 3).ok().filter(|n| (1..1 << 29).contains(n)).ok_or(DecodeError::Tag(tag))?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| DecodeError::Truncated)?;
                Wire::Bytes(self.take(len)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(DecodeError::Tag(tag)),
        };
        Ok(Some(Field { number, wire }))
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.take(N)?.try_into().map_err(|_| DecodeError::Truncated)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                // The tenth byte has room for one bit.
                if index == 9 && *byte > 1 {
                    return Err(DecodeError::Varint);
                }
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { DecodeError::Truncated } else { DecodeError::Varint })
    }
}

/// The fields of a message that was validated before; stops at the first bad byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(Cursor<'a>);

impl<'a> Fields<'a> {
    pub(crate) fn of_valid(message: &'a [u8]) -> Self {
        Self(Cursor::new(message))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        self.0.next().ok().flatten()
    }
}

/// The length-delimited fields `number` of a message that was validated before.
pub(crate) fn messages(raw: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Fields::of_valid(raw).filter_map(move |field| match field.wire {
        Wire::Bytes(message) if field.number == number => Some(message),
        _ => None,
    })
}

/// The varints of a packed field; ends at the first that is cut.
pub(crate) fn varints(packed: &[u8]) -> impl Iterator<Item = Result<u64, DecodeError>> {
    let mut cursor = Cursor::new(packed);
    std::iter::from_fn(move || {
        if cursor.rest.is_empty() {
            return None;
        }
        let value = cursor.varint();
        if value.is_err() {
            cursor.rest = &[];
        }
        Some(value)
    })
}

/// The zigzag form of sint32 and sint64.
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Of the zigzag form of sint32 and sint64.
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends a varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes `put_varint` writes.
pub(crate) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Appends a varint field unless it has the default value.
pub(crate) fn put_uint(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(number) << 3);
        put_varint(out, value);
    }
}

/// Appends a fixed64 field unless it has the default value.
pub(crate) fn put_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(number) << 3 | 1);
        out.extend(value.to_le_bytes());
    }
}

/// Appends a fixed32 field unless it has the default value.
pub(crate) fn put_fixed32(out: &mut Vec<u8>, number: u32, value: u32) {
    if value != 0 {
        put_varint(out, u64::from(number) << 3 | 5);
        out.extend(value.to_le_bytes());
    }
}

/// Appends a length-delimited field, empty ones too.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a text or bytes field unless it is empty.
pub(crate) fn put_text(out: &mut Vec<u8>, number: u32, text: &[u8]) {
    if !text.is_empty() {
        put_bytes(out, number, text);
    }
}

/// Begins a length-delimited field; `close` takes the mark. One byte is kept for the length:
/// most messages are shorter than 128 bytes, the others are moved once.
pub(crate) fn open(out: &mut Vec<u8>, number: u32) -> usize {
    put_varint(out, u64::from(number) << 3 | 2);
    out.push(0);
    out.len()
}

/// Ends the field that `open` began.
pub(crate) fn close(out: &mut Vec<u8>, start: usize) {
    let end = out.len();
    let len = end - start;
    let extra = varint_len(len as u64) - 1;
    if extra > 0 {
        out.resize(end + extra, 0);
        out.copy_within(start..end, start + extra);
    }
    let mut rest = len;
    for byte in &mut out[start - 1..start + extra] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[start + extra - 1] &= 0x7f;
}

/// Appends a `KeyValue` message with a text under field `number`, without a buffer of its own.
pub(crate) fn put_text_entry(out: &mut Vec<u8>, number: u32, key: &str, text: &str) {
    let field_len = |len: usize| 1 + varint_len(len as u64) + len;
    let any_len = field_len(text.len());
    let key_len = if key.is_empty() { 0 } else { field_len(key.len()) };
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, (key_len + field_len(any_len)) as u64);
    put_text(out, 1, key.as_bytes());
    put_varint(out, 2 << 3 | 2);
    put_varint(out, any_len as u64);
    put_bytes(out, 1, text.as_bytes());
}
