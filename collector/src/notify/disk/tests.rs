#![allow(clippy::unwrap_used)]

use super::*;
use alerting::state::{LogEntry, LogKey, encode_state};
use journal::sim::{Crash, SimDisk};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn entry(number: u64) -> Change {
    let key = LogKey {
        group_key: format!("{{}}:{{n=\"{number}\"}}"),
        receiver: "r".to_owned(),
        kind: "webhook".to_owned(),
        index: 0,
    };
    let firing = BTreeSet::from([number]);
    Change::Notified(LogEntry { key, firing, resolved: BTreeSet::new(), at_ms: 1, expires_at_ms: i64::MAX })
}

/// What is known of the tenant `t`.
fn numbers(state: Option<&State>) -> BTreeSet<u64> {
    state.into_iter().flat_map(|state| state.log.all().flat_map(|entry| entry.firing.clone())).collect()
}

/// As the notifier does it: changes are applied when they are durable.
#[derive(Default)]
struct Applied {
    state: State,
    offset: u64,
}

async fn open(disk: &SimDisk) -> Result<(NotifyDisk, Arc<Mutex<Applied>>), NotifyError> {
    let applied = Arc::new(Mutex::new(Applied::default()));
    let on_change = {
        let applied = Arc::clone(&applied);
        move |offset, bytes: &[u8]| {
            let mut applied = applied.lock();
            applied.state.apply(decode_change(bytes).unwrap().1);
            applied.offset = offset + 1;
        }
    };
    let options = DiskOptions { accept_damage: false, inline: true };
    let (opened, mut replayed) =
        NotifyDisk::open(Arc::new(disk.clone()), Path::new("/notify"), options, Box::new(on_change)).await?;
    let state = replayed.tenants.remove("t").unwrap_or_default();
    *applied.lock() = Applied { state, offset: replayed.offset };
    Ok((opened, applied))
}

/// Appends, writes states and crashes at any operation: what was acknowledged is there, and nothing else but what
/// was being appended.
async fn history(seed: u64, steps: &[(u8, u64)]) {
    let disk = SimDisk::new(seed);
    let (mut acknowledged, mut tried) = (BTreeSet::new(), BTreeSet::new());
    let mut number = 0;
    for (kind, crash_in) in steps {
        let crash = if kind % 2 == 0 { Crash::Power } else { Crash::Process };
        if *crash_in < 40 {
            disk.crash_at(crash_in + 1, crash);
        }
        if let Ok((opened, applied)) = open(&disk).await {
            let known = numbers(Some(&applied.lock().state));
            assert!(known.is_superset(&acknowledged), "lost: {:?}", acknowledged.difference(&known));
            assert!(known.is_subset(&tried), "invented: {:?}", known.difference(&tried));
            for _ in 0..6 {
                number += 1;
                tried.insert(number);
                if opened.append("t", &entry(number)).await.is_err() {
                    break;
                }
                acknowledged.insert(number);
                if number % 4 == 0 {
                    let (bytes, offset) = {
                        let applied = applied.lock();
                        (encode_state(applied.offset, [("t", &applied.state)].into_iter()), applied.offset)
                    };
                    let _may_fail = opened.write_state(bytes, offset).await;
                }
            }
        }
        if !disk.is_down() {
            disk.crash(crash);
        }
        disk.restart();
    }
    let (_, applied) = open(&disk).await.unwrap();
    assert!(numbers(Some(&applied.lock().state)).is_superset(&acknowledged));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_was_acknowledged_outlives_every_crash(
        seed in any::<u64>(),
        steps in prop::collection::vec((any::<u8>(), 0..60u64), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(history(seed, &steps));
    }
}

#[tokio::test]
async fn a_damaged_state_is_named() {
    let disk = SimDisk::new(1);
    let (opened, _) = open(&disk).await.unwrap();
    opened.write_state(encode_state(1, [("t", &State::default())].into_iter()), 1).await.unwrap();
    drop(opened);
    disk.flip(Path::new("/notify/state"), 20, 1).unwrap();
    let error = open(&disk).await.err().unwrap();
    assert!(error.to_string().contains("/notify/state is damaged: its checksum"), "{error}");
}
