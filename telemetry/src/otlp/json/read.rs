//! Messages and lists: serde visitors that are led by a schema and write as they read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::scalar::Scalar;
use super::schema::{Kind, Member, Schema};
use super::write::{Step, Writer};
use crate::otlp::MAX_DEPTH;

/// Reads one message; into field `number` of what is being written, or as the whole.
pub(super) struct Message<'w> {
    writer: &'w mut Writer,
    schema: &'static Schema,
    number: Option<u32>,
    /// In a list `null` cannot mean "missing".
    in_list: bool,
}

/// Reads a list of messages.
struct List<'w> {
    writer: &'w mut Writer,
    schema: &'static Schema,
    number: u32,
}

/// Reads a list of numbers.
struct Packed<'w> {
    writer: &'w mut Writer,
    kind: Kind,
    number: u32,
}

/// Finds a member by its JSON name; `None` when it is unknown.
struct Name(&'static Schema);

impl<'w> Message<'w> {
    pub(super) fn top(writer: &'w mut Writer, schema: &'static Schema) -> Self {
        Self { writer, schema, number: None, in_list: false }
    }

    /// Reads the message.
    pub(super) fn read<'de, D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }

    fn members<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name(self.schema))? {
            let Some(member) = name else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.writer.steps.push(Step::Member(member.name));
            map.next_value_seed(Value { writer: self.writer, member })?;
            self.writer.steps.pop();
        }
        Ok(())
    }

    fn values<'de, A: MapAccess<'de>>(&mut self, map: A) -> Result<(), A::Error> {
        if !self.writer.enter_value() {
            return Err(A::Error::custom(format_args!("values are nested deeper than {MAX_DEPTH} levels")));
        }
        self.members(map)?;
        self.writer.leave_value();
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.read(from)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let start = self.number.map(|number| self.writer.open(number));
        if self.schema.is_value {
            self.values(map)?;
        } else {
            self.members(map)?;
        }
        if let Some(start) = start {
            self.writer.close(start);
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.number {
            Some(number) if self.in_list && self.schema.is_value => {
                let start = self.writer.open(number);
                self.writer.close(start);
                Ok(())
            }
            Some(_) if !self.in_list => Ok(()),
            _ => Err(E::invalid_type(serde::de::Unexpected::Unit, &self)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { writer, schema, number } = self;
        for index in 0.. {
            writer.steps.push(Step::Index(index));
            let element = Message { writer: &mut *writer, schema, number: Some(number), in_list: true };
            let was_there = seq.next_element_seed(element)?.is_some();
            writer.steps.pop();
            if !was_there {
                break;
            }
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

impl<'de> Visitor<'de> for Packed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { writer, kind, number } = self;
        let start = writer.open(number);
        for index in 0.. {
            writer.steps.push(Step::Index(index));
            let was_there = seq.next_element_seed(Element { writer: &mut *writer, kind })?.is_some();
            writer.steps.pop();
            if !was_there {
                break;
            }
        }
        writer.close_packed(start);
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// One number of a packed list: without a tag.
struct Element<'w> {
    writer: &'w mut Writer,
    kind: Kind,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let Self { writer, kind } = self;
        let before = writer.out.len();
        from.deserialize_any(Scalar { writer, kind, number: Writer::UNTAGGED, is_set: true })?;
        if writer.out.len() == before {
            return Err(D::Error::custom("null is no number"));
        }
        Ok(())
    }
}

/// Reads a member's value by its kind.
struct Value<'w> {
    writer: &'w mut Writer,
    member: &'static Member,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let Self { writer, member } = self;
        let Member { number, is_set, .. } = *member;
        match member.kind {
            Kind::One(schema) => {
                Message { writer, schema, number: Some(number), in_list: false }.deserialize(from)
            }
            Kind::Many(schema) => List { writer, schema, number }.deserialize(from),
            Kind::Packed(kind) => from.deserialize_any(Packed { writer, kind: *kind, number }),
            kind => from.deserialize_any(Scalar { writer, kind, number, is_set }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Member>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.members.iter().find(|member| member.name == name))
    }
}
