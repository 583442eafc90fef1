//! Before and since the onset: the two numbers that every rule compares.

use std::ops::Range;

use crate::{Candidate, Case, Edge, Grid, NodeId, Owner, Resource, Signal, Sli, Target, Trace, queries};

/// Two numbers of the same thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub before: f64,
    pub now: f64,
}

impl Pair {
    pub(crate) fn new(before: f64, now: f64) -> Self {
        Self { before, now }
    }

    pub(crate) fn rise(self) -> f64 {
        self.now - self.before
    }

    /// Now by before; infinite for what was not there before, 1 for what is not there at all.
    pub(crate) fn ratio(self) -> f64 {
        match (self.before > 0.0, self.now > 0.0) {
            (true, _) => self.now / self.before,
            (false, true) => f64::INFINITY,
            (false, false) => 1.0,
        }
    }

    fn add(self, other: Self) -> Self {
        Self::new(self.before + other.before, self.now + other.now)
    }
}

/// A level: the median before, the mean since. `None` if one of the two is not known.
pub(crate) fn level(case: &Case<'_>, values: &[f64]) -> Option<Pair> {
    let mut before = known(values, &case.baseline);
    let now = known(values, &case.hot);
    if before.is_empty() || now.is_empty() {
        return None;
    }
    before.sort_by(f64::total_cmp);
    let middle = before.len() / 2;
    let median = if before.len() % 2 == 1 {
        before[middle]
    } else {
        f64::midpoint(before[middle - 1], before[middle])
    };
    Some(Pair::new(median, mean(&now)))
}

/// Counts, per second.
pub(crate) fn rate(case: &Case<'_>, counts: &[f64]) -> Option<Pair> {
    let step_s = f64::from(case.observation.grid.step_s.max(1));
    let (before, now) = (known(counts, &case.baseline), known(counts, &case.hot));
    (!before.is_empty() && !now.is_empty()).then(|| Pair::new(mean(&before) / step_s, mean(&now) / step_s))
}

/// A sum by a count, as seconds per call. `None` if nothing was counted on one of the two sides.
pub(crate) fn per(case: &Case<'_>, sums: &[f64], counts: &[f64]) -> Option<Pair> {
    let one = |range: &Range<usize>| {
        let count = total(counts, range);
        (count > 0.0 && !sums.is_empty()).then(|| total(sums, range) / count)
    };
    Some(Pair::new(one(&case.baseline)?, one(&case.hot)?))
}

/// The sum of what is known in a range.
pub(crate) fn total(values: &[f64], range: &Range<usize>) -> f64 {
    known(values, range).iter().sum()
}

/// The values of a range that are known.
pub(crate) fn known(values: &[f64], range: &Range<usize>) -> Vec<f64> {
    let end = range.end.min(values.len());
    let start = range.start.min(end);
    values[start..end].iter().copied().filter(|value| value.is_finite()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The step in which a trace began.
pub(crate) fn step_of(grid: &Grid, trace: &Trace) -> Option<usize> {
    let start_s = i64::try_from(trace.spans.first()?.start_ns / 1_000_000_000).ok()?;
    let end_s = grid.time_s(grid.steps);
    (grid.start_s..end_s).contains(&start_s).then(|| grid.step_at(start_s))
}

/// A resource with its two numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured<'a> {
    pub resource: &'a Resource,
    pub pair: Pair,
}

impl<'a> Measured<'a> {
    /// The name of the part, process, group or host that owns it; `None` of a node's own.
    pub(crate) fn owner_name(&self) -> Option<&'a str> {
        match &self.resource.owner {
            Owner::Part { name, .. } | Owner::Group { name, .. } | Owner::Host(name) => Some(name),
            Owner::Process { executable, .. } => Some(executable),
            Owner::Node(_) => None,
        }
    }
}

/// A candidate, and the questions that rules ask of the observation about it.
pub(crate) struct Facts<'a> {
    pub case: &'a Case<'a>,
    pub candidate: &'a Candidate,
    /// The candidate itself; of an edge the callee.
    pub node: NodeId,
    /// Set if the candidate is an edge.
    pub edge: Option<&'a Edge>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(case: &'a Case<'a>, candidate: &'a Candidate) -> Self {
        let edge = match candidate.target {
            Target::Edge(edge) => case.observation.edges.get(edge),
            Target::Node(_) => None,
        };
        let node = match candidate.target {
            Target::Node(node) => node,
            Target::Edge(_) => edge.map_or(0, |edge| edge.callee),
        };
        Self { case, candidate, node, edge }
    }

    pub(crate) fn name_of(&self, node: NodeId) -> &'a str {
        self.case.observation.nodes.get(node).map_or("", |node| node.name.as_str())
    }

    pub(crate) fn name(&self) -> &'a str {
        self.name_of(self.node)
    }

    pub(crate) fn is_latency(&self) -> bool {
        self.case.question.sli == Sli::Latency
    }

    /// Requests of the symptom per second.
    pub(crate) fn symptom_rate(&self) -> Option<Pair> {
        let question = self.case.question;
        let observation = self.case.observation;
        let counts = match question.operation {
            Some(operation) => &observation.operations.get(operation)?.calls,
            None => &observation.nodes.get(question.node)?.requests,
        };
        rate(self.case, counts)
    }

    /// Seconds per second that the candidate keeps.
    pub(crate) fn own_per_s(&self) -> f64 {
        self.candidate.own * self.symptom_rate().map_or(0.0, |rate| rate.now)
    }

    /// The share that `seconds` (per second) have of what the candidate keeps; of failures seconds are no part.
    pub(crate) fn share_of_own(&self, seconds_per_s: f64) -> f64 {
        let own = if self.is_latency() { self.own_per_s() } else { 0.0 };
        if own > 0.0 { (seconds_per_s / own).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The measurements of `signal` whose owner is `is_owner`.
    pub(crate) fn measured(&self, signal: Signal, is_owner: impl Fn(&Owner) -> bool) -> Vec<Measured<'a>> {
        let resources = &self.case.observation.resources;
        resources
            .iter()
            .filter(|resource| resource.signal == signal && is_owner(&resource.owner))
            .filter_map(|resource| Some(Measured { resource, pair: self.pair(resource)? }))
            .collect()
    }

    /// A process or group of which nothing was known in the baseline was not there.
    fn pair(&self, resource: &Resource) -> Option<Pair> {
        let comes_and_goes = matches!(resource.owner, Owner::Process { .. } | Owner::Group { .. });
        let now = known(&resource.values, &self.case.hot);
        match level(self.case, &resource.values) {
            None if comes_and_goes && !now.is_empty() => Some(Pair::new(0.0, mean(&now))),
            pair => pair,
        }
    }

    /// Of the node itself and of its parts.
    pub(crate) fn of_node(&self, node: NodeId, signal: Signal) -> Vec<Measured<'a>> {
        self.measured(signal, |owner| match owner {
            Owner::Node(owner) => *owner == node,
            Owner::Part { node: owner, .. } => *owner == node,
            Owner::Host(_) | Owner::Process { .. } | Owner::Group { .. } => false,
        })
    }

    /// Of the hosts on which it runs.
    pub(crate) fn of_hosts(&self, node: NodeId, signal: Signal) -> Vec<Measured<'a>> {
        let hosts = self.hosts(node);
        self.measured(signal, |owner| matches!(owner, Owner::Host(host) if hosts.contains(host)))
    }

    pub(crate) fn hosts(&self, node: NodeId) -> &'a [String] {
        self.case.observation.nodes.get(node).map_or(&[], |node| node.hosts.as_slice())
    }

    /// Of the node or else of its hosts, the one that is highest now.
    pub(crate) fn highest(&self, signal: Signal) -> Option<Measured<'a>> {
        highest(self.of_node(self.node, signal)).or_else(|| highest(self.of_hosts(self.node, signal)))
    }

    /// Requests that the node answers per second: its own count, or the calls of its edges.
    pub(crate) fn request_rate(&self, node: NodeId) -> Option<Pair> {
        let observation = self.case.observation;
        let requests = &observation.nodes.get(node)?.requests;
        if !requests.is_empty() {
            return rate(self.case, requests);
        }
        let edges = observation.edges.iter().filter(|edge| edge.callee == node);
        edges.filter_map(|edge| rate(self.case, &edge.calls)).reduce(Pair::add)
    }

    /// How to see what [`Self::request_rate`] says.
    pub(crate) fn requests_query(&self, node: NodeId) -> String {
        let known = self.case.observation.nodes.get(node);
        match known.is_some_and(|node| node.requests.is_empty()) {
            true => queries::calls_of(self.name_of(node)),
            false => queries::requests(self.name_of(node)),
        }
    }

    /// CPU that the node itself uses: CPUs.
    pub(crate) fn cpu_used(&self, node: NodeId) -> Option<Pair> {
        let all = self.of_node(node, Signal::CpuUsed);
        all.iter().map(|measured| measured.pair).reduce(Pair::add)
    }

    /// CPU seconds per request of the node.
    pub(crate) fn cpu_per_request(&self, node: NodeId) -> Option<Pair> {
        let (cpu, requests) = (self.cpu_used(node)?, self.request_rate(node)?);
        (requests.before > 0.0 && requests.now > 0.0)
            .then(|| Pair::new(cpu.before / requests.before, cpu.now / requests.now))
    }

    /// Traces that began since the onset (`true`) or in the baseline.
    pub(crate) fn traces(&self, is_hot: bool) -> impl Iterator<Item = &'a Trace> {
        let range = if is_hot { self.case.hot.clone() } else { self.case.baseline.clone() };
        let observation = self.case.observation;
        observation
            .traces
            .iter()
            .filter(move |trace| step_of(&observation.grid, trace).is_some_and(|step| range.contains(&step)))
    }
}

/// The one that is highest now.
pub(crate) fn highest(all: Vec<Measured<'_>>) -> Option<Measured<'_>> {
    all.into_iter().max_by(|a, b| a.pair.now.total_cmp(&b.pair.now))
}
