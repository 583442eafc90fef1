//! Earlier incidents. What was bad then is not usual: three of them in an hour would hide the fourth, for spreads take
//! the upper tail of what came before.

use std::ops::Range;

use crate::Observation;

/// So much of what there is to compare with may be left out; of more the newest incidents.
const MOST: f64 = 2.0 / 3.0;

impl Observation {
    /// Forgets what was measured, counted and traced in earlier incidents, as if it were not known: steps before `until`.
    /// Returns how many incidents that were.
    pub fn forget(&mut self, incidents: &[Range<usize>], until: usize) -> usize {
        let until = until.min(self.grid.steps);
        let mut inside: Vec<Range<usize>> = incidents
            .iter()
            .map(|steps| steps.start.min(until)..steps.end.min(until))
            .filter(|steps| !steps.is_empty())
            .collect();
        inside.sort_unstable_by_key(|steps| std::cmp::Reverse((steps.end, steps.start)));
        let mut is_forgotten = vec![false; self.grid.steps];
        let mut count = 0;
        for steps in inside {
            let fresh = is_forgotten[steps.clone()].iter().filter(|forgotten| !**forgotten).count();
            let known = is_forgotten.iter().filter(|forgotten| **forgotten).count();
            if (known + fresh) as f64 > MOST * until as f64 {
                break;
            }
            is_forgotten[steps].fill(true);
            count += 1;
        }
        if count > 0 {
            self.forget_steps(&is_forgotten);
        }
        count
    }

    fn forget_steps(&mut self, is_forgotten: &[bool]) {
        let forget = |series: &mut Vec<f64>| {
            let those = series.iter_mut().zip(is_forgotten).filter(|(_, forgotten)| **forgotten);
            those.for_each(|(value, _)| *value = f64::NAN);
        };
        for node in &mut self.nodes {
            [&mut node.requests, &mut node.errors, &mut node.seconds, &mut node.high_seconds]
                .into_iter()
                .for_each(forget);
        }
        for edge in &mut self.edges {
            [&mut edge.calls, &mut edge.errors, &mut edge.client_seconds, &mut edge.server_seconds]
                .into_iter()
                .for_each(forget);
        }
        for operation in &mut self.operations {
            [
                &mut operation.calls,
                &mut operation.errors,
                &mut operation.seconds,
                &mut operation.high_seconds,
            ]
            .into_iter()
            .for_each(forget);
        }
        self.resources.iter_mut().for_each(|resource| forget(&mut resource.values));
        self.logs.iter_mut().for_each(|pattern| forget(&mut pattern.counts));
        let grid = self.grid;
        let is_known = |start_ns: u64| {
            let time_s = i64::try_from(start_ns / 1_000_000_000).unwrap_or(i64::MAX);
            !is_forgotten.get(grid.step_at(time_s)).copied().unwrap_or(false)
        };
        self.traces.retain(|trace| trace.spans.first().is_none_or(|root| is_known(root.start_ns)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::Shop;
    use crate::{Settings, Sli, analyze, symptoms};

    /// 100 steps; three incidents of a tenth each before the one that goes on since step 90.
    fn shop() -> Observation {
        let mut shop = Shop::new(100, 90);
        let edge = shop.service("edge");
        shop.answers(edge, (100.0, 100.0), (0.02, 0.2), (0.0, 0.0));
        let node = &mut shop.observation_mut().nodes[edge];
        for steps in incidents() {
            node.seconds[steps].fill(100.0 * 0.3);
        }
        shop.build()
    }

    fn incidents() -> [Range<usize>; 3] {
        [15..25, 35..45, 55..65]
    }

    #[test]
    fn what_was_bad_before_hides_nothing() {
        let settings = Settings::default();
        let mut seen = shop();
        assert!(symptoms(&seen, &settings).is_empty(), "three in ten steps are bad: it is usual");
        assert_eq!(seen.forget(&incidents(), 90), 3);
        let found = symptoms(&seen, &settings);
        let [question] = &found[..] else { panic!("{found:?}") };
        let verdict = analyze(&seen, question, &settings);
        assert_eq!(verdict.culprit.unwrap().entity.service, "edge");
        assert!((verdict.symptom.baseline - 20.0).abs() < 1e-6, "{}", verdict.symptom.baseline);
        assert_eq!(question.sli, Sli::Latency);
    }

    #[test]
    fn what_is_new_does_not_begin_in_what_was_before() {
        let mut shop = Shop::new(100, 95);
        let edge = shop.service("edge");
        shop.answers(edge, (100.0, 100.0), (0.02, 0.2), (0.0, 0.0));
        shop.observation_mut().nodes[edge].seconds[80..90].fill(100.0 * 0.3);
        let mut seen = shop.build();
        // It was away for a moment, and what is left of that is short.
        assert_eq!(seen.forget(std::slice::from_ref(&(79..93)), 100), 1);
        let found = symptoms(&seen, &Settings::default());
        let [question] = &found[..] else { panic!("{found:?}") };
        assert!(question.hot.start >= 93, "{question:?}");
    }

    #[test]
    fn a_young_shop_has_enough_to_compare_with() {
        // An incident after three minutes, and something else half a minute after it.
        let settings = Settings::default();
        for steps in 34..40 {
            let mut shop = Shop::new(steps, 33);
            let edge = shop.service("edge");
            shop.answers(edge, (100.0, 100.0), (0.02, 0.1), (0.0, 0.0));
            shop.observation_mut().nodes[edge].seconds[18..28].fill(100.0 * 0.5);
            let mut seen = shop.build();
            assert_eq!(seen.forget(std::slice::from_ref(&(17..29)), steps), 1);
            let found = symptoms(&seen, &settings);
            let [question] = &found[..] else { panic!("{steps}: {found:?}") };
            let verdict = analyze(&seen, question, &settings);
            assert_eq!(verdict.state, crate::State::Open, "{steps}: {}", verdict.headline);
        }
    }

    #[test]
    fn something_is_left_to_compare_with_and_nothing_later_goes() {
        let mut seen = shop();
        // Newest first: two thirds of 60 steps are 40.
        assert_eq!(seen.forget(&[0..25, 25..50, 55..80, 90..100], 60), 2);
        let known: Vec<usize> = (0..100).filter(|step| seen.nodes[0].requests[*step].is_finite()).collect();
        assert_eq!(known, (0..25).chain(50..55).chain(60..100).collect::<Vec<_>>());
        assert_eq!(seen.forget(&[], 60) + seen.forget(&[70..80, 90..95], 60), 0);
    }
}
