//! Reads the records of a page whole.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::Hit;
use super::collect::Place;
use super::scan::Limits;
use crate::SearchError;
use crate::key::RowKey;
use crate::partition::Pinned;
use crate::split::reader::WholeBlock;
use crate::split::{ReadError, Stream};

/// The records in their order; what cannot be read is left out with a warning.
pub(super) async fn fetch(
    found: Vec<(RowKey, Place)>,
    limits: Arc<Limits>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Hit>, SearchError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let fetched = spawn_blocking(move || read(&found, &limits)).await;
    let (hits, new_warnings) = fetched.map_err(|error| SearchError::Internal(error.to_string()))??;
    for warning in new_warnings {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    Ok(hits)
}

fn read(found: &[(RowKey, Place)], limits: &Limits) -> Result<(Vec<Hit>, Vec<String>), SearchError> {
    let (mut hits, mut warnings) = (Vec::with_capacity(found.len()), Vec::new());
    let mut size_bytes = 0;
    // Rows of one block mostly follow each other.
    let mut open: Option<OpenBlock> = None;
    for (key, place) in found {
        let hit = match place {
            Place::Head(chunk, row) => {
                let row = *row as usize;
                Hit { key: *key, stream: chunk.stream(row).clone(), record: chunk.raw(row) }
            }
            Place::Split(split, block, row) => {
                if !open.as_ref().is_some_and(|open| open.is(split, *block)) {
                    limits.check()?;
                }
                match OpenBlock::hit(&mut open, split, *block, *row, *key) {
                    Ok(hit) => hit,
                    Err(error) => {
                        split.note(&error);
                        warnings.push(format!("split {} is left out: {error}", split.listed().name));
                        continue;
                    }
                }
            }
        };
        size_bytes += hit.record.len() + size_of::<Hit>();
        limits.check_size(size_bytes, "the records of a page")?;
        hits.push(hit);
    }
    Ok((hits, warnings))
}

/// A block of a split that is read whole; rows that follow each other mostly share one.
pub(crate) struct OpenBlock {
    split: Arc<Pinned>,
    block: u32,
    rows: WholeBlock,
    streams: Arc<Vec<Stream>>,
}

impl OpenBlock {
    fn is(&self, split: &Arc<Pinned>, block: u32) -> bool {
        Arc::ptr_eq(&self.split, split) && self.block == block
    }

    /// One row; `open` is kept for the next.
    pub(crate) fn hit(
        open: &mut Option<Self>,
        split: &Arc<Pinned>,
        block: u32,
        row: u32,
        key: RowKey,
    ) -> Result<Hit, ReadError> {
        let open = match open.take().filter(|open| open.is(split, block)) {
            Some(known) => open.insert(known),
            None => open.insert(Self::read(split, block)?),
        };
        let stream = open.streams[open.rows.streams[row as usize] as usize].clone();
        let (mut record, mut body) = (Vec::new(), Vec::new());
        open.rows.row(row as usize, &mut body).rebuild(&mut record);
        Ok(Hit { key, stream, record: record.into() })
    }

    fn read(split: &Arc<Pinned>, block: u32) -> Result<Self, ReadError> {
        let reader = split.open()?;
        let streams = reader.streams()?;
        let rows = reader.whole(block as usize, &reader.tables()?)?;
        Ok(Self { split: split.clone(), block, rows, streams })
    }
}
