//! A store in memory, as plain as can be.

use std::collections::BTreeMap;

use telemetry::samples::{Histogram, MatchOp, ResetHint};
use telemetry::{LabelSet, METRIC_NAME};

use super::{Item, Load};
use crate::evaluate::{custom_histogram, is_reset};
use crate::{Matcher, Querier, QueryError, Select, Selection, Values};

/// Series by metric and labels.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    metrics: BTreeMap<String, BTreeMap<LabelSet, Values>>,
}

/// Classic buckets, count and sum of one histogram at one time.
#[derive(Default)]
struct Classic {
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

impl MemoryStore {
    fn values(&mut self, labels: &LabelSet) -> &mut Values {
        let metric = labels.metric().unwrap_or_default().to_owned();
        self.metrics.entry(metric).or_default().entry(labels.clone()).or_default()
    }

    /// Adds a sample; times of a series must ascend, others are left out.
    pub fn add(&mut self, labels: &LabelSet, time_ms: i64, value: f64) {
        let values = self.values(labels);
        if newest(values).is_none_or(|newest| time_ms > newest) {
            values.times_ms.push(time_ms);
            values.values.push(value);
        }
    }

    /// Adds a native histogram. As Prometheus' store does, it says of each whether it is known to follow no reset.
    pub fn add_histogram(&mut self, labels: &LabelSet, time_ms: i64, mut histogram: Histogram) {
        let values = self.values(labels);
        if newest(values).is_some_and(|newest| time_ms <= newest) {
            return;
        }
        if matches!(histogram.reset_hint, ResetHint::Unknown | ResetHint::No) {
            let before = values.histograms.last().map(|(_, before)| before);
            let before = before.filter(|before| before.reset_hint != ResetHint::Gauge);
            let goes_on = before.is_some_and(|before| !is_reset(before, &histogram));
            histogram.reset_hint = if goes_on { ResetHint::No } else { ResetHint::Unknown };
        }
        values.histograms.push((time_ms, histogram));
    }

    /// Adds what a script loads.
    pub fn load(&mut self, load: &Load) {
        // Of two lines of one series the last counts.
        let series: BTreeMap<&LabelSet, &Vec<Item>> =
            load.series.iter().map(|(l, items)| (l, items)).collect();
        for (labels, items) in series {
            for (index, item) in items.iter().enumerate() {
                let time_ms = index as i64 * load.step_ms;
                match item {
                    Item::Gap => {}
                    Item::Float(value) => self.add(labels, time_ms, *value),
                    Item::Histogram(histogram, _) => self.add_histogram(labels, time_ms, histogram.clone()),
                }
            }
        }
        if load.with_custom_buckets {
            self.load_custom_buckets(load);
        }
    }

    fn load_custom_buckets(&mut self, load: &Load) {
        let mut classic: BTreeMap<(LabelSet, i64), Classic> = BTreeMap::new();
        for (labels, items) in &load.series {
            let metric = labels.metric().unwrap_or_default();
            let Some((base, part)) = metric.rsplit_once('_') else { continue };
            if !matches!(part, "bucket" | "count" | "sum") {
                continue;
            }
            let key = labels.filtered(|name| name != "le").with(METRIC_NAME, base);
            for (index, item) in items.iter().enumerate() {
                let Item::Float(value) = item else { continue };
                let entry = classic.entry((key.clone(), index as i64 * load.step_ms)).or_default();
                match (part, labels.get("le").and_then(|bound| bound.parse().ok())) {
                    ("bucket", Some(bound)) => entry.buckets.push((bound, *value)),
                    ("count", _) => entry.count = Some(*value),
                    ("sum", _) => entry.sum = *value,
                    _ => {}
                }
            }
        }
        for ((labels, time_ms), mut classic) in classic {
            classic.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            let histogram = custom_histogram(&classic.buckets, classic.count, classic.sum);
            self.add_histogram(&labels, time_ms, histogram);
        }
    }
}

/// The one metric that can pass.
fn metric_of(matchers: &[Matcher]) -> Option<&str> {
    let named =
        matchers.iter().find(|matcher| matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal);
    named.map(Matcher::value)
}

fn newest(values: &Values) -> Option<i64> {
    values.times_ms.last().copied().max(values.histograms.last().map(|(time_ms, _)| *time_ms))
}

struct Selected<'a> {
    series: Vec<(&'a LabelSet, &'a Values)>,
    start_ms: i64,
    end_ms: i64,
}

impl Querier for MemoryStore {
    fn select<'q>(&'q self, select: &Select<'_>) -> Result<Box<dyn Selection + 'q>, QueryError> {
        let passes = |labels: &LabelSet| {
            let mut matchers = select.matchers.iter();
            matchers.all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or_default()))
        };
        let metrics: Vec<&BTreeMap<LabelSet, Values>> = match metric_of(select.matchers) {
            Some(metric) => self.metrics.get(metric).into_iter().collect(),
            None => self.metrics.values().collect(),
        };
        let series = metrics.into_iter().flatten().filter(|(labels, _)| passes(labels)).collect();
        Ok(Box::new(Selected { series, start_ms: select.start_ms, end_ms: select.end_ms }))
    }
}

impl Selection for Selected<'_> {
    fn len(&self) -> usize {
        self.series.len()
    }

    fn labels(&self, index: usize) -> LabelSet {
        self.series[index].0.clone()
    }

    fn read(&self, index: usize, values: &mut Values) -> Result<(), QueryError> {
        values.clear();
        let all = self.series[index].1;
        let low = all.times_ms.partition_point(|time_ms| *time_ms < self.start_ms);
        let high = all.times_ms.partition_point(|time_ms| *time_ms <= self.end_ms).max(low);
        values.times_ms.extend_from_slice(&all.times_ms[low..high]);
        values.values.extend_from_slice(&all.values[low..high]);
        let inside =
            all.histograms.iter().filter(|(time_ms, _)| (self.start_ms..=self.end_ms).contains(time_ms));
        values.histograms.extend(inside.cloned());
        Ok(())
    }
}
