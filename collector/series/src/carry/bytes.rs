//! The carried state as bytes for the manifest. docs/format/segment.md, "State", has every byte.

use std::collections::BTreeMap;
use std::io::Read as _;

use telemetry::TenantId;
use telemetry::samples::{Delete, MatchOp, Metadata, MetricKind};

use super::{Carry, Deletion, Described, Newest, Sum};
use crate::encode::{decode_histograms, encode_histograms};
use crate::head::Head;
use crate::partition::SeriesError;
use crate::wire::{Malformed, Reader, put_bytes, put_float, put_signed, put_varint};

/// The version that is written; version 1 has no newest times of records and sums.
const VERSION: u8 = 2;

/// What was read of a state.
pub(crate) struct Recovered {
    pub(crate) offset: u64,
    pub(crate) tenants: BTreeMap<TenantId, Carry>,
}

/// Writes the state of all tenants at an offset.
pub(crate) fn encode<'a>(
    offset: u64,
    tenants: impl ExactSizeIterator<Item = (&'a TenantId, &'a Carry, &'a Head)>,
) -> Result<Vec<u8>, SeriesError> {
    let mut raw = Vec::new();
    put_varint(&mut raw, offset);
    put_varint(&mut raw, tenants.len() as u64);
    for (tenant, carry, head) in tenants {
        put_bytes(&mut raw, tenant.as_str().as_bytes());
        put_tenant(&mut raw, carry, head);
    }
    let mut out = vec![VERSION];
    put_varint(&mut out, raw.len() as u64);
    let packed = zstd::bulk::compress(&raw, 1);
    out.extend(packed.map_err(|error| SeriesError::State(format!("it cannot be compressed: {error}")))?);
    Ok(out)
}

fn put_tenant(out: &mut Vec<u8>, carry: &Carry, head: &Head) {
    put_varint(out, u64::from(carry.now_s));
    put_varint(out, u64::from(carry.newest_s));
    let age = |received_s: u32| u64::from(carry.now_s.saturating_sub(received_s));
    let mut newest: BTreeMap<u64, Newest> =
        carry.newest.iter().map(|(hash, newest)| (*hash, *newest)).collect();
    newest.extend(
        head.all_newest().map(|(hash, newest_ms, received_s)| (hash, Newest { newest_ms, received_s })),
    );
    newest.retain(|_, newest| carry.is_active(newest.received_s));
    put_varint(out, newest.len() as u64);
    let mut before = 0;
    for (hash, newest) in newest {
        out.extend(hash.to_le_bytes());
        put_signed(out, newest.newest_ms.wrapping_sub(before));
        put_varint(out, age(newest.received_s));
        before = newest.newest_ms;
    }
    let mut sums: Vec<_> = carry.sums.iter().filter(|(_, sum)| carry.is_active(sum.received_s)).collect();
    sums.sort_by_key(|(labels, _)| *labels);
    put_varint(out, sums.len() as u64);
    for (labels, sum) in sums {
        put_bytes(out, labels);
        put_float(out, sum.float);
        put_signed(out, sum.newest_ms);
        put_varint(out, age(sum.received_s));
        let mut histogram = Vec::new();
        if let Some(sum) = &sum.histogram {
            encode_histograms(&[(0, sum.clone())], &mut histogram);
        }
        put_bytes(out, &histogram);
    }
    put_varint(out, carry.families().count() as u64);
    for described in carry.families() {
        put_bytes(out, described.metadata.family.as_bytes());
        out.push(described.metadata.kind as u8);
        put_bytes(out, described.metadata.unit.as_bytes());
        put_bytes(out, described.metadata.help.as_bytes());
        put_varint(out, age(described.received_s));
    }
    put_varint(out, carry.deletes.len() as u64);
    for deletion in &*carry.deletes {
        put_deletion(out, deletion);
    }
}

fn put_deletion(out: &mut Vec<u8>, deletion: &Deletion) {
    put_varint(out, deletion.offset);
    put_signed(out, deletion.start_ms);
    put_signed(out, deletion.end_ms);
    put_varint(out, deletion.matchers.len() as u64);
    for matcher in &deletion.matchers {
        put_bytes(out, matcher.name().as_bytes());
        out.push(matcher.op() as u8);
        put_bytes(out, matcher.value().as_bytes());
    }
}

/// Reads what `encode` wrote; nothing at all is the state before the first record.
pub(crate) fn decode(bytes: &[u8]) -> Result<Recovered, SeriesError> {
    if bytes.is_empty() {
        return Ok(Recovered { offset: 0, tenants: BTreeMap::new() });
    }
    let malformed = |error: Malformed| SeriesError::State(error.to_string());
    let mut reader = Reader::new(bytes);
    let version = reader.byte().map_err(malformed)?;
    if version == 0 || version > VERSION {
        return Err(SeriesError::State(format!("version {version}, this build knows 1 to {VERSION}")));
    }
    let len = reader.varint().map_err(malformed)?;
    let raw = decompress(reader.rest(), len)?;
    read(&raw, version).map_err(malformed)
}

/// What a manifest holds was written by this program: it may be as long as it says, and not longer. Room is
/// made as it is filled.
fn decompress(packed: &[u8], len: u64) -> Result<Vec<u8>, SeriesError> {
    let failed = |error: std::io::Error| SeriesError::State(error.to_string());
    let mut raw = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(packed).map_err(failed)?;
    decoder.take(len.saturating_add(1)).read_to_end(&mut raw).map_err(failed)?;
    if raw.len() as u64 != len {
        return Err(SeriesError::State("it has another length than it says".to_owned()));
    }
    Ok(raw)
}

type Read<T> = Result<T, Malformed>;

fn read(raw: &[u8], version: u8) -> Read<Recovered> {
    let mut reader = Reader::new(raw);
    let offset = reader.varint()?;
    let mut tenants = BTreeMap::new();
    for _ in 0..reader.count(2)? {
        let tenant = TenantId::new(reader.text()?).map_err(|_| reader.malformed())?;
        tenants.insert(tenant, read_tenant(&mut reader, version)?);
    }
    Ok(Recovered { offset, tenants })
}

fn read_tenant(reader: &mut Reader<'_>, version: u8) -> Read<Carry> {
    let now_s = reader.u32()?;
    let newest_s = if version > 1 { reader.u32()? } else { now_s };
    let mut carry = Carry { now_s, newest_s, ..Carry::default() };
    let mut before = 0i64;
    for _ in 0..reader.count(10)? {
        let hash = u64::from_le_bytes(reader.array()?);
        before = before.wrapping_add(reader.signed()?);
        let received_s = now_s.saturating_sub(reader.u32()?);
        carry.newest.insert(hash, Newest { newest_ms: before, received_s });
    }
    for _ in 0..reader.count(11)? {
        let labels = reader.bytes()?.into();
        let float = reader.float()?;
        let newest_ms = if version > 1 { reader.signed()? } else { i64::MIN };
        let received_s = now_s.saturating_sub(reader.u32()?);
        let histogram = match reader.bytes()? {
            [] => None,
            bytes => {
                let mut histograms = decode_histograms(bytes).map_err(|_| reader.malformed())?;
                histograms.pop().map(|(_, histogram)| histogram)
            }
        };
        carry.sums.insert(labels, Sum { float, histogram, newest_ms, received_s });
    }
    for _ in 0..reader.count(5)? {
        let family = reader.text()?.to_owned();
        let kind = MetricKind::from_byte(reader.byte()?).ok_or_else(|| reader.malformed())?;
        let (unit, help) = (reader.text()?.to_owned(), reader.text()?.to_owned());
        let received_s = now_s.saturating_sub(reader.u32()?);
        let metadata = Metadata { family, kind, unit, help };
        carry.put_described(Described { metadata, received_s });
    }
    let mut deletes = Vec::new();
    for _ in 0..reader.count(4)? {
        deletes.push(read_deletion(reader)?);
    }
    carry.deletes = deletes.into();
    Ok(carry)
}

fn read_deletion(reader: &mut Reader<'_>) -> Read<Deletion> {
    let offset = reader.varint()?;
    let (start_ms, end_ms) = (reader.signed()?, reader.signed()?);
    let mut matchers = Vec::new();
    for _ in 0..reader.count(3)? {
        let name = reader.text()?.to_owned();
        let op = MatchOp::from_byte(reader.byte()?).ok_or_else(|| reader.malformed())?;
        matchers.push((name, op, reader.text()?.to_owned()));
    }
    Deletion::new(offset, &Delete { matchers, start_ms, end_ms }).map_err(|_| reader.malformed())
}
