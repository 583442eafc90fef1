//! A message as a log record.

use std::net::IpAddr;

use telemetry::detect::{Clock, detect, moment};
use telemetry::otlp::Any;

use super::ietf::unescape;
use super::{Message, parse_bsd, parse_ietf, parse_lenient};
use crate::draft::Draft;
use crate::lines::{Format, parse};

/// RFC 5424, table 1, as syslog.conf(5) writes them.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];
/// By severity, as the Logs Data Model's appendix B maps them.
const SEVERITIES: [(u8, &str); 8] = [
    (21, "emerg"),
    (19, "alert"),
    (18, "crit"),
    (17, "err"),
    (13, "warning"),
    (10, "notice"),
    (9, "info"),
    (5, "debug"),
];

/// Who has written a message: its resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) host: Option<String>,
    pub(crate) app: Option<String>,
}

/// The record, who wrote it, and whether the message was one.
pub(crate) fn draft<'a>(text: &'a str, peer: Option<IpAddr>, clock: &Clock<'_>) -> (Draft<'a>, Origin, bool) {
    let message = parse_ietf(text).or_else(|| parse_lenient(text)).or_else(|| parse_bsd(text, clock));
    let is_message = message.is_some();
    let (mut draft, origin) = match &message {
        Some(message) => of_message(message, clock),
        None => {
            let found = detect(text, clock);
            let (number, word) = (found.severity_number, found.severity_text.into());
            let draft = Draft {
                time_ns: found.time_ns,
                severity_number: number,
                severity_text: word,
                ..Draft::of_body(text)
            };
            (draft, Origin::default())
        }
    };
    if let Some(peer) = peer {
        draft.add_text("network.peer.address", peer.to_string());
    }
    let host = origin.host.or_else(|| peer.filter(|peer| !peer.is_loopback()).map(|peer| peer.to_string()));
    (draft, Origin { host, ..origin }, is_message)
}

fn of_message<'a>(message: &Message<'a>, clock: &Clock<'_>) -> (Draft<'a>, Origin) {
    let text = message.message.unwrap_or("");
    // RFC 5424, section 6.4: the mark says that it is UTF-8, and is not part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut draft = parse(text, Format::Auto, clock);
    if let Some(mut time_ns) = message.timestamp.and_then(|time| moment(time, clock)) {
        clock.doubt(&mut time_ns);
        draft.time_ns = if time_ns > 0 { time_ns } else { draft.time_ns };
    }
    // What a line of JSON says itself is meant; a word in a text may be any.
    if draft.severity_number == 0 || draft.attributes.is_empty() {
        let (number, word) = SEVERITIES[usize::from(message.priority % 8)];
        (draft.severity_number, draft.severity_text) = (number, word.into());
    }
    draft.add_text("syslog.facility", FACILITIES[usize::from(message.priority / 8)]);
    match message.procid.map(|id| (id, id.parse::<u32>())) {
        Some((_, Ok(pid))) => draft.add("process.pid", Any::Int(pid.into())),
        Some((id, Err(_))) => draft.add_text("syslog.procid", id),
        None => {}
    }
    if let Some(id) = message.msgid {
        draft.add_text("syslog.msgid", id);
    }
    for (id, parameters) in &message.structured {
        for (key, value) in parameters {
            draft.add(format!("syslog.{id}.{key}"), Any::Str(unescape(value).into()));
        }
    }
    let own = |text: &str| text.to_owned();
    (draft, Origin { host: message.hostname.map(own), app: message.appname.map(own) })
}
