//! More requests than the narrowest resource can take.

use std::collections::BTreeSet;

use super::finding::{Finding, Outcome, evidence, rank};
use crate::readings::{Facts, Pair, rate};
use crate::{CauseKind, Operation, headroom, queries, words};

/// Requests from outside, now by before.
const MORE: f64 = 1.5;
/// Work per request, now by before, up to which it did not change.
const SAME_WORK: f64 = 1.3;
/// Share of a resource in use from which it is narrow.
const NARROW: f64 = 0.75;

/// More comes in, each request needs as much as before, and a resource is nearly used up.
pub(super) fn traffic(facts: &Facts<'_>) -> Outcome {
    const WHAT: &str = "traffic surge";
    let Some((ingress, query)) = ingress(facts) else { return Outcome::Beside };
    let text = format!("requests from outside {}", words::change(ingress, "/s"));
    if ingress.ratio() < MORE {
        return Outcome::no(WHAT, text);
    }
    let own = facts.request_rate(facts.node).map_or(1.0, Pair::ratio);
    if own > ingress.ratio() * SAME_WORK {
        let why = format!("{text}, but those to {} {}", facts.name(), words::times(own));
        return Outcome::no(WHAT, why);
    }
    if let Some(per) = facts.cpu_per_request(facts.node).filter(|per| per.ratio() > SAME_WORK) {
        let why = format!("{text}, but CPU per request {}", words::durations(per));
        return Outcome::no(WHAT, why);
    }
    let Some(narrow) = headroom::narrowest(facts) else {
        return Outcome::Missing(format!("no measurement of what {} can take", facts.name()));
    };
    let used = format!("{} of {} in use", words::shares(narrow.used), narrow.resource);
    if narrow.used.now < NARROW {
        return Outcome::no(WHAT, format!("{text}, {used}"));
    }
    Finding::new(CauseKind::TrafficSurge, rank::SURGE, "capacity", 0.9)
        .waits(0.9)
        .with(evidence(("trace", "ingress"), text, ingress, "1/s", query))
        .with(evidence(
            ("host", "utilisation"),
            format!("{}: {used}", facts.name()),
            narrow.used,
            "share",
            narrow.query,
        ))
        .into()
}

/// Requests through all entry operations, else those of the symptom; and how to see them.
fn ingress(facts: &Facts<'_>) -> Option<(Pair, String)> {
    let observation = facts.case.observation;
    let entries: Vec<&Operation> =
        observation.operations.iter().filter(|operation| operation.is_entry).collect();
    if entries.is_empty() {
        return Some((facts.symptom_rate()?, facts.requests_query(facts.case.question.node)));
    }
    let services: BTreeSet<&str> = entries.iter().map(|entry| facts.name_of(entry.node)).collect();
    let query = queries::requests_from_outside(&services.into_iter().collect::<Vec<_>>());
    let all: Vec<Pair> = entries.into_iter().filter_map(|entry| rate(facts.case, &entry.calls)).collect();
    let sum = all
        .iter()
        .fold(Pair::new(0.0, 0.0), |sum, one| Pair::new(sum.before + one.before, sum.now + one.now));
    (sum.before > 0.0).then_some((sum, query))
}
