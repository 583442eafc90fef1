//! Series from the store, each read once: selectors, functions of range selectors, and what is done to one series
//! after that.

use std::ops::Range;
use std::sync::Arc;

use telemetry::LabelSet;
use telemetry::samples::{Histogram, is_stale};

use super::annotations::Annotations;
use super::budget::Budget;
use super::map::Stage;
use super::native::Native;
use super::parallel::in_chunks;
use super::range_call::RangeCall;
use super::rows::{Row, Steps};
use super::time::Reference;
use super::window::Samples;
use super::{Context, Query};
use crate::ast::VectorSelector;
use crate::{Cursor, QueryError, Select, Selection, Values};

/// How a series becomes a row.
pub(crate) enum Read {
    /// The newest sample within the lookback.
    Instant { reference: Reference, lookback_ms: i64, timestamps: bool },
    /// A function of the samples of a range.
    Range(RangeCall),
}

/// Series of the store, on their way to rows.
pub(crate) struct Pipeline<'a> {
    selection: Box<dyn Selection + 'a>,
    read: Read,
    stages: Vec<Stage>,
    steps: Steps,
    wanted: Wanted,
}

/// What of the rows is used. Not all has to be read for all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    /// Which series have a value; of their labels too if the flag says so.
    Presence {
        labels: bool,
    },
}

/// Memory that is used for one series after the other.
#[derive(Default)]
struct Buffers {
    values: Values,
    samples: Samples,
}

/// A selection that is read in order.
struct Reading<'s> {
    selection: &'s dyn Selection,
    cursor: Option<Box<dyn Cursor + 's>>,
}

impl Reading<'_> {
    fn labels(&mut self, index: usize) -> LabelSet {
        match &mut self.cursor {
            Some(cursor) => cursor.labels(index),
            None => self.selection.labels(index),
        }
    }

    fn read(&mut self, index: usize, values: &mut Values) -> Result<(), QueryError> {
        match &mut self.cursor {
            Some(cursor) => cursor.read(index, values),
            None => self.selection.read(index, values),
        }
    }
}

impl<'a> Pipeline<'a> {
    pub(crate) fn new(
        context: &'a Context<'_>,
        selector: &VectorSelector,
        read: Read,
        stages: Vec<Stage>,
        steps: Steps,
    ) -> Result<Self, QueryError> {
        if selector.extended.is_some() {
            return Err(QueryError::Execution("anchored and smoothed are not supported yet".into()));
        }
        let (start_ms, end_ms) = read.span(steps);
        let select = Select { matchers: &selector.matchers, start_ms, end_ms };
        let selection = context.evaluation.querier.select(&select)?;
        context.note_warnings(selection.warnings());
        Ok(Self { selection, read, stages, steps, wanted: Wanted::All })
    }

    /// The same where nothing of a series is used but whether it has a value, and its labels only if `labels`.
    pub(crate) fn for_presence(mut self, labels: bool) -> Self {
        let is_plain = matches!(self.read, Read::Instant { timestamps: false, .. }) && self.stages.is_empty();
        // The range that is selected is then the lookback of the only step.
        if is_plain && self.steps.is_one() {
            self.wanted = Wanted::Presence { labels };
        }
        self
    }

    /// Adds the rows that have a value to what `new` made, chunk by chunk; gives the chunks to `merge` in order.
    pub(crate) fn fold<T: Send>(
        &self,
        context: &Context<'_>,
        notes: &mut Annotations,
        new: impl Fn() -> T + Sync,
        add: impl Fn(&mut T, Row, &mut Annotations) -> Result<(), QueryError> + Sync,
        mut merge: impl FnMut(T, &mut Annotations) -> Result<(), QueryError> + Send,
    ) -> Result<(), QueryError> {
        in_chunks(
            context.evaluation.limits.threads,
            self.selection.len(),
            |range| {
                let (mut noted, mut chunk) = (Annotations::default(), new());
                self.rows(context, range, &mut noted, |row, noted| add(&mut chunk, row, noted))?;
                Ok((chunk, noted))
            },
            |(chunk, noted)| {
                notes.merge(noted);
                merge(chunk, notes)
            },
        )?;
        // What turned out to be damaged when it was read is known only now.
        context.note_warnings(self.selection.warnings());
        context.forget(self.numbers());
        Ok(())
    }

    /// How many numbers the scalars have.
    fn numbers(&self) -> usize {
        let of_range = match &self.read {
            Read::Range(call) => call.numbers(),
            Read::Instant { .. } => 0,
        };
        of_range + self.stages.iter().map(Stage::numbers).sum::<usize>()
    }

    /// The rows of some series, those without a value left out.
    fn rows(
        &self,
        context: &Context<'_>,
        range: Range<usize>,
        notes: &mut Annotations,
        mut take: impl FnMut(Row, &mut Annotations) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let mut buffers = Buffers::default();
        let mut reading = Reading { selection: &*self.selection, cursor: self.selection.cursor() };
        for index in range {
            if index % 16 == 0 {
                context.budget.check()?;
            }
            if let Some(row) = self.known(index) {
                context.budget.read(1)?;
                row.map_or(Ok(()), |row| take(row, notes))?;
                continue;
            }
            if let Some(newest) = self.newest(&mut reading, index) {
                context.budget.read(1)?;
                if let Some(mut row) = newest {
                    self.stages.iter().for_each(|stage| stage.apply(&mut row, notes));
                    if !row.is_empty() {
                        take(row, notes)?;
                    }
                }
                continue;
            }
            reading.read(index, &mut buffers.values)?;
            context.budget.read(buffers.values.len())?;
            if buffers.values.is_empty() {
                continue;
            }
            // What was read is held for as long as its row is made.
            let held = histogram_bytes(&buffers.values.histograms);
            context.budget.take(held)?;
            let labels = reading.labels(index);
            let mut row = self.read.row(labels, &mut buffers, self.steps, &context.budget, notes)?;
            context.budget.give_back(held);
            self.stages.iter().for_each(|stage| stage.apply(&mut row, notes));
            if !row.is_empty() {
                take(row, notes)?;
            }
        }
        Ok(())
    }

    /// The row of a series that need not be read; the inner `None` if it has no value.
    fn known(&self, index: usize) -> Option<Option<Row>> {
        let Wanted::Presence { labels } = self.wanted else { return None };
        let is_present = self.selection.presence_hint(index)?;
        Some(is_present.then(|| {
            let labels = if labels { self.selection.labels(index) } else { LabelSet::empty() };
            let mut row = Row::empty(labels, 1);
            row.values[0] = 1.0;
            row
        }))
    }

    /// The row of a selector at one time, if the store knows the series' newest sample; the inner `None` if the series
    /// has none, or has ended.
    fn newest(&self, reading: &mut Reading<'_>, index: usize) -> Option<Option<Row>> {
        let Read::Instant { timestamps, .. } = self.read else { return None };
        // The range that is selected is the lookback of the only step.
        if !self.steps.is_one() {
            return None;
        }
        let newest = self.selection.newest_hint(index)?;
        Some(newest.filter(|(_, value)| !is_stale(*value)).map(|(time_ms, value)| {
            let mut row = Row::empty(reading.labels(index), 1);
            row.drop_name = timestamps;
            row.values[0] = if timestamps { time_ms as f64 / 1000.0 } else { value };
            row
        }))
    }

    /// All rows.
    pub(crate) fn collect(
        &self,
        context: &Context<'_>,
        notes: &mut Annotations,
    ) -> Result<Vec<Row>, QueryError> {
        let mut all = Vec::new();
        self.fold(
            context,
            notes,
            Vec::new,
            |part, row, _| {
                context.budget.take(row.bytes())?;
                part.push(row);
                Ok(())
            },
            |part, _| {
                all.extend(part);
                Ok(())
            },
        )?;
        Ok(all)
    }
}

impl Read {
    /// The times that are looked at, both ends included.
    fn span(&self, steps: Steps) -> (i64, i64) {
        let (reference, range_ms) = match self {
            Self::Instant { reference, lookback_ms, .. } => (reference, *lookback_ms),
            Self::Range(call) => (&call.reference, call.range_ms),
        };
        let first = reference.time(steps.start_ms).saturating_sub(range_ms).saturating_add(1);
        (first, reference.time(steps.end_ms()))
    }

    fn row(
        &self,
        labels: LabelSet,
        buffers: &mut Buffers,
        steps: Steps,
        budget: &Budget,
        notes: &mut Annotations,
    ) -> Result<Row, QueryError> {
        match self {
            Self::Instant { reference, lookback_ms, timestamps } => {
                let mut row = Row::empty(labels, steps.count);
                row.drop_name = *timestamps;
                fill_newest(&buffers.values, *reference, *lookback_ms, *timestamps, steps, &mut row);
                Ok(row)
            }
            Self::Range(call) => {
                buffers.samples.take(&mut buffers.values);
                call.row(labels, &buffers.samples, steps, budget, notes)
            }
        }
    }
}

/// At each step the newest sample that is not older than the lookback, unless it says that the series has ended.
fn fill_newest(
    values: &Values,
    reference: Reference,
    lookback_ms: i64,
    timestamps: bool,
    steps: Steps,
    row: &mut Row,
) {
    let (mut floats, mut points) = (0, 0);
    let mut native: Option<(usize, Arc<Native>)> = None;
    for (step, cell) in row.values.iter_mut().enumerate() {
        let now = reference.time(steps.time(step));
        while floats < values.times_ms.len() && values.times_ms[floats] <= now {
            floats += 1;
        }
        while points < values.histograms.len() && values.histograms[points].0 <= now {
            points += 1;
        }
        let oldest = now.saturating_sub(lookback_ms);
        let float = floats.checked_sub(1).map(|at| values.times_ms[at]).filter(|time| *time > oldest);
        let point = points.checked_sub(1).map(|at| values.histograms[at].0).filter(|time| *time > oldest);
        let (time_ms, is_histogram) = match (float, point) {
            (None, None) => continue,
            (float, point) if point > float => (point.unwrap_or(0), true),
            (float, _) => (float.unwrap_or(0), false),
        };
        if !is_histogram {
            let value = values.values[floats - 1];
            if !is_stale(value) {
                *cell = if timestamps { time_ms as f64 / 1000.0 } else { value };
            }
            continue;
        }
        let histogram = &values.histograms[points - 1].1;
        if is_stale(histogram.sum) {
            continue;
        }
        if timestamps {
            *cell = time_ms as f64 / 1000.0;
            continue;
        }
        let shared = match &native {
            Some((at, native)) if *at == points => Arc::clone(native),
            _ => Arc::new(Native::of(histogram)),
        };
        native = Some((points, Arc::clone(&shared)));
        row.histograms.push((step as u32, shared));
    }
}

/// The samples of range selectors at one time, as they are: the answer to an instant query for `metric[5m]`.
pub(crate) fn raw(
    context: &Context<'_>,
    selector: &VectorSelector,
    range_ms: i64,
    time_ms: i64,
) -> Result<Vec<crate::Series>, QueryError> {
    if selector.extended.is_some() {
        return Err(QueryError::Execution("anchored and smoothed are not supported yet".into()));
    }
    let query: &Query = &context.query;
    let end_ms = Reference::of(&selector.time, query)?.time(time_ms);
    let start_ms = end_ms.saturating_sub(range_ms).saturating_add(1);
    let selection =
        context.evaluation.querier.select(&Select { matchers: &selector.matchers, start_ms, end_ms })?;
    context.note_warnings(selection.warnings());
    let mut read = Values::default();
    let mut all = Vec::new();
    for index in 0..selection.len() {
        context.budget.check()?;
        selection.read(index, &mut read)?;
        context.budget.read(read.len())?;
        context.budget.take(64 + 16 * read.times_ms.len() + histogram_bytes(&read.histograms))?;
        let floats: Vec<(i64, f64)> = read
            .times_ms
            .iter()
            .copied()
            .zip(read.values.iter().copied())
            .filter(|(_, v)| !is_stale(*v))
            .collect();
        let histograms: Vec<_> = read.histograms.drain(..).filter(|(_, h)| !is_stale(h.sum)).collect();
        if !floats.is_empty() || !histograms.is_empty() {
            all.push(crate::Series { labels: selection.labels(index), floats, histograms });
        }
    }
    context.note_warnings(selection.warnings());
    Ok(all)
}

/// An estimate of what histograms take, for the memory limit.
pub(crate) fn histogram_bytes(histograms: &[(i64, Histogram)]) -> usize {
    let numbers = |histogram: &Histogram| {
        histogram.positive_spans.len()
            + histogram.negative_spans.len()
            + histogram.positive_counts.len()
            + histogram.negative_counts.len()
            + histogram.custom_values.len()
    };
    histograms.iter().map(|(_, histogram)| size_of::<(i64, Histogram)>() + 8 * numbers(histogram)).sum()
}
