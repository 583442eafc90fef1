//! Public OTLP/JSON cases: the specification's examples and Fluent Bit's collection.
//!
//! They live outside of the repository, in the directory that `CONFORMANCE_DATA` names. Without it
//! the test says so and passes, unless `NARROWS_CONFORMANCE=required`.

use std::path::{Path, PathBuf};

use narrows_telemetry::otlp::json::{decode_logs, decode_metrics};
use narrows_telemetry::otlp::{
    ExponentialPoint, HistogramPoint, LogRecord, LogsRequest, Metric, MetricData, MetricsRequest,
    NumberPoint, ResourceLogs, ScopeLogs, SummaryPoint,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
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

/// The same for metrics.
const MISSING: &str =
    "in protobuf's JSON mapping a missing list is an empty one, and a missing text an empty one";
const DIFFERENT_METRICS: [(&str, &str); 11] = [
    (
        "valid_invalid_numeric_skips_points",
        "a text that is no number is no OTLP/JSON: the request is refused, and told the member and its place",
    ),
    ("invalid_resource_metrics_missing", MISSING),
    ("invalid_scope_metrics_missing", MISSING),
    ("invalid_metrics_missing", MISSING),
    ("invalid_metric_name_missing", "decodes; its points are rejected one by one when they become samples"),
    ("missing_metric_type", "decodes: a kind that is not known here has no points"),
    ("invalid_gauge_datapoints_missing", MISSING),
    ("invalid_sum_datapoints_missing", MISSING),
    ("invalid_histogram_datapoints_missing", MISSING),
    ("invalid_summary_datapoints_missing", MISSING),
    ("invalid_exponential_histogram_datapoints_missing", MISSING),
];

fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    Some(root.join(named).join("06-traces-otlp")).filter(|dir| dir.is_dir())
}

#[test]
fn conformance_otlp() {
    let Some(data) = required_data() else { return };
    let mut tally = Tally::but_for(&DIFFERENT);
    for name in ["logs.json", "events.json"] {
        let path = data.join("opentelemetry-proto/examples").join(name);
        tally.judge(name, same_as_opentelemetry(&std::fs::read(path).unwrap()));
    }
    for (name, case) in &fluent_bit_cases(&data, "logs.json") {
        tally.judge(name, same_as_fluent_bit(case));
    }
    tally.finish("otlp");
}

#[test]
fn conformance_otlp_metrics() {
    let Some(data) = required_data() else { return };
    let mut tally = Tally::but_for(&DIFFERENT_METRICS);
    let text = std::fs::read(data.join("opentelemetry-proto/examples/metrics.json")).unwrap();
    tally.judge("metrics.json", same_metrics_as_opentelemetry(&text));
    for (name, case) in &fluent_bit_cases(&data, "metrics.json") {
        tally.judge(name, same_metrics_as_fluent_bit(case));
    }
    tally.finish("otlp metrics");
}

pub(crate) fn required_data() -> Option<PathBuf> {
    let data = data();
    if data.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 06-traces-otlp"
        );
        eprintln!(
            "\n!!! OTLP CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 06-traces-otlp !!!\n"
        );
    }
    data
}

pub(crate) fn fluent_bit_cases(data: &Path, file: &str) -> serde_json::Map<String, Json> {
    let cases = std::fs::read(data.join("fluentbit-otlp-cases").join(file)).unwrap();
    serde_json::from_slice(&cases).unwrap()
}

/// Cases that agree, that differ for a reason, and that fail.
#[derive(Default)]
pub(crate) struct Tally {
    different: &'static [(&'static str, &'static str)],
    passed: usize,
    total: usize,
    failures: Vec<String>,
    differences: Vec<String>,
}

impl Tally {
    /// With the names of cases that differ, and why.
    pub(crate) fn but_for(different: &'static [(&'static str, &'static str)]) -> Self {
        Self { different, ..Self::default() }
    }

    pub(crate) fn judge(&mut self, name: &str, outcome: Result<(), String>) {
        self.total += 1;
        match (outcome, self.different.iter().find(|(different, _)| *different == name)) {
            (Ok(()), None) => self.passed += 1,
            (Ok(()), Some(_)) => self.failures.push(format!("{name}: listed as different, but agrees")),
            (Err(_), Some((_, reason))) => self.differences.push(format!("  differs: {name}: {reason}")),
            (Err(failure), None) => self.failures.push(format!("{name}: {failure}")),
        }
    }

    pub(crate) fn finish(self, suite: &str) {
        println!("{suite} {}/{}\n{}", self.passed, self.total, self.differences.join("\n"));
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
    }
}

fn same_metrics_as_opentelemetry(text: &[u8]) -> Result<(), String> {
    let expected: ExportMetricsServiceRequest = serde_json::from_slice(text).unwrap();
    let bytes = decode_metrics(text).map_err(|error| error.to_string())?;
    let decoded = ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
    (decoded == expected).then_some(()).ok_or_else(|| format!("{decoded:?}"))
}

/// What Fluent Bit's cases say of metrics: how many of each kind, and the first point of one.
fn same_metrics_as_fluent_bit(case: &Json) -> Result<(), String> {
    let decoded = decode_metrics(case["input"].to_string().as_bytes());
    let bytes = match (decoded, case.get("expected_error")) {
        (Ok(_), Some(error)) => return Err(format!("decoded, expected {}", error["code"])),
        (Err(_), Some(_)) => return Ok(()),
        (Err(error), None) => return Err(error.to_string()),
        (Ok(bytes), None) => bytes,
    };
    let request = MetricsRequest::parse(&bytes).unwrap();
    // Fluent Bit makes a context of each resource, and its cases look at the first.
    let first = request.resources().take(1).flat_map(|resource| resource.scopes().collect::<Vec<_>>());
    let metrics: Vec<(&str, Json)> = first
        .flat_map(|scope| scope.metrics().collect::<Vec<_>>())
        .map(|metric| metric_json(&metric))
        .collect();
    for kind in ["gauge", "counter", "histogram", "exp_histogram", "summary"] {
        let count = metrics.iter().filter(|(other, _)| *other == kind).count();
        if let Some(expected) = case["expected"].get(format!("{kind}_count")) {
            compare(expected, &json!(count))?;
        }
        let Some(Json::Object(expected)) = case["expected"].get(kind) else { continue };
        let of_kind = metrics.iter().find(|(other, json)| *other == kind && json["name"] == expected["name"]);
        let (_, actual) = of_kind.ok_or_else(|| format!("no {kind} {}", expected["name"]))?;
        for key in ["value", "count", "sum", "description", "unit"] {
            match expected.get(key) {
                Some(Json::Number(number)) => compare(&json!(number.as_f64()), &json!(actual[key].as_f64()))?,
                Some(expected) => compare(expected, &actual[key])?,
                None => {}
            }
        }
    }
    Ok(())
}

fn metric_json(metric: &Metric<'_>) -> (&'static str, Json) {
    let last = metric.data.points().iter().last().unwrap_or_default();
    let (kind, mut json) = match metric.data {
        MetricData::Histogram(..) => {
            let point = HistogramPoint::of_valid(last);
            ("histogram", json!({"count": point.count, "sum": point.sum}))
        }
        MetricData::Exponential(..) => {
            let point = ExponentialPoint::of_valid(last);
            ("exp_histogram", json!({"count": point.count, "sum": point.sum}))
        }
        MetricData::Summary(_) => {
            let point = SummaryPoint::of_valid(last);
            ("summary", json!({"count": point.count, "sum": point.sum}))
        }
        MetricData::Sum { .. } => ("counter", value_json(last)),
        _ => ("gauge", value_json(last)),
    };
    json["name"] = json!(metric.name);
    json["description"] = json!(metric.description);
    json["unit"] = json!(metric.unit);
    (kind, json)
}

fn value_json(point: &[u8]) -> Json {
    json!({"value": NumberPoint::of_valid(point).value.map(|value| value.as_f64())})
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
