//! What goes on in the background: per partition one task that applies, one that
//! seals and one that merges, and for spans one that lets time pass; for the whole one that looks at the disk and one that
//! drops what is too old, which may have to wait for a merge. A failure is noted for health and tried again later.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Store;
use crate::commit::heavy::heavy;
use crate::commit::partition::Partition;

/// How often a seal's age and the disk's free space are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often a merge is looked for when no seal asks for it.
const MERGE_TICK: Duration = Duration::from_secs(30);
/// How often the list of known producers is compared with the windows, in ticks.
const PRODUCERS_TICKS: u32 = 30;
/// How often a full head is looked at again.
const HEAD_TICK: Duration = Duration::from_millis(50);
/// The pause after something failed.
const PAUSE: Duration = Duration::from_secs(5);

type Stop = watch::Receiver<bool>;

impl Store {
    pub(super) fn start_tasks(self: &Arc<Self>) {
        let mut tasks = self.tasks.lock();
        for partition in self.partitions.values() {
            tasks.push(tokio::spawn(apply(Arc::clone(partition), self.stop.subscribe())));
            tasks.push(tokio::spawn(seal(Arc::clone(partition), self.stop.subscribe())));
            tasks.push(tokio::spawn(merge(Arc::clone(partition), self.stop.subscribe())));
            if partition.engine().derived().is_some() {
                tasks.push(tokio::spawn(tick(Arc::clone(partition), self.stop.subscribe())));
            }
        }
        // A weak reference: the store's tasks must not keep it, and its directory lock, alive.
        tasks.push(tokio::spawn(watch(Arc::downgrade(self), self.stop.subscribe())));
        tasks.push(tokio::spawn(keep_house(Arc::downgrade(self), self.stop.subscribe())));
    }
}

/// Runs `step` until the store stops; answers `false` then.
async fn or_stop(stop: &mut Stop, step: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        // An error means that the store is gone.
        _stopped = stop.wait_for(|stop| *stop) => false,
        () = step => true,
    }
}

async fn apply(partition: Arc<Partition>, mut stop: Stop) {
    while or_stop(&mut stop, partition.more()).await {
        match partition.apply_chunk().await {
            Ok(_) => {
                partition.note_head();
                // What waits in the journal is bounded by the lag, what is in the head only by this.
                while partition.head_is_full() {
                    if !or_stop(&mut stop, sleep(HEAD_TICK)).await {
                        return;
                    }
                }
            }
            Err(error) => {
                partition.note::<()>(&Err(error));
                if !or_stop(&mut stop, sleep(PAUSE)).await {
                    return;
                }
            }
        }
    }
}

async fn seal(partition: Arc<Partition>, mut stop: Stop) {
    while or_stop(&mut stop, partition.seal_wanted(TICK)).await {
        if !partition.seal_is_due() || partition.failed().is_some() {
            continue;
        }
        let outcome = partition.seal().await;
        partition.note(&outcome);
        if outcome.is_err() && !or_stop(&mut stop, sleep(PAUSE)).await {
            return;
        }
    }
}

async fn merge(partition: Arc<Partition>, mut stop: Stop) {
    while or_stop(&mut stop, partition.merge_wanted(MERGE_TICK)).await {
        while !*stop.borrow() && partition.failed().is_none() {
            let outcome = partition.merge(false).await;
            partition.note(&outcome);
            match outcome {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => {
                    if !or_stop(&mut stop, sleep(PAUSE)).await {
                        return;
                    }
                }
            }
        }
    }
}

/// Lets time pass in a journal that nobody writes to.
async fn tick(partition: Arc<Partition>, mut stop: Stop) {
    while or_stop(&mut stop, sleep(TICK)).await {
        if partition.failed().is_none() {
            let ticked = partition.tick().await.map_err(|source| partition.journal_error(source));
            // That it went well tells nothing of seals and merges.
            if ticked.is_err() {
                partition.note(&ticked);
            }
        }
    }
}

/// Looks at what must be known at any time, and therefore waits for nothing.
async fn watch(store: Weak<Store>, mut stop: Stop) {
    let mut until_producers = PRODUCERS_TICKS;
    while let Some(store) = next(&store, TICK, &mut stop).await {
        store.look_at_disk();
        until_producers -= 1;
        if until_producers == 0 {
            until_producers = PRODUCERS_TICKS;
            heavy(|| store.refresh_producers());
        }
    }
}

async fn keep_house(store: Weak<Store>, mut stop: Stop) {
    let Some(every) = store.upgrade().map(|store| store.options.house_keeping) else { return };
    while let Some(store) = next(&store, every, &mut stop).await {
        if let Err(error) = store.retain().await {
            tracing::error!(%error, "cannot drop old files; tried again later");
        }
        if let Err(error) = store.sweep().await {
            tracing::error!(%error, "cannot delete unused files; tried again later");
        }
    }
}

/// The store, some time later; `None` when it has stopped.
async fn next(store: &Weak<Store>, later: Duration, stop: &mut Stop) -> Option<Arc<Store>> {
    if !or_stop(stop, sleep(later)).await {
        return None;
    }
    store.upgrade()
}
