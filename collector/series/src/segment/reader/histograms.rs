//! Histograms of a segment: chunk by chunk, those of a series in one read.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use promql::{Total, Values};
use telemetry::samples::Histogram;

use super::{Read, SegmentReader};
use crate::cache::Part;
use crate::encode::{decode_histograms, decode_totals};
use crate::segment::directory::{HistogramChunk, read_histogram_chunks};
use crate::segment::format::Section;

/// Histograms of a series, in order of time.
pub(crate) type Histograms = Arc<Vec<(i64, Histogram)>>;

/// The most that is read at once.
const MOST_AT_ONCE: u64 = 256 << 10;
/// Who skips no more than this reads on from where they were.
const MOST_SKIPPED: u64 = 64 << 10;

/// What was read last. A read is a way to another thread and a file that is opened, and takes longer than to unpack what
/// was read: chunks that lie one behind the other are read together, those of a series always, those of the series
/// behind it where somebody reads one after the other.
#[derive(Debug, Default)]
pub(super) struct Ahead(Mutex<Run>);

#[derive(Debug, Default)]
struct Run {
    start: u64,
    bytes: Bytes,
}

impl Run {
    /// A section, if it is in here.
    fn part(&self, section: &Section) -> Option<Bytes> {
        let at = usize::try_from(section.offset.checked_sub(self.start)?).ok()?;
        let end = at.checked_add(section.len as usize)?;
        (end <= self.bytes.len()).then(|| self.bytes.slice(at..end))
    }

    /// Whether a section is what somebody wants who has read this.
    fn leads_to(&self, section: &Section) -> bool {
        let skipped = section.offset.checked_sub(self.start + self.bytes.len() as u64);
        !self.bytes.is_empty() && skipped.is_some_and(|skipped| skipped <= MOST_SKIPPED)
    }
}

impl Ahead {
    /// The bytes of the first section. The `own` first of them are wanted in any case.
    fn first<'s>(
        &self,
        sections: impl Iterator<Item = &'s Section> + Clone,
        own: usize,
        read: impl FnOnce(u64, u64) -> Read<Bytes>,
    ) -> Read<Bytes> {
        let Some(first) = sections.clone().next() else { return Ok(Bytes::new()) };
        let is_next = {
            let run = self.0.lock();
            if let Some(bytes) = run.part(first) {
                return Ok(bytes);
            }
            run.leads_to(first)
        };
        // Not under the lock: several threads may read.
        let len = if is_next { together(sections) } else { together(sections.take(own)) };
        let bytes = read(first.offset, len)?;
        let part = bytes.slice(..first.len as usize);
        *self.0.lock() = Run { start: first.offset, bytes };
        Ok(part)
    }
}

/// How long sections are that lie one behind the other; in a crafted directory they may be anywhere.
fn together<'s>(sections: impl Iterator<Item = &'s Section>) -> u64 {
    let (mut end, mut all) = (None, 0);
    for section in sections {
        let longer = all + u64::from(section.len);
        if end.is_some_and(|end| end != section.offset || longer > MOST_AT_ONCE) {
            break;
        }
        (end, all) = (section.offset.checked_add(u64::from(section.len)), longer);
    }
    all
}

impl SegmentReader {
    fn histogram_chunks(&self) -> Read<Arc<Vec<HistogramChunk>>> {
        if let Some(chunks) = self.histograms.get() {
            return Ok(chunks.clone());
        }
        let chunks = self.file.cached(Part::Histograms, 0, || {
            let table = self.table(&self.footer.histograms, "the directory of histograms")?;
            let chunks = if table.is_empty() { Vec::new() } else { read_histogram_chunks(&table)? };
            let size = chunks.len() * size_of::<HistogramChunk>();
            Ok((chunks, size))
        })?;
        Ok(self.histograms.get_or_init(|| chunks).clone())
    }

    /// The first of some chunks, of which `own` are wanted.
    fn histogram_chunk(&self, number: usize, chunks: &[HistogramChunk], own: usize) -> Read<Histograms> {
        self.file.cached(Part::HistogramChunk, number as u32, || {
            let bytes = self.chunk_bytes(chunks, own)?;
            let histograms = decode_histograms(&bytes)?;
            let size = histograms.len() * size_of::<(i64, Histogram)>() + bytes.len() * 8;
            Ok((histograms, size))
        })
    }

    fn chunk_bytes(&self, chunks: &[HistogramChunk], own: usize) -> Read<Bytes> {
        let Some(first) = chunks.first() else { return Ok(Bytes::new()) };
        let sections = chunks.iter().map(|chunk| &chunk.section);
        let bytes = self.ahead.first(sections, own, |offset, len| self.file.read(offset, len))?;
        self.file.check(&first.section, &bytes, "a chunk of histograms")?;
        Ok(bytes)
    }

    pub(super) fn has_histograms(&self, series: u32, range: (i64, i64)) -> Read<bool> {
        if self.footer.histograms.len == 0 {
            return Ok(false);
        }
        let chunks = self.histogram_chunks()?;
        let first = chunks.partition_point(|chunk| chunk.series < series);
        let mut own = chunks[first..].iter().take_while(|chunk| chunk.series == series);
        Ok(own.any(|chunk| chunk.min_ms <= range.1 && chunk.max_ms >= range.0))
    }

    pub(super) fn read_histograms(&self, series: u32, range: (i64, i64), out: &mut Values) -> Read<()> {
        for histograms in self.chunks_of(series, range)? {
            let within = |time_ms: &i64| (range.0..=range.1).contains(time_ms);
            out.histograms.extend(histograms.iter().filter(|(time_ms, _)| within(time_ms)).cloned());
        }
        Ok(())
    }

    /// The chunks of a series' histograms that reach into the range.
    fn chunks_of(&self, series: u32, range: (i64, i64)) -> Read<Vec<Histograms>> {
        let mut found = Vec::new();
        self.each_chunk(series, range, |number, chunks, own| {
            found.push(self.histogram_chunk(number, chunks, own)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Calls `see` with the number of each of them, with it and all behind it, and how many of these are wanted.
    fn each_chunk(
        &self,
        series: u32,
        range: (i64, i64),
        mut see: impl FnMut(usize, &[HistogramChunk], usize) -> Read<()>,
    ) -> Read<()> {
        let chunks = self.histogram_chunks()?;
        let first = chunks.partition_point(|chunk| chunk.series < series);
        let reaches = |chunk: &HistogramChunk| chunk.min_ms <= range.1 && chunk.max_ms >= range.0;
        let own = chunks.iter().enumerate().skip(first).take_while(|(_, chunk)| chunk.series == series);
        let inside: Vec<usize> = own.filter(|(_, chunk)| reaches(chunk)).map(|(number, _)| number).collect();
        let last = inside.last().copied().unwrap_or_default();
        inside.into_iter().try_for_each(|number| see(number, &chunks[number..], last + 1 - number))
    }

    /// The same of a series that has nothing but histograms; `None` of others.
    pub(crate) fn histograms(&self, series: u32, range: (i64, i64)) -> Read<Option<Vec<Histograms>>> {
        if self.has_floats(series)? { Ok(None) } else { self.chunks_of(series, range).map(Some) }
    }

    /// Counts and sums of the histograms in these chunks. They are kept nowhere: who asks for them asks for those of
    /// very many series, and would put everything else out of the cache.
    pub(crate) fn totals(&self, series: u32, range: (i64, i64)) -> Read<Option<Vec<(i64, Total)>>> {
        if self.has_floats(series)? {
            return Ok(None);
        }
        let mut totals = Vec::new();
        self.each_chunk(series, range, |_, chunks, own| {
            Ok(decode_totals(&self.chunk_bytes(chunks, own)?, &mut totals)?)
        })?;
        Ok(Some(totals))
    }

    fn has_floats(&self, series: u32) -> Read<bool> {
        self.with_group(series, |group, at| Ok(group.pages.iter().any(|page| page.chunks[at].is_some())))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Weak;

    use object_store::memory::InMemory;
    use telemetry::LabelSet;

    use super::*;
    use crate::segment::SegmentFile;
    use crate::segment::writer::{About, SegmentWriter};

    const SERIES: usize = 30;
    /// Three chunks of a series.
    const ROWS: i64 = 300;

    fn histogram(series: usize, time_ms: i64) -> Histogram {
        Histogram { count: series as f64, sum: time_ms as f64, ..Histogram::default() }
    }

    /// Without a cache: as with one that has no room.
    fn reader() -> SegmentReader {
        let store = Arc::new(InMemory::new());
        let about = About {
            tenant: "default".to_owned(),
            partition: 1,
            min_offset: 1,
            max_offset: 1,
            clean_offset: 1,
        };
        let mut writer = SegmentWriter::new(store.clone(), "a".to_owned(), about);
        for series in 0..SERIES {
            let labels = LabelSet::new([("__name__", "latency"), ("n", &format!("{series:02}"))]).unwrap();
            let histograms = (1..=ROWS).map(|time_ms| (time_ms, histogram(series, time_ms))).collect();
            writer.push(labels.iter(), Values { histograms, ..Values::default() }, &[]).unwrap();
        }
        let listed = writer.finish().unwrap().unwrap();
        SegmentReader::open(&Arc::new(SegmentFile::new(store, Weak::new(), listed))).unwrap()
    }

    #[tokio::test]
    async fn histograms_are_found_in_any_order() {
        let read = || {
            let reader = reader();
            assert!(Arc::ptr_eq(&reader.histogram_chunks().unwrap(), &reader.histogram_chunks().unwrap()));
            let orders = [1, 7, SERIES - 1].map(|step| (0..SERIES).map(move |n| n * step % SERIES));
            for (order, (from_ms, to_ms)) in orders.into_iter().zip([(1, ROWS), (130, 220), (241, 250)]) {
                for series in order {
                    let mut values = Values::default();
                    reader.read_histograms(series as u32, (from_ms, to_ms), &mut values).unwrap();
                    let expected = (from_ms..=to_ms).map(|time_ms| (time_ms, histogram(series, time_ms)));
                    assert_eq!(values.histograms, expected.collect::<Vec<_>>(), "{series} {from_ms}");
                }
            }
        };
        tokio::task::spawn_blocking(read).await.unwrap();
    }

    #[test]
    fn what_lies_together_is_read_together() {
        const KIB: u32 = 1 << 10;
        let section = |offset: u32, len: u32| Section { offset: u64::from(offset), len, crc: 0 };
        // Three chunks of each of 40 series, 2 KiB each; then one that stands apart, and one that is large.
        let mut all: Vec<Section> = (0..120).map(|n| section(2 * KIB * n, 2 * KIB)).collect();
        all.extend([section(900 * KIB, KIB), section(901 * KIB, 300 * KIB), section(1_201 * KIB, KIB)]);
        let bytes = |from: u64, len: u64| (from..from + len).map(|at| (at / 7) as u8).collect::<Vec<u8>>();
        let reads = |wanted: &[(usize, usize)]| {
            let (ahead, reads) = (Ahead::default(), RefCell::new(Vec::new()));
            for (first, own) in wanted {
                let read = |offset: u64, len: u64| {
                    reads.borrow_mut().push((offset / 1_024, len / 1_024));
                    Ok(Bytes::from(bytes(offset, len)))
                };
                let found = ahead.first(all[*first..].iter(), *own, read).unwrap();
                let section = &all[*first];
                assert_eq!(found, bytes(section.offset, u64::from(section.len)), "{first}");
            }
            reads.into_inner()
        };
        /// What it is, sections with how many of them are wanted, and the reads: offset and length in KiB.
        type Case<'a> = (&'a str, &'a [(usize, usize)], &'a [(u64, u64)]);
        let cases: [Case<'_>; 6] = [
            ("a series", &[(0, 3), (1, 2), (2, 1)], &[(0, 6)]),
            ("here and there", &[(60, 3), (61, 2), (62, 1), (9, 3), (10, 2), (11, 1)], &[(120, 6), (18, 6)]),
            ("one behind the other", &[(0, 3), (1, 2), (2, 1), (3, 3), (4, 2), (90, 1)], &[(0, 6), (6, 234)]),
            ("without the last of each", &[(0, 2), (1, 1), (3, 2), (4, 1), (6, 2)], &[(0, 4), (6, 234)]),
            ("apart", &[(119, 4)], &[(238, 2)]),
            ("large", &[(120, 1), (121, 1), (122, 1)], &[(900, 1), (901, 300), (1_201, 1)]),
        ];
        for (name, wanted, expected) in cases {
            assert_eq!(reads(wanted), expected, "{name}");
        }
    }
}
