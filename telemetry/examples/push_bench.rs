//! What Loki's and Elasticsearch's forms cost: `cargo run --release -p narrows-telemetry --example push_bench`.
//!
//! One thread, one request of 1,000 records (about 300 bytes each), the best of several rounds; decoded, and
//! then checked as everything is that goes to the journal.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use narrows_telemetry::Room;
use narrows_telemetry::elasticsearch::{BulkLimits, read_bulk};
use narrows_telemetry::loki::{PushLimits, decode_json, decode_protobuf};
use narrows_telemetry::otlp::LogsRequest;
use prost::Message;
use serde_json::{Value, json};

const RECORDS: usize = 1000;

#[derive(Clone, PartialEq, Message)]
struct Push {
    #[prost(message, repeated, tag = "1")]
    streams: Vec<Stream>,
}

#[derive(Clone, PartialEq, Message)]
struct Stream {
    #[prost(string, tag = "1")]
    labels: String,
    #[prost(message, repeated, tag = "2")]
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(message, tag = "1")]
    timestamp: Option<Timestamp>,
    #[prost(string, tag = "2")]
    line: String,
}

#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

fn main() {
    let lines: Vec<_> = (0..RECORDS).map(line).collect();
    let (protobuf, push, bulk) = (protobuf(&lines), push(&lines), bulk(&lines));
    report("Loki protobuf", protobuf.len(), || {
        check(&decode_protobuf(&protobuf, &PushLimits::default(), Room::new(&mut |_| true)).unwrap().payload)
    });
    report("Loki JSON", push.len(), || {
        check(&decode_json(&push, &PushLimits::default(), Room::new(&mut |_| true)).unwrap().payload)
    });
    report("Elasticsearch _bulk", bulk.len(), || {
        let bulk = read_bulk(&bulk, None, &BulkLimits::default(), Room::new(&mut |_| true)).unwrap();
        bulk.chunks.iter().map(|chunk| check(&chunk.payload)).sum()
    });
    let documents: Vec<&[u8]> = bulk.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    report("for scale: serde_json to values", bulk.len(), || {
        documents
            .iter()
            .map(|line| serde_json::from_slice::<Value>(line).unwrap().as_object().unwrap().len())
            .sum()
    });
}

fn check(payload: &[u8]) -> usize {
    LogsRequest::parse(payload).unwrap().record_count()
}

fn line(at: usize) -> String {
    format!(
        "10.0.3.{} - - \"GET /api/v1/orders/{at} HTTP/1.1\" 200 {at} \"curl/8.5.0\" rt=0.012 uct=0.000 upstream=10.0.4.{}:8080 {}",
        at % 256,
        at % 7,
        "x".repeat(160)
    )
}

fn protobuf(lines: &[String]) -> Vec<u8> {
    let entry =
        |line: &String| Entry { timestamp: Some(Timestamp { seconds: 1_774_000_000 }), line: line.clone() };
    let labels =
        r#"{app="shop", env="prod", filename="/var/log/shop/access.log", instance="app-1:9080"}"#.to_owned();
    Push { streams: vec![Stream { labels, entries: lines.iter().map(entry).collect() }] }.encode_to_vec()
}

fn push(lines: &[String]) -> Vec<u8> {
    let values: Vec<_> = lines.iter().map(|line| json!(["1774000000000000000", line])).collect();
    let stream = json!({"app": "shop", "env": "prod", "filename": "/var/log/shop/access.log", "instance": "app-1:9080"});
    json!({"streams": [{"stream": stream, "values": values}]}).to_string().into_bytes()
}

/// As Filebeat writes them, without half of its metadata.
fn bulk(lines: &[String]) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        body.extend_from_slice(b"{\"create\":{\"_index\":\"filebeat-8.19.0\"}}\n");
        let document = json!({
            "@timestamp": "2026-03-20T09:46:40.123Z", "message": line, "log": {"level": "info", "offset": at, "file": {"path": "/var/log/x"}},
            "service": {"name": "shop"}, "host": {"name": "app-1"}, "agent": {"type": "filebeat", "version": "8.19.0"},
            "event": {"dataset": "nginx.access", "duration": 12_750_000}, "tags": ["web"],
        });
        body.extend_from_slice(document.to_string().as_bytes());
        body.push(b'\n');
    }
    body
}

fn report(name: &str, bytes: usize, run: impl Fn() -> usize) {
    let mut best = Duration::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    let ns = best.as_nanos() as f64 / RECORDS as f64;
    println!(
        "{name:<34} {ns:>7.0} ns/record {:>7.0} MB/s {:>6.2} CPU s per million",
        bytes as f64 / best.as_secs_f64() / 1e6,
        ns / 1e3
    );
}
