//! What a store of series has after samples were appended: the later of two at one time stays.

use std::collections::BTreeMap;

use telemetry::samples::{Cursor, Entry, Histogram};

use super::Distribution;
use crate::{Emission, MAX_EMISSION_BYTES};

/// Samples by labels without `partition` (as in [`super::Expected`]) and time in ms.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Floats.
    pub samples: BTreeMap<String, BTreeMap<i64, f64>>,
    /// Native histograms.
    pub histograms: BTreeMap<String, BTreeMap<i64, Distribution>>,
    /// How many exemplars came.
    pub exemplars: u64,
    /// How many samples and histograms came.
    pub appended: u64,
}

impl Store {
    /// Appends all of it, and checks what every payload must keep.
    ///
    /// # Panics
    /// On a payload that is malformed or too long.
    #[allow(clippy::unwrap_used)] // To panic is what it is for.
    pub fn append(&mut self, emissions: &[Emission]) {
        for emission in emissions {
            assert!(emission.payload.len() <= MAX_EMISSION_BYTES);
            let mut cursor = Cursor::new(&emission.payload).unwrap();
            while let Some(entry) = cursor.next().unwrap() {
                let Entry::Series(series) = entry else { continue };
                let labels: Vec<String> = series
                    .labels
                    .filter(|(name, _)| *name != "partition")
                    .map(|(name, value)| format!("{name}=\"{value}\""))
                    .collect();
                let labels = labels.join(",");
                self.appended += (series.samples.len() + series.histograms.len()) as u64;
                self.exemplars += series.exemplars.len() as u64;
                let samples = self.samples.entry(labels.clone()).or_default();
                samples.extend(series.samples.iter().map(|sample| (sample.time_ms, sample.value)));
                let histograms = self.histograms.entry(labels).or_default();
                histograms.extend(
                    series.histograms.iter().map(|(time, histogram)| (*time, distribution(histogram))),
                );
            }
        }
    }

    /// The newest value of a counter, by labels that stand in its own in this order.
    pub fn newest(&self, labels: &str) -> Option<f64> {
        self.samples.get(labels)?.last_key_value().map(|(_, value)| *value)
    }
}

fn distribution(histogram: &Histogram) -> Distribution {
    let mut distribution =
        Distribution { sum_ns: (histogram.sum * 1e9).round() as u128, ..Distribution::default() };
    if histogram.zero_count > 0.0 {
        distribution.buckets.insert(i32::MIN, histogram.zero_count as u64);
    }
    let (mut index, mut counts) = (0, histogram.positive_counts.iter());
    for span in &histogram.positive_spans {
        index += span.offset;
        for count in counts.by_ref().take(span.len as usize) {
            distribution.buckets.insert(index, *count as u64);
            index += 1;
        }
    }
    assert_eq!(distribution.buckets.values().sum::<u64>() as f64, histogram.count);
    distribution
}
