//! More calls than before for the same requests: in a row for one request (N+1), or again and again (retries).

use std::collections::BTreeMap;

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Pair, per, rate};
use crate::{CauseKind, Edge, NodeId, Operation, Trace, queries, words};

/// Calls per request, now by before.
const MORE_CALLS: f64 = 2.0;
/// Calls per request from which a row of them is one.
const IN_A_ROW: f64 = 5.0;
/// Time per call, now by before, above which it is the callee and not the number of calls.
const SLOWER: f64 = 3.0;
/// Attempts per call, now by before.
const MORE_ATTEMPTS: f64 = 1.5;
/// Share of calls that fail.
const FAILING: f64 = 0.05;
/// Of failed calls the share that is followed by the same call, to be called retried.
const RETRIED: f64 = 0.5;
/// Traces with many calls in a row that are named.
const EXEMPLARS: usize = 3;

/// One relation: who calls, whom, how often for a request, and how long each takes.
struct Calls<'a> {
    caller: NodeId,
    callee: NodeId,
    operation: Option<&'a Operation>,
    per_request: Pair,
    each: Pair,
    rate: Pair,
    failing: Pair,
}

impl<'a> Calls<'a> {
    /// What decides between equals, whatever their places.
    fn name<'n>(&self, facts: &Facts<'n>) -> (&'n str, &'n str, &'a str) {
        let operation = self.operation.map_or("", |operation| operation.name.as_str());
        (facts.name_of(self.caller), facts.name_of(self.callee), operation)
    }

    /// How to see the calls per request.
    fn query(&self, facts: &Facts<'_>) -> String {
        let (caller, requests) = (facts.name_of(self.caller), facts.requests_query(self.caller));
        match self.operation {
            Some(operation) => queries::calls_per_request(caller, &operation.name, &requests),
            None => queries::edge_calls_per_request(caller, facts.name_of(self.callee), &requests),
        }
    }
}

/// One request makes many equal calls, one after the other.
pub(super) fn n_plus_one(facts: &Facts<'_>) -> Outcome {
    let Some(worst) = grown_most(facts) else { return Outcome::Beside };
    let (caller, callee) = (facts.name_of(worst.caller), facts.name_of(worst.callee));
    let rows = rows(facts, &worst);
    // In the middle over the traces that have any.
    let row = rows.get(rows.len() / 2).map(|(row, _)| *row as f64);
    let what = worst.operation.map_or(callee, |operation| operation.name.as_str());
    let text = format!(
        "{caller} makes {} of {what} per request ({}), {} each",
        words::change(worst.per_request, "calls"),
        words::times(worst.per_request.ratio()),
        words::durations(worst.each)
    );
    let is_more = worst.per_request.ratio() >= MORE_CALLS && worst.per_request.rise() >= 1.0;
    let is_row = row.map_or(worst.per_request.now, |row| row.max(worst.per_request.now)) >= IN_A_ROW;
    let is_failing = worst.failing.now >= FAILING && worst.failing.ratio() >= 2.0;
    if !is_more || !is_row || is_failing || worst.each.ratio() >= SLOWER {
        return Outcome::no("N+1 calls", text);
    }
    // More calls add their number times what each takes.
    let added = (worst.rate.now - worst.rate.now / worst.per_request.ratio()) * worst.each.now;
    let share = if worst.per_request.before > 0.0 { facts.share_of_own(added) } else { 0.8 };
    let query = worst.query(facts);
    let mut evidence = evidence(("trace", "calls_per_request"), text, worst.per_request, "count", query);
    evidence.exemplars = rows.iter().rev().take(EXEMPLARS).map(|(_, id)| (*id).to_owned()).collect();
    let mut finding =
        Finding::new(CauseKind::NPlusOne, rank::INTERNAL, "calls", share.max(0.6)).with(evidence);
    finding.statement = worst.operation.map(|operation| operation.name.clone());
    finding.node = (worst.caller != facts.node).then_some(worst.caller);
    finding.into()
}

/// Failed calls are made again and again: the callee gets more of them than its callers are asked for.
pub(super) fn retries(facts: &Facts<'_>) -> Outcome {
    let edges = relations(facts);
    let worst = edges.into_iter().filter_map(|edge| of_edge(facts, edge)).max_by(|a, b| {
        let more =
            |calls: &Calls<'_>| calls.per_request.ratio() * f64::from(u8::from(calls.failing.now >= FAILING));
        more(a).total_cmp(&more(b)).then_with(|| b.name(facts).cmp(&a.name(facts)))
    });
    let Some(worst) = worst else { return Outcome::Beside };
    let (caller, callee) = (facts.name_of(worst.caller), facts.name_of(worst.callee));
    let retried = retried(facts, &worst);
    let text = format!(
        "{caller} makes {} of {callee} per request ({}), {} fail",
        words::change(worst.per_request, "calls"),
        words::times(worst.per_request.ratio()),
        words::shares(worst.failing)
    );
    let is_more = worst.per_request.ratio() >= MORE_ATTEMPTS;
    let is_failing = worst.failing.now >= FAILING && worst.failing.ratio() >= 2.0;
    if !is_more || !is_failing || retried.is_some_and(|retried| retried < RETRIED) {
        return Outcome::no("retries", text);
    }
    let mut finding = Finding::new(CauseKind::RetryStorm, rank::EXACT, "retries", 0.8)
        .with(evidence(("trace", "attempts"), text, worst.per_request, "count", worst.query(facts)))
        .with(evidence(
            ("trace", "failed_calls"),
            format!("calls of {callee} that fail: {}", words::shares(worst.failing)),
            worst.failing,
            "share",
            queries::edge_failing(caller, callee),
        ));
    finding.node = (facts.edge.is_none() && worst.caller != facts.node).then_some(worst.caller);
    finding.into()
}

/// The candidate's own edge; of a node those that it makes, and of one that only answers those that come in.
fn relations<'a>(facts: &Facts<'a>) -> Vec<&'a Edge> {
    let edges = facts.case.observation.edges.iter();
    match facts.edge {
        Some(edge) => vec![edge],
        None => edges
            .filter(|edge| !edge.is_async && (edge.caller == facts.node || edge.callee == facts.node))
            .collect(),
    }
}

/// The relation whose calls per request grew most, by operation where those are known.
fn grown_most<'a>(facts: &Facts<'a>) -> Option<Calls<'a>> {
    let edges = relations(facts);
    let operations = facts.case.observation.operations.iter().filter_map(|operation| {
        let peer = operation.peer?;
        edges
            .iter()
            .any(|edge| edge.caller == operation.node && edge.callee == peer)
            .then(|| of_operation(facts, operation, peer))?
    });
    let by_edge = edges.iter().filter_map(|edge| of_edge(facts, edge));
    // By the time that the added calls take: many fast ones to a cache matter less than a few slow ones.
    let calls = operations.chain(by_edge);
    calls.max_by(|a, b| cost(a).total_cmp(&cost(b)).then_with(|| b.name(facts).cmp(&a.name(facts))))
}

fn cost(calls: &Calls<'_>) -> f64 {
    calls.per_request.rise() * calls.each.now
}

fn of_edge<'a>(facts: &Facts<'a>, edge: &Edge) -> Option<Calls<'a>> {
    let (calls, requests) = (rate(facts.case, &edge.calls)?, facts.request_rate(edge.caller)?);
    Some(Calls {
        caller: edge.caller,
        callee: edge.callee,
        operation: None,
        per_request: divided(calls, requests)?,
        each: per(facts.case, &edge.client_seconds, &edge.calls)?,
        rate: calls,
        failing: per(facts.case, &edge.errors, &edge.calls).unwrap_or(Pair::new(0.0, 0.0)),
    })
}

fn of_operation<'a>(facts: &Facts<'a>, operation: &'a Operation, callee: NodeId) -> Option<Calls<'a>> {
    let (calls, requests) = (rate(facts.case, &operation.calls)?, facts.request_rate(operation.node)?);
    Some(Calls {
        caller: operation.node,
        callee,
        operation: Some(operation),
        per_request: divided(calls, requests)?,
        each: per(facts.case, &operation.seconds, &operation.calls)?,
        rate: calls,
        failing: per(facts.case, &operation.errors, &operation.calls).unwrap_or(Pair::new(0.0, 0.0)),
    })
}

fn divided(calls: Pair, requests: Pair) -> Option<Pair> {
    (requests.before > 0.0 && requests.now > 0.0)
        .then(|| Pair::new(calls.before / requests.before, calls.now / requests.now))
}

/// Of each trace that has such calls the most that one span makes one after the other, and its id; the longest last.
fn rows<'a>(facts: &Facts<'a>, calls: &Calls<'_>) -> Vec<(usize, &'a str)> {
    let rows = facts.traces(true).filter_map(|trace| Some((row(trace, calls)?, trace.id.as_str())));
    let mut rows: Vec<(usize, &str)> = rows.collect();
    rows.sort_unstable();
    rows
}

/// Begin and end of a call, ns.
type Times = (u64, u64);

fn row(trace: &Trace, calls: &Calls<'_>) -> Option<usize> {
    let mut by_parent: BTreeMap<(Option<usize>, &str), Vec<Times>> = BTreeMap::new();
    for span in &trace.spans {
        let is_call = span.node == calls.caller && span.peer == Some(calls.callee);
        if is_call && calls.operation.is_none_or(|operation| operation.name == span.operation) {
            let times = (span.start_ns, span.end_ns);
            by_parent.entry((span.parent, span.operation.as_str())).or_default().push(times);
        }
    }
    let rows = by_parent.into_values().map(|mut times| {
        times.sort_unstable();
        let mut end = 0;
        let in_turn = times.iter().filter(|(start_ns, end_ns)| {
            let is_after = *start_ns >= end;
            end = end.max(*end_ns);
            is_after
        });
        in_turn.count()
    });
    rows.max()
}

/// Of failed calls in traces the share that the same caller makes again; `None` without enough of them.
fn retried(facts: &Facts<'_>, calls: &Calls<'_>) -> Option<f64> {
    let (mut failed, mut again) = (0u32, 0u32);
    for trace in facts.traces(true) {
        for (index, span) in trace.spans.iter().enumerate() {
            if span.node != calls.caller || span.peer != Some(calls.callee) || !span.is_error {
                continue;
            }
            failed += 1;
            again += u32::from(trace.spans.iter().enumerate().any(|(other, next)| {
                other != index
                    && next.parent == span.parent
                    && next.operation == span.operation
                    && next.start_ns >= span.end_ns
            }));
        }
    }
    (failed >= 10).then(|| f64::from(again) / f64::from(failed))
}
