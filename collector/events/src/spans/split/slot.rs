//! Slots: what kind of field stands at a place of a message, and how a value becomes that field again.

use super::numbers::cut_off;
use crate::split::column::Decoded;
use crate::split::record::{put_varint, varint_len};
use crate::split::rest::{message, prefixed, put_head, shortest_varint};

/// What a slot's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Kind {
    /// Attributes by their key: texts.
    Text = 0,
    /// … integers.
    Int = 1,
    /// … doubles, by their bits.
    Double = 2,
    /// … truth.
    Bool = 3,
    /// … anything else, as whole fields.
    Other = 4,
    /// Attributes of any key, as whole fields.
    Odd = 5,
    /// Fields that are texts.
    TextField = 6,
    /// Fields that are varints.
    VarintField = 7,
    /// Fields that are fixed32.
    Fixed32Field = 8,
    /// Fields that are ids of 8 bytes.
    SpanId = 9,
    /// Fields that are ids of 16 bytes.
    TraceId = 10,
    /// Whatever fields are not taken apart, one after the other.
    Rest = 11,
    /// The message as it is: nothing of it is taken apart.
    Whole = 12,
    /// A number that is no field; `field` says what it means.
    Number = 13,
    /// Fields that are fixed64, less the span's start.
    Time = 14,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Text,
        Self::Int,
        Self::Double,
        Self::Bool,
        Self::Other,
        Self::Odd,
        Self::TextField,
        Self::VarintField,
        Self::Fixed32Field,
        Self::SpanId,
        Self::TraceId,
        Self::Rest,
        Self::Whole,
        Self::Number,
        Self::Time,
    ];

    /// What its values are kept as.
    pub(super) fn storage(self) -> Storage {
        match self {
            Self::Text | Self::TextField | Self::Other | Self::Odd | Self::Rest | Self::Whole => {
                Storage::Bytes
            }
            Self::Int | Self::Bool | Self::VarintField | Self::Fixed32Field | Self::Number | Self::Time => {
                Storage::Numbers
            }
            Self::Double => Storage::Doubles,
            Self::SpanId => Storage::Ids(8),
            Self::TraceId => Storage::Ids(16),
        }
    }
}

/// What a column of values is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    Bytes,
    Numbers,
    Doubles,
    /// Of so many bytes.
    Ids(usize),
}

/// Of [`Kind::Number`]: the effective time, where it is not the start.
pub(super) const TIME: u8 = 1;
/// Of [`Kind::Number`]: how many events the span has.
pub(super) const EVENTS: u8 = 2;
/// Of [`Kind::Number`]: how many links the span has.
pub(super) const LINKS: u8 = 3;

/// A place of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    /// The field's number.
    pub(super) field: u8,
    /// The attribute's key.
    pub(super) key: Box<[u8]>,
}

impl Slot {
    pub(super) fn put(kind: Kind, field: u8, key: &[u8], out: &mut Vec<u8>) {
        out.extend([kind as u8, field]);
        out.extend_from_slice(key);
    }

    pub(super) fn decode(bytes: &[u8]) -> Decoded<Self> {
        let [kind, field, key @ ..] = bytes else { return Err(cut_off()) };
        let kind = *Kind::ALL.get(usize::from(*kind)).ok_or_else(cut_off)?;
        Ok(Self { kind, field: *field, key: key.into() })
    }

    pub(super) fn is(&self, kind: Kind, field: u8) -> bool {
        self.kind == kind && self.field == field
    }

    /// Appends the field of a value; numbers and doubles by their bits, times as they are.
    pub(super) fn write(&self, value: &Value<'_>, out: &mut Vec<u8>) {
        match (self.kind, value) {
            (Kind::Text, Value::Bytes(text)) => {
                put_head(out, self.tag(2) as u8, &self.key, 1 + varint_len(text.len()) + text.len());
                put_bytes(out, TEXT_TAG, text);
            }
            (Kind::Int, Value::Number(number)) => {
                put_head(out, self.tag(2) as u8, &self.key, 1 + varint_len(*number as usize));
                out.push(INT_TAG);
                put_varint(out, *number as u64);
            }
            (Kind::Bool, Value::Number(bit)) => {
                put_head(out, self.tag(2) as u8, &self.key, 2);
                out.extend([BOOL_TAG, u8::from(*bit != 0)]);
            }
            (Kind::Double, Value::Number(bits)) => {
                put_head(out, self.tag(2) as u8, &self.key, 9);
                out.push(DOUBLE_TAG);
                out.extend(bits.to_le_bytes());
            }
            (Kind::TextField | Kind::SpanId | Kind::TraceId, Value::Bytes(bytes)) => {
                put_bytes(out, self.tag(2) as u8, bytes);
            }
            (Kind::VarintField, Value::Number(number)) => {
                put_varint(out, self.tag(0));
                put_varint(out, *number as u64);
            }
            (Kind::Fixed32Field, Value::Number(number)) => {
                put_varint(out, self.tag(5));
                out.extend((*number as u32).to_le_bytes());
            }
            (Kind::Time, Value::Number(time)) => {
                put_varint(out, self.tag(1));
                out.extend(time.to_le_bytes());
            }
            (Kind::Other | Kind::Odd | Kind::Rest | Kind::Whole, Value::Bytes(fields)) => {
                out.extend_from_slice(fields);
            }
            _ => {}
        }
    }

    /// Of texts and ids the field's number is less than 16: the tag is one byte.
    fn tag(&self, wire: u64) -> u64 {
        u64::from(self.field) << 3 | wire
    }
}

/// A value as columns give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(i64),
    Bytes(&'a [u8]),
}

const KEY_TAG: u8 = 1 << 3 | 2;
const VALUE_TAG: u8 = 2 << 3 | 2;
const TEXT_TAG: u8 = 1 << 3 | 2;
const BOOL_TAG: u8 = 2 << 3;
const INT_TAG: u8 = 3 << 3;
const DOUBLE_TAG: u8 = 4 << 3 | 1;

/// Appends a length-delimited field.
pub(super) fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// An attribute taken apart: its kind, key and value. `entry` is the content of `field`.
pub(super) fn attribute<'a>(field: &'a [u8], entry: &'a [u8]) -> (Kind, &'a [u8], Value<'a>) {
    let Some((key, any)) = key_and_value(field, entry) else {
        return (Kind::Odd, &[], Value::Bytes(field));
    };
    let typed = match any {
        [TEXT_TAG, ..] => message(any, TEXT_TAG).map(|text| (Kind::Text, Value::Bytes(text))),
        [INT_TAG, ..] => {
            let int = shortest_varint(any, 1).filter(|(_, end)| *end == any.len());
            int.map(|(int, _)| (Kind::Int, Value::Number(int as i64)))
        }
        [BOOL_TAG, bit @ (0 | 1)] => Some((Kind::Bool, Value::Number(i64::from(*bit)))),
        [DOUBLE_TAG, bits @ ..] => {
            let bits = bits.try_into().ok();
            bits.map(|bits| (Kind::Double, Value::Number(i64::from_le_bytes(bits))))
        }
        _ => None,
    };
    match typed {
        Some((kind, value)) => (kind, key, value),
        None => (Kind::Other, key, Value::Bytes(field)),
    }
}

/// The key and the content of the value, if writing them again gives the same bytes.
fn key_and_value<'a>(field: &'a [u8], entry: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    // The field's own tag and length are as short as can be.
    if field.len() != 1 + varint_len(entry.len()) + entry.len() {
        return None;
    }
    // Nearly all keys and values are short.
    if let [KEY_TAG, key_len @ 0..0x80, rest @ ..] = entry
        && let Some((key, [VALUE_TAG, any_len @ 0..0x80, any @ ..])) =
            rest.split_at_checked(usize::from(*key_len))
        && any.len() == usize::from(*any_len)
    {
        return Some((key, any));
    }
    let (key, rest) = prefixed(entry, KEY_TAG)?;
    Some((key, message(rest, VALUE_TAG)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use telemetry::Value as Any;
    use telemetry::otlp::write_attribute;

    use super::*;

    #[test]
    fn attributes_come_apart_and_together() {
        let cases: [(Any<'_>, Kind); 8] = [
            (Any::Str("GET"), Kind::Text),
            (Any::Str(""), Kind::Text),
            (Any::Int(-7), Kind::Int),
            (Any::Int(0), Kind::Int),
            (Any::Double(-0.0), Kind::Double),
            (Any::Bool(false), Kind::Bool),
            (Any::Bytes(&[1]), Kind::Other),
            (Any::Empty, Kind::Other),
        ];
        for (any, expected) in cases {
            let mut field = Vec::new();
            write_attribute(&mut field, 9, "k", &any);
            let (kind, key, value) = attribute(&field, &field[2..]);
            assert_eq!(kind, expected, "{any:?}");
            assert_eq!(key, b"k");
            let mut again = Vec::new();
            Slot { kind, field: 9, key: key.into() }.write(&value, &mut again);
            assert_eq!(again, field, "{any:?}");
        }
        for odd in [&[0x4a, 0][..], &[0x4a, 2, 0x12, 0], &[0x4a, 3, 0x0a, 0x81, 0], &[0x4a, 0x82, 0, 0x0a, 0]]
        {
            let entry = if odd.len() == 5 && odd[1] == 0x82 { &odd[3..] } else { &odd[2..] };
            assert_eq!(attribute(odd, entry), (Kind::Odd, &[][..], Value::Bytes(odd)));
        }
    }
}
