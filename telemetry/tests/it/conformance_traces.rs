//! Public traces: OTLP/JSON of OpenTelemetry, Fluent Bit and Jaeger, and the spans of Zipkin's own user interface.

use std::path::{Path, PathBuf};

use narrows_telemetry::Room;
use narrows_telemetry::otlp::TracesRequest;
use narrows_telemetry::otlp::json::{decode_traces, encode_traces};
use narrows_telemetry::zipkin::decode_json;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value as Json, json};

use crate::conformance::{Tally, fluent_bit_cases, required_data};

/// Cases where another outcome than Fluent Bit's is right, and why.
const DIFFERENT: [(&str, &str); 9] = [
    ("resourceSpans_missing", MISSING),
    ("scopeSpans_missing", MISSING),
    ("spans_missing", MISSING),
    ("event_missing_name", MISSING),
    ("link_missing_trace_id", LINK),
    ("link_invalid_span_id", LINK),
    ("link_trace_id_zero_length", LINK),
    ("link_span_id_zero_length", LINK),
    ("valid_with_event_and_link", "an enum is a number in OTLP/JSON, and \"OK\" is none: the member is told"),
];
const MISSING: &str =
    "in protobuf's JSON mapping a missing list is an empty one, and a missing text an empty one";
const LINK: &str = "what a link points to is kept as it was sent: the span is worth more than its link";

#[test]
fn conformance_otlp_traces() {
    let Some(data) = required_data() else { return };
    let mut tally = Tally::but_for(&DIFFERENT);
    let text = std::fs::read(data.join("opentelemetry-proto/examples/trace.json")).unwrap();
    tally.judge("trace.json of OpenTelemetry", same_as_opentelemetry(&text));
    for (name, case) in &fluent_bit_cases(&data, "traces.json") {
        tally.judge(name, same_as_fluent_bit(case));
    }
    let golden = std::fs::read_to_string(data.join("otelcol-contrib-golden/traces-roundtrip.yaml")).unwrap();
    let golden: Json = serde_saphyr::from_str(&golden).unwrap();
    tally.judge("traces-roundtrip.yaml", comes_back(golden.to_string().as_bytes()));
    let lines = std::fs::read_to_string(data.join("jaeger-ui/utils/fixtures/otlp2jaeger-multi-in.json.txt"));
    for (at, line) in lines.unwrap().lines().filter(|line| !line.trim().is_empty()).enumerate() {
        tally.judge(&format!("otlp2jaeger-multi-in.json.txt {at}"), comes_back(line.as_bytes()));
    }
    for path in files(&data) {
        let text = std::fs::read(&path).unwrap();
        if serde_json::from_slice::<Json>(&text).is_ok_and(|json| json.get("resourceSpans").is_some()) {
            tally.judge(&path.file_name().unwrap().to_string_lossy(), comes_back(&text));
        }
    }
    tally.finish("otlp traces");
}

/// Every JSON file below a directory, in order.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    let all = entries.into_iter().flat_map(below);
    all.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

fn same_as_opentelemetry(text: &[u8]) -> Result<(), String> {
    let expected: ExportTraceServiceRequest = serde_json::from_slice(text).unwrap();
    let bytes = decode_traces(text).map_err(|error| error.to_string())?;
    let decoded = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
    if decoded != expected {
        return Err(format!("{decoded:?}"));
    }
    comes_back(text)
}

/// A case is refused as a whole, or its span is left out for its ids.
fn same_as_fluent_bit(case: &Json) -> Result<(), String> {
    let text = case["input"].to_string();
    let decoded = decode_traces(text.as_bytes());
    let refused = match &decoded {
        Err(error) => Some(error.to_string()),
        Ok(bytes) => {
            let request = TracesRequest::parse(bytes).unwrap();
            request.spans().find_map(|(_, _, span)| span.id_fault()).map(|fault| fault.to_string())
        }
    };
    match (refused, case.get("expected_error")) {
        (Some(_), Some(_)) => Ok(()),
        (None, None) => comes_back(text.as_bytes()),
        (Some(reason), None) => Err(reason),
        (None, Some(error)) => Err(format!("taken, expected {}", error["code"])),
    }
}

/// What is decoded and written again is the same JSON, but for what means nothing.
fn comes_back(text: &[u8]) -> Result<(), String> {
    let bytes = decode_traces(text).map_err(|error| error.to_string())?;
    let written = encode_traces(&bytes);
    let json = |text: &[u8]| plain(&serde_json::from_slice::<Json>(text).unwrap());
    let (expected, actual) = (json(text), json(written.as_bytes()));
    (expected == actual).then_some(()).ok_or_else(|| format!("expected {expected}, got {actual}"))
}

/// Numbers as texts, ids in lower case, and without members at their default.
fn plain(value: &Json) -> Json {
    let number = |number: &serde_json::Number| match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 => format!("{float:.0}"),
        _ => number.to_string(),
    };
    let is_default = |value: &Json| match value {
        Json::Null => true,
        Json::String(text) => text.is_empty() || text == "0",
        Json::Object(members) => members.is_empty(),
        Json::Array(values) => values.is_empty(),
        _ => false,
    };
    match value {
        Json::Number(value) => Json::String(number(value)),
        Json::Object(members) => members
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                (_, Json::String(id)) if key.ends_with("Id") => (key.clone(), json!(id.to_lowercase())),
                _ => (key.clone(), plain(value)),
            })
            .filter(|(_, value)| !is_default(value))
            .collect(),
        Json::Array(values) => values.iter().map(plain).collect(),
        plain => plain.clone(),
    }
}

#[test]
fn conformance_zipkin() {
    let Some(data) = required_data() else { return };
    let mut tally = Tally::default();
    for path in files(&data.join("zipkin-lens")) {
        let text = std::fs::read(&path).unwrap();
        tally.judge(&path.file_name().unwrap().to_string_lossy(), all_spans_come_back(&text));
    }
    tally.finish("zipkin");
}

/// Every span is taken, and told in Zipkin's words again it is what was sent.
fn all_spans_come_back(text: &[u8]) -> Result<(), String> {
    let sent: Json = serde_json::from_slice(text).unwrap();
    let sent = sent.as_array().cloned().unwrap_or_else(|| vec![sent]);
    let report = decode_json(text, 1000, Room::new(&mut |_| true)).map_err(|error| error.to_string())?;
    if let Some(reason) = report.first_reason {
        return Err(reason);
    }
    let json: Json = serde_json::from_str(&encode_traces(&report.payload)).unwrap();
    let request = TracesRequest::parse(&report.payload).map_err(|error| error.to_string())?;
    if request.spans().any(|(_, _, span)| span.id_fault().is_some()) {
        return Err("a span without ids".to_owned());
    }
    let mut told: Vec<Json> = Vec::new();
    for resource in json["resourceSpans"].as_array().unwrap() {
        let service = attributes(&resource["resource"]).remove("service.name");
        for span in resource["scopeSpans"][0]["spans"].as_array().unwrap() {
            told.push(plain(&as_zipkin(span, service.clone())));
        }
    }
    if told.len() != sent.len() {
        return Err(format!("{} spans of {}", told.len(), sent.len()));
    }
    let mut sent: Vec<Json> = sent.iter().map(plain).collect();
    for spans in [&mut told, &mut sent] {
        spans.sort_by_key(Json::to_string);
    }
    match told.iter().zip(&sent).find(|(told, sent)| told != sent) {
        Some((told, sent)) => Err(format!("expected {sent}, got {told}")),
        None => Ok(()),
    }
}

fn attributes(of: &Json) -> serde_json::Map<String, Json> {
    let entries = of["attributes"].as_array().into_iter().flatten();
    let value = |entry: &Json| entry["value"].as_object().unwrap().values().next().unwrap().clone();
    entries.map(|entry| (entry["key"].as_str().unwrap().to_owned(), value(entry))).collect()
}

/// A span of OTLP/JSON as `docs/zipkin.md` says that it came.
fn as_zipkin(span: &Json, service: Option<Json>) -> Json {
    let micros = |time: &Json| time.as_str().map_or(0, |time| time.parse::<u64>().unwrap() / 1000);
    let (start, end) = (micros(&span["startTimeUnixNano"]), micros(&span["endTimeUnixNano"]));
    let mut tags = attributes(span);
    let mut endpoint = |service: Option<Json>, which: &str| {
        let address = tags.remove(&format!("network.{which}.address"));
        let is_v4 = address.as_ref().is_some_and(|address| address.as_str().unwrap().contains('.'));
        let (ipv4, ipv6) = if is_v4 { (address, None) } else { (None, address) };
        let ipv6 = ipv6.or_else(|| tags.remove(&format!("zipkin.{which}.ipv6")));
        let port = tags.remove(&format!("network.{which}.port"));
        json!({"serviceName": service, "ipv4": ipv4, "ipv6": ipv6, "port": port})
    };
    let local = endpoint(service, "local");
    let mut remote = endpoint(None, "peer");
    remote["serviceName"] = json!(tags.remove("peer.service"));
    let event = |event: &Json| json!({"timestamp": micros(&event["timeUnixNano"]), "value": event["name"]});
    let annotations: Vec<Json> = span["events"].as_array().into_iter().flatten().map(event).collect();
    let kinds = ["", "", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
    json!({
        "traceId": span["traceId"].as_str().unwrap().strip_prefix("0000000000000000").or(span["traceId"].as_str()),
        "parentId": span["parentSpanId"],
        "id": span["spanId"],
        "kind": kinds[span["kind"].as_u64().unwrap_or(0) as usize],
        "name": span["name"],
        "timestamp": start,
        "duration": end - start,
        "localEndpoint": local,
        "remoteEndpoint": remote,
        "annotations": annotations,
        "debug": tags.remove("zipkin.debug"),
        "shared": tags.remove("zipkin.shared"),
        "tags": tags,
    })
}
