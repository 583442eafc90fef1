//! The samples of one tenant that are in no segment yet. A head is filled in journal
//! order, frozen when it is sealed, and gone when its segments are published.
//!
//! Samples of a series that ascend in time are a compressed stream; others stand in a list of
//! their own and win where both have a time, as they came later. Where there is a histogram, it is later than
//! any float of its time: a float that comes behind it takes it out.

mod index;
mod intern;
mod packed;
mod slabs;

use std::collections::{BTreeMap, HashMap};

use promql::{Matcher, Total, Values};
use roaring::RoaringBitmap;
use telemetry::Labels;
use telemetry::samples::{Exemplar, Histogram};
use xxhash_rust::xxh3::xxh3_64;

pub(crate) use index::{HeadIndex, all};
pub(crate) use intern::ByHash;
use intern::Interner;
use packed::Packed;
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
    /// Native histograms by time.
    histograms: BTreeMap<i64, Packed>,
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
    /// A buffer for a histogram's bytes.
    scratch: Vec<u8>,
    /// The series that was applied last.
    previous: u32,
    late_rows: u64,
    histogram_bytes: u64,
    exemplar_bytes: u64,
    streamed_rows: u64,
    histogram_rows: u64,
    /// When the record that is being applied was received.
    received_at_ns: i64,
    /// When the first record with a series was received.
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

    /// Samples; floats that a histogram replaced count until they are sealed.
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
        let compact = series + self.index.size_bytes() + self.slabs.size_bytes() + beside;
        compact as u64 + self.histogram_bytes + self.exemplar_bytes
    }

    /// Notes that a record is being applied.
    pub(crate) fn begin(&mut self, offset: u64, received_at_ns: i64) {
        self.min_offset = if self.is_empty() { offset } else { self.min_offset };
        self.max_offset = offset;
        self.received_at_ns = received_at_ns;
        // What has nothing to seal has no age: records may hold no series.
        self.oldest_received_at_ns = self.oldest_received_at_ns.map(|oldest| oldest.min(received_at_ns));
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
        self.oldest_received_at_ns.get_or_insert(self.received_at_ns);
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
        } else if self.beside.get(&series).is_some_and(|beside| !beside.late.is_empty()) {
            // The stream has this value; one that came between may not have it.
            self.push_late(series, time_ms, value);
        }
    }

    #[cold]
    fn push_late(&mut self, series: u32, time_ms: i64, value: f64) {
        let beside = self.beside.entry(series).or_default();
        beside.late.push((time_ms, value));
        self.late_rows += 1;
        if beside.late.len() >= 32 + beside.sorted {
            let before = beside.late.len();
            keep_last(&mut beside.late);
            beside.sorted = beside.late.len();
            self.late_rows -= (before - beside.sorted) as u64;
        }
    }

    pub(crate) fn push_histogram(&mut self, series: u32, time_ms: i64, histogram: &Histogram) {
        let packed = Packed::new(histogram, &mut self.scratch);
        self.histogram_rows += 1;
        self.histogram_bytes += packed.size_bytes();
        let beside = self.beside.entry(series).or_default();
        if let Some(old) = beside.histograms.insert(time_ms, packed) {
            self.histogram_rows -= 1;
            self.histogram_bytes -= old.size_bytes();
        }
    }

    fn drop_histogram(&mut self, series: u32, time_ms: i64) {
        let dropped = self.beside.get_mut(&series).and_then(|beside| beside.histograms.remove(&time_ms));
        if let Some(old) = dropped {
            self.histogram_rows -= 1;
            self.histogram_bytes -= old.size_bytes();
        }
    }

    fn remove_histograms(&mut self, series: u32, start_ms: i64, end_ms: i64) {
        let Some(beside) = self.beside.get(&series).filter(|_| start_ms <= end_ms) else { return };
        let times: Vec<i64> =
            beside.histograms.range(start_ms..=end_ms).map(|(time_ms, _)| *time_ms).collect();
        for time_ms in times {
            self.drop_histogram(series, time_ms);
        }
    }

    pub(crate) fn push_exemplars(&mut self, series: u32, exemplars: &[Exemplar]) {
        let kept = &mut self.beside.entry(series).or_default().exemplars;
        for exemplar in &exemplars[exemplars.len().saturating_sub(MAX_EXEMPLARS)..] {
            if !kept.contains(exemplar) {
                self.exemplar_bytes += exemplar_bytes(exemplar);
                kept.push(exemplar.clone());
            }
        }
        let surplus = kept.len().saturating_sub(MAX_EXEMPLARS);
        self.exemplar_bytes -= kept.drain(..surplus).map(|exemplar| exemplar_bytes(&exemplar)).sum::<u64>();
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
                let goes = |exemplar: &mut Exemplar| (start_ms..=end_ms).contains(&exemplar.time_ms);
                let gone = beside.exemplars.extract_if(.., goes);
                self.exemplar_bytes -= gone.map(|exemplar| exemplar_bytes(&exemplar)).sum::<u64>();
            }
        }
    }

    /// What came late joins the stream here: a stream that ends earlier than it did would let it win over what
    /// is still to come.
    fn remove_floats(&mut self, series: u32, start_ms: i64, end_ms: i64) {
        let goes = |time_ms: i64| (start_ms..=end_ms).contains(&time_ms);
        let stream = &self.series[series as usize].stream;
        let late = self.beside.get(&series).map(|beside| &beside.late[..]).unwrap_or_default();
        let in_stream = stream.count > 0 && stream.first_ms <= end_ms && stream.last_ms >= start_ms;
        if !in_stream && !late.iter().any(|(time_ms, _)| goes(*time_ms)) {
            return;
        }
        let mut floats = Values::default();
        self.read_floats(series, (i64::MIN, i64::MAX), &mut Vec::new(), &mut floats);
        if let Some(beside) = self.beside.get_mut(&series) {
            self.late_rows -= beside.late.len() as u64;
            (beside.late, beside.sorted) = (Vec::new(), 0);
        }
        let stream = &mut self.series[series as usize].stream;
        self.streamed_rows -= u64::from(stream.count);
        stream.clear(&mut self.slabs);
        for (time_ms, value) in floats.times_ms.into_iter().zip(floats.values) {
            if !goes(time_ms) {
                stream.push(&mut self.slabs, time_ms, value);
                self.streamed_rows += 1;
            }
        }
        self.take_in_late(series);
    }

    /// A stream that has lost its end may have late samples behind its new one. They go into it: what comes next at
    /// their times is newer than they are, and late ones win.
    fn take_in_late(&mut self, series: u32) {
        let Some(beside) = self.beside.get_mut(&series) else { return };
        let stream = &mut self.series[series as usize].stream;
        let end = (stream.count > 0).then_some(stream.last_ms);
        if beside.late.iter().all(|(time_ms, _)| Some(*time_ms) <= end) {
            return;
        }
        let before = beside.late.len();
        keep_last(&mut beside.late);
        let behind = beside.late.partition_point(|(time_ms, _)| Some(*time_ms) <= end);
        for (time_ms, value) in beside.late.drain(behind..) {
            stream.push(&mut self.slabs, time_ms, value);
            self.streamed_rows += 1;
        }
        beside.sorted = beside.late.len();
        self.late_rows -= (before - beside.sorted) as u64;
    }

    /// The series that pass all matchers.
    pub(crate) fn matching(&self, matchers: &[Matcher]) -> RoaringBitmap {
        self.index.matching(matchers, self.series_count())
    }

    /// The newest float of a series in a closed range of time, if that is plain to see; the inner `None` if there is none.
    pub(crate) fn newest_in(&self, series: u32, range: (i64, i64)) -> Option<Option<(i64, f64)>> {
        let stream = &self.series[series as usize].stream;
        if stream.count == 0 || stream.last_ms > range.1 || self.beside.contains_key(&series) {
            return None;
        }
        Some((stream.last_ms >= range.0).then(|| (stream.last_ms, f64::from_bits(stream.last_bits()))))
    }

    /// Earliest and latest time of a series' samples; `None` if it has none.
    pub(crate) fn bounds(&self, series: u32) -> Option<(i64, i64)> {
        let stream = &self.series[series as usize].stream;
        let mut bounds = (stream.count > 0).then_some((stream.first_ms, stream.last_ms));
        if let Some(beside) = self.beside.get(&series) {
            let late = beside.late.iter().map(|(time_ms, _)| *time_ms);
            let (first, last) = (beside.histograms.first_key_value(), beside.histograms.last_key_value());
            for time_ms in late.chain(first.into_iter().chain(last).map(|(time_ms, _)| *time_ms)) {
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
        self.read_floats(series, range, scratch, out);
        let Some(beside) = self.beside.get(&series) else { return };
        if beside.histograms.is_empty() || range.0 > range.1 {
            return;
        }
        let floats = out.times_ms.iter().copied().zip(out.values.iter().copied());
        let floats = floats.filter(|(time_ms, _)| !beside.histograms.contains_key(time_ms));
        (out.times_ms, out.values) = floats.collect();
        let histograms = beside.histograms.range(range.0..=range.1);
        out.histograms.extend(histograms.map(|(time_ms, packed)| (*time_ms, packed.histogram())));
    }

    /// The histograms of a series that has nothing else; `None` of others.
    pub(crate) fn histograms(&self, series: u32, range: (i64, i64)) -> Option<Vec<(i64, Histogram)>> {
        self.packed(series, range, Packed::histogram)
    }

    /// Their counts and sums.
    pub(crate) fn totals(&self, series: u32, range: (i64, i64)) -> Option<Vec<(i64, Total)>> {
        self.packed(series, range, Packed::total)
    }

    fn packed<T>(
        &self,
        series: u32,
        range: (i64, i64),
        unpack: impl Fn(&Packed) -> T,
    ) -> Option<Vec<(i64, T)>> {
        if self.series[series as usize].stream.count > 0 {
            return None;
        }
        let Some(beside) = self.beside.get(&series) else { return Some(Vec::new()) };
        let all = beside.histograms.range(range.0..=range.1);
        beside.late.is_empty().then(|| all.map(|(time_ms, packed)| (*time_ms, unpack(packed))).collect())
    }

    /// Its floats, also those that a histogram replaced.
    fn read_floats(&self, series: u32, range: (i64, i64), scratch: &mut Vec<u8>, out: &mut Values) {
        let stream = &self.series[series as usize].stream;
        if stream.count > 0 && stream.first_ms <= range.1 && stream.last_ms >= range.0 {
            stream.read(&self.slabs, range, scratch, &mut out.times_ms, &mut out.values);
        }
        let late = self.beside.get(&series).map(|beside| &beside.late[..]).unwrap_or_default();
        let within = |time_ms: &i64| (range.0..=range.1).contains(time_ms);
        let mut late: Vec<(i64, f64)> = late.iter().filter(|(t, _)| within(t)).copied().collect();
        if !late.is_empty() {
            keep_last(&mut late);
            let (times_ms, values) = late.into_iter().unzip();
            merge(out, &mut Values { times_ms, values, histograms: Vec::new() });
        }
    }
}

fn exemplar_bytes(exemplar: &Exemplar) -> u64 {
    (size_of::<Exemplar>() + exemplar.labels.as_bytes().len()) as u64
}

#[cfg(test)]
mod tests;
