//! The unit that travels: a batch of one tenant's items of one signal, and what
//! became of it. `Batch::encode` is the body of a journal record
//! (docs/format/batch.md); replay needs nothing else.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// Format version of an encoded batch.
const VERSION: u8 = 1;

/// A tenant's name: 1 to 64 characters out of `a-z A-Z 0-9 . _ -`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// The tenant that unauthenticated loopback ingest writes to.
    pub const DEFAULT: &'static str = "default";

    /// Checks the name's form.
    pub fn new(name: &str) -> Result<Self, BatchError> {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if name.len() > 64 || !starts_well || !name.chars().all(safe) {
            return Err(BatchError::Tenant(name.chars().take(80).collect()));
        }
        Ok(Self(Arc::from(name)))
    }

    /// The tenant `default`.
    pub fn default_tenant() -> Self {
        Self(Arc::from(Self::DEFAULT))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of items a batch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Signal {
    /// Log records; the payload is an OTLP `ExportLogsServiceRequest`.
    Logs = 1,
    /// Spans; the payload is an OTLP `ExportTraceServiceRequest`.
    Spans = 2,
    /// Metric samples; the payload is as [`crate::samples`] writes it.
    Samples = 3,
    /// OTLP metrics as they came, an `ExportMetricsServiceRequest`: only an agent's queue has these, the
    /// collector makes samples of them before its journal.
    Metrics = 4,
}

impl Signal {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Logs, Self::Spans, Self::Samples, Self::Metrics].into_iter().find(|s| *s as u8 == byte)
    }
}

/// Who sent a batch, so that a resend is applied once (CONTRACT 7 of the design).
///
/// `epoch` is drawn once per incarnation of the sender's queue, `seq` counts its
/// records from 1, `run` is drawn at each process start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Producer {
    /// The sender's stable name, 1 to 128 visible ASCII characters without `;`.
    pub id: Arc<str>,
    /// Random, per incarnation of the queue.
    pub epoch: u64,
    /// The record's number in that incarnation, from 1.
    pub seq: u64,
    /// Random, per process start.
    pub run: u64,
}

impl Producer {
    /// The request header and gRPC metadata key that carries a producer.
    pub const HEADER: &'static str = "narrows-producer";

    /// Checks `id` and builds.
    pub fn new(id: &str, epoch: u64, seq: u64, run: u64) -> Result<Self, ProducerError> {
        let visible = |b: u8| (0x21..=0x7e).contains(&b) && b != b';';
        if id.is_empty() || id.len() > 128 || !id.bytes().all(visible) {
            return Err(ProducerError::Id);
        }
        Ok(Self { id: Arc::from(id), epoch, seq, run })
    }

    /// Parses `id;epoch;seq;run`: epoch and run in hexadecimal, seq in decimal.
    pub fn parse(header: &str) -> Result<Self, ProducerError> {
        let mut parts = header.split(';');
        let (Some(id), Some(epoch), Some(seq), Some(run), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ProducerError::Form);
        };
        let hex = |text| u64::from_str_radix(text, 16).map_err(|_| ProducerError::Form);
        let seq = seq.parse().ok().filter(|seq| *seq > 0).ok_or(ProducerError::Form)?;
        Self::new(id, hex(epoch)?, seq, hex(run)?)
    }

    /// The header's text.
    pub fn to_header(&self) -> String {
        format!("{};{:x};{};{:x}", self.id, self.epoch, self.seq, self.run)
    }
}

/// Why a producer header is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    /// Not four parts, or a part that is no number.
    #[error("not of the form id;epoch;seq;run (epoch and run hexadecimal, seq decimal and at least 1)")]
    Form,
    /// The id has an odd length or character.
    #[error("the producer id must be 1 to 128 visible ASCII characters without ';'")]
    Id,
}

/// One tenant's items of one signal, in canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose items these are.
    pub tenant: TenantId,
    /// What kind they are.
    pub signal: Signal,
    /// Set when the sender numbers its batches.
    pub producer: Option<Producer>,
    /// When this batch was accepted, ns since 1970; "now" for everything that applies it.
    pub received_at_ns: i64,
    /// Canonical bytes for the signal, validated before they come here.
    pub payload: Bytes,
}

/// Why bytes are no batch, or a name no tenant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A name that is not allowed for a tenant.
    #[error("bad tenant name {0:?}: use 1 to 64 of a-z A-Z 0-9 . _ -, beginning with a letter or digit")]
    Tenant(String),
    /// A version that this build does not know.
    #[error("unknown batch version {0}")]
    Version(u8),
    /// The bytes end early or hold something that no writer writes.
    #[error("malformed batch at byte {0}")]
    Malformed(usize),
}

impl Batch {
    /// Bytes of a journal record's body, as docs/format/batch.md lays out.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.payload.len() + 256);
        out.extend([VERSION, self.signal as u8, u8::from(self.producer.is_some())]);
        out.extend(self.received_at_ns.to_le_bytes());
        push_short(&mut out, self.tenant.as_str());
        if let Some(producer) = &self.producer {
            push_short(&mut out, &producer.id);
            for number in [producer.epoch, producer.seq, producer.run] {
                out.extend(number.to_le_bytes());
            }
        }
        out.extend_from_slice(&self.payload);
        Bytes::from(out)
    }

    /// Reads what `encode` wrote; the payload is a slice of `record`, not a copy.
    pub fn decode(record: &Bytes) -> Result<Self, BatchError> {
        let mut reader = Reader { bytes: record, at: 0 };
        let version = reader.byte()?;
        if version != VERSION {
            return Err(BatchError::Version(version));
        }
        let signal = Signal::from_byte(reader.byte()?).ok_or(BatchError::Malformed(1))?;
        let has_producer = reader.byte()? == 1;
        let received_at_ns = i64::from_le_bytes(reader.array()?);
        let tenant = TenantId::new(reader.short()?)?;
        let producer = if has_producer { Some(reader.producer()?) } else { None };
        Ok(Self { tenant, signal, producer, received_at_ns, payload: record.slice(reader.at..) })
    }
}

fn push_short(out: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() <= usize::from(u8::MAX));
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], BatchError> {
        let end = self.at.checked_add(len).ok_or(BatchError::Malformed(self.at))?;
        let taken = self.bytes.get(self.at..end).ok_or(BatchError::Malformed(self.at))?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, BatchError> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BatchError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| BatchError::Malformed(at))
    }

    fn short(&mut self) -> Result<&'a str, BatchError> {
        let at = self.at;
        let len = usize::from(self.byte()?);
        std::str::from_utf8(self.take(len)?).map_err(|_| BatchError::Malformed(at))
    }

    fn producer(&mut self) -> Result<Producer, BatchError> {
        let at = self.at;
        let id = self.short()?;
        let mut number = || self.array().map(u64::from_le_bytes);
        let (epoch, seq, run) = (number()?, number()?, number()?);
        Producer::new(id, epoch, seq, run).map_err(|_| BatchError::Malformed(at))
    }
}

/// One item that was not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The item's index in the request, in the order of the request.
    pub index: u32,
    /// For the sender's eyes.
    pub reason: String,
}

/// What became of a batch: enough for every protocol's kind of partial success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Items that are durable now.
    pub accepted: u64,
    /// Items that were refused, in all.
    pub rejected: u64,
    /// The first [`Outcome::MAX_REASONS`] of them.
    pub reasons: Vec<Rejection>,
}

impl Outcome {
    /// How many reasons are kept.
    pub const MAX_REASONS: usize = 1000;

    /// Counts one refused item and keeps its reason while there is room.
    pub fn reject(&mut self, index: u32, reason: impl Into<String>) {
        self.rejected += 1;
        if self.reasons.len() < Self::MAX_REASONS {
            self.reasons.push(Rejection { index, reason: reason.into() });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn encoded_batches_decode_to_themselves(
            tenant in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}",
            producer in proptest::option::of(("[!-:<-~]{1,128}", any::<u64>(), 1u64.., any::<u64>())),
            received_at_ns: i64,
            payload: Vec<u8>,
        ) {
            let producer = producer.map(|(id, epoch, seq, run)| Producer::new(&id, epoch, seq, run).unwrap());
            let batch = Batch {
                tenant: TenantId::new(&tenant).unwrap(),
                signal: Signal::Logs,
                producer,
                received_at_ns,
                payload: payload.into(),
            };
            let record = batch.encode();
            prop_assert_eq!(Batch::decode(&record).unwrap(), batch.clone());
            if let Some(producer) = batch.producer {
                prop_assert_eq!(Producer::parse(&producer.to_header()).unwrap(), producer);
            }
        }

        #[test]
        fn any_bytes_decode_or_fail_without_panic(bytes: Vec<u8>) {
            let _outcome = Batch::decode(&Bytes::from(bytes));
        }
    }

    #[test]
    fn a_cut_header_is_malformed() {
        let batch = Batch {
            tenant: TenantId::default_tenant(),
            signal: Signal::Logs,
            producer: Some(Producer::new("host-1", 7, 1, 9).unwrap()),
            received_at_ns: 5,
            payload: Bytes::new(),
        };
        let record = batch.encode();
        for len in 0..record.len() {
            assert!(Batch::decode(&record.slice(..len)).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn bad_names_and_headers_are_refused() {
        for name in ["", "-a", "a/b", "ä", &"x".repeat(65)] {
            assert!(TenantId::new(name).is_err(), "{name}");
        }
        for header in ["", "a;1;1", "a;1;0;1", "a;g;1;1", "a;1;1;1;1", ";1;1;1", "a b;1;1;1", "a;1;-1;1"] {
            assert!(Producer::parse(header).is_err(), "{header}");
        }
    }

    #[test]
    fn reasons_are_capped_and_counts_are_not() {
        let mut outcome = Outcome::default();
        (0..2000).for_each(|index| outcome.reject(index, "too old"));
        assert_eq!((outcome.rejected, outcome.reasons.len()), (2000, Outcome::MAX_REASONS));
    }
}
