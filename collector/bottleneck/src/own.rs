//! The localiser's own finding: what the culprit keeps, how to see it, and traces that show it.

use crate::analyze::unit;
use crate::localise::{Localised, Step};
use crate::readings::total;
use crate::{Candidate, Case, Edge, Evidence, NodeId, Sli, Verdict, impact, queries, queues, texts};

/// What the localiser itself found, and traces that show it.
pub(crate) fn evidence(
    verdict: &Verdict,
    case: &Case<'_>,
    found: &Localised,
    candidate: &Candidate,
) -> Vec<Evidence> {
    let Some(culprit) = &verdict.culprit else { return Vec::new() };
    if found.is_by_signals {
        return Vec::new();
    }
    if let Some(wait) = queues::wait(case, found) {
        return vec![Evidence { exemplars: impact::exemplars(case, candidate.target), ..wait }];
    }
    let sli = case.question.sli;
    let share = texts::percent(culprit.coverage);
    let of = texts::pair(sli, culprit.contribution, "of", unit(sli, found.symptom()));
    let before = verdict.path.last().map(|hop| (hop.baseline, hop.now));
    vec![Evidence {
        family: "trace".to_owned(),
        evidence_type: if sli == Sli::Latency { "self_excess" } else { "own_failures" }.to_owned(),
        text: format!("{} keeps {of} itself ({share})", texts::who(&culprit.entity)),
        baseline: before.map(|before| before.0),
        now: before.map(|before| before.1),
        unit: if sli == Sli::Latency { "ms" } else { "share" }.to_owned(),
        query: found.path.last().and_then(|step| hop_query(case, step)),
        exemplars: impact::exemplars(case, candidate.target),
        at_s: None,
    }]
}

/// How to see the mean of a hop.
fn hop_query(case: &Case<'_>, step: &Step) -> Option<String> {
    let (observation, sli) = (case.observation, case.question.sli);
    let name = |node: NodeId| observation.nodes[node].name.as_str();
    if step.node == case.question.node {
        let operation = case.question.operation.and_then(|index| observation.operations.get(index));
        let operation = operation.map(|operation| operation.name.as_str());
        return Some(queries::answered(sli, name(step.node), operation));
    }
    if !observation.nodes[step.node].requests.is_empty() {
        return Some(queries::answered(sli, name(step.node), None));
    }
    // As its callers see it, the busiest of them.
    let into = observation.edges.iter().filter(|edge| edge.callee == step.node);
    let calls = |edge: &Edge| total(&edge.calls, &case.hot);
    let busiest = into.max_by(|left, right| {
        let by_name = || name(right.caller).cmp(name(left.caller));
        calls(left).total_cmp(&calls(right)).then_with(by_name)
    })?;
    Some(queries::edge(sli, name(busiest.caller), name(busiest.callee)))
}
