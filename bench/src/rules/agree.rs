//! Whether two servers say the same: what each has recorded is what the other computes of the same samples at the same
//! moment, and the same alerts fire.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::Value as Json;

use super::mix::Mix;
use super::server::Server;
use crate::workload_r::OFFSET_STEP_MS;

/// Recording rules that are compared.
const SAMPLED: usize = 120;
/// How far two values may be apart, as a part of the larger one.
const TOLERANCE: f64 = 1e-9;

pub(super) struct Agreement {
    pub(super) text: String,
    pub(super) differences: usize,
}

type Vector = BTreeMap<String, f64>;

pub(super) async fn compare(servers: &[Server], mix: &Mix, quiet_from_ms: i64) -> anyhow::Result<Agreement> {
    let [ours, theirs] = servers else {
        return Ok(Agreement { text: "one server has nobody to agree with".to_owned(), differences: 0 });
    };
    let (mut rules, mut values, mut skipped, mut problems) = (0, 0, 0, Vec::new());
    for recorded in mix.recorded.iter().step_by((mix.recorded.len() / SAMPLED).max(1)) {
        for (wrote, computes) in [(ours, theirs), (theirs, ours)] {
            let Some((time_ms, was)) = recorded_by(wrote, &recorded.id, quiet_from_ms).await? else {
                skipped += 1;
                continue;
            };
            let is = computed_by(computes, &recorded.expr, time_ms).await?;
            rules += 1;
            values += was.len();
            if let Some(difference) = difference(&was, &is) {
                problems.push(format!("{:?}, {}: {difference}", wrote.peer.kind, recorded.expr));
            }
        }
    }
    ensure!(rules > 0, "nothing was recorded after the samples had stopped");
    let (mine, other) = (firing(ours).await?, firing(theirs).await?);
    problems.extend(mine.symmetric_difference(&other).map(|alert| format!("only one fires {alert}")));
    let mut text = format!(
        "{rules} evaluations of recording rules, {values} values, compared within {TOLERANCE:e} ({skipped} had no moment to compare at); \
         {} and {} alerts fire; {} differences",
        mine.len(),
        other.len(),
        problems.len()
    );
    problems.iter().take(20).for_each(|problem| text.push_str(&format!("\n{problem}")));
    Ok(Agreement { text, differences: problems.len() })
}

/// What a rule has recorded last, and when; `None` if it was not evaluated since, or if it was at a moment at which a
/// sample may stand: servers differ on whether a range has its beginning.
async fn recorded_by(server: &Server, rule: &str, from_ms: i64) -> anyhow::Result<Option<(i64, Vector)>> {
    let now_ms = super::now_ms();
    let range_ms = now_ms - from_ms;
    // Alerts over what a rule has recorded have its labels.
    let query = format!("{{rule=\"{rule}\",__name__!~\"ALERTS.*\"}}[{range_ms}ms]");
    let answer = ask(server, &query, now_ms).await?;
    let mut by_time: BTreeMap<i64, Vector> = BTreeMap::new();
    for series in answer.as_array().context("no series")? {
        for sample in series["values"].as_array().into_iter().flatten() {
            let time_ms = (sample[0].as_f64().context("no time")? * 1000.0).round() as i64;
            by_time.entry(time_ms).or_default().insert(labels(&series["metric"]), value(&sample[1])?);
        }
    }
    by_time.retain(|time_ms, _| time_ms % OFFSET_STEP_MS != 0);
    Ok(by_time.pop_last())
}

async fn computed_by(server: &Server, expr: &str, time_ms: i64) -> anyhow::Result<Vector> {
    let answer = ask(server, expr, time_ms).await?;
    let series = answer.as_array().context("no series")?;
    series.iter().map(|series| Ok((labels(&series["metric"]), value(&series["value"][1])?))).collect()
}

async fn ask(server: &Server, query: &str, time_ms: i64) -> anyhow::Result<Json> {
    let time = format!("{}.{:03}", time_ms / 1000, time_ms % 1000);
    let body = server.peer.query("/api/v1/query", &[("query", query.to_owned()), ("time", time)]).await?;
    let mut answer: Json = serde_json::from_slice(&body)?;
    Ok(answer["data"]["result"].take())
}

/// The labels that the expression gives.
fn labels(metric: &Json) -> String {
    let labels = metric.as_object().into_iter().flatten();
    let own = labels.filter(|(name, _)| !matches!(name.as_str(), "__name__" | "rule"));
    let sorted: BTreeMap<&String, &str> =
        own.map(|(name, value)| (name, value.as_str().unwrap_or(""))).collect();
    format!("{sorted:?}")
}

fn value(text: &Json) -> anyhow::Result<f64> {
    Ok(text.as_str().context("no value")?.parse()?)
}

fn difference(was: &Vector, is: &Vector) -> Option<String> {
    if !was.keys().eq(is.keys()) {
        return Some(format!("{} series recorded, {} computed", was.len(), is.len()));
    }
    let apart = |a: f64, b: f64| {
        !(a.is_nan() && b.is_nan() || a == b || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()))
    };
    let (labels, value) = was.iter().find(|(labels, value)| apart(**value, is[*labels]))?;
    Some(format!("{labels}: {value} recorded, {} computed", is[labels]))
}

/// The alerts that fire, by their labels.
async fn firing(server: &Server) -> anyhow::Result<BTreeSet<String>> {
    let answer: Json = serde_json::from_slice(&server.peer.query("/api/v1/alerts", &[]).await?)?;
    let alerts = answer["data"]["alerts"].as_array().context("no alerts")?;
    let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
    Ok(firing.map(|alert| labels(&alert["labels"])).collect())
}
