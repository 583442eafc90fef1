//! The same histories over journals in memory, which behave like streams on a server: acknowledgements
//! in another order, and nothing that a crash of ours could lose.

use crate::history::{History, Tally, how_many};
use crate::world::{Ground, MemoryJournals, World};

fn histories(partitions: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut tally = Tally::default();
    let histories = how_many(25);
    for seed in 0..histories {
        let seed = 5000 + seed * 10 + u64::from(partitions);
        let mut world = World::new(seed, partitions, Ground::Memory(MemoryJournals::new(seed)));
        world.flaky_share = 0.2;
        let left = runtime.block_on(History::new(seed, world).run(60));
        tally.add(left.tally);
    }
    println!("{partitions} partitions, {histories} histories over memory journals: {tally:?}");
    assert!(tally.acknowledged > 500 && tally.resent > 100 && tally.seals > 20, "{tally:?}");
}

#[test]
fn memory_journals_with_one_partition() {
    histories(1);
}

#[test]
fn memory_journals_with_three_partitions() {
    histories(3);
}
