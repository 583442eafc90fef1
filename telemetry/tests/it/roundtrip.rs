//! Requests of the OpenTelemetry crates' own types, written as JSON by them and read by us: what
//! comes out is what prost would have written.

use narrows_telemetry::otlp::LogsRequest;
use narrows_telemetry::otlp::json::decode_logs;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
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

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(("[a-z.]{0,6}", option::of(any_value())).prop_map(key_value), 0..4)
}

fn id(len: usize) -> impl Strategy<Value = Vec<u8>> {
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
}
