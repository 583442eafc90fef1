//! Spreads a query over threads that may block. Pieces of the head and blocks of splits come in
//! the order of the best span that they can have, so that a query for a few traces stops when
//! nothing better can follow.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use search::{Expr, Field};
use tokio::task::spawn_blocking;

use super::head::Chunk;
use super::prune::{Judged, Operation, Verdict, judge_block};
use super::select::select;
use super::split::{Block, SpanReader};
use super::view::{Columns, HeadView, SpanView};
use super::{Request, Snapshot, TraceOrder};
use crate::SearchError;
use crate::execute::scan::{Limits, Range, Stop};
use crate::partition::Pinned;

/// How many threads one query uses.
const THREADS: usize = 2;
/// About how many spans of the head are one piece of work.
const HEAD_ROWS: usize = 4_096;

/// What becomes of the spans that match.
pub(super) trait Sink: Send + Sized + 'static {
    /// Whether it may have enough: then threads tell each other what they found after every piece.
    const STOPS_EARLY: bool;

    /// What it asks of a span, beside its time.
    fn fields(&self) -> Vec<Field>;
    /// One for another piece, which may leave out what comes too late for this one.
    fn fork(&self) -> Self;
    fn take<V: SpanView>(&mut self, view: &V) -> Result<(), SearchError>;
    /// Rows of a block, which ascend.
    fn take_block(&mut self, columns: &Columns, rows: &[u32]) -> Result<(), SearchError> {
        columns.views(rows).try_for_each(|view| self.take(&view))
    }
    /// Whether counts by service, name and kind may be all that it needs.
    fn takes_known(&self) -> bool {
        false
    }
    /// All spans of these operations in a block, unread; false if it has to see them.
    fn take_known(&mut self, _operations: &[Operation<'_>]) -> Result<bool, SearchError> {
        Ok(false)
    }
    fn merge(&mut self, other: Self) -> Result<(), SearchError>;
    /// Whether spans of at most this rank change nothing any more.
    fn is_enough(&self, _bound: i64) -> bool {
        false
    }
    fn size_bytes(&self) -> usize;
}

/// What the threads found.
pub(super) struct Gathered<S> {
    pub(super) sink: S,
    pub(super) matched: u64,
    pub(super) searched: u64,
    /// Nothing was left when it ended.
    pub(super) is_whole: bool,
    pub(super) warnings: Vec<String>,
}

impl TraceOrder {
    /// A span's rank: the greatest first.
    pub(super) fn rank(self, time_ns: i64, duration_ns: u64) -> i64 {
        match self {
            Self::Newest => time_ns,
            Self::Oldest => !time_ns,
            Self::Slowest => i64::try_from(duration_ns).unwrap_or(i64::MAX),
        }
    }

    /// The greatest rank between these times, of spans that are not longer.
    fn bound(self, min_time_ns: i64, max_time_ns: i64, max_duration_ns: u64) -> i64 {
        match self {
            Self::Oldest => self.rank(min_time_ns, 0),
            _ => self.rank(max_time_ns, max_duration_ns),
        }
    }
}

/// A piece of work, by the greatest rank in it, then in the order of finding.
struct Piece {
    bound: i64,
    number: u64,
    what: What,
}

enum What {
    Chunks(Vec<Arc<Chunk>>),
    Split(Arc<Pinned>),
    Block { split: Arc<Pinned>, reader: SpanReader, block: usize, is_judged: bool },
}

impl Ord for Piece {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.cmp(&other.bound).then_with(|| other.number.cmp(&self.number))
    }
}

impl PartialOrd for Piece {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Piece {}

/// Pieces that wait, and how many threads may still add some.
#[derive(Default)]
struct Queue {
    pieces: BinaryHeap<Piece>,
    pushed: u64,
    busy: usize,
    /// There is enough, or a thread has failed.
    is_over: bool,
}

impl Queue {
    fn push(&mut self, bound: i64, what: What) {
        self.pieces.push(Piece { bound, number: self.pushed, what });
        self.pushed += 1;
    }
}

/// What the threads of a query share.
struct Work<S> {
    filter: Expr,
    range: Range,
    order: TraceOrder,
    limits: Arc<Limits>,
    fields: Vec<Field>,
    queue: Mutex<Queue>,
    /// Told when pieces come, or no more will.
    changed: Condvar,
    gathered: Mutex<Gathered<S>>,
}

/// A thread that works on a piece, and may add others until it ends, in whatever way.
struct Busy<'w, S>(&'w Work<S>);

impl<S> Drop for Busy<'_, S> {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        queue.busy -= 1;
        queue.is_over |= std::thread::panicking();
        self.0.changed.notify_all();
    }
}

/// What one thread found since it told the others.
struct Own<S> {
    sink: S,
    matched: u64,
    searched: u64,
}

/// Scans what can match in the range; the caller holds the guard that cancels it.
pub(super) async fn gather<S: Sink>(
    snapshots: &[Snapshot],
    request: &Request,
    sink: S,
    limits: &Arc<Limits>,
) -> Result<Gathered<S>, SearchError> {
    let work = Arc::new(Work {
        filter: request.query.filter.clone(),
        range: Range { start_ns: request.start_ns, end_ns: request.end_ns },
        order: request.order,
        limits: limits.clone(),
        fields: sink.fields(),
        queue: Mutex::default(),
        changed: Condvar::new(),
        gathered: Mutex::new(Gathered {
            sink,
            matched: 0,
            searched: 0,
            is_whole: true,
            warnings: Vec::new(),
        }),
    });
    snapshots.iter().for_each(|snapshot| work.push_sources(snapshot));
    let scans: Vec<_> = (0..THREADS)
        .map(|_| {
            let work = work.clone();
            spawn_blocking(move || work.run())
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
    let work = Arc::into_inner(work).ok_or_else(|| SearchError::Internal("a scan did not end".to_owned()))?;
    let mut gathered = work.gathered.into_inner();
    gathered.is_whole = gathered.is_whole && work.queue.into_inner().pieces.is_empty();
    gathered.warnings.sort();
    gathered.warnings.dedup();
    Ok(gathered)
}

impl<S: Sink> Work<S> {
    /// The sources of a snapshot that overlap the range.
    fn push_sources(&self, snapshot: &Snapshot) {
        let mut queue = self.queue.lock();
        let overlapping =
            snapshot.chunks.iter().filter(|chunk| self.range.overlaps(chunk.min_time_ns, chunk.max_time_ns));
        let (mut piece, mut rows) = (Vec::new(), 0);
        for chunk in overlapping {
            rows += chunk.rows.len();
            piece.push(chunk.clone());
            if rows >= HEAD_ROWS {
                self.push_chunks(&mut queue, std::mem::take(&mut piece));
                rows = 0;
            }
        }
        if !piece.is_empty() {
            self.push_chunks(&mut queue, piece);
        }
        for split in snapshot.splits.iter() {
            let listed = split.listed();
            if self.range.overlaps(listed.min_time_ns, listed.max_time_ns) {
                let bound = self.order.bound(listed.min_time_ns, listed.max_time_ns, u64::MAX);
                queue.push(bound, What::Split(split.clone()));
            }
        }
    }

    fn push_chunks(&self, queue: &mut Queue, chunks: Vec<Arc<Chunk>>) {
        let bounds = chunks
            .iter()
            .map(|chunk| self.order.bound(chunk.min_time_ns, chunk.max_time_ns, chunk.max_duration_ns()));
        queue.push(bounds.max().unwrap_or(i64::MIN), What::Chunks(chunks));
    }

    fn run(&self) -> Result<(), SearchError> {
        let ended = self.work_off();
        if ended.is_err() {
            self.limits.cancel();
        }
        let mut queue = self.queue.lock();
        queue.is_over |= ended.is_err();
        self.changed.notify_all();
        ended
    }

    fn work_off(&self) -> Result<(), SearchError> {
        let mut own = self.begin();
        while let Some(piece) = self.next() {
            let _busy = Busy(self);
            self.limits.check()?;
            match self.piece(piece, &mut own) {
                Ok(()) => {}
                Err(Stop::Query(error)) => return Err(error),
                Err(Stop::Source(error)) => return Err(SearchError::Internal(error.to_string())),
            }
            self.limits.check_size(own.sink.size_bytes(), "what was found")?;
            if S::STOPS_EARLY {
                self.tell(std::mem::replace(&mut own, self.begin()))?;
            }
        }
        self.tell(own)
    }

    fn begin(&self) -> Own<S> {
        Own { sink: self.gathered.lock().sink.fork(), matched: 0, searched: 0 }
    }

    fn tell(&self, own: Own<S>) -> Result<(), SearchError> {
        let mut gathered = self.gathered.lock();
        gathered.matched += own.matched;
        gathered.searched += own.searched;
        gathered.sink.merge(own.sink)?;
        self.limits.check_size(gathered.sink.size_bytes(), "what was found")
    }

    /// The next piece; `None` when nothing is left that could change the answer.
    fn next(&self) -> Option<Piece> {
        let mut queue = self.queue.lock();
        loop {
            if queue.is_over {
                return None;
            }
            let best = queue.pieces.peek().map(|piece| piece.bound);
            let is_late = |bound: i64| S::STOPS_EARLY && self.gathered.lock().sink.is_enough(bound);
            if best.is_some_and(|bound| !is_late(bound)) {
                queue.busy += 1;
                return queue.pieces.pop();
            }
            // A thread at work may add better pieces: a split's blocks.
            if queue.busy == 0 {
                queue.is_over = true;
                self.changed.notify_all();
                return None;
            }
            self.changed.wait(&mut queue);
        }
    }

    fn piece(&self, piece: Piece, own: &mut Own<S>) -> Result<(), Stop> {
        match piece.what {
            What::Chunks(chunks) => chunks.iter().try_for_each(|chunk| self.chunk(chunk, own)),
            What::Split(split) => {
                let opened = self.open(&split);
                self.unless_unreadable(&split, opened)
            }
            What::Block { split, reader, block, is_judged } => {
                let scanned = self.block(&split, &reader, block, (piece.bound, is_judged), own);
                self.unless_unreadable(&split, scanned)
            }
        }
    }

    /// A split that cannot be read is left out, and the answer says so.
    fn unless_unreadable(&self, split: &Arc<Pinned>, done: Result<(), Stop>) -> Result<(), Stop> {
        let Err(Stop::Source(error)) = done else { return done };
        split.note(&error);
        let warning = format!("split {} is left out: {error}", split.listed().name);
        self.gathered.lock().warnings.push(warning);
        Ok(())
    }

    fn contains(&self, time_ns: i64) -> bool {
        self.range.overlaps(time_ns, time_ns)
    }

    fn chunk(&self, chunk: &Chunk, own: &mut Own<S>) -> Result<(), Stop> {
        own.searched += chunk.rows.len() as u64;
        let verdicts: Vec<Verdict> =
            chunk.operations().map(|operation| operation.judge(&self.filter)).collect();
        if verdicts.iter().all(|verdict| *verdict == Verdict::None) {
            return Ok(());
        }
        for (row, span) in chunk.rows.iter().enumerate() {
            let verdict = verdicts[span.operation as usize];
            if verdict == Verdict::None || !self.contains(span.time_ns) {
                continue;
            }
            let view = HeadView::new(chunk, row);
            if verdict == Verdict::All || self.filter.matches(&view) {
                own.matched += 1;
                own.sink.take(&view)?;
            }
        }
        Ok(())
    }

    /// Adds the blocks of a split.
    fn open(&self, split: &Arc<Pinned>) -> Result<(), Stop> {
        let reader = SpanReader::open(split.sound()?)?;
        let mut queue = self.queue.lock();
        for (block, meta) in reader.blocks().iter().enumerate() {
            if self.range.overlaps(meta.min_time_ns, meta.max_time_ns) {
                let bound = self.order.bound(meta.min_time_ns, meta.max_time_ns, meta.max_duration_ns);
                let (split, reader) = (split.clone(), reader.clone());
                queue.push(bound, What::Block { split, reader, block, is_judged: false });
            }
        }
        Ok(())
    }

    fn block(
        &self,
        split: &Arc<Pinned>,
        reader: &SpanReader,
        number: usize,
        (bound, is_judged): (i64, bool),
        own: &mut Own<S>,
    ) -> Result<(), Stop> {
        split.sound()?;
        let meta = &reader.blocks()[number];
        let is_inside = self.contains(meta.min_time_ns) && self.contains(meta.max_time_ns);
        let mut judged = Judged { verdict: Verdict::All, max_duration_ns: u64::MAX, whole: None };
        let (statistics, tables);
        if self.filter != Expr::All || is_inside && own.sink.takes_known() {
            (statistics, tables) = (reader.statistics()?, reader.tables()?);
            let operations = statistics.of(number).iter().map(|known| Operation::of_split(known, &tables));
            judged = judge_block(&self.filter, operations);
        }
        let Judged { verdict, max_duration_ns, whole } = judged;
        if verdict == Verdict::None {
            own.searched += u64::from(meta.rows);
            return Ok(());
        }
        if let Some(whole) = whole.filter(|_| is_inside && own.sink.takes_known())
            && own.sink.take_known(&whole)?
        {
            own.searched += u64::from(meta.rows);
            own.matched += whole.iter().map(|operation| operation.spans).sum::<u64>();
            return Ok(());
        }
        // What can match may be shorter than what is longest in the block.
        if self.order == TraceOrder::Slowest && S::STOPS_EARLY && !is_judged {
            let closer = self.order.rank(0, max_duration_ns);
            if closer < bound {
                let (split, reader) = (split.clone(), reader.clone());
                let what = What::Block { split, reader, block: number, is_judged: true };
                self.queue.lock().push(closer, what);
                return Ok(());
            }
        }
        own.searched += u64::from(meta.rows);
        let block = reader.block(number);
        let rows = if is_inside { (0..meta.rows).collect() } else { self.rows_in_range(&block)? };
        let rows = if verdict == Verdict::All { rows } else { select(&self.filter, &block, rows)? };
        if rows.is_empty() {
            return Ok(());
        }
        own.matched += rows.len() as u64;
        let columns = Columns::read(&block, &self.fields)?;
        Ok(own.sink.take_block(&columns, &rows)?)
    }

    fn rows_in_range(&self, block: &Block) -> Result<Vec<u32>, Stop> {
        let times = block.times()?;
        let rows = 0..times.len() as u32;
        Ok(rows.filter(|row| self.contains(times[*row as usize])).collect())
    }
}
