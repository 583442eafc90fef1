//! The 25 scenarios through a collector: spans, metrics, log lines and changes as they would have come, then the
//! collector's own analysis.
//!
//! A finding is *shown* if its query, asked of the collector, gives before and since the onset what the finding says: its
//! number lies among the query's values, give or take a quarter.

use std::time::Duration;

use anyhow::{Context, ensure};
use bottleneck::{Evidence, Sli, Span, Verdict};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::cases::{Quiet, least_felt, said, symptom};
use super::share;
use crate::accuracy::fed::{Fed, STEP_S, now_s};
use crate::accuracy::precision::level;
use crate::accuracy::{Input, SetResult};
use crate::simulate::{BASELINE_STEPS, HOT_STEPS};
use crate::simulator::observe::observation;
use crate::simulator::scenarios::{Scenario, shop};
use crate::simulator::{Plan, Run, START_S, otlp, run as simulate};

/// Scenarios that one collector gets, each under a tenant of its own.
const AT_ONCE: usize = 4;
/// More seeds take hours.
const MOST_SEEDS: u64 = 2;
/// The last 10 s were over so long ago when they are sent.
const AGO_S: i64 = 10;
/// Until all spans must be in the derived series.
const LIMIT: Duration = Duration::from_secs(120);
/// Calls to outside are told so long after their spans.
const OUTSIDE: Duration = Duration::from_secs(45);
/// Rates are of the time before: what they say so soon after the onset is of both.
const LAG_S: i64 = 60;
/// By how much a finding's number may lie beyond its query's values: of it, and at all.
const MARGIN: (f64, f64) = (0.25, 0.01);

/// A scenario that a collector has.
struct Sent {
    case: usize,
    scenario: Scenario,
    /// Service and operation whose requests are asked about.
    asked: (String, String),
    /// What the fault adds to them.
    added: f64,
    is_felt: bool,
    /// s since 1970.
    onset_s: i64,
    end_s: i64,
    spans: f64,
    chance: f64,
}

/// What was said of one.
struct Told {
    is_felt: bool,
    is_empty: bool,
    is_service: bool,
    is_kind: bool,
    chance: f64,
    level: Option<bottleneck::Level>,
    /// Findings with a query, and those that it shows.
    findings: (usize, usize),
}

pub(in crate::accuracy) fn run_fed(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let mut told = Vec::new();
    for seed in 1..=input.seeds.min(MOST_SEEDS) {
        let scenarios: Vec<Scenario> = shop(seed).into_iter().map(shortened).collect();
        let quiet = Quiet::default();
        for some in scenarios.chunks(AT_ONCE) {
            told.extend(input.runtime.block_on(run(input, some, &quiet))?);
        }
    }
    Ok(summary(&told))
}

/// Spans may be 15 minutes late, so there is less to compare with than in the runs that are handed over.
fn shortened(mut scenario: Scenario) -> Scenario {
    let plan = &mut scenario.plan;
    plan.steps = BASELINE_STEPS + HOT_STEPS;
    plan.onset_s = (BASELINE_STEPS as i64 * STEP_S) as f64 + plan.onset_s % STEP_S as f64;
    scenario
}

async fn run(input: &Input<'_>, scenarios: &[Scenario], quiet: &Quiet) -> anyhow::Result<Vec<Told>> {
    let fed = Fed::start(input.bin_dir, scenarios.len()).await?;
    let mut all = Vec::new();
    for (case, scenario) in scenarios.iter().enumerate() {
        all.push(feed(&fed, case, scenario, quiet).await?);
    }
    let last = Instant::now();
    fed.settle().await?;
    for sent in &all {
        counted(&fed, sent).await?;
    }
    sleep(OUTSIDE.saturating_sub(last.elapsed())).await;
    let mut told = Vec::new();
    for sent in &all {
        let told_of = ask(&fed, sent, input.prints_wrong).await;
        told.push(told_of.with_context(|| format!("scenario {}", sent.scenario.number))?);
    }
    Ok(told)
}

/// Sends a run as if it had just ended.
async fn feed(fed: &Fed, case: usize, scenario: &Scenario, quiet: &Quiet) -> anyhow::Result<Sent> {
    let plan = Plan { keeps_spans: true, ..scenario.plan.clone() };
    let simulated = simulate(&plan);
    let observed = observation(&simulated);
    let onset = (plan.onset_s as i64 / STEP_S) as usize;
    let (asked, added, before) = symptom(scenario, &observed, quiet, &(onset + 1..plan.steps));
    let operation = &observed.operations[asked];
    let end_s = now_s()? - AGO_S;
    let start_s = end_s - plan.steps as i64 * STEP_S;
    let spans = sent_spans(&simulated, plan.steps) as f64;
    let requests = otlp::requests(&simulated, start_s as u64 * 1_000_000_000);
    for path in ["/v1/metrics", "/v1/logs", "/v1/traces"] {
        let of_path = requests.iter().filter(|request| request.path == path);
        fed.send(case, path, of_path.map(|request| &request.body)).await?;
    }
    for change in simulated.changes.iter().filter(|change| change.is_told) {
        let bottleneck::Owner::Node(node) = &change.owner else { continue };
        let service = &plan.topology.nodes[*node].name;
        let time = change.time_s - START_S + start_s;
        let body = json!({"time": time, "service": service, "kind": change.kind, "text": change.text});
        fed.tell(case, "/api/v1/narrows/changes", &body).await?;
    }
    Ok(Sent {
        case,
        scenario: scenario.clone(),
        asked: (observed.nodes[operation.node].name.clone(), operation.name.clone()),
        added,
        is_felt: added >= least_felt(scenario.sli, before),
        onset_s: start_s + onset as i64 * STEP_S,
        end_s,
        spans,
        chance: 1.0 / (observed.nodes.len() + observed.edges.len()) as f64,
    })
}

/// Spans that ended before the run did.
fn sent_spans(run: &Run, steps: usize) -> usize {
    let Some(ended) = &run.world.recorder.ended else { return 0 };
    let end_ns = steps as u64 * STEP_S as u64 * 1_000_000_000;
    ended.borrow().iter().filter(|ended| otlp::end_ns(ended) < end_ns).count()
}

/// Waits until every span that was sent is counted as an operation.
async fn counted(fed: &Fed, sent: &Sent) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let spans = fed.total(sent.case, "narrows_red_calls").await?;
        if spans >= sent.spans {
            return Ok(());
        }
        let (number, all) = (sent.scenario.number, sent.spans);
        ensure!(Instant::now() < deadline, "of scenario {number}'s {all} spans {spans} are counted");
        sleep(Duration::from_millis(200)).await;
    }
}

async fn ask(fed: &Fed, sent: &Sent, prints_wrong: bool) -> anyhow::Result<Told> {
    let (service, operation) = &sent.asked;
    let sli = if sent.scenario.sli == Sli::Latency { "latency" } else { "errors" };
    let question = json!({
        "service": service, "operation": operation, "sli": sli,
        "from": sent.onset_s + STEP_S, "to": sent.end_s,
    });
    let verdict = fed.ask(sent.case, &question).await?;
    let culprit = verdict.culprit.as_ref();
    let truths = &sent.scenario.truths;
    let truth = culprit.and_then(|culprit| truths.iter().find(|truth| truth.is(&culprit.entity)));
    let is_kind = truth.zip(culprit).is_some_and(|(truth, culprit)| truth.kinds.contains(&culprit.kind));
    let (number, name) = (sent.scenario.number, &sent.scenario.name);
    if prints_wrong && sent.is_felt && !is_kind {
        println!("wrong: {number} {name}: {}", said(&verdict, sent.added, &sent.scenario));
        for out in &verdict.ruled_out {
            println!("    not {}: {}", out.what, out.why);
        }
        println!("    missing: {}", verdict.data_quality.missing.join("; "));
    }
    let mut findings = (0, 0);
    for evidence in &verdict.evidence {
        let Some(shown) = is_shown(fed, sent.case, &verdict, evidence).await? else { continue };
        findings = (findings.0 + 1, findings.1 + usize::from(shown.is_none()));
        if let Some(why) = shown.filter(|_| prints_wrong) {
            println!("not shown: {number} {name}: {} ({}): {why}", evidence.text, evidence.unit);
        }
    }
    Ok(Told {
        is_felt: sent.is_felt,
        is_empty: culprit.is_none(),
        is_service: truth.is_some(),
        is_kind,
        chance: sent.chance,
        level: level(&verdict),
        findings,
    })
}

/// Why a finding's query does not show what it says; `None` of one without numbers or without a metric.
async fn is_shown(
    fed: &Fed,
    case: usize,
    verdict: &Verdict,
    evidence: &Evidence,
) -> anyhow::Result<Option<Option<String>>> {
    let Some(query) = evidence.query.as_deref().filter(|query| !is_search(query)) else { return Ok(None) };
    if evidence.baseline.or(evidence.now).is_none() {
        return Ok(None);
    }
    let window = &verdict.window;
    let mut why = None;
    for (figure, Span { from_s, to_s }) in [(evidence.baseline, window.baseline), (evidence.now, window.hot)]
    {
        let Some(figure) = figure else { continue };
        let values = fed.range(case, query, (from_s + LAG_S, to_s)).await?;
        if !is_among(figure, &values) {
            let (least, most) = ends(&values);
            why =
                Some(format!("{figure:.4}, but {} values {least:.4} to {most:.4} of {query}", values.len()));
        }
    }
    Ok(Some(why))
}

fn is_search(query: &str) -> bool {
    ["logs:", "traces:"].iter().any(|head| query.starts_with(head))
}

fn ends(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |ends, value| (ends.0.min(*value), ends.1.max(*value)))
}

/// What was not there has no values.
fn is_among(figure: f64, values: &[f64]) -> bool {
    if values.is_empty() {
        return figure == 0.0;
    }
    let ((least, most), margin) = (ends(values), MARGIN.0 * figure.abs() + MARGIN.1);
    (least - margin..=most + margin).contains(&figure)
}

fn summary(told: &[Told]) -> SetResult {
    let felt = || told.iter().filter(|told| told.is_felt);
    let count = |of: fn(&Told) -> usize| told.iter().map(of).sum::<usize>() as f64;
    let (findings, shown) = (count(|told| told.findings.0), count(|told| told.findings.1));
    SetResult {
        name: "simulator-otlp",
        cases: told.len(),
        figures: vec![
            ("service", share(felt(), |told| told.is_service)),
            ("kind", share(felt(), |told| told.is_kind)),
            ("not felt", told.len() as f64 - felt().count() as f64),
            ("findings", findings),
            ("shown", shown / findings.max(1.0)),
        ],
        chance: felt().map(|told| told.chance).sum::<f64>() / felt().count().max(1) as f64,
        empty: share(felt(), |told| told.is_empty),
        told: felt().filter_map(|told| Some((told.level?, told.is_kind))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_shown_by_values_around_it() {
        let cases = [
            (10.0, vec![8.0, 12.0], true),
            (10.0, vec![12.4, 12.6], true),
            (10.0, vec![12.6, 13.0], false),
            (0.08, vec![0.000_08], false),
            (80.0, vec![0.08], false),
            (0.0, vec![], true),
            (1.0, vec![], false),
        ];
        for (figure, values, expected) in cases {
            assert_eq!(is_among(figure, &values), expected, "{figure} {values:?}");
        }
    }
}
