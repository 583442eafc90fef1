//! The merge itself: series by series in order, all of its inputs' samples of one at a time.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use promql::Values;
use telemetry::LabelSet;
use telemetry::samples::Exemplar;

use super::{MergePlan, Merged};
use crate::cache::PageCache;
use crate::carry::Deletion;
use crate::partition::{Inner, Pinned, SeriesError};
use crate::segment::writer::{About, SegmentWriter};
use crate::segment::{OpenParts, ReadError, SegmentFile, SegmentReader, SegmentRef, series_order};
use crate::values::{Hidden, merge};

/// What a merge keeps of what it read.
const CACHE_BYTES: usize = 16 << 20;
/// A series keeps so many exemplars in a segment, the newest.
const MAX_EXEMPLARS: usize = 1024;
const EVER: (i64, i64) = (i64::MIN, i64::MAX);

pub(super) fn run(inner: &Inner, epoch: u64, plan: &MergePlan) -> Result<Merged, SeriesError> {
    let Some(first) = plan.inputs.first() else {
        return Ok(Merged { added: Vec::new(), removed: BTreeSet::new() });
    };
    let (pinned, deletes, clean_offset) = pin(inner, plan)?;
    let cache = PageCache::new(CACHE_BYTES);
    let mut inputs = Vec::new();
    for segment in &pinned {
        inputs.push(checked(segment, Input::open(inner, segment, &cache, &deletes))?);
    }
    let name = inner.blobs.name(&first.tenant, epoch);
    let about = About {
        tenant: first.tenant.clone(),
        partition: inner.partition,
        min_offset: plan.inputs.iter().map(|input| input.min_offset).min().unwrap_or(0),
        max_offset: plan.inputs.iter().map(|input| input.max_offset).max().unwrap_or(0),
        clean_offset,
    };
    let mut writer = SegmentWriter::new(inner.blobs.store(), name.clone(), about);
    let written = match write(&mut inputs, &pinned, &mut writer) {
        Ok(()) => writer.finish(),
        Err(error) => {
            writer.abort();
            Err(error)
        }
    };
    let added: Vec<SegmentRef> = match written {
        Ok(added) => added.into_iter().collect(),
        Err(error) => {
            inner.blobs.discard(std::iter::once(name.as_str()));
            return Err(error);
        }
    };
    if added.is_empty() {
        inner.blobs.discard(std::iter::once(name.as_str()));
    }
    let removed = plan.inputs.iter().map(|input| input.name.clone()).collect();
    Ok(Merged { added, removed })
}

type Pins = (Vec<Arc<Pinned>>, Arc<[Deletion]>, u64);

/// The plan's segments from old to new, kept while the merge reads them; the deletes of this moment, and its offset.
fn pin(inner: &Inner, plan: &MergePlan) -> Result<Pins, SeriesError> {
    let state = inner.state.read();
    let tenant = &plan.inputs[0].tenant;
    let listed = state.listed.of_tenant(tenant);
    for input in &plan.inputs {
        if !listed.iter().any(|segment| segment.listed().name == input.name) {
            return Err(SeriesError::Stale(input.name.clone()));
        }
    }
    let is_input = |segment: &&Arc<Pinned>| plan.inputs.iter().any(|i| i.name == segment.listed().name);
    let pinned = listed.iter().filter(is_input).cloned().collect();
    let deletes = state.deletes_of(tenant);
    Ok((pinned, deletes, state.applied_offset()))
}

fn checked<T>(segment: &Pinned, read: Result<T, ReadError>) -> Result<T, SeriesError> {
    read.map_err(|error| {
        let name = segment.listed().name.clone();
        match error {
            ReadError::Store(source) => SeriesError::Read { name, source },
            ReadError::Damaged(_) => {
                segment.note(&error);
                SeriesError::Damaged { name, reason: error.to_string() }
            }
        }
    })
}

/// An input and how far it is read.
struct Input {
    reader: SegmentReader,
    open: OpenParts,
    hidden: Hidden,
    exemplars: std::iter::Peekable<std::vec::IntoIter<(u32, Vec<Exemplar>)>>,
    series: u32,
    labels: Option<LabelSet>,
}

impl Input {
    fn open(
        inner: &Inner,
        segment: &Pinned,
        cache: &Arc<PageCache>,
        deletes: &[Deletion],
    ) -> Result<Self, ReadError> {
        let listed = segment.listed().clone();
        let file = SegmentFile::new(inner.blobs.store(), Arc::downgrade(cache), listed).read_ahead();
        let reader = SegmentReader::open(&Arc::new(file))?;
        let hidden = reader.hidden(deletes)?;
        let exemplars = reader.exemplars()?.into_iter().peekable();
        let mut open = OpenParts::default();
        let labels = (reader.footer.series > 0).then(|| reader.labels(0, &mut open)).transpose()?;
        Ok(Self { reader, open, hidden, exemplars, series: 0, labels })
    }

    /// Adds what it has of the series it stands at, and goes on to the next.
    fn take(&mut self, values: &mut Values, exemplars: &mut Vec<Exemplar>) -> Result<(), ReadError> {
        let mut own = Values::default();
        self.reader.read(self.series, EVER, &mut self.open, &mut own)?;
        self.hidden.apply(self.series, &mut own);
        merge(values, &mut own);
        while let Some((_, more)) = self.exemplars.next_if(|(series, _)| *series <= self.series) {
            let kept = more.into_iter().filter(|exemplar| !self.hidden.hides(self.series, exemplar.time_ms));
            exemplars.extend(kept);
        }
        self.series += 1;
        let is_more = self.series < self.reader.footer.series;
        self.labels = is_more.then(|| self.reader.labels(self.series, &mut self.open)).transpose()?;
        Ok(())
    }
}

fn write(
    inputs: &mut [Input],
    pinned: &[Arc<Pinned>],
    writer: &mut SegmentWriter,
) -> Result<(), SeriesError> {
    while let Some(labels) = next(inputs) {
        let (mut values, mut exemplars) = (Values::default(), Vec::new());
        for (input, segment) in inputs.iter_mut().zip(pinned) {
            if input.labels.as_ref() == Some(&labels) {
                checked(segment, input.take(&mut values, &mut exemplars))?;
            }
        }
        exemplars.sort_by_key(|exemplar| exemplar.time_ms);
        exemplars.dedup();
        exemplars.drain(..exemplars.len().saturating_sub(MAX_EXEMPLARS));
        writer.push(labels.iter(), values, &exemplars)?;
    }
    Ok(())
}

/// The first series in order that any input stands at.
fn next(inputs: &[Input]) -> Option<LabelSet> {
    let mut first: Option<&LabelSet> = None;
    for labels in inputs.iter().filter_map(|input| input.labels.as_ref()) {
        if first.is_none_or(|first| series_order(labels.iter(), first.iter()) == Ordering::Less) {
            first = Some(labels);
        }
    }
    first.cloned()
}
