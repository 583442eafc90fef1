//! Messages come faster than they are worked off: by the broker's own numbers, or by how long they wait until they are
//! taken.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Measured, Pair, known};
use crate::{CauseKind, Evidence, NodeId, NodeType, Owner, Signal, Trace, queries, words};

/// Messages by which a queue must have grown, and by what factor.
const GROWN: (f64, f64) = (10.0, 2.0);
/// Of the steps from the onset to when it was longest the share in which it must not have shrunk.
const RISING: f64 = 0.6;
/// By how much longer messages must wait where that is all that is known: by this factor, and s.
const WAITED: (f64, f64) = (3.0, 1.0);
/// Messages on each side of the onset below which it is not known how long they wait.
const MIN_MESSAGES: usize = 5;
/// Traces of the longest waits that are named.
const EXEMPLARS: usize = 3;

/// A queue that the candidate reads or holds grows, and what comes in did not make it.
pub(super) fn backlog(facts: &Facts<'_>) -> Outcome {
    let (queues, consumer) = queues(facts);
    let lag = consumer.and_then(|consumer| Lag::of(facts, consumer));
    let worst = queues.into_iter().max_by(|a, b| growth(facts, a).now.total_cmp(&growth(facts, b).now));
    let Some(ready) = worst else { return by_lag(facts, lag) };
    let (grown, rising) = (growth(facts, &ready), rising(facts, &ready));
    let queue = ready.owner_name().unwrap_or_default();
    let text = format!("messages that wait in {queue}: {}", words::change(grown, ""));
    if grown.rise() < GROWN.0 || grown.ratio() < GROWN.1 || rising < RISING {
        return Outcome::no("queue backlog", text);
    }
    let side = |signal| {
        let all = facts.measured(signal, |owner| *owner == ready.resource.owner);
        all.into_iter().next()
    };
    let (published, consumed) = (side(Signal::QueuePublished), side(Signal::QueueConsumed));
    let mut finding = Finding::new(CauseKind::QueueBacklog, rank::INTERNAL, "queue", 0.9)
        .waits(0.9)
        .with(evidence(("queue", "queue_ready"), text, grown, "count", &ready.resource.query));
    finding.node = consumer.filter(|consumer| *consumer != facts.node);
    if let (Some(published), Some(consumed)) = (published, consumed) {
        let text = forecast(left(facts, &ready), published.pair.now, consumed.pair.now);
        let text = format!(
            "{queue}: published {}, worked off {}; {text}",
            words::change(published.pair, "/s"),
            words::change(consumed.pair, "/s")
        );
        let query = &consumed.resource.query;
        finding = finding.with(evidence(("queue", "queue_consumed"), text, consumed.pair, "1/s", query));
    }
    if let Some(consumers) = side(Signal::QueueConsumers)
        && consumers.pair.now < consumers.pair.before
    {
        if left(facts, &consumers) <= 0.0 {
            finding = finding.subkind("no_consumer");
        }
        let text = format!("{queue}: consumers {}", words::change(consumers.pair, ""));
        let query = &consumers.resource.query;
        finding = finding.with(evidence(("queue", "queue_consumers"), text, consumers.pair, "count", query));
    }
    finding.with_all(lag.map(|lag| lag.evidence(facts))).into()
}

/// Where no broker tells of its queues.
fn by_lag(facts: &Facts<'_>, lag: Option<Lag<'_>>) -> Outcome {
    let Some(lag) = lag else { return Outcome::Beside };
    if lag.pair.ratio() < WAITED.0 || lag.pair.rise() < WAITED.1 {
        return Outcome::no("queue backlog", lag.text(facts));
    }
    let mut finding =
        Finding::new(CauseKind::QueueBacklog, rank::PART, "queue", 0.9).waits(0.9).with(lag.evidence(facts));
    finding.node = Some(lag.consumer).filter(|consumer| *consumer != facts.node);
    finding.into()
}

/// How long messages wait until they are taken, by traces that go on behind the queue.
struct Lag<'a> {
    consumer: NodeId,
    /// Means, s.
    pair: Pair,
    /// Traces of the longest waits since the onset.
    exemplars: Vec<&'a str>,
}

impl<'a> Lag<'a> {
    fn of(facts: &Facts<'a>, consumer: NodeId) -> Option<Self> {
        let waits = |is_hot| {
            let mut all: Vec<(f64, &str)> =
                facts.traces(is_hot).flat_map(|trace| waits_of(trace, consumer)).collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
            all
        };
        let (before, now) = (waits(false), waits(true));
        if before.len().min(now.len()) < MIN_MESSAGES {
            return None;
        }
        let mean = |all: &[(f64, &str)]| all.iter().map(|(wait_s, _)| wait_s).sum::<f64>() / all.len() as f64;
        let pair = Pair::new(mean(&before), mean(&now));
        let exemplars = now.into_iter().take(EXEMPLARS).map(|(_, id)| id).collect();
        Some(Self { consumer, pair, exemplars })
    }

    fn text(&self, facts: &Facts<'_>) -> String {
        format!(
            "messages wait {} until {} takes them",
            words::durations(self.pair),
            facts.name_of(self.consumer)
        )
    }

    fn evidence(&self, facts: &Facts<'_>) -> Evidence {
        let pair = Pair::new(self.pair.before * 1e3, self.pair.now * 1e3);
        let query = queries::traces(facts.name_of(self.consumer), "kind:consumer");
        let mut evidence = evidence(("queue", "message_wait"), self.text(facts), pair, "ms", query);
        evidence.exemplars = self.exemplars.iter().map(|id| (*id).to_owned()).collect();
        evidence
    }
}

/// Of each message in a trace that the consumer took: how long after it was sent, s.
fn waits_of(trace: &Trace, consumer: NodeId) -> impl Iterator<Item = (f64, &str)> {
    trace.spans.iter().filter_map(move |span| {
        let sender = trace.spans.get(span.parent?)?;
        let is_taken = span.node == consumer && span.is_async && sender.node != consumer;
        is_taken.then(|| (span.start_ns.saturating_sub(sender.end_ns) as f64 / 1e9, trace.id.as_str()))
    })
}

/// When the queue will be empty, at these rates.
fn forecast(ready: f64, published: f64, consumed: f64) -> String {
    let drained = consumed - published;
    if drained > 0.0 {
        format!("empty in {} s", words::number(ready / drained))
    } else {
        format!("it grows by {} a second and does not drain", words::number(-drained))
    }
}

/// Messages in the queue before (the usual), and the most since: one that is being worked off is still what it was.
fn growth(facts: &Facts<'_>, ready: &Measured<'_>) -> Pair {
    let hot = known(&ready.resource.values, &facts.case.hot);
    Pair::new(ready.pair.before, hot.into_iter().fold(0.0, f64::max))
}

/// What there is at the end of what was seen.
fn left(facts: &Facts<'_>, measured: &Measured<'_>) -> f64 {
    known(&measured.resource.values, &facts.case.hot).last().copied().unwrap_or(0.0)
}

fn rising(facts: &Facts<'_>, ready: &Measured<'_>) -> f64 {
    let mut hot = known(&ready.resource.values, &facts.case.hot);
    let longest = hot.iter().copied().fold(0.0, f64::max);
    hot.truncate(hot.iter().position(|ready| *ready >= longest).map_or(0, |at| at + 1));
    if hot.len() < 2 {
        return 1.0;
    }
    hot.windows(2).filter(|pair| pair[1] >= pair[0]).count() as f64 / (hot.len() - 1) as f64
}

/// The queues to look at, and who reads from them: of a broker all of its own; of a service those of the brokers that
/// send to it.
fn queues<'a>(facts: &Facts<'a>) -> (Vec<Measured<'a>>, Option<NodeId>) {
    let observation = facts.case.observation;
    let asked = observation.asked_queue(facts.case.question);
    let is_broker = |node: NodeId| observation.nodes[node].node_type == NodeType::Messaging;
    let readers_of = |broker: NodeId| observation.edges.iter().filter(move |edge| edge.caller == broker);
    let (broker, consumer) = match facts.edge {
        _ if asked.is_some_and(|queue| queue.node != facts.node) => {
            (asked.map(|queue| queue.node), Some(facts.node))
        }
        Some(edge) if is_broker(edge.caller) => (Some(edge.caller), Some(edge.callee)),
        Some(edge) if is_broker(edge.callee) => (Some(edge.callee), None),
        _ if is_broker(facts.node) => (Some(facts.node), None),
        _ => {
            let mut to = observation.edges.iter().filter(|edge| edge.callee == facts.node);
            (to.find(|edge| is_broker(edge.caller)).map(|edge| edge.caller), Some(facts.node))
        }
    };
    let owned = facts.measured(Signal::QueueReady, |owner| match owner {
        // Of those of a broker the one that is asked about.
        Owner::Part { name, .. } if asked.is_some_and(|queue| queue.name != *name) => false,
        Owner::Part { node, .. } | Owner::Node(node) => Some(*node) == broker || *node == facts.node,
        Owner::Host(_) | Owner::Process { .. } | Owner::Group { .. } => false,
    });
    let consumer = consumer.or_else(|| {
        let mut readers = readers_of(broker?);
        let first = readers.next()?.callee;
        readers.next().is_none().then_some(first)
    });
    (owned, consumer)
}
