//! Samples: remote write 2.0, a POST on the connection that OTLP uses.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use telemetry::Producer;
use telemetry::remote_write::encode_v2;
use tokio::task::JoinError;
use tonic::body::Body;
use tower::ServiceExt;

use super::{Client, MAX_ANSWER_BYTES};
use crate::output::verdict::{self, Verdict};

const PATH: &str = "/api/v1/write";
const MEDIA_TYPE: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
/// To convert and pack more takes so long that it leaves the async threads.
const INLINE_BYTES: usize = 64 << 10;

impl Client {
    /// Sends one payload of samples.
    pub(super) async fn write(&self, payload: Bytes, items: u64, producer: Option<&Producer>) -> Verdict {
        let body = match pack(payload).await {
            Ok(body) => body,
            Err(verdict) => return verdict,
        };
        let request = match self.request(body, producer) {
            Ok(request) => request,
            Err(error) => return Verdict::Refused { reason: "invalid", message: error.to_string() },
        };
        let answering = async {
            let response = self.channel.clone().oneshot(request).await?;
            Ok::<_, tonic::transport::Error>(judge(response, items).await)
        };
        match tokio::time::timeout(self.timeout, answering).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => {
                let mut message = error.to_string();
                if let Some(source) = std::error::Error::source(&error) {
                    message = format!("{message}: {source}");
                }
                Verdict::Later { reason: "connection", after: None, message }
            }
            Err(_) => self.no_answer(),
        }
    }

    fn request(&self, body: Vec<u8>, producer: Option<&Producer>) -> http::Result<Request<Body>> {
        let mut request = Request::post(PATH)
            .header(header::CONTENT_TYPE, MEDIA_TYPE)
            .header(header::CONTENT_ENCODING, "snappy")
            .header("x-prometheus-remote-write-version", "2.0.0")
            .header(header::USER_AGENT, concat!("narrows-agent/", env!("CARGO_PKG_VERSION")))
            .body(Body::new(Full::new(Bytes::from(body))))?;
        let headers = request.headers_mut();
        let token = self.token.read().clone();
        if let Some(mut value) = token.and_then(|token| HeaderValue::from_bytes(token.as_bytes()).ok()) {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        if let Some(value) = producer.and_then(|producer| HeaderValue::from_str(&producer.to_header()).ok()) {
            headers.insert(HeaderName::from_static(Producer::HEADER), value);
        }
        Ok(request)
    }
}

/// Protobuf in a snappy block.
async fn pack(payload: Bytes) -> Result<Vec<u8>, Verdict> {
    let packing = |payload: &[u8]| {
        let request = encode_v2(payload).map_err(|error| error.to_string())?;
        snap::raw::Encoder::new().compress_vec(&request).map_err(|error| error.to_string())
    };
    if payload.len() <= INLINE_BYTES {
        return packed(Ok(packing(&payload)));
    }
    packed(tokio::task::spawn_blocking(move || packing(&payload)).await)
}

/// What cannot be packed is refused. A crash may be the payload's fault or not: it is tried again.
fn packed(packed: Result<Result<Vec<u8>, String>, JoinError>) -> Result<Vec<u8>, Verdict> {
    match packed {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(message)) => Err(Verdict::Refused { reason: "invalid", message }),
        Err(crash) => Err(Verdict::Suspect { message: format!("the samples could not be packed: {crash}") }),
    }
}

async fn judge(response: Response<Body>, items: u64) -> Verdict {
    let (head, body) = response.into_parts();
    let number = |headers: &HeaderMap, name: &str| -> Option<u64> {
        headers.get(name)?.to_str().ok()?.trim().parse().ok()
    };
    let after = number(&head.headers, "retry-after").map(Duration::from_secs);
    let written = number(&head.headers, "x-prometheus-remote-write-samples-written");
    let histograms = number(&head.headers, "x-prometheus-remote-write-histograms-written").unwrap_or(0);
    let written = written.map(|samples| samples + histograms);
    // A body that breaks off leaves the message out; the status says enough.
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let message: String = String::from_utf8_lossy(&body).trim().chars().take(1000).collect();
    verdict::of_write(head.status, after, written, items, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_crash_while_packing_is_no_refusal() {
        let packing = tokio::spawn(std::future::pending::<Result<Vec<u8>, String>>());
        packing.abort();
        assert!(matches!(packed(packing.await), Err(Verdict::Suspect { .. })));
        let refused = packed(Ok(Err("no form".to_owned())));
        assert!(matches!(refused, Err(Verdict::Refused { reason: "invalid", .. })));
    }
}
