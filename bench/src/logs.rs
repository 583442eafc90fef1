//! Workload L through a real collector: ingest, barrier, then the six queries.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use serde_json::Value as Json;

use crate::api::Collector;
use crate::process::dir_bytes;
use crate::workload_l::WorkloadL;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many records.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Records per request.
    #[arg(long, default_value_t = 2_000)]
    request: u64,
    /// Requests under way at once.
    #[arg(long, default_value_t = 2)]
    clients: usize,
    /// Runs of each query; the median is printed.
    #[arg(long, default_value_t = 9)]
    runs: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// VictoriaLogs v1.26 on 5 M records of the same workload: p50 ms and CPU ms (docs/bench.md).
const PEER: [(f64, f64); 6] =
    [(445.0, 757.0), (8.8, 15.0), (24.0, 36.0), (224.0, 433.0), (58.0, 112.0), (460.0, 799.0)];

pub(crate) async fn run(bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let collector = Collector::start(bin_dir, dir.path()).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let before = collector.process.usage()?;
    let started = Instant::now();
    let (sent_bytes, first_trace) = ingest(&collector, &args, now).await?;
    let wall = started.elapsed();
    let ingested = collector.process.usage()?;
    collector.barrier().await?;
    let merged = collector.process.usage()?;
    let millions = args.records as f64 / 1e6;
    let status = collector.get("/api/v1/narrows/status", &[]).await?;
    let listed = status["logs"]["bytes_on_disk"].as_f64().context("bytes_on_disk")?;
    let disk = dir_bytes(&collector.data) as f64;
    println!(
        "workload L: {} records, {:.0} B each as OTLP",
        args.records,
        sent_bytes as f64 / args.records as f64
    );
    println!("| figure | ours | VictoriaLogs v1.26 |\n|---|---|---|");
    println!("| CPU-s per 1M, ingest | {:.2} | 10.8 |", (ingested.cpu_s - before.cpu_s) / millions);
    println!("| CPU-s per 1M, after merge | {:.2} | 13.3 |", (merged.cpu_s - before.cpu_s) / millions);
    println!("| records/s accepted | {:.0} | 167,000 |", args.records as f64 / wall.as_secs_f64());
    println!("| bytes per record | {:.1} | 48.4 |", listed / args.records as f64);
    println!(
        "| the same with merged files that wait for their deletion | {:.1} | – |",
        disk / args.records as f64
    );
    println!("| peak memory, ingest and merge, MiB | {:.0} | 418 |", merged.peak_mib);
    collector.process.reset_peak();
    queries(&collector, &args, now, &first_trace).await?;
    let after = collector.process.usage()?;
    println!("| peak memory, queries, MiB | {:.0} | 466 |", after.peak_mib);
    tokio::time::sleep(Duration::from_secs(15)).await;
    println!("| memory at rest, MiB | {:.0} | – |", collector.process.usage()?.resident_mib);
    Ok(())
}

/// Sends everything; returns the bytes sent and a trace id in the middle of the data.
async fn ingest(collector: &Collector, args: &Args, now: u64) -> anyhow::Result<(u64, String)> {
    let client = reqwest::Client::new();
    let url = collector.http("/v1/logs");
    let mut workload = WorkloadL::new(args.seed, args.records, now);
    let (mut sent_bytes, mut trace) = (0, String::new());
    let mut under_way = tokio::task::JoinSet::new();
    let mut made = 0;
    while let Some((body, count)) = workload.next_request(args.request) {
        sent_bytes += body.len() as u64;
        made += count;
        if trace.is_empty() && made * 2 >= args.records {
            trace = workload.trace_hex();
        }
        if under_way.len() >= args.clients {
            under_way.join_next().await.context("a request was under way")???;
        }
        under_way.spawn(send(client.clone(), url.clone(), body));
    }
    while let Some(done) = under_way.join_next().await {
        done??;
    }
    Ok((sent_bytes, trace))
}

async fn send(client: reqwest::Client, url: String, body: Vec<u8>) -> anyhow::Result<()> {
    loop {
        let request = client.post(&url).header("content-type", "application/x-protobuf").body(body.clone());
        let answer = request.send().await?;
        match answer.status().as_u16() {
            200 => return Ok(()),
            // Pushed back: the collector says when to come again.
            429 | 503 => tokio::time::sleep(Duration::from_millis(200)).await,
            status => anyhow::bail!("{status}: {}", answer.text().await?),
        }
    }
}

async fn queries(collector: &Collector, args: &Args, now: u64, trace: &str) -> anyhow::Result<()> {
    let end = format!("{}.0", now / 1_000_000_000 + 2);
    let start = format!("{}.0", now / 1_000_000_000 - 2 * 3600 - 2);
    let by_trace = format!("trace_id:{trace}");
    let queries = [
        ("a phrase \"connection refused\", count", "\"connection refused\" | stats count()", "1"),
        ("b one trace id", by_trace.as_str(), "100"),
        ("c last 100 errors of one service", "service:service-03 severity>=error", "100"),
        ("d count by level per minute", "* | stats count() by (severity, bin(1m))", "1"),
        ("e top 10 services, status ≥ 500", "http.status_code>=500 | top 10 service", "1"),
        ("f word in 10 %, count", "cache | stats count()", "1"),
    ];
    println!("| query | ms p50 (CPU ms) | peer on 5 M | matched |\n|---|---|---|---|");
    for ((name, query, limit), (peer_ms, peer_cpu)) in queries.into_iter().zip(PEER) {
        let parameters = [("query", query), ("start", &start), ("end", &end), ("limit", limit)];
        let mut walls = Vec::with_capacity(args.runs);
        let cpu_before = collector.process.usage()?.cpu_s;
        let mut answer = Json::Null;
        for _ in 0..args.runs {
            let started = Instant::now();
            answer = collector.get("/api/v1/narrows/logs/search", &parameters).await?;
            walls.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let cpu_ms = (collector.process.usage()?.cpu_s - cpu_before) * 1e3 / args.runs as f64;
        ensure!(answer["partial"] == false, "{name}: a partial answer");
        let matched = answer["matched"].as_u64().context("matched")?;
        ensure!(matched > 0, "{name}: nothing matched");
        walls.sort_by(f64::total_cmp);
        let p50 = walls[walls.len() / 2];
        println!("| {name} | {p50:.1} ({cpu_ms:.0}) | {peer_ms} ({peer_cpu:.0}) | {matched} |");
    }
    Ok(())
}
