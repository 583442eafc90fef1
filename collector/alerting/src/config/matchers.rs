//! Matchers of routes and of inhibition, in the three ways in which files have them.

use super::fields::Fields;
use crate::matcher::{self, Matcher, Op};
use crate::yaml::tree::Item;

/// Those under a map of values, under a map of regular expressions, and in a list of texts.
pub(super) fn read(
    map: &mut Fields<'_>,
    equal: &'static str,
    regex: &'static str,
    list: &'static str,
) -> Vec<Matcher> {
    let mut matchers = entries(map, equal, Op::Equal);
    matchers.extend(entries(map, regex, Op::Regex));
    for item in map.list(list) {
        let Some(text) = item.text() else {
            map.reader().fault(item.place, format!("{} must be texts, not {}", map.path(list), item.kind()));
            continue;
        };
        match matcher::parse(text) {
            Ok(all) => matchers.extend(all),
            Err(error) => map.reader().fault(item.place, format!("{}: {error}", map.path(list))),
        }
    }
    matchers
}

fn entries(map: &mut Fields<'_>, key: &'static str, op: Op) -> Vec<Matcher> {
    let Some(fields) = map.map(key) else { return Vec::new() };
    fields.entries().iter().filter_map(|(name, value)| entry(&fields, name, value, op)).collect()
}

fn entry(fields: &Fields<'_>, name: &Item, value: &Item, op: Op) -> Option<Matcher> {
    let label = name.text().unwrap_or_default();
    let fault = |place, text: String| fields.reader().fault(place, format!("{}: {text}", fields.path(label)));
    if !is_classic(label) {
        fault(name.place, "is no label name of the old syntax; use matchers".to_owned());
        return None;
    }
    let text = match (value.text(), op) {
        (Some(text), Op::Regex) => format!("^(?:{text})$"),
        (Some(text), _) => text.to_owned(),
        (None, Op::Equal) if value.is_null() => String::new(),
        (None, _) => {
            fault(value.place, format!("must be text, not {}", value.kind()));
            return None;
        }
    };
    Matcher::new(op, label, text).map_err(|error| fault(value.place, error.to_string())).ok()
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
fn is_classic(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
