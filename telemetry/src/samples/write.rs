//! Writing a payload.

use super::{Delete, Exemplar, Histogram, Metadata, Sample, Span};
use crate::label_set::{canonical, put_text, text_bytes};
use crate::otlp::wire::{put_varint, zigzag};
use crate::{LabelError, LabelSet};

pub(super) const VERSION: u8 = 1;
pub(super) const SERIES: u8 = 1;
pub(super) const METADATA: u8 = 2;
pub(super) const DELETE: u8 = 3;

pub(super) const DELTA: u8 = 1;
pub(super) const HISTOGRAMS: u8 = 2;
pub(super) const EXEMPLARS: u8 = 4;

/// Builds a payload, series by series.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    /// Canonical labels of the series before and of this one, with the end of each label.
    previous: Labelled,
    current: Labelled,
    last_ms: i64,
    series: u64,
    samples: u64,
}

#[derive(Debug, Default)]
pub(super) struct Labelled {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
}

impl Labelled {
    pub(super) fn label(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..end])
    }

    fn find_ends(&mut self) {
        self.ends.clear();
        let mut rest = &self.bytes[..];
        while let Some((_, after)) = text_bytes(rest).and_then(|(_, after)| text_bytes(after)) {
            rest = after;
            self.ends.push(self.bytes.len() - rest.len());
        }
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            out: vec![VERSION],
            previous: Labelled::default(),
            current: Labelled::default(),
            last_ms: 0,
            series: 0,
            samples: 0,
        }
    }
}

impl Writer {
    /// An empty payload.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what one series has. Labels may come in any order and are sorted in place.
    ///
    /// `is_delta` says that each value is an increase since the sample before it, to be added up when it is applied.
    pub fn series(
        &mut self,
        labels: &mut [(&str, &str)],
        is_delta: bool,
        samples: &[Sample],
        histograms: &[(i64, Histogram)],
        exemplars: &[Exemplar],
    ) -> Result<(), LabelError> {
        self.current.bytes.clear();
        canonical(labels, &mut self.current.bytes)?;
        self.put_series(is_delta, samples, histograms, exemplars);
        Ok(())
    }

    /// The same for labels that are a set already.
    pub fn series_of(
        &mut self,
        labels: &LabelSet,
        is_delta: bool,
        samples: &[Sample],
        histograms: &[(i64, Histogram)],
        exemplars: &[Exemplar],
    ) {
        self.current.bytes.clear();
        self.current.bytes.extend_from_slice(labels.as_bytes());
        self.put_series(is_delta, samples, histograms, exemplars);
    }

    /// Adds what a metric family says about itself.
    pub fn metadata(&mut self, metadata: &Metadata) {
        self.out.push(METADATA);
        put_text(&mut self.out, metadata.family.as_bytes());
        self.out.push(metadata.kind as u8);
        put_text(&mut self.out, metadata.unit.as_bytes());
        put_text(&mut self.out, metadata.help.as_bytes());
    }

    /// Adds an order to forget.
    pub fn delete(&mut self, delete: &Delete) {
        self.out.push(DELETE);
        put_varint(&mut self.out, zigzag(delete.start_ms));
        put_varint(&mut self.out, zigzag(delete.end_ms));
        put_varint(&mut self.out, delete.matchers.len() as u64);
        for (label, op, value) in &delete.matchers {
            self.out.push(*op as u8);
            put_text(&mut self.out, label.as_bytes());
            put_text(&mut self.out, value.as_bytes());
        }
    }

    /// How many series entries there are.
    pub fn series_count(&self) -> u64 {
        self.series
    }

    /// How many samples and histograms there are.
    pub fn sample_count(&self) -> u64 {
        self.samples
    }

    /// Bytes so far.
    pub fn size_bytes(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.out.len() == 1
    }

    /// The payload.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn put_series(
        &mut self,
        is_delta: bool,
        samples: &[Sample],
        histograms: &[(i64, Histogram)],
        exemplars: &[Exemplar],
    ) {
        self.current.find_ends();
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let flags = flag(is_delta, DELTA)
            | flag(!histograms.is_empty(), HISTOGRAMS)
            | flag(!exemplars.is_empty(), EXEMPLARS);
        self.out.extend([SERIES, flags]);
        self.put_labels();
        put_varint(&mut self.out, samples.len() as u64);
        for sample in samples {
            self.put_time(sample.time_ms);
            self.out.extend(sample.value.to_bits().to_le_bytes());
        }
        if !histograms.is_empty() {
            put_varint(&mut self.out, histograms.len() as u64);
            for (time_ms, histogram) in histograms {
                self.put_time(*time_ms);
                put_histogram(&mut self.out, histogram);
            }
        }
        if !exemplars.is_empty() {
            put_varint(&mut self.out, exemplars.len() as u64);
            for exemplar in exemplars {
                self.put_time(exemplar.time_ms);
                self.out.extend(exemplar.value.to_bits().to_le_bytes());
                put_text(&mut self.out, exemplar.labels.as_bytes());
            }
        }
        self.series += 1;
        self.samples += (samples.len() + histograms.len()) as u64;
        std::mem::swap(&mut self.previous, &mut self.current);
    }

    /// A bit per label that is the previous series' label at the same place; the others in full.
    fn put_labels(&mut self) {
        let Self { out, previous, current, .. } = self;
        let count = current.ends.len();
        put_varint(out, count as u64);
        let same_at = out.len();
        out.resize(same_at + count.div_ceil(8), 0);
        for index in 0..count {
            let label = current.label(index).unwrap_or_default();
            if previous.label(index) == Some(label) {
                out[same_at + index / 8] |= 1 << (index % 8);
            } else {
                out.extend_from_slice(label);
            }
        }
    }

    /// Times as the difference to the time before, in the whole payload.
    fn put_time(&mut self, time_ms: i64) {
        put_varint(&mut self.out, zigzag(time_ms.wrapping_sub(self.last_ms)));
        self.last_ms = time_ms;
    }
}

fn put_histogram(out: &mut Vec<u8>, histogram: &Histogram) {
    out.extend([histogram.schema as u8, histogram.reset_hint as u8, u8::from(histogram.is_float)]);
    put_floats(out, &[histogram.count, histogram.sum, histogram.zero_threshold, histogram.zero_count]);
    put_buckets(out, &histogram.positive_spans, &histogram.positive_counts);
    put_buckets(out, &histogram.negative_spans, &histogram.negative_counts);
    put_varint(out, histogram.custom_values.len() as u64);
    put_floats(out, &histogram.custom_values);
}

fn put_buckets(out: &mut Vec<u8>, spans: &[Span], counts: &[f64]) {
    put_varint(out, spans.len() as u64);
    for span in spans {
        put_varint(out, zigzag(i64::from(span.offset)));
        put_varint(out, u64::from(span.len));
    }
    put_varint(out, counts.len() as u64);
    put_floats(out, counts);
}

fn put_floats(out: &mut Vec<u8>, values: &[f64]) {
    values.iter().for_each(|value| out.extend(value.to_bits().to_le_bytes()));
}
