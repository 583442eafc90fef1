//! The integrity check of one file: reads every part of a split and compares what
//! its parts say of each other.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use telemetry::otlp::LogRecord;

use super::block::listed;
use super::format::{HEAD_MAGIC, PAGE_BYTES, SEVERITIES};
use super::reader::WholeBlock;
use super::{ReadError, SplitReader, bloom};
use crate::spans::split as spans;

/// Checks the bytes of a split of logs or of spans: how many rows it has, or what is wrong with it first.
///
/// Every section's checksum is compared, every block decoded, every record put together, every word of the
/// index looked up. Keys must ascend, statistics must be those of the rows, filters must know the trace ids.
/// That records or words are those that were written is only as sure as the checksums.
///
/// Never panics, whatever the bytes. Holds a block at a time, at most some hundred MiB if they are hostile.
pub fn check_split(bytes: &[u8]) -> Result<u64, String> {
    let bytes = Bytes::copy_from_slice(bytes);
    // The libraries that read compressed numbers and the index may trust bytes that have the right checksum.
    let checked = catch_unwind(AssertUnwindSafe(|| match spans::is_span_file(&bytes) {
        true => spans::check(bytes),
        false => check(bytes),
    }));
    let checked = checked.unwrap_or_else(|_| damaged("its bytes crash the reader"));
    checked.map_err(|error| error.to_string())
}

fn damaged<T>(what: &str) -> Result<T, ReadError> {
    Err(ReadError::Damaged(what.to_owned()))
}

fn check(bytes: Bytes) -> Result<u64, ReadError> {
    if !bytes.starts_with(HEAD_MAGIC) {
        return damaged("the blob does not begin as a split does");
    }
    let split = SplitReader::of_bytes(bytes)?;
    let tables = split.tables()?;
    let statistics = split.statistics()?;
    let mut last = None;
    for block in 0..split.footer.blocks.len() {
        let rows = split.whole(block, &tables)?;
        check_order(&rows, &mut last)?;
        check_statistics(&split, block, &rows)?;
        check_records(&split, block, &rows)?;
        if let (Some(statistics), Some(codes)) = (&statistics, rows.codes())
            && !statistics.agree(block, codes)
        {
            return damaged("the statistics say other things of bodies than their rows");
        }
    }
    check_index(&split, tables.documents(split.footer.rows, statistics.as_deref()))?;
    Ok(split.footer.rows)
}

/// Keys ascend, in the block and from the one before it.
fn check_order(rows: &WholeBlock, last: &mut Option<(i64, u64)>) -> Result<(), ReadError> {
    for key in rows.times.iter().copied().zip(rows.seqs.iter().copied()) {
        if last.is_some_and(|last| last >= key) {
            return damaged("its rows are out of order");
        }
        *last = Some(key);
    }
    Ok(())
}

/// What the footer says of a block is so.
fn check_statistics(split: &SplitReader, block: usize, rows: &WholeBlock) -> Result<(), ReadError> {
    let meta = split.block(block);
    let mut severities = [0u32; SEVERITIES];
    rows.severities.iter().for_each(|severity| severities[usize::from(*severity)] += 1);
    let times = (rows.times.first().copied(), rows.times.last().copied());
    let same = times == (Some(meta.min_time_ns), Some(meta.max_time_ns))
        && severities == meta.severities
        && listed(&rows.streams) == meta.streams;
    if same { Ok(()) } else { damaged("the footer says other things of a block than its rows") }
}

/// Every record can be put together and its trace is in the filter.
fn check_records(split: &SplitReader, block: usize, rows: &WholeBlock) -> Result<(), ReadError> {
    let filter = split.bloom(block)?;
    if !rows.traces.ids().iter().all(|id| bloom::may_contain(&filter, bloom::trace_hash(id))) {
        return damaged("the filter of a block lacks a trace id");
    }
    let (mut record, mut body) = (Vec::new(), Vec::new());
    for row in 0..rows.rows() {
        record.clear();
        rows.row(row, &mut body).rebuild(&mut record);
        let _read = LogRecord::of_valid(&record);
    }
    Ok(())
}

/// Every page is sound, and what the index says is of documents that exist.
fn check_index(split: &SplitReader, documents: u64) -> Result<(), ReadError> {
    for file in &split.footer.index {
        let mut left = file.len;
        for page in &file.pages {
            let len = left.min(PAGE_BYTES as u64);
            if u64::from(page.len) != len {
                return damaged("an index page has the wrong length");
            }
            left -= len;
            split.file.section(page, "an index page")?;
        }
    }
    match split.index()? {
        Some(index) => index.check(documents),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
