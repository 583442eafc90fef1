//! Messages come faster than they are worked off.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Measured, Pair, known};
use crate::{CauseKind, NodeId, NodeType, Owner, Signal, words};

/// Messages by which a queue must have grown, and by what factor.
const GROWN: (f64, f64) = (10.0, 2.0);
/// Of the steps since the onset the share in which it must not have shrunk.
const RISING: f64 = 0.6;

/// A queue that the candidate reads or holds grows, and what comes in did not make it.
pub(super) fn backlog(facts: &Facts<'_>) -> Outcome {
    let (queues, consumer) = queues(facts);
    let worst = queues.into_iter().max_by(|a, b| growth(facts, a).now.total_cmp(&growth(facts, b).now));
    let Some(ready) = worst else { return Outcome::Beside };
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
    finding.statement = None;
    finding.node = consumer.filter(|consumer| *consumer != facts.node);
    if let (Some(published), Some(consumed)) = (published, consumed) {
        let text = forecast(grown.now, published.pair.now, consumed.pair.now);
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
        let text = format!("{queue}: consumers {}", words::change(consumers.pair, ""));
        let query = &consumers.resource.query;
        finding = finding.with(evidence(("queue", "queue_consumers"), text, consumers.pair, "count", query));
    }
    finding.into()
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

/// Messages in the queue before (the usual), and at the end of what was seen.
fn growth(facts: &Facts<'_>, ready: &Measured<'_>) -> Pair {
    let hot = known(&ready.resource.values, &facts.case.hot);
    let last = hot.iter().rev().take(3).copied().fold(0.0, f64::max);
    Pair::new(ready.pair.before, last)
}

fn rising(facts: &Facts<'_>, ready: &Measured<'_>) -> f64 {
    let hot = known(&ready.resource.values, &facts.case.hot);
    if hot.len() < 2 {
        return 1.0;
    }
    hot.windows(2).filter(|pair| pair[1] >= pair[0]).count() as f64 / (hot.len() - 1) as f64
}

/// The queues to look at, and who reads from them: of a broker all of its own; of a service those of the brokers that
/// send to it.
fn queues<'a>(facts: &Facts<'a>) -> (Vec<Measured<'a>>, Option<NodeId>) {
    let observation = facts.case.observation;
    let is_broker = |node: NodeId| observation.nodes[node].node_type == NodeType::Messaging;
    let readers_of = |broker: NodeId| observation.edges.iter().filter(move |edge| edge.caller == broker);
    let (broker, consumer) = match facts.edge {
        Some(edge) if is_broker(edge.caller) => (Some(edge.caller), Some(edge.callee)),
        Some(edge) if is_broker(edge.callee) => (Some(edge.callee), None),
        _ if is_broker(facts.node) => (Some(facts.node), None),
        _ => {
            let mut to = observation.edges.iter().filter(|edge| edge.callee == facts.node);
            (to.find(|edge| is_broker(edge.caller)).map(|edge| edge.caller), Some(facts.node))
        }
    };
    let owned = facts.measured(Signal::QueueReady, |owner| match owner {
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
