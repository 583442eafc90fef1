//! What is asked, and how strictly.

use crate::{NodeId, Sli};

/// A symptom to explain.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Whose requests are worse.
    pub node: NodeId,
    /// Index in [`crate::Observation::operations`]; `None`: all requests of the node.
    pub operation: Option<usize>,
    /// Worse in what.
    pub sli: Sli,
    /// The steps in which it is worse, as far as the asker knows: `[from, to)`. The onset is looked for around `from`.
    pub hot: std::ops::Range<usize>,
    /// The steps to compare with; `None`: all before the onset less a guard.
    pub baseline: Option<std::ops::Range<usize>>,
}

/// The numbers of the method. One set for everything that is measured in docs/accuracy.md.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Fewer steps are no baseline.
    pub min_baseline_steps: usize,
    /// Steps between baseline and onset that belong to neither.
    pub guard_steps: usize,
    /// A latency spreads by at least this share of its median.
    pub relative_floor: f64,
    /// And by at least this much, s.
    pub absolute_floor_s: f64,
    /// And the wait of messages in a queue by at least this much, s.
    pub queue_floor_s: f64,
    /// Robust z from which a latency is significant.
    pub z: f64,
    /// −log10 of the binomial tail from which failures are.
    pub error_significance: f64,
    /// Below this coverage nothing is named.
    pub min_coverage: f64,
    /// From this share on others are named too.
    pub contributor_share: f64,
    /// For the ablation: rank by what a node adds, without taking off what its callees explain.
    pub without_self_time: bool,
}

impl Settings {
    /// The same for messages, which wait in a queue by their nature.
    pub fn of_queues(&self) -> Self {
        Self { absolute_floor_s: self.queue_floor_s, ..self.clone() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_baseline_steps: 12,
            guard_steps: 1,
            relative_floor: 0.05,
            absolute_floor_s: 0.000_5,
            queue_floor_s: 1.25,
            z: 4.0,
            error_significance: 3.0,
            min_coverage: 0.25,
            contributor_share: 0.2,
            without_self_time: false,
        }
    }
}
