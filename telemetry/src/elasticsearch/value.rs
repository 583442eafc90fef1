//! JSON values as OTLP values, written as they are read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::json_text::Text;
use crate::otlp::MAX_DEPTH;
use crate::otlp::wire::{close, open, put_bytes, put_text, put_varint};

/// A value without values in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Leaf<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Cow<'a, str>),
}

impl Leaf<'_> {
    pub(super) fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Double(value) => Cow::Owned(value.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }

    /// The inside of an `AnyValue`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Bool(value) => out.extend([2 << 3, u8::from(*value)]),
            Self::Int(value) => {
                out.push(3 << 3);
                put_varint(out, *value as u64);
            }
            Self::Double(value) => {
                out.push(4 << 3 | 1);
                out.extend(value.to_le_bytes());
            }
            Self::Text(text) => put_bytes(out, 1, text.as_bytes()),
        }
    }
}

/// Bytes as they grow, with their caps.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) bytes: Vec<u8>,
    pub(super) max_bytes: usize,
    depth: usize,
}

impl Out {
    pub(super) fn clear(&mut self, max_bytes: usize) {
        self.bytes.clear();
        self.max_bytes = max_bytes;
        self.depth = 0;
    }

    /// A document is given up where it becomes too large, not at its end.
    pub(super) fn check<E: Error>(&self) -> Result<(), E> {
        let max = self.max_bytes;
        if self.bytes.len() > max {
            return Err(E::custom(format_args!("the document is larger than {max} bytes")));
        }
        Ok(())
    }

    /// Begins a value with values in it.
    pub(super) fn enter<E: Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(E::custom(format_args!("values are nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    /// Ends it.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// Writes the inside of an `AnyValue`; says whether there is any: null has none.
pub(super) struct Inside<'o>(pub(super) &'o mut Out);

impl Inside<'_> {
    fn leaf<E>(self, leaf: &Leaf<'_>) -> Result<bool, E> {
        leaf.write(&mut self.0.bytes);
        Ok(true)
    }
}

impl<'de> DeserializeSeed<'de> for Inside<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        self.leaf(&Leaf::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        self.leaf(&Leaf::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        self.leaf(&unsigned(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        self.leaf(&Leaf::Double(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        self.leaf(&Leaf::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<bool, A::Error> {
        let out = self.0;
        out.enter()?;
        let list = open(&mut out.bytes, 5);
        // A null is an element, too: it keeps the place of the others.
        while array.next_element_seed(Element(out))?.is_some() {}
        close(&mut out.bytes, list);
        out.leave();
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let out = self.0;
        out.enter()?;
        let list = open(&mut out.bytes, 6);
        while let Some(key) = map.next_key_seed(Text)? {
            map.next_value_seed(Entry { out: &mut *out, number: 1, key: &key })?;
        }
        close(&mut out.bytes, list);
        out.leave();
        Ok(true)
    }
}

/// Writes an element of an array.
struct Element<'o>(&'o mut Out);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let start = open(&mut self.0.bytes, 1);
        Inside(&mut *self.0).deserialize(from)?;
        close(&mut self.0.bytes, start);
        self.0.check()
    }
}

/// Writes one value as a `KeyValue` under field `number`, unless it is null; says whether it did.
pub(super) struct Entry<'o, 'k> {
    pub(super) out: &'o mut Out,
    pub(super) number: u32,
    pub(super) key: &'k str,
}

impl Entry<'_, '_> {
    /// `inside` writes the value.
    pub(super) fn write<E: Error>(self, inside: impl FnOnce(&mut Out) -> Result<bool, E>) -> Result<bool, E> {
        let Self { out, number, key } = self;
        let before = out.bytes.len();
        let entry = open(&mut out.bytes, number);
        put_text(&mut out.bytes, 1, key.as_bytes());
        let value = open(&mut out.bytes, 2);
        let is_there = inside(out)?;
        if is_there {
            close(&mut out.bytes, value);
            close(&mut out.bytes, entry);
        } else {
            out.bytes.truncate(before);
        }
        out.check()?;
        Ok(is_there)
    }
}

impl<'de> DeserializeSeed<'de> for Entry<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        self.write(|out| Inside(out).deserialize(from))
    }
}

/// What becomes of a value that is more than a leaf.
pub(super) trait Nested<'de> {
    fn array<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error>;
    fn object<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error>;
}

impl<'de> Nested<'de> for Entry<'_, '_> {
    fn array<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        self.write(|out| Inside(out).visit_seq(array)).map(drop)
    }

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.write(|out| Inside(out).visit_map(map)).map(drop)
    }
}

/// Hands a leaf back, and any other value on.
pub(super) struct LeafOr<N>(pub(super) N);

impl<'de, N: Nested<'de>> DeserializeSeed<'de> for LeafOr<N> {
    type Value = Option<Leaf<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, N: Nested<'de>> Visitor<'de> for LeafOr<N> {
    type Value = Option<Leaf<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Leaf::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Leaf::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Leaf::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(unsigned(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Leaf::Double(value)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Leaf::Text(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Leaf::Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<Self::Value, A::Error> {
        self.0.array(array).map(|()| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.object(map).map(|()| None)
    }
}

/// Writes a leaf as a `KeyValue` under field `number`.
pub(super) fn put_leaf(out: &mut Vec<u8>, number: u32, key: &str, leaf: &Leaf<'_>) {
    // Elasticsearch knows no null: the member is not there.
    if matches!(leaf, Leaf::Null) {
        return;
    }
    let start = open(out, number);
    put_text(out, 1, key.as_bytes());
    let value = open(out, 2);
    leaf.write(out);
    close(out, value);
    close(out, start);
}

/// What is beyond a signed integer stays exact as text.
pub(super) fn unsigned<'a>(value: u64) -> Leaf<'a> {
    i64::try_from(value).map_or_else(|_| Leaf::Text(Cow::Owned(value.to_string())), Leaf::Int)
}
