//! What the agent costs: idle, and with JSON lines written at a steady rate.
//!
//! `cargo build --release -p narrows-agent && cargo run -p narrows-agent --example load -- <agent binary> [lines/s] [seconds] [format]`
//! starts that binary against a collector that takes everything, and reads its CPU time and memory from /proc.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use receive::{Denied, Gate, Limits, RequestHead, Server, Sink, SinkError};
use telemetry::otlp::LogsRequest;
use telemetry::{Batch, Outcome, TenantId};
use tonic::transport::server::TcpIncoming;

/// Lines are written in so many portions per second.
const PORTIONS: u32 = 100;

#[derive(Clone, Default)]
struct Collector {
    records: Arc<AtomicU64>,
    requests: Arc<AtomicU64>,
}

impl Sink for Collector {
    async fn append(&self, batch: Batch) -> Result<Outcome, SinkError> {
        let records = LogsRequest::parse(&batch.payload).map_or(0, |request| request.record_count());
        self.records.fetch_add(records as u64, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        Ok(Outcome { accepted: records as u64, ..Outcome::default() })
    }
}

impl Gate for Collector {
    fn admit(&self, _head: &RequestHead<'_>) -> Result<TenantId, Denied> {
        Ok(TenantId::default_tenant())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let binary = arguments.get(1).context("name the agent's binary")?;
    let rate: u32 = arguments.get(2).map_or(Ok(10_000), |text| text.parse())?;
    let seconds: u32 = arguments.get(3).map_or(Ok(20), |text| text.parse())?;
    let format = arguments.get(4).map_or("auto", String::as_str);
    let folder = tempfile::tempdir()?;
    let collector = Collector::default();
    let url = serve(&collector).await?;
    let mut agent = start(binary, folder.path(), &url, format)?;
    let file = OpenOptions::new().create(true).append(true).open(folder.path().join("shop.log"))?;
    tokio::time::sleep(Duration::from_secs(3)).await;

    let before = cpu_s(&agent)?;
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let idle = (cpu_s(&agent)? - before) / f64::from(seconds);
    println!(
        "idle {seconds} s: {:.2} % of a core, {:.1} MiB resident",
        idle * 100.0,
        resident_mib(&agent, "VmRSS")?
    );

    let (before, started) = (cpu_s(&agent)?, Instant::now());
    let (lines, bytes) = write_lines(file, rate, seconds).await?;
    let written_s = started.elapsed().as_secs_f64();
    while collector.records.load(Ordering::Relaxed) < lines
        && started.elapsed().as_secs() < u64::from(seconds) + 30
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (arrived, lag_s) =
        (collector.records.load(Ordering::Relaxed), started.elapsed().as_secs_f64() - written_s);
    let used = cpu_s(&agent)? - before;
    println!(
        "{:.0} lines/s for {written_s:.1} s ({:.1} MB): {:.2} % of a core ({:.2} CPU-s per million lines), {:.1} MiB resident, {:.1} MiB peak",
        lines as f64 / written_s,
        bytes as f64 / 1e6,
        used / written_s * 100.0,
        used / lines as f64 * 1e6,
        resident_mib(&agent, "VmRSS")?,
        resident_mib(&agent, "VmHWM")?,
    );
    let requests = collector.requests.load(Ordering::Relaxed);
    println!(
        "arrived {arrived} of {lines} in {requests} requests, the last {lag_s:.2} s after it was written"
    );
    agent.kill()?;
    agent.wait()?;
    Ok(())
}

async fn serve(collector: &Collector) -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = Arc::new(Server::new(collector.clone(), collector.clone(), Limits::default()));
    let routes = tonic::transport::Server::builder().add_routes(receive::grpc_routes(server));
    tokio::spawn(routes.serve_with_incoming(TcpIncoming::from(listener)));
    Ok(url)
}

fn start(binary: &str, folder: &Path, collector: &str, format: &str) -> anyhow::Result<Child> {
    let config = format!(
        "data: {folder}/data\nstatus: 127.0.0.1:0\noutput: {{collector: '{collector}'}}\n\
         inputs:\n  files: [{{include: '{folder}/*.log', format: {format}}}]\n  host: {{enabled: false}}\n  otlp: {{grpc: '127.0.0.1:0', http: '127.0.0.1:0'}}\n",
        folder = folder.display()
    );
    let file = folder.join("agent.yaml");
    fs::write(&file, config)?;
    let mut agent = Command::new(binary).arg("--config").arg(file).stdout(Stdio::piped()).spawn()?;
    let output = agent.stdout.take().context("the agent has an output")?;
    for line in BufReader::new(output).lines() {
        if line?.starts_with("receiving OTLP on http") {
            break;
        }
    }
    Ok(agent)
}

async fn write_lines(mut file: File, rate: u32, seconds: u32) -> anyhow::Result<(u64, u64)> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PORTIONS);
    let (mut lines, mut bytes) = (0u64, 0);
    for _ in 0..PORTIONS * seconds {
        ticks.tick().await;
        let mut text = String::new();
        for _ in 0..rate / PORTIONS {
            text.push_str(&line(lines));
            lines += 1;
        }
        file.write_all(text.as_bytes())?;
        bytes += text.len() as u64;
    }
    Ok((lines, bytes))
}

fn line(number: u64) -> String {
    let level = ["debug", "info", "info", "info", "info", "info", "warn", "error"][(number % 8) as usize];
    format!(
        r#"{{"time":"2026-11-25T10:17:39.{:06}Z","level":"{level}","msg":"request {number:x} for cart-{} done in {} ms","http.method":"GET","http.status_code":{},"duration_ms":{},"trace_id":"{:032x}"}}{}"#,
        number % 1_000_000,
        number % 977,
        number % 313,
        200 + number % 5 * 100,
        number % 313,
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        "\n"
    )
}

/// User and system time of the process so far (proc(5): fields 14 and 15, in ticks of 10 ms).
fn cpu_s(agent: &Child) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", agent.id()))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}

fn resident_mib(agent: &Child, key: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", agent.id()))?;
    let line = status.lines().find(|line| line.starts_with(key)).context("no such line")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}
