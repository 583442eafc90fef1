//! Access logs in the common and combined formats, as nginx and Apache write
//! them, by OpenTelemetry's semantic conventions for HTTP.
//!
//! The body stays the whole line. Several addresses before the user (a proxy's `X-Forwarded-For`), a virtual host in
//! front and fields behind the user agent are taken as they come.

use std::borrow::Cow;

use telemetry::detect::{Clock, moment};
use telemetry::otlp::Any;

use crate::draft::Draft;

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"];

/// Whether the line has a date in brackets with a request behind it.
pub(crate) fn is_likely(line: &str) -> bool {
    date(line).is_some()
}

/// Where the bracket of `[25/Nov/2026:10:17:39 +0000] "` opens and where it closes.
fn date(line: &str) -> Option<(usize, usize)> {
    let head = &line.as_bytes()[..line.len().min(1024)];
    let open = memchr::memmem::find(head, b" [")? + 1;
    let inner = head.get(open + 1..)?;
    if inner.get(2) != Some(&b'/') || inner.get(6) != Some(&b'/') || inner.get(11) != Some(&b':') {
        return None;
    }
    let close = open + 1 + memchr::memchr(b']', inner)?;
    line[close..].starts_with("] \"").then_some((open, close))
}

/// Reads a whole line; `None` leaves it plain.
pub(crate) fn parse<'a>(line: &'a str, clock: &Clock<'_>) -> Option<Draft<'a>> {
    let (open, close) = date(line)?;
    let time_ns = moment(&line[open + 1..close], clock)?;
    let mut draft = Draft { time_ns, ..Draft::of_body(line) };
    client(&mut draft, line[..open].trim_end())?;
    let (request, rest) = quoted(&line[close + 2..])?;
    let mut words = rest.strip_prefix(' ')?.splitn(3, ' ');
    let status: u16 = words.next()?.parse().ok().filter(|status| (100..1000).contains(status))?;
    let size = words.next()?;
    request_line(&mut draft, request);
    draft.add("http.response.status_code", Any::Int(status.into()));
    match size {
        "-" => {}
        size => draft.add("http.response.body.size", Any::Int(size.parse().ok().filter(|size| *size >= 0)?)),
    }
    if let Some(rest) = words.next() {
        headers(&mut draft, rest);
    }
    (draft.severity_number, draft.severity_text) = match status {
        500.. => (17, "".into()),
        400.. => (13, "".into()),
        _ => (9, "".into()),
    };
    Some(draft)
}

/// `host:443 10.0.0.2, 10.0.0.1 - alice`: perhaps a host, addresses, identity, user.
fn client<'a>(draft: &mut Draft<'a>, text: &'a str) -> Option<()> {
    let (rest, user) = text.rsplit_once(' ')?;
    let (rest, _identity) = rest.rsplit_once(' ')?;
    let mut addresses = rest.split([' ', ',', '"']).filter(|word| !word.is_empty());
    let first = addresses.next()?;
    let host = first.rsplit_once(':').filter(|(host, port)| {
        // An IPv6 address has more than one colon.
        !host.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty()
    });
    let client = match (host, addresses.next()) {
        (Some((host, port)), Some(client)) => {
            draft.add_text("server.address", host);
            draft.add("server.port", Any::Int(port.parse().ok()?));
            client
        }
        _ => first,
    };
    draft.add_text("client.address", client);
    if user != "-" && !user.is_empty() {
        draft.add_text("user.name", user);
    }
    Some(())
}

/// `GET /path?query HTTP/1.1`; anything else is what a scanner or a TLS client has sent, and stays in the body.
fn request_line<'a>(draft: &mut Draft<'a>, request: Cow<'a, str>) {
    let Some(request) = Request::parse(&request) else { return };
    if METHODS.contains(&request.method) {
        draft.add("http.request.method", Any::Str(request.method.to_owned().into()));
    } else {
        draft.add_text("http.request.method", "_OTHER");
        draft.add_text("http.request.method_original", request.method.to_owned());
    }
    let (path, query) = match request.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (request.target, None),
    };
    draft.add_text("url.path", path.to_owned());
    if let Some(query) = query {
        draft.add_text("url.query", query.to_owned());
    }
    if let Some(version) = request.version {
        draft.add_text("network.protocol.version", version.to_owned());
    }
}

struct Request<'r> {
    method: &'r str,
    target: &'r str,
    version: Option<&'r str>,
}

impl<'r> Request<'r> {
    fn parse(line: &'r str) -> Option<Self> {
        let (method, rest) = line.split_once(' ')?;
        let (target, version) = match rest.rsplit_once(" HTTP/") {
            Some((target, version)) => (target, Some(version)),
            None => (rest, None),
        };
        let valid = !method.is_empty() && method.len() <= 32 && !target.is_empty();
        let named = method.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'_');
        (valid && named).then_some(Self { method, target, version })
    }
}

/// `"referer" "user agent"`, and behind them what nginx's `main` format adds: the forwarded addresses.
fn headers<'a>(draft: &mut Draft<'a>, rest: &'a str) {
    let mut rest = rest;
    for key in ["http.request.header.referer", "user_agent.original", "http.request.header.x-forwarded-for"] {
        let Some((value, behind)) = quoted(rest) else { return };
        rest = behind.trim_start_matches(' ');
        if matches!(&*value, "-" | "") {
            continue;
        }
        // Headers may come more than once: their attributes are lists.
        let value =
            if key.starts_with("http.") { Any::Array(vec![Any::Str(value)]) } else { Any::Str(value) };
        draft.add(key, value);
    }
}

/// What stands in quotes at the start, and what stands behind. Apache escapes quotes, nginx writes `\x22`.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let inner = text.strip_prefix('"')?;
    let bytes = inner.as_bytes();
    let mut at = 0;
    let mut escaped = false;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            break;
        }
        escaped = true;
        at += 2;
    }
    let raw = &inner[..at];
    let value = if escaped { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) };
    Some((value, &inner[at + 1..]))
}

fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let from = &rest[at + 1..];
        let hex = from.strip_prefix('x').and_then(|hex| hex.get(..2));
        let code = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        rest = match (from.chars().next(), code) {
            (Some('x'), Some(code)) => {
                out.push(char::from(code));
                &from[3..]
            }
            (Some(c @ ('"' | '\\')), _) => {
                out.push(c);
                &from[1..]
            }
            _ => {
                out.push('\\');
                from
            }
        };
    }
    out.push_str(rest);
    out
}
