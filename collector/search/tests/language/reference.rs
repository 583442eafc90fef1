//! The language again, slowly and by another road: over the record's JSON and over vectors of characters.

use std::ops::Bound;

use narrows_search::{
    Dimension, Expr, Field, FieldMatch, Literal, Number, NumberRange, QuantityRange, Test, TextMatch,
};
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
    let fold = |text: &str| -> Vec<char> { text.chars().flat_map(char::to_lowercase).collect() };
    let chars = |text: &str| if asked.is_exact() { text.chars().collect() } else { fold(text) };
    let (needle, body) = (chars(asked.text()), chars(body));
    let word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let cut = |at: usize| at > 0 && word(body.get(at - 1)) && word(body.get(at));
    if asked.has_wildcards() {
        let (open_start, open_end) = (needle.first() == Some(&'*'), needle.last() == Some(&'*'));
        return (0..=body.len()).any(|start| {
            (start..=body.len()).any(|end| {
                like(&needle, &body[start..end], false)
                    && (open_start || !cut(start))
                    && (open_end || !cut(end))
            })
        });
    }
    (0..=body.len()).filter(|at| body[*at..].starts_with(&needle)).any(|at| {
        let end = at + needle.len();
        let cut_before = word(needle.first()) && at > 0 && word(body.get(at - 1));
        let cut_after = word(needle.last()) && !asked.is_prefix() && word(body.get(end));
        !cut_before && !cut_after
    })
}

/// Every split between `*` and the rest is tried.
fn like(pattern: &[char], text: &[char], spaces: bool) -> bool {
    let fits = |c: &char| spaces || !c.is_whitespace();
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(('*', more)), None) => like(more, text, spaces),
        (Some(('*', more)), Some((c, rest))) => {
            like(more, text, spaces) || (fits(c) && like(pattern, rest, spaces))
        }
        (Some(('?', more)), Some((c, rest))) => fits(c) && like(more, rest, spaces),
        (Some((p, more)), Some((c, rest))) => p == c && like(more, rest, spaces),
        (Some(_), None) => false,
    }
}

/// Expressions and what they say.
type Regex = (&'static str, fn(&str) -> bool);

pub(crate) const REGEXES: [Regex; 9] = [
    ("a", |text| text.contains('a')),
    ("^a", |text| text.starts_with('a')),
    ("(?i)k", |text| text.contains(['k', 'K', '\u{212a}'])),
    ("(?i)AB", |text| text.to_ascii_lowercase().contains("ab")),
    ("a|b_", |text| text.contains('a') || text.contains("b_")),
    ("^$", str::is_empty),
    ("\\\"", |text| text.contains('"')),
    ("a +(b|K)", |text| {
        text.match_indices('a').any(|(at, _)| {
            let rest = text[at + 1..].trim_start_matches(' ');
            rest.len() < text[at + 1..].len() && rest.starts_with(['b', 'K'])
        })
    }),
    ("[äÄ]{2}", |text| ["ää", "äÄ", "Ää", "ÄÄ"].iter().any(|two| text.contains(two))),
];

pub(crate) fn regex(pattern: &str, text: &str) -> bool {
    let (_, says) = REGEXES.iter().find(|(known, _)| *known == pattern).unwrap();
    says(text)
}

/// `5ms` in ns or bytes, and which of both.
fn quantity(text: &str) -> Option<(Dimension, f64)> {
    const UNITS: [(&str, Dimension, f64); 6] = [
        ("ns", Dimension::Duration, 1.0),
        ("ms", Dimension::Duration, 1e6),
        ("s", Dimension::Duration, 1e9),
        ("m", Dimension::Duration, 60e9),
        ("KiB", Dimension::Size, 1024.0),
        ("B", Dimension::Size, 1.0),
    ];
    let (unit, dimension, scale) = UNITS.into_iter().find(|(unit, ..)| text.ends_with(unit))?;
    let number = text.strip_suffix(unit)?.trim_end();
    number.parse().ok().map(|number: f64| (dimension, number * scale))
}

fn in_quantity(range: &QuantityRange, field: &Field, value: &Json) -> bool {
    let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    let name = field.name();
    // A last part `b` says bytes, as in `size_b`.
    let is_bytes = name.rsplit(['.', '_']).next() == Some("b");
    let plain = match (range.dimension, name.ends_with("_ms")) {
        (Dimension::Duration, true) => Some(1e6),
        (Dimension::Duration, false) => Some(1e9).filter(|_| !is_bytes),
        (Dimension::Size, ms) => Some(1.0).filter(|_| !ms),
    };
    let base = match number {
        Some(number) => plain.map(|plain| number * plain),
        None => value.as_str().and_then(quantity).filter(|(own, _)| *own == range.dimension).map(|(_, n)| n),
    };
    base.is_some_and(|base| in_range(range.range, base))
}

fn in_range(range: NumberRange, number: f64) -> bool {
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
        Field::Pattern | Field::Span(_) => return false,
        Field::Service => string("service.name"),
        Field::Host => string("host.name"),
        Field::Body => {
            let body_text = body(record);
            let there = record.get("body").is_some_and(|body| !body.is_null());
            if let Test::Regex(asked) = &asked.test {
                return there && regex(asked.pattern(), &body_text);
            }
            record.get("body").cloned()
        }
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
    flat.iter().any(|value| *value != Json::Null && value_passes(asked, value))
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

fn value_passes(asked: &FieldMatch, value: &Json) -> bool {
    let spelled = match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let equals = |literal: &Literal| match (value.as_f64(), literal.text().parse::<f64>()) {
        (Some(number), Ok(asked)) => number == asked,
        (Some(_), Err(_)) => false,
        (None, _) => spelled == literal.text(),
    };
    match &asked.test {
        Test::Exists => true,
        Test::Equals(literal) => equals(literal),
        Test::In(set) => set.values().iter().any(equals),
        Test::Prefix(prefix) => spelled.find(prefix.as_str()) == Some(0),
        Test::Wildcard(wildcard) => {
            let (pattern, text): (Vec<char>, Vec<char>) =
                (wildcard.pattern().chars().collect(), spelled.chars().collect());
            like(&pattern, &text, true)
        }
        Test::Regex(asked) => regex(asked.pattern(), &spelled),
        Test::Range(range) => {
            let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
            number.is_some_and(|number| in_range(*range, number))
        }
        Test::Quantity(range) => in_quantity(range, &asked.field, value),
        Test::Severity(_) | Test::Id(_) => false,
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
