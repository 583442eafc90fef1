//! Native histograms as the evaluator computes with them: buckets by index, empty ones left out.

mod arithmetic;
mod reset;
mod statistics;
#[cfg(test)]
mod tests;
mod total;
mod trim;
mod zero;

use std::fmt;
use std::sync::Arc;

use telemetry::samples::{Histogram, ResetHint, Span};

use arithmetic::Incompatible;
pub(crate) use arithmetic::Notes;
pub(crate) use statistics::Doubt;
pub(crate) use total::Total;

use super::numbers::general;

/// The schema whose bounds are a list.
const CUSTOM: i8 = -53;

/// Counts by bucket index, ascending, none of them 0.
type Buckets = Vec<(i32, f64)>;

/// A native histogram; compare [`Histogram`].
#[derive(Clone, Debug)]
pub(crate) struct Native {
    pub(crate) schema: i8,
    pub(crate) hint: ResetHint,
    pub(crate) count: f64,
    pub(crate) sum: f64,
    zero_threshold: f64,
    zero_count: f64,
    positive: Buckets,
    negative: Buckets,
    bounds: Arc<[f64]>,
}

/// One bucket, with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bucket {
    lower: f64,
    upper: f64,
    lower_inclusive: bool,
    upper_inclusive: bool,
    count: f64,
}

impl Native {
    pub(crate) fn of(histogram: &Histogram) -> Self {
        let is_custom = histogram.schema == CUSTOM;
        Self {
            schema: histogram.schema,
            hint: histogram.reset_hint,
            count: histogram.count,
            sum: histogram.sum,
            zero_threshold: if is_custom { 0.0 } else { histogram.zero_threshold },
            zero_count: if is_custom { 0.0 } else { histogram.zero_count },
            positive: buckets(&histogram.positive_spans, &histogram.positive_counts),
            negative: buckets(&histogram.negative_spans, &histogram.negative_counts),
            bounds: histogram.custom_values.as_slice().into(),
        }
    }

    /// The same with another hint.
    pub(crate) fn with_hint(&self, hint: ResetHint) -> Self {
        Self { hint, ..self.clone() }
    }

    pub(crate) fn to_histogram(&self) -> Histogram {
        let (positive_spans, positive_counts) = spans(&self.positive);
        let (negative_spans, negative_counts) = spans(&self.negative);
        Histogram {
            schema: self.schema,
            reset_hint: self.hint,
            is_float: true,
            count: self.count,
            sum: self.sum,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count,
            positive_spans,
            positive_counts,
            negative_spans,
            negative_counts,
            custom_values: self.bounds.to_vec(),
        }
    }

    /// Whether its bounds are a list.
    pub(crate) fn is_custom(&self) -> bool {
        self.schema == CUSTOM
    }

    /// How much it weighs against a limit of samples, about as much as 16 bytes each.
    pub(crate) fn weight(&self) -> usize {
        8 + self.positive.len() + self.negative.len()
    }

    /// Whether all that was observed is the same, bit by bit; where the histogram comes from does not count.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        let bits = |native: &Self| [native.count, native.sum, native.zero_count].map(f64::to_bits);
        self.schema == other.schema
            && bits(self) == bits(other)
            && self.zero_threshold == other.zero_threshold
            && self.bounds == other.bounds
            && self.positive == other.positive
            && self.negative == other.negative
    }

    /// The upper bound of a positive bucket.
    fn bound(&self, index: i32) -> f64 {
        if self.is_custom() {
            return match usize::try_from(index) {
                Err(_) => f64::NEG_INFINITY,
                Ok(index) => self.bounds.get(index).copied().unwrap_or(f64::INFINITY),
            };
        }
        exponential_bound(index, self.schema)
    }

    fn positive_bucket(&self, (index, count): (i32, f64)) -> Bucket {
        let is_custom = self.is_custom();
        Bucket {
            lower: self.bound(index - 1),
            upper: self.bound(index),
            lower_inclusive: is_custom && index == 0,
            upper_inclusive: true,
            count,
        }
    }

    fn negative_bucket(&self, (index, count): (i32, f64)) -> Bucket {
        let (lower, upper) = (-self.bound(index), -self.bound(index - 1));
        Bucket { lower, upper, lower_inclusive: true, upper_inclusive: false, count }
    }

    fn zero_bucket(&self) -> Option<Bucket> {
        let threshold = self.zero_threshold;
        (self.zero_count != 0.0).then_some(Bucket {
            lower: -threshold,
            upper: threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
        })
    }

    /// All buckets from the lowest to the highest. Those that reach into the one around zero end there.
    fn ascending(&self) -> Vec<Bucket> {
        let threshold = self.zero_threshold;
        let below = self.negative.iter().rev().map(|bucket| {
            let bucket = self.negative_bucket(*bucket);
            let upper = if bucket.upper > -threshold { -threshold } else { bucket.upper };
            Bucket { upper, ..bucket }
        });
        let above = self.positive.iter().map(|bucket| {
            let bucket = self.positive_bucket(*bucket);
            let reaches_in = bucket.lower > 0.0 && bucket.lower < threshold;
            Bucket { lower: if reaches_in { threshold } else { bucket.lower }, ..bucket }
        });
        below.chain(self.zero_bucket().filter(|zero| zero.count > 0.0)).chain(above).collect()
    }
}

/// `2^(index * 2^-schema)`; the bound above all numbers is the largest number.
fn exponential_bound(index: i32, schema: i8) -> f64 {
    let (whole, fraction) = if schema <= 0 {
        (i64::from(index) << schema.unsigned_abs(), 0.0)
    } else {
        let scale = 1i64 << schema;
        let index = i64::from(index);
        (index.div_euclid(scale), index.rem_euclid(scale) as f64 / scale as f64)
    };
    if whole == 1024 && fraction == 0.0 {
        return f64::MAX;
    }
    let whole = whole.clamp(-1100, 1100) as i32;
    // In two steps, since 2^-1074 is the product of two that are no subnormals.
    fraction.exp2() * 2f64.powi(whole / 2) * 2f64.powi(whole - whole / 2)
}

fn buckets(spans: &[Span], counts: &[f64]) -> Buckets {
    let mut index = 0i32;
    let mut counts = counts.iter();
    let mut buckets = Buckets::new();
    for span in spans {
        index = index.wrapping_add(span.offset);
        for _ in 0..span.len {
            let Some(count) = counts.next() else { return buckets };
            if *count != 0.0 {
                buckets.push((index, *count));
            }
            index = index.wrapping_add(1);
        }
    }
    buckets
}

fn spans(buckets: &Buckets) -> (Vec<Span>, Vec<f64>) {
    let mut spans: Vec<Span> = Vec::new();
    let mut next = 0;
    for &(index, _) in buckets {
        match spans.last_mut() {
            Some(span) if index == next => span.len += 1,
            _ => spans.push(Span { offset: index.wrapping_sub(next), len: 1 }),
        }
        next = index.wrapping_add(1);
    }
    (spans, buckets.iter().map(|(_, count)| *count).collect())
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.lower_inclusive { '[' } else { '(' };
        let close = if self.upper_inclusive { ']' } else { ')' };
        write!(f, "{open}{},{}{close}:{}", general(self.lower), general(self.upper), general(self.count))
    }
}

/// As Prometheus writes it: `{count:3, sum:1.5, (0.5,1]:3}`.
impl fmt::Display for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", general(self.count), general(self.sum))?;
        for bucket in self.negative.iter().rev() {
            write!(f, ", {}", self.negative_bucket(*bucket))?;
        }
        if let Some(zero) = self.zero_bucket() {
            write!(f, ", {zero}")?;
        }
        for bucket in &self.positive {
            write!(f, ", {}", self.positive_bucket(*bucket))?;
        }
        f.write_str("}")
    }
}
