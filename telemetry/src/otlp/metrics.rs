//! `collector.metrics.v1.ExportMetricsServiceRequest`, walked without copying, as `logs.rs` does it.

mod point;

pub use point::{
    Buckets, ExemplarPoint, ExponentialPoint, HistogramPoint, NumberPoint, PointValue, SummaryPoint,
};

use super::validate;
use super::wire::{DecodeError, Field, Fields, Wire, messages};
use super::{Resource, Scope};
use crate::value::valid_str;

/// A request whose every byte was checked, now or before.
#[derive(Clone, Copy, Debug)]
pub struct MetricsRequest<'a> {
    raw: &'a [u8],
    points: usize,
}

/// The metrics of one resource.
#[derive(Clone, Copy, Debug)]
pub struct ResourceMetrics<'a> {
    raw: &'a [u8],
    /// What emitted them.
    pub resource: Resource<'a>,
    /// The schema of the resource's attributes; "" when not given.
    pub schema_url: &'a str,
}

/// The metrics of one instrumentation scope.
#[derive(Clone, Copy, Debug)]
pub struct ScopeMetrics<'a> {
    raw: &'a [u8],
    /// The library that recorded them.
    pub scope: Scope<'a>,
    /// The schema of the metrics; "" when not given.
    pub schema_url: &'a str,
}

/// One metric with its points.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// The `Metric` message.
    pub raw: &'a [u8],
    /// Its name, as OpenTelemetry writes it: dots.
    pub name: &'a str,
    /// A sentence about it.
    pub description: &'a str,
    /// Its unit, in UCUM.
    pub unit: &'a str,
    /// What kind it is, and its points.
    pub data: MetricData<'a>,
}

/// The points of a metric, by its kind.
#[derive(Clone, Copy, Debug, Default)]
pub enum MetricData<'a> {
    /// No kind that is known here.
    #[default]
    None,
    /// Values of the moment.
    Gauge(Points<'a>),
    /// Something that adds up.
    Sum {
        /// `NumberDataPoint`s.
        points: Points<'a>,
        /// What a value counts from.
        temporality: Temporality,
        /// Whether it only ever grows.
        is_monotonic: bool,
    },
    /// Counts per bucket, with the bounds beside them.
    Histogram(Points<'a>, Temporality),
    /// Counts per bucket, with bounds that are powers.
    Exponential(Points<'a>, Temporality),
    /// Quantiles that the source computed.
    Summary(Points<'a>),
}

/// What the value of a sum or histogram counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporality {
    /// Not given, which OTLP forbids.
    #[default]
    Unspecified,
    /// The point before.
    Delta,
    /// The start of the source.
    Cumulative,
}

/// The raw messages of a metric's points.
#[derive(Clone, Copy, Debug, Default)]
pub struct Points<'a>(&'a [u8]);

impl<'a> MetricsRequest<'a> {
    /// Checks `raw` as deep as it goes.
    pub fn parse(raw: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { raw, points: validate::metrics::request(raw)? })
    }

    /// A request whose bytes `parse` has taken before. Of other bytes it sees what comes before the first fault.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut request = Self { raw, points: 0 };
        request.points = request.metrics().map(|(_, _, metric)| metric.data.points().iter().count()).sum();
        request
    }

    /// How many data points it holds.
    pub fn point_count(&self) -> usize {
        self.points
    }

    /// The resources in order.
    pub fn resources(&self) -> impl Iterator<Item = ResourceMetrics<'a>> + use<'a> {
        messages(self.raw, 1).map(ResourceMetrics::read)
    }

    /// Every metric in the request's order, with what it belongs to.
    pub fn metrics(
        &self,
    ) -> impl Iterator<Item = (ResourceMetrics<'a>, ScopeMetrics<'a>, Metric<'a>)> + use<'a> {
        self.resources().flat_map(|resource| {
            resource
                .scopes()
                .flat_map(move |scope| scope.metrics().map(move |metric| (resource, scope, metric)))
        })
    }
}

impl<'a> ResourceMetrics<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, resource: Resource::default(), schema_url: "" };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Bytes(raw)) => read.resource = Resource::of_valid(raw),
                (3, Wire::Bytes(text)) => read.schema_url = valid_str(text),
                _ => {}
            }
        }
        read
    }

    /// The scopes in order.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeMetrics<'a>> + use<'a> {
        messages(self.raw, 2).map(ScopeMetrics::read)
    }
}

impl<'a> ScopeMetrics<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, scope: Scope::default(), schema_url: "" };
        for Field { number, wire } in Fields::of_valid(raw) {
            match (number, wire) {
                (1, Wire::Bytes(raw)) => read.scope = Scope::of_valid(raw),
                (3, Wire::Bytes(text)) => read.schema_url = valid_str(text),
                _ => {}
            }
        }
        read
    }

    /// The metrics in order.
    pub fn metrics(&self) -> impl Iterator<Item = Metric<'a>> + use<'a> {
        messages(self.raw, 2).map(Metric::of_valid)
    }
}

impl<'a> Metric<'a> {
    /// A `Metric` message that was validated before.
    pub fn of_valid(raw: &'a [u8]) -> Self {
        let mut read = Self { raw, name: "", description: "", unit: "", data: MetricData::None };
        for Field { number, wire } in Fields::of_valid(raw) {
            let Wire::Bytes(bytes) = wire else { continue };
            match number {
                1 => read.name = valid_str(bytes),
                2 => read.description = valid_str(bytes),
                3 => read.unit = valid_str(bytes),
                5 => read.data = MetricData::Gauge(Points(bytes)),
                7 => {
                    let (temporality, is_monotonic) = aggregation(bytes);
                    read.data = MetricData::Sum { points: Points(bytes), temporality, is_monotonic };
                }
                9 => read.data = MetricData::Histogram(Points(bytes), aggregation(bytes).0),
                10 => read.data = MetricData::Exponential(Points(bytes), aggregation(bytes).0),
                11 => read.data = MetricData::Summary(Points(bytes)),
                _ => {}
            }
        }
        read
    }
}

impl<'a> MetricData<'a> {
    /// Its points, whatever the kind.
    pub fn points(self) -> Points<'a> {
        match self {
            Self::None => Points::default(),
            Self::Gauge(points)
            | Self::Sum { points, .. }
            | Self::Histogram(points, _)
            | Self::Exponential(points, _)
            | Self::Summary(points) => points,
        }
    }
}

impl<'a> Points<'a> {
    /// The raw messages in order.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        messages(self.0, 1)
    }
}

/// `aggregation_temporality = 2` and `is_monotonic = 3`.
fn aggregation(raw: &[u8]) -> (Temporality, bool) {
    let (mut temporality, mut is_monotonic) = (Temporality::Unspecified, false);
    for Field { number, wire } in Fields::of_valid(raw) {
        match (number, wire) {
            (2, Wire::Varint(1)) => temporality = Temporality::Delta,
            (2, Wire::Varint(2)) => temporality = Temporality::Cumulative,
            (2, _) => temporality = Temporality::Unspecified,
            (3, Wire::Varint(bit)) => is_monotonic = bit != 0,
            _ => {}
        }
    }
    (temporality, is_monotonic)
}
