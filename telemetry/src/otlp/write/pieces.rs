//! Cuts OTLP metrics requests between their data points: points are copied as they are, and what they belong to
//! (resource, scope, metric) stands in each piece again.

use crate::otlp::wire::{Field, Fields, Wire, close, open, put_bytes, put_text, put_varint};
use crate::otlp::{Metric, MetricsRequest};

/// What the lengths of four open messages and a point may add.
const FRAMING_BYTES: usize = 64;

/// How large pieces are.
#[derive(Clone, Copy, Debug)]
pub struct PieceLimits {
    /// Before a piece of points gets larger, another is begun.
    pub full_bytes: usize,
    /// The most that a piece of one point may have.
    pub max_bytes: usize,
    /// The most that a point's resource, scope and metric may have without the points: each piece has them again.
    pub max_head_bytes: usize,
    /// The most points of a piece.
    pub max_points: u32,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsPiece {
    /// A request of its own, of points that stood behind each other.
    Request {
        /// Its bytes.
        payload: Vec<u8>,
        /// The first point's number in the whole request, from 0.
        first: u32,
        /// How many they are.
        points: u32,
    },
    /// A point that no piece may hold.
    TooLarge {
        /// Its number in the whole request.
        index: u32,
        /// What is over the limit: all of it, or what it belongs to.
        what: &'static str,
        /// Its size.
        size_bytes: usize,
        /// That limit.
        limit_bytes: usize,
    },
}

/// Cuts a request. Pieces come in the order of their points, and none is kept here; an error of `take` ends it.
pub fn cut_metrics<E>(
    request: &MetricsRequest<'_>,
    limits: &PieceLimits,
    take: impl FnMut(MetricsPiece) -> Result<(), E>,
) -> Result<(), E> {
    let mut cutter = Cutter::new(*limits, take);
    for resource in request.resources() {
        cutter.enter(RESOURCE, |head| {
            put_bytes(head, 1, resource.resource.raw);
            put_text(head, 3, resource.schema_url.as_bytes());
        });
        for scope in resource.scopes() {
            cutter.enter(SCOPE, |head| {
                put_text(head, 1, scope.scope.raw);
                put_text(head, 3, scope.schema_url.as_bytes());
            });
            for metric in scope.metrics() {
                cutter.metric(&metric)?;
            }
        }
    }
    cutter.flush()
}

/// The messages that are open around a point, from outside in.
const RESOURCE: usize = 0;
const SCOPE: usize = 1;
const METRIC: usize = 2;
const DATA: usize = 3;
const LEVELS: usize = 4;

struct Cutter<T> {
    limits: PieceLimits,
    take: T,
    out: Vec<u8>,
    /// Where the messages begin that are open.
    marks: Vec<usize>,
    /// What each message says besides those inside it.
    heads: [Vec<u8>; LEVELS],
    /// The field under which a metric has its points.
    data_field: u32,
    /// In the piece.
    points: u32,
    /// In the whole request.
    index: u32,
}

impl<E, T: FnMut(MetricsPiece) -> Result<(), E>> Cutter<T> {
    fn new(limits: PieceLimits, take: T) -> Self {
        Self {
            limits,
            take,
            out: Vec::new(),
            marks: Vec::new(),
            heads: Default::default(),
            data_field: 0,
            points: 0,
            index: 0,
        }
    }

    /// Another message at a level: those inside the old one end with it.
    fn enter(&mut self, level: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.close_to(level);
        self.heads[level].clear();
        write(&mut self.heads[level]);
    }

    fn metric(&mut self, metric: &Metric<'_>) -> Result<(), E> {
        let mut data = None;
        self.enter(METRIC, |head| {
            for field in Fields::of_valid(metric.raw) {
                match field {
                    Field { number: number @ (5 | 7 | 9 | 10 | 11), wire: Wire::Bytes(raw) } => {
                        data = Some((number, raw));
                    }
                    field => put_field(head, &field),
                }
            }
        });
        let Some((number, raw)) = data else { return Ok(()) };
        self.data_field = number;
        self.enter(DATA, |head| {
            let others = Fields::of_valid(raw).filter(|field| field.number != 1);
            others.for_each(|field| put_field(head, &field));
        });
        for field in Fields::of_valid(raw) {
            if let (1, Wire::Bytes(point)) = (field.number, field.wire) {
                self.point(point)?;
            }
        }
        Ok(())
    }

    fn point(&mut self, raw: &[u8]) -> Result<(), E> {
        let head_bytes: usize = self.heads.iter().map(Vec::len).sum();
        let alone = head_bytes + raw.len() + FRAMING_BYTES;
        let PieceLimits { full_bytes, max_bytes, max_head_bytes, max_points } = self.limits;
        let over = if head_bytes > max_head_bytes {
            Some(("its resource, scope and metric together", head_bytes, max_head_bytes))
        } else {
            (alone > max_bytes).then_some(("it", alone, max_bytes))
        };
        if let Some((what, size_bytes, limit_bytes)) = over {
            self.flush()?;
            let index = self.next_index();
            return (self.take)(MetricsPiece::TooLarge { index, what, size_bytes, limit_bytes });
        }
        let closed: usize = self.heads[self.marks.len()..].iter().map(Vec::len).sum();
        let is_full = self.out.len() + closed + raw.len() + FRAMING_BYTES > full_bytes;
        if self.points > 0 && (is_full || self.points >= max_points) {
            self.flush()?;
        }
        for level in self.marks.len()..LEVELS {
            let field = [1, 2, 2, self.data_field][level];
            self.marks.push(open(&mut self.out, field));
            self.out.extend_from_slice(&self.heads[level]);
        }
        put_bytes(&mut self.out, 1, raw);
        self.points += 1;
        self.next_index();
        Ok(())
    }

    fn next_index(&mut self) -> u32 {
        self.index += 1;
        self.index - 1
    }

    fn close_to(&mut self, level: usize) {
        while self.marks.len() > level {
            if let Some(mark) = self.marks.pop() {
                close(&mut self.out, mark);
            }
        }
    }

    fn flush(&mut self) -> Result<(), E> {
        self.close_to(RESOURCE);
        let (payload, points) = (std::mem::take(&mut self.out), std::mem::take(&mut self.points));
        if points == 0 {
            return Ok(());
        }
        (self.take)(MetricsPiece::Request { payload, first: self.index - points, points })
    }
}

fn put_field(out: &mut Vec<u8>, field: &Field<'_>) {
    let tag = |wire_type: u64| u64::from(field.number) << 3 | wire_type;
    match field.wire {
        Wire::Varint(value) => {
            put_varint(out, tag(0));
            put_varint(out, value);
        }
        Wire::Fixed64(bits) => {
            put_varint(out, tag(1));
            out.extend(bits.to_le_bytes());
        }
        Wire::Bytes(bytes) => put_bytes(out, field.number, bytes),
        Wire::Fixed32(bits) => {
            put_varint(out, tag(5));
            out.extend(bits.to_le_bytes());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
    use opentelemetry_proto::tonic::metrics::v1::{
        ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
        NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, metric,
    };
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use prost::Message;

    const WHOLE: PieceLimits =
        PieceLimits { full_bytes: 1 << 20, max_bytes: 1 << 20, max_head_bytes: 1 << 20, max_points: 1000 };

    fn key(key: &str) -> KeyValue {
        KeyValue { key: key.into(), ..KeyValue::default() }
    }

    /// Two resources with two scopes, each with a metric of each kind with a few points.
    fn request() -> ExportMetricsServiceRequest {
        let mut time = 0;
        let mut next = || {
            time += 1;
            time
        };
        let mut data = |kind| {
            let times: Vec<u64> = (0..3 + kind).map(|_| next()).collect();
            let number = |time| NumberDataPoint { time_unix_nano: time, ..NumberDataPoint::default() };
            match kind {
                0 => metric::Data::Gauge(Gauge { data_points: times.into_iter().map(number).collect() }),
                1 => metric::Data::Sum(Sum {
                    data_points: times.into_iter().map(number).collect(),
                    aggregation_temporality: 2,
                    is_monotonic: true,
                }),
                2 => metric::Data::Histogram(Histogram {
                    data_points: times
                        .into_iter()
                        .map(|time| HistogramDataPoint {
                            time_unix_nano: time,
                            bucket_counts: vec![time; 20],
                            ..HistogramDataPoint::default()
                        })
                        .collect(),
                    aggregation_temporality: 1,
                }),
                3 => metric::Data::ExponentialHistogram(ExponentialHistogram {
                    data_points: times
                        .into_iter()
                        .map(|time| ExponentialHistogramDataPoint {
                            time_unix_nano: time,
                            ..ExponentialHistogramDataPoint::default()
                        })
                        .collect(),
                    aggregation_temporality: 2,
                }),
                _ => metric::Data::Summary(Summary {
                    data_points: times
                        .into_iter()
                        .map(|time| SummaryDataPoint { time_unix_nano: time, ..SummaryDataPoint::default() })
                        .collect(),
                }),
            }
        };
        let mut metrics = |scope: &str| {
            let metric = |kind| Metric {
                name: format!("{scope}.{kind}"),
                unit: "s".into(),
                description: "what it is".into(),
                metadata: vec![key("about")],
                data: Some(data(kind)),
            };
            (0..5).map(metric).collect()
        };
        let mut scope = |name: String| ScopeMetrics {
            metrics: metrics(&name),
            scope: Some(InstrumentationScope { name, ..InstrumentationScope::default() }),
            schema_url: "https://schema.example/scope".into(),
        };
        let resource = |name: &str| ResourceMetrics {
            resource: Some(Resource { attributes: vec![key(name)], ..Resource::default() }),
            scope_metrics: vec![scope(format!("{name}.one")), scope(format!("{name}.two"))],
            schema_url: "https://schema.example/resource".into(),
        };
        ExportMetricsServiceRequest { resource_metrics: ["a", "b"].map(resource).into() }
    }

    /// A line per point with all that it belongs to.
    fn points(raw: &[u8]) -> Vec<String> {
        let decoded = ExportMetricsServiceRequest::decode(raw).unwrap();
        let mut lines = Vec::new();
        for mut resource in decoded.resource_metrics {
            for mut scope in std::mem::take(&mut resource.scope_metrics) {
                for mut metric in std::mem::take(&mut scope.metrics) {
                    let mut data = metric.data.take().unwrap();
                    let points = match &mut data {
                        metric::Data::Gauge(data) => texts(&mut data.data_points),
                        metric::Data::Sum(data) => texts(&mut data.data_points),
                        metric::Data::Histogram(data) => texts(&mut data.data_points),
                        metric::Data::ExponentialHistogram(data) => texts(&mut data.data_points),
                        metric::Data::Summary(data) => texts(&mut data.data_points),
                    };
                    let around = format!("{resource:?} {scope:?} {metric:?} {data:?}");
                    lines.extend(points.into_iter().map(|point| format!("{around} {point}")));
                }
            }
        }
        lines
    }

    fn texts<P: std::fmt::Debug>(points: &mut Vec<P>) -> Vec<String> {
        points.drain(..).map(|point| format!("{point:?}")).collect()
    }

    fn cut(raw: &[u8], limits: &PieceLimits) -> Vec<MetricsPiece> {
        let mut pieces = Vec::new();
        let request = MetricsRequest::parse(raw).unwrap();
        let taken: Result<(), ()> = cut_metrics(&request, limits, |piece| {
            pieces.push(piece);
            Ok(())
        });
        taken.unwrap();
        pieces
    }

    #[test]
    fn pieces_have_the_points_of_the_request_under_the_same_heads() {
        let raw = request().encode_to_vec();
        let whole = points(&raw);
        assert_eq!(whole.len(), 4 * 25);
        for (full_bytes, max_points, at_least) in
            [(1 << 20, 1000, 1), (1 << 20, 7, 15), (2000, 1000, 3), (500, 1000, 10), (0, 1000, 100)]
        {
            let pieces = cut(&raw, &PieceLimits { full_bytes, max_points, ..WHOLE });
            assert!(pieces.len() >= at_least, "{full_bytes} {max_points}: {}", pieces.len());
            let mut seen = Vec::new();
            for piece in pieces {
                let MetricsPiece::Request { payload, first, points: count } = piece else {
                    panic!("{piece:?}")
                };
                assert!(count == 1 || payload.len() <= full_bytes, "{full_bytes}: {}", payload.len());
                assert!(count <= max_points);
                assert_eq!(MetricsRequest::parse(&payload).unwrap().point_count(), count as usize);
                assert_eq!(first as usize, seen.len());
                seen.extend(points(&payload));
            }
            assert_eq!(seen, whole, "{full_bytes} {max_points}");
        }
    }

    #[test]
    fn a_point_that_no_piece_may_hold_is_named_and_the_others_go_on() {
        let raw = request().encode_to_vec();
        // The histograms of each scope, of which there are five.
        let pieces = cut(&raw, &PieceLimits { max_bytes: 300, ..WHOLE });
        let large: Vec<u32> = pieces
            .iter()
            .filter_map(|piece| match piece {
                MetricsPiece::TooLarge { index, what, .. } => Some((*index, *what)),
                MetricsPiece::Request { .. } => None,
            })
            .map(|(index, what)| {
                assert_eq!(what, "it");
                index
            })
            .collect();
        let expected: Vec<u32> = (0..4).flat_map(|scope| (7..12).map(move |at| scope * 25 + at)).collect();
        assert_eq!(large, expected);
        let kept: usize = pieces
            .iter()
            .map(|piece| match piece {
                MetricsPiece::Request { payload, .. } => points(payload).len(),
                MetricsPiece::TooLarge { .. } => 0,
            })
            .sum();
        assert_eq!(kept, 80);
        let pieces = cut(&raw, &PieceLimits { max_head_bytes: 50, ..WHOLE });
        assert_eq!(pieces.len(), 100);
        assert!(
            pieces.iter().all(|piece| matches!(piece, MetricsPiece::TooLarge { what, .. } if *what != "it"))
        );
    }

    #[test]
    fn an_error_ends_the_cutting() {
        let raw = request().encode_to_vec();
        let mut taken = 0;
        let limits = PieceLimits { max_points: 1, ..WHOLE };
        let outcome = cut_metrics(&MetricsRequest::parse(&raw).unwrap(), &limits, |_| {
            taken += 1;
            if taken < 3 { Ok(()) } else { Err("enough") }
        });
        assert_eq!((outcome, taken), (Err("enough"), 3));
    }
}
