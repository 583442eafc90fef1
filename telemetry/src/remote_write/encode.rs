//! A samples payload as a request of version 2.0: what the agent sends.

use std::collections::HashMap;

use super::v2::family;
use crate::label_set::Labels;
use crate::otlp::wire::{close, open, put_bytes, put_fixed64, put_uint, put_varint, zigzag};
use crate::samples::{
    Cursor, Entry, Exemplar, Histogram, Metadata, MetricKind, Sample, SamplesError, Series, Span,
};

/// Why a payload cannot be sent by remote write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// It is no payload.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// It holds increases or deletes.
    #[error("remote write has no form for {0}")]
    NoForm(&'static str),
}

/// The protobuf of a `Request`, before compression. A series with samples and histograms becomes two.
///
/// What a family says about itself is told with each of its series; of a family without series here it is lost.
pub fn encode_v2(payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let families = families(payload)?;
    let mut symbols = Symbols::default();
    symbols.reference("");
    let mut series = Vec::with_capacity(payload.len());
    let mut cursor = Cursor::new(payload)?;
    while let Some(entry) = cursor.next()? {
        match entry {
            Entry::Series(Series { is_delta: true, .. }) => return Err(EncodeError::NoForm("increases")),
            Entry::Series(entry) => put_series(&mut series, &entry, &families, &mut symbols),
            Entry::Delete(_) => return Err(EncodeError::NoForm("deletes")),
            Entry::Metadata(_) => {}
        }
    }
    let mut out = symbols.out;
    out.extend_from_slice(&series);
    Ok(out)
}

/// The symbol table as it grows: field 4 of the request, one by one.
#[derive(Default)]
struct Symbols {
    references: HashMap<Box<str>, u64>,
    out: Vec<u8>,
}

impl Symbols {
    fn reference(&mut self, text: &str) -> u64 {
        if let Some(reference) = self.references.get(text) {
            return *reference;
        }
        let reference = self.references.len() as u64;
        self.references.insert(text.into(), reference);
        put_bytes(&mut self.out, 4, text.as_bytes());
        reference
    }
}

fn families(payload: &[u8]) -> Result<HashMap<String, Metadata>, SamplesError> {
    let mut families = HashMap::new();
    let mut cursor = Cursor::new(payload)?;
    while let Some(entry) = cursor.next()? {
        if let Entry::Metadata(metadata) = entry {
            families.insert(metadata.family.clone(), metadata);
        }
    }
    Ok(families)
}

fn put_series(
    out: &mut Vec<u8>,
    series: &Series<'_>,
    families: &HashMap<String, Metadata>,
    symbols: &mut Symbols,
) {
    let has_histograms = !series.histograms.is_empty();
    if !series.samples.is_empty() || !has_histograms && !series.exemplars.is_empty() {
        let exemplars = if has_histograms { &[] } else { series.exemplars };
        put_one(out, series.labels, families, symbols, |out, symbols| {
            series.samples.iter().for_each(|sample| put_sample(out, sample));
            exemplars.iter().for_each(|exemplar| put_exemplar(out, exemplar, symbols));
        });
    }
    if has_histograms {
        put_one(out, series.labels, families, symbols, |out, symbols| {
            series.histograms.iter().for_each(|(time_ms, histogram)| put_histogram(out, *time_ms, histogram));
            series.exemplars.iter().for_each(|exemplar| put_exemplar(out, exemplar, symbols));
        });
    }
}

fn put_one(
    out: &mut Vec<u8>,
    labels: Labels<'_>,
    families: &HashMap<String, Metadata>,
    symbols: &mut Symbols,
    content: impl FnOnce(&mut Vec<u8>, &mut Symbols),
) {
    let start = open(out, 5);
    put_labels(out, labels, symbols);
    content(out, symbols);
    if let Some(metadata) = labels.value(crate::METRIC_NAME).and_then(|metric| metadata_of(metric, families))
    {
        let start = open(out, 5);
        put_uint(out, 1, metadata.kind as u64);
        put_uint(out, 3, symbols.reference(&metadata.help));
        put_uint(out, 4, symbols.reference(&metadata.unit));
        close(out, start);
    }
    close(out, start);
}

/// What the family says that a series of this name belongs to.
fn metadata_of<'f>(metric: &str, families: &'f HashMap<String, Metadata>) -> Option<&'f Metadata> {
    let of_kind = |kind| families.get(family(metric, kind)).filter(|metadata| metadata.kind == kind);
    families
        .get(metric)
        .or_else(|| of_kind(MetricKind::Histogram))
        .or_else(|| of_kind(MetricKind::GaugeHistogram))
        .or_else(|| of_kind(MetricKind::Summary))
}

fn put_labels(out: &mut Vec<u8>, labels: Labels<'_>, symbols: &mut Symbols) {
    let start = open(out, 1);
    for (name, value) in labels {
        put_varint(out, symbols.reference(name));
        put_varint(out, symbols.reference(value));
    }
    close(out, start);
}

fn put_sample(out: &mut Vec<u8>, sample: &Sample) {
    let start = open(out, 2);
    put_fixed64(out, 1, sample.value.to_bits());
    put_uint(out, 2, sample.time_ms as u64);
    close(out, start);
}

fn put_exemplar(out: &mut Vec<u8>, exemplar: &Exemplar, symbols: &mut Symbols) {
    let start = open(out, 4);
    put_labels(out, exemplar.labels.iter(), symbols);
    put_fixed64(out, 2, exemplar.value.to_bits());
    put_uint(out, 3, exemplar.time_ms as u64);
    close(out, start);
}

fn put_histogram(out: &mut Vec<u8>, time_ms: i64, histogram: &Histogram) {
    let start = open(out, 3);
    // Both counts are of a oneof, which is written at zero too.
    if histogram.is_float {
        put_double(out, 2, histogram.count);
    } else {
        put_varint(out, 1 << 3);
        put_varint(out, histogram.count as u64);
    }
    put_fixed64(out, 3, histogram.sum.to_bits());
    put_uint(out, 4, zigzag(i64::from(histogram.schema)));
    put_fixed64(out, 5, histogram.zero_threshold.to_bits());
    if histogram.is_float {
        put_double(out, 7, histogram.zero_count);
    } else {
        put_varint(out, 6 << 3);
        put_varint(out, histogram.zero_count as u64);
    }
    put_buckets(out, 8, &histogram.negative_spans, &histogram.negative_counts, histogram.is_float);
    put_buckets(out, 11, &histogram.positive_spans, &histogram.positive_counts, histogram.is_float);
    put_uint(out, 14, histogram.reset_hint as u64);
    put_uint(out, 15, time_ms as u64);
    put_doubles(out, 16, &histogram.custom_values);
    close(out, start);
}

/// Spans under `number`, integers as differences under the next, floats under the one after.
fn put_buckets(out: &mut Vec<u8>, number: u32, spans: &[Span], counts: &[f64], is_float: bool) {
    for span in spans {
        let start = open(out, number);
        put_uint(out, 1, zigzag(i64::from(span.offset)));
        put_uint(out, 2, u64::from(span.len));
        close(out, start);
    }
    if is_float {
        return put_doubles(out, number + 2, counts);
    }
    if counts.is_empty() {
        return;
    }
    let start = open(out, number + 1);
    let mut before = 0i64;
    for count in counts {
        let count = *count as i64;
        put_varint(out, zigzag(count.wrapping_sub(before)));
        before = count;
    }
    close(out, start);
}

fn put_double(out: &mut Vec<u8>, number: u32, value: f64) {
    put_varint(out, u64::from(number) << 3 | 1);
    out.extend(value.to_bits().to_le_bytes());
}

fn put_doubles(out: &mut Vec<u8>, number: u32, values: &[f64]) {
    if !values.is_empty() {
        let start = open(out, number);
        values.iter().for_each(|value| out.extend(value.to_bits().to_le_bytes()));
        close(out, start);
    }
}
