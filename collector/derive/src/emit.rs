//! Counts as samples: which family and labels a subject's part has, and payloads that are never too long.

mod families;

use std::collections::BTreeMap;

use bytes::Bytes;
use telemetry::LabelSet;
use telemetry::samples::{self, Histogram, ResetHint, Sample, Writer};

use crate::cell::Cell;
use crate::histogram::{seconds, to_native};
use crate::live::{Counted, Parts};
use crate::log::{Exemplar, Exemplars};
use crate::registry::Registry;
use crate::subject::{Part, Subject, What, split_local};
use crate::time::step_ms;
use crate::window::Changes;
use crate::{Emission, MAX_EMISSION_BYTES};

use families::{Labels, Names};

/// A payload that is longer is closed; no series that is put in at once is longer than what is left.
const FULL_BYTES: usize = MAX_EMISSION_BYTES - (96 << 10);

/// So many buckets of histograms are put in at once, or a single histogram: at most 1,536 buckets of up to 13 bytes.
const MAX_BUCKETS: usize = 2000;

/// Puts series into payloads, tenant by tenant.
pub(crate) struct Emitter<'r> {
    registry: &'r Registry,
    partition: &'r str,
    step: u32,
    tenants: BTreeMap<u32, Payloads>,
}

#[derive(Default)]
struct Payloads {
    writer: Writer,
    full: Vec<Bytes>,
}

impl<'r> Emitter<'r> {
    pub(crate) fn new(registry: &'r Registry, partition: &'r str, step: u32) -> Self {
        Self { registry, partition, step, tenants: BTreeMap::new() }
    }

    /// The payloads, tenant by tenant.
    pub(crate) fn finish(self) -> Vec<Emission> {
        let mut emissions = Vec::new();
        for (number, mut payloads) in self.tenants {
            payloads.close();
            if let Some(tenant) = self.registry.tenant(number) {
                let of_tenant = |payload| Emission { tenant: tenant.id.clone(), payload };
                emissions.extend(payloads.full.into_iter().map(of_tenant));
            }
        }
        emissions
    }

    /// What each family says about itself.
    pub(crate) fn describe(&mut self) {
        for payloads in self.tenants.values_mut() {
            families::metadata().for_each(|metadata| payloads.writer.metadata(&metadata));
        }
    }

    /// Counters of a subject. One that was not written at the flush before gets there what it had, so that a rate sees
    /// when the change was, and a new one its zero.
    pub(crate) fn counters(&mut self, counted: &Counted, exemplars: &Exemplars) {
        let registry = self.registry;
        let Some(subject) = registry.subject(counted.subject) else { return };
        let is_gap = counted.is_changed && subject.written.saturating_add(1) < self.step;
        let steps = [is_gap.then_some((self.step - 1, &counted.before)), Some((self.step, &counted.now))];
        let steps: Vec<(u32, &Parts)> = steps.into_iter().flatten().collect();
        let names = Names::live(subject);
        for (family, value) in names.counters {
            let samples: Vec<Sample> =
                steps.iter().map(|(step, parts)| sample(*step, value(parts))).collect();
            self.put(subject, &Labels { family, status: "" }, &samples, &[], &[]);
        }
        for (family, part) in names.histograms {
            if counted.now[*part as usize].counts.is_empty() {
                continue;
            }
            let histograms: Vec<(i64, Histogram)> = steps
                .iter()
                .map(|(step, parts)| (step_ms(*step), to_native(&parts[*part as usize], ResetHint::Unknown)))
                .collect();
            let of_subject = exemplars.range((counted.subject, 0)..=(counted.subject, u32::MAX));
            let slowest =
                of_subject.map(|(_, exemplar)| exemplar).max_by_key(|exemplar| exemplar.duration_ns);
            let exemplars: Vec<samples::Exemplar> = slowest.into_iter().filter_map(exemplar).collect();
            self.put(subject, &Labels { family, status: "" }, &[], &histograms, &exemplars);
        }
    }

    /// Steps that were changed.
    pub(crate) fn steps(&mut self, changes: &mut Changes, exemplars: &Exemplars) {
        let registry = self.registry;
        for (local, cells) in changes.by_part() {
            let (number, part) = split_local(local);
            let Some(subject) = registry.subject(number) else { continue };
            let names = Names::exact(subject, part);
            let cells: Vec<(u32, Cell)> = cells.collect();
            if let Some((family, status)) = names.count {
                let samples: Vec<Sample> =
                    cells.iter().map(|(step, cell)| sample(*step, cell.count() as f64)).collect();
                self.put(subject, &Labels { family, status }, &samples, &[], &[]);
            }
            if let Some((family, status)) = names.durations {
                self.durations(subject, &Labels { family, status }, &cells, |step, cell| {
                    // Later spans are only told when they are among the slowest of all.
                    let slowest = exemplars.get(&(number, step))?;
                    let is_slow = crate::histogram::bucket_of(slowest.duration_ns) >= cell.last_bucket();
                    exemplar(slowest).filter(|_| is_slow)
                });
            }
        }
    }

    fn durations(
        &mut self,
        subject: &Subject,
        labels: &Labels,
        cells: &[(u32, Cell)],
        exemplar: impl Fn(u32, &Cell) -> Option<samples::Exemplar>,
    ) {
        let (mut histograms, mut exemplars, mut buckets) = (Vec::new(), Vec::new(), 0);
        for (step, cell) in cells {
            if buckets + cell.counts.len() > MAX_BUCKETS && !histograms.is_empty() {
                self.put(subject, labels, &[], &histograms, &exemplars);
                (histograms, exemplars, buckets) = (Vec::new(), Vec::new(), 0);
            }
            buckets += cell.counts.len();
            histograms.push((step_ms(*step), to_native(cell, ResetHint::Gauge)));
            exemplars.extend(exemplar(*step, cell));
        }
        self.put(subject, labels, &[], &histograms, &exemplars);
    }

    fn put(
        &mut self,
        subject: &Subject,
        labels: &Labels,
        samples: &[Sample],
        histograms: &[(i64, Histogram)],
        exemplars: &[samples::Exemplar],
    ) {
        let payloads = self.tenants.entry(subject.tenant).or_default();
        families::with_labels(self.registry, subject, labels, self.partition, |labels| {
            // Names are constants and differ: there is nothing to refuse.
            let put = payloads.writer.series(labels, false, samples, histograms, exemplars);
            debug_assert!(put.is_ok());
        });
        if payloads.writer.size_bytes() > FULL_BYTES {
            payloads.close();
        }
    }
}

impl Payloads {
    fn close(&mut self) {
        let writer = std::mem::take(&mut self.writer);
        if !writer.is_empty() {
            self.full.push(writer.finish().into());
        }
    }
}

fn sample(step: u32, value: f64) -> Sample {
    Sample { time_ms: step_ms(step), value }
}

fn exemplar(span: &Exemplar) -> Option<samples::Exemplar> {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let trace_id: String =
        span.trace_id.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    Some(samples::Exemplar {
        labels: LabelSet::new([("trace_id", trace_id)]).ok()?,
        value: seconds(u128::from(span.duration_ns)),
        time_ms: (span.end_ns / 1_000_000) as i64,
    })
}
