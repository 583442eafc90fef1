//! Reads a map of the configuration key by key. What is wrong is noted and
//! reading goes on, so that a person sees every problem at once; a key that
//! nobody asked for is a problem too.

use std::time::Duration;

use super::yaml::{Item, Node};
use super::{Problem, Scalar, units};

/// Looks up a variable of the environment.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where problems gather.
pub(super) struct Reader<'a> {
    pub(super) environment: Environment<'a>,
    pub(super) problems: Vec<Problem>,
}

/// One map of the file.
pub(super) struct Section<'a> {
    name: String,
    entries: &'a [(Item, Item)],
    known: Vec<&'static str>,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, item: &Item, text: String) {
        self.problems.push(Problem { line: item.line, column: item.column, text });
    }

    /// The map in `item`; anything else is a problem and reads as an empty map.
    pub(super) fn section<'a>(&mut self, name: &str, item: &'a Item) -> Section<'a> {
        let entries: &[(Item, Item)] = match &item.node {
            Node::Map(entries) => entries,
            Node::Null => &[],
            other => {
                self.problem(item, format!("{name} must be a map, not {}", other.kind()));
                &[]
            }
        };
        Section { name: name.to_owned(), entries, known: Vec::new() }
    }

    /// Text with `${NAME}` and `${NAME:-default}` replaced; `$${` stands for `${`.
    fn expand(&mut self, item: &Item, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            if before.ends_with('$') {
                out.push('{');
                rest = &from[2..];
                continue;
            }
            let Some((inner, after)) = from[2..].split_once('}') else {
                self.problem(item, "a ${ has no }".to_owned());
                return text.to_owned();
            };
            out.push_str(&self.variable(item, inner));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn variable(&mut self, item: &Item, inner: &str) -> String {
        let (name, default) =
            inner.split_once(":-").map_or((inner, None), |(name, value)| (name, Some(value)));
        let value = (self.environment)(name).filter(|value| !value.is_empty()).or(default.map(str::to_owned));
        value.unwrap_or_else(|| {
            self.problem(item, format!("the environment variable {name} is not set"));
            String::new()
        })
    }

    fn text(&mut self, name: &str, item: &Item) -> Option<String> {
        match &item.node {
            Node::Text(text) => Some(self.expand(item, text)),
            Node::Int(number) => Some(number.to_string()),
            other => {
                self.problem(item, format!("{name} must be text, not {}", other.kind()));
                None
            }
        }
    }
}

impl<'a> Section<'a> {
    /// The value under `key`, which from now on is a known key.
    pub(super) fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let found =
            self.entries.iter().find(|(name, _)| matches!(&name.node, Node::Text(text) if text == key));
        found.map(|(_, value)| value)
    }

    /// The value under `.key`, as a fault names it.
    pub(super) fn item_of(&self, key: &str) -> Option<&'a Item> {
        let key = key.strip_prefix('.')?;
        let found =
            self.entries.iter().find(|(name, _)| matches!(&name.node, Node::Text(text) if text == key));
        found.map(|(_, value)| value)
    }

    /// The key with the sections that it stands in.
    pub(super) fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// The map under `key`; a missing one reads as an empty one.
    pub(super) fn section(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Section<'a> {
        let name = self.path(key);
        match self.item(key) {
            Some(item) => reader.section(&name, item),
            None => Section { name, entries: &[], known: Vec::new() },
        }
    }

    /// The elements under `key`.
    pub(super) fn list(&mut self, reader: &mut Reader<'_>, key: &'static str) -> &'a [Item] {
        match self.item(key) {
            None => &[],
            Some(Item { node: Node::List(items), .. }) => items,
            Some(item) => {
                reader.problem(item, format!("{} must be a list, not {}", self.path(key), item.node.kind()));
                &[]
            }
        }
    }

    pub(super) fn text(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
        let item = self.item(key)?;
        reader.text(&self.path(key), item)
    }

    /// Text that `read` turns into a value, or a problem with what `read` says.
    pub(super) fn parsed<T>(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let item = self.item(key)?;
        let text = reader.text(&self.path(key), item)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                reader.problem(item, format!("{}: {why}", self.path(key)));
                None
            }
        }
    }

    pub(super) fn flag(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<bool> {
        let item = self.item(key)?;
        if let Node::Bool(value) = item.node {
            return Some(value);
        }
        reader.problem(item, format!("{} must be true or false, not {}", self.path(key), item.node.kind()));
        None
    }

    /// A number between two others, both included.
    pub(super) fn number(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        from: f64,
        to: f64,
    ) -> Option<f64> {
        let item = self.item(key)?;
        let number = match &item.node {
            Node::Int(number) => Some(*number as f64),
            Node::Float(number) => Some(*number),
            _ => None,
        };
        let number = number.filter(|number| (from..=to).contains(number));
        if number.is_none() {
            reader.problem(item, format!("{} must be a number from {from} to {to}", self.path(key)));
        }
        number
    }

    pub(super) fn size(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<u64> {
        self.parsed(reader, key, units::size)
    }

    pub(super) fn duration(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Duration> {
        self.parsed(reader, key, units::duration)
    }

    /// A list of texts; a lone text is a list of one.
    pub(super) fn texts(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<String> {
        let name = self.path(key);
        match self.item(key) {
            None => Vec::new(),
            Some(Item { node: Node::List(items), .. }) => {
                items.iter().filter_map(|item| reader.text(&name, item)).collect()
            }
            Some(item) => reader.text(&name, item).into_iter().collect(),
        }
    }

    /// A map of names to plain values.
    pub(super) fn scalars(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<(String, Scalar)> {
        let name = self.path(key);
        let Some(item) = self.item(key) else { return Vec::new() };
        let section = reader.section(&name, item);
        let mut scalars = Vec::new();
        for (key, value) in section.entries {
            let Some(key) = reader.text(&name, key) else { continue };
            let scalar = match &value.node {
                Node::Bool(bit) => Scalar::Bool(*bit),
                Node::Int(number) => Scalar::Int(*number),
                Node::Float(number) => Scalar::Double(*number),
                Node::Text(text) => Scalar::Text(reader.expand(value, text)),
                other => {
                    reader
                        .problem(value, format!("{name}.{key} must be a plain value, not {}", other.kind()));
                    continue;
                }
            };
            scalars.push((key, scalar));
        }
        scalars
    }

    /// Notes every key that was not asked for.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for (key, _) in self.entries {
            let text = match &key.node {
                Node::Text(text) if self.known.contains(&text.as_str()) => continue,
                Node::Text(text) => text.clone(),
                other => other.kind().to_owned(),
            };
            let known = self.known.join(", ");
            reader.problem(key, format!("unknown key {:?}; known here: {known}", self.path(&text)));
        }
    }
}
