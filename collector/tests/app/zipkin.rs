//! Zipkin's API: its own interface's fixtures go in as its senders send them and come back as they were; names,
//! searches and errors as its clients expect them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value as Json, json};

use crate::harness::{PASSWORD, Program, escape, json_of, seal};

fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let named =
        std::env::var_os("CONFORMANCE_DATA").map_or_else(|| "../shared/testdata".into(), PathBuf::from);
    let found = Some(root.join(named).join("06-traces-otlp/zipkin-lens")).filter(|path| path.exists());
    if found.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "NARROWS_CONFORMANCE=required, but CONFORMANCE_DATA names no directory with 06-traces-otlp/zipkin-lens"
        );
        eprintln!(
            "\n!!! ZIPKIN CONFORMANCE NOT RUN: set CONFORMANCE_DATA to a directory with 06-traces-otlp !!!\n"
        );
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conformance_zipkin_query() {
    let Some(data) = data() else { return };
    // The spans are of their time.
    let program = Program::with_config("retention: \"0\"\n");
    let mut files: Vec<_> = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let (mut passed, mut total, mut failures) = (0, 0, Vec::new());
    // Two of the files tell of one trace.
    let mut traces: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for path in &files {
        let file: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let spans = spans_of(&file);
        send(&program, &json!(spans)).await;
        for span in spans {
            let id = span["traceId"].as_str().unwrap().to_owned();
            traces.entry(id).or_default().push(span);
        }
    }
    for sealed in [false, true] {
        if sealed {
            seal(&program).await;
        }
        for (id, spans) in &traces {
            total += 1;
            let answer = wait_for(&program, id, spans.len()).await;
            let (ours, expected) = (normal(&answer), normal(&json!(spans)));
            if ours == expected {
                passed += 1;
            } else {
                let different = ours.iter().zip(&expected).filter(|(ours, expected)| ours != expected);
                let first = different.map(|(ours, expected)| format!("{ours}\nexpected {expected}")).next();
                failures.push(format!("{id}: {}", first.unwrap_or_else(|| format!("{} spans", ours.len()))));
            }
        }
    }
    println!("zipkin-query {passed}/{total}");
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(files.len(), 9, "all of them");
}

/// A span, or a list of them.
fn spans_of(file: &Json) -> Vec<Json> {
    match file {
        Json::Array(items) => items.iter().flat_map(spans_of).collect(),
        Json::Object(_) => vec![file.clone()],
        _ => Vec::new(),
    }
}

async fn send(program: &Program, spans: &Json) {
    let response = program.client.post(program.url("/zipkin/api/v2/spans")).json(spans).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED, "{}", response.text().await.unwrap());
}

/// What is acknowledged is searched a moment later.
async fn wait_for(program: &Program, id: &str, count: usize) -> Json {
    for _ in 0..500 {
        let asked = program.get(&format!("/zipkin/api/v2/trace/{id}")).basic_auth("admin", Some(PASSWORD));
        let response = asked.send().await.unwrap();
        if response.status() == StatusCode::OK {
            let answer: Json = response.json().await.unwrap();
            if answer.as_array().is_some_and(|spans| spans.len() >= count) {
                return answer;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the {count} spans of the trace {id} do not come");
}

/// Spans in an order of their own, without what is empty: a list of nothing is nothing.
fn normal(spans: &Json) -> Vec<Json> {
    let mut spans = spans.as_array().unwrap().clone();
    for span in &mut spans {
        let fields = span.as_object_mut().unwrap();
        fields.retain(|_, value| {
            !(value.is_null()
                || *value == json!([])
                || *value == json!({})
                || *value == json!(false)
                || *value == json!(""))
        });
        // Its own id is no parent.
        if fields.get("parentId") == fields.get("id") {
            fields.remove("parentId");
        }
        if let Some(notes) = fields.get_mut("annotations").and_then(Json::as_array_mut) {
            notes.sort_by_key(ToString::to_string);
        }
    }
    spans.sort_by_key(|span| {
        (span["timestamp"].as_u64(), span["id"].to_string(), span["kind"].to_string(), span.to_string())
    });
    spans
}

fn span(id: &str, kind: &str, service: &str, name: &str, at_us: u64) -> Json {
    json!({
        "traceId": "00000000000000aa", "id": id, "kind": kind, "name": name, "timestamp": at_us, "duration": 2_000,
        "localEndpoint": {"serviceName": service},
    })
}

fn now_us() -> u64 {
    crate::harness::now_ns() / 1000
}

#[tokio::test]
async fn names_and_searches_are_answered() {
    let program = Program::start();
    let now = now_us();
    let mut client = span("0000000000000001", "CLIENT", "front", "get /cart", now);
    client["remoteEndpoint"] = json!({"serviceName": "cart"});
    client["tags"] = json!({"http.method": "GET", "error": "late"});
    client["annotations"] = json!([{"timestamp": now, "value": "retry"}]);
    let mut server = span("0000000000000001", "SERVER", "cart", "get /cart", now);
    server["shared"] = json!(true);
    let mut other = span("0000000000000002", "SERVER", "cart", "get /", now);
    other["traceId"] = json!("00000000000000bb");
    send(&program, &json!([client, server, other])).await;
    wait_for(&program, "00000000000000aa", 2).await;
    for (path, expected) in [
        ("services", json!(["cart", "front"])),
        ("spans?serviceName=cart", json!(["get /", "get /cart"])),
        ("spans?serviceName=nobody", json!([])),
        ("remoteServices?serviceName=front", json!(["cart"])),
        ("remoteServices?serviceName=cart", json!([])),
        ("autocompleteValues?key=http.method", json!(["GET"])),
        ("autocompleteValues?key=password", json!([])),
        ("dependencies?endTs=1000", json!([])),
    ] {
        assert_eq!(program.json(&format!("/zipkin/api/v2/{path}")).await, expected, "{path}");
    }
    assert!(
        program.json("/zipkin/api/v2/autocompleteKeys").await.as_array().is_some_and(|keys| !keys.is_empty())
    );
    for (query, expected) in [
        ("", vec!["aa", "bb"]),
        ("serviceName=cart", vec!["aa", "bb"]),
        ("serviceName=front", vec!["aa"]),
        ("serviceName=cart&spanName=get%20%2F", vec!["bb"]),
        ("serviceName=front&spanName=get%20%2F", vec![]),
        ("remoteServiceName=cart", vec!["aa"]),
        ("annotationQuery=http.method%3DGET%20and%20retry%20and%20error", vec!["aa"]),
        ("annotationQuery=http.method%3DPOST", vec![]),
        ("minDuration=2000&maxDuration=2000", vec!["aa", "bb"]),
        ("minDuration=2001", vec![]),
        ("endTs=1000", vec![]),
    ] {
        let answer = program.json(&format!("/zipkin/api/v2/traces?{query}")).await;
        let mut ids: Vec<String> = answer
            .as_array()
            .unwrap()
            .iter()
            .map(|trace| trace[0]["traceId"].as_str().unwrap().trim_start_matches('0').to_owned())
            .collect();
        ids.sort();
        assert_eq!(ids, expected, "{query}: {answer}");
    }
    assert_eq!(program.json("/zipkin/api/v2/traces?limit=1").await.as_array().unwrap().len(), 1);
    let many = program.json("/zipkin/api/v2/traceMany?traceIds=aa,bb,cc").await;
    assert_eq!(
        many.as_array().unwrap().iter().map(|trace| trace.as_array().unwrap().len()).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(program.json("/zipkin/config.json").await["searchEnabled"], true);
    let health = program.get("/zipkin/health").send().await.unwrap();
    assert_eq!(json_of(health, StatusCode::OK).await["status"], "UP");
}

#[tokio::test]
async fn errors_are_lines_of_text() {
    let program = Program::start();
    for (path, status, text) in [
        ("trace/aa", StatusCode::NOT_FOUND, "there is no trace aa"),
        ("trace/xyz", StatusCode::BAD_REQUEST, "parameter traceId: \"xyz\" is not a trace id"),
        ("traceMany?traceIds=aa", StatusCode::BAD_REQUEST, "parameter traceIds: it has to be 2 to 100"),
        ("traces?limit=0", StatusCode::BAD_REQUEST, "parameter limit: it has to be 1 or more"),
        (
            &format!("traces?annotationQuery={}", escape("=x")),
            StatusCode::BAD_REQUEST,
            "parameter annotationQuery",
        ),
        ("spans", StatusCode::BAD_REQUEST, "parameter serviceName: it is missing"),
    ] {
        let asked = program.get(&format!("/zipkin/api/v2/{path}")).basic_auth("admin", Some(PASSWORD));
        let response = asked.send().await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!((response.status(), kind.as_str()), (status, "text/plain; charset=utf-8"), "{path}");
        let told = response.text().await.unwrap();
        assert!(told.starts_with(text), "{path}: {told}");
    }
}
