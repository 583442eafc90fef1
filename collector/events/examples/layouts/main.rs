//! Measures both layouts on lines of text: bytes per record, CPU of seal and merge.
//!
//! `cargo run -p narrows-events --release --example layouts -- file.log …`

extern crate narrows_events as events;

use std::sync::Arc;

use anyhow::{Context, Result};
use events::{Layout, Options, Partition};
use object_store::memory::InMemory;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record};
use telemetry::{Batch, Signal, TenantId, Value};

/// How often each set is written; one round is too short for the clock.
const ROUNDS: usize = 40;

/// CPU seconds of this process, all threads.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn batch(lines: &[&str]) -> Batch {
    let mut writer = RecordsWriter::default();
    writer.resource(b"", "");
    writer.scope(b"", "");
    for (second, line) in lines.iter().enumerate() {
        let mut record = Vec::new();
        let time_ns = 1_700_000_000_000_000_000 + second as u64 * 1_000_000_000;
        write_record(
            &mut record,
            &RecordFields { time_ns, body: Value::Str(line), ..RecordFields::default() },
        );
        writer.record(&record);
    }
    Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Logs,
        producer: None,
        received_at_ns: 1,
        payload: writer.finish().into(),
    }
}

/// Bytes of the merged split and of its bodies, and the CPU seconds of seal and merge.
async fn write(batch: &Batch, layout: Layout) -> Result<(u64, u64, f64)> {
    let options = Options { layout, min_index_rows: 1, ..Options::default() };
    let partition = Partition::new(Arc::new(InMemory::new()), 0, options);
    partition.recover(Vec::new());
    partition.apply(1, batch);
    let before = cpu_s();
    partition.publish(partition.seal(1, 1).await?, 1);
    let plan = partition.plan_merge(true).context("nothing to merge")?;
    partition.publish(partition.merge(1, plan).await?.added, 1);
    let cpu = cpu_s() - before;
    let parts = partition.bytes_by_part().await?;
    let bodies = ["body", "signatures", "statistics", "filter", "index: rows", "index: words"];
    let bodies = bodies.iter().filter_map(|part| parts.get(part)).sum();
    Ok((partition.files().iter().map(|file| file.size_bytes).sum(), bodies, cpu))
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:40} {:>6} {:>28} {:>28}", "", "raw", "plain", "signatures");
    println!(
        "{:40} {:>6} {:>28} {:>28}",
        "", "bytes", "bytes/bodies/CPU-s per 1M", "bytes/bodies/CPU-s per 1M"
    );
    for path in std::env::args().skip(1) {
        let text = std::fs::read(&path).with_context(|| path.clone())?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let batch = batch(&lines);
        let rows = lines.len().max(1) as f64;
        let raw = lines.iter().map(|line| line.len()).sum::<usize>() as f64 / rows;
        let mut figures = Vec::new();
        for layout in [Layout::Plain, Layout::Signatures] {
            let (mut all, mut bodies, mut cpu) = (0, 0, 0.0);
            for _ in 0..ROUNDS {
                let (bytes, of_bodies, seconds) = write(&batch, layout).await?;
                (all, bodies, cpu) = (bytes, of_bodies, cpu + seconds);
            }
            let per_million = cpu / (rows * ROUNDS as f64) * 1e6;
            figures.push(format!(
                "{:.1} / {:.1} / {per_million:.2}",
                all as f64 / rows,
                bodies as f64 / rows
            ));
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        println!("{name:40} {raw:6.0} {:>28} {:>28}", figures[0], figures[1]);
    }
    Ok(())
}
