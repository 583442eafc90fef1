//! Bombs against the process's real memory: the peak of its resident set, which
//! counts what the C decoder of zstd allocates too. One test, so that nothing else is counted.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "it/samples.rs"]
#[allow(dead_code)]
mod samples;
#[path = "it/support.rs"]
#[allow(dead_code)]
mod support;

use std::sync::Arc;

use bytes::Bytes;
use narrows_receive::Limits;
use support::{Call, Endpoint, Running, start};

const MIB: usize = 1 << 20;
const BOMB_MIB: usize = 512;
const CAP_MIB: usize = 24;
const CONCURRENT_MIB: usize = 48;

/// Sockets, threads, the client's side and the decoders' windows.
const SLACK_MIB: usize = 12;

/// glibc keeps freed memory in an arena per thread; with these it gives large blocks back, so that
/// the resident set is what is in use.
const MALLOC: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "131072")];

/// Peak resident memory of this process in MiB (`VmHWM`, proc_pid_status(5)).
fn peak_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}

#[test]
fn a_bomb_is_given_up_at_the_cap() {
    if std::env::var_os(MALLOC[0].0).is_some() {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        return threads.unwrap().block_on(bombs());
    }
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "a_bomb_is_given_up_at_the_cap", "--nocapture"]).envs(MALLOC);
    assert!(again.status().unwrap().success(), "with {MALLOC:?} set");
}

async fn bombs() {
    let limits = Limits {
        max_compressed_bytes: 4 * MIB,
        max_decompressed_bytes: CAP_MIB * MIB,
        max_concurrent_bytes: CONCURRENT_MIB * MIB,
        ..Limits::default()
    };
    let running = Arc::new(start(limits).await);
    let bombs = [("gzip", samples::gzip_bomb(BOMB_MIB)), ("zstd", samples::zstd_bomb(BOMB_MIB))];
    let bombs = bombs.map(|(encoding, bomb)| (encoding, Bytes::from(bomb)));
    for endpoint in Endpoint::ALL {
        let warm = Call::new(endpoint, samples::logs(endpoint, &["x"])).send(&running).await;
        assert_eq!(warm.code, 0);
    }
    one_by_one(&running, &bombs).await;
    all_at_once(&running, &bombs).await;
    assert_eq!(running.server.counts().in_flight_bytes, 0);
}

async fn one_by_one(running: &Running, bombs: &[(&str, Bytes)]) {
    let before = peak_mib();
    for (encoding, bomb) in bombs {
        for endpoint in Endpoint::ALL {
            let answer = Call::new(endpoint, bomb.clone()).encoded(encoding).send(running).await;
            assert_eq!(answer.code, 8, "{encoding} {endpoint:?}: {answer:?}");
        }
    }
    let peak = peak_mib() - before;
    println!("a bomb of {BOMB_MIB} MiB: {peak} MiB more in memory (cap {CAP_MIB})");
    assert!(peak <= CAP_MIB + SLACK_MIB, "{peak} MiB");
}

/// Over HTTP, where the client sends from one copy.
async fn all_at_once(running: &Arc<Running>, bombs: &[(&str, Bytes)]) {
    let before = peak_mib();
    let mut sent = tokio::task::JoinSet::new();
    for (encoding, bomb) in bombs.iter().cycle().take(24) {
        let call = Call::new(Endpoint::HttpProtobuf, bomb.clone()).encoded(encoding);
        let running = Arc::clone(running);
        sent.spawn(async move { call.send(&running).await.code });
    }
    let codes = sent.join_all().await;
    let peak = peak_mib() - before + CAP_MIB;
    println!("24 of them at once: {peak} MiB more in memory (cap for all {CONCURRENT_MIB})");
    assert!(codes.iter().all(|code| [8, 14].contains(code)), "too large or busy: {codes:?}");
    assert!(peak <= CONCURRENT_MIB + 2 * SLACK_MIB, "{peak} MiB");
}
