//! A JSON object per line: its members become attributes; those that logging
//! libraries use for message, time, level and trace become the record's own fields.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use telemetry::detect::severity::word;
use telemetry::detect::{Clock, moment};
use telemetry::otlp::Any;

use crate::draft::{Attributes, Draft};

/// Deeper values are not taken apart: the line stays text.
const MAX_DEPTH: usize = 32;
/// Lines with more members stay text.
const MAX_MEMBERS: usize = 512;

/// What a member is to the record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Body,
    Time,
    Severity,
    Trace,
    Span,
    Flags,
}

/// By falling trust inside of a role.
fn role(key: &str) -> Option<(Role, usize)> {
    let place = |role, keys: &[&str]| keys.iter().position(|known| *known == key).map(|rank| (role, rank));
    match key.as_bytes().first()? {
        b'm' => place(Role::Body, &["message", "msg"]),
        b'b' => place(Role::Body, &["", "", "", "body"]),
        b'l' => place(Role::Body, &["", "", "log"]).or_else(|| {
            place(Role::Severity, &["level_name", "level", "log.level", "levelname", "lvl", "loglevel"])
        }),
        b's' => place(Role::Severity, &["severity", "", "", "", "", "", "severity_text", "severityText"])
            .or_else(|| place(Role::Span, &["span_id", "spanId", "spanID", "spanid", "span.id"])),
        b't' => place(Role::Time, &["", "timestamp", "time", "ts", "t"])
            .or_else(|| place(Role::Trace, &["trace_id", "traceId", "traceID", "traceid", "trace.id"]))
            .or_else(|| place(Role::Flags, &["trace_flags", "traceFlags"])),
        b'd' => place(Role::Time, &["", "", "", "", "", "datetime", "date"]),
        b'i' => place(Role::Time, &["", "", "", "", "", "", "", "", "", "instant"]),
        b'e' => place(Role::Time, &["", "", "", "", "", "", "", "eventTime"]),
        b'o' => place(Role::Trace, &["", "", "", "", "", "otelTraceID"])
            .or_else(|| place(Role::Span, &["", "", "", "", "", "otelSpanID"])),
        b'@' => place(Role::Time, &["@timestamp", "", "", "", "", "", "", "", "@t"])
            .or_else(|| place(Role::Severity, &["", "", "", "", "", "", "", "", "@l"]))
            .or_else(|| place(Role::Body, &["", "", "", "", "@m", "@mt"])),
        _ => None,
    }
}

/// Reads a line that is one object; `None` leaves it plain.
pub(crate) fn parse<'a>(line: &'a str, clock: &Clock<'_>) -> Option<Draft<'a>> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let mut left = MAX_MEMBERS;
    let members = match (Seed { depth: 0, left: &mut left }).deserialize(&mut reader).ok()? {
        Any::Map(members) => members,
        _ => return None,
    };
    reader.end().ok()?;
    Some(lift(line, members, clock))
}

/// Takes the members that have a role out of the attributes. What cannot be used as its name says stays one.
pub(super) fn lift<'a>(line: &'a str, mut members: Attributes<'a>, clock: &Clock<'_>) -> Draft<'a> {
    let mut draft = Draft::of_body(line);
    let mut taken = [None::<(usize, usize)>; 6];
    for (index, (key, value)) in members.iter().enumerate() {
        let Some((role, rank)) = role(key) else { continue };
        if taken[role as usize].is_none_or(|(best, _)| rank < best) && apply(&mut draft, role, value, clock) {
            taken[role as usize] = Some((rank, index));
        }
    }
    for (outer, inner, role) in NESTED {
        if taken[role as usize].is_none()
            && let Some((_, Any::Map(inside))) = members.iter_mut().find(|(key, _)| key == outer)
            && let Some(at) = inside.iter().position(|(key, _)| key == inner)
            && apply(&mut draft, role, &inside[at].1, clock)
        {
            inside.remove(at);
        }
    }
    if taken[Role::Severity as usize].is_none() {
        taken[Role::Severity as usize] = mongodb(&mut draft, &members, taken[Role::Time as usize]);
    }
    if let Some((_, index)) = taken[Role::Body as usize]
        && let Any::Str(text) = std::mem::take(&mut members[index].1)
    {
        draft.body = Any::Str(text);
    }
    let mut index = 0;
    members.retain(|_| {
        index += 1;
        !taken.iter().flatten().any(|(_, taken)| *taken == index - 1)
    });
    let is_nest = |key: &str| NESTED.iter().any(|(outer, ..)| *outer == key);
    members.retain(|(key, value)| !(is_nest(key) && matches!(value, Any::Map(inside) if inside.is_empty())));
    draft.attributes = members;
    draft
}

/// The Elastic Common Schema as objects: outer key, inner key, and what that is.
const NESTED: [(&str, &str, Role); 3] =
    [("log", "level", Role::Severity), ("trace", "id", Role::Trace), ("span", "id", Role::Span)];

/// The letter of MongoDB's lines, whose time is `{"t":{"$date":…}}`.
fn mongodb(
    draft: &mut Draft<'_>,
    members: &Attributes<'_>,
    time: Option<(usize, usize)>,
) -> Option<(usize, usize)> {
    let (key, value) = &members[time?.1];
    if key != "t" || !matches!(value, Any::Map(_)) {
        return None;
    }
    let index = members.iter().position(|(key, _)| key == "s")?;
    let letter = members[index].1.as_str()?;
    draft.severity_number = match letter {
        "F" => 21,
        "E" => 17,
        "W" => 13,
        "I" => 9,
        "D" | "D1" | "D2" | "D3" | "D4" | "D5" => 5,
        _ => return None,
    };
    draft.severity_text = Cow::Owned(letter.to_owned());
    Some((0, index))
}

/// Whether the value could be used.
fn apply(draft: &mut Draft<'_>, role: Role, value: &Any<'_>, clock: &Clock<'_>) -> bool {
    let used = match role {
        Role::Body => value.as_str().map(|_| ()),
        Role::Time => time(value, clock)
            .filter(|time_ns| clock.believes(*time_ns))
            .map(|time_ns| draft.time_ns = time_ns),
        Role::Severity => severity(value).map(|(number, text)| {
            draft.severity_number = number;
            draft.severity_text = Cow::Owned(text.to_owned());
        }),
        Role::Trace => value.as_str().and_then(hex).map(|id| draft.trace_id = Some(id)),
        Role::Span => value.as_str().and_then(hex).map(|id| draft.span_id = Some(id)),
        Role::Flags => match value {
            Any::Int(flags) => u8::try_from(*flags).ok(),
            Any::Str(text) if text.len() == 2 => u8::from_str_radix(text, 16).ok(),
            _ => None,
        }
        .map(|flags| draft.flags = u32::from(flags)),
    };
    used.is_some()
}

fn time(value: &Any<'_>, clock: &Clock<'_>) -> Option<u64> {
    match value {
        Any::Str(text) => moment(text, clock),
        Any::Int(number) => moment(&number.to_string(), clock),
        // Nanoseconds do not fit a double's digits: what is there is kept.
        Any::Double(number) => moment(&format!("{number:.6}"), clock),
        Any::Map(members) => {
            let find = |name| members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
            match (find("$date"), find("epochSecond"), find("nanoOfSecond")) {
                // MongoDB.
                (Some(date @ (Any::Str(_) | Any::Int(_))), ..) => time(date, clock),
                // log4j2.
                (None, Some(Any::Int(seconds)), Some(Any::Int(nanos @ 0..=999_999_999))) => {
                    moment(&format!("{seconds}.{nanos:09}"), clock)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn severity<'a>(value: &'a Any<'_>) -> Option<(u8, &'a str)> {
    match value {
        Any::Str(text) => word(text).map(|number| (number, &**text)),
        // bunyan and pino.
        Any::Int(number @ (10 | 20 | 30 | 40 | 50 | 60)) => Some(((*number / 10 * 4 - 3) as u8, "")),
        Any::Int(number) => monolog(*number).map(|number| (number, "")),
        _ => None,
    }
}

/// Its levels are RFC 5424's severities.
fn monolog(level: i64) -> Option<u8> {
    const LEVELS: [(i64, u8); 8] =
        [(100, 5), (200, 9), (250, 10), (300, 13), (400, 17), (500, 18), (550, 19), (600, 21)];
    LEVELS.iter().find(|(known, _)| *known == level).map(|(_, number)| *number)
}

/// An id in hexadecimal; one of zeros is none.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut id = [0; N];
    for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
        let digit = |b: u8| char::from(b).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    (id != [0; N]).then_some(id)
}

/// Reads a value with a bound on its depth and on how many members there are in all.
struct Seed<'s> {
    depth: usize,
    left: &'s mut usize,
}

impl Seed<'_> {
    fn inner<E: de::Error>(&mut self) -> Result<Seed<'_>, E> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| E::custom("too many members"))?;
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("nested too deep"));
        }
        Ok(Seed { depth: self.depth + 1, left: self.left })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Any<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Any<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Any<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Any<'de>, E> {
        Ok(Any::Empty)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Any<'de>, E> {
        Ok(Any::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Any<'de>, E> {
        Ok(Any::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Any<'de>, E> {
        // A double would lose digits of an id.
        Ok(i64::try_from(value).map_or_else(|_| Any::Str(value.to_string().into()), Any::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Any<'de>, E> {
        Ok(Any::Double(value))
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Any<'de>, E> {
        Ok(Any::Str(Cow::Borrowed(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Any<'de>, E> {
        Ok(Any::Str(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Any<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self.inner()?)? {
            values.push(value);
        }
        Ok(Any::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Any<'de>, A::Error> {
        let mut members = Vec::with_capacity(if self.depth == 0 { 12 } else { 4 });
        while let Some(key) = entries.next_key_seed(Key)? {
            members.push((key, entries.next_value_seed(self.inner()?)?));
        }
        Ok(Any::Map(members))
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}
