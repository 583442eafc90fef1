//! What a cache answered goes to the database.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Pair, rate};
use crate::{CauseKind, NodeId, NodeType, Signal, queries, words};

/// Points of the hit ratio that must be lost.
const LOST: f64 = 0.20;
/// Calls of the database per request, now by before.
const MORE_QUERIES: f64 = 1.3;

/// The hit ratio fell, and calls of the database grew without more requests.
pub(super) fn misses(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "cache misses";
    let Some((ratio, cache, query)) = hit_ratio(facts) else { return Outcome::Beside };
    let text = format!("hit ratio of {} {}", facts.name_of(cache), words::shares(ratio));
    if -ratio.rise() < LOST {
        return Outcome::no(WHAT, text);
    }
    let Some((caller, database, per_request)) = more_queries(facts, cache) else {
        return Outcome::no(WHAT, format!("{text}, but no database gets more calls per request"));
    };
    let (from, to) = (facts.name_of(caller), facts.name_of(database));
    let more = format!("{from} calls {to} {} per request", words::change(per_request, "times"));
    let query_of_calls = queries::edge_calls_per_request(from, to, &facts.requests_query(caller));
    let mut finding = Finding::new(CauseKind::CacheMissStorm, rank::EXACT, "cache", 0.9)
        .with(evidence(("database", "cache_hits"), text, ratio, "share", query))
        .with(evidence(("trace", "calls_per_request"), more, per_request, "count", query_of_calls));
    finding.node = (caller != facts.node).then_some(caller);
    finding.into()
}

/// Of the cache that lost most among those that have to do with the candidate: the ratio, the cache, its query.
fn hit_ratio(facts: &Facts<'_>) -> Option<(Pair, NodeId, String)> {
    let observation = facts.case.observation;
    let callers = callers_or_self(facts);
    let mut caches: Vec<NodeId> = callers.clone();
    caches.extend(
        observation.edges.iter().filter(|edge| callers.contains(&edge.caller)).map(|edge| edge.callee),
    );
    caches.sort_unstable();
    caches.dedup();
    let ratio = |hits: f64, misses: f64| if hits + misses > 0.0 { hits / (hits + misses) } else { 0.0 };
    // A node may be several servers, each with a ratio of its own.
    let of_cache = |cache: NodeId| {
        let misses = facts.of_node(cache, Signal::CacheMisses);
        facts.of_node(cache, Signal::CacheHits).into_iter().filter_map(move |hits| {
            let misses = misses.iter().find(|misses| misses.resource.owner == hits.resource.owner)?;
            let before = ratio(hits.pair.before, misses.pair.before);
            let pair = Pair::new(before, ratio(hits.pair.now, misses.pair.now));
            let (hits, misses) = (&hits.resource.query, &misses.resource.query);
            let query = queries::per(
                &format!("sum({hits})"),
                &queries::sum([hits.as_str(), misses.as_str()].into_iter()),
            );
            Some((pair, cache, query))
        })
    };
    caches.into_iter().flat_map(of_cache).min_by(|a, b| a.0.rise().total_cmp(&b.0.rise()))
}

/// Those that may use a cache in front of the candidate: itself, the edge's caller, its callers.
fn callers_or_self(facts: &Facts<'_>) -> Vec<NodeId> {
    let edges = &facts.case.observation.edges;
    let mut callers = vec![facts.node];
    match facts.edge {
        Some(edge) => callers.push(edge.caller),
        None => callers.extend(edges.iter().filter(|edge| edge.callee == facts.node).map(|edge| edge.caller)),
    }
    callers
}

/// The caller of the cache whose calls of another database grew most per request.
fn more_queries(facts: &Facts<'_>, cache: NodeId) -> Option<(NodeId, NodeId, Pair)> {
    let observation = facts.case.observation;
    let users: Vec<NodeId> =
        observation.edges.iter().filter(|edge| edge.callee == cache).map(|edge| edge.caller).collect();
    let users = if users.is_empty() { vec![cache] } else { users };
    let grown = observation.edges.iter().filter_map(|edge| {
        let is_database = observation.nodes[edge.callee].node_type == NodeType::Database;
        if !is_database || edge.callee == cache || !users.contains(&edge.caller) {
            return None;
        }
        let (calls, requests) = (rate(facts.case, &edge.calls)?, facts.request_rate(edge.caller)?);
        let is_known = requests.before > 0.0 && requests.now > 0.0;
        let per = is_known.then(|| Pair::new(calls.before / requests.before, calls.now / requests.now))?;
        (per.ratio() >= MORE_QUERIES).then_some((edge.caller, edge.callee, per))
    });
    grown.max_by(|a, b| a.2.rise().total_cmp(&b.2.rise()))
}
