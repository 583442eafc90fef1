//! The agent tailing 10,000 lines/s into a collector, then idle: its CPU and memory alone.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::api::Collector;
use crate::process::{Process, free_port};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Lines per second.
    #[arg(long, default_value_t = 10_000)]
    rate: u64,
    /// Seconds under load, and again idle.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// A running agent that tails `dir/*.log`.
pub(crate) fn start(bin_dir: &Path, dir: &Path, collector: &str) -> anyhow::Result<(Process, [u16; 3])> {
    let ports = [free_port()?, free_port()?, free_port()?];
    Ok((start_on(bin_dir, dir, collector, ports)?, ports))
}

/// The same on given ports, to start it again.
pub(crate) fn start_on(
    bin_dir: &Path,
    dir: &Path,
    collector: &str,
    ports: [u16; 3],
) -> anyhow::Result<Process> {
    let [grpc, http, status] = ports;
    let config = format!(
        "data: {dir}/agent\nstatus: 127.0.0.1:{status}\ninputs:\n  files: [{{ include: ['{dir}/*.log'] }}]\n  \
         otlp: {{ grpc: '127.0.0.1:{grpc}', http: '127.0.0.1:{http}' }}\noutput: {{ collector: '{collector}' }}\n",
        dir = dir.display()
    );
    let path = dir.join("agent.yaml");
    std::fs::write(&path, config)?;
    let args = ["--config".to_owned(), path.display().to_string()];
    Process::start(&bin_dir.join("narrows-agent"), &args, &dir.join("agent-output"))
}

pub(crate) async fn run(bin_dir: &Path, args: Args) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let collector = Collector::start(bin_dir, dir.path()).await?;
    let (agent, _ports) = start(bin_dir, dir.path(), &collector.grpc())?;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let before = agent.usage()?;
    let lines = write_lines(&dir.path().join("app.log"), &args).await?;
    let loaded = agent.usage()?;
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut arrived = 0;
    while arrived < lines && Instant::now() < deadline {
        arrived = count(&collector).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ensure!(arrived == lines, "{arrived} of {lines} lines arrived");

    tokio::time::sleep(Duration::from_secs(3)).await;
    let idle_before = agent.usage()?;
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    let idle = agent.usage()?;
    let share = |from: f64, to: f64| (to - from) * 100.0 / args.seconds as f64;
    println!("agent: {lines} JSON lines at {} lines/s, all arrived", args.rate);
    println!("| figure | ours | to reach |\n|---|---|---|");
    println!("| CPU under load, % of a core | {:.1} | 8 |", share(before.cpu_s, loaded.cpu_s));
    println!("| peak memory under load, MiB | {:.0} | 60 |", loaded.peak_mib);
    println!("| CPU idle, % of a core | {:.2} | 1 |", share(idle_before.cpu_s, idle.cpu_s));
    println!("| memory idle, MiB | {:.0} | 40 |", idle.resident_mib);
    Ok(())
}

/// Appends JSON lines at a steady rate.
async fn write_lines(path: &Path, args: &Args) -> anyhow::Result<u64> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    let (mut written, started) = (0u64, Instant::now());
    let total = args.rate * args.seconds;
    while written < total {
        let due = ((started.elapsed().as_secs_f64() * args.rate as f64) as u64).min(total);
        let mut chunk = String::new();
        for number in written..due {
            let status = if number % 50 == 0 { 500 } else { 200 };
            chunk.push_str(&format!(
                "{{\"ts\":\"2026-11-25T10:17:{:02}.{:03}Z\",\"level\":\"info\",\"msg\":\"GET /products {status}\",\"number\":{number},\"status\":{status},\"duration_ms\":{}}}\n",
                number / 1000 % 60, number % 1000, number % 977
            ));
        }
        file.write_all(chunk.as_bytes())?;
        written = due;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(written)
}

async fn count(collector: &Collector) -> anyhow::Result<u64> {
    let query = [("query", "log.file.name:app.log"), ("start", "0"), ("end", "4000000000"), ("limit", "1")];
    let answer = collector.get("/api/v1/narrows/logs/search", &query).await?;
    answer["matched"].as_u64().context("matched")
}
