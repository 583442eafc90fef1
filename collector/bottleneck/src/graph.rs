//! Who calls whom, and who of them can have to do with a symptom.

use std::collections::BTreeMap;

use crate::{NodeId, Observation};

/// Calls by their two ends.
pub(crate) struct Graph {
    /// Edges of which a node is the caller, by the callee's name: no order of input shows in a result.
    out: Vec<Vec<usize>>,
    /// Edges of which it is the callee, by the caller's name.
    into: Vec<Vec<usize>>,
    by_ends: BTreeMap<(NodeId, NodeId), usize>,
}

impl Graph {
    /// Edges with an end that is not there, and those from a node to itself, take no part.
    pub(crate) fn new(observation: &Observation) -> Self {
        let nodes = observation.nodes.len();
        let mut graph =
            Self { out: vec![Vec::new(); nodes], into: vec![Vec::new(); nodes], by_ends: BTreeMap::new() };
        for (index, edge) in observation.edges.iter().enumerate() {
            if edge.caller < nodes && edge.callee < nodes && edge.caller != edge.callee {
                graph.out[edge.caller].push(index);
                graph.into[edge.callee].push(index);
                graph.by_ends.entry((edge.caller, edge.callee)).or_insert(index);
            }
        }
        let name = |node: NodeId| observation.nodes[node].name.as_str();
        for edges in &mut graph.out {
            edges.sort_by_key(|edge| (name(observation.edges[*edge].callee), *edge));
        }
        for edges in &mut graph.into {
            edges.sort_by_key(|edge| (name(observation.edges[*edge].caller), *edge));
        }
        graph
    }

    pub(crate) fn out(&self, node: NodeId) -> &[usize] {
        self.out.get(node).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn into(&self, node: NodeId) -> &[usize] {
        self.into.get(node).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn edge(&self, caller: NodeId, callee: NodeId) -> Option<usize> {
        self.by_ends.get(&(caller, callee)).copied()
    }
}

/// What a walk over the graph is told of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing got worse there.
    Stop,
    /// The callee got worse.
    Go,
    /// The callee sends nothing: it may be passed, once on the way.
    Blind,
}

/// Nodes and edges that a symptom can have come through.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// Nodes, each after all that call it (but for calls back).
    pub(crate) order: Vec<NodeId>,
    /// Edges between them, without calls back, in the order of their callers.
    pub(crate) edges: Vec<usize>,
}

/// Walks from `from` along edges that `step` lets pass; at most one blind node on a way, and only if something behind it
/// got worse.
pub(crate) fn reach(
    observation: &Observation,
    graph: &Graph,
    from: NodeId,
    mut step: impl FnMut(usize) -> Step,
) -> Reach {
    let nodes = observation.nodes.len();
    let mut walk = Walk { state: vec![Mark::New; nodes], after: Vec::new(), edges: Vec::new() };
    if from >= nodes {
        return Reach::default();
    }
    // Depth first without recursion; a node's place is known when all behind it is done.
    let mut open = vec![(from, 0_usize, false)];
    walk.state[from] = Mark::Open;
    while let Some((node, next, is_blind)) = open.last_mut() {
        let (at, blind) = (*node, *is_blind);
        let Some(edge) = graph.out(at).get(*next).copied() else {
            open.pop();
            walk.state[at] = Mark::Done;
            walk.after.push(at);
            continue;
        };
        *next += 1;
        let callee = observation.edges[edge].callee;
        let allowed = match step(edge) {
            Step::Stop => false,
            Step::Go => true,
            Step::Blind => !blind && behind(observation, graph, callee, &mut step),
        };
        if !allowed || walk.state[callee] == Mark::Open {
            continue;
        }
        walk.edges.push(edge);
        if walk.state[callee] == Mark::New {
            walk.state[callee] = Mark::Open;
            let is_blind = blind || step(edge) == Step::Blind;
            open.push((callee, 0, is_blind));
        }
    }
    walk.after.reverse();
    let mut place = vec![usize::MAX; nodes];
    for (index, node) in walk.after.iter().enumerate() {
        place[*node] = index;
    }
    // By their callers' places; a caller's edges keep the order in which they were met.
    walk.edges.sort_by_key(|edge| place[observation.edges[*edge].caller]);
    Reach { order: walk.after, edges: walk.edges }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

struct Walk {
    state: Vec<Mark>,
    after: Vec<NodeId>,
    edges: Vec<usize>,
}

fn behind(
    observation: &Observation,
    graph: &Graph,
    node: NodeId,
    step: &mut impl FnMut(usize) -> Step,
) -> bool {
    graph.out(node).iter().any(|edge| observation.edges[*edge].callee != node && step(*edge) == Step::Go)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Edge, Grid, Node, NodeType};

    /// Nodes are letters; `a>b` is a call.
    fn observation(edges: &str) -> Observation {
        let mut names: Vec<String> =
            edges.split([' ', '>']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        let place = |name: &str| names.iter().position(|known| known == name).unwrap();
        let edge = |ends: &str| {
            let (caller, callee) = ends.split_once('>').unwrap();
            Edge {
                caller: place(caller),
                callee: place(callee),
                is_async: false,
                calls: vec![],
                errors: vec![],
                client_seconds: vec![],
                server_seconds: vec![],
            }
        };
        let node = |name: &String| Node {
            name: name.clone(),
            node_type: NodeType::Service,
            hosts: vec![],
            requests: vec![],
            errors: vec![],
            seconds: vec![],
            high_seconds: vec![],
        };
        Observation {
            grid: Grid { start_s: 0, step_s: 10, steps: 0 },
            nodes: names.iter().map(node).collect(),
            edges: edges.split(' ').filter(|ends| !ends.is_empty()).map(edge).collect(),
            operations: vec![],
            resources: vec![],
            logs: vec![],
            changes: vec![],
            traces: vec![],
            clock_skew_ms: 0.0,
        }
    }

    #[test]
    fn ways_end_where_nothing_is_worse() {
        // Calls; nodes that did not get worse; blind ones; what is reached.
        let cases = [
            ("chain", "a>b b>c", "", "", "abc"),
            ("stops", "a>b b>c", "b", "", "a"),
            ("one blind hop", "a>b b>c", "", "b", "abc"),
            ("a blind end is nothing", "a>b", "", "b", "a"),
            ("two in a row are too many", "a>b b>c c>d", "", "bc", "a"),
            ("diamond", "a>b a>c b>d c>d", "", "", "abcd"),
            ("a call back", "a>b b>c c>a", "", "", "abc"),
            ("itself", "a>b b>b", "", "", "ab"),
        ];
        for (name, edges, calm, blind, expected) in cases {
            let observation = observation(edges);
            let graph = Graph::new(&observation);
            let found = reach(&observation, &graph, 0, |edge| {
                let callee = observation.nodes[observation.edges[edge].callee].name.as_str();
                if calm.contains(callee) {
                    Step::Stop
                } else if blind.contains(callee) {
                    Step::Blind
                } else {
                    Step::Go
                }
            });
            let mut names: Vec<&str> =
                found.order.iter().map(|node| observation.nodes[*node].name.as_str()).collect();
            assert_eq!(names.first(), Some(&"a"), "{name}");
            let place = |node: usize| found.order.iter().position(|other| *other == node).unwrap();
            for edge in &found.edges {
                let edge = &observation.edges[*edge];
                assert!(place(edge.caller) < place(edge.callee), "{name}: a caller comes first");
            }
            names.sort_unstable();
            assert_eq!(names.concat(), expected, "{name}");
        }
    }
}
