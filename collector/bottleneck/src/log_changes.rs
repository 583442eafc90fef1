//! Patterns of log lines that are new, or come more or less often than the requests explain.
//!
//! Lines that say that somebody else did not answer ("connection refused to X") are of a victim: they never make their
//! writer the culprit, but may point to X.

use crate::readings::{known, total};
use crate::significance::{fewer, more};
use crate::words::{number, times};
use crate::{Case, Evidence, LogPattern, NodeId, queries};

/// −log10 of the probability by chance from which a change of a pattern counts.
const SIGNIFICANT: f64 = 4.0;
/// Lines below which a pattern is not called new.
const MIN_LINES: f64 = 3.0;
/// Requests or calls in the baseline below which lines are not measured by them.
const MIN_WORK: f64 = 3.0;
/// Deviance by which one kind of work may fit worse than the best one and still be the one that lines belong to.
const AS_LIKELY: f64 = 2.0;
/// Least mean of a step, where a line without work would be impossible.
const LEAST_MEAN: f64 = 0.05;
/// Patterns that are shown of a node.
const MAX_SHOWN: usize = 3;
/// Severities of OpenTelemetry from which a line warns, is an error, is fatal.
const WARN: u8 = 13;
const ERROR: u8 = 17;
const FATAL: u8 = 21;
/// Longest text of a pattern in a sentence.
const MAX_TEXT: usize = 120;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It tells of the end: a panic, a kill for memory, a fatal error.
    Fatal,
    /// It tells of an error of its own.
    Error,
    /// It tells that somebody else failed.
    Downstream,
    /// It warns.
    Warning,
    /// It tells of work.
    Normal,
}

impl Class {
    fn weight(self) -> f64 {
        match self {
            Self::Fatal => 2.0,
            Self::Error => 1.5,
            Self::Warning => 1.0,
            Self::Normal => 0.5,
            Self::Downstream => 0.25,
        }
    }
}

/// A pattern that changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changed<'a> {
    pub pattern: &'a LogPattern,
    pub class: Class,
    /// Lines in the baseline, since the onset, and what the requests let expect since.
    pub before: f64,
    pub now: f64,
    pub expected: f64,
    /// −log10 of the probability by chance.
    pub significance: f64,
}

impl Changed<'_> {
    pub(crate) fn is_more(&self) -> bool {
        self.now > self.expected
    }

    /// Errors that come weigh more than work that is told of, and work that is no longer done as much as a warning.
    fn strength(&self) -> f64 {
        let weight = match (self.is_more(), self.class) {
            (true, class) => class.weight(),
            (false, Class::Normal) => Class::Warning.weight(),
            (false, _) => Class::Normal.weight(),
        };
        self.significance * weight
    }
}

/// What changed in a node's log, the strongest first.
pub(crate) fn log_evidence(case: &Case<'_>, node: NodeId) -> Vec<Evidence> {
    let mut all = changed(case, node);
    all.sort_by(|a, b| b.strength().total_cmp(&a.strength()));
    all.iter().take(MAX_SHOWN).map(|one| evidence(case, one)).collect()
}

/// All patterns of a node whose number of lines the requests do not explain.
pub(crate) fn changed<'a>(case: &Case<'a>, node: NodeId) -> Vec<Changed<'a>> {
    all(case, node).into_iter().filter(|one| one.significance >= SIGNIFICANT).collect()
}

/// The change of a node's log that says most of the node itself: how much, and as evidence. What victims write is none.
pub(crate) fn strongest(case: &Case<'_>, node: NodeId) -> Option<(f64, Evidence)> {
    let own = all(case, node).into_iter().filter(|one| one.class != Class::Downstream);
    let most = own.max_by(|a, b| a.strength().total_cmp(&b.strength()))?;
    Some((most.strength(), evidence(case, &most)))
}

/// All patterns of a node with enough lines to speak of.
fn all<'a>(case: &Case<'a>, node: NodeId) -> Vec<Changed<'a>> {
    let known = work(case, node);
    let is_new_work = known.is_empty() && is_asked(case, node);
    let patterns = case.observation.logs.iter().filter(|pattern| pattern.node == node);
    let changed = patterns.filter_map(|pattern| compare(case, pattern, &known));
    // Who is asked for what it was hardly asked for before writes what it did not write before; errors are still its own.
    changed.filter(|one| !is_new_work || matches!(one.class, Class::Error | Class::Fatal)).collect()
}

/// Whether requests or calls of a node are known since the onset.
fn is_asked(case: &Case<'_>, node: NodeId) -> bool {
    let observation = case.observation;
    let operations = observation.operations.iter().filter(|operation| operation.node == node);
    let requests = observation.nodes.get(node).map(|node| &node.requests);
    operations.map(|operation| &operation.calls).chain(requests).any(|counts| total(counts, &case.hot) > 0.0)
}

/// What a node was asked to do and did, per step: requests of each operation, calls of each kind, requests in all.
fn work<'a>(case: &Case<'a>, node: NodeId) -> Vec<&'a [f64]> {
    let observation = case.observation;
    let operations = observation.operations.iter().filter(|operation| operation.node == node);
    let all = operations.map(|operation| operation.calls.as_slice());
    let requests = observation.nodes.get(node).map(|node| node.requests.as_slice());
    all.chain(requests).filter(|counts| total(counts, &case.baseline) >= MIN_WORK).collect()
}

fn compare<'a>(case: &Case<'a>, pattern: &'a LogPattern, work: &[&[f64]]) -> Option<Changed<'a>> {
    let (before, now) = (total(&pattern.counts, &case.baseline), total(&pattern.counts, &case.hot));
    // A line belongs to one kind of work. Which one is not known: those that its count followed in the baseline may be it,
    // and it has changed only as far as none of them explains.
    let fits: Vec<f64> = work.iter().map(|counts| misfit(case, &pattern.counts, counts)).collect();
    let best = fits.iter().copied().fold(f64::INFINITY, f64::min);
    let likely = work.iter().zip(&fits).filter(|(_, fit)| **fit <= best + AS_LIKELY);
    let by_work = likely.map(|(counts, fit)| against(case, (before, now), counts, *fit));
    let change = by_work.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_else(|| {
        let scale = case.hot.len() as f64 / case.baseline.len().max(1) as f64;
        tested((before, now), scale, before + 0.5)
    });
    let (expected, significance) = change;
    let is_counted = now >= MIN_LINES || expected >= MIN_LINES;
    let class = class(pattern);
    (is_counted && significance > 0.0).then_some(Changed {
        pattern,
        class,
        before,
        now,
        expected,
        significance,
    })
}

/// What work of one kind lets expect, and how unlikely the count is then.
fn against(case: &Case<'_>, counts: (f64, f64), work: &[f64], misfit: f64) -> (f64, f64) {
    let (before, now) = (total(work, &case.baseline), total(work, &case.hot));
    let scale = (now + 1.0) / (before + 1.0);
    // As uncertain as both counts of the baseline are, and as spread as its steps were.
    let steps = known(work, &case.baseline).len().saturating_sub(1).max(1) as f64;
    let spread = (misfit / steps - 1.0).max(0.0);
    let mean = (counts.0 + 0.5) * scale;
    tested(counts, scale, 1.0 / (1.0 / (counts.0 + 0.5) + 1.0 / (before + 1.0) + spread / mean.max(0.5)))
}

fn tested((before, now): (f64, f64), scale: f64, size: f64) -> (f64, f64) {
    // Half a line more than was seen: what was not seen may still be there.
    let mean = (before + 0.5) * scale;
    let significance = if now > mean { more(now, mean, size) } else { fewer(now, mean, size) };
    (before * scale, significance)
}

/// How badly lines follow work in the baseline: the deviance of Poisson counts.
fn misfit(case: &Case<'_>, lines: &[f64], work: &[f64]) -> f64 {
    let both: Vec<(f64, f64)> = case
        .baseline
        .clone()
        .filter_map(|step| Some((*lines.get(step)?, *work.get(step)?)))
        .filter(|(lines, work)| lines.is_finite() && work.is_finite())
        .collect();
    let (all, of_work) = both.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if of_work <= 0.0 {
        return f64::INFINITY;
    }
    let each = |(lines, work): &(f64, f64)| {
        let mean = (work * all / of_work).max(LEAST_MEAN);
        let log = if *lines > 0.0 { lines * (lines / mean).ln() } else { 0.0 };
        2.0 * (log - (lines - mean))
    };
    both.iter().map(each).sum()
}

/// The class of a pattern, by its words and its severity.
pub(crate) fn class(pattern: &LogPattern) -> Class {
    let text = pattern.text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&DOWNSTREAM) && !has(&["panic"]) {
        Class::Downstream
    } else if pattern.severity >= FATAL
        || has(&["panicked", "panic:", "out of memory", "outofmemory", "oom", "segfault"])
    {
        Class::Fatal
    } else if pattern.severity >= ERROR || has(&["exception", "error", "failed", "fatal"]) {
        Class::Error
    } else if pattern.severity >= WARN {
        Class::Warning
    } else {
        Class::Normal
    }
}

/// What victims write.
const DOWNSTREAM: [&str; 27] = [
    "no instances available",
    "no available server",
    "no healthy",
    "upstream",
    "connection refused",
    "econnrefused",
    "connection reset",
    "econnreset",
    "no route to host",
    "could not connect",
    "failed to connect",
    "connect timed out",
    "read timed out",
    "timed out waiting for",
    "timeout calling",
    "timeout waiting for",
    "deadline exceeded",
    "bad gateway",
    "gateway timeout",
    "service unavailable",
    "circuit breaker",
    "unknown host",
    "unknownhost",
    "i/o error on ",
    "httpservererrorexception",
    "feignexception",
    "5xx from",
];

/// The nodes other than its writer that a line of a victim names.
pub(crate) fn points_to(case: &Case<'_>, pattern: &LogPattern) -> Vec<NodeId> {
    let nodes = case.observation.nodes.iter().enumerate();
    let named = nodes.filter(|(node, other)| {
        *node != pattern.node && !other.name.is_empty() && pattern.text.contains(other.name.as_str())
    });
    named.map(|(node, _)| node).collect()
}

fn evidence(case: &Case<'_>, one: &Changed<'_>) -> Evidence {
    let node = case.observation.nodes.get(one.pattern.node).map_or("", |node| node.name.as_str());
    let text = shortened(&one.pattern.text);
    let lines = format!("{} lines, {} expected", number(one.now), number(one.expected));
    let (evidence_type, text) = match (one.class, one.before > 0.0, one.is_more()) {
        (Class::Downstream, ..) => {
            let names: Vec<&str> = points_to(case, one.pattern)
                .iter()
                .map(|node| case.observation.nodes[*node].name.as_str())
                .collect();
            let of = if names.is_empty() { String::new() } else { format!(" (of {})", names.join(", ")) };
            ("downstream_symptom", format!("{node} logs that others fail{of}: “{text}”: {lines}"))
        }
        (_, false, _) => ("new_template", format!("{node} logs for the first time “{text}”: {lines}")),
        (_, true, true) => {
            let ratio = one.now / one.expected;
            ("more_lines", format!("{node} logs “{text}” {} as often: {lines}", times(ratio)))
        }
        (_, true, false) => ("fewer_lines", format!("{node} logs “{text}” less often: {lines}")),
    };
    Evidence {
        family: "logs".to_owned(),
        evidence_type: evidence_type.to_owned(),
        text,
        baseline: Some(one.expected),
        now: Some(one.now),
        unit: "count".to_owned(),
        query: Some(queries::logs(node, &format!("pattern:{}", one.pattern.id))),
        exemplars: Vec::new(),
        at_s: None,
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::Shop;
    use crate::{Settings, Sli};

    #[test]
    fn what_the_requests_explain_is_no_change() {
        // (requests, lines) per step before and since → type of the evidence.
        let cases = [
            ((100.0, 100.0), (0.0, 5.0), Some("new_template")),
            ((100.0, 100.0), (2.0, 20.0), Some("more_lines")),
            ((100.0, 300.0), (10.0, 30.0), None),
            ((100.0, 100.0), (10.0, 0.0), Some("fewer_lines")),
            ((100.0, 100.0), (10.0, 10.0), None),
            ((100.0, 100.0), (0.0, 0.1), None),
        ];
        for (requests, lines, expected) in cases {
            let mut shop = Shop::new(60, 40);
            let node = shop.service("catalog");
            shop.answers(node, requests, (0.01, 0.01), (0.0, 0.0));
            shop.log(node, "slow query <*> ms", WARN, lines);
            let question = shop.question(node, Sli::Latency);
            let (observation, settings) = (shop.build(), Settings::default());
            let case = crate::kinds::tests::case(&observation, &question, &settings);
            let found = log_evidence(&case, node);
            assert_eq!(
                found.first().map(|one| one.evidence_type.as_str()),
                expected,
                "{requests:?} {lines:?}"
            );
        }
    }

    #[test]
    fn victims_do_not_win() {
        let mut shop = Shop::new(60, 40);
        let (edge, payment) = (shop.service("edge"), shop.service("payment"));
        shop.log(edge, "upstream timeout calling payment after <*> ms", ERROR, (0.0, 50.0));
        shop.log(payment, "panicked at charge.rs:<*>", ERROR, (0.0, 4.0));
        let question = shop.question(edge, Sli::Errors);
        let (observation, settings) = (shop.build(), Settings::default());
        let case = crate::kinds::tests::case(&observation, &question, &settings);
        assert!(strongest(&case, edge).is_none() && strongest(&case, payment).is_some());
        let evidence = log_evidence(&case, edge);
        assert_eq!(evidence[0].evidence_type, "downstream_symptom");
        assert!(evidence[0].text.contains("(of payment)"), "{}", evidence[0].text);
        assert_eq!(class(&observation.logs[1]), Class::Fatal);
    }
}
