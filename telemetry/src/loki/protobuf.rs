//! `logproto.PushRequest`, after snappy has been taken off.
//!
//! ```text
//! PushRequest  { repeated Stream streams = 1 }
//! Stream       { string labels = 1; repeated Entry entries = 2; uint64 hash = 3 }
//! Entry        { Timestamp timestamp = 1; string line = 2; repeated Pair structured_metadata = 3, parsed = 4 }
//! Timestamp    { int64 seconds = 1; int32 nanos = 2 }      Pair { string name = 1; string value = 2 }
//! ```
//! Texts that are not UTF-8 are mended: Go's clients do not check them, and a line is worth more than its bytes.

use std::borrow::Cow;

use super::labels;
use super::stream::{Entry, Writer};
use super::{Push, PushError, PushLimits};
use crate::otlp::wire::{Cursor, DecodeError, Field, Wire};
use crate::room::Room;

/// Reads a push request in protobuf.
pub fn decode_protobuf(raw: &[u8], limits: &PushLimits, room: Room<'_>) -> Result<Push, PushError> {
    let mut writer = Writer::new(limits, room);
    let mut entries = Vec::new();
    each(raw, |field| match (field.number, field.wire) {
        (1, Wire::Bytes(raw)) => stream(raw, &mut writer, &mut entries),
        (1, _) => wrong_type("streams"),
        _ => Ok(()),
    })?;
    Ok(writer.finish())
}

fn stream<'a>(
    raw: &'a [u8],
    writer: &mut Writer<'_, '_>,
    entries: &mut Vec<Entry<'a>>,
) -> Result<(), PushError> {
    writer.count_stream()?;
    entries.clear();
    let mut label_text = Cow::Borrowed("{}");
    each(raw, |field| {
        match (field.number, field.wire) {
            (1, Wire::Bytes(text)) => label_text = String::from_utf8_lossy(text),
            (2, Wire::Bytes(raw)) => {
                entries.push(entry(raw, writer)?);
                writer.count_entry()?;
            }
            (1, _) => return wrong_type("labels"),
            (2, _) => return wrong_type("entries"),
            _ => {}
        }
        Ok(())
    })?;
    match labels::parse(&label_text, writer.max_labels()) {
        Ok(labels) => writer.stream(&labels, entries),
        Err(reason) => {
            writer.reject(entries.len(), reason);
            Ok(())
        }
    }
}

fn entry<'a>(raw: &'a [u8], writer: &mut Writer<'_, '_>) -> Result<Entry<'a>, PushError> {
    let mut entry = Entry::default();
    each(raw, |field| {
        match (field.number, field.wire) {
            (1, Wire::Bytes(raw)) => entry.time_ns = timestamp(raw)?,
            (2, Wire::Bytes(text)) => entry.line = String::from_utf8_lossy(text),
            (3, Wire::Bytes(raw)) => {
                writer.count_pair(entry.metadata.len() + 1)?;
                entry.metadata.push(pair(raw)?);
            }
            (1, _) => return wrong_type("timestamp"),
            (2, _) => return wrong_type("line"),
            (3, _) => return wrong_type("structuredMetadata"),
            _ => {}
        }
        Ok(())
    })?;
    Ok(entry)
}

/// Nanoseconds since 1970; 0, which means missing, for what is before it or does not fit.
fn timestamp(raw: &[u8]) -> Result<u64, PushError> {
    let (mut seconds, mut nanos) = (0, 0);
    each(raw, |field| {
        match (field.number, field.wire) {
            (1, Wire::Varint(value)) => seconds = value as i64,
            (2, Wire::Varint(value)) => nanos = value as i64,
            (1 | 2, _) => return wrong_type("timestamp"),
            _ => {}
        }
        Ok(())
    })?;
    let ns = seconds.checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(nanos));
    Ok(ns.and_then(|ns| u64::try_from(ns).ok()).unwrap_or(0))
}

fn pair(raw: &[u8]) -> Result<(Cow<'_, str>, Cow<'_, str>), PushError> {
    let (mut name, mut value) = (Cow::Borrowed(""), Cow::Borrowed(""));
    each(raw, |field| {
        match (field.number, field.wire) {
            (1, Wire::Bytes(text)) => name = String::from_utf8_lossy(text),
            (2, Wire::Bytes(text)) => value = String::from_utf8_lossy(text),
            (1 | 2, _) => return wrong_type("structuredMetadata"),
            _ => {}
        }
        Ok(())
    })?;
    Ok((name, value))
}

fn each<'a>(
    raw: &'a [u8],
    mut read: impl FnMut(Field<'a>) -> Result<(), PushError>,
) -> Result<(), PushError> {
    let mut cursor = Cursor::new(raw);
    while let Some(field) = cursor.next().map_err(malformed)? {
        read(field)?;
    }
    Ok(())
}

fn wrong_type(name: &'static str) -> Result<(), PushError> {
    Err(malformed(DecodeError::WireType(name)))
}

fn malformed(error: DecodeError) -> PushError {
    PushError::Malformed(format!("the body is no logproto.PushRequest: {error}"))
}
