//! Elasticsearch's ingestion under `/elasticsearch`: `_bulk`, `_doc`, `_create`, and the questions that its
//! shippers ask before they send. Nothing is searched here.

mod answer;
mod filter;
mod handshake;
mod items;
mod store;

use std::pin::Pin;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, Method, header};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use telemetry::elasticsearch::Op;

use crate::gate::Gate;
use crate::http::refuse;
use crate::inflate::Encoding;
use crate::problem::Problem;
use crate::server::Server;
use crate::sink::Sink;
use answer::Media;
use handshake::Handshake;
use store::Target;

/// Where it all stands.
const PREFIX: &str = "/elasticsearch";

/// One route for everything below the prefix: an index may have any name.
pub(crate) fn routes<S: Sink, G: Gate>(server: Arc<Server<S, G>>) -> Router {
    let all = any(move |request: Request| async move { answer(&server, request).await });
    Router::new()
        .route("/elasticsearch", all.clone())
        .route("/elasticsearch/", all.clone())
        .route("/elasticsearch/{*path}", all)
}

/// What a request asks for.
#[derive(Debug, PartialEq)]
enum Asked {
    /// To store one document or many.
    Store(Target),
    /// To make what was stored visible.
    Refresh,
    /// Something that shippers want to know or to set up.
    Handshake(Handshake),
}

async fn answer<S: Sink, G: Gate>(server: &Server<S, G>, request: Request) -> Response {
    server.count_request();
    let (mut parts, mut body) = request.into_parts();
    let media = Media::of(&parts.headers);
    match serve(server, &mut parts, &mut body, media).await {
        Ok(response) => response,
        Err(problem) => {
            refuse(server, &problem, &parts.headers, body).await;
            answer::refusal(&problem, &parts.method, parts.uri.path(), media)
        }
    }
}

async fn serve<S: Sink, G: Gate>(
    server: &Server<S, G>,
    parts: &mut Parts,
    body: &mut Body,
    media: Media,
) -> Result<Response, Problem> {
    let sender = server.admit(parts)?;
    match asked(&parts.method, parts.uri.path())? {
        Asked::Store(target) => {
            let options = store::Options::read(parts.uri.query())?;
            check_content_type(&parts.headers)?;
            let encoding = Encoding::parse(parts.headers.get(header::CONTENT_ENCODING))?;
            let received = server.read(Pin::new(body), encoding).await?;
            server.store(sender, received, encoding, target, options, media).await
        }
        Asked::Refresh => {
            server.sink.wait_visible().await;
            Ok(answer::json(&handshake::shards(), media))
        }
        Asked::Handshake(handshake) => {
            // A template or policy is not kept, but a client that sends it wants to see it taken.
            server.read(Pin::new(body), Encoding::Identity).await?;
            Ok(handshake.answer(&parts.headers, media))
        }
    }
}

/// The path below the prefix.
fn segments(path: &str) -> Vec<String> {
    let below = path.strip_prefix(PREFIX).unwrap_or(path);
    below.split('/').filter(|segment| !segment.is_empty()).map(unescape).collect()
}

/// The methods of a path where another one was sent.
fn allowed(path: &str) -> &'static str {
    let segments = segments(path);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.last() {
        _ if target(&segments).is_some() => "POST, PUT",
        Some(&"_refresh") => "GET, POST",
        _ => "GET, HEAD, PUT",
    }
}

/// What the method and the path below the prefix mean.
fn asked(method: &Method, path: &str) -> Result<Asked, Problem> {
    let segments = segments(path);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let Some(target) = target(&segments) {
        return match *method {
            Method::POST | Method::PUT => Ok(Asked::Store(target)),
            _ => Err(Problem::Method(method.to_string())),
        };
    }
    match (method, segments.as_slice()) {
        (&Method::POST | &Method::GET, ["_refresh"] | [_, "_refresh"]) => Ok(Asked::Refresh),
        (_, ["_refresh"] | [_, "_refresh"]) => Err(Problem::Method(method.to_string())),
        _ => Handshake::read(method, &segments).map(Asked::Handshake),
    }
}

/// The paths that documents are sent to. rsyslog has a type of the user's choice where others have `_doc`.
fn target(segments: &[&str]) -> Option<Target> {
    let is_name = |segment: &str| !segment.starts_with('_');
    let one = |op, index: &str, id: Option<&str>| {
        Some(Target::One { op, index: index.to_owned(), id: id.map(str::to_owned) })
    };
    match *segments {
        ["_bulk"] => Some(Target::Bulk { index: None }),
        [index, "_bulk"] if is_name(index) => Some(Target::Bulk { index: Some(index.to_owned()) }),
        [index, _, "_bulk"] if is_name(index) => Some(Target::Bulk { index: Some(index.to_owned()) }),
        [index, "_doc"] if is_name(index) => one(Op::Index, index, None),
        [index, "_doc", id] if is_name(index) => one(Op::Index, index, Some(id)),
        [index, "_create", id] if is_name(index) => one(Op::Create, index, Some(id)),
        [index, kind] if is_name(index) && is_name(kind) => one(Op::Index, index, None),
        _ => None,
    }
}

/// Percent-encoded bytes of a path as they are meant: date math in index names comes so.
fn unescape(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let digits = pair.filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// JSON under all the names that it has in Elasticsearch's clients.
fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let taken: [&[u8]; 4] = [
        b"application/json",
        b"application/x-ndjson",
        b"application/vnd.elasticsearch+json",
        b"application/vnd.elasticsearch+x-ndjson",
    ];
    if taken.iter().any(|taken| media_type.eq_ignore_ascii_case(taken)) {
        return Ok(());
    }
    let given = String::from_utf8_lossy(content_type).chars().take(80).collect();
    Err(Problem::ContentType(given, "send application/json or application/x-ndjson"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_mean_what_they_mean_in_elasticsearch() {
        let bulk = |index: Option<&str>| Asked::Store(Target::Bulk { index: index.map(str::to_owned) });
        let one = |op, index: &str, id: Option<&str>| {
            Asked::Store(Target::One { op, index: index.to_owned(), id: id.map(str::to_owned) })
        };
        let cases = [
            ("POST", "/_bulk", bulk(None)),
            ("PUT", "//_bulk/", bulk(None)),
            ("POST", "/logs-a/_bulk", bulk(Some("logs-a"))),
            ("POST", "/logs-a/_doc/_bulk", bulk(Some("logs-a"))),
            ("POST", "/%3Clogs-%7Bnow%2Fd%7D%3E/_bulk", bulk(Some("<logs-{now/d}>"))),
            ("POST", "/logs-a/_doc", one(Op::Index, "logs-a", None)),
            ("PUT", "/logs-a/_doc/a%20b", one(Op::Index, "logs-a", Some("a b"))),
            ("PUT", "/logs-a/_create/1", one(Op::Create, "logs-a", Some("1"))),
            ("POST", "/system/events", one(Op::Index, "system", None)),
            ("POST", "/100%/_doc", one(Op::Index, "100%", None)),
            ("POST", "/_refresh", Asked::Refresh),
            ("GET", "/logs-a/_refresh", Asked::Refresh),
            ("GET", "", Asked::Handshake(Handshake::Root)),
            ("HEAD", "/", Asked::Handshake(Handshake::Root)),
        ];
        for (method, path, expected) in cases {
            let asked = asked(&method.parse().unwrap(), &format!("/elasticsearch{path}"));
            assert_eq!(asked, Ok(expected), "{method} {path}");
        }
        for (method, path) in
            [("GET", "/_bulk"), ("DELETE", "/a/_doc/1"), ("DELETE", "/_refresh"), ("DELETE", "/a")]
        {
            let asked = asked(&method.parse().unwrap(), &format!("/elasticsearch{path}"));
            assert!(matches!(asked, Err(Problem::Method(_))), "{method} {path}: {asked:?}");
        }
        for (method, path) in
            [("POST", "/_search"), ("GET", "/a/_search"), ("GET", "/_nothing"), ("GET", "/a/_doc/1/x")]
        {
            let asked = asked(&method.parse().unwrap(), &format!("/elasticsearch{path}"));
            assert!(matches!(asked, Err(Problem::NotServed(_))), "{method} {path}: {asked:?}");
        }
    }
}
