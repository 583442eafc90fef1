//! Calls between services, and what the map draws of them.

use std::collections::{BTreeMap, HashMap};

use promql::QueryError;
use serde::Serialize;
use telemetry::LabelSet;
use utoipa::ToSchema;

use super::grid::{Grid, Known};
use super::read::{EDGE_CALLS, EDGE_CLIENT, EDGE_GAP, EDGE_SERVER, Reader, Tallies};
use super::tally::{Summary, Tally};

/// Who calls whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) client: String,
    pub(super) server: String,
    kind: String,
}

/// Calls between two.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Edge {
    client: String,
    server: String,
    /// `service`, `database`, `messaging` or `external`.
    r#type: String,
    /// Calls per second.
    rate: f64,
    /// The part of them that failed.
    errors: f64,
    /// How long they take, as the client sees it; null where nobody measured it.
    client_p95_ns: Option<u64>,
    /// As the server sees it.
    server_p95_ns: Option<u64>,
    /// What the client waits beyond that: network, queues, connections.
    gap_p95_ns: Option<u64>,
}

/// Something on the map.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Node {
    /// Its name.
    id: String,
    /// `service`, `database`, `messaging` or `external`.
    r#type: String,
    /// Calls per second: of a service those that it answers, of others those that were seen going there.
    rate: f64,
    /// The part of them that failed.
    errors: f64,
    /// How long they take.
    p95_ns: Option<u64>,
}

/// All edges that were read.
#[derive(Default)]
pub(super) struct Edges {
    calls: Tallies<Pair>,
    client: Tallies<Pair>,
    server: Tallies<Pair>,
    gap: Tallies<Pair>,
}

impl Pair {
    fn of(labels: &LabelSet) -> Option<Self> {
        let label = |name| labels.get(name).map(str::to_owned);
        Some(Self {
            client: label("client")?,
            server: label("server")?,
            kind: label("type").unwrap_or_default(),
        })
    }
}

impl Edges {
    /// Those that pass conditions on the labels.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        conditions: &[(&str, &str)],
        grid: &Grid,
    ) -> Result<Self, QueryError> {
        let mut edges = Self::default();
        reader.calls(EDGE_CALLS, conditions, grid, &mut edges.calls, Pair::of)?;
        reader.durations(EDGE_CLIENT, conditions, grid, &mut edges.client, Pair::of)?;
        reader.durations(EDGE_SERVER, conditions, grid, &mut edges.server, Pair::of)?;
        reader.durations(EDGE_GAP, conditions, grid, &mut edges.gap, Pair::of)?;
        Ok(edges)
    }

    /// The busiest first.
    pub(super) fn views(&self, grid: &Grid, known: Known) -> Vec<Edge> {
        let p95 =
            |tallies: &Tallies<Pair>, pair: &Pair| tallies.get(pair)?.whole().durations.quantile_ns(0.95);
        let called = self.calls.iter().filter(|(_, tally)| tally.whole().calls > 0.0);
        let edge = |(pair, tally): (&Pair, &Tally)| {
            let Summary { rate, errors, .. } = tally.summary(grid, known);
            Edge {
                client: pair.client.clone(),
                server: pair.server.clone(),
                r#type: pair.kind.clone(),
                rate,
                errors,
                client_p95_ns: p95(&self.client, pair),
                server_p95_ns: p95(&self.server, pair),
                gap_p95_ns: p95(&self.gap, pair),
            }
        };
        let mut edges: Vec<Edge> = called.map(edge).collect();
        edges.sort_by(|a, b| {
            b.rate.total_cmp(&a.rate).then_with(|| (&a.client, &a.server).cmp(&(&b.client, &b.server)))
        });
        edges
    }

    /// What stands at the ends of the edges: `services` by what they answered, others by what went there.
    pub(super) fn nodes(&self, services: &BTreeMap<&str, &Tally>, grid: &Grid, known: Known) -> Vec<Node> {
        let mut types: BTreeMap<&str, &str> = services.keys().map(|name| (*name, "service")).collect();
        let mut into: HashMap<&str, Tally> = HashMap::new();
        for (pair, calls) in self.calls.iter().filter(|(_, tally)| tally.whole().calls > 0.0) {
            types.entry(&pair.server).or_insert(&pair.kind);
            let tally = into.entry(&pair.server).or_insert_with(|| Tally::new(grid));
            tally.join(calls);
            self.client.get(pair).into_iter().for_each(|client| tally.join(client));
        }
        for pair in self.calls.keys() {
            // Whoever sends spans is known: what hands messages on without any is the queue.
            let kind = if pair.kind == "messaging" { "messaging" } else { "service" };
            types.entry(&pair.client).or_insert(kind);
        }
        let nothing = Tally::new(grid);
        let node = |(id, kind): (&&str, &&str)| {
            let tally = services.get(id).copied().or_else(|| into.get(id)).unwrap_or(&nothing);
            let Summary { rate, errors, p95_ns, .. } = tally.summary(grid, known);
            Node { id: (*id).to_owned(), r#type: (*kind).to_owned(), rate, errors, p95_ns }
        };
        types.iter().map(node).collect()
    }
}
