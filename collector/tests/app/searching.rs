//! The search API: shapes, pages, histograms, errors, the barrier.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{
    PASSWORD, Program, attribute, error_code, escape, json_of, now_ns, record, request, seal, text,
};

const SEARCH: &str = "/api/v1/narrows/logs/search";
const HISTOGRAM: &str = "/api/v1/narrows/logs/histogram";

/// `count` records, 10 ms apart, the last one now; the severity number goes round through 1 to 24.
fn series(count: u64) -> Vec<LogRecord> {
    let end = now_ns();
    let at = |index: u64| LogRecord {
        time_unix_nano: end - (count - 1 - index) * 10_000_000,
        severity_number: (index % 24 + 1) as i32,
        ..record(&format!("number {index}"))
    };
    (0..count).map(at).collect()
}

#[tokio::test]
async fn an_answer_has_its_documented_shape() {
    let program = Program::start();
    let nested = KeyValueList { values: vec![attribute("method", text("GET"))] };
    let sent = LogRecord {
        attributes: vec![
            attribute("http", AnyValue { value: Some(Value::KvlistValue(nested)) }),
            attribute("ok", AnyValue { value: Some(Value::BoolValue(false)) }),
        ],
        severity_text: "Warning".to_owned(),
        severity_number: 13,
        ..record("GET /cart took 250 ms")
    };
    program.send(&request("checkout", vec![sent])).await;
    let (head, _) = program.find("cart", 1).await;
    seal(&program).await;
    let (sealed, _) = program.find("cart", 1).await;
    assert_eq!(head["records"], sealed["records"], "in memory and sealed");
    let mut fields: Vec<_> = sealed.as_object().unwrap().keys().cloned().collect();
    fields.sort();
    assert_eq!(
        fields,
        ["matched", "next_cursor", "partial", "records", "searched", "table", "took_ms", "warnings"]
    );
    assert_eq!(
        (&sealed["partial"], &sealed["warnings"], &sealed["table"]),
        (&json!(false), &json!([]), &json!(null))
    );
    assert!(sealed["took_ms"].is_f64() && sealed["searched"].is_u64());
    let record = sealed["records"][0].as_object().unwrap();
    let mut fields: Vec<_> = record.keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = [
        "attributes",
        "body",
        "event_name",
        "flags",
        "host",
        "id",
        "observed_timestamp",
        "resource",
        "scope",
        "service",
        "severity",
        "severity_number",
        "span_id",
        "timestamp",
        "trace_id",
    ];
    assert_eq!(fields, expected);
    assert_eq!(record["attributes"], json!({"http": {"method": "GET"}, "ok": false}));
    assert_eq!(record["scope"], json!({"name": "test", "version": "1", "attributes": {}}));
    assert_eq!((&record["severity"], &record["host"]), (&json!("Warning"), &json!("app-1")));
    program.find("http.method:GET AND service:checkout AND severity:warn", 1).await;
}

#[tokio::test]
async fn pages_give_every_record_once_in_order() {
    let program = Program::start();
    program.send(&request("checkout", series(90))).await;
    program.find("*", 90).await;
    seal(&program).await;
    program.send(&request("checkout", series(7))).await;
    program.find("*", 97).await;
    for order in ["newest", "oldest"] {
        let (mut ids, mut times, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = program.json(&format!("{SEARCH}?limit=10&order={order}&cursor={cursor}")).await;
            assert_eq!(page["matched"], 97, "on every page");
            for record in page["records"].as_array().unwrap() {
                ids.push(record["id"].as_str().unwrap().to_owned());
                times.push(record["timestamp"].as_str().unwrap().to_owned());
            }
            let Some(next) = page["next_cursor"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        let sorted = if order == "oldest" { times.is_sorted() } else { times.iter().rev().is_sorted() };
        assert!(sorted, "{order}: {times:?}");
        assert_eq!(ids.len(), 97);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 97, "{order}: none twice");
    }
}

#[tokio::test]
async fn a_histogram_s_sum_is_what_matches() {
    let program = Program::start();
    program.send(&request("checkout", series(240))).await;
    program.find("*", 240).await;
    for query in ["*", "severity>=error", "number", "nothing"] {
        let query = escape(query);
        let matched = program.json(&format!("{SEARCH}?query={query}")).await["matched"].clone();
        for buckets in [1, 7, 120, 1000] {
            let answer = program.json(&format!("{HISTOGRAM}?query={query}&buckets={buckets}")).await;
            assert_eq!(answer["matched"], matched);
            let series = answer["series"].as_array().unwrap();
            let count = answer["buckets"].as_u64().unwrap();
            assert!(count <= buckets + 1, "{count} of {buckets}");
            let mut sum = 0;
            for one in series {
                let counts = one["counts"].as_array().unwrap();
                assert_eq!(counts.len() as u64, count);
                sum += counts.iter().map(|count| count.as_u64().unwrap()).sum::<u64>();
            }
            assert_eq!(json!(sum), matched, "{query} in {buckets}");
        }
    }
    let all = program.json(&format!("{HISTOGRAM}?query=*")).await;
    let names: Vec<_> = all["series"].as_array().unwrap().iter().map(|one| one["severity"].clone()).collect();
    assert_eq!(names, ["fatal", "error", "warn", "info", "debug", "trace"]);
    assert_eq!((&all["bucket_ms"], &all["partial"]), (&json!(30_000), &json!(false)));
    assert!(all["start"].as_str().unwrap().ends_with("0.000000000Z"), "{all}");
}

#[tokio::test]
async fn stats_and_top_give_tables() {
    let program = Program::start();
    program.send(&request("checkout", series(24))).await;
    program.send(&request("cart", series(6))).await;
    program.find("*", 30).await;
    let query = escape("* | stats count() as n by (service)");
    let answer = program.json(&format!("{SEARCH}?query={query}")).await;
    let columns = json!([{"name": "service", "kind": "string"}, {"name": "n", "kind": "number"}]);
    assert_eq!(answer["table"]["columns"], columns);
    let mut rows: Vec<_> =
        answer["table"]["rows"].as_array().unwrap().iter().map(ToString::to_string).collect();
    rows.sort();
    assert_eq!(rows, ["[\"cart\",6]", "[\"checkout\",24]"]);
    assert_eq!((&answer["records"], &answer["matched"]), (&json!([]), &json!(30)));
    let top = program.json(&format!("{SEARCH}?query={}", escape("* | top 1 service"))).await;
    assert_eq!(top["table"]["rows"][0][0], "checkout");
}

#[tokio::test]
async fn too_many_groups_are_the_asker_s_to_change() {
    let program = Program::start();
    let wide = |batch: u64| {
        let one = |index: u64| LogRecord {
            attributes: vec![attribute("order", text(&(batch * 17_000 + index).to_string()))],
            ..record("x")
        };
        request("checkout", (0..17_000).map(one).collect())
    };
    for batch in 0..6 {
        program.send(&wide(batch)).await;
    }
    program.find("*", 102_000).await;
    let path = format!("{SEARCH}?query={}", escape("* | stats count() by (order)"));
    let response = program.get(&path).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    let body = json_of(response, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(body["error"]["code"], "query_too_large");
    assert!(body["error"]["hint"].is_string(), "{body}");
}

#[tokio::test]
async fn errors_point_at_characters() {
    let program = Program::start();
    for (query, start) in [("äö severity>", 3), ("a AND (b", 6), ("* | nosuch", 4)] {
        let response = program.get(&format!("{SEARCH}?query={}", escape(query)));
        let response = response.basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
        let body = json_of(response, StatusCode::BAD_REQUEST).await;
        assert_eq!(body["error"]["code"], "bad_query", "{body}");
        let position = &body["error"]["position"];
        let (from, to) = (position["start"].as_u64().unwrap(), position["end"].as_u64().unwrap());
        assert!(from <= to && to <= query.chars().count() as u64, "{query}: {body}");
        let parsed = program.json(&format!("/api/v1/narrows/logs/parse?query={}", escape(query))).await;
        assert_eq!(&parsed["error"]["position"], position);
        assert_eq!(parsed["error"]["message"], body["error"]["message"]);
        assert!(from.abs_diff(start) <= 2, "{query}: {body}");
    }
}

#[tokio::test]
async fn a_query_is_read_without_being_run() {
    let program = Program::start();
    let parsed = program
        .json(&format!("/api/v1/narrows/logs/parse?query={}", escape("service:cart \"a b\" | top 5 x")))
        .await;
    assert_eq!(parsed["error"], json!(null));
    let tokens = parsed["tokens"].as_array().unwrap();
    let kinds: Vec<_> = tokens.iter().map(|token| token["kind"].as_str().unwrap()).collect();
    for kind in ["field", "operator", "value", "string", "verb", "number"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    let empty = program.json("/api/v1/narrows/logs/parse?query=").await;
    assert_eq!(empty, json!({"tokens": [], "error": null}));
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let program = Program::start();
    let cases = [
        (SEARCH, "start=5&end=5", "start"),
        (SEARCH, "start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "start"),
        (SEARCH, "start=yesterday", "start"),
        (SEARCH, "end=1795601859000", "end"),
        (SEARCH, "limit=0", "limit"),
        (SEARCH, "limit=10001", "limit"),
        (SEARCH, "limit=x", "limit"),
        (SEARCH, "order=random", "order"),
        (SEARCH, "cursor=zzz", "cursor"),
        (HISTOGRAM, "buckets=0", "buckets"),
        (HISTOGRAM, "buckets=1001", "buckets"),
        (HISTOGRAM, "start=x", "start"),
    ];
    for (path, parameters, name) in cases {
        let response = program
            .get(&format!("{path}?{parameters}"))
            .basic_auth("admin", Some(PASSWORD))
            .send()
            .await
            .unwrap();
        let body = json_of(response, StatusCode::BAD_REQUEST).await;
        assert_eq!(body["error"]["code"], "bad_parameter", "{body}");
        assert!(
            body["error"]["message"].as_str().unwrap().starts_with(&format!("parameter {name}: ")),
            "{body}"
        );
    }
    let twice = program
        .get(&format!("{SEARCH}?limit=1&limit=2"))
        .basic_auth("admin", Some(PASSWORD))
        .send()
        .await
        .unwrap();
    assert_eq!(error_code(twice, StatusCode::BAD_REQUEST).await, "bad_request");
    let seal = program
        .client
        .post(program.url("/api/v1/narrows/admin/seal?merge=maybe"))
        .basic_auth("admin", Some(PASSWORD));
    assert_eq!(error_code(seal.send().await.unwrap(), StatusCode::BAD_REQUEST).await, "bad_parameter");
    let nothing =
        program.get("/api/v1/narrows/nothing").basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(error_code(nothing, StatusCode::NOT_FOUND).await, "not_found");
    let method =
        program.client.post(program.url(SEARCH)).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(error_code(method, StatusCode::METHOD_NOT_ALLOWED).await, "method_not_allowed");
}

#[tokio::test]
async fn both_forms_of_time_bound_the_range() {
    let program = Program::start();
    let sent = series(100);
    let (first, last) = (sent[0].time_unix_nano, sent[99].time_unix_nano);
    program.send(&request("checkout", sent)).await;
    program.find("*", 100).await;
    let seconds = |ns: u64| format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    let matched = async |start: String, end: String| {
        program.json(&format!("{SEARCH}?start={}&end={}", escape(&start), escape(&end))).await["matched"]
            .clone()
    };
    assert_eq!(matched(seconds(first), seconds(last)).await, 99, "the end is exclusive");
    assert_eq!(matched(seconds(first), seconds(last + 1)).await, 100);
    assert_eq!(matched(seconds(first + 1), seconds(last + 1)).await, 99);
    let oldest =
        program.json(&format!("{SEARCH}?order=oldest&limit=1")).await["records"][0]["timestamp"].clone();
    assert_eq!(matched(oldest.as_str().unwrap().to_owned(), seconds(last + 1)).await, 100);
}

#[tokio::test]
async fn lines_of_the_audit_log_were_not_sent() {
    let program = Program::with_config("own_metrics: false\n");
    assert_eq!(program.try_log_in("admin", PASSWORD).await.status(), StatusCode::NO_CONTENT);
    let counts = async || {
        seal(&program).await;
        let status = program.json("/api/v1/narrows/status").await;
        (status["logs"]["records"].as_u64().unwrap(), status["logs"]["sent"].as_u64().unwrap())
    };
    assert_eq!(counts().await, (1, 0));
    // By the collector's name alone a record is not the collector's.
    program.send(&request("narrows", series(2))).await;
    assert_eq!(counts().await, (3, 2));
}

#[tokio::test]
async fn the_barrier_answers_when_everything_is_sealed() {
    let program = Program::with_config("own_metrics: false\n");
    for batch in 0..5 {
        program.send(&request("checkout", series(10 + batch))).await;
    }
    let report = seal(&program).await;
    assert_eq!(
        (&report["splits"], &report["sealed_offsets"]),
        (&json!(1), &json!({"logs-0": 5, "samples-0": 0, "spans-0": 0}))
    );
    assert!(report["took_ms"].is_u64());
    assert_eq!(program.json(SEARCH).await["matched"], 60, "at once");
    let status = program.json("/api/v1/narrows/status").await;
    assert_eq!((&status["logs"]["records"], &status["logs"]["splits"]), (&json!(60), &json!(1)));
    assert!(
        status["logs"]["bytes_on_disk"].as_u64().unwrap() > 0
            && status["logs"]["last_received_at"].is_string()
    );
    assert_eq!(
        (&status["ready"], &status["reasons"], &status["damaged"]),
        (&json!(true), &json!([]), &json!([]))
    );
    assert_eq!(status["otlp"]["http"], program.http);
    assert_eq!(status["otlp"]["grpc"], program.grpc);
    let ready = json_of(program.get("/-/ready").send().await.unwrap(), StatusCode::OK).await;
    assert_eq!(ready, json!({"ready": true, "reasons": []}));
    let ready = program.json("/-/ready").await;
    assert_eq!(ready, json!({"ready": true, "reasons": [], "damaged": []}));
}

#[tokio::test]
async fn large_answers_are_packed_and_never_cached() {
    let program = Program::start();
    program.send(&request("checkout", series(100))).await;
    program.find("*", 100).await;
    let request = program.get(SEARCH).basic_auth("admin", Some(PASSWORD));
    let plain = request.try_clone().unwrap().send().await.unwrap();
    assert_eq!(plain.headers().get("content-encoding"), None);
    assert_eq!(plain.headers()["cache-control"], "no-store");
    let plain = plain.bytes().await.unwrap();
    let packed = request.header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["vary"], "accept-encoding");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() * 4 < plain.len(), "{} of {}", packed.len(), plain.len());
}

#[tokio::test]
async fn stored_markup_stays_text() {
    let program = Program::start();
    program.send(&request("<img src=x>", vec![record("<script>alert(1)</script>")])).await;
    program.find("alert", 1).await;
    let response = program.get(SEARCH).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
}
