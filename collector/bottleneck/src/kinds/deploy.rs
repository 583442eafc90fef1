//! A new version that is worse than the old one. That a version changed is not enough: requests of the new one must be
//! worse than those of the old one.

use std::collections::BTreeMap;

use super::finding::{Finding, Outcome, evidence, rank};
use crate::cohort::{Split, high_quantile};
use crate::readings::{Facts, Pair};
use crate::{CauseKind, Change, Sli, Trace, changes, queries, words};

/// Attribute that tells versions apart.
const VERSION: &str = "service.version";
/// Spans of a version below which nothing is said of it.
const MIN_SPANS: usize = 8;
/// Probability by chance below which a split counts.
const CHANCE: f64 = 0.001;
/// How long after it began a change may be told or seen, s: what ran before that is the old version.
const TOLD_LATE_S: i64 = 120;
/// Youden's J from which it does.
const EFFECT: f64 = 0.2;

/// Spans of one version: how many, and how many of them are slow or failed.
#[derive(Clone, Copy, Default)]
struct Version {
    spans: usize,
    bad: usize,
}

/// The version changed shortly before the onset, and its requests are the worse ones.
pub(super) fn bad(facts: &Facts<'_>) -> Outcome {
    let (node, name) = (facts.node, facts.name());
    if facts.edge.is_some() {
        return Outcome::Beside;
    }
    let Some(change) = changes::near(facts.case, node).into_iter().find(|change| is_version(change)) else {
        return Outcome::no("deploy", format!("no version of {name} changed in the 10 min before"));
    };
    // A version may have been there for minutes when it gets slow: old is what ran before the change.
    let changed_ns = u64::try_from(change.time_s - TOLD_LATE_S).unwrap_or(0) * 1_000_000_000;
    let is_old = |trace: &&Trace| trace.spans.first().is_some_and(|root| root.start_ns < changed_ns);
    let before = versions(facts, facts.traces(false).filter(is_old));
    let now = versions(facts, facts.traces(true));
    if before.is_empty() || now.is_empty() {
        return Outcome::Missing(format!("no {VERSION} in spans of {name} from before and since its change"));
    }
    let new: Vec<&String> = now.keys().filter(|version| !before.contains_key(*version)).collect();
    let Some(new) = new.into_iter().max_by_key(|version| now[*version].spans) else {
        let text = format!("of {} versions of {name} none is newer than its change", now.len());
        return Outcome::no("deploy", text);
    };
    let fresh = now[new];
    let others = now.iter().filter(|(version, _)| *version != new);
    let beside = others.fold(Version::default(), |sum, (_, one)| sum.add(*one));
    let old = before.values().fold(Version::default(), |sum, one| sum.add(*one));
    // Both at the same time is proof; the new one now against the old one before is not more than a hint.
    let is_beside = beside.spans >= MIN_SPANS;
    let other = if is_beside { beside } else { old };
    if fresh.spans < MIN_SPANS || other.spans < MIN_SPANS {
        return Outcome::Missing(format!("too few traces of {name} to compare its versions"));
    }
    let split = Split::of((fresh.bad, fresh.spans - fresh.bad), (other.bad, other.spans - other.bad));
    let pair = Pair::new(other.part(), fresh.part());
    let text = format!(
        "{} of requests to {name} {new} are slow or failed, {} of those to {}",
        words::share(fresh.part()),
        words::share(other.part()),
        if is_beside { "other versions at the same time" } else { "the version before" }
    );
    if fresh.part() - other.part() < EFFECT || split.chance > CHANCE {
        return Outcome::no("deploy", text);
    }
    let by = if is_beside { rank::INTERNAL } else { rank::SINCE };
    let query = queries::traces(name, &format!("resource.{VERSION}:{}", queries::quoted(new)));
    let mut finding = Finding::new(CauseKind::BadDeploy, by, "code", if is_beside { 0.9 } else { 0.6 })
        .with(evidence(("cohort", "version_split"), text, pair, "share", query))
        .with(changes::evidence(facts.case, change));
    finding.instance = Some(new.clone());
    finding.into()
}

fn is_version(change: &Change) -> bool {
    matches!(change.kind.as_str(), "deploy" | "version" | "release" | "rollout")
}

impl Version {
    fn add(self, other: Self) -> Self {
        Self { spans: self.spans + other.spans, bad: self.bad + other.bad }
    }

    fn part(self) -> f64 {
        self.bad as f64 / self.spans.max(1) as f64
    }
}

/// Per version the requests that the node answered, and how many took longer than nearly all did before, or failed.
fn versions<'a>(facts: &Facts<'a>, traces: impl Iterator<Item = &'a Trace>) -> BTreeMap<String, Version> {
    let usual = usual(facts);
    let mut all: BTreeMap<String, Version> = BTreeMap::new();
    for trace in traces {
        for (operation, seconds, is_error, version) in answered(trace, facts.node) {
            let is_bad = match facts.case.question.sli {
                Sli::Errors => is_error,
                Sli::Latency => usual.get(operation).is_some_and(|usual| seconds > *usual),
            };
            let one = all.entry(version.to_owned()).or_default();
            *one = one.add(Version { spans: 1, bad: usize::from(is_bad) });
        }
    }
    all
}

/// The p95 of each operation in the baseline.
fn usual<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, f64> {
    let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for trace in facts.traces(false) {
        for (operation, seconds, _, _) in answered(trace, facts.node) {
            all.entry(operation).or_default().push(seconds);
        }
    }
    all.into_iter().filter_map(|(operation, seconds)| Some((operation, high_quantile(seconds)?))).collect()
}

/// Requests that came to a node from others: operation, seconds, whether it failed, version.
fn answered(trace: &Trace, node: usize) -> impl Iterator<Item = (&str, f64, bool, &str)> {
    trace.spans.iter().filter_map(move |span| {
        let is_own_part = span
            .parent
            .is_some_and(|parent| trace.spans.get(parent).is_some_and(|parent| parent.node == node));
        let (_, version) = span.attributes.iter().find(|(key, _)| key == VERSION)?;
        let seconds = span.end_ns.saturating_sub(span.start_ns) as f64 / 1e9;
        (span.node == node && span.peer.is_none() && !is_own_part).then_some((
            span.operation.as_str(),
            seconds,
            span.is_error,
            version.as_str(),
        ))
    })
}
