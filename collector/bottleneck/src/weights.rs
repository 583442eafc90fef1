//! What of a call's time its caller waits for. Calls that run beside each other do not add up; the critical paths of
//! traces say which of them carry the time, and how often a request makes each call.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::graph::Graph;
use crate::tree::Children;
use crate::{NodeId, Observation, PathSpan, Trace, critical_path, main_root, path_times};

/// Fewer traces say too little of a mean (of 30 its standard error is below a fifth of a deviation).
pub(crate) const MIN_TRACES: usize = 30;
/// Calls that a weight rests on at least.
const MIN_CALLS: f64 = 10.0;

/// Sums over calls of an edge, or requests of a node: how many, how long, and how much of it lay on the critical path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) count: f64,
    pub(crate) seconds: f64,
    pub(crate) on_path: f64,
    /// Of an edge: what of `on_path` the callee's own spans cover.
    pub(crate) served: f64,
    /// Of an edge: calls of which the callee's spans are there.
    pub(crate) answered: f64,
}

/// What the traces of one phase say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phase {
    pub(crate) traces: usize,
    /// Sum of the roots' durations, s.
    pub(crate) seconds: f64,
    pub(crate) nodes: BTreeMap<NodeId, Tally>,
    pub(crate) edges: BTreeMap<usize, Tally>,
}

/// Before and since the onset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    pub(crate) phases: [Phase; 2],
}

impl Profile {
    /// Of all traces that `filter` lets pass, by the step in which they began.
    pub(crate) fn new(
        observation: &Observation,
        graph: &Graph,
        baseline: &Range<usize>,
        hot: &Range<usize>,
        filter: impl Fn(&Trace) -> bool,
    ) -> Self {
        let mut profile = Self::default();
        for trace in observation.traces.iter().filter(|trace| filter(trace)) {
            let Some(root) = root_of(trace) else { continue };
            let Some(step) = step_of(observation, trace.spans[root].start_ns) else { continue };
            let phase = if baseline.contains(&step) {
                &mut profile.phases[0]
            } else if hot.contains(&step) {
                &mut profile.phases[1]
            } else {
                continue;
            };
            phase.add(trace, root, graph);
        }
        profile
    }

    pub(crate) fn is_enough(&self) -> bool {
        self.phases.iter().all(|phase| phase.traces >= MIN_TRACES)
    }

    /// Share of an edge's time that its caller waits for, before and since; 1 where too few calls were seen.
    pub(crate) fn weights(&self, edge: usize, caller: NodeId) -> [f64; 2] {
        if !self.is_enough() {
            return [1.0; 2];
        }
        [0, 1].map(|phase| {
            let phase = &self.phases[phase];
            let share = |tally: Option<&Tally>| {
                tally.filter(|tally| tally.seconds > 0.0).map(|tally| tally.on_path / tally.seconds)
            };
            let calls = phase.edges.get(&edge).filter(|tally| tally.count >= MIN_CALLS);
            match (share(calls), share(phase.nodes.get(&caller))) {
                // Relative to the caller: one that is itself beside the path still waits for its calls.
                (Some(call), Some(caller)) if caller > 0.0 => (call / caller).clamp(0.0, 1.0),
                _ => 1.0,
            }
        })
    }
}

/// The span by which a trace is told.
pub(crate) fn root_of(trace: &Trace) -> Option<usize> {
    main_root(&path_spans(trace))
}

/// The step in which a moment lies; `None` outside of the grid.
fn step_of(observation: &Observation, time_ns: u64) -> Option<usize> {
    let grid = observation.grid;
    let offset = i64::try_from(time_ns / 1_000_000_000).ok()? - grid.start_s;
    let step = usize::try_from(offset.div_euclid(i64::from(grid.step_s.max(1)))).ok()?;
    (step < grid.steps).then_some(step)
}

fn path_spans(trace: &Trace) -> Vec<PathSpan> {
    let span = |span: &crate::TraceSpan| PathSpan {
        parent: span.parent,
        start_ns: span.start_ns,
        end_ns: span.end_ns,
        is_async: span.is_async,
    };
    trace.spans.iter().map(span).collect()
}

impl Phase {
    fn add(&mut self, trace: &Trace, root: usize, graph: &Graph) {
        let spans = path_spans(trace);
        let own = path_times(&critical_path(&spans, root), spans.len());
        let children = Children::new(&spans);
        let order = below(&children, root, spans.len());
        // What of the path lies in a span and all below it.
        let mut inside: Vec<f64> = own.iter().map(|ns| *ns as f64 / 1e9).collect();
        for span in order.iter().rev() {
            if let Some(parent) = spans[*span].parent.filter(|_| *span != root) {
                inside[parent] += inside[*span];
            }
        }
        self.traces += 1;
        self.seconds += seconds(&spans[root]);
        for span in order {
            self.add_span(trace, span, span == root, &inside, &children, graph);
        }
    }

    fn add_span(
        &mut self,
        trace: &Trace,
        index: usize,
        is_root: bool,
        inside: &[f64],
        children: &Children,
        graph: &Graph,
    ) {
        let span = &trace.spans[index];
        let parent = span.parent.filter(|_| !is_root).map(|parent| &trace.spans[parent]);
        let duration = span.end_ns.saturating_sub(span.start_ns) as f64 / 1e9;
        let is_entry = parent.is_none_or(|parent| parent.node != span.node);
        if is_entry {
            add(self.nodes.entry(span.node).or_default(), duration, inside[index]);
        }
        // A server without its caller's half of the call: the two nodes still make an edge.
        let unpaired = parent.filter(|parent| is_entry && parent.peer.is_none());
        if let Some(edge) = unpaired.and_then(|parent| graph.edge(parent.node, span.node)) {
            let tally = self.edges.entry(edge).or_default();
            add(tally, duration, inside[index]);
            tally.served += inside[index];
            tally.answered += 1.0;
        }
        if let Some(peer) = span.peer {
            let served: Vec<usize> = children
                .of(index)
                .iter()
                .copied()
                .filter(|child| *child != index && trace.spans[*child].node != span.node)
                .collect();
            // Who answered may be another than who was named (a proxy that passes the call on).
            let answered = served.first().map(|child| trace.spans[*child].node);
            let edge =
                answered.and_then(|node| graph.edge(span.node, node)).or_else(|| graph.edge(span.node, peer));
            if let Some(edge) = edge {
                let tally = self.edges.entry(edge).or_default();
                add(tally, duration, inside[index]);
                tally.served += served.iter().map(|child| inside[*child]).sum::<f64>();
                tally.answered += f64::from(u8::from(answered.is_some()));
            }
            if answered.is_none() {
                add(self.nodes.entry(peer).or_default(), duration, inside[index]);
            }
        }
    }
}

fn add(tally: &mut Tally, seconds: f64, on_path: f64) {
    tally.count += 1.0;
    tally.seconds += seconds;
    tally.on_path += on_path;
}

fn seconds(span: &PathSpan) -> f64 {
    (span.end_ns() - span.start_ns) as f64 / 1e9
}

/// A span and all below it, parents first.
fn below(children: &Children, root: usize, spans: usize) -> Vec<usize> {
    let mut met = vec![false; spans];
    met[root] = true;
    let mut order = vec![root];
    let mut next = 0;
    while let Some(span) = order.get(next).copied() {
        next += 1;
        for child in children.of(span) {
            if !std::mem::replace(&mut met[*child], true) {
                order.push(*child);
            }
        }
    }
    order
}
