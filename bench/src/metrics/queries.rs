//! The five queries of workload M, in turns by server.

use std::time::{Duration, Instant};

use super::Measured;
use super::peers::{Peer, answer_size};

/// What one query took on one server.
#[derive(Clone, Default)]
pub(super) struct QueryFigure {
    pub(super) p50_ms: f64,
    pub(super) cpu_ms: f64,
    /// Series and points of the answer.
    answer: (usize, usize),
}

struct Asked {
    name: &'static str,
    query: &'static str,
    /// Of a range query that ends now; `None` asks for now alone.
    step_s: Option<u32>,
}

const QUERIES: [Asked; 5] = [
    Asked {
        name: "a sum by (mode) (rate), 1 h",
        query: "sum by (mode) (rate(node_cpu_seconds_total[5m]))",
        step_s: Some(15),
    },
    Asked {
        name: "b topk(10, rate), now",
        query: "topk(10, rate(node_network_receive_bytes_total[5m]))",
        step_s: None,
    },
    Asked {
        name: "c one series, 1 h",
        query: "node_memory_MemAvailable_bytes{instance=\"host-0050.example.net:9100\"}",
        step_s: Some(15),
    },
    Asked {
        name: "d histogram_quantile, 1 h",
        query: "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))",
        step_s: Some(30),
    },
    Asked { name: "e count by regex, now", query: "count({__name__=~\"node_.*\"})", step_s: None },
];

const RANGE_S: i64 = 3600;
/// CPU is told in ticks of 10 ms: a fast query runs until there are enough of them.
const LONG_ENOUGH: Duration = Duration::from_millis(1_500);
const MOST_RUNS: usize = 600;
/// Turns of all servers per query.
const ROUNDS: usize = 3;

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    QUERIES.iter().map(|asked| asked.name)
}

/// Per server, each query's figure.
pub(super) async fn run(peers: &[Peer], runs: usize, end_s: i64) -> anyhow::Result<Vec<Vec<QueryFigure>>> {
    let mut all = vec![Vec::new(); peers.len()];
    for asked in &QUERIES {
        let mut parameters = vec![("query", asked.query.to_owned())];
        let path = match asked.step_s {
            Some(step_s) => {
                let (start, step) = ((end_s - RANGE_S).to_string(), step_s.to_string());
                parameters.extend([("start", start), ("end", end_s.to_string()), ("step", step)]);
                "/api/v1/query_range"
            }
            None => {
                parameters.push(("time", end_s.to_string()));
                "/api/v1/query"
            }
        };
        let mut walls = vec![Vec::new(); peers.len()];
        let mut figures = vec![QueryFigure::default(); peers.len()];
        for (peer, figure) in peers.iter().zip(&mut figures) {
            figure.answer = answer_size(&peer.query(path, &parameters).await?)?;
        }
        for _ in 0..ROUNDS {
            for ((peer, walls), figure) in peers.iter().zip(&mut walls).zip(&mut figures) {
                let cpu_before = peer.process().usage()?.cpu_s;
                let (begun, already) = (Instant::now(), walls.len());
                let enough = |runs_now: usize| {
                    runs_now >= runs.div_ceil(ROUNDS)
                        && (begun.elapsed() >= LONG_ENOUGH / ROUNDS as u32 || runs_now >= MOST_RUNS / ROUNDS)
                };
                while !enough(walls.len() - already) {
                    let started = Instant::now();
                    peer.query(path, &parameters).await?;
                    walls.push(started.elapsed().as_secs_f64() * 1e3);
                }
                // A sum for now.
                figure.cpu_ms += (peer.process().usage()?.cpu_s - cpu_before) * 1e3;
            }
        }
        for ((mut walls, mut figure), all) in walls.into_iter().zip(figures).zip(&mut all) {
            walls.sort_by(f64::total_cmp);
            figure.p50_ms = walls[walls.len() / 2];
            figure.cpu_ms /= walls.len() as f64;
            all.push(figure);
        }
    }
    Ok(all)
}

/// What the answers hold: all servers should say the same.
pub(super) fn print_answers(measured: &[Measured]) {
    println!();
    for (place, name) in names().enumerate() {
        let sizes: Vec<String> = measured
            .iter()
            .filter_map(|m| Some((m.kind, m.queries.get(place)?.answer)))
            .map(|(kind, (series, points))| format!("{kind:?} {series} series, {points} points"))
            .collect();
        println!("{name}: {}", sizes.join("; "));
    }
}
