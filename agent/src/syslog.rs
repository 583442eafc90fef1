//! Syslog over UDP (RFC 5426) and TCP (RFC 6587): RFC 5424 messages, and what
//! RFC 3164 describes. What is neither stays a plain line.

mod bsd;
mod drops;
mod frame;
mod ietf;
mod listen;
mod record;

pub(crate) use bsd::parse as parse_bsd;
pub(crate) use ietf::{parse as parse_ietf, parse_lenient};
pub(crate) use listen::Listener;
pub(crate) use record::draft as draft_of;

/// A message taken apart; `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Message<'a> {
    pub(crate) priority: u8,
    /// 0 for RFC 3164.
    pub(crate) version: u16,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) hostname: Option<&'a str>,
    pub(crate) appname: Option<&'a str>,
    pub(crate) procid: Option<&'a str>,
    pub(crate) msgid: Option<&'a str>,
    /// Elements with their parameters; values as they are on the wire.
    pub(crate) structured: Vec<(&'a str, Vec<(&'a str, &'a str)>)>,
    pub(crate) message: Option<&'a str>,
}

/// `<34>`: at most 191, without leading zeros.
fn priority(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    let valid = (1..=3).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    let value: u8 = digits.parse().ok().filter(|_| valid)?;
    (value <= 191).then_some((value, rest))
}

#[cfg(test)]
mod tests;
