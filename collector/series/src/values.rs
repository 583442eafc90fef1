//! Putting together what a series has in several places: the newer place wins.

use promql::Values;
use roaring::RoaringBitmap;
use telemetry::samples::Histogram;

/// What deletes hide of a place that they are not done in: series and a closed range of time.
#[derive(Default)]
pub(crate) struct Hidden(pub(crate) Vec<(RoaringBitmap, i64, i64)>);

impl Hidden {
    /// Takes out what is hidden of a series.
    pub(crate) fn apply(&self, series: u32, values: &mut Values) {
        for (all, start_ms, end_ms) in &self.0 {
            if all.contains(series) {
                remove(values, *start_ms, *end_ms);
            }
        }
    }

    pub(crate) fn hides(&self, series: u32, time_ms: i64) -> bool {
        self.0.iter().any(|(all, start, end)| (*start..=*end).contains(&time_ms) && all.contains(series))
    }

    /// Whether it hides anything of a series.
    pub(crate) fn touches(&self, series: u32) -> bool {
        self.0.iter().any(|(all, _, _)| all.contains(series))
    }

    /// Whether one delete hides this range of a series whole.
    pub(crate) fn covers(&self, series: u32, range: (i64, i64)) -> bool {
        self.0.iter().any(|(all, start, end)| *start <= range.0 && range.1 <= *end && all.contains(series))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Sorts by time; of several entries of one time the last stays.
pub(crate) fn keep_last<T>(entries: &mut Vec<(i64, T)>) {
    entries.sort_by_key(|(time_ms, _)| *time_ms);
    // `dedup_by` drops its first argument, which is the later one: swapped, the earlier value goes.
    entries.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
}

/// Adds `newer` to `out`: where both have a time, `newer` has its value. What it held is gone then.
pub(crate) fn merge(out: &mut Values, newer: &mut Values) {
    if !newer.histograms.is_empty() || !out.histograms.is_empty() {
        return merge_mixed(out, std::mem::take(newer));
    }
    let is_behind = match (out.times_ms.last(), newer.times_ms.first()) {
        (Some(last), Some(first)) => last < first,
        _ => true,
    };
    if is_behind {
        out.times_ms.append(&mut newer.times_ms);
        out.values.append(&mut newer.values);
        return;
    }
    merge_floats(out, std::mem::take(&mut newer.times_ms), std::mem::take(&mut newer.values));
}

fn merge_floats(out: &mut Values, times_ms: Vec<i64>, values: Vec<f64>) {
    let old_times = std::mem::take(&mut out.times_ms);
    let old_values = std::mem::take(&mut out.values);
    let mut old = old_times.into_iter().zip(old_values).peekable();
    for (time_ms, value) in times_ms.into_iter().zip(values) {
        while let Some((old_ms, old_value)) = old.next_if(|(old_ms, _)| *old_ms < time_ms) {
            out.times_ms.push(old_ms);
            out.values.push(old_value);
        }
        old.next_if(|(old_ms, _)| *old_ms == time_ms);
        out.times_ms.push(time_ms);
        out.values.push(value);
    }
    for (time_ms, value) in old {
        out.times_ms.push(time_ms);
        out.values.push(value);
    }
}

/// A time is a float or a histogram, whichever is newer.
fn merge_mixed(out: &mut Values, newer: Values) {
    let floats = &newer.times_ms;
    let is_newer = |time_ms: &i64| {
        floats.binary_search(time_ms).is_ok()
            || newer.histograms.binary_search_by_key(time_ms, |(t, _)| *t).is_ok()
    };
    let mut kept = Values::default();
    for (time_ms, value) in out.times_ms.iter().zip(&out.values) {
        if !is_newer(time_ms) {
            kept.times_ms.push(*time_ms);
            kept.values.push(*value);
        }
    }
    let mut histograms: Vec<(i64, Histogram)> = std::mem::take(&mut out.histograms);
    histograms.retain(|(time_ms, _)| !is_newer(time_ms));
    histograms.extend(newer.histograms);
    histograms.sort_by_key(|(time_ms, _)| *time_ms);
    *out = kept;
    merge_floats(out, newer.times_ms, newer.values);
    out.histograms = histograms;
}

/// Takes out a closed range of time.
pub(crate) fn remove(values: &mut Values, start_ms: i64, end_ms: i64) {
    let start = values.times_ms.partition_point(|time_ms| *time_ms < start_ms);
    let end = values.times_ms.partition_point(|time_ms| *time_ms <= end_ms).max(start);
    values.times_ms.drain(start..end);
    values.values.drain(start..end);
    values.histograms.retain(|(time_ms, _)| !(start_ms..=end_ms).contains(time_ms));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Times = BTreeMap<i64, (bool, u32)>;

    fn values(times: &Times) -> Values {
        let mut values = Values::default();
        for (time_ms, (is_float, number)) in times {
            if *is_float {
                values.times_ms.push(*time_ms);
                values.values.push(f64::from(*number));
            } else {
                let sum = f64::from(*number);
                values.histograms.push((*time_ms, Histogram { sum, ..Histogram::default() }));
            }
        }
        values
    }

    fn times() -> impl Strategy<Value = Times> {
        proptest::collection::btree_map(0..30i64, (prop::bool::weighted(0.7), any::<u32>()), 0..20)
    }

    proptest! {
        #[test]
        fn the_newer_value_of_a_time_wins(mut old in times(), new in times(), cut in (0..30i64, 0..30i64)) {
            let mut out = values(&old);
            merge(&mut out, &mut values(&new));
            old.extend(new);
            prop_assert_eq!(&out, &values(&old));
            remove(&mut out, cut.0, cut.1);
            old.retain(|time_ms, _| !(cut.0..=cut.1).contains(time_ms));
            prop_assert_eq!(&out, &values(&old));
        }

        #[test]
        fn the_last_entry_of_a_time_stays(mut entries in proptest::collection::vec((0..9i64, any::<u32>()), 0..30)) {
            let last: BTreeMap<i64, u32> = entries.iter().copied().collect();
            keep_last(&mut entries);
            prop_assert_eq!(entries, last.into_iter().collect::<Vec<_>>());
        }
    }
}
