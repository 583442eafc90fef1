//! OTLP/gRPC: `LogsService/Export`, `MetricsService/Export` and `TraceService/Export` on raw bytes.
//!
//! The unary call is framed here and not by tonic's codec: that one has a single
//! cap for a message's wire and plain size, answers a message over it with the
//! retryable OUT_OF_RANGE, and decompresses on the async threads. Status codes,
//! metadata and routing are tonic's.

use std::pin::Pin;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use tonic::Status;
use tonic::service::Routes;

use crate::gate::Gate;
use crate::inflate::Encoding;
use crate::intake::{self, Decoder, Received, Taken};
use crate::problem::Problem;
use crate::remote_write;
use crate::reply::{self, Items};
use crate::server::Server;
use crate::sink::Sink;

/// A message's flag and length in front of it.
const PREFIX_BYTES: usize = 5;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");

/// The routes of OTLP/gRPC: logs, metrics and traces; everything else is answered UNIMPLEMENTED. Remote write is served
/// here too, as what it is: an agent sends its samples over the connection that it has.
pub fn grpc_routes<S: Sink, G: Gate>(server: Arc<Server<S, G>>) -> Routes {
    let exports = |items, decoder: Decoder| {
        let server = Arc::clone(&server);
        any(move |request: Request| async move { answer(&server, items, decoder, request).await })
    };
    let logs = exports(Items::LogRecords, intake::logs_protobuf);
    let metrics = exports(Items::DataPoints, intake::metrics_protobuf);
    let traces = exports(Items::Spans, intake::traces_protobuf);
    let remote_write = remote_write::routes(Arc::clone(&server));
    let other = move |request: Request| async move { refuse_service(&server, &request) };
    let router = axum::Router::new()
        .route("/opentelemetry.proto.collector.logs.v1.LogsService/Export", logs)
        .route("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", metrics)
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", traces)
        .merge(remote_write)
        .fallback(other);
    Routes::from(router)
}

async fn answer<S: Sink, G: Gate>(
    server: &Server<S, G>,
    items: Items,
    decoder: Decoder,
    request: Request,
) -> Response {
    server.count_request();
    match export(server, decoder, request).await {
        Ok(taken) => success(&taken, items),
        Err(problem) => {
            server.count_refusal(&problem);
            failure(&problem)
        }
    }
}

async fn export<S: Sink, G: Gate>(
    server: &Server<S, G>,
    decoder: Decoder,
    request: Request,
) -> Result<Taken, Problem> {
    let (mut parts, mut body) = request.into_parts();
    let sender = server.admit(&mut parts)?;
    check_call(&parts)?;
    let declared = Encoding::parse(parts.headers.get(GRPC_ENCODING))?;
    let mut received = server.read(Pin::new(&mut body), declared).await?;
    let encoding = unframe(&mut received, declared)?;
    server.take(sender, received, encoding, decoder).await
}

/// Takes the prefix off the one message of a unary call and says how the message is compressed.
fn unframe(received: &mut Received, declared: Encoding) -> Result<Encoding, Problem> {
    let malformed = |what: &str| Err(Problem::Malformed(what.to_owned()));
    let chunks = &mut received.chunks;
    if chunks.remaining() < PREFIX_BYTES {
        return malformed("the call ends before its message");
    }
    let (flag, len) = (chunks.get_u8(), chunks.get_u32() as usize);
    match (flag, declared) {
        _ if chunks.remaining() < len => malformed("the call ends inside its message"),
        _ if chunks.remaining() > len => malformed("the call has more than one message"),
        (0, _) => Ok(Encoding::Identity),
        (1, Encoding::Identity) => {
            malformed("the message is flagged as compressed, but grpc-encoding names no encoding")
        }
        (1, encoding) => Ok(encoding),
        _ => malformed("the message's compression flag is neither 0 nor 1"),
    }
}

fn check_call(parts: &Parts) -> Result<(), Problem> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let is_grpc = match content_type.strip_prefix(b"application/grpc") {
        Some(rest) => rest.is_empty() || rest.starts_with(b";") || rest.starts_with(b"+proto"),
        None => false,
    };
    if !is_grpc {
        let given = String::from_utf8_lossy(content_type).chars().take(80).collect();
        return Err(Problem::ContentType(given, "send application/grpc"));
    }
    if parts.method != Method::POST {
        return Err(Problem::Method(parts.method.to_string()));
    }
    Ok(())
}

fn refuse_service<S: Sink, G: Gate>(server: &Server<S, G>, request: &Request) -> Response {
    server.count_request();
    let path: String = request.uri().path().chars().take(120).collect();
    let problem = Problem::NotServed(format!(
        "{path} is not taken; send logs to opentelemetry.proto.collector.logs.v1.LogsService/Export, metrics to \
         opentelemetry.proto.collector.metrics.v1.MetricsService/Export, traces to \
         opentelemetry.proto.collector.trace.v1.TraceService/Export"
    ));
    server.count_refusal(&problem);
    failure(&problem)
}

fn success(taken: &Taken, items: Items) -> Response {
    let message = reply::response_protobuf(taken, items);
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.put_slice(&message);
    let trailers = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
    let body = Full::<Bytes>::new(frame.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, GRPC_TYPE);
    response.headers_mut().insert(GRPC_ACCEPT_ENCODING, Encoding::ACCEPTED);
    response
}

/// An answer of trailers only; the details hold the same status with when to retry.
fn failure(problem: &Problem) -> Response {
    let verdict = problem.verdict();
    let details = match verdict.retry_after {
        Some(_) => Bytes::from(reply::status_protobuf(problem)),
        None => Bytes::new(),
    };
    let mut response: Response = Status::with_details(verdict.grpc, problem.to_string(), details).into_http();
    response.headers_mut().insert(GRPC_ACCEPT_ENCODING, Encoding::ACCEPTED);
    if matches!(problem, Problem::ContentType(..)) {
        // Whoever sends this is no gRPC client and does not read grpc-status.
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    response
}
