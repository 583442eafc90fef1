//! Work on many series by several threads. Chunks are of fixed size and their results are merged in order, so that
//! sums do not depend on how many threads there were.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::QueryError;

/// Series in one chunk.
const CHUNK: usize = 256;

/// From how many series on more than one thread works.
const PARALLEL_FROM: usize = 512;

/// The most threads for one query.
const MOST_THREADS: usize = 8;

struct Progress<M> {
    /// The chunk whose result is merged next.
    next: usize,
    failed: Option<QueryError>,
    merge: M,
}

/// Calls `work` for chunks of `0..count` on at most `most` threads, and `merge` with the results in the order of the
/// chunks.
pub(crate) fn in_chunks<T, W, M>(most: usize, count: usize, work: W, merge: M) -> Result<(), QueryError>
where
    W: Fn(Range<usize>) -> Result<T, QueryError> + Sync,
    M: FnMut(T) -> Result<(), QueryError> + Send,
{
    with_threads(if count < PARALLEL_FROM { 1 } else { threads().min(most) }, count, work, merge)
}

/// How many threads work on one query. Asked once: the answer is read from files of the system's.
fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    let count = || std::thread::available_parallelism().map_or(1, usize::from).clamp(2, MOST_THREADS);
    *THREADS.get_or_init(count)
}

fn with_threads<T, W, M>(threads: usize, count: usize, work: W, mut merge: M) -> Result<(), QueryError>
where
    W: Fn(Range<usize>) -> Result<T, QueryError> + Sync,
    M: FnMut(T) -> Result<(), QueryError> + Send,
{
    let chunks = count.div_ceil(CHUNK);
    let chunk = |index: usize| index * CHUNK..((index + 1) * CHUNK).min(count);
    if threads <= 1 || chunks <= 1 {
        return (0..chunks).try_for_each(|index| merge(work(chunk(index))?));
    }
    let taken = AtomicUsize::new(0);
    let progress = Mutex::new(Progress { next: 0, failed: None, merge });
    let turn = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(chunks) {
            scope.spawn(|| {
                let guard = PanicGuard { progress: &progress, turn: &turn };
                loop {
                    let index = taken.fetch_add(1, Ordering::Relaxed);
                    if index >= chunks || !finish(&progress, &turn, index, || work(chunk(index))) {
                        break;
                    }
                }
                std::mem::forget(guard);
            });
        }
    });
    let progress = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    progress.failed.map_or(Ok(()), Err)
}

/// Does the work, waits for its turn and merges. Whether there is reason to go on.
fn finish<T, M: FnMut(T) -> Result<(), QueryError>>(
    progress: &Mutex<Progress<M>>,
    turn: &Condvar,
    index: usize,
    work: impl FnOnce() -> Result<T, QueryError>,
) -> bool {
    if lock(progress).failed.is_some() {
        return false;
    }
    let result = work();
    let waiting = |progress: &mut Progress<M>| progress.next != index && progress.failed.is_none();
    let mut progress = turn.wait_while(lock(progress), waiting).unwrap_or_else(PoisonError::into_inner);
    if progress.failed.is_none() {
        let merged = result.and_then(|result| (progress.merge)(result));
        progress.failed = merged.err();
        progress.next += 1;
    }
    let goes_on = progress.failed.is_none();
    drop(progress);
    turn.notify_all();
    goes_on
}

fn lock<M>(progress: &Mutex<Progress<M>>) -> MutexGuard<'_, Progress<M>> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the others go when a thread panics; the scope then panics too.
struct PanicGuard<'a, M> {
    progress: &'a Mutex<Progress<M>>,
    turn: &'a Condvar,
}

impl<M> Drop for PanicGuard<'_, M> {
    fn drop(&mut self) {
        lock(self.progress).failed = Some(QueryError::Execution("a part of the query failed".into()));
        self.turn.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        for threads in [1, 2, 3, 8] {
            for count in [0, 1, 255, 256, 257, 5000] {
                let mut seen = Vec::new();
                with_threads(threads, count, Ok, |range| {
                    seen.extend(range);
                    Ok(())
                })
                .unwrap();
                assert_eq!(seen, (0..count).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }

    #[test]
    fn the_first_error_ends_it() {
        for threads in [1, 2, 4] {
            let mut merged = 0;
            let result = with_threads(
                threads,
                100_000,
                |range| if range.start >= 1024 { Err(QueryError::Cancelled) } else { Ok(range.len()) },
                |len| {
                    merged += len;
                    Ok(())
                },
            );
            assert_eq!((result, merged), (Err(QueryError::Cancelled), 1024));
        }
    }
}
