//! Why a candidate is the bottleneck: the rules of named causes. Each is a function of the facts alone, with its
//! thresholds as constants, and answers that it holds, that it does not and why, or what it would have needed.
//!
//! Among those that hold and explain at least half of what the candidate keeps, the most specific one names the cause;
//! a cause inside an entity (its CPU, its pool, a lock) is more specific than one that is only seen from outside.

mod cache;
mod calls;
mod cpu;
mod dependency;
mod deploy;
mod disk;
mod finding;
mod hot_key;
mod lock;
mod memory;
mod network;
mod pool;
mod queue;
mod statement;
mod steps;
mod surge;

use crate::readings::Facts;
use crate::{Candidate, Case, CauseKind, Explanation, RuledOut, Target, changes, log_changes};
use finding::{Finding, Outcome};

/// From this share of what the candidate keeps on, the more specific of two causes wins.
const ENOUGH_SHARE: f64 = 0.5;

/// All rules, in the order in which those that do not hold are listed.
const RULES: [fn(&Facts<'_>) -> Outcome; 23] = [
    cpu::saturation,
    cpu::throttling,
    cpu::noisy_neighbour,
    memory::pressure,
    memory::leak,
    memory::garbage,
    disk::saturation,
    disk::full,
    network::latency,
    network::loss,
    pool::exhaustion,
    lock::database,
    lock::application,
    statement::slow,
    calls::n_plus_one,
    calls::retries,
    cache::misses,
    queue::backlog,
    deploy::bad,
    surge::traffic,
    dependency::down,
    dependency::slow,
    hot_key::skew,
];

/// The most specific cause of a candidate, what speaks for it, and what was ruled out.
pub(crate) fn explain(case: &Case<'_>, candidate: &Candidate) -> Explanation {
    let facts = Facts::new(case, candidate);
    let (mut found, mut ruled_out, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for rule in RULES {
        match rule(&facts) {
            Outcome::Holds(finding) => found.push(*finding),
            Outcome::No { what, why } => ruled_out.push(RuledOut { what, why }),
            Outcome::Missing(what) if !missing.contains(&what) => missing.push(what),
            Outcome::Missing(_) | Outcome::Beside => {}
        }
    }
    found.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    let mut found = found.into_iter();
    let first = found.next().unwrap_or_else(|| unexplained(&facts));
    let others: Vec<Finding> = found.collect();
    let mut explanation = explanation(first, others, ruled_out, missing);
    explanation.evidence.extend(log_changes::log_evidence(case, facts.node));
    for change in changes::change_evidence(case, facts.node) {
        if !explanation.evidence.contains(&change) {
            explanation.evidence.push(change);
        }
    }
    explanation
}

/// Those of the rules that look at a node's own resources and links, whatever it adds to a symptom.
const INTERNAL: [fn(&Facts<'_>) -> Outcome; 12] = [
    cpu::saturation,
    cpu::throttling,
    cpu::noisy_neighbour,
    memory::pressure,
    memory::leak,
    memory::garbage,
    disk::saturation,
    disk::full,
    network::latency,
    network::loss,
    pool::exhaustion,
    lock::database,
];

/// What is wrong inside a node, if anything is, without a symptom to explain.
pub(crate) fn internal(case: &Case<'_>, candidate: &Candidate) -> Option<Explanation> {
    let facts = Facts::new(case, candidate);
    let holds = INTERNAL.into_iter().filter_map(|rule| match rule(&facts) {
        Outcome::Holds(finding) => Some(*finding),
        Outcome::No { .. } | Outcome::Missing(_) | Outcome::Beside => None,
    });
    let first = holds.max_by_key(|finding| finding.rank)?;
    Some(explanation(first, Vec::new(), Vec::new(), Vec::new()))
}

/// What is not explained, with a node's own evidence.
pub(crate) fn by_itself(
    case: &Case<'_>,
    candidate: &Candidate,
    evidence: Vec<crate::Evidence>,
) -> Explanation {
    let finding = unexplained(&Facts::new(case, candidate)).with_all(evidence);
    explanation(finding, Vec::new(), Vec::new(), Vec::new())
}

/// Those that explain enough by how specific they are, the others after them by their share.
fn strength(finding: &Finding) -> f64 {
    if finding.share >= ENOUGH_SHARE { 10.0 + f64::from(finding.rank) + finding.share } else { finding.share }
}

fn explanation(
    first: Finding,
    others: Vec<Finding>,
    ruled_out: Vec<RuledOut>,
    missing: Vec<String>,
) -> Explanation {
    let next_steps = steps::of(first.kind, first.subkind.as_deref());
    let mut evidence = first.evidence;
    evidence.extend(others.into_iter().flat_map(|other| other.evidence));
    Explanation {
        kind: first.kind,
        subkind: first.subkind,
        resource: first.resource.to_owned(),
        node: first.node,
        process: first.process,
        statement: first.statement,
        instance: first.instance,
        host: first.host,
        queueing_share: first.queueing_share,
        evidence,
        ruled_out,
        missing,
        next_steps,
    }
}

fn unexplained(facts: &Facts<'_>) -> Finding {
    let resource = match facts.candidate.target {
        Target::Node(_) => "code",
        Target::Edge(_) => "network",
    };
    Finding::new(CauseKind::Unexplained, 0, resource, 0.0)
}

#[cfg(test)]
pub(crate) mod tests;
