//! `narrows-collector why`: where the bottleneck is, as a running collector sees it, for a terminal.

mod print;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::body::Body;
use bottleneck::Verdict;
use clap::Args;
use http::StatusCode;
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use crate::api::{now_ns, parse_time};
use crate::config::Secret;
use crate::tail::target::{Target, TargetArgs, reason};

/// How long the collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// A verdict is about so much before its onset, and behind its end, s.
const AROUND_S: i64 = 60;
/// Verdicts that one answer has.
const LIMIT: usize = 500;
/// What is explained where no verdict is kept, s.
const ASKED_S: i64 = 600;

/// Say where the bottleneck is, as a running collector sees it
#[derive(Clone, Debug, Default, Args)]
pub struct WhyArgs {
    /// Which service; without it every verdict that is open. Where none is kept, the question is put anew
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// When: RFC 3339 or Unix seconds [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Explain failures instead of slowness, where the question is put anew
    #[arg(long)]
    pub errors: bool,
    /// Where the collector is, and who asks
    #[command(flatten)]
    pub target: TargetArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What is read of a verdict that is kept.
#[derive(Deserialize)]
struct Stored {
    id: String,
    closed_s: Option<i64>,
    verdict: Verdict,
}

#[derive(Deserialize)]
struct List {
    verdicts: Vec<Stored>,
}

/// Prints the verdicts that are asked about.
pub async fn run(args: &WhyArgs, password: Option<&Secret>) -> anyhow::Result<()> {
    let at_ns = args.at.as_deref().map(parse_time).transpose();
    let at_ns = at_ns.map_err(|message| anyhow::anyhow!("--at: {message}"))?;
    let target = Target::new(&args.target, password)?;
    let at_s = at_ns.unwrap_or_else(now_ns).div_euclid(1_000_000_000);
    let kept = kept(&target, at_s).await?;
    let found: Vec<Stored> = kept
        .into_values()
        .rev()
        .filter(|stored| stored.is_at(at_s) && args.is_about(&stored.verdict))
        .collect();
    if let Some(service) = args.service.as_ref().filter(|_| found.is_empty()) {
        return args.print(None, &anew(&target, args, service, at_s).await?);
    }
    // Nothing is no line of JSON.
    if found.is_empty() && !args.json {
        println!("{}", if args.at.is_some() { "no verdict was open then" } else { "no verdict is open" });
    }
    for (n, stored) in found.iter().enumerate() {
        if n > 0 {
            println!();
        }
        args.print(Some(&stored.id), &stored.verdict)?;
    }
    Ok(())
}

/// Verdicts that may be of a time, by id, which is by time.
async fn kept(target: &Target, at_s: i64) -> anyhow::Result<BTreeMap<String, Stored>> {
    // What was over before cannot be meant; what goes on may have been revised long ago.
    let over_s = (at_s - AROUND_S).max(0);
    let mut all = BTreeMap::new();
    for (state, since_s) in [("open", 0), ("not_localised", 0), ("closed", over_s)] {
        let path = format!("/api/v1/narrows/bottlenecks?state={state}&limit={LIMIT}&since={since_s}");
        let list: List = serde_json::from_slice(&ask(target, &path, None).await?)
            .context("the collector says something that is not understood")?;
        if list.verdicts.len() >= LIMIT {
            eprintln!("only the newest {LIMIT} verdicts since then were looked at");
        }
        all.extend(list.verdicts.into_iter().map(|stored| (stored.id.clone(), stored)));
    }
    Ok(all)
}

/// Asks about a service of which no verdict is kept.
async fn anew(target: &Target, args: &WhyArgs, service: &str, at_s: i64) -> anyhow::Result<Verdict> {
    let question = serde_json::json!({
        "service": service,
        "sli": if args.errors { "errors" } else { "latency" },
        "from": at_s - ASKED_S,
        "to": at_s,
    });
    let body = ask(target, "/api/v1/narrows/bottlenecks/analyze", Some(question.to_string())).await?;
    serde_json::from_slice(&body).context("the collector says something that is not understood")
}

async fn ask(target: &Target, path: &str, body: Option<String>) -> anyhow::Result<Vec<u8>> {
    let request = target.ask(path, body)?;
    let answered = tokio::time::timeout(PATIENCE, send(target, request)).await;
    let (status, body) = answered.with_context(|| format!("{target} does not answer"))??;
    if status != StatusCode::OK {
        bail!(reason(status, &body));
    }
    Ok(body)
}

async fn send(target: &Target, request: http::Request<String>) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let stream = target.open().await.with_context(|| format!("cannot connect to {target}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driven = tokio::spawn(connection);
    let response = sender.send_request(request.map(Body::from)).await?;
    let status = response.status();
    let body = axum::body::to_bytes(Body::new(response.into_body()), MAX_ANSWER_BYTES).await?;
    driven.abort();
    Ok((status, body.to_vec()))
}

impl Stored {
    fn is_at(&self, at_s: i64) -> bool {
        let end_s = self.closed_s.map_or(i64::MAX, |closed_s| closed_s + AROUND_S);
        (self.verdict.window.onset_s - AROUND_S..end_s).contains(&at_s)
    }
}

impl WhyArgs {
    fn is_about(&self, verdict: &Verdict) -> bool {
        let Some(service) = self.service.as_deref() else { return true };
        let culprit = verdict.culprit.as_ref().map(|culprit| culprit.entity.service.as_str());
        verdict.symptom.service == service
            || culprit == Some(service)
            || verdict.path.iter().any(|hop| hop.service == service)
    }

    fn print(&self, id: Option<&str>, verdict: &Verdict) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string(verdict)?);
            return Ok(());
        }
        let url = id.map(|id| format!("{}/bottlenecks/{id}", self.target.url.trim_end_matches('/')));
        print!("{}", print::text(verdict, url.as_deref()));
        Ok(())
    }
}
