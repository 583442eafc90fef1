//! What is called refuses, is gone, or takes longer.

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Pair, per, rate};
use crate::{CauseKind, Edge, NodeType, queries, words};

/// Share of calls that fail.
const FAILING: f64 = 0.5;
/// Seconds per call below which an error came from nobody who worked on it.
const AT_ONCE_S: f64 = 0.005;
/// Time per call, now by before.
const SLOWER: f64 = 1.5;
/// Share of calls that must end at the same time for that to be a timeout, how near (share), how many and how long (s).
const PILE: (f64, f64, usize, f64) = (0.3, 0.02, 5, 0.1);

/// Most calls fail, and fast, or without reaching the callee.
pub(super) fn down(facts: &Facts<'_>) -> Outcome {
    let Some((edge, failing)) = worst_edge(facts) else { return Outcome::Beside };
    let (caller, callee) = (facts.name_of(edge.caller), facts.name_of(edge.callee));
    let each = per(facts.case, &edge.client_seconds, &edge.calls).unwrap_or(Pair::new(0.0, 0.0));
    let text = format!("{} of {caller}'s calls of {callee} fail", words::shares(failing));
    let what = format!("{callee} down");
    if failing.now < FAILING || failing.ratio() < 2.0 {
        return Outcome::no(what, text);
    }
    if let Some(timeout) = timeout(facts, edge) {
        return Outcome::no(what, format!("{text}, after a timeout of {}", words::duration(timeout.0)));
    }
    // Its own spans would show that it answers; then it is not down, it fails.
    let reached = facts.request_rate(edge.callee).map_or(1.0, Pair::ratio);
    let has_spans = !edge.server_seconds.is_empty();
    if has_spans && reached > 0.5 {
        return Outcome::no(
            what,
            format!("{text}, but it answers {} as many requests", words::times(reached)),
        );
    }
    let is_at_once = each.now <= AT_ONCE_S || each.now < each.before / 2.0;
    let mut finding = Finding::new(CauseKind::DependencyDown, rank::PART, "dependency", 0.9).with(evidence(
        ("trace", "failed_calls"),
        text,
        failing,
        "share",
        queries::edge_failing(caller, callee),
    ));
    if is_at_once {
        let text = format!("calls of {callee} end after {}", words::durations(each));
        let pair = Pair::new(each.before * 1e3, each.now * 1e3);
        finding = finding.subkind("refused").with(evidence(
            ("trace", "time_per_call"),
            text,
            pair,
            "ms",
            queries::edge_client(caller, callee),
        ));
    }
    finding.into()
}

/// Calls of something that sends no spans take longer, perhaps until a timeout.
pub(super) fn slow(facts: &Facts<'_>) -> Outcome {
    let node_type = facts.case.observation.nodes[facts.node].node_type;
    let edge = match facts.edge {
        Some(edge) => Some(edge),
        None if node_type == NodeType::Service => return Outcome::Beside,
        None => slowest_edge(facts),
    };
    let Some(edge) = edge else { return Outcome::Beside };
    let (caller, callee) = (facts.name_of(edge.caller), facts.name_of(edge.callee));
    let Some(each) = per(facts.case, &edge.client_seconds, &edge.calls) else { return Outcome::Beside };
    let text = format!("calls of {callee} take {} ({})", words::durations(each), words::times(each.ratio()));
    let timeout = timeout(facts, edge);
    if each.ratio() < SLOWER || (facts.edge.is_some() && timeout.is_none()) {
        return Outcome::no(format!("{callee} slow"), text);
    }
    let pair = Pair::new(each.before * 1e3, each.now * 1e3);
    let by = match (timeout, node_type) {
        (Some(_), _) => rank::PART + 1,
        (None, NodeType::External) => rank::PART,
        (None, _) => rank::EXCLUSION,
    };
    let mut finding = Finding::new(CauseKind::DependencySlow, by, "dependency", 0.8).with(evidence(
        ("trace", "time_per_call"),
        text,
        pair,
        "ms",
        queries::edge_client(caller, callee),
    ));
    if let Some((at, share)) = timeout {
        let text = format!(
            "{} of {caller}'s calls of {callee} end at {}: a timeout",
            words::share(share),
            words::duration(at)
        );
        let query = queries::traces(caller, &format!("duration:>={}ms", (at * 1e3 * 0.98).round()));
        finding = finding.subkind("timeout").with(evidence(
            ("trace", "timeout"),
            text,
            Pair::new(0.0, share),
            "share",
            query,
        ));
    }
    finding.into()
}

/// Of the edges to the candidate the one with the most failing calls.
fn worst_edge<'a>(facts: &Facts<'a>) -> Option<(&'a Edge, Pair)> {
    let with_failing = |edge: &'a Edge| {
        let failing = per(facts.case, &edge.errors, &edge.calls)?;
        Some((edge, failing))
    };
    match facts.edge {
        Some(edge) => with_failing(edge),
        None => edges_to(facts).filter_map(with_failing).max_by(|a, b| a.1.now.total_cmp(&b.1.now)),
    }
}

/// Of the edges to the candidate the one whose calls added most.
fn slowest_edge<'a>(facts: &Facts<'a>) -> Option<&'a Edge> {
    let added = |edge: &Edge| {
        let each = per(facts.case, &edge.client_seconds, &edge.calls);
        let calls = rate(facts.case, &edge.calls);
        each.zip(calls).map_or(0.0, |(each, calls)| each.rise() * calls.now)
    };
    edges_to(facts).max_by(|a, b| added(a).total_cmp(&added(b)))
}

/// By the callers' names, so that equals have an order.
fn edges_to<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a Edge> {
    let node = facts.node;
    let all = facts.case.observation.edges.iter();
    let mut edges: Vec<&Edge> = all.filter(|edge| edge.callee == node && !edge.is_async).collect();
    edges.sort_by_key(|edge| facts.name_of(edge.caller));
    edges.into_iter()
}

/// The duration at which calls pile up, s, and their share: the longest ones are equally long, and were not before.
fn timeout(facts: &Facts<'_>, edge: &Edge) -> Option<(f64, f64)> {
    let durations = |is_hot| {
        let spans = facts.traces(is_hot).flat_map(|trace| trace.spans.iter());
        let calls = spans.filter(|span| span.node == edge.caller && span.peer == Some(edge.callee));
        let mut all: Vec<f64> =
            calls.map(|span| span.end_ns.saturating_sub(span.start_ns) as f64 / 1e9).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let now = durations(true);
    let (share, near, count, longest) = PILE;
    // The value near the top, not the very longest, which may have waited for something else besides.
    let top = *now.get((now.len() * 19 / 20).min(now.len().saturating_sub(1)))?;
    let at = |all: &[f64]| all.iter().filter(|seconds| (**seconds - top).abs() <= near * top).count();
    let (piled, before) = (at(&now), durations(false));
    let part = piled as f64 / now.len() as f64;
    let part_before = at(&before) as f64 / before.len().max(1) as f64;
    // What varies by itself does not pile up: the rest must lie elsewhere.
    let is_pile = piled >= count && part >= share && part_before < share / 3.0 && top >= longest;
    let is_steady = now.first().is_some_and(|shortest| *shortest > 0.9 * top);
    (is_pile && (!is_steady || is_round(top))).then_some((top, part))
}

/// Timeouts are set by people: within 1 % of a number with at most two digits.
fn is_round(seconds: f64) -> bool {
    let unit = 10f64.powf(seconds.log10().floor()) / 2.0;
    let nearest = (seconds / unit).round() * unit;
    (seconds - nearest).abs() <= 0.01 * seconds
}
