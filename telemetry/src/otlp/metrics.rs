//! `collector.metrics.v1.ExportMetricsServiceRequest`: what its items are.

mod point;

pub use point::{
    Buckets, ExemplarPoint, ExponentialPoint, HistogramPoint, NumberPoint, PointValue, SummaryPoint,
};

use super::validate;
use super::walk::{Item, Request, ResourceGroup, ScopeGroup};
use super::wire::{DecodeError, Field, Fields, Wire, messages};
use crate::value::valid_str;

/// A metrics request whose every byte was checked, now or before.
pub type MetricsRequest<'a> = Request<'a, Metric<'a>>;

/// The metrics of one resource.
pub type ResourceMetrics<'a> = ResourceGroup<'a, Metric<'a>>;

/// The metrics of one instrumentation scope.
pub type ScopeMetrics<'a> = ScopeGroup<'a, Metric<'a>>;

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

impl<'a> Item<'a> for Metric<'a> {
    fn of_valid(raw: &'a [u8]) -> Self {
        Metric::of_valid(raw)
    }

    fn check(request: &[u8]) -> Result<usize, DecodeError> {
        validate::metrics::request(request)
    }

    fn count(raw: &'a [u8]) -> usize {
        Metric::of_valid(raw).data.points().iter().count()
    }
}

impl<'a> Request<'a, Metric<'a>> {
    /// How many data points it holds.
    pub fn point_count(&self) -> usize {
        self.count()
    }

    /// Every metric in the request's order, with what it belongs to.
    pub fn metrics(
        &self,
    ) -> impl Iterator<Item = (ResourceMetrics<'a>, ScopeMetrics<'a>, Metric<'a>)> + use<'a> {
        self.items()
    }
}

impl<'a> ScopeGroup<'a, Metric<'a>> {
    /// The metrics in order.
    pub fn metrics(&self) -> impl Iterator<Item = Metric<'a>> + use<'a> {
        self.items()
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
