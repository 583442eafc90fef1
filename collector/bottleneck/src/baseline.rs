//! What is usual of a series, by order statistics: a few bad steps in the baseline move neither centre nor spread.
//! Spreads have floors, because a series that never moved (MAD 0) would make every change infinite, and its unit decide
//! the order.

/// MAD of a normal distribution to its standard deviation.
const MAD_TO_SIGMA: f64 = 1.4826;
/// 90 % quantile of the standard normal distribution.
const NORMAL_Q90: f64 = 1.281_6;

/// Centre and spread of a stretch that is taken to be usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Baseline {
    /// The median.
    pub(crate) centre: f64,
    /// What one standard deviation is taken to be.
    pub(crate) spread: f64,
    /// Values that it rests on.
    pub(crate) steps: usize,
}

impl Baseline {
    /// How many spreads a value lies above the centre.
    pub(crate) fn z(&self, value: f64) -> f64 {
        (value - self.centre) / self.spread
    }
}

/// The baseline of `values` (those that are not NaN); `None` without any. The spread is the largest of what the MAD says,
/// what the upper tail says (durations are skewed: the 90 % quantile is worth 1.28 of it), `relative` of the centre and
/// `absolute`.
pub(crate) fn baseline(
    values: impl IntoIterator<Item = f64>,
    relative: f64,
    absolute: f64,
) -> Option<Baseline> {
    let mut sorted: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let centre = quantile(&sorted, 0.5)?;
    let tail = (quantile(&sorted, 0.9)? - centre) / NORMAL_Q90;
    let steps = sorted.len();
    let mut distances = sorted;
    distances.iter_mut().for_each(|value| *value = (*value - centre).abs());
    distances.sort_unstable_by(f64::total_cmp);
    let mad = quantile(&distances, 0.5)? * MAD_TO_SIGMA;
    let spread = mad.max(tail).max(relative * centre.abs()).max(absolute).max(f64::MIN_POSITIVE);
    Some(Baseline { centre, spread, steps })
}

/// The value below which a share of the sorted values lies, between neighbours by their distance. `None` of none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64))
}

/// The median of what is not NaN.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres_and_spreads() {
        let ramp: Vec<f64> = (0..=100).map(f64::from).collect();
        let mostly: Vec<f64> = (0..20).map(|step| if step < 3 { 900.0 } else { 10.0 }).collect();
        type Row<'a> = (&'a str, &'a [f64], f64, f64, Option<(f64, f64)>);
        let cases: [Row<'_>; 7] = [
            ("nothing", &[], 0.05, 0.5, None),
            ("NaN alone", &[f64::NAN], 0.05, 0.5, None),
            ("one value: the relative floor", &[200.0], 0.05, 0.5, Some((200.0, 10.0))),
            ("never moved, near 0: the absolute floor", &[0.0, 0.0, 0.0], 0.05, 0.5, Some((0.0, 0.5))),
            ("MAD 0 and a tail", &[9.0, 9.0, 10.0, 11.0, 9.0], 0.0, 0.0, Some((9.0, 1.248_439))),
            ("even ramp: the MAD", &ramp, 0.0, 0.0, Some((50.0, 37.065))),
            ("an incident in 3 of 20 counts by the tail", &mostly, 0.0, 0.0, Some((10.0, 694.444_444))),
        ];
        for (name, values, relative, absolute, expected) in cases {
            let found = baseline(values.iter().copied(), relative, absolute);
            match (found, expected) {
                (None, None) => {}
                (Some(found), Some((centre, spread))) => {
                    assert!((found.centre - centre).abs() < 1e-9, "{name}: {found:?}");
                    assert!((found.spread - spread).abs() / spread < 1e-3, "{name}: {found:?}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (share, expected) in [(0.0, 1.0), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0), (7.0, 8.0)] {
            let found = quantile(&sorted, share).unwrap();
            assert!((found - expected).abs() < 1e-12, "{share}: {found}");
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(median([f64::NAN, 3.0, 1.0]), Some(2.0));
    }
}
