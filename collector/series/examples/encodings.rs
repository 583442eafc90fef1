//! Bytes and nanoseconds per sample of the codecs, on made-up data of the usual kinds:
//! `cargo run --release -p narrows-series --example encodings`.

use std::hint::black_box;
use std::time::Instant;

use narrows_series::encode::{Kinship, decode_one, decode_page, decode_times, encode_page, encode_times};
use narrows_series::index::{Condition, Dictionary, Postings, write_dictionary, write_postings};
use promql::Matcher;
use telemetry::samples::MatchOp;

/// Series of each kind.
const SERIES: usize = 64;

/// A generator with a fixed seed: every run measures the same numbers.
struct Dice(u64);

impl Dice {
    /// At least 0, below 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

fn series(kind: &str, n: usize, dice: &mut Dice) -> Vec<f64> {
    let rate = 500.0 + 1000.0 * dice.unit();
    let mut at = 1e9 * dice.unit();
    let mut next = move || {
        match kind {
            "counter" => at = (at + rate * (0.8 + 0.4 * dice.unit())).round(),
            "gauge, 2 decimals" => at = ((at % 1000.0 + dice.normal() * 0.3) * 100.0).round() / 100.0,
            "gauge, full mantissa" => at = at % 1000.0 + dice.normal() * 0.3,
            "bytes in 4 KiB steps" if dice.unit() > 0.33 => {
                at = ((at / 4096.0).round() + (dice.normal() * 20.0).round()) * 4096.0;
            }
            "slow counter" => at = at.round() + f64::from(dice.unit() < 0.05),
            _ => at = at.round(),
        }
        at
    };
    (0..n).map(|_| next()).collect()
}

fn main() {
    println!(
        "{:<22}{:>6}{:>7}{:>9}{:>11}{:>11}{:>14}",
        "values", "n", "page", "B/sample", "encode ns", "decode ns", "one, µs"
    );
    let kinds = [
        "counter",
        "gauge, 2 decimals",
        "gauge, full mantissa",
        "bytes in 4 KiB steps",
        "constant",
        "slow counter",
    ];
    for kind in kinds {
        for (n, width) in [(120, 1), (120, 16), (480, 1), (480, 16), (1920, 16)] {
            values(kind, n, width);
        }
    }
    times();
    index();
}

fn values(kind: &str, n: usize, width: usize) {
    let mut dice = Dice(7);
    let mut all: Vec<Vec<f64>> = (0..SERIES).map(|_| series(kind, n, &mut dice)).collect();
    all.sort_by_key(|values| Kinship::of(values));
    let pages: Vec<&[Vec<f64>]> = all.chunks(width).collect();
    let samples = (SERIES * n) as f64;
    let lens = vec![n; width];
    let mut encoded = Vec::new();
    let encode_ns = fastest(|| {
        encoded.clear();
        for page in &pages {
            let views: Vec<&[f64]> = page.iter().map(Vec::as_slice).collect();
            let mut out = Vec::new();
            encode_page(&views, &mut out);
            encoded.push(out);
        }
    });
    let decode_ns = fastest(|| {
        for page in &encoded {
            black_box(decode_page(page, &lens).expect("what was just written"));
        }
    });
    let one_ns = fastest(|| {
        for page in &encoded {
            let mut out = Vec::with_capacity(n);
            decode_one(page, &lens, width / 2, &mut out).expect("what was just written");
            black_box(out);
        }
    });
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    println!(
        "{kind:<22}{n:>6}{width:>7}{:>9.3}{:>11.1}{:>11.1}{:>14.2}",
        bytes as f64 / samples,
        encode_ns / samples,
        decode_ns / samples,
        one_ns / encoded.len() as f64 / 1000.0
    );
}

fn times() {
    println!("\n{:<28}{:>6}{:>9}{:>11}{:>11}", "times", "n", "bytes", "encode ns", "decode ns");
    for (name, jitter) in [("exact", 0.0), ("jitter of 2 ms", 2.0), ("jitter of 1 s", 1000.0)] {
        let mut dice = Dice(9);
        let grid = |i: i64| 1_700_000_000_000 + i * 15_000 + (dice.normal() * jitter) as i64;
        let times: Vec<i64> = (0..480).map(grid).collect();
        let mut out = Vec::new();
        let encode = fastest(|| {
            out.clear();
            encode_times(&times, &mut out);
        });
        let mut back = Vec::new();
        let decode = fastest(|| {
            back.clear();
            black_box(decode_times(&out, &mut back).expect("what was just written"));
        });
        println!(
            "{name:<28}{:>6}{:>9}{:>11.1}{:>11.1}",
            times.len(),
            out.len(),
            encode / 480.0,
            decode / 480.0
        );
    }
}

fn index() {
    let mut dice = Dice(11);
    let mut pods: Vec<String> =
        (0..100_000).map(|_| format!("pod-{:010x}", (dice.unit() * (1u64 << 40) as f64) as u64)).collect();
    pods.sort_unstable();
    pods.dedup();
    let nodes: Vec<String> = (0..100_000).map(|i| format!("node_{i:06}")).collect();
    println!("\n{:<22}{:>9}{:>12}  query µs", "dictionary", "B/text", "write ms");
    for (name, texts) in [("random pod names", &pods), ("names that count up", &nodes)] {
        let mut out = Vec::new();
        let write = fastest(|| {
            out.clear();
            write_dictionary(texts.iter().map(String::as_str), &mut out);
        });
        let size = out.len() as f64 / texts.len() as f64;
        let dictionary = Dictionary::open(out.clone().into()).expect("what was just written");
        print!("{name:<22}{size:>9.2}{:>12.1}", write / 1e6);
        for pattern in ["pod-1.*", "node_0.*", ".*7f", "node_.*5", "pod-0a|pod-0b|node_000001", ".+"] {
            let condition =
                Condition::of(&Matcher::new("pod", MatchOp::Matches, pattern).expect("a pattern"));
            dictionary.passing(&condition);
            let mut found = 0;
            let ns = fastest(|| found = black_box(dictionary.passing(&condition)).len());
            print!("  {pattern}: {:.1} ({found})", ns / 1000.0);
        }
        let id = fastest(|| {
            black_box(dictionary.id(&texts[77_777]));
        });
        let text = fastest(|| drop(black_box(dictionary.text(77_777))));
        println!("  id: {:.2}  text: {:.2}", id / 1000.0, text / 1000.0);
    }
    postings();
}

/// 100,000 series of 1,000 hosts with 100 metrics each, in the order of metric and host.
fn postings() {
    let all: Vec<u32> = (0..100_000).collect();
    let metrics = (0..100).map(|metric| (metric * 1000..(metric + 1) * 1000).collect::<Vec<u32>>());
    let hosts = (0..1000).map(|host| (0..100).map(|metric| metric * 1000 + host).collect::<Vec<u32>>());
    let single = (0..100_000).map(|id| vec![id]);
    for (name, lists) in [
        ("one value", vec![all]),
        ("metrics", metrics.collect()),
        ("hosts", hosts.collect()),
        ("one series each", single.collect::<Vec<_>>()),
    ] {
        let mut out = Vec::new();
        write_postings(lists.iter().map(Vec::as_slice), &mut out);
        let postings = Postings::open(out.clone().into()).expect("what was just written");
        let middle = postings.len() / 2;
        let get = fastest(|| drop(black_box(postings.get(middle))));
        let every = (0..postings.len()).collect();
        let union = fastest(|| drop(black_box(postings.union(&every))));
        println!(
            "postings, {name}: {} B, get {:.1} µs, union of all {:.0} µs",
            out.len(),
            get / 1e3,
            union / 1e3
        );
    }
}

/// Nanoseconds of the fastest of many runs: each is short, so some are not interrupted.
fn fastest(mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..40 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    best
}
