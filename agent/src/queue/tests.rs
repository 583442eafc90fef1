//! The queue against a model collector that recognises what it has seen by
//! (id, epoch, seq): no line lost, none doubled, whatever crashes.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::task::{Context, Waker};

use journal::sim::{Crash, Faults, SimDisk};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const SOURCE: Bytes = Bytes::from_static(b"lines");

fn options(max_bytes: u64, when_full: WhenFull) -> QueueOptions {
    QueueOptions { agent_id: "host-1".to_owned(), max_bytes, when_full, accept_damage: false, inline: true }
}

async fn open(disk: &SimDisk, options: QueueOptions) -> Result<(Arc<Queue>, Restored), QueueError> {
    Queue::open(Arc::new(disk.clone()), PathBuf::from("/queue"), options, Arc::new(Metrics::new())).await
}

/// Lines from `next` on; the cursor says which comes behind them.
fn lines(next: u64, count: u64) -> Parcel {
    let payload: Vec<u8> = (next..next + count).flat_map(u64::to_le_bytes).collect();
    let place = Bytes::copy_from_slice(&(next + count).to_le_bytes());
    let cursors = vec![Cursor { source: SOURCE, place: Some(place) }];
    Parcel { payload: payload.into(), items: count as u32, cursors, ..Parcel::default() }
}

fn next_line(cursors: &Cursors) -> u64 {
    cursors.get(&SOURCE).map_or(0, |place| u64::from_le_bytes(place[..].try_into().unwrap()))
}

/// What is there to take now.
async fn take_now(queue: &Queue) -> Result<Vec<Queued>, QueueError> {
    // With a fresh budget of the runtime, so that only the queue can make it wait.
    tokio::task::yield_now().await;
    tokio::time::timeout(Duration::ZERO, queue.take(4096)).await.unwrap_or(Ok(Vec::new()))
}

/// Applies a batch once per number; the number's content must not change.
#[derive(Default)]
struct Collector {
    seen: HashMap<(u64, u64), Bytes>,
    highest: HashMap<u64, u64>,
    lines: BTreeMap<u64, u32>,
}

impl Collector {
    fn receive(&mut self, batch: &Batch) {
        let producer = batch.producer.as_ref().unwrap();
        let highest = self.highest.entry(producer.epoch).or_default();
        assert!(producer.seq + 4096 > *highest, "below the window");
        *highest = (*highest).max(producer.seq);
        if let Some(before) = self.seen.insert((producer.epoch, producer.seq), batch.payload.clone()) {
            assert_eq!(before, batch.payload, "one number, two contents");
            return;
        }
        for line in batch.payload.chunks(8) {
            *self.lines.entry(u64::from_le_bytes(line.try_into().unwrap())).or_default() += 1;
        }
    }

    fn check(&self, written: u64) {
        let lost: Vec<u64> = (0..written).filter(|line| !self.lines.contains_key(line)).collect();
        let doubled: Vec<_> = self.lines.iter().filter(|(_, count)| **count > 1).collect();
        assert!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, doubled {doubled:?}");
        assert_eq!(self.lines.len() as u64, written);
    }
}

/// One life of the agent, until it crashes or `turns` have passed.
async fn live(
    queue: &Arc<Queue>,
    mut next: u64,
    rng: &mut StdRng,
    collector: &mut Collector,
    turns: u32,
) -> Result<u64, QueueError> {
    let mut in_flight: Vec<Queued> = Vec::new();
    for turn in 0..turns {
        if rng.random_bool(0.6) {
            let parcel = lines(next, rng.random_range(1..30));
            let items = u64::from(parcel.items);
            match queue.append(parcel, Some(Duration::ZERO)).await {
                Ok(()) => next += items,
                Err(QueueError::Full) => {}
                Err(error) => return Err(error),
            }
        }
        if rng.random_bool(0.5) {
            in_flight.extend(take_now(queue).await?);
        }
        while !in_flight.is_empty() && (rng.random_bool(0.7) || turn + 1 == turns) {
            let record = in_flight.swap_remove(rng.random_range(0..in_flight.len()));
            collector.receive(&record.batch);
            // Now and then the answer is lost, and the record is sent again.
            if rng.random_bool(0.2) {
                in_flight.push(record);
            } else {
                queue.settle(record.offset).await?;
            }
        }
    }
    Ok(next)
}

async fn drain(queue: &Queue, collector: &mut Collector) {
    loop {
        let taken = take_now(queue).await.unwrap();
        if taken.is_empty() {
            break;
        }
        for record in taken {
            collector.receive(&record.batch);
            queue.settle(record.offset).await.unwrap();
        }
    }
    assert_eq!(queue.pending(), 0);
}

async fn history(seed: u64) -> (SimDisk, u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let disk = SimDisk::new(seed);
    let mut collector = Collector::default();
    for _ in 0..6 {
        let crash = if rng.random_bool(0.7) { Crash::Power } else { Crash::Process };
        disk.crash_at(rng.random_range(1..60), crash);
        if let Ok((queue, restored)) = open(&disk, options(24 << 10, WhenFull::Block)).await {
            let next = next_line(&restored.cursors);
            let turns = rng.random_range(1..80);
            let _crashed_or_not = live(&queue, next, &mut rng, &mut collector, turns).await;
        }
        disk.crash(crash);
        disk.restart();
    }
    let (queue, restored) = open(&disk, options(24 << 10, WhenFull::Block)).await.unwrap();
    let written = live(&queue, next_line(&restored.cursors), &mut rng, &mut collector, 20).await.unwrap();
    drain(&queue, &mut collector).await;
    drain(&queue, &mut collector).await;
    let (again, restored) = {
        drop(queue);
        open(&disk, options(24 << 10, WhenFull::Block)).await.unwrap()
    };
    drain(&again, &mut collector).await;
    assert_eq!(next_line(&restored.cursors), written);
    collector.check(written);
    (disk, written)
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_by_crashes() {
    let (mut points, mut written) = (BTreeSet::new(), 0);
    for seed in 0..150 {
        let (disk, lines) = history(seed).await;
        points.extend(disk.crash_points());
        written += lines;
    }
    println!("queue: {} distinct crash points, {written} lines, 0 lost, 0 doubled", points.len());
    assert!(points.len() > 150, "{}", points.len());
}

#[tokio::test]
async fn a_full_disk_is_waited_for() {
    let disk = SimDisk::new(1);
    let (queue, _) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
    disk.set_faults(Faults { capacity_bytes: Some(2000), ..Faults::default() });
    let mut collector = Collector::default();
    let mut next = 0;
    while queue.append(lines(next, 20), Some(Duration::ZERO)).await.is_ok() {
        next += 20;
    }
    assert!(matches!(queue.append(lines(next, 20), Some(Duration::ZERO)).await, Err(QueueError::Full)));
    disk.set_faults(Faults::default());
    queue.append(lines(next, 20), None).await.unwrap();
    drain(&queue, &mut collector).await;
    collector.check(next + 20);
    let highest = collector.highest.values().max().unwrap();
    assert_eq!(*highest, collector.seen.len() as u64, "numbers of refused parcels are used again");
}

#[tokio::test]
async fn a_full_queue_blocks_until_records_are_settled() {
    let (queue, _) = open(&SimDisk::new(2), options(32 << 10, WhenFull::Block)).await.unwrap();
    let mut next = 0;
    while queue.append(lines(next, 100), Some(Duration::from_millis(10))).await.is_ok() {
        next += 100;
    }
    assert!(queue.size_bytes() <= 32 << 10);
    assert!(matches!(queue.append(lines(next, 100), Some(Duration::ZERO)).await, Err(QueueError::Full)));
    let mut collector = Collector::default();
    let waiting = queue.append(lines(next, 100), None);
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err());
    drain(&queue, &mut collector).await;
    waiting.await.unwrap();
    drain(&queue, &mut collector).await;
    collector.check(next + 100);
}

#[tokio::test]
async fn the_oldest_make_room_and_are_counted() {
    let disk = SimDisk::new(3);
    let metrics = Arc::new(Metrics::new());
    let options = options(32 << 10, WhenFull::DropOldest);
    let (queue, _) =
        Queue::open(Arc::new(disk), PathBuf::from("/queue"), options, metrics.clone()).await.unwrap();
    let mut collector = Collector::default();
    queue.append(lines(0, 100), None).await.unwrap();
    let held = take_now(&queue).await.unwrap();
    for batch in 1..200 {
        queue.append(lines(batch * 100, 100), None).await.unwrap();
        assert!(queue.size_bytes() <= 32 << 10);
    }
    assert!(queue.is_dropped(held[0].offset), "who holds it counts it");
    drain(&queue, &mut collector).await;
    let (dropped, _) = metrics.lost();
    assert_eq!(dropped + collector.lines.len() as u64 + 100, 200 * 100);
    assert!(collector.lines.contains_key(&19_999), "the newest stay");
    assert!(queue.settle(held[0].offset).await.is_ok());
}

#[tokio::test]
async fn a_clean_stop_sends_nothing_twice() {
    let disk = SimDisk::new(4);
    let (queue, _) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
    let mut collector = Collector::default();
    queue.append(lines(0, 10), None).await.unwrap();
    drain(&queue, &mut collector).await;
    queue.close().await.unwrap();
    drop(queue);
    let (queue, restored) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
    assert_eq!(next_line(&restored.cursors), 10);
    assert!(take_now(&queue).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cloned_queue_never_gives_a_number_twice() {
    let mut collector = Collector::default();
    let disk = SimDisk::new(5);
    let (queue, _) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
    queue.append(lines(0, 10), None).await.unwrap();
    drop(queue);
    // Opening the same bytes twice is what a clone or a restored backup does.
    for start in [10, 20] {
        let (queue, _) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
        queue.append(lines(start, 10), None).await.unwrap();
        for record in take_now(&queue).await.unwrap() {
            collector.receive(&record.batch);
        }
    }
    collector.check(30);
}

#[tokio::test]
async fn no_more_than_the_window_is_handed_out() {
    let (queue, _) = open(&SimDisk::new(6), options(16 << 20, WhenFull::Block)).await.unwrap();
    for line in 0..WINDOW + 10 {
        queue.append(lines(line, 1), None).await.unwrap();
    }
    let mut taken = Vec::new();
    loop {
        let more = take_now(&queue).await.unwrap();
        if more.is_empty() {
            break;
        }
        taken.extend(more);
    }
    assert_eq!(taken.len() as u64, WINDOW);
    queue.settle(taken[1].offset).await.unwrap();
    assert!(take_now(&queue).await.unwrap().is_empty());
    queue.settle(taken[0].offset).await.unwrap();
    assert_eq!(take_now(&queue).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_parcel_of_the_largest_size_fits_and_a_larger_one_does_not() {
    let mut options = options(16 << 20, WhenFull::Block);
    options.agent_id = "x".repeat(128);
    let (queue, _) = open(&SimDisk::new(7), options).await.unwrap();
    let parcel = |bytes| Parcel { payload: vec![7; bytes].into(), items: 1, ..Parcel::default() };
    queue.append(parcel(MAX_PARCEL_BYTES), None).await.unwrap();
    assert!(matches!(queue.append(parcel(MAX_RECORD_BYTES), None).await, Err(QueueError::TooLarge)));
    let taken = take_now(&queue).await.unwrap();
    assert_eq!(taken[0].batch.payload.len(), MAX_PARCEL_BYTES);
}

#[tokio::test]
async fn a_failed_sync_stops_the_queue() {
    let disk = SimDisk::new(8);
    let (queue, _) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
    disk.set_faults(Faults { sync_error_percent: 100, ..Faults::default() });
    assert!(matches!(queue.append(lines(0, 1), None).await, Err(QueueError::Journal(_))));
    disk.set_faults(Faults::default());
    assert!(queue.append(lines(0, 1), None).await.is_err(), "never tried again");
    assert!(queue.failed().is_some());
}

#[tokio::test]
async fn damage_is_named_and_passed_over_only_when_asked_to() {
    let disk = SimDisk::new(10);
    let (queue, _) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
    for batch in 0..3 {
        queue.append(lines(batch * 10, 10), None).await.unwrap();
    }
    drop(queue);
    let segment = disk.list(std::path::Path::new("/queue")).unwrap().remove(0);
    // Inside the first record's body: the headers before it take less, the record is longer.
    disk.flip(&PathBuf::from("/queue").join(segment), 150, 1).unwrap();
    let refused = open(&disk, options(1 << 20, WhenFull::Block)).await.err();
    assert!(
        matches!(refused, Some(QueueError::Journal(JournalError::Damaged { offset: 1, .. }))),
        "{refused:?}"
    );

    let accepting = QueueOptions { accept_damage: true, ..options(1 << 20, WhenFull::Block) };
    let (queue, restored) = open(&disk, accepting).await.unwrap();
    assert_eq!((restored.damaged, next_line(&restored.cursors)), (1, 30));
    let mut collector = Collector::default();
    drain(&queue, &mut collector).await;
    assert_eq!(collector.lines.keys().copied().collect::<Vec<_>>(), (10..30).collect::<Vec<_>>());
}

/// The numbers of what is queued, in the order of the queue.
async fn numbers(queue: &Queue) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let taken = take_now(queue).await.unwrap();
        if taken.is_empty() {
            return numbers;
        }
        for record in taken {
            numbers.push(record.batch.producer.as_ref().unwrap().seq);
            queue.settle(record.offset).await.unwrap();
        }
    }
}

#[tokio::test]
async fn one_who_gives_up_waiting_for_room_takes_no_number() {
    let (queue, _) = open(&SimDisk::new(11), options(32 << 10, WhenFull::Block)).await.unwrap();
    while queue.append(lines(0, 100), Some(Duration::ZERO)).await.is_ok() {}
    for _ in 0..5000 {
        let mut append = Box::pin(queue.append(lines(0, 100), Some(Duration::from_secs(2))));
        assert!(append.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let before = numbers(&queue).await;
    queue.append(lines(0, 100), None).await.unwrap();
    assert_eq!(numbers(&queue).await, [before.last().unwrap() + 1]);
}

#[tokio::test]
async fn one_who_gives_up_while_it_is_written_has_used_its_number() {
    let (queue, _) = open(&SimDisk::new(12), options(1 << 20, WhenFull::Block)).await.unwrap();
    for line in 0..10 {
        let mut append = Box::pin(queue.append(lines(line, 1), None));
        assert!(append.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    queue.append(lines(10, 1), None).await.unwrap();
    assert_eq!(numbers(&queue).await, (1..=11).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn numbers_rise_as_offsets_do() {
    let folder = tempfile::tempdir().unwrap();
    let options = QueueOptions { inline: false, ..options(64 << 20, WhenFull::Block) };
    let metrics = Arc::new(Metrics::new());
    let opened = Queue::open(Arc::new(journal::OsDisk), folder.path().join("queue"), options, metrics).await;
    let (queue, _) = opened.unwrap();
    let mut appends = tokio::task::JoinSet::new();
    for line in 0..2000 {
        let queue = queue.clone();
        appends.spawn(async move { queue.append(lines(line, 1), None).await });
    }
    while let Some(appended) = appends.join_next().await {
        appended.unwrap().unwrap();
    }
    let mut numbers = Vec::new();
    while numbers.len() < 2000 {
        for record in queue.take(1 << 20).await.unwrap() {
            numbers.push(record.batch.producer.unwrap().seq);
            queue.settle(record.offset).await.unwrap();
        }
    }
    assert_eq!(numbers, (1..=2000).collect::<Vec<_>>());
}

#[tokio::test]
async fn numbers_of_a_full_disk_are_used_in_order() {
    let disk = SimDisk::new(13);
    let (queue, _) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
    disk.set_faults(Faults { capacity_bytes: Some(0), ..Faults::default() });
    let mut refused = tokio::task::JoinSet::new();
    for line in 0..100 {
        let queue = queue.clone();
        refused.spawn(async move { queue.append(lines(line, 1), Some(Duration::ZERO)).await });
    }
    while let Some(outcome) = refused.join_next().await {
        assert!(matches!(outcome.unwrap(), Err(QueueError::Full)));
    }
    disk.set_faults(Faults::default());
    for line in 0..101 {
        queue.append(lines(line, 1), None).await.unwrap();
    }
    assert_eq!(numbers(&queue).await, (1..=101).collect::<Vec<_>>());
}

fn segments(disk: &SimDisk) -> Vec<PathBuf> {
    let folder = PathBuf::from("/queue");
    disk.list(&folder).unwrap().into_iter().map(|name| folder.join(name)).collect()
}

fn accepting() -> QueueOptions {
    QueueOptions { accept_damage: true, ..options(32 << 10, WhenFull::Block) }
}

#[tokio::test]
async fn a_lost_newest_segment_rewinds_no_cursor_past_what_can_be_read() {
    for crash in [None, Some(1), Some(3), Some(4), Some(5), Some(6), Some(7), Some(8), Some(9)] {
        let disk = SimDisk::new(14);
        let (queue, _) = open(&disk, options(32 << 10, WhenFull::Block)).await.unwrap();
        let (mut next, mut last_of) = (0, BTreeMap::new());
        while segments(&disk).len() < 4 {
            queue.append(lines(next, 20), None).await.unwrap();
            next += 20;
            last_of.insert(segments(&disk).len(), next);
        }
        drop(queue);
        disk.flip(&segments(&disk)[3], 20, 1).unwrap();
        if let Some(operation) = crash {
            disk.crash_at(operation, Crash::Power);
            let _crashed_or_not = open(&disk, accepting()).await;
            disk.crash(Crash::Power);
            disk.restart();
        }
        // What was acknowledged is truncated after the first opening; the second one must not need it.
        for _ in 0..2 {
            let (queue, restored) = open(&disk, accepting()).await.unwrap();
            assert_eq!(next_line(&restored.cursors), last_of[&3], "{crash:?}");
            drain(&queue, &mut Collector::default()).await;
        }
    }
}

#[tokio::test]
async fn a_hole_at_the_end_is_passed_over() {
    let disk = SimDisk::new(15);
    let (queue, _) = open(&disk, options(1 << 20, WhenFull::Block)).await.unwrap();
    let parcel = || Parcel { cursors: Vec::new(), ..lines(0, 10) };
    queue.append(parcel(), None).await.unwrap();
    drop(queue);
    disk.flip(&segments(&disk)[0], 20, 1).unwrap();
    let (queue, _) = open(&disk, accepting()).await.unwrap();
    assert!(queue.pending() > 0);
    let mut taking = Box::pin(queue.take(4096));
    let polled = tokio::time::timeout(Duration::from_millis(100), &mut taking);
    assert!(polled.await.is_err(), "there is nothing to take");
    assert_eq!(queue.pending(), 0);
    queue.append(parcel(), None).await.unwrap();
    assert_eq!(taking.await.unwrap().len(), 1);
}
