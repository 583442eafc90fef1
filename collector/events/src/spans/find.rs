//! Where the spans of a trace are: by the index of each chunk and split, whatever their times.

use std::sync::Arc;

use super::head::{self, Chunk};
use super::split::{Block, SpanReader};
use super::{Snapshot, TraceId};
use crate::SearchError;
use crate::execute::scan::Limits;
use crate::partition::Pinned;
use crate::split::ReadError;

/// Some spans of a trace.
pub(super) struct Part {
    pub(super) partition: u16,
    pub(super) source: Source,
    /// Ascending.
    pub(super) rows: Vec<u32>,
}

/// Where they are.
pub(super) enum Source {
    Head(Arc<Chunk>),
    Block { split: Arc<Pinned>, block: Block },
}

/// Every part of a trace; what cannot be read is left out and said in `warnings`. Blocks.
pub(super) fn parts(
    snapshots: &[Snapshot],
    id: &TraceId,
    limits: &Limits,
    warnings: &mut Vec<String>,
) -> Result<Vec<Part>, SearchError> {
    let mut parts = Vec::new();
    for snapshot in snapshots {
        let partition = snapshot.partition;
        for chunk in head::chunks_of(&snapshot.chunks, id) {
            let rows = chunk.rows_of(id).to_vec();
            if !rows.is_empty() {
                parts.push(Part { partition, source: Source::Head(chunk.clone()), rows });
            }
        }
        for split in snapshot.splits.iter() {
            limits.check()?;
            match in_split(split, id) {
                Ok(found) => parts.extend(found.into_iter().map(|(block, rows)| {
                    let source = Source::Block { split: split.clone(), block };
                    Part { partition, source, rows }
                })),
                Err(error) => leave_out(split, &error, warnings),
            }
        }
    }
    Ok(parts)
}

fn in_split(split: &Pinned, id: &TraceId) -> Result<Vec<(Block, Vec<u32>)>, ReadError> {
    let reader = SpanReader::open(split.sound()?)?;
    let found = reader.trace(id)?.into_iter();
    Ok(found
        .map(|place| {
            let rows = place.rows.start as u32..place.rows.end as u32;
            (reader.block(place.block), rows.collect())
        })
        .collect())
}

/// Notes that a split cannot be read.
pub(super) fn leave_out(split: &Pinned, error: &ReadError, warnings: &mut Vec<String>) {
    split.note(error);
    let warning = format!("split {} is left out: {error}", split.listed().name);
    if !warnings.contains(&warning) {
        warnings.push(warning);
    }
}
