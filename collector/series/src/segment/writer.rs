//! Writes a segment front to back: series in order, index and footer last. Holds a group of
//! series, the index and what was not handed to the store yet.

mod columns;
mod index;

use std::sync::Arc;

use object_store::ObjectStore;
use promql::Values;
use sealed::{PART_BYTES, Upload};
use telemetry::Labels;
use telemetry::samples::{Exemplar, is_stale};

use super::SegmentRef;
use super::directory::{Chunk, Group, HistogramChunk, Page, put_exemplars, put_groups, put_histogram_chunks};
use super::format::{
    BLOCK_GROUPS, CHUNK_ROWS, Footer, GROUP_SERIES, GroupBlock, HEAD_MAGIC, HISTOGRAM_ROWS, Section,
    TAIL_MAGIC, VERSION, pack,
};
use crate::encode::{encode_histograms, encode_page};
use crate::partition::SeriesError;
use columns::Columns;
use index::IndexWriter;

/// Level of the tables.
const LEVEL: i32 = 3;
/// A segment has no more bytes of exemplars; those of the last series in order are left out.
const MAX_EXEMPLAR_BYTES: usize = 32 << 20;

/// What a segment says of itself.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) tenant: String,
    pub(crate) partition: u16,
    pub(crate) min_offset: u64,
    pub(crate) max_offset: u64,
    pub(crate) clean_offset: u64,
}

/// A segment that is being written; blocks, so only for threads that may.
pub(crate) struct SegmentWriter {
    out: Out,
    footer: Footer,
    columns: Columns,
    index: IndexWriter,
    /// The metric of the open group, and its series' samples.
    metric: String,
    group: Vec<Values>,
    groups: Vec<Group>,
    /// Series and pages of the groups that are written.
    grouped: u32,
    pages: u32,
    histograms: Vec<HistogramChunk>,
    exemplars: Vec<u8>,
}

/// Bytes on their way to the store.
pub(super) struct Out {
    upload: Upload,
    buffer: Vec<u8>,
    offset: u64,
}

impl Out {
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<Section, SeriesError> {
        let len = u32::try_from(bytes.len()).map_err(|_| self.failed("a section is too large"))?;
        let section = Section { offset: self.offset, len, crc: crc32c::crc32c(bytes) };
        self.buffer.extend_from_slice(bytes);
        self.offset += u64::from(len);
        if self.buffer.len() >= PART_BYTES {
            let part = std::mem::take(&mut self.buffer);
            self.upload.push(part)?;
        }
        Ok(section)
    }

    /// Writes a table, compressed; an empty one is no section.
    pub(super) fn put_packed(&mut self, raw: &[u8]) -> Result<Section, SeriesError> {
        if raw.is_empty() {
            return Ok(Section::default());
        }
        let packed = pack(raw, LEVEL).map_err(|error| self.failed(&error.to_string()))?;
        self.put(&packed)
    }

    fn failed(&self, reason: &str) -> SeriesError {
        SeriesError::Build { name: self.upload.name().to_owned(), reason: reason.to_owned() }
    }
}

impl SegmentWriter {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, name: String, about: About) -> Self {
        let upload = Upload::new(store, name);
        let buffer = HEAD_MAGIC.to_vec();
        let About { tenant, partition, min_offset, max_offset, clean_offset } = about;
        Self {
            out: Out { upload, offset: buffer.len() as u64, buffer },
            footer: Footer {
                tenant,
                partition,
                min_offset,
                max_offset,
                clean_offset,
                min_time_ms: i64::MAX,
                max_time_ms: i64::MIN,
                ..Footer::default()
            },
            columns: Columns::default(),
            index: IndexWriter::default(),
            metric: String::new(),
            group: Vec::new(),
            groups: Vec::new(),
            grouped: 0,
            pages: 0,
            histograms: Vec::new(),
            exemplars: Vec::new(),
        }
    }

    /// Adds a series; they come in the order of `series_order`. One without samples is left out, also its exemplars.
    pub(crate) fn push(
        &mut self,
        labels: Labels<'_>,
        mut values: Values,
        exemplars: &[Exemplar],
    ) -> Result<(), SeriesError> {
        if values.is_empty() {
            return Ok(());
        }
        let metric = labels.value(telemetry::METRIC_NAME).unwrap_or_default();
        if self.group.len() == GROUP_SERIES || metric != self.metric {
            self.write_group()?;
            metric.clone_into(&mut self.metric);
        }
        self.note(&values, exemplars);
        let series = self.footer.series;
        self.index.push(series, labels, &mut self.out)?;
        self.write_histograms(series, &values)?;
        if !exemplars.is_empty() && self.exemplars.len() < MAX_EXEMPLAR_BYTES {
            put_exemplars(&mut self.exemplars, series, exemplars);
        }
        values.histograms = Vec::new();
        self.group.push(values);
        self.footer.series += 1;
        Ok(())
    }

    fn note(&mut self, values: &Values, exemplars: &[Exemplar]) {
        self.footer.rows += values.len() as u64;
        let floats = values.times_ms.first().into_iter().chain(values.times_ms.last()).copied();
        let histograms = values.histograms.first().into_iter().chain(values.histograms.last());
        let exemplars = exemplars.iter().map(|exemplar| exemplar.time_ms);
        for time_ms in floats.chain(histograms.map(|(time_ms, _)| *time_ms)).chain(exemplars) {
            self.footer.min_time_ms = self.footer.min_time_ms.min(time_ms);
            self.footer.max_time_ms = self.footer.max_time_ms.max(time_ms);
        }
    }

    fn write_histograms(&mut self, series: u32, values: &Values) -> Result<(), SeriesError> {
        for chunk in values.histograms.chunks(HISTOGRAM_ROWS) {
            let (Some((min_ms, _)), Some((max_ms, _))) = (chunk.first(), chunk.last()) else { continue };
            let (min_ms, max_ms) = (*min_ms, *max_ms);
            let mut bytes = Vec::new();
            encode_histograms(chunk, &mut bytes);
            let section = self.out.put(&bytes)?;
            let rows = chunk.len() as u32;
            self.histograms.push(HistogramChunk { series, section, rows, min_ms, max_ms });
        }
        Ok(())
    }

    /// Writes the pages of the open group.
    fn write_group(&mut self) -> Result<(), SeriesError> {
        let group = std::mem::take(&mut self.group);
        if group.is_empty() {
            return Ok(());
        }
        let mut pages = Vec::new();
        let longest = group.iter().map(|values| values.times_ms.len()).max().unwrap_or(0);
        let mut bytes = Vec::new();
        for start in (0..longest).step_by(CHUNK_ROWS) {
            let (mut chunks, mut slices) = (Vec::new(), Vec::new());
            for values in &group {
                let end = values.times_ms.len().min(start + CHUNK_ROWS);
                if start >= end {
                    chunks.push(None);
                    continue;
                }
                let column = self.columns.number(&values.times_ms[start..end], &mut self.out)?;
                let floats = &values.values[start..end];
                chunks.push(Some(Chunk { column, ends_stale: floats.last().is_some_and(|v| is_stale(*v)) }));
                slices.push(floats);
            }
            bytes.clear();
            encode_page(&slices, &mut bytes);
            pages.push(Page { section: self.out.put(&bytes)?, chunks });
        }
        let (first, series, first_page) = (self.grouped, group.len() as u32, self.pages);
        self.grouped += series;
        self.pages += pages.len() as u32;
        self.groups.push(Group { first, series, first_page, pages });
        if self.groups.len() == BLOCK_GROUPS { self.write_groups() } else { Ok(()) }
    }

    fn write_groups(&mut self) -> Result<(), SeriesError> {
        let groups = std::mem::take(&mut self.groups);
        let Some(Group { first, first_page, .. }) = groups.first() else { return Ok(()) };
        let mut raw = Vec::new();
        put_groups(&mut raw, &groups);
        let directory = self.out.put_packed(&raw)?;
        self.footer.groups.push(GroupBlock { first: *first, first_page: *first_page, directory });
        Ok(())
    }

    /// Writes the rest; the blob is durable when this returns. `None` if no series has a sample: then there is no blob.
    pub(crate) fn finish(mut self) -> Result<Option<SegmentRef>, SeriesError> {
        let written = self.write_rest();
        if written.is_err() || self.footer.series == 0 {
            self.out.upload.abort();
            return written.map(|()| None);
        }
        let Self { out, footer, .. } = self;
        let Out { upload, buffer, offset } = out;
        let listed = SegmentRef {
            name: upload.name().to_owned(),
            tenant: footer.tenant,
            series: u64::from(footer.series),
            rows: footer.rows,
            size_bytes: offset,
            min_time_ms: footer.min_time_ms,
            max_time_ms: footer.max_time_ms,
            min_offset: footer.min_offset,
            max_offset: footer.max_offset,
            clean_offset: footer.clean_offset,
            format: VERSION,
        };
        upload.finish(buffer)?;
        Ok(Some(listed))
    }

    fn write_rest(&mut self) -> Result<(), SeriesError> {
        self.write_group()?;
        self.write_groups()?;
        self.footer.columns = self.columns.finish(&mut self.out)?;
        self.index.finish(&mut self.out, &mut self.footer)?;
        let mut raw = Vec::new();
        if !self.histograms.is_empty() {
            put_histogram_chunks(&mut raw, &self.histograms);
        }
        self.footer.histograms = self.out.put_packed(&raw)?;
        self.footer.exemplars = self.out.put_packed(&self.exemplars)?;
        let footer = self.footer.encode();
        let section = self.out.put(&footer)?;
        self.out.buffer.extend(section.len.to_le_bytes());
        self.out.buffer.extend(section.crc.to_le_bytes());
        self.out.buffer.extend(TAIL_MAGIC);
        self.out.offset += 16;
        Ok(())
    }

    /// Gives up; what was written is removed where the store can do so.
    pub(crate) fn abort(self) {
        self.out.upload.abort();
    }
}
