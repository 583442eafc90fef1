//! The six queries of workload L, against the peer and against the number of records.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value as Json;

use crate::api::Collector;

/// What one query took.
pub(super) struct QueryFigure {
    pub(super) name: &'static str,
    p50_ms: f64,
    cpu_ms: f64,
    matched: u64,
    /// VictoriaLogs v1.26 on 5 M records of the same workload (docs/bench.md).
    peer_ms: f64,
    peer_cpu_ms: f64,
    /// The largest share of the peer's time that it may take.
    bound: f64,
}

impl QueryFigure {
    pub(super) fn is_over(&self) -> bool {
        self.p50_ms > self.bound * self.peer_ms
    }
}

/// Name, query, limit; the peer's p50 and CPU in ms; the bound as a share of the p50. `TRACE` stands for an id.
type Asked = (&'static str, &'static str, &'static str, f64, f64, f64);
const QUERIES: [Asked; 6] = [
    (
        "a phrase \"connection refused\", count",
        "\"connection refused\" | stats count()",
        "1",
        445.0,
        757.0,
        0.5,
    ),
    ("b one trace id", "trace_id:TRACE", "100", 8.8, 15.0, 1.0),
    ("c last 100 errors of one service", "service:service-03 severity>=error", "100", 24.0, 36.0, 0.5),
    ("d count by level per minute", "* | stats count() by (severity, bin(1m))", "1", 224.0, 433.0, 0.5),
    ("e top 10 services, status ≥ 500", "http.status_code>=500 | top 10 service", "1", 58.0, 112.0, 0.5),
    ("f word in 10 %, count", "cache | stats count()", "1", 460.0, 799.0, 0.5),
];

/// CPU is told in ticks of 10 ms: a fast query runs until there are enough of them.
const LONG_ENOUGH: Duration = Duration::from_secs(1);
const MOST_RUNS: usize = 500;

pub(super) async fn run(
    collector: &Collector,
    runs: usize,
    now: u64,
    trace: &str,
) -> anyhow::Result<Vec<QueryFigure>> {
    let end = format!("{}.0", now / 1_000_000_000 + 2);
    let start = format!("{}.0", now / 1_000_000_000 - 2 * 3600 - 2);
    let mut figures = Vec::new();
    for (name, query, limit, peer_ms, peer_cpu_ms, bound) in QUERIES {
        let query = query.replace("TRACE", trace);
        let parameters = [("query", query.as_str()), ("start", &start), ("end", &end), ("limit", limit)];
        let mut walls = Vec::with_capacity(runs);
        let cpu_before = collector.process.usage()?.cpu_s;
        let mut answer = Json::Null;
        let begun = Instant::now();
        while walls.len() < runs || (begun.elapsed() < LONG_ENOUGH && walls.len() < MOST_RUNS) {
            let started = Instant::now();
            answer = collector.get("/api/v1/narrows/logs/search", &parameters).await?;
            walls.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let cpu_ms = (collector.process.usage()?.cpu_s - cpu_before) * 1e3 / walls.len() as f64;
        ensure!(answer["partial"] == false, "{name}: a partial answer");
        let matched = answer["matched"].as_u64().context("matched")?;
        ensure!(matched > 0, "{name}: nothing matched");
        walls.sort_by(f64::total_cmp);
        let p50_ms = walls[walls.len() / 2];
        figures.push(QueryFigure { name, p50_ms, cpu_ms, matched, peer_ms, peer_cpu_ms, bound });
    }
    Ok(figures)
}

pub(super) fn print(figures: &[QueryFigure]) {
    println!(
        "\n| query | ms p50 (CPU ms) | peer on 5 M | ours / peer | bound | matched |\n|---|---|---|---|---|---|"
    );
    for QueryFigure { name, p50_ms, cpu_ms, matched, peer_ms, peer_cpu_ms, bound } in figures {
        let share = p50_ms / peer_ms;
        println!(
            "| {name} | {p50_ms:.1} ({cpu_ms:.0}) | {peer_ms} ({peer_cpu_ms:.0}) | {share:.3} | {bound} | {matched} |"
        );
    }
}

/// CPU of each query by number of records, and the exponent of its growth: 1 is as fast as the records.
pub(super) fn print_slope(sizes: &[(u64, Vec<QueryFigure>)]) {
    let header: Vec<String> =
        sizes.iter().map(|(records, _)| format!("{:.0} M", *records as f64 / 1e6)).collect();
    println!(
        "\n| query, CPU ms | {} | exponent |\n|---|{}---|",
        header.join(" | "),
        "---|".repeat(sizes.len())
    );
    let (Some((fewest, first)), Some((most, last))) = (sizes.first(), sizes.last()) else { return };
    for (place, figure) in first.iter().enumerate() {
        let cpu: Vec<String> =
            sizes.iter().map(|(_, figures)| format!("{:.1}", figures[place].cpu_ms)).collect();
        let growth = (last[place].cpu_ms.max(0.1) / figure.cpu_ms.max(0.1)).ln();
        let exponent = growth / (*most as f64 / *fewest as f64).ln();
        println!("| {} | {} | {exponent:.2} |", figure.name, cpu.join(" | "));
    }
}
