//! JSON lines: the top-level keys that logging libraries use for level and time.

use super::{Clock, Detected, severity};

/// Keys by falling trust; the first that has a usable value counts.
const LEVEL_KEYS: [&str; 10] = [
    "severity",
    "level_name",
    "level",
    "log.level",
    "levelname",
    "lvl",
    "loglevel",
    "severity_text",
    "severityText",
    "@l",
];
const TIME_KEYS: [&str; 9] =
    ["@timestamp", "timestamp", "time", "ts", "t", "datetime", "date", "eventTime", "@t"];

/// Reads the top level of an object as far as it is well-formed.
pub(super) fn detect<'a>(line: &'a str, clock: &Clock<'_>) -> Detected<'a> {
    let (severity_number, severity_text) = level(line).unwrap_or_default();
    let mut found = Detected { severity_number, severity_text, ..Detected::default() };
    let mut best = usize::MAX;
    for (key, value) in members(line) {
        if let Some(rank) = TIME_KEYS.iter().position(|known| *known == key).filter(|rank| *rank < best)
            && let Some(time_ns) = moment(value, clock)
        {
            found.time_ns = time_ns;
            best = rank;
        }
    }
    found
}

/// The level that its members name, and the word for it.
pub(super) fn level(line: &str) -> Option<(u8, &str)> {
    let (mut found, mut best) = (None, usize::MAX);
    for (key, value) in members(line) {
        if let Some(rank) = rank(key).filter(|rank| *rank < best)
            && let Some(level) = level_of(value)
        {
            (found, best) = (Some(level), rank);
        } else if key == "log" && best > LEVEL_KEYS.len() {
            // The Elastic Common Schema as objects.
            let nested = members(value).find(|(key, _)| *key == "level");
            if let Some(level) = nested.and_then(|(_, value)| level_of(value)) {
                (found, best) = (Some(level), LEVEL_KEYS.len());
            }
        }
    }
    found
}

/// How much a key is trusted with the level: 0 is best. Some libraries begin it with a capital.
fn rank(key: &str) -> Option<usize> {
    LEVEL_KEYS.iter().position(|known| known.eq_ignore_ascii_case(key))
}

fn members(object: &str) -> Members<'_> {
    Members { rest: object.trim_start().strip_prefix('{').unwrap_or("") }
}

/// A word, or the numbers of bunyan and pino.
fn level_of(value: &str) -> Option<(u8, &str)> {
    if let Some(text) = unquote(value) {
        return severity::word(text).map(|number| (number, text));
    }
    let number = match value {
        "10" => 1,
        "20" => 5,
        "30" => 9,
        "40" => 13,
        "50" => 17,
        "60" => 21,
        _ => return None,
    };
    Some((number, ""))
}

fn moment(value: &str, clock: &Clock<'_>) -> Option<u64> {
    super::moment(unquote(value).unwrap_or(value), clock)
}

fn unquote(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// The members of an object: raw key and raw value, until the text is no object any more.
struct Members<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ',']).strip_prefix('"')?;
        let key_end = string_end(rest)?;
        let key = &rest[..key_end];
        let rest = rest[key_end + 1..].trim_start().strip_prefix(':')?.trim_start();
        let end = value_end(rest)?;
        self.rest = &rest[end..];
        Some((key, rest[..end].trim_end()))
    }
}

/// Where the quote is that ends a string whose text begins at 0.
fn string_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
        if at > bytes.len() {
            return None;
        }
    }
}

/// Where a value ends: at the comma or bracket behind it.
fn value_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at += 1 + string_end(&text[at + 1..])?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}
