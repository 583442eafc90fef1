//! Reads back every trace of the span clients, and what was derived from their spans.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::clients::{ITEMS, Number, Requests, service, trace_id};
use crate::api::Collector;

/// Counts of steps are written once the step is over.
const PATIENCE: Duration = Duration::from_secs(40);

/// Prints what became of every client's spans; answers whether all is as it must be.
pub(super) async fn spans(collector: &Collector, clients: &[(i64, Requests)]) -> anyhow::Result<bool> {
    let mut exact = true;
    println!(
        "| spans of | acknowledged | unanswered, there | lost | doubled | counted |\n|---|---|---|---|---|---|"
    );
    for (client, requests) in clients {
        let mut seen = BTreeMap::<Number, u64>::new();
        let numbers = requests.acknowledged.iter().chain(&requests.unanswered);
        for first in numbers.filter(|number| **number % ITEMS == 0) {
            for number in of_trace(collector, *first).await? {
                *seen.entry(number).or_default() += 1;
            }
        }
        let lost = requests.acknowledged.iter().filter(|number| !seen.contains_key(number)).count();
        let doubled: u64 = seen.values().map(|times| times - 1).sum();
        let there = seen.keys().filter(|number| requests.unanswered.contains(number)).count();
        let total: u64 = seen.values().sum();
        let counted = counted(collector, &service(*client), total).await?;
        exact &= lost == 0 && doubled == 0 && counted == total;
        let acknowledged = requests.acknowledged.len();
        println!(
            "| {} | {acknowledged} | {there} | {lost} | {doubled} | {counted} of {total} |",
            service(*client)
        );
    }
    Ok(exact)
}

/// The numbers of a trace's spans; none if it is not there.
async fn of_trace(collector: &Collector, first: Number) -> anyhow::Result<Vec<Number>> {
    let id: String = trace_id(first).iter().map(|byte| format!("{byte:02x}")).collect();
    let query = format!("trace_id:{id} | fields chaos.number | limit 100");
    let parameters = [("query", query.as_str()), ("start", "0"), ("end", "4000000000"), ("limit", "100")];
    let answer = collector.get("/api/v1/narrows/traces/search", &parameters).await?;
    anyhow::ensure!(answer["partial"] == false, "a partial answer: {}", answer["warnings"]);
    let rows = answer["table"]["rows"].as_array().context("rows")?;
    rows.iter().map(|row| row[0].as_i64().context("a span's number")).collect()
}

/// How many spans the derived series have counted, once that is as many as there are.
async fn counted(collector: &Collector, service: &str, expected: u64) -> anyhow::Result<u64> {
    let begun = Instant::now();
    loop {
        let query = format!("sum(sum_over_time(narrows_red_calls{{service=\"{service}\"}}[1h]))");
        let answer = collector.get("/api/v1/query", &[("query", &query)]).await?;
        let value = answer["data"]["result"][0]["value"][1].as_str().unwrap_or("0");
        let counted = value.parse::<f64>()? as u64;
        if counted == expected || begun.elapsed() > PATIENCE {
            return Ok(counted);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
