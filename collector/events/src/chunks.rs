//! The list of a head's chunks: one per journal record, immutable, in journal order.

use std::sync::{Arc, OnceLock};

/// The rows of one journal record, of logs or of spans.
pub(crate) trait HeadChunk: Send + Sync + 'static {
    /// What is made once of many chunks that stay together, to find rows in them.
    type Index: Send + Sync;

    /// The journal record's offset.
    fn offset(&self) -> u64;
    /// How many rows.
    fn row_count(&self) -> usize;
    /// When the batch was received.
    fn received_at_ns(&self) -> i64;
    /// Memory that it holds; seals and pushing back go by it.
    fn size_bytes(&self) -> usize;
}

/// How many chunks share one allocation of the list.
const RUN: usize = 256;

/// Chunks in journal order. Cloning is cheap, so that a snapshot of a long head is too.
pub(crate) struct Chunks<C: HeadChunk> {
    runs: Vec<Arc<Run<C>>>,
}

/// Chunks that share one allocation.
pub(crate) struct Run<C: HeadChunk> {
    pub(crate) chunks: Vec<Arc<C>>,
    index: OnceLock<C::Index>,
}

impl<C: HeadChunk> Run<C> {
    /// What was made of it by the first who asked; only full runs stay as they are for long enough.
    pub(crate) fn index(&self, build: impl FnOnce(&[Arc<C>]) -> C::Index) -> Option<&C::Index> {
        (self.chunks.len() == RUN).then(|| self.index.get_or_init(|| build(&self.chunks)))
    }
}

impl<C: HeadChunk> Clone for Run<C> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone(), index: OnceLock::new() }
    }
}

impl<C: HeadChunk> Clone for Chunks<C> {
    fn clone(&self) -> Self {
        Self { runs: self.runs.clone() }
    }
}

impl<C: HeadChunk> Default for Chunks<C> {
    fn default() -> Self {
        Self { runs: Vec::new() }
    }
}

impl<C: HeadChunk> Chunks<C> {
    pub(crate) fn push(&mut self, chunk: Arc<C>) {
        match self.runs.last_mut() {
            Some(run) if run.chunks.len() < RUN => Arc::make_mut(run).chunks.push(chunk),
            _ => self.runs.push(Arc::new(Run { chunks: vec![chunk], index: OnceLock::new() })),
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<C>> {
        self.runs.iter().flat_map(|run| run.chunks.iter())
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run<C>> {
        self.runs.iter().map(|run| &**run)
    }

    /// Those above `offset`.
    pub(crate) fn after(&self, offset: u64) -> Self {
        let mut kept = Self::default();
        self.iter().filter(|chunk| chunk.offset() > offset).for_each(|chunk| kept.push(chunk.clone()));
        kept
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}
