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
    let mut known: BTreeSet<(Owner, Signal)> = BTreeSet::new();
    for row in ROWS {
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
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use promql::testing::MemoryStore;

    use super::super::signals::tests::selectors;
    use super::*;

    const STEPS: usize = 12;

    fn node(name: &str, node_type: NodeType) -> Node {
        Node {
            name: name.to_owned(),
            node_type,
            hosts: Vec::new(),
            requests: Vec::new(),
            errors: Vec::new(),
            seconds: Vec::new(),
            high_seconds: Vec::new(),
        }
    }

    /// A store in which every series that a row names is there, growing by one a second.
    fn store(row: &Row) -> MemoryStore {
        let mut store = MemoryStore::default();
        for (name, _) in selectors(&row.of_all("40s")) {
            let mut labels: BTreeMap<&str, String> = BTreeMap::new();
            labels.insert("__name__", name.clone());
            labels.insert(
                "job",
                if row.query.contains("job!=\"agent\"") { "catalog" } else { "agent" }.to_owned(),
            );
            for label in row.by.labels() {
                let value = match label {
                    "service_name" => "catalog",
                    "postgresql_database_name" => "shop",
                    "messaging_system" => "rabbitmq",
                    _ => "x",
                };
                labels.insert(label, value.to_owned());
            }
            // What its conditions ask for.
            let query = row.of_all("40s");
            let at = query.find(&format!("{name}{{")).unwrap() + name.len() + 1;
            for condition in query[at..at + query[at..].find('}').unwrap()].split(',') {
                if let Some((label, value)) =
                    condition.split_once("=\"").filter(|(label, _)| !label.contains('!'))
                {
                    labels.insert(label, value.trim_end_matches('"').to_owned());
                }
            }
            labels.entry("service_name").or_insert_with(|| "catalog".to_owned());
            labels.entry("messaging_destination_name").or_insert_with(|| "x".to_owned());
            let labels = LabelSet::new(labels).unwrap();
            for at in 0..=(STEPS as i64 * 10 / 5) {
                store.add(&labels, at * 5_000, (at * 5 + 1) as f64);
            }
        }
        store
    }

    #[test]
    fn each_row_finds_its_series_and_its_owner() {
        let nodes = [
            node("catalog", NodeType::Service),
            node("postgresql/shop", NodeType::Database),
            node("redis/0", NodeType::Database),
            node("rabbitmq", NodeType::Messaging),
        ];
        let by_name: HashMap<String, NodeId> =
            nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
        let (deadline, cancelled) = (Instant::now() + Duration::from_secs(20), Arc::default());
        for row in ROWS {
            let store = store(row);
            let grid = Grid { start_s: 0, step_s: 10, steps: STEPS };
            let asking = Asking {
                querier: &store,
                grid,
                deadline,
                cancelled: &cancelled,
                memory_bytes: 64 << 20,
                max_samples: MAX_SAMPLES,
            };
            let measured = read(&asking, &nodes, &by_name).unwrap();
            let found: Vec<&Resource> =
                measured.resources.iter().filter(|one| one.signal == row.signal).collect();
            let is_owner = |one: &&Resource| match (row.by, &one.owner) {
                (By::Host, Owner::Host(host)) => host == "x",
                (By::Process, Owner::Process { host, executable }) => host == "x" && executable == "x",
                (By::Group, Owner::Group { host, name }) => host == "x" && name == "x",
                (By::Service, Owner::Node(node)) => *node == 0,
                (By::Part(_), Owner::Part { node, name }) => *node == 0 && name == "x",
                (By::Server("postgresql") | By::Database(..), Owner::Node(node)) => *node == 1,
                (By::DatabasePart(..), Owner::Part { node, name }) => *node == 1 && name == "x",
                (By::Server("redis"), Owner::Node(node)) => *node == 2,
                (By::Server("rabbitmq"), Owner::Node(node)) => *node == 3,
                (By::ServerPart(..) | By::Destination, Owner::Part { node, name }) => {
                    *node == 3 && name == "x"
                }
                _ => false,
            };
            let one = found.into_iter().find(is_owner);
            let one = one.unwrap_or_else(|| panic!("{row:?}: {measured:?}"));
            let last = one.values[STEPS - 1];
            // A counter grows by one a second.
            let expected = if row.query.contains("rate(") { 1.0 } else { last };
            assert!((last - expected).abs() < 1e-6 && last.is_finite(), "{row:?}: {last}");
            assert!(promql::parse(&one.query).is_ok() && one.values.len() == STEPS);
        }
    }

    #[test]
    fn a_large_row_is_read_in_parts_and_ends_nothing() {
        let row = ROWS.iter().find(|row| row.signal == Signal::CpuUsed && row.by == By::Host).unwrap();
        let other = ROWS.iter().find(|row| row.signal == Signal::MemoryLimit && row.by == By::Host).unwrap();
        let mut store = MemoryStore::default();
        let labels = |name: &str, cpu: &str| {
            let mode = [("cpu_mode", "user"), ("job", "agent"), ("host_name", "x"), ("cpu", cpu)];
            LabelSet::new(mode.into_iter().chain([("__name__", name)])).unwrap()
        };
        let steps = 60;
        for at in -8..=i64::from(steps) * 2 {
            for cpu in ["0", "1"] {
                store.add(&labels("system_cpu_time_seconds_total", cpu), at * 5_000, (at * 5 + 50) as f64);
            }
            if at % 24 == 0 {
                store.add(&labels("system_memory_limit_bytes", "0"), at * 5_000, 7.0);
            }
        }
        let grid = Grid { start_s: 0, step_s: 10, steps: steps as usize };
        let read = |max_samples: usize| {
            let deadline = Instant::now() + Duration::from_secs(60);
            let (cancelled, memory_bytes) = (&Arc::default(), 64 << 20);
            let asking = Asking { querier: &store, grid, deadline, cancelled, memory_bytes, max_samples };
            read(&asking, &[], &HashMap::new()).unwrap()
        };
        let values = |measured: &Measured, row: &Row| {
            let one = measured.resources.iter().find(|one| one.signal == row.signal)?;
            Some(one.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>())
        };
        let whole = read(MAX_SAMPLES);
        assert!(whole.notes.is_empty() && values(&whole, row).is_some(), "{whole:?}");
        // Each of the two CPUs has 128 values within reach of the whole stretch, and 22 of an eighth.
        for (max_samples, is_read) in [(200, true), (60, true), (30, false)] {
            let parts = read(max_samples);
            assert_eq!(values(&parts, row), values(&whole, row).filter(|_| is_read), "{max_samples}");
            assert_eq!(values(&parts, other), values(&whole, other), "{max_samples}: others are read");
            assert_eq!(parts.notes.len(), usize::from(!is_read), "{:?}", parts.notes);
            assert!(parts.notes.iter().all(|note| note.contains("CpuUsed of hosts could not be read")));
        }
    }

    #[test]
    fn each_program_has_its_own_interval() {
        let row = ROWS.iter().find(|row| row.signal == Signal::CpuUsed && row.by == By::Service).unwrap();
        let mut store = MemoryStore::default();
        let services = [("edge", 10, WINDOW), ("cart", 30, LONG_WINDOW), ("catalog", 60, LONG_WINDOW)];
        let nodes = services.map(|(name, ..)| node(name, NodeType::Service));
        let steps = 60;
        for (service, every_s, _) in services {
            let name = [("__name__", "process_cpu_time_seconds_total"), ("job", service)];
            let labels = LabelSet::new(name.into_iter().chain([("service_name", service)])).unwrap();
            for at_s in (-180..=steps * 10).step_by(every_s) {
                store.add(&labels, i64::from(at_s) * 1_000, f64::from(at_s + 200));
            }
        }
        let by_name = nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        let grid = Grid { start_s: 0, step_s: 10, steps: steps as usize };
        let (cancelled, memory_bytes, max_samples) = (&Arc::default(), 64 << 20, MAX_SAMPLES);
        let asking = Asking { querier: &store, grid, deadline, cancelled, memory_bytes, max_samples };
        let measured = read(&asking, &nodes, &by_name).unwrap();
        for (at, (service, _, window)) in services.into_iter().enumerate() {
            let of_it = |one: &&Resource| one.owner == Owner::Node(at) && one.signal == row.signal;
            let all: Vec<&Resource> = measured.resources.iter().filter(of_it).collect();
            let [one] = all[..] else { panic!("{service}: {all:?}") };
            assert!(one.values.iter().all(|value| (value - 1.0).abs() < 1e-6), "{service}: {:?}", one.values);
            assert!(one.query.contains(&format!("[{window}]")), "{service}: {}", one.query);
        }
    }

    #[test]
    fn of_several_servers_each_node_has_its_own() {
        let names = ["postgresql/orders", "postgresql/shop", "postgresql/other", "postgresql", "redis/0"];
        let nodes = names.map(|name| node(name, NodeType::Database));
        let by_name: HashMap<String, NodeId> =
            nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
        let mut store = MemoryStore::default();
        let mut add = |labels: &[(&str, &str)], value: f64| {
            let labels = LabelSet::new(labels.iter().copied()).unwrap();
            (0..=24).for_each(|at| store.add(&labels, at * 5_000, value));
        };
        // (server, database, connections): the second has an old copy of orders.
        for (instance, database, count) in
            [("a:5432", "orders", 9.0), ("b:5432", "shop", 60.0), ("b:5432", "orders", 0.0)]
        {
            let name = ("__name__", "postgresql_backends");
            let labels =
                [("job", "postgresql"), ("instance", instance), ("postgresql_database_name", database)];
            add(&[&[name][..], &labels].concat(), count);
        }
        for (name, job, values) in [
            ("narrows_postgresql_sessions_blocked", "postgresql", [("a:5432", 8.0), ("b:5432", 0.0)]),
            ("postgresql_connection_max", "postgresql", [("a:5432", 100.0), ("b:5432", 200.0)]),
            ("redis_memory_used_bytes", "redis", [("c:6379", 1e6), ("d:6379", 2e9)]),
        ] {
            for (instance, value) in values {
                add(&[("__name__", name), ("job", job), ("instance", instance)], value);
            }
        }
        let grid = Grid { start_s: 0, step_s: 10, steps: STEPS };
        let deadline = Instant::now() + Duration::from_secs(20);
        let (cancelled, memory_bytes, max_samples) = (&Arc::default(), 64 << 20, MAX_SAMPLES);
        let asking = Asking { querier: &store, grid, deadline, cancelled, memory_bytes, max_samples };
        let measured = read(&asking, &nodes, &by_name).unwrap();
        let found: Vec<(Owner, Signal, f64)> = measured
            .resources
            .into_iter()
            .map(|one| (one.owner, one.signal, one.values[STEPS - 1]))
            .collect();
        let redis = |name: &str| Owner::Part { node: 4, name: name.to_owned() };
        let expected = [
            (Owner::Node(0), Signal::PoolUsed, 9.0),
            (Owner::Node(0), Signal::PoolMax, 100.0),
            (Owner::Node(0), Signal::LockWaiting, 8.0),
            (Owner::Node(1), Signal::PoolUsed, 60.0),
            (Owner::Node(1), Signal::PoolMax, 200.0),
            (Owner::Node(1), Signal::LockWaiting, 0.0),
            (redis("c:6379"), Signal::MemoryUsed, 1e6),
            (redis("d:6379"), Signal::MemoryUsed, 2e9),
        ];
        assert_eq!(found, expected);
        for name in ["postgresql/other", "postgresql"] {
            let note = format!("of 2 servers of postgresql none is known to be {name}");
            assert!(measured.notes.contains(&note), "{:?}", measured.notes);
        }
    }

    #[test]
    fn hosts_are_those_of_the_services_series() {
        let by_name = HashMap::from([("catalog".to_owned(), 3)]);
        let set = |job: &str, host: &str| LabelSet::new([("job", job), ("host_name", host)]).unwrap();
        let labels = [set("shop/catalog", "a"), set("catalog", "b"), set("other", "c"), set("catalog", "")];
        let found = hosts(&labels, &by_name);
        assert_eq!(found, BTreeMap::from([(3, BTreeSet::from(["a".to_owned(), "b".to_owned()]))]));
    }
}
