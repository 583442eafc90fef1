//! The fields of protobuf messages that were validated before, as they stand on the wire: what is copied from one
//! message into another stays what it was.

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    /// All of it, its tag too.
    pub(super) whole: &'a [u8],
    /// What a length-delimited one holds; nothing of the others.
    pub(super) content: &'a [u8],
}

/// The fields up to the end, or to the first byte that is none.
pub(super) fn fields(raw: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let (number, head, len) = measure(rest)?;
        let whole = rest.get(..head + len)?;
        let is_delimited = rest[0] & 7 == 2;
        rest = &rest[head + len..];
        Some(Field { number, whole, content: if is_delimited { &whole[head..] } else { &[] } })
    })
}

/// Of the first field: its number, how long its tag and length are, and how long what follows.
fn measure(raw: &[u8]) -> Option<(u64, usize, usize)> {
    let (tag, at) = varint(raw)?;
    let (head, len) = match tag & 7 {
        0 => (at, varint(raw.get(at..)?)?.1),
        1 => (at, 8),
        2 => {
            let (len, size) = varint(raw.get(at..)?)?;
            (at + size, usize::try_from(len).ok()?)
        }
        5 => (at, 4),
        _ => return None,
    };
    head.checked_add(len).map(|_| (tag >> 3, head, len))
}

fn varint(raw: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (at, byte) in raw.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

/// Appends a length-delimited field whose number is below 16.
pub(super) fn put(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    out.push(number << 3 | 2);
    let mut len = content.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(content);
}

/// A message without one of its fields.
pub(super) fn without(raw: &[u8], number: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let kept = fields(raw).filter(|field| field.number != number);
    kept.for_each(|field| out.extend_from_slice(field.whole));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_every_kind_are_copied_as_they_are() {
        let long = vec![7; 300];
        let mut raw = vec![1 << 3, 0x96, 0x01, 2 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8, 3 << 3 | 5, 1, 2, 3, 4];
        put(&mut raw, 4, &long);
        // Field 2000, a text of no characters.
        raw.extend([0x82, 0x7d, 0]);
        let seen: Vec<_> =
            fields(&raw).map(|field| (field.number, field.whole.len(), field.content.len())).collect();
        assert_eq!(seen, [(1, 3, 0), (2, 9, 0), (3, 5, 0), (4, 303, 300), (2000, 3, 0)]);
        assert_eq!(fields(&raw).map(|field| field.whole).collect::<Vec<_>>().concat(), raw);
        assert_eq!(without(&raw, 4).len(), raw.len() - 303);
        assert_eq!(fields(&raw[..30]).count(), 3, "what is cut off is no field");
    }
}
