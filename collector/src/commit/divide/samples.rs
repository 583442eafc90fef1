//! Dividing a batch of samples: by series, so that all of a series meets in one partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use receive::SinkError;
use telemetry::samples::{
    Cursor, Entry, Exemplar, Histogram, Metadata, Sample, SamplesError, Series, Writer,
};
use telemetry::{Batch, LabelSet, Outcome};
use xxhash_rust::xxh3::xxh3_64;

use super::cut::time_reason;
use super::{Divided, ItemLimits, Refusal, TimeWindow, payload_limit};
use crate::commit::accept::{ActiveSeries, TenantSeries};
use crate::commit::kind::PartitionId;

/// What a sample takes up at most: a time of ten bytes and a value.
const SAMPLE_BYTES: usize = 18;
/// What a family may say about itself; more is left out.
const MAX_METADATA_BYTES: usize = 8 << 10;
/// How many refused series of a batch get a reason of their own.
const MAX_REASONS: usize = 10;
/// Tag, flags and counts of a series.
const FRAMING_BYTES: usize = 64;

/// Divides a batch of samples over partitions `0..partitions`.
pub(in crate::commit) fn divide(
    batch: Batch,
    partitions: u16,
    limits: &ItemLimits,
    active: &ActiveSeries,
) -> Result<Divided, SinkError> {
    let window = TimeWindow::around(batch.received_at_ns, limits);
    let tenant = active.of(&batch.tenant);
    let verdicts = judge(&batch, &window, &tenant).map_err(|error| malformed(&error))?;
    let limit_bytes = payload_limit(&batch, limits);
    if partitions <= 1 && verdicts.all_good && batch.payload.len() <= limit_bytes {
        return Ok(whole(batch, &verdicts));
    }
    let payload = batch.payload.clone();
    let divider = Divider {
        batch,
        partitions: partitions.max(1),
        limit_bytes,
        window,
        open: BTreeMap::new(),
        divided: Divided::default(),
        index: 0,
    };
    divider.run(&payload, &verdicts)
}

fn malformed(error: &SamplesError) -> SinkError {
    // Whoever hands over a batch has checked it.
    SinkError::Refused { reason: error.to_string() }
}

fn whole(batch: Batch, verdicts: &Verdicts) -> Divided {
    let outcome = Outcome { accepted: verdicts.samples, ..Outcome::default() };
    let parts = if verdicts.entries == 0 { Vec::new() } else { vec![(PartitionId::samples(0), batch)] };
    Divided { parts, outcome, ..Divided::default() }
}

/// What a first walk finds out.
struct Verdicts {
    /// Per series: its hash, and why it may not come in.
    series: Vec<(u64, Option<Arc<str>>)>,
    samples: u64,
    entries: u64,
    /// Nothing is refused, and nothing has to go to every partition.
    all_good: bool,
}

fn judge(batch: &Batch, window: &TimeWindow, tenant: &TenantSeries) -> Result<Verdicts, SamplesError> {
    let mut cursor = Cursor::new(&batch.payload)?;
    let mut verdicts = Verdicts { series: Vec::new(), samples: 0, entries: 0, all_good: true };
    // Series of which nothing is taken are not active for that.
    let mut is_taken = Vec::new();
    while let Some(entry) = cursor.next()? {
        verdicts.entries += 1;
        let series = match entry {
            Entry::Series(series) => series,
            Entry::Metadata(metadata) => {
                verdicts.all_good &= metadata_bytes(&metadata) <= MAX_METADATA_BYTES;
                continue;
            }
            Entry::Delete(_) => continue,
        };
        let is_in_time = |time_ms: i64| window.check(ms_to_ns(time_ms)).is_none();
        let exemplars = series.exemplars.iter().all(|exemplar| is_in_time(exemplar.time_ms));
        verdicts.all_good &= exemplars && times(&series).all(is_in_time);
        verdicts.samples += (series.samples.len() + series.histograms.len()) as u64;
        verdicts.series.push((xxh3_64(series.labels.as_bytes()), None));
        is_taken.push(times(&series).any(is_in_time) || !series.exemplars.is_empty());
    }
    let unknown = renew(batch, tenant, &verdicts, &is_taken);
    if !unknown.is_empty() {
        admit(batch, tenant, &mut verdicts, &unknown)?;
    }
    Ok(verdicts)
}

/// Notes the samples of series that are known; answers the indices of those that are not.
fn renew(batch: &Batch, tenant: &TenantSeries, verdicts: &Verdicts, is_taken: &[bool]) -> Vec<usize> {
    let mut active = tenant.at(batch.received_at_ns);
    let wanted = verdicts.series.iter().zip(is_taken).enumerate().filter(|(_, (_, is_taken))| **is_taken);
    wanted.filter(|(_, ((hash, _), _))| !active.renew(*hash)).map(|(index, _)| index).collect()
}

/// Lets new series in, or says why not. The lock is taken for one at a time: there may be many, of many labels.
fn admit(
    batch: &Batch,
    tenant: &TenantSeries,
    verdicts: &mut Verdicts,
    unknown: &[usize],
) -> Result<(), SamplesError> {
    let mut cursor = Cursor::new(&batch.payload)?;
    let (mut index, mut unknown) = (0, unknown.iter().peekable());
    let (mut told, mut last): (usize, Option<Arc<str>>) = (0, None);
    while let (Some(entry), Some(next)) = (cursor.next()?, unknown.peek().copied()) {
        let Entry::Series(series) = entry else { continue };
        if index == *next {
            unknown.next();
            let mut active = tenant.at(batch.received_at_ns);
            let hash = verdicts.series[index].0;
            // The label that grew is looked for a few times; the others are told the same.
            let refused = match last.clone().filter(|_| told >= MAX_REASONS) {
                Some(last) => (!active.admit_quietly(hash, series.labels)).then_some(last),
                None => active.admit(hash, series.labels).err().map(Arc::from),
            };
            if let Some(reason) = refused {
                told += 1;
                last = Some(Arc::clone(&reason));
                verdicts.all_good = false;
                verdicts.series[index].1 = Some(reason);
            }
        }
        index += 1;
    }
    Ok(())
}

fn metadata_bytes(metadata: &Metadata) -> usize {
    metadata.family.len() + metadata.unit.len() + metadata.help.len()
}

fn times<'a>(series: &'a Series<'_>) -> impl Iterator<Item = i64> + 'a {
    series.samples.iter().map(|sample| sample.time_ms).chain(series.histograms.iter().map(|(time, _)| *time))
}

fn ms_to_ns(time_ms: i64) -> i64 {
    time_ms.saturating_mul(1_000_000)
}

struct Divider {
    batch: Batch,
    partitions: u16,
    limit_bytes: usize,
    window: TimeWindow,
    open: BTreeMap<u16, Writer>,
    divided: Divided,
    /// Of the next sample in the request.
    index: u32,
}

impl Divider {
    fn run(mut self, payload: &Bytes, verdicts: &Verdicts) -> Result<Divided, SinkError> {
        let mut cursor = Cursor::new(payload).map_err(|error| malformed(&error))?;
        let mut series_verdicts = verdicts.series.iter();
        while let Some(entry) = cursor.next().map_err(|error| malformed(&error))? {
            match entry {
                Entry::Series(series) => {
                    let Some((hash, refused)) = series_verdicts.next() else { break };
                    self.series(*hash, refused.as_deref(), &series)?;
                }
                Entry::Metadata(metadata) => {
                    let bytes = metadata_bytes(&metadata) + FRAMING_BYTES;
                    if bytes > (MAX_METADATA_BYTES + FRAMING_BYTES).min(self.limit_bytes) {
                        *self.divided.refused.entry(Refusal::TooLarge).or_default() += 1;
                        continue;
                    }
                    let partition = self.partition(xxh3_64(metadata.family.as_bytes()));
                    self.writer(partition, bytes)?.metadata(&metadata);
                }
                Entry::Delete(delete) => {
                    let texts =
                        delete.matchers.iter().map(|(label, _, value)| label.len() + value.len() + 11);
                    let bytes = texts.sum::<usize>() + FRAMING_BYTES;
                    for partition in 0..self.partitions {
                        self.writer(partition, bytes)?.delete(&delete);
                    }
                }
            }
        }
        self.finish()
    }

    fn partition(&self, hash: u64) -> u16 {
        (hash % u64::from(self.partitions)) as u16
    }

    fn series(&mut self, hash: u64, refused: Option<&str>, series: &Series<'_>) -> Result<(), SinkError> {
        let label_bytes = series.labels.as_bytes().len() + FRAMING_BYTES;
        if let Some(reason) = refused {
            times(series).for_each(|_| self.refuse(Refusal::TooManySeries, || reason.to_owned()));
            return Ok(());
        }
        if label_bytes + SAMPLE_BYTES > self.limit_bytes {
            let reason = || format!("a series with labels of {label_bytes} bytes is over the limit");
            times(series).for_each(|_| self.refuse(Refusal::TooLarge, reason));
            return Ok(());
        }
        let samples: Vec<Sample> =
            series.samples.iter().filter(|sample| self.is_in_time(sample.time_ms)).copied().collect();
        let histograms: Vec<(i64, Histogram)> =
            series.histograms.iter().filter(|(time_ms, _)| self.is_in_time(*time_ms)).cloned().collect();
        let partition = self.partition(hash);
        let labels = series.labels.to_set();
        let per_piece = ((self.limit_bytes - label_bytes) / 2 / SAMPLE_BYTES).clamp(1, 4096);
        for piece in samples.chunks(per_piece) {
            let bytes = label_bytes + piece.len() * SAMPLE_BYTES;
            self.writer(partition, bytes)?.series_of(&labels, series.is_delta, piece, &[], &[]);
            self.divided.outcome.accepted += piece.len() as u64;
        }
        self.histograms(partition, &labels, series.is_delta, &histograms)?;
        self.exemplars(partition, &labels, series.exemplars)
    }

    fn histograms(
        &mut self,
        partition: u16,
        labels: &LabelSet,
        is_delta: bool,
        histograms: &[(i64, Histogram)],
    ) -> Result<(), SinkError> {
        let label_bytes = labels.as_bytes().len() + FRAMING_BYTES;
        for one in histograms.chunks(1) {
            let bytes =
                label_bytes + one.iter().map(|(_, histogram)| histogram_bytes(histogram)).sum::<usize>();
            if bytes > self.limit_bytes {
                let reason = || format!("a histogram of {bytes} bytes is over the limit");
                self.refuse(Refusal::TooLarge, reason);
                continue;
            }
            self.writer(partition, bytes)?.series_of(labels, is_delta, &[], one, &[]);
            self.divided.outcome.accepted += 1;
        }
        Ok(())
    }

    /// Exemplars come without samples here: they belong to the series, not to one of them.
    fn exemplars(
        &mut self,
        partition: u16,
        labels: &LabelSet,
        exemplars: &[Exemplar],
    ) -> Result<(), SinkError> {
        let label_bytes = labels.as_bytes().len() + FRAMING_BYTES;
        let bytes_of = |one: &Exemplar| one.labels.as_bytes().len() + SAMPLE_BYTES + 5;
        for one in exemplars {
            let bytes = label_bytes + bytes_of(one);
            let late = self.window.check(ms_to_ns(one.time_ms)).map(|(refusal, _)| refusal);
            let refused = late.or((bytes > self.limit_bytes).then_some(Refusal::TooLarge));
            if let Some(refusal) = refused {
                // Counted, but not among the items of the request: an exemplar is none.
                *self.divided.refused.entry(refusal).or_default() += 1;
                continue;
            }
            self.writer(partition, bytes)?.series_of(labels, false, &[], &[], std::slice::from_ref(one));
        }
        Ok(())
    }

    fn is_in_time(&mut self, time_ms: i64) -> bool {
        match self.window.check(ms_to_ns(time_ms)) {
            None => {
                self.index += 1;
                true
            }
            Some((refusal, time_ns)) => {
                self.refuse(refusal, || time_reason(refusal, time_ns));
                false
            }
        }
    }

    fn refuse(&mut self, refusal: Refusal, reason: impl FnOnce() -> String) {
        *self.divided.refused.entry(refusal).or_default() += 1;
        let outcome = &mut self.divided.outcome;
        // The text is made only while it will be kept.
        let text = if outcome.reasons.len() < Outcome::MAX_REASONS { reason() } else { String::new() };
        outcome.reject(self.index, text);
        self.index += 1;
    }

    /// The open payload of a partition, after closing it if `bytes` more are too many.
    fn writer(&mut self, partition: u16, bytes: usize) -> Result<&mut Writer, SinkError> {
        let open = self.open.entry(partition).or_default();
        // The labels before it may have saved bytes that they do not save at the begin of a payload.
        if self.batch.producer.is_none() && !open.is_empty() && open.size_bytes() + bytes > self.limit_bytes {
            let full = std::mem::take(open);
            self.close(partition, full);
        }
        Ok(self.open.entry(partition).or_default())
    }

    fn close(&mut self, partition: u16, writer: Writer) {
        if !writer.is_empty() {
            let payload = Bytes::from(writer.finish());
            let part = Batch { payload, ..self.batch.clone() };
            self.divided.parts.push((PartitionId::samples(partition), part));
        }
    }

    fn finish(mut self) -> Result<Divided, SinkError> {
        for (partition, writer) in std::mem::take(&mut self.open) {
            self.close(partition, writer);
        }
        match self.divided.parts.iter().find(|(_, part)| part.payload.len() > self.limit_bytes) {
            Some((_, part)) => {
                Err(SinkError::TooLarge { size_bytes: part.payload.len(), limit_bytes: self.limit_bytes })
            }
            None => Ok(self.divided),
        }
    }
}

fn histogram_bytes(histogram: &Histogram) -> usize {
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    let values =
        histogram.positive_counts.len() + histogram.negative_counts.len() + histogram.custom_values.len();
    10 + 3 + 32 + 5 * 5 + spans * 11 + values * 8
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
