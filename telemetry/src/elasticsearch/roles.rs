//! Which members of a document mean what: the Elastic Common Schema first, then what other loggers write.

use std::borrow::Cow;

use super::value::Leaf;
use crate::{ids, moment, severity};

/// What a member can be for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Time,
    Body,
    Level,
    Service,
    Host,
    Trace,
    Span,
}

impl Slot {
    pub(super) const COUNT: usize = 7;
}

/// A slot, and how much the member is trusted with it: 0 is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) slot: Slot,
    pub(super) rank: u8,
    /// It stays an attribute, too: it was meant for something else as well.
    pub(super) stays: bool,
}

/// A value that fills its slot, under the name that it had.
#[derive(Debug)]
pub(super) struct Filled<'a> {
    pub(super) rank: u8,
    pub(super) stays: bool,
    /// It stands among the attributes already.
    pub(super) is_written: bool,
    pub(super) key: Cow<'a, str>,
    pub(super) leaf: Leaf<'a>,
}

/// The rank of `timestamp`, whose meaning is nobody's rule.
const GUESSED_TIME: u8 = 1;

/// What member `name` of the document means, or of its object `group`.
pub(super) fn role(group: &str, name: &str) -> Option<Role> {
    let role = |slot, rank| Some(Role { slot, rank, stays: false });
    let stays = |slot, rank| Some(Role { slot, rank, stays: true });
    match (group, name) {
        ("", "@timestamp") => role(Slot::Time, 0),
        ("", "timestamp") => stays(Slot::Time, GUESSED_TIME),
        ("", "message") => role(Slot::Body, 0),
        ("", "log") => role(Slot::Body, 1),
        ("", "msg") => role(Slot::Body, 2),
        ("", "log.level") | ("log", "level") => role(Slot::Level, 0),
        ("", "level") => role(Slot::Level, 1),
        ("", "severity") => role(Slot::Level, 2),
        ("", "loglevel" | "log_level" | "levelname" | "syslog_severity" | "lvl") => role(Slot::Level, 3),
        ("", "service.name") | ("service", "name") => role(Slot::Service, 0),
        ("", "service") => role(Slot::Service, 1),
        ("", "service_name") => stays(Slot::Service, 2),
        ("", "app" | "application" | "app_name" | "appname") => stays(Slot::Service, 3),
        ("", "programname" | "syslog_program") => stays(Slot::Service, 4),
        ("", "host.name") | ("host", "name") => role(Slot::Host, 0),
        ("", "host") => role(Slot::Host, 1),
        ("", "host.hostname") | ("host", "hostname") => stays(Slot::Host, 2),
        ("", "hostname") => stays(Slot::Host, 3),
        ("", "trace.id") | ("trace", "id") => role(Slot::Trace, 0),
        ("", "trace_id") => role(Slot::Trace, 1),
        ("", "span.id") | ("span", "id") => role(Slot::Span, 0),
        ("", "span_id") => role(Slot::Span, 1),
        _ => None,
    }
}

/// Whether `name` is an object some of whose members have a role.
pub(super) fn is_group(name: &str) -> bool {
    matches!(name, "log" | "service" | "host" | "trace" | "span")
}

/// Whether a value is what its slot needs; others stay attributes.
pub(super) fn fits(slot: Slot, rank: u8, leaf: &Leaf<'_>) -> bool {
    match slot {
        Slot::Time => time_ns(rank, leaf).is_some(),
        Slot::Level => level(leaf).is_some(),
        Slot::Body => !matches!(leaf, Leaf::Null),
        Slot::Service | Slot::Host => matches!(leaf, Leaf::Text(text) if !text.is_empty()),
        Slot::Trace => matches!(leaf, Leaf::Text(text) if ids::parse::<16>(text).is_some()),
        Slot::Span => matches!(leaf, Leaf::Text(text) if ids::parse::<8>(text).is_some()),
    }
}

/// The time that a member of this rank tells.
pub(super) fn time_ns(rank: u8, leaf: &Leaf<'_>) -> Option<u64> {
    if rank == GUESSED_TIME { guessed_ns(leaf) } else { defined_ns(leaf) }
}

/// RFC 3339, or milliseconds since 1970 as number or text.
fn defined_ns(leaf: &Leaf<'_>) -> Option<u64> {
    match leaf {
        Leaf::Text(text) => moment::parse(text)
            .or_else(|| text.parse().ok().and_then(|millis: i64| moment::of_millis(millis as f64))),
        Leaf::Int(millis) => u64::try_from(*millis).ok().filter(|millis| *millis > 0)?.checked_mul(1_000_000),
        Leaf::Double(millis) => moment::of_millis(*millis),
        Leaf::Bool(_) | Leaf::Null => None,
    }
}

/// The same, but a number of ten digits is seconds; what would be before 2001 was meant for something else. A record
/// of that time would be refused for good.
fn guessed_ns(leaf: &Leaf<'_>) -> Option<u64> {
    const START_OF_2001_NS: u64 = 978_307_200_000_000_000;
    let of_number = |number: f64| {
        let is_seconds = (1e9..1e10).contains(&number);
        moment::of_millis(if is_seconds { number * 1e3 } else { number })
    };
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let time_ns = match leaf {
        Leaf::Text(text) if text.bytes().all(is_digit) => text.parse().ok().and_then(of_number),
        Leaf::Text(text) => moment::parse(text),
        Leaf::Int(number) => of_number(*number as f64),
        Leaf::Double(number) => of_number(*number),
        Leaf::Bool(_) | Leaf::Null => None,
    };
    time_ns.filter(|time_ns| *time_ns >= START_OF_2001_NS)
}

/// A word, or a number of syslog (0 to 7) or of bunyan and pino (10 to 60); the number of OpenTelemetry and the word.
pub(super) fn level<'a>(leaf: &'a Leaf<'_>) -> Option<(u8, &'a str)> {
    const SYSLOG: [u8; 8] = [21, 19, 18, 17, 13, 10, 9, 5];
    let number = match leaf {
        Leaf::Text(text) => match severity::parse(text) {
            Some(number) => return Some((number, text)),
            None => text.parse().ok()?,
        },
        Leaf::Int(number) => *number,
        _ => return None,
    };
    let syslog = usize::try_from(number).ok().and_then(|number| SYSLOG.get(number).copied());
    let severity = syslog.or(match number {
        10 => Some(1),
        20 => Some(5),
        30 => Some(9),
        40 => Some(13),
        50 => Some(17),
        60 => Some(21),
        _ => None,
    });
    severity.map(|number| (number, ""))
}
