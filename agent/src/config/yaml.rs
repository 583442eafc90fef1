//! YAML as a tree in which everything knows its line and column. The one place
//! that knows which library reads it.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::Problem;

/// A value of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Item>),
    Map(Vec<(Item, Item)>),
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) node: Node,
    pub(super) line: u64,
    pub(super) column: u64,
    /// Where its text begins and how long it is, in bytes.
    span: Option<(usize, usize)>,
}

/// Parses a file's text; an empty file is an empty map.
pub(super) fn parse(text: &str) -> Result<Item, Problem> {
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(is_blank) {
        return Ok(Item { node: Node::Map(Vec::new()), line: 1, column: 1, span: None });
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let location = error.location();
        let text = error.without_snippet().to_string();
        let text = text.lines().next().unwrap_or_default().to_owned();
        let (line, column) = location.map_or((1, 1), |at| (at.line(), at.column()));
        Problem { line, column, text: format!("not valid YAML: {text}") }
    })
}

/// The same, but a scalar is what is written there: `1.10` is no number and `no` is not false.
pub(super) fn parse_texts(text: &str) -> Result<Item, Problem> {
    let mut root = parse(text)?;
    root.restore_texts(text);
    Ok(root)
}

impl Item {
    /// A value that stands in no file.
    pub(super) fn nowhere(node: Node) -> Self {
        Self { node, line: 0, column: 0, span: None }
    }

    fn restore_texts(&mut self, text: &str) {
        match &mut self.node {
            Node::Bool(_) | Node::Int(_) | Node::Float(_) => {
                let written = self.span.and_then(|(at, len)| text.get(at..at + len));
                if let Some(written) = written.filter(|written| !written.is_empty()) {
                    self.node = Node::Text(written.to_owned());
                }
            }
            Node::List(items) => items.iter_mut().for_each(|item| item.restore_texts(text)),
            Node::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                key.restore_texts(text);
                value.restore_texts(text);
            }),
            Node::Null | Node::Text(_) => {}
        }
    }

    /// The value under a key, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Node::Map(entries) = &self.node else { return None };
        let found = entries.iter().find(|(name, _)| matches!(&name.node, Node::Text(text) if text == key));
        found.map(|(_, value)| value)
    }

    /// Nothing, or a map without keys.
    pub(super) fn is_empty_map(&self) -> bool {
        match &self.node {
            Node::Map(entries) => entries.is_empty(),
            node => *node == Node::Null,
        }
    }

    /// The text, as it is written.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.node {
            Node::Text(text) => Some(text),
            // YAML 1.1 takes a bare `off` for false.
            Node::Bool(false) => Some("off"),
            _ => None,
        }
    }
}

impl Node {
    /// What kind of value this is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Node>::deserialize(deserializer)?;
        let at = spanned.referenced;
        let span = at.span().byte_offset().zip(at.span().byte_len());
        let span = span.map(|(at, len)| (at as usize, len as usize));
        Ok(Self { node: spanned.value, line: at.line(), column: at.column(), span })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

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
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Float(value as f64), Node::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
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
