//! Reads a map of Prometheus' configuration: nothing is the same as absent,
//! every scalar is text, and nothing of the environment is put in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::units;
use crate::config::Problem;
use crate::config::yaml::{Item, Node};

/// Where problems gather, and what paths are relative to.
pub(super) struct Reader<'a> {
    pub(super) directory: &'a Path,
    pub(super) problems: Vec<Problem>,
}

/// One map.
pub(super) struct Fields<'a> {
    name: String,
    at: &'a Item,
    entries: &'a [(Item, Item)],
    known: Vec<&'static str>,
    is_open: bool,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, item: &Item, text: impl Into<String>) {
        self.problems.push(Problem { line: item.line, column: item.column, text: text.into() });
    }

    /// The map in `item`; anything else is a problem.
    pub(super) fn fields<'a>(&mut self, name: &str, item: &'a Item) -> Fields<'a> {
        let entries: &[(Item, Item)] = match &item.node {
            Node::Map(entries) => entries,
            other => {
                self.problem(item, format!("{name} must be a map, not {}", other.kind()));
                &[]
            }
        };
        Fields { name: name.to_owned(), at: item, entries, known: Vec::new(), is_open: false }
    }

    pub(super) fn text(&mut self, name: &str, item: &Item) -> Option<String> {
        match &item.node {
            Node::Text(text) => Some(text.clone()),
            Node::Null => Some(String::new()),
            other => {
                self.problem(item, format!("{name} must be text, not {}", other.kind()));
                None
            }
        }
    }
}

impl<'a> Fields<'a> {
    /// The value under `key`, `None` if it is absent or nothing.
    pub(super) fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        self.given(key).filter(|item| item.node != Node::Null)
    }

    /// The value under `key`, nothing included.
    pub(super) fn given(&mut self, key: &'static str) -> Option<&'a Item> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let found =
            self.entries.iter().find(|(name, _)| matches!(&name.node, Node::Text(text) if text == key));
        found.map(|(_, value)| value)
    }

    /// The map itself, to place problems.
    pub(super) fn at(&self) -> &'a Item {
        self.at
    }

    pub(super) fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// A problem at a key, or at the map if it is not there.
    pub(super) fn problem(&mut self, reader: &mut Reader<'_>, key: &'static str, text: &str) {
        let item = self.item(key).unwrap_or(self.at);
        let path = self.path(key);
        reader.problem(item, format!("{path}: {text}"));
    }

    pub(super) fn map(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Fields<'a>> {
        let name = self.path(key);
        self.item(key).map(|item| reader.fields(&name, item))
    }

    /// The maps of a list. Nothing is no map.
    pub(super) fn maps(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<Fields<'a>> {
        let name = format!("{}[]", self.path(key));
        self.list(reader, key).iter().map(|item| reader.fields(&name, item)).collect()
    }

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

    pub(super) fn filled(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
        self.text(reader, key).filter(|text| !text.is_empty())
    }

    /// A file, relative to that of the configuration.
    pub(super) fn file(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<PathBuf> {
        let text = self.filled(reader, key)?;
        Some(reader.directory.join(text))
    }

    pub(super) fn parsed<T>(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(reader, key)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.problem(reader, key, &why);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<bool> {
        self.parsed(reader, key, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Ok(true),
            "false" | "no" | "off" | "n" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        })
    }

    pub(super) fn number(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<u64> {
        self.parsed(reader, key, |text| {
            text.parse().map_err(|_| format!("{text:?} is no whole number from 0 on"))
        })
    }

    pub(super) fn duration(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Duration> {
        self.parsed(reader, key, units::duration)
    }

    pub(super) fn size(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<u64> {
        self.parsed(reader, key, units::size)
    }

    pub(super) fn texts(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<String> {
        let name = self.path(key);
        self.list(reader, key).iter().filter_map(|item| reader.text(&name, item)).collect()
    }

    /// A map of texts.
    pub(super) fn labels(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<(String, String)> {
        let name = self.path(key);
        let Some(fields) = self.map(reader, key) else { return Vec::new() };
        let mut labels = Vec::new();
        for (key, value) in fields.entries {
            if let (Some(key), Some(value)) = (reader.text(&name, key), reader.text(&name, value)) {
                labels.push((key, value));
            }
        }
        labels
    }

    /// Its keys and values, for maps whose keys are names.
    pub(super) fn entries(&self) -> &'a [(Item, Item)] {
        self.entries
    }

    /// Keys that are known without being read.
    pub(super) fn known(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Any other key is fine.
    pub(super) fn open(&mut self) {
        self.is_open = true;
    }

    /// Notes every key that nobody knows.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for (key, _) in self.entries {
            let text = match &key.node {
                Node::Text(text) if self.is_open || self.known.contains(&text.as_str()) => continue,
                Node::Text(text) => text.clone(),
                other => other.kind().to_owned(),
            };
            reader.problem(key, format!("unknown key {:?}", self.path(&text)));
        }
    }
}
