//! Public OTLP/JSON cases: the specification's examples and Fluent Bit's collection.
//!
//! They live outside of the repository, in the directory that `CONFORMANCE_DATA` names. Without it
//! the test says so and passes, unless `NARROWS_CONFORMANCE=required`.

use std::path::{Path, PathBuf};

use narrows_telemetry::otlp::json::decode_logs;
use narrows_telemetry::otlp::{LogRecord, LogsRequest, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;
use serde_json::{Value as Json, json};

/// Cases where another outcome than Fluent Bit's is right, and why.
const DIFFERENT: [(&str, &str); 5] = [
    (
        "resourceLogs_missing",
        "in protobuf's JSON mapping a missing list is an empty one; an empty request succeeds",
    ),
    ("scopeLogs_missing", "a missing list is an empty one"),
    ("resource_valid_scope_missing", "a missing list is an empty one"),
    ("valid_log_with_trace_flags", "OTLP calls the member \"flags\"; \"traceFlags\" is unknown and skipped"),
    ("unwrapped_plain_map", "a map outside of kvlistValue is made of unknown members, which are skipped"),
];

fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    Some(root.join(named).join("06-traces-otlp")).filter(|dir| dir.is_dir())
}

#[test]
fn conformance_otlp() {
    let Some(data) = data() else {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 06-traces-otlp"
        );
        eprintln!(
            "\n!!! OTLP CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 06-traces-otlp !!!\n"
        );
        return;
    };
    let (mut passed, mut total, mut failures, mut different) = (0, 0, Vec::new(), Vec::new());
    let mut judge = |name: &str, outcome: Result<(), String>| {
        total += 1;
        match (outcome, DIFFERENT.iter().find(|(different, _)| *different == name)) {
            (Ok(()), None) => passed += 1,
            (Ok(()), Some(_)) => failures.push(format!("{name}: listed as different, but agrees")),
            (Err(_), Some((_, reason))) => different.push(format!("  differs: {name}: {reason}")),
            (Err(failure), None) => failures.push(format!("{name}: {failure}")),
        }
    };
    for name in ["logs.json", "events.json"] {
        let path = data.join("opentelemetry-proto/examples").join(name);
        judge(name, same_as_opentelemetry(&std::fs::read(path).unwrap()));
    }
    let cases = std::fs::read(data.join("fluentbit-otlp-cases/logs.json")).unwrap();
    let cases: serde_json::Map<String, Json> = serde_json::from_slice(&cases).unwrap();
    for (name, case) in &cases {
        judge(name, same_as_fluent_bit(case));
    }
    println!("otlp {passed}/{total}\n{}", different.join("\n"));
    assert!(failures.is_empty(), "{failures:#?}");
}

fn same_as_opentelemetry(text: &[u8]) -> Result<(), String> {
    let expected: ExportLogsServiceRequest = serde_json::from_slice(text).unwrap();
    let bytes = decode_logs(text).map_err(|error| error.to_string())?;
    let decoded = ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();
    (decoded == expected).then_some(()).ok_or_else(|| format!("{decoded:?}"))
}

fn same_as_fluent_bit(case: &Json) -> Result<(), String> {
    let decoded = decode_logs(case["input"].to_string().as_bytes());
    let bytes = match (decoded, case.get("expected_error")) {
        (Ok(_), Some(error)) => return Err(format!("decoded, expected {}", error["code"])),
        (Err(_), Some(_)) => return Ok(()),
        (Err(error), None) => return Err(error.to_string()),
        (Ok(bytes), None) => bytes,
    };
    let groups = groups(&LogsRequest::parse(&bytes).unwrap());
    let expected = &case["expected"];
    if expected["empty_payload"] == true {
        return compare(&json!(0), &json!(groups.len()));
    }
    if let Some(expected) = expected.get("groups") {
        return compare(expected, &Json::from(groups));
    }
    let first = groups.first().ok_or("no records")?;
    compare(&expected["group_body"], &first["body"])?;
    compare(&expected["log_metadata"], &first["records"][0]["metadata"])?;
    compare(&expected["log_body"], &first["records"][0]["body"])
}

/// What was read in Fluent Bit's layout: a group per scope that has records.
fn groups(request: &LogsRequest<'_>) -> Vec<Json> {
    let mut groups = Vec::new();
    for (resource_id, resource) in request.resources().enumerate() {
        for (scope_id, scope) in resource.scopes().enumerate() {
            let records: Vec<Json> = scope.records().map(|record| record_json(&record)).collect();
            if !records.is_empty() {
                let metadata = json!({"schema": "otlp", "resource_id": resource_id, "scope_id": scope_id});
                groups.push(
                    json!({"metadata": metadata, "body": group_body(&resource, &scope), "records": records}),
                );
            }
        }
    }
    groups
}

fn group_body(resource: &ResourceLogs<'_>, scope: &ScopeLogs<'_>) -> Json {
    json!({
        "resource": {"attributes": resource.resource.attributes().to_json(), "schema_url": resource.schema_url},
        "scope": {
            "name": scope.scope.name,
            "version": scope.scope.version,
            "attributes": scope.scope.attributes().to_json(),
            "schema_url": scope.schema_url,
        },
    })
}

fn record_json(record: &LogRecord<'_>) -> Json {
    let body = record.body.to_json();
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    json!({
        "metadata": {"otlp": {
            "observed_timestamp": record.observed_time_ns,
            "severity_number": record.severity_number,
            "severity_text": record.severity_text,
            "attributes": record.attributes().to_json(),
            "dropped_attributes_count": record.dropped_attributes,
            "event_name": record.event_name,
            "trace_id": record.trace_id().map(|id| hex(&id)),
            "span_id": record.span_id().map(|id| hex(&id)),
            "flags": record.flags,
        }},
        "body": if body.is_object() { body } else { json!({"log": body}) },
    })
}

/// Compares without members at their default: Fluent Bit leaves some out, and writes "" for no value.
fn compare(expected: &Json, actual: &Json) -> Result<(), String> {
    let (expected, actual) = (without_defaults(expected), without_defaults(actual));
    (expected == actual).then_some(()).ok_or_else(|| format!("expected {expected}, got {actual}"))
}

fn without_defaults(value: &Json) -> Json {
    let is_default = |value: &Json| match value {
        Json::Null => true,
        Json::Number(number) => number.as_u64() == Some(0),
        Json::String(text) => text.is_empty(),
        Json::Object(members) => members.is_empty(),
        Json::Bool(_) | Json::Array(_) => false,
    };
    match value {
        Json::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), without_defaults(value)))
            .filter(|(_, value)| !is_default(value))
            .collect(),
        Json::Array(values) => values.iter().map(without_defaults).collect(),
        plain => plain.clone(),
    }
}
