//! Writes OTLP metrics requests of one resource: gauges and sums, as a program that measures makes them.

use crate::otlp::PointValue;
use crate::otlp::wire::{
    close, open, put_bytes, put_fixed64, put_text, put_text_entry, put_uint, put_varint,
};

/// What a metric's numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    /// A value at a time; adding several up means nothing.
    Gauge,
    /// A value at a time that adds up over attributes.
    UpDown,
    /// A sum since its start that only grows.
    Counter,
}

/// What a metric is.
#[derive(Clone, Copy, Debug)]
pub struct MetricHead<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it says, for people.
    pub description: &'a str,
    /// In UCUM.
    pub unit: &'a str,
    /// What its numbers mean.
    pub kind: NumberKind,
}

/// A data point.
#[derive(Clone, Copy, Debug)]
pub struct NumberFields<'a> {
    /// When a sum began, ns since 1970; of a gauge 0.
    pub start_ns: u64,
    /// When it was so, ns since 1970.
    pub time_ns: u64,
    /// The number.
    pub value: PointValue,
    /// Keys and texts in order.
    pub attributes: &'a [(&'a str, &'a str)],
}

/// A request in the making: call `metric`, then `point`s, in any number; a metric without points is left out.
#[derive(Debug)]
pub struct MetricsWriter {
    out: Vec<u8>,
    /// Where the messages begin that are open from outside in: the resource's group and the scope's.
    groups: [usize; 2],
    metric: Option<OpenMetric>,
    points: usize,
}

#[derive(Debug)]
struct OpenMetric {
    /// The request's length without it.
    before: usize,
    message: usize,
    data: usize,
    kind: NumberKind,
    points: usize,
}

impl MetricsWriter {
    /// Begins a request of a `Resource` message, with a scope that says nothing.
    pub fn new(resource: &[u8]) -> Self {
        let mut out = Vec::new();
        let group = open(&mut out, 1);
        put_bytes(&mut out, 1, resource);
        let scope = open(&mut out, 2);
        Self { out, groups: [group, scope], metric: None, points: 0 }
    }

    /// Begins a metric.
    pub fn metric(&mut self, head: &MetricHead<'_>) {
        self.close_metric();
        let before = self.out.len();
        let message = open(&mut self.out, 2);
        put_text(&mut self.out, 1, head.name.as_bytes());
        put_text(&mut self.out, 2, head.description.as_bytes());
        put_text(&mut self.out, 3, head.unit.as_bytes());
        let data = open(&mut self.out, if head.kind == NumberKind::Gauge { 5 } else { 7 });
        self.metric = Some(OpenMetric { before, message, data, kind: head.kind, points: 0 });
    }

    /// Adds a point to the metric that was begun last; without one there is nothing to add it to.
    pub fn point(&mut self, point: &NumberFields<'_>) {
        let Some(metric) = &mut self.metric else { return };
        metric.points += 1;
        self.points += 1;
        let message = open(&mut self.out, 1);
        put_fixed64(&mut self.out, 2, point.start_ns);
        put_fixed64(&mut self.out, 3, point.time_ns);
        // Written if it is 0, too: it is one of several.
        let (number, bits) = match point.value {
            PointValue::Double(value) => (4, value.to_bits()),
            PointValue::Int(value) => (6, value as u64),
        };
        put_varint(&mut self.out, number << 3 | 1);
        self.out.extend(bits.to_le_bytes());
        for (key, text) in point.attributes {
            put_text_entry(&mut self.out, 7, key, text);
        }
        close(&mut self.out, message);
    }

    /// How many points were added.
    pub fn point_count(&self) -> usize {
        self.points
    }

    /// An upper bound of the request's size in bytes so far.
    pub fn size_bytes(&self) -> usize {
        // Four lengths that may grow, and what a sum says behind its points.
        self.out.len() + 4 * 9 + 4
    }

    /// The request's bytes; none when it has no point.
    pub fn finish(mut self) -> Vec<u8> {
        self.close_metric();
        let [group, scope] = self.groups;
        close(&mut self.out, scope);
        close(&mut self.out, group);
        if self.points == 0 { Vec::new() } else { self.out }
    }

    fn close_metric(&mut self) {
        const CUMULATIVE: u64 = 2;
        let Some(metric) = self.metric.take() else { return };
        if metric.points == 0 {
            return self.out.truncate(metric.before);
        }
        if metric.kind != NumberKind::Gauge {
            put_uint(&mut self.out, 2, CUMULATIVE);
            put_uint(&mut self.out, 3, u64::from(metric.kind == NumberKind::Counter));
        }
        close(&mut self.out, metric.data);
        close(&mut self.out, metric.message);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::otlp::{MetricsRequest, write_resource};
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
    use prost::Message;

    fn head(name: &str, kind: NumberKind) -> MetricHead<'_> {
        MetricHead { name, description: "what it is", unit: "s", kind }
    }

    #[test]
    fn others_read_what_is_written() {
        let mut resource = Vec::new();
        write_resource(&mut resource, &[("host.name", Value::Str("web-1"))]);
        let mut writer = MetricsWriter::new(&resource);
        let point = |start_ns, value| NumberFields {
            start_ns,
            time_ns: 9,
            value,
            attributes: &[("cpu", "0"), ("cpu.mode", "idle")],
        };
        writer.metric(&head("none", NumberKind::Counter));
        writer.metric(&head("counted", NumberKind::Counter));
        // So many that each length is moved.
        for index in 0..300 {
            writer.point(&point(7, PointValue::Double(f64::from(index) / 4.0)));
        }
        writer.metric(&head("level", NumberKind::UpDown));
        writer.point(&point(0, PointValue::Int(-3)));
        writer.metric(&head("gauged", NumberKind::Gauge));
        writer.point(&point(0, PointValue::Int(0)));
        let (points, bound) = (writer.point_count(), writer.size_bytes());
        let bytes = writer.finish();
        assert!(points == 302 && bytes.len() <= bound);
        assert_eq!(MetricsRequest::parse(&bytes).unwrap().point_count(), 302);

        let decoded = ExportMetricsServiceRequest::decode(&bytes[..]).unwrap();
        let [group] = &decoded.resource_metrics[..] else { panic!("{decoded:?}") };
        assert_eq!(group.resource.as_ref().unwrap().attributes[0].key, "host.name");
        let [counted, level, gauged] = &group.scope_metrics[0].metrics[..] else { panic!("{group:?}") };
        let Some(Data::Sum(sum)) = &counted.data else { panic!("{counted:?}") };
        assert_eq!((sum.data_points.len(), sum.aggregation_temporality, sum.is_monotonic), (300, 2, true));
        let point = &sum.data_points[299];
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (7, 9));
        assert_eq!(point.value, Some(Number::AsDouble(74.75)));
        assert_eq!((point.attributes[1].key.as_str(), point.attributes.len()), ("cpu.mode", 2));
        let Some(Data::Sum(sum)) = &level.data else { panic!("{level:?}") };
        assert_eq!((sum.data_points[0].value, sum.is_monotonic), (Some(Number::AsInt(-3)), false));
        let Some(Data::Gauge(gauge)) = &gauged.data else { panic!("{gauged:?}") };
        assert_eq!(gauge.data_points[0].value, Some(Number::AsInt(0)));
        assert_eq!((gauged.unit.as_str(), gauged.description.as_str()), ("s", "what it is"));
    }

    #[test]
    fn without_a_point_there_is_no_request() {
        let mut writer = MetricsWriter::new(&[]);
        writer.point(&NumberFields { start_ns: 0, time_ns: 1, value: PointValue::Int(1), attributes: &[] });
        writer.metric(&head("none", NumberKind::Gauge));
        assert_eq!((writer.point_count(), writer.finish()), (0, Vec::new()));
    }
}
