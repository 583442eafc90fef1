//! Nodes of which there are metrics and no requests: who moved most, by its worst signal. Nothing here says what calls
//! what, so a node's rank is that of its largest robust score, each signal by its own floors: a unit changes nothing.

use crate::baseline::{baseline, quantile};
use crate::measure::{Pair, Times};
use crate::{NodeId, Observation, Owner, Settings, Signal, Sli};

/// The score that this share of the hot steps stays under: a spike of a step is none, a fault that takes a while to show is
/// one.
const REACHED_BY: f64 = 0.9;

/// How a node moved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moved {
    pub(crate) node: NodeId,
    /// In spreads from its baseline, of its worst signal.
    pub(crate) score: f64,
}

/// All nodes with a signal, the worst first; equal ones by name.
pub(crate) fn moved(observation: &Observation, times: &Times, settings: &Settings) -> Vec<Moved> {
    let mut scores = vec![f64::NEG_INFINITY; observation.nodes.len()];
    let mut add = |node: NodeId, score: Option<f64>| {
        if let (Some(score), Some(known)) = (score, scores.get_mut(node)) {
            *known = known.max(score);
        }
    };
    for resource in &observation.resources {
        let node = match resource.owner {
            Owner::Node(node) | Owner::Part { node, .. } => node,
            Owner::Host(_) | Owner::Process { .. } | Owner::Group { .. } => continue,
        };
        let value = |step: usize| resource.values.get(step).copied().unwrap_or(f64::NAN);
        add(node, score(value, is_bad_only_up(resource.signal), times, settings));
    }
    for (index, node) in observation.nodes.iter().enumerate() {
        let pair = Pair::of_node(node, Sli::Latency);
        add(index, score(|step| pair.mean(step), true, times, settings));
        let high = |step: usize| node.high_seconds.get(step).copied().unwrap_or(f64::NAN);
        add(index, score(high, true, times, settings));
    }
    let of_node = |(node, score): (usize, &f64)| score.is_finite().then_some(Moved { node, score: *score });
    let mut moved: Vec<Moved> = scores.iter().enumerate().filter_map(of_node).collect();
    let name = |moved: &Moved| observation.nodes[moved.node].name.as_str();
    moved.sort_by(|left, right| right.score.total_cmp(&left.score).then_with(|| name(left).cmp(name(right))));
    moved
}

/// Signals whose fall is no trouble of their owner.
fn is_bad_only_up(signal: Signal) -> bool {
    !matches!(
        signal,
        Signal::CpuLimit
            | Signal::MemoryLimit
            | Signal::PoolMax
            | Signal::CacheHits
            | Signal::QueueConsumed
            | Signal::QueueConsumers
            | Signal::StatementCalls
            | Signal::NetworkBytes
    )
}

fn score(
    value: impl Fn(usize) -> f64 + Copy,
    is_up_only: bool,
    times: &Times,
    settings: &Settings,
) -> Option<f64> {
    let usual = baseline(times.baseline.clone().map(value), settings.relative_floor, 0.0)?;
    if usual.steps < settings.min_baseline_steps {
        return None;
    }
    // What was 0 all the time has no unit to floor by; any value then is as far as one spread of itself.
    let scale = |value: f64| {
        if usual.centre == 0.0 && usual.spread <= f64::MIN_POSITIVE {
            if value == 0.0 { 0.0 } else { value.signum() / settings.relative_floor }
        } else {
            usual.z(value)
        }
    };
    let signed = |z: f64| if is_up_only { z } else { z.abs() };
    let mut hot: Vec<f64> = times
        .hot
        .clone()
        .map(value)
        .filter(|value| value.is_finite())
        .map(|value| signed(scale(value)))
        .collect();
    hot.sort_unstable_by(f64::total_cmp);
    quantile(&hot, REACHED_BY)
}
