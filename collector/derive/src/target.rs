//! What a span calls, or hears from, as far as its attributes say: by the semantic conventions of OpenTelemetry, the
//! old names and the new ones.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use telemetry::Value;
use telemetry::otlp::{Span, SpanKind};

use crate::subject::EdgeKind;

/// The other end of a call without a span of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) kind: EdgeKind,
    pub(crate) name: &'a str,
    /// Stands behind the name after a slash; "" if there is none.
    pub(crate) namespace: &'a str,
}

/// The other end of a call that says nothing about it.
const UNKNOWN: &str = "unknown";

/// Attributes in the order in which they are believed.
#[derive(Default)]
struct Seen<'a> {
    database: [&'a str; 2],
    namespace: [&'a str; 2],
    messaging: &'a str,
    peer: [&'a str; 2],
    address: [&'a str; 7],
    url: [&'a str; 2],
}

impl<'a> Target<'a> {
    /// Of a span that calls or hears.
    pub(crate) fn of_span(span: &Span<'a>) -> Self {
        let seen = Seen::of_span(span);
        let peer = first(&seen.peer);
        let target = |kind, name| Self { kind, name, namespace: "" };
        let (database, namespace) = (first(&seen.database), first(&seen.namespace));
        if span.kind == SpanKind::Client && !database.is_empty() {
            return match peer {
                "" => Self { kind: EdgeKind::Database, name: database, namespace },
                peer => target(EdgeKind::Database, peer),
            };
        }
        if !seen.messaging.is_empty() {
            return target(EdgeKind::Messaging, if peer.is_empty() { seen.messaging } else { peer });
        }
        let names = [peer, first(&seen.address), host(first(&seen.url)), UNKNOWN];
        target(EdgeKind::External, first(&names))
    }
}

impl<'a> Seen<'a> {
    fn of_span(span: &Span<'a>) -> Self {
        let mut seen = Self::default();
        for (key, value) in span.attributes().iter() {
            let Value::Str(text) = value else { continue };
            let place = match key {
                "db.system.name" => &mut seen.database[0],
                "db.system" => &mut seen.database[1],
                "db.namespace" => &mut seen.namespace[0],
                "db.name" => &mut seen.namespace[1],
                "messaging.system" => &mut seen.messaging,
                "service.peer.name" => &mut seen.peer[0],
                "peer.service" => &mut seen.peer[1],
                "server.address" => &mut seen.address[0],
                "net.peer.name" => &mut seen.address[1],
                "peer.hostname" => &mut seen.address[2],
                "network.peer.address" => &mut seen.address[3],
                "net.sock.peer.addr" => &mut seen.address[4],
                "net.peer.ip" => &mut seen.address[5],
                "peer.ipv4" => &mut seen.address[6],
                "url.full" => &mut seen.url[0],
                "http.url" => &mut seen.url[1],
                _ => continue,
            };
            if place.is_empty() {
                *place = text;
            }
        }
        seen
    }
}

fn first<'a>(names: &[&'a str]) -> &'a str {
    names.iter().find(|name| !name.is_empty()).copied().unwrap_or_default()
}

/// Says that a span shares its id with its caller, as Zipkin's do.
const SHARED: &str = "zipkin.shared";

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(SHARED));

/// Whether a span shares its id with its caller. Few do, and to search all bytes for the key is quicker than to walk.
pub(crate) fn is_shared(span: &Span<'_>) -> bool {
    if FINDER.find(span.raw).is_none() {
        return false;
    }
    match span.attributes().get(SHARED) {
        Some(Value::Bool(is_shared)) => is_shared,
        Some(Value::Str(text)) => text == "true",
        _ => false,
    }
}

/// The host of a URL, without user, password and port.
fn host(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return "" };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some((address, _)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        return address;
    }
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use EdgeKind::{Database, External, Messaging};
    use telemetry::otlp::{SpanFields, write_span};

    fn check(kind: SpanKind, attributes: &[(&str, &str)], expected: (EdgeKind, &str, &str)) {
        let values: Vec<(&str, Value<'_>)> =
            attributes.iter().map(|(key, text)| (*key, Value::Str(text))).collect();
        let mut raw = Vec::new();
        write_span(&mut raw, &SpanFields { kind, attributes: &values, ..SpanFields::default() });
        let target = Target::of_span(&Span::of_valid(&raw));
        assert_eq!((target.kind, target.name, target.namespace), expected, "{attributes:?}");
    }

    #[test]
    fn old_and_new_conventions_name_the_other_end() {
        use SpanKind::{Client, Consumer, Producer};
        let (system, peer) = (("db.system", "mysql"), ("peer.service", "orders-db"));
        check(Client, &[system], (Database, "mysql", ""));
        check(Client, &[("db.name", "shop"), system], (Database, "mysql", "shop"));
        check(Client, &[system, ("db.system.name", "postgresql")], (Database, "postgresql", ""));
        check(Client, &[("db.system.name", "redis"), ("db.namespace", "3")], (Database, "redis", "3"));
        check(Client, &[system, ("db.name", "shop"), peer], (Database, "orders-db", ""));
        check(Producer, &[system], (External, "unknown", ""));
        check(Producer, &[("messaging.system", "kafka")], (Messaging, "kafka", ""));
        check(
            Consumer,
            &[("messaging.system", "kafka"), ("peer.service", "events")],
            (Messaging, "events", ""),
        );
        check(
            Client,
            &[("messaging.system", "rabbitmq"), ("server.address", "mq-1")],
            (Messaging, "rabbitmq", ""),
        );
        check(Client, &[], (External, "unknown", ""));
        check(Client, &[peer, ("server.address", "10.0.0.1")], (External, "orders-db", ""));
        check(Client, &[("url.full", "https://a.example/x"), ("server.address", "b")], (External, "b", ""));
        check(Client, &[("peer.hostname", "c"), ("net.peer.name", "b")], (External, "b", ""));
        check(Client, &[("net.peer.ip", "10.0.0.1"), ("peer.hostname", "c")], (External, "c", ""));
        check(Client, &[("http.url", "http://u:p@d.example:8080/x?y=z")], (External, "d.example", ""));
        check(
            Client,
            &[("server.address", ""), ("url.full", "https://e.example")],
            (External, "e.example", ""),
        );
        check(Client, &[("url.full", "nonsense")], (External, "unknown", ""));
    }

    #[test]
    fn hosts_are_cut_out_of_urls() {
        for (url, expected) in [
            ("http://[::1]:80/x", "::1"),
            ("http://a", "a"),
            ("http://a#b", "a"),
            ("http:///x", ""),
            ("a/b", ""),
            ("", ""),
            ("https://u@h:1@i:2/", "i"),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
