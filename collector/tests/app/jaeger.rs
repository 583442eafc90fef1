//! Jaeger's API against Jaeger's own fixtures: storage queries, conversions from OTLP, and traces as its UI has them,
//! which go through the whole program and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use telemetry::jaeger;
use telemetry::otlp::TracesRequest;
use telemetry::otlp::json::decode_traces;

use crate::harness::{PASSWORD, Program, escape, json_of, seal};

const STORAGE: &str = "jaeger/internal/storage/integration/fixtures";
const CONVERSION: &str = "jaeger/cmd/jaeger/internal/extension/jaegerquery/internal/fixture";
const UI: &str = "jaeger-ui/utils/fixtures";
const TABLES: &str = "jaeger-ui/components/TracePage/TraceStatistics/tableValuesTestTrace";

fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let found = Some(root.join(named).join("06-traces-otlp")).filter(|path| path.exists());
    if found.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 06-traces-otlp"
        );
        eprintln!(
            "\n!!! JAEGER CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 06-traces-otlp !!!\n"
        );
    }
    found
}

#[derive(Default)]
struct Tally {
    passed: usize,
    total: usize,
    failures: Vec<String>,
}

impl Tally {
    fn judge(&mut self, name: &str, outcome: Result<(), String>) {
        self.total += 1;
        match outcome {
            Ok(()) => self.passed += 1,
            Err(failure) => self.failures.push(format!("{name}: {failure}")),
        }
    }

    fn same(&mut self, name: &str, ours: &Json, expected: &Json) {
        let outcome = if ours == expected { Ok(()) } else { Err(format!("{ours}\nexpected {expected}")) };
        self.judge(name, outcome);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conformance_jaeger() {
    let Some(data) = data() else { return };
    let mut tally = Tally::default();
    conversions(&data, &mut tally);
    // The traces are of 2017 and of their time.
    let program = Program::with_config("retention: \"0\"\n");
    queries(&program, &data, &mut tally).await;
    traces_of_the_ui(&program, &data, &mut tally).await;
    println!("jaeger {}/{}", tally.passed, tally.total);
    assert!(tally.failures.is_empty(), "{:#?}", tally.failures);
}

/// `*-in` becomes `*-out`.
fn conversions(data: &Path, tally: &mut Tally) {
    let ours = |path: PathBuf| envelope(&convert(&std::fs::read(path).unwrap()));
    let out = read(&data.join(CONVERSION).join("otlp2jaeger-out.json"));
    tally.same("otlp2jaeger", &ours(data.join(CONVERSION).join("otlp2jaeger-in.json")), &out);
    // The UI's copy calls the scope as OpenTelemetry did before.
    let out = renamed(&read(&data.join(UI).join("otlp2jaeger-out.json")));
    tally.same("otlp2jaeger of the UI", &ours(data.join(UI).join("otlp2jaeger-in.json")), &out);
    let out = of_the_store(&renamed(&read(&data.join(UI).join("oltp2jaeger-multi-out.json"))));
    for name in ["otlp2jaeger-multi-in-combined.json", "otlp2jaeger-multi-in.json.txt"] {
        let text = std::fs::read_to_string(data.join(UI).join(name)).unwrap();
        // A request a line, or one of many lines.
        let is_lines = name.ends_with("txt");
        let requests: Vec<&str> = if is_lines { text.lines().collect() } else { vec![&text] };
        let payload: Vec<u8> = requests.iter().flat_map(|text| convert(text.as_bytes())).collect();
        tally.same(name, &of_the_store(&envelope(&payload)), &out);
    }
    let without_service = std::fs::read(data.join(UI).join("otlp2jaeger-in-error.json")).unwrap();
    let process = &envelope(&convert(&without_service))["data"][0]["processes"]["p1"];
    tally.same("without a service", process, &json!({"serviceName": "unknown_service", "tags": []}));
}

/// OTLP/JSON as protobuf.
fn convert(text: &[u8]) -> Vec<u8> {
    decode_traces(text).unwrap()
}

fn envelope(payload: &[u8]) -> Json {
    let traces = jaeger::traces(&TracesRequest::parse(payload).unwrap());
    json!({"data": traces, "total": 0, "limit": 0, "offset": 0, "errors": null})
}

fn renamed(json: &Json) -> Json {
    serde_json::from_str(&json.to_string().replace("otel.library.", "otel.scope.")).unwrap()
}

/// Without what the UI computes for itself, and without an order of spans.
fn of_the_store(answer: &Json) -> Json {
    let mut spans = BTreeMap::new();
    for span in answer["data"][0]["spans"].as_array().unwrap() {
        let mut span = span.clone();
        let fields = span.as_object_mut().unwrap();
        for computed in ["process", "relativeStartTime", "depth", "hasChildren", "childSpanIds", "warnings"] {
            fields.remove(computed);
        }
        for reference in fields["references"].as_array_mut().unwrap() {
            reference.as_object_mut().unwrap().remove("span");
        }
        spans.insert(span["spanID"].as_str().unwrap().to_owned(), span);
    }
    json!({"spans": spans, "processes": answer["data"][0]["processes"]})
}

/// The traces of Jaeger's storage tests, and each query's answer: while they are in memory, and sealed.
async fn queries(program: &Program, data: &Path, tally: &mut Tally) {
    let storage = data.join(STORAGE);
    let mut ids = BTreeMap::new();
    for entry in std::fs::read_dir(storage.join("traces")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let trace: Json = serde_json::from_slice(&text).unwrap();
        let id = trace["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"].as_str().unwrap();
        ids.insert(
            path.file_stem().unwrap().to_string_lossy().into_owned(),
            id.trim_start_matches('0').to_owned(),
        );
        send(program, text).await;
    }
    let queries = read(&storage.join("queries.json"));
    let queries = queries.as_array().unwrap();
    assert_eq!(queries.len(), 25, "all of them");
    for id in ids.values() {
        wait_for(program, id).await;
    }
    for sealed in [false, true] {
        if sealed {
            seal(program).await;
        }
        for query in queries {
            let of = |fixture: &Json| ids[fixture.as_str().unwrap()].clone();
            let expected: BTreeSet<String> =
                query["ExpectedFixtures"].as_array().unwrap().iter().map(of).collect();
            let answer = program.json(&format!("/jaeger/api/traces?{}", query_string(&query["Query"]))).await;
            let found: BTreeSet<String> = trace_ids(&answer);
            let name = format!("{}{}", query["Caption"], if sealed { ", sealed" } else { "" });
            tally.same(&name, &json!(found), &json!(expected));
        }
    }
}

async fn send(program: &Program, otlp_json: Vec<u8>) {
    let request = program.client.post(program.url("/v1/traces")).header("content-type", "application/json");
    let response = request.body(otlp_json).send().await.unwrap();
    assert_eq!(json_of(response, StatusCode::OK).await, json!({}));
}

/// What is acknowledged is searched a moment later.
async fn wait_for(program: &Program, id: &str) {
    for _ in 0..500 {
        let asked = program.get(&format!("/jaeger/api/traces/{id}")).basic_auth("admin", Some(PASSWORD));
        if asked.send().await.unwrap().status() == StatusCode::OK {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the trace {id} does not come");
}

/// A query of the storage tests as a client would send it.
fn query_string(query: &Json) -> String {
    let micros = |name: &str| {
        let time = time::OffsetDateTime::parse(
            query[name].as_str().unwrap(),
            &time::format_description::well_known::Rfc3339,
        );
        time.unwrap().unix_timestamp_nanos() / 1000
    };
    let mut text = format!(
        "service={}&start={}&end={}&limit={}",
        escape(query["ServiceName"].as_str().unwrap()),
        micros("StartTimeMin"),
        micros("StartTimeMax"),
        query["NumTraces"],
    );
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            text.extend(["&", name, "=", &escape(value)]);
        }
    };
    add("operation", query["OperationName"].as_str().unwrap());
    if query["Tags"].is_object() {
        add("tags", &query["Tags"].to_string());
    }
    for (name, of) in [("minDuration", "DurationMin"), ("maxDuration", "DurationMax")] {
        // Durations of Go are nanoseconds.
        match query[of].as_u64().unwrap() {
            0 => {}
            ns => add(name, &format!("{ns}ns")),
        }
    }
    text
}

fn trace_ids(answer: &Json) -> BTreeSet<String> {
    let traces = answer["data"].as_array().unwrap_or_else(|| panic!("{answer}"));
    traces.iter().map(|trace| trace["traceID"].as_str().unwrap().trim_start_matches('0').to_owned()).collect()
}

/// Traces in Jaeger's form go in as OTLP and come back as they were.
async fn traces_of_the_ui(program: &Program, data: &Path, tally: &mut Tally) {
    let mut files = vec![
        data.join("quickwit-jaeger/jaeger_ui_trace.json"),
        data.join("jaeger-ui/components/TracePage/TraceGraph/testTrace.json"),
        data.join("jaeger/cmd/anonymizer/app/uiconv/fixtures/trace_success.json"),
    ];
    files.extend(std::fs::read_dir(data.join(TABLES)).unwrap().map(|entry| entry.unwrap().path()));
    files.sort();
    for (number, path) in files.iter().enumerate() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Several of the files have the same id.
        let (id, trace) = with_ids(&read(path), number as u64 + 0x1000);
        let payload = jaeger::decode(trace.to_string().as_bytes()).unwrap();
        let request =
            program.client.post(program.url("/v1/traces")).header("content-type", "application/x-protobuf");
        let response = request.body(payload).send().await.unwrap();
        let refused = response.bytes().await.unwrap();
        tally.judge(
            &format!("{name} is taken"),
            if refused.is_empty() { Ok(()) } else { Err(format!("{refused:?}")) },
        );
        wait_for(program, &id).await;
        let answer = program.json(&format!("/jaeger/api/traces/{id}")).await;
        tally.same(&name, &normal(&answer["data"][0]), &normal(&trace));
    }
    for (name, text) in [("trace_invalid_json", "invalid"), ("trace_wrong_format", "missing field `spans`")] {
        let path = data.join(format!("jaeger/cmd/anonymizer/app/uiconv/fixtures/{name}.json"));
        let error = jaeger::decode(&std::fs::read(path).unwrap()).unwrap_err().to_string();
        tally.judge(name, if error.contains(text) { Ok(()) } else { Err(error) });
    }
}

/// The trace with ids that are ids (some fixtures have names there), of its own.
fn with_ids(file: &Json, number: u64) -> (String, Json) {
    let id = format!("{number:016x}");
    let mut trace = if file.is_array() { json!({"spans": file}) } else { file.clone() };
    trace["traceID"] = json!(id);
    let span_id = |text: &Json| {
        let text = text.as_str().unwrap();
        let is_hex = text.len() <= 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let hashed =
            || text.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        if is_hex { format!("{text:0>16}") } else { format!("{:016x}", hashed()) }
    };
    let own = file.get("traceID").or_else(|| file[0].get("traceID")).cloned().unwrap();
    for span in trace["spans"].as_array_mut().unwrap() {
        span["traceID"] = json!(id);
        span["spanID"] = json!(span_id(&span["spanID"]));
        for reference in span["references"].as_array_mut().into_iter().flatten() {
            reference["spanID"] = json!(span_id(&reference["spanID"]));
            let is_own = reference["traceID"] == own;
            let other = reference["traceID"].as_str().unwrap_or_default().to_owned();
            reference["traceID"] = json!(if is_own { id.clone() } else { other });
        }
    }
    (id, trace)
}

/// Spans by time and id, tags by key; what is optional and empty is left out; processes inside of their spans.
fn normal(trace: &Json) -> Json {
    let span = |span: &Json| {
        let process = span
            .get("process")
            .unwrap_or(&trace["processes"][span["processID"].as_str().unwrap_or_default()]);
        let logs: Vec<_> = span["logs"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|log| json!({"at": log["timestamp"], "fields": tags(&log["fields"])}))
            .collect();
        let warnings = span["warnings"].as_array().filter(|warnings| !warnings.is_empty());
        json!({
            "at": span["startTime"], "id": span["spanID"], "trace": span["traceID"], "name": span["operationName"],
            "took": span["duration"], "references": span["references"].as_array().into_iter().flatten().collect::<Vec<_>>(), "tags": tags(&span["tags"]), "logs": logs,
            "process": {"name": process["serviceName"], "tags": tags(&process["tags"])},
            "warnings": warnings, "sampled": span["flags"].as_u64().unwrap_or(0) & 1,
        })
    };
    let mut spans: Vec<Json> = trace["spans"].as_array().unwrap().iter().map(span).collect();
    spans.sort_by_key(|span| (span["at"].as_u64(), span.to_string()));
    json!(spans)
}

/// By key; types as the values have them. A status is told twice in OpenTelemetry's form, and once before.
fn tags(tags: &Json) -> Json {
    let tag = |tag: &Json| {
        let value = match (&tag["value"], tag["type"].as_str()) {
            (Json::String(text), Some("bool")) => json!(text == "true"),
            (Json::String(text), Some("int64")) => {
                text.parse::<i64>().map_or(json!(text), |number| json!(number))
            }
            (value, _) => value.clone(),
        };
        (tag["key"].as_str().unwrap().to_owned(), tag["type"].clone(), value)
    };
    let mut tags: Vec<_> = tags.as_array().into_iter().flatten().map(tag).collect();
    tags.retain(|(key, ..)| key != "otel.status_code");
    tags.sort_by_key(|tag| format!("{tag:?}"));
    json!(tags)
}

fn read(path: &Path) -> Json {
    serde_json::from_slice(&std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .unwrap()
}
