//! OTLP/HTTP: `POST /v1/logs`, `/v1/metrics` and `/v1/traces` in protobuf or JSON. Refusals are
//! `google.rpc.Status` in the request's own content type, as the specification asks.

use std::pin::Pin;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;

use crate::gate::Gate;
use crate::http::{explain, refuse};
use crate::inflate::Encoding;
use crate::intake::{self, Decoder, Taken};
use crate::problem::Problem;
use crate::reply::{self, Items};
use crate::server::Server;
use crate::sink::Sink;

/// How a request is written, and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Protobuf,
    Json,
}

/// What a path takes.
#[derive(Debug)]
struct Service {
    items: Items,
    protobuf: Decoder,
    json: Decoder,
}

static LOGS: Service =
    Service { items: Items::LogRecords, protobuf: intake::logs_protobuf, json: intake::logs_json };
static METRICS: Service =
    Service { items: Items::DataPoints, protobuf: intake::metrics_protobuf, json: intake::metrics_json };
static TRACES: Service =
    Service { items: Items::Spans, protobuf: intake::traces_protobuf, json: intake::traces_json };

/// `/v1/logs`, `/v1/traces`, and `/v1/metrics`, which has Prometheus' path too; `/v1development/profiles` says that it is not taken.
pub(crate) fn routes<S: Sink, G: Gate>(server: Arc<Server<S, G>>) -> Router {
    let exports = |service: &'static Service| {
        let server = Arc::clone(&server);
        any(move |request: Request| async move { answer(&server, service, request).await })
    };
    let (logs, metrics, traces) = (exports(&LOGS), exports(&METRICS), exports(&TRACES));
    let not_served = any(move |request: Request| async move { refuse_signal(&server, request).await });
    Router::new()
        .route("/v1/logs", logs)
        .route("/v1/metrics", metrics.clone())
        .route("/api/v1/otlp/v1/metrics", metrics)
        .route("/v1/traces", traces)
        .route("/v1development/profiles", not_served)
}

async fn answer<S: Sink, G: Gate>(
    server: &Server<S, G>,
    service: &'static Service,
    request: Request,
) -> Response {
    server.count_request();
    let (mut parts, mut body) = request.into_parts();
    match export(server, service, &mut parts, &mut body).await {
        Ok((taken, format)) => success(&taken, service.items, format),
        Err(problem) => {
            refuse(server, &problem, &parts.headers, body).await;
            failure(&problem, reply_format(&parts.headers))
        }
    }
}

async fn export<S: Sink, G: Gate>(
    server: &Server<S, G>,
    service: &Service,
    parts: &mut Parts,
    body: &mut Body,
) -> Result<(Taken, Format), Problem> {
    if parts.method != Method::POST {
        return Err(Problem::Method(parts.method.to_string()));
    }
    let sender = server.admit(parts)?;
    let format = format(&parts.headers)?;
    let encoding = Encoding::parse(parts.headers.get(header::CONTENT_ENCODING))?;
    let received = server.read(Pin::new(body), encoding).await?;
    let decoder = match format {
        Format::Protobuf => service.protobuf,
        Format::Json => service.json,
    };
    let taken = server.take(sender, received, encoding, decoder).await?;
    Ok((taken, format))
}

async fn refuse_signal<S: Sink, G: Gate>(server: &Server<S, G>, request: Request) -> Response {
    server.count_request();
    let (parts, body) = request.into_parts();
    let problem = Problem::NotServed(format!(
        "{} is not taken; send logs to /v1/logs, metrics to /v1/metrics, traces to /v1/traces",
        parts.uri.path()
    ));
    refuse(server, &problem, &parts.headers, body).await;
    failure(&problem, reply_format(&parts.headers))
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if media_type.eq_ignore_ascii_case(b"application/x-protobuf") {
        Ok(Format::Protobuf)
    } else if media_type.eq_ignore_ascii_case(b"application/json") {
        Ok(Format::Json)
    } else {
        let given = String::from_utf8_lossy(content_type).chars().take(80).collect();
        Err(Problem::ContentType(given, "send application/x-protobuf or application/json"))
    }
}

/// A client whose type is not known is most likely a person.
fn reply_format(headers: &HeaderMap) -> Format {
    format(headers).unwrap_or(Format::Json)
}

fn success(taken: &Taken, items: Items, format: Format) -> Response {
    let body = match format {
        Format::Protobuf => reply::response_protobuf(taken, items),
        Format::Json => reply::response_json(taken, items),
    };
    response(StatusCode::OK, format, body)
}

fn failure(problem: &Problem, format: Format) -> Response {
    let verdict = problem.verdict();
    let body = match format {
        Format::Protobuf => reply::status_protobuf(problem),
        Format::Json => reply::status_json(problem),
    };
    let mut response = response(verdict.http, format, body);
    explain(problem, "Bearer", response.headers_mut());
    response
}

fn response(status: StatusCode, format: Format, body: Vec<u8>) -> Response {
    let content_type = match format {
        Format::Protobuf => "application/x-protobuf",
        Format::Json => "application/json",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
