//! The classic syntax, which forgives much: commas outside quotes divide, braces are trimmed, values need no
//! quotes, and a backslash that escapes nothing is a backslash.

use super::{Matcher, MatcherError, Op, shortened};

pub(super) fn parse_all(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let inner = text.strip_prefix('{').unwrap_or(text);
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    let mut matchers = Vec::new();
    for part in divide(inner) {
        matchers.push(parse_one(part)?);
    }
    Ok(matchers)
}

/// At commas outside double quotes; what is left empty at the end is nothing.
fn divide(text: &str) -> Vec<&str> {
    let (mut quoted, mut escaped, mut begin) = (false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            ',' if !quoted => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    if !text[begin..].trim().is_empty() {
        parts.push(&text[begin..]);
    }
    parts
}

pub(super) fn parse_one(text: &str) -> Result<Matcher, MatcherError> {
    let bad = |what: &str| MatcherError::new(0, format!("{what}: `{}`", shortened(text)));
    let rest = text.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad("a matcher begins with a label's name"));
    }
    let rest = rest[name.len()..].trim_start();
    let ops = [Op::Regex, Op::Equal, Op::NotEqual, Op::NotRegex];
    let found = ops.iter().find_map(|op| Some((*op, rest.strip_prefix(op.as_str())?)));
    let (op, raw) = found.ok_or_else(|| bad("expected an operator: '=', '!=', '=~' or '!~'"))?;
    let value = unescape(raw.trim()).ok_or_else(|| bad("a double quote in the value is not escaped"))?;
    Matcher::new(op, name, value)
}

/// `None` where a quote stands alone.
fn unescape(raw: &str) -> Option<String> {
    let (quoted, inner) = match raw.strip_prefix('"') {
        Some(inner) => (true, inner.strip_suffix('"')?),
        None => (false, raw),
    };
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('"', _) => return None,
            ('\\', Some('n')) => value.push('\n'),
            ('\\', Some(plain @ ('"' | '\\'))) => value.push(*plain),
            // The closing quote itself was escaped.
            ('\\', None) if quoted => return None,
            (other, _) => {
                value.push(other);
                continue;
            }
        }
        rest.next();
    }
    Some(value)
}
