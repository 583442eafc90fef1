//! Reads counts and sums, past the buckets: a tenth of the work, and nothing is allocated for a histogram.

use promql::Total;

use super::read::{Body, PART, read_span};
use super::{MOST_REPEATED, flag, whole};
use crate::encode::bytes::Reader;
use crate::error::Damage;

/// Appends time, count and sum of all histograms of a chunk; fails where `decode_histograms` does.
pub fn decode_totals(bytes: &[u8], out: &mut Vec<(i64, Total)>) -> Result<(), Damage> {
    let body = Body::open(bytes)?;
    let mut reader = Reader::new(&body.bytes, PART);
    let mut layout = None;
    let mut repeated = 0;
    out.reserve(body.times.len());
    for time in &body.times {
        out.push((*time, read(&mut reader, &mut layout, &mut repeated)?));
    }
    reader.finish()
}

/// The same of what `encode_histogram` wrote.
pub(crate) fn decode_total(bytes: &[u8]) -> Result<Total, Damage> {
    let mut reader = Reader::new(bytes, PART);
    let total = read(&mut reader, &mut None, &mut 0)?;
    reader.finish()?;
    Ok(total)
}

/// What a histogram takes over from the one before it.
struct Layout {
    /// Spans and bounds.
    repeated: usize,
    buckets: usize,
    /// What the next count is a difference from.
    count: f64,
}

fn read(reader: &mut Reader<'_>, layout: &mut Option<Layout>, repeated: &mut usize) -> Result<Total, Damage> {
    let flags = reader.byte()?;
    if flags & flag::SAME_LAYOUT == 0 {
        *layout = Some(skip_layout(reader)?);
    } else if let Some(layout) = layout {
        *repeated += layout.repeated;
        if *repeated > MOST_REPEATED {
            return Err(reader.damage("too many repetitions"));
        }
    }
    let Some(layout) = layout else { return Err(reader.damage("nothing to take buckets from")) };
    let sum = reader.float()?;
    // Behind the count: observations in the zero bucket, and the buckets.
    let others = layout.buckets + 1;
    if flags & flag::WHOLE != 0 {
        layout.count = whole(layout.count).unwrap_or(0).wrapping_add(reader.zigzag()?) as f64;
        reader.skip_varints(others)?;
    } else {
        layout.count = reader.float()?;
        reader.take(others.saturating_mul(8))?;
    }
    Ok(Total { count: layout.count, sum })
}

fn skip_layout(reader: &mut Reader<'_>) -> Result<Layout, Damage> {
    // Schema and threshold.
    reader.take(1 + 8)?;
    let mut repeated = 0;
    for _ in 0..2 {
        let spans = reader.count(reader.remaining() / 2)?;
        for _ in 0..spans {
            read_span(reader)?;
        }
        repeated += spans;
    }
    let bounds = reader.count(reader.remaining() / 8)?;
    reader.take(bounds * 8)?;
    let (positive, negative) = (reader.count(reader.remaining())?, reader.count(reader.remaining())?);
    Ok(Layout { repeated: repeated + bounds, buckets: positive + negative, count: 0.0 })
}
