//! Workload L through a real collector: ingest, barrier, then the six queries; at one size or, for the
//! slope of the queries, at several.

mod queries;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};

use crate::api::Collector;
use crate::figures::{Figure, over, print};
use crate::process::dir_bytes;
use crate::send::Sending;
use crate::workload_l::WorkloadL;
use queries::QueryFigure;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many records; several sizes print how the queries' CPU grows.
    #[arg(long, value_delimiter = ',', default_value = "1000000")]
    records: Vec<u64>,
    /// Records per request.
    #[arg(long, default_value_t = 2_000)]
    request: u64,
    /// Requests under way at once.
    #[arg(long, default_value_t = 2)]
    clients: usize,
    /// Runs of each query at least; the median is printed.
    #[arg(long, default_value_t = 9)]
    runs: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fail if a figure of 5 M records or more misses its bound.
    #[arg(long)]
    bounds: bool,
}

pub(crate) async fn run(bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let mut sizes = Vec::new();
    let mut missed = Vec::new();
    for records in &args.records {
        let (figures, queries) = measure(bin_dir, &args, *records).await?;
        if *records >= 5_000_000 {
            missed.extend(over(&figures));
            missed.extend(queries.iter().filter(|query| query.is_over()).map(|query| query.name.to_owned()));
        }
        sizes.push((*records, queries));
    }
    if sizes.len() > 1 {
        queries::print_slope(&sizes);
    }
    ensure!(!args.bounds || missed.is_empty(), "over their bound: {}", missed.join(", "));
    Ok(())
}

async fn measure(
    bin_dir: &Path,
    args: &Args,
    records: u64,
) -> anyhow::Result<(Vec<Figure>, Vec<QueryFigure>)> {
    let dir = tempfile::tempdir()?;
    let collector = Collector::start(bin_dir, dir.path()).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let before = collector.process.usage()?;
    let started = Instant::now();
    let (sent_bytes, first_trace) = ingest(&collector, args, records, now).await?;
    let wall = started.elapsed();
    let ingested = collector.process.usage()?;
    collector.barrier().await?;
    let merged = collector.process.usage()?;
    let status = collector.get("/api/v1/narrows/status", &[]).await?;
    let listed = status["logs"]["bytes_on_disk"].as_f64().context("bytes_on_disk")?;
    let disk = dir_bytes(&collector.data) as f64;
    collector.process.reset_peak();
    let (count, millions) = (records as f64, records as f64 / 1e6);
    let queries = queries::run(&collector, args.runs, now, &first_trace).await?;
    let queried = collector.process.usage()?;
    tokio::time::sleep(Duration::from_secs(15)).await;
    let figure = |name, ours, peer, bound| Figure { name, ours, peer, bound };
    let figures = vec![
        figure("CPU-s per 1M, ingest", (ingested.cpu_s - before.cpu_s) / millions, "10.8", None),
        figure("CPU-s per 1M, after merge", (merged.cpu_s - before.cpu_s) / millions, "13.3", Some(6.0)),
        figure("records/s accepted", count / wall.as_secs_f64(), "167,000", None),
        figure("bytes per record", listed / count, "48.4", Some(30.0)),
        figure("the same with merged files that wait for their deletion", disk / count, "–", None),
        figure("peak memory, ingest and merge, MiB", merged.peak_mib, "418", Some(300.0)),
        figure("peak memory, queries, MiB", queried.peak_mib, "466", Some(300.0)),
        figure("memory at rest, MiB", collector.process.usage()?.resident_mib, "–", None),
    ];
    println!("\nworkload L: {records} records, {:.0} B each as OTLP\n", sent_bytes as f64 / count);
    print(&figures, "VictoriaLogs v1.26");
    queries::print(&queries);
    Ok((figures, queries))
}

/// Sends everything; returns the bytes sent and a trace id in the middle of the data.
async fn ingest(collector: &Collector, args: &Args, records: u64, now: u64) -> anyhow::Result<(u64, String)> {
    let mut sending = Sending::new(collector.http("/v1/logs"), args.clients);
    let mut workload = WorkloadL::new(args.seed, records, now);
    let (mut trace, mut made) = (String::new(), 0);
    while let Some((body, count)) = workload.next_request(args.request) {
        made += count;
        if trace.is_empty() && made * 2 >= records {
            trace = workload.trace_hex();
        }
        sending.push(body).await?;
    }
    Ok((sending.finish().await?, trace))
}
