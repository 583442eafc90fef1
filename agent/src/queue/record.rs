//! The bytes of a queue record and of a segment's preamble (docs/format/agent-queue.md).
//!
//! ```text
//! record    version u8 · acknowledged u64 · items u32 · cursors u16 · cursor… · batch (rest; empty: cursors only)
//! preamble  version u8 · acknowledged u64 · cursors u32 · cursor…
//! cursor    source: len u16, bytes · place: len u16, bytes (len 0xffff: the source is gone)
//! ```

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};

const VERSION: u8 = 1;
const GONE: u16 = u16::MAX;

/// How far a source has been read. What the bytes mean is the source's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Which source.
    pub(crate) source: Bytes,
    /// Where in it; `None` when the source has ended for good.
    pub(crate) place: Option<Bytes>,
}

/// The newest place of each live source.
pub(crate) type Cursors = BTreeMap<Bytes, Bytes>;

/// What stands before the batch in a queue record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Every record up to this offset was settled when this one was enqueued.
    pub(crate) acknowledged: u64,
    /// How many log records the batch holds.
    pub(crate) items: u32,
    pub(crate) cursors: Vec<Cursor>,
}

/// Bytes that no version of this program wrote.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a queue record of version {VERSION}")]
pub(crate) struct NotARecord;

impl Cursor {
    /// How many bytes it takes in a record.
    pub(crate) fn size_bytes(&self) -> usize {
        4 + self.source.len() + self.place.as_ref().map_or(0, Bytes::len)
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_cursor(out, &self.source, self.place.as_ref());
    }

    fn read(bytes: &mut Bytes) -> Result<Self, NotARecord> {
        let len = bytes.try_get_u16_le().map_err(|_| NotARecord)?;
        let source = take(bytes, len)?;
        let place = match bytes.try_get_u16_le().map_err(|_| NotARecord)? {
            GONE => None,
            len => Some(take(bytes, len)?),
        };
        Ok(Self { source, place })
    }
}

/// Builds a record of `head` and an encoded batch.
pub(super) fn encode(head: &Head, batch: &[u8]) -> Bytes {
    let cursors: usize = head.cursors.iter().map(Cursor::size_bytes).sum();
    let mut out = Vec::with_capacity(15 + cursors + batch.len());
    out.push(VERSION);
    out.extend(head.acknowledged.to_le_bytes());
    out.extend(head.items.to_le_bytes());
    out.extend((head.cursors.len() as u16).to_le_bytes());
    head.cursors.iter().for_each(|cursor| cursor.write(&mut out));
    out.extend_from_slice(batch);
    out.into()
}

/// Takes a record apart; the batch is a slice of it.
pub(super) fn decode(record: &Bytes) -> Result<(Head, Bytes), NotARecord> {
    let mut bytes = record.clone();
    if bytes.try_get_u8() != Ok(VERSION) {
        return Err(NotARecord);
    }
    let acknowledged = bytes.try_get_u64_le().map_err(|_| NotARecord)?;
    let items = bytes.try_get_u32_le().map_err(|_| NotARecord)?;
    let count = bytes.try_get_u16_le().map_err(|_| NotARecord)?;
    let cursors = (0..count).map(|_| Cursor::read(&mut bytes)).collect::<Result<_, _>>()?;
    Ok((Head { acknowledged, items, cursors }, bytes))
}

/// What a segment begins with.
pub(super) fn encode_preamble(acknowledged: u64, cursors: &Cursors) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend(acknowledged.to_le_bytes());
    out.extend((cursors.len() as u32).to_le_bytes());
    cursors.iter().for_each(|(source, place)| put_cursor(&mut out, source, Some(place)));
    out
}

/// Reads a preamble; an empty one is that of a new queue.
pub(super) fn decode_preamble(preamble: Vec<u8>) -> Result<(u64, Cursors), NotARecord> {
    let mut bytes = Bytes::from(preamble);
    if bytes.is_empty() {
        return Ok((0, Cursors::new()));
    }
    if bytes.try_get_u8() != Ok(VERSION) {
        return Err(NotARecord);
    }
    let acknowledged = bytes.try_get_u64_le().map_err(|_| NotARecord)?;
    let count = bytes.try_get_u32_le().map_err(|_| NotARecord)?;
    let mut cursors = Cursors::new();
    for _ in 0..count {
        apply(&mut cursors, Cursor::read(&mut bytes)?);
    }
    Ok((acknowledged, cursors))
}

/// Brings the newest places up to date with one cursor.
pub(super) fn apply(cursors: &mut Cursors, cursor: Cursor) {
    match cursor.place {
        Some(place) => cursors.insert(cursor.source, place),
        None => cursors.remove(&cursor.source),
    };
}

fn put_cursor(out: &mut Vec<u8>, source: &Bytes, place: Option<&Bytes>) {
    debug_assert!(
        source.len() < usize::from(GONE) && place.is_none_or(|place| place.len() < usize::from(GONE))
    );
    out.extend((source.len() as u16).to_le_bytes());
    out.extend_from_slice(source);
    out.extend(place.map_or(GONE, |place| place.len() as u16).to_le_bytes());
    out.extend_from_slice(place.map_or(&[], |place| &place[..]));
}

fn take(bytes: &mut Bytes, len: u16) -> Result<Bytes, NotARecord> {
    let len = usize::from(len);
    if bytes.len() < len { Err(NotARecord) } else { Ok(bytes.split_to(len)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_cursor() -> impl Strategy<Value = Cursor> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from);
        (bytes(), proptest::option::of(bytes())).prop_map(|(source, place)| Cursor { source, place })
    }

    proptest! {
        #[test]
        fn records_decode_to_themselves(
            acknowledged: u64, items: u32,
            cursors in proptest::collection::vec(any_cursor(), 0..5),
            batch: Vec<u8>,
        ) {
            let head = Head { acknowledged, items, cursors };
            let record = encode(&head, &batch);
            let (decoded, rest) = decode(&record).unwrap();
            prop_assert_eq!((decoded, &rest[..]), (head, &batch[..]));
        }

        #[test]
        fn preambles_decode_to_themselves(acknowledged: u64, cursors in proptest::collection::vec(any_cursor(), 0..5)) {
            let mut newest = Cursors::new();
            cursors.into_iter().for_each(|cursor| apply(&mut newest, cursor));
            prop_assert_eq!(decode_preamble(encode_preamble(acknowledged, &newest)).unwrap(), (acknowledged, newest));
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
            let _either = (decode(&Bytes::from(bytes.clone())), decode_preamble(bytes));
        }
    }

    #[test]
    fn the_documented_example_is_what_we_write() {
        let document = include_str!("../../../docs/format/agent-queue.md");
        let example = document.split("```example").nth(1).unwrap().split("```").next().unwrap();
        let hex = example.lines().filter_map(|line| line.split('|').next()).flat_map(str::split_whitespace);
        let bytes: Vec<u8> = hex.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        let cursors = vec![
            Cursor { source: Bytes::from_static(b"f1"), place: Some(Bytes::from_static(b"\x07")) },
            Cursor { source: Bytes::from_static(b"f2"), place: None },
        ];
        let head = Head { acknowledged: 5, items: 2, cursors };
        assert_eq!(bytes, encode(&head, b"batch"));
        assert_eq!(decode(&bytes.into()).unwrap(), (head, Bytes::from_static(b"batch")));
    }
}
