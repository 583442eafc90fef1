//! Kills the real programs at random moments under load and counts what was lost and doubled.
//!
//! Load: one file of numbered lines with runs of identical lines, renamed now and then, and four OTLP
//! clients (two at the collector, two at the agent) that never resend, two that send spans, one at each; and four metric clients, OTLP over gRPC
//! and remote write, one of each at the collector and at the agent. Expected: every line exactly once, in
//! file order; every request that was answered 2xx exactly once; unanswered ones at most once; every sample with
//! its value, and sums of increases that are the sums of those that are there; of spans the derived counts, too.

mod clients;
mod samples;
mod verify;
mod verify_samples;
mod verify_spans;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinHandle;

use crate::api::Collector;
use clients::What;
use samples::Protocol;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often something is killed.
    #[arg(long, default_value_t = 40)]
    rounds: u64,
    /// Lines per second.
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// Seed of the kills; by default another one each time, printed.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) async fn run(bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let seed = args.seed.unwrap_or_else(rand::random);
    println!("seed {seed}");
    let dir = tempfile::tempdir()?;
    let mut collector = Collector::start(bin_dir, dir.path()).await?;
    let (mut agent, ports) = crate::agent::start(bin_dir, dir.path(), &collector.grpc())?;
    let stop = Arc::new(AtomicBool::new(false));

    let writer = tokio::spawn(writer::write_lines(dir.path().to_owned(), args.rate, stop.clone()));
    let agent_http = format!("http://127.0.0.1:{}/v1/logs", ports[1]);
    let targets = [collector.http("/v1/logs"), collector.http("/v1/logs"), agent_http.clone(), agent_http];
    let start = |what, client, url| tokio::spawn(clients::post_requests(what, client, url, stop.clone()));
    let clients: Vec<_> = (0..).zip(targets).map(|(client, url)| start(What::Records, client, url)).collect();
    let agent_traces = format!("http://127.0.0.1:{}/v1/traces", ports[1]);
    let span_clients: Vec<_> = (4..)
        .zip([collector.http("/v1/traces"), agent_traces])
        .map(|(client, url)| (client, start(What::Spans, client, url)))
        .collect();

    let metric_clients = start_metric_clients(&collector, ports, &stop);

    let started = Instant::now();
    let mut random = StdRng::seed_from_u64(seed);
    let mut kills = [0u64; 2];
    for _ in 0..args.rounds {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..3000))).await;
        let victims = random.random_range(1..=3u8);
        if victims & 1 != 0 {
            collector.process.kill()?;
            kills[0] += 1;
        }
        if victims & 2 != 0 {
            agent.kill()?;
            kills[1] += 1;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..300))).await;
        if victims & 1 != 0 {
            collector.restart()?;
        }
        if victims & 2 != 0 {
            agent = crate::agent::start_on(bin_dir, dir.path(), &collector.grpc(), ports)?;
        }
    }
    collector.ready(Duration::from_secs(60)).await?;
    stop.store(true, Ordering::Relaxed);
    let written = writer.await??;
    let mut requests = clients::Requests::default();
    for client in clients {
        requests.merge(client.await?);
    }
    let mut spans = Vec::new();
    for (client, requests) in span_clients {
        spans.push((client, requests.await?));
    }
    let sent = join(metric_clients).await?;
    println!(
        "{} kills of the collector, {} of the agent in {:.0} s; {} lines written, {} records acknowledged, {} unanswered",
        kills[0],
        kills[1],
        started.elapsed().as_secs_f64(),
        written.lines,
        requests.acknowledged.len(),
        requests.unanswered.len()
    );
    settle(&collector, written.lines, &requests).await?;
    collector.barrier().await?;
    let lines = verify::lines(&collector, &written).await?;
    let records = verify::records(&collector, &requests).await?;
    println!("| kind | expected | found | lost | doubled | out of order |\n|---|---|---|---|---|---|");
    println!("{lines}\n{records}");
    let of_samples = samples_of_all(&collector, &sent).await?;
    let of_spans = verify_spans::spans(&collector, &spans).await?;
    ensure!(
        lines.is_exact() && records.is_exact() && of_samples && of_spans,
        "the contract is broken: seed {seed}"
    );
    println!("nothing lost, nothing doubled");
    Ok(())
}

/// Waits until the agent has delivered everything, or nothing has come for 20 s.
async fn settle(collector: &Collector, lines: u64, requests: &clients::Requests) -> anyhow::Result<()> {
    let least = lines + requests.acknowledged.len() as u64;
    let (mut last, mut since) = (0, Instant::now());
    while since.elapsed() < Duration::from_secs(20) {
        let found = verify::count(collector, "*").await?;
        if found != last {
            (last, since) = (found, Instant::now());
        } else if found >= least && since.elapsed() > Duration::from_secs(2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

type MetricClient = JoinHandle<anyhow::Result<samples::Sent>>;

/// One at the collector and one at the agent, of each protocol.
fn start_metric_clients(
    collector: &Collector,
    [grpc, http, _status]: [u16; 3],
    stop: &Arc<AtomicBool>,
) -> Vec<MetricClient> {
    let clients = [
        ("otlp-collector", Protocol::Otlp, collector.grpc()),
        ("otlp-agent", Protocol::Otlp, format!("http://127.0.0.1:{grpc}")),
        ("write-collector", Protocol::RemoteWrite, collector.http("/api/v1/write")),
        ("write-agent", Protocol::RemoteWrite, format!("http://127.0.0.1:{http}/api/v1/write")),
    ];
    let clients = clients.map(|(name, protocol, address)| samples::Client { name, protocol, address });
    clients.map(|client| tokio::spawn(samples::send_requests(client, stop.clone()))).into()
}

/// What they sent, once they have stopped.
async fn join(clients: Vec<MetricClient>) -> anyhow::Result<Vec<samples::Sent>> {
    let mut sent = Vec::new();
    for client in clients {
        sent.push(client.await??);
    }
    Ok(sent)
}

/// Prints what became of every metric client's samples; answers whether all is as it must be.
async fn samples_of_all(collector: &Collector, sent: &[samples::Sent]) -> anyhow::Result<bool> {
    let mut exact = true;
    let mut table =
        String::from("| kind | sent | acknowledged | unanswered, there | lost | wrong | doubled |\n");
    table.push_str("|---|---|---|---|---|---|---|\n");
    for sent in sent {
        for finding in verify_samples::samples(collector, sent).await? {
            exact &= finding.is_exact();
            table.push_str(&format!("{finding}\n"));
        }
    }
    print!("{table}");
    Ok(exact)
}
