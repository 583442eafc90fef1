//! What is taken out of a span: secrets in its name, its status' message, its attributes, and in those of its events
//! and links. Ids, times and numbers of other fields stay, and so does what is not known here.

use std::borrow::Cow;

use telemetry::KeyValues;
use telemetry::otlp::{Event, Link, Span};

use super::fields::{fields, put};

/// Takes secrets out.
pub(super) trait Redact {
    /// A message whose attributes stand in field `number`.
    fn attributes<'a>(&self, raw: &'a [u8], number: u64, attributes: KeyValues<'a>) -> Cow<'a, [u8]>;

    /// A text; `None` when there is nothing to take out.
    fn text(&self, text: &str) -> Option<String>;
}

/// The `Span` message without secrets.
pub(super) fn redact<'a>(raw: &'a [u8], redact: &impl Redact) -> Cow<'a, [u8]> {
    let raw = redact.attributes(raw, 9, Span::of_valid(raw).attributes());
    map_fields(raw, &|number, content| match number {
        5 => text(content, redact),
        11 => changed(event(content, redact)),
        13 => changed(redact.attributes(content, 4, Link::of_valid(content).attributes())),
        15 => changed(texts(Cow::Borrowed(content), redact)),
        _ => None,
    })
}

fn event<'a>(raw: &'a [u8], redact: &impl Redact) -> Cow<'a, [u8]> {
    texts(redact.attributes(raw, 3, Event::of_valid(raw).attributes()), redact)
}

/// An event's name and a status' message both stand in field 2.
fn texts<'a>(raw: Cow<'a, [u8]>, redact: &impl Redact) -> Cow<'a, [u8]> {
    map_fields(raw, &|number, content| if number == 2 { text(content, redact) } else { None })
}

fn text(content: &[u8], redact: &impl Redact) -> Option<Vec<u8>> {
    redact.text(std::str::from_utf8(content).ok()?).map(String::into_bytes)
}

fn changed(raw: Cow<'_, [u8]>) -> Option<Vec<u8>> {
    match raw {
        Cow::Owned(raw) => Some(raw),
        Cow::Borrowed(_) => None,
    }
}

/// Of a field's number and content: another content, where it has one.
type Map<'m> = dyn Fn(u64, &[u8]) -> Option<Vec<u8>> + 'm;

/// The message with the contents that `map` gives for some of its fields, whose numbers are below 16.
fn map_fields<'a>(raw: Cow<'a, [u8]>, map: &Map<'_>) -> Cow<'a, [u8]> {
    let (mut out, mut is_changed) = (Vec::new(), false);
    for field in fields(&raw) {
        match map(field.number, field.content) {
            Some(content) => {
                put(&mut out, field.number as u8, &content);
                is_changed = true;
            }
            None => out.extend_from_slice(field.whole),
        }
    }
    if is_changed { Cow::Owned(out) } else { raw }
}
