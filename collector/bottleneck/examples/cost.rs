//! What a verdict costs: 500 services, 5,000 edges, two hours of 10 s, 200 traces of 60 spans, all of it slower by one
//! leaf. `cargo run --release -p narrows-bottleneck --example cost` prints CPU time and what memory grew by.

use narrows_bottleneck::{
    Edge, Grid, Node, NodeType, Observation, Question, Settings, Sli, Trace, TraceSpan, analyze, symptoms,
};

const SERVICES: usize = 500;
const EDGES: usize = 5_000;
const STEPS: usize = 720;
const ONSET: usize = 690;
const LAYERS: usize = 10;

fn main() {
    let observation = observation();
    let question =
        Question { node: 0, operation: None, sli: Sli::Latency, hot: ONSET..STEPS, baseline: None };
    let settings = Settings::default();
    let before = peak_kib();
    let verdict = analyze(&observation, &question, &settings);
    let grown = peak_kib().saturating_sub(before);
    let runs = 20;
    let started = cpu_ms();
    for _ in 0..runs {
        std::hint::black_box(analyze(&observation, &question, &settings));
    }
    let verdict_ms = (cpu_ms() - started) / f64::from(runs);
    let started = cpu_ms();
    let found = symptoms(&observation, &settings).len();
    let detect_ms = cpu_ms() - started;
    println!("{}", verdict.headline);
    println!("verdict {verdict_ms:.1} ms of CPU, memory + {:.1} MiB", grown as f64 / 1_024.0);
    println!("detector {detect_ms:.1} ms of CPU, {found} symptoms");
}

/// Layers of services; each calls ten of the next. The last one of the last layer slows down for everybody above it.
fn observation() -> Observation {
    let per_layer = SERVICES / LAYERS;
    let factor = |layer: usize| if layer == 0 { 1.0 } else { 1.0 + 1.0 / layer as f64 };
    let wave = |node: usize, step: usize| 1.0 + 0.02 * (((node * 31 + step * 17) % 7) as f64 - 3.0);
    let series = |of: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..STEPS).map(of).collect() };
    let slow = |step: usize, layer: usize| if step < ONSET { 1.0 } else { factor(layer + 1) };
    let nodes = (0..SERVICES)
        .map(|node| Node {
            name: format!("service-{node:03}"),
            node_type: NodeType::Service,
            hosts: vec![],
            requests: series(&|_| 100.0),
            errors: series(&|_| 0.0),
            seconds: series(&|step| 5.0 * wave(node, step) * slow(step, node / per_layer)),
            high_seconds: series(&|step| 0.1 * wave(node, step)),
        })
        .collect();
    let mut edges = Vec::with_capacity(EDGES);
    for index in 0..EDGES {
        let caller = index % (SERVICES - per_layer);
        let layer = caller / per_layer;
        let callee = (layer + 1) * per_layer + (caller + index / 450 * 7) % per_layer;
        edges.push(Edge {
            caller,
            callee,
            is_async: false,
            calls: series(&|_| 10.0),
            errors: series(&|_| 0.0),
            client_seconds: series(&|step| 0.51 * wave(callee, step) * slow(step, layer + 1)),
            server_seconds: series(&|step| 0.5 * wave(callee, step) * slow(step, layer + 1)),
        });
    }
    let traces = (0..200).map(|index| trace(index, &edges)).collect();
    Observation {
        grid: Grid { start_s: 0, step_s: 10, steps: STEPS },
        nodes,
        edges,
        operations: vec![],
        resources: vec![],
        logs: vec![],
        changes: vec![],
        traces,
        clock_skew_ms: 0.0,
    }
}

fn trace(index: usize, edges: &[Edge]) -> Trace {
    let step = if index.is_multiple_of(2) { index } else { ONSET + index % (STEPS - ONSET) };
    let start_ns = step as u64 * 10_000_000_000;
    let mut spans: Vec<TraceSpan> = Vec::new();
    let span = |parent: Option<usize>, node: usize, peer: Option<usize>, depth: u64| TraceSpan {
        parent,
        node,
        peer,
        operation: "request".to_owned(),
        start_ns: start_ns + depth * 1_000_000,
        end_ns: start_ns + 200_000_000 - depth * 1_000_000,
        is_error: false,
        is_async: false,
        attributes: vec![],
    };
    spans.push(span(None, 0, None, 0));
    let mut at = 0;
    while spans.len() < 60 {
        let caller = spans[at].node;
        let parent = at;
        let depth = spans.len() as u64;
        let callee = edges.iter().find(|edge| edge.caller == caller).map_or(0, |edge| edge.callee);
        spans.push(span(Some(parent), caller, Some(callee), depth));
        spans.push(span(Some(spans.len() - 1), callee, None, depth + 1));
        at = spans.len() - 1;
    }
    Trace { id: format!("{index:032x}"), spans }
}

/// The most memory that the process ever had, KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// CPU time of this thread, ms: on a busy machine the clock says nothing.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e6
}
