//! Workload T through a real collector: ingest, barrier, then a trace by id and a search.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use serde_json::Value as Json;

use crate::api::Collector;
use crate::figures::{Figure, over, print};
use crate::process::dir_bytes;
use crate::send::Sending;
use crate::workload_t::WorkloadT;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many traces, of 12.5 spans on average.
    #[arg(long, default_value_t = 150_000)]
    traces: u64,
    /// Traces per request.
    #[arg(long, default_value_t = 100)]
    request: u64,
    /// Requests under way at once.
    #[arg(long, default_value_t = 2)]
    clients: usize,
    /// Spans per second at most; 0 is as fast as they are taken.
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Runs of each query at least; the median is printed.
    #[arg(long, default_value_t = 15)]
    runs: usize,
    #[arg(long, default_value_t = 30)]
    services: usize,
    /// Instead of an hour's traces: so many seconds of traces as they happen, at `rate`, a tenth of the spans up to
    /// ten minutes late.
    #[arg(long, default_value_t = 0, requires = "rate")]
    live_s: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fail if a figure misses its bound.
    #[arg(long)]
    bounds: bool,
}

/// What the queries ask for.
struct Asked {
    trace: String,
    start: String,
    end: String,
}

pub(crate) async fn run(bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let collector = Collector::start(bin_dir, dir.path()).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let before = collector.process.usage()?;
    let started = Instant::now();
    let (sent_bytes, spans, asked) = if args.live_s > 0 {
        live(&collector, &args, now).await?
    } else {
        ingest(&collector, &args, now).await?
    };
    let wall = started.elapsed();
    let ingested = collector.process.usage()?;
    collector.barrier().await?;
    let merged = collector.process.usage()?;
    let status = collector.get("/api/v1/narrows/status", &[]).await?;
    let listed = status["traces"]["bytes_on_disk"].as_f64().context("bytes_on_disk")?;
    ensure!(status["traces"]["spans"].as_u64() == Some(spans), "{} spans of {spans}", status["traces"]);
    let disk = dir_bytes(&collector.data) as f64;
    collector.process.reset_peak();
    let by_id = by_id(&collector, &args, &asked).await?;
    let search = search(&collector, &args, &asked).await?;
    let queried = collector.process.usage()?;
    let (count, millions) = (spans as f64, spans as f64 / 1e6);
    let figure = |name, ours, peer, bound| Figure { name, ours, peer, bound };
    let figures = [
        figure("CPU-s per 1M, ingest", (ingested.cpu_s - before.cpu_s) / millions, "–", None),
        figure("CPU-s per 1M, after merge", (merged.cpu_s - before.cpu_s) / millions, "42.5", Some(12.0)),
        figure("spans/s accepted", count / wall.as_secs_f64(), "52,000", None),
        figure("bytes per span", listed / count, "88.1", Some(50.0)),
        figure("all files per span, derived series too", disk / count, "–", None),
        figure("peak memory, ingest and merge, MiB", merged.peak_mib, "310", None),
        figure("peak memory, queries, MiB", queried.peak_mib, "–", None),
        figure("a trace by id, ms p50", by_id.p50_ms, "7.8", Some(3.0)),
        figure("the same, CPU ms", by_id.cpu_ms, "12", None),
        figure("search of 20, ms p50", search.p50_ms, "75", Some(30.0)),
        figure("the same, CPU ms", search.cpu_ms, "131", None),
    ];
    println!(
        "\nworkload T: {} services, {spans} spans, {:.0} B each as OTLP\n",
        args.services,
        sent_bytes as f64 / count
    );
    print(&figures, "VictoriaTraces v0.1");
    let missed: Vec<String> = over(&figures).collect();
    ensure!(!args.bounds || missed.is_empty(), "over their bound: {}", missed.join(", "));
    Ok(())
}

async fn ingest(collector: &Collector, args: &Args, now: u64) -> anyhow::Result<(u64, u64, Asked)> {
    let mut sending = Sending::new(collector.http("/v1/traces"), args.clients);
    let mut workload = WorkloadT::new(args.seed, args.services, args.traces, now);
    let (mut spans, mut made, mut trace) = (0, 0, String::new());
    let begun = Instant::now();
    while let Some((body, count)) = workload.next_request(args.request) {
        spans += count;
        made += args.request;
        if trace.is_empty() && made * 2 >= args.traces {
            trace = workload.trace_hex();
        }
        sending.push(body).await?;
        if args.rate > 0 {
            let due = Duration::from_secs_f64(spans as f64 / args.rate as f64);
            tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
        }
    }
    let second = |ns: u64| format!("{}.0", ns / 1_000_000_000);
    let start = second(now - WorkloadT::WINDOW_NS - 2_000_000_000);
    let asked = Asked { trace, start, end: second(now + 120_000_000_000) };
    Ok((sending.finish().await?, spans, asked))
}

async fn live(collector: &Collector, args: &Args, now: u64) -> anyhow::Result<(u64, u64, Asked)> {
    let mut sending = Sending::new(collector.http("/v1/traces"), args.clients);
    let mut workload = WorkloadT::new(args.seed, args.services, u64::MAX, now);
    let (mut spans, mut trace) = (0, String::new());
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(args.live_s) {
        let now_ns = now + begun.elapsed().as_nanos() as u64;
        let (body, count) = workload.live_request(args.request, now_ns);
        spans += count;
        trace = workload.trace_hex();
        sending.push(body).await?;
        let due = Duration::from_secs_f64(spans as f64 / args.rate as f64);
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
    }
    let second = |ns: u64| format!("{}.0", ns / 1_000_000_000);
    let end_ns = now + (args.live_s + 60) * 1_000_000_000;
    let asked = Asked { trace, start: second(now - 60_000_000_000), end: second(end_ns) };
    Ok((sending.finish().await?, spans, asked))
}

struct Taken {
    p50_ms: f64,
    cpu_ms: f64,
}

async fn by_id(collector: &Collector, args: &Args, asked: &Asked) -> anyhow::Result<Taken> {
    let path = format!("/api/v1/narrows/traces/{}", asked.trace);
    let (taken, answer) = repeat(collector, args.runs, &path, &[]).await?;
    let resources = answer["resourceSpans"].as_array().context("resourceSpans")?;
    ensure!(!resources.is_empty(), "the trace is empty");
    Ok(taken)
}

async fn search(collector: &Collector, args: &Args, asked: &Asked) -> anyhow::Result<Taken> {
    let query = "service:service-03 name:\"GET /orders\" duration>200ms";
    let parameters = [
        ("query", query),
        ("start", asked.start.as_str()),
        ("end", asked.end.as_str()),
        ("limit", "20"),
        ("order", "newest"),
    ];
    let (taken, answer) = repeat(collector, args.runs, "/api/v1/narrows/traces/search", &parameters).await?;
    let found = answer["traces"].as_array().context("traces")?.len();
    ensure!(found == 20 || args.traces < 20_000, "{found} traces of 20");
    Ok(taken)
}

/// CPU is told in ticks of 10 ms: a fast query runs until there are enough of them.
const LONG_ENOUGH: Duration = Duration::from_secs(2);
const MOST_RUNS: usize = 1000;

async fn repeat(
    collector: &Collector,
    runs: usize,
    path: &str,
    parameters: &[(&str, &str)],
) -> anyhow::Result<(Taken, Json)> {
    let (mut walls, mut answer) = (Vec::with_capacity(runs), Json::Null);
    let cpu_before = collector.process.usage()?.cpu_s;
    let begun = Instant::now();
    while walls.len() < runs || (begun.elapsed() < LONG_ENOUGH && walls.len() < MOST_RUNS) {
        let started = Instant::now();
        answer = collector.get(path, parameters).await?;
        walls.push(started.elapsed().as_secs_f64() * 1e3);
    }
    ensure!(answer["partial"] != true, "a partial answer");
    let cpu_ms = (collector.process.usage()?.cpu_s - cpu_before) * 1e3 / walls.len() as f64;
    walls.sort_by(f64::total_cmp);
    Ok((Taken { p50_ms: walls[walls.len() / 2], cpu_ms }, answer))
}
