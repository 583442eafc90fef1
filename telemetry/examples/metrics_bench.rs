//! What metrics cost to decode: `cargo run --release -p narrows-telemetry --example metrics_bench`.
//!
//! One thread, a scrape of 10,000 series with 8 labels and one sample each, the best of several rounds.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use narrows_telemetry::Room;
use narrows_telemetry::otlp::{Mapping, MetricsRequest, to_samples};
use narrows_telemetry::remote_write::{decode_v1, decode_v2, encode_v2};
use narrows_telemetry::samples::{Cursor, Entry, Sample, SeriesLimits, Writer, check};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

const SERIES: usize = 10_000;

fn main() {
    let payload = payload();
    let (v1, v2, otlp) = (request_v1(&payload), encode_v2(&payload).unwrap(), request_otlp());
    let limits = SeriesLimits::default();
    println!("{SERIES} samples: {} bytes of v1, {} of v2, {} of OTLP", v1.len(), v2.len(), otlp.len());
    println!("the payload has {} bytes", payload.len());
    report("decode remote write 1.0", || {
        let mut writer = Writer::new();
        decode_v1(&v1, &limits, &mut writer, Room::new(&mut |_| true)).unwrap();
        writer.finish().len()
    });
    report("decode remote write 2.0", || {
        let mut writer = Writer::new();
        decode_v2(&v2, &limits, &mut writer, Room::new(&mut |_| true)).unwrap();
        writer.finish().len()
    });
    report("encode remote write 2.0", || encode_v2(&payload).unwrap().len());
    let mapping = Mapping::default();
    report("validate and convert OTLP", || {
        let mut writer = Writer::new();
        let request = MetricsRequest::parse(&otlp).unwrap();
        to_samples(&request, &mapping, 1, &mut writer, Room::new(&mut |_| true)).unwrap();
        writer.finish().len()
    });
    report("walk the payload", || check(&payload).unwrap() as usize);
}

fn payload() -> Vec<u8> {
    let mut writer = Writer::new();
    for at in 0..SERIES {
        let (route, status) = (format!("/api/v1/orders/{}", at / 10), (200 + at % 10).to_string());
        let mut labels = [
            ("__name__", "http_server_requests_total"),
            ("cluster", "eu-west-1"),
            ("instance", "host-1.example:9100"),
            ("job", "checkout"),
            ("method", "GET"),
            ("pod", "checkout-7d9c5b8f6d-x2x7p"),
            ("route", &route),
            ("status", &status),
        ];
        let sample = Sample { time_ms: 1_774_000_000_000, value: at as f64 };
        writer.series(&mut labels, false, &[sample], &[], &[]).unwrap();
    }
    writer.finish()
}

/// `prometheus.WriteRequest` of a payload.
fn request_v1(payload: &[u8]) -> Vec<u8> {
    let (mut out, mut cursor) = (Vec::new(), Cursor::new(payload).unwrap());
    while let Some(Entry::Series(series)) = cursor.next().unwrap() {
        let mut message = Vec::new();
        for (name, value) in series.labels {
            let label = [field(1, name.as_bytes()), field(2, value.as_bytes())].concat();
            message.extend(field(1, &label));
        }
        for sample in series.samples {
            let mut raw = vec![1 << 3 | 1];
            raw.extend(sample.value.to_le_bytes());
            raw.push(2 << 3);
            varint(&mut raw, sample.time_ms as u64);
            message.extend(field(2, &raw));
        }
        out.extend(field(1, &message));
    }
    out
}

fn request_otlp() -> Vec<u8> {
    let text = |key: &str, value: String| KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value)) }),
        ..KeyValue::default()
    };
    let point = |at: usize| NumberDataPoint {
        attributes: vec![
            text("http.request.method", "GET".into()),
            text("http.route", format!("/api/v1/orders/{}", at / 10)),
            text("http.response.status_code", (200 + at % 10).to_string()),
        ],
        time_unix_nano: 1_774_000_000_000_000_000,
        value: Some(number_data_point::Value::AsInt(at as i64)),
        ..NumberDataPoint::default()
    };
    let sum =
        Sum { data_points: (0..SERIES).map(point).collect(), aggregation_temporality: 2, is_monotonic: true };
    let metric = Metric {
        name: "http.server.requests".into(),
        data: Some(metric::Data::Sum(sum)),
        ..Metric::default()
    };
    let attributes = ["service.name", "service.instance.id", "host.name", "k8s.pod.name"];
    let attributes = attributes.map(|key| text(key, format!("{key}-value"))).to_vec();
    let resource = Some(Resource { attributes, ..Resource::default() });
    let scope = ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() };
    let metrics = ResourceMetrics { resource, scope_metrics: vec![scope], ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![metrics] }.encode_to_vec()
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    varint(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn report(name: &str, run: impl Fn() -> usize) {
    let mut best = Duration::MAX;
    for _ in 0..100 {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    println!("{name}: {:.3} µs per sample", best.as_secs_f64() * 1e6 / SERIES as f64);
}
