//! The same through a collector: what `cost` hands to the analysis lies in its stores, as the derived series, what is
//! measured, spans and log records of an hour. Measured is the whole process: a look of the watch that finds nothing,
//! and a verdict with all that is read for it.

mod bodies;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use bottleneck::{Observation, Verdict};
use serde_json::json;

use super::{CULPRIT, EDGES, ONSET, RUNS, SERVICES, STEPS, name, observation};
use crate::accuracy::{Input, SetResult};
use crate::api::Collector;
use crate::process::Usage;
use crate::send::Sending;
use crate::simulator::STEP_S;
use crate::simulator::random::Random;

/// The incident is over for ten minutes, so that the watch finds nothing.
const CALM_STEPS: usize = 60;
const ALL_STEPS: usize = STEPS + CALM_STEPS;
/// Looks that are measured, behind a first one that opens files.
const LOOKS: f64 = 4.0;
/// The least that is allowed.
const INTERVAL: &str = "5s";
/// Until so many looks were taken.
const LIMIT: Duration = Duration::from_secs(300);
/// How long nothing is done, to know what that costs.
const IDLE: Duration = Duration::from_secs(5);
const TENANT: &str = "default";
const TOKEN: &str = "cost-of-a-verdict";

/// What something took.
struct Took {
    cpu_ms: f64,
    wall_ms: f64,
    /// The peak above what was resident before.
    mib: f64,
}

/// A process before something is done.
struct Before {
    usage: Usage,
    begun: Instant,
}

pub(in crate::accuracy) fn run(input: &Input<'_>) -> anyhow::Result<SetResult> {
    input.runtime.block_on(measure(input))
}

async fn measure(input: &Input<'_>) -> anyhow::Result<SetResult> {
    let dir = tempfile::tempdir()?;
    let config = dir.path().join("collector.yml");
    let configure = |is_watching: bool| std::fs::write(&config, configuration(is_watching));
    configure(false)?;
    let mut collector = Collector::start_with(input.bin_dir, dir.path(), Some(&config)).await?;
    let start_s = now_s()? / i64::from(STEP_S) * i64::from(STEP_S) - ALL_STEPS as i64 * i64::from(STEP_S);
    fill(&collector, &observation(&mut Random::new(1)), start_s).await?;
    collector.barrier().await?;

    configure(true)?;
    again(&mut collector).await?;
    let look = looks(&collector).await?;
    configure(false)?;
    again(&mut collector).await?;
    let idle = idle(&collector).await?;
    let (mut asked, mut right, mut missing) = (Vec::new(), 0, Vec::new());
    let analyzed_before = seconds(&collector.text("/metrics").await?, "analyze", "sum");
    for _ in 0..RUNS {
        let (took, verdict) = ask(&collector, start_s, idle).await?;
        right += usize::from(verdict.culprit.is_some_and(|found| found.entity.service == name(CULPRIT)));
        missing = verdict.data_quality.missing;
        asked.push(took);
    }
    let analyzed = seconds(&collector.text("/metrics").await?, "analyze", "sum") - analyzed_before;
    let first = asked.remove(0);
    println!(
        "  the first verdict after a start: CPU {:.0} ms, {:.0} ms, {:.0} MiB; an idle second: CPU {idle:.0} ms",
        first.cpu_ms, first.wall_ms, first.mib
    );
    println!("  what a verdict says that it lacks: {}", missing.join("; "));
    let median = |of: fn(&Took) -> f64| {
        let mut all: Vec<f64> = asked.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let figures = vec![
        ("look CPU ms", look.cpu_ms),
        ("look ms", look.wall_ms),
        ("look MiB", look.mib),
        ("verdict CPU ms", median(|took| took.cpu_ms)),
        ("verdict ms", median(|took| took.wall_ms)),
        ("of that analysis ms", analyzed * 1e3 / RUNS as f64),
        ("verdict MiB", asked.iter().map(|took| took.mib).fold(0.0, f64::max)),
        ("right", right as f64 / RUNS as f64),
    ];
    Ok(SetResult { name: "cost-stored", cases: RUNS, figures, chance: f64::NAN, empty: 0.0, told: vec![] })
}

/// Nothing of its own, and no rule, so that only verdicts cost something.
fn configuration(is_watching: bool) -> String {
    format!(
        "own_metrics: false\nshipped_rules: false\ntenants:\n  - name: {TENANT}\n    ingest_token: {TOKEN}\n\
         verdicts:\n  enabled: {is_watching}\n  interval: {INTERVAL}\n"
    )
}

async fn again(collector: &mut Collector) -> anyhow::Result<()> {
    collector.process.kill()?;
    collector.restart()?;
    collector.ready(Duration::from_secs(60)).await
}

async fn fill(collector: &Collector, observation: &Observation, start_s: i64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let token = || Some(TOKEN.to_owned());
    let all = bodies::series(observation);
    let mut sending = Sending::remote_write(collector.http("/api/v1/write"), 2, token());
    for some in all.chunks(bodies::SERIES_OF_ONE) {
        sending.push(bodies::of_series(some, start_s)?).await?;
    }
    sending.finish().await?;
    let mut sending = Sending::with_token(collector.http("/v1/traces"), 2, token());
    for body in bodies::spans(observation, start_s) {
        sending.push(body).await?;
    }
    sending.finish().await?;
    let mut sending = Sending::with_token(collector.http("/v1/logs"), 2, token());
    let mut random = Random::new(2);
    for step in 0..ALL_STEPS {
        sending.push(bodies::lines(observation, &mut random, start_s, step)).await?;
    }
    sending.finish().await?;
    let samples = all.len() * ALL_STEPS;
    println!(
        "  {SERVICES} services, {EDGES} edges, {ALL_STEPS} steps: {} series, {samples} samples, {} spans, {} records, sent in {:.0} s",
        all.len(),
        observation.traces.iter().map(|trace| trace.spans.len()).sum::<usize>(),
        bodies::LINES * ALL_STEPS,
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// CPU ms in a second in which nobody asks anything.
async fn idle(collector: &Collector) -> anyhow::Result<f64> {
    tokio::time::sleep(IDLE).await;
    let before = Before::now(collector)?;
    tokio::time::sleep(IDLE).await;
    Ok(before.took(collector, 0.0)?.cpu_ms / IDLE.as_secs_f64())
}

/// One of some looks of the watch.
async fn looks(collector: &Collector) -> anyhow::Result<Took> {
    let wait = async |count: f64| -> anyhow::Result<String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let text = collector.text("/metrics").await?;
            if seconds(&text, "detect", "count") >= count {
                return Ok(text);
            }
            ensure!(Instant::now() < deadline, "the watch does not look");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let first = wait(1.0).await?;
    // What the first look took is given back by then, and the next has not begun.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = Before::now(collector)?;
    let last = wait(1.0 + LOOKS).await?;
    let took = before.took(collector, 0.0)?;
    ensure!(!last.contains("narrows_verdicts_total"), "the watch finds something");
    let looked = seconds(&last, "detect", "sum") - seconds(&first, "detect", "sum");
    Ok(Took { cpu_ms: took.cpu_ms / LOOKS, wall_ms: looked * 1e3 / LOOKS, mib: took.mib })
}

/// A verdict on the incident, and what it took.
async fn ask(collector: &Collector, start_s: i64, idle: f64) -> anyhow::Result<(Took, Verdict)> {
    let at_s = |step: usize| start_s + step as i64 * i64::from(STEP_S);
    let question = json!({
        "service": name(0), "operation": "GET /0", "from": at_s(ONSET), "to": at_s(STEPS),
        "baseline": {"from": at_s(0), "to": at_s(ONSET)},
    });
    // The allocator gives back within a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = Before::now(collector)?;
    let answer = collector.post_of(TENANT, "/api/v1/narrows/bottlenecks/analyze", &question).await?;
    let took = before.took(collector, idle)?;
    Ok((took, serde_json::from_value(answer).context("the answer is no verdict")?))
}

impl Before {
    fn now(collector: &Collector) -> anyhow::Result<Self> {
        collector.process.reset_peak();
        Ok(Self { usage: collector.process.usage()?, begun: Instant::now() })
    }

    /// What was done since, without what `idle` ms of CPU per second are.
    fn took(&self, collector: &Collector, idle: f64) -> anyhow::Result<Took> {
        let (usage, wall_s) = (collector.process.usage()?, self.begun.elapsed().as_secs_f64());
        Ok(Took {
            cpu_ms: (usage.cpu_s - self.usage.cpu_s) * 1e3 - idle * wall_s,
            wall_ms: wall_s * 1e3,
            mib: usage.peak_mib - self.usage.resident_mib,
        })
    }
}

/// What the collector says of how long something took in all, or how often.
fn seconds(metrics: &str, what: &str, part: &str) -> f64 {
    let head = format!("narrows_verdict_seconds_{part}{{what=\"{what}\"}} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&head));
    value.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

fn now_s() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?)
}
