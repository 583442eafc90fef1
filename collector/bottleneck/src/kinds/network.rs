//! The network: time or segments that are lost between two programs.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::baseline::median;
use crate::readings::{Facts, Pair, highest, per, total};
use crate::{CauseKind, Edge, Owner, Signal, queries, words};

/// By how much the gap between both ends must have grown: by this factor, and s.
const GAP_GROWN: (f64, f64) = (1.5, 0.001);
/// By how many of its own spreads, if it is known step by step; and the spread's least share of the gap and s.
const GAP_Z: f64 = 4.0;
const GAP_SPREAD: (f64, f64) = (0.1, 0.000_5);
/// Calls on each side of the onset below which a gap is not known.
const MIN_CALLS: f64 = 20.0;
/// How much of the caller's added time the callee may have added itself.
const SERVER_PART: f64 = 0.5;
/// Share of TCP segments that were sent again.
const RETRANSMITS: f64 = 0.01;
/// Share of what a network interface can carry.
const BANDWIDTH: f64 = 0.8;
/// Share of a node's edges whose gap must have grown for its own network to be it.
const MOST_EDGES: f64 = 0.75;

/// The gap between caller and callee grew while the callee's own time did not.
pub(super) fn latency(facts: &Facts<'_>) -> Outcome {
    match facts.edge {
        Some(edge) => edge_latency(facts, edge),
        None => node_latency(facts),
    }
}

fn edge_latency(facts: &Facts<'_>, edge: &Edge) -> Outcome {
    let what = edge_name(facts, edge);
    let Some((client, server)) = sides(facts, edge) else {
        return Outcome::Missing(format!("no spans of {} for calls of {}", facts.name(), what.0));
    };
    let gap = gap(client, server);
    let text = words::durations(gap);
    let is_grown = gap.ratio() >= GAP_GROWN.0 && gap.rise() >= GAP_GROWN.1;
    if !is_grown || server.rise() > SERVER_PART * client.rise() {
        let why =
            format!("gap between caller and callee {text}, callee's own time {}", words::durations(server));
        return Outcome::no(format!("network {} → {}", what.0, what.1), why);
    }
    let calls = crate::readings::rate(facts.case, &edge.calls).map_or(0.0, |calls| calls.now);
    let share = facts.share_of_own(gap.rise() * calls);
    let flat = format!("{}'s own time per call {}", what.1, words::durations(server));
    let text = format!("between {} and {}: {text} per call", what.0, what.1);
    let mut finding = Finding::new(CauseKind::NetworkLatency, rank::PART, "network", share.max(0.6))
        .with(evidence(("network", "edge_gap"), text, ms(gap), "ms", queries::edge_gap(what.0, what.1)))
        .with(evidence(
            ("trace", "callee_time"),
            flat,
            ms(server),
            "ms",
            queries::edge_server(what.0, what.1),
        ));
    if let Some(node) = common_node(facts, edge) {
        finding = finding.on(facts.hosts(node).first().map(String::as_str)).subkind("host");
    }
    finding.into()
}

/// Of a node: most of its edges, both ways, have a gap that grew.
fn node_latency(facts: &Facts<'_>) -> Outcome {
    let gaps = gaps_of(facts, facts.node);
    if gaps.is_empty() {
        return Outcome::Beside;
    }
    let grown = gaps.iter().filter(|gap| gap.is_grown).count();
    let worst = gaps.iter().max_by(|a, b| {
        let (left, right) = (a.pair, b.pair);
        let by_rise = left.rise().total_cmp(&right.rise()).then_with(|| left.now.total_cmp(&right.now));
        by_rise.then_with(|| edge_name(facts, b.edge).cmp(&edge_name(facts, a.edge)))
    });
    let Some(worst) = worst else { return Outcome::Beside };
    let what = format!("network of {}", facts.name());
    let most = words::durations(worst.pair);
    let text = format!("gap of {grown} of {} edges grew, at most {most}", gaps.len());
    if gaps.len() < 2 || (grown as f64) < MOST_EDGES * gaps.len() as f64 {
        return Outcome::no(what, text);
    }
    let (caller, callee) = edge_name(facts, worst.edge);
    let query = queries::edge_gap(caller, callee);
    let text = format!("{}: {text} ({caller} → {callee})", facts.name());
    Finding::new(CauseKind::NetworkLatency, rank::PART, "network", 0.8)
        .subkind("host")
        .on(facts.hosts(facts.node).first().map(String::as_str))
        .with(evidence(("network", "edge_gaps"), text, ms(worst.pair), "ms", query))
        .into()
}

/// Segments are lost, or the interface carries what it can.
pub(super) fn loss(facts: &Facts<'_>) -> Outcome {
    let mut nodes = vec![facts.node];
    nodes.extend(facts.edge.map(|edge| edge.caller));
    let of_hosts = |signal| {
        let hosts: Vec<&String> = nodes.iter().flat_map(|node| facts.hosts(*node)).collect();
        highest(facts.measured(signal, |owner| matches!(owner, Owner::Host(host) if hosts.contains(&host))))
    };
    let (again, used) = (of_hosts(Signal::TcpRetransmits), of_hosts(Signal::NetworkUsed));
    // Of what sends no spans the gap is not known: its time and that of the way are one.
    let is_network = facts.edge.is_some() || {
        let gaps = gaps_of(facts, facts.node);
        gaps.is_empty() || gaps.into_iter().any(|gap| gap.is_grown)
    };
    let found = match (again, used) {
        (Some(m), _) if m.pair.now >= RETRANSMITS && m.pair.ratio() >= 2.0 => Some((
            m,
            "tcp_retransmits",
            None,
            format!("{} of TCP segments were sent again", words::shares(m.pair)),
        )),
        (_, Some(m)) if m.pair.now >= BANDWIDTH && m.pair.ratio() >= 1.2 => {
            let text = format!("network interface {} full", words::shares(m.pair));
            Some((m, "network_used", Some("bandwidth"), text))
        }
        _ => None,
    };
    match (found, again.or(used)) {
        (Some((m, evidence_type, subkind, text)), _) if is_network => {
            let host = m.owner_name();
            let text = format!("{}: {text}", host.unwrap_or_default());
            let mut finding = Finding::new(CauseKind::PacketLoss, rank::INTERNAL, "network", 0.8)
                .on(host)
                .with(evidence(("network", evidence_type), text, m.pair, "share", &m.resource.query));
            finding.subkind = subkind.map(str::to_owned);
            finding.into()
        }
        (_, Some(m)) => {
            Outcome::no("packet loss", format!("{} of TCP segments again or used", words::shares(m.pair)))
        }
        (_, None) => Outcome::Beside,
    }
}

fn edge_name<'a>(facts: &Facts<'a>, edge: &Edge) -> (&'a str, &'a str) {
    (facts.name_of(edge.caller), facts.name_of(edge.callee))
}

/// Seconds per call for the caller and for the callee.
fn sides(facts: &Facts<'_>, edge: &Edge) -> Option<(Pair, Pair)> {
    let client = per(facts.case, &edge.client_seconds, &edge.calls)?;
    Some((client, per(facts.case, &edge.server_seconds, &edge.calls)?))
}

fn gap(client: Pair, server: Pair) -> Pair {
    Pair::new((client.before - server.before).max(0.0), (client.now - server.now).max(0.0))
}

fn is_grown(gap: Pair) -> bool {
    gap.ratio() >= GAP_GROWN.0 && gap.rise() >= GAP_GROWN.1
}

/// What lies between the ends of an edge, s.
struct Gap<'a> {
    edge: &'a Edge,
    pair: Pair,
    /// By more than it moves by itself.
    is_grown: bool,
}

/// The gaps of all synchronous edges of a node, both ways.
fn gaps_of<'a>(facts: &Facts<'a>, node: usize) -> Vec<Gap<'a>> {
    let edges = facts.case.observation.edges.iter();
    edges
        .filter(|edge| !edge.is_async && (edge.caller == node || edge.callee == node))
        .filter(|edge| {
            let case = facts.case;
            total(&edge.calls, &case.baseline) >= MIN_CALLS && total(&edge.calls, &case.hot) >= MIN_CALLS
        })
        .filter_map(|edge| {
            let (client, server) = sides(facts, edge)?;
            let pair = gap(client, server);
            let is_grown = is_grown(pair) && pair.rise() >= GAP_Z * spread(facts, edge);
            Some(Gap { edge, pair, is_grown })
        })
        .collect()
}

/// How much an edge's gap moves from step to step in the baseline, s: robust, with floors.
fn spread(facts: &Facts<'_>, edge: &Edge) -> f64 {
    let at = |values: &[f64], step: usize| values.get(step).copied().unwrap_or(f64::NAN);
    let gaps = facts.case.baseline.clone().map(|step| {
        (at(&edge.client_seconds, step) - at(&edge.server_seconds, step)) / at(&edge.calls, step)
    });
    let gaps: Vec<f64> = gaps.filter(|gap| gap.is_finite()).collect();
    let Some(middle) = median(gaps.iter().copied()) else { return GAP_SPREAD.1 };
    let mad = median(gaps.iter().map(|gap| (gap - middle).abs())).unwrap_or(0.0);
    (1.4826 * mad).max(GAP_SPREAD.0 * middle.abs()).max(GAP_SPREAD.1)
}

/// The end of an edge whose other edges grew too: its network. `None` if it is this edge alone.
fn common_node(facts: &Facts<'_>, edge: &Edge) -> Option<usize> {
    [edge.callee, edge.caller].into_iter().find(|node| {
        let gaps = gaps_of(facts, *node);
        let grown = gaps.iter().filter(|gap| gap.is_grown).count();
        gaps.len() >= 2 && grown as f64 >= MOST_EDGES * gaps.len() as f64
    })
}

fn ms(pair: Pair) -> Pair {
    Pair::new(pair.before * 1e3, pair.now * 1e3)
}
