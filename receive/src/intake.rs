//! The path that all protocols share: admit → read → decode → limits → append.

use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, header};
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http_body::Body;
use telemetry::otlp::{LogRecord, Mapping, MetricsRequest, Request, Span, json, to_samples};
use telemetry::samples::Writer;
use telemetry::{Batch, Producer, ProducerError, Room, Signal, TenantId};
use tokio::task::spawn_blocking;
use tonic::transport::server::TcpConnectInfo;

use crate::body::{self, Chunks};
use crate::budget::Lease;
use crate::gate::{CertifiedTenant, Gate, RequestHead};
use crate::inflate::{Encoding, Inflate};
use crate::limits::Limits;
use crate::problem::Problem;
use crate::records::{self, Record};
use crate::server::Server;
use crate::sink::Sink;

/// Up to here a body is decoded where it arrives: about 0.06 ms in protobuf, 0.15 ms in JSON
/// (telemetry's `decode_bench`), and as much again to decompress. What is larger, or turns out to be
/// while it is decompressed, leaves the async threads.
const INLINE_BYTES: usize = 64 << 10;

/// Makes a payload of a protocol's plain body, with what that left out. What it holds in memory is on the lease.
pub(crate) type Decoder = fn(Bytes, &Limits, &mut Lease) -> Result<Decoded, Problem>;

/// A payload of one signal. OTLP is not yet checked; samples are, by having been written.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) signal: Signal,
    pub(crate) payload: Bytes,
    /// What samples hold; zeros for OTLP.
    pub(crate) contents: Contents,
    pub(crate) rejected: u64,
    pub(crate) first_reason: Option<String>,
}

/// What remote write tells its sender to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) samples: u64,
    pub(crate) histograms: u64,
    pub(crate) exemplars: u64,
}

/// What decides how a request is read, besides its bytes.
struct Rules {
    limits: Limits,
    /// How OTLP metrics become samples; `None` where they stay what they are.
    mapping: Option<Arc<Mapping>>,
    received_at_ns: i64,
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
    /// Why the first was rejected, or what else was left out.
    pub(crate) first_reason: Option<String>,
    /// What of samples is stored.
    pub(crate) contents: Contents,
}

/// Items that passed every check; the lease stays with them until they are stored.
struct Checked {
    signal: Signal,
    payload: Bytes,
    /// Log records, spans, data points of OTLP, samples and histograms of remote write.
    items: u64,
    contents: Contents,
    rejected: u64,
    first_reason: Option<String>,
    _lease: Lease,
}

impl Decoded {
    pub(crate) fn otlp(signal: Signal, payload: Bytes) -> Self {
        Self { signal, payload, contents: Contents::default(), rejected: 0, first_reason: None }
    }
}

impl Contents {
    /// Without so many of the samples, and then of the histograms.
    fn without(self, rejected: u64) -> Self {
        let samples = self.samples.saturating_sub(rejected);
        let rest = rejected.saturating_sub(self.samples);
        Self { samples, histograms: self.histograms.saturating_sub(rest), exemplars: self.exemplars }
    }
}

impl Checked {
    /// Whether there is nothing to store: what is only metadata has no items.
    fn is_empty(&self) -> bool {
        match self.signal {
            Signal::Samples => self.payload.len() <= 1,
            _ => self.items == 0,
        }
    }
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
        let certified = parts.extensions.get::<CertifiedTenant>().map(|certified| &certified.0);
        let head = RequestHead { headers: &parts.headers, peer: peer(parts), certified };
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
    pub(crate) fn batch(&self, sender: Sender, signal: Signal, received_at_ns: i64, payload: Bytes) -> Batch {
        let Sender { tenant, producer } = sender;
        Batch { tenant, signal, producer, received_at_ns, payload }
    }

    /// Decodes and checks a body and hands what it holds to the sink.
    pub(crate) async fn take(
        &self,
        sender: Sender,
        received: Received,
        encoding: Encoding,
        decoder: Decoder,
    ) -> Result<Taken, Problem> {
        let received_at_ns = (self.clock)();
        let rules = Rules { limits: self.limits.clone(), mapping: self.mapping.clone(), received_at_ns };
        let mut checked = inflate(received, encoding, &self.limits, move |plain, lease| {
            check(plain, decoder, &rules, lease)
        })
        .await?;
        let mut taken = Taken {
            rejected: checked.rejected,
            first_reason: checked.first_reason.take(),
            contents: checked.contents,
            ..Taken::default()
        };
        if !checked.is_empty() {
            let payload = std::mem::take(&mut checked.payload);
            let batch = self.batch(sender, checked.signal, received_at_ns, payload);
            let outcome = self.sink.append(batch).await?;
            // The sink counts samples, of which a data point may be several.
            taken.accepted = checked.items.saturating_sub(outcome.rejected);
            taken.rejected += outcome.rejected.min(checked.items);
            taken.contents = taken.contents.without(outcome.rejected);
            let first = outcome.reasons.into_iter().next().map(|rejection| rejection.reason);
            taken.first_reason = taken.first_reason.or(first);
        }
        self.count_items(checked.signal, taken.accepted, taken.rejected);
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
fn check(plain: Bytes, decoder: Decoder, rules: &Rules, mut lease: Lease) -> Result<Checked, Problem> {
    let decoded = decoder(plain, &rules.limits, &mut lease)?;
    match (decoded.signal, &rules.mapping) {
        (Signal::Metrics, Some(mapping)) => convert(&decoded, mapping, rules, lease),
        (Signal::Metrics, None) => check_metrics(decoded, lease),
        (Signal::Samples, _) => Ok(check_samples(decoded, lease)),
        (Signal::Logs, _) => check_records::<LogRecord<'_>>(&decoded, "logs", &rules.limits, lease),
        (Signal::Spans, _) => check_records::<Span<'_>>(&decoded, "traces", &rules.limits, lease),
    }
}

fn check_records<'a, R: Record<'a>>(
    decoded: &'a Decoded,
    what: &str,
    limits: &Limits,
    lease: Lease,
) -> Result<Checked, Problem> {
    let payload = &decoded.payload;
    let request = Request::<R>::parse(payload)
        .map_err(|error| Problem::Malformed(format!("the body is no OTLP {what} request: {error}")))?;
    let records = request.count() as u64;
    let kept = records::enforce(&request, payload.len(), limits);
    Ok(Checked {
        signal: decoded.signal,
        items: records.saturating_sub(kept.rejected),
        contents: decoded.contents,
        rejected: decoded.rejected + kept.rejected,
        first_reason: decoded.first_reason.clone().or(kept.first_reason),
        payload: kept.rewritten.map_or_else(|| payload.clone(), Bytes::from),
        _lease: lease,
    })
}

fn check_metrics(decoded: Decoded, lease: Lease) -> Result<Checked, Problem> {
    let Decoded { signal, payload, contents, rejected, first_reason } = decoded;
    let items = parse_metrics(&payload)?.point_count() as u64;
    Ok(Checked { signal, payload, items, contents, rejected, first_reason, _lease: lease })
}

fn check_samples(decoded: Decoded, lease: Lease) -> Checked {
    let Decoded { signal, payload, contents, rejected, first_reason } = decoded;
    let items = contents.samples + contents.histograms;
    Checked { signal, payload, items, contents, rejected, first_reason, _lease: lease }
}

/// OTLP metrics become samples.
fn convert(
    decoded: &Decoded,
    mapping: &Mapping,
    rules: &Rules,
    mut lease: Lease,
) -> Result<Checked, Problem> {
    let request = parse_metrics(&decoded.payload)?;
    let mut writer = Writer::new();
    let mut grow = |bytes| lease.grow(bytes).is_ok();
    let converted = to_samples(&request, mapping, rules.received_at_ns, &mut writer, Room::new(&mut grow))
        .map_err(|_| Problem::Busy)?;
    lease.shrink(decoded.payload.len());
    Ok(Checked {
        signal: Signal::Samples,
        payload: Bytes::from(writer.finish()),
        items: converted.accepted,
        contents: Contents::default(),
        rejected: decoded.rejected + converted.rejected,
        first_reason: converted.reasons.into_iter().next(),
        _lease: lease,
    })
}

fn parse_metrics(payload: &[u8]) -> Result<MetricsRequest<'_>, Problem> {
    MetricsRequest::parse(payload)
        .map_err(|error| Problem::Malformed(format!("the body is no OTLP metrics request: {error}")))
}

/// OTLP in protobuf is what is stored.
pub(crate) fn logs_protobuf(payload: Bytes, _: &Limits, _: &mut Lease) -> Result<Decoded, Problem> {
    Ok(Decoded::otlp(Signal::Logs, payload))
}

/// The same for metrics.
pub(crate) fn metrics_protobuf(payload: Bytes, _: &Limits, _: &mut Lease) -> Result<Decoded, Problem> {
    Ok(Decoded::otlp(Signal::Metrics, payload))
}

/// protobuf is never longer than the JSON that it was read from, so twice the text is enough for both.
pub(crate) fn logs_json(text: Bytes, _: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    Ok(Decoded::otlp(Signal::Logs, from_json(&text, "logs", json::decode_logs, 1, lease)?))
}

/// The same for metrics, where lists of numbers can grow.
pub(crate) fn metrics_json(text: Bytes, _: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    let growth = json::METRICS_GROWTH;
    Ok(Decoded::otlp(Signal::Metrics, from_json(&text, "metrics", json::decode_metrics, growth, lease)?))
}

/// The same for traces.
pub(crate) fn traces_protobuf(payload: Bytes, _: &Limits, _: &mut Lease) -> Result<Decoded, Problem> {
    Ok(Decoded::otlp(Signal::Spans, payload))
}

/// The same for traces, where numbers of an enum can grow.
pub(crate) fn traces_json(text: Bytes, _: &Limits, lease: &mut Lease) -> Result<Decoded, Problem> {
    let growth = json::TRACES_GROWTH;
    Ok(Decoded::otlp(Signal::Spans, from_json(&text, "traces", json::decode_traces, growth, lease)?))
}

fn from_json(
    text: &Bytes,
    what: &str,
    decode: fn(&[u8]) -> Result<Vec<u8>, json::JsonError>,
    growth: usize,
    lease: &mut Lease,
) -> Result<Bytes, Problem> {
    if text.is_empty() {
        return Ok(Bytes::new());
    }
    lease.grow(growth * text.len())?;
    let payload = decode(text)
        .map_err(|error| Problem::Malformed(format!("the body is no OTLP/JSON {what} request: {error}")))?;
    lease.shrink(((1 + growth) * text.len()).saturating_sub(payload.len()));
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
