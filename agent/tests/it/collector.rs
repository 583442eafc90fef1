//! A collector for tests: takes what comes, keeps each number once, and fails
//! now and then.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use receive::{Denied, Gate, Limits, RequestHead, Server, Sink, SinkError};
use telemetry::otlp::{LogsRequest, TracesRequest};
use telemetry::{Batch, Outcome, Signal, TenantId};
use tonic::transport::server::TcpIncoming;

/// One record that was taken; of a span, its name for a body.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) body: String,
    pub(crate) attributes: HashMap<String, String>,
    pub(crate) resource: HashMap<String, String>,
}

/// By epoch and seq.
type Batches = BTreeMap<(u64, u64), Vec<Record>>;

#[derive(Clone, Default)]
pub(crate) struct Collector {
    /// In the agent's order.
    batches: Arc<Mutex<Batches>>,
    requests: Arc<AtomicU64>,
    pub(crate) resent: Arc<AtomicU64>,
    /// Every n-th request is taken and answered 503, every (n+1)-th is refused with 503; 0: none.
    fail_every: u64,
}

impl Collector {
    pub(crate) fn failing_every(fail_every: u64) -> Self {
        Self { fail_every, ..Self::default() }
    }

    /// Serves on a port of its own; returns the URL.
    pub(crate) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes =
            receive::grpc_routes(Arc::new(Server::new(self.clone(), self.clone(), Limits::default())));
        let server = tonic::transport::Server::builder().add_routes(routes);
        tokio::spawn(async move { server.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap() });
        url
    }

    /// Everything that was taken; per epoch in the order in which the agent has enqueued it.
    pub(crate) fn epochs(&self) -> Vec<Vec<Record>> {
        let mut epochs: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
        for ((epoch, _), records) in self.batches.lock().iter() {
            epochs.entry(*epoch).or_default().extend(records.iter().cloned());
        }
        epochs.into_values().collect()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.epochs().into_iter().flatten().collect()
    }

    /// As if nothing had come.
    pub(crate) fn forget(&self) {
        self.batches.lock().clear();
    }

    pub(crate) fn record_count(&self) -> usize {
        self.batches.lock().values().map(Vec::len).sum()
    }

    fn take(&self, batch: &Batch) {
        let producer = batch.producer.as_ref().expect("every request is numbered");
        let mut batches = self.batches.lock();
        if batches.contains_key(&(producer.epoch, producer.seq)) {
            self.resent.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let map = |values: telemetry::KeyValues<'_>| {
            values.iter().map(|(key, value)| (key.to_owned(), value.to_text().into_owned())).collect()
        };
        let record = |body: String, attributes, resource| Record {
            body,
            attributes: map(attributes),
            resource: map(resource),
        };
        let records: Vec<Record> = if batch.signal == Signal::Spans {
            let request = TracesRequest::parse(&batch.payload).unwrap();
            let spans = request.spans().map(|(resource, _, span)| {
                record(span.name.to_owned(), span.attributes(), resource.resource.attributes())
            });
            spans.collect()
        } else {
            let request = LogsRequest::parse(&batch.payload).unwrap();
            let records = request.records().map(|(resource, _, item)| {
                record(item.body.to_text().into_owned(), item.attributes(), resource.resource.attributes())
            });
            records.collect()
        };
        batches.insert((producer.epoch, producer.seq), records);
    }
}

impl Sink for Collector {
    async fn append(&self, batch: Batch) -> Result<Outcome, SinkError> {
        let busy =
            SinkError::Unavailable { reason: "busy".to_owned(), retry_after: Duration::from_millis(20) };
        let request = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let phase = if self.fail_every == 0 { 2 } else { request % self.fail_every };
        if phase != 1 {
            self.take(&batch);
        }
        if phase < 2 { Err(busy) } else { Ok(Outcome { accepted: 1, ..Outcome::default() }) }
    }
}

impl Gate for Collector {
    fn admit(&self, _head: &RequestHead<'_>) -> Result<TenantId, Denied> {
        Ok(TenantId::default_tenant())
    }
}
