//! Spreads the scans of a query over threads that may block, and puts together
//! what they gather.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::task::spawn_blocking;

use super::collect::{Partial, Sink};
use super::patterns::{self, Stored};
use super::scan::{Limits, Query, Range, Stop};
use super::{Order, Request};
use crate::SearchError;
use crate::head::Chunk;
use crate::partition::{Pinned, Snapshot};
use crate::patterns::book::Book;

/// How many threads one query uses.
const THREADS: usize = 2;
/// How many chunks of the head are one piece of work.
const CHUNKS_PER_PIECE: usize = 64;

/// A source of rows, scanned by one thread.
enum Piece {
    Head { partition: u16, chunks: Vec<Arc<Chunk>> },
    Split { partition: u16, split: Arc<Pinned> },
}

/// What all scans found, and what could not be read.
pub(super) struct Gathered {
    pub(super) partial: Partial,
    pub(super) warnings: Vec<String>,
    /// The patterns, where the query asks for them.
    pub(super) book: Option<Arc<Book>>,
}

/// What the threads of a query share.
struct Work {
    request: Request,
    limits: Arc<Limits>,
    /// The patterns, where the query asks for them.
    book: Option<Arc<Book>>,
    pieces: Vec<Piece>,
    next: AtomicUsize,
    /// What a scan begins with.
    empty: Sink,
    gathered: Mutex<Gathered>,
}

/// Scans everything in the range; the caller holds the guard that cancels it.
pub(super) async fn gather(
    snapshots: &[Snapshot],
    request: &Request,
    sink: Sink,
    limits: &Arc<Limits>,
) -> Result<Gathered, SearchError> {
    let (book, warnings, work) = match request.query.asks_for_patterns() || sink.asks_for_patterns() {
        // A query of its own, over everything that is stored: it asks for no patterns.
        true => {
            let Stored { book, warnings, work } =
                Box::pin(patterns::book(snapshots, request, limits)).await?;
            (Some(book), warnings, Some(work))
        }
        false => (None, Vec::new(), None),
    };
    let pieces = pieces(snapshots, request);
    let threads = THREADS.min(pieces.len());
    let mut partial = Partial::new(sink.clone());
    partial.explain.patterns = work;
    let gathered = Mutex::new(Gathered { partial, warnings, book: None });
    let next = AtomicUsize::new(0);
    let (request, limits) = (request.clone(), limits.clone());
    let work = Arc::new(Work { request, limits, book, pieces, next, empty: sink, gathered });
    let scans: Vec<_> = (0..threads)
        .map(|_| {
            spawn_blocking({
                let work = work.clone();
                move || work.run()
            })
        })
        .collect();
    let mut failed = None;
    for scan in scans {
        let ended = scan.await.unwrap_or_else(|error| Err(SearchError::Internal(error.to_string())));
        // The others stop with a time-out, which is not the reason: the first failure is.
        if let Err(error) = ended
            && failed.as_ref().is_none_or(|known| matches!(known, SearchError::Timeout))
        {
            failed = Some(error);
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let mut gathered = work.gathered.lock();
    // It may be as large as the query's memory cap: taken, not copied.
    let partial = std::mem::replace(&mut gathered.partial, Partial::new(work.empty.clone()));
    let mut warnings = std::mem::take(&mut gathered.warnings);
    warnings.sort();
    warnings.dedup();
    Ok(Gathered { partial, warnings, book: work.book.clone() })
}

/// The sources that overlap the range, in the order of the request.
fn pieces(snapshots: &[Snapshot], request: &Request) -> Vec<Piece> {
    let range = Range { start_ns: request.start_ns, end_ns: request.end_ns };
    let mut pieces: Vec<(i64, i64, Piece)> = Vec::new();
    for snapshot in snapshots {
        let partition = snapshot.partition;
        let chunks =
            snapshot.chunks.iter().filter(|chunk| range.overlaps(chunk.min_time_ns, chunk.max_time_ns));
        let chunks: Vec<Arc<Chunk>> = chunks.cloned().collect();
        for chunks in chunks.chunks(CHUNKS_PER_PIECE) {
            let min = chunks.iter().map(|chunk| chunk.min_time_ns).min().unwrap_or(0);
            let max = chunks.iter().map(|chunk| chunk.max_time_ns).max().unwrap_or(0);
            pieces.push((min, max, Piece::Head { partition, chunks: chunks.to_vec() }));
        }
        for split in snapshot.splits.iter() {
            let listed = split.listed();
            if range.overlaps(listed.min_time_ns, listed.max_time_ns) {
                pieces.push((
                    listed.min_time_ns,
                    listed.max_time_ns,
                    Piece::Split { partition, split: split.clone() },
                ));
            }
        }
    }
    match request.order {
        Order::Newest => pieces.sort_by_key(|(_, max, _)| std::cmp::Reverse(*max)),
        Order::Oldest => pieces.sort_by_key(|(min, _, _)| *min),
    }
    pieces.into_iter().map(|(_, _, piece)| piece).collect()
}

impl Work {
    fn run(&self) -> Result<(), SearchError> {
        let ended = self.scan_pieces();
        if ended.is_err() {
            self.limits.cancelled.store(true, Ordering::Relaxed);
        }
        ended
    }

    fn scan_pieces(&self) -> Result<(), SearchError> {
        let Request { query, start_ns, end_ns, order, .. } = &self.request;
        let range = Range { start_ns: *start_ns, end_ns: *end_ns };
        let (limits, book) = (&*self.limits, self.book.as_deref());
        let query = Query { filter: &query.filter, range, order: *order, limits, book };
        while let Some(piece) = self.pieces.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let mut partial = self.fork();
            let scanned = match piece {
                Piece::Head { partition, chunks } => query.scan_head(*partition, chunks, &mut partial),
                Piece::Split { partition, split } => query.scan_split(*partition, split, &mut partial),
            };
            match (scanned, piece) {
                (Ok(()), _) => self.gathered.lock().partial.merge(partial, limits)?,
                (Err(Stop::Query(error)), _) => return Err(error),
                (Err(Stop::Source(error)), Piece::Split { split, .. }) => {
                    split.note(&error);
                    let warning = format!("split {} is left out: {error}", split.listed().name);
                    self.gathered.lock().warnings.push(warning);
                }
                (Err(Stop::Source(error)), Piece::Head { .. }) => {
                    return Err(SearchError::Internal(error.to_string()));
                }
            }
        }
        Ok(())
    }

    /// What the next scan begins with: a page knows which rows come too late for it.
    fn fork(&self) -> Partial {
        Partial::new(match &self.gathered.lock().partial.sink {
            Sink::Hits(hits) => Sink::Hits(hits.fork()),
            _ => self.empty.clone(),
        })
    }
}
