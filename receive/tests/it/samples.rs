//! Requests to send.

use std::io::Write;

use telemetry::Value;
use telemetry::otlp::{RecordFields, RecordsWriter, write_record, write_resource};

use crate::support::Endpoint;

/// Records with these bodies, of the service `shop`.
pub(crate) fn logs(endpoint: Endpoint, bodies: &[&str]) -> Vec<u8> {
    if endpoint == Endpoint::HttpJson {
        let records: Vec<_> =
            bodies.iter().map(|body| serde_json::json!({"body": {"stringValue": body}})).collect();
        return json_request(&records);
    }
    let records: Vec<Vec<u8>> = bodies.iter().map(|body| record(Value::Str(body), 0)).collect();
    protobuf_request(&records)
}

/// A record with so many attributes between two plain ones.
pub(crate) fn with_attributes(endpoint: Endpoint, attributes: usize) -> Vec<u8> {
    if endpoint == Endpoint::HttpJson {
        let many: Vec<_> =
            (0..attributes).map(|_| serde_json::json!({"key": "k", "value": {"intValue": 1}})).collect();
        let plain = serde_json::json!({"body": {"stringValue": "plain"}});
        return json_request(&[plain.clone(), serde_json::json!({"attributes": many}), plain]);
    }
    let plain = record(Value::Str("plain"), 0);
    protobuf_request(&[plain.clone(), record(Value::Empty, attributes), plain])
}

/// A body of arrays in arrays.
pub(crate) fn nested(endpoint: Endpoint, levels: usize) -> Vec<u8> {
    if endpoint == Endpoint::HttpJson {
        let open = r#"{"arrayValue":{"values":["#.repeat(levels);
        let close = "]}}".repeat(levels);
        return format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{open}{{}}{close}}}]}}]}}]}}"#
        )
        .into_bytes();
    }
    let mut value = Vec::new();
    for _ in 0..levels {
        value = field(5, &field(1, &value));
    }
    protobuf_request(&[field(5, &value)])
}

/// `bytes` as a length-delimited field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
    out
}

fn record(body: Value<'_>, attributes: usize) -> Vec<u8> {
    let attributes = vec![("k", Value::Int(1)); attributes];
    let mut raw = Vec::new();
    write_record(&mut raw, &RecordFields { body, attributes: &attributes, ..Default::default() });
    raw
}

fn protobuf_request(records: &[Vec<u8>]) -> Vec<u8> {
    let mut resource = Vec::new();
    write_resource(&mut resource, &[("service.name", Value::Str("shop"))]);
    let mut writer = RecordsWriter::default();
    writer.resource(&resource, "");
    writer.scope(b"", "");
    records.iter().for_each(|record| writer.record(record));
    writer.finish()
}

fn json_request(records: &[serde_json::Value]) -> Vec<u8> {
    let service = serde_json::json!({"key": "service.name", "value": {"stringValue": "shop"}});
    let group =
        serde_json::json!({"resource": {"attributes": [service]}, "scopeLogs": [{"logRecords": records}]});
    serde_json::json!({"resourceLogs": [group]}).to_string().into_bytes()
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 3).unwrap()
}

/// `mib` MiB of nothing, made without having them in memory.
pub(crate) fn gzip_bomb(mib: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..mib).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

pub(crate) fn zstd_bomb(mib: usize) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    (0..mib).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

/// Bytes that do not compress.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 7u64;
    let step = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state as u8
    };
    (0..len).map(|_| step(&mut state)).collect()
}
