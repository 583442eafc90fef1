//! Every number that the localiser looks at, measured when it is first asked for: of the nodes that a symptom cannot have
//! come through nothing is measured.

use std::cell::OnceCell;

use crate::excess::Part;
use crate::graph::{Graph, Step};
use crate::measure::{Measure, Pair, Times, measure};
use crate::weights::{Profile, Tally};
use crate::{Edge, NodeId, Observation, Question, Settings, Sli};

/// Calls of traces that a mean rests on at least; below, the metrics' mean is taken.
const MIN_CALLS: f64 = 10.0;

/// An edge before and since.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EdgeMeasure {
    /// As the caller sees it; where only the callee's side is known, that.
    pub(crate) client: Measure,
    /// As the callee sees it.
    pub(crate) server: Option<Measure>,
    /// What lies between.
    pub(crate) gap: Measure,
}

/// The numbers of a case.
pub(crate) struct Numbers<'a> {
    pub(crate) observation: &'a Observation,
    pub(crate) graph: &'a Graph,
    pub(crate) times: &'a Times,
    settings: &'a Settings,
    question: &'a Question,
    /// Of the question's own requests.
    pub(crate) symptom: Measure,
    /// Of all traces: what callers wait for.
    weights: Profile,
    /// Of the traces of the question's own requests, where there are enough and they agree with the symptom.
    own: Option<Profile>,
    nodes: Vec<OnceCell<Measure>>,
    edges: Vec<OnceCell<EdgeMeasure>>,
}

impl<'a> Numbers<'a> {
    pub(crate) fn new(
        observation: &'a Observation,
        graph: &'a Graph,
        times: &'a Times,
        question: &'a Question,
        settings: &'a Settings,
    ) -> Self {
        let pair = Pair::of_symptom(observation, question);
        let symptom = measure(pair, question.sli, times, settings);
        let profile = |own: bool| {
            let is_own = |trace: &crate::Trace| {
                let root = trace.spans.first();
                root.is_some_and(|root| {
                    root.node == question.node && matches_operation(observation, question, root)
                })
            };
            Profile::new(observation, graph, &times.baseline, &times.hot, |trace| !own || is_own(trace))
        };
        let is_latency = question.sli == Sli::Latency && !observation.traces.is_empty();
        let weights = if is_latency { profile(false) } else { Profile::default() };
        let own = is_latency.then(|| profile(true)).filter(|own| agrees(own, symptom.now - symptom.base));
        Self {
            observation,
            graph,
            times,
            settings,
            question,
            symptom,
            weights,
            own,
            nodes: vec![OnceCell::new(); observation.nodes.len()],
            edges: vec![OnceCell::new(); observation.edges.len()],
        }
    }

    pub(crate) fn settings(&self) -> &'a Settings {
        self.settings
    }

    pub(crate) fn sli(&self) -> Sli {
        self.question.sli
    }

    /// Traces that the shares rest on.
    pub(crate) fn traces(&self) -> usize {
        let profile = self.own.as_ref().unwrap_or(&self.weights);
        profile.phases.iter().map(|phase| phase.traces).sum()
    }

    pub(crate) fn node(&self, node: NodeId) -> Measure {
        let pair = || Pair::of_node(&self.observation.nodes[node], self.sli());
        *self.nodes[node].get_or_init(|| measure(pair(), self.sli(), self.times, self.settings))
    }

    /// Whether nothing was ever measured at the node itself.
    pub(crate) fn is_blind(&self, node: NodeId) -> bool {
        let found = self.node(node);
        found.base_count <= 0.0 && found.now_count <= 0.0
    }

    pub(crate) fn edge(&self, edge: usize) -> EdgeMeasure {
        *self.edges[edge].get_or_init(|| self.measure_edge(&self.observation.edges[edge]))
    }

    fn measure_edge(&self, edge: &Edge) -> EdgeMeasure {
        let measured = |amounts: &[f64]| {
            measure(Pair { amounts, counts: &edge.calls }, self.sli(), self.times, self.settings)
        };
        if self.sli() == Sli::Errors {
            return EdgeMeasure { client: measured(&edge.errors), ..EdgeMeasure::default() };
        }
        let server = (!edge.server_seconds.is_empty()).then(|| measured(&edge.server_seconds));
        if edge.client_seconds.is_empty() {
            return EdgeMeasure { client: server.unwrap_or_default(), server, gap: Measure::default() };
        }
        let client = measured(&edge.client_seconds);
        let mut found = EdgeMeasure { client, server, gap: Measure::default() };
        if client.is_significant() && server.is_some() {
            let between = edge.client_seconds.iter().zip(&edge.server_seconds);
            let gap: Vec<f64> = between.map(|(client, server)| (client - server).max(0.0)).collect();
            found.gap = measured(&gap);
        }
        found
    }

    /// Whether the symptom can have come over an edge.
    pub(crate) fn step(&self, edge: usize) -> Step {
        let ends = &self.observation.edges[edge];
        if ends.is_async {
            return Step::Stop;
        }
        let found = self.edge(edge);
        let callee = self.node(ends.callee);
        let went = |is_worse: bool| if is_worse { Step::Go } else { Step::Stop };
        if !found.client.is_known() {
            // Calls that there were not before are the caller's doing.
            let is_new = found.client.now_count > 0.0;
            return match (callee.is_known(), is_new || found.client.base_count > 0.0) {
                (true, false) => went(callee.is_significant()),
                (false, false) if self.is_blind(ends.callee) => Step::Blind,
                _ => Step::Stop,
            };
        }
        match found.server {
            Some(server) if server.is_known() && server.is_significant() => Step::Go,
            _ if callee.is_known() => went(callee.is_significant() && found.client.now > found.client.base),
            Some(server) if server.is_known() => Step::Stop,
            _ => went(found.client.is_significant()),
        }
    }

    /// What a node's requests take longer, per request; `None` where only its callers know it.
    pub(crate) fn added(&self, node: NodeId) -> Option<f64> {
        if let Some(own) = &self.own {
            return own_mean(own, |phase| phase.nodes.get(&node)).map(|[base, now]| now - base);
        }
        let found = self.node(node);
        if node == self.question.node {
            // Other operations of the node take no part: the symptom's excess over all of its requests.
            let excess = (self.symptom.now - self.symptom.base) * self.symptom.now_count;
            let requests = if found.now_count > 0.0 { found.now_count } else { self.symptom.now_count };
            return Some(excess / requests.max(1.0));
        }
        found.is_known().then_some(found.now - found.base)
    }

    /// What an edge adds to a request of its caller. `passes`: whether the callee is among those reached.
    pub(crate) fn part(&self, edge: usize, passes: bool) -> Part {
        let found = self.edge(edge);
        let ends = &self.observation.edges[edge];
        let mut part = match &self.own {
            Some(own) => own_part(own, edge, ends.caller),
            None if found.client.is_known() => self.mean_part(edge, &found),
            None => self.share_part(ends),
        };
        if !passes {
            part.callee = 0.0;
        }
        if self.sli() == Sli::Errors {
            self.split_errors(ends, &found, passes, &mut part);
        } else if !found.gap.is_significant() {
            part.gap = 0.0;
        }
        part.callee = part.callee.max(0.0);
        part.gap = part.gap.max(0.0);
        part
    }

    /// From the means of metrics: calls per request times what a call takes longer, as far as the caller waits.
    fn mean_part(&self, edge: usize, found: &EdgeMeasure) -> Part {
        let caller = self.observation.edges[edge].caller;
        let calls = found.client.now_count / self.requests(caller).max(1.0);
        let weight = self.weights.weights(edge, caller);
        let longer = |measure: &Measure| measure.now * weight[1] - measure.base * weight[0];
        let whole = longer(&found.client);
        let callee = match &found.server {
            Some(server) if server.is_known() => longer(server),
            _ => whole,
        };
        Part { callee: calls * callee, gap: calls * (whole - callee), calls }
    }

    /// Where calls were not counted: what the callee takes longer in all, shared among its callers by their own excess.
    fn share_part(&self, ends: &Edge) -> Part {
        let callee = self.node(ends.callee);
        let mut total = 0.0;
        for edge in self.graph.into(ends.callee) {
            total += self.excess(self.observation.edges[*edge].caller);
        }
        let share = if total > 0.0 { self.excess(ends.caller) / total } else { 0.0 };
        let requests = self.requests(ends.caller).max(1.0);
        let excess = self.excess(ends.callee) * share;
        Part { callee: excess / requests, gap: 0.0, calls: callee.now_count * share / requests }
    }

    /// All that a node took longer (or failed more), s; of a blind one what those behind it did.
    fn excess(&self, node: NodeId) -> f64 {
        let own = |node: NodeId| {
            let found = self.node(node);
            let is_worse = found.is_significant() || node == self.question.node;
            if is_worse && found.is_known() {
                (found.now - found.base).max(0.0) * found.now_count
            } else {
                0.0
            }
        };
        if !self.is_blind(node) {
            return own(node);
        }
        self.graph.out(node).iter().map(|edge| own(self.observation.edges[*edge].callee)).sum()
    }

    /// Requests that came to a node since the onset; of one without numbers, calls to it.
    pub(crate) fn requests(&self, node: NodeId) -> f64 {
        let own = self.node(node).now_count;
        if own > 0.0 {
            return own;
        }
        self.graph.into(node).iter().map(|edge| self.edge(*edge).client.now_count).sum()
    }

    /// Of failed calls those are between the two that the callee did not see fail.
    fn split_errors(&self, ends: &Edge, found: &EdgeMeasure, passes: bool, part: &mut Part) {
        let whole = part.callee;
        let calls = found.client.now_count / self.requests(ends.caller).max(1.0);
        let more = found.client.now - found.client.base;
        let callee = self.node(ends.callee);
        part.gap = 0.0;
        if !found.client.is_significant() || !callee.is_known() {
            return;
        }
        let unseen = (more - (callee.now - callee.base).max(0.0)).max(0.0);
        if !passes {
            part.gap = calls * more;
        } else if unseen > more * 0.5 {
            part.gap = calls * unseen;
            part.callee = (whole - part.gap).max(0.0);
        }
    }
}

fn matches_operation(observation: &Observation, question: &Question, root: &crate::TraceSpan) -> bool {
    match question.operation.and_then(|index| observation.operations.get(index)) {
        Some(operation) => operation.name == root.operation,
        None => true,
    }
}

/// Traces that were kept because they are slow do not stand for all; what they say of shares is taken if they show the
/// symptom at about its size.
fn agrees(own: &Profile, symptom: f64) -> bool {
    if !own.is_enough() {
        return false;
    }
    let [base, now] = [0, 1].map(|phase| own.phases[phase].seconds / own.phases[phase].traces as f64);
    (0.5..=2.0).contains(&((now - base) / symptom))
}

/// Mean time on the path of what `tally` finds in each phase; `None` if too few were seen since the onset.
fn own_mean<'p>(
    own: &'p Profile,
    tally: impl Fn(&'p crate::weights::Phase) -> Option<&'p Tally>,
) -> Option<[f64; 2]> {
    let [base, now] = [0, 1].map(|phase| tally(&own.phases[phase]).filter(|tally| tally.count >= MIN_CALLS));
    let mean = |tally: &Tally| tally.on_path / tally.count;
    Some([mean(base?), mean(now?)])
}

fn own_part(own: &Profile, edge: usize, caller: NodeId) -> Part {
    let [base, now] = [0, 1].map(|phase| own.phases[phase].edges.get(&edge).copied().unwrap_or_default());
    let visits = own.phases[1].nodes.get(&caller).map_or(0.0, |tally| tally.count);
    if now.count < 1.0 || visits < 1.0 {
        return Part::default();
    }
    let calls = now.count / visits;
    if base.count < 1.0 {
        return Part { calls, ..Part::default() };
    }
    let mean = |amount: f64, tally: &Tally| amount / tally.count;
    let whole = mean(now.on_path, &now) - mean(base.on_path, &base);
    let is_answered = now.answered > now.count * 0.5 && base.answered > base.count * 0.5;
    let callee = if is_answered { mean(now.served, &now) - mean(base.served, &base) } else { whole };
    Part { callee: calls * callee, gap: calls * (whole - callee), calls }
}
