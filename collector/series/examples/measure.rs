//! What samples cost here, on data like that of a fleet: nanoseconds to apply, seal and merge, bytes in the head and on
//! disk, and how long a few reads take.
//!
//! `cargo run --release -p narrows-series --example measure -- [hosts = 3888] [scrapes = 480] [scrapes per seal = 120]`

extern crate narrows_series as series;

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use promql::{Matcher, Querier, Select, Values};
use series::{Options, Partition, SegmentRef, Snapshots};
use telemetry::samples::{MatchOp, Sample, Writer};
use telemetry::{Batch, LabelSet, Signal, TenantId};

const START_MS: i64 = 1_767_225_600_000;
const STEP_MS: i64 = 15_000;
const BATCH_SAMPLES: u64 = 10_000;

/// A generator with a fixed seed: every run measures the same data.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

/// How a series moves: its state is an integer in units of `1 / scale`.
struct Made {
    labels: LabelSet,
    value: u64,
    scale: f64,
    kind: Kind,
    rate: u64,
}

enum Kind {
    Counter,
    Gauge,
    Constant,
}

impl Made {
    fn step(&mut self, random: &mut Random) -> f64 {
        match self.kind {
            Kind::Counter => self.value += random.below(self.rate * 2 + 1),
            Kind::Gauge => {
                let step = random.below(self.rate * 2 + 1);
                self.value = (self.value + step).saturating_sub(self.rate);
            }
            Kind::Constant => {}
        }
        self.value as f64 / self.scale
    }
}

fn fleet(hosts: u64, random: &mut Random) -> Vec<Vec<Made>> {
    let mut targets = Vec::new();
    for host in 0..hosts {
        let instance = format!("host-{host:04}.example:9100");
        let mut target = Vec::new();
        let mut add = |name: &str, more: &[(&str, &str)], kind: Kind, scale: f64, rate: u64| {
            let own = [("__name__", name), ("instance", &*instance), ("job", "node"), ("cluster", "one")];
            let labels = LabelSet::new(own.iter().chain(more).copied()).unwrap_or_else(|_| LabelSet::empty());
            target.push(Made { labels, value: 1_000_000 + rate * 1000, scale, kind, rate });
        };
        for (number, mode) in
            ["idle", "user", "system", "iowait", "irq", "softirq", "nice", "steal"].iter().enumerate()
        {
            let rate = [1300, 120, 60, 10, 1, 3, 1, 0][number];
            add("node_cpu_seconds_total", &[("mode", mode), ("cpu", "0")], Kind::Counter, 100.0, rate);
        }
        for name in ["MemAvailable", "MemFree", "Cached", "Buffers"] {
            add(&format!("node_memory_{name}_bytes"), &[], Kind::Gauge, 1.0 / 4096.0, 200);
        }
        for (device, rate) in [("eth0", 1 << 20), ("lo", 1 << 12)] {
            let rate = rate >> random.below(8);
            add("node_network_receive_bytes_total", &[("device", device)], Kind::Counter, 1.0, rate);
            add("node_network_transmit_bytes_total", &[("device", device)], Kind::Counter, 1.0, rate / 2 + 1);
        }
        add("node_load1", &[], Kind::Gauge, 100.0, 20);
        add("node_filesystem_avail_bytes", &[("mountpoint", "/")], Kind::Gauge, 1.0 / 4096.0, 30);
        add("node_filesystem_size_bytes", &[("mountpoint", "/")], Kind::Constant, 1.0, 0);
        add("node_disk_io_time_seconds_total", &[("device", "sda")], Kind::Counter, 1000.0, 300);
        add("node_disk_read_bytes_total", &[("device", "sda")], Kind::Counter, 1.0 / 512.0, 2000);
        add("node_hwmon_temp_celsius", &[], Kind::Gauge, 1.0, 1);
        add("node_context_switches_total", &[], Kind::Counter, 1.0, 40_000);
        add("node_boot_time_seconds", &[], Kind::Constant, 1.0, 0);
        add("up", &[], Kind::Constant, 1_000_000.0, 0);
        targets.push(target);
    }
    targets
}

struct Totals {
    apply: Duration,
    seal: Duration,
    merge: Duration,
    samples: u64,
    head_bytes: u64,
    head_mib: u64,
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let hosts = numbers.next().unwrap_or(3888);
    let (scrapes, per_seal) = (numbers.next().unwrap_or(480), numbers.next().unwrap_or(120));
    let directory = std::env::temp_dir().join(format!("narrows-measure-{}", std::process::id()));
    if let Err(error) = std::fs::create_dir_all(&directory) {
        return eprintln!("cannot make {}: {error}", directory.display());
    }
    match LocalFileSystem::new_with_prefix(&directory) {
        Ok(store) => measure(Arc::new(store), hosts, scrapes, per_seal).await,
        Err(error) => eprintln!("cannot open {}: {error}", directory.display()),
    }
    if let Err(error) = std::fs::remove_dir_all(&directory) {
        eprintln!("cannot remove {}: {error}", directory.display());
    }
}

async fn measure(store: Arc<dyn ObjectStore>, hosts: u64, scrapes: u64, per_seal: u64) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut targets = fleet(hosts, &mut random);
    let offsets: Vec<i64> = targets.iter().map(|_| random.below(STEP_MS as u64) as i64).collect();
    let series: usize = targets.iter().map(Vec::len).sum();
    println!(
        "{series} series, {scrapes} scrapes, a seal each {per_seal}; generator {} MiB",
        memory_mib("VmRSS")
    );
    let partition = Partition::new(store, 0, Options::default());
    let mut files: Vec<SegmentRef> = Vec::new();
    let zero = Duration::ZERO;
    let mut totals = Totals { apply: zero, seal: zero, merge: zero, samples: 0, head_bytes: 0, head_mib: 0 };
    let (mut offset, base_mib) = (0, memory_mib("VmRSS"));
    for scrape in 0..scrapes {
        let mut writer = Writer::new();
        for (target, start) in targets.iter_mut().zip(&offsets) {
            let time_ms = START_MS + scrape as i64 * STEP_MS + start;
            for made in target {
                let sample = Sample { time_ms, value: made.step(&mut random) };
                writer.series_of(&made.labels, false, &[sample], &[], &[]);
            }
            if writer.sample_count() >= BATCH_SAMPLES {
                apply(&partition, std::mem::take(&mut writer), scrape, &mut offset, &mut totals);
            }
        }
        apply(&partition, writer, scrape, &mut offset, &mut totals);
        if (scrape + 1) % per_seal == 0 || scrape + 1 == scrapes {
            totals.head_bytes = totals.head_bytes.max(partition.head_stats().bytes);
            totals.head_mib = totals.head_mib.max(memory_mib("VmRSS").saturating_sub(base_mib));
            seal(&partition, offset, &mut files, &mut totals).await;
        }
    }
    report("sealed", &files, totals.samples);
    println!("peak with seals {} MiB over the generator", memory_mib("VmHWM").saturating_sub(base_mib));
    merge(&partition, offset, &mut files, &mut totals).await;
    report("merged", &files, totals.samples);
    let each = |time: Duration| time.as_nanos() as f64 / totals.samples as f64;
    println!(
        "apply {:.1} ns/sample, seal {:.1}, merge {:.1}",
        each(totals.apply),
        each(totals.seal),
        each(totals.merge)
    );
    let head_mib = totals.head_bytes >> 20;
    println!("head: {head_mib} MiB by its own count, {} MiB resident", totals.head_mib);
    println!("peak {} MiB over the generator", memory_mib("VmHWM").saturating_sub(base_mib));
    let snapshots = Snapshots(vec![partition.snapshot(&TenantId::default_tenant())]);
    let end_ms = START_MS + scrapes as i64 * STEP_MS;
    let read = tokio::task::spawn_blocking(move || queries(&snapshots, end_ms));
    if let Err(error) = read.await {
        eprintln!("{error}");
    }
}

fn apply(partition: &Partition, writer: Writer, scrape: u64, offset: &mut u64, totals: &mut Totals) {
    totals.samples += writer.sample_count();
    let batch = Batch {
        tenant: TenantId::default_tenant(),
        signal: Signal::Samples,
        producer: None,
        received_at_ns: (START_MS + scrape as i64 * STEP_MS) * 1_000_000,
        payload: writer.finish().into(),
    };
    *offset += 1;
    let begun = Clock::now();
    partition.apply(*offset, &batch);
    totals.apply += begun.elapsed();
}

async fn seal(partition: &Partition, offset: u64, files: &mut Vec<SegmentRef>, totals: &mut Totals) {
    let begun = Clock::now();
    let state = partition.state().map_or(0, |state| state.len());
    match partition.seal(1, offset).await {
        Ok(added) => files.extend(added),
        Err(error) => eprintln!("{error}"),
    }
    totals.seal += begun.elapsed();
    partition.publish(files.clone(), offset);
    println!("a seal took {:.2} s; the state has {state} bytes", begun.elapsed().as_secs_f64());
}

async fn merge(partition: &Partition, offset: u64, files: &mut Vec<SegmentRef>, totals: &mut Totals) {
    let begun = Clock::now();
    while let Some(plan) = partition.plan_merge(true) {
        match partition.merge(1, plan).await {
            Ok(merged) => {
                files.retain(|file| !merged.removed.contains(&file.name));
                files.extend(merged.added);
                partition.publish(files.clone(), offset);
            }
            Err(error) => return eprintln!("{error}"),
        }
    }
    totals.merge = begun.elapsed();
}

fn report(what: &str, files: &[SegmentRef], samples: u64) {
    let bytes: u64 = files.iter().map(|file| file.size_bytes).sum();
    println!("{what}: {} segments, {:.4} bytes/sample", files.len(), bytes as f64 / samples as f64);
}

fn queries(snapshots: &Snapshots, end_ms: i64) {
    let cases = [
        ("node_cpu_seconds_total, 1 h", MatchOp::Equal, "node_cpu_seconds_total", 3_600_000),
        (
            "node_network_receive_bytes_total, 5 m",
            MatchOp::Equal,
            "node_network_receive_bytes_total",
            300_000,
        ),
        ("node_.*, 5 m", MatchOp::Matches, "node_.*", 300_000),
        ("node_load1, 1 h", MatchOp::Equal, "node_load1", 3_600_000),
    ];
    for (what, op, value, range_ms) in cases {
        for turn in ["cold", "warm"] {
            let Ok(matcher) = Matcher::new("__name__", op, value) else { return };
            let begun = Clock::now();
            let select = Select { matchers: &[matcher], start_ms: end_ms - range_ms, end_ms };
            let Ok(selection) = snapshots.select(&select) else { return };
            let selected = begun.elapsed();
            let (mut values, mut samples) = (Values::default(), 0);
            for index in 0..selection.len() {
                if selection.read(index, &mut values).is_ok() {
                    samples += values.len();
                }
            }
            println!(
                "{what} {turn}: {} series selected in {:.1} ms, {samples} samples read in {:.1} ms",
                selection.len(),
                selected.as_secs_f64() * 1e3,
                (begun.elapsed() - selected).as_secs_f64() * 1e3
            );
        }
    }
}

/// CPU time of this process, of all of its threads: what else runs on the machine does not count.
struct Clock(Duration);

impl Clock {
    fn now() -> Self {
        Self(cpu_time())
    }

    fn elapsed(&self) -> Duration {
        cpu_time().saturating_sub(self.0)
    }
}

fn cpu_time() -> Duration {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = tasks.map(|task| {
        let line = read(&format!("{}/schedstat", task.path().display()));
        line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// A line of this process' status, in MiB.
fn memory_mib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse::<u64>().ok());
    kib.unwrap_or(0) >> 10
}
