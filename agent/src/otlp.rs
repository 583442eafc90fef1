//! The OTLP input: programs on this host send to 127.0.0.1:4317 and :4318. A
//! request is answered when it is durable in the queue.
//!
//! At least once: when a reply is lost, the sender sends again and both copies are kept.

mod enrich;
mod fields;
mod metrics;
mod spans;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use receive::{Denied, Gate, Limits, RequestHead, Server, Sink, SinkError, check_browser_rules};
use telemetry::{Batch, Outcome, Signal, TenantId};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinError;
use tonic::transport::server::TcpIncoming;

use crate::config::OtlpInput;
use crate::feed::Shared;
use crate::metrics::Metrics;
use crate::queue::{Parcel, Queue, QueueError};
use enrich::{Enricher, Pieces};

/// How long a request waits for room in a full queue before it is answered 503.
const PATIENCE: Duration = Duration::from_secs(2);
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// To read and copy a larger request takes so long that it leaves the async threads.
const INLINE_BYTES: usize = 64 << 10;

/// The queue as a sink of received batches.
pub(crate) struct QueueSink {
    queue: Arc<Queue>,
    enricher: Arc<Enricher>,
    metrics: Arc<Metrics>,
}

/// Whoever is on this host may write; web pages may not.
pub(crate) struct LocalGate {
    allowed_hosts: Vec<String>,
}

/// The two bound listeners.
pub(crate) struct Listeners {
    pub(crate) grpc: TcpListener,
    pub(crate) http: TcpListener,
}

impl Listeners {
    /// Binds both ports; says which one is taken.
    pub(crate) async fn bind(input: &OtlpInput) -> anyhow::Result<Self> {
        Ok(Self {
            grpc: crate::run::bind(input.grpc, "OTLP/gRPC").await?,
            http: crate::run::bind(input.http, "OTLP/HTTP").await?,
        })
    }
}

/// The receiver of both protocols.
pub(crate) type OtlpServer = Server<QueueSink, LocalGate>;

/// The receiver that feeds `sink`.
pub(crate) fn server(input: &OtlpInput, sink: QueueSink) -> Arc<OtlpServer> {
    let gate = LocalGate { allowed_hosts: input.allowed_hosts.clone() };
    let limits = Limits { max_concurrent_bytes: 32 << 20, ..Limits::default() };
    // The collector makes samples of them: its mapping is in one place.
    Arc::new(Server::new(sink, gate, limits).keeping_metrics())
}

/// Serves until `stop` turns true, then until requests under way are answered.
pub(crate) async fn serve(
    listeners: Listeners,
    server: Arc<OtlpServer>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let router = receive::http_router(server.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let http = axum::serve(listeners.http, router).with_graceful_shutdown(stopped(stop.clone()));
    let grpc = tonic::transport::Server::builder()
        .add_routes(receive::grpc_routes(server))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listeners.grpc).with_nodelay(Some(true)),
            stopped(stop),
        );
    let (http, grpc) = tokio::join!(async { http.await }, grpc);
    http?;
    grpc?;
    Ok(())
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // A dropped sender stops us, too.
    let _dropped = stop.wait_for(|stop| *stop).await;
}

impl QueueSink {
    pub(crate) fn new(shared: &Shared) -> Self {
        let enricher = Enricher::new(&shared.resource, shared.processing.clone(), shared.metrics.clone());
        Self { queue: shared.queue.clone(), enricher: Arc::new(enricher), metrics: shared.metrics.clone() }
    }

    async fn cut(&self, signal: Signal, payload: Bytes) -> Result<Pieces, SinkError> {
        let pieces = if payload.len() <= INLINE_BYTES {
            self.enricher.pieces(signal, &payload)
        } else {
            let enricher = self.enricher.clone();
            let cutting = tokio::task::spawn_blocking(move || enricher.pieces(signal, &payload)).await;
            cutting.map_err(crashed)?
        };
        pieces.map_err(|error| SinkError::Refused { reason: error.to_string() })
    }

    async fn enqueue(&self, parcels: Vec<Parcel>) -> Result<u64, SinkError> {
        let items = parcels.iter().map(|parcel| u64::from(parcel.items)).sum();
        self.queue.append_all(parcels, PATIENCE).await.map_err(|error| match error {
            QueueError::TooLarge => {
                SinkError::TooLarge { size_bytes: 0, limit_bytes: crate::queue::MAX_PARCEL_BYTES }
            }
            error => SinkError::Unavailable { reason: error.to_string(), retry_after: RETRY_AFTER },
        })?;
        self.metrics.enqueued.with_label_values(&["otlp"]).inc_by(items);
        Ok(items)
    }
}

async fn cut_metrics(signal: Signal, payload: Bytes) -> Result<metrics::Cut, SinkError> {
    if payload.len() <= INLINE_BYTES {
        return metrics::cut(signal, payload);
    }
    let cutting = tokio::task::spawn_blocking(move || metrics::cut(signal, payload)).await;
    cutting.map_err(crashed)?
}

fn crashed(error: JoinError) -> SinkError {
    SinkError::Unavailable { reason: format!("cannot cut the request: {error}"), retry_after: RETRY_AFTER }
}

impl Sink for QueueSink {
    async fn append(&self, batch: Batch) -> Result<Outcome, SinkError> {
        if matches!(batch.signal, Signal::Metrics | Signal::Samples) {
            let metrics::Cut { parcels, mut outcome } = cut_metrics(batch.signal, batch.payload).await?;
            outcome.accepted = self.enqueue(parcels).await?;
            return Ok(outcome);
        }
        let pieces = self.cut(batch.signal, batch.payload).await?;
        let mut outcome = Outcome { accepted: pieces.filtered, ..Outcome::default() };
        for index in pieces.too_large {
            let limit = crate::queue::MAX_PARCEL_BYTES;
            let what = if batch.signal == Signal::Spans { "span" } else { "record" };
            outcome.reject(index, format!("the {what} is larger than a queue record of {limit} bytes"));
        }
        outcome.accepted += self.enqueue(pieces.parcels).await?;
        Ok(outcome)
    }
}

impl Gate for LocalGate {
    fn admit(&self, head: &RequestHead<'_>) -> Result<TenantId, Denied> {
        check_browser_rules(head, &self.allowed_hosts)?;
        Ok(TenantId::default_tenant())
    }
}

#[cfg(test)]
mod tests;
