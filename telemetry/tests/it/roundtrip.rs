//! Requests of the OpenTelemetry crates' own types, written as JSON by them and read by us: what
//! comes out is what prost would have written.

use narrows_telemetry::Room;
use narrows_telemetry::otlp::json::{METRICS_GROWTH, decode_logs, decode_metrics};
use narrows_telemetry::otlp::{LogsRequest, Mapping, MetricsRequest, to_samples};
use narrows_telemetry::samples::{Writer, check};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar, metric,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

fn any_value() -> impl Strategy<Value = AnyValue> {
    let finite = any::<f64>().prop_filter("JSON numbers are finite", |number| number.is_finite());
    let leaf = prop_oneof![
        Just(None),
        any::<String>().prop_map(|text| Some(any_value::Value::StringValue(text))),
        any::<bool>().prop_map(|bit| Some(any_value::Value::BoolValue(bit))),
        any::<i64>().prop_map(|number| Some(any_value::Value::IntValue(number))),
        finite.prop_map(|number| Some(any_value::Value::DoubleValue(number))),
        any::<Vec<u8>>().prop_map(|bytes| Some(any_value::Value::BytesValue(bytes))),
    ];
    leaf.prop_map(|value| AnyValue { value }).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| any_value::Value::ArrayValue(ArrayValue { values })),
            vec(("[a-z.]{0,6}", option::of(inner)), 0..4).prop_map(|entries| {
                let values = entries.into_iter().map(key_value).collect();
                any_value::Value::KvlistValue(KeyValueList { values })
            }),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn key_value((key, value): (String, Option<AnyValue>)) -> KeyValue {
    KeyValue { key, value, ..KeyValue::default() }
}

pub(crate) fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(("[a-z.]{0,6}", option::of(any_value())).prop_map(key_value), 0..4)
}

pub(crate) fn id(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), vec(any::<u8>(), len)]
}

fn record() -> impl Strategy<Value = LogRecord> {
    let times = (any::<u64>(), any::<u64>());
    let text = (any::<String>(), any::<String>(), 0i32..25);
    (times, text, option::of(any_value()), attributes(), any::<u32>(), any::<u32>(), id(16), id(8)).prop_map(
        |(times, text, body, attributes, dropped, flags, trace_id, span_id)| LogRecord {
            time_unix_nano: times.0,
            observed_time_unix_nano: times.1,
            severity_text: text.0,
            event_name: text.1,
            severity_number: text.2,
            body,
            attributes,
            dropped_attributes_count: dropped,
            flags,
            trace_id,
            span_id,
        },
    )
}

fn scope_logs() -> impl Strategy<Value = ScopeLogs> {
    let scope = (any::<String>(), any::<String>(), attributes(), any::<u32>()).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    );
    (option::of(scope), vec(record(), 0..3), any::<String>())
        .prop_map(|(scope, log_records, schema_url)| ScopeLogs { scope, log_records, schema_url })
}

fn request() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let resource = (attributes(), any::<u32>()).prop_map(|(attributes, dropped_attributes_count)| Resource {
        attributes,
        dropped_attributes_count,
        ..Resource::default()
    });
    let group = (option::of(resource), vec(scope_logs(), 0..3), any::<String>())
        .prop_map(|(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url });
    vec(group, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("JSON numbers are finite", |number| number.is_finite())
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    let value = prop_oneof![
        finite().prop_map(exemplar::Value::AsDouble),
        any::<i64>().prop_map(exemplar::Value::AsInt)
    ];
    (attributes(), any::<u64>(), option::of(value), id(8), id(16)).prop_map(
        |(filtered_attributes, time_unix_nano, value, span_id, trace_id)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            value,
            span_id,
            trace_id,
        },
    )
}

fn number_point() -> impl Strategy<Value = NumberDataPoint> {
    let value = prop_oneof![
        finite().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt)
    ];
    (attributes(), any::<u64>(), any::<u64>(), option::of(value), vec(exemplar(), 0..2), any::<u32>())
        .prop_map(|(attributes, start_time_unix_nano, time_unix_nano, value, exemplars, flags)| {
            NumberDataPoint { attributes, start_time_unix_nano, time_unix_nano, value, exemplars, flags }
        })
}

fn histogram_point() -> impl Strategy<Value = HistogramDataPoint> {
    let optional = (option::of(finite()), option::of(finite()), option::of(finite()));
    let buckets = (vec(any::<u64>(), 0..4), vec(finite(), 0..4));
    (attributes(), any::<u64>(), any::<u64>(), optional, buckets, vec(exemplar(), 0..2)).prop_map(
        |(
            attributes,
            time_unix_nano,
            count,
            (sum, min, max),
            (bucket_counts, explicit_bounds),
            exemplars,
        )| {
            HistogramDataPoint {
                attributes,
                time_unix_nano,
                count,
                sum,
                min,
                max,
                bucket_counts,
                explicit_bounds,
                exemplars,
                ..HistogramDataPoint::default()
            }
        },
    )
}

fn exponential_point() -> impl Strategy<Value = ExponentialHistogramDataPoint> {
    let buckets = || {
        option::of(
            (any::<i32>(), vec(any::<u64>(), 0..4))
                .prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }),
        )
    };
    (attributes(), any::<i32>(), any::<u64>(), option::of(finite()), buckets(), buckets(), finite()).prop_map(
        |(attributes, scale, zero_count, sum, positive, negative, zero_threshold)| {
            ExponentialHistogramDataPoint {
                attributes,
                scale,
                zero_count,
                sum,
                positive,
                negative,
                zero_threshold,
                ..ExponentialHistogramDataPoint::default()
            }
        },
    )
}

fn summary_point() -> impl Strategy<Value = SummaryDataPoint> {
    let quantile = (finite(), finite()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    (attributes(), any::<u64>(), finite(), vec(quantile, 0..3)).prop_map(
        |(attributes, count, sum, quantile_values)| SummaryDataPoint {
            attributes,
            count,
            sum,
            quantile_values,
            ..SummaryDataPoint::default()
        },
    )
}

fn metric() -> impl Strategy<Value = Metric> {
    let data = prop_oneof![
        vec(number_point(), 0..3).prop_map(|data_points| metric::Data::Gauge(Gauge { data_points })),
        (vec(number_point(), 0..3), 0i32..3, any::<bool>()).prop_map(
            |(data_points, aggregation_temporality, is_monotonic)| {
                metric::Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
            }
        ),
        (vec(histogram_point(), 0..3), 0i32..3).prop_map(|(data_points, aggregation_temporality)| {
            metric::Data::Histogram(Histogram { data_points, aggregation_temporality })
        }),
        (vec(exponential_point(), 0..3), 0i32..3).prop_map(|(data_points, aggregation_temporality)| {
            metric::Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
        }),
        vec(summary_point(), 0..3).prop_map(|data_points| metric::Data::Summary(Summary { data_points })),
    ];
    (any::<String>(), any::<String>(), any::<String>(), attributes(), option::of(data)).prop_map(
        |(name, description, unit, metadata, data)| Metric { name, description, unit, metadata, data },
    )
}

fn metrics_request() -> impl Strategy<Value = ExportMetricsServiceRequest> {
    let scope = vec(metric(), 0..3).prop_map(|metrics| ScopeMetrics { metrics, ..ScopeMetrics::default() });
    let resource = (attributes(), vec(scope, 0..2)).prop_map(|(attributes, scope_metrics)| ResourceMetrics {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_metrics,
        ..ResourceMetrics::default()
    });
    vec(resource, 0..3).prop_map(|resource_metrics| ExportMetricsServiceRequest { resource_metrics })
}

fn points(request: &ExportMetricsServiceRequest) -> usize {
    let metrics = request.resource_metrics.iter().flat_map(|r| &r.scope_metrics).flat_map(|s| &s.metrics);
    metrics
        .map(|metric| match &metric.data {
            Some(metric::Data::Gauge(data)) => data.data_points.len(),
            Some(metric::Data::Sum(data)) => data.data_points.len(),
            Some(metric::Data::Histogram(data)) => data.data_points.len(),
            Some(metric::Data::ExponentialHistogram(data)) => data.data_points.len(),
            Some(metric::Data::Summary(data)) => data.data_points.len(),
            None => 0,
        })
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn json_of_the_opentelemetry_crates_becomes_their_protobuf(request in request()) {
        let json = serde_json::to_vec(&request).unwrap();
        let bytes = decode_logs(&json).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let records: usize =
            request.resource_logs.iter().flat_map(|r| &r.scope_logs).map(|scope| scope.log_records.len()).sum();
        prop_assert_eq!(LogsRequest::parse(&bytes).unwrap().record_count(), records);
        prop_assert_eq!(ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap(), request);
    }

    #[test]
    fn any_text_decodes_or_fails_without_panic(text: String) {
        let _outcome = decode_logs(text.as_bytes());
    }

    #[test]
    fn metrics_in_json_become_the_protobuf_of_the_opentelemetry_crates(request in metrics_request()) {
        let json = serde_json::to_vec(&request).unwrap();
        let bytes = decode_metrics(&json).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(bytes.len() <= METRICS_GROWTH * json.len());
        let parsed = MetricsRequest::parse(&bytes).unwrap();
        prop_assert_eq!(parsed.point_count(), points(&request));
        prop_assert_eq!(MetricsRequest::of_valid(&bytes).point_count(), points(&request));
        prop_assert_eq!(ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap(), request);
    }

    #[test]
    fn what_parses_is_what_the_opentelemetry_crates_read(request in metrics_request(), at: prop::sample::Index, byte: u8) {
        let mut bytes = request.encode_to_vec();
        prop_assert_eq!(MetricsRequest::parse(&bytes).unwrap().point_count(), points(&request));
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(parsed) = MetricsRequest::parse(&bytes) {
            let mut writer = Writer::new();
            let mapping = Mapping::default();
            let converted = to_samples(&parsed, &mapping, 1, &mut writer, Room::new(&mut |_| true)).unwrap();
            prop_assert_eq!(converted.accepted + converted.rejected, parsed.point_count() as u64);
            check(&writer.finish()).unwrap();
        }
    }
}
