//! Whether an answer is the one that a script expects.

use std::collections::HashMap;

use telemetry::LabelSet;
use telemetry::samples::{Histogram, Span, is_stale};

use super::{Eval, Item, Match, Notes, When};
use crate::{Answer, Point, Series, Value};

/// Relative error that is allowed.
const EPSILON: f64 = 1e-6;

impl Match {
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(expected) => expected == text,
            Self::Like(regex) => regex.is_match(text),
        }
    }
}

impl Notes {
    fn judge(&self, what: &str, found: &[String]) -> Result<(), String> {
        if self.none && !found.is_empty() {
            return Err(format!("unexpected {what}: {found:?}"));
        }
        if self.some && found.is_empty() {
            return Err(format!("no {what}"));
        }
        if self.matches.is_empty() {
            return Ok(());
        }
        if let Some(missing) =
            self.matches.iter().find(|expected| !found.iter().any(|text| expected.is(text)))
        {
            return Err(format!("{what} {missing:?} is missing: {found:?}"));
        }
        match found.iter().find(|text| !self.matches.iter().any(|expected| expected.is(text))) {
            Some(unexpected) => Err(format!("unexpected {what}: {unexpected:?}")),
            None => Ok(()),
        }
    }
}

impl Eval {
    /// Compares an answer, or the text of an error, with what is expected.
    pub fn judge(&self, outcome: Result<&Answer, &str>) -> Result<(), String> {
        let answer = match (outcome, &self.fails) {
            (Err(error), Some(expected)) if expected.is(error) => return Ok(()),
            (Err(error), Some(expected)) => {
                return Err(format!("failed with {error:?}, not with {expected:?}"));
            }
            (Err(error), None) => return Err(format!("failed: {error}")),
            (Ok(_), Some(_)) => return Err("did not fail".into()),
            (Ok(answer), None) => answer,
        };
        self.warnings.judge("warning", &answer.warnings)?;
        self.infos.judge("info", &answer.infos)?;
        self.judge_value(&answer.value)
    }

    /// Compares only the value.
    pub fn judge_value(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Scalar(_, value) => match self.scalar {
                Some(expected) if same(expected, *value) => Ok(()),
                expected => Err(format!("expected the scalar {expected:?}, got {value}")),
            },
            Value::String(_, text) => match &self.text {
                Some(expected) if expected == text => Ok(()),
                expected => Err(format!("expected the text {expected:?}, got {text:?}")),
            },
            Value::Vector(vector) => self.judge_vector(vector),
            Value::Matrix(matrix) => self.judge_matrix(matrix),
        }
    }

    fn expected(&self) -> HashMap<&LabelSet, (usize, &[Item])> {
        let series = self.series.iter().enumerate();
        series.map(|(place, (labels, items))| (labels, (place, items.as_slice()))).collect()
    }

    fn judge_vector(&self, vector: &[(LabelSet, i64, Point)]) -> Result<(), String> {
        if self.scalar.is_some() {
            return Err(format!("expected a scalar, got {vector:?}"));
        }
        let mut expected = self.expected();
        for (place, (labels, _, point)) in vector.iter().enumerate() {
            let (wanted, items) =
                expected.remove(labels).ok_or_else(|| format!("unexpected {labels} with {point:?}"))?;
            if self.ordered && wanted != place {
                return Err(format!("{labels} is at place {place}, not {wanted}"));
            }
            let item = items.first().unwrap_or(&Item::Gap);
            if !is_same(item, point) {
                return Err(format!("{labels}: expected {item:?}, got {point:?}"));
            }
        }
        missing(&expected)
    }

    fn judge_matrix(&self, matrix: &[Series]) -> Result<(), String> {
        if self.scalar.is_some() || self.ordered {
            return Err("expected something else than a matrix".into());
        }
        if !matrix.is_sorted_by(|a, b| a.labels < b.labels) {
            return Err("the series are not ordered".into());
        }
        let (start_ms, step_ms) = match (self.range_vector, self.when) {
            (Some((start_ms, _, step_ms)), _) | (None, When::Range(start_ms, _, step_ms)) => {
                (start_ms, step_ms)
            }
            (None, When::Instant(at_ms)) => (at_ms, 1),
        };
        let mut expected = self.expected();
        for series in matrix {
            let labels = &series.labels;
            let (_, items) = expected.remove(labels).ok_or_else(|| format!("unexpected {series:?}"))?;
            let wanted: Vec<(i64, &Item)> = items
                .iter()
                .enumerate()
                .map(|(index, item)| (start_ms + index as i64 * step_ms, item))
                .filter(|(_, item)| **item != Item::Gap)
                .collect();
            let found = points(series);
            let agree = wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(&found)
                    .all(|((at, item), (time, point))| at == time && is_same(item, point));
            if !agree {
                return Err(format!("{labels}: expected {wanted:?}, got {found:?}"));
            }
        }
        missing(&expected)
    }
}

fn missing(expected: &HashMap<&LabelSet, (usize, &[Item])>) -> Result<(), String> {
    match expected.iter().next() {
        Some((labels, (_, items))) => Err(format!("{labels} is missing, with {items:?}")),
        None => Ok(()),
    }
}

/// All values of a series in the order of time.
fn points(series: &Series) -> Vec<(i64, Point)> {
    let floats = series.floats.iter().map(|(time_ms, value)| (*time_ms, Point::Float(*value)));
    let histograms = series.histograms.iter().map(|(time_ms, h)| (*time_ms, Point::Histogram(h.clone())));
    let mut points: Vec<(i64, Point)> = floats.chain(histograms).collect();
    points.sort_by_key(|(time_ms, _)| *time_ms);
    points
}

fn is_same(expected: &Item, found: &Point) -> bool {
    match (expected, found) {
        (Item::Float(expected), Point::Float(found)) => same(*expected, *found),
        (Item::Histogram(expected, has_hint), Point::Histogram(found)) => {
            same_histogram(expected, found) && (!has_hint || expected.reset_hint == found.reset_hint)
        }
        _ => false,
    }
}

fn same(a: f64, b: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if (a.is_nan() && b.is_nan()) || a == b {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < EPSILON * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < EPSILON
}

/// Whether two histograms have the same buckets with about the same counts.
pub fn same_histogram(expected: &Histogram, found: &Histogram) -> bool {
    let buckets = |spans: &[Span], counts: &[f64]| {
        let mut at = 0;
        let indices = spans.iter().flat_map(|span| {
            at += span.offset;
            let first = at;
            at += i32::try_from(span.len).unwrap_or(i32::MAX);
            first..at
        });
        indices.zip(counts.iter().copied()).filter(|(_, count)| *count != 0.0).collect::<Vec<_>>()
    };
    let agree = |a: Vec<(i32, f64)>, b: Vec<(i32, f64)>| {
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
    };
    expected.schema == found.schema
        && same(expected.count, found.count)
        && same(expected.sum, found.sum)
        && expected.zero_threshold == found.zero_threshold
        && same(expected.zero_count, found.zero_count)
        && expected.custom_values == found.custom_values
        && agree(
            buckets(&expected.positive_spans, &expected.positive_counts),
            buckets(&found.positive_spans, &found.positive_counts),
        )
        && agree(
            buckets(&expected.negative_spans, &expected.negative_counts),
            buckets(&found.negative_spans, &found.negative_counts),
        )
}
