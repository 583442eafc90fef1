//! From rows to an observation: 40 minutes of metrics before the fault, in whose last part the minute without faults is
//! laid; then the minutes of the fault. Steps of which there are neither spans nor lines are unknown, not 0.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, ensure};
use bottleneck::{
    Edge, Grid, LogPattern, Node, NodeId, NodeType, Observation, Operation, Owner, Question, Resource,
    Series, Signal, Sli, Trace, TraceSpan,
};

use super::rows::{Events, Line, Metric, Span};

const STEP_S: u32 = 10;
/// Metrics before the fault, s.
const BEFORE_S: i64 = 2_400;
/// Between the minute without faults, as it is laid, and the first minute of the fault, s.
const APART_S: i64 = 60;
/// Of spans and lines this share at each end may lie outside of their minute and does not make steps known.
const OUTSIDE: f64 = 0.01;

/// One fault's observation, and the question.
pub(super) fn case(
    window: &Events,
    normal: &Events,
    metrics: &[Metric],
    at_s: i64,
) -> anyhow::Result<(Observation, Question)> {
    let (from_s, to_s) = times(window)?;
    let (normal_from_s, normal_to_s) = times(normal)?;
    let step_s = i64::from(STEP_S);
    let start_s = (at_s - BEFORE_S) / step_s * step_s;
    let steps = usize::try_from((to_s - start_s) / step_s + 1)?;
    let grid = Grid { start_s, step_s: STEP_S, steps };
    // Whole steps, so that the steps of the minute stay what they are.
    let moved_s = (from_s - APART_S - normal_to_s) / step_s * step_s;
    let mut known = vec![false; steps];
    for range in [(normal_from_s + moved_s, normal_to_s + moved_s), (from_s, to_s)] {
        known[grid.step_at(range.0)..=grid.step_at(range.1)].fill(true);
    }
    let mut building = Building::new(grid, known);
    for (events, moved_s) in [(normal, moved_s), (window, 0)] {
        building.add_spans(&events.spans, moved_s);
        building.add_lines(&events.lines, moved_s);
    }
    building.add_metrics(metrics);
    let entry = building.entry().context("no root span")?;
    let hot = grid.step_at(at_s)..steps;
    let question = Question { node: entry, operation: None, sli: Sli::Latency, hot, baseline: None };
    Ok((building.observation, question))
}

/// From when to when there are spans, s.
pub(super) fn times(events: &Events) -> anyhow::Result<(i64, i64)> {
    let mut all: Vec<u64> = events.spans.iter().map(|span| span.start_ns).collect();
    all.sort_unstable();
    ensure!(!all.is_empty(), "no spans");
    let outside = (all.len() as f64 * OUTSIDE) as usize;
    let second = |place: usize| i64::try_from(all[place] / 1_000_000_000);
    Ok((second(outside)?, second(all.len() - 1 - outside)?))
}

struct Building {
    observation: Observation,
    known: Vec<bool>,
    nodes: BTreeMap<String, NodeId>,
    edges: BTreeMap<(NodeId, NodeId), usize>,
    operations: BTreeMap<(NodeId, String, Option<NodeId>), usize>,
    patterns: BTreeMap<(NodeId, String), usize>,
    roots: BTreeMap<NodeId, usize>,
}

impl Building {
    fn new(grid: Grid, known: Vec<bool>) -> Self {
        let observation = Observation {
            grid,
            nodes: Vec::new(),
            edges: Vec::new(),
            operations: Vec::new(),
            resources: Vec::new(),
            logs: Vec::new(),
            changes: Vec::new(),
            traces: Vec::new(),
            clock_skew_ms: 0.0,
        };
        Self {
            observation,
            known,
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
            operations: BTreeMap::new(),
            patterns: BTreeMap::new(),
            roots: BTreeMap::new(),
        }
    }

    /// The node through which most requests come in.
    fn entry(&self) -> Option<NodeId> {
        self.roots.iter().max_by_key(|(_, count)| **count).map(|(node, _)| *node)
    }

    /// A count of 0 where something is known.
    fn zeros(&self) -> Series {
        self.known.iter().map(|is_known| if *is_known { 0.0 } else { f64::NAN }).collect()
    }

    /// The step of a moment; one that lies outside of what is known counts for nothing.
    fn step(&self, time_ns: u64, moved_s: i64) -> Option<usize> {
        let time_s = i64::try_from(time_ns / 1_000_000_000).ok()? + moved_s;
        let step = self.observation.grid.step_at(time_s);
        self.known.get(step).is_some_and(|is_known| *is_known).then_some(step)
    }

    fn node(&mut self, name: &str) -> NodeId {
        if let Some(node) = self.nodes.get(name) {
            return *node;
        }
        let (requests, errors, seconds) = (self.zeros(), self.zeros(), self.zeros());
        let high_seconds = Series::new();
        let (name, node_type, hosts) = (name.to_owned(), NodeType::Service, Vec::new());
        self.nodes.insert(name.clone(), self.observation.nodes.len());
        self.observation.nodes.push(Node { name, node_type, hosts, requests, errors, seconds, high_seconds });
        self.observation.nodes.len() - 1
    }

    fn edge(&mut self, caller: NodeId, callee: NodeId) -> usize {
        if let Some(edge) = self.edges.get(&(caller, callee)) {
            return *edge;
        }
        let zeros = || self.zeros();
        let (calls, errors, client_seconds, server_seconds) = (zeros(), zeros(), zeros(), zeros());
        let is_async = false;
        self.edges.insert((caller, callee), self.observation.edges.len());
        let edge = Edge { caller, callee, is_async, calls, errors, client_seconds, server_seconds };
        self.observation.edges.push(edge);
        self.observation.edges.len() - 1
    }

    fn operation(&mut self, node: NodeId, name: &str, peer: Option<NodeId>, is_entry: bool) -> usize {
        let key = (node, name.to_owned(), peer);
        if let Some(operation) = self.operations.get(&key) {
            return *operation;
        }
        let (calls, errors, seconds) = (self.zeros(), self.zeros(), self.zeros());
        let (name, high_seconds) = (name.to_owned(), Series::new());
        self.operations.insert(key, self.observation.operations.len());
        let operation = Operation { node, name, peer, is_entry, calls, errors, seconds, high_seconds };
        self.observation.operations.push(operation);
        self.observation.operations.len() - 1
    }

    fn add_spans(&mut self, spans: &[Span], moved_s: i64) {
        let mut by_trace: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
        for span in spans {
            by_trace.entry(span.trace.as_str()).or_default().push(span);
        }
        for (id, mut spans) in by_trace {
            // The root first, as callers begin before those they call.
            spans.sort_by_key(|span| (span.parent != "root", span.start_ns, std::cmp::Reverse(span.end_ns)));
            self.add_trace(id, &spans, moved_s);
        }
    }

    fn add_trace(&mut self, id: &str, spans: &[&Span], moved_s: i64) {
        let places: BTreeMap<&str, usize> =
            spans.iter().enumerate().map(|(place, span)| (span.id.as_str(), place)).collect();
        let parents: Vec<Option<usize>> =
            spans.iter().map(|span| places.get(span.parent.as_str()).copied()).collect();
        let nodes: Vec<NodeId> = spans.iter().map(|span| self.node(&span.service)).collect();
        let mut peers: Vec<Option<NodeId>> = vec![None; spans.len()];
        for (place, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent.filter(|parent| nodes[*parent] != nodes[place]) {
                peers[parent] = Some(nodes[place]);
            }
        }
        for (place, span) in spans.iter().enumerate() {
            let Some(step) = self.step(span.start_ns, moved_s) else { continue };
            let seconds = span.end_ns.saturating_sub(span.start_ns) as f64 / 1e9;
            let caller = parents[place].filter(|parent| nodes[*parent] != nodes[place]);
            let is_root = span.parent == "root";
            if is_root {
                *self.roots.entry(nodes[place]).or_default() += 1;
            }
            if is_root || caller.is_some() {
                let node = &mut self.observation.nodes[nodes[place]];
                node.requests[step] += 1.0;
                node.seconds[step] += seconds;
            }
            if let Some(caller) = caller {
                let edge = self.edge(nodes[caller], nodes[place]);
                let edge = &mut self.observation.edges[edge];
                edge.calls[step] += 1.0;
                edge.server_seconds[step] += seconds;
                edge.client_seconds[step] +=
                    spans[caller].end_ns.saturating_sub(spans[caller].start_ns) as f64 / 1e9;
            }
            let operation = self.operation(nodes[place], &span.operation, peers[place], is_root);
            let operation = &mut self.observation.operations[operation];
            operation.calls[step] += 1.0;
            operation.seconds[step] += seconds;
        }
        let moved_ns = moved_s * 1_000_000_000;
        let row = |(place, span): (usize, &&Span)| TraceSpan {
            parent: parents[place],
            node: nodes[place],
            peer: peers[place],
            operation: span.operation.clone(),
            start_ns: span.start_ns.saturating_add_signed(moved_ns),
            end_ns: span.end_ns.saturating_add_signed(moved_ns),
            is_error: false,
            is_async: false,
            attributes: Vec::new(),
        };
        let spans = spans.iter().enumerate().map(row).collect();
        self.observation.traces.push(Trace { id: id.to_owned(), spans });
    }

    fn add_lines(&mut self, lines: &[Line], moved_s: i64) {
        for line in lines {
            let Some(step) = self.step(line.time_ns, moved_s) else { continue };
            let node = self.node(&line.service);
            let text = pattern(line);
            let index = match self.patterns.get(&(node, text.clone())) {
                Some(index) => *index,
                None => {
                    let (id, counts) = (self.observation.logs.len().to_string(), self.zeros());
                    let severity = line.severity;
                    self.patterns.insert((node, text.clone()), self.observation.logs.len());
                    self.observation.logs.push(LogPattern { node, text, severity, counts, id });
                    self.observation.logs.len() - 1
                }
            };
            self.observation.logs[index].counts[step] += 1.0;
        }
    }

    fn add_metrics(&mut self, metrics: &[Metric]) {
        let grid = self.observation.grid;
        let mut series: BTreeMap<(NodeId, usize), (Signal, Series)> = BTreeMap::new();
        for metric in metrics {
            let Some(minute) = minute(grid, metric.time_s) else { continue };
            let node = self.node(&metric.service);
            let values = [
                (Signal::CpuUsed, metric.cpu.0),
                (Signal::CpuLimit, metric.cpu.1),
                (Signal::MemoryUsed, metric.memory.0),
                (Signal::MemoryLimit, metric.memory.1),
            ];
            for (place, (signal, value)) in values.into_iter().enumerate() {
                let (_, known) =
                    series.entry((node, place)).or_insert_with(|| (signal, vec![f64::NAN; grid.steps]));
                known[minute.clone()].fill(value);
            }
        }
        for ((node, _), (signal, values)) in series {
            let query = format!("{signal:?}{{service=\"{}\"}}", self.observation.nodes[node].name);
            self.observation.resources.push(Resource { owner: Owner::Node(node), signal, values, query });
        }
    }
}

/// The steps of the minute that ends at this second, as far as they are on the grid.
fn minute(grid: Grid, end_s: i64) -> Option<Range<usize>> {
    let (from_s, to_s) = (end_s - 60, end_s);
    let last_s = grid.time_s(grid.steps);
    (from_s >= grid.start_s && from_s < last_s)
        .then(|| grid.step_at(from_s)..grid.step_at(to_s - 1).max(grid.step_at(from_s)) + 1)
}

/// What stays of a line without its values: where it was written; of errors also what it says, as one place writes all
/// that nobody caught.
fn pattern(line: &Line) -> String {
    let words = |text: &str| -> String {
        let masked = text
            .split_whitespace()
            .map(|word| if word.chars().any(|letter| letter.is_ascii_digit()) { "<*>" } else { word });
        masked.take(30).collect::<Vec<_>>().join(" ")
    };
    match line.severity {
        0 => words(&line.message),
        17 => format!("ERROR {} {}", line.place, words(&line.message)),
        13 => format!("WARN {}", line.place),
        _ => format!("INFO {}", line.place),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn span(trace: &str, id: &str, parent: &str, service: &str, at_s: u64, ms: (u64, u64)) -> Span {
        let start_ns = at_s * 1_000_000_000 + ms.0 * 1_000_000;
        let [trace, id, parent, service] = [trace, id, parent, service].map(str::to_owned);
        let (pod, operation) = (format!("{service}-1-a"), format!("{service} works"));
        Span { trace, id, parent, service, pod, operation, start_ns, end_ns: start_ns + ms.1 * 1_000_000 }
    }

    #[test]
    fn calls_between_services_are_edges_and_what_is_not_known_is_no_0() {
        let minute = |from_s: u64| {
            let traces = (0..60).flat_map(|second| {
                let trace = format!("{from_s}-{second}");
                let at_s = from_s + second;
                [
                    span(&trace, "a", "root", "gateway", at_s, (0, 30)),
                    span(&trace, "b", "a", "gateway", at_s, (1, 20)),
                    span(&trace, "c", "b", "route", at_s, (2, 10)),
                ]
            });
            Events { spans: traces.collect(), lines: Vec::new() }
        };
        let (observation, question) = case(&minute(100_000), &minute(50_000), &[], 100_030).unwrap();
        let gateway = question.node;
        assert_eq!(observation.nodes[gateway].name, "gateway");
        let edge = &observation.edges[0];
        let (calls, client, server) = (&edge.calls, &edge.client_seconds, &edge.server_seconds);
        let hot = question.hot.clone();
        assert!((calls[hot.start] - 10.0).abs() < 1e-9 && (client[hot.start] - 0.2).abs() < 1e-9);
        assert!((server[hot.start] - 0.1).abs() < 1e-9);
        let known: f64 = calls.iter().filter(|calls| calls.is_finite()).sum();
        assert!((known - 120.0).abs() < 4.0, "{known}");
        assert!(calls[0].is_nan() && calls[hot.start - 8].is_nan());
        assert_eq!(observation.traces.len(), 120);
    }
}
