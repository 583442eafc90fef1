//! One place that has series: a segment or a head.

use std::cell::RefCell;
use std::sync::Arc;

use parking_lot::RwLock;
use promql::{Matcher, QueryError, Total, Values};
use roaring::RoaringBitmap;
use telemetry::LabelSet;
use telemetry::samples::{Exemplar, is_stale};

use super::Missing;
use crate::carry::Deletion;
use crate::head::Head;
use crate::partition::{Pinned, Snapshot};
use crate::segment::{Histograms, OpenParts, ReadError, SegmentReader};
use crate::values::Hidden;

thread_local! {
    /// What series are unpacked from, one after the other.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Where series are, and what deletes hide there.
pub(super) struct Source {
    pub(super) place: Place,
    hidden: Hidden,
}

pub(super) enum Place {
    Segment { reader: SegmentReader, pinned: Arc<Pinned> },
    Head(Arc<RwLock<Head>>),
}

impl Source {
    /// The places of a snapshot that may have samples in the range, from old to new.
    pub(super) fn all(
        snapshot: &Snapshot,
        range: (i64, i64),
        missing: &Missing,
    ) -> Result<Vec<Self>, QueryError> {
        let mut sources = Vec::new();
        for pinned in snapshot.segments.iter().filter(|s| s.listed().overlaps(range.0, range.1)) {
            let opened = pinned.open().and_then(|reader| {
                let hidden = reader.hidden(&snapshot.deletes)?;
                Ok(Self { place: Place::Segment { reader, pinned: pinned.clone() }, hidden })
            });
            sources.extend(missing.unless_damaged(pinned, opened)?);
        }
        let heads = snapshot.heads.len();
        for (at, head) in snapshot.heads.iter().enumerate() {
            // Deletes are done in the open head when they are applied.
            let deletes = if at + 1 < heads { &snapshot.deletes[..] } else { &[] };
            let hidden = hidden_in(&head.read(), deletes);
            sources.push(Self { place: Place::Head(head.clone()), hidden });
        }
        Ok(sources)
    }

    /// The series that pass all matchers and may have samples in the range.
    pub(super) fn select(
        &self,
        matchers: &[Matcher],
        range: (i64, i64),
        missing: &Missing,
    ) -> Result<RoaringBitmap, QueryError> {
        match &self.place {
            Place::Head(head) => Ok(self.select_head(&head.read(), matchers, range)),
            Place::Segment { reader, pinned } => {
                let selected = self.select_segment(reader, matchers, range);
                Ok(missing.unless_damaged(pinned, selected)?.unwrap_or_default())
            }
        }
    }

    fn select_head(&self, head: &Head, matchers: &[Matcher], range: (i64, i64)) -> RoaringBitmap {
        let passed = head.matching(matchers).into_iter().filter(|series| {
            let bounds = head.bounds(*series).filter(|(first, last)| *first <= range.1 && *last >= range.0);
            bounds.is_some_and(|(first, last)| {
                !self.hidden.covers(*series, (first.max(range.0), last.min(range.1)))
            })
        });
        passed.collect()
    }

    fn select_segment(
        &self,
        reader: &SegmentReader,
        matchers: &[Matcher],
        range: (i64, i64),
    ) -> Result<RoaringBitmap, ReadError> {
        let mut selected = reader.overlapping(reader.matching(matchers)?, range)?;
        if !self.hidden.is_empty() {
            let whole = (reader.footer.min_time_ms.max(range.0), reader.footer.max_time_ms.min(range.1));
            let covered = selected.iter().filter(|series| self.hidden.covers(*series, whole));
            selected -= covered.collect::<RoaringBitmap>();
        }
        Ok(selected)
    }

    /// The labels of some series; none if the segment turns out to be damaged.
    pub(super) fn labels(
        &self,
        series: &RoaringBitmap,
        missing: &Missing,
    ) -> Result<Vec<(u32, LabelSet)>, QueryError> {
        match &self.place {
            Place::Head(head) => {
                let head = head.read();
                Ok(series.iter().map(|number| (number, head.labels(number).to_set())).collect())
            }
            Place::Segment { reader, pinned } => {
                Ok(missing.unless_damaged(pinned, reader.labels_of(series))?.unwrap_or_default())
            }
        }
    }

    /// What a series has in the range goes to `values`, which must be empty.
    pub(super) fn read(
        &self,
        series: u32,
        range: (i64, i64),
        open: &mut OpenParts,
        missing: &Missing,
        values: &mut Values,
    ) -> Result<(), QueryError> {
        match &self.place {
            Place::Head(head) => {
                SCRATCH.with_borrow_mut(|scratch| head.read().read(series, range, scratch, values));
            }
            Place::Segment { reader, pinned } => {
                let read = reader.read(series, range, open, values);
                if missing.unless_damaged(pinned, read)?.is_none() {
                    values.clear();
                }
            }
        }
        self.hidden.apply(series, values);
        Ok(())
    }

    /// The histograms of a series of which nothing else is here, in chunks that reach into the range; `None` where
    /// only `read` will do.
    pub(super) fn histograms(
        &self,
        series: u32,
        range: (i64, i64),
        missing: &Missing,
    ) -> Result<Option<Vec<Histograms>>, QueryError> {
        if self.hidden.touches(series) {
            return Ok(None);
        }
        match &self.place {
            Place::Head(head) => {
                let histograms = head.read().histograms(series, range);
                Ok(histograms.map(|histograms| vec![Arc::new(histograms)]))
            }
            Place::Segment { reader, pinned } => {
                let read = reader.histograms(series, range);
                Ok(missing.unless_damaged(pinned, read)?.unwrap_or_else(|| Some(Vec::new())))
            }
        }
    }

    /// The same with counts and sums alone, each with its time; some may lie outside of the range.
    pub(super) fn totals(
        &self,
        series: u32,
        range: (i64, i64),
        missing: &Missing,
    ) -> Result<Option<Vec<(i64, Total)>>, QueryError> {
        if self.hidden.touches(series) {
            return Ok(None);
        }
        match &self.place {
            Place::Head(head) => Ok(head.read().totals(series, range)),
            Place::Segment { reader, pinned } => {
                let read = reader.totals(series, range);
                Ok(missing.unless_damaged(pinned, read)?.unwrap_or_else(|| Some(Vec::new())))
            }
        }
    }

    /// How many samples a series has in the range, if that is known without reading them.
    pub(super) fn count(&self, series: u32, range: (i64, i64)) -> Option<usize> {
        if self.hidden.touches(series) {
            return None;
        }
        match &self.place {
            Place::Segment { reader, .. } => reader.count(series, range).ok()?,
            Place::Head(head) => {
                let head = head.read();
                let (first, last) = head.bounds(series)?;
                (range.0 <= first && last <= range.1).then(|| head.count(series)).flatten()
            }
        }
    }

    /// Whether a series' newest sample in the range is no stale marker, if that is known without reading.
    pub(super) fn presence(&self, series: u32, range: (i64, i64)) -> Option<bool> {
        match &self.place {
            _ if self.hidden.touches(series) => None,
            Place::Segment { reader, .. } => reader.presence(series, range).ok()?,
            Place::Head(_) => {
                self.newest(series, range).map(|newest| newest.is_some_and(|(_, value)| !is_stale(value)))
            }
        }
    }

    /// The newest float of a series in the range, if that is known without reading.
    pub(super) fn newest(&self, series: u32, range: (i64, i64)) -> Option<Option<(i64, f64)>> {
        match &self.place {
            Place::Head(head) if !self.hidden.touches(series) => head.read().newest_in(series, range),
            _ => None,
        }
    }

    /// A time that no sample of a series is behind.
    pub(super) fn end_ms(&self, series: u32) -> i64 {
        match &self.place {
            Place::Head(head) => head.read().bounds(series).map_or(i64::MIN, |(_, last)| last),
            Place::Segment { reader, .. } => reader.footer.max_time_ms,
        }
    }

    /// The labels of one series; none if the segment turns out to be damaged.
    pub(super) fn labels_of(
        &self,
        series: u32,
        open: &mut OpenParts,
        missing: &Missing,
    ) -> Result<Option<LabelSet>, QueryError> {
        match &self.place {
            Place::Head(head) => Ok(Some(head.read().labels(series).to_set())),
            Place::Segment { reader, pinned } => missing.unless_damaged(pinned, reader.labels(series, open)),
        }
    }

    /// Whether the labels of a series can be read; not if the segment turns out to be damaged.
    pub(super) fn has_labels(
        &self,
        series: u32,
        open: &mut OpenParts,
        missing: &Missing,
    ) -> Result<bool, QueryError> {
        match &self.place {
            Place::Head(_) => Ok(true),
            Place::Segment { reader, pinned } => {
                Ok(missing.unless_damaged(pinned, reader.check_labels(series, open))?.is_some())
            }
        }
    }

    /// Whether deletes hide something of it.
    pub(super) fn has_hidden(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// The exemplars of series that pass, in the range.
    pub(super) fn exemplars(
        &self,
        matchers: &[Matcher],
        range: (i64, i64),
        missing: &Missing,
    ) -> Result<Vec<(LabelSet, Vec<Exemplar>)>, QueryError> {
        match &self.place {
            Place::Head(head) => {
                let head = head.read();
                let passed = head.matching(matchers);
                let own = head.exemplars().filter(|(series, _)| passed.contains(*series));
                let own =
                    own.map(|(series, all)| (head.labels(series).to_set(), self.within(series, range, all)));
                Ok(own.filter(|(_, exemplars)| !exemplars.is_empty()).collect())
            }
            Place::Segment { reader, pinned } => {
                let read = self.segment_exemplars(reader, matchers, range);
                Ok(missing.unless_damaged(pinned, read)?.unwrap_or_default())
            }
        }
    }

    fn segment_exemplars(
        &self,
        reader: &SegmentReader,
        matchers: &[Matcher],
        range: (i64, i64),
    ) -> Result<Vec<(LabelSet, Vec<Exemplar>)>, ReadError> {
        let passed = reader.matching(matchers)?;
        let (mut found, mut open) = (Vec::new(), OpenParts::default());
        for (series, exemplars) in reader.exemplars()? {
            if passed.contains(series) {
                let within = self.within(series, range, &exemplars);
                if !within.is_empty() {
                    found.push((reader.labels(series, &mut open)?, within));
                }
            }
        }
        Ok(found)
    }

    fn within(&self, series: u32, range: (i64, i64), exemplars: &[Exemplar]) -> Vec<Exemplar> {
        let within = exemplars.iter().filter(|exemplar| {
            let time_ms = exemplar.time_ms;
            (range.0..=range.1).contains(&time_ms) && !self.hidden.hides(series, time_ms)
        });
        within.cloned().collect()
    }
}

fn hidden_in(head: &Head, deletes: &[Deletion]) -> Hidden {
    let behind = deletes.iter().filter(|deletion| deletion.offset > head.clean_offset);
    let hidden = behind.map(|d| (head.matching(&d.matchers), d.start_ms, d.end_ms));
    Hidden(hidden.filter(|(series, _, _)| !series.is_empty()).collect())
}
