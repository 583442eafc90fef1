//! A shop that obeys arithmetic: every service does its own work and calls others, one after the other or beside each
//! other. What a fault adds is known to the microsecond.

use narrows_bottleneck::{
    Edge, Grid, Node, NodeType, Observation, Operation, Question, Sli, Trace, TraceSpan,
};

pub(crate) const STEP_S: u32 = 10;
pub(crate) const START_S: i64 = 1_700_000_000;

/// What a service calls for one of its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) callee: usize,
    pub(crate) times: usize,
    /// Between the two, there and back, s.
    pub(crate) gap_s: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) node_type: NodeType,
    /// Its own work, s.
    pub(crate) own_s: f64,
    /// Share of its requests that it fails itself.
    pub(crate) fails: f64,
    pub(crate) calls: Vec<Call>,
    /// Whether it makes its calls all at once.
    pub(crate) is_parallel: bool,
    /// Whether it sends nothing, and nobody knows what it calls.
    pub(crate) is_blind: bool,
}

pub(crate) fn service(name: &str, own_ms: f64, calls: &[usize]) -> Service {
    let call = |callee: &usize| Call { callee: *callee, times: 1, gap_s: 0.001 };
    Service {
        name: name.to_owned(),
        node_type: NodeType::Service,
        own_s: own_ms / 1_000.0,
        fails: 0.0,
        calls: calls.iter().map(call).collect(),
        is_parallel: false,
        is_blind: false,
    }
}

pub(crate) fn database(name: &str, own_ms: f64) -> Service {
    Service { node_type: NodeType::Database, ..service(name, own_ms, &[]) }
}

/// The same shop in every step but that from `onset` on it is `faulty`.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) healthy: Vec<Service>,
    pub(crate) faulty: Vec<Service>,
    pub(crate) steps: usize,
    pub(crate) onset: usize,
    /// Requests of the first service in a step.
    pub(crate) requests: f64,
    /// Relative deviation of a mean over a step.
    pub(crate) noise: f64,
    /// Traces in all; half before, half since the onset.
    pub(crate) traces: usize,
    pub(crate) seed: u64,
}

impl Shop {
    pub(crate) fn new(healthy: Vec<Service>) -> Self {
        Self {
            faulty: healthy.clone(),
            healthy,
            steps: 150,
            onset: 120,
            requests: 200.0,
            noise: 0.03,
            traces: 200,
            seed: 1,
        }
    }

    pub(crate) fn question(&self, sli: Sli) -> Question {
        Question { node: 0, operation: None, sli, hot: self.onset..self.steps, baseline: None }
    }

    fn at(&self, step: usize) -> &[Service] {
        if step < self.onset { &self.healthy } else { &self.faulty }
    }

    pub(crate) fn observe(&self) -> Observation {
        let count = self.healthy.len();
        let mut random = Random(self.seed);
        let node = |service: &Service| Node {
            name: service.name.clone(),
            node_type: service.node_type,
            hosts: vec![],
            requests: vec![],
            errors: vec![],
            seconds: vec![],
            high_seconds: vec![],
        };
        let mut nodes: Vec<Node> = self.healthy.iter().map(node).collect();
        let mut edges: Vec<Edge> = Vec::new();
        for (caller, service) in self.healthy.iter().enumerate() {
            edges.extend(service.calls.iter().map(|call| Edge {
                caller,
                callee: call.callee,
                is_async: false,
                calls: vec![],
                errors: vec![],
                client_seconds: vec![],
                server_seconds: vec![],
            }));
        }
        for step in 0..self.steps {
            let services = self.at(step);
            let noise: Vec<f64> = (0..count).map(|_| 1.0 + self.noise * random.normal()).collect();
            let flow = Flow::new(services, &noise, self.requests);
            let mut edge = 0;
            for (index, service) in services.iter().enumerate() {
                if service.node_type == NodeType::Service && !service.is_blind {
                    nodes[index].requests.push(flow.visits[index]);
                    nodes[index].seconds.push(flow.visits[index] * flow.latency[index]);
                    nodes[index].errors.push((flow.visits[index] * flow.fails[index]).round());
                }
                for call in &service.calls {
                    let calls = flow.visits[index] * call.times as f64;
                    let callee = &services[call.callee];
                    let (edges, known) = (&mut edges[edge], !service.is_blind);
                    edge += 1;
                    if !known {
                        continue;
                    }
                    edges.calls.push(calls);
                    edges.errors.push((calls * flow.fails[call.callee]).round());
                    edges.client_seconds.push(calls * (flow.latency[call.callee] + call.gap_s));
                    if callee.node_type == NodeType::Service && !callee.is_blind {
                        edges.server_seconds.push(calls * flow.latency[call.callee]);
                    }
                }
            }
        }
        let traces = (0..self.traces).map(|index| self.trace(index, &mut random)).collect();
        Observation {
            grid: Grid { start_s: START_S, step_s: STEP_S, steps: self.steps },
            nodes,
            edges,
            operations: Vec::<Operation>::new(),
            resources: vec![],
            logs: vec![],
            changes: vec![],
            traces,
            clock_skew_ms: 0.0,
        }
    }

    fn trace(&self, index: usize, random: &mut Random) -> Trace {
        let hot = index % 2 == 1;
        let (from, to) = if hot { (self.onset, self.steps) } else { (0, self.onset) };
        let step = from + (random.next() as usize) % (to - from);
        let start_s = START_S + step as i64 * i64::from(STEP_S);
        let mut trace = Trace { id: format!("{index:032x}"), spans: Vec::new() };
        self.span(&mut trace, 0, None, start_s as f64, step, random);
        trace
    }

    /// Adds a request to a service; gives its end.
    fn span(
        &self,
        trace: &mut Trace,
        node: usize,
        parent: Option<usize>,
        start_s: f64,
        step: usize,
        random: &mut Random,
    ) -> f64 {
        let service = &self.at(step)[node];
        let own = service.own_s * (1.0 + self.noise * random.normal()).max(0.1);
        let index = trace.spans.len();
        trace.spans.push(span(node, None, parent, start_s, start_s));
        let mut at = start_s + own / 2.0;
        let mut latest = at;
        for call in &service.calls {
            for _ in 0..call.times {
                let client = trace.spans.len();
                trace.spans.push(span(node, Some(call.callee), Some(index), at, at));
                let callee = &self.at(step)[call.callee];
                let end = if callee.node_type == NodeType::Service && !callee.is_blind {
                    self.span(trace, call.callee, Some(client), at + call.gap_s / 2.0, step, random)
                        + call.gap_s / 2.0
                } else if callee.is_blind {
                    self.through(trace, callee, client, at + call.gap_s / 2.0, step, random)
                        + call.gap_s / 2.0
                } else {
                    at + call.gap_s + callee.own_s * (1.0 + self.noise * random.normal()).max(0.1)
                };
                trace.spans[client].end_ns = ns(end);
                latest = latest.max(end);
                if !service.is_parallel {
                    at = end;
                }
            }
        }
        let end = latest + own / 2.0;
        trace.spans[index].end_ns = ns(end);
        end
    }

    /// A service without spans hands its caller's context to those that it calls.
    fn through(
        &self,
        trace: &mut Trace,
        blind: &Service,
        client: usize,
        start_s: f64,
        step: usize,
        random: &mut Random,
    ) -> f64 {
        let mut at = start_s + blind.own_s;
        for call in blind.calls.iter().flat_map(|call| std::iter::repeat_n(call, call.times)) {
            at = self.span(trace, call.callee, Some(client), at + call.gap_s / 2.0, step, random)
                + call.gap_s / 2.0;
        }
        at
    }
}

fn ns(s: f64) -> u64 {
    // Whole seconds apart, so that nothing is lost.
    (s.floor() as u64) * 1_000_000_000 + ((s - s.floor()) * 1e9).round() as u64
}

fn span(node: usize, peer: Option<usize>, parent: Option<usize>, start_s: f64, end_s: f64) -> TraceSpan {
    TraceSpan {
        parent,
        node,
        peer,
        operation: "request".to_owned(),
        start_ns: ns(start_s),
        end_ns: ns(end_s),
        is_error: false,
        is_async: false,
        attributes: vec![],
    }
}

/// Visits, durations and failures of one step.
struct Flow {
    visits: Vec<f64>,
    latency: Vec<f64>,
    fails: Vec<f64>,
}

impl Flow {
    /// Calls lead to later services only.
    fn new(services: &[Service], noise: &[f64], requests: f64) -> Self {
        let count = services.len();
        let mut flow = Self { visits: vec![0.0; count], latency: vec![0.0; count], fails: vec![0.0; count] };
        flow.visits[0] = requests;
        for (index, service) in services.iter().enumerate() {
            for call in &service.calls {
                assert!(call.callee > index, "{} calls back", service.name);
                flow.visits[call.callee] += flow.visits[index] * call.times as f64;
            }
        }
        for (index, service) in services.iter().enumerate().rev() {
            let of_call = |call: &Call| (flow.latency[call.callee] + call.gap_s) * call.times as f64;
            let one = |call: &Call| flow.latency[call.callee] + call.gap_s;
            let calls = if service.is_parallel {
                service.calls.iter().map(one).fold(0.0, f64::max)
            } else {
                service.calls.iter().map(of_call).sum()
            };
            let passes: f64 = service.calls.iter().map(|call| 1.0 - flow.fails[call.callee]).product();
            flow.latency[index] = service.own_s * noise[index] + calls;
            flow.fails[index] = 1.0 - (1.0 - service.fails) * passes;
        }
        flow
    }
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal: the sum of twelve.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}
