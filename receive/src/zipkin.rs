//! Zipkin's spans: `POST /api/v2/spans` in JSON or protobuf, `POST /api/v1/spans` in JSON, both also under `/zipkin`.
//! Answers are 202 without a body, or a reason in plain text.

use std::pin::Pin;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use telemetry::zipkin::{Report, ReportError, decode_json, decode_protobuf, decode_v1_json};
use telemetry::{Room, Signal};

use crate::budget::Lease;
use crate::gate::Gate;
use crate::http::{explain, refuse};
use crate::inflate::Encoding;
use crate::intake::{Decoded, Decoder, Taken};
use crate::limits::Limits;
use crate::loki::text;
use crate::problem::Problem;
use crate::server::Server;
use crate::sink::Sink;

/// Which of Zipkin's forms a path takes.
#[derive(Clone, Copy, Debug)]
enum Version {
    V1,
    V2,
}

/// Other methods of these paths are queries, which are not served here.
pub(crate) fn routes<S: Sink, G: Gate>(server: Arc<Server<S, G>>) -> Router {
    let spans = |version| {
        let server = Arc::clone(&server);
        post(move |request: Request| async move { answer(&server, version, request).await })
    };
    Router::new()
        .route("/api/v1/spans", spans(Version::V1))
        .route("/zipkin/api/v1/spans", spans(Version::V1))
        .route("/api/v2/spans", spans(Version::V2))
        .route("/zipkin/api/v2/spans", spans(Version::V2))
}

async fn answer<S: Sink, G: Gate>(server: &Server<S, G>, version: Version, request: Request) -> Response {
    server.count_request();
    let (mut parts, mut body) = request.into_parts();
    match take(server, version, &mut parts, &mut body).await {
        Ok(taken) => success(&taken),
        Err(problem) => {
            refuse(server, &problem, &parts.headers, body).await;
            let mut response = text(problem.verdict().http, &problem.to_string());
            explain(&problem, "Bearer", response.headers_mut());
            response
        }
    }
}

async fn take<S: Sink, G: Gate>(
    server: &Server<S, G>,
    version: Version,
    parts: &mut Parts,
    body: &mut Body,
) -> Result<Taken, Problem> {
    let sender = server.admit(parts)?;
    let decoder = decoder(version, &parts.headers)?;
    let encoding = Encoding::parse(parts.headers.get(header::CONTENT_ENCODING))?;
    let received = server.read(Pin::new(body), encoding).await?;
    server.take(sender, received, encoding, decoder).await
}

/// Without a content type it is JSON: so Zipkin takes it.
fn decoder(version: Version, headers: &HeaderMap) -> Result<Decoder, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    match (version, media_type.to_ascii_lowercase().as_slice()) {
        (Version::V2, b"" | b"application/json") => Ok(json),
        (Version::V2, b"application/x-protobuf" | b"application/protobuf") => Ok(protobuf),
        (Version::V1, b"" | b"application/json") => Ok(v1_json),
        _ => {
            let given = String::from_utf8_lossy(content_type).chars().take(80).collect();
            let instead = match version {
                Version::V1 => "send application/json here, or protobuf or JSON to /api/v2/spans",
                Version::V2 => "send application/json or application/x-protobuf",
            };
            Err(Problem::ContentType(given, instead))
        }
    }
}

fn json(body: Bytes, limits: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    decoded(decode_json(&body, limits.max_items, Room::new(&mut |bytes| lease.grow(bytes).is_ok())))
}

fn v1_json(body: Bytes, limits: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    decoded(decode_v1_json(&body, limits.max_items, Room::new(&mut |bytes| lease.grow(bytes).is_ok())))
}

fn protobuf(body: Bytes, limits: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    decoded(decode_protobuf(&body, limits.max_items, Room::new(&mut |bytes| lease.grow(bytes).is_ok())))
}

fn decoded(report: Result<Report, ReportError>) -> Result<Decoded, Problem> {
    match report {
        Ok(Report { payload, rejected, first_reason }) => {
            Ok(Decoded { rejected, first_reason, ..Decoded::otlp(Signal::Spans, Bytes::from(payload)) })
        }
        Err(ReportError::Malformed(reason)) => Err(Problem::Malformed(reason)),
        Err(error @ ReportError::TooMany(_)) => Err(Problem::TooMany(error.to_string())),
        Err(ReportError::NoRoom(_)) => Err(Problem::Busy),
    }
}

/// Zipkin knows no partial success: its senders log what a 400 says, and send nothing again.
fn success(taken: &Taken) -> Response {
    if taken.rejected == 0 {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::ACCEPTED;
        return response;
    }
    let Taken { accepted, rejected, first_reason, .. } = taken;
    let total = accepted + rejected;
    let first = first_reason.as_deref().unwrap_or("no reason was given");
    let message =
        format!("{rejected} of {total} spans were rejected, the others are stored; the first: {first}");
    text(StatusCode::BAD_REQUEST, &message)
}
