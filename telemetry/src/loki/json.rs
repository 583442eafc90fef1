//! The JSON form: `{"streams":[{"stream":{"app":"shop"},"values":[["<ns>","line",{"k":"v"}]]}]}`.
//!
//! Times are nanoseconds as text or number; labels and structured metadata may be
//! numbers and truth values, which stay as they are written. Unknown members are skipped.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::labels::{Labels, too_many};
use super::stream::{Entry, Writer};
use super::{Push, PushError, PushLimits};
use crate::json_text::{Scalar, Text, told};
use crate::room::Room;

/// Reads a push request in JSON.
pub fn decode_json(json: &[u8], limits: &PushLimits, room: Room<'_>) -> Result<Push, PushError> {
    let mut writer = Writer::new(limits, room);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // What is read nests in four levels; unknown members are skipped without recursion.
    deserializer.disable_recursion_limit();
    let read = Object { member: "streams", each: StreamReader { writer: &mut writer, entries: Vec::new() } }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    match (read, writer.failed.take()) {
        (Ok(()), _) => Ok(writer.finish()),
        (Err(_), Some(error)) => Err(error),
        (Err(error), None) => {
            Err(PushError::Malformed(format!("the body is no push request: {}", told(&error))))
        }
    }
}

/// Reads the array under one member of an object, element by element.
struct Object<E> {
    member: &'static str,
    each: E,
}

/// Reads one element; false at the end of the array.
trait Element<'de> {
    fn next<A: SeqAccess<'de>>(&mut self, array: &mut A) -> Result<bool, A::Error>;
}

impl<'de, E: Element<'de>> DeserializeSeed<'de> for Object<E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, E: Element<'de>> Visitor<'de> for Object<E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {:?}", self.member)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Text)? {
            if name == self.member {
                map.next_value_seed(Array(&mut self.each))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Array<'e, E>(&'e mut E);

impl<'de, E: Element<'de>> DeserializeSeed<'de> for Array<'_, E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, E: Element<'de>> Visitor<'de> for Array<'_, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while self.0.next(&mut array)? {}
        Ok(())
    }

    /// Go writes an empty list as `null`.
    fn visit_unit<F: Error>(self) -> Result<(), F> {
        Ok(())
    }
}

/// Reads streams and writes each when it is whole: its labels may stand behind its values.
struct StreamReader<'w, 'l, 'r, 'de> {
    writer: &'w mut Writer<'l, 'r>,
    entries: Vec<Entry<'de>>,
}

impl<'de> Element<'de> for StreamReader<'_, '_, '_, 'de> {
    fn next<A: SeqAccess<'de>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        Ok(array.next_element_seed(Stream(self))?.is_some())
    }
}

struct Stream<'s, 'w, 'l, 'r, 'de>(&'s mut StreamReader<'w, 'l, 'r, 'de>);

impl<'de> DeserializeSeed<'de> for Stream<'_, '_, '_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Stream<'_, '_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stream with \"stream\" and \"values\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let StreamReader { writer, entries } = self.0;
        kept(writer, |writer| writer.count_stream())?;
        entries.clear();
        let mut labels = Ok(Labels::new());
        while let Some(name) = map.next_key_seed(Text)? {
            match &*name {
                "stream" => labels = map.next_value_seed(LabelMap(writer.max_labels()))?,
                "values" => map.next_value_seed(Array(&mut Values { writer, entries }))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match labels {
            Ok(labels) => kept(writer, |writer| writer.stream(&labels, entries)),
            Err(reason) => {
                writer.reject(entries.len(), reason);
                Ok(())
            }
        }
    }
}

/// Passes a refusal of the whole push by the side of serde, whose errors are texts.
fn kept<E: Error>(
    writer: &mut Writer<'_, '_>,
    step: impl FnOnce(&mut Writer<'_, '_>) -> Result<(), PushError>,
) -> Result<(), E> {
    step(writer).map_err(|error| {
        let text = error.to_string();
        writer.failed = Some(error);
        E::custom(text)
    })
}

/// The labels of a stream, or why there are too many.
struct LabelMap(usize);

impl<'de> DeserializeSeed<'de> for LabelMap {
    type Value = Result<Labels<'de>, String>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LabelMap {
    type Value = Result<Labels<'de>, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut labels = Labels::new();
        while let Some(name) = map.next_key_seed(Text)? {
            let value = map.next_value_seed(Scalar)?;
            if labels.len() < self.0 {
                labels.push((name, value));
            } else {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Err(too_many(self.0)));
            }
        }
        Ok(Ok(labels))
    }
}

/// Reads the entries of a stream.
struct Values<'v, 'l, 'r, 'de> {
    writer: &'v mut Writer<'l, 'r>,
    entries: &'v mut Vec<Entry<'de>>,
}

impl<'de> Element<'de> for Values<'_, '_, '_, 'de> {
    fn next<A: SeqAccess<'de>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let Some(entry) = array.next_element_seed(EntryReader(self.writer))? else { return Ok(false) };
        self.entries.push(entry);
        kept(self.writer, |writer| writer.count_entry())?;
        Ok(true)
    }
}

/// `[time, line]` or `[time, line, structured metadata]`.
struct EntryReader<'v, 'l, 'r>(&'v mut Writer<'l, 'r>);

impl<'de> DeserializeSeed<'de> for EntryReader<'_, '_, '_> {
    type Value = Entry<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EntryReader<'_, '_, '_> {
    type Value = Entry<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry: [time, line] or [time, line, structured metadata]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let time = array.next_element_seed(Scalar)?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let line = array.next_element_seed(Text)?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
        let expected = "nanoseconds since 1970 as text";
        let time_ns: i64 =
            time.parse().map_err(|_| A::Error::invalid_value(Unexpected::Str(short(&time)), &expected))?;
        let metadata = array.next_element_seed(Metadata(self.0))?.unwrap_or_default();
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry { time_ns: u64::try_from(time_ns).unwrap_or(0), line, metadata })
    }
}

struct Metadata<'v, 'l, 'r>(&'v mut Writer<'l, 'r>);

impl<'de> DeserializeSeed<'de> for Metadata<'_, '_, '_> {
    type Value = Labels<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_, '_, '_> {
    type Value = Labels<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("structured metadata as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Labels::new();
        while let Some(name) = map.next_key_seed(Text)? {
            kept(self.0, |writer| writer.count_pair(pairs.len() + 1))?;
            pairs.push((name, map.next_value_seed(Scalar)?));
        }
        Ok(pairs)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Labels::new())
    }
}

fn short(text: &str) -> &str {
    let end = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
