//! YAML as a tree in which everything knows its place and scalars keep the text that is written: `1.10` is no
//! number where text is wanted, and `no` is not false.

use std::cell::Cell;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::{Fault, Place, place, without_place};

/// A value of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    /// As it is written, and what YAML takes it for.
    Scalar(String, Json),
    List(Vec<Item>),
    Map(Vec<(Item, Item)>),
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) node: Node,
    pub(crate) place: Option<Place>,
    /// Whether it must not be shown again.
    pub(crate) is_secret: Cell<bool>,
    /// Where its text begins and how long it is, in bytes.
    span: Option<(usize, usize)>,
}

/// Parses a file's text; an empty file is nothing.
pub(crate) fn parse(text: &str) -> Result<Item, Fault> {
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(is_blank) {
        return Ok(Item::nowhere(Node::Null));
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let mut root: Item = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = format!("not valid YAML: {}", without_place(&error.to_string()));
        Fault { place: error.location().and_then(place), message }
    })?;
    root.restore_texts(text);
    Ok(root)
}

impl Item {
    fn nowhere(node: Node) -> Self {
        Self { node, place: None, is_secret: Cell::new(false), span: None }
    }

    /// Scalars that YAML takes for numbers or truth values get the text that stands there.
    fn restore_texts(&mut self, text: &str) {
        match &mut self.node {
            Node::Scalar(written, value) if !value.is_string() => {
                let found = self.span.and_then(|(at, len)| text.get(at..at + len));
                if let Some(found) = found.map(str::trim).filter(|found| !found.is_empty()) {
                    found.clone_into(written);
                }
            }
            Node::List(items) => items.iter_mut().for_each(|item| item.restore_texts(text)),
            Node::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                key.restore_texts(text);
                value.restore_texts(text);
            }),
            Node::Null | Node::Scalar(..) => {}
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.node {
            Node::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.node == Node::Null
    }

    /// The same as JSON; with `texts`, scalars as they are written.
    pub(crate) fn to_json(&self, texts: bool) -> Json {
        match &self.node {
            Node::Null => Json::Null,
            Node::Scalar(text, _) if texts => Json::String(text.clone()),
            Node::Scalar(_, value) => value.clone(),
            Node::List(items) => items.iter().map(|item| item.to_json(texts)).collect(),
            Node::Map(entries) => {
                let key = |key: &Self| key.text().unwrap_or_default().to_owned();
                Json::Object(entries.iter().map(|(name, value)| (key(name), value.to_json(texts))).collect())
            }
        }
    }

    /// The same as YAML again, without comments, and with `<secret>` for what is one.
    pub(crate) fn shown(&self) -> String {
        let mut out = String::new();
        self.show(&mut out, 0, false);
        out
    }

    fn show(&self, out: &mut String, depth: usize, in_list: bool) {
        match &self.node {
            _ if self.is_secret.get() && !self.is_null() => out.push_str("<secret>\n"),
            Node::Null => out.push_str("null\n"),
            Node::Scalar(_, value) => out.push_str(&format!("{value}\n")),
            Node::List(items) if items.is_empty() => out.push_str("[]\n"),
            Node::Map(entries) if entries.is_empty() => out.push_str("{}\n"),
            Node::List(items) => {
                break_line(out);
                for item in items {
                    out.push_str(&format!("{}- ", "  ".repeat(depth)));
                    item.show(out, depth + 1, true);
                }
            }
            Node::Map(entries) => {
                if !in_list {
                    break_line(out);
                }
                for (at, (key, value)) in entries.iter().enumerate() {
                    let indent = if in_list && at == 0 { 0 } else { depth };
                    out.push_str(&"  ".repeat(indent));
                    out.push_str(&format!("{}: ", shown_key(key.text().unwrap_or_default())));
                    value.show(out, depth + 1, false);
                }
            }
        }
    }

    /// What kind of value this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.node {
            Node::Null => "nothing",
            Node::Scalar(_, Json::Bool(_)) => "true or false",
            Node::Scalar(_, Json::Number(_)) => "a number",
            Node::Scalar(..) => "text",
            Node::List(_) => "a list",
            Node::Map(_) => "a map",
        }
    }
}

/// What follows a key stands on lines of its own.
fn break_line(out: &mut String) {
    if out.ends_with(' ') {
        out.pop();
    }
    if !out.is_empty() {
        out.push('\n');
    }
}

fn shown_key(key: &str) -> String {
    let is_plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_word = key.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let is_truth = matches!(key, "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null");
    if is_plain && is_word && !is_truth { key.to_owned() } else { Json::from(key).to_string() }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<Node>::deserialize(deserializer)?;
        // An alias is told where it stands, and read where it was defined.
        let span = spanned.defined.span();
        let span = span.byte_offset().zip(span.byte_len()).map(|(at, len)| (at as usize, len as usize));
        let place = place(spanned.referenced);
        Ok(Self { node: spanned.value, place, is_secret: Cell::new(false), span })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

fn scalar<E>(value: impl Into<Json>) -> Result<Node, E> {
    let value = value.into();
    Ok(Node::Scalar(value.to_string(), value))
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        scalar(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        scalar(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        scalar(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        scalar(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned(), Json::String(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn scalars_are_what_is_written() {
        let item = parse("a: 1.10\nb: no\nc: &x 007\nd: *x\ne: 'q'\n").unwrap();
        let texts = item.to_json(true);
        assert_eq!(texts, serde_json::json!({"a": "1.10", "b": "no", "c": "007", "d": "007", "e": "q"}));
    }

    #[test]
    fn what_is_shown_reads_the_same_but_for_secrets() {
        let text = "# nothing of this\na:\n- b: [1, 'x: y']\n  c: {}\n- - deep\n  - 'line\n\n    two'\n'on': ~\nd: \"\"\nkey: hunter2\n";
        let item = parse(text).unwrap();
        assert_eq!(parse(&item.shown()).unwrap().to_json(false), item.to_json(false), "{}", item.shown());
        let Node::Map(entries) = &item.node else { panic!("{item:?}") };
        entries.last().unwrap().1.is_secret.set(true);
        assert!(item.shown().ends_with("key: <secret>\n") && !item.shown().contains("nothing of this"));
    }

    #[test]
    fn broken_text_has_a_place() {
        let fault = parse("a: 1\nb: [1\nc: 2\n").unwrap_err();
        assert!(fault.place.is_some() && fault.message.starts_with("not valid YAML: "), "{fault:?}");
        let fault = parse("a: 1\na: 2\n").unwrap_err();
        assert_eq!(fault.place.unwrap().line, 2, "a key is given once: {fault:?}");
        assert!(parse("# only words\n\n").unwrap().is_null());
    }
}
