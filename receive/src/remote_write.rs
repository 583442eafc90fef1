//! Prometheus' remote write, versions 1.0 and 2.0: `POST /api/v1/write`, a snappy block of protobuf.
//! 204 says that all is stored; when something was left out the rest is stored, and the answer is 400 with
//! the first reason. A sender of 2.0 is always told what was written.

use std::pin::Pin;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use telemetry::remote_write::{WriteError, Written, decode_v1, decode_v2};
use telemetry::samples::{SeriesLimits, Writer};
use telemetry::{Room, Signal};

use crate::budget::Lease;
use crate::gate::Gate;
use crate::http::{explain, refuse};
use crate::inflate::{Encoding, unsnap};
use crate::intake::{Contents, Decoded, Taken};
use crate::limits::Limits;
use crate::loki::text;
use crate::problem::Problem;
use crate::server::Server;
use crate::sink::Sink;

const SAMPLES_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

const V1_MESSAGE: &str = "prometheus.WriteRequest";
const V2_MESSAGE: &str = "io.prometheus.write.v2.Request";
const TYPES: &str = "send application/x-protobuf, with proto=io.prometheus.write.v2.Request for version 2.0";

/// Which message a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// Prometheus' path, also under the prefix that its API has, and Mimir's.
pub(crate) fn routes<S: Sink, G: Gate>(server: Arc<Server<S, G>>) -> Router {
    let write = any(move |request: Request| async move { answer(&server, request).await });
    let paths = ["/api/v1/write", "/prometheus/api/v1/write", "/api/v1/push"];
    paths.into_iter().fold(Router::new(), |router, path| router.route(path, write.clone()))
}

async fn answer<S: Sink, G: Gate>(server: &Server<S, G>, request: Request) -> Response {
    server.count_request();
    let (mut parts, mut body) = request.into_parts();
    let mut response = match write(server, &mut parts, &mut body).await {
        Ok(taken) => return success(&taken, &parts.headers),
        Err(problem) => {
            refuse(server, &problem, &parts.headers, body).await;
            let mut response = text(problem.verdict().http, &problem.to_string());
            explain(&problem, "Basic realm=\"narrows\"", response.headers_mut());
            response
        }
    };
    tell(Contents::default(), &parts.headers, response.headers_mut());
    response
}

async fn write<S: Sink, G: Gate>(
    server: &Server<S, G>,
    parts: &mut Parts,
    body: &mut Body,
) -> Result<Taken, Problem> {
    if parts.method != Method::POST {
        return Err(Problem::Method(parts.method.to_string()));
    }
    let sender = server.admit(parts)?;
    let decoder = match version(&parts.headers)? {
        Version::V1 => v1,
        Version::V2 => v2,
    };
    check_encoding(&parts.headers)?;
    let received = server.read(Pin::new(body), Encoding::Identity).await?;
    server.take(sender, received, Encoding::Identity, decoder).await
}

/// Without a content type it is version 1.0, which some of its senders leave away.
fn version(headers: &HeaderMap) -> Result<Version, Problem> {
    let given = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let refused = || Problem::ContentType(String::from_utf8_lossy(given).chars().take(80).collect(), TYPES);
    let given_text = std::str::from_utf8(given).map_err(|_| refused())?;
    let mut parts = given_text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if !media_type.is_empty() && !media_type.eq_ignore_ascii_case("application/x-protobuf") {
        return Err(refused());
    }
    let message = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("proto").then(|| value.trim().trim_matches('"'))
    });
    match message {
        None | Some(V1_MESSAGE) => Ok(Version::V1),
        Some(V2_MESSAGE) => Ok(Version::V2),
        Some(_) => Err(refused()),
    }
}

/// A body is a snappy block even where the header is missing.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_ENCODING).map_or(&b""[..], HeaderValue::as_bytes).trim_ascii();
    if given.is_empty() || given.eq_ignore_ascii_case(b"snappy") {
        return Ok(());
    }
    Err(Problem::NotSnappy(String::from_utf8_lossy(given).chars().take(40).collect()))
}

fn v1(body: Bytes, limits: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    decode(&body, limits, lease, V1_MESSAGE, decode_v1)
}

fn v2(body: Bytes, limits: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    decode(&body, limits, lease, V2_MESSAGE, decode_v2)
}

fn decode(
    body: &[u8],
    limits: &Limits,
    lease: &mut Lease,
    message: &str,
    decode: fn(&[u8], &SeriesLimits, &mut Writer, Room<'_>) -> Result<Written, WriteError>,
) -> Result<Decoded, Problem> {
    let raw = unsnap(body, limits, lease)?;
    let mut writer = Writer::new();
    let mut grow = |bytes| lease.grow(bytes).is_ok();
    let written = match decode(&raw, &limits.series, &mut writer, Room::new(&mut grow)) {
        Ok(written) => written,
        Err(WriteError::NoRoom(_)) => return Err(Problem::Busy),
        Err(WriteError::Malformed(error)) => {
            return Err(Problem::Malformed(format!("the body is no {message}: {error}")));
        }
    };
    lease.shrink(raw.len());
    let Written { samples, histograms, exemplars, rejected, reasons } = written;
    Ok(Decoded {
        signal: Signal::Samples,
        payload: Bytes::from(writer.finish()),
        contents: Contents { samples, histograms, exemplars },
        rejected,
        first_reason: reasons.into_iter().next(),
    })
}

fn success(taken: &Taken, request: &HeaderMap) -> Response {
    let mut response = if taken.rejected == 0 {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    } else {
        let rejected = taken.rejected;
        let first = taken.first_reason.as_deref().unwrap_or("no reason was given");
        let message = format!(
            "{rejected} samples, histograms or exemplars were rejected, the others are stored; the first: {first}"
        );
        text(StatusCode::BAD_REQUEST, &message)
    };
    tell(taken.contents, request, response.headers_mut());
    response
}

/// What was written, for a sender of version 2.0: without these headers it takes an answer for that of a receiver
/// that does not know the version.
fn tell(contents: Contents, request: &HeaderMap, headers: &mut HeaderMap) {
    if version(request) != Ok(Version::V2) {
        return;
    }
    let counts = [
        (SAMPLES_WRITTEN, contents.samples),
        (HISTOGRAMS_WRITTEN, contents.histograms),
        (EXEMPLARS_WRITTEN, contents.exemplars),
    ];
    for (name, count) in counts {
        headers.insert(name, HeaderValue::from(count));
    }
}
