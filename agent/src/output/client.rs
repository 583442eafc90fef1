//! OTLP/gRPC, client side: one HTTP/2 connection, zstd, the payload passed
//! through as bytes that are protobuf already. Samples go by remote write 2.0 on the same connection.

mod write;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::Uri;
use http::uri::PathAndQuery;
use parking_lot::RwLock;
use telemetry::{Batch, Producer, Signal};
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower::service_fn;

use super::tls::{Tls, TlsFault};
use super::verdict::{self, Verdict};
use super::wire;
use crate::config::{OutputConfig, TokenSource};

const EXPORT_LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const EXPORT_METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const EXPORT_TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// An answer is a count and a message.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The address is no URL.
    #[error("cannot use the collector's address {0:?}")]
    Address(String, #[source] tonic::transport::Error),
    /// Files of TLS.
    #[error("cannot speak TLS to the collector")]
    Tls(#[from] TlsFault),
    /// The token cannot be read or sent.
    #[error("cannot use the ingest token: {0}")]
    Token(String),
}

/// A connection to the collector; connects when it is used, and again when it broke.
pub(super) struct Client {
    channel: Channel,
    tls: Option<Arc<Tls>>,
    timeout: Duration,
    source: TokenSource,
    token: RwLock<Option<MetadataValue<Ascii>>>,
}

impl Client {
    pub(super) fn new(config: &OutputConfig) -> Result<Self, ClientError> {
        let address = |error| ClientError::Address(config.collector.clone(), error);
        let endpoint = Endpoint::from_shared(config.collector.clone())
            .map_err(address)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true);
        let tls = config.tls.as_ref().map(|options| Tls::new(options, &config.collector)).transpose()?;
        let tls = tls.map(Arc::new);
        let channel = match tls.clone() {
            None => endpoint.connect_lazy(),
            Some(tls) => {
                endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| Arc::clone(&tls).connect()))
            }
        };
        let token = RwLock::new(read_token(&config.token)?);
        Ok(Self { channel, tls, timeout: config.timeout, source: config.token.clone(), token })
    }

    /// Sends one batch of `items` and says what became of it.
    pub(super) async fn send(&self, batch: &Batch, items: u64, producer: Option<&Producer>) -> Verdict {
        match (self.try_send(batch, items, producer).await, self.tls.as_ref().and_then(|tls| tls.told())) {
            // What lies between says less, and not the same each time.
            (Verdict::Later { reason: "connection", after, .. }, Some(message)) => {
                Verdict::Later { reason: "connection", after, message }
            }
            (verdict, _) => verdict,
        }
    }

    async fn try_send(&self, batch: &Batch, items: u64, producer: Option<&Producer>) -> Verdict {
        let path = match batch.signal {
            Signal::Logs => EXPORT_LOGS,
            Signal::Metrics => EXPORT_METRICS,
            Signal::Samples => return self.write(batch.payload.clone(), items, producer).await,
            Signal::Spans => EXPORT_TRACES,
        };
        match tokio::time::timeout(self.timeout, self.call(path, batch.payload.clone(), producer)).await {
            Ok(Ok(response)) => {
                let (rejected, message) = wire::partial_success(&response);
                Verdict::Taken { rejected, message }
            }
            Ok(Err(status)) => verdict::of(&status),
            Err(_) => self.no_answer(),
        }
    }

    fn no_answer(&self) -> Verdict {
        let message = format!("no answer within {} s", self.timeout.as_secs_f32());
        Verdict::Later { reason: "timeout", after: None, message }
    }

    async fn call(
        &self,
        path: &'static str,
        payload: Bytes,
        producer: Option<&Producer>,
    ) -> Result<Bytes, Status> {
        let mut grpc = Grpc::new(self.channel.clone())
            .send_compressed(CompressionEncoding::Zstd)
            .max_decoding_message_size(MAX_ANSWER_BYTES);
        grpc.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
        let mut request = Request::new(payload);
        if let Some(token) = self.token.read().clone() {
            request.metadata_mut().insert("authorization", token);
        }
        if let Some(producer) = producer
            && let Ok(value) = producer.to_header().parse()
        {
            request.metadata_mut().insert(Producer::HEADER, value);
        }
        let response = grpc.unary(request, PathAndQuery::from_static(path), RawCodec).await?;
        Ok(response.into_inner())
    }

    /// Reads the token's file again: it may have been renewed.
    pub(super) fn reload_token(&self) {
        match read_token(&self.source) {
            Ok(token) => *self.token.write() = token,
            Err(error) => tracing::warn!(%error, "keeping the token that was refused"),
        }
    }
}

fn read_token(source: &TokenSource) -> Result<Option<MetadataValue<Ascii>>, ClientError> {
    let token = match source {
        TokenSource::None => return Ok(None),
        TokenSource::Value(token) => token.clone(),
        TokenSource::File(path) => std::fs::read_to_string(path)
            .map_err(|error| ClientError::Token(format!("{} cannot be read: {error}", path.display())))?,
    };
    let value = format!("Bearer {}", token.trim()).parse();
    let mut value: MetadataValue<Ascii> =
        value.map_err(|_| ClientError::Token("it has a character that a header cannot carry".to_owned()))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Bytes out, bytes in.
#[derive(Clone, Copy, Debug)]
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// Shared by the tests of this module's neighbours.
#[cfg(test)]
pub(super) fn test_config(collector: String) -> OutputConfig {
    OutputConfig {
        collector,
        tls: None,
        token: TokenSource::None,
        timeout: Duration::from_secs(5),
        max_in_flight: 8,
        max_backoff: Duration::from_millis(50),
    }
}
