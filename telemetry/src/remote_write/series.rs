//! One series of a request while it is read, and the way into the payload that both versions share.

use super::{WriteError, Written};
use crate::samples::{Exemplar, Histogram, Sample, SeriesLimits, Writer, cut};
use crate::{LabelSet, METRIC_NAME, Room};

/// What an exemplar and a histogram take beside what they own.
const EXEMPLAR_BYTES: usize = size_of::<Exemplar>() + 32;
const HISTOGRAM_BYTES: usize = size_of::<(i64, Histogram)>();

/// The request's buffers, used again for each series.
pub(super) struct Output<'a, 'o, 'r> {
    pub(super) limits: &'o SeriesLimits,
    pub(super) writer: &'o mut Writer,
    pub(super) written: Written,
    room: Room<'r>,
    /// What the version itself holds in memory.
    pub(super) held_bytes: usize,
    pub(super) labels: Vec<(&'a str, &'a str)>,
    samples: Vec<Sample>,
    histograms: Vec<(i64, Histogram)>,
    exemplars: Vec<Exemplar>,
    buffered_bytes: usize,
    /// Why the series will be left out.
    fault: Option<String>,
    /// Elements of the series that were left out already.
    lost: usize,
}

impl<'a, 'o, 'r> Output<'a, 'o, 'r> {
    pub(super) fn new(limits: &'o SeriesLimits, writer: &'o mut Writer, room: Room<'r>) -> Self {
        Self {
            limits,
            writer,
            written: Written::default(),
            room,
            held_bytes: 0,
            labels: Vec::new(),
            samples: Vec::new(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
            buffered_bytes: 0,
            fault: None,
            lost: 0,
        }
    }

    /// Begins a series.
    pub(super) fn begin(&mut self) {
        self.labels.clear();
        self.samples.clear();
        self.histograms.clear();
        self.exemplars.clear();
        self.buffered_bytes = 0;
        self.fault = None;
        self.lost = 0;
    }

    /// Why the series cannot be taken; the first reason stays.
    pub(super) fn fault(&mut self, reason: impl FnOnce() -> String) {
        if self.fault.is_none() {
            self.fault = Some(reason());
        }
    }

    /// One label; what is over the limit by more than one is not kept, but refused all the same.
    #[inline]
    pub(super) fn label(&mut self, name: &'a str, value: &'a str) {
        if self.labels.len() <= self.limits.max_labels {
            self.labels.push((name, value));
        }
    }

    #[inline]
    pub(super) fn sample(&mut self, sample: Sample) -> Result<(), WriteError> {
        self.samples.push(sample);
        self.hold(size_of::<Sample>())
    }

    /// A histogram, or why it is none; `raw_bytes` is its length in the request.
    pub(super) fn histogram(
        &mut self,
        read: Result<(i64, Histogram), String>,
        raw_bytes: usize,
    ) -> Result<(), WriteError> {
        match read {
            Ok(histogram) => self.histograms.push(histogram),
            Err(reason) => self.reject_one(|| format!("a histogram: {reason}")),
        }
        self.hold(HISTOGRAM_BYTES + 8 * raw_bytes)
    }

    /// An exemplar, or why it is none.
    pub(super) fn exemplar(
        &mut self,
        labels: Result<LabelSet, String>,
        value: f64,
        time_ms: i64,
    ) -> Result<(), WriteError> {
        let bytes = EXEMPLAR_BYTES + labels.as_ref().map_or(0, |labels| labels.as_bytes().len());
        match labels {
            Ok(labels) => self.exemplars.push(Exemplar { labels, value, time_ms }),
            Err(reason) => self.reject_one(|| format!("an exemplar: {reason}")),
        }
        self.hold(bytes)
    }

    /// Checks the series and writes it, or counts it as rejected; true when it was written.
    #[inline]
    pub(super) fn end(&mut self) -> Result<bool, WriteError> {
        if let Err(reason) = self.verdict() {
            let count = self.samples.len() + self.histograms.len() + self.exemplars.len();
            let count = if self.lost > 0 { count } else { count.max(1) };
            let labels = &self.labels;
            self.written.reject(count, || format!("{}: {reason}", shown(labels)));
            return Ok(false);
        }
        let Self { writer, labels, samples, histograms, exemplars, written, .. } = self;
        if samples.is_empty() && histograms.is_empty() && exemplars.is_empty() {
            return Ok(true);
        }
        writer.series_in_order(labels, samples, histograms, exemplars);
        written.samples += samples.len() as u64;
        written.histograms += histograms.len() as u64;
        written.exemplars += exemplars.len() as u64;
        self.buffered_bytes = 0;
        self.hold(0)?;
        Ok(true)
    }

    /// Whether it has nothing but labels.
    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.histograms.is_empty() && self.exemplars.is_empty() && self.lost == 0
    }

    /// Asks for memory for so many bytes more.
    #[inline]
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), WriteError> {
        self.buffered_bytes += bytes;
        Ok(self.room.hold(self.held_bytes + self.writer.size_bytes() + self.buffered_bytes)?)
    }

    fn reject_one(&mut self, reason: impl FnOnce() -> String) {
        self.lost += 1;
        let labels = &self.labels;
        self.written.reject(1, || format!("{}: {}", shown(labels), reason()));
    }

    #[inline]
    fn verdict(&mut self) -> Result<(), String> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if check_order(&self.labels).is_err() {
            // The specification wants them sorted. Not every sender does it, and Prometheus takes them all the same.
            self.labels.sort_by_key(|(name, _)| *name);
            check_order(&self.labels)?;
        }
        self.limits.check(&self.labels)?;
        if !self.samples.is_empty() && !self.histograms.is_empty() {
            return Err("the series has samples and histograms; send each as a series of its own".to_owned());
        }
        Ok(())
    }
}

/// Labels must have names, ascend, stand once, and name a metric.
#[inline]
fn check_order(labels: &[(&str, &str)]) -> Result<(), String> {
    let mut has_metric = false;
    let mut before = "";
    for (name, value) in labels {
        if !is_after(name, before) {
            return Err(disorder(name));
        }
        has_metric |= *name == METRIC_NAME && !value.is_empty();
        before = name;
    }
    if !has_metric {
        return Err(format!("the series has no label {METRIC_NAME}, which names its metric"));
    }
    Ok(())
}

/// Most names differ in their first letter.
#[inline]
fn is_after(name: &str, before: &str) -> bool {
    match (name.as_bytes(), before.as_bytes()) {
        ([first, ..], [other, ..]) if first != other => first > other,
        (name, before) => name > before,
    }
}

#[cold]
fn disorder(name: &str) -> String {
    match name {
        "" => "a label has an empty name".to_owned(),
        _ => format!("the label {:?} stands twice", cut(name)),
    }
}

/// How a series is called in a reason.
fn shown(labels: &[(&str, &str)]) -> String {
    match labels.iter().find(|(name, value)| *name == METRIC_NAME && !value.is_empty()) {
        Some((_, metric)) => format!("a series of {:?}", cut(metric)),
        None => "a series".to_owned(),
    }
}
