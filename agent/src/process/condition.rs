//! Which records a rule is for.

use std::borrow::Cow;
use std::path::Path;

use telemetry::otlp::Any;

use super::Context;
use crate::config::{Glob, Pattern};
use crate::draft::Draft;

/// All of what it says must hold; one that says nothing holds always.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Condition {
    /// One of them.
    pub(crate) sources: Vec<String>,
    /// One of them.
    pub(crate) services: Vec<String>,
    /// One of them.
    pub(crate) files: Vec<Glob>,
    pub(crate) severity: Option<SeverityTest>,
    pub(crate) body: Option<Pattern>,
    /// Each of them: a missing attribute matches nothing.
    pub(crate) attributes: Vec<(String, Pattern)>,
    /// This must not hold.
    pub(crate) not: Option<Box<Condition>>,
}

/// A range of severity numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeverityTest {
    pub(crate) from: u8,
    pub(crate) to: u8,
}

impl SeverityTest {
    /// `warn`, `>=warn`, `<info`, `unset`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let word = text.trim_start_matches(['<', '>', '=']);
        let operator = &text[..text.len() - word.len()];
        let word = word.trim();
        if word.eq_ignore_ascii_case("unset") && matches!(operator, "" | "=") {
            return Ok(Self { from: 0, to: 0 });
        }
        let number = telemetry::severity::parse(word)
            .ok_or_else(|| format!("{word:?} is no severity; write it as warn, >=warn, <info or unset"))?;
        // Four numbers to a class.
        let (first, last) = ((number - 1) / 4 * 4 + 1, (number - 1) / 4 * 4 + 4);
        let (from, to) = match operator {
            "" | "=" => (first, last),
            ">=" => (first, 24),
            ">" => (last + 1, 24),
            "<=" => (1, last),
            "<" => (1, first - 1),
            _ => return Err(format!("{operator:?} is none of =, <, <=, >, >=")),
        };
        Ok(Self { from, to })
    }
}

impl Condition {
    pub(crate) fn holds(&self, draft: &Draft<'_>, context: &Context) -> bool {
        let one_of =
            |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
        one_of(&self.sources, &context.source)
            && one_of(&self.services, &context.service)
            && (self.files.is_empty() || self.files.iter().any(|glob| glob.matches(Path::new(&context.file))))
            && self.severity.is_none_or(|test| (test.from..=test.to).contains(&draft.severity_number))
            && self
                .body
                .as_ref()
                .is_none_or(|pattern| text(&draft.body).is_some_and(|text| pattern.is_match(&text)))
            && self.attributes.iter().all(|(key, pattern)| {
                find(draft, key).and_then(text).is_some_and(|text| pattern.is_match(&text))
            })
            && self.not.as_ref().is_none_or(|not| !not.holds(draft, context))
    }
}

/// An attribute by its name, or inside of maps by the names on the way to it.
pub(super) fn find<'d, 'a>(draft: &'d Draft<'a>, key: &str) -> Option<&'d Any<'a>> {
    if let Some(value) = draft.get(key) {
        return Some(value);
    }
    key.match_indices('.').find_map(|(at, _)| inside(draft.get(&key[..at])?, &key[at + 1..]))
}

fn inside<'d, 'a>(value: &'d Any<'a>, key: &str) -> Option<&'d Any<'a>> {
    let Any::Map(entries) = value else { return None };
    let named = |name: &str| entries.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    named(key)
        .or_else(|| key.match_indices('.').find_map(|(at, _)| inside(named(&key[..at])?, &key[at + 1..])))
}

/// What a pattern is compared with.
fn text<'d>(value: &'d Any<'_>) -> Option<Cow<'d, str>> {
    match value {
        Any::Str(text) => Some(Cow::Borrowed(text)),
        Any::Int(number) => Some(Cow::Owned(number.to_string())),
        Any::Double(number) => Some(Cow::Owned(number.to_string())),
        Any::Bool(bit) => Some(Cow::Borrowed(if *bit { "true" } else { "false" })),
        Any::Empty | Any::Bytes(_) | Any::Array(_) | Any::Map(_) => None,
    }
}
