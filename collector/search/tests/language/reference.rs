//! The language again, slowly and by another road: over the record's JSON and over vectors of characters.

use std::ops::Bound;

use narrows_search::{Expr, Field, FieldMatch, Number, Test, TextMatch};
use serde_json::Value as Json;

pub(crate) fn matches(expr: &Expr, record: &Json) -> bool {
    match expr {
        Expr::All => true,
        Expr::And(children) => !children.iter().any(|child| !matches(child, record)),
        Expr::Or(children) => children.iter().filter(|child| matches(child, record)).count() > 0,
        Expr::Not(child) => !matches(child, record),
        Expr::Text(asked) => text(asked, &body(record)),
        Expr::Field(asked) => field(asked, record),
    }
}

/// Every place of the folded body is tried.
pub(crate) fn text(asked: &TextMatch, body: &str) -> bool {
    let needle: Vec<char> = asked.text().chars().flat_map(char::to_lowercase).collect();
    let body: Vec<char> = body.chars().flat_map(char::to_lowercase).collect();
    let word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    (0..=body.len()).filter(|at| body[*at..].starts_with(&needle)).any(|at| {
        let end = at + needle.len();
        let cut_before = word(needle.first()) && at > 0 && word(body.get(at - 1));
        let cut_after = word(needle.last()) && !asked.is_prefix() && word(body.get(end));
        !cut_before && !cut_after
    })
}

fn body(record: &Json) -> String {
    match &record["body"] {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn field(asked: &FieldMatch, record: &Json) -> bool {
    let resource = |key: &str| record["resource"].get(key).cloned();
    let string = |key: &str| resource(key).filter(Json::is_string);
    let values = match &asked.field {
        Field::Severity => return severity(&asked.test, record["severity"].as_u64().unwrap_or(0)),
        Field::TraceId => return id(&asked.test, record["trace_id"].as_str()),
        Field::SpanId => return id(&asked.test, record["span_id"].as_str()),
        Field::Pattern => return false,
        Field::Service => string("service.name"),
        Field::Host => string("host.name"),
        Field::Body => record.get("body").cloned(),
        Field::Scope => record.get("scope").cloned().filter(|scope| scope != ""),
        Field::EventName => record.get("event_name").cloned().filter(|name| name != ""),
        Field::Attribute(path) => path_of(&record["attributes"], path),
        Field::Resource(path) => path_of(&record["resource"], path),
        Field::Any(path) => {
            path_of(&record["attributes"], path).or_else(|| path_of(&record["resource"], path))
        }
    };
    let flat = match values {
        Some(array @ Json::Array(_)) if asked.test != Test::Exists => flatten(&array),
        Some(value) => vec![value],
        None => vec![],
    };
    flat.iter().any(|value| *value != Json::Null && value_passes(&asked.test, value))
}

fn flatten(value: &Json) -> Vec<Json> {
    match value {
        Json::Array(elements) => elements.iter().flat_map(flatten).collect(),
        other => vec![other.clone()],
    }
}

/// Every way to cut the path into keys, the whole path first.
fn path_of(map: &Json, path: &str) -> Option<Json> {
    let map = map.as_object()?;
    if let Some(value) = map.get(path).filter(|value| !value.is_null()) {
        return Some(value.clone());
    }
    let cuts = path.match_indices('.').map(|(at, _)| (&path[..at], &path[at + 1..]));
    let mut found: Vec<(&str, Json)> =
        cuts.filter_map(|(key, rest)| path_of(map.get(key)?, rest).map(|value| (key, value))).collect();
    // Of several the one whose key comes first in the record; the tests' maps are sorted by key.
    found.sort_by(|a, b| a.0.cmp(b.0));
    found.into_iter().next().map(|(_, value)| value)
}

fn value_passes(test: &Test, value: &Json) -> bool {
    let spelled = match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    match test {
        Test::Exists => true,
        Test::Equals(literal) => match (value.as_f64(), literal.text().parse::<f64>()) {
            (Some(number), Ok(asked)) => number == asked,
            (Some(_), Err(_)) => false,
            (None, _) => spelled == literal.text(),
        },
        Test::Prefix(prefix) => spelled.find(prefix.as_str()) == Some(0),
        Test::Range(range) => {
            let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
            number.is_some_and(|number| {
                let low = match range.low {
                    Bound::Unbounded => true,
                    Bound::Included(low) => double(low) <= number,
                    Bound::Excluded(low) => double(low) < number,
                };
                let high = match range.high {
                    Bound::Unbounded => true,
                    Bound::Included(high) => number <= double(high),
                    Bound::Excluded(high) => number < double(high),
                };
                low && high
            })
        }
        _ => false,
    }
}

fn double(number: Number) -> f64 {
    number.to_string().parse().unwrap()
}

fn severity(test: &Test, number: u64) -> bool {
    match test {
        Test::Exists => number > 0,
        Test::Severity(range) => number >= u64::from(range.min) && number <= u64::from(range.max),
        _ => false,
    }
}

fn id(test: &Test, id: Option<&str>) -> bool {
    match (test, id) {
        (Test::Exists, id) => id.is_some(),
        (Test::Id(asked), Some(id)) => id.starts_with(&asked.hex()),
        _ => false,
    }
}
