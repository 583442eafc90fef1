//! From bytes of a line to a record: containers' wrapping (`container`), lines
//! that belong together (`join`), and what a line's text says (`json`, `logfmt`, `access`, else `detect`).
//!
//! Pure: no I/O. A line that is not what it seems stays a plain line: nothing is lost here.

pub(crate) mod access;
pub(crate) mod container;
mod join;
pub(crate) mod json;
pub(crate) mod logfmt;
mod text;
mod trace;

pub(crate) use join::{Ahead, Joined, Joiner, Line};
pub(crate) use text::{Marks, clean};

use telemetry::detect::{Clock, detect};

use crate::config::Pattern;
use crate::draft::Draft;

/// A longer line is cut here and marked; lines that are joined are split here.
pub(crate) const MAX_LINE_BYTES: usize = 256 << 10;
/// Of a longer line only time and severity are read: its attributes would not fit beside it.
const MAX_STRUCTURED_BYTES: usize = 128 << 10;

/// What lines look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Each line is looked at.
    #[default]
    Auto,
    /// Text; nothing is taken out of it.
    Plain,
    /// What Kubernetes' runtimes write around lines.
    Cri,
    /// What Docker's json-file driver writes around lines.
    Docker,
    /// An object per line.
    Json,
    /// `key=value` pairs.
    Logfmt,
    /// Web servers' access logs.
    Access,
}

/// Which lines make one record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Multiline {
    /// Stack traces of common languages.
    #[default]
    Auto,
    /// Every line is one.
    Off,
    /// By patterns.
    Custom(Box<CustomLines>),
}

/// Lines that belong together by patterns of the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CustomLines {
    /// A record begins with such a line.
    pub(crate) start: Option<Pattern>,
    /// Such a line goes on with the record before it.
    pub(crate) continuation: Option<Pattern>,
    /// The line behind such a line goes on with it.
    pub(crate) unfinished: Option<Pattern>,
}

/// How lines of a source are read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LineOptions {
    pub(crate) format: Format,
    pub(crate) multiline: Multiline,
    /// The most lines of one record.
    pub(crate) max_lines: u32,
    /// How long a record may wait for its next line.
    pub(crate) flush_after: std::time::Duration,
}

impl Default for LineOptions {
    fn default() -> Self {
        Self {
            format: Format::default(),
            multiline: Multiline::default(),
            max_lines: 1000,
            flush_after: std::time::Duration::from_secs(1),
        }
    }
}

/// What a record's text says.
pub(crate) fn parse<'a>(text: &'a str, format: Format, clock: &Clock<'_>) -> Draft<'a> {
    if text.len() <= MAX_STRUCTURED_BYTES
        && let Some(mut draft) = structured(text, format, clock)
    {
        clock.doubt(&mut draft.time_ns);
        return draft;
    }
    let found = detect(text, clock);
    Draft {
        time_ns: found.time_ns,
        severity_number: found.severity_number,
        severity_text: found.severity_text.into(),
        ..Draft::of_body(text)
    }
}

fn structured<'a>(text: &'a str, format: Format, clock: &Clock<'_>) -> Option<Draft<'a>> {
    match format {
        Format::Plain => None,
        Format::Json => json::parse(text, clock),
        Format::Logfmt => logfmt::parse(text, clock, logfmt::Strictness::Asked),
        Format::Access => access::parse(text, clock),
        // A container's program writes what it likes.
        Format::Auto | Format::Cri | Format::Docker => guessed(text, clock),
    }
}

/// By the first byte, so that a plain line costs next to nothing.
fn guessed<'a>(text: &'a str, clock: &Clock<'_>) -> Option<Draft<'a>> {
    match text.as_bytes().first()? {
        b'{' => json::parse(text, clock),
        _ if logfmt::is_likely(text) => logfmt::parse(text, clock, logfmt::Strictness::Guessed),
        _ if access::is_likely(text) => access::parse(text, clock),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
