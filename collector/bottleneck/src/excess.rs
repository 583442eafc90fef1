//! Whose is the added time? A node's excess less what its callees explain, along the calls, from the symptom down. What
//! comes of more calls than before stays with the caller; what of a call the callee does not account for is the edge's.

use std::collections::{BTreeMap, BTreeSet};

use crate::NodeId;
use crate::graph::Reach;
use crate::numbers::Numbers;

/// What an edge passes on, per request of the symptom.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EdgeFlow {
    /// To the callee.
    pub(crate) callee: f64,
    /// What stays between the two.
    pub(crate) gap: f64,
}

/// Where the symptom comes from, per request of it: what each node adds and keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    /// What a node adds, with those it calls.
    pub(crate) adds: BTreeMap<NodeId, f64>,
    /// What it keeps for itself; sums with the gaps to the symptom.
    pub(crate) own: BTreeMap<NodeId, f64>,
    /// Per edge.
    pub(crate) edges: BTreeMap<usize, EdgeFlow>,
    /// How often a request of the symptom comes to a node, since the onset.
    pub(crate) visits: BTreeMap<NodeId, f64>,
}

/// Shares the symptom out over what was reached. `symptom` is per request; everything in the flow sums to it.
pub(crate) fn flow(numbers: &Numbers<'_>, reach: &Reach, target: NodeId, symptom: f64) -> Flow {
    let observation = numbers.observation;
    let mut flow = Flow::default();
    flow.adds.insert(target, symptom);
    flow.visits.insert(target, 1.0);
    let passes: BTreeSet<usize> = reach.edges.iter().copied().collect();
    for node in &reach.order {
        let added = flow.adds.get(node).copied().unwrap_or_default();
        let part = |edge: &usize| (*edge, numbers.part(*edge, passes.contains(edge)));
        let sync = numbers.graph.out(*node).iter().filter(|edge| !observation.edges[**edge].is_async);
        let parts: Vec<(usize, Part)> =
            sync.map(part).filter(|(_, part)| part.callee + part.gap > 0.0).collect();
        let explained: f64 = parts.iter().map(|(_, part)| part.callee + part.gap).sum();
        // Parts of calls that run beside each other, or of other operations, may be more than the whole.
        let whole = numbers.added(*node).unwrap_or(explained).max(explained);
        let scale = if whole > 0.0 { added / whole } else { 0.0 };
        let visits = flow.visits.get(node).copied().unwrap_or_default();
        for (edge, part) in parts {
            let callee = observation.edges[edge].callee;
            let passed = EdgeFlow { callee: part.callee * scale, gap: part.gap * scale };
            *flow.adds.entry(callee).or_default() += passed.callee;
            *flow.visits.entry(callee).or_default() += visits * part.calls;
            flow.edges.insert(edge, passed);
        }
        flow.own.insert(*node, added - explained * scale);
    }
    flow
}

/// What an edge adds to a request of its caller.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) callee: f64,
    pub(crate) gap: f64,
    /// Calls per request of the caller, since the onset.
    pub(crate) calls: f64,
}
