//! Loki's push: `POST /loki/api/v1/push` in protobuf (a snappy block) or JSON. Answers are
//! 204 without a body, or a reason in plain text.

use std::pin::Pin;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use telemetry::loki::{Push, PushError, PushLimits, decode_json, decode_protobuf};
use telemetry::{Room, Signal};

use crate::budget::Lease;
use crate::gate::Gate;
use crate::http::{explain, refuse};
use crate::inflate::{Encoding, unsnap};
use crate::intake::{Decoded, Decoder, Taken};
use crate::limits::Limits;
use crate::problem::Problem;
use crate::server::Server;
use crate::sink::Sink;

/// The one route.
pub(crate) fn routes<S: Sink, G: Gate>(server: Arc<Server<S, G>>) -> Router {
    let push = any(move |request: Request| async move { answer(&server, request).await });
    Router::new().route("/loki/api/v1/push", push)
}

async fn answer<S: Sink, G: Gate>(server: &Server<S, G>, request: Request) -> Response {
    server.count_request();
    let (mut parts, mut body) = request.into_parts();
    match push(server, &mut parts, &mut body).await {
        Ok(taken) => success(&taken),
        Err(problem) => {
            refuse(server, &problem, &parts.headers, body).await;
            let mut response = text(problem.verdict().http, &problem.to_string());
            explain(&problem, "Basic realm=\"narrows\"", response.headers_mut());
            response
        }
    }
}

async fn push<S: Sink, G: Gate>(
    server: &Server<S, G>,
    parts: &mut Parts,
    body: &mut Body,
) -> Result<Taken, Problem> {
    if parts.method != Method::POST {
        return Err(Problem::Method(parts.method.to_string()));
    }
    let sender = server.admit(parts)?;
    let decoder = decoder(&parts.headers)?;
    let encoding = Encoding::parse_for_loki(parts.headers.get(header::CONTENT_ENCODING))?;
    let received = server.read(Pin::new(body), encoding).await?;
    server.take(sender, received, encoding, decoder).await
}

/// Without a content type it is protobuf: so some clients send it, and Loki takes it.
fn decoder(headers: &HeaderMap) -> Result<Decoder, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    match media_type.to_ascii_lowercase().as_slice() {
        b"" | b"application/x-protobuf" => Ok(protobuf),
        b"application/json" => Ok(json),
        _ => {
            let given = String::from_utf8_lossy(content_type).chars().take(80).collect();
            Err(Problem::ContentType(given, "send application/x-protobuf or application/json"))
        }
    }
}

fn protobuf(body: Bytes, limits: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    let raw = unsnap(&body, limits, lease)?;
    decoded(decode_protobuf(&raw, &push_limits(limits), Room::new(&mut |bytes| lease.grow(bytes).is_ok())))
}

fn json(body: Bytes, limits: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    decoded(decode_json(&body, &push_limits(limits), Room::new(&mut |bytes| lease.grow(bytes).is_ok())))
}

fn push_limits(limits: &Limits) -> PushLimits {
    PushLimits {
        max_streams: limits.max_streams,
        max_entries: limits.max_items,
        max_labels: limits.max_labels,
        max_metadata: limits.max_attributes_per_record,
    }
}

fn decoded(push: Result<Push, PushError>) -> Result<Decoded, Problem> {
    match push {
        Ok(Push { payload, rejected, first_reason }) => {
            Ok(Decoded { rejected, first_reason, ..Decoded::otlp(Signal::Logs, Bytes::from(payload)) })
        }
        Err(PushError::Malformed(reason)) => Err(Problem::Malformed(reason)),
        Err(error @ PushError::TooMany { .. }) => Err(Problem::TooMany(error.to_string())),
        Err(PushError::NoRoom(_)) => Err(Problem::Busy),
    }
}

/// Loki answers 400 when it has left entries out and kept the others; its clients send neither again.
fn success(taken: &Taken) -> Response {
    if taken.rejected == 0 {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    let Taken { accepted, rejected, first_reason, .. } = taken;
    let total = accepted + rejected;
    let first = first_reason.as_deref().unwrap_or("no reason was given");
    let message =
        format!("{rejected} of {total} entries were rejected, the others are stored; the first: {first}");
    text(StatusCode::BAD_REQUEST, &message)
}

pub(crate) fn text(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(Body::from(format!("{message}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
