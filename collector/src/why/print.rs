//! A verdict as text.

use std::fmt::Write;

use bottleneck::{CauseKind, Culprit, Entity, Hop, Sli, Verdict};

use crate::api::format_time;

/// Everything that a person needs at first, in about a screen; a control character stays no command of a terminal.
pub(super) fn text(verdict: &Verdict, url: Option<&str>) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        out.push('\n');
    };
    line(verdict.headline.clone());
    if !verdict.summary.is_empty() {
        line(verdict.summary.clone());
    }
    line(String::new());
    line(format!("symptom     {}", symptom(verdict)));
    if let Some(one) = &verdict.culprit {
        line(format!("culprit     {}", culprit(one, verdict.symptom.sli)));
    }
    if let Some(confidence) = &verdict.confidence {
        let level = format!("{:?}", confidence.level).to_lowercase();
        let precision = confidence.precision.map(|precision| {
            format!(": right in {} of {} cases where the truth was known", share(precision), confidence.cases)
        });
        line(format!("confidence  {level}{}", precision.unwrap_or_default()));
    }
    if let Some(fix) = &verdict.fix {
        let enough = if fix.is_enough { "enough" } else { "not enough" };
        let unit = |value| amount(value, verdict.symptom.sli);
        line(format!("without it  {}, {enough} (below {})", unit(fix.expected), unit(fix.threshold)));
    }
    let hops = verdict.path.iter().map(|one| hop(one, verdict.symptom.sli)).collect();
    section(&mut line, "where it went", hops);
    section(&mut line, "evidence", verdict.evidence.iter().map(|one| one.text.clone()).collect());
    let contributors = verdict.contributors.iter().map(|one| culprit(one, verdict.symptom.sli)).collect();
    section(&mut line, if verdict.culprit.is_some() { "besides" } else { "candidates" }, contributors);
    let ruled_out = verdict.ruled_out.iter().map(|one| format!("{}: {}", one.what, one.why)).collect();
    section(&mut line, "ruled out", ruled_out);
    section(&mut line, "not known", verdict.data_quality.missing.clone());
    section(&mut line, "next", verdict.next_steps.clone());
    if let Some(url) = url {
        line(String::new());
        line(url.to_owned());
    }
    out
}

fn section(line: &mut impl FnMut(String), title: &str, items: Vec<String>) {
    if items.is_empty() {
        return;
    }
    line(String::new());
    line(title.to_owned());
    items.into_iter().for_each(|item| line(format!("  {item}")));
}

fn symptom(verdict: &Verdict) -> String {
    let symptom = &verdict.symptom;
    let operation = symptom.operation.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let (before, now) = (amount(symptom.baseline, symptom.sli), amount(symptom.now, symptom.sli));
    let what = if symptom.is_queue { ": messages wait" } else { "" };
    let mut text = format!("{}{operation}{what} {before} -> {now}", symptom.service);
    if let (Some(before), Some(now)) = (symptom.baseline_p95_ms, symptom.now_p95_ms) {
        // Writing to a String cannot fail.
        let _ = write!(text, ", p95 {before:.0} -> {now:.0} ms");
    }
    let since = format_time(verdict.window.onset_s.saturating_mul(1_000_000_000));
    let (since, _) = since.split_once('.').unwrap_or((&since, ""));
    let _ = write!(text, ", since {since}Z (± {} s)", verdict.window.onset_interval_s);
    text
}

fn culprit(culprit: &Culprit, sli: Sli) -> String {
    let kind = match culprit.kind {
        CauseKind::Unexplained => "no known cause".to_owned(),
        kind => serde_json::to_value(kind)
            .ok()
            .and_then(|name| name.as_str().map(|name| name.replace('_', " ")))
            .unwrap_or_default(),
    };
    let subkind =
        culprit.subkind.as_ref().map(|name| format!(" ({})", name.replace('_', " "))).unwrap_or_default();
    let (what, share, part) =
        (entity(&culprit.entity), share(culprit.coverage), amount(culprit.contribution, sli));
    format!("{what}: {kind}{subkind}, {share} of it ({part} a request)")
}

fn entity(entity: &Entity) -> String {
    let mut text = match &entity.peer {
        Some(peer) => format!("{} -> {peer}", entity.service),
        None => entity.service.clone(),
    };
    for part in [&entity.operation, &entity.statement, &entity.process].into_iter().flatten() {
        text.push(' ');
        text.push_str(part);
    }
    if let Some(host) = &entity.host {
        let _ = write!(text, " on {host}");
    }
    text
}

fn hop(hop: &Hop, sli: Sli) -> String {
    let operation = hop.operation.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let blind = if hop.is_blind { " (sends no spans)" } else { "" };
    let (adds, keeps) = (amount(hop.adds, sli), amount(hop.keeps, sli));
    format!("{}{operation}{blind}: adds {adds}, keeps {keeps}", hop.service)
}

fn amount(value: f64, sli: Sli) -> String {
    match sli {
        Sli::Latency if value.abs() < 10.0 => format!("{value:.1} ms"),
        Sli::Latency if value.abs() < 10_000.0 => format!("{value:.0} ms"),
        Sli::Latency => format!("{:.1} s", value / 1_000.0),
        Sli::Errors => format!("{:.1} %", value * 100.0),
    }
}

fn share(value: f64) -> String {
    format!("{:.0} %", value * 100.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_a_screen_of_text() {
        let json = serde_json::json!({
            "state": "open", "headline": "edge is slow: catalog\u{1b}[2J", "summary": "",
            "symptom": {"service": "edge", "operation": "GET /", "sli": "latency", "baseline": 20.0, "now": 105.4,
                "baseline_p95_ms": 40.0, "now_p95_ms": 300.0, "requests": 900.0},
            "window": {"onset_s": 1_795_687_400, "onset_interval_s": 10, "detected_s": 1_795_687_440,
                "baseline": {"from_s": 0, "to_s": 1}, "hot": {"from_s": 1, "to_s": 2}},
            "culprit": {"entity": {"type": "service", "service": "catalog", "operation": "GET /items"},
                "kind": "pool_exhaustion", "resource": "pool", "coverage": 0.91, "contribution": 77.0, "margin": 0.9},
            "confidence": {"level": "high", "precision": 0.96, "cases": 142},
            "path": [{"service": "edge", "operation": "GET /", "onset_s": null, "baseline": 20.0, "now": 105.0, "calls": 1.0,
                "adds": 85.0, "passes_on": 80.0, "keeps": 5.0, "keeps_self": 5.0, "keeps_queueing": 0.0,
                "keeps_network": 0.0, "is_blind": false}],
            "unexplained": 0.0,
            "evidence": [{"family": "pool", "type": "wait", "text": "waits 70 ms", "baseline": null, "now": null, "unit": "ms"}],
            "contributors": [], "ruled_out": [{"what": "network", "why": "gap unchanged"}], "cohort": [],
            "fix": {"expected": 28.0, "threshold": 30.0, "is_enough": true},
            "impact": {"operations": [], "requests_affected": 0.0, "share": 0.0}, "headroom": null,
            "data_quality": {"trace_coverage": 1.0, "traces": 3, "blind_hops": 0, "clock_skew_ms": 0.0,
                "baseline_steps": 9, "missing": []},
            "next_steps": ["make the pool larger"], "method": "x"
        });
        let verdict: Verdict = serde_json::from_value(json).unwrap();
        let expected = "edge is slow: catalog [2J\n\n\
            symptom     edge GET / 20 ms -> 105 ms, p95 40 -> 300 ms, since 2026-11-26T10:03:20Z (± 10 s)\n\
            culprit     catalog GET /items: pool exhaustion, 91 % of it (77 ms a request)\n\
            confidence  high: right in 96 % of 142 cases where the truth was known\n\
            without it  28 ms, enough (below 30 ms)\n\n\
            where it went\n  edge GET /: adds 85 ms, keeps 5.0 ms\n\n\
            evidence\n  waits 70 ms\n\n\
            ruled out\n  network: gap unchanged\n\n\
            next\n  make the pool larger\n\nhttp://n/bottlenecks/v1\n";
        assert_eq!(text(&verdict, Some("http://n/bottlenecks/v1")), expected);
    }
}
