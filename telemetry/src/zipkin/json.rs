//! The JSON forms. Members that are not known are skipped, `null` is a missing value, a single span stands for a list
//! of one. Numbers may be written with a fraction, which is cut off: some senders divide.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::span::{Annotation, Endpoint, Id, Kind, Span};
use super::v1;
use super::write::Writer;
use super::{Report, ReportError};
use crate::json_text::{Scalar, Text, told};
use crate::room::Room;

/// Reads v2's list of spans.
pub fn decode_json(json: &[u8], max_spans: usize, room: Room<'_>) -> Result<Report, ReportError> {
    decode(json, max_spans, room, |span: Span<'_>, writer: &mut Writer<'_>| writer.take(&[span]))
}

/// Reads v1's list of spans: one of them holds both sides of a call where both have told about it.
pub fn decode_v1_json(json: &[u8], max_spans: usize, room: Room<'_>) -> Result<Report, ReportError> {
    decode(json, max_spans, room, |span: v1::Span<'_>, writer: &mut Writer<'_>| match v1::sides(&span) {
        Ok(sides) => writer.take(&sides),
        Err(fault) => writer.leave_out(&fault),
    })
}

fn decode<'de, T: Fill<'de>>(
    json: &'de [u8],
    max_spans: usize,
    room: Room<'_>,
    take: impl FnMut(T, &mut Writer<'_>) -> Result<(), ReportError>,
) -> Result<Report, ReportError> {
    let mut writer = Writer::new(max_spans, room);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // What is read nests in four levels; unknown members are skipped without recursion.
    deserializer.disable_recursion_limit();
    let each = Each { writer: &mut writer, take, of: std::marker::PhantomData };
    let read = deserializer.deserialize_any(each).and_then(|()| deserializer.end());
    match (read, writer.failed.take()) {
        (Ok(()), _) => Ok(writer.finish()),
        (Err(_), Some(error)) => Err(error),
        (Err(error), None) => {
            Err(ReportError::Malformed(format!("the body is no list of spans: {}", told(&error))))
        }
    }
}

/// What is read from an object, member by member.
pub(super) trait Fill<'de>: Default {
    /// For error messages.
    const WHAT: &'static str;

    /// Takes the value of a member.
    fn member<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
        writer: &mut Writer<'_>,
    ) -> Result<(), A::Error>;
}

/// Takes the list's spans one by one.
struct Each<'w, 'r, T, F> {
    writer: &'w mut Writer<'r>,
    take: F,
    of: std::marker::PhantomData<T>,
}

impl<'de, T, F> Visitor<'de> for Each<'_, '_, T, F>
where
    T: Fill<'de>,
    F: FnMut(T, &mut Writer<'_>) -> Result<(), ReportError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of spans")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        loop {
            let mut item = T::default();
            if seq.next_element_seed(Object { item: &mut item, writer: self.writer })?.is_none() {
                return Ok(());
            }
            kept(self.writer, |writer| (self.take)(item, writer))?;
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let mut item = T::default();
        Object { item: &mut item, writer: self.writer }.visit_map(map)?;
        kept(self.writer, |writer| (self.take)(item, writer))
    }
}

/// Passes a refusal of the whole body by the side of serde, whose errors are texts.
fn kept<E: Error>(
    writer: &mut Writer<'_>,
    step: impl FnOnce(&mut Writer<'_>) -> Result<(), ReportError>,
) -> Result<(), E> {
    step(writer).map_err(|error| {
        let text = error.to_string();
        writer.failed = Some(error);
        E::custom(text)
    })
}

/// Reads one object.
pub(super) struct Object<'o, 'r, T> {
    pub(super) item: &'o mut T,
    pub(super) writer: &'o mut Writer<'r>,
}

impl<'de, T: Fill<'de>> DeserializeSeed<'de> for Object<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, T: Fill<'de>> Visitor<'de> for Object<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Text)? {
            self.item.member(name, &mut map, self.writer)?;
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a list of objects.
pub(super) struct List<'o, 'r, T> {
    pub(super) items: &'o mut Vec<T>,
    pub(super) writer: &'o mut Writer<'r>,
}

impl<'de, T: Fill<'de>> DeserializeSeed<'de> for List<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, T: Fill<'de>> Visitor<'de> for List<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            let mut item = T::default();
            if seq.next_element_seed(Object { item: &mut item, writer: self.writer })?.is_none() {
                return Ok(());
            }
            // A vector that grows has up to twice the room, and the old one beside it.
            kept(self.writer, |writer| writer.hold(3 * size_of::<T>()))?;
            self.items.push(item);
        }
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

impl<'de> Fill<'de> for Span<'de> {
    const WHAT: &'static str = "a span as an object";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
        writer: &mut Writer<'_>,
    ) -> Result<(), A::Error> {
        match &*name {
            "traceId" => self.trace_id = Id::Text(text(map)?),
            "parentId" => self.parent_id = Id::Text(text(map)?),
            "id" => self.id = Id::Text(text(map)?),
            "kind" => self.kind = Kind::of_name(&text(map)?),
            "name" => self.name = text(map)?,
            "timestamp" => self.timestamp = map.next_value_seed(Number)?,
            "duration" => self.duration = map.next_value_seed(Number)?,
            "localEndpoint" => map.next_value_seed(Object { item: &mut self.local, writer })?,
            "remoteEndpoint" => map.next_value_seed(Object { item: &mut self.remote, writer })?,
            "annotations" => map.next_value_seed(List { items: &mut self.annotations, writer })?,
            "tags" => map.next_value_seed(Object { item: &mut self.tags, writer })?,
            "debug" => self.is_debug = map.next_value_seed(Truth)?,
            "shared" => self.is_shared = map.next_value_seed(Truth)?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl<'de> Fill<'de> for Endpoint<'de> {
    const WHAT: &'static str = "an endpoint as an object";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
        _: &mut Writer<'_>,
    ) -> Result<(), A::Error> {
        match &*name {
            "serviceName" => self.service = text(map)?,
            "ipv4" => self.ipv4 = text(map)?,
            "ipv6" => self.ipv6 = text(map)?,
            "port" => self.port = u16::try_from(map.next_value_seed(Number)?).unwrap_or(0),
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl<'de> Fill<'de> for Annotation<'de> {
    const WHAT: &'static str = "an annotation as an object";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
        _: &mut Writer<'_>,
    ) -> Result<(), A::Error> {
        match &*name {
            "timestamp" => self.timestamp = map.next_value_seed(Number)?,
            "value" => self.value = text(map)?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// Tags: numbers and truth values stay as they are written.
impl<'de> Fill<'de> for Vec<(Cow<'de, str>, Cow<'de, str>)> {
    const WHAT: &'static str = "tags as an object";

    fn member<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
        writer: &mut Writer<'_>,
    ) -> Result<(), A::Error> {
        kept(writer, |writer| writer.hold(6 * size_of::<Cow<'_, str>>()))?;
        self.push((name, map.next_value_seed(Scalar)?));
        Ok(())
    }
}

impl Kind {
    fn of_name(name: &str) -> Self {
        match name {
            "CLIENT" => Self::Client,
            "SERVER" => Self::Server,
            "PRODUCER" => Self::Producer,
            "CONSUMER" => Self::Consumer,
            _ => Self::None,
        }
    }
}

/// A text, "" for `null`.
pub(super) fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Cow<'de, str>, A::Error> {
    map.next_value_seed(MaybeText)
}

struct MaybeText;

impl<'de> DeserializeSeed<'de> for MaybeText {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MaybeText {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }
}

/// A number that is not negative: what is below 0, or no number that can be, is 0, "not given".
pub(super) struct Number;

impl<'de> DeserializeSeed<'de> for Number {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u64, D::Error> {
        from.deserialize_any(self)
    }
}

impl Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
        Ok(number as u64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Other("a text"), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<u64, E> {
        Ok(0)
    }
}

/// A truth value; `null` is false.
pub(super) struct Truth;

impl<'de> DeserializeSeed<'de> for Truth {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl Visitor<'_> for Truth {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }
}
