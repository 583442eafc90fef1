//! The set through a collector: each fault's rows as OTLP under a tenant of its own, then the collector's own analysis.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use bottleneck::Verdict;
use serde_json::{Value as Json, json};

use super::otlp::{Laid, STEP_S};
use super::rows::{Events, Span};
use super::{Score, Set, observe};
use crate::accuracy::{Input, SetResult};
use crate::api::Collector;
use crate::send::Sending;

/// The last 10 s were over so long ago when they are sent.
const AGO_S: i64 = 10;
/// Until all spans must be in the derived series.
const LIMIT: Duration = Duration::from_secs(60);

/// A fault whose rows a collector has.
struct Fed {
    tenant: String,
    laid: Laid,
    /// Spans, and calls between services.
    sent: (f64, f64),
    /// Whose requests are asked about.
    gateway: String,
}

pub(super) async fn run(input: &Input<'_>, set: &Set) -> anyhow::Result<SetResult> {
    let dir = tempfile::tempdir()?;
    let config = dir.path().join("collector.yml");
    std::fs::write(&config, configuration(set.faults.len()))?;
    let collector = Collector::start_with(input.bin_dir, dir.path(), Some(&config)).await?;
    let (mut fed, mut services) = (Vec::new(), BTreeSet::new());
    for (number, fault) in set.faults.iter().enumerate() {
        let window = set.archive.window(fault)?;
        services.extend(set.normal.spans.iter().chain(&window.spans).map(|span| span.service.clone()));
        fed.push(feed(&collector, tenant(number), set, fault.at_s, &window).await?);
    }
    collector.barrier().await?;
    let mut score = Score::default();
    for (fed, fault) in fed.iter().zip(&set.faults) {
        let verdict = ask(&collector, fed).await;
        let verdict = verdict.with_context(|| format!("{} ({})", fed.tenant, fault.service))?;
        score.add(fault, &verdict, input.prints_wrong);
    }
    Ok(score.result("nezha-otlp", services.len()))
}

fn tenant(number: usize) -> String {
    format!("fault-{}", number + 1)
}

fn token(tenant: &str) -> String {
    format!("token-of-{tenant}")
}

/// A tenant for each fault. Nothing is watched meanwhile: what is asked is the same either way.
fn configuration(faults: usize) -> String {
    let of_fault = |number| {
        let name = tenant(number);
        format!("  - name: {name}\n    ingest_token: {}\n", token(&name))
    };
    let tenants: String = (0..faults).map(of_fault).collect();
    format!("tenants:\n  - name: default\n{tenants}verdicts:\n  enabled: false\n")
}

/// Sends the rows of a fault.
async fn feed(
    collector: &Collector,
    tenant: String,
    set: &Set,
    at_s: i64,
    window: &Events,
) -> anyhow::Result<Fed> {
    let (normal, times) = (observe::times(&set.normal)?, observe::times(window)?);
    let laid = Laid::new(normal, times, at_s, now_s()? - AGO_S)?;
    let sent = laid.requests(&set.normal, window, &set.metrics);
    for path in ["/v1/metrics", "/v1/logs", "/v1/traces"] {
        let mut sending = Sending::with_token(collector.http(path), 1, Some(token(&tenant)));
        for request in sent.requests.iter().filter(|request| request.path == path) {
            sending.push(request.body.clone()).await?;
        }
        sending.finish().await?;
    }
    let gateway = gateway(&window.spans).context("no root span")?.to_owned();
    Ok(Fed { tenant, laid, sent: (sent.spans as f64, sent.calls as f64), gateway })
}

/// The collector's answer about all requests of the gateway since the fault.
async fn ask(collector: &Collector, fed: &Fed) -> anyhow::Result<Verdict> {
    counted(collector, fed).await?;
    let question = json!({"service": fed.gateway, "from": fed.laid.onset_s, "to": fed.laid.end_s});
    let path = "/api/v1/narrows/bottlenecks/analyze";
    let answer = collector.post_of(&fed.tenant, path, &question).await?;
    serde_json::from_value(answer).context("the answer is no verdict")
}

/// Waits until every span that was sent is counted as an operation, and every call as one.
async fn counted(collector: &Collector, fed: &Fed) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let spans = total(collector, &fed.tenant, "narrows_red_calls").await?;
        let calls = total(collector, &fed.tenant, "narrows_edge_calls").await?;
        if (spans, calls) == fed.sent {
            return Ok(());
        }
        let (all, of_services) = fed.sent;
        ensure!(
            Instant::now() < deadline,
            "of {all} spans {spans} are counted, of {of_services} calls between services {calls}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn total(collector: &Collector, tenant: &str, series: &str) -> anyhow::Result<f64> {
    let (query, time) = (format!("sum(sum_over_time({series}[1h]))"), now_s()?.to_string());
    let query = [("query", query.as_str()), ("time", time.as_str())];
    let answer = collector.get_of(tenant, "/api/v1/query", &query).await?;
    match &answer["data"]["result"][0]["value"][1] {
        Json::String(number) => Ok(number.parse()?),
        _ => Ok(0.0),
    }
}

/// The service to which most requests come from nobody.
fn gateway(spans: &[Span]) -> Option<&str> {
    let mut roots: BTreeMap<&str, usize> = BTreeMap::new();
    for span in spans.iter().filter(|span| span.parent == "root") {
        *roots.entry(&span.service).or_default() += 1;
    }
    roots.into_iter().max_by_key(|(_, count)| *count).map(|(service, _)| service)
}

fn now_s() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())? / STEP_S * STEP_S)
}
