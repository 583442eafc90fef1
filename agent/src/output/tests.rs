//! The output against a real receiver that misbehaves as collectors and
//! networks do.
#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use journal::sim::SimDisk;
use receive::{Denied, Gate, Limits, RequestHead, Server, Sink, SinkError};
use telemetry::otlp::{LogsRequest, RecordFields, RecordsWriter, write_record};
use telemetry::{Batch, Outcome, TenantId, Value};
use tonic::Status;
use tonic::transport::server::TcpIncoming;

use super::*;
use crate::config::{TokenSource, WhenFull};
use crate::queue::{Parcel, QueueOptions};

/// What the collector does with its n-th request.
type Behaviour = Box<dyn Fn(u32) -> Reply + Send + Sync>;

#[derive(Clone, Copy)]
enum Reply {
    Take,
    /// Takes it, and the reply is lost.
    TakeSilently,
    Partial,
    Busy,
    Refuse,
    TooLarge,
}

struct Served(Option<tokio::runtime::Runtime>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

#[derive(Default)]
struct Taken {
    numbers: HashSet<(u64, u64)>,
    bodies: HashMap<String, u32>,
}

#[derive(Clone)]
struct Collector {
    behaviour: Arc<Behaviour>,
    requests: Arc<AtomicU32>,
    taken: Arc<Mutex<Taken>>,
    token: Arc<Mutex<Option<String>>>,
}

impl Collector {
    fn new(behaviour: impl Fn(u32) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            behaviour: Arc::new(Box::new(behaviour)),
            requests: Arc::default(),
            taken: Arc::default(),
            token: Arc::default(),
        }
    }

    /// Serves in a runtime of its own, which takes every connection with it when it goes.
    async fn serve(&self, address: SocketAddr) -> (String, Served) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _inside = runtime.enter();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(64).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes =
            receive::grpc_routes(Arc::new(Server::new(self.clone(), self.clone(), Limits::default())));
        let served = tonic::transport::Server::builder()
            .add_routes(routes)
            .serve_with_incoming(TcpIncoming::from(listener));
        runtime.spawn(served);
        (url, Served(Some(runtime)))
    }

    fn take(&self, batch: &Batch) {
        let producer = batch.producer.as_ref().expect("every request is numbered");
        let mut taken = self.taken.lock();
        if !taken.numbers.insert((producer.epoch, producer.seq)) {
            return;
        }
        for (.., record) in LogsRequest::parse(&batch.payload).unwrap().records() {
            *taken.bodies.entry(record.body.to_text().into_owned()).or_default() += 1;
        }
    }
}

impl Sink for Collector {
    async fn append(&self, batch: Batch) -> Result<Outcome, SinkError> {
        let retry_after = Duration::from_millis(1);
        let mut outcome = Outcome { accepted: 1, ..Outcome::default() };
        match (self.behaviour)(self.requests.fetch_add(1, Ordering::SeqCst)) {
            Reply::Take => self.take(&batch),
            Reply::TakeSilently => {
                self.take(&batch);
                std::future::pending::<()>().await;
            }
            Reply::Partial => {
                self.take(&batch);
                outcome.reject(0, "too old");
            }
            Reply::Busy => return Err(SinkError::Unavailable { reason: "busy".to_owned(), retry_after }),
            Reply::Refuse => return Err(SinkError::Refused { reason: "bad".to_owned() }),
            Reply::TooLarge => return Err(SinkError::TooLarge { size_bytes: 2, limit_bytes: 1 }),
        }
        Ok(outcome)
    }
}

impl Gate for Collector {
    fn admit(&self, head: &RequestHead<'_>) -> Result<TenantId, Denied> {
        let sent = head.headers.get("authorization").and_then(|value| value.to_str().ok());
        match self.token.lock().as_ref() {
            Some(token) if sent != Some(&format!("Bearer {token}")) => {
                Err(Denied::Unauthenticated { reason: "no such token".to_owned() })
            }
            _ => Ok(TenantId::default_tenant()),
        }
    }
}

struct Rig {
    queue: Arc<Queue>,
    output: Arc<Output>,
    metrics: Arc<Metrics>,
    next: u32,
}

impl Rig {
    async fn start(config: &OutputConfig) -> Self {
        let metrics = Arc::new(Metrics::new());
        let options = QueueOptions {
            agent_id: "host-1".to_owned(),
            max_bytes: 8 << 20,
            when_full: WhenFull::Block,
            accept_damage: false,
            inline: true,
        };
        let disk = Arc::new(SimDisk::new(1));
        let (queue, _) = Queue::open(disk, "/queue".into(), options, metrics.clone()).await.unwrap();
        let output = Arc::new(Output::new(queue.clone(), config, metrics.clone()).unwrap());
        tokio::spawn(output.clone().run());
        Self { queue, output, metrics, next: 0 }
    }

    async fn enqueue(&mut self, count: u32) {
        for _ in 0..count {
            let body = format!("line {}", self.next);
            let (mut record, mut writer) = (Vec::new(), RecordsWriter::default());
            write_record(&mut record, &RecordFields { body: Value::Str(&body), ..RecordFields::default() });
            writer.resource(&[], "");
            writer.scope(&[], "");
            writer.record(&record);
            let parcel = Parcel { payload: writer.finish().into(), items: 1, ..Parcel::default() };
            self.queue.append(parcel, None).await.unwrap();
            self.next += 1;
        }
    }

    async fn drained(&self) {
        let drained = async {
            while self.queue.pending() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), drained).await.expect("the queue drains");
    }
}

fn config(url: &str) -> OutputConfig {
    client::test_config(url.to_owned())
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn each_once(collector: &Collector, count: u32) {
    let taken = collector.taken.lock();
    assert_eq!(taken.bodies.len() as u32, count);
    assert!(taken.bodies.values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_collector_that_is_busy_and_loses_replies_gets_everything_once() {
    let collector = Collector::new(|request| match request % 7 {
        1 | 4 => Reply::Busy,
        5 => Reply::TakeSilently,
        _ => Reply::Take,
    });
    let (url, _served) = collector.serve(any_port()).await;
    let config = OutputConfig { timeout: Duration::from_millis(100), ..config(&url) };
    let mut rig = Rig::start(&config).await;
    rig.enqueue(60).await;
    rig.drained().await;
    each_once(&collector, 60);
    assert_eq!((rig.metrics.acknowledged.get(), rig.metrics.lost()), (60, (0, 0)));
    assert_eq!(rig.output.status().state, "ok");
}

#[tokio::test]
async fn a_collector_that_goes_away_and_comes_back_gets_everything_once() {
    let collector = Collector::new(|_| Reply::Take);
    let (url, served) = collector.serve(any_port()).await;
    let mut rig = Rig::start(&config(&url)).await;
    rig.enqueue(5).await;
    rig.drained().await;
    drop(served);
    rig.enqueue(5).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.output.status().state, "failing");
    assert!(rig.output.status().last_error.is_some());
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let (_, _served) = collector.serve(address).await;
    rig.drained().await;
    each_once(&collector, 10);
}

#[tokio::test]
async fn what_is_refused_is_counted_and_does_not_stop_the_rest() {
    let collector = Collector::new(|request| match request {
        0 => Reply::Refuse,
        1 => Reply::TooLarge,
        2 => Reply::Partial,
        _ => Reply::Take,
    });
    let (url, _served) = collector.serve(any_port()).await;
    let mut rig = Rig::start(&OutputConfig { max_in_flight: 1, ..config(&url) }).await;
    rig.enqueue(10).await;
    rig.drained().await;
    assert_eq!(rig.metrics.lost(), (0, 3));
    assert_eq!(rig.metrics.acknowledged.get(), 7);
    let text = rig.metrics.render();
    for reason in ["invalid", "too_large", "partial"] {
        assert!(
            text.contains(&format!("records_rejected_total{{reason=\"{reason}\"}} 1")),
            "{reason}: {text}"
        );
    }
}

#[tokio::test]
async fn a_refused_token_loses_nothing_and_a_new_one_is_picked_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "old\n").unwrap();
    let collector = Collector::new(|_| Reply::Take);
    *collector.token.lock() = Some("new".to_owned());
    let (url, _served) = collector.serve(any_port()).await;
    let mut rig = Rig::start(&OutputConfig { token: TokenSource::File(file.clone()), ..config(&url) }).await;
    rig.enqueue(3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((rig.output.status().state, rig.queue.pending()), ("unauthorized", 3));
    std::fs::write(&file, "new\n").unwrap();
    rig.drained().await;
    each_once(&collector, 3);
    assert_eq!(rig.output.status().state, "ok");
}

#[tokio::test]
async fn several_requests_are_under_way_at_once() {
    let collector = Collector::new(|request| if request < 3 { Reply::TakeSilently } else { Reply::Take });
    let (url, _served) = collector.serve(any_port()).await;
    let mut rig = Rig::start(&config(&url)).await;
    rig.enqueue(20).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(rig.queue.pending(), 3, "the rest went past the three that hang");
}

#[test]
fn a_bad_token_or_address_is_refused_before_anything_starts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _in_runtime = runtime.enter();
    for token in [TokenSource::Value("a\nb".to_owned()), TokenSource::File("/no/such/file".into())] {
        assert!(Client::new(&OutputConfig { token, ..config("http://127.0.0.1:1") }).is_err());
    }
    assert!(Client::new(&config("::")).is_err());
}

/// A request's headers and its body, unpacked.
type Write = (http::HeaderMap, Vec<u8>);

/// What a receiver of remote write was sent.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<Write>>>);

impl Writes {
    /// Answers the n-th request as `answer` says, with the number of samples that it has written.
    async fn serve(&self, answer: fn(usize) -> (u16, Option<u64>)) -> String {
        let writes = self.clone();
        let write = move |request: axum::extract::Request| async move {
            let (head, body) = request.into_parts();
            assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/api/v1/write"));
            let body = axum::body::to_bytes(axum::body::Body::new(body), 1 << 20).await.unwrap();
            let body = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
            let mut taken = writes.0.lock();
            let (status, written) = answer(taken.len());
            taken.push((head.headers, body));
            let mut response = http::Response::builder().status(status).header("retry-after", "0");
            if let Some(written) = written {
                response = response.header("X-Prometheus-Remote-Write-Samples-Written", written);
            }
            response.body(axum::body::Body::from("said why")).unwrap()
        };
        let listener = tokio::net::TcpListener::bind(any_port()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(write);
        let routes = tonic::service::Routes::from(router);
        let served = tonic::transport::Server::builder().add_routes(routes);
        tokio::spawn(served.serve_with_incoming(TcpIncoming::from(listener)));
        url
    }
}

fn samples(count: u32) -> Parcel {
    let mut writer = telemetry::samples::Writer::new();
    for index in 0..count {
        let value = telemetry::samples::Sample { time_ms: 1000, value: f64::from(index) };
        let index = index.to_string();
        writer.series(&mut [("__name__", "a"), ("i", &index)], false, &[value], &[], &[]).unwrap();
    }
    Parcel { signal: Signal::Samples, payload: writer.finish().into(), items: count, ..Parcel::default() }
}

#[tokio::test]
async fn samples_go_by_remote_write_and_are_settled_by_the_answer() {
    let writes = Writes::default();
    let url = writes
        .serve(|asked| match asked {
            0 => (503, None),
            1 => (429, None),
            2 => (204, Some(3)),
            3 => (400, Some(1)),
            4 => (415, None),
            _ => (204, Some(2)),
        })
        .await;
    let token = TokenSource::Value("t".to_owned());
    let rig = Rig::start(&OutputConfig { max_in_flight: 1, token, ..config(&url) }).await;
    for count in [3, 4, 5, 2] {
        rig.queue.append(samples(count), None).await.unwrap();
    }
    rig.drained().await;
    let taken = writes.0.lock();
    assert_eq!(taken.len(), 6);
    let (headers, body) = &taken[2];
    let expected = [
        ("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "2.0.0"),
        ("authorization", "Bearer t"),
    ];
    for (name, value) in expected {
        assert_eq!(headers[name], value, "{name}");
    }
    assert!(headers[Producer::HEADER].to_str().unwrap().starts_with("host-1;"));
    assert_eq!(headers[Producer::HEADER], taken[0].0[Producer::HEADER], "a resend has the same number");
    assert_eq!(body, &telemetry::remote_write::encode_v2(&samples(3).payload).unwrap());
    assert_eq!(rig.metrics.acknowledged.get(), 3 + 1 + 2);
    assert_eq!(rig.metrics.lost(), (0, 3 + 5));
    let text = rig.metrics.render();
    assert!(text.contains("records_rejected_total{reason=\"unsupported\"} 5"), "{text}");
}

#[tokio::test]
async fn each_signal_goes_to_its_service() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let paths = asked.clone();
    let listener = tokio::net::TcpListener::bind(any_port()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
        paths.lock().push(request.uri().path().to_owned());
        async { Status::invalid_argument("no").into_http::<axum::body::Body>() }
    });
    let served = tonic::transport::Server::builder().add_routes(tonic::service::Routes::from(router));
    tokio::spawn(served.serve_with_incoming(TcpIncoming::from(listener)));
    let rig = Rig::start(&OutputConfig { max_in_flight: 1, ..config(&url) }).await;
    for signal in [Signal::Logs, Signal::Metrics, Signal::Spans] {
        let parcel = Parcel { signal, payload: vec![10, 0].into(), items: 2, ..Parcel::default() };
        rig.queue.append(parcel, None).await.unwrap();
    }
    rig.drained().await;
    let services = ["logs.v1.LogsService", "metrics.v1.MetricsService", "trace.v1.TraceService"];
    let expected = services.map(|service| format!("/opentelemetry.proto.collector.{service}/Export"));
    assert_eq!(*asked.lock(), expected);
    assert_eq!(rig.metrics.lost(), (0, 6), "what is refused is counted");
}
