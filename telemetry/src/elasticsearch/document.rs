//! One document to one record and its resource.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::roles::{self, Filled, Role, Slot};
use super::value::{Entry, Leaf, LeafOr, Nested, Out, put_leaf};
use super::{BulkLimits, Fault};
use crate::json_text::{Text, told};
use crate::otlp::wire::{close, open, put_bytes, put_fixed64, put_text, put_text_entry, put_uint};
use crate::{detect, ids};

/// The field of a record's attributes.
const ATTRIBUTES: u32 = 6;

/// Where documents are turned into records, one after the other; its buffers are used again.
#[derive(Debug, Default)]
pub(super) struct Press {
    out: Out,
    resource: Vec<u8>,
}

/// A record and its resource, as OTLP messages.
#[derive(Debug)]
pub(super) struct Pressed<'p> {
    pub(super) resource: &'p [u8],
    pub(super) record: &'p [u8],
}

impl Press {
    /// Reads a document of `index`.
    pub(super) fn document(
        &mut self,
        json: &[u8],
        index: &str,
        id: Option<&str>,
        limits: &BulkLimits,
    ) -> Result<Pressed<'_>, Fault> {
        self.out.clear(limits.max_record_bytes);
        let mut document = Document {
            out: &mut self.out,
            slots: Default::default(),
            spare: Vec::new(),
            attributes: 0,
            max: limits.max_attributes,
        };
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        // The depth of what is written is capped; nothing is skipped.
        deserializer.disable_recursion_limit();
        let read = deserializer.deserialize_map(Members(&mut document));
        read.and_then(|()| deserializer.end()).map_err(|error| Fault {
            kind: "document_parsing_exception",
            reason: format!("cannot take the document: {}", told(&error)),
        })?;
        self.resource.clear();
        document.finish(&mut self.resource, index, id);
        let bytes = self.out.bytes.len() + self.resource.len();
        if bytes > limits.max_record_bytes {
            let max = limits.max_record_bytes;
            let reason = format!("the record has {bytes} bytes with its resource, the limit is {max}");
            return Err(Fault { kind: "illegal_argument_exception", reason });
        }
        Ok(Pressed { resource: &self.resource, record: &self.out.bytes })
    }
}

struct Document<'d, 'o> {
    out: &'o mut Out,
    slots: [Option<Filled<'d>>; Slot::COUNT],
    /// What had a role until a better one came.
    spare: Vec<Filled<'d>>,
    attributes: usize,
    max: usize,
}

impl<'d> Document<'d, '_> {
    /// Gives a member its role; hands it back when it is none for it, or a better one has it.
    fn take(&mut self, slot: Slot, filled: Filled<'d>) -> Option<Filled<'d>> {
        let place = &mut self.slots[slot as usize];
        let is_taken = place.as_ref().is_some_and(|better| better.rank <= filled.rank);
        if is_taken || !roles::fits(slot, filled.rank, &filled.leaf) {
            return Some(filled);
        }
        self.spare.extend(place.replace(filled));
        None
    }

    /// The same; what is handed back becomes an attribute.
    fn take_or_keep<E: Error>(&mut self, slot: Slot, filled: Filled<'d>) -> Result<(), E> {
        match self.take(slot, filled) {
            Some(unused) if !unused.is_written => self.attribute(&unused.key, &unused.leaf),
            _ => Ok(()),
        }
    }

    fn attribute<E: Error>(&mut self, key: &str, leaf: &Leaf<'_>) -> Result<(), E> {
        self.count()?;
        put_leaf(&mut self.out.bytes, ATTRIBUTES, key, leaf);
        self.out.check()
    }

    fn count<E: Error>(&mut self) -> Result<(), E> {
        self.attributes += 1;
        let max = self.max;
        if self.attributes > max {
            return Err(E::custom(format_args!("the document has more than {max} members")));
        }
        Ok(())
    }

    /// Writes what is not an attribute, and what is both.
    fn finish(self, resource: &mut Vec<u8>, index: &str, id: Option<&str>) {
        let out = &mut self.out.bytes;
        put_text_entry(resource, 1, "elasticsearch.index", index);
        let staying = self.slots.iter().flatten().filter(|filled| filled.stays);
        for filled in staying.chain(&self.spare).filter(|filled| !filled.is_written) {
            put_leaf(out, ATTRIBUTES, &filled.key, &filled.leaf);
        }
        if let Some(id) = id {
            put_text_entry(out, ATTRIBUTES, "elasticsearch.id", id);
        }
        let leaf = |slot: Slot| self.slots[slot as usize].as_ref().map(|filled| &filled.leaf);
        let text = |slot: Slot| leaf(slot).map(Leaf::to_text);
        for (key, slot) in [("service.name", Slot::Service), ("host.name", Slot::Host)] {
            if let Some(name) = text(slot) {
                put_text_entry(resource, 1, key, &name);
            }
        }
        let time = self.slots[Slot::Time as usize].as_ref();
        put_fixed64(out, 1, time.and_then(|filled| roles::time_ns(filled.rank, &filled.leaf)).unwrap_or(0));
        let body = text(Slot::Body);
        let own = leaf(Slot::Level).and_then(roles::level);
        if let Some((number, word)) = own.or_else(|| detect::level(body.as_deref()?)) {
            put_uint(out, 2, u64::from(number));
            put_text(out, 3, word.as_bytes());
        }
        if let Some(body) = &body {
            let value = open(out, 5);
            put_bytes(out, 1, body.as_bytes());
            close(out, value);
        }
        if let Some(id) = text(Slot::Trace).and_then(|text| ids::parse::<16>(&text)) {
            put_bytes(out, 9, &id);
        }
        if let Some(id) = text(Slot::Span).and_then(|text| ids::parse::<8>(&text)) {
            put_bytes(out, 10, &id);
        }
    }
}

/// The document itself.
struct Members<'m, 'd, 'o>(&'m mut Document<'d, 'o>);

impl<'de> Visitor<'de> for Members<'_, 'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let document = self.0;
        while let Some(key) = map.next_key_seed(Text)? {
            let role = roles::role("", &key);
            if role.is_none() && !roles::is_group(&key) {
                document.count()?;
                map.next_value_seed(Entry { out: &mut *document.out, number: ATTRIBUTES, key: &key })?;
                continue;
            }
            let member = LeafOr(Member { document: &mut *document, key: &key });
            let Some(leaf) = map.next_value_seed(member)? else { continue };
            match role {
                Some(Role { slot, rank, stays }) => {
                    document.take_or_keep(slot, Filled { rank, stays, is_written: false, key, leaf })?;
                }
                None => document.attribute(&key, &leaf)?,
            }
        }
        Ok(())
    }
}

/// A member of the document whose value is more than a leaf, and may have members with a role.
struct Member<'m, 'd, 'o, 'k> {
    document: &'m mut Document<'d, 'o>,
    key: &'k str,
}

impl<'de> Nested<'de> for Member<'_, 'de, '_, '_> {
    fn array<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        let Self { document, key } = self;
        document.count()?;
        Entry { out: &mut *document.out, number: ATTRIBUTES, key }.array(array)
    }

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Self { document, key } = self;
        document.count()?;
        if !roles::is_group(key) {
            return Entry { out: &mut *document.out, number: ATTRIBUTES, key }.object(map);
        }
        let mut taken = Vec::new();
        Entry { out: &mut *document.out, number: ATTRIBUTES, key }
            .write(|out| members_of_group(out, key, map, &mut taken))?;
        // Among the attributes of the document, and not inside of this one, is where they go when they are not used.
        for (Role { slot, rank, stays }, name, leaf) in taken {
            let key = Cow::Owned(format!("{key}.{name}"));
            document.take_or_keep(slot, Filled { rank, stays, is_written: stays, key, leaf })?;
        }
        Ok(())
    }
}

/// Writes `log`, `service` and the like without the members that have a role; says whether there is any.
fn members_of_group<'de, A: MapAccess<'de>>(
    out: &mut Out,
    group: &str,
    mut map: A,
    taken: &mut Vec<(Role, Cow<'de, str>, Leaf<'de>)>,
) -> Result<bool, A::Error> {
    out.enter()?;
    let list = open(&mut out.bytes, 6);
    let start = out.bytes.len();
    while let Some(name) = map.next_key_seed(Text)? {
        let entry = Entry { out: &mut *out, number: 1, key: &name };
        let Some(role) = roles::role(group, &name) else {
            map.next_value_seed(entry)?;
            continue;
        };
        let Some(leaf) = map.next_value_seed(LeafOr(entry))? else { continue };
        let fits = roles::fits(role.slot, role.rank, &leaf);
        if role.stays || !fits {
            put_leaf(&mut out.bytes, 1, &name, &leaf);
        }
        if fits && taken.len() < Slot::COUNT {
            taken.push((role, name, leaf));
        }
    }
    let is_there = out.bytes.len() > start || taken.is_empty();
    close(&mut out.bytes, list);
    out.leave();
    Ok(is_there)
}
