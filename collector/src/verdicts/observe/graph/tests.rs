#![allow(clippy::unwrap_used)]
//! What is read of a store, and who is an entry.

use std::time::Duration;

use promql::testing::MemoryStore;
use telemetry::samples::{Histogram, ResetHint, Span};

use super::*;

fn lines(calls: f64) -> Lines {
    Lines { calls: vec![calls], ..Lines::new(1) }
}

#[test]
fn an_entry_is_what_outsiders_call() {
    let answered = [
        ("edge", "server", 100.0),
        ("shop", "server", 100.0),
        ("api", "server", 100.0),
        ("worker", "consumer", 50.0),
        ("behind-gateway", "server", 10.0),
    ]
    .map(|(service, kind, calls)| ((service.to_owned(), "op".to_owned(), kind.to_owned()), lines(calls)));
    // The load generator calls the edge, the edge the shop; half of what the api gets comes from the shop.
    let calls = [
        ("load", "edge", "service", 100.0),
        ("edge", "shop", "service", 95.0),
        ("shop", "api", "service", 50.0),
        ("shop", "db", "database", 9.0),
        ("queue", "worker", "messaging", 50.0),
    ]
    .map(|(client, server, kind, calls)| {
        ((client.to_owned(), server.to_owned(), kind.to_owned()), lines(calls))
    });
    let (answered, calls) = (answered.into(), calls.into());
    let found = entries(&answered, &calls);
    let first: Vec<String> = unawaited(&answered, &calls).into_iter().collect();
    assert_eq!(first, ["behind-gateway", "worker"]);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["api", "behind-gateway", "edge"]);
}

const STEPS: usize = 4;

/// Calls and durations of each step of something.
fn add(store: &mut MemoryStore, families: [&str; 2], labels: &[(&str, &str)], calls: f64) {
    let of = |family| LabelSet::new([&[("__name__", family)], labels].concat()).unwrap();
    for time_ms in (1..=STEPS as i64).map(|step| step * 10_000) {
        store.add(&of(families[0]), time_ms, calls);
        let durations = Histogram {
            schema: 3,
            reset_hint: ResetHint::Gauge,
            count: calls,
            sum: calls * 0.5,
            positive_spans: vec![Span { offset: -8, len: 1 }],
            positive_counts: vec![calls],
            ..Histogram::default()
        };
        for family in &families[1..] {
            store.add_histogram(&of(family), time_ms, durations.clone());
        }
    }
}

fn red(store: &mut MemoryStore, service: &str, operation: &str, kind: &str, calls: f64) {
    let labels = [("service", service), ("operation", operation), ("kind", kind)];
    add(store, ["narrows_red_calls", "narrows_red_duration_seconds"], &labels, calls);
}

fn read(store: &MemoryStore, depth: Depth<'_>) -> Graph {
    let grid = Grid { start_s: 0, step_s: 10, steps: STEPS };
    Graph::read(store, grid, depth, Instant::now() + Duration::from_secs(60)).unwrap()
}

#[test]
fn calls_are_those_of_which_it_is_known_whom_they_go_to() {
    let mut store = MemoryStore::default();
    red(&mut store, "shop", "GET /", "server", 10.0);
    red(&mut store, "shop", "list", "client", 20.0);
    red(&mut store, "shop", "list", "producer", 5.0);
    red(&mut store, "shop", "other", "client", 7.0);
    red(&mut store, "load", "GET /", "client", 10.0);
    let ends = [("client", "shop"), ("server", "stock"), ("type", "service"), ("status", "ok")];
    add(&mut store, ["narrows_edge_calls", "narrows_edge_client_seconds"], &ends, 20.0);
    let ends = [("client", "shop"), ("server", "base"), ("type", "database")];
    add(&mut store, ["narrows_edge_calls", "narrows_edge_server_seconds"], &ends, 8.0);

    let mut graph = read(&store, Depth::Whole(&[]));
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["base", "load", "shop", "stock"], "who only calls is there, too");
    let edges: Vec<_> =
        graph.edges.iter().map(|edge| (&*edge.client_seconds, &*edge.server_seconds)).collect();
    assert_eq!(edges, [(&[0.0; STEPS][..], &[4.0; STEPS][..]), (&[10.0; STEPS], &[])]);
    let [shop, stock] = ["shop", "stock"].map(|name| graph.by_name[name]);
    assert_eq!(graph.nodes[shop].seconds, [5.0; STEPS]);
    assert_eq!(graph.nodes[shop].high_seconds.len(), STEPS);

    let peers = BTreeMap::from([((shop, "list".to_owned()), stock), ((shop, "never".to_owned()), stock)]);
    graph.read_calls(&store, Instant::now() + Duration::from_secs(60), &peers).unwrap();
    let all: Vec<_> = graph
        .operations
        .iter()
        .map(|one| (one.name.as_str(), one.peer, one.is_entry, one.calls[0], one.seconds[STEPS - 1]))
        .collect();
    assert_eq!(all, [("GET /", None, true, 10.0, 5.0), ("list", Some(stock), false, 25.0, 12.5)]);
    assert_eq!(graph.notes, Vec::<String>::new());
}

#[test]
fn a_look_sees_calls_and_reads_durations_of_entries_alone() {
    let mut store = MemoryStore::default();
    red(&mut store, "shop", "GET /", "server", 10.0);
    red(&mut store, "stock", "GET /stock", "server", 10.0);
    let ends = [("client", "shop"), ("server", "stock"), ("type", "service"), ("status", "error")];
    add(&mut store, ["narrows_edge_calls", "narrows_edge_client_seconds"], &ends, 10.0);
    let graph = read(&store, Depth::Entries);
    let seconds: Vec<_> = graph.operations.iter().map(|one| (one.is_entry, &*one.seconds)).collect();
    assert_eq!(seconds, [(true, &[5.0; STEPS][..]), (false, &[0.0; STEPS])]);
    let [edge] = &graph.edges[..] else { panic!("one edge") };
    assert_eq!((&*edge.calls, &*edge.errors), (&[10.0; STEPS][..], &[10.0; STEPS][..]));
    assert!(edge.client_seconds.is_empty() && edge.server_seconds.is_empty());
}

/// Ten calls in each of forty steps, from step 30 on so much longer.
fn long(store: &mut MemoryStore, families: [&str; 2], labels: &[(&str, &str)], (before, since): (f64, f64)) {
    let of = |family| LabelSet::new([&[("__name__", family)], labels].concat()).unwrap();
    for step in 0..40_i64 {
        let each = if step < 30 { before } else { since } * (1.0 + 0.01 * (step % 3) as f64);
        store.add(&of(families[0]), (step + 1) * 10_000, 10.0);
        let durations = Histogram {
            schema: 3,
            reset_hint: ResetHint::Gauge,
            count: 10.0,
            sum: 10.0 * each,
            positive_spans: vec![Span { offset: -8, len: 1 }],
            positive_counts: vec![10.0],
            ..Histogram::default()
        };
        store.add_histogram(&of(families[1]), (step + 1) * 10_000, durations);
    }
}

#[test]
fn of_many_calls_those_of_suspects_are_read() {
    let mut store = MemoryStore::default();
    let services =
        [("edge", (0.1, 0.3)), ("shop", (0.05, 0.2)), ("calm", (0.02, 0.02)), ("far", (0.01, 0.01))];
    for (service, seconds) in services {
        let labels = [("service", service), ("operation", "GET /"), ("kind", "server")];
        long(&mut store, ["narrows_red_calls", "narrows_red_duration_seconds"], &labels, seconds);
    }
    let calls = [
        ("edge", "shop", "service", (0.06, 0.21)),
        ("edge", "calm", "service", (0.03, 0.03)),
        ("shop", "base", "database", (0.01, 0.15)),
        ("calm", "far", "service", (0.01, 0.01)),
        ("job", "base", "database", (0.01, 0.12)),
    ];
    for (client, server, kind, seconds) in calls {
        let labels = [("client", client), ("server", server), ("type", kind)];
        long(&mut store, ["narrows_edge_calls", "narrows_edge_client_seconds"], &labels, seconds);
    }
    let grid = Grid { start_s: 0, step_s: 10, steps: 40 };
    let deadline = Instant::now() + Duration::from_secs(60);
    let asked = [Asked {
        service: "edge".to_owned(),
        operation: None,
        sli: bottleneck::Sli::Latency,
        hot: bottleneck::Span { from_s: 310, to_s: 400 },
        baseline: None,
    }];
    let mut graph = Graph::read(&store, grid, Depth::Entries, deadline).unwrap();
    let name = |graph: &Graph, node: NodeId| graph.nodes[node].name.clone();
    let places: BTreeMap<Ends, usize> = graph
        .edges
        .iter()
        .enumerate()
        .map(|(place, edge)| {
            let (client, server) = (name(&graph, edge.caller), name(&graph, edge.callee));
            let kind = if server == "base" { "database" } else { "service" };
            ((client, server, kind.to_owned()), place)
        })
        .collect();
    let read = |graph: &Graph| -> Vec<String> {
        let read = graph.edges.iter().filter(|edge| !edge.client_seconds.is_empty());
        read.map(|edge| format!("{}>{}", name(graph, edge.caller), name(graph, edge.callee))).collect()
    };
    assert_eq!(read(&graph), Vec::<String>::new());
    let reading = Reading { querier: &store, grid, deadline };
    graph.read_durations(&reading, &places, &asked, 4).unwrap();
    // Who calls what got slower is read, too; what nothing slow goes through is not.
    assert_eq!(read(&graph), ["edge>calm", "edge>shop", "job>base", "shop>base"]);
    let whole = Graph::read(&store, grid, Depth::Whole(&asked), deadline).unwrap();
    assert_eq!(read(&whole), ["calm>far", "edge>calm", "edge>shop", "job>base", "shop>base"]);
    for (some, all) in
        graph.edges.iter().zip(&whole.edges).filter(|(some, _)| !some.client_seconds.is_empty())
    {
        assert_eq!(some.client_seconds, all.client_seconds);
    }
}

#[test]
fn busy_calls_do_not_crowd_out_what_quiet_services_answer() {
    let mut store = MemoryStore::default();
    red(&mut store, "quiet", "GET /", "server", 1.0);
    for number in 0..=MAX_OPERATIONS {
        red(&mut store, "busy", &format!("GET /{number}"), "client", 50.0);
    }
    let mut graph = read(&store, Depth::Whole(&[]));
    let names: Vec<&str> = graph.operations.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["GET /"]);
    assert_eq!(graph.notes, Vec::<String>::new());
    let [busy, quiet] = ["busy", "quiet"].map(|name| graph.by_name[name]);
    let peers = (0..=MAX_OPERATIONS).map(|number| ((busy, format!("GET /{number}")), quiet)).collect();
    graph.read_calls(&store, Instant::now() + Duration::from_secs(60), &peers).unwrap();
    assert_eq!(graph.operations.len(), 1 + MAX_OPERATIONS);
    assert_eq!(graph.notes, ["of 4001 calls by name the 4000 busiest were looked at"]);
}

#[test]
fn what_is_left_out_is_said() {
    let mut notes = Vec::new();
    note_busiest(3, 3, "operations", &mut notes);
    note_busiest(9, 3, "operations", &mut notes);
    assert_eq!(notes, ["of 9 operations the 3 busiest were looked at"]);
}
