//! Nodes, the calls between them and their operations, from the derived series.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use bottleneck::{Edge, Grid, Node, NodeId, NodeType, Operation};
use promql::{Querier, QueryError};
use telemetry::LabelSet;
use telemetry::samples::MatchOp;

use super::derived::{Lines, Reading, matchers};

/// More operations, or edges, are not looked at: those with the fewest calls go.
const MAX_OPERATIONS: usize = 4_000;
const MAX_EDGES: usize = 8_000;
/// With so many operations quantiles of all of them are affordable; with more only those of entries are made.
const MAX_QUANTILES: usize = 300;
/// A service of whose requests at least this part comes from nobody known is an entry.
const FROM_OUTSIDE: f64 = 0.2;
/// Calls to outside are told so late that the newest steps do not have them yet.
const LATE_STEPS: usize = 4;

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What it takes to see that entries are worse.
    Entries,
    /// Everything.
    Whole,
}

/// What takes part in requests.
pub(super) struct Graph {
    pub(super) grid: Grid,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// Of what nodes answer.
    pub(super) operations: Vec<Operation>,
    /// Calls by name, for when it is known whom they go to.
    pub(super) clients: BTreeMap<(NodeId, String), Lines>,
    pub(super) by_name: HashMap<String, NodeId>,
    pub(super) notes: Vec<String>,
}

/// Service, operation, kind.
type Name = (String, String, String);
/// Caller, callee, type.
type Ends = (String, String, String);

fn name(labels: &LabelSet) -> Option<Name> {
    let label = |name| labels.get(name).map(str::to_owned);
    Some((label("service")?, label("operation")?, label("kind")?))
}

fn ends(labels: &LabelSet) -> Option<Ends> {
    let label = |name| labels.get(name).map(str::to_owned);
    Some((label("client")?, label("server")?, label("type").unwrap_or_default()))
}

fn answers(kind: &str) -> bool {
    matches!(kind, "server" | "consumer")
}

impl Graph {
    /// Reads a stretch of time; blocks. The grid begins where there is something.
    pub(super) fn read(
        querier: &dyn Querier,
        grid: Grid,
        depth: Depth,
        deadline: Instant,
    ) -> Result<Self, QueryError> {
        let kinds = match depth {
            Depth::Entries => "server|consumer",
            Depth::Whole => "server|consumer|client|producer",
        };
        let of_kind = [("kind", MatchOp::Matches, kinds)];
        let mut reading = Reading { querier, grid, deadline };
        let mut notes = Vec::new();
        let (mut red, count) =
            reading.calls(&matchers("narrows_red_calls", &of_kind)?, MAX_OPERATIONS, name)?;
        note_busiest(count, MAX_OPERATIONS, "operations", &mut notes);
        let first = first_step(red.values());
        red.values_mut().for_each(|lines| lines.trim(first));
        reading.grid.start_s = grid.time_s(first);
        reading.grid.steps = grid.steps - first;

        let (mut calls, count) = reading.calls(&matchers("narrows_edge_calls", &[])?, MAX_EDGES, ends)?;
        note_busiest(count, MAX_EDGES, "calls between services", &mut notes);
        let entries = entries(&red, &calls);
        // Whom nobody waits for is looked at, too: consumers of queues.
        let first = unawaited(&red, &calls);
        let is_entry =
            |name: &Name| answers(&name.2) && (entries.contains(&name.0) || first.contains(&name.0));
        let all_quantiles = depth == Depth::Whole && red.len() <= MAX_QUANTILES;
        let durations = matchers("narrows_red_duration_seconds", &of_kind)?;
        let wanted = |labels: &LabelSet| name(labels).filter(|name| depth == Depth::Whole || is_entry(name));
        reading.durations(&durations, &mut red, wanted, |name| all_quantiles || is_entry(name))?;

        let mut graph = Self {
            grid: reading.grid,
            nodes: Vec::new(),
            edges: Vec::new(),
            operations: Vec::new(),
            clients: BTreeMap::new(),
            by_name: HashMap::new(),
            notes,
        };
        graph.add_nodes(&red, &calls);
        graph.add_operations(red, &entries);
        let mut servers: BTreeMap<Ends, Lines> = BTreeMap::new();
        if depth == Depth::Whole {
            servers.clone_from(&calls);
            let client = matchers("narrows_edge_client_seconds", &[])?;
            reading.durations(&client, &mut calls, ends, |_| false)?;
            let server = matchers("narrows_edge_server_seconds", &[])?;
            reading.durations(&server, &mut servers, ends, |_| false)?;
        }
        graph.add_edges(calls, &servers);
        graph.add_node_quantiles(&reading, |service| {
            all_quantiles || entries.contains(service) || first.contains(service)
        })?;
        Ok(graph)
    }

    fn add_nodes(&mut self, red: &BTreeMap<Name, Lines>, calls: &BTreeMap<Ends, Lines>) {
        let mut types: BTreeMap<&str, NodeType> = BTreeMap::new();
        for (client, server, kind) in calls.keys() {
            let of_server = match kind.as_str() {
                "database" => NodeType::Database,
                "messaging" => NodeType::Messaging,
                "external" => NodeType::External,
                _ => NodeType::Service,
            };
            types.entry(server).or_insert(of_server);
            // Whoever sends no spans and yet hands messages on is a queue.
            let of_client = if kind == "messaging" { NodeType::Messaging } else { NodeType::Service };
            types.entry(client).or_insert(of_client);
        }
        // What sends spans is known to be a service.
        types.extend(red.keys().map(|(service, ..)| (service.as_str(), NodeType::Service)));
        for (name, node_type) in types {
            self.by_name.insert(name.to_owned(), self.nodes.len());
            self.nodes.push(Node {
                name: name.to_owned(),
                node_type,
                hosts: Vec::new(),
                requests: Vec::new(),
                errors: Vec::new(),
                seconds: Vec::new(),
                high_seconds: Vec::new(),
            });
        }
    }

    fn add_operations(&mut self, red: BTreeMap<Name, Lines>, entries: &BTreeSet<String>) {
        let steps = self.grid.steps;
        let mut wholes: BTreeMap<NodeId, Lines> = BTreeMap::new();
        for ((service, operation, kind), lines) in red {
            let Some(node) = self.by_name.get(&service).copied() else { continue };
            if lines.total() <= 0.0 {
                continue;
            }
            if !answers(&kind) {
                self.clients.entry((node, operation)).and_modify(|known| known.join(&lines)).or_insert(lines);
                continue;
            }
            wholes.entry(node).or_insert_with(|| Lines::new(steps)).join(&lines);
            let is_entry = kind == "server" && entries.contains(&service);
            self.operations.push(of_lines(node, operation, None, is_entry, lines));
        }
        for (node, lines) in wholes {
            let node = &mut self.nodes[node];
            (node.requests, node.errors, node.seconds) = (lines.calls, lines.errors, lines.seconds);
        }
    }

    fn add_edges(&mut self, calls: BTreeMap<Ends, Lines>, servers: &BTreeMap<Ends, Lines>) {
        for (ends, mut lines) in calls {
            let (client, server, kind) = &ends;
            let nodes = (self.by_name.get(client).copied(), self.by_name.get(server).copied());
            let (Some(caller), Some(callee)) = nodes else { continue };
            if lines.total() <= 0.0 {
                continue;
            }
            if kind == "external" {
                let known = lines.calls.len().saturating_sub(LATE_STEPS);
                for series in [&mut lines.calls, &mut lines.errors, &mut lines.seconds] {
                    series[known..].fill(f64::NAN);
                }
            }
            let server_seconds = servers.get(&ends).map(|lines| lines.seconds.clone()).unwrap_or_default();
            let is_measured = server_seconds.iter().any(|seconds| *seconds > 0.0);
            let is_broker = |node: NodeId| self.nodes[node].node_type == NodeType::Messaging;
            // A producer waits until the broker has its message; nobody waits for who takes it from there.
            let is_async = kind == "messaging" && !is_broker(callee);
            self.edges.push(Edge {
                caller,
                callee,
                is_async,
                calls: lines.calls,
                errors: lines.errors,
                client_seconds: lines.seconds,
                server_seconds: if is_measured { server_seconds } else { Vec::new() },
            });
        }
    }

    /// p95 of all requests of a node together.
    fn add_node_quantiles(
        &mut self,
        reading: &Reading<'_>,
        is_wanted: impl Fn(&String) -> bool,
    ) -> Result<(), QueryError> {
        let nodes: BTreeMap<String, NodeId> = self
            .by_name
            .iter()
            .filter(|(_, node)| !self.nodes[**node].requests.is_empty())
            .filter(|(name, _)| is_wanted(name))
            .map(|(name, node)| (name.clone(), *node))
            .collect();
        let mut lines: BTreeMap<NodeId, Lines> =
            nodes.values().map(|node| (*node, Lines::new(self.grid.steps))).collect();
        let of_kind = [("kind", MatchOp::Matches, "server|consumer")];
        let durations = matchers("narrows_red_duration_seconds", &of_kind)?;
        let key = |labels: &LabelSet| nodes.get(labels.get("service")?).copied();
        reading.durations(&durations, &mut lines, key, |_| true)?;
        for (node, lines) in lines {
            self.nodes[node].high_seconds = lines.high;
        }
        Ok(())
    }
}

pub(super) fn of_lines(
    node: NodeId,
    name: String,
    peer: Option<NodeId>,
    is_entry: bool,
    lines: Lines,
) -> Operation {
    let Lines { calls, errors, seconds, high } = lines;
    Operation { node, name, peer, is_entry, calls, errors, seconds, high_seconds: high }
}

/// Before the first bucket nothing is known; a store that is younger than the stretch must not look like silence.
fn first_step<'a>(all: impl Iterator<Item = &'a Lines>) -> usize {
    let first = |lines: &Lines| lines.calls.iter().position(|calls| *calls > 0.0);
    all.filter_map(first).min().unwrap_or(0)
}

fn note_busiest(count: usize, most: usize, what: &str, notes: &mut Vec<String>) {
    if count > most {
        notes.push(format!("of {count} {what} the {most} busiest were looked at"));
    }
}

/// Services that get requests from outside: of more than a few of them nobody known is the caller. Who answers
/// nothing itself (a browser, a load generator) is outside, even if it sends spans.
fn entries(red: &BTreeMap<Name, Lines>, calls: &BTreeMap<Ends, Lines>) -> BTreeSet<String> {
    let (mut answered, mut asked): (BTreeMap<&str, f64>, BTreeMap<&str, f64>) = Default::default();
    let (mut served, mut consumed): (BTreeMap<&str, f64>, BTreeMap<&str, f64>) = Default::default();
    for ((service, _, kind), lines) in red.iter().filter(|((.., kind), _)| answers(kind)) {
        *answered.entry(service).or_default() += lines.total();
        *if kind == "server" { &mut served } else { &mut consumed }.entry(service).or_default() +=
            lines.total();
    }
    for ((client, server, kind), lines) in calls {
        if kind != "messaging" && answered.contains_key(client.as_str()) {
            *asked.entry(server).or_default() += lines.total();
        }
    }
    let is_entry = |(service, requests): &(&str, f64)| {
        let inside = asked.get(service).copied().unwrap_or_default();
        *requests > 0.0 && requests - inside >= FROM_OUTSIDE * requests
    };
    served.into_iter().filter(is_entry).map(|(service, _)| service.to_owned()).collect()
}

/// Services that answer, and that nobody waits for.
fn unawaited(red: &BTreeMap<Name, Lines>, calls: &BTreeMap<Ends, Lines>) -> BTreeSet<String> {
    let awaited: BTreeSet<&String> =
        calls.keys().filter(|(.., kind)| kind != "messaging").map(|(_, server, _)| server).collect();
    let answering = red.keys().filter(|(.., kind)| answers(kind)).map(|(service, ..)| service);
    answering.filter(|service| !awaited.contains(service)).cloned().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lines(calls: f64) -> Lines {
        Lines { calls: vec![calls], ..Lines::new(1) }
    }

    #[test]
    fn an_entry_is_what_outsiders_call() {
        let red = [
            ("edge", "server", 100.0),
            ("shop", "server", 100.0),
            ("api", "server", 100.0),
            ("load", "client", 100.0),
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
        let (red, calls) = (red.into(), calls.into());
        let found = entries(&red, &calls);
        let first: Vec<String> = unawaited(&red, &calls).into_iter().collect();
        assert_eq!(first, ["behind-gateway", "worker"]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["api", "behind-gateway", "edge"]);
    }

    #[test]
    fn what_is_left_out_is_said() {
        let mut notes = Vec::new();
        note_busiest(3, 3, "operations", &mut notes);
        note_busiest(9, 3, "operations", &mut notes);
        assert_eq!(notes, ["of 9 operations the 3 busiest were looked at"]);
    }
}
