#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar, metric,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::*;
use crate::samples::{Cursor, Entry, is_stale};

const RECEIVED_NS: i64 = 9_000_000_000;
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}

fn number(value: f64, attributes: &[(&str, &str)]) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes.iter().map(|(key, value)| text(key, value)).collect(),
        time_unix_nano: 5_000_000_000,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn gauge(points: Vec<NumberDataPoint>) -> metric::Data {
    metric::Data::Gauge(Gauge { data_points: points })
}

fn sum(points: Vec<NumberDataPoint>, temporality: i32, is_monotonic: bool) -> metric::Data {
    metric::Data::Sum(Sum { data_points: points, aggregation_temporality: temporality, is_monotonic })
}

fn metric(name: &str, unit: &str, data: metric::Data) -> Metric {
    Metric { name: name.into(), unit: unit.into(), data: Some(data), ..Metric::default() }
}

fn request(resource: &[(&str, &str)], metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let attributes = resource.iter().map(|(key, value)| text(key, value)).collect();
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_metrics: vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    }
}

fn convert(request: &ExportMetricsServiceRequest, mapping: &Mapping) -> (Converted, Vec<u8>) {
    let raw = request.encode_to_vec();
    let request = MetricsRequest::parse(&raw).unwrap();
    let mut writer = Writer::new();
    let room = &mut |_| true;
    let converted = to_samples(&request, mapping, RECEIVED_NS, &mut writer, Room::new(room)).unwrap();
    assert_eq!(converted.accepted + converted.rejected, request.point_count() as u64);
    (converted, writer.finish())
}

/// A line per sample, histogram and exemplar, without the metadata.
fn lines(payload: &[u8]) -> Vec<String> {
    let (mut lines, mut cursor) = (Vec::new(), Cursor::new(payload).unwrap());
    while let Some(entry) = cursor.next().unwrap() {
        let Entry::Series(series) = entry else { continue };
        let labels = series.labels.to_set();
        let name = labels.metric().unwrap_or_default();
        let others = labels.filtered(|label| label != METRIC_NAME);
        let delta = if series.is_delta { " delta" } else { "" };
        for sample in series.samples {
            let value = if is_stale(sample.value) { "stale".to_owned() } else { sample.value.to_string() };
            lines.push(format!("{name}{others} {value} @{}{delta}", sample.time_ms));
        }
        for (time_ms, histogram) in series.histograms {
            let mut line = format!("{name}{others} schema {} count {}", histogram.schema, histogram.count);
            let spans = |spans: &[crate::samples::Span]| {
                spans.iter().map(|span| format!("{}+{}", span.offset, span.len)).collect::<Vec<_>>().join(",")
            };
            write!(line, " {} {:?}", spans(&histogram.positive_spans), histogram.positive_counts).unwrap();
            write!(line, " @{time_ms}{delta}").unwrap();
            lines.push(line);
        }
        for exemplar in series.exemplars {
            lines.push(format!("  # {} {} @{}", exemplar.labels, exemplar.value, exemplar.time_ms));
        }
    }
    lines
}

fn check(request: &ExportMetricsServiceRequest, expected: &[&str]) {
    let (converted, payload) = convert(request, &Mapping::default());
    assert_eq!(converted.reasons, Vec::<String>::new());
    assert_eq!(lines(&payload), expected);
}

#[test]
fn numbers_become_series_of_their_kind() {
    let point = || vec![number(1.5, &[])];
    let int = NumberDataPoint { value: Some(number_data_point::Value::AsInt(-3)), ..number(0.0, &[]) };
    let ended = NumberDataPoint { flags: 1, value: None, ..number(0.0, &[]) };
    let without_time = NumberDataPoint { time_unix_nano: 0, ..number(1.5, &[]) };
    let cases = [
        (metric("a.temp", "Cel", gauge(point())), "a_temp_celsius{} 1.5 @5000"),
        (metric("a.share", "1", gauge(point())), "a_share_ratio{} 1.5 @5000"),
        (metric("a.io", "By", sum(point(), CUMULATIVE, true)), "a_io_bytes_total{} 1.5 @5000"),
        (metric("a.io", "By", sum(point(), DELTA, true)), "a_io_bytes_total{} 1.5 @5000 delta"),
        (metric("a.jobs", "{job}", sum(point(), CUMULATIVE, false)), "a_jobs{} 1.5 @5000"),
        (metric("a.jobs", "1", sum(point(), DELTA, false)), "a_jobs{} 1.5 @5000 delta"),
        (metric("int", "", gauge(vec![int])), "int{} -3 @5000"),
        (metric("ended", "", gauge(vec![ended.clone()])), "ended{} stale @5000"),
        (metric("ended", "", sum(vec![ended], DELTA, true)), "ended_total{} stale @5000"),
        (metric("late", "", gauge(vec![without_time])), "late{} 1.5 @9000"),
    ];
    for (metric, expected) in cases {
        check(&request(&[], vec![metric]), &[expected]);
    }
}

#[test]
fn a_resource_gives_job_instance_target_info_and_what_is_promoted() {
    let resource = [
        ("service.name", "shop"),
        ("service.namespace", "eu"),
        ("service.instance.id", "i-1"),
        ("host.name", "app-1"),
        ("os.type", "linux"),
    ];
    // A point's own labels stand over promoted ones, and job and instance over a point's.
    let own = [("host.name", "other"), ("job", "mine"), ("http.method", "GET")];
    let late = NumberDataPoint { time_unix_nano: 7_000_000_000, ..number(2.0, &own) };
    check(
        &request(&resource, vec![metric("up", "", gauge(vec![number(1.0, &[]), late]))]),
        &[
            r#"up{host_name="app-1", instance="i-1", job="eu/shop", service_name="shop", service_namespace="eu"} 1 @5000"#,
            r#"up{host_name="other", http_method="GET", instance="i-1", job="eu/shop", service_name="shop", service_namespace="eu"} 2 @7000"#,
            r#"target_info{host_name="app-1", instance="i-1", job="eu/shop", os_type="linux"} 1 @7000"#,
        ],
    );
    check(
        &request(&[("service.name", "shop")], vec![metric("up", "", gauge(vec![number(1.0, &[])]))]),
        &[r#"up{job="shop", service_name="shop"} 1 @5000"#],
    );
    check(
        &request(&[("os.type", "linux")], vec![metric("up", "", gauge(vec![number(1.0, &[])]))]),
        &["up{} 1 @5000"],
    );
    check(&request(&resource, vec![]), &[]);
}

#[test]
fn scopes_become_labels_unless_they_are_not_wanted() {
    let mut request = request(&[], vec![metric("up", "", gauge(vec![number(1.0, &[])]))]);
    let scope = &mut request.resource_metrics[0].scope_metrics[0];
    scope.schema_url = "https://example.org/1".into();
    scope.scope = Some(InstrumentationScope {
        name: "lib".into(),
        version: "1.2".into(),
        attributes: vec![text("team.name", "core"), text("name", "hidden")],
        ..InstrumentationScope::default()
    });
    let expected = r#"up{otel_scope_name="lib", otel_scope_schema_url="https://example.org/1", otel_scope_team_name="core", otel_scope_version="1.2"} 1 @5000"#;
    check(&request, &[expected]);
    let bare = Mapping { scope_labels: false, ..Mapping::default() };
    assert_eq!(lines(&convert(&request, &bare).1), ["up{} 1 @5000"]);
    let promoted = Mapping { promoted: vec!["os.type".into()], ..bare };
    request.resource_metrics[0].resource = Some(Resource {
        attributes: vec![text("os.type", "linux"), text("host.name", "a")],
        ..Resource::default()
    });
    assert_eq!(lines(&convert(&request, &promoted).1), [r#"up{os_type="linux"} 1 @5000"#]);
}

#[test]
fn labels_that_become_one_are_joined_in_the_order_of_their_keys() {
    let attributes =
        [("a_b", "3"), ("a.b", "2"), ("a-b", "1"), ("a.b", "again"), ("c", ""), ("__name__", "x")];
    check(
        &request(&[], vec![metric("up", "", gauge(vec![number(1.0, &attributes)]))]),
        &[r#"up{a_b="1;2;3", key_name_="x"} 1 @5000"#],
    );
}

fn histogram_point() -> HistogramDataPoint {
    HistogramDataPoint {
        time_unix_nano: 5_000_000_000,
        attributes: vec![text("le", "mine"), text("path", "/")],
        count: 6,
        sum: Some(12.5),
        bucket_counts: vec![1, 2, 3],
        explicit_bounds: vec![0.005, 10.0],
        exemplars: vec![Exemplar {
            time_unix_nano: 4_000_000_000,
            value: Some(exemplar::Value::AsDouble(10.0)),
            trace_id: vec![0xab; 16],
            span_id: vec![1; 8],
            filtered_attributes: vec![text("user.id", "7")],
        }],
        ..HistogramDataPoint::default()
    }
}

fn histogram(point: HistogramDataPoint, temporality: i32) -> metric::Data {
    metric::Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: temporality })
}

#[test]
fn histograms_become_classic_series() {
    check(
        &request(&[], vec![metric("wait", "s", histogram(histogram_point(), CUMULATIVE))]),
        &[
            r#"wait_seconds_bucket{le="0.005", path="/"} 1 @5000"#,
            r#"wait_seconds_bucket{le="10", path="/"} 3 @5000"#,
            r#"  # {span_id="0101010101010101", trace_id="abababababababababababababababab", user_id="7"} 10 @4000"#,
            r#"wait_seconds_bucket{le="+Inf", path="/"} 6 @5000"#,
            r#"wait_seconds_count{le="mine", path="/"} 6 @5000"#,
            r#"wait_seconds_sum{le="mine", path="/"} 12.5 @5000"#,
        ],
    );
    let bare = HistogramDataPoint {
        attributes: vec![],
        bucket_counts: vec![],
        explicit_bounds: vec![],
        sum: None,
        exemplars: vec![],
        ..histogram_point()
    };
    check(
        &request(&[], vec![metric("wait", "", histogram(bare.clone(), DELTA))]),
        &[r#"wait_bucket{le="+Inf"} 6 @5000 delta"#, "wait_count{} 6 @5000 delta"],
    );
    let ended = HistogramDataPoint { flags: 1, ..bare };
    check(
        &request(&[], vec![metric("wait", "", histogram(ended, DELTA))]),
        &[r#"wait_bucket{le="+Inf"} stale @5000"#, "wait_count{} stale @5000"],
    );
}

#[test]
fn summaries_become_quantiles() {
    let point = SummaryDataPoint {
        time_unix_nano: 5_000_000_000,
        count: 4,
        sum: 8.0,
        quantile_values: vec![
            ValueAtQuantile { quantile: 0.5, value: 1.0 },
            ValueAtQuantile { quantile: 1.0, value: 3.0 },
        ],
        ..SummaryDataPoint::default()
    };
    let data = metric::Data::Summary(Summary { data_points: vec![point] });
    check(
        &request(&[], vec![metric("size", "By", data)]),
        &[
            "size_bytes_count{} 4 @5000",
            "size_bytes_sum{} 8 @5000",
            r#"size_bytes{quantile="0.5"} 1 @5000"#,
            r#"size_bytes{quantile="1"} 3 @5000"#,
        ],
    );
}

#[test]
fn exponential_histograms_become_native_ones() {
    let point = |scale, offset, counts: &[u64]| ExponentialHistogramDataPoint {
        time_unix_nano: 5_000_000_000,
        count: counts.iter().sum::<u64>() + 2,
        zero_count: 2,
        scale,
        positive: Some(Buckets { offset, bucket_counts: counts.to_vec() }),
        ..ExponentialHistogramDataPoint::default()
    };
    let cases: [(i32, i32, &[u64], &str); 7] = [
        (3, 0, &[1, 2], "schema 3 count 5 1+2 [1.0, 2.0]"),
        (3, -5, &[0, 0, 1], "schema 3 count 3 -2+1 [1.0]"),
        (3, 0, &[1, 0, 0, 4], "schema 3 count 7 1+4 [1.0, 0.0, 0.0, 4.0]"),
        (3, 0, &[1, 0, 0, 0, 4, 0], "schema 3 count 7 1+1,3+1 [1.0, 4.0]"),
        (9, -3, &[1, 2, 3, 4, 5], "schema 8 count 17 -1+3 [1.0, 5.0, 9.0]"),
        (40, 1 << 30, &[7], "schema 8 count 9 1+1 [7.0]"),
        (-4, 0, &[], "schema -4 count 2  []"),
    ];
    for (scale, offset, counts, expected) in cases {
        let data = ExponentialHistogram {
            data_points: vec![point(scale, offset, counts)],
            aggregation_temporality: DELTA,
        };
        let data = metric::Data::ExponentialHistogram(data);
        check(&request(&[], vec![metric("h", "", data)]), &[&format!("h{{}} {expected} @5000 delta")]);
    }
}

#[test]
fn buckets_keep_their_bounds_when_they_are_joined() {
    // Bucket i of scale s covers (2^(i * 2^-s), 2^((i+1) * 2^-s)]; the native bucket i ends at 2^(i * 2^-schema).
    for (scale, offset) in [(10, -7), (10, 12), (8, 3), (2, -9)] {
        let point = ExponentialHistogramDataPoint {
            scale,
            count: 5,
            positive: Some(Buckets { offset, bucket_counts: vec![1; 5] }),
            ..ExponentialHistogramDataPoint::default()
        };
        let data = ExponentialHistogram { data_points: vec![point], aggregation_temporality: CUMULATIVE };
        let data = metric::Data::ExponentialHistogram(data);
        let (_, payload) = convert(&request(&[], vec![metric("h", "", data)]), &Mapping::default());
        let mut cursor = Cursor::new(&payload).unwrap();
        let Some(Entry::Series(series)) = cursor.next().unwrap() else { panic!("a series comes first") };
        let (_, histogram) = &series.histograms[0];
        let (mut ends, mut index) = (Vec::new(), 0i32);
        let mut counts = histogram.positive_counts.iter();
        for span in &histogram.positive_spans {
            index += span.offset;
            for _ in 0..span.len {
                let end = 2f64.powf(f64::from(index) * 2f64.powi(-i32::from(histogram.schema)));
                let start = 2f64.powf(f64::from(index - 1) * 2f64.powi(-i32::from(histogram.schema)));
                ends.push((start, end, *counts.next().unwrap()));
                index += 1;
            }
        }
        for at in 0..5 {
            let middle = 2f64.powf((f64::from(offset + at) + 0.5) * 2f64.powi(-scale));
            assert!(ends.iter().any(|(start, end, count)| *start < middle && middle <= *end && *count > 0.0));
        }
        assert_eq!(ends.iter().map(|(_, _, count)| count).sum::<f64>(), 5.0);
    }
}

#[test]
fn what_cannot_be_taken_is_named_and_the_rest_goes_on() {
    let good = || metric("good", "", gauge(vec![number(1.0, &[])]));
    let unordered = HistogramDataPoint { explicit_bounds: vec![2.0, 1.0], ..histogram_point() };
    let not_a_number = HistogramDataPoint { explicit_bounds: vec![f64::NAN, 1.0], ..histogram_point() };
    let uneven = HistogramDataPoint { bucket_counts: vec![1, 2], ..histogram_point() };
    let coarse = ExponentialHistogramDataPoint { scale: -5, ..ExponentialHistogramDataPoint::default() };
    let coarse = ExponentialHistogram { data_points: vec![coarse], aggregation_temporality: CUMULATIVE };
    let empty = NumberDataPoint { value: None, ..number(0.0, &[]) };
    let long = "x".repeat(4097);
    let labels: Vec<_> = (0..40).map(|at| format!("label{at}")).collect();
    let many: Vec<_> = labels.iter().map(|label| (label.as_str(), "x")).collect();
    let cases = [
        (metric("", "s", gauge(vec![number(1.0, &[])])), "the name has no letter"),
        (metric("a", "", sum(vec![number(1.0, &[])], 0, true)), "the aggregation temporality is not given"),
        (metric("a", "", gauge(vec![empty])), "it has no value"),
        (metric("a", "", histogram(unordered, CUMULATIVE)), "its bounds do not ascend"),
        (metric("a", "", histogram(not_a_number, CUMULATIVE)), "its bounds do not ascend"),
        (metric("a", "", histogram(uneven, CUMULATIVE)), "it has 2 bounds and 2 bucket counts"),
        (metric("a", "", metric::Data::ExponentialHistogram(coarse)), "its scale is -5"),
        (metric("a", "", gauge(vec![number(1.0, &[("k", &long)])])), "the label \"k\" has 4097 bytes"),
        (metric("a", "", gauge(vec![number(1.0, &many)])), "the series has 41 labels"),
    ];
    for (bad, expected) in cases {
        let name = bad.name.clone();
        let (converted, payload) = convert(&request(&[], vec![good(), bad, good()]), &Mapping::default());
        assert_eq!((converted.accepted, converted.rejected), (2, 1), "{expected}");
        let start = format!("data point 1, of the metric {name:?}: ");
        assert!(converted.reasons[0].starts_with(&start), "{:?}", converted.reasons);
        assert!(converted.reasons[0].contains(expected), "{:?}", converted.reasons);
        assert_eq!(lines(&payload), ["good{} 1 @5000", "good{} 1 @5000"], "{expected}");
    }
}

#[test]
fn a_large_resource_is_not_multiplied_beyond_the_room_there_is() {
    let long = "x".repeat(4000);
    let points = (0..100).map(|at| number(1.0, &[("a", if at % 2 == 0 { "1" } else { "2" })])).collect();
    let raw = request(&[("service.name", &long)], vec![metric("up", "", gauge(points))]).encode_to_vec();
    let request = MetricsRequest::parse(&raw).unwrap();
    let (mapping, mut left) = (Mapping::default(), 200_000usize);
    let mut grow = |bytes: usize| left.checked_sub(bytes).map(|rest| left = rest).is_some();
    let mut writer = Writer::new();
    let _outcome = to_samples(&request, &mapping, 0, &mut writer, Room::new(&mut grow));
    assert!(writer.size_bytes() < 210_000, "{}", writer.size_bytes());
}

#[test]
fn no_more_of_a_point_is_read_than_can_be_taken() {
    let mut read = 0;
    let endless = std::iter::from_fn(|| {
        read += 1;
        Some(read)
    });
    assert_eq!(at_most(3, endless, "things"), Err("it has more than 3 things".to_owned()));
    assert_eq!(read, 4);
    assert_eq!(at_most(3, [1, 2, 3].into_iter(), "things"), Ok(vec![1, 2, 3]));
    let many = 5000;
    let quantiles = SummaryDataPoint {
        quantile_values: vec![ValueAtQuantile::default(); many],
        ..SummaryDataPoint::default()
    };
    let summary = metric::Data::Summary(Summary { data_points: vec![quantiles] });
    let exemplar = Exemplar { value: Some(exemplar::Value::AsDouble(1.0)), ..Exemplar::default() };
    let exemplars = NumberDataPoint { exemplars: vec![exemplar; many], ..number(1.0, &[]) };
    let buckets = HistogramDataPoint {
        explicit_bounds: (0..many).map(|bound| bound as f64).collect(),
        bucket_counts: vec![1; many + 1],
        ..HistogramDataPoint::default()
    };
    // All of them become one name: it is their number that counts, before they are joined.
    let keys: Vec<_> = (0..many).map(|at| format!("a{}", ".".repeat(1 + at % 50))).collect();
    let keys: Vec<_> = keys.iter().map(|key| (key.as_str(), "x")).collect();
    let cases = [
        (summary, "more than 4096 quantiles"),
        (gauge(vec![exemplars]), "more than 4096 exemplars"),
        (histogram(buckets, CUMULATIVE), "more than 4096 buckets"),
        (gauge(vec![number(1.0, &keys)]), "more than 40 attributes, \"a."),
    ];
    for (data, expected) in cases {
        let (converted, _) = convert(&request(&[], vec![metric("a", "", data)]), &Mapping::default());
        assert_eq!((converted.accepted, converted.rejected), (0, 1), "{expected}");
        assert!(converted.reasons[0].contains(expected), "{:?}, expected {expected}", converted.reasons);
    }
}

#[test]
fn names_of_labels_are_kept_to_a_limit() {
    let keys: Vec<_> = (0..6000).map(|at| format!("key.{at}")).collect();
    let points = keys.iter().map(|key| number(1.0, &[(key.as_str(), "x")])).collect();
    let raw = request(&[], vec![metric("a", "", gauge(points))]).encode_to_vec();
    let request = MetricsRequest::parse(&raw).unwrap();
    let mut names = labels::Names::default();
    let mut own = Vec::new();
    for (.., metric) in request.metrics() {
        for raw in metric.data.points().iter() {
            own.clear();
            names.labels(NumberPoint::of_valid(raw).attributes(), 40, &mut own).unwrap();
        }
    }
    assert_eq!((&*own[0].name, names.len()), ("key_5999", 4096));
}

#[test]
fn a_family_is_described_once() {
    let described = |name: &str, data| Metric { description: "What it is".into(), ..metric(name, "s", data) };
    let points = || vec![number(1.0, &[]), number(2.0, &[("a", "b")])];
    let metrics = vec![
        described("a", sum(points(), CUMULATIVE, true)),
        described("a", sum(points(), CUMULATIVE, true)),
        described("h", histogram(histogram_point(), CUMULATIVE)),
        described("none", gauge(vec![])),
    ];
    let (_, payload) =
        convert(&request(&[("service.name", "s"), ("os.type", "l")], metrics), &Mapping::default());
    let (mut families, mut cursor) = (Vec::new(), Cursor::new(&payload).unwrap());
    while let Some(entry) = cursor.next().unwrap() {
        if let Entry::Metadata(metadata) = entry {
            families.push((metadata.family, metadata.kind, metadata.unit, metadata.help));
        }
    }
    let family =
        |name: &str, kind, unit: &str, help: &str| (name.to_owned(), kind, unit.to_owned(), help.to_owned());
    let info = "Attributes of the resource that is scraped or sends";
    assert_eq!(
        families,
        [
            family("a_seconds_total", MetricKind::Counter, "seconds", "What it is"),
            family("h_seconds", MetricKind::Histogram, "seconds", "What it is"),
            family("target_info", MetricKind::Gauge, "", info),
        ]
    );
}
