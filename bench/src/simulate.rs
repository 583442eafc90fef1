//! One scenario through a real collector: the simulator's spans, metrics and log lines as OTLP, as if they had just
//! happened.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};

use crate::send::Sending;
use crate::simulator::scenarios::{benign, shop};
use crate::simulator::{Plan, STEP_S, otlp, run as simulate};

/// Nine minutes, and four: what a collector takes at once.
pub(crate) const BASELINE_STEPS: usize = 54;
pub(crate) const HOT_STEPS: usize = 24;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Number of the scenario (docs/accuracy.md); 0: nothing is wrong.
    #[arg(long)]
    scenario: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// OTLP over HTTP of a collector.
    #[arg(long, default_value = "http://127.0.0.1:4318")]
    to: String,
    /// A token, if the collector wants one.
    #[arg(long, env = "NARROWS_TOKEN")]
    token: Option<String>,
    /// Steps of 10 s before the fault; spans may be 15 minutes late at most.
    #[arg(long, default_value_t = BASELINE_STEPS)]
    baseline: usize,
    /// Steps of 10 s with the fault.
    #[arg(long, default_value_t = HOT_STEPS)]
    hot: usize,
    /// The last so many steps are sent as they happen; what was before is sent at once.
    #[arg(long, default_value_t = 0)]
    live: usize,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let steps = args.baseline + args.hot;
    ensure!(args.live <= args.hot, "of {} steps with the fault no {} are live", args.hot, args.live);
    let past = steps - args.live;
    ensure!(past * STEP_S as usize <= 840, "at most 84 steps of the past: spans may be 15 minutes late");
    let plan = plan(args.scenario, args.seed)?;
    let onset_s = (args.baseline * STEP_S as usize) as f64;
    let simulated = simulate(&Plan { steps, onset_s, keeps_spans: true, ..plan });
    // Whole steps, so that the collector's are the same.
    let step_ns = u64::from(STEP_S) * 1_000_000_000;
    let start_ns = (now_ns()? / step_ns - past as u64) * step_ns;
    let requests = otlp::requests(&simulated, start_ns);
    let count = requests.len();
    println!("the fault begins at {} s since 1970", start_ns / 1_000_000_000 + onset_s as u64);
    let mut sent_bytes = 0;
    for step in 0..steps {
        let end_ns = start_ns + (step as u64 + 1) * step_ns;
        tokio::time::sleep(Duration::from_nanos(end_ns.saturating_sub(now_ns()?))).await;
        for path in ["/v1/traces", "/v1/metrics", "/v1/logs"] {
            let url = format!("{}{path}", args.to.trim_end_matches('/'));
            let mut sending = Sending::with_token(url, 1, args.token.clone());
            for request in requests.iter().filter(|request| request.path == path && request.step == step) {
                sending.push(request.body.clone()).await?;
            }
            sent_bytes += sending.finish().await?;
        }
    }
    let last = requests.last().map_or(0, |request| request.step + 1);
    println!("scenario {}: {count} requests, {sent_bytes} bytes, {last} steps", args.scenario);
    Ok(())
}

fn now_ns() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64)
}

fn plan(number: u32, seed: u64) -> anyhow::Result<Plan> {
    if number == 0 {
        return benign(seed).into_iter().next().map(|(_, plan)| plan).context("no quiet run");
    }
    let mut all = shop(seed).into_iter();
    let found = all.find(|scenario| scenario.number == number);
    Ok(found.with_context(|| format!("no scenario {number}; there are 1 to 25"))?.plan)
}
