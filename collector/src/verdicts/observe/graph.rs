//! Nodes, the calls between them and their operations, from the derived series.

mod edges;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use bottleneck::{Edge, Grid, Node, NodeId, NodeType, Operation};
use promql::{Matcher, Querier, QueryError};
use telemetry::LabelSet;
use telemetry::samples::MatchOp;

use super::derived::{Lines, Reading, matchers};
use crate::verdicts::Asked;

/// More operations, or calls by name, or edges, are not looked at: those with the fewest calls go.
const MAX_OPERATIONS: usize = 4_000;
const MAX_EDGES: usize = 8_000;
/// With so many operations quantiles of all of them are affordable; with more only those of entries are made.
const MAX_QUANTILES: usize = 300;
/// A service of whose requests at least this part comes from nobody known is an entry.
const FROM_OUTSIDE: f64 = 0.2;

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Depth<'a> {
    /// What it takes to see that entries are worse.
    Entries,
    /// Everything that may have to do with these.
    Whole(&'a [Asked]),
}

impl Depth<'_> {
    fn is_whole(self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

/// What takes part in requests.
pub(super) struct Graph {
    pub(super) grid: Grid,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// Of what nodes answer; of what they call once it is known whom ([`Graph::read_calls`]).
    pub(super) operations: Vec<Operation>,
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

/// Kinds of spans that answer, and of spans that call.
const ANSWERS: &str = "server|consumer";
const CALLS: &str = "client|producer";

fn red(family: &str, kinds: &str) -> Result<Vec<Matcher>, QueryError> {
    matchers(family, &[("kind", MatchOp::Matches, kinds)])
}

/// Who calls under which names.
#[derive(Default)]
struct Callers {
    services: BTreeSet<String>,
    names: BTreeSet<Name>,
}

impl Callers {
    /// As far as it matters: services up to as many as there may be operations, and whether there are more than `most`
    /// names. No value is read: of very many names most are never asked for.
    fn read(reading: &Reading<'_>, most: usize, notes: &mut Vec<String>) -> Result<Self, QueryError> {
        let selection = reading.select(&red("narrows_red_calls", CALLS)?)?;
        let (mut callers, mut left_out) = (Self::default(), false);
        reading.each_series(selection.as_ref(), |_, labels| {
            let Some(name) = name(labels) else { return Ok(()) };
            if callers.services.len() < MAX_OPERATIONS {
                callers.services.insert(name.0.clone());
            } else {
                left_out |= !callers.services.contains(&name.0);
            }
            if callers.names.len() <= most {
                callers.names.insert(name);
            }
            Ok(())
        })?;
        if left_out {
            notes.push(format!("{MAX_OPERATIONS} of the services that call others were looked at"));
        }
        Ok(callers)
    }
}

impl Graph {
    /// Reads a stretch of time; blocks. The grid begins where there is something.
    pub(super) fn read(
        querier: &dyn Querier,
        grid: Grid,
        depth: Depth<'_>,
        deadline: Instant,
    ) -> Result<Self, QueryError> {
        let mut reading = Reading { querier, grid, deadline };
        let mut notes = Vec::new();
        let (mut answered, count) =
            reading.calls(&red("narrows_red_calls", ANSWERS)?, MAX_OPERATIONS, name)?;
        note_busiest(count, MAX_OPERATIONS, "operations", &mut notes);
        let first = first_step(answered.values());
        answered.values_mut().for_each(|lines| lines.trim(first));
        reading.grid.start_s = grid.time_s(first);
        reading.grid.steps = grid.steps - first;
        let callers = match depth {
            Depth::Entries => Callers::default(),
            Depth::Whole(_) => Callers::read(&reading, MAX_QUANTILES, &mut notes)?,
        };

        let (calls, count) = reading.calls(&matchers("narrows_edge_calls", &[])?, MAX_EDGES, ends)?;
        note_busiest(count, MAX_EDGES, "calls between services", &mut notes);
        let entries = entries(&answered, &calls);
        // Whom nobody waits for is looked at, too: consumers of queues.
        let first = unawaited(&answered, &calls);
        let is_entry = |name: &Name| entries.contains(&name.0) || first.contains(&name.0);
        let all_quantiles = depth.is_whole() && answered.len() + callers.names.len() <= MAX_QUANTILES;
        let durations = red("narrows_red_duration_seconds", ANSWERS)?;
        let wanted = |labels: &LabelSet| name(labels).filter(|name| depth.is_whole() || is_entry(name));
        reading.durations(&durations, &mut answered, wanted, |name| all_quantiles || is_entry(name))?;

        let mut graph = Self {
            grid: reading.grid,
            nodes: Vec::new(),
            edges: Vec::new(),
            operations: Vec::new(),
            by_name: HashMap::new(),
            notes,
        };
        let services = answered.keys().map(|(service, ..)| service).chain(&callers.services);
        graph.add_nodes(services, &calls);
        graph.add_operations(answered, &entries);
        graph.add_edges(&reading, calls, depth)?;
        graph.add_node_quantiles(&reading, |service| {
            all_quantiles || entries.contains(service) || first.contains(service)
        })?;
        Ok(graph)
    }

    /// Reads calls by name of those of which it is known whom they go to; blocks. Of the others there may be very many.
    pub(super) fn read_calls(
        &mut self,
        querier: &dyn Querier,
        deadline: Instant,
        peers: &BTreeMap<(NodeId, String), NodeId>,
    ) -> Result<(), QueryError> {
        if peers.is_empty() {
            return Ok(());
        }
        let reading = Reading { querier, grid: self.grid, deadline };
        let key = |labels: &LabelSet| {
            let (service, operation, _) = name(labels)?;
            Some((*self.by_name.get(&service)?, operation)).filter(|call| peers.contains_key(call))
        };
        let (mut calls, count) = reading.calls(&red("narrows_red_calls", CALLS)?, MAX_OPERATIONS, key)?;
        reading.durations(&red("narrows_red_duration_seconds", CALLS)?, &mut calls, key, |_| false)?;
        note_busiest(count, MAX_OPERATIONS, "calls by name", &mut self.notes);
        for ((node, operation), lines) in calls.into_iter().filter(|(_, lines)| lines.total() > 0.0) {
            let peer = peers.get(&(node, operation.clone())).copied();
            self.operations.push(of_lines(node, operation, peer, false, self.grid.steps, lines));
        }
        Ok(())
    }

    /// `services` are those that send spans.
    fn add_nodes<'a>(
        &mut self,
        services: impl Iterator<Item = &'a String>,
        calls: &'a BTreeMap<Ends, Lines>,
    ) {
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
        types.extend(services.map(|service| (service.as_str(), NodeType::Service)));
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

    fn add_operations(&mut self, answered: BTreeMap<Name, Lines>, entries: &BTreeSet<String>) {
        let steps = self.grid.steps;
        let mut wholes: BTreeMap<NodeId, Lines> = BTreeMap::new();
        for ((service, operation, kind), lines) in answered {
            let Some(node) = self.by_name.get(&service).copied() else { continue };
            if lines.total() <= 0.0 {
                continue;
            }
            wholes.entry(node).or_insert_with(|| Lines::new(steps)).join(&lines);
            let is_entry = kind == "server" && entries.contains(&service);
            self.operations.push(of_lines(node, operation, None, is_entry, steps, lines));
        }
        for (node, lines) in wholes {
            let node = &mut self.nodes[node];
            (node.requests, node.errors, node.seconds) = (lines.calls, lines.errors, lines.seconds);
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
        let durations = red("narrows_red_duration_seconds", ANSWERS)?;
        let key = |labels: &LabelSet| nodes.get(labels.get("service")?).copied();
        reading.durations(&durations, &mut lines, key, |_| true)?;
        for (node, lines) in lines {
            self.nodes[node].high_seconds = lines.high;
        }
        Ok(())
    }
}

fn of_lines(
    node: NodeId,
    name: String,
    peer: Option<NodeId>,
    is_entry: bool,
    steps: usize,
    lines: Lines,
) -> Operation {
    let Lines { calls, errors, mut seconds, high } = lines;
    seconds.resize(steps, 0.0);
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
fn entries(all: &BTreeMap<Name, Lines>, calls: &BTreeMap<Ends, Lines>) -> BTreeSet<String> {
    let (mut answered, mut asked): (BTreeMap<&str, f64>, BTreeMap<&str, f64>) = Default::default();
    let (mut served, mut consumed): (BTreeMap<&str, f64>, BTreeMap<&str, f64>) = Default::default();
    for ((service, _, kind), lines) in all {
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
fn unawaited(answered: &BTreeMap<Name, Lines>, calls: &BTreeMap<Ends, Lines>) -> BTreeSet<String> {
    let awaited: BTreeSet<&String> =
        calls.keys().filter(|(.., kind)| kind != "messaging").map(|(_, server, _)| server).collect();
    let answering = answered.keys().map(|(service, ..)| service);
    answering.filter(|service| !awaited.contains(service)).cloned().collect()
}
