//! What a reader of a segment has at hand. Series that follow one another have their parts in common: asking the cache
//! for each of them would cost more than the reading.

use std::sync::Arc;

use super::directory::{Column, Group};
use super::file::ReadError;
use super::reader::{LabelBlock, SegmentReader, damaged};

/// The parts that were looked at last, of one segment.
#[derive(Default)]
pub(crate) struct OpenParts {
    pub(super) groups: Slot<usize, Vec<Group>>,
    pub(super) columns: OpenColumns,
    pub(super) times: Slot<u32, Vec<i64>>,
    pub(super) page: Slot<u32, Vec<Vec<f64>>>,
    pub(super) labels: Slot<usize, LabelBlock>,
}

/// A part and its number.
pub(super) struct Slot<K, T>(Option<(K, Arc<T>)>);

impl<K, T> Default for Slot<K, T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: Copy + PartialEq, T> Slot<K, T> {
    /// The part of this number, read if it is another than last time.
    pub(super) fn get(
        &mut self,
        number: K,
        read: impl FnOnce() -> Result<Arc<T>, ReadError>,
    ) -> Result<Arc<T>, ReadError> {
        if let Some((open, part)) = &self.0
            && *open == number
        {
            return Ok(Arc::clone(part));
        }
        let part = read()?;
        self.0 = Some((number, Arc::clone(&part)));
        Ok(part)
    }
}

/// The block of the directory of times that was looked at last.
#[derive(Default)]
pub(super) struct OpenColumns(Slot<usize, Vec<Column>>);

impl OpenColumns {
    pub(super) fn get(&mut self, reader: &SegmentReader, column: u32) -> Result<Column, ReadError> {
        let (position, at) = reader.column_block(column)?;
        let columns = self.0.get(position, || reader.columns(position))?;
        match columns.get(at) {
            Some(column) => Ok(*column),
            None => damaged("a chunk has no times"),
        }
    }
}
