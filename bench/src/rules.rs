//! Rules over the samples of workload R, here and in Prometheus: both take the same requests all the time, and the rules
//! are in force in one after the other. What a server takes while they are in the other one is its baseline; the
//! difference is the evaluation. At the end both evaluate them, the samples stop, and what was recorded is compared.

mod agree;
mod feed;
mod mix;
mod server;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::metrics::peers::Kind;
use crate::workload_m::STEP_MS;
use crate::workload_r::workload;
use feed::{Progress, feed};
use mix::{Mix, mix};
use server::{Server, Told};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long, default_value_t = 200_000)]
    series: usize,
    /// Rules, in groups of 20.
    #[arg(long, default_value_t = 2_000)]
    rules: usize,
    #[arg(long, default_value_t = 30)]
    interval_s: u64,
    /// How often it is each server's turn.
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Evaluations of all rules that are measured in a turn.
    #[arg(long, default_value_t = 4)]
    evaluations: u64,
    /// Minutes of samples that are there before.
    #[arg(long, default_value_t = 10)]
    history_min: i64,
    /// What is measured.
    #[arg(long, value_delimiter = ',', default_value = "narrows,prometheus")]
    peers: Vec<Kind>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave out the comparison of answers.
    #[arg(long)]
    no_check: bool,
    /// Fail if evaluation takes more CPU than in Prometheus, or answers differ.
    #[arg(long)]
    bounds: bool,
}

/// What one server took in the turns.
#[derive(Default)]
struct Turns {
    /// CPU-seconds per second, with the rules and without.
    with: Vec<f64>,
    without: Vec<f64>,
    told: Told,
    peak_mib: f64,
}

pub(crate) async fn run(bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut servers = Vec::new();
    for kind in &args.peers {
        servers.push(Server::start(*kind, bin_dir, dir.path(), args.interval_s).await?);
    }
    let start_ms = (now_ms() - args.history_min * 60_000) / 1000 * 1000;
    let urls: Vec<String> = servers.iter().map(Server::write_url).collect();
    let (progress, mut seen) = watch::channel(vec![Progress::default(); urls.len()]);
    let (stop, stopped) = watch::channel(None);
    let workload = workload(args.seed, args.series, start_ms);
    let feeding = tokio::spawn(feed(workload, urls, progress, stopped));
    let measured = async {
        seen.wait_for(|progress| progress.iter().all(|server| server.is_live)).await?;
        eprintln!("{} samples of history are there", seen.borrow()[0].samples);
        tokio::time::sleep(Duration::from_millis(2 * STEP_MS as u64)).await;
        let mix = mix(args.rules, args.interval_s);
        let turns = turns(&servers, &mix, &args, &seen).await?;
        let agreed = if args.no_check { None } else { Some(agree(&servers, &mix, &args, &stop).await?) };
        anyhow::Ok((turns, agreed, mix))
    };
    let (turns, agreed, mix) = tokio::select! {
        measured = measured => measured?,
        failed = failure(feeding) => return Err(failed.context("cannot send samples")),
    };
    let late_ms: Vec<i64> = seen.borrow().iter().map(|server| server.latest_ms).collect();
    print(&servers, &turns, &mix, &args, &late_ms);
    let differences = agreed.map_or(0, |agreed| {
        println!("\n{}", agreed.text);
        agreed.differences
    });
    ensure!(!args.bounds || differences == 0, "the answers differ");
    ensure!(
        !args.bounds || ratio(&servers, &turns).is_none_or(|ratio| ratio <= 1.0),
        "over the bound: CPU of evaluation"
    );
    Ok(())
}

/// Why the feed has failed; never anything if it ends as it should.
async fn failure(feeding: JoinHandle<anyhow::Result<()>>) -> anyhow::Error {
    match feeding.await {
        Ok(Ok(())) => std::future::pending().await,
        Ok(Err(error)) => error,
        Err(error) => error.into(),
    }
}

/// In turns, the rules in force in one server; the others show what they take without.
async fn turns(
    servers: &[Server],
    mix: &Mix,
    args: &Args,
    seen: &watch::Receiver<Vec<Progress>>,
) -> anyhow::Result<Vec<Turns>> {
    let mut turns: Vec<Turns> = servers.iter().map(|_| Turns::default()).collect();
    for round in 0..args.rounds {
        for on in 0..servers.len() {
            servers[on].set_rules(Some(&mix.yaml)).await?;
            // Files are looked at, all groups come once, and what waits for a minute has waited.
            tokio::time::sleep(Duration::from_secs(60 + args.interval_s)).await;
            let samples = || -> Vec<u64> { seen.borrow().iter().map(|server| server.samples).collect() };
            let before = samples();
            measure(servers, on, args, &mut turns).await?;
            let came: Vec<u64> = samples().iter().zip(before).map(|(after, before)| after - before).collect();
            eprintln!("round {round}, {:?}: {came:?} samples came meanwhile", servers[on].peer.kind);
            servers[on].set_rules(None).await?;
        }
    }
    Ok(turns)
}

/// One turn.
async fn measure(servers: &[Server], on: usize, args: &Args, turns: &mut [Turns]) -> anyhow::Result<()> {
    let peer = &servers[on].peer;
    let before: Vec<_> =
        servers.iter().map(|server| server.peer.process().usage()).collect::<Result<_, _>>()?;
    let told_before = servers[on].told().await?;
    peer.process().reset_peak();
    let begun = std::time::Instant::now();
    for _ in 0..args.evaluations {
        tokio::time::sleep(Duration::from_secs(args.interval_s)).await;
        let told = servers[on].told().await?;
        turns[on].told.seen(&told);
    }
    let took_s = begun.elapsed().as_secs_f64();
    for (at, (server, before)) in servers.iter().zip(&before).enumerate() {
        let usage = server.peer.process().usage()?;
        let rate = (usage.cpu_s - before.cpu_s) / took_s;
        if at == on {
            turns[at].with.push(rate);
            turns[at].peak_mib = turns[at].peak_mib.max(usage.peak_mib);
        } else {
            turns[at].without.push(rate);
        }
    }
    let told = servers[on].told().await?;
    turns[on].told.counted(&told_before, &told);
    if servers.len() == 1 {
        // Nobody else's turn shows the baseline.
        servers[on].set_rules(None).await?;
        tokio::time::sleep(Duration::from_secs(args.interval_s)).await;
        let (before, begun) = (peer.process().usage()?, std::time::Instant::now());
        tokio::time::sleep(Duration::from_secs(args.interval_s * args.evaluations)).await;
        let cpu_s = peer.process().usage()?.cpu_s - before.cpu_s;
        turns[on].without.push(cpu_s / begun.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Both evaluate, then the samples stop, and what was recorded after that is compared.
async fn agree(
    servers: &[Server],
    mix: &Mix,
    args: &Args,
    stop: &watch::Sender<Option<i64>>,
) -> anyhow::Result<agree::Agreement> {
    for server in servers {
        server.set_rules(Some(&mix.yaml)).await?;
    }
    tokio::time::sleep(Duration::from_secs(90 + args.interval_s)).await;
    // The receiver goes only with the feed.
    let _ = stop.send(Some(now_ms() + 1000));
    tokio::time::sleep(Duration::from_millis(STEP_MS as u64)).await;
    let quiet_from_ms = now_ms();
    tokio::time::sleep(Duration::from_secs(args.interval_s + args.interval_s / 2)).await;
    agree::compare(servers, mix, quiet_from_ms).await
}

impl Turns {
    /// CPU-seconds of the evaluations of `interval_s` seconds.
    fn evaluation_s(&self, interval_s: u64) -> f64 {
        (mean(&self.with) - mean(&self.without)) * interval_s as f64
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn ratio(servers: &[Server], turns: &[Turns]) -> Option<f64> {
    let of = |kind: Kind| servers.iter().position(|server| server.peer.kind == kind).map(|at| &turns[at]);
    let (ours, theirs) = (of(Kind::Narrows)?, of(Kind::Prometheus)?);
    Some(ours.evaluation_s(1) / theirs.evaluation_s(1))
}

fn print(servers: &[Server], turns: &[Turns], mix: &Mix, args: &Args, late_ms: &[i64]) {
    let names: Vec<String> = servers.iter().map(|server| format!("{:?}", server.peer.kind)).collect();
    println!(
        "\n{} rules in {} groups each {} s over {} series, {} rounds of {} evaluations\n",
        mix.rules, mix.groups, args.interval_s, args.series, args.rounds, args.evaluations
    );
    println!("| figure | {} | ratio |\n|---|{}---|", names.join(" | "), "---|".repeat(names.len()));
    let interval_s = args.interval_s as f64;
    let row = |name: &str, digits: usize, of: &dyn Fn(&Turns) -> f64| {
        let values: Vec<f64> = turns.iter().map(of).collect();
        let shown: Vec<String> = values.iter().map(|value| format!("{value:.digits$}")).collect();
        let ratio = match values[..] {
            [ours, theirs] if theirs > 0.0 => format!("{:.2}", ours / theirs),
            _ => "–".to_owned(),
        };
        println!("| {name} | {} | {ratio} |", shown.join(" | "));
    };
    row("CPU-s per evaluation of all rules", 3, &|turns| turns.evaluation_s(args.interval_s));
    row("the same of the first round", 3, &|turns| (turns.with[0] - turns.without[0]) * interval_s);
    row("the same of the last round", 3, &|turns| {
        let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
        (last(&turns.with) - last(&turns.without)) * interval_s
    });
    row("CPU-s per interval without rules", 3, &|turns| mean(&turns.without) * interval_s);
    row("a group's evaluation, ms p50", 2, &|turns| turns.told.duration_ms(0.5));
    row("a group's evaluation, ms p99", 2, &|turns| turns.told.duration_ms(0.99));
    row("a group's evaluation, ms max", 2, &|turns| turns.told.duration_ms(1.0));
    row("oldest evaluation of a group, s", 1, &|turns| turns.told.age_s);
    row("evaluations of groups", 0, &|turns| turns.told.iterations);
    row("evaluations left out", 0, &|turns| turns.told.missed);
    row("rules that failed", 0, &|turns| turns.told.failed);
    row("peak memory with rules, MiB", 0, &|turns| turns.peak_mib);
    println!("\nsamples were stored {late_ms:?} ms after their time at the latest");
}

/// Unix milliseconds.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
