//! Who may have to do with a symptom, before everything about them has been read.

use std::ops::Range;

use crate::measure::{Pair, Times, measure};
use crate::{Settings, Sli};

/// Of what it takes to be worse so much makes a suspect.
const HALF: f64 = 0.5;

/// Whether requests or calls may have got worse over `hot`, or over its newer half or quarter, against `baseline`; those
/// that are new or have ended may. `amounts` are seconds or failures per step, as `sli` says, `counts` of how many.
pub fn may_be_worse(
    (amounts, counts): (&[f64], &[f64]),
    sli: Sli,
    baseline: &Range<usize>,
    hot: &Range<usize>,
    settings: &Settings,
) -> bool {
    let over = |steps: usize| {
        let hot = hot.end.saturating_sub(steps).max(hot.start)..hot.end;
        let times = Times { baseline: baseline.clone(), odd: Vec::new(), hot };
        let found = measure(Pair { amounts, counts }, sli, &times, settings);
        match (found.base_count > 0.0, found.now_count > 0.0) {
            (true, true) => found.score >= HALF && found.now > found.base,
            (was_there, is_there) => was_there != is_there,
        }
    };
    [hot.len(), hot.len().div_ceil(2), hot.len().div_ceil(4)].into_iter().any(over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspects_are_those_that_moved_came_or_went() {
        let series = |calm: f64, since: f64, from: usize| -> Vec<f64> {
            let wave = |step: usize| 1.0 + 0.02 * ((step * 7 % 5) as f64 - 2.0);
            (0..80).map(|step| wave(step) * if step < from { calm } else { since }).collect()
        };
        let counts = series(100.0, 100.0, 60);
        let cases = [
            ("as before", series(1.0, 1.0, 60), counts.clone(), false),
            ("an eighth more", series(1.0, 1.13, 60), counts.clone(), true),
            ("worse by half", series(1.0, 1.5, 60), counts.clone(), true),
            ("better", series(1.0, 0.5, 60), counts.clone(), false),
            ("only in the newest quarter", series(1.0, 1.5, 75), counts.clone(), true),
            ("new", series(0.0, 1.0, 60), series(0.0, 100.0, 60), true),
            ("gone", series(1.0, 0.0, 60), series(100.0, 0.0, 60), true),
            ("never there", vec![0.0; 80], vec![0.0; 80], false),
        ];
        for (name, seconds, counts, expected) in cases {
            let pair = (seconds.as_slice(), counts.as_slice());
            let found = may_be_worse(pair, Sli::Latency, &(0..59), &(60..80), &Settings::default());
            assert_eq!(found, expected, "{name}");
        }
    }
}
