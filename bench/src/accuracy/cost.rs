//! What a verdict costs where there are 500 services and 5,000 edges: CPU of the thread, and memory above what the
//! observation itself takes.

pub(super) mod stored;

use anyhow::{Context, ensure};
use bottleneck::{
    Edge, Grid, LogPattern, Node, NodeType, Observation, Operation, Owner, Question, Resource, Signal, Sli,
    Trace, TraceSpan, analyze,
};

use super::{Input, SetResult};
use crate::simulator::random::Random;
use crate::simulator::{START_S, STEP_S};

const SERVICES: usize = 500;
const EDGES: usize = 5000;
/// An hour.
const STEPS: usize = 360;
const ONSET: usize = 336;
const TRACES: usize = 300;
const SPANS: usize = 40;
const RUNS: usize = 7;
/// What the last service of the path takes longer, s.
const ADDED_S: f64 = 0.2;

pub(super) fn run(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let observation = observation(&mut Random::new(1));
    let question =
        Question { node: 0, operation: Some(0), sli: Sli::Latency, hot: ONSET..STEPS, baseline: None };
    reset_peak();
    let before = memory_mib("VmRSS")?;
    let mut cpu_ms = Vec::new();
    let mut right = 0;
    for _ in 0..RUNS {
        let begun = cpu_s()?;
        let verdict = analyze(&observation, &question, input.settings);
        cpu_ms.push((cpu_s()? - begun) * 1e3);
        right += usize::from(verdict.culprit.is_some_and(|culprit| culprit.entity.service == name(CULPRIT)));
    }
    let peak = memory_mib("VmHWM")? - before;
    ensure!(right == RUNS, "the verdict on the large observation is wrong");
    cpu_ms.sort_by(f64::total_cmp);
    let bound = if cfg!(debug_assertions) { " (a build without all optimisations)" } else { "" };
    println!("  {SERVICES} services, {EDGES} edges, {STEPS} steps, {TRACES} traces of {SPANS} spans{bound}");
    let figures = vec![("CPU ms", cpu_ms[RUNS / 2]), ("MiB", peak)];
    Ok(SetResult { name: "cost", cases: RUNS, figures, chance: f64::NAN, empty: 0.0, told: vec![] })
}

const CULPRIT: usize = 13;

fn name(at: usize) -> String {
    format!("service-{at}")
}

/// A series around a value, which is higher since the onset.
fn series(random: &mut Random, value: f64, added: f64) -> Vec<f64> {
    let step = |step| value * (1.0 + 0.03 * random.normal()) + if step >= ONSET { added } else { 0.0 };
    (0..STEPS).map(step).collect()
}

/// 0 calls 1, 1 calls 4, 4 calls 13: everybody calls three of the next ones, and others at random.
fn observation(random: &mut Random) -> Observation {
    let path = [0, 1, 4, CULPRIT];
    let added = |at: &usize| if path.contains(at) { 60.0 * ADDED_S } else { 0.0 };
    let nodes = (0..SERVICES).map(|at| Node {
        name: name(at),
        node_type: NodeType::Service,
        hosts: vec![format!("host-{}", at % 100)],
        requests: vec![60.0; STEPS],
        errors: vec![0.0; STEPS],
        seconds: series(random, 6.0, added(&at)),
        high_seconds: Vec::new(),
    });
    let nodes = nodes.collect();
    let mut pairs: Vec<(usize, usize)> =
        (0..SERVICES).flat_map(|at| (1..=3).map(move |n| (at, 3 * at + n))).collect();
    pairs.retain(|(_, to)| *to < SERVICES);
    while pairs.len() < EDGES {
        let from = random.below(SERVICES - 1);
        let pair = (from, from + 1 + random.below(SERVICES - from - 1));
        // Only the path may lead to the culprit fast, and not past it.
        if pair.1 != CULPRIT && !path.contains(&pair.0) && !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    let edges: Vec<Edge> = pairs.iter().map(|pair| edge(random, *pair, &path)).collect();
    Observation {
        grid: Grid { start_s: START_S, step_s: STEP_S, steps: STEPS },
        operations: operations(random, &edges, &path),
        nodes,
        edges,
        resources: resources(random),
        logs: logs(random),
        changes: Vec::new(),
        traces: (0..TRACES).map(|number| trace(random, number, &path)).collect(),
        clock_skew_ms: 1.0,
    }
}

fn edge(random: &mut Random, (caller, callee): (usize, usize), path: &[usize]) -> Edge {
    let is_on_path = path.windows(2).any(|hop| hop == [caller, callee]);
    let added = if is_on_path { 60.0 * ADDED_S } else { 0.0 };
    let client_seconds = series(random, 6.6, added);
    let server_seconds = series(random, 6.0, added);
    let (calls, errors) = (vec![60.0; STEPS], vec![0.0; STEPS]);
    Edge { caller, callee, is_async: false, calls, errors, client_seconds, server_seconds }
}

fn operations(random: &mut Random, edges: &[Edge], path: &[usize]) -> Vec<Operation> {
    let make = |random: &mut Random, node, peer: Option<usize>, added| Operation {
        node,
        name: format!("GET /{}", peer.unwrap_or(node)),
        peer,
        is_entry: node == 0 && peer.is_none(),
        calls: vec![60.0; STEPS],
        errors: vec![0.0; STEPS],
        seconds: series(random, 6.0, added),
        high_seconds: Vec::new(),
    };
    let added = |is_on_path| if is_on_path { 60.0 * ADDED_S } else { 0.0 };
    let mut all: Vec<Operation> =
        (0..SERVICES).map(|node| make(random, node, None, added(path.contains(&node)))).collect();
    all.extend(edges.iter().map(|edge| {
        let is_on_path = path.windows(2).any(|hop| hop == [edge.caller, edge.callee]);
        make(random, edge.caller, Some(edge.callee), added(is_on_path))
    }));
    all
}

fn resources(random: &mut Random) -> Vec<Resource> {
    let signals = [Signal::PressureCpu, Signal::PressureIo, Signal::PressureMemory, Signal::TcpRetransmits];
    let of_hosts =
        (0..100).flat_map(|host| signals.map(|signal| (Owner::Host(format!("host-{host}")), signal)));
    let of_nodes = (0..SERVICES).flat_map(|node| {
        [Signal::CpuUsed, Signal::ActiveRequests, Signal::GcTime].map(|signal| (Owner::Node(node), signal))
    });
    let all: Vec<(Owner, Signal)> = of_hosts.chain(of_nodes).collect();
    let make =
        |(owner, signal)| Resource { owner, signal, values: series(random, 0.05, 0.0), query: String::new() };
    all.into_iter().map(make).collect()
}

fn logs(random: &mut Random) -> Vec<LogPattern> {
    let make = |at: usize| LogPattern {
        node: at % SERVICES,
        text: format!("request <*> handled, pattern {at}"),
        severity: 9,
        counts: series(random, 20.0, 0.0),
        id: at.to_string(),
    };
    (0..2000).map(make).collect()
}

/// A request that goes down the path, and 36 calls of others before.
fn trace(random: &mut Random, number: usize, path: &[usize]) -> Trace {
    let step = number * STEPS / TRACES;
    let begin_ns = (START_S as u64 + step as u64 * u64::from(STEP_S)) * 1_000_000_000;
    let added_ns = if step >= ONSET { (ADDED_S * 1e9) as u64 } else { 0 };
    let mut spans: Vec<TraceSpan> = Vec::new();
    let span = |node: usize, parent, start_ns, end_ns| TraceSpan {
        parent,
        node,
        peer: None,
        operation: format!("GET /{node}"),
        start_ns,
        end_ns,
        is_error: false,
        is_async: false,
        attributes: vec![("service.version".to_owned(), "1.0.0".to_owned())],
    };
    for (depth, node) in (0u64..).zip(path) {
        let parent = spans.len().checked_sub(1);
        spans.push(span(
            *node,
            parent,
            begin_ns + depth * 60_000_000,
            begin_ns + 400_000_000 + added_ns - depth * 1_000_000,
        ));
    }
    while spans.len() < SPANS {
        let parent = random.below(path.len() - 1);
        let start_ns = spans[parent].start_ns + random.below(50_000_000) as u64;
        spans.push(span(20 + random.below(400), Some(parent), start_ns, start_ns + 4_000_000));
    }
    Trace { id: format!("{number:032x}"), spans }
}

/// CPU time of this thread.
fn cpu_s() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").context("cannot read schedstat")?;
    let first = text.split_whitespace().next().context("schedstat is empty")?;
    Ok(first.parse::<f64>()? / 1e9)
}

fn memory_mib(key: &str) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with(key)).context("no such line")?;
    let kib = line.split_whitespace().nth(1).context("no value")?;
    Ok(kib.parse::<f64>()? / 1024.0)
}

/// Lets the kernel's high-water mark begin anew; where it may not, the figure is too high, not too low.
fn reset_peak() {
    if let Err(error) = std::fs::write("/proc/self/clear_refs", "5") {
        eprintln!("the memory figure includes what was before: {error}");
    }
}
