//! `prometheus.WriteRequest`, after snappy has been taken off.
//!
//! ```text
//! WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3 }
//! TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2; repeated Exemplar exemplars = 3;
//!                repeated Histogram histograms = 4 }
//! Label        { string name = 1; string value = 2 }    Sample { double value = 1; int64 timestamp = 2 }
//! Exemplar     { repeated Label labels = 1; double value = 2; int64 timestamp = 3 }
//! MetricMetadata { MetricType type = 1; string metric_family_name = 2; string help = 4; string unit = 5 }
//! ```
//! The hot path: labels are slices of the body, and nothing is allocated per sample.

use super::histogram;
use super::series::Output;
use super::{WriteError, Written};
use crate::otlp::DecodeError;
use crate::otlp::wire::{Cursor, Field, Wire};
use crate::samples::{Metadata, MetricKind, Sample, SeriesLimits, Writer};
use crate::{LabelSet, Room};

/// Reads a request of version 1.0 into `writer`.
pub fn decode_v1(
    raw: &[u8],
    limits: &SeriesLimits,
    writer: &mut Writer,
    room: Room<'_>,
) -> Result<Written, WriteError> {
    let mut output = Output::new(limits, writer, room);
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Bytes(raw)) => series(raw, &mut output)?,
            (3, Wire::Bytes(raw)) => metadata(raw, &mut output)?,
            (1 | 3, _) => return Err(DecodeError::WireType("timeseries").into()),
            _ => {}
        }
    }
    Ok(output.written)
}

fn series<'a>(raw: &'a [u8], output: &mut Output<'a, '_, '_>) -> Result<(), WriteError> {
    output.begin();
    let rest = match plain_labels(raw, output) {
        Some(rest) => rest,
        None => {
            output.labels.clear();
            raw
        }
    };
    let mut cursor = Cursor::new(rest);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Bytes(raw)) => match label(raw)? {
                Some((name, value)) => output.label(name, value),
                None => output.fault(|| "a label is not valid UTF-8".to_owned()),
            },
            (2, Wire::Bytes(raw)) => output.sample(sample(raw)?)?,
            (3, Wire::Bytes(raw)) => exemplar(raw, output)?,
            (4, Wire::Bytes(raw)) => {
                output.histogram(histogram::read(raw, output.limits.max_buckets)?, raw.len())?;
            }
            (1..=4, _) => return Err(DecodeError::WireType("timeseries").into()),
            _ => {}
        }
    }
    output.end().map(drop)
}

/// Labels as every sender writes them: first in the series, name before value, lengths of one byte. Then tags
/// and lengths are ASCII, and one look at all of it says that all texts are UTF-8. Answers what follows them;
/// `None` when a label is written in another way.
#[inline]
fn plain_labels<'a>(raw: &'a [u8], output: &mut Output<'a, '_, '_>) -> Option<&'a [u8]> {
    const LABEL: u8 = 1 << 3 | 2;
    const NAME: u8 = 1 << 3 | 2;
    const VALUE: u8 = 2 << 3 | 2;
    let mut end = 0;
    while let [LABEL, len @ 0..=0x7f, ..] = raw[end..] {
        end += 2 + usize::from(len);
        if end > raw.len() {
            return None;
        }
    }
    let (labels, rest) = raw.split_at(end);
    let text = std::str::from_utf8(labels).ok()?;
    let mut at = 0;
    while at < end {
        let label_end = at + 2 + usize::from(labels[at + 1]);
        let [NAME, name_len, ..] = labels[at + 2..label_end] else { return None };
        let name = at + 4;
        let name_end = name + usize::from(name_len);
        let [VALUE, value_len, ..] = *labels.get(name_end..label_end)? else { return None };
        let value = name_end + 2;
        if value + usize::from(value_len) != label_end {
            return None;
        }
        output.label(text.get(name..name_end)?, text.get(value..label_end)?);
        at = label_end;
    }
    Some(rest)
}

/// `None` when it is not UTF-8.
fn label(raw: &[u8]) -> Result<Option<(&str, &str)>, DecodeError> {
    let (mut name, mut value) = (&[][..], &[][..]);
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Bytes(text)) => name = text,
            (2, Wire::Bytes(text)) => value = text,
            (1 | 2, _) => return Err(DecodeError::WireType("a label")),
            _ => {}
        }
    }
    Ok(std::str::from_utf8(name).ok().zip(std::str::from_utf8(value).ok()))
}

/// The same in both versions.
#[inline]
pub(super) fn sample(raw: &[u8]) -> Result<Sample, DecodeError> {
    let mut sample = Sample { time_ms: 0, value: 0.0 };
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Fixed64(bits)) => sample.value = f64::from_bits(bits),
            (2, Wire::Varint(time)) => sample.time_ms = time as i64,
            (1 | 2, _) => return Err(DecodeError::WireType("a sample")),
            _ => {}
        }
    }
    Ok(sample)
}

fn exemplar(raw: &[u8], output: &mut Output<'_, '_, '_>) -> Result<(), WriteError> {
    let (mut labels, mut value, mut time_ms, mut is_utf8) = (Vec::new(), 0.0, 0, true);
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Bytes(raw)) => match label(raw)? {
                Some(label) if labels.len() <= output.limits.max_labels => labels.push(label),
                Some(_) => {}
                None => is_utf8 = false,
            },
            (2, Wire::Fixed64(bits)) => value = f64::from_bits(bits),
            (3, Wire::Varint(time)) => time_ms = time as i64,
            (1..=3, _) => return Err(DecodeError::WireType("an exemplar").into()),
            _ => {}
        }
    }
    let labels = match is_utf8 {
        true => exemplar_labels(&labels, output.limits),
        false => Err("a label is not valid UTF-8".to_owned()),
    };
    output.exemplar(labels, value, time_ms)
}

/// An exemplar's labels need no metric and no order.
pub(super) fn exemplar_labels(labels: &[(&str, &str)], limits: &SeriesLimits) -> Result<LabelSet, String> {
    limits.check(labels)?;
    LabelSet::new(labels.iter().copied()).map_err(|error| error.to_string())
}

fn metadata(raw: &[u8], output: &mut Output<'_, '_, '_>) -> Result<(), WriteError> {
    let mut kind = 0;
    let mut texts = [&[][..]; 3];
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Varint(value)) => kind = value,
            (2, Wire::Bytes(text)) => texts[0] = text,
            (4, Wire::Bytes(text)) => texts[1] = text,
            (5, Wire::Bytes(text)) => texts[2] = text,
            (1 | 2 | 4 | 5, _) => return Err(DecodeError::WireType("metadata").into()),
            _ => {}
        }
    }
    // What a family says about itself is no sample: a text that is not UTF-8 is mended.
    let [family, help, unit] = texts.map(|text| String::from_utf8_lossy(text).into_owned());
    if !family.is_empty() {
        let kind = u8::try_from(kind).ok().and_then(MetricKind::from_byte).unwrap_or_default();
        output.writer.metadata(&Metadata { family, kind, unit, help });
    }
    output.begin();
    output.hold(0)
}
