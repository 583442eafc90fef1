//! What range functions make of the numbers of a window.

use super::kahan::{self, Mean};

pub(super) fn sum(values: &[f64]) -> f64 {
    let (mut sum, mut compensation) = (0.0, 0.0);
    for value in values {
        (sum, compensation) = kahan::add(*value, sum, compensation);
    }
    if sum.is_infinite() { sum } else { sum + compensation }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    let (mut sum, mut compensation) = (0.0, 0.0);
    for value in values {
        (sum, compensation) = kahan::add(*value, sum, compensation);
    }
    if sum.is_finite() {
        let count = values.len() as f64;
        return sum / count + compensation / count;
    }
    // It may have overflowed on the way.
    let mut mean = Mean::default();
    values.iter().for_each(|value| mean.add(*value));
    mean.mean()
}

/// Where the largest is; NaN only if there is nothing else. Of equal ones the first, or the last.
pub(super) fn place_of_largest(values: &[f64], last: bool) -> usize {
    place(values, |value, best| value > best || (last && value == best))
}

/// Where the smallest is.
pub(super) fn place_of_smallest(values: &[f64], last: bool) -> usize {
    place(values, |value, best| value < best || (last && value == best))
}

fn place(values: &[f64], is_better: impl Fn(f64, f64) -> bool) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if is_better(*value, values[best]) || values[best].is_nan() {
            best = index;
        }
    }
    best
}

pub(super) fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut mean_rest) = (0.0, 0.0);
    let (mut squares, mut squares_rest) = (0.0, 0.0);
    let mut count = 0.0;
    for value in values {
        count += 1.0;
        let delta = value - (mean + mean_rest);
        (mean, mean_rest) = kahan::add(delta / count, mean, mean_rest);
        (squares, squares_rest) = kahan::add(delta * (value - (mean + mean_rest)), squares, squares_rest);
    }
    (squares + squares_rest) / count
}

/// The value that the fraction `q` of the values does not exceed, interpolated; sorts them, NaN first.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_unstable_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(b),
        (is_nan, other) => other.cmp(&is_nan),
    });
    let rank = q * (values.len() - 1) as f64;
    let lower = rank.floor().max(0.0);
    let weight = rank - rank.floor();
    let lower = lower as usize;
    let upper = (lower + 1).min(values.len() - 1);
    values[lower] * (1.0 - weight) + values[upper] * weight
}

/// The median of the distances from the median.
pub(super) fn median_deviation(values: &[f64]) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let mut values = values.to_vec();
    let median = quantile(0.5, &mut values);
    values.iter_mut().for_each(|value| *value = (*value - median).abs());
    quantile(0.5, &mut values)
}

/// Slope per second and value at `origin_ms` of the line of least squares.
pub(super) fn regression(times_ms: &[i64], values: &[f64], origin_ms: i64) -> (f64, f64) {
    let first = values[0];
    if values.iter().all(|value| *value == first) {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let mut sums = [(0.0, 0.0); 4];
    for (time_ms, value) in times_ms.iter().zip(values) {
        let x = (time_ms - origin_ms) as f64 / 1000.0;
        for (sum, term) in sums.iter_mut().zip([x, *value, x * value, x * x]) {
            *sum = kahan::add(term, sum.0, sum.1);
        }
    }
    let count = values.len() as f64;
    let [x, y, xy, xx] = sums.map(|(sum, compensation)| sum + compensation);
    let slope = (xy - x * y / count) / (xx - x * x / count);
    (slope, y / count - slope * x / count)
}

/// A moving average of values and of their trend; both factors are between 0 and 1.
pub(super) fn smooth(values: &[f64], smoothing: f64, trend_factor: f64) -> Option<f64> {
    let [first, second, ..] = values else { return None };
    let mut trend = second - first;
    let (mut before, mut smoothed) = (0.0, *first);
    for (index, value) in values.iter().enumerate().skip(1) {
        if index > 1 {
            trend = trend_factor * (smoothed - before) + (1.0 - trend_factor) * trend;
        }
        let next = smoothing * value + (1.0 - smoothing) * (smoothed + trend);
        (before, smoothed) = (smoothed, next);
    }
    Some(smoothed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        for (q, values, expected) in [
            (0.8, vec![0.0, 1.0], 0.8),
            (0.8, vec![4.0, 0.0, 1.0], 2.8),
            (0.8, vec![f64::NAN, 1.0, 0.0], 0.6),
            (1.0, vec![3.0], 3.0),
            (-0.1, vec![3.0], f64::NEG_INFINITY),
        ] {
            let mut sorted = values.clone();
            let found = quantile(q, &mut sorted);
            assert!(found == expected || (found - expected).abs() < 1e-12, "{q} of {values:?}: {found}");
        }
        assert!(quantile(0.5, &mut []).is_nan());
        assert!(quantile(0.2, &mut [f64::NAN, 0.0, 1.0]).is_nan());
    }

    #[test]
    fn extremes_leave_out_nan() {
        let values = [f64::NAN, 2.0, 5.0, 5.0, f64::NAN, -1.0];
        assert_eq!((place_of_largest(&values, false), place_of_largest(&values, true)), (2, 3));
        assert_eq!(place_of_smallest(&values, false), 5);
        assert_eq!(place_of_largest(&[f64::NAN, f64::NAN, 1.0, f64::NAN], false), 2);
    }

    #[test]
    fn lines_are_found() {
        let (slope, at) = regression(&[0, 1000, 2000, 3000], &[1.0, 3.0, 5.0, 7.0], 4000);
        assert!((slope - 2.0).abs() < 1e-12 && (at - 9.0).abs() < 1e-12);
        assert_eq!(regression(&[0, 1000], &[4.0, 4.0], 0), (0.0, 4.0));
    }
}
