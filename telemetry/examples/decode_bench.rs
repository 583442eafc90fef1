//! What decoding costs: `cargo run --release -p narrows-telemetry --example decode_bench`.
//!
//! One thread, one request of 1,000 records (about 300 bytes and 6 attributes each), the best of
//! several rounds.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use narrows_telemetry::otlp::json::decode_logs;
use narrows_telemetry::otlp::{LogsRequest, RecordFields, RecordsWriter, write_record, write_resource};
use narrows_telemetry::{KeyValues, Value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;

const RECORDS: usize = 1000;

fn main() {
    let protobuf = request();
    let json = serde_json::to_vec(&ExportLogsServiceRequest::decode(protobuf.as_slice()).unwrap()).unwrap();
    println!("{RECORDS} records, {} bytes of protobuf, {} bytes of JSON", protobuf.len(), json.len());
    report("validate protobuf", protobuf.len(), || LogsRequest::parse(&protobuf).unwrap().record_count());
    report("validate and walk protobuf", protobuf.len(), || walk(&LogsRequest::parse(&protobuf).unwrap()));
    report("decode JSON to protobuf", json.len(), || decode_logs(&json).unwrap().len());
    let prost = || ExportLogsServiceRequest::decode(protobuf.as_slice()).unwrap().resource_logs.len();
    report("for scale: prost", protobuf.len(), prost);
    let serde = || serde_json::from_slice::<ExportLogsServiceRequest>(&json).unwrap().resource_logs.len();
    report("for scale: serde_json to the generated types", json.len(), serde);
}

fn request() -> Vec<u8> {
    let mut writer = RecordsWriter::default();
    let mut resource = Vec::new();
    write_resource(
        &mut resource,
        &[("service.name", Value::Str("checkout")), ("host.name", Value::Str("app-1"))],
    );
    writer.resource(&resource, "");
    writer.scope(b"", "");
    for at in 0..RECORDS {
        let body =
            format!("GET /api/v1/orders/{at} HTTP/1.1 200 {at} \"curl/8.5.0\" upstream 10.0.3.{}", at % 256);
        let attributes = [
            ("http.request.method", Value::Str("GET")),
            ("http.route", Value::Str("/api/v1/orders/{id}")),
            ("http.response.status_code", Value::Int(200)),
            ("url.path", Value::Str("/api/v1/orders")),
            ("duration_ms", Value::Double(12.75)),
            ("cache.hit", Value::Bool(at % 2 == 0)),
        ];
        let mut record = Vec::new();
        write_record(
            &mut record,
            &RecordFields {
                time_ns: 1_774_000_000_000_000_000 + at as u64,
                observed_time_ns: 1_774_000_000_000_000_001 + at as u64,
                severity_number: 9,
                severity_text: "INFO",
                body: Value::Str(&body),
                attributes: &attributes,
                trace_id: &[7; 16],
                span_id: &[9; 8],
                ..RecordFields::default()
            },
        );
        writer.record(&record);
    }
    writer.finish()
}

fn walk(request: &LogsRequest<'_>) -> usize {
    let count = |attributes: KeyValues<'_>| attributes.iter().map(|(key, _)| key.len()).sum::<usize>();
    request.records().map(|(_, _, record)| record.body.to_text().len() + count(record.attributes())).sum()
}

fn report(name: &str, bytes: usize, run: impl Fn() -> usize) {
    let mut best = Duration::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    let ns = best.as_nanos() as f64 / RECORDS as f64;
    println!("{name:<46} {ns:>7.0} ns/record {:>7.0} MB/s", bytes as f64 / best.as_secs_f64() / 1e6);
}
