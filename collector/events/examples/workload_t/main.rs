//! Measures files of spans on workload T: CPU per stage, bytes per column, time per query.
//!
//! `cargo run -p narrows-events --release --example workload_t -- 150000 [rows of a block] [spans of a seal]`

extern crate narrows_events as events;

mod generate;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use events::{BlockCache, SpanFile, SpanFileOptions};
use generate::{Generator, OPERATIONS, START_NS};
use object_store::local::LocalFileSystem;

/// How many traces are asked for.
const LOOKUPS: usize = 500;

/// CPU seconds of this process, all threads.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let own = stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0);
    own / 1e9
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(0.0) / 1024.0
}

fn measure<T>(into: &mut f64, work: impl FnOnce() -> T) -> T {
    let before = cpu_s();
    let done = work();
    *into += cpu_s() - before;
    done
}

fn argument(at: usize, otherwise: u64) -> Result<u64> {
    Ok(std::env::args().nth(at).map_or(Ok(otherwise), |text| text.parse())?)
}

fn main() -> Result<()> {
    let (traces, block_rows, seal_spans) =
        (argument(1, 150_000)?, argument(2, 8_192)?, argument(3, 250_000)?);
    let dir = tempfile::tempdir()?;
    let store = Arc::new(LocalFileSystem::new_with_prefix(dir.path())?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let _entered = runtime.enter();
    let options = |level, name: String| SpanFileOptions { name, level, block_rows: block_rows as usize };
    let (mut generator, mut ids) = (Generator::new(traces), Vec::new());
    let (mut pending, mut pending_spans): (Vec<Bytes>, u64) = (Vec::new(), 0);
    let (mut raw, mut spans, mut seal_s, mut merge_s) = (0, 0, 0.0, 0.0);
    let mut sealed = Vec::new();
    loop {
        let request = generator.request();
        let is_last = request.is_none();
        if let Some((payload, count, own)) = request {
            raw += payload.len();
            spans += count;
            pending_spans += count;
            pending.push(payload.into());
            ids.extend(own);
        }
        if pending_spans >= seal_spans || is_last && pending_spans > 0 {
            let first = 1 + sealed.len() as u64 * 100_000;
            let options = options(1, format!("seal-{}", sealed.len()));
            sealed.push(measure(&mut seal_s, || {
                SpanFile::write(store.clone(), &pending, (first, START_NS as i64), &options)
            })?);
            pending.clear();
            pending_spans = 0;
        }
        if is_last {
            break;
        }
    }
    let million = spans as f64 / 1e6;
    println!(
        "{traces} traces, {spans} spans, {:.0} bytes each as OTLP, blocks of {block_rows}",
        raw as f64 / spans as f64
    );
    let sealed_bytes: u64 = sealed.iter().map(|file| file.size_bytes).sum();
    println!(
        "seal: {:.2} bytes per span in {} files, {:.2} CPU-s per 1M; peak {:.0} MiB",
        sealed_bytes as f64 / spans as f64,
        sealed.len(),
        seal_s / million,
        peak_mib()
    );
    let cache = BlockCache::new(64 << 20);
    let open = |listed| SpanFile::open(store.clone(), &cache, listed);
    let inputs = sealed.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let merged =
        measure(&mut merge_s, || SpanFile::merge(store.clone(), &inputs, &options(3, "merged".into())))?;
    println!(
        "merge: {:.2} bytes per span, {:.2} CPU-s per 1M; peak {:.0} MiB",
        merged.size_bytes as f64 / spans as f64,
        merge_s / million,
        peak_mib()
    );
    let file = SpanFile::open(store.clone(), &cache, merged)?;
    for (name, bytes) in file.sizes()? {
        println!("  {name:32} {:6.3}", bytes as f64 / spans as f64);
    }
    queries(&file, &ids)
}

fn queries(file: &SpanFile, ids: &[[u8; 16]]) -> Result<()> {
    let picked = (0..LOOKUPS).map(|n| ids[n * 7919 % ids.len()]);
    let mut times = Vec::new();
    let before = cpu_s();
    for id in picked {
        let start = Instant::now();
        let spans = file.trace(&id)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(!spans.is_empty(), "a trace is missing");
    }
    let cpu_ms = (cpu_s() - before) * 1e3 / LOOKUPS as f64;
    times.sort_by(f64::total_cmp);
    println!(
        "trace by id: {cpu_ms:.3} CPU ms, p50 {:.3} ms, p99 {:.3} ms",
        times[LOOKUPS / 2],
        times[LOOKUPS * 99 / 100]
    );
    let id = ids[ids.len() / 2];
    let (before, start) = (cpu_s(), Instant::now());
    (0..1000).try_for_each(|_| file.trace(&id).map(drop))?;
    let (cpu_s_of, wall) = (cpu_s() - before, start.elapsed());
    println!("the same trace again: {:.3} CPU ms, {:.3} ms", cpu_s_of, wall.as_secs_f64());
    let (before, start) = (cpu_s(), Instant::now());
    (0..1000u64).try_for_each(|n| file.trace(&u128::from(n).to_be_bytes()).map(drop))?;
    println!("absent trace: {:.4} CPU ms, {:.4} ms", cpu_s() - before, start.elapsed().as_secs_f64());
    for round in 0..3 {
        let (before, start) = (cpu_s(), Instant::now());
        let (found, blocks) = file.slow("service-03", OPERATIONS[0].0, 200_000_000, 20)?;
        println!(
            "service + operation + duration, newest 20, round {round}: {:.2} CPU ms, {:.2} ms, {} traces from {blocks} blocks",
            (cpu_s() - before) * 1e3,
            start.elapsed().as_secs_f64() * 1e3,
            found.len()
        );
    }
    Ok(())
}
