//! Queues of a broker as something that is asked: the messages that come to one are its requests, and what they wait is
//! their time. By Little's law (L = λ W; Little 1961) the messages that wait at a moment are the rate at which they come
//! times how long each of them waits. Whoever takes them may be as fast as ever, or gone: then nobody else is slower.

use std::collections::BTreeSet;

use crate::analyze::unit;
use crate::localise::{Localised, Step};
use crate::measure::{Measure, Pair, Times, measure};
use crate::{
    Candidate, Case, Culprit, Evidence, Fix, Hop, NodeId, NodeType, Observation, Operation, Owner, Question,
    Resource, Series, Settings, Signal, Sli, Target, Verdict, queries, readings, texts,
};

/// So many more messages than usual must wait, on average.
const MORE_MESSAGES: f64 = 10.0;

impl Observation {
    /// Adds an operation for each queue of a broker of which it is known how many messages wait, and how many come or go.
    pub fn add_queues(&mut self) {
        let queues = self.resources.iter().filter(|resource| resource.signal == Signal::QueueReady);
        let queues: Vec<Operation> =
            queues.filter_map(|ready| self.queue(&ready.owner, &ready.values)).collect();
        self.operations.extend(queues);
    }

    fn queue(&self, owner: &Owner, ready: &[f64]) -> Option<Operation> {
        let Owner::Part { node, name } = owner else { return None };
        if self.nodes.get(*node)?.node_type != NodeType::Messaging {
            return None;
        }
        let sides =
            [Signal::QueuePublished, Signal::QueueConsumed].map(|signal| self.measured(owner, signal));
        if sides.iter().all(Option::is_none) {
            return None;
        }
        let step_s = f64::from(self.grid.step_s);
        // One that is worked off while nothing comes has its rate from what goes.
        let rate = |step: usize| {
            let known = sides.iter().flatten().filter_map(|side| side.values.get(step).copied());
            known.filter(|rate| rate.is_finite()).fold(f64::NAN, f64::max)
        };
        let seconds: Series = (0..self.grid.steps)
            .map(|step| ready.get(step).map_or(f64::NAN, |ready| ready * step_s))
            .collect();
        Some(Operation {
            node: *node,
            name: name.clone(),
            peer: None,
            is_entry: false,
            calls: (0..self.grid.steps).map(|step| rate(step) * step_s).collect(),
            errors: vec![0.0; self.grid.steps],
            seconds,
            high_seconds: Series::new(),
        })
    }

    fn measured(&self, owner: &Owner, signal: Signal) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.signal == signal && resource.owner == *owner)
    }

    /// Whether an operation is a queue: brokers that send spans are services.
    pub fn is_queue(&self, operation: &Operation) -> bool {
        let node = self.nodes.get(operation.node);
        operation.peer.is_none() && node.is_some_and(|node| node.node_type == NodeType::Messaging)
    }

    /// Of the queues of a broker the one that got longest: who asks about a broker asks about its messages.
    pub fn longest_queue(&self, broker: NodeId, hot: std::ops::Range<usize>) -> Option<usize> {
        let all = self.operations.iter().enumerate();
        let queues = all.filter(|(_, operation)| operation.node == broker && self.is_queue(operation));
        let grown =
            |queue: &Operation| self.messages(queue, hot.clone()) - self.messages(queue, 0..hot.start);
        // Of equal ones the first by name.
        let longest = queues.max_by(|(_, left), (_, right)| {
            grown(left).total_cmp(&grown(right)).then_with(|| right.name.cmp(&left.name))
        });
        longest.map(|(index, _)| index)
    }

    /// Messages that wait in a queue, on average.
    fn messages(&self, queue: &Operation, steps: std::ops::Range<usize>) -> f64 {
        let known = steps.filter_map(|step| queue.seconds.get(step)).filter(|seconds| seconds.is_finite());
        let (sum, count) = known.fold((0.0, 0.0), |all, seconds| (all.0 + seconds, all.1 + 1.0));
        if count > 0.0 { sum / count / f64::from(self.grid.step_s) } else { 0.0 }
    }

    /// The queue that a question is about.
    pub(crate) fn asked_queue(&self, question: &Question) -> Option<&Operation> {
        let operation = self.operations.get(question.operation?)?;
        self.is_queue(operation).then_some(operation)
    }
}

impl Settings {
    /// The same for what a question is about: in a queue messages wait by their nature.
    pub(crate) fn of(&self, observation: &Observation, question: &Question) -> Self {
        match observation.asked_queue(question) {
            Some(_) => self.of_queues(),
            None => self.clone(),
        }
    }
}

/// Whether more messages wait than usual, in a queue that somebody takes messages from: one that nobody ever took any
/// from only keeps them.
pub(crate) fn has_grown(
    observation: &Observation,
    queue: &Operation,
    baseline_end: usize,
    stretch: std::ops::Range<usize>,
) -> bool {
    let owner = Owner::Part { node: queue.node, name: queue.name.clone() };
    let is_taken = [Signal::QueueConsumed, Signal::QueueConsumers].into_iter().any(|signal| {
        let before = observation.measured(&owner, signal).and_then(|side| side.values.get(..baseline_end));
        before.is_some_and(|values| values.iter().any(|value| *value > 0.0))
    });
    let more = observation.messages(queue, stretch) - observation.messages(queue, 0..baseline_end);
    is_taken && more >= MORE_MESSAGES
}

/// Who takes messages from a queue of a broker: if several read from the broker, those that name it.
pub(crate) fn readers(observation: &Observation, broker: NodeId, queue: &str) -> Vec<NodeId> {
    let from = observation.edges.iter().filter(|edge| edge.caller == broker && edge.callee != broker);
    let all: BTreeSet<NodeId> = from.map(|edge| edge.callee).collect();
    let names = |reader: &NodeId| {
        let mut own = observation.operations.iter().filter(|own| own.node == *reader && own.peer.is_none());
        own.any(|own| own.name.split_whitespace().any(|word| word == queue))
    };
    let named: Vec<NodeId> = all.iter().copied().filter(names).collect();
    if all.len() > 1 && !named.is_empty() { named } else { all.into_iter().collect() }
}

/// Who of several it is nobody knows.
fn only_reader(observation: &Observation, broker: NodeId, queue: &str) -> Option<NodeId> {
    let readers = readers(observation, broker, queue);
    (readers.len() == 1).then(|| readers[0])
}

/// All of it is kept by who takes the messages; by the broker where that is not known.
pub(crate) fn localise(
    observation: &Observation,
    queue: &Operation,
    question: &Question,
    times: &Times,
    mut found: Localised,
) -> Localised {
    let symptom = found.symptom();
    if !found.is_significant {
        return found;
    }
    let reader = only_reader(observation, queue.node, &queue.name);
    let step = |node: NodeId, measure: Measure, passes_on: f64| Step {
        node,
        operation: question.operation.filter(|_| node == queue.node),
        onset: Some(times.hot.start),
        base: measure.base,
        now: measure.now,
        calls: 1.0,
        adds: symptom,
        passes_on,
        own: symptom - passes_on,
        between: 0.0,
        is_blind: false,
    };
    let of_queue = Measure { base: found.base, now: found.now, ..Measure::default() };
    found.path = vec![step(queue.node, of_queue, if reader.is_some() { symptom } else { 0.0 })];
    if let Some(reader) = reader {
        let of_reader = Pair::of_node(&observation.nodes[reader], Sli::Latency);
        found.path.push(step(reader, measure(of_reader, Sli::Latency, times, &Settings::default()), 0.0));
    }
    let target = Target::Node(reader.unwrap_or(queue.node));
    let operation = question.operation.filter(|_| reader.is_none());
    let onset = Some(times.hot.start);
    found.candidates = vec![Candidate { target, added: symptom, own: symptom, operation, onset }];
    found
}

/// If who takes the messages is slower than usual, or fails, that is what has to be explained.
pub(crate) fn slower_reader(case: &Case<'_>) -> Option<Question> {
    let observation = case.observation;
    let queue = observation.asked_queue(case.question)?;
    let all = readers(observation, queue.node, &queue.name).into_iter();
    let worse =
        all.flat_map(|node| [Sli::Latency, Sli::Errors].map(|sli| (node, sli))).filter_map(|(node, sli)| {
            let pair = Pair::of_node(&observation.nodes[node], sli);
            let times = Times::new(pair, case.baseline.clone(), case.hot.clone());
            let found = measure(pair, sli, &times, case.settings);
            found.is_significant().then_some((found.score, node, sli))
        });
    // The first of equals: latency before failures.
    let (_, node, sli) = worse.reduce(|best, one| if one.0 > best.0 { one } else { best })?;
    let (hot, baseline) = (case.hot.clone(), Some(case.baseline.clone()));
    Some(Question { node, operation: None, sli, hot, baseline })
}

/// How long messages wait in the queue that a case is about, and how to see it.
pub(crate) fn wait(case: &Case<'_>, found: &Localised) -> Option<Evidence> {
    let observation = case.observation;
    let queue = observation.asked_queue(case.question)?;
    let owner = Owner::Part { node: queue.node, name: queue.name.clone() };
    let query = |signal| observation.measured(&owner, signal).map(|resource| resource.query.as_str());
    let rates: Vec<&str> =
        [Signal::QueuePublished, Signal::QueueConsumed].into_iter().filter_map(query).collect();
    let pair = readings::Pair::new(unit(Sli::Latency, found.base), unit(Sli::Latency, found.now));
    let change = texts::pair(Sli::Latency, pair.before, "→", pair.now);
    Some(Evidence {
        family: "queue".to_owned(),
        evidence_type: "queue_wait".to_owned(),
        text: format!("messages wait {change} in {}", queue.name),
        baseline: Some(pair.before),
        now: Some(pair.now),
        unit: "ms".to_owned(),
        query: query(Signal::QueueReady).map(|ready| queries::queue_wait(ready, &rates)),
        exemplars: Vec::new(),
        at_s: None,
    })
}

/// Makes what was said of a reader what is said of its queue: messages wait because it takes so long, so that shares of its
/// time are shares of their wait.
pub(crate) fn hand_over(
    verdict: &mut Verdict,
    of_reader: Verdict,
    case: &Case<'_>,
    found: &Localised,
    fix: impl Fn(f64) -> Fix,
) {
    let symptom = unit(Sli::Latency, found.symptom());
    let of_its_own = of_reader.symptom.now - of_reader.symptom.baseline;
    let factor = if of_its_own > 0.0 { symptom / of_its_own } else { 0.0 };
    let scaled = |culprit: Culprit| Culprit { contribution: culprit.contribution * factor, ..culprit };
    let hop = |hop: Hop| Hop {
        adds: hop.adds * factor,
        passes_on: hop.passes_on * factor,
        keeps: hop.keeps * factor,
        keeps_self: hop.keeps_self * factor,
        keeps_queueing: hop.keeps_queueing * factor,
        keeps_network: hop.keeps_network * factor,
        ..hop
    };
    let first = Hop {
        service: verdict.symptom.service.clone(),
        operation: verdict.symptom.operation.clone(),
        onset_s: Some(verdict.window.onset_s),
        baseline: verdict.symptom.baseline,
        now: verdict.symptom.now,
        calls: 1.0,
        adds: symptom,
        passes_on: symptom,
        keeps: 0.0,
        keeps_self: 0.0,
        keeps_queueing: 0.0,
        keeps_network: 0.0,
        is_blind: false,
    };
    verdict.path = std::iter::once(first).chain(of_reader.path.into_iter().map(hop)).collect();
    verdict.culprit = of_reader.culprit.map(scaled);
    verdict.contributors = of_reader.contributors.into_iter().map(scaled).collect();
    verdict.fix = verdict.culprit.as_ref().map(|culprit| fix(culprit.contribution / 1_000.0));
    verdict.unexplained = of_reader.unexplained * factor;
    verdict.confidence = of_reader.confidence;
    verdict.evidence = of_reader.evidence;
    let place = verdict.evidence.len().min(1);
    wait(case, found).into_iter().for_each(|wait| verdict.evidence.insert(place, wait));
    verdict.ruled_out = of_reader.ruled_out;
    verdict.cohort = of_reader.cohort;
    verdict.headroom = of_reader.headroom;
    verdict.data_quality = of_reader.data_quality;
    verdict.next_steps = of_reader.next_steps;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
