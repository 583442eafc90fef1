//! Reading the families that `derive` makes of spans: docs/derived-series.md.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use promql::{Matcher, Querier, QueryError, Select, Selection, Values};
use series::Snapshots;
use telemetry::LabelSet;
use telemetry::samples::MatchOp;
use xxhash_rust::xxh3::xxh3_64;

use super::grid::{Grid, Seen};
use super::tally::Tally;
use crate::api::blocking::Running;

pub(super) const RED_CALLS: &str = "narrows_red_calls";
pub(super) const RED_DURATION: &str = "narrows_red_duration_seconds";
pub(super) const EDGE_CALLS: &str = "narrows_edge_calls";
pub(super) const EDGE_CLIENT: &str = "narrows_edge_client_seconds";
pub(super) const EDGE_SERVER: &str = "narrows_edge_server_seconds";
pub(super) const EDGE_GAP: &str = "narrows_edge_gap_seconds";

/// Longer ranges are read in parts, so that a series of histograms need not be held whole.
const PART_MS: i64 = 86_400_000;
/// Series that a thread takes at a time.
const CHUNK: usize = 32;
const MOST_THREADS: usize = 4;

/// Tallies by whatever they are told apart by.
pub(super) type Tallies<K> = HashMap<K, Tally>;

/// One request's reading.
pub(super) struct Reader<'a> {
    pub(super) series: &'a Snapshots,
    pub(super) running: &'a Running,
    /// Bytes that tallies may still take.
    room: AtomicUsize,
    pub(super) warnings: Vec<String>,
    pub(super) seen: Seen,
}

/// What one thread has put together.
struct Gathered<K> {
    tallies: Tallies<K>,
    seen: Seen,
}

/// What is to be done with a selection.
struct Task<'t, F> {
    selection: &'t dyn Selection,
    what: What,
    grid: &'t Grid,
    key: &'t F,
}

/// What is read of a series.
#[derive(Clone, Copy)]
enum What {
    Calls,
    Durations,
}

impl<'a> Reader<'a> {
    pub(super) fn new(series: &'a Snapshots, running: &'a Running) -> Self {
        let room = AtomicUsize::new(running.admitted.memory_bytes);
        Self { series, running, room, warnings: Vec::new(), seen: Seen::default() }
    }

    /// Counts the calls of a family, by a key that is made of the labels; series without one are left out.
    pub(super) fn calls<K: Eq + Hash + Send>(
        &mut self,
        family: &str,
        conditions: &[(&str, &str)],
        grid: &Grid,
        into: &mut Tallies<K>,
        key: impl Fn(&LabelSet) -> Option<K> + Sync,
    ) -> Result<(), QueryError> {
        self.read(What::Calls, family, conditions, grid, into, &key)
    }

    /// The same for histograms of durations.
    pub(super) fn durations<K: Eq + Hash + Send>(
        &mut self,
        family: &str,
        conditions: &[(&str, &str)],
        grid: &Grid,
        into: &mut Tallies<K>,
        key: impl Fn(&LabelSet) -> Option<K> + Sync,
    ) -> Result<(), QueryError> {
        self.read(What::Durations, family, conditions, grid, into, &key)
    }

    fn read<K: Eq + Hash + Send>(
        &mut self,
        what: What,
        family: &str,
        conditions: &[(&str, &str)],
        grid: &Grid,
        into: &mut Tallies<K>,
        key: &(impl Fn(&LabelSet) -> Option<K> + Sync),
    ) -> Result<(), QueryError> {
        let all = std::iter::once(("__name__", family)).chain(conditions.iter().copied());
        let matchers = all.map(|(name, value)| Matcher::new(name, MatchOp::Equal, value));
        let matchers: Vec<Matcher> =
            matchers.collect::<Result<_, _>>().map_err(|error| QueryError::Execution(error.to_string()))?;
        let mut from_ms = grid.from_ms;
        while from_ms < grid.to_ms {
            let to_ms = grid.to_ms.min(from_ms.saturating_add(PART_MS));
            let select = Select { matchers: &matchers, start_ms: from_ms + 1, end_ms: to_ms };
            let selection = self.series.select(&select)?;
            for gathered in self.gather(&Task { selection: &*selection, what, grid, key })? {
                self.seen.join(gathered.seen);
                for (key, tally) in gathered.tallies {
                    into.entry(key).and_modify(|own| own.join(&tally)).or_insert(tally);
                }
            }
            for warning in selection.warnings() {
                if !self.warnings.contains(&warning) {
                    self.warnings.push(warning);
                }
            }
            from_ms = to_ms;
        }
        Ok(())
    }

    /// Reads all series of a selection, on several threads if they are many.
    fn gather<K: Eq + Hash + Send, F: Fn(&LabelSet) -> Option<K> + Sync>(
        &self,
        task: &Task<'_, F>,
    ) -> Result<Vec<Gathered<K>>, QueryError> {
        let count = task.selection.len();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(MOST_THREADS).min(count.div_ceil(CHUNK));
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        let work = || {
            let result = self.work(task, &next);
            // The others need not go on.
            if result.is_err() {
                next.store(count, Ordering::Relaxed);
            }
            results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        };
        if threads <= 1 {
            work();
        } else {
            std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        }
        results.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
    }

    /// Takes chunks until there are no more.
    fn work<K: Eq + Hash, F: Fn(&LabelSet) -> Option<K>>(
        &self,
        task: &Task<'_, F>,
        next: &AtomicUsize,
    ) -> Result<Gathered<K>, QueryError> {
        let mut gathered = Gathered { tallies: HashMap::new(), seen: Seen::default() };
        let mut values = Values::default();
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            if start >= task.selection.len() {
                return Ok(gathered);
            }
            for index in start..task.selection.len().min(start + CHUNK) {
                self.running.check()?;
                let labels = task.selection.labels(index);
                let Some(key) = (task.key)(&labels) else { continue };
                let tally = self.tally(task.grid, &mut gathered.tallies, key)?;
                let grown = match task.what {
                    What::Calls => {
                        task.selection.read(index, &mut values)?;
                        add_calls(&labels, &values, task.grid, tally, &mut gathered.seen)
                    }
                    What::Durations => add_durations(task, index, tally, &mut gathered.seen)?,
                };
                self.take(grown)?;
            }
        }
    }

    fn tally<'t, K: Eq + Hash>(
        &self,
        grid: &Grid,
        tallies: &'t mut Tallies<K>,
        key: K,
    ) -> Result<&'t mut Tally, QueryError> {
        match tallies.entry(key) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                self.take(Tally::bytes(grid))?;
                Ok(new.insert(Tally::new(grid)))
            }
        }
    }

    fn take(&self, bytes: usize) -> Result<(), QueryError> {
        let left = |room: usize| room.checked_sub(bytes);
        match self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Ok(()),
            Err(_) => {
                Err(QueryError::TooLarge("there are more services than one answer may hold".to_owned()))
            }
        }
    }
}

fn add_calls(labels: &LabelSet, values: &Values, grid: &Grid, tally: &mut Tally, seen: &mut Seen) -> usize {
    let is_error = labels.get("status") == Some("error");
    let mut is_called = false;
    for (time_ms, calls) in values.times_ms.iter().zip(&values.values) {
        if let Some(bin) = grid.bin(*time_ms) {
            is_called |= *calls > 0.0;
            tally.add_calls(bin, *calls, is_error);
            seen.add(*time_ms);
        }
    }
    match labels.get("operation") {
        Some(operation) if is_called => tally.add_operation(xxh3_64(operation.as_bytes())),
        _ => 0,
    }
}

fn add_durations<F>(
    task: &Task<'_, F>,
    index: usize,
    tally: &mut Tally,
    seen: &mut Seen,
) -> Result<usize, QueryError> {
    let mut grown = 0;
    task.selection.each_histogram(index, &mut |time_ms, durations| {
        if let Some(bin) = task.grid.bin(time_ms) {
            grown += tally.add_durations(bin, durations);
            seen.add(time_ms);
        }
    })?;
    Ok(grown)
}
