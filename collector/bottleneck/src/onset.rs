//! Since when. A two-sided CUSUM says that a series left its level; PELT then cuts the stretch around into segments, and
//! the segment that is worse says where it began.

use std::ops::Range;

/// CUSUM's slack and limit, in spreads: a shift of one spread is found after ten steps, one of four after two; a quiet
/// series crosses about once in 930 steps (Montgomery, k = 0.5, h = 5 gives an ARL of 465 each side).
const SLACK: f64 = 0.5;
const LIMIT: f64 = 5.0;
/// Beyond this a step says no more: one spike must not carry a sum, or cut a segment of its own.
const CLIP: f64 = 8.0;

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// The step in which the limit was crossed.
    pub(crate) at: usize,
    /// The step in which the sum left 0 for the last time before: a first guess at the onset.
    pub(crate) since: usize,
    /// Whether the level went up.
    pub(crate) is_up: bool,
}

/// The first alarm of a two-sided CUSUM over values in spreads from their usual centre. NaN is passed over.
pub(crate) fn cusum(z: &[f64]) -> Option<Alarm> {
    let mut sums = [0.0_f64; 2];
    let mut since = [0; 2];
    for (step, value) in z.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        let value = value.clamp(-CLIP, CLIP);
        for (side, signed) in [value, -value].into_iter().enumerate() {
            if sums[side] == 0.0 {
                since[side] = step;
            }
            sums[side] = (sums[side] + signed - SLACK).max(0.0);
            if sums[side] > LIMIT {
                return Some(Alarm { at: step, since: since[side], is_up: side == 0 });
            }
        }
    }
    None
}

/// Cuts values (in spreads) where their mean changes: the first step of each segment but the first. Exact for the cost
/// Σ(x − mean)² with a penalty of 3 ln n per cut (Killick, Fearnhead and Eckley 2012). NaN counts as 0, the usual.
pub(crate) fn pelt(z: &[f64]) -> Vec<usize> {
    let values: Vec<f64> =
        z.iter().map(|value| if value.is_finite() { value.clamp(-CLIP, CLIP) } else { 0.0 }).collect();
    let n = values.len();
    let penalty = 3.0 * (n.max(2) as f64).ln();
    let sums = Sums::new(&values);
    let mut best = vec![0.0; n + 1];
    best[0] = -penalty;
    let mut last = vec![0; n + 1];
    let mut starts = vec![0];
    for end in 1..=n {
        let cost = |start: usize, best: &[f64]| best[start] + sums.cost(start, end);
        let from =
            starts.iter().copied().min_by(|left, right| cost(*left, &best).total_cmp(&cost(*right, &best)));
        let from = from.unwrap_or_default();
        best[end] = cost(from, &best) + penalty;
        last[end] = from;
        let bound = best[end];
        starts.retain(|start| cost(*start, &best) <= bound);
        starts.push(end);
    }
    let mut cuts = Vec::new();
    let mut at = last[n];
    while at > 0 {
        cuts.push(at);
        at = last[at];
    }
    cuts.reverse();
    cuts
}

/// Sums up to each step, so that the cost of any segment takes one subtraction.
struct Sums {
    linear: Vec<f64>,
    square: Vec<f64>,
}

impl Sums {
    fn new(values: &[f64]) -> Self {
        let mut sums = Self { linear: vec![0.0], square: vec![0.0] };
        let (mut linear, mut square) = (0.0, 0.0);
        for value in values {
            linear += value;
            square += value * value;
            sums.linear.push(linear);
            sums.square.push(square);
        }
        sums
    }

    fn cost(&self, start: usize, end: usize) -> f64 {
        let sum = self.linear[end] - self.linear[start];
        self.square[end] - self.square[start] - sum * sum / (end - start) as f64
    }
}

/// Where the stretch that is worse began, and by how many steps that may be wrong. `z` are spreads from the baseline's
/// centre, of all steps up to `hot.end`; `hot` is where the asker saw it; not before `earliest`.
pub(crate) fn onset(z: &[f64], hot: &Range<usize>, earliest: usize) -> (usize, usize) {
    let end = hot.end.min(z.len());
    let earliest = earliest.min(hot.start.min(end));
    let stretch = &z[earliest..end];
    let mut bounds = vec![0];
    bounds.extend(pelt(stretch));
    bounds.push(stretch.len());
    let level = |segment: &[usize]| {
        let values = || stretch[segment[0]..segment[1]].iter().filter(|value| value.is_finite());
        values().map(|value| value.clamp(-CLIP, CLIP)).sum::<f64>() / (values().count().max(1) as f64)
    };
    let levels: Vec<f64> = bounds.windows(2).map(level).collect();
    let touches_hot = |segment: usize| earliest + bounds[segment + 1] > hot.start;
    let worst = (0..levels.len())
        .filter(|segment| touches_hot(*segment))
        .max_by(|left, right| levels[*left].total_cmp(&levels[*right]).then(right.cmp(left)));
    let Some(mut first) = worst.filter(|worst| levels[*worst] > 1.0) else {
        return (by_sum(stretch, hot, earliest), 2);
    };
    // A rise in stairs began with its first stair.
    while first > 0 && levels[first - 1] > (levels[first] * 0.25).max(1.0) {
        first -= 1;
    }
    (earliest + bounds[first], 1)
}

/// Without a segment that stands out: where the sum began to rise, if that is not after the asker's time.
fn by_sum(stretch: &[f64], hot: &Range<usize>, earliest: usize) -> usize {
    match cusum(stretch) {
        Some(alarm) if alarm.is_up && earliest + alarm.at >= hot.start => earliest + alarm.since,
        _ => hot.start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small noise that is the same in every run, and sums to about nothing.
    fn noise(step: usize) -> f64 {
        ((step * 7_919 % 13) as f64 - 6.0) / 8.0
    }

    fn series(levels: &[(usize, f64)]) -> Vec<f64> {
        let mut z = Vec::new();
        for (length, level) in levels {
            z.extend((0..*length).map(|step| level + noise(step)));
        }
        z
    }

    #[test]
    fn known_changes_are_cut() {
        type Row = (&'static str, Vec<(usize, f64)>, Vec<usize>);
        let cases: [Row; 6] = [
            ("nothing", vec![], vec![]),
            ("level", vec![(80, 0.0)], vec![]),
            ("up", vec![(60, 0.0), (20, 5.0)], vec![60]),
            ("up and back", vec![(50, 0.0), (10, 6.0), (50, 0.0)], vec![50, 60]),
            ("stairs", vec![(40, 0.0), (20, 3.0), (20, 7.0)], vec![40, 60]),
            ("down", vec![(40, 0.0), (40, -4.0)], vec![40]),
        ];
        for (name, levels, expected) in cases {
            assert_eq!(pelt(&series(&levels)), expected, "{name}");
        }
    }

    #[test]
    fn sums_cross_both_ways() {
        let up = cusum(&series(&[(50, 0.0), (10, 4.0)])).unwrap();
        assert!(up.is_up && (50..=52).contains(&up.at) && (47..=50).contains(&up.since), "{up:?}");
        let down = cusum(&series(&[(50, 0.0), (10, -4.0)])).unwrap();
        assert!(!down.is_up && (50..=52).contains(&down.at), "{down:?}");
        assert_eq!(cusum(&series(&[(400, 0.0)])), None);
        assert_eq!(cusum(&[f64::NAN; 9]), None);
    }

    #[test]
    fn the_onset_is_where_it_got_worse() {
        // What the asker says may be late, early or just right.
        let late = series(&[(60, 0.0), (40, 6.0)]);
        let cases: [(&str, Vec<f64>, Range<usize>, usize); 6] = [
            ("the asker is late", late.clone(), 80..100, 60),
            ("the asker is early", late.clone(), 50..100, 60),
            ("the asker is right", late, 60..100, 60),
            ("stairs", series(&[(60, 0.0), (10, 3.0), (30, 7.0)]), 75..100, 60),
            ("nothing there", series(&[(100, 0.0)]), 90..100, 90),
            (
                "an older incident is another",
                series(&[(40, 0.0), (10, 7.0), (30, 0.0), (20, 6.0)]),
                85..100,
                80,
            ),
        ];
        for (name, z, hot, expected) in cases {
            assert_eq!(onset(&z, &hot, 0).0, expected, "{name}");
        }
    }
}
