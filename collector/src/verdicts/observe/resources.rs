//! Measurements of hosts, programs and servers: the table of signals, asked for a stretch of time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use bottleneck::{Grid, Node, NodeId, NodeType, Owner, Resource, Signal};
use promql::{Evaluation, Limits, Querier, QueryError, Series, Value};
use telemetry::LabelSet;

use super::servers::{Role, Servers};
use super::signals::{By, ROWS, Row};

/// Range of rates: what is measured every 15 s at the most has two values in it.
const WINDOW: &str = "40s";
/// The same for what is told every minute, as OpenTelemetry's SDKs do if nobody says otherwise.
const LONG_WINDOW: &str = "150s";
/// How old a value may be.
const LOOKBACK_MS: i64 = 90_000;
/// Owners of one signal: those with the largest values are kept.
const MAX_OWNERS: usize = 200;
/// Samples that one query may read.
pub(crate) const MAX_SAMPLES: usize = 5_000_000;
/// What is too large for one query is asked for in halves, so many times: 8 queries at the most.
const HALVINGS: usize = 3;

/// What was measured, and what could not be used.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) resources: Vec<Resource>,
    pub(super) notes: Vec<String>,
}

/// How a stretch of time is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) querier: &'a dyn Querier,
    pub(crate) grid: Grid,
    pub(crate) deadline: Instant,
    /// Set when nobody waits any more.
    pub(crate) cancelled: &'a Arc<AtomicBool>,
    pub(crate) memory_bytes: usize,
    /// Samples that one query may read: [`MAX_SAMPLES`].
    pub(crate) max_samples: usize,
}

/// Nodes by what measurements call them.
struct Nodes<'a> {
    by_name: &'a HashMap<String, NodeId>,
    nodes: &'a [Node],
    servers: Servers,
}

/// A series of a row.
struct Found {
    series: Series,
    window: &'static str,
}

/// How long queues are, and how fast messages come and go: what is looked at every few seconds. Blocks.
pub(super) fn queues(
    asking: &Asking<'_>,
    nodes: &[Node],
    by_name: &HashMap<String, NodeId>,
) -> Result<Measured, QueryError> {
    const SIGNALS: [Signal; 4] =
        [Signal::QueueReady, Signal::QueuePublished, Signal::QueueConsumed, Signal::QueueConsumers];
    if !nodes.iter().any(|node| node.node_type == NodeType::Messaging) {
        return Ok(Measured::default());
    }
    let nodes = Nodes { by_name, nodes, servers: Servers::default() };
    rows(asking, &nodes, ROWS.iter().filter(|row| SIGNALS.contains(&row.signal)))
}

/// Asks every row of the table; blocks.
pub(super) fn read(
    asking: &Asking<'_>,
    nodes: &[Node],
    by_name: &HashMap<String, NodeId>,
) -> Result<Measured, QueryError> {
    let mut measured = Measured::default();
    let servers = Servers::read(asking, &mut measured.notes);
    let nodes = Nodes { by_name, nodes, servers };
    measured.notes.extend(nodes.of_no_server());
    let found = rows(asking, &nodes, ROWS.iter())?;
    measured.notes.extend(found.notes);
    Ok(Measured { resources: found.resources, ..measured })
}

fn rows<'a>(
    asking: &Asking<'_>,
    nodes: &Nodes<'_>,
    rows: impl Iterator<Item = &'a Row>,
) -> Result<Measured, QueryError> {
    let mut measured = Measured::default();
    let mut known: BTreeSet<(Owner, Signal)> = BTreeSet::new();
    for row in rows {
        let series = match found(asking, row) {
            Ok(found) => found,
            Err(QueryError::Cancelled) => return Err(QueryError::Cancelled),
            // A verdict without it is better than none.
            Err(QueryError::Timeout(_)) => {
                measured.notes.push("not all measurements could be read in time".to_owned());
                break;
            }
            Err(error) => {
                measured.notes.push(format!("{:?} {} could not be read: {error}", row.signal, whose(row.by)));
                continue;
            }
        };
        for Found { series: one, window } in largest(series, row, &mut measured.notes) {
            let labels = row.by.labels();
            let values: Vec<&str> =
                labels.iter().map(|label| one.labels.get(label).unwrap_or_default()).collect();
            for owner in nodes.owners(row.by, &values) {
                if known.insert((owner.clone(), row.signal)) {
                    let query = row.of_one(&values, window);
                    let values = on_grid(&one, &asking.grid);
                    measured.resources.push(Resource { owner, signal: row.signal, values, query });
                }
            }
        }
    }
    measured.resources.sort_by(|a, b| (&a.owner, a.signal).cmp(&(&b.owner, b.signal)));
    Ok(measured)
}

/// The series of a row, each with the window of its rates.
fn found(asking: &Asking<'_>, row: &Row) -> Result<Vec<Found>, QueryError> {
    let of_window = |window| {
        let found = row_of(asking, row, window)?.into_iter();
        Ok::<Vec<Found>, QueryError>(found.map(|series| Found { series, window }).collect())
    };
    let short = of_window(WINDOW)?;
    // An agent measures all that it measures equally often; each program has an interval of its own.
    let is_of_programs = matches!(row.by, By::Service | By::Part(_) | By::Destination);
    if !row.query.contains("$w") || !(short.is_empty() || is_of_programs) {
        return Ok(short);
    }
    let mut all = of_window(LONG_WINDOW)?;
    let places: HashMap<LabelSet, usize> =
        all.iter().enumerate().map(|(at, one)| (one.series.labels.clone(), at)).collect();
    for one in short {
        match places.get(&one.series.labels) {
            // With fewer than two values in most windows it has gaps.
            Some(at) if 2 * one.series.floats.len() >= all[*at].series.floats.len() => all[*at] = one,
            Some(_) => {}
            None => all.push(one),
        }
    }
    Ok(all)
}

fn row_of(asking: &Asking<'_>, row: &Row, window: &str) -> Result<Vec<Series>, QueryError> {
    in_parts(asking, &row.of_all(window), HALVINGS)
}

/// What is too large for one query (CPUs times modes of a fleet) is read in shorter stretches of time.
fn in_parts(asking: &Asking<'_>, query: &str, halvings: usize) -> Result<Vec<Series>, QueryError> {
    let whole = range(asking, query);
    if !matches!(whole, Err(QueryError::TooLarge(_))) || halvings == 0 || asking.grid.steps < 2 {
        return whole;
    }
    let half = asking.grid.steps / 2;
    let first = Grid { steps: half, ..asking.grid };
    let second = Grid { start_s: asking.grid.time_s(half), steps: asking.grid.steps - half, ..asking.grid };
    let mut series = in_parts(&Asking { grid: first, ..*asking }, query, halvings - 1)?;
    let places: HashMap<LabelSet, usize> =
        series.iter().enumerate().map(|(at, one)| (one.labels.clone(), at)).collect();
    for one in in_parts(&Asking { grid: second, ..*asking }, query, halvings - 1)? {
        match places.get(&one.labels) {
            Some(at) => series[*at].floats.extend(one.floats),
            None => series.push(one),
        }
    }
    Ok(series)
}

/// For people.
fn whose(by: By) -> &'static str {
    match by {
        By::Host => "of hosts",
        By::Process => "of programs",
        By::Group => "of control groups",
        By::Service | By::Part(_) => "of services",
        By::Server(_) | By::Database(..) | By::DatabasePart(..) => "of servers",
        By::ServerPart(..) | By::Destination => "of queues",
    }
}

/// A query at the end of every step.
pub(crate) fn range(asking: &Asking<'_>, query: &str) -> Result<Vec<Series>, QueryError> {
    let limits = Limits {
        max_samples: asking.max_samples,
        max_memory_bytes: asking.memory_bytes,
        timeout: Some(asking.deadline),
        cancel: Some(Arc::clone(asking.cancelled)),
        threads: 1,
    };
    let evaluation = Evaluation {
        querier: asking.querier,
        limits,
        lookback_ms: LOOKBACK_MS,
        default_step_ms: 60_000,
        text: query,
    };
    let expr = promql::parse(query).map_err(|error| QueryError::Execution(error.to_string()))?;
    let step_ms = i64::from(asking.grid.step_s) * 1_000;
    let last = i64::try_from(asking.grid.steps).unwrap_or(i64::MAX / step_ms);
    let (start_ms, end_ms) =
        (asking.grid.start_s * 1_000 + step_ms, asking.grid.start_s * 1_000 + last * step_ms);
    match promql::range(&evaluation, &expr, start_ms, end_ms, step_ms)?.value {
        Value::Matrix(series) => Ok(series),
        _ => Ok(Vec::new()),
    }
}

/// One value per step: that at its end.
fn on_grid(series: &Series, grid: &Grid) -> Vec<f64> {
    let mut values = vec![f64::NAN; grid.steps];
    for (time_ms, value) in &series.floats {
        let step = (time_ms / 1_000 - grid.start_s) / i64::from(grid.step_s) - 1;
        if let Some(place) = usize::try_from(step).ok().and_then(|step| values.get_mut(step)) {
            *place = *value;
        }
    }
    values
}

fn largest(mut series: Vec<Found>, row: &Row, notes: &mut Vec<String>) -> Vec<Found> {
    if series.len() > MAX_OWNERS {
        let most = |one: &Found| one.series.floats.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        series.sort_by(|a, b| most(b).total_cmp(&most(a)));
        // A group that was never stopped or killed is nothing that is missing.
        if most(&series[MAX_OWNERS]) > 0.0 {
            notes.push(format!(
                "of {} measurements of {:?} the {MAX_OWNERS} largest were looked at",
                series.len(),
                row.signal
            ));
        }
        series.truncate(MAX_OWNERS);
    }
    series
}

impl Nodes<'_> {
    /// Who is measured; nobody if it is no part of any request.
    fn owners(&self, by: By, values: &[&str]) -> Vec<Owner> {
        let value = |at: usize| values.get(at).copied().unwrap_or_default().to_owned();
        let part = |name: String| move |node| Owner::Part { node, name: name.clone() };
        // A server may tell no instance of its own.
        let names = if matches!(by, By::Server(_) | By::Database(..)) { &values[1..] } else { values };
        if names.iter().any(|value| value.is_empty()) {
            return Vec::new();
        }
        match by {
            By::Host => vec![Owner::Host(value(0))],
            By::Process => vec![Owner::Process { host: value(0), executable: value(1) }],
            By::Group => vec![Owner::Group { host: value(0), name: value(1) }],
            By::Service => self.named(values[0]).map(Owner::Node).into_iter().collect(),
            By::Part(_) => self.named(values[0]).map(part(value(1))).into_iter().collect(),
            By::Server(system) => self.of_server(system, values[0]),
            By::Database(system, _) => {
                let is_its = self.servers.role(system, Some(values[1]), values[0]) == Role::Own;
                self.database(system, values[1]).filter(|_| is_its).map(Owner::Node).collect()
            }
            By::ServerPart(system, _) => self.of_system(system).map(part(value(0))).collect(),
            By::DatabasePart(system, ..) => self.database(system, values[0]).map(part(value(1))).collect(),
            By::Destination => self.of_system(values[0]).map(part(value(1))).collect(),
        }
    }

    fn named(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// Nodes of a database system or broker: `redis`, `redis/0`.
    fn of_system(&self, system: &str) -> impl Iterator<Item = NodeId> {
        let is_of = |node: &Node| {
            let rest = node.name.strip_prefix(system);
            node.node_type != NodeType::Service
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found: Vec<NodeId> = (0..self.nodes.len()).filter(|at| is_of(&self.nodes[*at])).collect();
        found.into_iter()
    }

    /// The nodes of a system that are one of its servers.
    fn of_server(&self, system: &str, instance: &str) -> Vec<Owner> {
        let owner = |node| match self.servers.role(system, self.database_of(node), instance) {
            Role::Own => Some(Owner::Node(node)),
            Role::OneOf(name) => Some(Owner::Part { node, name }),
            Role::Other => None,
        };
        self.of_system(system).filter_map(owner).collect()
    }

    fn database_of(&self, node: NodeId) -> Option<&str> {
        self.nodes[node].name.split_once('/').map(|(_, database)| database)
    }

    /// Databases of which several servers, or those of others, are measured.
    fn of_no_server(&self) -> impl Iterator<Item = String> {
        let systems = ["postgresql"].into_iter();
        let of_system = |system| self.of_system(system).map(move |node| (system, node));
        systems.flat_map(of_system).filter_map(|(system, node)| {
            self.servers.note(system, self.database_of(node), &self.nodes[node].name)
        })
    }

    /// `postgresql/shop`; else the system, where spans do not say which database they ask.
    fn database(&self, system: &str, name: &str) -> impl Iterator<Item = NodeId> {
        let exact = self.named(&format!("{system}/{name}"));
        exact.or_else(|| self.named(system)).into_iter()
    }
}

/// Hosts by the nodes that run there, as far as series say it.
pub(super) fn hosts(
    labels: &[LabelSet],
    by_name: &HashMap<String, NodeId>,
) -> BTreeMap<NodeId, BTreeSet<String>> {
    let mut hosts: BTreeMap<NodeId, BTreeSet<String>> = BTreeMap::new();
    for set in labels {
        let Some(host) = set.get("host_name").filter(|host| !host.is_empty()) else { continue };
        let of_job = set.get("job").map(|job| job.rsplit('/').next().unwrap_or(job));
        let names = [set.get("service_name"), of_job];
        if let Some(node) = names.into_iter().flatten().find_map(|name| by_name.get(name)) {
            hosts.entry(*node).or_default().insert(host.to_owned());
        }
    }
    hosts
}

#[cfg(test)]
mod tests;
