//! The simplest store that could be right: maps of times, every record applied as it comes.

use std::collections::BTreeMap;

use promql::Matcher;
use telemetry::Batch;
use telemetry::LabelSet;
use telemetry::samples::{Cursor, Entry, Histogram, is_stale};

use crate::world::Bits;

const ACTIVE_S: i64 = 3600;
const STEP_S: i64 = 600;

#[derive(Clone, Debug)]
enum Point {
    Float(u64),
    Histogram(Histogram),
}

struct Series {
    points: BTreeMap<i64, Point>,
    newest: Option<i64>,
    received_s: i64,
    sum: f64,
    sum_histogram: Option<Histogram>,
    sum_newest: i64,
    sum_received_s: i64,
}

#[derive(Default)]
pub(crate) struct Naive {
    series: BTreeMap<LabelSet, Series>,
    /// When the last record was received, and how much time passed until then as far as anyone can know.
    newest_s: i64,
    now_s: i64,
}

impl Naive {
    pub(crate) fn apply(&mut self, batch: &Batch) {
        let received_s = batch.received_at_ns / 1_000_000_000;
        let passed_s = received_s - self.newest_s;
        if !(-STEP_S..=0).contains(&passed_s) {
            self.newest_s = received_s;
            self.now_s += passed_s.clamp(0, STEP_S);
        }
        let mut cursor = Cursor::new(&batch.payload).unwrap();
        while let Some(entry) = cursor.next().unwrap() {
            match entry {
                Entry::Series(entry) => {
                    let now_s = self.now_s;
                    let series = self.series.entry(entry.labels.to_set()).or_default();
                    if entry.is_delta {
                        if now_s - series.sum_received_s > ACTIVE_S {
                            (series.sum, series.sum_histogram) = (0.0, None);
                            series.sum_newest = i64::MIN;
                        }
                        series.sum_received_s = now_s;
                    }
                    for sample in entry.samples {
                        if !entry.is_delta || is_stale(sample.value) {
                            let point = Point::Float(sample.value.to_bits());
                            series.put(now_s, sample.time_ms, is_stale(sample.value), point);
                        } else if sample.value.is_finite() {
                            series.sum += sample.value;
                            series.sum_newest = series.sum_newest.max(sample.time_ms);
                            let point = Point::Float(series.sum.to_bits());
                            series.put(now_s, series.sum_newest, false, point);
                        }
                    }
                    for (time_ms, histogram) in entry.histograms {
                        if !entry.is_delta {
                            series.put(now_s, *time_ms, false, Point::Histogram(histogram.clone()));
                            continue;
                        }
                        let mut histogram = histogram.clone();
                        // The model's histograms all have one shape.
                        if let Some(sum) = &series.sum_histogram {
                            histogram.count += sum.count;
                            histogram.sum += sum.sum;
                            let counts = histogram.positive_counts.iter_mut().zip(&sum.positive_counts);
                            counts.for_each(|(count, more)| *count += more);
                        }
                        series.sum_histogram = Some(histogram.clone());
                        series.sum_newest = series.sum_newest.max(*time_ms);
                        series.put(now_s, series.sum_newest, false, Point::Histogram(histogram));
                    }
                }
                Entry::Delete(delete) => {
                    let matchers = delete.matchers.iter().map(|(n, op, v)| Matcher::new(n, *op, v).unwrap());
                    let matchers: Vec<Matcher> = matchers.collect();
                    for (_, series) in self.series.iter_mut().filter(|(labels, _)| passes(labels, &matchers))
                    {
                        series.points.retain(|time, _| !(delete.start_ms..=delete.end_ms).contains(time));
                    }
                }
                Entry::Metadata(_) => {}
            }
        }
    }

    pub(crate) fn read(&self, matchers: &[Matcher], range: (i64, i64)) -> Vec<(LabelSet, Bits)> {
        let mut found = Vec::new();
        for (labels, series) in self.series.iter().filter(|(labels, _)| passes(labels, matchers)) {
            let mut bits = Bits::default();
            for (time_ms, point) in series.points.iter().filter(|(t, _)| (range.0..=range.1).contains(*t)) {
                match point {
                    Point::Float(value) => bits.0.push((*time_ms, *value)),
                    Point::Histogram(histogram) => bits.1.push((*time_ms, histogram.clone())),
                }
            }
            if bits != Bits::default() {
                found.push((labels.clone(), bits));
            }
        }
        found
    }
}

impl Default for Series {
    fn default() -> Self {
        Self {
            points: BTreeMap::new(),
            newest: None,
            received_s: 0,
            sum: 0.0,
            sum_histogram: None,
            sum_newest: i64::MIN,
            sum_received_s: 0,
        }
    }
}

impl Series {
    fn put(&mut self, now_s: i64, time_ms: i64, stale: bool, point: Point) {
        if now_s - self.received_s > ACTIVE_S {
            self.newest = None;
        }
        self.received_s = now_s;
        if stale && self.newest.is_some_and(|newest| time_ms < newest) {
            return;
        }
        self.newest = self.newest.max(Some(time_ms));
        self.points.insert(time_ms, point);
    }
}

fn passes(labels: &LabelSet, matchers: &[Matcher]) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or_default()))
}
