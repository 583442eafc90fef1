//! Reading a payload, entry by entry, into buffers that are used again.

use super::write::{DELETE, DELTA, EXEMPLARS, HISTOGRAMS, Labelled, METADATA, SERIES, VERSION};
use super::{Delete, Exemplar, Histogram, MatchOp, Metadata, MetricKind, ResetHint, Sample, Span};
use crate::label_set::{Labels, text_bytes};
use crate::otlp::wire::unzigzag;

/// Why bytes are no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SamplesError {
    /// A version that this build does not know.
    #[error("samples of version {0}, this build knows 1")]
    Version(u8),
    /// The bytes end early or hold something that no writer writes.
    #[error("malformed samples at byte {0}")]
    Malformed(usize),
}

/// One entry; what it borrows is valid until the next is read.
#[derive(Debug)]
pub enum Entry<'c> {
    /// Samples of one series.
    Series(Series<'c>),
    /// What a family says about itself.
    Metadata(Metadata),
    /// An order to forget.
    Delete(Delete),
}

/// What a payload has of one series.
#[derive(Clone, Copy, Debug)]
pub struct Series<'c> {
    /// Its labels, canonical.
    pub labels: Labels<'c>,
    /// Whether the values are increases.
    pub is_delta: bool,
    /// Floats in the order of the payload.
    pub samples: &'c [Sample],
    /// Native histograms with their times.
    pub histograms: &'c [(i64, Histogram)],
    /// Exemplars.
    pub exemplars: &'c [Exemplar],
}

/// Walks a payload.
#[derive(Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    last_ms: i64,
    previous: Labelled,
    current: Labelled,
    samples: Vec<Sample>,
    histograms: Vec<(i64, Histogram)>,
    exemplars: Vec<Exemplar>,
}

type Read<T> = Result<T, SamplesError>;

/// Walks all of it. What passed can be walked again without an error; answers the number of samples and histograms.
pub fn check(payload: &[u8]) -> Result<u64, SamplesError> {
    let mut cursor = Cursor::new(payload)?;
    let mut count = 0;
    while let Some(entry) = cursor.next()? {
        if let Entry::Series(series) = entry {
            count += (series.samples.len() + series.histograms.len()) as u64;
        }
    }
    Ok(count)
}

impl<'a> Cursor<'a> {
    /// At the first entry.
    pub fn new(payload: &'a [u8]) -> Read<Self> {
        match payload.first() {
            Some(&VERSION) => {}
            Some(&version) => return Err(SamplesError::Version(version)),
            None => return Err(SamplesError::Malformed(0)),
        }
        Ok(Self {
            bytes: payload,
            at: 1,
            last_ms: 0,
            previous: Labelled::default(),
            current: Labelled::default(),
            samples: Vec::new(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
        })
    }

    /// The next entry; `None` at the end.
    #[allow(clippy::should_implement_trait)] // It lends its buffers, which an iterator cannot.
    pub fn next(&mut self) -> Read<Option<Entry<'_>>> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        match self.byte()? {
            SERIES => self.series().map(|series| Some(Entry::Series(series))),
            METADATA => self.metadata().map(|metadata| Some(Entry::Metadata(metadata))),
            DELETE => self.delete().map(|delete| Some(Entry::Delete(delete))),
            _ => self.malformed(),
        }
    }

    fn series(&mut self) -> Read<Series<'_>> {
        let flags = self.byte()?;
        if flags & !(DELTA | HISTOGRAMS | EXEMPLARS) != 0 {
            return self.malformed();
        }
        self.labels()?;
        self.read_samples()?;
        self.read_histograms(flags & HISTOGRAMS != 0)?;
        self.read_exemplars(flags & EXEMPLARS != 0)?;
        std::mem::swap(&mut self.previous, &mut self.current);
        Ok(Series {
            labels: Labels::of_canonical(&self.previous.bytes),
            is_delta: flags & DELTA != 0,
            samples: &self.samples,
            histograms: &self.histograms,
            exemplars: &self.exemplars,
        })
    }

    fn labels(&mut self) -> Read<()> {
        let count = self.count(0)?;
        let same = self.take(count.div_ceil(8))?;
        self.current.bytes.clear();
        self.current.ends.clear();
        for index in 0..count {
            if same[index / 8] >> (index % 8) & 1 == 1 {
                let Some(label) = self.previous.label(index) else { return self.malformed() };
                self.current.bytes.extend_from_slice(label);
            } else {
                let rest = &self.bytes[self.at..];
                let Some(len) = label_len(rest) else { return self.malformed() };
                self.current.bytes.extend_from_slice(&rest[..len]);
                self.at += len;
            }
            self.current.ends.push(self.current.bytes.len());
            if !self.is_in_order(index) {
                return self.malformed();
            }
        }
        Ok(())
    }

    /// Whether a label's name stands behind that of the label before it.
    fn is_in_order(&self, index: usize) -> bool {
        let name = |index| self.current.label(index).and_then(text_bytes).map(|(name, _)| name);
        index == 0 || name(index - 1) < name(index)
    }

    fn read_samples(&mut self) -> Read<()> {
        self.samples.clear();
        // A sample is a time of at least one byte and a value of eight.
        for _ in 0..self.count(9)? {
            let sample = Sample { time_ms: self.time()?, value: self.float()? };
            self.samples.push(sample);
        }
        Ok(())
    }

    fn read_histograms(&mut self, any: bool) -> Read<()> {
        self.histograms.clear();
        for _ in 0..if any { self.count(35)? } else { 0 } {
            let time_ms = self.time()?;
            let histogram = self.histogram()?;
            self.histograms.push((time_ms, histogram));
        }
        Ok(())
    }

    fn read_exemplars(&mut self, any: bool) -> Read<()> {
        self.exemplars.clear();
        for _ in 0..if any { self.count(10)? } else { 0 } {
            let (time_ms, value) = (self.time()?, self.float()?);
            let labels = self.text_raw()?;
            if !is_canonical(labels) {
                return self.malformed();
            }
            let labels = Labels::of_canonical(labels).to_set();
            self.exemplars.push(Exemplar { labels, value, time_ms });
        }
        Ok(())
    }

    fn histogram(&mut self) -> Read<Histogram> {
        let schema = self.byte()? as i8;
        let Some(reset_hint) = ResetHint::from_byte(self.byte()?) else { return self.malformed() };
        let is_float = self.byte()? == 1;
        let (count, sum) = (self.float()?, self.float()?);
        let (zero_threshold, zero_count) = (self.float()?, self.float()?);
        let (positive_spans, positive_counts) = self.buckets()?;
        let (negative_spans, negative_counts) = self.buckets()?;
        let custom_values = self.floats()?;
        Ok(Histogram {
            schema,
            reset_hint,
            is_float,
            count,
            sum,
            zero_threshold,
            zero_count,
            positive_spans,
            positive_counts,
            negative_spans,
            negative_counts,
            custom_values,
        })
    }

    fn buckets(&mut self) -> Read<(Vec<Span>, Vec<f64>)> {
        let count = self.count(2)?;
        let mut spans = Vec::with_capacity(count);
        for _ in 0..count {
            let Ok(offset) = i32::try_from(unzigzag(self.varint()?)) else { return self.malformed() };
            let Ok(len) = u32::try_from(self.varint()?) else { return self.malformed() };
            spans.push(Span { offset, len });
        }
        let counts = self.floats()?;
        if spans.iter().map(|span| u64::from(span.len)).sum::<u64>() != counts.len() as u64 {
            return self.malformed();
        }
        Ok((spans, counts))
    }

    fn floats(&mut self) -> Read<Vec<f64>> {
        let count = self.count(8)?;
        (0..count).map(|_| self.float()).collect()
    }

    fn metadata(&mut self) -> Read<Metadata> {
        let family = self.text()?;
        let Some(kind) = MetricKind::from_byte(self.byte()?) else { return self.malformed() };
        Ok(Metadata { family, kind, unit: self.text()?, help: self.text()? })
    }

    fn delete(&mut self) -> Read<Delete> {
        let (start_ms, end_ms) = (unzigzag(self.varint()?), unzigzag(self.varint()?));
        let count = self.count(3)?;
        let mut matchers = Vec::with_capacity(count);
        for _ in 0..count {
            let Some(op) = MatchOp::from_byte(self.byte()?) else { return self.malformed() };
            matchers.push((self.text()?, op, self.text()?));
        }
        Ok(Delete { matchers, start_ms, end_ms })
    }

    fn time(&mut self) -> Read<i64> {
        self.last_ms = self.last_ms.wrapping_add(unzigzag(self.varint()?));
        Ok(self.last_ms)
    }

    fn float(&mut self) -> Read<f64> {
        let bytes = self.take(8)?;
        bytes
            .try_into()
            .map_or_else(|_| self.malformed(), |bytes| Ok(f64::from_bits(u64::from_le_bytes(bytes))))
    }

    fn text(&mut self) -> Read<String> {
        let raw = self.text_raw()?;
        std::str::from_utf8(raw).map(str::to_owned).or_else(|_| self.malformed())
    }

    fn text_raw(&mut self) -> Read<&'a [u8]> {
        match text_bytes(&self.bytes[self.at..]) {
            Some((text, rest)) => {
                self.at = self.bytes.len() - rest.len();
                Ok(text)
            }
            None => self.malformed(),
        }
    }

    /// A number of things of at least `each_bytes`, so that no capacity is taken for what is not there.
    fn count(&mut self, each_bytes: usize) -> Read<usize> {
        let count = self.varint()?;
        let left = (self.bytes.len() - self.at) as u64;
        if count.saturating_mul(each_bytes.max(1) as u64)
            > left.saturating_mul(if each_bytes == 0 { 8 } else { 1 })
        {
            return self.malformed();
        }
        Ok(count as usize)
    }

    fn varint(&mut self) -> Read<u64> {
        let mut value = 0u64;
        for index in 0..10 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return if index == 9 && byte > 1 { self.malformed() } else { Ok(value) };
            }
        }
        self.malformed()
    }

    fn byte(&mut self) -> Read<u8> {
        let Some(&byte) = self.bytes.get(self.at) else { return self.malformed() };
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let taken = self.at.checked_add(len).and_then(|end| self.bytes.get(self.at..end));
        let Some(taken) = taken else { return self.malformed() };
        self.at += len;
        Ok(taken)
    }

    fn malformed<T>(&self) -> Read<T> {
        Err(SamplesError::Malformed(self.at))
    }
}

/// How long a label is that begins here: a name and a value, neither empty, both UTF-8.
fn label_len(bytes: &[u8]) -> Option<usize> {
    let (name, rest) = text_bytes(bytes)?;
    let (value, rest) = text_bytes(rest)?;
    let is_good = !name.is_empty()
        && !value.is_empty()
        && std::str::from_utf8(name).is_ok()
        && std::str::from_utf8(value).is_ok();
    is_good.then(|| bytes.len() - rest.len())
}

fn is_canonical(mut bytes: &[u8]) -> bool {
    let mut previous: Option<&[u8]> = None;
    while !bytes.is_empty() {
        let Some(len) = label_len(bytes) else { return false };
        let name = text_bytes(bytes).map(|(name, _)| name);
        if previous.is_some() && previous >= name {
            return false;
        }
        previous = name;
        bytes = &bytes[len..];
    }
    true
}
