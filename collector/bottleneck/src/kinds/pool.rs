//! Pools of connections: requests wait for one while the server behind it is as fast as before.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Measured, highest};
use crate::{CauseKind, NodeId, NodeType, Signal, words};

/// Connections in use by those that there are.
const FULL: f64 = 0.95;
/// Requests that wait.
const PENDING: f64 = 0.5;
/// Share of what the candidate keeps that waiting must explain.
const EXPLAINED: f64 = 0.5;
/// Share of failures that a full pool is taken to explain.
const FULL_SHARE: f64 = 0.6;

/// Requests wait for a connection.
pub(super) fn exhaustion(facts: &Facts<'_>) -> Outcome {
    // Waiting for a connection is time of the caller: its own, or in front of the callee.
    let node = facts.edge.map_or(facts.node, |edge| edge.caller);
    let waits = highest(facts.of_node(node, Signal::PoolWait));
    let pending = highest(facts.of_node(node, Signal::PoolPending));
    let used = fullest(facts, node);
    if waits.is_none() && pending.is_none() && used.is_none() {
        return if calls_databases(facts, node) {
            Outcome::Missing(format!("no pool metrics of {}", facts.name_of(node)))
        } else {
            Outcome::Beside
        };
    }
    let share = waits.map_or(0.0, |waits| facts.share_of_own(waits.pair.rise()));
    let is_waiting = waits.is_some_and(|waits| waits.pair.rise() > 0.0) && share >= EXPLAINED;
    let is_pending =
        pending.is_some_and(|pending| pending.pair.now >= PENDING && pending.pair.ratio() >= 2.0);
    let is_full = used.is_some_and(|(used, max)| used.pair.now >= FULL * max);
    let said = said(facts, node, waits, pending, used);
    if !(is_waiting || (is_full && is_pending)) {
        let why: Vec<String> = said.into_iter().map(|(_, text, _)| text).collect();
        return Outcome::no(format!("pools of {}", facts.name_of(node)), why.join(", "));
    }
    // Where only the level of waiting is known, Little's law gives the time: as many seconds a second as wait.
    let share = share.max(pending.map_or(0.0, |pending| facts.share_of_own(pending.pair.rise())));
    // Of failures it is not known how many waited too long; that all connections are taken is known.
    let share = if facts.is_latency() { share } else { FULL_SHARE };
    let pool = waits.or(pending).and_then(|measured| measured.owner_name().map(str::to_owned));
    let mut finding = Finding::new(CauseKind::PoolExhaustion, rank::INTERNAL, "pool", share).waits(share);
    for (measured, text, (evidence_type, unit)) in said {
        let text = match &pool {
            Some(pool) => format!("{}, pool {pool}: {text}", facts.name_of(node)),
            None => format!("{}: {text}", facts.name_of(node)),
        };
        let query = &measured.resource.query;
        finding = finding.with(evidence(("pool", evidence_type), text, measured.pair, unit, query));
    }
    finding.node = (node != facts.node).then_some(node);
    finding.into()
}

type Said<'a> = (Measured<'a>, String, (&'static str, &'static str));

fn said<'a>(
    facts: &Facts<'a>,
    node: NodeId,
    waits: Option<Measured<'a>>,
    pending: Option<Measured<'a>>,
    used: Option<(Measured<'a>, f64)>,
) -> Vec<Said<'a>> {
    let mut said = Vec::new();
    if let Some(waits) = waits {
        let per_request = facts.request_rate(node).filter(|rate| rate.before > 0.0 && rate.now > 0.0);
        let text = match per_request {
            Some(rate) => {
                let pair =
                    crate::readings::Pair::new(waits.pair.before / rate.before, waits.pair.now / rate.now);
                format!("{} per request waiting for a connection", words::durations(pair))
            }
            None => format!("{} waiting for connections", words::change(waits.pair, "s/s")),
        };
        said.push((waits, text, ("pool_wait", "s/s")));
    }
    if let Some((used, max)) = used {
        let text = format!("{} of {} connections in use", words::change(used.pair, ""), words::number(max));
        said.push((used, text, ("pool_used", "count")));
    }
    if let Some(pending) = pending {
        let text = format!("{} requests wait", words::change(pending.pair, ""));
        said.push((pending, text, ("pool_pending", "count")));
    }
    said
}

/// The pool that is fullest, with its size.
fn fullest<'a>(facts: &Facts<'a>, node: NodeId) -> Option<(Measured<'a>, f64)> {
    let sizes = facts.of_node(node, Signal::PoolMax);
    let used = facts.of_node(node, Signal::PoolUsed).into_iter();
    used.filter_map(|used| {
        let max = sizes.iter().find(|size| size.resource.owner == used.resource.owner)?;
        (max.pair.now > 0.0).then_some((used, max.pair.now))
    })
    .max_by(|a, b| (a.0.pair.now / a.1).total_cmp(&(b.0.pair.now / b.1)))
}

fn calls_databases(facts: &Facts<'_>, node: NodeId) -> bool {
    let observation = facts.case.observation;
    let mut callees = observation.edges.iter().filter(|edge| edge.caller == node).map(|edge| edge.callee);
    callees.any(|callee| observation.nodes[callee].node_type == NodeType::Database)
}
