//! One node's, edge's or operation's numbers before and since the onset, and whether the difference can be chance.

use std::ops::Range;

use crate::baseline::{Baseline, baseline};
use crate::{Node, Observation, Operation, Settings, Sli, tails};

/// Blocks that a baseline is cut into at least, if it is long enough: a spread of fewer means little.
const MIN_BLOCKS: usize = 12;

/// The two series that an SLI is made of: what is summed (seconds, or failures), and of how many.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) amounts: &'a [f64],
    pub(crate) counts: &'a [f64],
}

impl<'a> Pair<'a> {
    pub(crate) fn of_node(node: &'a Node, sli: Sli) -> Self {
        let amounts = if sli == Sli::Latency { &node.seconds } else { &node.errors };
        Self { amounts, counts: &node.requests }
    }

    pub(crate) fn of_operation(operation: &'a Operation, sli: Sli) -> Self {
        let amounts = if sli == Sli::Latency { &operation.seconds } else { &operation.errors };
        Self { amounts, counts: &operation.calls }
    }

    /// What the question is about.
    pub(crate) fn of_symptom(observation: &'a Observation, question: &crate::Question) -> Self {
        let operation = question.operation.and_then(|index| observation.operations.get(index));
        match (operation, observation.nodes.get(question.node)) {
            (Some(operation), _) => Self::of_operation(operation, question.sli),
            (None, Some(node)) => Self::of_node(node, question.sli),
            (None, None) => Self { amounts: &[], counts: &[] },
        }
    }

    /// Amount and count of a step; `None` where nothing is known.
    pub(crate) fn step(&self, step: usize) -> Option<(f64, f64)> {
        let (amount, count) = (*self.amounts.get(step)?, *self.counts.get(step)?);
        (amount.is_finite() && count.is_finite()).then_some((amount, count))
    }

    pub(crate) fn mean(&self, step: usize) -> f64 {
        match self.step(step) {
            Some((amount, count)) if count > 0.0 => amount / count,
            _ => f64::NAN,
        }
    }

    /// Whether there is anything in it.
    pub(crate) fn is_known(&self) -> bool {
        self.counts.iter().zip(self.amounts).any(|(count, amount)| *count > 0.0 && amount.is_finite())
    }

    pub(crate) fn sum(&self, steps: impl IntoIterator<Item = usize>) -> (f64, f64) {
        let known = steps.into_iter().filter_map(|step| self.step(step));
        known.fold((0.0, 0.0), |sum, (amount, count)| (sum.0 + amount, sum.1 + count))
    }
}

/// The times of a case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Times {
    pub(crate) baseline: Range<usize>,
    /// Steps of the baseline that are summed for shares: not its best and worst twentieths by the symptom. They are the
    /// same for all series, so that sums stay sums.
    pub(crate) calm: Vec<usize>,
    pub(crate) hot: Range<usize>,
}

/// A series before and since.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Measure {
    /// Mean (s), or share of failures, before.
    pub(crate) base: f64,
    /// The same since.
    pub(crate) now: f64,
    /// Requests before, in the calm steps.
    pub(crate) base_count: f64,
    /// Requests since.
    pub(crate) now_count: f64,
    /// How far beyond the limit: 1 is just significant.
    pub(crate) score: f64,
}

impl Measure {
    pub(crate) fn is_significant(&self) -> bool {
        self.score >= 1.0 && self.now > self.base
    }

    /// Before and since there was something to measure.
    pub(crate) fn is_known(&self) -> bool {
        self.base_count > 0.0 && self.now_count > 0.0
    }
}

/// Measures a pair over the times of a case.
pub(crate) fn measure(pair: Pair<'_>, sli: Sli, times: &Times, settings: &Settings) -> Measure {
    let (base_amount, base_count) = pair.sum(times.calm.iter().copied());
    let (now_amount, now_count) = pair.sum(times.hot.clone());
    let mean = |amount: f64, count: f64| if count > 0.0 { amount / count } else { 0.0 };
    let (base, now) = (mean(base_amount, base_count), mean(now_amount, now_count));
    let mut measure = Measure { base, now, base_count, now_count, score: 0.0 };
    if measure.is_known() {
        measure.score = score(pair, sli, now_amount, now_count, times, settings);
    }
    measure
}

fn score(
    pair: Pair<'_>,
    sli: Sli,
    now_amount: f64,
    now_count: f64,
    times: &Times,
    settings: &Settings,
) -> f64 {
    let hot = times.hot.clone().filter(|step| pair.step(*step).is_some_and(|(_, count)| count > 0.0)).count();
    let blocks = blocks(pair, &times.baseline, hot);
    if blocks.len() < settings.min_baseline_steps.min(MIN_BLOCKS) {
        return 0.0;
    }
    match sli {
        Sli::Latency => {
            let length = block_length(times.baseline.len(), hot) as f64;
            usual(&blocks, length, settings).map_or(0.0, |usual| usual.z(now_amount / now_count) / settings.z)
        }
        Sli::Errors => {
            let share = tails::usual_share(&blocks);
            tails::significance(now_amount, now_count, share) / settings.error_significance
        }
    }
}

/// What means over `length` steps usually are. The floors are those of one step; means spread less.
pub(crate) fn usual(blocks: &[(f64, f64)], length: f64, settings: &Settings) -> Option<Baseline> {
    let shrink = length.max(1.0).sqrt();
    let means = blocks.iter().map(|(amount, count)| amount / count);
    baseline(means, settings.relative_floor / shrink, settings.absolute_floor_s / shrink)
}

/// How many steps a block of the baseline has: as many as the hot stretch, but so few that there are enough blocks.
pub(crate) fn block_length(baseline: usize, hot: usize) -> usize {
    hot.min(baseline / MIN_BLOCKS).max(1)
}

/// The baseline in blocks as long as the hot stretch: their spread is what chance does to a mean over so many steps,
/// however the steps depend on each other.
pub(crate) fn blocks(pair: Pair<'_>, baseline: &Range<usize>, hot: usize) -> Vec<(f64, f64)> {
    let length = block_length(baseline.len(), hot);
    let mut blocks = Vec::with_capacity(baseline.len() / length + 1);
    // From the end, so that the newest block is whole.
    let mut end = baseline.end;
    while end >= baseline.start + length {
        let sum = pair.sum(end - length..end);
        if sum.1 > 0.0 {
            blocks.push(sum);
        }
        end -= length;
    }
    blocks
}

/// The steps of a baseline that are summed: not the twentieth with the lowest and the twentieth with the highest
/// symptom.
pub(crate) fn calm_steps(symptom: Pair<'_>, baseline: &Range<usize>) -> Vec<usize> {
    let mut by_value: Vec<(f64, usize)> = baseline
        .clone()
        .map(|step| (symptom.mean(step), step))
        .filter(|(mean, _)| mean.is_finite())
        .collect();
    if by_value.is_empty() {
        return baseline.clone().collect();
    }
    by_value.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
    let cut = by_value.len() / 20;
    let mut steps: Vec<usize> = by_value[cut..by_value.len() - cut].iter().map(|(_, step)| *step).collect();
    steps.sort_unstable();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(baseline: Range<usize>, hot: Range<usize>) -> Times {
        Times { calm: baseline.clone().collect(), baseline, hot }
    }

    #[test]
    fn significant_is_what_chance_does_not_do() {
        let counts = vec![100.0; 60];
        let wave = |step: usize| 1.0 + 0.1 * ((step * 7 % 5) as f64 - 2.0);
        let latency = |hot: f64| -> Vec<f64> {
            (0..60).map(|step| if step < 50 { 10.0 * wave(step) } else { 10.0 * wave(step) * hot }).collect()
        };
        let errors = |usual: f64, hot: f64| -> Vec<f64> {
            (0..60)
                .map(|step| if step < 50 { if step % 4 == 0 { usual } else { 0.0 } } else { hot })
                .collect()
        };
        let cases = [
            ("as before", Sli::Latency, latency(1.0), false),
            ("a little slower", Sli::Latency, latency(1.02), false),
            ("slower by a half", Sli::Latency, latency(1.5), true),
            ("faster", Sli::Latency, latency(0.4), false),
            ("no failures ever", Sli::Errors, errors(0.0, 0.0), false),
            ("first failures", Sli::Errors, errors(0.0, 2.0), true),
            ("bursts as usual", Sli::Errors, errors(8.0, 2.0), false),
            ("more than the bursts", Sli::Errors, errors(8.0, 12.0), true),
        ];
        for (name, sli, amounts, expected) in cases {
            let pair = Pair { amounts: &amounts, counts: &counts };
            let found = measure(pair, sli, &times(0..50, 50..60), &Settings::default());
            assert_eq!(found.is_significant(), expected, "{name}: {found:?}");
        }
    }

    #[test]
    fn without_a_baseline_nothing_is_significant() {
        let (amounts, counts) = ([1.0, 1.0, 1.0, 90.0], [1.0; 4]);
        let pair = Pair { amounts: &amounts, counts: &counts };
        let found = measure(pair, Sli::Latency, &times(0..3, 3..4), &Settings::default());
        assert!(!found.is_significant() && found.is_known(), "{found:?}");
        let none = measure(
            Pair { amounts: &[], counts: &[] },
            Sli::Latency,
            &times(0..3, 3..4),
            &Settings::default(),
        );
        assert!(!none.is_known());
    }

    #[test]
    fn calm_steps_leave_the_ends_out() {
        let amounts: Vec<f64> = (0..40).map(f64::from).collect();
        let counts = vec![1.0; 40];
        let calm = calm_steps(Pair { amounts: &amounts, counts: &counts }, &(0..40));
        assert_eq!(calm, (2..38).collect::<Vec<_>>());
        assert_eq!(calm_steps(Pair { amounts: &[], counts: &[] }, &(3..6)), vec![3, 4, 5]);
    }
}
