//! The set through a collector: each fault's rows as OTLP under a tenant of its own, then the collector's own analysis.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bottleneck::Verdict;
use serde_json::json;

use super::otlp::Laid;
use super::rows::{Events, Span};
use super::{Score, Set, observe};
use crate::accuracy::fed::{Fed, now_s};
use crate::accuracy::{Input, SetResult};

/// The last 10 s were over so long ago when they are sent.
const AGO_S: i64 = 10;
/// Until all spans must be in the derived series.
const LIMIT: Duration = Duration::from_secs(60);

/// A fault whose rows a collector has.
struct Sent {
    /// Its number, from 0.
    case: usize,
    laid: Laid,
    /// Spans, and calls between services.
    counts: (f64, f64),
    /// Whose requests are asked about.
    gateway: String,
}

pub(super) async fn run(input: &Input<'_>, set: &Set) -> anyhow::Result<SetResult> {
    let fed = Fed::start(input.bin_dir, set.faults.len()).await?;
    let (mut all, mut services) = (Vec::new(), BTreeSet::new());
    for (case, fault) in set.faults.iter().enumerate() {
        let window = set.archive.window(fault)?;
        services.extend(set.normal.spans.iter().chain(&window.spans).map(|span| span.service.clone()));
        all.push(feed(&fed, case, set, fault.at_s, &window).await?);
    }
    fed.settle().await?;
    let mut score = Score::default();
    for (sent, fault) in all.iter().zip(&set.faults) {
        let verdict = ask(&fed, sent).await;
        let verdict = verdict.with_context(|| format!("fault {} ({})", sent.case + 1, fault.service))?;
        score.add(fault, &verdict, input.prints_wrong);
    }
    Ok(score.result("nezha-otlp", services.len()))
}

/// Sends the rows of a fault.
async fn feed(fed: &Fed, case: usize, set: &Set, at_s: i64, window: &Events) -> anyhow::Result<Sent> {
    let (normal, times) = (observe::times(&set.normal)?, observe::times(window)?);
    let laid = Laid::new(normal, times, at_s, now_s()? - AGO_S)?;
    let sent = laid.requests(&set.normal, window, &set.metrics);
    for path in ["/v1/metrics", "/v1/logs", "/v1/traces"] {
        let requests = sent.requests.iter().filter(|request| request.path == path);
        fed.send(case, path, requests.map(|request| &request.body)).await?;
    }
    let gateway = gateway(&window.spans).context("no root span")?.to_owned();
    Ok(Sent { case, laid, counts: (sent.spans as f64, sent.calls as f64), gateway })
}

/// The collector's answer about all requests of the gateway since the fault.
async fn ask(fed: &Fed, sent: &Sent) -> anyhow::Result<Verdict> {
    counted(fed, sent).await?;
    let question = json!({"service": sent.gateway, "from": sent.laid.onset_s, "to": sent.laid.end_s});
    fed.ask(sent.case, &question).await
}

/// Waits until every span that was sent is counted as an operation, and every call as one.
async fn counted(fed: &Fed, sent: &Sent) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let spans = fed.total(sent.case, "narrows_red_calls").await?;
        let calls = fed.total(sent.case, "narrows_edge_calls").await?;
        if (spans, calls) == sent.counts {
            return Ok(());
        }
        let (all, of_services) = sent.counts;
        ensure!(
            Instant::now() < deadline,
            "of {all} spans {spans} are counted, of {of_services} calls between services {calls}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
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
