//! The patterns of everything stored: the outlines of all splits, put together once for a set of splits, and
//! those of the heads.

use std::collections::BTreeMap;
use std::sync::Arc;

use search::Expr;
use tokio::task::{JoinHandle, spawn_blocking};
use xxhash_rust::xxh3::xxh3_64;

use super::Gather;
use super::splits::{are_outlines_kept, split_outlines};
use crate::SearchError;
use crate::cache::Part;
use crate::execute::collect::Sink;
use crate::execute::run;
use crate::execute::scan::{Limits, Stop};
use crate::execute::{PatternWork, Request};
use crate::partition::{Pinned, Snapshot};
use crate::patterns::block::Collector;
use crate::patterns::book::{Book, Outlines};
use crate::split::SplitFile;

/// How many splits are read at a time.
const THREADS: usize = 2;

/// The patterns of everything stored.
pub(in crate::execute) struct Stored {
    pub(in crate::execute) book: Arc<Book>,
    /// About what could not be read.
    pub(in crate::execute) warnings: Vec<String>,
    pub(in crate::execute) work: PatternWork,
}

/// Finds the patterns of everything stored.
pub(in crate::execute) async fn book(
    snapshots: &[Snapshot],
    request: &Request,
    limits: &Arc<Limits>,
) -> Result<Stored, SearchError> {
    let mut splits: Vec<Arc<Pinned>> =
        snapshots.iter().flat_map(|snapshot| snapshot.splits.iter().cloned()).collect();
    // In a fixed order: which outlines are too rare among very many must not hang on threads.
    splits.sort_by(|a, b| a.listed().name.cmp(&b.listed().name));
    let set = SplitSet::of(&splits);
    let mut work = PatternWork::default();
    let (stored, warnings) = match set.as_ref().and_then(|set| set.known::<Outlines>(Part::AllOutlines)) {
        Some(known) => {
            work.kept = splits.len() as u64;
            (known, Vec::new())
        }
        None => {
            let (read, warnings) = read(&splits, limits, &mut work).await?;
            let read = Arc::new(read);
            if let Some(set) = set.as_ref().filter(|_| warnings.is_empty()) {
                set.keep(Part::AllOutlines, read.clone(), read.size_bytes());
            }
            (read, warnings)
        }
    };
    let set = set.filter(|_| warnings.is_empty());
    let (heads, head_rows) = heads(snapshots, request, limits).await?;
    work.head_rows = head_rows;
    let limits = limits.clone();
    let book = joined(spawn_blocking(move || book_of(set.as_ref(), &stored, &heads, &limits))).await??;
    Ok(Stored { book, warnings, work })
}

async fn joined<T>(task: JoinHandle<T>) -> Result<T, SearchError> {
    task.await.map_err(|error| SearchError::Internal(error.to_string()))
}

/// The outlines of all splits.
async fn read(
    splits: &[Arc<Pinned>],
    limits: &Arc<Limits>,
    work: &mut PatternWork,
) -> Result<(Outlines, Vec<String>), SearchError> {
    let (mut merged, mut warnings) = (Outlines::default(), Vec::new());
    for some in splits.chunks(THREADS) {
        let tasks = some.iter().map(|split| {
            match are_outlines_kept(split) {
                true => work.kept += 1,
                false => {
                    work.read += 1;
                    work.read_rows += split.listed().rows;
                }
            }
            let (split, limits) = (split.clone(), limits.clone());
            spawn_blocking(move || split_outlines(&split.open()?, &limits))
        });
        let (tasks, mut found) = (tasks.collect::<Vec<_>>(), Vec::new());
        for (task, split) in tasks.into_iter().zip(some) {
            match joined(task).await? {
                Ok(outlines) => found.push(outlines),
                Err(Stop::Query(error)) => return Err(error),
                Err(Stop::Source(error)) => {
                    split.note(&error);
                    warnings.push(format!("split {} is left out: {error}", split.listed().name));
                }
            }
        }
        let merge = move || {
            found.iter().for_each(|outlines| merged.merge(outlines));
            merged
        };
        merged = joined(spawn_blocking(merge)).await?;
        limits.check_size(merged.size_bytes(), "patterns")?;
    }
    Ok((merged, warnings))
}

/// The outlines of all rows in heads, and how many rows those are.
async fn heads(
    snapshots: &[Snapshot],
    request: &Request,
    limits: &Arc<Limits>,
) -> Result<(Outlines, u64), SearchError> {
    let mut everything = Request { start_ns: i64::MIN, end_ns: i64::MAX, cursor: None, ..request.clone() };
    (everything.query.filter, everything.query.stages) = (Expr::All, Vec::new());
    let snapshots: Vec<Snapshot> =
        snapshots.iter().map(|snapshot| Snapshot { splits: Arc::default(), ..snapshot.clone() }).collect();
    let sink = Sink::Patterns(Box::new(Gather::Outlines(Heads::default())));
    let gathered = run::gather(&snapshots, &everything, sink, limits).await?;
    let outlines = match gathered.partial.sink {
        Sink::Patterns(gather) => match *gather {
            Gather::Outlines(heads) => heads.finish(),
            Gather::Tallies(..) => Outlines::default(),
        },
        _ => Outlines::default(),
    };
    Ok((outlines, gathered.partial.explain.head_rows))
}

fn book_of(
    set: Option<&SplitSet>,
    stored: &Outlines,
    heads: &Outlines,
    limits: &Limits,
) -> Result<Arc<Book>, SearchError> {
    let make = |outlines: &Outlines| {
        limits.check_size(outlines.size_bytes() + Book::making_bytes(outlines), "patterns")?;
        Book::of(outlines, || limits.check()).map(Arc::new)
    };
    if !stored.covers(heads) {
        let mut all = stored.clone();
        all.merge(heads);
        return make(&all);
    }
    if let Some(known) = set.and_then(|set| set.known::<Book>(Part::Book)) {
        limits.check()?;
        return Ok(known);
    }
    let book = make(stored)?;
    if let Some(set) = set {
        set.keep(Part::Book, book.clone(), book.size_bytes());
    }
    Ok(book)
}

/// Some splits, for which the cache keeps what follows from all of them.
struct SplitSet {
    /// In the order of the splits' names.
    ids: Vec<u64>,
    /// The last of them: what is kept goes when it goes.
    file: Arc<SplitFile>,
    index: u32,
}

/// What is kept, and for which splits.
struct OfSet<T> {
    ids: Vec<u64>,
    value: Arc<T>,
}

impl SplitSet {
    /// `None` if there is nothing to keep.
    fn of(splits: &[Arc<Pinned>]) -> Option<Self> {
        if splits.iter().any(|split| split.is_damaged()) {
            return None;
        }
        let file = splits.iter().map(|split| &split.file).max_by_key(|file| file.id)?.clone();
        let ids: Vec<u64> = splits.iter().map(|split| split.file.id).collect();
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        Some(Self { ids, file, index: xxh3_64(&bytes) as u32 })
    }

    fn known<T: Send + Sync + 'static>(&self, part: Part) -> Option<Arc<T>> {
        let kept = self.file.known::<OfSet<T>>(part, self.index)?;
        (kept.ids == self.ids).then(|| kept.value.clone())
    }

    fn keep<T: Send + Sync + 'static>(&self, part: Part, value: Arc<T>, size_bytes: usize) {
        let kept = OfSet { ids: self.ids.clone(), value };
        let size_bytes = size_bytes + 8 * self.ids.len();
        // Without a cache, or if it is too large for it, it is made anew each time.
        let _ = self.file.cached(part, self.index, || Ok((kept, size_bytes)));
    }
}

/// The outlines of heads, by partition and first offset of each piece: threads read pieces in any order.
#[derive(Clone, Default)]
pub(in crate::execute) struct Heads {
    pieces: BTreeMap<(u16, u64), Outlines>,
    first: Option<(u16, u64)>,
    collector: Collector,
}

impl Heads {
    /// Adds a row's text.
    pub(super) fn push(&mut self, at: (u16, u64), text: &str, time_ns: i64) {
        self.first.get_or_insert(at);
        self.collector.push(text, time_ns);
    }

    pub(super) fn end_piece(&mut self) {
        let (rows, first) = (std::mem::take(&mut self.collector).finish(), self.first.take());
        let mut outlines = Outlines::default();
        rows.outlines.into_iter().for_each(|seen| outlines.take(seen));
        outlines.end_file();
        if let Some(first) = first {
            self.pieces.insert(first, outlines);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
    }

    /// Memory that it holds.
    pub(super) fn size_bytes(&self) -> usize {
        self.collector.size_bytes() + self.pieces.values().map(Outlines::size_bytes).sum::<usize>()
    }

    fn finish(self) -> Outlines {
        let mut pieces = self.pieces.into_values();
        let mut all = pieces.next().unwrap_or_default();
        pieces.for_each(|outlines| all.absorb(outlines));
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
