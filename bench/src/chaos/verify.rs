//! Reads everything back through the API and holds it against what was sent.

use std::collections::HashMap;
use std::fmt;

use anyhow::Context;
use serde_json::Value as Json;

use super::clients::{Number, Requests};
use super::writer::{IDENTICAL, Written};
use crate::api::Collector;

/// What was found of what was expected.
pub(crate) struct Finding {
    kind: &'static str,
    expected: u64,
    found: u64,
    lost: u64,
    doubled: u64,
    out_of_order: u64,
}

impl Finding {
    pub(crate) fn is_exact(&self) -> bool {
        self.lost + self.doubled + self.out_of_order == 0
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, expected, found, lost, doubled, out_of_order } = self;
        write!(f, "| {kind} | {expected} | {found} | {lost} | {doubled} | {out_of_order} |")
    }
}

/// How many records match.
pub(crate) async fn count(collector: &Collector, query: &str) -> anyhow::Result<u64> {
    let answer = page(collector, query, None, "1").await?;
    answer["matched"].as_u64().context("matched")
}

/// The files' lines: each number once, ascending within its file, the identical ones as many as were written.
pub(crate) async fn lines(collector: &Collector, written: &Written) -> anyhow::Result<Finding> {
    let (mut seen, mut found, mut out_of_order) = (HashMap::<Number, u64>::new(), 0, 0);
    let mut last_of_file = vec![-1; written.later_files.len() + 1];
    each(collector, "\"of the run\"", |record| {
        let body = record["body"].as_str().context("a line's body is text")?;
        let number = body.split(' ').nth(1).and_then(|n| n.parse().ok()).context("a numbered line")?;
        let last = &mut last_of_file[written.later_files.partition_point(|first| *first <= number)];
        out_of_order += u64::from(number < *last);
        *last = number;
        *seen.entry(number).or_default() += 1;
        found += 1;
        Ok(())
    })
    .await?;
    let identical = count(collector, &format!("\"{IDENTICAL}\"")).await?;
    let lost = (0..written.numbered as Number).filter(|number| !seen.contains_key(number)).count() as u64;
    let doubled: u64 = seen.values().map(|times| times - 1).sum();
    Ok(Finding {
        kind: "file lines",
        expected: written.lines,
        found: found + identical,
        lost: lost + written.identical.saturating_sub(identical),
        doubled: doubled + identical.saturating_sub(written.identical),
        out_of_order,
    })
}

/// The clients' records: acknowledged ones once, unanswered ones at most once, no others.
pub(crate) async fn records(collector: &Collector, requests: &Requests) -> anyhow::Result<Finding> {
    let mut seen = HashMap::<Number, u64>::new();
    each(collector, "\"a numbered record\"", |record| {
        let number = record["attributes"]["chaos.number"].as_i64().context("a record's number")?;
        *seen.entry(number).or_default() += 1;
        Ok(())
    })
    .await?;
    let unanswered = requests.unanswered.iter().filter(|number| seen.contains_key(number)).count();
    println!("{unanswered} of {} unanswered records are there", requests.unanswered.len());
    let known =
        |number: &Number| requests.acknowledged.contains(number) || requests.unanswered.contains(number);
    let refused = seen.keys().filter(|number| !known(number)).count();
    anyhow::ensure!(refused == 0, "{refused} records are there although their request was refused");
    Ok(Finding {
        kind: "acknowledged records",
        expected: requests.acknowledged.len() as u64,
        found: requests.acknowledged.iter().filter(|number| seen.contains_key(number)).count() as u64,
        lost: requests.acknowledged.iter().filter(|number| !seen.contains_key(number)).count() as u64,
        doubled: seen.values().map(|times| times - 1).sum(),
        out_of_order: 0,
    })
}

async fn each(
    collector: &Collector,
    query: &str,
    mut visit: impl FnMut(&Json) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut cursor: Option<String> = None;
    loop {
        let answer = page(collector, query, cursor.as_deref(), "10000").await?;
        for record in answer["records"].as_array().context("records")? {
            visit(record)?;
        }
        cursor = answer["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn page(collector: &Collector, query: &str, cursor: Option<&str>, limit: &str) -> anyhow::Result<Json> {
    let mut parameters =
        vec![("query", query), ("start", "0"), ("end", "4000000000"), ("order", "oldest"), ("limit", limit)];
    parameters.extend(cursor.map(|cursor| ("cursor", cursor)));
    let answer = collector.get("/api/v1/narrows/logs/search", &parameters).await?;
    anyhow::ensure!(answer["partial"] == false, "a partial answer: {}", answer["warnings"]);
    Ok(answer)
}
