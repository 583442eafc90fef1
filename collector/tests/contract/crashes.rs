//! Crashes at random operations of the disk, power losses and process deaths, with 1 and 3 partitions.

use std::collections::BTreeSet;

use crate::history::{History, Tally, how_many};
use crate::world::{Ground, World};

const HISTORIES: u64 = 90;
const STEPS: usize = 60;

/// Runs histories and demands that they crashed at more than 500 distinct points.
fn crash_everywhere(partitions: u16, flaky_share: f64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut tally, mut places, mut points) = (Tally::default(), BTreeSet::new(), BTreeSet::new());
    let histories = how_many(HISTORIES);
    for seed in 0..histories {
        let seed = seed * 10 + u64::from(partitions);
        let mut world = World::new(seed, partitions, Ground::Files);
        world.flaky_share = flaky_share;
        let left = runtime.block_on(History::new(seed, world).run(STEPS));
        tally.add(left.tally);
        places.extend(left.places);
        points.extend(left.world.disk.crash_points());
    }
    println!(
        "{partitions} partitions, {histories} histories: {} distinct crash points, {} by what survived; {tally:?}",
        places.len(),
        points.len()
    );
    // Fewer histories are run only to look for something.
    assert!(places.len() > 500 || histories < HISTORIES, "only {} distinct crash points", places.len());
}

#[test]
fn crashes_with_one_partition() {
    crash_everywhere(1, 0.0);
}

#[test]
fn crashes_with_three_partitions() {
    crash_everywhere(3, 0.0);
}

#[test]
fn crashes_with_documents_of_unknown_outcome() {
    crash_everywhere(2, 0.3);
}
