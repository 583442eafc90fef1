//! All of OpenMetrics 1.0's rules for a text: what stands together, which samples a kind has, what
//! buckets add up to. Scraping does not ask for these; who writes an exporter may.

mod family;

use std::collections::HashSet;

use super::{Caps, Entry, Format, ParseError, Parser, Sample};
use crate::samples::MetricKind;
use family::Family;

/// The longest labels of an exemplar, in characters, names and values together.
const MAX_EXEMPLAR_CHARS: usize = 128;

/// Reads a whole text and says what is wrong first.
pub fn check(text: &str, caps: Caps) -> Result<(), ParseError> {
    let mut parser = Parser::new(text, Format::OpenMetrics, caps);
    parser.is_strict = true;
    let mut run = Run { names: HashSet::new(), family: None };
    loop {
        let entry = parser.next_entry()?;
        let (line, is_last) = (parser.line(), entry.is_none());
        let outcome = match entry {
            None => run.close(),
            Some(Entry::Sample(sample)) => run.sample(&parser, &sample),
            Some(entry) => run.metadata(&entry),
        };
        outcome.map_err(|message| ParseError { line, column: 1, message })?;
        if is_last {
            return Ok(());
        }
    }
}

struct Run {
    /// Every name that a family before has taken.
    names: HashSet<String>,
    family: Option<Family>,
}

impl Run {
    fn metadata(&mut self, entry: &Entry<'_>) -> Result<(), String> {
        let (Entry::Help { family: name, .. }
        | Entry::Type { family: name, .. }
        | Entry::Unit { family: name, .. }) = entry
        else {
            return Ok(());
        };
        if self.family.as_ref().is_none_or(|family| family.name != **name) {
            self.close()?;
            self.family = Some(Family::new(name, None));
        }
        let Some(family) = &mut self.family else { return Ok(()) };
        if family.has_samples() {
            return Err(format!("metadata of {name:?} stands behind its samples"));
        }
        match entry {
            Entry::Help { .. } => once(&mut family.has_help, "HELP", name),
            Entry::Unit { unit, .. } => {
                family.has_unit = !unit.is_empty();
                once(&mut family.has_unit_line, "UNIT", name)
            }
            Entry::Type { kind, .. } if family.kind.is_none() => {
                family.kind = Some(*kind);
                Ok(())
            }
            _ => Err(format!("{name:?} has two # TYPE")),
        }
    }

    fn sample(&mut self, parser: &Parser<'_>, sample: &Sample<'_>) -> Result<(), String> {
        let labels = parser.labels();
        let name = labels.first().map_or("", |(_, name)| name);
        if self.family.as_ref().is_none_or(|family| !family.has(name)) {
            self.close()?;
            self.family = Some(Family::new(name, Some(MetricKind::Unknown)));
        }
        let Some(family) = &mut self.family else { return Ok(()) };
        family.sample(name, labels.get(1..).unwrap_or_default(), sample)?;
        if sample.exemplar.is_some() {
            let chars = parser.exemplar_labels().iter();
            let chars: usize = chars.map(|(n, v)| n.chars().count() + v.chars().count()).sum();
            if chars > MAX_EXEMPLAR_CHARS {
                return Err(format!("an exemplar's labels have {chars} characters, more than 128"));
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(family) = self.family.take() else { return Ok(()) };
        family.close()?;
        let suffixes = std::iter::once("").chain(family.suffixes().iter().copied().filter(|s| !s.is_empty()));
        for suffix in suffixes {
            let name = format!("{}{suffix}", family.name);
            if self.names.contains(&name) {
                return Err(format!("the name {name:?} is that of another family, too"));
            }
            self.names.insert(name);
        }
        Ok(())
    }
}

fn once(flag: &mut bool, what: &str, name: &str) -> Result<(), String> {
    if std::mem::replace(flag, true) { Err(format!("{name:?} has two # {what}")) } else { Ok(()) }
}
