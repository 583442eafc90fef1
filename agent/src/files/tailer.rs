//! The loop of the file input: look for files, look at files, hand over batches.
//!
//! [`Tailer::step`] does one turn and says how long the next may wait: tests call it with a clock of their own.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::mpsc;

use super::find::Finder;
use super::position::{FileKey, Place};
use super::source::{CHUNK_BYTES, Moment, Source};
use crate::batch::BatchBuilder;
use crate::config::{FileInput, Scalar};
use crate::metrics::Metrics;
use crate::process::Processing;
use crate::queue::{Cursors, Parcel, now_ns};

/// What to tail, and how often to look.
#[derive(Clone, Debug)]
pub(crate) struct TailerOptions {
    pub(crate) inputs: Vec<FileInput>,
    /// Attributes of the resource that all records share.
    pub(crate) resource: Vec<(String, Scalar)>,
    /// A directory of our own, never tailed.
    pub(crate) data: PathBuf,
    pub(crate) timing: Timing,
}

/// Between two tries to read a renamed or removed file.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often to look, and for how long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Between two searches for files.
    pub(crate) scan: Duration,
    /// Between two looks at a file that was written to lately.
    pub(crate) busy: Duration,
    /// Between two looks at another file, at the least; many files are looked at less often.
    pub(crate) idle: Duration,
    /// The longest that a line waits for others.
    pub(crate) batch: Duration,
    /// How long a line may stay without its newline.
    pub(crate) partial: Duration,
    /// How long a renamed file must be silent before it is let go: its writer may not have noticed.
    pub(crate) renamed: Duration,
    /// The same for a removed one.
    pub(crate) removed: Duration,
    /// How long a place of a file that cannot be found is kept, and one that is renamed or removed and cannot be read.
    pub(crate) missing: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            scan: Duration::from_secs(1),
            busy: Duration::from_millis(100),
            idle: Duration::from_millis(250),
            batch: Duration::from_millis(200),
            partial: Duration::from_secs(10),
            renamed: Duration::from_secs(60),
            removed: Duration::from_secs(5),
            missing: Duration::from_secs(600),
        }
    }
}

/// A file for `/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileStatus {
    pub(crate) path: String,
    pub(crate) position_bytes: u64,
    pub(crate) lag_bytes: u64,
    /// Renamed or removed, and read to its end.
    pub(crate) gone: bool,
}

/// What a running tailer is told.
#[derive(Debug)]
pub(crate) enum Control {
    /// To end.
    Stop,
    /// Other inputs, and what their records share.
    Reload(Vec<FileInput>, Vec<(String, Scalar)>),
}

/// What one turn brought.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) parcel: Option<Parcel>,
    /// Until the next turn.
    pub(crate) wait: Duration,
}

/// The file input.
pub(crate) struct Tailer {
    pub(super) options: TailerOptions,
    pub(super) metrics: Arc<Metrics>,
    pub(super) finder: Finder,
    pub(super) sources: BTreeMap<FileKey, Source>,
    /// Places of files that were not found yet.
    pub(super) restored: HashMap<FileKey, Place>,
    /// What was wrong with a path, so that it is said once.
    pub(super) complaints: HashMap<PathBuf, io::ErrorKind>,
    /// Files that this process writes to.
    pub(super) own: HashSet<FileKey>,
    pub(super) batch: BatchBuilder,
    /// Full batches that a search for files has left: they go before `batch` does.
    pub(super) full: VecDeque<Parcel>,
    /// Directories and files that could not be looked at in the last search: what is there is not known.
    pub(super) unknown: HashSet<PathBuf>,
    pub(super) started: Option<Instant>,
    status: Arc<Mutex<Vec<FileStatus>>>,
    buffer: Vec<u8>,
    next_scan: Option<Instant>,
    last_looked: Option<FileKey>,
}

impl Tailer {
    pub(crate) fn new(
        options: TailerOptions,
        cursors: &Cursors,
        metrics: Arc<Metrics>,
        processing: Processing,
    ) -> Self {
        let places = cursors.iter().filter_map(|(source, place)| Place::restore(source, place));
        Self {
            restored: places.collect(),
            options,
            finder: Finder::default(),
            sources: BTreeMap::new(),
            complaints: HashMap::new(),
            own: super::discover::own_files(),
            batch: BatchBuilder::new(metrics.clone(), processing),
            full: VecDeque::new(),
            unknown: HashSet::new(),
            metrics,
            started: None,
            status: Arc::default(),
            buffer: vec![0; CHUNK_BYTES],
            next_scan: None,
            last_looked: None,
        }
    }

    /// What `/status` shows, once a second.
    pub(crate) fn status(&self) -> Arc<Mutex<Vec<FileStatus>>> {
        self.status.clone()
    }

    /// Runs until it is told to stop, or nobody can tell it any more, or nobody takes parcels any more. Blocks.
    pub(crate) fn run(mut self, parcels: &mpsc::Sender<Parcel>, control: &Receiver<Control>) {
        loop {
            let step = self.step(Instant::now());
            if let Some(parcel) = step.parcel
                && parcels.blocking_send(parcel).is_err()
            {
                return;
            }
            match control.recv_timeout(step.wait) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Control::Reload(inputs, resource)) => {
                    self.reload(inputs, resource);
                    self.next_scan = None;
                }
                Ok(Control::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        for rest in self.full.drain(..).chain(self.batch.take()) {
            // Whoever takes parcels has gone before us: what is not in the queue is read again at the next start.
            if parcels.blocking_send(rest).is_err() {
                return;
            }
        }
    }

    /// One turn at the time `now`.
    pub(crate) fn step(&mut self, now: Instant) -> Step {
        let timing = self.options.timing;
        self.started.get_or_insert(now);
        if self.next_scan.is_none_or(|at| at <= now) {
            self.scan(now);
            self.publish();
            self.next_scan = Some(now + timing.scan);
        }
        if let Some(parcel) = self.full.pop_front() {
            return Step { parcel: Some(parcel), wait: Duration::ZERO };
        }
        self.look_around(now);
        let due = self.batch.deadline(timing.batch).is_some_and(|at| at <= now);
        let parcel = if due || self.batch.is_full() { self.batch.take() } else { None };
        Step { parcel, wait: self.wait(now) }
    }

    /// Looks at every file whose time has come, beginning behind the one that was looked at last.
    fn look_around(&mut self, now: Instant) {
        let moment = Moment { now, now_ns: now_ns(), partial_after: self.options.timing.partial };
        let mut due: Vec<FileKey> =
            self.sources.values().filter(|source| source.next_look <= now).map(|source| source.key).collect();
        let split = self.last_looked.map_or(0, |last| due.partition_point(|key| *key <= last));
        due.rotate_left(split);
        for key in due {
            if self.batch.is_full() {
                return;
            }
            self.last_looked = Some(key);
            self.look_at(key, &moment);
        }
    }

    fn look_at(&mut self, key: FileKey, moment: &Moment) {
        let idle = self.idle_interval();
        let busy = self.options.timing.busy;
        let Some(source) = self.sources.get_mut(&key) else { return };
        match source.look(&mut self.buffer, &mut self.batch, moment, &self.metrics) {
            Ok(true) => (source.next_look, source.failing_since) = (moment.now, None),
            Ok(false) => {
                let lately = moment.now.saturating_duration_since(source.changed_at) < Duration::from_secs(5);
                source.next_look = moment.now + if lately { busy } else { idle };
                match source.gone_since {
                    Some(since) => self.let_go(key, since, moment),
                    None => source.failing_since = None,
                }
            }
            Err(error) => self.cannot_read(key, &error, moment),
        }
    }

    /// Tries again later. What has no name any more is tried ever more rarely, and then given up.
    fn cannot_read(&mut self, key: FileKey, error: &io::Error, moment: &Moment) {
        let timing = self.options.timing;
        let Some(source) = self.sources.get_mut(&key) else { return };
        let since = *source.failing_since.get_or_insert(moment.now);
        let path = source.path().clone();
        let failing = source.gone_since.map(|gone| moment.now.saturating_duration_since(since.max(gone)));
        if failing.is_none_or(|failing| failing < timing.missing) {
            let wait = failing.unwrap_or_default().max(timing.scan);
            source.next_look = moment.now + wait.min(LONGEST_WAIT);
            return self.complain("read", path, error);
        }
        self.metrics.file_errors.with_label_values(&["give_up"]).inc();
        let unread_bytes = source.lag_bytes();
        tracing::warn!(
            path = %path.display(), %error, unread_bytes,
            "gives up a renamed or removed file that cannot be read: the rest of it is lost"
        );
        self.end(key, moment.now);
    }

    fn end(&mut self, key: FileKey, now: Instant) {
        self.batch.cursor(Place::end(key), now);
        if let Some(source) = self.sources.remove(&key) {
            self.forget_gauges(&source);
        }
    }

    /// Ends a renamed or removed file that has been silent for long enough.
    fn let_go(&mut self, key: FileKey, since: Instant, moment: &Moment) {
        let Some(source) = self.sources.get_mut(&key) else { return };
        let timing = &self.options.timing;
        let patience = if source.is_removed() { timing.removed } else { timing.renamed };
        let silent_since = since.max(source.changed_at);
        if moment.now.saturating_duration_since(silent_since) < patience {
            return;
        }
        let metrics = self.metrics.clone();
        let finished = source.finish(&mut self.buffer, &mut self.batch, moment, &metrics);
        match finished.and_then(|()| source.is_read()) {
            Ok(true) => {}
            // The batch was full, or the file began again: there is more to look at.
            Ok(false) => return,
            Err(error) => return self.cannot_read(key, &error, moment),
        }
        tracing::debug!(path = %self.sources[&key].path().display(), "a renamed or removed file has been read to its end");
        self.end(key, moment.now);
    }

    /// Says once per path and kind what is wrong, and counts every time.
    pub(super) fn complain(&mut self, kind: &str, path: PathBuf, error: &io::Error) {
        self.metrics.file_errors.with_label_values(&[kind]).inc();
        if self.complaints.insert(path.clone(), error.kind()) != Some(error.kind()) {
            tracing::warn!(path = %path.display(), %error, "cannot {kind} a file or directory, trying again");
        }
    }

    fn idle_interval(&self) -> Duration {
        let idle = self.options.timing.idle;
        // A thousand files cost as much as a hundred, a second apart.
        (idle * (self.sources.len() / 100 + 1) as u32).min(self.options.timing.scan.max(idle))
    }

    fn wait(&self, now: Instant) -> Duration {
        let looks = self.sources.values().map(|source| source.next_look);
        let events = looks.chain(self.next_scan).chain(self.batch.deadline(self.options.timing.batch));
        events.min().map_or(self.options.timing.scan, |at| at.saturating_duration_since(now))
    }

    fn publish(&mut self) {
        self.metrics.files_open.set(self.sources.len() as i64);
        let mut files = Vec::with_capacity(self.sources.len());
        for source in self.sources.values() {
            let path = source.path().to_string_lossy().into_owned();
            self.metrics.file_position.with_label_values(&[&path]).set(source.place.offset as i64);
            self.metrics.file_lag.with_label_values(&[&path]).set(source.lag_bytes() as i64);
            files.push(FileStatus {
                path,
                position_bytes: source.place.offset,
                lag_bytes: source.lag_bytes(),
                gone: source.gone_since.is_some(),
            });
        }
        *self.status.lock() = files;
    }

    /// Unless a successor has the same name.
    pub(super) fn forget_gauges(&self, gone: &Source) {
        if self.sources.values().any(|source| source.path() == gone.path()) {
            return;
        }
        let path = gone.path().to_string_lossy();
        for gauges in [&self.metrics.file_position, &self.metrics.file_lag] {
            // It has no gauge yet if it came and went within a second.
            let _absent = gauges.remove_label_values(&[&path]);
        }
    }
}
