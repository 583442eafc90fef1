//! `io.prometheus.write.v2.Request`, after snappy has been taken off.
//!
//! ```text
//! Request    { repeated string symbols = 4; repeated TimeSeries timeseries = 5 }
//! TimeSeries { repeated uint32 labels_refs = 1; repeated Sample samples = 2; repeated Histogram histograms = 3;
//!              repeated Exemplar exemplars = 4; Metadata metadata = 5 }
//! Exemplar   { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3 }
//! Metadata   { MetricType type = 1; uint32 help_ref = 3; uint32 unit_ref = 4 }
//! ```
//! Samples and histograms are as in 1.0; their start timestamps are not used.

use std::collections::HashSet;

use super::histogram::{self, each_varint};
use super::series::Output;
use super::v1::{exemplar_labels, sample};
use super::{WriteError, Written};
use crate::otlp::DecodeError;
use crate::otlp::wire::{Cursor, Field, Wire};
use crate::samples::{Metadata, MetricKind, SeriesLimits, Writer};
use crate::{METRIC_NAME, Room};

/// The symbol table; `None` is one that is not UTF-8.
type Symbols<'a> = Vec<Option<&'a str>>;

/// A series' metadata as it comes: type, help and unit.
type About = (u64, u64, u64);

/// Which families are described already.
#[derive(Default)]
struct Families<'a> {
    written: HashSet<&'a str>,
    /// The name and metadata of the series before: most often it is the same family.
    last: Option<(&'a str, About)>,
}

/// Reads a request of version 2.0 into `writer`.
pub fn decode_v2(
    raw: &[u8],
    limits: &SeriesLimits,
    writer: &mut Writer,
    room: Room<'_>,
) -> Result<Written, WriteError> {
    let mut output = Output::new(limits, writer, room);
    let symbols = symbols(raw, &mut output)?;
    let mut families = Families::default();
    let mut refs = Vec::new();
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (5, Wire::Bytes(raw)) => series(raw, &symbols, &mut refs, &mut families, &mut output)?,
            (5, _) => return Err(DecodeError::WireType("timeseries").into()),
            _ => {}
        }
    }
    Ok(output.written)
}

fn symbols<'a>(raw: &'a [u8], output: &mut Output<'_, '_, '_>) -> Result<Symbols<'a>, WriteError> {
    let mut symbols = Vec::new();
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (4, Wire::Bytes(text)) => {
                // A vector that grows may have twice what it needs, beside what it had.
                output.held_bytes += 3 * size_of::<Option<&str>>();
                output.hold(0)?;
                symbols.push(std::str::from_utf8(text).ok());
            }
            (4, _) => return Err(DecodeError::WireType("symbols").into()),
            _ => {}
        }
    }
    Ok(symbols)
}

fn series<'a>(
    raw: &'a [u8],
    symbols: &Symbols<'a>,
    refs: &mut Vec<u64>,
    families: &mut Families<'a>,
    output: &mut Output<'a, '_, '_>,
) -> Result<(), WriteError> {
    output.begin();
    refs.clear();
    let mut about = None;
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, wire) => read_refs(wire, refs, output.limits)?,
            (2, Wire::Bytes(raw)) => output.sample(sample(raw)?)?,
            (3, Wire::Bytes(raw)) => {
                output.histogram(histogram::read(raw, output.limits.max_buckets)?, raw.len())?;
            }
            (4, Wire::Bytes(raw)) => exemplar(raw, symbols, output)?,
            (5, Wire::Bytes(raw)) => about = Some(metadata(raw)?),
            (2..=5, _) => return Err(DecodeError::WireType("timeseries").into()),
            _ => {}
        }
    }
    match resolve(refs, symbols) {
        Ok(labels) => labels.for_each(|(name, value)| output.label(name, value)),
        Err(reason) => output.fault(|| reason),
    }
    if output.is_empty() {
        output.fault(|| "the series has no sample, no histogram and no exemplar".to_owned());
    }
    let metric = output.labels.iter().find(|(name, _)| *name == METRIC_NAME).map(|(_, metric)| *metric);
    if let (true, Some(metric), Some(about)) = (output.end()?, metric, about) {
        families.describe(metric, about, symbols, output.writer);
    }
    Ok(())
}

/// References in a row; what is over the limit of labels is not kept, but refused all the same.
fn read_refs(wire: Wire<'_>, refs: &mut Vec<u64>, limits: &SeriesLimits) -> Result<(), DecodeError> {
    each_varint(wire, |reference| {
        if refs.len() <= 2 * limits.max_labels + 1 {
            refs.push(reference);
        }
    })
}

/// The labels that references stand for, when each of them is a symbol.
fn resolve<'a, 's>(
    refs: &'s [u64],
    symbols: &'s Symbols<'a>,
) -> Result<impl Iterator<Item = (&'a str, &'a str)> + use<'a, 's>, String> {
    if refs.len() % 2 == 1 {
        return Err("its label references are no pairs of name and value".to_owned());
    }
    for reference in refs {
        symbol(*reference, symbols)?;
    }
    let text = |reference: u64| symbol(reference, symbols).unwrap_or_default();
    Ok(refs.chunks_exact(2).map(move |pair| (text(pair[0]), text(pair[1]))))
}

fn symbol<'a>(reference: u64, symbols: &Symbols<'a>) -> Result<&'a str, String> {
    match usize::try_from(reference).ok().and_then(|at| symbols.get(at)) {
        Some(Some(symbol)) => Ok(symbol),
        Some(None) => Err(format!("the symbol {reference} is not valid UTF-8")),
        None => Err(format!("it refers to the symbol {reference}, there are {}", symbols.len())),
    }
}

fn exemplar<'a>(
    raw: &[u8],
    symbols: &Symbols<'a>,
    output: &mut Output<'a, '_, '_>,
) -> Result<(), WriteError> {
    let (mut refs, mut value, mut time_ms) = (Vec::new(), 0.0, 0);
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, wire) => read_refs(wire, &mut refs, output.limits)?,
            (2, Wire::Fixed64(bits)) => value = f64::from_bits(bits),
            (3, Wire::Varint(time)) => time_ms = time as i64,
            (2 | 3, _) => return Err(DecodeError::WireType("an exemplar").into()),
            _ => {}
        }
    }
    let labels: Result<Vec<_>, _> = resolve(&refs, symbols).map(Iterator::collect);
    let labels = labels.and_then(|labels| exemplar_labels(&labels, output.limits));
    output.exemplar(labels, value, time_ms)
}

fn metadata(raw: &[u8]) -> Result<About, DecodeError> {
    let mut about = (0, 0, 0);
    let mut cursor = Cursor::new(raw);
    while let Some(Field { number, wire }) = cursor.next()? {
        match (number, wire) {
            (1, Wire::Varint(kind)) => about.0 = kind,
            (3, Wire::Varint(help)) => about.1 = help,
            (4, Wire::Varint(unit)) => about.2 = unit,
            (1 | 3 | 4, _) => return Err(DecodeError::WireType("metadata")),
            _ => {}
        }
    }
    Ok(about)
}

impl<'a> Families<'a> {
    /// Writes what a series says about its family, once per family. It is no part of the series: a reference to
    /// no symbol is an empty text.
    fn describe(&mut self, metric: &'a str, about: About, symbols: &Symbols<'a>, writer: &mut Writer) {
        if about == (0, 0, 0) || self.last.replace((metric, about)) == Some((metric, about)) {
            return;
        }
        let kind = u8::try_from(about.0).ok().and_then(MetricKind::from_byte).unwrap_or_default();
        let family = family(metric, kind);
        if self.written.insert(family) {
            let text = |reference| symbol(reference, symbols).unwrap_or_default().to_owned();
            let (help, unit) = (text(about.1), text(about.2));
            writer.metadata(&Metadata { family: family.to_owned(), kind, unit, help });
        }
    }
}

/// The family of a series: of histograms and summaries without what tells their series apart.
pub(super) fn family(metric: &str, kind: MetricKind) -> &str {
    let endings: &[&str] = match kind {
        MetricKind::Histogram => &["_bucket", "_sum", "_count"],
        MetricKind::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
        MetricKind::Summary => &["_sum", "_count"],
        _ => &[],
    };
    let family = endings.iter().find_map(|ending| metric.strip_suffix(ending));
    family.filter(|family| !family.is_empty()).unwrap_or(metric)
}
