//! Rules of relabelling, with the checks that Prometheus makes.

use super::fields::{Fields, Reader};
use crate::config::yaml::Node;
use crate::scrape::relabel::{Action, Rule, anchored};

const SEPARATOR: &str = ";";
const REGEX: &str = "(.*)";
const REPLACEMENT: &str = "$1";

/// The rules under `key`.
pub(super) fn rules(reader: &mut Reader<'_>, fields: &mut Fields<'_>, key: &'static str) -> Vec<Rule> {
    let name = format!("{}[]", fields.path(key));
    let mut rules = Vec::new();
    for item in fields.list(reader, key) {
        if item.node == Node::Null {
            reader.problem(item, format!("{name}: empty or null relabelling rule"));
            continue;
        }
        let mut fields = reader.fields(&name, item);
        rules.extend(rule(reader, &mut fields));
        fields.finish(reader);
    }
    rules
}

fn rule(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Rule> {
    let before = reader.problems.len();
    let action = match fields.given("action") {
        None => Some(Action::Replace),
        Some(_) => {
            let name = fields.text(reader, "action").unwrap_or_default();
            let action = Action::parse(&name);
            if action.is_none() {
                fields.problem(reader, "action", &format!("unknown relabel action {name:?}"));
            }
            action
        }
    };
    let regex = fields.text(reader, "regex").unwrap_or_else(|| REGEX.to_owned());
    let compiled = match anchored(&regex) {
        Ok(compiled) => Some(compiled),
        Err(why) => {
            let why = why.lines().last().unwrap_or_default().to_owned();
            fields.problem(reader, "regex", &format!("{regex:?} is no regular expression: {why}"));
            None
        }
    };
    let rule = Rule {
        action: action?,
        source_labels: fields.texts(reader, "source_labels"),
        separator: fields.text(reader, "separator").unwrap_or_else(|| SEPARATOR.to_owned()),
        regex: compiled?,
        modulus: fields.number(reader, "modulus").unwrap_or(0),
        target_label: fields.text(reader, "target_label").unwrap_or_default(),
        replacement: replacement(reader, fields),
    };
    if let Some(why) = fault(&rule, regex == REGEX) {
        reader.problem(fields.at(), format!("{}: {why}", fields.path("").trim_end_matches('.')));
    }
    (reader.problems.len() == before).then_some(rule)
}

/// An empty one removes the label, so that nothing is not the same as absent.
fn replacement(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> String {
    fields.text(reader, "replacement").unwrap_or_else(|| REPLACEMENT.to_owned())
}

fn fault(rule: &Rule, has_default_regex: bool) -> Option<String> {
    use Action::*;
    let name = format!("{:?}", rule.action).to_lowercase();
    let target = matches!(rule.action, Replace | HashMod | Lowercase | Uppercase | KeepEqual | DropEqual);
    let is_plain = rule.separator == SEPARATOR && rule.modulus == 0 && rule.replacement == REPLACEMENT;
    let faults = [
        (rule.modulus == 0 && rule.action == HashMod, "hashmod requires a non-zero modulus".to_owned()),
        (target && rule.target_label.is_empty(), format!("the action {name} requires a target_label")),
        (
            matches!(rule.action, Lowercase | Uppercase) && rule.replacement != REPLACEMENT,
            format!("the action {name} takes no replacement"),
        ),
        (
            rule.action == LabelMap && rule.replacement.is_empty(),
            "labelmap requires a replacement".to_owned(),
        ),
        (
            matches!(rule.action, KeepEqual | DropEqual) && !(is_plain && has_default_regex),
            format!("the action {name} takes source_labels and target_label only"),
        ),
        (
            matches!(rule.action, LabelDrop | LabelKeep)
                && !(is_plain && rule.source_labels.is_empty() && rule.target_label.is_empty()),
            format!("the action {name} takes a regex only"),
        ),
    ];
    faults.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, why)| why)
}
