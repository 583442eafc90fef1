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

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Protobuf,
    Json,
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
            Encoding::Gzip | Encoding::Zstd => self.limits.max_compressed_bytes,
        };
        let mut lease = self.budget.lease();
        let chunks = body::read(body, limit_bytes, self.limits.body_timeout, &mut lease).await?;
        self.count_bytes(chunks.len());
        Ok(Received { chunks, lease })
    }

    /// Decodes and checks a body and hands what it holds to the sink.
    pub(crate) async fn take(
        &self,
        sender: Sender,
        received: Received,
        encoding: Encoding,
        format: Format,
    ) -> Result<Taken, Problem> {
        let checked = decode(received, encoding, format, &self.limits).await?;
        let mut taken = Taken { accepted: 0, rejected: checked.rejected, first_reason: checked.first_reason };
        if checked.records > 0 {
            let Sender { tenant, producer } = sender;
            let received_at_ns = (self.clock)();
            let batch =
                Batch { tenant, signal: Signal::Logs, producer, received_at_ns, payload: checked.payload };
            let outcome = self.sink.append(batch).await?;
            taken.accepted = outcome.accepted;
            taken.rejected += outcome.rejected;
            let first = outcome.reasons.into_iter().next().map(|rejection| rejection.reason);
            taken.first_reason = taken.first_reason.or(first);
        }
        self.count_records(taken.accepted, taken.rejected);
        Ok(taken)
    }
}

async fn decode(
    received: Received,
    encoding: Encoding,
    format: Format,
    limits: &Limits,
) -> Result<Checked, Problem> {
    let Received { chunks, mut lease } = received;
    let wire_bytes = chunks.len();
    let mut inflate = Inflate::new(encoding, chunks, limits.max_decompressed_bytes)?;
    if wire_bytes <= INLINE_BYTES && inflate.advance(INLINE_BYTES, &mut lease)? {
        return check(inflate, wire_bytes, format, limits, lease);
    }
    let limits = limits.clone();
    let work = spawn_blocking(move || {
        inflate.advance(usize::MAX, &mut lease)?;
        check(inflate, wire_bytes, format, &limits, lease)
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "decoding a request failed");
        Err(Problem::Internal)
    })
}

/// Everything between plain bytes and a batch that cannot fail any more.
fn check(
    inflate: Inflate,
    wire_bytes: usize,
    format: Format,
    limits: &Limits,
    mut lease: Lease,
) -> Result<Checked, Problem> {
    let was_compressed = inflate.is_compressed();
    let plain = inflate.into_bytes();
    if was_compressed {
        lease.shrink(wire_bytes);
    }
    let payload = match format {
        Format::Protobuf => plain,
        Format::Json => from_json(plain, &mut lease)?,
    };
    let request = LogsRequest::parse(&payload)
        .map_err(|error| Problem::Malformed(format!("the body is no OTLP logs request: {error}")))?;
    let records = request.record_count();
    let kept = records::enforce(&request, payload.len(), limits);
    Ok(Checked {
        records: records.saturating_sub(usize::try_from(kept.rejected).unwrap_or(usize::MAX)),
        rejected: kept.rejected,
        first_reason: kept.first_reason,
        payload: kept.rewritten.map_or(payload, Bytes::from),
        _lease: lease,
    })
}

/// protobuf is never longer than the JSON that it was read from, so twice the text is enough for both.
fn from_json(text: Bytes, lease: &mut Lease) -> Result<Bytes, Problem> {
    if text.is_empty() {
        return Ok(text);
    }
    lease.grow(text.len())?;
    let payload = json::decode_logs(&text)
        .map_err(|error| Problem::Malformed(format!("the body is no OTLP/JSON logs request: {error}")))?;
    lease.shrink((2 * text.len()).saturating_sub(payload.len()));
    Ok(Bytes::from(payload))
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
