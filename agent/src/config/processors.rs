//! Rules and redaction.

use super::Pattern;
use super::read::globs;
use super::section::{Reader, Section};
use super::yaml::Item;
use crate::process::{Action, Condition, KnownSecret, OwnSecret, ProcessorsConfig, Rule, SeverityTest};

const MAX_RULES: usize = 100;

pub(super) fn processors(reader: &mut Reader<'_>, root: &mut Section<'_>) -> ProcessorsConfig {
    let mut section = root.section(reader, "processors");
    let mut redact = section.section(reader, "redact");
    let known = known(reader, &mut redact);
    let items = redact.list(reader, "patterns");
    let own: Vec<OwnSecret> = items.iter().filter_map(|item| own(reader, item)).collect();
    redact.finish(reader);
    let items = section.list(reader, "rules");
    let mut rules: Vec<Rule> = Vec::new();
    for item in items {
        let Some(rule) = rule(reader, item) else { continue };
        if rules.iter().any(|other| other.name == rule.name) {
            reader
                .problem(item, format!("two rules are called {:?}; their counters would be one", rule.name));
        }
        rules.push(rule);
    }
    if items.len() > MAX_RULES {
        reader.problem(&items[MAX_RULES], format!("more than {MAX_RULES} rules"));
    }
    section.finish(reader);
    ProcessorsConfig { rules, known, own }
}

fn known(reader: &mut Reader<'_>, redact: &mut Section<'_>) -> Vec<KnownSecret> {
    let names = redact.texts(reader, "known");
    let mut known = Vec::new();
    for name in names {
        match (KnownSecret::parse(&name), redact.item("known")) {
            (Some(secret), _) => known.push(secret),
            (None, Some(item)) => reader.problem(
                item,
                format!("processors.redact.known: {name:?} is none of cards, tokens, passwords, emails"),
            ),
            (None, None) => {}
        }
    }
    known
}

fn own(reader: &mut Reader<'_>, item: &Item) -> Option<OwnSecret> {
    let mut section = reader.section("processors.redact.patterns[]", item);
    let name = required(reader, &mut section, item, "name");
    let pattern = section.parsed(reader, "regex", Pattern::parse);
    if section.item("regex").is_none() {
        reader.problem(item, "processors.redact.patterns[].regex is missing".to_owned());
    }
    let replacement = section.text(reader, "replace").unwrap_or_else(|| "[redacted]".to_owned());
    if pattern.as_ref().is_some_and(|pattern| pattern.is_match("")) {
        reader.problem(
            item,
            "processors.redact.patterns[].regex matches nothing at all: it would redact everywhere"
                .to_owned(),
        );
    }
    section.finish(reader);
    Some(OwnSecret { name: name?, pattern: pattern?, replacement })
}

fn rule(reader: &mut Reader<'_>, item: &Item) -> Option<Rule> {
    let mut section = reader.section("processors.rules[]", item);
    let name = required(reader, &mut section, item, "name");
    let has_condition = section.item("when").is_some_and(|item| !item.is_empty_map());
    let when = match section.item("when") {
        Some(item) => condition(reader, item, 0),
        None => Condition::default(),
    };
    let action = required(reader, &mut section, item, "action");
    let action = action.and_then(|action| self::action(reader, &mut section, item, &action));
    section.finish(reader);
    let (name, action) = (name?, action?);
    if !has_condition && matches!(action, Action::Drop | Action::Keep) {
        reader.problem(item, format!("the rule {name:?} has no condition; say when"));
    }
    Some(Rule { name, when, action })
}

fn action(reader: &mut Reader<'_>, section: &mut Section<'_>, item: &Item, action: &str) -> Option<Action> {
    match action {
        "drop" => Some(Action::Drop),
        "keep" => Some(Action::Keep),
        "sample" => {
            if section.item("rate").is_none() {
                reader.problem(item, "a rule that samples needs a rate, as 0.1".to_owned());
            }
            section.number(reader, "rate", 0.0, 1.0).map(Action::Sample)
        }
        "rename" => {
            let names = section.scalars(reader, "attributes");
            let names: Vec<_> =
                names.into_iter().map(|(old, new)| (old, new.as_value().to_text().into_owned())).collect();
            if names.iter().any(|(_, new)| new.is_empty()) || names.is_empty() {
                reader.problem(item, "a rule that renames needs attributes, as { old: new }".to_owned());
            }
            Some(Action::Rename(names))
        }
        "set" => {
            let values = section.scalars(reader, "attributes");
            if values.is_empty() {
                reader.problem(item, "a rule that sets needs attributes, as { key: value }".to_owned());
            }
            Some(Action::Set(values))
        }
        other => {
            reader.problem(item, format!("{other:?} is none of drop, keep, sample, rename, set"));
            None
        }
    }
}

fn condition(reader: &mut Reader<'_>, item: &Item, depth: usize) -> Condition {
    let name = if depth == 0 { "when" } else { "not" };
    let mut section = reader.section(name, item);
    let files = section.texts(reader, "file");
    let condition = Condition {
        sources: section.texts(reader, "source"),
        services: section.texts(reader, "service"),
        files: globs(reader, item, &files),
        severity: section.parsed(reader, "severity", SeverityTest::parse),
        body: section.parsed(reader, "body", Pattern::parse),
        attributes: attributes(reader, &mut section),
        not: match section.item("not") {
            Some(item) if depth < 4 => Some(Box::new(self::condition(reader, item, depth + 1))),
            Some(item) => {
                reader.problem(item, "conditions are nested deeper than four times".to_owned());
                None
            }
            None => None,
        },
    };
    section.finish(reader);
    condition
}

fn attributes(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<(String, Pattern)> {
    let values = section.scalars(reader, "attributes");
    let Some(item) = section.item("attributes") else { return Vec::new() };
    let mut patterns = Vec::new();
    for (key, value) in values {
        match Pattern::parse(&value.as_value().to_text()) {
            Ok(pattern) => patterns.push((key, pattern)),
            Err(why) => reader.problem(item, format!("attributes.{key}: {why}")),
        }
    }
    patterns
}

fn required(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    item: &Item,
    key: &'static str,
) -> Option<String> {
    let text = section.text(reader, key).filter(|text| !text.is_empty());
    if text.is_none() && section.item(key).is_none_or(|item| item.as_text().is_some()) {
        reader.problem(item, format!("{} is missing", section.path(key)));
    }
    text
}
