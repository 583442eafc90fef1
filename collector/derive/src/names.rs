//! What a span's operation is called: its name without what is different in each call. A pure function, so that the
//! same name is the same series everywhere.

use std::borrow::Cow;

use telemetry::Value;
use telemetry::otlp::Span;

/// What stands for an id in a path.
const ID: &str = "{id}";

/// The operation of a span without a name.
const UNNAMED: &str = "unnamed";

/// The operation of a span, from its name and, where that is but a method, its route.
pub(crate) fn operation(name: &str, route: &str, max_bytes: usize) -> String {
    let mut operation = match (name, route) {
        ("", route) => normalise(route).into_owned(),
        (name, "") => normalise(name).into_owned(),
        (name, route) => format!("{} {}", name.strip_prefix("HTTP ").unwrap_or(name), normalise(route)),
    };
    if operation.is_empty() {
        operation.push_str(UNNAMED);
    }
    cut(&mut operation, max_bytes);
    operation
}

/// The route of a span whose name is but a method, "" for others: `http.route`, else `url.template`.
pub(crate) fn route_of<'a>(span: &Span<'a>) -> &'a str {
    if !is_method(span.name) {
        return "";
    }
    let mut template = "";
    for (key, value) in span.attributes().iter() {
        match (key, value) {
            ("http.route", Value::Str(route)) if !route.is_empty() => return route,
            ("url.template", Value::Str(text)) => template = text,
            _ => {}
        }
    }
    template
}

fn is_method(name: &str) -> bool {
    let method = name.strip_prefix("HTTP ").unwrap_or(name);
    matches!(
        method,
        "" | "GET"
            | "POST"
            | "PUT"
            | "PATCH"
            | "DELETE"
            | "HEAD"
            | "OPTIONS"
            | "CONNECT"
            | "TRACE"
            | "QUERY"
            | "HTTP"
            | "_OTHER"
    )
}

/// Makes a text as short as a label may be, at the end of a character.
pub(crate) fn cut(text: &mut String, max_bytes: usize) {
    text.truncate(text.floor_char_boundary(max_bytes));
}

/// Puts `{id}` for numbers, UUIDs, long hexadecimal and other ids in the segments of paths, and leaves out a path's
/// query. Words without a slash stay as they are.
pub(crate) fn normalise(name: &str) -> Cow<'_, str> {
    if !name.bytes().any(|byte| byte == b'/') {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    push_normal(&mut out, name);
    if out == name { Cow::Borrowed(name) } else { Cow::Owned(out) }
}

/// Whether a name may be another in each call: it is a path, and has what most ids have.
pub(crate) fn is_varying(name: &str) -> bool {
    let (mut is_path, mut is_odd) = (false, false);
    for byte in name.bytes() {
        is_path |= byte == b'/';
        is_odd |= byte.is_ascii_digit() || matches!(byte, b'?' | b'#' | b'@');
    }
    is_path && is_odd
}

/// Appends a name without its ids.
pub(crate) fn push_normal(out: &mut String, name: &str) {
    for (at, word) in name.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        if word.contains('/') {
            push_path(out, word);
        } else {
            out.push_str(word);
        }
    }
}

fn push_path(out: &mut String, path: &str) {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        push_segment(out, segment);
    }
}

fn push_segment(out: &mut String, segment: &str) {
    if is_id(segment) {
        return out.push_str(ID);
    }
    let is_ending =
        |end: &str| !end.is_empty() && end.len() <= 5 && end.bytes().all(|b| b.is_ascii_lowercase());
    if let Some((stem, ending)) = segment.rsplit_once('.')
        && is_ending(ending)
        && is_id(stem)
    {
        out.push_str(ID);
        out.push('.');
        return out.push_str(ending);
    }
    // `order-12345`: the word stays, so that what it is stays readable.
    if let Some(at) = segment.rfind(['-', '_', ':', '='])
        && is_number(&segment[at + 1..])
        && segment.len() - at > 3
    {
        out.push_str(&segment[..=at]);
        return out.push_str(ID);
    }
    out.push_str(segment);
}

fn is_id(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return segment.contains('@') || (bytes.len() >= 16 && bytes.iter().all(u8::is_ascii_hexdigit));
    }
    let is_hex = bytes.len() >= 8 && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let is_token = bytes.len() >= 16
        && digits >= 4
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='));
    is_number(segment) || is_hex || is_token || segment.contains('@')
}

/// Digits, maybe with signs between them: `42`, `-1`, `2024-01-31`, `10.0.0.1`.
fn is_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b',' | b':' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_in_paths_become_one() {
        let cases = [
            ("", ""),
            ("checkout", "checkout"),
            ("SELECT orders 42", "SELECT orders 42"),
            ("/", "/"),
            ("GET /", "GET /"),
            ("GET /users/42", "GET /users/{id}"),
            ("GET /users/42/orders/7/", "GET /users/{id}/orders/{id}/"),
            ("GET /users/-1?page=2#top", "GET /users/{id}"),
            ("/orders/123e4567-e89b-12d3-a456-426614174000", "/orders/{id}"),
            ("/blobs/9f86d081884c7d65", "/blobs/{id}"),
            ("/blobs/9f86d081", "/blobs/{id}"),
            ("/deadbeefdeadbeefdeadbeef", "/{id}"),
            ("/decade/facade/feedface", "/decade/facade/feedface"),
            ("/v1/traces", "/v1/traces"),
            ("/api/v2/s3/x86_64/utf8", "/api/v2/s3/x86_64/utf8"),
            ("/charges/ch_3MqLiJLkdIwHu7ix0snN0B15", "/charges/{id}"),
            ("/ulid/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/ulid/{id}"),
            ("/order-12345/pay", "/order-{id}/pay"),
            ("/eu-west-1/zone", "/eu-west-1/zone"),
            ("/users/me@example.com", "/users/{id}"),
            ("/img/123456.png", "/img/{id}.png"),
            ("/img/logo.png", "/img/logo.png"),
            ("/report/2024-01-31", "/report/{id}"),
            ("/host/10.0.0.1", "/host/{id}"),
            ("/users/{userId}/:id/*", "/users/{userId}/:id/*"),
            ("/shop.Cart/AddItem", "/shop.Cart/AddItem"),
            ("//7//", "//{id}//"),
            ("/stra\u{df}e/\u{661}", "/stra\u{df}e/\u{661}"),
        ];
        for (name, expected) in cases {
            assert_eq!(normalise(name), expected, "{name}");
        }
    }

    #[test]
    fn a_method_gets_its_route() {
        let cases = [
            ("GET", "/users/:id", "GET /users/:id"),
            ("HTTP GET", "/users/{id}", "GET /users/{id}"),
            ("HTTP", "/users/17", "HTTP /users/{id}"),
            ("", "/x", "/x"),
            ("", "", "unnamed"),
            ("GET", "", "GET"),
            ("GET /users/17", "", "GET /users/{id}"),
            (
                "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}",
                "",
                "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}",
            ),
        ];
        for (name, route, expected) in cases {
            assert_eq!(operation(name, route, 16), expected, "{name} {route}");
        }
    }

    proptest! {
        #[test]
        fn what_is_normal_stays(name in "[a-z0-9/ .:@?_-]{0,40}|.{0,20}") {
            let once = normalise(&name).into_owned();
            prop_assert_eq!(normalise(&once), &*once);
        }
    }
}
