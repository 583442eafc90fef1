//! A symptom over time: its line, what is usual for it, and whether it goes on.

use bottleneck::{Observation, Settings, Sli, Span};
use serde::{Deserialize, Serialize};

use super::asked::Asked;

/// So many of the newest steps are looked at together.
const NEWEST: usize = 3;
/// A symptom that was not there for so long is over, s.
const OVER_AFTER_S: i64 = 60;
/// The same where nothing is asked any more, so that nothing is known.
const SILENT_AFTER_S: i64 = 300;
/// A symptom that was usual in so many steps one after the other and is there again has come back.
const CALM: usize = 3;
/// So long it is open whether what came back is something else, s.
const UNDECIDED_S: i64 = 120;

/// Requests of a symptom per step. Values are ms, or shares that failed; NaN where nothing was asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) times_s: Vec<i64>,
    pub(crate) values: Vec<f64>,
    /// ms; empty for failures.
    pub(crate) p95: Vec<f64>,
    weights: Vec<f64>,
    is_queue: bool,
}

/// What is usual, and from where on it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    /// Median of the steps before.
    pub median: f64,
    /// Median of their distances from it.
    pub mad: f64,
    /// Mean of all requests before.
    pub mean: f64,
    /// Above it is a symptom.
    pub threshold: f64,
}

/// A symptom of an open verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracked {
    /// Which requests, and the baseline that they are compared with for as long as it lasts.
    pub asked: Asked,
    /// What was usual in the baseline.
    pub usual: Usual,
    /// Above it, it goes on; `None` where its mean hardly moved, so that whoever found it must find it again.
    pub goes_on_above: Option<f64>,
    /// Until when it was there, s since 1970.
    pub last_bad_s: i64,
    /// Nothing is asked any more.
    #[serde(default)]
    pub is_silent: bool,
    /// It was away and has come back, and nobody has looked yet whether for the same reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Back>,
}

/// A symptom that came back before its verdict closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// When it was there before.
    pub before: Span,
    /// Since when it is there again, s since 1970.
    pub since_s: i64,
}

impl Line {
    /// `None` if whom it is about is not there.
    pub(crate) fn of(observation: &Observation, asked: &Asked) -> Option<Self> {
        let node = observation.nodes.iter().position(|node| node.name == asked.service)?;
        let mut is_queue = false;
        let (calls, errors, seconds, high) = match &asked.operation {
            None => {
                let node = &observation.nodes[node];
                (&node.requests, &node.errors, &node.seconds, &node.high_seconds)
            }
            Some(name) => {
                let operation = observation.operations.iter().find(|operation| {
                    operation.node == node && operation.peer.is_none() && operation.name == *name
                })?;
                is_queue = observation.is_queue(operation);
                (&operation.calls, &operation.errors, &operation.seconds, &operation.high_seconds)
            }
        };
        let (sums, unit) = match asked.sli {
            Sli::Latency => (seconds, 1_000.0),
            Sli::Errors => (errors, 1.0),
        };
        let value = |(sum, calls): (&f64, &f64)| if *calls > 0.0 { sum / calls * unit } else { f64::NAN };
        let steps = observation.grid.steps;
        Some(Self {
            times_s: (0..steps).map(|step| observation.grid.time_s(step)).collect(),
            values: sums.iter().zip(calls).map(value).collect(),
            p95: match asked.sli {
                Sli::Latency => high.iter().map(|seconds| seconds * 1_000.0).collect(),
                Sli::Errors => Vec::new(),
            },
            weights: calls.clone(),
            is_queue,
        })
    }

    /// What is usual within a stretch of time.
    pub(crate) fn usual(&self, baseline: Span, sli: Sli, settings: &Settings) -> Usual {
        let is_inside = |time_s: &i64| (baseline.from_s..baseline.to_s).contains(time_s);
        let inside = self.times_s.iter().zip(&self.values).zip(&self.weights);
        let inside = inside.filter(|((time_s, value), _)| is_inside(time_s) && value.is_finite());
        let (mut values, mut weights): (Vec<f64>, Vec<f64>) =
            inside.map(|((_, value), weight)| (*value, *weight)).unzip();
        let mean = values.iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f64>()
            / weights.drain(..).sum::<f64>().max(1.0);
        let median = middle(&mut values);
        let mut distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
        let mad = middle(&mut distances);
        let threshold = match sli {
            Sli::Latency => {
                let floor_s = if self.is_queue { settings.queue_floor_s } else { settings.absolute_floor_s };
                let floors = (settings.relative_floor * median).max(floor_s * 1_000.0);
                median + settings.z * (1.4826 * mad).max(floors)
            }
            // A few failures are usual where there always were some.
            Sli::Errors => (2.0 * mean).max(mean + 0.01),
        };
        Usual { median, mad, mean, threshold }
    }

    /// The mean of all requests in a stretch of time.
    fn mean(&self, span: Span) -> Option<f64> {
        let is_inside = |step: &usize| (span.from_s..span.to_s).contains(&self.times_s[*step]);
        self.mean_of((0..self.times_s.len()).filter(is_inside))
    }

    fn mean_of(&self, steps: impl Iterator<Item = usize>) -> Option<f64> {
        let known = steps.filter_map(|step| Some((*self.values.get(step)?, *self.weights.get(step)?)));
        let known = known.filter(|(value, weight)| value.is_finite() && *weight > 0.0);
        let (sum, weight) =
            known.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
        (weight > 0.0).then(|| sum / weight)
    }

    /// The newest steps as one; `None` without requests in them.
    fn newest(&self) -> Option<f64> {
        self.mean_of(self.values.len().saturating_sub(NEWEST)..self.values.len())
    }

    /// Where the last steps above a limit begin, if those before them were usual.
    fn begins_anew(&self, limit: f64) -> Option<i64> {
        let last = self.values.iter().rposition(|value| *value > limit)?;
        let before = self.values[..last].iter().rposition(|value| *value <= limit)?;
        let mut known = self.values[..=before].iter().rev().filter(|value| value.is_finite());
        let is_calm = (0..CALM).all(|_| known.next().is_some_and(|value| *value <= limit));
        is_calm.then(|| self.times_s[before + 1])
    }

    /// When the last step ends.
    fn end_s(&self) -> i64 {
        self.times_s.last().map_or(0, |time_s| time_s + i64::from(super::observe::STEP_S))
    }
}

/// The median; 0 of nothing.
fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

impl Tracked {
    /// From now on.
    pub(crate) fn new(observation: &Observation, asked: Asked, settings: &Settings) -> Option<Self> {
        let line = Line::of(observation, &asked)?;
        let before = Span { from_s: observation.grid.start_s, to_s: asked.hot.from_s };
        let usual = line.usual(asked.baseline.unwrap_or(before), asked.sli, settings);
        let level = if asked.sli == Sli::Latency { usual.median } else { usual.mean };
        // A small symptom is found over a long time; half of it is as good a limit as what a large one must pass.
        let (excess, limit) = (line.mean(asked.hot).unwrap_or(level) - level, usual.threshold - level);
        let least = if asked.sli == Sli::Latency { limit / 2.0 } else { 0.0 };
        let goes_on_above = (excess > least).then(|| level + limit.min(excess / 2.0));
        Some(Self { asked, usual, goes_on_above, last_bad_s: line.end_s(), is_silent: false, back: None })
    }

    /// Whether it is there in the newest steps; `None` if nothing was asked in them. `is_found` says that it was found
    /// by itself, which goes on for a while after it is over.
    fn is_bad(&self, line: &Line, is_found: bool) -> Option<bool> {
        let newest = line.newest()?;
        Some(self.goes_on_above.map_or(is_found, |limit| newest > limit))
    }

    /// Whether one that was found is there now, and not only was.
    pub(crate) fn is_there(&self, observation: &Observation) -> bool {
        let line = Line::of(observation, &self.asked);
        line.and_then(|line| self.is_bad(&line, true)).unwrap_or(false)
    }

    /// Looks at the newest steps.
    pub(crate) fn look(&mut self, observation: Option<&Observation>, is_found: bool) {
        let line = observation.and_then(|observation| Line::of(observation, &self.asked));
        let is_bad = line.as_ref().and_then(|line| self.is_bad(line, is_found));
        self.is_silent = is_bad.is_none();
        if let Some(line) = line.filter(|_| is_bad == Some(true)) {
            self.note_back(&line);
            self.last_bad_s = line.end_s();
            self.asked.hot.to_s = self.last_bad_s;
        }
    }

    /// What is there again after it was away may be something else.
    fn note_back(&mut self, line: &Line) {
        let anew = self.goes_on_above.and_then(|limit| line.begins_anew(limit));
        if let Some(since_s) = anew.filter(|since_s| *since_s >= self.last_bad_s) {
            let before = Span { from_s: self.asked.hot.from_s, to_s: self.last_bad_s };
            self.back = Some(Back { before, since_s });
        }
        self.back = self.back.filter(|back| line.end_s() - back.since_s < UNDECIDED_S);
    }

    /// Whether one that was found is what this is known for.
    pub(crate) fn is_known_for(&self, asked: &Asked) -> bool {
        self.asked.is_same(asked) && self.back.is_none_or(|back| asked.hot.from_s < back.before.to_s)
    }

    /// What came back is something else: this is over since it was away.
    pub(crate) fn end_before(&mut self) {
        if let Some(back) = self.back.take() {
            self.last_bad_s = back.before.to_s;
            self.asked.hot.to_s = back.before.to_s;
        }
    }

    /// Whether it is over at a time.
    pub(crate) fn is_over(&self, now_s: i64) -> bool {
        let after_s = if self.is_silent { SILENT_AFTER_S } else { OVER_AFTER_S };
        now_s - self.last_bad_s >= after_s
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::asked::tests::observation;
    use super::*;

    fn asked(sli: Sli) -> Asked {
        Asked {
            service: "edge".to_owned(),
            operation: Some("GET /".to_owned()),
            sli,
            hot: Span { from_s: 200, to_s: 300 },
            baseline: Some(Span { from_s: 0, to_s: 200 }),
        }
    }

    #[test]
    fn it_goes_on_until_it_was_usual_for_a_minute() {
        // 20 ms, then 100 ms for ten steps.
        let seconds = |hot: usize| -> Vec<f64> {
            (0..30 + hot).map(|step| if (20..30).contains(&step) { 1.0 } else { 0.2 }).collect()
        };
        let first = observation(0, &[10.0; 30], &seconds(0));
        let mut tracked = Tracked::new(&first, asked(Sli::Latency), &Settings::default()).unwrap();
        assert_eq!((tracked.usual.median, tracked.last_bad_s), (20.0, 300));
        assert!((24.0..30.0).contains(&tracked.usual.threshold), "{:?}", tracked.usual);
        let after = |steps: usize| observation(0, &vec![10.0; 30 + steps], &seconds(steps));
        tracked.look(Some(&after(1)), false);
        assert!(!tracked.is_over(310) && tracked.last_bad_s == 310, "its mean of 30 s is still high");
        tracked.look(Some(&after(4)), false);
        assert!(!tracked.is_over(340) && tracked.last_bad_s == 310);
        tracked.look(Some(&after(7)), false);
        assert!(tracked.is_over(370));
        tracked.look(Some(&after(8)), true);
        assert!(tracked.is_over(380), "that it is still found in a longer stretch is no news");
        assert!(Tracked::new(&first, asked(Sli::Latency), &Settings::default()).unwrap().is_there(&first));
        let stale = Asked { hot: Span { from_s: 200, to_s: 380 }, ..asked(Sli::Latency) };
        let stale = Tracked::new(&after(8), stale, &Settings::default()).unwrap();
        assert!(!stale.is_there(&after(8)));
    }

    #[test]
    fn what_comes_back_after_half_a_minute_may_be_something_else() {
        // 20 ms, 100 ms for ten steps, 20 ms for some, and 100 ms again.
        let seen = |calm: usize, again: usize| {
            let is_hot = |step: usize| (20..30).contains(&step) || step >= 30 + calm;
            let seconds: Vec<f64> =
                (0..30 + calm + again).map(|step| f64::from(is_hot(step)).mul_add(0.8, 0.2)).collect();
            observation(0, &vec![10.0; seconds.len()], &seconds)
        };
        let first = observation(
            0,
            &[10.0; 30],
            &(0..30).map(|step| if step < 20 { 0.2 } else { 1.0 }).collect::<Vec<_>>(),
        );
        let followed = |calm: usize, again: usize| {
            let mut tracked = Tracked::new(&first, asked(Sli::Latency), &Settings::default()).unwrap();
            for step in 1..=calm {
                tracked.look(Some(&seen(step, 0)), false);
            }
            for step in 1..=again {
                tracked.look(Some(&seen(calm, step)), false);
            }
            tracked
        };
        assert_eq!(followed(4, 0).back, None, "it is away");
        for (calm, is_back) in [(1, false), (2, false), (3, true), (5, true)] {
            assert_eq!(followed(calm, 1).back.is_some(), is_back, "after {calm} steps");
        }
        let mut tracked = followed(5, 4);
        let from_s = 300 + 50;
        assert_eq!(
            (tracked.back, tracked.last_bad_s, tracked.is_over(390)),
            (Some(Back { before: Span { from_s: 200, to_s: 320 }, since_s: from_s }), 390, false)
        );
        let found = |from_s: i64| Asked { hot: Span { from_s, to_s: 390 }, ..asked(Sli::Latency) };
        assert!(tracked.is_known_for(&found(200)) && !tracked.is_known_for(&found(from_s)));
        tracked.end_before();
        assert_eq!((tracked.back, tracked.last_bad_s, tracked.is_over(390)), (None, 320, true));
        assert!(tracked.is_known_for(&found(from_s)));
        assert_eq!(followed(5, 12).back, None, "nobody found that it is something else");
    }

    #[test]
    fn one_whose_mean_hardly_moves_is_there_as_long_as_it_is_found() {
        let seen = observation(0, &[10.0; 30], &[0.2; 30]);
        let mut tracked = Tracked::new(&seen, asked(Sli::Latency), &Settings::default()).unwrap();
        assert_eq!(tracked.goes_on_above, None);
        tracked.look(Some(&observation(0, &[10.0; 40], &[0.2; 40])), true);
        assert_eq!(tracked.last_bad_s, 400);
        tracked.look(Some(&observation(0, &[10.0; 50], &[0.2; 50])), false);
        assert!(tracked.is_over(500));
    }

    #[test]
    fn silence_is_no_recovery_at_once() {
        let mut calls = vec![10.0; 30];
        let mut tracked =
            Tracked::new(&observation(0, &calls, &[1.0; 30]), asked(Sli::Latency), &Settings::default())
                .unwrap();
        calls.extend([0.0; 10]);
        tracked.look(Some(&observation(0, &calls, &[1.0; 40])), false);
        assert!(tracked.is_silent && !tracked.is_over(400) && tracked.is_over(600));
        tracked.look(None, false);
        assert!(tracked.is_silent);
    }

    #[test]
    fn failures_are_compared_with_their_share() {
        let mut seen = observation(0, &[100.0; 30], &[1.0; 30]);
        let errors: Vec<f64> = (0..30).map(|step| if step < 20 { 2.0 } else { 30.0 }).collect();
        seen.operations[0].errors = errors;
        let tracked = Tracked::new(&seen, asked(Sli::Errors), &Settings::default()).unwrap();
        assert!((tracked.usual.threshold - 0.04).abs() < 1e-9, "{:?}", tracked.usual);
        assert!(tracked.goes_on_above.is_some_and(|limit| (limit - 0.04).abs() < 1e-9));
        let line = Line::of(&seen, &asked(Sli::Errors)).unwrap();
        assert_eq!((line.values[29], line.newest(), line.p95.len()), (0.3, Some(0.3), 0));
    }
}
