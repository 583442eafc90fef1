//! `kill -9`, again and again, while a program writes and rotates its log and
//! the collector fails now and then: file lines exactly once, in order.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::Rng;

use crate::agent::{Agent, configure, eventually};
use crate::collector::Collector;

const KILLS: usize = 14;

/// Writes about 5,000 lines a second and renames its file every second, until told to stop. Returns how many lines.
fn write_lines(folder: PathBuf, stop: Arc<AtomicBool>) -> u64 {
    let (mut next, mut generation) = (0u64, 0);
    let mut rotated_at = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let mut file = OpenOptions::new().create(true).append(true).open(folder.join("app.log")).unwrap();
        while rotated_at.elapsed() < Duration::from_millis(1100) && !stop.load(Ordering::Relaxed) {
            let text: String =
                (next..next + 25).map(|line| format!("INFO line {line} {generation}\n")).collect();
            next += 25;
            file.write_all(text.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        // The pattern matches the new name, too: a file that the agent has never seen must be found under it.
        fs::rename(folder.join("app.log"), folder.join(format!("app-{generation}.log"))).unwrap();
        rotated_at = Instant::now();
        generation += 1;
    }
    next
}

/// The line's number, and that of its file.
fn numbers(body: &str) -> (u64, u64) {
    let (line, generation) =
        body.strip_prefix("INFO line ").and_then(|rest| rest.split_once(' ')).expect(body);
    (line.parse().unwrap(), generation.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_lines_arrive_exactly_once_through_kills() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let collector = Collector::failing_every(9);
    let url = collector.serve().await;
    configure(folder.path(), &url, &format!("{}/*.log", logs.display()));

    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writer = {
        let (stop, written) = (stop.clone(), written.clone());
        std::thread::spawn(move || written.store(write_lines(logs, stop), Ordering::Relaxed))
    };
    for _ in 0..KILLS {
        let agent = Agent::start(folder.path());
        let life_ms = rand::rng().random_range(60..700);
        tokio::time::sleep(Duration::from_millis(life_ms)).await;
        agent.kill();
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    let written = written.load(Ordering::Relaxed);
    let agent = Agent::start(folder.path());
    let arrived = || collector.record_count() as u64 >= written;
    eventually("all lines arrive", Duration::from_secs(60), arrived).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(agent.stop().success());

    let mut times: BTreeMap<u64, u32> = BTreeMap::new();
    for record in collector.records() {
        *times.entry(numbers(&record.body).0).or_default() += 1;
    }
    let lost = (0..written).filter(|line| !times.contains_key(line)).count();
    let doubled = times.values().filter(|count| **count > 1).count();
    let resent = collector.resent.load(Ordering::Relaxed);
    println!(
        "kills {KILLS} · lines {written} · lost {lost} · doubled {doubled} · requests recognised as resent {resent}"
    );
    assert_eq!((lost, doubled), (0, 0));
    for epoch in collector.epochs() {
        let mut newest: BTreeMap<u64, u64> = BTreeMap::new();
        for record in epoch {
            let (line, generation) = numbers(&record.body);
            let before = newest.insert(generation, line);
            assert!(before.is_none_or(|before| before < line), "{before:?} then {line}");
        }
    }
}
