//! What RFC 3164 describes: `<34>Oct 11 22:14:15 host tag[pid]: message`. Each
//! part behind the priority may be missing; the time may be RFC 3339 (rsyslog), with a year (Cisco) or fractions.
//! IOS counts its messages and marks clocks that are not set: `<189>29: *Mar  1 18:48:50.483: %SYS-5-CONFIG_I: …`.

use telemetry::detect::{Clock, leading_time};

use super::{Message, priority};

/// Tags are 32 characters by the RFC; programs are less strict.
const MAX_TAG_BYTES: usize = 64;

/// Reads a whole message.
pub(crate) fn parse<'a>(text: &'a str, clock: &Clock<'_>) -> Option<Message<'a>> {
    let (priority, rest) = priority(text)?;
    let mut message = Message { priority, ..Message::default() };
    let rest = rest.trim_start_matches(' ');
    let mut rest = unnumbered(rest, clock).unwrap_or(rest);
    let unmarked = rest.strip_prefix(['*', '.']).filter(|behind| time_end(behind, clock).is_some());
    rest = unmarked.unwrap_or(rest);
    if let Some(end) = time_end(rest, clock) {
        message.timestamp = Some(&rest[..end]);
        rest = rest[end..].trim_start_matches(':').trim_start_matches(' ');
        // Without a time the first word is no host: a local program's message begins with its tag.
        if let Some((host, behind)) = rest.split_once(' ').filter(|(host, _)| is_host(host)) {
            message.hostname = Some(host);
            rest = behind.trim_start_matches(' ');
        }
    }
    if let Some((tag, pid, behind)) = tag(rest) {
        (message.appname, message.procid) = (Some(tag), pid);
        rest = behind;
    }
    message.message = (!rest.is_empty()).then_some(rest);
    Some(message)
}

/// Where a time at the start ends.
fn time_end(text: &str, clock: &Clock<'_>) -> Option<usize> {
    let (_, end) = leading_time(text, clock)?;
    (text[end..].starts_with([' ', ':']) || text.len() == end).then_some(end)
}

/// What is behind `29: `, a message's number: it would be another program with every message.
fn unnumbered<'a>(text: &'a str, clock: &Clock<'_>) -> Option<&'a str> {
    let (number, rest) = text.split_once(": ")?;
    let is_number = (1..=20).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    (is_number && time_end(text, clock).is_none()).then(|| rest.trim_start_matches(' '))
}

fn is_host(word: &str) -> bool {
    let named =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']' | b'/');
    let is_tag = word.ends_with(':') || word.ends_with(']');
    !word.is_empty() && word.len() <= 255 && word.bytes().all(named) && !is_tag
}

/// `tag[pid]: `, `tag: `
fn tag(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let named =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/' | b'@' | b'(' | b')');
    let len = text.bytes().take(MAX_TAG_BYTES).take_while(named).count();
    if len == 0 {
        return None;
    }
    let (tag, rest) = text.split_at(len);
    if tag.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (pid, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((pid, rest)) if pid.len() <= 128 => (Some(pid), rest),
        _ => (None, rest),
    };
    let behind = rest.strip_prefix(':')?;
    // `http://…` is no tag.
    (behind.is_empty() || behind.starts_with(' '))
        .then(|| (tag, pid, behind.strip_prefix(' ').unwrap_or(behind)))
}
