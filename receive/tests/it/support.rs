//! A server on loopback with a sink that records and a gate that knows a few
//! tokens; and one request, sent over any of the endpoints.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use narrows_receive::{
    Denied, Gate, Limits, RequestHead, Server, Sink, SinkError, check_browser_rules, grpc_routes, http_router,
};
use parking_lot::Mutex;
use telemetry::otlp::{LogsRequest, MetricsRequest, TracesRequest};
use telemetry::{Batch, Outcome, Signal, TenantId};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint as Remote};
use tower::{Service, ServiceExt};

/// What `received_at` is for every batch.
pub(crate) const NOW_NS: i64 = 1_774_000_000_000_000_000;

pub(crate) const LOGS_PATH: &str = "/v1/logs";
pub(crate) const EXPORT_PATH: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// Keeps batches; refuses them for tenants that are named after a refusal.
#[derive(Default)]
pub(crate) struct TestSink {
    pub(crate) batches: Mutex<Vec<Batch>>,
}

impl Sink for TestSink {
    async fn append(&self, batch: Batch) -> Result<Outcome, SinkError> {
        let reason = "as the test asks".to_owned();
        match batch.tenant.as_str() {
            "throttled" => Err(SinkError::Throttled { reason, retry_after: Duration::from_millis(2500) }),
            "unavailable" => Err(SinkError::Unavailable { reason, retry_after: Duration::ZERO }),
            "toolarge" => Err(SinkError::TooLarge { size_bytes: 9, limit_bytes: 8 }),
            "refused" => Err(SinkError::Refused { reason }),
            "panicking" => panic!("as the test asks"),
            _ => {
                let records = count(&batch);
                let mut outcome = Outcome::default();
                if batch.tenant.as_str() == "picky" {
                    outcome.reject(0, "older than retention");
                }
                outcome.accepted = records - outcome.rejected;
                self.batches.lock().push(batch);
                Ok(outcome)
            }
        }
    }
}

/// How many items a batch has, which is valid for its signal.
fn count(batch: &Batch) -> u64 {
    match batch.signal {
        Signal::Metrics => MetricsRequest::parse(&batch.payload).unwrap().point_count() as u64,
        Signal::Samples => telemetry::samples::check(&batch.payload).unwrap(),
        Signal::Spans => TracesRequest::parse(&batch.payload).unwrap().span_count() as u64,
        Signal::Logs => LogsRequest::parse(&batch.payload).unwrap().record_count() as u64,
    }
}

/// `Bearer <tenant>` writes to that tenant, `Bearer reader` may not write, other tokens are not known.
pub(crate) struct TestGate;

impl Gate for TestGate {
    fn admit(&self, head: &RequestHead<'_>) -> Result<TenantId, Denied> {
        assert!(head.peer.is_some_and(|peer| peer.ip().is_loopback()), "the peer is known");
        check_browser_rules(head, &[])?;
        let token = head.headers.get("authorization").and_then(|value| value.to_str().ok());
        match token.and_then(|token| token.strip_prefix("Bearer ")) {
            None => Err(Denied::Unauthenticated {
                reason: "send Authorization: Bearer <ingest token>".to_owned(),
            }),
            Some("reader") => Err(Denied::Forbidden { reason: "this token may not write".to_owned() }),
            Some("wrong") => Err(Denied::Unauthenticated { reason: "the token is not known".to_owned() }),
            Some(tenant) => Ok(TenantId::new(tenant).unwrap()),
        }
    }
}

/// Both protocols, each on a port of its own, until dropped.
pub(crate) struct Running {
    pub(crate) server: Arc<TestServer>,
    pub(crate) sink: Arc<TestSink>,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

pub(crate) async fn start(limits: Limits) -> Running {
    serve(limits, |server| server).await
}

/// As an agent has it.
pub(crate) async fn start_keeping_metrics() -> Running {
    serve(Limits::default(), Server::keeping_metrics).await
}

type TestServer = Server<Arc<TestSink>, TestGate>;

async fn serve(limits: Limits, set_up: fn(TestServer) -> TestServer) -> Running {
    // For clients of this process, where other crates build them with TLS; an error means that it is there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sink = Arc::new(TestSink::default());
    let server = set_up(Server::new(Arc::clone(&sink), TestGate, limits).with_clock(|| NOW_NS));
    let server = Arc::new(server);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = listener.local_addr().unwrap();
    let app = http_router(Arc::clone(&server)).into_make_service_with_connect_info::<SocketAddr>();
    let http_task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let grpc = listener.local_addr().unwrap();
    let routes = grpc_routes(Arc::clone(&server));
    let grpc_task = tokio::spawn(async move {
        let incoming = TcpIncoming::from(listener);
        tonic::transport::Server::builder().add_routes(routes).serve_with_incoming(incoming).await.unwrap();
    });
    Running { server, sink, http, grpc, tasks: vec![http_task, grpc_task] }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    HttpProtobuf,
    HttpJson,
    Grpc,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 3] = [Self::HttpProtobuf, Self::HttpJson, Self::Grpc];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "HTTP protobuf",
            Self::HttpJson => "HTTP JSON",
            Self::Grpc => "gRPC",
        }
    }
}

/// One request; the defaults are those of a good one.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) host: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The message; over gRPC its prefix is put in front.
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(endpoint: Endpoint, body: impl Into<Bytes>) -> Self {
        let (path, content_type) = match endpoint {
            Endpoint::HttpProtobuf => (LOGS_PATH, "application/x-protobuf"),
            Endpoint::HttpJson => (LOGS_PATH, "application/json"),
            Endpoint::Grpc => (EXPORT_PATH, "application/grpc"),
        };
        let headers =
            vec![("content-type", content_type.to_owned()), ("authorization", "Bearer default".to_owned())];
        Self {
            endpoint,
            method: http::Method::POST,
            path: path.to_owned(),
            host: None,
            headers,
            body: body.into(),
        }
    }

    /// Sets a header; an empty value removes it.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    /// Declares how the body is compressed.
    pub(crate) fn encoded(self, encoding: &str) -> Self {
        let name = if self.endpoint == Endpoint::Grpc { "grpc-encoding" } else { "content-encoding" };
        self.with(name, encoding)
    }

    pub(crate) async fn send(&self, running: &Running) -> Answer {
        match self.endpoint {
            Endpoint::Grpc => self.send_grpc(running).await,
            _ => self.send_http(running).await,
        }
    }

    async fn send_http(&self, running: &Running) -> Answer {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}{}", running.http, self.path);
        let mut request = client.request(self.method.clone(), url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(host) = &self.host {
            request = request.header("host", host);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer::of_http(status, headers, response.bytes().await.unwrap())
    }

    async fn send_grpc(&self, running: &Running) -> Answer {
        let is_compressed = self.headers.iter().any(|(name, _)| *name == "grpc-encoding");
        self.send_frames(running, frame(u8::from(is_compressed), &self.body)).await
    }

    /// Sends `body` as it is: for calls that are framed wrong.
    pub(crate) async fn send_frames(&self, running: &Running, body: Bytes) -> Answer {
        let response = self.send_plain(running, body).await;
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let mut headers = parts.headers;
        headers.extend(collected.trailers().cloned().unwrap_or_default());
        Answer::of_grpc(parts.status, headers, collected.to_bytes())
    }

    /// Sends `body` to the port of gRPC, and gives the answer as it comes.
    pub(crate) async fn send_plain(
        &self,
        running: &Running,
        body: Bytes,
    ) -> http::Response<tonic::body::Body> {
        let host = self.host.clone().unwrap_or_else(|| running.grpc.to_string());
        let origin = format!("http://{host}").parse().unwrap();
        let mut channel = channel(running).origin(origin).connect().await.unwrap();
        let mut request = http::Request::builder().method(self.method.clone()).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(tonic::body::Body::new(Full::new(body))).unwrap();
        channel.ready().await.unwrap().call(request).await.unwrap()
    }
}

pub(crate) fn channel(running: &Running) -> Remote {
    Channel::from_shared(format!("http://{}", running.grpc)).unwrap()
}

/// A gRPC message with its prefix.
pub(crate) fn frame(flag: u8, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(flag);
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    frame.freeze()
}

/// `google.rpc.Status`, as far as it is used.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Status {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(message, tag = "2")]
    pub(crate) retry_info: Option<RetryInfo>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RetryInfo {
    #[prost(message, tag = "1")]
    pub(crate) delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Delay {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

/// What came back, made comparable.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) http_status: u16,
    /// The number of google.rpc.Code.
    pub(crate) code: i32,
    pub(crate) message: String,
    /// The `Retry-After` header, or the delay of the RetryInfo rounded up.
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    fn of_http(status: http::StatusCode, headers: http::HeaderMap, body: Bytes) -> Self {
        let mut answer = Self {
            http_status: status.as_u16(),
            code: 0,
            message: String::new(),
            retry_after_s: None,
            headers,
            body,
        };
        answer.retry_after_s = answer.header("retry-after").map(|value| value.parse().unwrap());
        if status.is_success() {
            return answer;
        }
        if answer.header("content-type").as_deref() == Some("application/json") {
            let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            answer.code = json["code"].as_i64().unwrap() as i32;
            answer.message = json["message"].as_str().unwrap().to_owned();
            assert_eq!(json.get("details").is_some(), answer.retry_after_s.is_some(), "{json}");
        } else {
            let decoded: Status = prost::Message::decode(answer.body.as_ref()).unwrap();
            (answer.code, answer.message) = (decoded.code, decoded.message);
            assert_eq!(decoded.details.len(), usize::from(answer.retry_after_s.is_some()));
        }
        answer
    }

    fn of_grpc(status: http::StatusCode, headers: http::HeaderMap, body: Bytes) -> Self {
        let grpc = tonic::Status::from_header_map(&headers).expect("a gRPC answer has a status");
        let retry_after_s = (!grpc.details().is_empty()).then(|| {
            let decoded: Status = prost::Message::decode(grpc.details()).unwrap();
            assert_eq!((decoded.code, decoded.message.as_str()), (grpc.code() as i32, grpc.message()));
            assert_eq!(decoded.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
            let delay = decoded.details[0].retry_info.clone().unwrap().delay.unwrap_or_default();
            (delay.seconds as u64 + u64::from(delay.nanos > 0)).max(1)
        });
        let message = grpc.message().to_owned();
        Self { http_status: status.as_u16(), code: grpc.code() as i32, message, retry_after_s, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}
