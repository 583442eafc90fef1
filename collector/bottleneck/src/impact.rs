//! Who is hit, and traces that show it.

use std::cmp::Reverse;

use crate::detect::entries;
use crate::measure::{Pair, Times, blocks, measure, usual};
use crate::weights::root_of;
use crate::{Case, Impact, Question, Sli, Target, Trace, tails};

/// Traces named with a finding.
const EXEMPLARS: usize = 3;

/// Entry operations that are worse since the onset, and how many requests were.
pub(crate) fn impact(case: &Case<'_>) -> Impact {
    let observation = case.observation;
    let sli = case.question.sli;
    let mut operations = Vec::new();
    for (node, operation) in entries(observation) {
        let question = Question { node, operation, ..case.question.clone() };
        let pair = Pair::of_symptom(observation, &question);
        let times = Times::new(pair, case.baseline.clone(), case.hot.clone());
        let settings = case.settings.of(observation, &question);
        if measure(pair, sli, &times, &settings).is_significant() {
            let name = operation.and_then(|index| observation.operations.get(index)).map(|known| &known.name);
            operations.push(name.unwrap_or(&observation.nodes[node].name).clone());
        }
    }
    operations.sort();
    operations.dedup();
    let (affected, requests) = affected(case);
    let share = if requests > 0.0 { (affected / requests).clamp(0.0, 1.0) } else { 0.0 };
    Impact { operations, requests_affected: affected, share }
}

/// Failed requests beyond the usual; of slow ones those of steps that were slower than usual.
fn affected(case: &Case<'_>) -> (f64, f64) {
    let pair = Pair::of_symptom(case.observation, case.question);
    let (amount, requests) = pair.sum_of(case.hot.clone());
    let blocks = blocks(pair, &case.baseline, 1);
    if case.question.sli == Sli::Errors {
        let usual = tails::trimmed_share(&blocks);
        return ((amount - usual * requests).max(0.0).round(), requests);
    }
    let settings = case.settings.of(case.observation, case.question);
    let Some(usual) = usual(&blocks, 1.0, &settings) else { return (0.0, requests) };
    let is_slow = |step: &usize| usual.z(pair.mean(*step)) >= case.settings.z * 0.5;
    (pair.sum(case.hot.clone().filter(is_slow)).1, requests)
}

/// The slowest (or failed) traces since the onset that went through a target.
pub(crate) fn exemplars(case: &Case<'_>, target: Target) -> Vec<String> {
    let observation = case.observation;
    let grid = observation.grid;
    let through = |trace: &Trace| {
        trace.spans.iter().any(|span| match target {
            Target::Node(node) => span.node == node || span.peer == Some(node),
            Target::Edge(edge) => {
                let ends = &observation.edges[edge];
                span.node == ends.caller && span.peer.is_none_or(|peer| peer == ends.callee)
            }
        })
    };
    let mut found: Vec<(Reverse<(bool, u64)>, &str)> = Vec::new();
    for trace in &observation.traces {
        let Some(root) = root_of(trace).map(|root| &trace.spans[root]) else { continue };
        let second = i64::try_from(root.start_ns / 1_000_000_000).unwrap_or(i64::MAX);
        let is_hot = second >= grid.time_s(case.hot.start) && second < grid.time_s(case.hot.end);
        if is_hot && through(trace) {
            let is_failed = case.question.sli == Sli::Errors && trace.spans.iter().any(|span| span.is_error);
            let duration = root.end_ns.saturating_sub(root.start_ns);
            found.push((Reverse((is_failed, duration)), trace.id.as_str()));
        }
    }
    found.sort();
    found.into_iter().take(EXEMPLARS).map(|(_, id)| id.to_owned()).collect()
}
