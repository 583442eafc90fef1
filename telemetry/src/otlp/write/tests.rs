//! The writer and the walk against the generated types of `opentelemetry-proto`.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::otlp::{DecodeError, LogsRequest, MAX_DEPTH};

fn sample() -> Vec<u8> {
    let (mut resource, mut scope, mut record) = (Vec::new(), Vec::new(), Vec::new());
    write_resource(&mut resource, &[("service.name", Value::Str("checkout")), ("pid", Value::Int(-7))]);
    write_scope(&mut scope, "logger", "1.2", &[("k", Value::Bool(false))]);
    write_record(
        &mut record,
        &RecordFields {
            time_ns: 17,
            observed_time_ns: 18,
            severity_number: 17,
            severity_text: "ERROR",
            body: Value::Str("connection refused"),
            attributes: &[
                ("http.status_code", Value::Int(504)),
                ("ratio", Value::Double(-0.0)),
                ("raw", Value::Bytes(&[1, 0])),
                ("none", Value::Empty),
            ],
            trace_id: &[9; 16],
            span_id: &[8; 8],
            flags: 1,
            event_name: "device.lost",
        },
    );
    let mut writer = RecordsWriter::default();
    writer.resource(&resource, "https://schema.example/1");
    writer.scope(&scope, "");
    writer.record(&record);
    writer.record(&record);
    writer.scope(&[], "");
    writer.record(&record);
    writer.resource(&[], "");
    writer.scope(&[], "");
    assert_eq!(writer.record_count(), 3);
    let bound = writer.size_bytes();
    let bytes = writer.finish();
    assert!(bytes.len() <= bound, "{} > {bound}", bytes.len());
    bytes
}

#[test]
fn what_is_written_reads_the_same_in_the_generated_types() {
    let request = ExportLogsServiceRequest::decode(&*sample()).unwrap();
    assert_eq!(request.resource_logs.len(), 1, "a group without records is left out");
    let logs = &request.resource_logs[0];
    assert_eq!(logs.schema_url, "https://schema.example/1");
    assert_eq!(logs.resource.as_ref().unwrap().attributes[1].key, "pid");
    assert_eq!(logs.scope_logs.iter().map(|s| s.log_records.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(logs.scope_logs[0].scope.as_ref().unwrap().name, "logger");
    let record = &logs.scope_logs[0].log_records[0];
    assert_eq!((record.time_unix_nano, record.observed_time_unix_nano, record.severity_number), (17, 18, 17));
    assert_eq!((record.flags, record.event_name.as_str(), record.trace_id.len()), (1, "device.lost", 16));
    let value = |index: usize| record.attributes[index].value.clone().and_then(|any| any.value);
    assert_eq!(value(0), Some(ProtoValue::IntValue(504)));
    assert!(matches!(value(1), Some(ProtoValue::DoubleValue(zero)) if zero.is_sign_negative()));
    assert_eq!(value(2), Some(ProtoValue::BytesValue(vec![1, 0])));
    assert_eq!(value(3), None);
}

#[test]
fn what_is_written_reads_the_same_in_the_walk() {
    let bytes = sample();
    let request = LogsRequest::parse(&bytes).unwrap();
    assert_eq!(request.record_count(), 3);
    let (resource, scope, record) = request.records().next().unwrap();
    assert_eq!(resource.resource.attributes().get("service.name").unwrap().to_text(), "checkout");
    assert_eq!((scope.scope.name, scope.scope.version), ("logger", "1.2"));
    assert_eq!(scope.scope.attributes().get("k").unwrap().to_text(), "false");
    assert_eq!((record.severity_text, record.body.to_text().as_ref()), ("ERROR", "connection refused"));
    assert_eq!((record.trace_id(), record.span_id()), (Some([9; 16]), Some([8; 8])));
    assert_eq!(record.attributes().to_json()["http.status_code"], 504);
    assert_eq!(record.attributes().to_json()["raw"], "AQA=");
}

#[test]
fn time_falls_back_to_observed_then_received() {
    let cases = [((5, 6), 5), ((0, 6), 6), ((0, 0), 7), ((u64::MAX, 6), 6), ((u64::MAX, u64::MAX), 7)];
    for ((time_ns, observed_time_ns), expected) in cases {
        let mut raw = Vec::new();
        write_record(&mut raw, &RecordFields { time_ns, observed_time_ns, ..RecordFields::default() });
        assert_eq!(crate::otlp::LogRecord::of_valid(&raw).effective_time_ns(7), expected);
    }
}

#[test]
fn malformed_requests_say_what_is_wrong() {
    let mut deep = Vec::new();
    for _ in 0..=MAX_DEPTH + 1 {
        let mut array = Vec::new();
        put_bytes(&mut array, 1, &deep);
        deep.clear();
        put_bytes(&mut deep, 5, &array);
    }
    let wrap = |field: u32, content: &[u8]| {
        let (mut record, mut scope, mut resource, mut request) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        put_bytes(&mut record, field, content);
        put_bytes(&mut scope, 2, &record);
        put_bytes(&mut resource, 2, &scope);
        put_bytes(&mut request, 1, &resource);
        request
    };
    let cases = [
        (vec![0x0a, 5, 1], DecodeError::Truncated),
        (vec![0x08, 1], DecodeError::WireType("resource_logs")),
        (vec![0x0b], DecodeError::Tag(0x0b)),
        (vec![0xff; 11], DecodeError::Varint),
        ([vec![0xff; 9], vec![2]].concat(), DecodeError::Varint),
        (wrap(3, &[0xff]), DecodeError::Utf8("severity_text")),
        (wrap(1, &[1]), DecodeError::WireType("time_unix_nano")),
        (wrap(5, &deep), DecodeError::Depth(MAX_DEPTH)),
    ];
    for (bytes, error) in cases {
        assert_eq!(LogsRequest::parse(&bytes).err(), Some(error), "{bytes:?}");
    }
    assert_eq!(LogsRequest::parse(&[]).unwrap().record_count(), 0);
}

proptest! {
    #[test]
    fn any_bytes_parse_or_fail_without_panic(mut bytes: Vec<u8>, flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 0..4)) {
        let _outcome = LogsRequest::parse(&bytes);
        bytes = sample();
        for (at, byte) in flips {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(request) = LogsRequest::parse(&bytes) {
            let walked = request.records().filter(|(_, _, record)| record.attributes().to_json().is_object()).count();
            prop_assert_eq!(walked, request.record_count());
        }
    }

    #[test]
    fn a_mutated_request_that_we_take_is_one_that_the_generated_types_take(at: u16, byte: u8) {
        let mut bytes = sample();
        let at = usize::from(at) % bytes.len();
        bytes[at] = byte;
        if let Ok(request) = LogsRequest::parse(&bytes) {
            let decoded = ExportLogsServiceRequest::decode(&*bytes);
            let records = decoded.map(|r| r.resource_logs.iter().flat_map(|l| &l.scope_logs).map(|s| s.log_records.len()).sum());
            prop_assert_eq!(records, Ok(request.record_count()));
        }
    }
}
