//! Writes histograms.

use telemetry::samples::{Histogram, Span};

use super::{MOST_COMPRESSED, MOST_REPEATED, flag, whole};
use crate::encode::bytes::{put_varint, put_zigzag};
use crate::encode::encode_times;

/// zstd's set-up takes longer than it wins on less.
const WORTH_COMPRESSING: usize = 256;

/// Appends a chunk of histograms.
pub fn encode_histograms(values: &[(i64, Histogram)], out: &mut Vec<u8>) {
    let times: Vec<i64> = values.iter().map(|(time, _)| *time).collect();
    encode_times(&times, out);
    let mut body = Vec::new();
    let mut repeated = 0;
    let mut previous = None;
    for (_, histogram) in values {
        write(histogram, previous, &mut repeated, &mut body);
        previous = Some(histogram);
    }
    let compressed = (WORTH_COMPRESSING..MOST_COMPRESSED)
        .contains(&body.len())
        .then(|| zstd::bulk::compress(&body, 3).ok())
        .flatten();
    match compressed {
        Some(compressed) if compressed.len() < body.len() => {
            put_varint(out, body.len() as u64);
            out.extend_from_slice(&compressed);
        }
        _ => {
            put_varint(out, 0);
            out.extend_from_slice(&body);
        }
    }
}

/// Appends one histogram by itself, without a time.
pub(crate) fn encode_histogram(histogram: &Histogram, out: &mut Vec<u8>) {
    write(histogram, None, &mut 0, out);
}

fn write(histogram: &Histogram, previous: Option<&Histogram>, repeated: &mut usize, out: &mut Vec<u8>) {
    let base = previous.filter(|previous| same_layout(histogram, previous)).filter(|_| {
        let size = layout_len(histogram);
        let fits = *repeated + size <= MOST_REPEATED;
        *repeated += if fits { size } else { 0 };
        fits
    });
    let all_whole = counts(histogram).all(|count| whole(count).is_some());
    let mut flags = histogram.reset_hint as u8 & flag::RESET_HINT;
    for (set, bit) in
        [(base.is_some(), flag::SAME_LAYOUT), (all_whole, flag::WHOLE), (histogram.is_float, flag::IS_FLOAT)]
    {
        flags |= if set { bit } else { 0 };
    }
    out.push(flags);
    if base.is_none() {
        write_layout(histogram, out);
    }
    put_float(out, histogram.sum);
    let mut before = base.into_iter().flat_map(counts);
    for count in counts(histogram) {
        let before = before.next().and_then(whole).unwrap_or(0);
        match whole(count) {
            // Neither is beyond 2^53: nothing overflows.
            Some(count) if all_whole => put_zigzag(out, count - before),
            _ => put_float(out, count),
        }
    }
}

/// All counts, in the order in which they are written.
fn counts(histogram: &Histogram) -> impl Iterator<Item = f64> {
    let buckets = histogram.positive_counts.iter().chain(&histogram.negative_counts);
    [histogram.count, histogram.zero_count].into_iter().chain(buckets.copied())
}

fn same_layout(a: &Histogram, b: &Histogram) -> bool {
    a.schema == b.schema
        && a.zero_threshold.to_bits() == b.zero_threshold.to_bits()
        && a.positive_spans == b.positive_spans
        && a.negative_spans == b.negative_spans
        && a.positive_counts.len() == b.positive_counts.len()
        && a.negative_counts.len() == b.negative_counts.len()
        && a.custom_values.len() == b.custom_values.len()
        && a.custom_values.iter().zip(&b.custom_values).all(|(a, b)| a.to_bits() == b.to_bits())
}

fn layout_len(histogram: &Histogram) -> usize {
    histogram.positive_spans.len() + histogram.negative_spans.len() + histogram.custom_values.len()
}

fn write_layout(histogram: &Histogram, out: &mut Vec<u8>) {
    out.push(histogram.schema as u8);
    put_float(out, histogram.zero_threshold);
    for spans in [&histogram.positive_spans, &histogram.negative_spans] {
        put_varint(out, spans.len() as u64);
        for Span { offset, len } in spans {
            put_zigzag(out, i64::from(*offset));
            put_varint(out, u64::from(*len));
        }
    }
    put_varint(out, histogram.custom_values.len() as u64);
    histogram.custom_values.iter().for_each(|bound| put_float(out, *bound));
    put_varint(out, histogram.positive_counts.len() as u64);
    put_varint(out, histogram.negative_counts.len() as u64);
}

fn put_float(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}
