//! An observation of a tenant: all that its stores know of a stretch of time, as the analysis reads it. Derived series
//! give nodes, calls and operations ([`graph`]), the table of [`signals`] what is measured, [`traces`] some whole
//! traces, [`logs`] how often what was said, [`changes`] what was changed. All of it is bounded; what was left out for
//! that is said in notes.

mod changes;
mod derived;
mod graph;
mod logs;
mod resources;
mod servers;
mod signals;
mod traces;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bottleneck::{Grid, NodeId, NodeType, Observation, Sli, Span};
use promql::{Matcher, QueryError};
use telemetry::TenantId;
use telemetry::samples::MatchOp;

use super::asked::Asked;
use super::told;
use crate::commit::Store;
use graph::{Depth, Graph};
use traces::{Bounds, Wanted};

pub(crate) use derived::STEP_S;
pub(crate) use resources::{Asking, MAX_SAMPLES, range};

/// How long an observation may take.
const SECONDS: f64 = 20.0;
/// How long searches for traces and log records may take of it.
const SEARCHES: Duration = Duration::from_secs(8);
/// The longest stretch of time.
pub(crate) const MAX_WINDOW_S: i64 = 9_600;
/// Label sets that are looked at to learn where something runs.
const MAX_PLACES: usize = 5_000;

/// Why there is no observation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObserveError {
    /// Stored series.
    #[error("cannot read series: {0}")]
    Series(#[from] QueryError),
    /// A bug: the log says where.
    #[error("reading failed inside the collector")]
    Lost,
}

/// One tenant's data, as it is at one moment.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) series: series::Snapshots,
    pub(crate) spans: Vec<events::spans::Snapshot>,
    pub(crate) logs: Vec<events::Snapshot>,
    /// What one reading may hold.
    pub(crate) memory_bytes: usize,
}

/// Until when something is read, and whether somebody still waits for it.
#[derive(Clone, Debug)]
pub(crate) struct Until {
    deadline: Instant,
    cancelled: Arc<AtomicBool>,
}

impl Until {
    /// As long as an observation may take.
    pub(crate) fn usual() -> Self {
        Self { deadline: Instant::now() + Duration::from_secs_f64(SECONDS), cancelled: Arc::default() }
    }

    /// At most as long as somebody waits.
    pub(crate) fn at_most(deadline: Instant, cancelled: Arc<AtomicBool>) -> Self {
        Self { deadline: deadline.min(Self::usual().deadline), cancelled }
    }
}

/// What was seen.
pub(crate) struct Observed {
    pub(crate) observation: Observation,
    /// What was left out.
    pub(crate) notes: Vec<String>,
}

impl Sources {
    pub(crate) fn of(store: &Store, tenant: &TenantId, memory_bytes: usize) -> Self {
        Self {
            spans: store.span_snapshots(tenant),
            logs: store.snapshots(tenant),
            ..Self::of_series(store, tenant, memory_bytes)
        }
    }

    /// The series alone: whoever holds heads of spans and records holds what has been sealed meanwhile.
    pub(crate) fn of_series(store: &Store, tenant: &TenantId, memory_bytes: usize) -> Self {
        Self { series: store.series(tenant), spans: Vec::new(), logs: Vec::new(), memory_bytes }
    }
}

/// The steps of a stretch of time.
pub(crate) fn grid(span: Span) -> Grid {
    let step_s = i64::from(STEP_S);
    let start_s = span.from_s.div_euclid(step_s) * step_s;
    let steps = (span.to_s - start_s).clamp(0, MAX_WINDOW_S) / step_s;
    Grid { start_s, step_s: STEP_S, steps: usize::try_from(steps).unwrap_or(0) }
}

/// Entries alone, queues among them, for the look that is taken every few seconds. Blocks.
pub(crate) fn entries(
    sources: &Sources,
    span: Span,
    until: &Until,
) -> Result<Option<Observation>, QueryError> {
    let graph = Graph::read(&sources.series, grid(span), Depth::Entries, until.deadline)?;
    if graph.operations.is_empty() {
        return Ok(None);
    }
    let asking = Asking {
        querier: &sources.series,
        grid: graph.grid,
        deadline: until.deadline,
        cancelled: &until.cancelled,
        memory_bytes: sources.memory_bytes,
        max_samples: MAX_SAMPLES,
    };
    let queues = resources::queues(&asking, &graph.nodes, &graph.by_name)?;
    let mut observation = Observation { resources: queues.resources, ..graph.into_observation() };
    observation.add_queues();
    Ok(Some(observation))
}

/// Everything; `None` where there are no spans.
pub(crate) async fn whole(
    sources: &Sources,
    span: Span,
    asked: &[Asked],
    until: Until,
) -> Result<Option<Observed>, ObserveError> {
    let Until { deadline, cancelled } = until;
    let bounds = Bounds { deadline, memory_bytes: sources.memory_bytes };
    let read = off_thread({
        let sources = sources.clone();
        let asked = asked.to_vec();
        move || Measured::read(&sources, grid(span), &asked, bounds, &cancelled)
    });
    let Some(mut measured) = read.await?? else { return Ok(None) };
    let own = measured.graph.grid;
    let hot_s = asked.iter().map(|asked| asked.hot.from_s).min().unwrap_or(span.to_s);
    let ns = 1_000_000_000;
    let range_ns = (own.start_s * ns, own.time_s(own.steps) * ns);
    let wanted: Vec<Wanted> = asked.iter().flat_map(|asked| wanted(asked, &measured.graph)).collect();
    // A verdict without them is better than one that comes too late.
    let soon = Bounds { deadline: deadline.min(Instant::now() + SEARCHES), ..bounds };
    let (raw, patterns, told) = tokio::join!(
        traces::sample(&sources.spans, &wanted, soon),
        logs::read(&sources.logs, own, hot_s, &measured.graph.by_name, soon),
        told::read(&sources.logs, range_ns, soon.deadline, sources.memory_bytes),
    );
    // What could not be read is missing from the verdict, and the verdict says so.
    let raw = measured.graph.or_note("traces", raw);
    if raw.left_out > 0 {
        let note = format!("{} of the traces were too large to be looked at", raw.left_out);
        measured.graph.notes.push(note);
    }
    let logs = measured.graph.or_note("log patterns", patterns);
    measured.graph.notes.extend(logs.notes);
    let told = measured.graph.or_note("changes", told);
    let series = sources.series.clone();
    off_thread(move || Some(measured.finish(&series, deadline, &raw, logs.patterns, &told))).await
}

/// Runs what reads stored series on a thread of its own. It knows no runtime, so that a local store reads in place: on
/// the runtime's threads each of very many reads would be a way to another thread and back.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ObserveError> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let run = move || {
        // Nobody may wait any more.
        let _unheard = tell.send(work());
    };
    let thread = std::thread::Builder::new().name("observe".to_owned()).spawn(run);
    thread.map_err(|error| {
        tracing::error!(%error, "cannot start a thread that reads series");
        ObserveError::Lost
    })?;
    // The panic hook has logged where.
    told.await.map_err(|_| ObserveError::Lost)
}

/// Traces from the time that is asked about, and from before it; of a broker's queues those of who takes messages from it.
fn wanted(asked: &Asked, graph: &Graph) -> Vec<Wanted> {
    let (ns, grid) = (1_000_000_000, graph.grid);
    let before = Span { from_s: grid.start_s, to_s: asked.hot.from_s.max(grid.start_s + 1) };
    let baseline = asked.baseline.unwrap_or(before);
    let of = |service: &str, operation: Option<String>| Wanted {
        service: service.to_owned(),
        operation,
        wants_errors: asked.sli == Sli::Errors,
        hot_ns: (asked.hot.from_s * ns, asked.hot.to_s * ns),
        baseline_ns: (baseline.from_s.max(grid.start_s) * ns, baseline.to_s * ns),
    };
    let broker = graph.by_name.get(&asked.service);
    let broker = broker.filter(|node| graph.nodes[**node].node_type == NodeType::Messaging);
    let Some(broker) = broker else { return vec![of(&asked.service, asked.operation.clone())] };
    let from = graph.edges.iter().filter(|edge| edge.caller == *broker && edge.callee != *broker);
    let readers: BTreeSet<NodeId> = from.map(|edge| edge.callee).collect();
    readers.into_iter().map(|reader| of(&graph.nodes[reader].name, None)).collect()
}

/// What series say.
struct Measured {
    graph: Graph,
    resources: Vec<bottleneck::Resource>,
    hosts: BTreeMap<NodeId, BTreeSet<String>>,
    versions: changes::Versions,
}

impl Measured {
    /// Blocks.
    fn read(
        sources: &Sources,
        grid: Grid,
        asked: &[Asked],
        bounds: Bounds,
        cancelled: &Arc<AtomicBool>,
    ) -> Result<Option<Self>, QueryError> {
        let mut graph = Graph::read(&sources.series, grid, Depth::Whole(asked), bounds.deadline)?;
        if graph.operations.is_empty() {
            return Ok(None);
        }
        let asking = Asking {
            querier: &sources.series,
            grid: graph.grid,
            deadline: bounds.deadline,
            cancelled,
            memory_bytes: bounds.memory_bytes,
            max_samples: MAX_SAMPLES,
        };
        let measured = resources::read(&asking, &graph.nodes, &graph.by_name)?;
        graph.notes.extend(measured.notes);
        let span = (graph.grid.start_s, graph.grid.time_s(graph.grid.steps));
        let hosts = hosts(&sources.series, span, &graph);
        let hosts = graph.or_note("where services run", hosts);
        let versions = changes::versions(&sources.series, span, &graph.by_name);
        let versions = graph.or_note("versions of services", versions);
        Ok(Some(Self { graph, resources: measured.resources, hosts, versions }))
    }

    fn finish(
        mut self,
        series: &series::Snapshots,
        deadline: Instant,
        raw: &traces::Raw,
        patterns: Vec<bottleneck::LogPattern>,
        told: &[told::Told],
    ) -> Observed {
        let sampled = traces::read(raw, &self.graph.by_name);
        for (node, hosts) in sampled.hosts {
            self.hosts.entry(node).or_default().extend(hosts);
        }
        for (version, (first, last)) in sampled.versions {
            let seen = self.versions.entry(version).or_insert((first, last));
            *seen = (seen.0.min(first), seen.1.max(last));
        }
        let calls = self.graph.read_calls(series, deadline, &sampled.peers);
        self.graph.or_note("calls by name", calls);
        let Graph { grid, nodes, by_name, .. } = &mut self.graph;
        for (node, hosts) in self.hosts {
            nodes[node].hosts = hosts.into_iter().collect();
        }
        let changes = changes::all(told, &self.versions, grid.start_s, nodes, by_name);
        let notes = std::mem::take(&mut self.graph.notes);
        let mut observation = Observation {
            resources: self.resources,
            logs: patterns,
            changes,
            traces: sampled.traces,
            clock_skew_ms: sampled.clock_skew_ms,
            ..self.graph.into_observation()
        };
        observation.add_queues();
        Observed { observation, notes }
    }
}

/// Where services run, by the labels of what they and the agents send.
fn hosts(
    series: &series::Snapshots,
    (start_s, end_s): (i64, i64),
    graph: &Graph,
) -> Result<BTreeMap<NodeId, BTreeSet<String>>, QueryError> {
    let sets = [
        derived::matchers("target_info", &[("host_name", MatchOp::NotEqual, "")])?,
        derived::matchers("process_cpu_time_seconds_total", &[("service_name", MatchOp::NotEqual, "")])?,
    ];
    let labels = series.series(&sets, start_s * 1_000, end_s * 1_000, MAX_PLACES)?;
    let mut hosts = resources::hosts(&labels, &graph.by_name);
    // A server that an agent asks over loopback runs where the agent does.
    let servers: Vec<Matcher> =
        derived::matchers("up", &[("job", MatchOp::Matches, "postgresql|redis|rabbitmq")])?;
    for set in series.series(&[servers], start_s * 1_000, end_s * 1_000, MAX_PLACES)? {
        let label = |name| set.get(name).unwrap_or_default();
        let (job, instance, host) = (label("job"), label("instance"), label("host_name"));
        let is_local = ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| instance.starts_with(local));
        let nodes: HashMap<&String, &NodeId> = graph
            .by_name
            .iter()
            .filter(|(name, _)| {
                name.strip_prefix(job).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .collect();
        for node in nodes.into_values().filter(|_| is_local && !host.is_empty()) {
            hosts.entry(*node).or_default().insert(host.to_owned());
        }
    }
    Ok(hosts)
}

impl Graph {
    fn into_observation(self) -> Observation {
        Observation {
            grid: self.grid,
            nodes: self.nodes,
            edges: self.edges,
            operations: self.operations,
            resources: Vec::new(),
            logs: Vec::new(),
            changes: Vec::new(),
            traces: Vec::new(),
            clock_skew_ms: 0.0,
        }
    }

    fn or_note<T: Default, E: Display>(&mut self, what: &str, read: Result<T, E>) -> T {
        read.unwrap_or_else(|error| {
            self.notes.push(format!("{what} could not be read: {error}"));
            T::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_whole_and_bounded() {
        let grid_of = |from_s, to_s| {
            let grid = grid(Span { from_s, to_s });
            (grid.start_s, grid.steps)
        };
        assert_eq!(grid_of(1_003, 1_063), (1_000, 6));
        assert_eq!(grid_of(1_000, 999), (1_000, 0));
        assert_eq!(grid_of(0, 1 << 40), (0, 960));
    }
}
