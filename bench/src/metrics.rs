//! Workload M through a real collector and its peers: the same bytes, in turns, in one run.

mod bodies;
pub(crate) mod bomb;
pub(crate) mod peers;
mod queries;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::process::Usage;
use bodies::Bodies;
use peers::{Kind, Peer};
use queries::QueryFigure;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many series; several sizes are measured one after the other.
    #[arg(long, value_delimiter = ',', default_value = "20000,100000")]
    series: Vec<usize>,
    /// How many scrapes, 15 s apart; one number for all sizes, or one for each.
    #[arg(long, value_delimiter = ',', default_value = "480")]
    scrapes: Vec<usize>,
    /// Samples per request.
    #[arg(long, default_value_t = 10_000)]
    request: usize,
    /// What is measured, each on its own.
    #[arg(long, value_delimiter = ',', default_value = "narrows,victoria-metrics,prometheus")]
    peers: Vec<Kind>,
    /// Requests under way at once; each sender has its own targets, as a real one has.
    #[arg(long, default_value_t = 2)]
    senders: usize,
    /// Runs of each query at least; the median is printed.
    #[arg(long, default_value_t = 9)]
    runs: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where requests are kept for the next run; the temporary directory if nothing is said.
    #[arg(long)]
    cache: Option<PathBuf>,
    /// Do not stop the programs after the queries for so many seconds, for a profiler.
    #[arg(long, default_value_t = 0)]
    stay_s: u64,
    /// Fail if a ratio to VictoriaMetrics misses its bound.
    #[arg(long)]
    bounds: bool,
}

/// Scrapes that one server gets before it is the next one's turn.
const TURN: usize = 20;

/// What one server took.
pub(super) struct Measured {
    kind: Kind,
    /// CPU per million samples until the last answer, and until everything is merged.
    ingest_cpu: f64,
    merged_cpu: f64,
    accepted_per_s: f64,
    bytes_per_sample: f64,
    peak_mib: f64,
    query_peak_mib: f64,
    queries: Vec<QueryFigure>,
}

pub(crate) async fn run(bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let mut missed = Vec::new();
    for (place, series) in args.series.iter().enumerate() {
        let scrapes = args.scrapes.get(place).or(args.scrapes.last()).copied().unwrap_or(480);
        let measured = measure(bin_dir, &args, *series, scrapes).await?;
        missed.extend(print(&measured, *series, scrapes));
    }
    ensure!(!args.bounds || missed.is_empty(), "over the bound: {}", missed.join(", "));
    Ok(())
}

async fn measure(
    bin_dir: &Path,
    args: &Args,
    series: usize,
    scrapes: usize,
) -> anyhow::Result<Vec<Measured>> {
    let cache = args.cache.clone().unwrap_or_else(std::env::temp_dir);
    let bodies = Arc::new(Bodies::open(&cache, args.seed, series, scrapes, args.request)?);
    let dir = tempfile::tempdir()?;
    let mut peers = Vec::new();
    for kind in &args.peers {
        peers.push(Peer::start(*kind, bin_dir, dir.path()).await?);
    }
    let before: Vec<Usage> = peers.iter().map(|peer| peer.process().usage()).collect::<Result<_, _>>()?;
    let mut walls = vec![Duration::ZERO; peers.len()];
    for from in (0..scrapes).step_by(TURN) {
        for (peer, wall) in peers.iter().zip(&mut walls) {
            *wall += peer.ingest(&bodies, from..scrapes.min(from + TURN), args.senders).await?;
        }
        eprint!("\r{} of {scrapes} scrapes of {series} series", scrapes.min(from + TURN));
    }
    eprintln!();
    let samples = bodies.samples as f64;
    let mut measured = Vec::new();
    for ((peer, before), wall) in peers.iter().zip(&before).zip(&walls) {
        let ingested = peer.process().usage()?;
        let disk = peer.settle().await.with_context(|| format!("{:?} does not settle", peer.kind))?;
        let merged = peer.process().usage()?;
        peer.process().reset_peak();
        measured.push(Measured {
            kind: peer.kind,
            ingest_cpu: (ingested.cpu_s - before.cpu_s) / samples * 1e6,
            merged_cpu: (merged.cpu_s - before.cpu_s) / samples * 1e6,
            accepted_per_s: samples / wall.as_secs_f64(),
            bytes_per_sample: disk as f64 / samples,
            peak_mib: merged.peak_mib,
            query_peak_mib: 0.0,
            queries: Vec::new(),
        });
    }
    let all = queries::run(&peers, args.runs, bodies.end_s()).await?;
    for ((measured, peer), queries) in measured.iter_mut().zip(&peers).zip(all) {
        measured.queries = queries;
        measured.query_peak_mib = peer.process().usage()?.peak_mib;
    }
    if args.stay_s > 0 {
        peers
            .iter()
            .for_each(|peer| eprintln!("{:?}: {} (process {})", peer.kind, peer.base, peer.process().id()));
        tokio::time::sleep(Duration::from_secs(args.stay_s)).await;
    }
    Ok(measured)
}

/// A row: the figures in the order of the servers, digits after the point, and the bound of the ratio to VictoriaMetrics.
struct Row {
    name: String,
    shown: Vec<String>,
    values: Vec<f64>,
    bound: Option<f64>,
}

/// Prints all figures; answers what missed its bound.
fn print(measured: &[Measured], series: usize, scrapes: usize) -> Vec<String> {
    let row = |name: &str, digits: usize, bound: Option<f64>, of: fn(&Measured) -> f64| {
        let values: Vec<f64> = measured.iter().map(of).collect();
        let shown = values.iter().map(|value| format!("{value:.digits$}")).collect();
        Row { name: name.to_owned(), shown, values, bound }
    };
    let mut rows = vec![
        row("CPU-s per 1M samples, ingest", 3, None, |m| m.ingest_cpu),
        row("CPU-s per 1M samples, after merge", 3, Some(1.0), |m| m.merged_cpu),
        row("samples/s accepted", 0, None, |m| m.accepted_per_s),
        row("bytes per sample", 3, Some(0.8), |m| m.bytes_per_sample),
        row("peak memory, ingest and merge, MiB", 0, Some(1.0), |m| m.peak_mib),
        row("peak memory, queries, MiB", 0, Some(1.0), |m| m.query_peak_mib),
    ];
    for (place, name) in queries::names().enumerate() {
        let of = |m: &Measured| m.queries.get(place).map_or((f64::NAN, f64::NAN), |q| (q.p50_ms, q.cpu_ms));
        let both: Vec<(f64, f64)> = measured.iter().map(of).collect();
        let shown = both.iter().map(|(ms, cpu)| format!("{ms:.1} ({cpu:.1})")).collect();
        // Times have company on a shared machine; CPU does not.
        let values = both.iter().map(|(_, cpu)| *cpu).collect();
        rows.push(Row { name: format!("{name}, ms p50 (CPU ms)"), shown, values, bound: Some(1.0) });
    }
    let names: Vec<String> = measured.iter().map(|m| format!("{:?}", m.kind)).collect();
    println!("\nworkload M: {series} series, {scrapes} scrapes\n");
    println!("| figure | {} | ours / VictoriaMetrics | bound |", names.join(" | "));
    println!("|---|{}---|---|", "---|".repeat(names.len()));
    let place = |kind: Kind| measured.iter().position(|m| m.kind == kind);
    let both = place(Kind::Narrows).zip(place(Kind::VictoriaMetrics));
    let mut missed = Vec::new();
    for Row { name, shown, values, bound } in rows {
        let ratio = both.map(|(ours, theirs)| values[ours] / values[theirs]);
        if ratio.zip(bound).is_some_and(|(ratio, bound)| ratio > bound) {
            missed.push(format!("{name} ({series} series)"));
        }
        let text = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
        println!("| {name} | {} | {} | {} |", shown.join(" | "), text(ratio), text(bound));
    }
    queries::print_answers(measured);
    missed
}
