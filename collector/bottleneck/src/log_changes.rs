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

    fn strength(&self) -> f64 {
        self.significance * self.class.weight()
    }
}

/// What changed in a node's log, the strongest first.
pub(crate) fn log_evidence(case: &Case<'_>, node: NodeId) -> Vec<Evidence> {
    let mut all = changed(case, node);
    all.sort_by(|a, b| b.strength().total_cmp(&a.strength()));
    all.iter().take(MAX_SHOWN).map(|one| evidence(case, one)).collect()
}

/// Nodes with new or more errors of their own, and how significant the strongest is; the strongest first.
pub(crate) fn failing_nodes(case: &Case<'_>) -> Vec<(NodeId, f64)> {
    let strongest = |node: NodeId| {
        let own = changed(case, node)
            .into_iter()
            .filter(|one| one.is_more() && matches!(one.class, Class::Fatal | Class::Error));
        own.map(|one| one.strength()).max_by(f64::total_cmp).map(|strength| (node, strength))
    };
    let mut all: Vec<(NodeId, f64)> = (0..case.observation.nodes.len()).filter_map(strongest).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}

/// All patterns of a node whose number of lines the requests do not explain.
pub(crate) fn changed<'a>(case: &Case<'a>, node: NodeId) -> Vec<Changed<'a>> {
    let patterns = case.observation.logs.iter().filter(|pattern| pattern.node == node);
    patterns.filter_map(|pattern| compare(case, pattern)).collect()
}

fn compare<'a>(case: &Case<'a>, pattern: &'a LogPattern) -> Option<Changed<'a>> {
    let (before, now) = (total(&pattern.counts, &case.baseline), total(&pattern.counts, &case.hot));
    let scale = scale(case, pattern.node);
    // Half a line more than was seen: what was not seen may still be there.
    let expected = (before + 0.5) * scale;
    let size = size(case, pattern, before);
    let significance = if now > expected { more(now, expected, size) } else { fewer(now, expected, size) };
    let is_counted = now >= MIN_LINES || before * scale >= MIN_LINES;
    let class = class(pattern);
    let expected = before * scale;
    (is_counted && significance >= SIGNIFICANT).then_some(Changed {
        pattern,
        class,
        before,
        now,
        expected,
        significance,
    })
}

/// How many times the baseline's lines the requests since the onset let expect.
fn scale(case: &Case<'_>, node: NodeId) -> f64 {
    let requests = case.observation.nodes.get(node).map_or(&[][..], |node| node.requests.as_slice());
    let (before, now) = (total(requests, &case.baseline), total(requests, &case.hot));
    if before > 0.0 && now > 0.0 {
        now / before
    } else {
        case.hot.len() as f64 / case.baseline.len().max(1) as f64
    }
}

/// The size of the negative binomial: as uncertain as the baseline's count is, and as spread as its steps are.
fn size(case: &Case<'_>, pattern: &LogPattern, before: f64) -> f64 {
    let by_count = before + 0.5;
    let counts = known(&pattern.counts, &case.baseline);
    let mean = counts.iter().sum::<f64>() / counts.len().max(1) as f64;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>()
        / counts.len().saturating_sub(1).max(1) as f64;
    let by_steps = if variance > mean && mean > 0.0 {
        counts.len() as f64 * mean * mean / (variance - mean)
    } else {
        f64::INFINITY
    };
    // Both spreads add up.
    1.0 / (1.0 / by_count + 1.0 / by_steps)
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
        let failing: Vec<NodeId> = failing_nodes(&case).into_iter().map(|(node, _)| node).collect();
        assert_eq!(failing, [payment]);
        let evidence = log_evidence(&case, edge);
        assert_eq!(evidence[0].evidence_type, "downstream_symptom");
        assert!(evidence[0].text.contains("(of payment)"), "{}", evidence[0].text);
        assert_eq!(class(&observation.logs[1]), Class::Fatal);
    }
}
