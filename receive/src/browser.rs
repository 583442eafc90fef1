//! Rules that keep web pages from writing: a page that a person on this host
//! visits can send requests to loopback, but cannot choose `Host`, hide `Origin`
//! or set another content type than a form's without a preflight.

use ::http::{HeaderMap, HeaderName, header};

use crate::gate::{Denied, RequestHead};

/// Names that need no configuration: loopback, as a browser spells it.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses a `Host` that is neither loopback nor one of `allowed_hosts` (DNS rebinding), an `Origin`
/// other than the host itself, and `text/plain` bodies. A missing `Host` is refused too.
///
/// `allowed_hosts` are names without a port; a request may name any port.
pub fn check_browser_rules(head: &RequestHead<'_>, allowed_hosts: &[String]) -> Result<(), Denied> {
    let host = header_text(head.headers, header::HOST)?.unwrap_or_default();
    let name = split_port(host).0;
    let known = LOOPBACK.into_iter().chain(allowed_hosts.iter().map(String::as_str));
    if name.is_empty() || !known.into_iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(forbidden(format!("the host {:?} is not an allowed name of this server", short(host))));
    }
    if let Some(origin) = header_text(head.headers, header::ORIGIN)?
        && !is_same_host(origin, host)
    {
        return Err(forbidden(format!("requests from pages of {:?} are not allowed here", short(origin))));
    }
    let content_type = header_text(head.headers, header::CONTENT_TYPE)?.unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("text/plain") {
        return Err(forbidden("bodies of type text/plain are not taken here".to_owned()));
    }
    Ok(())
}

/// A header's text; one that stands twice, or is not ASCII, is refused: which of them counts would be a guess.
fn header_text(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Denied> {
    let mut values = headers.get_all(&name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(&name) {
            Err(forbidden(format!("the header {name} stands twice")))
        } else {
            Ok(None)
        };
    };
    value.to_str().map(Some).map_err(|_| forbidden(format!("the header {name} is not plain ASCII")))
}

/// Whether `scheme://host[:port]` names the host and port that the request was sent to. The scheme
/// is not compared: behind a proxy that ends TLS it differs.
fn is_same_host(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    let (origin_name, origin_port) = split_port(authority);
    let (host_name, host_port) = split_port(host);
    origin_name.eq_ignore_ascii_case(host_name)
        && origin_port.unwrap_or(default_port) == host_port.unwrap_or(default_port)
}

/// `[::1]:80` → (`[::1]`, `80`); what is no port stays in the name, which then matches nothing.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (!name.starts_with('[') || name.ends_with(']')) => {
            (name, Some(port))
        }
        _ => (authority, None),
    }
}

fn forbidden(reason: String) -> Denied {
    Denied::Forbidden { reason }
}

fn short(text: &str) -> &str {
    let end = text.char_indices().nth(80).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &str)]) -> Result<(), String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let head = RequestHead::new(&map, None);
        check_browser_rules(&head, &["logs.example.org".to_owned()]).map_err(|denied| denied.to_string())
    }

    #[test]
    fn allowed_hosts_pass_with_any_port() {
        for host in
            ["localhost", "LocalHost:7070", "127.0.0.1:1", "[::1]:4318", "[::1]", "logs.example.org:443"]
        {
            assert_eq!(check(&[("host", host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn other_hosts_are_refused_by_name() {
        let hosts = [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "localhost:x",
            "[::1",
            "::1",
            "localhost:80:80",
        ];
        for host in hosts {
            let refused = check(&[("host", host)]).unwrap_err();
            assert!(refused.contains(&format!("{host:?}")), "{refused}");
        }
        assert!(check(&[]).is_err(), "no host at all");
        assert!(check(&[("host", "localhost"), ("host", "evil.example")]).is_err());
    }

    #[test]
    fn only_the_own_origin_passes() {
        let cases = [
            ("localhost:7070", "http://localhost:7070", true),
            ("localhost", "http://localhost", true),
            ("localhost:80", "http://localhost", true),
            ("logs.example.org", "https://logs.example.org", true),
            ("logs.example.org", "https://logs.example.org:443", true),
            ("localhost:7070", "http://localhost:3000", false),
            ("localhost:7070", "http://127.0.0.1:7070", false),
            ("localhost:7070", "https://evil.example", false),
            ("localhost:7070", "null", false),
            ("localhost:7070", "file://localhost:7070", false),
            ("localhost:7070", "", false),
        ];
        for (host, origin, passes) in cases {
            assert_eq!(check(&[("host", host), ("origin", origin)]).is_ok(), passes, "{origin} at {host}");
        }
    }

    #[test]
    fn form_bodies_are_refused() {
        assert!(check(&[("host", "localhost"), ("content-type", "Text/Plain; charset=utf-8")]).is_err());
        assert_eq!(check(&[("host", "localhost"), ("content-type", "application/json")]), Ok(()));
    }
}
