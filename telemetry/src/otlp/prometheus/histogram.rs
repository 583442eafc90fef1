//! Histograms: those with bounds become the classic series `_bucket`, `_sum` and
//! `_count`, exponential ones a native histogram.

use super::labels::Shared;
use super::{Content, Converter, Family, Fault, at_most};
use crate::otlp::metrics::{Buckets, ExponentialPoint, HistogramPoint};
use crate::samples::{Exemplar, Histogram, Sample, Span, stale_nan};

/// Native histograms have at most so fine a resolution; finer ones are joined down to it.
const MAX_SCHEMA: i32 = 8;
const MIN_SCHEMA: i32 = -4;

/// The zero bucket's width where the source gives none.
const ZERO_THRESHOLD: f64 = 1e-128;

/// Up to so many empty buckets are written rather than a new span.
const MAX_FILL: i64 = 2;

impl<'a> Converter<'a, '_, '_> {
    pub(super) fn histogram(
        &mut self,
        family: &Family<'_>,
        raw: &'a [u8],
        is_delta: bool,
        shared: &Shared<'a>,
    ) -> Result<(), Fault> {
        let point = HistogramPoint::of_valid(raw);
        let max = self.mapping.limits.max_buckets;
        let bounds = at_most(max, point.bounds(), "buckets")?;
        let counts = at_most(max, point.bucket_counts(), "buckets")?;
        check_bounds(&bounds, &counts)?;
        let time_ms = self.time_ms(point.time_ns);
        self.label(point.attributes(), shared)?;
        let bucket_name = format!("{}_bucket", family.name);
        self.check_labels(&bucket_name, Some(("le", "+Inf")))?;
        let exemplars = by_bucket(self.exemplars(point.exemplars(), time_ms)?, &bounds);
        self.saw(time_ms);
        let is_delta = is_delta && !point.is_no_value;
        let sample = |value| [Sample { time_ms, value: if point.is_no_value { stale_nan() } else { value } }];
        let mut cumulative = 0u64;
        for (at, (bound, count)) in bounds.iter().zip(&counts).enumerate() {
            cumulative = cumulative.saturating_add(*count);
            if bound.is_infinite() {
                continue;
            }
            let content = Content {
                is_delta,
                samples: &sample(cumulative as f64),
                exemplars: exemplars.of(at),
                ..Content::default()
            };
            self.put(&bucket_name, Some(("le", &bound.to_string())), content)?;
        }
        let content = Content {
            is_delta,
            samples: &sample(point.count as f64),
            exemplars: exemplars.of(bounds.len()),
            ..Content::default()
        };
        self.put(&bucket_name, Some(("le", "+Inf")), content)?;
        self.put(&format!("{}_count", family.name), None, Content { exemplars: &[], ..content })?;
        if let Some(sum) = point.sum {
            let content = Content { is_delta, samples: &sample(sum), ..Content::default() };
            self.put(&format!("{}_sum", family.name), None, content)?;
        }
        Ok(())
    }

    pub(super) fn exponential(
        &mut self,
        family: &Family<'_>,
        raw: &'a [u8],
        is_delta: bool,
        shared: &Shared<'a>,
    ) -> Result<(), Fault> {
        let point = ExponentialPoint::of_valid(raw);
        let histogram = native(&point, self.mapping.limits.max_buckets)?;
        let time_ms = self.time_ms(point.time_ns);
        self.label(point.attributes(), shared)?;
        self.check_labels(&family.name, None)?;
        let exemplars = self.exemplars(point.exemplars(), time_ms)?;
        self.saw(time_ms);
        let content = Content {
            is_delta: is_delta && !point.is_no_value,
            histograms: &[(time_ms, histogram)],
            exemplars: &exemplars,
            ..Content::default()
        };
        self.put(&family.name, None, content)
    }
}

fn by_bucket(exemplars: Vec<Exemplar>, bounds: &[f64]) -> ByBucket {
    let finite = bounds.iter().take_while(|bound| bound.is_finite() || **bound < 0.0).count();
    let mut placed: Vec<(usize, Exemplar)> = exemplars
        .into_iter()
        .map(|exemplar| match bounds[..finite].partition_point(|bound| *bound < exemplar.value) {
            at if at == finite || exemplar.value.is_nan() => (bounds.len(), exemplar),
            at => (at, exemplar),
        })
        .collect();
    placed.sort_by_key(|(bucket, _)| *bucket);
    let (buckets, exemplars) = placed.into_iter().unzip();
    ByBucket { buckets, exemplars }
}

/// Exemplars in the order of their buckets.
struct ByBucket {
    buckets: Vec<usize>,
    exemplars: Vec<Exemplar>,
}

impl ByBucket {
    fn of(&self, bucket: usize) -> &[Exemplar] {
        let start = self.buckets.partition_point(|at| *at < bucket);
        let end = self.buckets.partition_point(|at| *at <= bucket);
        &self.exemplars[start..end]
    }
}

fn check_bounds(bounds: &[f64], counts: &[u64]) -> Result<(), Fault> {
    let (bound_count, count) = (bounds.len(), counts.len());
    if count != bound_count + 1 && (count, bound_count) != (0, 0) {
        return Err(format!("it has {bound_count} bounds and {count} bucket counts, not one more"));
    }
    if !bounds.is_sorted_by(|a, b| a < b) || bounds.iter().any(|bound| bound.is_nan()) {
        return Err("its bounds do not ascend".to_owned());
    }
    Ok(())
}

/// OTLP's bucket `i` is (base^i, base^(i+1)], the native one (base^(i-1), base^i].
fn native(point: &ExponentialPoint<'_>, max_buckets: usize) -> Result<Histogram, Fault> {
    if point.is_no_value {
        return Ok(Histogram { sum: stale_nan(), ..Histogram::default() });
    }
    if point.scale < MIN_SCHEMA {
        return Err(format!("its scale is {}, the least is {MIN_SCHEMA}", point.scale));
    }
    let joined = point.scale.saturating_sub(MAX_SCHEMA).max(0) as u32;
    let (positive_spans, positive_counts) = spans(point.positive, joined, max_buckets)?;
    let (negative_spans, negative_counts) = spans(point.negative, joined, max_buckets)?;
    Ok(Histogram {
        schema: point.scale.min(MAX_SCHEMA) as i8,
        count: point.count as f64,
        sum: point.sum.unwrap_or(0.0),
        zero_threshold: if point.zero_threshold > 0.0 { point.zero_threshold } else { ZERO_THRESHOLD },
        zero_count: point.zero_count as f64,
        positive_spans,
        positive_counts,
        negative_spans,
        negative_counts,
        ..Histogram::default()
    })
}

/// Runs of buckets that are not empty; `joined` halvings of the resolution put neighbours together.
fn spans(buckets: Buckets<'_>, joined: u32, max_buckets: usize) -> Result<(Vec<Span>, Vec<f64>), Fault> {
    let mut runs = Runs::default();
    for (at, count) in buckets.counts().enumerate() {
        if count > 0 {
            let index = (i64::from(buckets.offset) + at as i64) >> joined.min(63);
            runs.add(index + 1, count as f64)?;
            if runs.counts.len() > max_buckets {
                return Err(format!("it has more than {max_buckets} buckets"));
            }
        }
    }
    Ok((runs.spans, runs.counts))
}

#[derive(Default)]
struct Runs {
    spans: Vec<Span>,
    counts: Vec<f64>,
    /// The index of the last bucket.
    last: Option<i64>,
}

impl Runs {
    fn add(&mut self, index: i64, count: f64) -> Result<(), Fault> {
        let gap = match self.last {
            Some(last) if last == index => {
                if let Some(joined) = self.counts.last_mut() {
                    *joined += count;
                }
                return Ok(());
            }
            Some(last) => index - last - 1,
            None => index,
        };
        self.last = Some(index);
        match self.spans.last_mut() {
            Some(span) if gap <= MAX_FILL => {
                self.counts.extend((0..gap).map(|_| 0.0));
                span.len += gap as u32 + 1;
            }
            _ => {
                let offset = i32::try_from(gap).map_err(|_| "its buckets are out of range".to_owned())?;
                self.spans.push(Span { offset, len: 1 });
            }
        }
        self.counts.push(count);
        Ok(())
    }
}
