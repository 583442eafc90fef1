//! Every protocol over HTTP, and what their refusals have in common.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, header};
use axum::Router;
use axum::body::Body;

use crate::gate::{Denied, Gate};
use crate::inflate::Encoding;
use crate::problem::{Problem, retry_after_seconds};
use crate::server::Server;
use crate::sink::Sink;
use crate::{body, elasticsearch, loki, otlp_http, remote_write, zipkin};

/// How long, and how far, the rest of a refused body is read.
const DISCARD_WITHIN: Duration = Duration::from_secs(1);
const DISCARD_BYTES: usize = 32 << 20;

/// The routes of every protocol over HTTP: OTLP under `/v1`, Prometheus' remote write under `/api/v1/write`,
/// Loki's push under `/loki`, Elasticsearch's ingestion under `/elasticsearch`, Zipkin's spans under `/api/v2/spans`.
pub fn http_router<S: Sink, G: Gate>(server: Arc<Server<S, G>>) -> Router {
    let protocols =
        [otlp_http::routes, remote_write::routes, loki::routes, elasticsearch::routes, zipkin::routes];
    protocols.into_iter().fold(Router::new(), |router, routes| router.merge(routes(Arc::clone(&server))))
}

/// Counts a refusal and reads the rest of the body, so that the client sees the answer and not a reset.
pub(crate) async fn refuse<S: Sink, G: Gate>(
    server: &Server<S, G>,
    problem: &Problem,
    headers: &HeaderMap,
    mut body: Body,
) {
    server.count_refusal(problem);
    // A client that asks first (Expect) has sent nothing yet, and a slow one has had its time.
    let is_sending = !headers.contains_key(header::EXPECT);
    if is_sending && !matches!(problem, Problem::SlowBody(_)) {
        body::discard(Pin::new(&mut body), DISCARD_BYTES, DISCARD_WITHIN).await;
    }
}

/// The headers that say how to do it right, or when to come back.
pub(crate) fn explain(problem: &Problem, schemes: &'static str, headers: &mut HeaderMap) {
    if let Some(after) = problem.verdict().retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds(after)));
    }
    match problem {
        Problem::Method(_) => headers.insert(header::ALLOW, HeaderValue::from_static("POST")),
        Problem::NotSnappy(_) => headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("snappy")),
        Problem::Encoding(_) => headers.insert(header::ACCEPT_ENCODING, Encoding::ACCEPTED),
        Problem::Denied(Denied::Unauthenticated { .. }) => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(schemes))
        }
        _ => None,
    };
}
