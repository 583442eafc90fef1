//! Selected series: each label set once, with the places that have it.

use promql::{Cursor, QueryError, Select, Selection, Total, Values};
use roaring::RoaringBitmap;
use telemetry::LabelSet;
use telemetry::samples::Histogram;

use super::source::Source;
use super::{Missing, Snapshots};
use crate::head::ByHash;
use crate::segment::{Histograms, OpenParts};
use crate::values::{keep_last, merge};

/// Source and number of the series there.
type Part = (u32, u32);

/// A series and where it is, from old to new.
struct Entry {
    labels: LabelSet,
    parts: Vec<Part>,
}

/// The series, in the order of their first place.
enum Found {
    /// All are in one source, which has each label set once: labels are read when they are asked for.
    InOne(Vec<Part>),
    Joined(Vec<Entry>),
}

pub(super) struct Selected {
    sources: Vec<Source>,
    found: Found,
    range: (i64, i64),
    pub(super) missing: Missing,
}

impl Selected {
    pub(super) fn new(snapshots: &Snapshots, select: &Select<'_>) -> Result<Self, QueryError> {
        Self::build(snapshots, select, false)
    }

    /// The same with all labels at hand.
    pub(super) fn with_labels(snapshots: &Snapshots, select: &Select<'_>) -> Result<Self, QueryError> {
        Self::build(snapshots, select, true)
    }

    fn build(snapshots: &Snapshots, select: &Select<'_>, labels: bool) -> Result<Self, QueryError> {
        let range = (select.start_ms, select.end_ms);
        let missing = Missing::default();
        let (mut sources, mut passed) = (Vec::new(), Vec::<RoaringBitmap>::new());
        if range.0 <= range.1 {
            for snapshot in &snapshots.0 {
                for source in Source::all(snapshot, range, &missing)? {
                    passed.push(source.select(select.matchers, range, &missing)?);
                    sources.push(source);
                }
            }
        }
        let mut filled = passed.iter().enumerate().filter(|(_, passed)| !passed.is_empty());
        let found = match (filled.next(), filled.next()) {
            (Some((source, passed)), None) if !labels => {
                Found::InOne(passed.iter().map(|series| (source as u32, series)).collect())
            }
            _ => Found::Joined(join(&sources, &passed, &missing)?),
        };
        Ok(Self { sources, found, range, missing })
    }

    /// All labels; only of what was made `with_labels`.
    pub(super) fn all_labels(&self) -> impl Iterator<Item = &LabelSet> {
        let entries: &[Entry] = match &self.found {
            Found::InOne(_) => &[],
            Found::Joined(entries) => entries,
        };
        entries.iter().map(|entry| &entry.labels)
    }

    /// What `read` gives of each place of a series, from old ones to new ones; `None` if it gives nothing of one.
    fn of_places<T>(
        &self,
        index: usize,
        read: impl Fn(&Source, u32) -> Result<Option<Vec<T>>, QueryError>,
    ) -> Result<Option<Vec<T>>, QueryError> {
        let mut all = Vec::new();
        for (source, series) in self.parts(index).unwrap_or_default() {
            let source = &self.sources[*source as usize];
            let mut open = OpenParts::default();
            if self.is_in_one() && !source.has_labels(*series, &mut open, &self.missing)? {
                continue;
            }
            match read(source, *series)? {
                Some(own) => all.extend(own),
                None => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// What stands at times in the range, in order; of one time what came last.
    fn in_range<T>(&self, all: impl Iterator<Item = (i64, T)>) -> Vec<(i64, T)> {
        let mut all: Vec<(i64, T)> =
            all.filter(|(time_ms, _)| (self.range.0..=self.range.1).contains(time_ms)).collect();
        if !all.is_sorted_by(|earlier, later| earlier.0 < later.0) {
            keep_last(&mut all);
        }
        all
    }

    /// Whether labels are read when they are asked for.
    fn is_in_one(&self) -> bool {
        matches!(self.found, Found::InOne(_))
    }

    fn reading(&self) -> Reading<'_> {
        let open = self.sources.iter().map(|_| OpenParts::default()).collect();
        Reading { selected: self, open, own: Values::default() }
    }

    /// Every place that has a series.
    fn parts(&self, index: usize) -> Option<&[Part]> {
        match &self.found {
            Found::InOne(parts) => parts.get(index).map(std::slice::from_ref),
            Found::Joined(entries) => entries.get(index).map(|entry| &*entry.parts),
        }
    }
}

/// Reads series one after the other.
struct Reading<'s> {
    selected: &'s Selected,
    /// For each source.
    open: Vec<OpenParts>,
    /// What the newer place of a series has.
    own: Values,
}

impl Cursor for Reading<'_> {
    fn labels(&mut self, index: usize) -> LabelSet {
        let selected = self.selected;
        let labels = match &selected.found {
            Found::InOne(parts) => parts.get(index).and_then(|(source, series)| {
                let (source, open) = (&selected.sources[*source as usize], &mut self.open[*source as usize]);
                // A segment that turns out to be damaged is noted, and `read` has said that there is nothing.
                source.labels_of(*series, open, &selected.missing).ok().flatten()
            }),
            Found::Joined(entries) => entries.get(index).map(|entry| entry.labels.clone()),
        };
        labels.unwrap_or_else(LabelSet::empty)
    }

    fn read(&mut self, index: usize, values: &mut Values) -> Result<(), QueryError> {
        values.clear();
        let selected = self.selected;
        let Some(parts) = selected.parts(index) else {
            return Err(QueryError::Execution(format!("there is no series {index}")));
        };
        for (number, (source, series)) in parts.iter().enumerate() {
            let (source, open) = (&selected.sources[*source as usize], &mut self.open[*source as usize]);
            if selected.is_in_one() && !source.has_labels(*series, open, &selected.missing)? {
                continue;
            }
            if number == 0 {
                source.read(*series, selected.range, open, &selected.missing, values)?;
                continue;
            }
            self.own.clear();
            source.read(*series, selected.range, open, &selected.missing, &mut self.own)?;
            merge(values, &mut self.own);
        }
        Ok(())
    }
}

/// Finds the places that have the same labels.
fn join(sources: &[Source], passed: &[RoaringBitmap], missing: &Missing) -> Result<Vec<Entry>, QueryError> {
    let most = passed.iter().map(RoaringBitmap::len).max().unwrap_or_default() as usize;
    let mut entries = Vec::<Entry>::with_capacity(most);
    let mut known = ByHash::<u32>::with_capacity_and_hasher(most, Default::default());
    for (number, (source, passed)) in sources.iter().zip(passed).enumerate() {
        for (series, labels) in source.labels(passed, missing)? {
            let mut hash = labels.hash64();
            let entry = loop {
                match known.get(&hash) {
                    Some(entry) if entries[*entry as usize].labels == labels => break *entry,
                    // Another series of this hash: its place is the next that is free.
                    Some(_) => hash = hash.wrapping_add(1),
                    None => {
                        let entry = entries.len() as u32;
                        known.insert(hash, entry);
                        entries.push(Entry { labels, parts: Vec::with_capacity(1) });
                        break entry;
                    }
                }
            };
            entries[entry as usize].parts.push((number as u32, series));
        }
    }
    Ok(entries)
}

impl Selection for Selected {
    fn len(&self) -> usize {
        match &self.found {
            Found::InOne(parts) => parts.len(),
            Found::Joined(entries) => entries.len(),
        }
    }

    fn labels(&self, index: usize) -> LabelSet {
        self.reading().labels(index)
    }

    fn read(&self, index: usize, values: &mut Values) -> Result<(), QueryError> {
        self.reading().read(index, values)
    }

    fn cursor(&self) -> Option<Box<dyn Cursor + '_>> {
        Some(Box::new(self.reading()))
    }

    fn each_histogram(&self, index: usize, see: &mut dyn FnMut(i64, &Histogram)) -> Result<(), QueryError> {
        let chunks: Option<Vec<Histograms>> =
            self.of_places(index, |source, series| source.histograms(series, self.range, &self.missing))?;
        let Some(chunks) = chunks else {
            let mut values = Values::default();
            self.read(index, &mut values)?;
            values.histograms.iter().for_each(|(time_ms, histogram)| see(*time_ms, histogram));
            return Ok(());
        };
        let all = chunks.iter().flat_map(|chunk| chunk.iter());
        let all = self.in_range(all.map(|(time_ms, histogram)| (*time_ms, histogram)));
        all.into_iter().for_each(|(time_ms, histogram)| see(time_ms, histogram));
        Ok(())
    }

    fn each_total(&self, index: usize, see: &mut dyn FnMut(i64, Total)) -> Result<(), QueryError> {
        let totals =
            self.of_places(index, |source, series| source.totals(series, self.range, &self.missing))?;
        let Some(totals) = totals else {
            let mut of_histogram = |time_ms, histogram: &Histogram| {
                see(time_ms, Total { count: histogram.count, sum: histogram.sum });
            };
            return self.each_histogram(index, &mut of_histogram);
        };
        self.in_range(totals.into_iter()).into_iter().for_each(|(time_ms, total)| see(time_ms, total));
        Ok(())
    }

    fn count_hint(&self, index: usize) -> Option<usize> {
        match self.parts(index)? {
            [(source, series)] => self.sources[*source as usize].count(*series, self.range),
            _ => None,
        }
    }

    fn presence_hint(&self, index: usize) -> Option<bool> {
        // Which place has the newest sample is not known: they must agree.
        let mut all = self
            .parts(index)?
            .iter()
            .map(|(source, series)| self.sources[*source as usize].presence(*series, self.range));
        let first = all.next()??;
        all.all(|presence| presence == Some(first)).then_some(first)
    }

    fn newest_hint(&self, index: usize) -> Option<Option<(i64, f64)>> {
        let ((source, series), older) = self.parts(index)?.split_last()?;
        let newest = self.sources[*source as usize].newest(*series, self.range)?;
        if older.is_empty() {
            return Some(newest);
        }
        // What came late may stand in the newer place.
        let (time_ms, _) = newest?;
        let is_newest =
            older.iter().all(|(source, series)| self.sources[*source as usize].end_ms(*series) < time_ms);
        is_newest.then_some(newest)
    }

    fn warnings(&self) -> Vec<String> {
        self.missing.warnings()
    }
}
