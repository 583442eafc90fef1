//! Writes heads as segments: one per tenant and day of its samples.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::RwLock;
use promql::Values;
use telemetry::TenantId;
use telemetry::samples::Exemplar;
use tokio::task::spawn_blocking;

use super::{Frozen, Inner, Partition, SeriesError};
use crate::head::Head;
use crate::segment::writer::{About, SegmentWriter};
use crate::segment::{SegmentRef, series_order};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// A head of samples of more days than this is written as segments of several days.
const MAX_SEGMENTS: usize = 32;

/// The day of a time, counted from 1970.
pub(crate) fn day(time_ms: i64) -> i64 {
    time_ms.div_euclid(DAY_MS)
}

impl Partition {
    /// Writes the samples of records up to `upto`, or a few more, as segments. What queries see does not change.
    ///
    /// Records that are applied while this begins may be in the segments although they stand behind `upto`.
    /// Applying them once more after a restart changes nothing.
    pub async fn seal(&self, epoch: u64, upto: u64) -> Result<Vec<SegmentRef>, SeriesError> {
        let inner = self.inner.clone();
        let sealed = spawn_blocking(move || inner.seal(epoch, upto)).await;
        sealed.unwrap_or_else(|error| Err(SeriesError::Task(error.to_string())))
    }
}

impl Inner {
    fn seal(&self, epoch: u64, upto: u64) -> Result<Vec<SegmentRef>, SeriesError> {
        let mut all = Vec::new();
        for (tenant, head) in self.freeze(upto) {
            let written = self.seal_head(tenant.as_str(), epoch, &head.read(), &mut all);
            if let Err(error) = written {
                let names: Vec<String> = all.into_iter().map(|segment| segment.name).collect();
                self.blobs.discard(names.iter().map(String::as_str));
                return Err(error);
            }
            let mut state = self.state.write();
            let same = |frozen: &&mut Frozen| Arc::ptr_eq(&frozen.head, &head);
            if let Some(frozen) = state.frozen.iter_mut().find(same) {
                let (min, max) = {
                    let head = head.read();
                    (head.min_offset, head.max_offset)
                };
                let own = all.iter().filter(|s| s.tenant == tenant.as_str());
                let own = own.filter(|s| (s.min_offset, s.max_offset) == (min, max));
                frozen.outputs = Some(own.map(|segment| segment.name.clone()).collect());
            }
        }
        Ok(all)
    }

    /// Opens new heads for all tenants, and gives the frozen ones that no listed segment holds.
    fn freeze(&self, upto: u64) -> Vec<(TenantId, Arc<RwLock<Head>>)> {
        let mut state = self.state.write();
        let state = &mut *state;
        for (name, tenant) in &mut state.tenants {
            let head = &tenant.head;
            if head.read().is_empty() || head.read().min_offset > upto {
                continue;
            }
            tenant.carry.keep(&head.read());
            head.write().clean_offset = state.stats.offset;
            let head = std::mem::take(&mut tenant.head);
            state.frozen.push(Frozen { tenant: name.clone(), head, outputs: None });
        }
        let due = state.frozen.iter().filter(|frozen| frozen.head.read().min_offset <= upto);
        due.map(|frozen| (frozen.tenant.clone(), frozen.head.clone())).collect()
    }

    fn seal_head(
        &self,
        tenant: &str,
        epoch: u64,
        head: &Head,
        all: &mut Vec<SegmentRef>,
    ) -> Result<(), SeriesError> {
        let mut order: Vec<u32> = (0..head.series_count()).collect();
        order.sort_unstable_by(|a, b| series_order(head.labels(*a), head.labels(*b)));
        for range in ranges(head) {
            let name = self.blobs.name(tenant, epoch);
            let about = About {
                tenant: tenant.to_owned(),
                partition: self.partition,
                min_offset: head.min_offset,
                max_offset: head.max_offset,
                clean_offset: head.clean_offset,
            };
            let writer = SegmentWriter::new(self.blobs.store(), name.clone(), about);
            match write(writer, head, &order, range) {
                Ok(Some(segment)) => all.push(segment),
                Ok(None) => self.blobs.discard(std::iter::once(name.as_str())),
                Err(error) => {
                    self.blobs.discard(std::iter::once(name.as_str()));
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

fn write(
    mut writer: SegmentWriter,
    head: &Head,
    order: &[u32],
    range: (i64, i64),
) -> Result<Option<SegmentRef>, SeriesError> {
    let mut scratch = Vec::new();
    for series in order {
        let mut values = Values::default();
        head.read(*series, range, &mut scratch, &mut values);
        let exemplars: Vec<Exemplar> = head.exemplars_of(*series, range).cloned().collect();
        if let Err(error) = writer.push(head.labels(*series), values, &exemplars) {
            writer.abort();
            return Err(error);
        }
    }
    writer.finish()
}

/// The ranges of time that hold samples, a day each unless they are too many. Exemplars beside them are left out.
fn ranges(head: &Head) -> Vec<(i64, i64)> {
    let (mut days, mut scratch) = (BTreeSet::new(), Vec::new());
    for series in 0..head.series_count() {
        let bounds = head.bounds(series);
        match bounds {
            Some((first, last)) if day(first) != day(last) => {
                let mut values = Values::default();
                head.read(series, (i64::MIN, i64::MAX), &mut scratch, &mut values);
                days.extend(values.times_ms.iter().map(|time_ms| day(*time_ms)));
                days.extend(values.histograms.iter().map(|(time_ms, _)| day(*time_ms)));
            }
            Some((first, _)) => drop(days.insert(day(first))),
            None => {}
        }
    }
    let mut shift = 0;
    while days.len() > MAX_SEGMENTS {
        days = days.into_iter().map(|day| day >> 1).collect();
        shift += 1;
    }
    let start_ms = |number: i64| (i128::from(number) << shift) * i128::from(DAY_MS);
    let clamped = |time_ms: i128| time_ms.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    days.into_iter().map(|number| (clamped(start_ms(number)), clamped(start_ms(number + 1) - 1))).collect()
}
