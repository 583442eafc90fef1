//! `prometheus.Histogram`, which version 2.0 has in the same form.
//!
//! ```text
//! oneof count { uint64 count_int = 1; double count_float = 2 }   double sum = 3   sint32 schema = 4
//! double zero_threshold = 5   oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7 }
//! repeated BucketSpan negative_spans = 8   repeated sint64 negative_deltas = 9   repeated double negative_counts = 10
//! repeated BucketSpan positive_spans = 11  repeated sint64 positive_deltas = 12  repeated double positive_counts = 13
//! ResetHint reset_hint = 14   int64 timestamp = 15   repeated double custom_values = 16
//! BucketSpan { sint32 offset = 1; uint32 length = 2 }
//! ```

use crate::otlp::DecodeError;
use crate::otlp::wire::{Cursor, Field, Wire, unzigzag, varints};
use crate::samples::{Histogram, ResetHint, Span, is_stale};

/// The schema of bounds that are given one by one.
const CUSTOM: i32 = -53;

/// Up to here every integer is a float.
const EXACT_IN_F64: u128 = 1 << 53;

/// Spans and what stands for their buckets, as it comes.
#[derive(Default)]
struct Side {
    spans: Vec<Span>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

/// A histogram and its time; the inner error is about this histogram alone.
pub(super) fn read(raw: &[u8], max_buckets: usize) -> Result<Result<(i64, Histogram), String>, DecodeError> {
    let mut histogram = Histogram::default();
    let (mut schema, mut hint, mut time_ms, mut count, mut zero_count) = (0, 0, 0, 0u64, 0u64);
    let (mut positive, mut negative) = (Side::default(), Side::default());
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Varint(value)) => {
                count = value;
                histogram.count = value as f64;
            }
            (2, Wire::Fixed64(bits)) => {
                histogram.count = f64::from_bits(bits);
                histogram.is_float = true;
            }
            (3, Wire::Fixed64(bits)) => histogram.sum = f64::from_bits(bits),
            (4, Wire::Varint(value)) => schema = unzigzag(u64::from(value as u32)) as i32,
            (5, Wire::Fixed64(bits)) => histogram.zero_threshold = f64::from_bits(bits),
            (6, Wire::Varint(value)) => {
                zero_count = value;
                histogram.zero_count = value as f64;
            }
            (7, Wire::Fixed64(bits)) => histogram.zero_count = f64::from_bits(bits),
            (8 | 11, Wire::Bytes(raw)) => {
                let (span, side) = (span(raw)?, side(number < 11, &mut positive, &mut negative));
                push(&mut side.spans, span, max_buckets);
            }
            (9 | 12, wire) => {
                let side = side(number < 11, &mut positive, &mut negative);
                each_varint(wire, |value| push(&mut side.deltas, unzigzag(value), max_buckets))?;
            }
            (10 | 13, wire) => {
                let side = side(number < 11, &mut positive, &mut negative);
                each_double(wire, &mut side.counts, max_buckets)?;
            }
            (14, Wire::Varint(value)) => hint = value,
            (15, Wire::Varint(value)) => time_ms = value as i64,
            (16, wire) => each_double(wire, &mut histogram.custom_values, max_buckets)?,
            (1..=8 | 11 | 14 | 15, _) => return Err(DecodeError::WireType("histogram")),
            _ => {}
        }
    }
    histogram.reset_hint = u8::try_from(hint).ok().and_then(ResetHint::from_byte).unwrap_or_default();
    let totals = Totals { count, zero_count };
    Ok(finish(histogram, schema, positive, negative, totals, max_buckets)
        .map(|histogram| (time_ms, histogram)))
}

/// One more than may be is enough to refuse it: a byte of the request is eight here, or more.
pub(super) fn push<T>(into: &mut Vec<T>, value: T, max: usize) {
    if into.len() <= max {
        into.push(value);
    }
}

fn side<'s>(is_negative: bool, positive: &'s mut Side, negative: &'s mut Side) -> &'s mut Side {
    if is_negative { negative } else { positive }
}

/// The counts of an integer histogram, before they are floats.
struct Totals {
    count: u64,
    zero_count: u64,
}

fn finish(
    mut histogram: Histogram,
    schema: i32,
    positive: Side,
    negative: Side,
    totals: Totals,
    max_buckets: usize,
) -> Result<Histogram, String> {
    if !(-4..=8).contains(&schema) && schema != CUSTOM {
        return Err(format!(
            "the schema {schema} is not known; send -4 to 8, or {CUSTOM} with custom values"
        ));
    }
    histogram.schema = schema as i8;
    let is_float = histogram.is_float;
    let (spans, counts, positive_total) = positive.finish(is_float, max_buckets)?;
    (histogram.positive_spans, histogram.positive_counts) = (spans, counts);
    let (spans, counts, negative_total) = negative.finish(is_float, max_buckets)?;
    (histogram.negative_spans, histogram.negative_counts) = (spans, counts);
    if schema == CUSTOM {
        check_custom(&histogram, max_buckets)?;
    } else if !histogram.custom_values.is_empty() {
        return Err(format!("custom values belong to the schema {CUSTOM}, this one is {schema}"));
    }
    if is_stale(histogram.sum) {
        return Ok(histogram);
    }
    if is_float {
        let is_count = |count: f64| count >= 0.0;
        if !is_count(histogram.count) || !is_count(histogram.zero_count) {
            return Err("a count is negative or no number".to_owned());
        }
    } else {
        let buckets = u128::from(totals.zero_count) + positive_total + negative_total;
        let count = u128::from(totals.count);
        // What is no number is counted, but in no bucket. Beyond what a float holds, sums are not comparable: who
        // sends on what came as floats has rounded each for itself.
        let is_exact = buckets.max(count) <= EXACT_IN_F64;
        if is_exact && (buckets > count || buckets != count && !histogram.sum.is_nan()) {
            return Err(format!("the buckets have {buckets} observations together, the count is {count}"));
        }
    }
    Ok(histogram)
}

fn check_custom(histogram: &Histogram, max_buckets: usize) -> Result<(), String> {
    let bounds = &histogram.custom_values;
    if bounds.len() > max_buckets {
        return Err(format!("it has more than {max_buckets} custom values"));
    }
    let is_ascending = bounds.is_sorted_by(|a, b| a < b);
    if !is_ascending || bounds.iter().any(|bound| bound.is_nan()) || bounds.last() == Some(&f64::INFINITY) {
        return Err("its custom values do not ascend, or end with infinity".to_owned());
    }
    if histogram.zero_count != 0.0 || !histogram.negative_spans.is_empty() {
        return Err("with custom values there is no zero bucket and no negative one".to_owned());
    }
    let end: i64 =
        histogram.positive_spans.iter().map(|span| i64::from(span.offset) + i64::from(span.len)).sum();
    let starts_well = histogram.positive_spans.first().is_none_or(|span| span.offset >= 0);
    if !starts_well || end > bounds.len() as i64 + 1 {
        return Err(format!("it has buckets beyond its {} custom values", bounds.len()));
    }
    Ok(())
}

impl Side {
    /// Absolute counts, and for integers their total.
    fn finish(self, is_float: bool, max_buckets: usize) -> Result<(Vec<Span>, Vec<f64>, u128), String> {
        let Self { spans, deltas, counts } = self;
        let buckets: u64 = spans.iter().map(|span| u64::from(span.len)).sum();
        let given = if is_float { counts.len() } else { deltas.len() };
        let is_mixed = if is_float { !deltas.is_empty() } else { !counts.is_empty() };
        if is_mixed {
            return Err("its count and its buckets are of two kinds, integers and floats".to_owned());
        }
        if given > max_buckets || spans.len() > max_buckets {
            return Err(format!("it has more than {max_buckets} buckets"));
        }
        if buckets != given as u64 {
            return Err(format!("its spans have {buckets} buckets, and {given} are given"));
        }
        if spans.iter().skip(1).any(|span| span.offset < 0) {
            return Err("its spans overlap".to_owned());
        }
        if is_float {
            return match counts.iter().all(|count| *count >= 0.0) {
                true => Ok((spans, counts, 0)),
                false => Err("a bucket's count is negative or no number".to_owned()),
            };
        }
        let (mut count, mut total) = (0i64, 0u128);
        let mut absolute = Vec::with_capacity(deltas.len());
        for delta in deltas {
            let next = count.checked_add(delta).filter(|count| *count >= 0);
            count = next.ok_or_else(|| "a bucket's count is negative".to_owned())?;
            total += count as u128;
            absolute.push(count as f64);
        }
        Ok((spans, absolute, total))
    }
}

fn span(raw: &[u8]) -> Result<Span, DecodeError> {
    let mut span = Span { offset: 0, len: 0 };
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Varint(value)) => span.offset = unzigzag(u64::from(value as u32)) as i32,
            (2, Wire::Varint(value)) => span.len = value as u32,
            (1 | 2, _) => return Err(DecodeError::WireType("a histogram's span")),
            _ => {}
        }
    }
    Ok(span)
}

/// A repeated integer, packed or one by one.
pub(super) fn each_varint(wire: Wire<'_>, mut take: impl FnMut(u64)) -> Result<(), DecodeError> {
    match wire {
        Wire::Varint(value) => take(value),
        Wire::Bytes(packed) => {
            for value in varints(packed) {
                take(value?);
            }
        }
        _ => return Err(DecodeError::WireType("a list of integers")),
    }
    Ok(())
}

pub(super) fn each_double(wire: Wire<'_>, out: &mut Vec<f64>, max: usize) -> Result<(), DecodeError> {
    match wire {
        Wire::Fixed64(bits) => push(out, f64::from_bits(bits), max),
        Wire::Bytes(packed) if packed.len() % 8 == 0 => {
            let (words, _) = packed.as_chunks::<8>();
            let words = words.iter().take((max + 1).saturating_sub(out.len()));
            out.extend(words.map(|word| f64::from_le_bytes(*word)));
        }
        Wire::Bytes(_) => return Err(DecodeError::Truncated),
        _ => return Err(DecodeError::WireType("a list of doubles")),
    }
    Ok(())
}
