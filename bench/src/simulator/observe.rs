//! A run as the analysis reads it: what the collector's stores would say of it.

use bottleneck::{
    Edge, Grid, LogPattern, Node, Observation, Operation, Owner, Resource, Series, Trace, TraceSpan,
};

use super::record::{SpanRecord, TraceRecord};
use super::world::World;
use super::{Run, START_S, STEP_S};

/// All that telemetry shows of a run.
pub(crate) fn observation(run: &Run) -> Observation {
    let world = &run.world;
    let resources = run.sampler.samples.iter().map(|((owner, signal), values)| Resource {
        owner: owner.clone(),
        signal: *signal,
        values: values.clone(),
        query: format!("{signal:?}{{{}}}", whose(world, owner)),
    });
    let logs = world.recorder.logs.borrow();
    let logs = logs.iter().enumerate().map(|(number, ((node, text), (severity, counts)))| LogPattern {
        node: *node,
        text: (*text).to_owned(),
        severity: *severity,
        counts: counts.clone(),
        id: format!("{number}"),
    });
    let mut observation = Observation {
        grid: Grid { start_s: START_S, step_s: STEP_S, steps: world.recorder.steps },
        nodes: (0..world.topology.nodes.len()).map(|at| node(world, at)).collect(),
        edges: edges(world),
        operations: operations(world),
        resources: resources.collect(),
        logs: logs.collect(),
        changes: run.changes.clone(),
        traces: world.recorder.traces().iter().map(|kept| trace(world, kept)).collect(),
        clock_skew_ms: 0.4,
    };
    observation.add_queues();
    observation
}

fn whose(world: &World, owner: &Owner) -> String {
    let name = |node: usize| &world.topology.nodes[node].name;
    match owner {
        Owner::Host(host) => format!("host_name=\"{host}\""),
        Owner::Process { host, executable } => format!("host_name=\"{host}\",executable=\"{executable}\""),
        Owner::Group { host, name } => format!("host_name=\"{host}\",cgroup=\"{name}\""),
        Owner::Node(node) => format!("job=\"{}\"", name(*node)),
        Owner::Part { node, name: part } => format!("job=\"{}\",part=\"{part}\"", name(*node)),
    }
}

fn node(world: &World, at: usize) -> Node {
    let (spec, counts) = (&world.topology.nodes[at], &world.recorder.nodes.borrow()[at]);
    let mut hosts: Vec<String> =
        spec.instances.iter().map(|host| world.topology.hosts[*host].name.clone()).collect();
    hosts.dedup();
    let known = |series: &Series| if world.is_service(at) { series.clone() } else { Series::new() };
    Node {
        name: spec.name.clone(),
        node_type: spec.node_type,
        hosts,
        requests: known(&counts.calls),
        errors: known(&counts.errors),
        seconds: known(&counts.seconds),
        high_seconds: known(&counts.high_seconds),
    }
}

/// Where an end sends no spans its durations are not known.
fn edges(world: &World) -> Vec<Edge> {
    let counts = world.recorder.edges.borrow();
    let all = world.topology.edges.iter().zip(counts.iter());
    let with_known_ends = all.map(|(spec, counts)| Edge {
        caller: spec.caller,
        callee: spec.callee,
        is_async: spec.is_async,
        calls: counts.calls.clone(),
        errors: counts.errors.clone(),
        client_seconds: if world.is_service(spec.caller) { counts.seconds.clone() } else { Series::new() },
        server_seconds: match world.is_service(spec.callee) {
            true => counts.server_seconds.clone(),
            false => Series::new(),
        },
    });
    with_known_ends.collect()
}

fn operations(world: &World) -> Vec<Operation> {
    let counts = world.recorder.operations.borrow();
    let all = world.topology.operations.iter().zip(counts.iter());
    // Those of a blind node are not seen: the others have other numbers here than in the topology.
    let seen = all.filter(|(spec, _)| world.is_service(spec.node)).map(|(spec, counts)| Operation {
        node: spec.node,
        name: spec.name.clone(),
        peer: spec.peer,
        is_entry: spec.is_entry,
        calls: counts.calls.clone(),
        errors: counts.errors.clone(),
        seconds: counts.seconds.clone(),
        high_seconds: counts.high_seconds.clone(),
    });
    seen.collect()
}

/// Spans that had not ended when the run did are not there, nor is what is below them.
fn trace(world: &World, kept: &TraceRecord) -> Trace {
    let spans = kept.spans.borrow();
    let mut place = vec![None; spans.len()];
    let mut made: Vec<TraceSpan> = Vec::with_capacity(spans.len());
    for (at, span) in spans.iter().enumerate() {
        let parent = span.parent.map(|parent| place[parent as usize]);
        if span.end_ns == 0 || parent == Some(None) {
            continue;
        }
        place[at] = Some(made.len());
        made.push(trace_span(world, kept, span, parent.flatten()));
    }
    Trace { id: format!("{:032x}", u128::from(kept.id)), spans: made }
}

fn trace_span(world: &World, kept: &TraceRecord, span: &SpanRecord, parent: Option<usize>) -> TraceSpan {
    let operation = &world.topology.operations[span.operation as usize];
    let begin_ns = START_S as u64 * 1_000_000_000;
    TraceSpan {
        parent,
        node: operation.node,
        peer: operation.peer,
        operation: operation.name.clone(),
        start_ns: begin_ns + span.start_ns,
        end_ns: begin_ns + span.end_ns,
        is_error: span.is_error,
        is_async: span.is_async,
        attributes: attributes(world, kept, span)
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

/// Those of the span and of its resource.
pub(crate) fn attributes(
    world: &World,
    kept: &TraceRecord,
    span: &SpanRecord,
) -> Vec<(&'static str, String)> {
    let operation = &world.topology.operations[span.operation as usize];
    let (node, instance) = (operation.node, &world.nodes[operation.node][span.instance as usize]);
    let mut all = vec![
        ("service.version", format!("1.4.{}", span.version)),
        ("service.instance.id", instance_name(world, node, span)),
    ];
    if let Some(host) = instance.host {
        all.push(("host.name", world.topology.hosts[host].name.clone()));
    }
    match (span.statement, operation.peer) {
        (Some(statement), _) => {
            all.push(("db.query.text", world.topology.statements[statement as usize].text.clone()));
        }
        (None, None) => all.push(("tenant.id", kept.tenant.to_string())),
        _ => {}
    }
    if span.resent > 0 {
        all.push(("http.request.resend_count", span.resent.to_string()));
    }
    all
}

/// `catalog-1`; a new version runs in a process of its own.
fn instance_name(world: &World, node: usize, span: &SpanRecord) -> String {
    let all = world.nodes[node].len();
    let number = usize::from(span.instance) + 1 + all * usize::from(span.version);
    format!("{}-{number}", world.topology.nodes[node].name)
}

/// The same, cut off after so many steps: what was known then.
pub(crate) fn until(observation: &Observation, steps: usize) -> Observation {
    let mut cut = observation.clone();
    let end_ns = u64::try_from(observation.grid.time_s(steps)).unwrap_or_default() * 1_000_000_000;
    cut.grid.steps = steps.min(cut.grid.steps);
    let short = |series: &mut Series| series.truncate(steps);
    for node in &mut cut.nodes {
        let Node { requests, errors, seconds, high_seconds, .. } = node;
        [requests, errors, seconds, high_seconds].into_iter().for_each(short);
    }
    for edge in &mut cut.edges {
        let Edge { calls, errors, client_seconds, server_seconds, .. } = edge;
        [calls, errors, client_seconds, server_seconds].into_iter().for_each(short);
    }
    for operation in &mut cut.operations {
        let Operation { calls, errors, seconds, high_seconds, .. } = operation;
        [calls, errors, seconds, high_seconds].into_iter().for_each(short);
    }
    cut.resources.iter_mut().for_each(|resource| short(&mut resource.values));
    cut.logs.iter_mut().for_each(|pattern| short(&mut pattern.counts));
    cut.changes.retain(|change| change.time_s < observation.grid.time_s(steps));
    cut.traces.retain(|trace| trace.spans.iter().all(|span| span.end_ns < end_ns));
    cut
}
