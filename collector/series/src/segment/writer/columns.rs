//! Time columns, each content once: series that are scraped together share theirs.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_128;

use super::Out;
use crate::encode::encode_times;
use crate::partition::SeriesError;
use crate::segment::directory::{Column, put_columns};
use crate::segment::format::ColumnBlock;

const BLOCK_BYTES: usize = 64 << 10;
const BLOCK_COLUMNS: usize = 4096;

#[derive(Default)]
pub(super) struct Columns {
    /// By the hash of the times.
    known: HashMap<u128, u32>,
    count: u32,
    data: Vec<u8>,
    open: Vec<Column>,
    blocks: Vec<ColumnBlock>,
    scratch: Vec<u8>,
}

impl Columns {
    /// The number of the column that has these times; not empty.
    pub(super) fn number(&mut self, times_ms: &[i64], out: &mut Out) -> Result<u32, SeriesError> {
        self.scratch.clear();
        self.scratch.extend(times_ms.iter().flat_map(|time_ms| time_ms.to_le_bytes()));
        let hash = xxh3_128(&self.scratch);
        if let Some(number) = self.known.get(&hash) {
            return Ok(*number);
        }
        let at = self.data.len() as u32;
        encode_times(times_ms, &mut self.data);
        self.open.push(Column {
            at,
            len: self.data.len() as u32 - at,
            rows: times_ms.len() as u32,
            min_ms: times_ms.first().copied().unwrap_or_default(),
            max_ms: times_ms.last().copied().unwrap_or_default(),
        });
        let number = self.count;
        self.known.insert(hash, number);
        self.count += 1;
        if self.data.len() >= BLOCK_BYTES || self.open.len() >= BLOCK_COLUMNS {
            self.write_block(out)?;
        }
        Ok(number)
    }

    fn write_block(&mut self, out: &mut Out) -> Result<(), SeriesError> {
        if self.open.is_empty() {
            return Ok(());
        }
        let mut raw = Vec::new();
        put_columns(&mut raw, &self.open);
        let first = self.count - self.open.len() as u32;
        let (directory, data) = (out.put_packed(&raw)?, out.put(&self.data)?);
        self.blocks.push(ColumnBlock { first, directory, data });
        self.open.clear();
        self.data.clear();
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Out) -> Result<Vec<ColumnBlock>, SeriesError> {
        self.write_block(out)?;
        Ok(std::mem::take(&mut self.blocks))
    }
}
