//! Where in a segment the chunks of its series are: groups of series, time columns, histograms, exemplars.

use telemetry::LabelSet;
use telemetry::samples::Exemplar;

use super::format::{CHUNK_ROWS, GROUP_SERIES, HISTOGRAM_ROWS, Section, put_section, read_section};
use crate::wire::{Malformed, Reader, put_bytes, put_float, put_signed, put_varint};

type Read<T> = Result<T, Malformed>;

/// A run of one series' samples in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Its column of times.
    pub(crate) column: u32,
    /// Whether its last sample is the stale marker.
    pub(crate) ends_stale: bool,
}

/// Chunks of neighbouring series that are encoded together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) section: Section,
    /// One per series of the group; a series may have none here.
    pub(crate) chunks: Vec<Option<Chunk>>,
}

/// Up to 16 neighbouring series of one metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) first: u32,
    pub(crate) series: u32,
    /// Number of its first page in the segment.
    pub(crate) first_page: u32,
    /// In order of time for each series.
    pub(crate) pages: Vec<Page>,
}

pub(crate) fn put_groups(out: &mut Vec<u8>, groups: &[Group]) {
    put_varint(out, groups.len() as u64);
    for group in groups {
        put_varint(out, u64::from(group.series));
        put_varint(out, group.pages.len() as u64);
        let mut before = 0i64;
        for page in &group.pages {
            put_section(out, &page.section);
            for chunk in &page.chunks {
                // The lowest bit says whether it ends stale; 0 is no chunk.
                let code = chunk.map_or(0, |chunk| {
                    let step = i64::from(chunk.column) - before;
                    before = i64::from(chunk.column);
                    (((step << 1) ^ (step >> 63)) as u64) << 1 | u64::from(chunk.ends_stale)
                });
                put_varint(out, if chunk.is_some() { code + 1 } else { 0 });
            }
        }
    }
}

pub(crate) fn read_groups(bytes: &[u8], mut first: u32, mut first_page: u32) -> Read<Vec<Group>> {
    let mut reader = Reader::new(bytes);
    let mut groups = Vec::new();
    for _ in 0..reader.count(2)? {
        let series = reader.u32()?;
        if series == 0 || series as usize > GROUP_SERIES {
            return Err(reader.malformed());
        }
        let count = reader.count(6)?;
        let (mut pages, mut before) = (Vec::with_capacity(count), 0i64);
        for _ in 0..count {
            let section = read_section(&mut reader)?;
            let mut chunks = Vec::with_capacity(series as usize);
            for _ in 0..series {
                let Some(code) = reader.varint()?.checked_sub(1) else {
                    chunks.push(None);
                    continue;
                };
                let step = code >> 1;
                before = before.wrapping_add((step >> 1) as i64 ^ -((step & 1) as i64));
                let column = u32::try_from(before).map_err(|_| reader.malformed())?;
                chunks.push(Some(Chunk { column, ends_stale: code & 1 == 1 }));
            }
            pages.push(Page { section, chunks });
        }
        groups.push(Group { first, series, first_page, pages });
        first = first.checked_add(series).ok_or_else(|| reader.malformed())?;
        first_page = first_page.checked_add(count as u32).ok_or_else(|| reader.malformed())?;
    }
    Ok(groups)
}

/// What is known of a column of times without decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Where its bytes begin in its block, and how many they are.
    pub(crate) at: u32,
    pub(crate) len: u32,
    pub(crate) rows: u32,
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
}

pub(crate) fn put_columns(out: &mut Vec<u8>, columns: &[Column]) {
    put_varint(out, columns.len() as u64);
    let mut before = 0i64;
    for column in columns {
        put_varint(out, u64::from(column.len));
        put_varint(out, u64::from(column.rows));
        put_signed(out, column.min_ms.wrapping_sub(before));
        put_varint(out, column.max_ms.wrapping_sub(column.min_ms) as u64);
        before = column.min_ms;
    }
}

pub(crate) fn read_columns(bytes: &[u8]) -> Read<Vec<Column>> {
    let mut reader = Reader::new(bytes);
    let (mut columns, mut at, mut before) = (Vec::new(), 0u32, 0i64);
    for _ in 0..reader.count(4)? {
        let (len, rows) = (reader.u32()?, reader.u32()?);
        if rows as usize > CHUNK_ROWS {
            return Err(reader.malformed());
        }
        let min_ms = before.wrapping_add(reader.signed()?);
        let max_ms = min_ms.wrapping_add(reader.varint()? as i64);
        columns.push(Column { at, len, rows, min_ms, max_ms });
        at = at.checked_add(len).ok_or_else(|| reader.malformed())?;
        before = min_ms;
    }
    Ok(columns)
}

/// A run of one series' histograms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistogramChunk {
    pub(crate) series: u32,
    pub(crate) section: Section,
    pub(crate) rows: u32,
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
}

pub(crate) fn put_histogram_chunks(out: &mut Vec<u8>, chunks: &[HistogramChunk]) {
    put_varint(out, chunks.len() as u64);
    let mut before = 0;
    for chunk in chunks {
        put_varint(out, u64::from(chunk.series - before));
        put_section(out, &chunk.section);
        put_varint(out, u64::from(chunk.rows));
        put_signed(out, chunk.min_ms);
        put_varint(out, chunk.max_ms.wrapping_sub(chunk.min_ms) as u64);
        before = chunk.series;
    }
}

/// In order of series, then time.
pub(crate) fn read_histogram_chunks(bytes: &[u8]) -> Read<Vec<HistogramChunk>> {
    let mut reader = Reader::new(bytes);
    let (mut chunks, mut series) = (Vec::new(), 0u32);
    for _ in 0..reader.count(10)? {
        series = series.checked_add(reader.u32()?).ok_or_else(|| reader.malformed())?;
        let (section, rows) = (read_section(&mut reader)?, reader.u32()?);
        if rows as usize > HISTOGRAM_ROWS {
            return Err(reader.malformed());
        }
        let min_ms = reader.signed()?;
        let max_ms = min_ms.wrapping_add(reader.varint()? as i64);
        chunks.push(HistogramChunk { series, section, rows, min_ms, max_ms });
    }
    Ok(chunks)
}

pub(crate) fn put_exemplars(out: &mut Vec<u8>, series: u32, exemplars: &[Exemplar]) {
    put_varint(out, u64::from(series));
    put_varint(out, exemplars.len() as u64);
    for exemplar in exemplars {
        put_bytes(out, exemplar.labels.as_bytes());
        put_float(out, exemplar.value);
        put_signed(out, exemplar.time_ms);
    }
}

/// In order of series.
pub(crate) fn read_exemplars(bytes: &[u8]) -> Read<Vec<(u32, Vec<Exemplar>)>> {
    let mut reader = Reader::new(bytes);
    let mut all = Vec::new();
    while !reader.is_at_end() {
        let series = reader.u32()?;
        let mut exemplars = Vec::new();
        for _ in 0..reader.count(10)? {
            let labels = LabelSet::of_canonical(reader.bytes()?);
            let (value, time_ms) = (reader.float()?, reader.signed()?);
            exemplars.push(Exemplar { labels, value, time_ms });
        }
        all.push((series, exemplars));
    }
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn more_rows_than_a_chunk_has_are_refused() {
        for (rows, is_taken) in [(480, true), (481, false), (u32::MAX, false)] {
            let mut bytes = Vec::new();
            put_columns(&mut bytes, &[Column { at: 0, len: 3, rows, min_ms: 1, max_ms: 2 }]);
            assert_eq!(read_columns(&bytes).is_ok(), is_taken, "{rows}");
        }
        for (rows, is_taken) in [(120, true), (121, false), (u32::MAX, false)] {
            let chunk = HistogramChunk { series: 0, section: Section::default(), rows, min_ms: 1, max_ms: 2 };
            let mut bytes = Vec::new();
            put_histogram_chunks(&mut bytes, &[chunk]);
            bytes.extend([0; 4]);
            assert_eq!(read_histogram_chunks(&bytes).is_ok(), is_taken, "{rows}");
        }
    }
}
