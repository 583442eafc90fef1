//! Reads a map of Alertmanager's configuration: nothing is the same as absent, every scalar is text, a key that
//! nobody knows is a fault, and all faults are told at once.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::secret::Secret;
use super::units;
use crate::labels::LabelSet;
use crate::yaml::tree::{Item, Node};
use crate::yaml::{Fault, Place};

/// Where faults gather, and what paths are relative to.
pub(super) struct Reader<'a> {
    directory: &'a Path,
    faults: RefCell<Vec<Fault>>,
    notes: RefCell<Vec<Fault>>,
}

/// One map.
pub(super) struct Fields<'a> {
    reader: &'a Reader<'a>,
    name: String,
    at: Option<&'a Item>,
    entries: &'a [(Item, Item)],
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(directory: &'a Path) -> Self {
        Self { directory, faults: RefCell::default(), notes: RefCell::default() }
    }

    pub(super) fn directory(&self) -> &'a Path {
        self.directory
    }

    pub(super) fn fault(&self, place: Option<Place>, message: impl Into<String>) {
        self.faults.borrow_mut().push(Fault { place, message: message.into() });
    }

    /// What is right, but has no effect here.
    pub(super) fn note(&self, place: Option<Place>, message: impl Into<String>) {
        self.notes.borrow_mut().push(Fault { place, message: message.into() });
    }

    /// All faults, then all notes, each in the order of the file.
    pub(super) fn finish(self) -> (Vec<Fault>, Vec<Fault>) {
        let sorted = |mut faults: Vec<Fault>| {
            faults.sort_by_key(|fault| fault.place.map(|place| (place.line, place.column)));
            faults
        };
        (sorted(self.faults.into_inner()), sorted(self.notes.into_inner()))
    }

    /// The map in `item`; nothing is an empty one, anything else is a fault.
    pub(super) fn fields(&'a self, name: &str, item: Option<&'a Item>) -> Fields<'a> {
        let entries: &[(Item, Item)] = match item.map(|item| &item.node) {
            Some(Node::Map(entries)) => entries,
            None | Some(Node::Null) => &[],
            Some(_) => {
                let (place, kind) = item.map_or((None, ""), |item| (item.place, item.kind()));
                self.fault(place, format!("{name} must be a map, not {kind}"));
                &[]
            }
        };
        Fields { reader: self, name: name.to_owned(), at: item, entries, known: Vec::new() }
    }

    fn text(&self, name: &str, item: &Item) -> Option<String> {
        match &item.node {
            Node::Scalar(text, _) => Some(text.clone()),
            Node::Null => Some(String::new()),
            _ => {
                self.fault(item.place, format!("{name} must be text, not {}", item.kind()));
                None
            }
        }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn reader(&self) -> &'a Reader<'a> {
        self.reader
    }

    /// The value under `key`, `None` if it is absent or nothing.
    pub(super) fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        self.given(key).filter(|item| !item.is_null())
    }

    /// The value under `key`, nothing included.
    pub(super) fn given(&mut self, key: &'static str) -> Option<&'a Item> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// Whether there is something under `key` that is not empty.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.item(key).is_some_and(|item| item.text() != Some(""))
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.at.and_then(|item| item.place)
    }

    pub(super) fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// A fault of the map as a whole.
    pub(super) fn fault(&self, text: &str) {
        let name = if self.name.is_empty() { String::new() } else { format!("{}: ", self.name) };
        self.reader.fault(self.place(), format!("{name}{text}"));
    }

    /// A fault at a key, or at the map if it is not there.
    pub(super) fn fault_at(&mut self, key: &'static str, text: &str) {
        let place = self.given(key).map_or(self.place(), |item| item.place);
        self.reader.fault(place, format!("{}: {text}", self.path(key)));
    }

    pub(super) fn map(&mut self, key: &'static str) -> Option<Fields<'a>> {
        let name = self.path(key);
        self.item(key).map(|item| self.reader.fields(&name, Some(item)))
    }

    /// The maps of a list; an element that is nothing is an empty map.
    pub(super) fn maps(&mut self, key: &'static str) -> Vec<Fields<'a>> {
        let name = self.path(key);
        let items = self.list(key).iter().enumerate();
        items.map(|(at, item)| self.reader.fields(&format!("{name}[{at}]"), Some(item))).collect()
    }

    pub(super) fn list(&mut self, key: &'static str) -> &'a [Item] {
        match self.item(key) {
            None => &[],
            Some(Item { node: Node::List(items), .. }) => items,
            Some(item) => {
                let text = format!("{} must be a list, not {}", self.path(key), item.kind());
                self.reader.fault(item.place, text);
                &[]
            }
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let item = self.item(key)?;
        self.reader.text(&self.path(key), item)
    }

    pub(super) fn filled(&mut self, key: &'static str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    /// A text of templates, which may be left out for a default.
    pub(super) fn text_or(&mut self, key: &'static str, default: &str) -> String {
        self.text(key).unwrap_or_else(|| default.to_owned())
    }

    /// A file, relative to that of the configuration.
    pub(super) fn file(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.filled(key)?;
        Some(self.reader.directory.join(text))
    }

    /// Text that is not shown again.
    pub(super) fn hidden(&mut self, key: &'static str) -> Option<String> {
        if let Some(item) = self.item(key) {
            item.is_secret.set(true);
        }
        self.filled(key)
    }

    /// A value, or a file that has it; not both.
    pub(super) fn secret(&mut self, key: &'static str, file_key: &'static str) -> Option<Secret> {
        let text = self.hidden(key);
        let file = self.file(file_key);
        if text.is_some() && file.is_some() {
            self.fault_at(file_key, &format!("at most one of {key} and {file_key} may be given"));
        }
        text.map(Secret::Text).or(file.map(Secret::File))
    }

    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.fault_at(key, &why);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.parsed(key, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Ok(true),
            "false" | "no" | "off" | "n" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        })
    }

    pub(super) fn number(&mut self, key: &'static str) -> Option<u64> {
        self.parsed(key, |text| text.parse().map_err(|_| format!("{text:?} is no whole number from 0 on")))
    }

    /// As Prometheus writes them: `1h30m`.
    pub(super) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        self.parsed(key, units::duration)
    }

    /// As Go writes them: `1.5h`, or a number of nanoseconds.
    pub(super) fn go_duration(&mut self, key: &'static str) -> Option<Duration> {
        self.parsed(key, units::go_duration)
    }

    /// `http` or `https`, with a host.
    pub(super) fn url(&mut self, key: &'static str) -> Option<Url> {
        self.parsed(key, parse_url)
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let name = self.path(key);
        self.list(key).iter().filter_map(|item| self.reader.text(&name, item)).collect()
    }

    /// A map of texts.
    pub(super) fn labels(&mut self, key: &'static str) -> LabelSet {
        let name = self.path(key);
        let Some(fields) = self.map(key) else { return LabelSet::new() };
        let text = |item| self.reader.text(&name, item);
        fields.entries.iter().filter_map(|(key, value)| Some((text(key)?, text(value)?))).collect()
    }

    /// Its keys and values, for maps whose keys are names.
    pub(super) fn entries(&self) -> &'a [(Item, Item)] {
        self.entries
    }

    /// Keys that are known without being read.
    pub(super) fn known(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Notes every key that nobody knows.
    pub(super) fn finish(self) {
        for (key, _) in self.entries {
            if !key.text().is_some_and(|text| self.known.contains(&text)) {
                let name = self.path(key.text().unwrap_or(key.kind()));
                self.reader.fault(key.place, format!("unknown key {name:?}"));
            }
        }
    }
}

/// What Alertmanager takes for a URL to send to.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    // The text may be a secret, so it is not repeated.
    let url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
    match url.scheme() {
        "http" | "https" if url.host_str().is_some_and(|host| !host.is_empty()) => Ok(url),
        "http" | "https" => Err("the URL has no host".to_owned()),
        scheme => Err(format!("a URL begins with http:// or https://, not {scheme}:")),
    }
}
