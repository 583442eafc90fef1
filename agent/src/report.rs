//! One look at something on its way into the queue: points, cut into as many records as they need; and what a metric is.

#[cfg(test)]
pub(crate) mod seen;

use telemetry::Signal;
use telemetry::otlp::{MetricHead, MetricsWriter, NumberFields, NumberKind, PointValue};

use crate::queue::{MAX_PARCEL_BYTES, Parcel};

/// A request that is as large is closed; what one point can add fits behind it.
const FULL_BYTES: usize = MAX_PARCEL_BYTES / 2;
/// A longer text is cut: it came from a program's name or a path.
const MAX_TEXT_BYTES: usize = 1024;

/// A metric that the agent makes.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) kind: NumberKind,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the documentation"))]
    pub(crate) labels: &'static [&'static str],
    /// Where the numbers stand.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the documentation"))]
    pub(crate) source: &'static str,
    pub(crate) help: &'static str,
}

/// A table of metrics: a constant for each, and `ALL` of them for tests.
macro_rules! metrics {
    ($($constant:ident = $name:literal, $unit:literal, $kind:ident, [$($label:literal),*], $source:literal, $help:literal;)*) => {
        $(pub(super) const $constant: $crate::report::Metric = $crate::report::Metric {
            name: $name, unit: $unit, kind: telemetry::otlp::NumberKind::$kind, labels: &[$($label),*], source: $source, help: $help,
        };)*
        /// All of them, in the documentation's order.
        #[cfg(test)]
        pub(super) const ALL: &[&$crate::report::Metric] = &[$(&$constant),*];
    };
}
pub(crate) use metrics;

/// Points of one moment.
pub(crate) struct Report<'a> {
    resource: &'a [u8],
    pub(crate) time_ns: u64,
    start_ns: u64,
    head: Option<MetricHead<'a>>,
    writer: MetricsWriter,
    done: Vec<Parcel>,
}

impl<'a> Report<'a> {
    /// Counters began at `start_ns`; 0 where that is not known.
    pub(crate) fn new(resource: &'a [u8], time_ns: u64, start_ns: u64) -> Self {
        let writer = MetricsWriter::new(resource);
        Self { resource, time_ns, start_ns, head: None, writer, done: Vec::new() }
    }

    /// Begins a metric; points follow.
    pub(crate) fn metric(&mut self, metric: &Metric) {
        let Metric { name, unit, kind, help, .. } = *metric;
        self.begin(MetricHead { name, description: help, unit, kind });
    }

    /// The same for one that stands in no table.
    pub(crate) fn begin(&mut self, head: MetricHead<'a>) {
        self.writer.metric(&head);
        self.head = Some(head);
    }

    /// A metric of one whole number.
    pub(crate) fn one(&mut self, metric: &Metric, value: u64) {
        self.metric(metric);
        self.int(value, &[]);
    }

    /// A metric of one number.
    pub(crate) fn one_double(&mut self, metric: &Metric, value: f64) {
        self.metric(metric);
        self.double(value, &[]);
    }

    /// From here on counters began at `start_ns`.
    pub(crate) fn since(&mut self, start_ns: u64) {
        self.start_ns = start_ns;
    }

    pub(crate) fn int(&mut self, value: u64, labels: &[(&str, &str)]) {
        // More than i64 has is no number that anything counts to.
        self.point(PointValue::Int(i64::try_from(value).unwrap_or(i64::MAX)), self.start_ns, labels);
    }

    pub(crate) fn double(&mut self, value: f64, labels: &[(&str, &str)]) {
        self.point(PointValue::Double(value), self.start_ns, labels);
    }

    /// A point that counts from `start_ns`.
    pub(crate) fn point(&mut self, value: PointValue, start_ns: u64, labels: &[(&str, &str)]) {
        let Some(head) = self.head else { return };
        if self.writer.size_bytes() >= FULL_BYTES {
            self.cut();
            self.writer.metric(&head);
        }
        let mut attributes = [("", ""); 8];
        let count = labels.len().min(attributes.len());
        for (attribute, (key, text)) in attributes.iter_mut().zip(labels) {
            *attribute = (key, &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]);
        }
        let start_ns = if head.kind == NumberKind::Counter { start_ns } else { 0 };
        let attributes = &attributes[..count];
        self.writer.point(&NumberFields { start_ns, time_ns: self.time_ns, value, attributes });
    }

    pub(crate) fn finish(mut self) -> Vec<Parcel> {
        if self.writer.point_count() > 0 {
            self.cut();
        }
        self.done
    }

    fn cut(&mut self) {
        let writer = std::mem::replace(&mut self.writer, MetricsWriter::new(self.resource));
        let items = writer.point_count() as u32;
        let payload = writer.finish().into();
        self.done.push(Parcel { signal: Signal::Metrics, payload, items, ..Parcel::default() });
    }
}
