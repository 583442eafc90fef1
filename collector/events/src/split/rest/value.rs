//! The fields of a rest that have columns: attributes that are texts, integers or
//! doubles, span ids, and anything long.

use pco::standalone::simple_compress;
use pco::{ChunkConfig, DeltaSpec};

use super::super::column::{Decoded, Delta, decode_numbers, encode_numbers};
use super::super::record::varint;
use super::{put_varint, varint_len};

/// Other fields from this length on are kept out of shapes.
const LONG_FIELD_BYTES: usize = 24;

const ATTRIBUTE_TAG: u8 = 6 << 3 | 2;
const SPAN_TAG: u8 = 10 << 3 | 2;
const KEY_TAG: u8 = 1 << 3 | 2;
const VALUE_TAG: u8 = 2 << 3 | 2;
const TEXT_TAG: u8 = 1 << 3 | 2;
const INT_TAG: u8 = 3 << 3;
const DOUBLE_TAG: u8 = 4 << 3 | 1;

/// A field that is taken out of a rest; attributes come with their key.
pub(super) enum Value<'a> {
    Text(&'a [u8], &'a [u8]),
    Int(&'a [u8], i64),
    Double(&'a [u8], u64),
    Span(&'a [u8; 8]),
    /// A whole field, tag included.
    Field(&'a [u8]),
}

/// Where values of one key and type go.
pub(super) enum Slot<'a> {
    Text(&'a [u8]),
    Int(&'a [u8]),
    Double(&'a [u8]),
    Span,
    /// The first byte of the fields' tag.
    Field(u8),
}

impl<'a> Slot<'a> {
    pub(super) fn decode(slot: &'a [u8]) -> Option<Self> {
        let (kind, key) = slot.split_first()?;
        Some(match kind {
            0 => Self::Text(key),
            1 => Self::Int(key),
            2 => Self::Double(key),
            3 => Self::Span,
            4 => Self::Field(*key.first()?),
            _ => return None,
        })
    }

    /// Whether its fields may be attributes that are not under its key.
    pub(super) fn may_be_attribute(&self) -> bool {
        matches!(self, Self::Field(ATTRIBUTE_TAG))
    }
}

impl<'a> Value<'a> {
    /// The value of a field, if writing it again gives the same bytes.
    pub(super) fn of(field: &'a [u8]) -> Option<Self> {
        let parsed = match field {
            [SPAN_TAG, 8, id @ ..] => id.try_into().ok().map(Self::Span),
            [ATTRIBUTE_TAG, ..] => Self::attribute(field),
            _ => None,
        };
        parsed.or_else(|| (field.len() >= LONG_FIELD_BYTES).then_some(Self::Field(field)))
    }

    fn attribute(field: &'a [u8]) -> Option<Self> {
        let entry = message(field, ATTRIBUTE_TAG)?;
        let (key, rest) = prefixed(entry, KEY_TAG)?;
        let any = message(rest, VALUE_TAG)?;
        match any {
            [TEXT_TAG, ..] => Some(Self::Text(key, message(any, TEXT_TAG)?)),
            [INT_TAG, ..] => {
                let (int, end) = shortest_varint(any, 1)?;
                (end == any.len()).then_some(Self::Int(key, int as i64))
            }
            [DOUBLE_TAG, bits @ ..] => Some(Self::Double(key, u64::from_le_bytes(bits.try_into().ok()?))),
            _ => None,
        }
    }

    pub(super) fn put_slot(&self, out: &mut Vec<u8>) {
        let (kind, key): (u8, &[u8]) = match self {
            Self::Text(key, _) => (0, key),
            Self::Int(key, _) => (1, key),
            Self::Double(key, _) => (2, key),
            Self::Span(_) => (3, &[]),
            Self::Field(field) => (4, &field[..1]),
        };
        out.push(kind);
        out.extend_from_slice(key);
    }

    /// Appends the field.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Field(field) => out.extend_from_slice(field),
            Self::Span(id) => {
                out.extend([SPAN_TAG, 8]);
                out.extend_from_slice(*id);
            }
            Self::Text(key, text) => {
                put_head(out, ATTRIBUTE_TAG, key, 1 + varint_len(text.len()) + text.len());
                out.push(TEXT_TAG);
                put_varint(out, text.len() as u64);
                out.extend_from_slice(text);
            }
            Self::Int(key, int) => {
                put_head(out, ATTRIBUTE_TAG, key, 1 + varint_len(*int as usize));
                out.push(INT_TAG);
                put_varint(out, *int as u64);
            }
            Self::Double(key, bits) => {
                put_head(out, ATTRIBUTE_TAG, key, 9);
                out.push(DOUBLE_TAG);
                out.extend(bits.to_le_bytes());
            }
        }
    }
}

/// An attribute, whose field has this tag, up to the content of its value, which takes `any_len` bytes.
pub(crate) fn put_head(out: &mut Vec<u8>, tag: u8, key: &[u8], any_len: usize) {
    let entry_len = 1 + varint_len(key.len()) + key.len() + 1 + varint_len(any_len) + any_len;
    out.push(tag);
    put_varint(out, entry_len as u64);
    out.push(KEY_TAG);
    put_varint(out, key.len() as u64);
    out.extend_from_slice(key);
    out.push(VALUE_TAG);
    put_varint(out, any_len as u64);
}

/// A length-delimited field's content and what follows it.
pub(crate) fn prefixed(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    if bytes.first() != Some(&tag) {
        return None;
    }
    let (len, start) = shortest_varint(bytes, 1)?;
    bytes[start..].split_at_checked(usize::try_from(len).ok()?)
}

/// The content of a length-delimited field that is all there is.
pub(crate) fn message(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    prefixed(bytes, tag).filter(|(_, rest)| rest.is_empty()).map(|(content, _)| content)
}

/// The varint at `at` and where it ends, if it could not be shorter.
pub(crate) fn shortest_varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let (value, end) = varint(bytes, at)?;
    // The tenth byte has room for one bit of 64.
    let fits = end - at < 10 || bytes[end - 1] <= 1;
    (fits && end - at == varint_len(value as usize)).then_some((value, end))
}

const AS_DOUBLES: u8 = 0;
const AS_BITS: u8 = 1;

/// Doubles by their bits: pco as doubles (it finds decimals), or as plain numbers should that not restore every bit.
pub(crate) fn encode_doubles(bits: &[u64]) -> Vec<u8> {
    let doubles: Vec<f64> = bits.iter().map(|bits| f64::from_bits(*bits)).collect();
    let config = ChunkConfig::default().with_compression_level(4).with_delta_spec(DeltaSpec::NoOp);
    if let Ok(encoded) = simple_compress(&doubles, &config) {
        let encoded = [vec![AS_DOUBLES], encoded].concat();
        if decode_doubles(&encoded, bits.len()).is_ok_and(|restored| restored == bits) {
            return encoded;
        }
    }
    [vec![AS_BITS], encode_numbers(bits, Delta::None)].concat()
}

/// What `encode_doubles` was given.
pub(crate) fn decode_doubles(bytes: &[u8], count: usize) -> Decoded<Vec<u64>> {
    match bytes.split_first() {
        Some((&AS_DOUBLES, bytes)) => {
            Ok(decode_numbers::<f64>(bytes, count)?.into_iter().map(f64::to_bits).collect())
        }
        Some((&AS_BITS, bytes)) => decode_numbers(bytes, count),
        _ => Err(super::cut_off()),
    }
}
