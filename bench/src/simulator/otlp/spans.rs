//! Spans, with the attributes of the semantic conventions that the collector pairs them by.

use std::collections::BTreeMap;

use bottleneck::NodeType;
use telemetry::Value;
use telemetry::otlp::{
    RecordsWriter, SpanFields, SpanKind, StatusCode, write_resource, write_scope, write_span,
};

use crate::simulator::Run;
use crate::simulator::observe::attributes;
use crate::simulator::random::mix;
use crate::simulator::record::{Ended, SpanRecord};
use crate::simulator::world::World;

/// Keys that belong to the resource, not to the span.
const OF_RESOURCE: [&str; 3] = ["service.version", "service.instance.id", "host.name"];

pub(crate) fn end_ns(ended: &Ended) -> u64 {
    ended.trace.spans.borrow()[ended.index as usize].end_ns
}

/// One body of these spans, by resource.
pub(super) fn bodies(run: &Run, ended: &[Ended], start_ns: u64) -> Vec<Vec<u8>> {
    let world = &run.world;
    let mut by_resource: BTreeMap<Vec<(&str, String)>, Vec<Vec<u8>>> = BTreeMap::new();
    for Ended { trace, index } in ended {
        let spans = trace.spans.borrow();
        let span = &spans[*index as usize];
        let operation = &world.topology.operations[span.operation as usize];
        let all = attributes(world, trace, span);
        let is_of_resource = |(key, _): &(&'static str, String)| OF_RESOURCE.contains(key);
        let (mut resource, own): (Vec<_>, Vec<_>) = all.into_iter().partition(is_of_resource);
        resource.insert(0, ("service.name", world.topology.nodes[operation.node].name.clone()));
        let raw = write(world, (trace.id, span, *index), own, start_ns);
        by_resource.entry(resource).or_default().push(raw);
    }
    if by_resource.is_empty() {
        return Vec::new();
    }
    let mut writer = RecordsWriter::default();
    for (resource, spans) in &by_resource {
        let pairs: Vec<(&str, Value<'_>)> =
            resource.iter().map(|(key, value)| (*key, Value::Str(value))).collect();
        let (mut head, mut scope) = (Vec::new(), Vec::new());
        write_resource(&mut head, &pairs);
        write_scope(&mut scope, "simulator", "1", &[]);
        writer.resource(&head, "");
        writer.scope(&scope, "");
        spans.iter().for_each(|span| writer.record(span));
    }
    vec![writer.finish()]
}

fn write(
    world: &World,
    (trace, span, index): (u64, &SpanRecord, u32),
    mut own: Vec<(&'static str, String)>,
    start_ns: u64,
) -> Vec<u8> {
    let operation = &world.topology.operations[span.operation as usize];
    let kind = kind(world, span);
    match operation.peer {
        Some(peer) => own.extend(of_peer(world, peer, &operation.name)),
        None if kind == SpanKind::Consumer => own.extend(of_message("process")),
        None => {
            let (method, route) = operation.name.split_once(' ').unwrap_or(("GET", &operation.name));
            own.extend([("http.request.method", method.to_owned()), ("http.route", route.to_owned())]);
        }
    }
    let pairs: Vec<(&str, Value<'_>)> = own.iter().map(|(key, value)| (*key, Value::Str(value))).collect();
    let (trace_id, id) = (trace_id(trace), span_id(trace, index));
    let parent = span.parent.map(|parent| span_id(trace, parent));
    let mut raw = Vec::with_capacity(300);
    write_span(
        &mut raw,
        &SpanFields {
            trace_id: &trace_id,
            span_id: &id,
            parent_id: parent.as_ref().map_or(&[], |id| id),
            name: &operation.name,
            kind,
            start_ns: start_ns + span.start_ns,
            end_ns: start_ns + span.end_ns,
            attributes: &pairs,
            status: if span.is_error { StatusCode::Error } else { StatusCode::Unset },
            flags: 0x101,
            ..SpanFields::default()
        },
    );
    raw
}

fn kind(world: &World, span: &SpanRecord) -> SpanKind {
    let operation = &world.topology.operations[span.operation as usize];
    let hears = |endpoint: &crate::simulator::topology::EndpointSpec| {
        endpoint.operation == span.operation as usize && endpoint.is_consumer
    };
    match operation.peer.map(|peer| world.topology.nodes[peer].node_type) {
        Some(NodeType::Messaging) => SpanKind::Producer,
        Some(_) => SpanKind::Client,
        None if world.topology.endpoints.iter().any(hears) => SpanKind::Consumer,
        None => SpanKind::Server,
    }
}

/// What a call says of whom it calls.
fn of_peer(world: &World, peer: usize, name: &str) -> Vec<(&'static str, String)> {
    let spec = &world.topology.nodes[peer];
    match spec.node_type {
        NodeType::Database => {
            let (system, namespace) = spec.name.split_once('/').unwrap_or((&spec.name, ""));
            vec![
                ("db.system.name", system.to_owned()),
                ("db.namespace", namespace.to_owned()),
                ("db.query.summary", name.to_owned()),
            ]
        }
        NodeType::Messaging => of_message("send"),
        NodeType::Service | NodeType::External => vec![("server.address", spec.name.clone())],
    }
}

fn of_message(operation: &str) -> Vec<(&'static str, String)> {
    vec![
        ("messaging.system", "rabbitmq".to_owned()),
        ("messaging.destination.name", "orders".to_owned()),
        ("messaging.operation.type", operation.to_owned()),
    ]
}

fn trace_id(trace: u64) -> [u8; 16] {
    (u128::from(mix(trace, 1)) << 64 | u128::from(trace)).to_be_bytes()
}

fn span_id(trace: u64, index: u32) -> [u8; 8] {
    mix(trace, 2 + u64::from(index)).to_be_bytes()
}
