//! The network: time or segments that are lost between two programs.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Pair, highest, per};
use crate::{CauseKind, Edge, Owner, Signal, queries, words};

/// By how much the gap between both ends must have grown: by this factor, and s.
const GAP_GROWN: (f64, f64) = (1.5, 0.001);
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
    let grown = gaps.iter().filter(|gap| is_grown(**gap)).count();
    let worst = gaps.iter().copied().max_by(|a, b| a.rise().total_cmp(&b.rise()));
    let Some(worst) = worst else { return Outcome::Beside };
    let what = format!("network of {}", facts.name());
    let text = format!("gap of {grown} of {} edges grew, at most {}", gaps.len(), words::durations(worst));
    if gaps.len() < 2 || (grown as f64) < MOST_EDGES * gaps.len() as f64 {
        return Outcome::no(what, text);
    }
    let query = format!(
        "sum by (client, server) (histogram_sum(sum_over_time(narrows_edge_gap_seconds{{server={}}}[1m])))",
        queries::quoted(facts.name())
    );
    Finding::new(CauseKind::NetworkLatency, rank::PART, "network", 0.8)
        .subkind("host")
        .on(facts.hosts(facts.node).first().map(String::as_str))
        .with(evidence(("network", "edge_gaps"), format!("{}: {text}", facts.name()), ms(worst), "ms", query))
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
    let is_network = facts.edge.is_some() || gaps_of(facts, facts.node).iter().any(|gap| is_grown(*gap));
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

/// The gaps of all synchronous edges of a node, both ways.
fn gaps_of(facts: &Facts<'_>, node: usize) -> Vec<Pair> {
    let edges = facts.case.observation.edges.iter();
    edges
        .filter(|edge| !edge.is_async && (edge.caller == node || edge.callee == node))
        .filter_map(|edge| sides(facts, edge).map(|(client, server)| gap(client, server)))
        .collect()
}

/// The end of an edge whose other edges grew too: its network. `None` if it is this edge alone.
fn common_node(facts: &Facts<'_>, edge: &Edge) -> Option<usize> {
    [edge.callee, edge.caller].into_iter().find(|node| {
        let gaps = gaps_of(facts, *node);
        let grown = gaps.iter().filter(|gap| is_grown(**gap)).count();
        gaps.len() >= 2 && grown as f64 >= MOST_EDGES * gaps.len() as f64
    })
}

fn ms(pair: Pair) -> Pair {
    Pair::new(pair.before * 1e3, pair.now * 1e3)
}
