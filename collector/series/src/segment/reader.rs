//! Reads a segment: what is asked for, part by part, through the cache.

mod histograms;

use std::sync::{Arc, OnceLock};

use promql::{Matcher, Values};
use roaring::RoaringBitmap;
use telemetry::LabelSet;
use telemetry::samples::{Exemplar, MatchOp};

use super::directory::{Column, Group, HistogramChunk, Page, read_columns, read_exemplars, read_groups};
use super::file::{ReadError, SegmentFile};
use super::format::{Footer, LABEL_SERIES, Section, TAIL_BYTES, TAIL_MAGIC, unpack};
use super::open::{OpenColumns, OpenParts};
use crate::cache::Part;
use crate::carry::Deletion;
use crate::encode::{decode_page, decode_times};
use crate::head::all;
use crate::index::{Dictionary, Postings};
use crate::values::Hidden;
use crate::wire::Reader;

use histograms::Ahead;
pub(crate) use histograms::Histograms;

type Read<T> = Result<T, ReadError>;

/// An open segment.
#[derive(Clone)]
pub(crate) struct SegmentReader {
    file: Arc<SegmentFile>,
    pub(crate) footer: Arc<Footer>,
    /// The directory of histograms, once it was read: every series asks for it, and the cache may not hold it.
    histograms: OnceLock<Arc<Vec<HistogramChunk>>>,
    /// The chunks of them that were read last.
    ahead: Arc<Ahead>,
}

/// The labels of a run of series.
pub(super) struct LabelBlock {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

/// A label name's values with their series.
pub(crate) struct Label {
    pub(crate) values: Dictionary,
    pub(crate) postings: Postings,
}

pub(super) fn damaged<T>(what: &str) -> Read<T> {
    Err(ReadError::Damaged(what.to_owned()))
}

impl SegmentReader {
    pub(crate) fn open(file: &Arc<SegmentFile>) -> Read<Self> {
        let footer = file.cached(Part::Footer, 0, || {
            let footer = read_footer(file)?;
            let size = footer.size_bytes();
            Ok((footer, size))
        })?;
        Ok(Self { file: file.clone(), footer, histograms: OnceLock::new(), ahead: Arc::default() })
    }

    fn table(&self, section: &Section, what: &str) -> Read<Vec<u8>> {
        match self.file.section(section, what)? {
            bytes if bytes.is_empty() => Ok(Vec::new()),
            bytes => unpack(&bytes),
        }
    }

    /// All names of labels.
    pub(crate) fn names(&self) -> Read<Arc<Dictionary>> {
        self.file.cached(Part::Names, 0, || {
            let bytes = self.file.section(&self.footer.names, "the names of labels")?;
            let size = bytes.len();
            Ok((Dictionary::open(bytes)?, size))
        })
    }

    /// A label's values; `None` if no series has it.
    pub(crate) fn label(&self, name: &str) -> Read<Option<Arc<Label>>> {
        let Some(number) = self.names()?.id(name) else { return Ok(None) };
        self.label_of(number).map(Some)
    }

    pub(crate) fn label_of(&self, number: u32) -> Read<Arc<Label>> {
        let Some(sections) = self.footer.labels.get(number as usize) else {
            return damaged("a label name has no values");
        };
        self.file.cached(Part::Values, number, || {
            let values = self.file.section(&sections.values, "the values of a label")?;
            let postings = self.file.section(&sections.postings, "the series of a label")?;
            let size = values.len() + postings.len();
            Ok((Label { values: Dictionary::open(values)?, postings: Postings::open(postings)? }, size))
        })
    }

    /// The series that pass all matchers.
    pub(crate) fn matching(&self, matchers: &[Matcher]) -> Read<RoaringBitmap> {
        let mut passed: Option<RoaringBitmap> = None;
        for matcher in matchers {
            let set = self.passing(matcher)?;
            let both = match passed {
                Some(passed) => passed & set,
                None => set,
            };
            if both.is_empty() {
                return Ok(both);
            }
            passed = Some(both);
        }
        let mut passed = passed.unwrap_or_else(|| all(self.footer.series));
        passed.remove_range(self.footer.series..);
        Ok(passed)
    }

    /// What deletes hide of it that are not done in it.
    pub(crate) fn hidden(&self, deletes: &[Deletion]) -> Read<Hidden> {
        let Footer { clean_offset, min_time_ms, max_time_ms, .. } = *self.footer;
        let concern = deletes.iter().filter(|d| d.concerns(clean_offset, min_time_ms, max_time_ms));
        let hidden = concern.map(|d| Ok((self.matching(&d.matchers)?, d.start_ms, d.end_ms)));
        let mut hidden = hidden.collect::<Read<Vec<_>>>()?;
        hidden.retain(|(series, _, _)| !series.is_empty());
        Ok(Hidden(hidden))
    }

    fn passing(&self, matcher: &Matcher) -> Read<RoaringBitmap> {
        let absent = matcher.matches_absent();
        let Some(label) = self.label(matcher.name())? else {
            return Ok(if absent { all(self.footer.series) } else { RoaringBitmap::new() });
        };
        if matcher.op() == MatchOp::Equal && !absent {
            let series = label.values.id(matcher.value()).map(|id| label.postings.get(id));
            return Ok(series.transpose()?.unwrap_or_default());
        }
        let values = label.values.matching(matcher);
        if !absent {
            return Ok(label.postings.union(&values)?);
        }
        let others = all(label.values.len()) - values;
        Ok(all(self.footer.series) - label.postings.union(&others)?)
    }

    /// The labels of a series.
    pub(crate) fn labels(&self, series: u32, open: &mut OpenParts) -> Read<LabelSet> {
        self.open_labels(series, open)?.labels(series as usize % LABEL_SERIES)
    }

    /// Fails if the labels of a series cannot be read.
    pub(crate) fn check_labels(&self, series: u32, open: &mut OpenParts) -> Read<()> {
        self.open_labels(series, open).map(drop)
    }

    fn open_labels(&self, series: u32, open: &mut OpenParts) -> Read<Arc<LabelBlock>> {
        let position = series as usize / LABEL_SERIES;
        open.labels.get(position, || self.label_block(position))
    }

    /// Those of some series, in order.
    pub(crate) fn labels_of(&self, series: &RoaringBitmap) -> Read<Vec<(u32, LabelSet)>> {
        let mut found = Vec::with_capacity(series.len() as usize);
        let mut open = OpenParts::default();
        for number in series {
            found.push((number, self.labels(number, &mut open)?));
        }
        Ok(found)
    }

    fn label_block(&self, position: usize) -> Read<Arc<LabelBlock>> {
        let Some(section) = self.footer.label_blocks.get(position) else {
            return damaged("a series has no labels");
        };
        self.file.cached(Part::Labels, position as u32, || {
            let block = LabelBlock::decode(&self.table(section, "the labels of series")?)?;
            let size = block.bytes.len() + block.ends.len() * 4;
            Ok((block, size))
        })
    }

    /// The groups of a block; `position` is that of the block.
    fn groups(&self, position: usize) -> Read<Arc<Vec<Group>>> {
        let block = &self.footer.groups[position];
        self.file.cached(Part::Groups, position as u32, || {
            let table = self.table(&block.directory, "a directory of chunks")?;
            let groups = read_groups(&table, block.first, block.first_page)?;
            let pages: usize = groups.iter().map(|group| group.pages.len()).sum();
            let size = groups.len() * size_of::<Group>() + pages * (size_of::<Page>() + 16 * 12);
            Ok((groups, size))
        })
    }

    /// The place of the block that has a series' group.
    fn block_of(&self, series: u32) -> Read<usize> {
        let after = self.footer.groups.partition_point(|block| block.first <= series);
        after.checked_sub(1).ok_or_else(|| ReadError::Damaged("a series has no chunks".to_owned()))
    }

    /// Calls `see` with the group of a series.
    fn with_group<T>(&self, series: u32, see: impl FnOnce(&Group, usize) -> Read<T>) -> Read<T> {
        let groups = self.groups(self.block_of(series)?)?;
        let (group, at) = group_of(&groups, series)?;
        see(group, at)
    }

    pub(super) fn column_block(&self, column: u32) -> Read<(usize, usize)> {
        let after = self.footer.columns.partition_point(|block| block.first <= column);
        let Some(position) = after.checked_sub(1) else { return damaged("a chunk has no times") };
        // In a crafted footer the blocks may be in no order.
        let Some(at) = column.checked_sub(self.footer.columns[position].first) else {
            return damaged("blocks of times are out of order");
        };
        Ok((position, at as usize))
    }

    pub(super) fn columns(&self, position: usize) -> Read<Arc<Vec<Column>>> {
        self.file.cached(Part::Columns, position as u32, || {
            let directory = &self.footer.columns[position].directory;
            let columns = read_columns(&self.table(directory, "a directory of times")?)?;
            let size = columns.len() * size_of::<Column>();
            Ok((columns, size))
        })
    }

    /// What is known of a column of times.
    fn column(&self, column: u32) -> Read<Column> {
        OpenColumns::default().get(self, column)
    }

    fn times(&self, number: u32, column: &Column) -> Read<Arc<Vec<i64>>> {
        self.file.cached(Part::Times, number, || {
            let (position, _) = self.column_block(number)?;
            let data = self.file.cached(Part::TimesBlock, position as u32, || {
                let data = self.file.section(&self.footer.columns[position].data, "a block of times")?;
                let size = data.len();
                Ok((data, size))
            })?;
            let range = column.at as usize..column.at as usize + column.len as usize;
            let Some(bytes) = data.get(range) else { return damaged("times lie outside of their block") };
            let mut times = Vec::new();
            decode_times(bytes, &mut times)?;
            if times.len() != column.rows as usize || !times.is_sorted() {
                return damaged("times are other than their directory says");
            }
            let size = times.len() * 8;
            Ok((times, size))
        })
    }

    /// The decoded chunks of a page, of the series that have one.
    fn page(&self, number: u32, page: &Page) -> Read<Arc<Vec<Vec<f64>>>> {
        self.file.cached(Part::Page, number, || {
            let bytes = self.file.section(&page.section, "a page")?;
            let mut columns = OpenColumns::default();
            let lens =
                page.chunks.iter().flatten().map(|chunk| Ok(columns.get(self, chunk.column)?.rows as usize));
            let lens = lens.collect::<Read<Vec<usize>>>()?;
            let values = decode_page(&bytes, &lens)?;
            if !values.iter().map(Vec::len).eq(lens.iter().copied()) {
                return damaged("a page has other lengths than its times");
            }
            let size = lens.iter().sum::<usize>() * 8 + lens.len() * 24;
            Ok((values, size))
        })
    }

    /// Those of some series that may have samples in the range: the directory knows.
    pub(crate) fn overlapping(&self, series: RoaringBitmap, range: (i64, i64)) -> Read<RoaringBitmap> {
        if range.0 <= self.footer.min_time_ms && range.1 >= self.footer.max_time_ms {
            return Ok(series);
        }
        let mut found = RoaringBitmap::new();
        // Neighbours share their block, and mostly their columns.
        let (mut block, mut last, mut columns) = (None, None, OpenColumns::default());
        for number in series {
            let position = self.block_of(number)?;
            let groups = match block.take() {
                Some((at, groups)) if at == position => groups,
                _ => self.groups(position)?,
            };
            let (group, at) = group_of(&groups, number)?;
            for chunk in group.pages.iter().filter_map(|page| page.chunks[at]) {
                let overlaps = match last {
                    Some((column, overlaps)) if column == chunk.column => overlaps,
                    _ => {
                        let column = columns.get(self, chunk.column)?;
                        column.min_ms <= range.1 && column.max_ms >= range.0
                    }
                };
                last = Some((chunk.column, overlaps));
                if overlaps {
                    found.insert(number);
                    break;
                }
            }
            if !found.contains(number) && self.has_histograms(number, range)? {
                found.insert(number);
            }
            block = Some((position, groups));
        }
        Ok(found)
    }

    /// How many samples a series has in the range, if no chunk lies across its ends.
    pub(crate) fn count(&self, series: u32, range: (i64, i64)) -> Read<Option<usize>> {
        if self.footer.histograms.len > 0 {
            return Ok(None);
        }
        self.with_group(series, |group, at| {
            let mut count = 0;
            for chunk in group.pages.iter().filter_map(|page| page.chunks[at]) {
                let column = self.column(chunk.column)?;
                if range.0 <= column.min_ms && column.max_ms <= range.1 {
                    count += column.rows as usize;
                } else if column.min_ms <= range.1 && column.max_ms >= range.0 {
                    return Ok(None);
                }
            }
            Ok(Some(count))
        })
    }

    /// Whether the newest sample that a series has in the range is no stale marker, if the directory knows;
    /// `Some(false)` if it has none.
    pub(crate) fn presence(&self, series: u32, range: (i64, i64)) -> Read<Option<bool>> {
        if self.footer.histograms.len > 0 {
            return Ok(None);
        }
        self.with_group(series, |group, at| {
            for chunk in group.pages.iter().rev().filter_map(|page| page.chunks[at]) {
                let column = self.column(chunk.column)?;
                if column.min_ms > range.1 {
                    continue;
                }
                let is_whole = column.max_ms <= range.1;
                return Ok(is_whole.then_some(column.max_ms >= range.0 && !chunk.ends_stale));
            }
            Ok(Some(false))
        })
    }

    /// Appends what a series has in the range to `out`, which must be empty.
    pub(crate) fn read(
        &self,
        series: u32,
        range: (i64, i64),
        open: &mut OpenParts,
        out: &mut Values,
    ) -> Read<()> {
        let position = self.block_of(series)?;
        let groups = open.groups.get(position, || self.groups(position))?;
        let (group, at) = group_of(&groups, series)?;
        for (number, page) in (group.first_page..).zip(&group.pages) {
            let Some(chunk) = page.chunks[at] else { continue };
            let column = open.columns.get(self, chunk.column)?;
            if column.min_ms > range.1 || column.max_ms < range.0 {
                continue;
            }
            let times = open.times.get(chunk.column, || self.times(chunk.column, &column))?;
            let values = open.page.get(number, || self.page(number, page))?;
            let before = page.chunks[..at].iter().flatten().count();
            let Some(values) = values.get(before).filter(|values| values.len() == times.len()) else {
                return damaged("a page has other lengths than its times");
            };
            let start = times.partition_point(|time_ms| *time_ms < range.0);
            let end = times.partition_point(|time_ms| *time_ms <= range.1);
            out.times_ms.extend_from_slice(&times[start..end]);
            out.values.extend_from_slice(&values[start..end]);
        }
        if self.footer.histograms.len > 0 {
            self.read_histograms(series, range, out)?;
        }
        Ok(())
    }

    /// The exemplars of all series that have some, in order of series.
    pub(crate) fn exemplars(&self) -> Read<Vec<(u32, Vec<Exemplar>)>> {
        Ok(read_exemplars(&self.table(&self.footer.exemplars, "the exemplars")?)?)
    }
}

/// The group of a series, and its place there.
fn group_of(groups: &[Group], series: u32) -> Read<(&Group, usize)> {
    let after = groups.partition_point(|group| group.first <= series);
    match after.checked_sub(1).map(|at| &groups[at]) {
        Some(group) if series - group.first < group.series => Ok((group, (series - group.first) as usize)),
        _ => damaged("a series has no chunks"),
    }
}

impl LabelBlock {
    fn labels(&self, at: usize) -> Read<LabelSet> {
        let Some(end) = self.ends.get(at) else { return damaged("a series has no labels") };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Ok(LabelSet::of_canonical(&self.bytes[start as usize..*end as usize]))
    }

    fn decode(table: &[u8]) -> Read<Self> {
        let mut reader = Reader::new(table);
        let mut block = Self { bytes: Vec::new(), ends: Vec::new() };
        let mut start = 0;
        while !reader.is_at_end() {
            let shared = reader.varint()? as usize;
            let rest = reader.bytes()?;
            let len = block.bytes.len();
            if shared > len - start || block.ends.len() >= LABEL_SERIES {
                return damaged("labels share more than there is");
            }
            block.bytes.extend_from_within(start..start + shared);
            block.bytes.extend_from_slice(rest);
            start = len;
            block.ends.push(block.bytes.len() as u32);
        }
        Ok(block)
    }
}

fn read_footer(file: &SegmentFile) -> Read<Footer> {
    let size = file.listed.size_bytes;
    let Some(tail_at) = size.checked_sub(TAIL_BYTES) else { return damaged("the blob is too short") };
    let tail = file.read(tail_at, TAIL_BYTES)?;
    let mut reader = Reader::new(&tail);
    let (len, crc) = (u32::from_le_bytes(reader.array()?), u32::from_le_bytes(reader.array()?));
    if reader.rest() != TAIL_MAGIC {
        return damaged("the blob does not end as a segment does");
    }
    let Some(offset) = tail_at.checked_sub(u64::from(len)) else {
        return damaged("the footer is longer than the blob");
    };
    let bytes = file.section(&Section { offset, len, crc }, "the footer")?;
    let footer = Footer::decode(&bytes)?;
    let listed = &file.listed;
    if footer.tenant != listed.tenant
        || u64::from(footer.series) != listed.series
        || footer.rows != listed.rows
        || footer.groups.first().is_none_or(|block| block.first != 0)
    {
        return damaged("the blob is not the one that is listed");
    }
    Ok(footer)
}
