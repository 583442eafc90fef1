//! The path that all protocols share: admit → read → decode → limits → append.

use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::Pin;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, header};
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http_body::Body;
use telemetry::otlp::{LogsRequest, json};
use telemetry::{Batch, Producer, ProducerError, Signal, TenantId};
use tokio::task::spawn_blocking;
use tonic::transport::server::TcpConnectInfo;

use crate::body::{self, Chunks};
use crate::budget::Lease;
use crate::gate::{Gate, RequestHead};
use crate::inflate::{Encoding, Inflate};
use crate::limits::Limits;
use crate::problem::Problem;
use crate::records;
use crate::server::Server;
use crate::sink::Sink;

/// Up to here a body is decoded where it arrives: about 0.06 ms in protobuf, 0.15 ms in JSON
/// (telemetry's `decode_bench`), and as much again to decompress. What is larger, or turns out to be
/// while it is decompressed, leaves the async threads.
const INLINE_BYTES: usize = 64 << 10;

/// Makes OTLP of a protocol's plain body, with what that left out. What it holds in memory is on the lease.
pub(crate) type Decoder = fn(Bytes, &Limits, &mut Lease) -> Result<Decoded, Problem>;

/// An OTLP logs request, not yet checked.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) payload: Bytes,
    pub(crate) rejected: u64,
    pub(crate) first_reason: Option<String>,
}

/// Who sends.
#[derive(Debug)]
pub(crate) struct Sender {
    tenant: TenantId,
    producer: Option<Producer>,
}

/// A body as it was sent.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) chunks: Chunks,
    lease: Lease,
}

/// What became of a request that was not refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) first_reason: Option<String>,
}

/// Records that passed every check; the lease stays with them until they are stored.
struct Checked {
    payload: Bytes,
    records: usize,
    rejected: u64,
    first_reason: Option<String>,
    _lease: Lease,
}

impl Sender {
    /// The same without a number: for a request that becomes several batches, which cannot all have it.
    pub(crate) fn unnumbered(&self) -> Self {
        Self { tenant: self.tenant.clone(), producer: None }
    }
}

impl<S: Sink, G: Gate> Server<S, G> {
    /// Asks the gate, and reads who sends.
    pub(crate) fn admit(&self, parts: &mut Parts) -> Result<Sender, Problem> {
        copy_authority(parts);
        let head = RequestHead { headers: &parts.headers, peer: peer(parts) };
        let tenant = self.gate.admit(&head)?;
        Ok(Sender { tenant, producer: producer(&parts.headers)? })
    }

    /// Reads a body; how large it may be depends on whether it is compressed.
    pub(crate) async fn read<B>(&self, body: Pin<&mut B>, encoding: Encoding) -> Result<Received, Problem>
    where
        B: Body<Data = Bytes>,
        B::Error: Display,
    {
        let limit_bytes = match encoding {
            Encoding::Identity => self.limits.max_decompressed_bytes,
            Encoding::Gzip | Encoding::Zstd | Encoding::Deflate => self.limits.max_compressed_bytes,
        };
        let mut lease = self.budget.lease();
        let chunks = body::read(body, limit_bytes, self.limits.body_timeout, &mut lease).await?;
        self.count_bytes(chunks.len());
        Ok(Received { chunks, lease })
    }

    /// What the sink gets.
    pub(crate) fn batch(&self, sender: Sender, payload: Bytes) -> Batch {
        let Sender { tenant, producer } = sender;
        Batch { tenant, signal: Signal::Logs, producer, received_at_ns: (self.clock)(), payload }
    }

    /// Decodes and checks a body and hands what it holds to the sink.
    pub(crate) async fn take(
        &self,
        sender: Sender,
        received: Received,
        encoding: Encoding,
        decoder: Decoder,
    ) -> Result<Taken, Problem> {
        let limits = self.limits.clone();
        let checked = inflate(received, encoding, &self.limits, move |plain, lease| {
            check(plain, decoder, &limits, lease)
        })
        .await?;
        let mut taken = Taken { accepted: 0, rejected: checked.rejected, first_reason: checked.first_reason };
        if checked.records > 0 {
            let outcome = self.sink.append(self.batch(sender, checked.payload)).await?;
            taken.accepted = outcome.accepted;
            taken.rejected += outcome.rejected;
            let first = outcome.reasons.into_iter().next().map(|rejection| rejection.reason);
            taken.first_reason = taken.first_reason.or(first);
        }
        self.count_records(taken.accepted, taken.rejected);
        Ok(taken)
    }
}

/// Takes the compression off a body and hands its plain bytes to `work`, with the lease that they are on;
/// off the async threads where that takes long.
pub(crate) async fn inflate<T: Send + 'static>(
    received: Received,
    encoding: Encoding,
    limits: &Limits,
    work: impl FnOnce(Bytes, Lease) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let Received { chunks, mut lease } = received;
    let wire_bytes = chunks.len();
    let mut inflate = Inflate::new(encoding, chunks, limits.max_decompressed_bytes)?;
    if wire_bytes <= INLINE_BYTES && inflate.advance(INLINE_BYTES, &mut lease)? {
        return work(plain_bytes(inflate, wire_bytes, &mut lease), lease);
    }
    let work = spawn_blocking(move || {
        inflate.advance(usize::MAX, &mut lease)?;
        work(plain_bytes(inflate, wire_bytes, &mut lease), lease)
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "decoding a request failed");
        Err(Problem::Internal)
    })
}

fn plain_bytes(inflate: Inflate, wire_bytes: usize, lease: &mut Lease) -> Bytes {
    let was_compressed = inflate.is_compressed();
    let plain = inflate.into_bytes();
    if was_compressed {
        lease.shrink(wire_bytes);
    }
    plain
}

/// Everything between plain bytes and a batch that cannot fail any more.
fn check(plain: Bytes, decoder: Decoder, limits: &Limits, mut lease: Lease) -> Result<Checked, Problem> {
    let Decoded { payload, rejected, first_reason } = decoder(plain, limits, &mut lease)?;
    let request = LogsRequest::parse(&payload)
        .map_err(|error| Problem::Malformed(format!("the body is no OTLP logs request: {error}")))?;
    let records = request.record_count();
    let kept = records::enforce(&request, payload.len(), limits);
    Ok(Checked {
        records: records.saturating_sub(usize::try_from(kept.rejected).unwrap_or(usize::MAX)),
        rejected: rejected + kept.rejected,
        first_reason: first_reason.or(kept.first_reason),
        payload: kept.rewritten.map_or(payload, Bytes::from),
        _lease: lease,
    })
}

/// OTLP in protobuf is what is stored.
pub(crate) fn plain(payload: Bytes, _: &Limits, _: &mut Lease) -> Result<Decoded, Problem> {
    Ok(Decoded { payload, ..Decoded::default() })
}

/// protobuf is never longer than the JSON that it was read from, so twice the text is enough for both.
pub(crate) fn from_json(text: Bytes, _: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    if text.is_empty() {
        return Ok(Decoded::default());
    }
    lease.grow(text.len())?;
    let payload = json::decode_logs(&text)
        .map_err(|error| Problem::Malformed(format!("the body is no OTLP/JSON logs request: {error}")))?;
    lease.shrink((2 * text.len()).saturating_sub(payload.len()));
    Ok(Decoded { payload: Bytes::from(payload), ..Decoded::default() })
}

fn producer(headers: &HeaderMap) -> Result<Option<Producer>, ProducerError> {
    let mut values = headers.get_all(Producer::HEADER).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Producer::parse(value.to_str().map_err(|_| ProducerError::Form)?).map(Some),
        // Two numbers for one batch: whichever was meant, the other would be lost.
        (Some(_), Some(_)) => Err(ProducerError::Form),
    }
}

/// HTTP/2 carries the host as `:authority`; gates look for `host`.
fn copy_authority(parts: &mut Parts) {
    if !parts.headers.contains_key(header::HOST)
        && let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
}

/// The other end, as axum's or tonic's server left it.
fn peer(parts: &Parts) -> Option<SocketAddr> {
    let extensions = &parts.extensions;
    let of_axum = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    of_axum.or_else(|| extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr))
}
