//! Sums, differences and multiples.

use std::borrow::Cow;
use std::sync::Arc;

use telemetry::samples::ResetHint;

use super::{Buckets, Native};

/// Two histograms of which one has exponential and one has custom bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incompatible;

/// What was noticed when two histograms became one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// One follows a reset, the other is known not to.
    pub(crate) collision: bool,
    /// Their custom bounds differ; those of both were kept.
    pub(crate) reconciled: bool,
}

impl Native {
    /// All counts and the sum times `factor`.
    pub(crate) fn multiply(&mut self, factor: f64) {
        self.scale(|count| count * factor);
        if factor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
    }

    /// All counts and the sum divided by `divisor`. Division by zero leaves no buckets.
    pub(crate) fn divide(&mut self, divisor: f64) {
        self.scale(|count| count / divisor);
        if divisor == 0.0 {
            self.positive.clear();
            self.negative.clear();
        }
        if divisor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
    }

    fn scale(&mut self, scaled: impl Fn(f64) -> f64) {
        for count in [&mut self.count, &mut self.sum, &mut self.zero_count] {
            *count = scaled(*count);
        }
        for buckets in [&mut self.positive, &mut self.negative] {
            buckets.iter_mut().for_each(|(_, count)| *count = scaled(*count));
            buckets.retain(|(_, count)| *count != 0.0);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) -> Result<Notes, Incompatible> {
        self.combine(other, 1.0)
    }

    pub(crate) fn subtract(&mut self, other: &Self) -> Result<Notes, Incompatible> {
        self.combine(other, -1.0)
    }

    fn combine(&mut self, other: &Self, sign: f64) -> Result<Notes, Incompatible> {
        let (other, notes) = self.align(other)?;
        self.combine_counts(&other, sign);
        Ok(notes)
    }

    /// Makes it and another one have the same layout; joins the hints.
    pub(super) fn align<'o>(&mut self, other: &'o Self) -> Result<(Cow<'o, Self>, Notes), Incompatible> {
        if self.is_custom() != other.is_custom() {
            return Err(Incompatible);
        }
        let notes = Notes {
            collision: self.join_hints(other.hint),
            reconciled: self.is_custom() && self.bounds != other.bounds,
        };
        if self.bounds == other.bounds
            && self.schema == other.schema
            && self.zero_threshold == other.zero_threshold
        {
            return Ok((Cow::Borrowed(other), notes));
        }
        let mut other = other.clone();
        if notes.reconciled {
            let bounds = common_bounds(&self.bounds, &other.bounds);
            self.rebound(&bounds);
            other.rebound(&bounds);
        } else {
            self.reconcile_zero(&mut other);
            let schema = self.schema.min(other.schema);
            self.reduce_to(schema);
            other.reduce_to(schema);
        }
        Ok((Cow::Owned(other), notes))
    }

    /// Takes over the layout of another one, which is no finer.
    pub(super) fn follow(&mut self, other: &Self) {
        if self.is_custom() {
            self.rebound(&other.bounds);
        } else if self.zero_threshold != other.zero_threshold || self.schema != other.schema {
            self.widen_zero(other.zero_threshold);
            self.zero_threshold = other.zero_threshold;
            self.reduce_to(other.schema);
        }
    }

    fn combine_counts(&mut self, other: &Self, sign: f64) {
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        self.zero_count += sign * other.zero_count;
        self.positive = combined(&self.positive, &other.positive, sign);
        self.negative = combined(&self.negative, &other.negative, sign);
    }

    /// Lowers the resolution.
    pub(crate) fn reduce_to(&mut self, schema: i8) {
        if self.is_custom() || schema >= self.schema {
            return;
        }
        let shift = u32::from(self.schema.abs_diff(schema)).min(31);
        for buckets in [&mut self.positive, &mut self.negative] {
            *buckets = mapped(buckets, |index| ((index - 1) >> shift) + 1);
        }
        self.schema = schema;
    }

    /// Moves the buckets to custom bounds that are some of its own.
    pub(super) fn rebound(&mut self, bounds: &Arc<[f64]>) {
        if self.bounds == *bounds {
            return;
        }
        let old = std::mem::replace(&mut self.bounds, Arc::clone(bounds));
        self.positive = mapped(&self.positive, |index| {
            let upper = usize::try_from(index).ok().and_then(|index| old.get(index));
            let at = upper.map_or(bounds.len(), |upper| bounds.partition_point(|bound| bound < upper));
            i32::try_from(at).unwrap_or(i32::MAX)
        });
    }

    /// Whether one is known to follow a reset and the other is known not to.
    fn join_hints(&mut self, other: ResetHint) -> bool {
        use ResetHint::{Gauge, Unknown};
        let (joined, collision) = match (self.hint, other) {
            (mine, theirs) if mine == theirs => (mine, false),
            (Gauge, _) | (_, Gauge) => (Gauge, false),
            (Unknown, _) | (_, Unknown) => (Unknown, false),
            _ => (Unknown, true),
        };
        self.hint = joined;
        collision
    }
}

/// The bounds that both have.
fn common_bounds(left: &[f64], right: &[f64]) -> Arc<[f64]> {
    left.iter()
        .copied()
        .filter(|bound| right.binary_search_by(|other| other.total_cmp(bound)).is_ok())
        .collect()
}

/// Buckets at other indices, which are in the same order; what falls together is added.
fn mapped(buckets: &Buckets, index_of: impl Fn(i32) -> i32) -> Buckets {
    let mut result = Buckets::with_capacity(buckets.len());
    for &(index, count) in buckets {
        let index = index_of(index);
        match result.last_mut() {
            Some((last, sum)) if *last == index => *sum += count,
            _ => result.push((index, count)),
        }
    }
    result.retain(|(_, count)| *count != 0.0);
    result
}

fn combined(left: &Buckets, right: &Buckets, sign: f64) -> Buckets {
    let mut result = Buckets::with_capacity(left.len().max(right.len()));
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let (index, count) = match (left.peek(), right.peek()) {
            (None, None) => return result,
            (Some(&&(l, a)), Some(&&(r, b))) if l == r => {
                left.next();
                right.next();
                (l, a + sign * b)
            }
            (Some(&&(l, a)), other) if other.is_none_or(|&&(r, _)| l < r) => {
                left.next();
                (l, a)
            }
            (_, Some(&&(r, b))) => {
                right.next();
                (r, sign * b)
            }
            (Some(_), None) => return result,
        };
        if count != 0.0 {
            result.push((index, count));
        }
    }
}
