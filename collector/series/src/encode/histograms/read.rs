//! Reads histograms.

use std::borrow::Cow;
use std::cell::RefCell;

use telemetry::samples::{Histogram, ResetHint, Span};
use zstd::bulk::Decompressor;

use super::{MOST_COMPRESSED, MOST_REPEATED, flag, whole};
use crate::encode::{bytes::Reader, decode_times};
use crate::error::Damage;

pub(super) const PART: &str = "a chunk of histograms";

/// A chunk's times, and its histograms one behind the other.
pub(super) struct Body<'a> {
    pub(super) times: Vec<i64>,
    pub(super) bytes: Cow<'a, [u8]>,
}

impl<'a> Body<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Damage> {
        let mut times = Vec::new();
        let used = decode_times(bytes, &mut times)?;
        let mut reader = Reader::new(bytes, PART);
        reader.take(used)?;
        let raw_len = reader.count(MOST_COMPRESSED)?;
        let rest = reader.take(reader.remaining())?;
        let bytes = match raw_len {
            0 => Cow::Borrowed(rest),
            _ => {
                let raw = decompress(rest, raw_len);
                Cow::Owned(raw.ok_or_else(|| reader.damage("it cannot be decompressed"))?)
            }
        };
        Ok(Self { times, bytes })
    }
}

/// All histograms of a chunk, with their times.
pub fn decode_histograms(bytes: &[u8]) -> Result<Vec<(i64, Histogram)>, Damage> {
    let body = Body::open(bytes)?;
    let mut reader = Reader::new(&body.bytes, PART);
    let mut repeated = 0;
    let mut all: Vec<(i64, Histogram)> = Vec::new();
    for time in body.times {
        let histogram = read(&mut reader, all.last().map(|(_, histogram)| histogram), &mut repeated)?;
        all.push((time, histogram));
    }
    reader.finish()?;
    Ok(all)
}

/// What `encode_histogram` wrote.
pub(crate) fn decode_histogram(bytes: &[u8]) -> Result<Histogram, Damage> {
    let mut reader = Reader::new(bytes, PART);
    let histogram = read(&mut reader, None, &mut 0)?;
    reader.finish()?;
    Ok(histogram)
}

thread_local! {
    /// Making one takes longer than it works on a chunk.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn decompress(bytes: &[u8], raw_len: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(kept) => kept,
            None => kept.insert(Decompressor::new().ok()?),
        };
        // What is longer than it says fails, and the room is capped.
        let raw = decompressor.decompress(bytes, raw_len).ok()?;
        (raw.len() == raw_len).then_some(raw)
    })
}

fn read(
    reader: &mut Reader<'_>,
    previous: Option<&Histogram>,
    repeated: &mut usize,
) -> Result<Histogram, Damage> {
    let flags = reader.byte()?;
    let base = if flags & flag::SAME_LAYOUT != 0 { previous } else { None };
    let mut histogram = match base {
        Some(base) => {
            *repeated += base.positive_spans.len() + base.negative_spans.len() + base.custom_values.len();
            if *repeated > MOST_REPEATED {
                return Err(reader.damage("too many repetitions"));
            }
            let buckets = base.positive_counts.len() + base.negative_counts.len();
            if buckets > reader.remaining() {
                return Err(reader.damage("it ends too early"));
            }
            base.clone()
        }
        None if flags & flag::SAME_LAYOUT != 0 => return Err(reader.damage("nothing to take buckets from")),
        None => read_layout(reader)?,
    };
    let hint = ResetHint::from_byte(flags & flag::RESET_HINT);
    histogram.reset_hint = hint.ok_or_else(|| reader.damage("an unknown reset hint"))?;
    histogram.is_float = flags & flag::IS_FLOAT != 0;
    histogram.sum = reader.float()?;
    // What stands in the counts now is what they are differences from.
    let is_whole = flags & flag::WHOLE != 0;
    let buckets = histogram.positive_counts.iter_mut().chain(&mut histogram.negative_counts);
    for count in [&mut histogram.count, &mut histogram.zero_count].into_iter().chain(buckets) {
        *count = if is_whole {
            whole(*count).unwrap_or(0).wrapping_add(reader.zigzag()?) as f64
        } else {
            reader.float()?
        };
    }
    Ok(histogram)
}

/// A histogram without counts: all of them are zero.
fn read_layout(reader: &mut Reader<'_>) -> Result<Histogram, Damage> {
    let mut histogram =
        Histogram { schema: reader.byte()? as i8, zero_threshold: reader.float()?, ..Histogram::default() };
    histogram.positive_spans = read_spans(reader)?;
    histogram.negative_spans = read_spans(reader)?;
    let bounds = reader.count(reader.remaining() / 8)?;
    histogram.custom_values = (0..bounds).map(|_| reader.float()).collect::<Result<_, _>>()?;
    histogram.positive_counts = vec![0.0; reader.count(reader.remaining())?];
    histogram.negative_counts = vec![0.0; reader.count(reader.remaining())?];
    Ok(histogram)
}

fn read_spans(reader: &mut Reader<'_>) -> Result<Vec<Span>, Damage> {
    let count = reader.count(reader.remaining() / 2)?;
    (0..count).map(|_| read_span(reader)).collect()
}

pub(super) fn read_span(reader: &mut Reader<'_>) -> Result<Span, Damage> {
    match (i32::try_from(reader.zigzag()?), u32::try_from(reader.varint()?)) {
        (Ok(offset), Ok(len)) => Ok(Span { offset, len }),
        _ => Err(reader.damage("a span out of range")),
    }
}
