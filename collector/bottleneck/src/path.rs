//! The way from the symptom to a candidate: of all ways the one whose narrowest step passes on most.

use std::collections::BTreeMap;

use crate::excess::Flow;
use crate::graph::Reach;
use crate::{NodeId, Observation, Target};

/// Nodes from the symptom's to the candidate's (of an edge its caller's), both ends included. Empty if no way leads there.
pub(crate) fn way(
    observation: &Observation,
    reach: &Reach,
    flow: &Flow,
    from: NodeId,
    to: Target,
) -> Vec<NodeId> {
    let to = match to {
        Target::Node(node) => node,
        Target::Edge(edge) => match observation.edges.get(edge) {
            Some(edge) => edge.caller,
            None => return Vec::new(),
        },
    };
    // Callers come before callees in the order, so one pass finds the widest way to each.
    let mut best: BTreeMap<NodeId, (f64, Option<NodeId>)> = BTreeMap::from([(from, (f64::INFINITY, None))]);
    let mut passed: Vec<(usize, f64)> = flow
        .edges
        .iter()
        .filter(|(_, flow)| flow.callee > 0.0)
        .map(|(edge, flow)| (*edge, flow.callee))
        .collect();
    let mut place = BTreeMap::new();
    for (index, node) in reach.order.iter().enumerate() {
        place.insert(*node, index);
    }
    let name = |node: NodeId| observation.nodes[node].name.as_str();
    passed.sort_by(|left, right| {
        let key =
            |edge: usize| (place.get(&observation.edges[edge].caller), name(observation.edges[edge].callee));
        key(left.0).cmp(&key(right.0))
    });
    for (edge, amount) in passed {
        let ends = &observation.edges[edge];
        let Some((width, _)) = best.get(&ends.caller).copied() else { continue };
        let width = width.min(amount);
        let is_wider = best.get(&ends.callee).is_none_or(|(known, _)| width > *known);
        if is_wider && ends.callee != from {
            best.insert(ends.callee, (width, Some(ends.caller)));
        }
    }
    let mut way = Vec::new();
    let mut at = Some(to);
    while let Some(node) = at {
        let Some((_, before)) = best.get(&node) else { return Vec::new() };
        way.push(node);
        at = *before;
    }
    way.reverse();
    way
}
