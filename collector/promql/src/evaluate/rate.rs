//! `rate`, `increase` and `delta`: the difference between the last and the first sample of a window, carried on
//! to its ends where the series seems to go on there.

use std::sync::Arc;

use telemetry::samples::ResetHint;

use super::annotations::Annotations;
use super::native::Native;
use super::range_call::{RangeCall, Work, mixed_schemas};
use super::rows::{Row, Steps};
use super::window::{Bounds, Samples, Slider, Window};
use crate::QueryError;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Values that go down start anew at 0.
    pub(super) is_counter: bool,
    pub(super) per_second: bool,
}

impl Kind {
    pub(super) const RATE: Self = Self { is_counter: true, per_second: true };
    pub(super) const INCREASE: Self = Self { is_counter: true, per_second: false };
    pub(super) const DELTA: Self = Self { is_counter: false, per_second: false };
}

/// The samples of a window as far as extrapolation looks at them.
struct Edges {
    first_ms: i64,
    last_ms: i64,
    count: usize,
    /// The counter at the first sample.
    first: f64,
    /// How much it went up, resets taken into account.
    increase: f64,
}

/// Floats of a series over all steps. Windows are not read again at each step: only their ends, and the resets
/// in them.
pub(super) fn floats(
    kind: Kind,
    call: &RangeCall,
    samples: &Samples,
    steps: Steps,
    row: &mut Row,
    work: Work<'_>,
) -> Result<(), QueryError> {
    let (times_ms, values) = (&samples.times_ms, &samples.values);
    let resets: Vec<usize> = if kind.is_counter {
        (1..values.len()).filter(|index| values[*index] < values[*index - 1]).collect()
    } else {
        Vec::new()
    };
    let mut passed = 0;
    let mut slider = Slider::default();
    for (step, cell) in row.values.iter_mut().enumerate() {
        let bounds = call.bounds(steps.time(step));
        let window = slider.floats(times_ms, bounds);
        if window.len() < 2 {
            continue;
        }
        let (first, last) = (window.start, window.end - 1);
        let mut increase = values[last] - values[first];
        if !resets.is_empty() {
            while passed < resets.len() && resets[passed] <= first {
                passed += 1;
            }
            let inside = &resets[passed..];
            let inside = &inside[..inside.partition_point(|index| *index <= last)];
            work(inside.len())?;
            inside.iter().for_each(|index| increase += values[*index - 1]);
        }
        let edges = Edges {
            first_ms: times_ms[first],
            last_ms: times_ms[last],
            count: window.len(),
            first: values[first],
            increase,
        };
        *cell = increase * factor(kind, &edges, bounds);
    }
    Ok(())
}

/// One window of floats or of histograms.
pub(super) fn histograms(
    kind: Kind,
    window: &Window<'_>,
    metric: &str,
    call: &RangeCall,
    notes: &mut Annotations,
) -> Option<Native> {
    let points = window.histograms;
    if points.len() < 2 {
        return None;
    }
    let mut increase = histogram_increase(kind, points, metric, call, notes)?;
    let edges = Edges {
        first_ms: points[0].0,
        last_ms: points[points.len() - 1].0,
        count: points.len(),
        first: points[0].1.count,
        increase: increase.count,
    };
    increase.multiply(factor(kind, &edges, window.bounds));
    increase.hint = ResetHint::Gauge;
    Some(increase)
}

/// By how much the increase between the samples is multiplied to be that of the whole window.
#[inline]
fn factor(kind: Kind, edges: &Edges, bounds: Bounds) -> f64 {
    let sampled = (edges.last_ms - edges.first_ms) as f64 / 1000.0;
    let between = sampled / (edges.count - 1) as f64;
    // A sample is missing if the gap is more than 10 % larger than the usual one; then the series ends half a gap
    // behind its last sample.
    let threshold = between * 1.1;
    let mut to_start = (edges.first_ms - bounds.start_ms) as f64 / 1000.0;
    if to_start >= threshold {
        to_start = between / 2.0;
    }
    // A counter was not below 0. Dividing is left out where it would not change anything.
    if kind.is_counter
        && edges.increase > 0.0
        && edges.first >= 0.0
        && sampled * edges.first < to_start * edges.increase
    {
        to_start = sampled * (edges.first / edges.increase);
    }
    let mut to_end = (bounds.end_ms - edges.last_ms) as f64 / 1000.0;
    if to_end >= threshold {
        to_end = between / 2.0;
    }
    let factor = (sampled + to_start + to_end) / sampled;
    if kind.per_second { factor / ((bounds.end_ms - bounds.start_ms) as f64 / 1000.0) } else { factor }
}

fn histogram_increase(
    kind: Kind,
    points: &[(i64, Arc<Native>)],
    metric: &str,
    call: &RangeCall,
    notes: &mut Annotations,
) -> Option<Native> {
    let (first, last) = (&points[0].1, &points[points.len() - 1].1);
    let is_gauge = |native: &Native| native.hint == ResetHint::Gauge;
    if kind.is_counter && points.iter().any(|(_, native)| is_gauge(native)) {
        notes.warn(&call.span, format!("this native histogram metric is not a counter: {metric:?}"));
    }
    let gauges = is_gauge(first) && is_gauge(last);
    if !kind.is_counter && !gauges {
        notes.warn(&call.span, format!("this native histogram metric is not a gauge: {metric:?}"));
    }
    // A first sample before a reset counts for nothing, whatever its buckets are.
    let starts_anew = kind.is_counter && points[1].1.is_reset_after(first);
    let considered = if starts_anew { &points[1..] } else { points };
    if considered.iter().any(|(_, native)| native.is_custom() != last.is_custom()) {
        notes.warn(&call.span, mixed_schemas(metric));
        return None;
    }
    let mut increase = Native::clone(last);
    let mut reconciled = false;
    if !starts_anew {
        reconciled |= increase.subtract(first).ok()?.reconciled;
    }
    if reconciled {
        notes.info(&call.span, "mismatched custom buckets were reconciled during subtraction");
    }
    if kind.is_counter {
        let mut added = false;
        for pair in considered.windows(2).filter(|pair| pair[1].1.is_reset_after(&pair[0].1)) {
            added |= increase.add(&pair[0].1).ok()?.reconciled;
        }
        if added {
            notes.info(&call.span, "mismatched custom buckets were reconciled during addition");
        }
        let schema = considered.iter().map(|(_, native)| native.schema).min().unwrap_or(increase.schema);
        increase.reduce_to(schema);
    }
    Some(increase)
}
