//! OTLP metrics as samples: the OpenTelemetry–Prometheus compatibility specification with the
//! strategy UnderscoreEscapingWithSuffixes. What becomes of what is a table in docs/otlp.md.
//!
//! A point that cannot be taken is left out with a reason; the others go on.

mod histogram;
mod labels;
mod names;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Display;

use super::metrics::{ExemplarPoint, Metric, MetricData, MetricsRequest, NumberPoint, Points, SummaryPoint};
use super::metrics::{ResourceMetrics, Temporality};
use crate::samples::{
    Exemplar, Histogram, Metadata, MetricKind, Sample, SeriesLimits, Writer, cut, stale_nan,
};
use crate::{KeyValues, LabelSet, METRIC_NAME, NoRoom, Room};
use labels::{Label, Names, Shared};
use names::{NameKind, metric_name, unit_words};

/// The resource attributes that are labels of every series when nothing else is configured.
pub const DEFAULT_PROMOTED: [&str; 10] = [
    "service.name",
    "service.namespace",
    "service.version",
    "deployment.environment.name",
    "host.name",
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.node.name",
    "k8s.container.name",
    "cloud.region",
];

/// An exemplar's labels may have so many characters together (OpenMetrics 1.0, "Exemplars").
const MAX_EXEMPLAR_CHARS: usize = 128;

/// How many reasons are kept.
const MAX_REASONS: usize = 5;

/// How metrics become series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Resource attributes that every series of the resource has as labels.
    pub promoted: Vec<String>,
    /// Whether series have the scope's name, version, schema and attributes as `otel_scope_…`.
    pub scope_labels: bool,
    /// The caps on a series.
    pub limits: SeriesLimits,
}

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Converted {
    /// Data points whose samples are in the payload.
    pub accepted: u64,
    /// Data points that were left out.
    pub rejected: u64,
    /// Why the first of them were, and what else was left out.
    pub reasons: Vec<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            promoted: DEFAULT_PROMOTED.map(str::to_owned).to_vec(),
            scope_labels: true,
            limits: SeriesLimits::default(),
        }
    }
}

/// Adds a request's points to `writer`, as samples. A point without a time has that of its arrival.
pub fn to_samples<'a>(
    request: &MetricsRequest<'a>,
    mapping: &'a Mapping,
    received_at_ns: i64,
    writer: &mut Writer,
    room: Room<'_>,
) -> Result<Converted, NoRoom> {
    let mut converter = Converter {
        mapping,
        received_at_ns,
        writer,
        room,
        names: Names::default(),
        families: HashSet::new(),
        newest_ms: None,
        index: 0,
        own: Vec::new(),
        converted: Converted::default(),
    };
    for resource in request.resources() {
        converter.resource(&resource)?;
    }
    Ok(converter.converted)
}

struct Converter<'a, 'w, 'r> {
    mapping: &'a Mapping,
    received_at_ns: i64,
    writer: &'w mut Writer,
    room: Room<'r>,
    names: Names<'a>,
    /// Whose metadata is written.
    families: HashSet<String>,
    /// The newest point of the resource.
    newest_ms: Option<i64>,
    /// The point's number in the request.
    index: u64,
    /// The labels of the point.
    own: Vec<Label<'a>>,
    converted: Converted,
}

/// A metric's name and what is said about it.
struct Family<'m> {
    name: String,
    kind: MetricKind,
    metric: &'m Metric<'m>,
}

/// What a series gets, besides labels.
#[derive(Clone, Copy, Default)]
struct Content<'c> {
    is_delta: bool,
    samples: &'c [Sample],
    histograms: &'c [(i64, Histogram)],
    exemplars: &'c [Exemplar],
}

/// Why a point is left out.
type Fault = String;

impl<'a> Converter<'a, '_, '_> {
    fn resource(&mut self, resource: &ResourceMetrics<'a>) -> Result<(), NoRoom> {
        self.newest_ms = None;
        let shared = Shared::of_resource(&resource.resource, self.mapping, &mut self.names);
        for scope in resource.scopes() {
            let shared = match self.mapping.scope_labels {
                true => &shared.with_scope(&scope.scope, scope.schema_url),
                false => &shared,
            };
            for metric in scope.metrics() {
                self.metric(&metric, shared)?;
            }
        }
        self.target_info(resource, &shared)
    }

    fn metric(&mut self, metric: &Metric<'a>, shared: &Shared<'a>) -> Result<(), NoRoom> {
        let (name_kind, kind, temporality) = match metric.data {
            MetricData::None => return Ok(()),
            MetricData::Gauge(_) => (NameKind::Gauge, MetricKind::Gauge, Temporality::Cumulative),
            MetricData::Sum { is_monotonic: true, temporality, .. } => {
                (NameKind::Counter, MetricKind::Counter, temporality)
            }
            MetricData::Sum { temporality, .. } => (NameKind::Other, MetricKind::Gauge, temporality),
            MetricData::Histogram(_, temporality) | MetricData::Exponential(_, temporality) => {
                (NameKind::Other, MetricKind::Histogram, temporality)
            }
            MetricData::Summary(_) => (NameKind::Other, MetricKind::Summary, Temporality::Cumulative),
        };
        let points = metric.data.points();
        let Some(name) = metric_name(metric.name, metric.unit, name_kind) else {
            return self.reject_all(metric, points, "the name has no letter and no digit");
        };
        if temporality == Temporality::Unspecified {
            return self.reject_all(metric, points, "the aggregation temporality is not given");
        }
        let is_delta = temporality == Temporality::Delta;
        let family = Family { name, kind, metric };
        for raw in points.iter() {
            let outcome = match metric.data {
                MetricData::Histogram(..) => self.histogram(&family, raw, is_delta, shared),
                MetricData::Exponential(..) => self.exponential(&family, raw, is_delta, shared),
                MetricData::Summary(_) => self.summary(&family, raw, shared),
                _ => self.number(&family, raw, is_delta, shared),
            };
            match outcome {
                Ok(()) => {
                    self.converted.accepted += 1;
                    self.describe(&family);
                }
                Err(fault) => self.reject(metric, &fault),
            }
            self.index += 1;
            self.room.hold(self.writer.size_bytes())?;
        }
        Ok(())
    }

    fn number(
        &mut self,
        family: &Family<'_>,
        raw: &'a [u8],
        is_delta: bool,
        shared: &Shared<'a>,
    ) -> Result<(), Fault> {
        let point = NumberPoint::of_valid(raw);
        let value = match point.value {
            _ if point.is_no_value => stale_nan(),
            Some(value) => value.as_f64(),
            None => return Err("it has no value".to_owned()),
        };
        let time_ms = self.time_ms(point.time_ns);
        self.label(point.attributes(), shared)?;
        self.check_labels(&family.name, None)?;
        let exemplars = self.exemplars(point.exemplars(), time_ms)?;
        self.saw(time_ms);
        let content = Content {
            // What ends a series is no increase of it.
            is_delta: is_delta && !point.is_no_value,
            samples: &[Sample { time_ms, value }],
            exemplars: &exemplars,
            ..Content::default()
        };
        self.put(&family.name, None, content)
    }

    fn summary(&mut self, family: &Family<'_>, raw: &'a [u8], shared: &Shared<'a>) -> Result<(), Fault> {
        let point = SummaryPoint::of_valid(raw);
        let time_ms = self.time_ms(point.time_ns);
        self.label(point.attributes(), shared)?;
        let max = self.mapping.limits.max_buckets;
        let quantiles = point.quantiles().map(|(quantile, value)| (quantile.to_string(), value));
        let quantiles = at_most(max, quantiles, "quantiles")?;
        self.check_labels(&family.name, Some(("quantile", "0.99")))?;
        self.saw(time_ms);
        let sample = |value| [Sample { time_ms, value: if point.is_no_value { stale_nan() } else { value } }];
        self.put_samples(&format!("{}_count", family.name), None, &sample(point.count as f64))?;
        self.put_samples(&format!("{}_sum", family.name), None, &sample(point.sum))?;
        for (quantile, value) in &quantiles {
            self.put_samples(&family.name, Some(("quantile", quantile)), &sample(*value))?;
        }
        Ok(())
    }

    /// Makes `own` the labels of a point.
    fn label(&mut self, attributes: KeyValues<'a>, shared: &Shared<'a>) -> Result<(), Fault> {
        self.own.clear();
        self.names.labels(attributes, self.mapping.limits.max_labels, &mut self.own)?;
        shared.complete(&mut self.own);
        Ok(())
    }

    fn put_samples(
        &mut self,
        name: &str,
        extra: Option<(&str, &str)>,
        samples: &[Sample],
    ) -> Result<(), Fault> {
        self.put(name, extra, Content { samples, ..Content::default() })
    }

    /// One series with the point's labels, its name and perhaps one label more, which stands over the point's.
    fn put(&mut self, name: &str, extra: Option<(&str, &str)>, content: Content<'_>) -> Result<(), Fault> {
        let mut labels = series(&self.own, name, extra);
        let Content { is_delta, samples, histograms, exemplars } = content;
        self.writer
            .series(&mut labels, is_delta, samples, histograms, exemplars)
            .map_err(|error| error.to_string())
    }

    /// Checks the labels of the longest series that a point becomes, so that it is taken as a whole or not.
    fn check_labels(&self, longest_name: &str, extra: Option<(&str, &str)>) -> Result<(), Fault> {
        self.mapping.limits.check(&series(&self.own, longest_name, extra))
    }

    /// A point's exemplars: as many as it may have buckets, which have one each.
    fn exemplars<'e>(
        &self,
        points: impl Iterator<Item = ExemplarPoint<'e>>,
        point_ms: i64,
    ) -> Result<Vec<Exemplar>, Fault> {
        let exemplars = points.filter_map(|point| self.exemplar(&point, point_ms));
        at_most(self.mapping.limits.max_buckets, exemplars, "exemplars")
    }

    fn exemplar(&self, exemplar: &ExemplarPoint<'_>, point_ms: i64) -> Option<Exemplar> {
        let value = exemplar.value?.as_f64();
        let time_ms = usable_ms(exemplar.time_ns).unwrap_or(point_ms);
        let mut labels = Vec::new();
        for (name, id) in [("trace_id", exemplar.trace_id), ("span_id", exemplar.span_id)] {
            if id.len() <= 16 && id.iter().any(|byte| *byte != 0) {
                labels.push((name.to_owned(), hex(id)));
            }
        }
        let ids = labels.len();
        let mut chars: usize = labels.iter().map(|(name, id)| name.len() + id.len()).sum();
        for (key, value) in exemplar.attributes().iter() {
            let (name, value) = (names::label_name(key), value.to_text().into_owned());
            chars += name.chars().count() + value.chars().count();
            if chars > MAX_EXEMPLAR_CHARS {
                // The trace matters, the rest is said in it.
                labels.truncate(ids);
                break;
            }
            if !name.is_empty() && labels.iter().all(|(other, _)| *other != name) {
                labels.push((name, value));
            }
        }
        Some(Exemplar { labels: LabelSet::new(labels).ok()?, value, time_ms })
    }

    fn describe(&mut self, family: &Family<'_>) {
        if self.families.contains(&family.name) {
            return;
        }
        self.families.insert(family.name.clone());
        self.writer.metadata(&Metadata {
            family: family.name.clone(),
            kind: family.kind,
            unit: unit_words(family.metric.unit),
            help: family.metric.description.to_owned(),
        });
    }

    fn target_info(&mut self, resource: &ResourceMetrics<'a>, shared: &Shared<'a>) -> Result<(), NoRoom> {
        const NAME: &str = "target_info";
        let Some(time_ms) = self.newest_ms else { return Ok(()) };
        let max_labels = self.mapping.limits.max_labels;
        let labels = shared.target_info(&resource.resource, max_labels, &mut self.names);
        let written = match labels {
            Ok(None) => return Ok(()),
            Ok(Some(labels)) => {
                self.own = labels;
                self.check_labels(NAME, None)
                    .and_then(|()| self.put_samples(NAME, None, &[Sample { time_ms, value: 1.0 }]))
            }
            Err(fault) => Err(fault),
        };
        self.own.clear();
        match written {
            Err(fault) => self.reason(format!("a resource has no target_info: {fault}")),
            Ok(()) if self.families.insert(NAME.to_owned()) => self.writer.metadata(&Metadata {
                family: NAME.to_owned(),
                kind: MetricKind::Gauge,
                unit: String::new(),
                help: "Attributes of the resource that is scraped or sends".to_owned(),
            }),
            Ok(()) => {}
        }
        self.room.hold(self.writer.size_bytes())
    }

    fn reject_all(&mut self, metric: &Metric<'_>, points: Points<'_>, fault: &str) -> Result<(), NoRoom> {
        for _ in points.iter() {
            self.reject(metric, &fault);
            self.index += 1;
        }
        Ok(())
    }

    fn reject(&mut self, metric: &Metric<'_>, fault: &dyn Display) {
        self.converted.rejected += 1;
        if self.converted.reasons.len() < MAX_REASONS {
            let (index, name) = (self.index, cut(metric.name));
            self.reason(format!("data point {index}, of the metric {name:?}: {fault}"));
        }
    }

    fn reason(&mut self, reason: String) {
        if self.converted.reasons.len() < MAX_REASONS {
            self.converted.reasons.push(reason);
        }
    }

    fn saw(&mut self, time_ms: i64) {
        self.newest_ms = self.newest_ms.max(Some(time_ms));
    }

    fn time_ms(&self, time_ns: u64) -> i64 {
        usable_ms(time_ns).unwrap_or(self.received_at_ns.div_euclid(1_000_000))
    }
}

/// All of them, or why not. One may be two bytes of a request: no more are read than can be taken.
fn at_most<T>(max: usize, items: impl Iterator<Item = T>, what: &str) -> Result<Vec<T>, Fault> {
    let mut taken = Vec::new();
    for item in items {
        if taken.len() == max {
            return Err(format!("it has more than {max} {what}"));
        }
        taken.push(item);
    }
    Ok(taken)
}

/// 0 and what is past 2262 mean that no time is given.
fn usable_ms(time_ns: u64) -> Option<i64> {
    i64::try_from(time_ns).ok().filter(|time| *time != 0).map(|time| time / 1_000_000)
}

fn series<'l>(
    own: &'l [Label<'_>],
    name: &'l str,
    extra: Option<(&'l str, &'l str)>,
) -> Vec<(&'l str, &'l str)> {
    let over = extra.map_or("", |(name, _)| name);
    let mut labels = Vec::with_capacity(own.len() + 2);
    labels.extend(own.iter().filter(|label| *label.name != *over).map(|label| (&*label.name, &*label.value)));
    labels.push((METRIC_NAME, name));
    labels.extend(extra);
    labels
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
