//! Thousands of random histories of appends, truncations, faults and crashes, held against the model after every
//! restart. The same histories run on both implementations of the seam.

use super::model::{Model, number_of};
use super::*;
use futures::FutureExt;
use futures::future::join_all;
use journal::MemoryJournal;
use journal::sim::{Crash, CrashPoint, Faults};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

const FILE_HISTORIES: u64 = 4000;
const MEMORY_HISTORIES: u64 = 1000;
const STEPS: usize = 40;

/// A journal under test, with what can happen to it.
trait Subject {
    fn journal(&self) -> &dyn Journal;
    /// Whether it can only be restarted.
    fn has_stopped(&self) -> bool;
    /// Lets something go wrong now or later.
    fn disturb(&mut self, rng: &mut StdRng);
    /// Ends it in some way and opens it again.
    fn restart(&mut self, rng: &mut StdRng, model: &Model);
    /// Called when everything after a restart has been read.
    fn restarted(&self, _entries: &[Entry]) {}
}

async fn run_history(subject: &mut dyn Subject, rng: &mut StdRng) {
    let mut model = Model::default();
    for _ in 0..STEPS {
        match rng.random_range(0..100) {
            0..50 => append_group(subject.journal(), &mut model, rng).await,
            50..58 => abandon_group(subject.journal(), &mut model, rng).await,
            58..68 => truncate(subject.journal(), &mut model, rng).await,
            68..78 => check(subject, &mut model, false).await,
            78..90 => subject.disturb(rng),
            _ => restart(subject, &mut model, rng).await,
        }
        if subject.has_stopped() {
            restart(subject, &mut model, rng).await;
        }
    }
    restart(subject, &mut model, rng).await;
}

async fn append_group(journal: &dyn Journal, model: &mut Model, rng: &mut StdRng) {
    let attempts: Vec<_> = (0..rng.random_range(1..6)).map(|_| model.attempt(rng)).collect();
    let outcomes = join_all(attempts.iter().map(|(_, body)| journal.append(body.clone()))).await;
    for ((number, _), outcome) in attempts.into_iter().zip(outcomes) {
        model.appended(number, outcome);
    }
}

/// Appends that are dropped before they return: some are in the queue then, some durable.
async fn abandon_group(journal: &dyn Journal, model: &mut Model, rng: &mut StdRng) {
    let bodies: Vec<_> = (0..rng.random_range(1..4)).map(|_| model.attempt(rng).1).collect();
    let mut appends = Box::pin(join_all(bodies.into_iter().map(|body| journal.append(body))));
    for _ in 0..rng.random_range(0..4) {
        if (&mut appends).now_or_never().is_some() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn truncate(journal: &dyn Journal, model: &mut Model, rng: &mut StdRng) {
    let before = rng.random_range(journal.start()..=journal.end());
    model.truncating(before);
    let _may_fail_in_a_crash = journal.truncate(before).await;
}

async fn check(subject: &dyn Subject, model: &mut Model, restarted: bool) {
    let journal = subject.journal();
    match read_all(journal).await {
        Ok(entries) => {
            model.check(&entries, journal.start(), journal.end(), restarted);
            if restarted {
                subject.restarted(&entries);
            }
        }
        Err(JournalError::Io { .. }) if !restarted => {}
        Err(error) => panic!("{error}"),
    }
}

async fn restart(subject: &mut dyn Subject, model: &mut Model, rng: &mut StdRng) {
    subject.restart(rng, model);
    check(subject, model, true).await;
}

struct OnDisk {
    disk: SimDisk,
    journal: Option<FileJournal>,
    segment_bytes: u64,
    /// The number of the newest durable record plus one: what the preamble says.
    newest: Arc<AtomicU64>,
    crashes: u64,
}

impl OnDisk {
    fn new(seed: u64, rng: &mut StdRng) -> Self {
        let segment_bytes = rng.random_range(200..1500);
        let mut subject = Self {
            disk: SimDisk::new(seed),
            journal: None,
            segment_bytes,
            newest: Arc::default(),
            crashes: 0,
        };
        subject.journal = Some(subject.open().unwrap().0);
        subject
    }

    fn open(&self) -> Result<(FileJournal, Recovery), JournalError> {
        let (told, asked) = (self.newest.clone(), self.newest.clone());
        let newest = move |entry: &Entry| told.store(number_of(&entry.record) as u64 + 1, Ordering::Relaxed);
        let options = Options {
            preamble: Some(Box::new(move || asked.load(Ordering::Relaxed).to_le_bytes().to_vec())),
            on_durable: Some(Box::new(newest)),
            ..inline(self.segment_bytes)
        };
        open(&self.disk, options)
    }

    /// Opens it, with more crashes and faults on the way.
    fn open_at_last(&mut self, rng: &mut StdRng) -> (FileJournal, Recovery) {
        loop {
            self.disk.restart();
            self.disk.set_faults(Faults::default());
            match rng.random_range(0..10) {
                0..2 => self.disk.crash_at(rng.random_range(1..10), random_crash(rng)),
                2..3 => self.disk.set_faults(random_faults(rng)),
                _ => {}
            }
            match self.open() {
                Ok(opened) => return opened,
                Err(error @ (JournalError::Damaged { .. } | JournalError::Version { .. })) => {
                    panic!("{error}")
                }
                Err(_) => self.crashes += u64::from(self.disk.is_down()),
            }
        }
    }
}

impl Subject for OnDisk {
    fn journal(&self) -> &dyn Journal {
        self.journal.as_ref().unwrap()
    }

    fn has_stopped(&self) -> bool {
        self.disk.is_down() || self.journal.as_ref().unwrap().failed().is_some()
    }

    fn disturb(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..10) {
            0..6 => self.disk.crash_at(rng.random_range(1..12), random_crash(rng)),
            6..9 => self.disk.set_faults(random_faults(rng)),
            _ => self.disk.set_faults(Faults::default()),
        }
    }

    fn restart(&mut self, rng: &mut StdRng, model: &Model) {
        let was_down = self.disk.is_down();
        if !was_down && rng.random() {
            self.disk.crash(random_crash(rng));
        }
        self.crashes += u64::from(self.disk.is_down());
        self.journal = None;
        let (journal, recovery) = self.open_at_last(rng);
        self.journal = Some(journal);
        let said = recovery.preamble.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).unwrap();
        if let Some(number) = model.at(recovery.preamble_offset - 1) {
            assert_eq!(
                said,
                number as u64 + 1,
                "the preamble knows all records before its segment, and no other"
            );
        }
        self.newest.store(said, Ordering::Relaxed);
    }

    fn restarted(&self, entries: &[Entry]) {
        if let Some(newest) = entries.last() {
            self.newest.store(number_of(&newest.record) as u64 + 1, Ordering::Relaxed);
        }
    }
}

fn random_crash(rng: &mut StdRng) -> Crash {
    if rng.random_range(0..3) == 0 { Crash::Process } else { Crash::Power }
}

fn random_faults(rng: &mut StdRng) -> Faults {
    let mut percent = |most| if rng.random() { rng.random_range(0..=most) } else { 0 };
    Faults {
        short_write_percent: percent(60),
        write_error_percent: percent(10),
        sync_error_percent: percent(15),
        capacity_bytes: Some(percent(4000)).filter(|bytes| *bytes > 0).map(u64::from),
    }
}

struct InMemory {
    journal: MemoryJournal,
}

impl Subject for InMemory {
    fn journal(&self) -> &dyn Journal {
        &self.journal
    }

    fn has_stopped(&self) -> bool {
        false
    }

    fn disturb(&mut self, _: &mut StdRng) {}

    fn restart(&mut self, _: &mut StdRng, _: &Model) {
        self.journal = self.journal.take_over();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Names the seed of a history that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the history with seed {} failed", self.0);
        }
    }
}

/// Runs one history on the simulated disk; returns how often it crashed, and where.
fn on_disk(seed: u64) -> (u64, BTreeSet<CrashPoint>) {
    let _named = Seed(seed);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut subject = OnDisk::new(seed, &mut rng);
    runtime().block_on(run_history(&mut subject, &mut rng));
    (subject.crashes, subject.disk.crash_points())
}

#[test]
fn random_histories_on_a_disk_that_forgets() {
    let (mut crashes, mut points) = (0, BTreeSet::new());
    for seed in 0..FILE_HISTORIES {
        let (more_crashes, more_points) = on_disk(seed);
        crashes += more_crashes;
        points.extend(more_points);
    }
    let places: BTreeSet<_> = points.iter().map(|point| (point.crash, &point.operations)).collect();
    println!(
        "{FILE_HISTORIES} histories, {crashes} crashes, {} distinct crash points ({} by kind and last operations alone)",
        points.len(),
        places.len()
    );
    assert!(points.len() > 500 && places.len() > 100);
}

#[test]
fn a_history_repeats_itself() {
    for seed in 0..20 {
        assert_eq!(on_disk(seed), on_disk(seed));
    }
}

#[test]
fn random_histories_in_memory() {
    for seed in 0..MEMORY_HISTORIES {
        let _named = Seed(seed);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut subject = InMemory { journal: MemoryJournal::new(seed) };
        runtime().block_on(run_history(&mut subject, &mut rng));
    }
}
