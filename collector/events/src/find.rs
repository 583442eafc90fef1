//! One row by its id, wherever it is: in the head by its place in the journal, in
//! splits by the column of places, which few of them come to.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::spawn_blocking;

use crate::SearchError;
use crate::chunks::Chunks;
use crate::execute::Hit;
use crate::execute::fetch::OpenBlock;
use crate::head::Chunk;
use crate::key::{RecordId, RowKey};
use crate::partition::{Pinned, Snapshot};
use crate::split::ReadError;

/// What was found under an id.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The record; `None` if there is none (any more), or it is where nothing can be read.
    pub hit: Option<Hit>,
    /// What could not be read, for people.
    pub warnings: Vec<String>,
}

/// Finds a record by its id. Gives up at the deadline.
pub async fn find(
    snapshots: &[Snapshot],
    id: RecordId,
    deadline: Option<Instant>,
) -> Result<Found, SearchError> {
    let Some(snapshot) = snapshots.iter().find(|snapshot| snapshot.partition == id.partition) else {
        return Ok(Found::default());
    };
    let snapshot = snapshot.clone();
    let found = spawn_blocking(move || match in_head(&snapshot.chunks, id) {
        Some(hit) => Ok(Found { hit: Some(hit), warnings: Vec::new() }),
        None => in_splits(&snapshot.splits, id, deadline),
    });
    found.await.map_err(|error| SearchError::Internal(error.to_string()))?
}

fn in_head(chunks: &Chunks<Chunk>, id: RecordId) -> Option<Hit> {
    let chunk = chunks.iter().rev().find(|chunk| chunk.offset <= id.offset())?;
    let row = (id.seq - chunk.seq(0).min(id.seq)) as usize;
    (chunk.offset == id.offset() && row < chunk.rows.len()).then(|| head_hit(chunk, row, id.partition))
}

/// A row of the head as a search would find it.
pub(crate) fn head_hit(chunk: &Arc<Chunk>, row: usize, partition: u16) -> Hit {
    let key = RowKey { time_ns: chunk.rows[row].time_ns, partition, seq: chunk.seq(row) };
    Hit { key, stream: chunk.stream(row).clone(), record: chunk.raw(row) }
}

fn in_splits(splits: &[Arc<Pinned>], id: RecordId, deadline: Option<Instant>) -> Result<Found, SearchError> {
    let mut found = Found::default();
    let may_hold = |split: &&Arc<Pinned>| (split.listed().min_seq..=split.listed().max_seq).contains(&id.seq);
    for split in splits.iter().filter(may_hold) {
        match in_split(split, id, deadline) {
            Ok(Ok(None)) => {}
            Ok(Ok(hit)) => return Ok(Found { hit, warnings: Vec::new() }),
            Ok(Err(error)) => {
                split.note(&error);
                found.warnings.push(format!("split {} is left out: {error}", split.listed().name));
            }
            Err(timeout) => return Err(timeout),
        }
    }
    Ok(found)
}

type Read = Result<Option<Hit>, ReadError>;

fn in_split(split: &Arc<Pinned>, id: RecordId, deadline: Option<Instant>) -> Result<Read, SearchError> {
    let reader = match split.open() {
        Ok(reader) => reader,
        Err(error) => return Ok(Err(error)),
    };
    for block in 0..reader.footer.blocks.len() {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(SearchError::Timeout);
        }
        let seqs = match reader.seqs(block) {
            Ok(seqs) => seqs,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(row) = seqs.iter().position(|seq| *seq == id.seq) {
            return Ok(whole_row(split, block, row, id));
        }
    }
    Ok(Ok(None))
}

fn whole_row(split: &Arc<Pinned>, block: usize, row: usize, id: RecordId) -> Read {
    let time_ns = split.open()?.times(block)?[row];
    let key = RowKey { time_ns, partition: id.partition, seq: id.seq };
    OpenBlock::hit(&mut None, split, block as u32, row as u32, key).map(Some)
}
