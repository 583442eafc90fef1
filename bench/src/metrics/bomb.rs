//! A cardinality bomb: one tenant sends millions of new series within a minute, another goes on as before. The bomb
//! is refused at the tenant's limit with the label named, memory stays within its budget, and the other tenant's
//! acknowledgements are not much later than in quiet.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use bytes::Bytes;

use super::peers::{post, write};
use crate::api::Collector;
use crate::workload_m::{labels, put_series};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// New series of the bomb.
    #[arg(long, default_value_t = 2_000_000)]
    series: u64,
    /// Over so many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How long the quiet before it is measured.
    #[arg(long, default_value_t = 20)]
    quiet_seconds: u64,
    /// Series that may be active in the tenant.
    #[arg(long, default_value_t = 200_000)]
    limit: u64,
    /// What the collector may take up, in MiB.
    #[arg(long, default_value_t = 400.0)]
    budget_mib: f64,
}

const PER_REQUEST: u64 = 10_000;
/// The label that the bomb has a new value of in each series.
const LABEL: &str = "request_id";
const BOMB_TOKEN: &str = "token-of-the-bomb";
const CALM_TOKEN: &str = "token-of-the-calm";
/// The calm tenant's requests: so many series, so often.
const CALM_SERIES: u64 = 1_000;
const CALM_STEP: Duration = Duration::from_millis(50);
/// An acknowledgement that takes no longer is no matter, whatever the quiet value.
const FAST_ENOUGH_MS: f64 = 50.0;

/// What became of the bomb.
#[derive(Default)]
struct Blast {
    sent: u64,
    refused_requests: u64,
    reason: String,
    took: Duration,
}

pub(crate) async fn run(bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let config = dir.path().join("collector.yml");
    std::fs::write(&config, configuration(args.limit))?;
    let collector = Collector::start_with(bin_dir, dir.path(), Some(&config)).await?;
    let url = collector.http("/api/v1/write");
    let quiet = calm(&url, Instant::now() + Duration::from_secs(args.quiet_seconds)).await?;
    let base = collector.process.usage()?;
    let bomb = tokio::spawn(blast(url.clone(), args.series, Duration::from_secs(args.seconds)));
    let loud = calm(&url, Instant::now() + Duration::from_secs(args.seconds)).await?;
    let blast = bomb.await??;
    let after = collector.process.usage()?;
    let (quiet_p99, loud_p99) = (p99(quiet), p99(loud));
    let bound_ms = (2.0 * quiet_p99).max(FAST_ENOUGH_MS);
    println!(
        "\ncardinality bomb: {} new series in {:.0} s, limit {}\n",
        blast.sent,
        blast.took.as_secs_f64(),
        args.limit
    );
    println!("| figure | measured | bound |\n|---|---|---|");
    println!(
        "| requests with refused series | {} of {} | |",
        blast.refused_requests,
        blast.sent / PER_REQUEST
    );
    println!("| memory before, MiB | {:.0} | |", base.resident_mib);
    println!("| peak memory, MiB | {:.0} | {:.0} |", after.peak_mib, args.budget_mib);
    println!("| CPU, s | {:.1} | |", after.cpu_s - base.cpu_s);
    println!("| the other tenant's p99 in quiet, ms | {quiet_p99:.1} | |");
    println!("| the same beside the bomb, ms | {loud_p99:.1} | {bound_ms:.1} |");
    println!("\nthe reason: {}", blast.reason);
    ensure!(blast.refused_requests > 0, "nothing was refused");
    ensure!(blast.reason.contains(LABEL), "the reason does not name the label {LABEL}");
    ensure!(after.peak_mib <= args.budget_mib, "over the memory budget");
    ensure!(loud_p99 <= bound_ms, "the other tenant waits too long");
    Ok(())
}

fn configuration(limit: u64) -> String {
    format!(
        "tenants:\n  - name: default\n  - name: bomb\n    ingest_token: {BOMB_TOKEN}\n  - name: calm\n    \
         ingest_token: {CALM_TOKEN}\nlimits:\n  active_series: {limit}\n  active_series_per_metric: {limit}\n"
    )
}

/// Sends small requests of always the same series; answers each one's milliseconds to the acknowledgement.
async fn calm(url: &str, until: Instant) -> anyhow::Result<Vec<f64>> {
    let client = reqwest::Client::new();
    let mut walls = Vec::new();
    while Instant::now() < until {
        let body = request(0..CALM_SERIES, "calm_requests_total", "number")?;
        let begun = Instant::now();
        write(&client, url, Some(CALM_TOKEN), body).await?;
        walls.push(begun.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(CALM_STEP.saturating_sub(begun.elapsed())).await;
    }
    Ok(walls)
}

/// Sends the new series spread over the time.
async fn blast(url: String, series: u64, over: Duration) -> anyhow::Result<Blast> {
    let client = reqwest::Client::new();
    let (mut blast, begun) = (Blast::default(), Instant::now());
    for from in (0..series).step_by(PER_REQUEST as usize) {
        let due = over.mul_f64(from as f64 / series as f64);
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
        let body = request(from..series.min(from + PER_REQUEST), "bomb_requests_total", LABEL)?;
        let answer = post(&client, &url, Some(BOMB_TOKEN), body).await?;
        let status = answer.status().as_u16();
        ensure!(matches!(status, 200 | 204 | 400 | 429 | 503), "the bomb was answered {status}");
        blast.sent += PER_REQUEST;
        if status >= 400 {
            blast.refused_requests += 1;
            blast.reason = answer.text().await?;
        }
    }
    blast.took = begun.elapsed();
    Ok(blast)
}

fn request(numbers: std::ops::Range<u64>, metric: &str, label: &str) -> anyhow::Result<Bytes> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    let mut body = Vec::new();
    for number in numbers {
        // Spread over the whole range, as ids are.
        let id = format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let own = [("__name__", metric), ("instance", "api-1:8080"), ("job", "api")];
        put_series(&labels(&own, &[(label, &id)]), now_ms, number, &mut body);
    }
    let packed = snap::raw::Encoder::new().compress_vec(&body).context("snappy")?;
    Ok(packed.into())
}

fn p99(mut walls: Vec<f64>) -> f64 {
    walls.sort_by(f64::total_cmp);
    walls.get(walls.len() * 99 / 100).copied().unwrap_or(f64::NAN)
}
