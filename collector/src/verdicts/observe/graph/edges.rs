//! Calls between nodes. Of very many of them durations are read only where they may have to do with what is asked: of the
//! calls of and to nodes that may have got worse, and on from there along calls that may take longer.

use std::collections::{BTreeMap, BTreeSet};

use bottleneck::{Edge, NodeId, NodeType, Series, Settings, Sli, may_be_worse};
use promql::{QueryError, Selection};

use super::{Depth, Ends, Graph, ends};
use crate::verdicts::Asked;
use crate::verdicts::asked::steps;
use crate::verdicts::observe::derived::{Lines, Reading, matchers};

/// The durations of so many are read without looking whose they are.
const ALL: usize = 1_000;
/// Calls to outside are told so late that the newest steps do not have them yet.
const LATE_STEPS: usize = 4;

impl Graph {
    /// How long calls took is read where it is not only seen that there are some.
    pub(super) fn add_edges(
        &mut self,
        reading: &Reading<'_>,
        calls: BTreeMap<Ends, Lines>,
        depth: Depth<'_>,
    ) -> Result<(), QueryError> {
        let mut places = BTreeMap::new();
        for (ends, lines) in calls {
            let (client, server, kind) = &ends;
            let nodes = (self.by_name.get(client).copied(), self.by_name.get(server).copied());
            let (Some(caller), Some(callee)) = nodes else { continue };
            if lines.total() <= 0.0 {
                continue;
            }
            let is_broker = |node: NodeId| self.nodes[node].node_type == NodeType::Messaging;
            // A producer waits until the broker has its message; nobody waits for who takes it from there.
            let is_async = kind == "messaging" && !is_broker(callee);
            self.edges.push(Edge {
                caller,
                callee,
                is_async,
                calls: lines.calls,
                errors: lines.errors,
                client_seconds: Series::new(),
                server_seconds: Series::new(),
            });
            places.insert(ends, self.edges.len() - 1);
        }
        if let Depth::Whole(asked) = depth {
            self.read_durations(reading, &places, asked, ALL)?;
        }
        for (_, place) in places.into_iter().filter(|((.., kind), _)| kind == "external") {
            let edge = &mut self.edges[place];
            let known = edge.calls.len().saturating_sub(LATE_STEPS);
            for series in [&mut edge.calls, &mut edge.errors, &mut edge.client_seconds] {
                series.iter_mut().skip(known).for_each(|value| *value = f64::NAN);
            }
        }
        Ok(())
    }

    /// Of more than `all` edges those of suspects.
    pub(super) fn read_durations(
        &mut self,
        reading: &Reading<'_>,
        places: &BTreeMap<Ends, usize>,
        asked: &[Asked],
        all: usize,
    ) -> Result<(), QueryError> {
        let clients = Side::of(reading, "narrows_edge_client_seconds", places)?;
        let servers = Side::of(reading, "narrows_edge_server_seconds", places)?;
        let suspicion = Suspicion { times: self.times(asked), settings: Settings::default() };
        let (mut known, mut read) = (BTreeSet::new(), BTreeSet::<usize>::new());
        let mut wanted: BTreeSet<usize> = match self.edges.len() > all {
            true => {
                known = self.suspects(asked, &suspicion);
                self.touching(&known).collect()
            }
            false => (0..self.edges.len()).collect(),
        };
        while !wanted.is_empty() {
            clients.read(reading, &wanted, |edge, index, selection| {
                reading.add_sums(selection, index, &mut self.edges[edge].client_seconds)
            })?;
            servers.read(reading, &wanted, |edge, index, selection| {
                reading.add_sums(selection, index, &mut self.edges[edge].server_seconds)
            })?;
            for place in &wanted {
                let edge = &mut self.edges[*place];
                edge.client_seconds.resize(self.grid.steps, 0.0);
                if edge.server_seconds.iter().all(|seconds| *seconds <= 0.0) {
                    edge.server_seconds = Series::new();
                }
            }
            read.extend(&wanted);
            if read.len() == self.edges.len() {
                break;
            }
            let worse = wanted
                .iter()
                .map(|edge| &self.edges[*edge])
                .filter(|edge| suspicion.falls_on((&edge.client_seconds, &edge.errors), &edge.calls));
            let next: BTreeSet<NodeId> =
                worse.map(|edge| edge.callee).filter(|node| !known.contains(node)).collect();
            wanted = self.touching(&next).filter(|edge| !read.contains(edge)).collect();
            known.extend(next);
        }
        Ok(())
    }

    /// Edges that begin or end at one of these nodes.
    fn touching<'a>(&'a self, nodes: &'a BTreeSet<NodeId>) -> impl Iterator<Item = usize> + 'a {
        let is_touching = |edge: &Edge| nodes.contains(&edge.caller) || nodes.contains(&edge.callee);
        self.edges.iter().enumerate().filter(move |(_, edge)| is_touching(edge)).map(|(place, _)| place)
    }

    /// Nodes that are asked about, and those that may be worse.
    fn suspects(&self, asked: &[Asked], suspicion: &Suspicion) -> BTreeSet<NodeId> {
        let mut found: BTreeSet<NodeId> =
            asked.iter().filter_map(|asked| self.by_name.get(&asked.service).copied()).collect();
        let nodes = self.nodes.iter().enumerate();
        let worse =
            nodes.filter(|(_, node)| suspicion.falls_on((&node.seconds, &node.errors), &node.requests));
        found.extend(worse.map(|(node, _)| node));
        found
    }

    /// The steps to compare with, and those in which it is worse, of each symptom.
    fn times(&self, asked: &[Asked]) -> Vec<Times> {
        let times = asked.iter().map(|asked| {
            let hot = steps(&self.grid, asked.hot);
            let before = 0..hot.start.saturating_sub(1);
            let baseline = asked.baseline.map(|span| steps(&self.grid, span));
            (baseline.filter(|steps| !steps.is_empty()).unwrap_or(before), hot)
        });
        times.collect()
    }
}

/// Steps: the baseline, and what is explained.
type Times = (std::ops::Range<usize>, std::ops::Range<usize>);

/// When, and how little makes a suspect.
struct Suspicion {
    times: Vec<Times>,
    settings: Settings,
}

impl Suspicion {
    /// By what is longer or fails more.
    fn falls_on(&self, (seconds, errors): (&[f64], &[f64]), counts: &[f64]) -> bool {
        let is_worse = |amounts, sli| {
            let over =
                |(baseline, hot): &Times| may_be_worse((amounts, counts), sli, baseline, hot, &self.settings);
            self.times.iter().any(over)
        };
        is_worse(seconds, Sli::Latency) || is_worse(errors, Sli::Errors)
    }
}

/// The series of a family, by whose they are.
struct Side<'a> {
    selection: Box<dyn Selection + 'a>,
    /// Edge of each series that has one.
    of_edges: Vec<(usize, usize)>,
}

impl<'a> Side<'a> {
    fn of(
        reading: &'a Reading<'_>,
        family: &str,
        places: &BTreeMap<Ends, usize>,
    ) -> Result<Self, QueryError> {
        let selection = reading.select(&matchers(family, &[])?)?;
        let mut of_edges = Vec::new();
        reading.each_series(selection.as_ref(), |index, labels| {
            of_edges.extend(ends(labels).and_then(|ends| Some((index, *places.get(&ends)?))));
            Ok(())
        })?;
        Ok(Self { selection, of_edges })
    }

    /// Hands over the series of these edges, in the order of the store.
    fn read(
        &self,
        reading: &Reading<'_>,
        edges: &BTreeSet<usize>,
        mut see: impl FnMut(usize, usize, &(dyn Selection + '_)) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        for (index, edge) in self.of_edges.iter().filter(|(_, edge)| edges.contains(edge)) {
            reading.check()?;
            see(*edge, *index, self.selection.as_ref())?;
        }
        Ok(())
    }
}
