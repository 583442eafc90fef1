//! `key=value` lines, as Go's and Heroku's loggers write them.

use std::borrow::Cow;

use telemetry::detect::Clock;
use telemetry::otlp::Any;

use super::json;
use crate::draft::{Attributes, Draft};

const MAX_PAIRS: usize = 256;

/// How much a line must look like it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Every word is a pair, and there are two at least.
    Guessed,
    /// One pair is enough; bare words are true.
    Asked,
}

/// Whether the first word is a pair.
pub(crate) fn is_likely(line: &str) -> bool {
    let bytes = line.as_bytes();
    let len = bytes.iter().take(64).take_while(|byte| is_key(**byte)).count();
    len > 0
        && bytes.get(len) == Some(&b'=')
        && bytes.get(len + 1) != Some(&b'=')
        && !bytes[0].is_ascii_digit()
}

/// Reads a whole line; `None` leaves it plain.
pub(crate) fn parse<'a>(line: &'a str, clock: &Clock<'_>, strictness: Strictness) -> Option<Draft<'a>> {
    let (mut pairs, mut bare) = (Attributes::new(), 0);
    let mut rest = line.trim_matches(' ');
    while !rest.is_empty() {
        let len = rest.bytes().take_while(|byte| is_key(*byte)).count();
        if len == 0 || pairs.len() == MAX_PAIRS {
            return None;
        }
        let (key, from) = rest.split_at(len);
        let (value, from) = match from.strip_prefix('=') {
            Some(from) => value(from)?,
            None => {
                bare += 1;
                (Any::Bool(true), from)
            }
        };
        // Behind a value comes a space or the end.
        if !from.is_empty() && !from.starts_with(' ') {
            return None;
        }
        pairs.push((Cow::Borrowed(key), value));
        rest = from.trim_start_matches(' ');
    }
    let enough = match strictness {
        Strictness::Guessed => pairs.len() >= 2 && bare == 0,
        Strictness::Asked => pairs.len() > bare,
    };
    enough.then(|| json::lift(line, pairs, clock))
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b'@' | b'[' | b']')
}

/// The value and what stands behind it.
fn value(text: &str) -> Option<(Any<'_>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '"']).unwrap_or(text.len());
        let (plain, rest) = text.split_at(end);
        return Some((typed(plain), rest));
    };
    let end = memchr::memchr2(b'"', b'\\', quoted.as_bytes())?;
    if quoted.as_bytes()[end] == b'"' {
        return Some((Any::Str(Cow::Borrowed(&quoted[..end])), &quoted[end + 1..]));
    }
    let (mut out, mut chars) = (String::new(), quoted.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Any::Str(Cow::Owned(out)), &quoted[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                c @ ('"' | '\\') => out.push(c),
                other => out.extend(['\\', other]),
            },
            c => out.push(c),
        }
    }
    None
}

/// A number where its text is the way that we would write it.
pub(crate) fn typed(text: &str) -> Any<'_> {
    let is_number = text.bytes().next().is_some_and(|b| b.is_ascii_digit() || b == b'-');
    match text {
        "true" => Any::Bool(true),
        "false" => Any::Bool(false),
        _ if !is_number => Any::Str(Cow::Borrowed(text)),
        _ => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Any::Int(number),
            _ => match text.parse::<f64>() {
                Ok(number) if is_decimal(text) => Any::Double(number),
                _ => Any::Str(Cow::Borrowed(text)),
            },
        },
    }
}

/// `-?digits.digits` without a leading zero.
fn is_decimal(text: &str) -> bool {
    let Some((whole, fraction)) = text.trim_start_matches('-').split_once('.') else { return false };
    let digits =
        |part: &str| !part.is_empty() && part.len() <= 15 && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}
