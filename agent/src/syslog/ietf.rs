//! RFC 5424, section 6.

use super::{Message, priority};

/// Reads a whole message that is as the RFC says.
pub(crate) fn parse(text: &str) -> Option<Message<'_>> {
    parse_within(text, &STRICT)
}

/// Reads a message as programs send it: with longer names and finer times than the RFC has.
pub(crate) fn parse_lenient(text: &str) -> Option<Message<'_>> {
    parse_within(text, &LENIENT)
}

/// The longest that parts of a message are.
struct Limits {
    appname: usize,
    procid: usize,
    msgid: usize,
    fraction_digits: usize,
    /// 60 is a leap second.
    last_second: u32,
}

const STRICT: Limits = Limits { appname: 48, procid: 128, msgid: 32, fraction_digits: 6, last_second: 59 };
const LENIENT: Limits =
    Limits { appname: 255, procid: 255, msgid: 255, fraction_digits: 18, last_second: 60 };

fn parse_within<'a>(text: &'a str, limits: &Limits) -> Option<Message<'a>> {
    let (priority, rest) = priority(text)?;
    let (version, rest) = version(rest)?;
    let mut message = Message { priority, version, ..Message::default() };
    let (field, rest) = word(rest, 64)?;
    message.timestamp = field;
    if field.is_some_and(|text| !is_timestamp(text, limits)) {
        return None;
    }
    let (field, rest) = word(rest, 255)?;
    message.hostname = field;
    let (field, rest) = word(rest, limits.appname)?;
    message.appname = field;
    let (field, rest) = word(rest, limits.procid)?;
    message.procid = field;
    let (field, rest) = word(rest, limits.msgid)?;
    message.msgid = field;
    let rest = structured(rest, &mut message)?;
    message.message = match rest.strip_prefix(' ') {
        Some("") => None,
        Some(text) => Some(text),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(message)
}

/// 1 to 999, and the space behind it.
fn version(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_once(' ')?;
    let valid = (1..=3).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    digits.parse().ok().filter(|_| valid).map(|version| (version, rest))
}

/// Printable ASCII up to the next space, which is taken too; `-` says nothing.
fn word(text: &str, max_bytes: usize) -> Option<(Option<&str>, &str)> {
    let (word, rest) = text.split_once(' ')?;
    let valid = (1..=max_bytes).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic());
    valid.then_some(((word != "-").then_some(word), rest))
}

/// RFC 3339 with `T`, `Z` and only so many digits of a second's fraction.
fn is_timestamp(text: &str, limits: &Limits) -> bool {
    let bytes = text.as_bytes();
    let number = |from: usize, len: usize| {
        let digits = bytes.get(from..from + len)?;
        digits.iter().try_fold(0u32, |value, b| b.is_ascii_digit().then(|| value * 10 + u32::from(b - b'0')))
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let date = (number(0, 4), number(5, 2), number(8, 2));
    let time = (number(11, 2), number(14, 2), number(17, 2));
    let ((Some(year), Some(month), Some(day)), (Some(hour), Some(minute), Some(second))) = (date, time)
    else {
        return false;
    };
    if marks.iter().any(|(at, mark)| bytes[*at] != *mark) || !text.is_ascii() {
        return false;
    }
    let days = telemetry::detect::days_in(year.into(), month);
    let valid = (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && hour < 24
        && minute < 60
        && second <= limits.last_second;
    let mut rest = &text[19..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=limits.fraction_digits).contains(&digits) {
            return false;
        }
        rest = &fraction[digits..];
    }
    valid && is_offset(rest)
}

fn is_offset(text: &str) -> bool {
    let Some((hours, minutes)) = text.strip_prefix(['+', '-']).and_then(|offset| offset.split_once(':'))
    else {
        return text == "Z";
    };
    let below = |part: &str, limit: u32| {
        part.len() == 2
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|n| n < limit)
    };
    below(hours, 24) && below(minutes, 60)
}

/// `-`, or elements in brackets; returns what is behind them.
fn structured<'a>(text: &'a str, message: &mut Message<'a>) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest);
    }
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix('[') {
        let (id, mut inner) = name(inner)?;
        if message.structured.iter().any(|(known, _)| *known == id) {
            return None;
        }
        let mut parameters = Vec::new();
        while let Some(from) = inner.strip_prefix(' ') {
            let (key, from) = name(from)?;
            let (value, from) = value(from.strip_prefix("=\"")?)?;
            parameters.push((key, value));
            inner = from;
        }
        message.structured.push((id, parameters));
        rest = inner.strip_prefix(']')?;
    }
    (!message.structured.is_empty()).then_some(rest)
}

/// SD-NAME.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_name = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'=' | b']' | b'"');
    let len = text.bytes().take_while(|b| is_name(b)).count();
    (1..=32).contains(&len).then(|| text.split_at(len))
}

/// Up to the quote that ends it. A backslash before anything but `"`, `\` and `]` is one (section 6.3.3).
fn value(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((&text[..at], &text[at + 1..])),
            b']' => return None,
            _ => {}
        }
    }
    None
}

/// What a parameter's value stands for.
pub(super) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('"' | '\\' | ']')) => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}
