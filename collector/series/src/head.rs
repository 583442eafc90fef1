//! The samples of one tenant that are in no segment yet. A head is filled in journal
//! order, frozen when it is sealed, and gone when its segments are published.
//!
//! Samples of a series that ascend in time are a compressed stream; others stand in a list of
//! their own and win where both have a time, as they came later.

mod index;
mod intern;
mod slabs;

use std::collections::HashMap;

use promql::{Matcher, Values};
use roaring::RoaringBitmap;
use telemetry::Labels;
use telemetry::samples::{Exemplar, Histogram, is_stale};
use xxhash_rust::xxh3::xxh3_64;

pub(crate) use index::{HeadIndex, all};
pub(crate) use intern::ByHash;
use intern::Interner;
use slabs::{Slabs, Stream};

use crate::values::{keep_last, merge};

const NONE: u32 = u32::MAX;
/// A series keeps so many exemplars until it is sealed, the newest to come.
const MAX_EXEMPLARS: usize = 128;

/// What a head knows of one series beside its labels.
struct Series {
    /// The series that followed in the journal last time.
    next: u32,
    /// When its last sample was received, s since 1970.
    received_s: u32,
    /// Time of its newest sample, also of one that is sealed or deleted.
    newest_ms: i64,
    stream: Stream,
}

/// What few series have.
#[derive(Default)]
struct Beside {
    /// Floats that came behind newer ones, in the order of the journal, sorted up to `sorted`.
    late: Vec<(i64, f64)>,
    sorted: usize,
    /// Native histograms in the order of the journal.
    histograms: Vec<(i64, Histogram)>,
    /// No histogram is newer.
    newest_histogram_ms: Option<i64>,
    exemplars: Vec<Exemplar>,
}

/// One tenant's samples of a stretch of the journal.
#[derive(Default)]
pub(crate) struct Head {
    labels: Interner,
    series: Vec<Series>,
    beside: HashMap<u32, Beside>,
    index: HeadIndex,
    slabs: Slabs,
    /// The series that was applied last.
    previous: u32,
    late_rows: u64,
    histogram_bytes: u64,
    streamed_rows: u64,
    histogram_rows: u64,
    pub(crate) oldest_received_at_ns: Option<i64>,
    pub(crate) min_offset: u64,
    pub(crate) max_offset: u64,
    /// Once frozen: deletes up to here are done in it.
    pub(crate) clean_offset: u64,
}

impl Head {
    pub(crate) fn series_count(&self) -> u32 {
        self.series.len() as u32
    }

    pub(crate) fn rows(&self) -> u64 {
        self.streamed_rows + self.late_rows + self.histogram_rows
    }

    /// Whether there is anything to seal.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        let beside = self.late_rows as usize * 24 + self.beside.len() * (size_of::<Beside>() + 24);
        let series = self.labels.size_bytes() + self.series.capacity() * size_of::<Series>();
        (series + self.index.size_bytes() + self.slabs.size_bytes() + beside) as u64 + self.histogram_bytes
    }

    /// Notes that a record is being applied.
    pub(crate) fn begin(&mut self, offset: u64, received_at_ns: i64) {
        self.min_offset = if self.is_empty() { offset } else { self.min_offset };
        self.max_offset = offset;
        let oldest = self.oldest_received_at_ns.unwrap_or(received_at_ns);
        self.oldest_received_at_ns = Some(oldest.min(received_at_ns));
    }

    /// The number of a series that is known.
    #[inline]
    pub(crate) fn find(&mut self, labels: &[u8]) -> Result<u32, u64> {
        let previous = self.series.get(self.previous as usize);
        let mut next = previous.map_or(NONE, |previous| previous.next);
        // One series in a hundred misses a scrape: then its successor follows.
        for _ in 0..2 {
            if next == NONE {
                break;
            }
            if self.labels.get(next) == labels {
                self.previous = next;
                return Ok(next);
            }
            next = self.series[next as usize].next;
        }
        let hash = xxh3_64(labels);
        let found = self.labels.find(hash, labels).ok_or(hash)?;
        self.follow(found);
        Ok(found)
    }

    fn follow(&mut self, series: u32) {
        if let Some(previous) = self.series.get_mut(self.previous as usize) {
            previous.next = series;
        }
        self.previous = series;
    }

    /// Adds a series that `find` did not find.
    pub(crate) fn add(&mut self, hash: u64, labels: Labels<'_>, newest: Option<(i64, u32)>) -> u32 {
        let number = self.labels.add(hash, labels.as_bytes());
        let (newest_ms, received_s) = newest.unwrap_or((i64::MIN, 0));
        self.series.push(Series { next: NONE, received_s, newest_ms, stream: Stream::default() });
        self.index.add(number, labels);
        if self.series.len() == 1 {
            self.previous = NONE;
        }
        self.follow(number);
        number
    }

    /// Time of the series' newest sample and when the last was received.
    pub(crate) fn newest(&mut self, series: u32) -> (&mut i64, &mut u32) {
        let series = &mut self.series[series as usize];
        (&mut series.newest_ms, &mut series.received_s)
    }

    /// Per series the hash of its labels, time of its newest sample, and when the last was received.
    pub(crate) fn all_newest(&self) -> impl Iterator<Item = (u64, i64, u32)> {
        let series = self.series.iter().enumerate();
        series.map(|(number, s)| (xxh3_64(self.labels.get(number as u32)), s.newest_ms, s.received_s))
    }

    pub(crate) fn labels(&self, series: u32) -> Labels<'_> {
        Labels::of_canonical(self.labels.get(series))
    }

    pub(crate) fn index(&self) -> &HeadIndex {
        &self.index
    }

    #[inline]
    pub(crate) fn push(&mut self, series: u32, time_ms: i64, value: f64) {
        if self.histogram_rows > 0 {
            self.drop_histogram(series, time_ms);
        }
        let stream = &mut self.series[series as usize].stream;
        if stream.count == 0 || time_ms > stream.last_ms {
            stream.push(&mut self.slabs, time_ms, value);
            self.streamed_rows += 1;
        } else if time_ms < stream.last_ms || value.to_bits() != stream.last_bits() {
            self.push_late(series, time_ms, value);
        } else {
            self.forget_late(series, time_ms);
        }
    }

    #[cold]
    fn push_late(&mut self, series: u32, time_ms: i64, value: f64) {
        let beside = self.beside.entry(series).or_default();
        beside.late.push((time_ms, value));
        self.late_rows += 1;
        if beside.late.len() >= 64 + 2 * beside.sorted {
            let before = beside.late.len();
            keep_last(&mut beside.late);
            beside.sorted = beside.late.len();
            self.late_rows -= (before - beside.sorted) as u64;
        }
    }

    /// The stream has the value of this time: what came later and said otherwise is outdated.
    fn forget_late(&mut self, series: u32, time_ms: i64) {
        let Some(beside) = self.beside.get_mut(&series) else { return };
        let before = beside.late.len();
        beside.sorted -= beside.late[..beside.sorted].iter().filter(|(t, _)| *t == time_ms).count();
        beside.late.retain(|(t, _)| *t != time_ms);
        self.late_rows -= (before - beside.late.len()) as u64;
    }

    pub(crate) fn push_histogram(&mut self, series: u32, time_ms: i64, histogram: Histogram) {
        let stream = &self.series[series as usize].stream;
        let may_have_float = stream.first_ms <= time_ms && time_ms <= stream.last_ms
            || self.beside.get(&series).is_some_and(|beside| !beside.late.is_empty());
        if may_have_float {
            self.remove_floats(series, time_ms, time_ms);
        }
        self.drop_histogram(series, time_ms);
        self.histogram_rows += 1;
        self.histogram_bytes += histogram_bytes(&histogram);
        let beside = self.beside.entry(series).or_default();
        beside.newest_histogram_ms = beside.newest_histogram_ms.max(Some(time_ms));
        beside.histograms.push((time_ms, histogram));
    }

    fn drop_histogram(&mut self, series: u32, time_ms: i64) {
        let newest_ms = self.beside.get(&series).and_then(|beside| beside.newest_histogram_ms);
        // Nearly always it is newer than all.
        if newest_ms.is_some_and(|newest_ms| time_ms <= newest_ms) {
            self.remove_histograms(series, time_ms, time_ms);
        }
    }

    fn remove_histograms(&mut self, series: u32, start_ms: i64, end_ms: i64) {
        let Some(beside) = self.beside.get_mut(&series) else { return };
        let (rows, bytes) = (&mut self.histogram_rows, &mut self.histogram_bytes);
        beside.histograms.retain(|(time_ms, histogram)| {
            let goes = (start_ms..=end_ms).contains(time_ms);
            if goes {
                *rows -= 1;
                *bytes -= histogram_bytes(histogram);
            }
            !goes
        });
    }

    pub(crate) fn push_exemplars(&mut self, series: u32, exemplars: &[Exemplar]) {
        let kept = &mut self.beside.entry(series).or_default().exemplars;
        for exemplar in exemplars {
            if !kept.contains(exemplar) {
                kept.push(exemplar.clone());
            }
        }
        let surplus = kept.len().saturating_sub(MAX_EXEMPLARS);
        kept.drain(..surplus);
    }

    /// The exemplars of all series that have some.
    pub(crate) fn exemplars(&self) -> impl Iterator<Item = (u32, &[Exemplar])> {
        let beside = self.beside.iter().map(|(series, beside)| (*series, &*beside.exemplars));
        beside.filter(|(_, exemplars)| !exemplars.is_empty())
    }

    /// The exemplars of one series in a closed range of time.
    pub(crate) fn exemplars_of(&self, series: u32, range: (i64, i64)) -> impl Iterator<Item = &Exemplar> {
        let beside = self.beside.get(&series).into_iter().flat_map(|beside| &beside.exemplars);
        beside.filter(move |exemplar| (range.0..=range.1).contains(&exemplar.time_ms))
    }

    /// Takes out what matching series have in a closed range of time.
    pub(crate) fn delete(&mut self, matchers: &[Matcher], start_ms: i64, end_ms: i64) {
        for series in self.matching(matchers) {
            self.remove_floats(series, start_ms, end_ms);
            self.remove_histograms(series, start_ms, end_ms);
            if let Some(beside) = self.beside.get_mut(&series) {
                beside.exemplars.retain(|exemplar| !(start_ms..=end_ms).contains(&exemplar.time_ms));
            }
        }
    }

    fn remove_floats(&mut self, series: u32, start_ms: i64, end_ms: i64) {
        if let Some(beside) = self.beside.get_mut(&series) {
            let before = beside.late.len();
            let sorted = &beside.late[..beside.sorted];
            let goes = |time_ms: i64| (start_ms..=end_ms).contains(&time_ms);
            beside.sorted = sorted.iter().filter(|(time_ms, _)| !goes(*time_ms)).count();
            beside.late.retain(|(time_ms, _)| !goes(*time_ms));
            self.late_rows -= (before - beside.late.len()) as u64;
        }
        let stream = &mut self.series[series as usize].stream;
        if stream.count == 0 || stream.last_ms < start_ms || stream.first_ms > end_ms {
            return;
        }
        let (mut times, mut values) = (Vec::new(), Vec::new());
        stream.read(&self.slabs, &mut Vec::new(), &mut times, &mut values);
        self.streamed_rows -= times.len() as u64;
        stream.clear(&mut self.slabs);
        for (time_ms, value) in times.into_iter().zip(values) {
            if !(start_ms..=end_ms).contains(&time_ms) {
                stream.push(&mut self.slabs, time_ms, value);
                self.streamed_rows += 1;
            }
        }
    }

    /// The series that pass all matchers.
    pub(crate) fn matching(&self, matchers: &[Matcher]) -> RoaringBitmap {
        self.index.matching(matchers, self.series_count())
    }

    /// Whether the newest sample of a series in a closed range of time is no stale marker, if that is plain to see.
    pub(crate) fn presence(&self, series: u32, range: (i64, i64)) -> Option<bool> {
        let stream = &self.series[series as usize].stream;
        if self.beside.contains_key(&series) || stream.count == 0 || stream.last_ms > range.1 {
            return None;
        }
        Some(stream.last_ms >= range.0 && !is_stale(f64::from_bits(stream.last_bits())))
    }

    /// Earliest and latest time of a series' samples; `None` if it has none.
    pub(crate) fn bounds(&self, series: u32) -> Option<(i64, i64)> {
        let stream = &self.series[series as usize].stream;
        let mut bounds = (stream.count > 0).then_some((stream.first_ms, stream.last_ms));
        if let Some(beside) = self.beside.get(&series) {
            let late = beside.late.iter().map(|(time_ms, _)| *time_ms);
            for time_ms in late.chain(beside.histograms.iter().map(|(time_ms, _)| *time_ms)) {
                let (first, last) = bounds.unwrap_or((time_ms, time_ms));
                bounds = Some((first.min(time_ms), last.max(time_ms)));
            }
        }
        bounds
    }

    /// How many samples a series has, if that is known without looking at each.
    pub(crate) fn count(&self, series: u32) -> Option<usize> {
        let plain = !self.beside.contains_key(&series);
        plain.then_some(self.series[series as usize].stream.count as usize)
    }

    /// Appends what a series has in the range to `out`, which must be empty.
    pub(crate) fn read(&self, series: u32, range: (i64, i64), scratch: &mut Vec<u8>, out: &mut Values) {
        let stream = &self.series[series as usize].stream;
        if stream.count > 0 && stream.first_ms <= range.1 && stream.last_ms >= range.0 {
            stream.read(&self.slabs, scratch, &mut out.times_ms, &mut out.values);
            let end = out.times_ms.partition_point(|time_ms| *time_ms <= range.1);
            out.times_ms.truncate(end);
            out.values.truncate(end);
            let start = out.times_ms.partition_point(|time_ms| *time_ms < range.0);
            out.times_ms.drain(..start);
            out.values.drain(..start);
        }
        let Some(beside) = self.beside.get(&series) else { return };
        let within = |time_ms: &i64| (range.0..=range.1).contains(time_ms);
        let mut late: Vec<(i64, f64)> = beside.late.iter().filter(|(t, _)| within(t)).copied().collect();
        if !late.is_empty() {
            keep_last(&mut late);
            let (times_ms, values) = late.into_iter().unzip();
            merge(out, Values { times_ms, values, histograms: Vec::new() });
        }
        let histograms = beside.histograms.iter().filter(|(t, _)| within(t));
        out.histograms.extend(histograms.cloned());
        out.histograms.sort_by_key(|(time_ms, _)| *time_ms);
    }
}

fn histogram_bytes(histogram: &Histogram) -> u64 {
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    let floats =
        histogram.positive_counts.len() + histogram.negative_counts.len() + histogram.custom_values.len();
    (size_of::<(i64, Histogram)>() + 8 * (spans + floats)) as u64
}
