//! Templates of messages: those of this program, those of the user's files, and what they make of a message.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Message;
use super::data;
use super::functions::{self, MessageFunctions};
use crate::config::{AmConfig, MAX_FILE_BYTES};
use crate::glob;
use crate::template::{TemplateError, Templates, Value};
use crate::yaml::Fault;

/// What every message can use, by name.
const SHIPPED: [(&str, &str); 4] = [
    ("default.tmpl", include_str!("default.tmpl")),
    ("email.tmpl", include_str!("email.tmpl")),
    ("chat.tmpl", include_str!("chat.tmpl")),
    ("other.tmpl", include_str!("other.tmpl")),
];

/// The named templates, and where links lead.
#[derive(Clone, Debug)]
pub struct Texts {
    templates: Templates,
    external_url: String,
}

/// A file of templates that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFile {
    /// Which one.
    pub path: String,
    /// From 1; 0 where there is no place.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}:{}: {}", self.path, self.column, self.message),
        }
    }
}

impl Texts {
    /// Those of this program alone; `external_url` is where people open the UI.
    pub fn shipped(external_url: &str) -> Self {
        let mut templates = Templates::new().with_functions(functions::NAMES);
        for (name, text) in SHIPPED {
            templates.add(name, text).expect("a template of this crate is one");
        }
        Self { templates, external_url: external_url.trim_end_matches('/').to_owned() }
    }

    /// Those, and over them the files that a configuration names. Blocking. A pattern that no file matches is fine.
    pub fn load(config: &AmConfig, external_url: &str) -> Result<Self, Vec<BadFile>> {
        let mut texts = Self::shipped(external_url);
        let mut bad = Vec::new();
        for pattern in &config.templates {
            let unplaced = |path: &Path, message: String| BadFile {
                path: path.display().to_string(),
                line: 0,
                column: 0,
                message,
            };
            let files = match glob::expand(pattern) {
                Ok(files) => files,
                Err(error) => {
                    bad.push(unplaced(pattern, format!("cannot look for files: {error}")));
                    continue;
                }
            };
            for path in files {
                let read = match read(&path) {
                    Ok(text) => texts.add(&path, &text).map_err(|error| BadFile {
                        path: path.display().to_string(),
                        line: error.line,
                        column: error.column,
                        message: error.message,
                    }),
                    Err(why) => Err(unplaced(&path, why)),
                };
                bad.extend(read.err());
            }
        }
        if bad.is_empty() { Ok(texts) } else { Err(bad) }
    }

    fn add(&mut self, path: &Path, text: &str) -> Result<(), TemplateError> {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.templates.add(&name, text)
    }

    /// Texts of a configuration that are no templates, each at its integration: what has them will not be sent.
    pub fn check(&self, config: &AmConfig) -> Vec<Fault> {
        let mut faults = Vec::new();
        for receiver in &config.receivers {
            for integration in &receiver.integrations {
                let broken = integration.settings.templates().into_iter().filter_map(|(key, text)| {
                    let error = self.templates.parse(text).err()?;
                    let name =
                        format!("{}: {} {}: {key}", receiver.name, integration.kind, integration.index);
                    Some(Fault {
                        place: integration.place,
                        message: format!("{name} is no template: {error}"),
                    })
                });
                faults.extend(broken);
            }
        }
        faults
    }

    /// What texts make of a message.
    pub fn of<'a>(&'a self, message: &'a Message) -> Rendering<'a> {
        Rendering { texts: self, message, data: data::data(message, &self.external_url) }
    }
}

/// What files look like from outside: names, sizes and times.
pub type Stamp = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// What the files of a configuration's templates look like: where that is another than before, they are to be read
/// again. Blocking.
pub fn stamp(config: &AmConfig) -> Stamp {
    let files = config.templates.iter().flat_map(|pattern| glob::expand(pattern).unwrap_or_default());
    let look = |path: PathBuf| {
        let meta = std::fs::metadata(&path).ok();
        let (len, modified) = meta.map_or((0, None), |meta| (meta.len(), meta.modified().ok()));
        (path, len, modified)
    };
    files.map(look).collect()
}

fn read(path: &Path) -> Result<String, String> {
    let meta = std::fs::metadata(path).map_err(|error| format!("cannot read it: {error}"))?;
    if meta.len() > MAX_FILE_BYTES as u64 {
        return Err(format!("it is larger than {} MiB", MAX_FILE_BYTES >> 20));
    }
    std::fs::read_to_string(path).map_err(|error| format!("cannot read it: {error}"))
}

/// Renders texts for one message.
pub struct Rendering<'a> {
    texts: &'a Texts,
    message: &'a Message,
    data: Value,
}

impl Rendering<'_> {
    /// What it is about.
    pub fn message(&self) -> &Message {
        self.message
    }

    /// Where people open the UI.
    pub fn external_url(&self) -> &str {
        &self.texts.external_url
    }

    /// A text.
    pub fn text(&self, text: &str) -> Result<String, TemplateError> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        self.texts.templates.parse(text)?.render(&self.data, &self.functions())
    }

    /// HTML, in which values are escaped.
    pub fn html(&self, text: &str) -> Result<String, TemplateError> {
        self.texts.templates.parse(text)?.render_html(&self.data, &self.functions())
    }

    fn functions(&self) -> MessageFunctions<'_> {
        MessageFunctions {
            now_ms: self.message.at_ms,
            external_url: &self.texts.external_url,
            route_labels: &self.message.route_labels,
        }
    }
}
