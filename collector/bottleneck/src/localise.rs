//! From a symptom to ranked candidates: times, numbers, the flow along the calls, and who keeps what.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::excess::{Flow, flow};
use crate::graph::{Graph, Reach, reach};
use crate::measure::{Measure, Pair, Times, blocks, measure, usual};
use crate::numbers::Numbers;
use crate::{
    Candidate, NodeId, Observation, Operation, Question, Settings, Sli, Target, onset, path, queues, signals,
    tails,
};

/// How far before the asker's time the onset is looked for, steps: half an hour of 10 s.
const SEARCH_STEPS: usize = 180;
/// Of calls as many as before, so few answered: the callee is gone, and the time between the two is its.
const UNANSWERED: f64 = 0.5;

/// Candidates whose operation and onset are looked for; the others are a ranking.
const DETAILED: usize = 8;

/// What the analysis of a symptom found, before causes are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Localised {
    /// The step in which it began.
    pub onset: usize,
    /// By how many steps that may be wrong.
    pub onset_steps: usize,
    /// Steps to compare with.
    pub baseline: Range<usize>,
    /// Steps to explain.
    pub hot: Range<usize>,
    /// Mean of the symptom before and since: s, or failures per request.
    pub base: f64,
    /// The same since.
    pub now: f64,
    /// Requests since.
    pub requests: f64,
    /// Whether the symptom itself is more than chance.
    pub is_significant: bool,
    /// The most own time (or failures) first. Empty: nothing is wrong.
    pub candidates: Vec<Candidate>,
    /// From the symptom to the first candidate.
    pub path: Vec<Step>,
    /// Whether there were no requests to measure, and the order is that of the nodes' own metrics. `own` is a score then.
    pub is_by_signals: bool,
    /// Traces that the shares rest on.
    pub traces: usize,
}

impl Localised {
    /// What has to be explained, per request.
    pub fn symptom(&self) -> f64 {
        self.now - self.base
    }
}

/// A node on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Who.
    pub node: NodeId,
    /// Its operation that carries most of it.
    pub operation: Option<usize>,
    /// First step in which it was worse.
    pub onset: Option<usize>,
    /// Its mean before and since.
    pub base: f64,
    /// The same since.
    pub now: f64,
    /// Calls per request of the symptom.
    pub calls: f64,
    /// What it adds to a request.
    pub adds: f64,
    /// What of it comes from those it calls.
    pub passes_on: f64,
    /// What it keeps: its own, and what lies between it and those it calls.
    pub own: f64,
    /// See `own`.
    pub between: f64,
    /// Whether it sends nothing and was bridged.
    pub is_blind: bool,
}

/// Finds what a symptom comes from. Deterministic; names decide between equals.
pub fn localise(observation: &Observation, question: &Question, settings: &Settings) -> Localised {
    localise_in(observation, &Graph::new(observation), question, settings)
}

/// The same with the observation's graph, for who asks of several symptoms.
pub(crate) fn localise_in(
    observation: &Observation,
    graph: &Graph,
    question: &Question,
    settings: &Settings,
) -> Localised {
    let settings = &settings.of(observation, question);
    let pair = Pair::of_symptom(observation, question);
    let steps = observation.grid.steps;
    let hot = question.hot.start.min(steps)..question.hot.end.min(steps);
    if hot.is_empty() || question.node >= observation.nodes.len() {
        return Localised::default();
    }
    if !pair.is_known() {
        return by_signals(observation, question, settings, &hot);
    }
    let (times, onset_steps) = times(pair, question, settings, &hot);
    if let Some(queue) = observation.asked_queue(question) {
        let found = outline(&times, onset_steps, &measure(pair, question.sli, &times, settings));
        return queues::localise(observation, queue, question, &times, found);
    }
    let numbers = Numbers::new(observation, graph, &times, question, settings);
    let mut found = outline(&times, onset_steps, &numbers.symptom);
    found.traces = numbers.traces();
    if numbers.symptom.now <= numbers.symptom.base || !numbers.symptom.is_known() {
        return found;
    }
    let reach = reach(observation, graph, question.node, |edge| numbers.step(edge));
    let flow = flow(&numbers, &reach, question.node, found.symptom());
    found.candidates = candidates(&numbers, &reach, &flow, question, settings);
    // A symptom that chance alone may make is none, unless something behind it cannot be chance.
    if !found.is_significant {
        found.candidates.retain(|candidate| candidate.target != Target::Node(question.node));
    }
    if let Some(first) = found.candidates.first() {
        let way = path::way(observation, &reach, &flow, question.node, first.target);
        found.path = way.into_iter().map(|node| step(&numbers, &flow, question, node)).collect();
    }
    found
}

fn outline(times: &Times, onset_steps: usize, symptom: &Measure) -> Localised {
    Localised {
        onset: times.hot.start,
        onset_steps,
        baseline: times.baseline.clone(),
        hot: times.hot.clone(),
        base: symptom.base,
        now: symptom.now,
        requests: symptom.now_count,
        is_significant: symptom.is_significant(),
        ..Localised::default()
    }
}

/// Onset, baseline and calm steps.
fn times(pair: Pair<'_>, question: &Question, settings: &Settings, hot: &Range<usize>) -> (Times, usize) {
    let before = |onset: usize| {
        let end = onset.saturating_sub(settings.guard_steps);
        let given = question.baseline.clone().unwrap_or(0..end);
        given.start.min(end)..given.end.min(end)
    };
    let first = before(hot.start);
    let z = spreads(pair, question.sli, &first, hot.end, settings);
    let earliest = hot.start.saturating_sub(SEARCH_STEPS).max(first.start + settings.min_baseline_steps);
    let (onset, onset_steps) = onset::onset(&z, hot, earliest);
    let baseline = before(onset);
    (Times::new(pair, baseline, onset..hot.end), onset_steps)
}

/// Each step in spreads from what is usual; NaN where there are no requests.
fn spreads(pair: Pair<'_>, sli: Sli, baseline: &Range<usize>, end: usize, settings: &Settings) -> Vec<f64> {
    let blocks = blocks(pair, baseline, 1);
    if sli == Sli::Errors {
        let share = tails::usual_share(&blocks);
        return (0..end)
            .map(|step| match pair.step(step) {
                Some((failures, requests)) if requests > 0.0 => {
                    let deviation = (requests * share * (1.0 - share)).sqrt().max(1.0);
                    (failures - requests * share) / deviation
                }
                _ => f64::NAN,
            })
            .collect();
    }
    match usual(&blocks, 1.0, settings) {
        Some(usual) => (0..end).map(|step| usual.z(pair.mean(step))).collect(),
        None => vec![f64::NAN; end],
    }
}

fn by_signals(
    observation: &Observation,
    question: &Question,
    settings: &Settings,
    hot: &Range<usize>,
) -> Localised {
    let baseline = question.baseline.clone().unwrap_or(0..hot.start.saturating_sub(settings.guard_steps));
    let times = Times { baseline, odd: Vec::new(), hot: hot.clone() };
    let mut found = outline(&times, 1, &Measure::default());
    found.is_by_signals = true;
    let candidate = |moved: signals::Moved| Candidate {
        target: Target::Node(moved.node),
        added: moved.score,
        own: moved.score,
        operation: None,
        onset: None,
    };
    let moved = signals::moved(observation, &times, settings);
    found.is_significant = moved.first().is_some_and(|first| first.score >= settings.z);
    found.candidates = moved.into_iter().filter(|moved| moved.score >= settings.z).map(candidate).collect();
    found
}

/// Everybody with a part in it, the largest own part first.
fn candidates(
    numbers: &Numbers<'_>,
    reach: &Reach,
    flow: &Flow,
    question: &Question,
    settings: &Settings,
) -> Vec<Candidate> {
    let observation = numbers.observation;
    let mut own: BTreeMap<Target, (f64, f64)> = BTreeMap::new();
    for node in &reach.order {
        let amount = |of: &BTreeMap<NodeId, f64>| of.get(node).copied().unwrap_or_default();
        own.insert(Target::Node(*node), (amount(&flow.own), amount(&flow.adds)));
    }
    for (target, gap) in gaps(numbers, flow) {
        let entry = own.entry(target).or_default();
        entry.0 += gap;
        entry.1 = entry.1.max(entry.0);
    }
    let mut candidates: Vec<Candidate> = own
        .into_iter()
        .map(|(target, (own, added))| Candidate { target, added, own, operation: None, onset: None })
        .collect();
    let rank =
        |candidate: &Candidate| if settings.without_self_time { candidate.added } else { candidate.own };
    candidates.sort_by(|left, right| {
        let by_rank = rank(right).total_cmp(&rank(left)).then(right.added.total_cmp(&left.added));
        by_rank.then_with(|| name(observation, left.target).cmp(&name(observation, right.target)))
    });
    if settings.without_self_time && candidates.len() > 1 {
        // The symptom's own node adds all of it by definition.
        candidates.retain(|candidate| candidate.target != Target::Node(question.node));
    }
    for candidate in candidates.iter_mut().take(DETAILED) {
        candidate.operation = operation_of(numbers, question, candidate.target);
        candidate.onset = onset_of(numbers, candidate.target, settings);
    }
    candidates
}

/// What lies between callers and callees, by whose it is: the edge's; the callee's, if it hardly answers any more; or that
/// of a node all of whose calls, in and out, lose time (its network).
fn gaps(numbers: &Numbers<'_>, flow: &Flow) -> Vec<(Target, f64)> {
    let observation = numbers.observation;
    let mut gaps: BTreeMap<usize, f64> =
        flow.edges.iter().filter(|(_, flow)| flow.gap > 0.0).map(|(edge, flow)| (*edge, flow.gap)).collect();
    let mut found = Vec::new();
    gaps.retain(|edge, gap| {
        let callee = observation.edges[*edge].callee;
        let is_gone = is_unanswered(numbers, *edge);
        if is_gone {
            found.push((Target::Node(callee), *gap));
        }
        !is_gone
    });
    while let Some(node) = isolated(numbers, &gaps) {
        let total: f64 =
            gaps.iter().filter(|(edge, _)| touches(observation, **edge, node)).map(|(_, gap)| gap).sum();
        gaps.retain(|edge, _| !touches(observation, *edge, node));
        found.push((Target::Node(node), total));
    }
    found.extend(gaps.into_iter().map(|(edge, gap)| (Target::Edge(edge), gap)));
    found
}

fn touches(observation: &Observation, edge: usize, node: NodeId) -> bool {
    let ends = &observation.edges[edge];
    ends.caller == node || ends.callee == node
}

/// Whether calls go on while the callee answers less than half as often as before.
fn is_unanswered(numbers: &Numbers<'_>, edge: usize) -> bool {
    let callee = numbers.observation.edges[edge].callee;
    let rate = |measure: &Measure| {
        let steps = |range: usize| range.max(1) as f64;
        (
            measure.base_count / steps(numbers.times.calm_steps()),
            measure.now_count / steps(numbers.times.hot.len()),
        )
    };
    let (before, since) = rate(&numbers.node(callee));
    let (calls_before, calls_since) = rate(&numbers.edge(edge).client);
    let answered = |answers: f64, calls: f64| if calls > 0.0 { answers / calls } else { 0.0 };
    before > 0.0 && answered(since, calls_since) < UNANSWERED * answered(before, calls_before)
}

/// A node with two or more gaps, and none of whose measured calls is without; the one with most of them, then by name.
fn isolated(numbers: &Numbers<'_>, gaps: &BTreeMap<usize, f64>) -> Option<NodeId> {
    let observation = numbers.observation;
    let mut counts: BTreeMap<NodeId, usize> = BTreeMap::new();
    for edge in gaps.keys() {
        let ends = &observation.edges[*edge];
        *counts.entry(ends.caller).or_default() += 1;
        *counts.entry(ends.callee).or_default() += 1;
    }
    let all_lose = |node: NodeId| {
        let incident = numbers.graph.out(node).iter().chain(numbers.graph.into(node));
        incident.copied().all(|edge| {
            let found = numbers.edge(edge);
            let is_measured = found.client.is_known() && found.server.is_some_and(|server| server.is_known());
            !is_measured || found.gap.is_significant()
        })
    };
    let name = |node: NodeId| observation.nodes[node].name.as_str();
    let isolated = counts.into_iter().filter(|(node, count)| *count > 1 && all_lose(*node));
    isolated
        .max_by(|left, right| left.1.cmp(&right.1).then_with(|| name(right.0).cmp(name(left.0))))
        .map(|(node, _)| node)
}

fn name(observation: &Observation, target: Target) -> (&str, &str) {
    match target {
        Target::Node(node) => (observation.nodes[node].name.as_str(), ""),
        Target::Edge(edge) => {
            let ends = &observation.edges[edge];
            (observation.nodes[ends.caller].name.as_str(), observation.nodes[ends.callee].name.as_str())
        }
    }
}

/// Of the operations of a target the one that got worse by most in all.
fn operation_of(numbers: &Numbers<'_>, question: &Question, target: Target) -> Option<usize> {
    let observation = numbers.observation;
    if target == Target::Node(question.node) && question.operation.is_some() {
        return question.operation;
    }
    let is_of = |operation: &Operation| match target {
        Target::Node(node) if operation.node == node => {
            operation.peer.is_none() && !observation.is_queue(operation)
        }
        Target::Node(node) => numbers.is_blind(node) && operation.peer == Some(node),
        Target::Edge(edge) => {
            let ends = &observation.edges[edge];
            operation.node == ends.caller && operation.peer == Some(ends.callee)
        }
    };
    let excess = |operation: &Operation| {
        let pair = Pair::of_operation(operation, numbers.sli());
        let (base, base_count) = numbers.times.calm_sum(pair);
        let (now, now_count) = pair.sum_of(numbers.times.hot.clone());
        if base_count > 0.0 && now_count > 0.0 { now - base / base_count * now_count } else { now }
    };
    let all = observation.operations.iter().enumerate().filter(|(_, operation)| is_of(operation));
    let worst = all.map(|(index, operation)| (excess(operation), index)).max_by(|left, right| {
        let name = |index: usize| observation.operations[index].name.as_str();
        left.0.total_cmp(&right.0).then_with(|| name(right.1).cmp(name(left.1)))
    });
    worst.filter(|(excess, _)| *excess > 0.0).map(|(_, index)| index)
}

/// First step in which a target was worse.
fn onset_of(numbers: &Numbers<'_>, target: Target, settings: &Settings) -> Option<usize> {
    let observation = numbers.observation;
    let sli = numbers.sli();
    let of_edge = |edge: usize| {
        let edge = &observation.edges[edge];
        let amounts = if sli == Sli::Latency { &edge.client_seconds } else { &edge.errors };
        Pair { amounts, counts: &edge.calls }
    };
    let pair = match target {
        Target::Edge(edge) => of_edge(edge),
        Target::Node(node) if !numbers.is_blind(node) => Pair::of_node(&observation.nodes[node], sli),
        Target::Node(node) => of_edge(*numbers.graph.into(node).first()?),
    };
    let times = numbers.times;
    let z = spreads(pair, sli, &times.baseline, times.hot.end, settings);
    let earliest = times.baseline.end;
    let (onset, steps) = onset::onset(&z, &times.hot, earliest);
    (steps <= 1).then_some(onset)
}

fn step(numbers: &Numbers<'_>, flow: &Flow, question: &Question, node: NodeId) -> Step {
    let observation = numbers.observation;
    let amount = |of: &BTreeMap<NodeId, f64>| of.get(&node).copied().unwrap_or_default();
    let of_node = flow.edges.iter().filter(|(edge, _)| observation.edges[**edge].caller == node);
    let (passes_on, between) =
        of_node.fold((0.0, 0.0), |sum, (_, edge)| (sum.0 + edge.callee, sum.1 + edge.gap));
    let measure = if node == question.node {
        numbers.symptom
    } else if numbers.is_blind(node) {
        let into = numbers.graph.into(node).iter().map(|edge| numbers.edge(*edge).client);
        into.max_by(|left, right| left.now_count.total_cmp(&right.now_count)).unwrap_or_default()
    } else {
        numbers.node(node)
    };
    let adds = amount(&flow.adds);
    Step {
        node,
        operation: operation_of(numbers, question, Target::Node(node)),
        onset: onset_of_step(numbers, question, node),
        base: measure.base,
        now: measure.now,
        calls: amount(&flow.visits),
        adds,
        passes_on,
        own: adds - passes_on - between,
        between,
        is_blind: numbers.is_blind(node) && passes_on > 0.0,
    }
}

fn onset_of_step(numbers: &Numbers<'_>, question: &Question, node: NodeId) -> Option<usize> {
    if node == question.node {
        return Some(numbers.times.hot.start);
    }
    onset_of(numbers, Target::Node(node), numbers.settings())
}
