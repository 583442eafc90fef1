//! Small observations for tests: a shop with one onset, each number given as before and since.

use crate::{
    Change, Edge, Grid, LogPattern, Node, NodeId, NodeType, Observation, Operation, Owner, Question,
    Resource, Series, Signal, Sli, Trace, TraceSpan,
};

/// A number before and since the onset.
pub type Step = (f64, f64);

/// Builds an observation.
#[derive(Clone, Debug)]
pub struct Shop {
    observation: Observation,
    onset: usize,
}

impl Shop {
    /// Steps of 10 s from a fixed moment; what is given as "since" begins with step `onset`.
    pub fn new(steps: usize, onset: usize) -> Self {
        let grid = Grid { start_s: 1_700_000_000, step_s: 10, steps };
        let observation = Observation {
            grid,
            nodes: Vec::new(),
            edges: Vec::new(),
            operations: Vec::new(),
            resources: Vec::new(),
            logs: Vec::new(),
            changes: Vec::new(),
            traces: Vec::new(),
            clock_skew_ms: 0.0,
        };
        Self { observation, onset }
    }

    /// A service on a host of its own, `host-` and its name.
    pub fn service(&mut self, name: &str) -> NodeId {
        self.node(name, NodeType::Service)
    }

    /// A database on a host of its own.
    pub fn database(&mut self, name: &str) -> NodeId {
        self.node(name, NodeType::Database)
    }

    /// A node of any type on a host of its own.
    pub fn node(&mut self, name: &str, node_type: NodeType) -> NodeId {
        self.observation.nodes.push(Node {
            name: name.to_owned(),
            node_type,
            hosts: vec![format!("host-{name}")],
            requests: Series::new(),
            errors: Series::new(),
            seconds: Series::new(),
            high_seconds: Series::new(),
        });
        self.observation.nodes.len() - 1
    }

    /// What a node answers: requests per step, seconds each, and the share that fails.
    pub fn answers(&mut self, node: NodeId, requests: Step, seconds: Step, failing: Step) -> &mut Self {
        let (count, time, errors) = self.red(requests, seconds, failing);
        let node = &mut self.observation.nodes[node];
        (node.requests, node.seconds, node.errors) = (count, time, errors);
        self
    }

    /// Calls per step, seconds each for the caller and, if it sends spans, for the callee.
    pub fn calls(
        &mut self,
        (caller, callee): (NodeId, NodeId),
        calls: Step,
        client: Step,
        server: Option<Step>,
    ) -> usize {
        let (count, client_seconds, errors) = self.red(calls, client, (0.0, 0.0));
        let server_seconds = server.map_or_else(Series::new, |server| self.red(calls, server, (0.0, 0.0)).1);
        self.observation.edges.push(Edge {
            caller,
            callee,
            is_async: false,
            calls: count,
            errors,
            client_seconds,
            server_seconds,
        });
        self.observation.edges.len() - 1
    }

    /// The share of an edge's calls that fails.
    pub fn fails(&mut self, edge: usize, failing: Step) -> &mut Self {
        let errors: Series = (0..self.observation.grid.steps)
            .map(|step| self.observation.edges[edge].calls[step] * self.pick(step, failing))
            .collect();
        self.observation.edges[edge].errors = errors;
        self
    }

    /// An operation of a node, or a call of it if there is a peer.
    pub fn operation(
        &mut self,
        node: NodeId,
        name: &str,
        peer: Option<NodeId>,
        (calls, seconds): (Step, Step),
    ) -> usize {
        let (calls, seconds, errors) = self.red(calls, seconds, (0.0, 0.0));
        let high_seconds = Series::new();
        let is_entry = node == 0 && peer.is_none();
        let name = name.to_owned();
        self.observation.operations.push(Operation {
            node,
            name,
            peer,
            is_entry,
            calls,
            errors,
            seconds,
            high_seconds,
        });
        self.observation.operations.len() - 1
    }

    /// A measurement that steps.
    pub fn resource(&mut self, owner: Owner, signal: Signal, values: Step) -> &mut Self {
        let values = self.series(values);
        self.resource_series(owner, signal, values)
    }

    /// A measurement of any course.
    pub fn resource_series(&mut self, owner: Owner, signal: Signal, values: Series) -> &mut Self {
        let query = format!("{signal:?}{{owner=\"{owner:?}\"}}");
        self.observation.resources.push(Resource { owner, signal, values, query });
        self
    }

    /// A pattern of a node's log, lines per step.
    pub fn log(&mut self, node: NodeId, text: &str, severity: u8, lines: Step) -> &mut Self {
        let counts = (0..self.observation.grid.steps).map(|step| self.pick(step, lines)).collect();
        let id = format!("p{}", self.observation.logs.len());
        self.observation.logs.push(LogPattern { node, text: text.to_owned(), severity, counts, id });
        self
    }

    /// Something that was done so many seconds after the onset (before it, if negative).
    pub fn change(&mut self, owner: Owner, kind: &str, text: &str, after_onset_s: i64) -> &mut Self {
        let time_s = self.observation.grid.time_s(self.onset) + after_onset_s;
        let (kind, text) = (kind.to_owned(), text.to_owned());
        self.observation.changes.push(Change { time_s, owner, kind, text, is_told: true });
        self
    }

    /// A trace that begins in `step`; spans as (parent, node, peer, operation, start ms, end ms, attributes).
    pub fn trace(&mut self, step: usize, spans: &[SpanRow<'_>]) -> &mut Self {
        let start_s = self.observation.grid.time_s(step) + 1;
        let start_ns = u64::try_from(start_s).unwrap_or(0) * 1_000_000_000;
        let spans = spans.iter().map(|row| row.span(start_ns)).collect();
        let id = format!("{:032x}", self.observation.traces.len() + 1);
        self.observation.traces.push(Trace { id, spans });
        self
    }

    /// The observation so far, to change it by hand.
    pub fn observation_mut(&mut self) -> &mut Observation {
        &mut self.observation
    }

    /// What was built.
    pub fn build(self) -> Observation {
        self.observation
    }

    /// All requests of a node since the onset.
    pub fn question(&self, node: NodeId, sli: Sli) -> Question {
        let hot = self.onset..self.observation.grid.steps;
        Question { node, operation: None, sli, hot, baseline: Some(0..self.onset.saturating_sub(1)) }
    }

    fn red(&self, calls: Step, seconds: Step, failing: Step) -> (Series, Series, Series) {
        let count = self.series(calls);
        let times = count.iter().enumerate().map(|(step, calls)| calls * self.pick(step, seconds)).collect();
        let errors = count.iter().enumerate().map(|(step, calls)| calls * self.pick(step, failing)).collect();
        (count, times, errors)
    }

    /// With a spread of ± 2 %, the same each time, so that no spread is 0.
    fn series(&self, values: Step) -> Series {
        (0..self.observation.grid.steps)
            .map(|step| self.pick(step, values) * (1.0 + 0.01 * ((step * 7 % 5) as f64 - 2.0)))
            .collect()
    }

    fn pick(&self, step: usize, (before, since): Step) -> f64 {
        if step < self.onset { before } else { since }
    }
}

/// A span of a test's trace.
#[derive(Clone, Copy, Debug)]
pub struct SpanRow<'a> {
    /// Index of the caller.
    pub parent: Option<usize>,
    /// Whose.
    pub node: NodeId,
    /// Whom it calls.
    pub peer: Option<NodeId>,
    /// Name.
    pub operation: &'a str,
    /// Begin and end, ms after the trace's begin.
    pub ms: (u64, u64),
    /// Whether it failed.
    pub is_error: bool,
    /// Attributes.
    pub attributes: &'a [(&'a str, &'a str)],
}

impl SpanRow<'_> {
    fn span(&self, start_ns: u64) -> TraceSpan {
        TraceSpan {
            parent: self.parent,
            node: self.node,
            peer: self.peer,
            operation: self.operation.to_owned(),
            start_ns: start_ns + self.ms.0 * 1_000_000,
            end_ns: start_ns + self.ms.1 * 1_000_000,
            is_error: self.is_error,
            is_async: false,
            attributes: self
                .attributes
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }
}
