//! Measures the store on workload L: CPU per stage, bytes per part, CPU per query.
//!
//! `cargo run -p narrows-events --release --example workload_l -- 1000000 [rows of a block] [zstd level] [plain]`

extern crate narrows_events as events;

mod generate;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use events::{Buckets, Layout, Options, Order, Partition, PatternOptions, Request};
use generate::{Generator, SPAN_NS, START_NS};
use object_store::local::LocalFileSystem;
use telemetry::{Batch, Signal, TenantId};

/// A seal comes every so many bytes of journal.
const SEAL_BYTES: usize = 256 << 20;
/// How often each query runs.
const ROUNDS: u32 = 10;

/// CPU seconds of this process, all threads.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(0.0) / 1024.0
}

#[derive(Default)]
struct Stages {
    apply: f64,
    seal: f64,
    merge: f64,
}

async fn measure<T>(into: &mut f64, work: impl Future<Output = T>) -> T {
    let before = cpu_s();
    let done = work.await;
    *into += cpu_s() - before;
    done
}

async fn seal(partition: &Partition, offset: u64, stages: &mut Stages) -> Result<()> {
    let added = measure(&mut stages.seal, partition.seal(1, offset)).await?;
    let mut files = partition.files();
    files.extend(added);
    partition.publish(files, offset);
    Ok(())
}

async fn merge(partition: &Partition, offset: u64, all: bool, stages: &mut Stages) -> Result<()> {
    while let Some(plan) = partition.plan_merge(all) {
        let merged = measure(&mut stages.merge, partition.merge(1, plan)).await?;
        let mut files = partition.files();
        files.retain(|file| !merged.removed.contains(&file.name));
        files.extend(merged.added);
        partition.publish(files, offset);
        partition.delete_unlisted(std::time::Duration::ZERO).await?;
    }
    Ok(())
}

fn request(query: &str, limit: usize) -> Result<Request> {
    Ok(Request {
        query: search::parse(query).with_context(|| query.to_owned())?,
        start_ns: START_NS as i64,
        end_ns: (START_NS + SPAN_NS) as i64,
        order: Order::Newest,
        limit,
        cursor: None,
        deadline: None,
        max_memory_bytes: 64 << 20,
    })
}

async fn load(partition: &Partition, records: u64) -> Result<(f64, Stages)> {
    let mut generator = Generator::new(records);
    let (mut offset, mut pending, mut bytes) = (0, 0, 0);
    let mut stages = Stages::default();
    while let Some((payload, _)) = generator.request() {
        offset += 1;
        pending += payload.len();
        bytes += payload.len();
        let batch = Batch {
            tenant: TenantId::default_tenant(),
            signal: Signal::Logs,
            producer: None,
            received_at_ns: START_NS as i64,
            payload: payload.into(),
        };
        measure(&mut stages.apply, async { partition.apply(offset, &batch) }).await;
        if pending >= SEAL_BYTES {
            pending = 0;
            seal(partition, offset, &mut stages).await?;
            merge(partition, offset, false, &mut stages).await?;
        }
    }
    seal(partition, offset, &mut stages).await?;
    merge(partition, offset, true, &mut stages).await?;
    Ok((bytes as f64 / records as f64, stages))
}

async fn queries(partition: &Partition) -> Result<()> {
    let tenant = TenantId::default_tenant();
    let newest = events::search(&[partition.snapshot(&tenant)], &request("*", 1)?).await?;
    let newest = newest.records.first().context("no records")?;
    let id = telemetry::otlp::LogRecord::of_valid(&newest.record).trace_id().context("no trace id")?;
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let cases = [
        ("a phrase, count", "\"connection refused\"".to_owned(), 0),
        ("b trace id", format!("trace_id:{id}"), 100),
        ("c last 100 errors of a service", "severity>=error service:service-03".to_owned(), 100),
        ("d level per minute", "* | stats count() by (severity, bin(1m))".to_owned(), 0),
        ("e top services, status >= 500", "http.status_code>=500 | top 10 service".to_owned(), 0),
        ("f word in a tenth, count", "request".to_owned(), 0),
        ("- prefix, count", "conn*".to_owned(), 0),
        ("- newest 100", "*".to_owned(), 100),
        ("- rare number", "\"u49999\"".to_owned(), 100),
    ];
    for (name, query, limit) in cases {
        let request = request(&query, limit)?;
        let (before, start) = (cpu_s(), Instant::now());
        let mut matched = 0;
        for _ in 0..ROUNDS {
            matched = events::search(&[partition.snapshot(&tenant)], &request).await?.matched;
        }
        let (cpu, wall) = (cpu_s() - before, start.elapsed().as_secs_f64());
        println!(
            "{name:32} {:8.1} CPU ms {:8.1} ms  matched {matched}",
            cpu * 1e3 / f64::from(ROUNDS),
            wall * 1e3 / f64::from(ROUNDS)
        );
    }
    let (before, request) = (cpu_s(), request("*", 0)?);
    let buckets = Buckets::covering(request.start_ns, request.end_ns, 120);
    for _ in 0..ROUNDS {
        events::histogram(&[partition.snapshot(&tenant)], &request, buckets).await?;
    }
    println!("{:32} {:8.1} CPU ms", "- histogram of all", (cpu_s() - before) * 1e3 / f64::from(ROUNDS));
    for (name, query) in
        [("- patterns, first", "*"), ("- patterns", "*"), ("- patterns of errors", "severity>=error")]
    {
        let (before, start) = (cpu_s(), Instant::now());
        let options = PatternOptions { limit: 100, buckets, examples: 3, by_service: false };
        let snapshot = [partition.snapshot(&tenant)];
        let answer = events::patterns(&snapshot, &self::request(query, 0)?, options).await?;
        println!(
            "{name:32} {:8.1} CPU ms {:8.1} ms  {} patterns of {} records",
            (cpu_s() - before) * 1e3,
            start.elapsed().as_secs_f64() * 1e3,
            answer.total_patterns,
            answer.matched
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let records = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let block_rows = std::env::args().nth(2).map_or(Ok(16_384), |count| count.parse())?;
    let merge_level = std::env::args().nth(3).map_or(Ok(3), |level| level.parse())?;
    let layout = match std::env::args().nth(4).as_deref() {
        Some("plain") => Layout::Plain,
        _ => Layout::Signatures,
    };
    let dir = tempfile::tempdir()?;
    let store = Arc::new(LocalFileSystem::new_with_prefix(dir.path())?);
    let partition =
        Partition::new(store, 0, Options { block_rows, merge_level, layout, ..Options::default() });
    partition.recover(Vec::new());
    let (raw, stages) = load(&partition, records).await?;
    let million = records as f64 / 1e6;
    println!(
        "{records} records, {raw:.0} bytes each as OTLP, {layout:?}, blocks of {block_rows} rows, zstd {merge_level}"
    );
    let Stages { apply, seal, merge } = stages;
    println!(
        "CPU-s per 1M: apply {:.2}, seal {:.2}, merge {:.2}, all {:.2}; peak {:.0} MiB",
        apply / million,
        seal / million,
        merge / million,
        (apply + seal + merge) / million,
        peak_mib(),
    );
    let total: u64 = partition.files().iter().map(|file| file.size_bytes).sum();
    println!("bytes per record: {:.2} in {} splits", total as f64 / records as f64, partition.files().len());
    for (part, bytes) in partition.bytes_by_part().await? {
        println!("  {part:12} {:6.2}", bytes as f64 / records as f64);
    }
    queries(&partition).await?;
    println!("peak {:.0} MiB", peak_mib());
    Ok(())
}
