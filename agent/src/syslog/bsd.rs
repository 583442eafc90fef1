//! What RFC 3164 describes: `<34>Oct 11 22:14:15 host tag[pid]: message`. Each
//! part behind the priority may be missing; the time may be RFC 3339 (rsyslog), with a year (Cisco) or fractions.

use super::{Message, priority};
use crate::detect::{Clock, leading_time};

/// Tags are 32 characters by the RFC; programs are less strict.
const MAX_TAG_BYTES: usize = 64;

/// Reads a whole message.
pub(crate) fn parse<'a>(text: &'a str, clock: &Clock<'_>) -> Option<Message<'a>> {
    let (priority, rest) = priority(text)?;
    let mut message = Message { priority, ..Message::default() };
    let mut rest = rest.trim_start_matches(' ');
    let end = leading_time(rest, clock)
        .map(|(_, end)| end)
        .filter(|end| rest[*end..].starts_with([' ', ':']) || rest.len() == *end);
    if let Some(end) = end {
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
    let (pid, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((pid, rest)) if pid.len() <= 128 => (Some(pid), rest),
        _ => (None, rest),
    };
    let behind = rest.strip_prefix(':')?;
    // `http://…` is no tag.
    (behind.is_empty() || behind.starts_with(' '))
        .then(|| (tag, pid, behind.strip_prefix(' ').unwrap_or(behind)))
}
