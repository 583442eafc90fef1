//! Reads the metric clients' series back through PromQL and holds them against what was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context, ensure};

use super::samples::{Protocol, SERIES, Sent};
use crate::api::Collector;

/// What was found of one kind of a client's samples.
#[derive(Default)]
pub(crate) struct Finding {
    kind: String,
    sent: u64,
    acknowledged: u64,
    unanswered_found: u64,
    pub(crate) lost: u64,
    wrong: u64,
    doubled: u64,
}

impl Finding {
    pub(crate) fn is_exact(&self) -> bool {
        self.lost + self.wrong + self.doubled == 0
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, sent, acknowledged, unanswered_found, lost, wrong, doubled } = self;
        write!(f, "| {kind} | {sent} | {acknowledged} | {unanswered_found} | {lost} | {wrong} | {doubled} |")
    }
}

/// A client's samples: those of its counter, and the sums of its increases if it sends any.
pub(crate) async fn samples(collector: &Collector, sent: &Sent) -> anyhow::Result<Vec<Finding>> {
    let mut all = vec![counters(collector, sent).await?];
    if sent.client.protocol == Protocol::Otlp {
        all.push(increases(collector, sent).await?);
    }
    Ok(all)
}

async fn counters(collector: &Collector, sent: &Sent) -> anyhow::Result<Finding> {
    let kind = format!("samples, {}", sent.client.name);
    let mut finding = Finding { kind, sent: sent.requests * SERIES, ..Finding::default() };
    for series in 0..SERIES {
        let selector = format!("chaos_counter_total{{client=\"{}\",series=\"{series}\"}}", sent.client.name);
        let found = read(collector, &selector, sent).await?;
        finding.account(sent, &found);
        finding.wrong += found.iter().filter(|(number, value)| **number as f64 != **value).count() as u64;
        finding.doubled += surplus(collector, &selector, sent, &found).await?;
    }
    Ok(finding)
}

/// Every acknowledged increase is in the last sum, once. One that came behind a later one (an agent has many requests under
/// way) is counted at the newest time of the sum, and has no sample at its own.
async fn increases(collector: &Collector, sent: &Sent) -> anyhow::Result<Finding> {
    let kind = format!("sums of increases, {}", sent.client.name);
    let mut finding = Finding { kind, sent: sent.requests, ..Finding::default() };
    let selector = format!("chaos_increases_total{{client=\"{}\"}}", sent.client.name);
    let found = read(collector, &selector, sent).await?;
    finding.account(sent, &found);
    let is_late = |number: &&u64| !found.contains_key(number);
    let late: Vec<u64> = sent.acknowledged.iter().filter(is_late).copied().collect();
    let perhaps: Vec<u64> = sent.unanswered.iter().filter(is_late).copied().collect();
    let (own, late_sum): (u64, u64) = (found.keys().sum(), late.iter().sum());
    let last = found.values().copied().fold(0.0, f64::max);
    println!(
        "{}: the last sum is {last}: {own} of those at their times, {late_sum} of {} that came late",
        finding.kind,
        late.len()
    );
    let rest = last - (own + late_sum) as f64;
    if rest == 0.0 || is_sum_of_some(&perhaps, rest) {
        // None is lost: the sum has them.
        finding.lost = 0;
    } else {
        finding.wrong += 1;
    }
    // In the order of time each sum has its own increase more than the one before, and those that came late.
    let before = std::iter::once(0.0).chain(found.values().copied());
    let steps =
        found.iter().zip(before).filter(|((number, value), before)| **value - before < **number as f64);
    finding.wrong += steps.count() as u64;
    finding.doubled += surplus(collector, &selector, sent, &found).await?;
    Ok(finding)
}

/// Whether some of these numbers add up to it; each may have been stored or not.
fn is_sum_of_some(numbers: &[u64], sum: f64) -> bool {
    if sum < 0.0 || sum.fract() != 0.0 {
        return false;
    }
    let mut sums = BTreeSet::from([0]);
    for number in numbers {
        sums.extend(sums.clone().into_iter().map(|one| one + number).filter(|one| *one as f64 <= sum));
    }
    sums.contains(&(sum as u64))
}

impl Finding {
    fn account(&mut self, sent: &Sent, found: &BTreeMap<u64, f64>) {
        self.acknowledged += sent.acknowledged.len() as u64;
        self.lost += sent.acknowledged.iter().filter(|number| !found.contains_key(number)).count() as u64;
        self.unanswered_found +=
            sent.unanswered.iter().filter(|number| found.contains_key(number)).count() as u64;
        // One whose request was refused must not be there.
        let known = |number: &u64| sent.acknowledged.contains(number) || sent.unanswered.contains(number);
        self.wrong += found.keys().filter(|number| !known(number)).count() as u64;
    }
}

/// By number, the value of one series' samples.
async fn read(collector: &Collector, selector: &str, sent: &Sent) -> anyhow::Result<BTreeMap<u64, f64>> {
    let answer = instant(collector, &format!("{selector}[2d]"), sent).await?;
    ensure!(answer.len() <= 1, "{selector} is {} series", answer.len());
    let mut found = BTreeMap::new();
    let values = answer.first().map(|series| series["values"].as_array().context("values")).transpose()?;
    for pair in values.into_iter().flatten() {
        let time_s = pair[0].as_f64().context("a time")?;
        let value = pair[1].as_str().and_then(|text| text.parse().ok()).context("a value")?;
        let number = time_s - sent.begin_s as f64;
        ensure!(number >= 1.0 && number.fract() == 0.0, "{selector} has a sample at {time_s}, never sent");
        found.insert(number as u64, value);
    }
    Ok(found)
}

/// How many samples there are more than times.
async fn surplus(
    collector: &Collector,
    selector: &str,
    sent: &Sent,
    found: &BTreeMap<u64, f64>,
) -> anyhow::Result<u64> {
    let answer = instant(collector, &format!("count_over_time({selector}[2d])"), sent).await?;
    let count = answer.first().and_then(|series| series["value"][1].as_str()?.parse::<u64>().ok());
    Ok(count.unwrap_or(0).abs_diff(found.len() as u64))
}

async fn instant(collector: &Collector, query: &str, sent: &Sent) -> anyhow::Result<Vec<serde_json::Value>> {
    let time = (sent.begin_s + sent.requests).to_string();
    let answer = collector.get("/api/v1/query", &[("query", query), ("time", &time)]).await?;
    ensure!(answer.get("warnings").is_none(), "a partial answer: {}", answer["warnings"]);
    answer["data"]["result"].as_array().cloned().context("a result")
}
