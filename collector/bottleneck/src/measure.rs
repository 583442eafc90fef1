//! One node's, edge's or operation's numbers before and since the onset, and whether the difference can be chance.

use std::collections::BTreeSet;
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

    /// Amount and count over a stretch.
    pub(crate) fn sum_of(&self, steps: Range<usize>) -> (f64, f64) {
        let end = steps.end.min(self.amounts.len()).min(self.counts.len());
        let start = steps.start.min(end);
        let (amounts, counts) = (&self.amounts[start..end], &self.counts[start..end]);
        // Four sums beside each other: most of the analysis' time is spent here, waiting for additions.
        let mut sums = ([0.0; 4], [0.0; 4]);
        let (four_amounts, four_counts) = (amounts.chunks_exact(4), counts.chunks_exact(4));
        let rest = four_amounts.remainder().iter().zip(four_counts.remainder());
        for (amounts, counts) in four_amounts.zip(four_counts) {
            for lane in 0..4 {
                let is_known = (amounts[lane] + counts[lane]).is_finite();
                sums.0[lane] += if is_known { amounts[lane] } else { 0.0 };
                sums.1[lane] += if is_known { counts[lane] } else { 0.0 };
            }
        }
        let known = rest.filter(|(amount, count)| (**amount + **count).is_finite());
        let rest = known.fold((0.0, 0.0), |sum, (amount, count)| (sum.0 + amount, sum.1 + count));
        (sums.0.iter().sum::<f64>() + rest.0, sums.1.iter().sum::<f64>() + rest.1)
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
    /// Steps of the baseline that are not summed for shares: its best and worst twentieths by the symptom. They are the
    /// same for all series, so that sums stay sums. The others are calm.
    pub(crate) odd: Vec<usize>,
    pub(crate) hot: Range<usize>,
}

impl Times {
    /// With the calm steps of a symptom's baseline.
    pub(crate) fn new(symptom: Pair<'_>, baseline: Range<usize>, hot: Range<usize>) -> Self {
        let odd = odd_steps(symptom, &baseline);
        Self { baseline, odd, hot }
    }

    /// Steps that are summed.
    pub(crate) fn calm_steps(&self) -> usize {
        self.baseline.len() - self.odd.len()
    }

    /// Amount and count over the calm steps.
    pub(crate) fn calm_sum(&self, pair: Pair<'_>) -> (f64, f64) {
        self.without_odd(pair, pair.sum_of(self.baseline.clone()))
    }

    fn without_odd(&self, pair: Pair<'_>, all: (f64, f64)) -> (f64, f64) {
        let odd = pair.sum(self.odd.iter().copied());
        // What is left of a difference of sums that are equal is no count.
        let less = |all: f64, odd: f64| if all - odd > all.abs() * 1e-12 { all - odd } else { 0.0 };
        (less(all.0, odd.0), less(all.1, odd.1))
    }
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
    let is_there = |step: &usize| pair.step(*step).is_some_and(|(_, count)| count > 0.0);
    let hot = times.hot.clone().filter(is_there).count();
    // One pass over the baseline: its blocks, and their sum.
    let length = block_length(pair, &times.baseline, hot);
    let blocks = blocks_of(pair, &times.baseline, length);
    let rest = times.baseline.start..times.baseline.start + times.baseline.len() % length;
    let all = blocks.iter().fold(pair.sum_of(rest), |sum, block| (sum.0 + block.0, sum.1 + block.1));
    let (base_amount, base_count) = times.without_odd(pair, all);
    let (now_amount, now_count) = pair.sum_of(times.hot.clone());
    let mean = |amount: f64, count: f64| if count > 0.0 { amount / count } else { 0.0 };
    let (base, now) = (mean(base_amount, base_count), mean(now_amount, now_count));
    let mut measure = Measure { base, now, base_count, now_count, score: 0.0 };
    if measure.is_known() && blocks.len() >= settings.min_baseline_steps.min(MIN_BLOCKS) {
        measure.score = match sli {
            Sli::Latency => {
                usual(&blocks, length as f64, settings).map_or(0.0, |usual| usual.z(now) / settings.z)
            }
            Sli::Errors => {
                let share = tails::usual_share(&blocks);
                tails::significance(now_amount, now_count, share) / settings.error_significance
            }
        };
    }
    measure
}

/// What means over `length` steps usually are. The floors are those of one step; means spread less.
pub(crate) fn usual(blocks: &[(f64, f64)], length: f64, settings: &Settings) -> Option<Baseline> {
    let shrink = length.max(1.0).sqrt();
    let means = blocks.iter().map(|(amount, count)| amount / count);
    baseline(means, settings.relative_floor / shrink, settings.absolute_floor_s / shrink)
}

/// How many steps a block of the baseline has: as many as the hot stretch, but so few that there are enough blocks of what
/// is known.
fn block_length(pair: Pair<'_>, baseline: &Range<usize>, hot: usize) -> usize {
    if hot <= 1 {
        return 1;
    }
    let counts = pair.counts.get(baseline.clone()).unwrap_or_default();
    let known = counts.iter().filter(|count| !count.is_nan()).count();
    hot.min(known / MIN_BLOCKS).max(1)
}

/// The baseline in blocks as long as the hot stretch: their spread is what chance does to a mean over so many steps,
/// however the steps depend on each other.
pub(crate) fn blocks(pair: Pair<'_>, baseline: &Range<usize>, hot: usize) -> Vec<(f64, f64)> {
    blocks_of(pair, baseline, block_length(pair, baseline, hot))
}

fn blocks_of(pair: Pair<'_>, baseline: &Range<usize>, length: usize) -> Vec<(f64, f64)> {
    let mut blocks = Vec::with_capacity(baseline.len() / length + 1);
    // From the end, so that the newest block is whole.
    let mut end = baseline.end;
    while end >= baseline.start + length {
        let sum = pair.sum_of(end - length..end);
        if sum.1 > 0.0 {
            blocks.push(sum);
        }
        end -= length;
    }
    blocks
}

/// The twentieth of a baseline with the lowest and the twentieth with the highest symptom, and steps without any.
fn odd_steps(symptom: Pair<'_>, baseline: &Range<usize>) -> Vec<usize> {
    let mut by_value: Vec<(f64, usize)> = baseline
        .clone()
        .map(|step| (symptom.mean(step), step))
        .filter(|(mean, _)| mean.is_finite())
        .collect();
    if by_value.is_empty() {
        return Vec::new();
    }
    by_value.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
    let cut = by_value.len() / 20;
    let calm: BTreeSet<usize> = by_value[cut..by_value.len() - cut].iter().map(|(_, step)| *step).collect();
    baseline.clone().filter(|step| !calm.contains(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(baseline: Range<usize>, hot: Range<usize>) -> Times {
        Times { baseline, odd: Vec::new(), hot }
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
    fn the_best_and_the_worst_are_not_summed() {
        let amounts: Vec<f64> = (0..40).map(f64::from).collect();
        let counts = vec![1.0; 40];
        let pair = Pair { amounts: &amounts, counts: &counts };
        let times = Times::new(pair, 0..40, 40..40);
        assert_eq!(times.odd, vec![0, 1, 38, 39]);
        assert_eq!((times.calm_sum(pair), times.calm_steps()), ((702.0, 36.0), 36));
        let nothing = Times::new(Pair { amounts: &[], counts: &[] }, 3..6, 6..7);
        assert_eq!((nothing.odd.len(), nothing.calm_sum(pair)), (0, (12.0, 3.0)));
    }
}
