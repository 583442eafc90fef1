//! What the log explorer asks beside searching: facets, fields, values, context.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{
    PASSWORD, Program, attribute, error_code, escape, json_of, now_ns, record, request, seal, text,
};

const FACETS: &str = "/api/v1/narrows/logs/facets";
const FIELDS: &str = "/api/v1/narrows/logs/fields";
const VALUES: &str = "/api/v1/narrows/logs/values";
const CONTEXT: &str = "/api/v1/narrows/logs/context";

fn int(number: i64) -> AnyValue {
    AnyValue { value: Some(Value::IntValue(number)) }
}

/// Every third fails; routes and orders are many.
fn access(index: u64) -> LogRecord {
    let status = if index.is_multiple_of(3) { 503 } else { 200 };
    LogRecord {
        severity_number: if status == 503 { 17 } else { 9 },
        attributes: vec![
            attribute("http.status_code", int(status)),
            attribute("http.route", text(&format!("/route/{}", index % 7))),
            attribute("cached", AnyValue { value: Some(Value::BoolValue(index.is_multiple_of(2))) }),
            attribute("order", text(&format!("order-{index}"))),
            attribute("bytes", int((index % 30 * 100) as i64)),
        ],
        ..record(&format!("request {index}"))
    }
}

#[tokio::test]
async fn the_work_of_a_query_is_told() {
    let program = Program::start();
    program.send(&request("checkout", (0..40).map(access).collect())).await;
    program.find("*", 40).await;
    seal(&program).await;
    program.send(&request("cart", (0..3).map(access).collect())).await;
    program.find("*", 43).await;
    let explain = async |query: &str| {
        program.json(&format!("/api/v1/narrows/logs/explain?query={}", escape(query))).await
    };
    let nothing = json!({"severity": 0, "stream": 0, "filter": 0, "index": 0, "signatures": 0, "several": 0});
    let all = explain("*").await;
    assert_eq!(
        (&all["splits"], &all["blocks"]["total"], &all["blocks"]["read"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(all["rows"], json!({"head": 3, "read": 40, "matched": 43}));
    let counted = explain("* | stats count()").await;
    assert_eq!((&counted["blocks"]["by_statistics"], &counted["blocks"]["read"]), (&json!(1), &json!(0)));
    assert_eq!(counted["blocks"]["ruled_out_by"], nothing);
    for (query, by) in [
        ("severity:fatal", "severity"),
        ("service:cart nosuchword", "stream"),
        ("nosuchword", "signatures"),
        ("trace_id:4bf92f3577b34da6a3ce929d0e0e4736", "filter"),
    ] {
        let explained = explain(query).await;
        assert_eq!(
            (&explained["blocks"]["ruled_out_by"][by], &explained["blocks"]["read"]),
            (&json!(1), &json!(0)),
            "{query}: {explained}"
        );
    }
    assert_eq!(explain("(a  b) OR  (c)").await["query"], "(a b) OR c");
    assert_eq!(all["patterns"], json!(null));
    let listed = explain("* | patterns").await;
    assert_eq!(listed["patterns"], json!({"read": 1, "read_rows": 40, "kept": 0, "head_rows": 3}));
    assert_eq!(listed["rows"], json!({"head": 3, "read": 40, "matched": 43}));
}

#[tokio::test]
async fn patterns_are_listed_and_searched_by_their_id() {
    let program = Program::start();
    let refused =
        |n: u64| record(&format!("connection to 10.0.0.{}:5432 refused on attempt {} today", n % 4, 100 + n));
    program.send(&request("checkout", (0..40).map(refused).collect())).await;
    program.find("*", 40).await;
    seal(&program).await;
    program.send(&request("cart", (0..3).map(refused).chain((0..5).map(access)).collect())).await;
    program.find("*", 48).await;

    let answer = program.json("/api/v1/narrows/logs/patterns?limit=1").await;
    assert_eq!(
        (&answer["matched"], &answer["total"], &answer["without_pattern"]),
        (&json!(48), &json!(2), &json!(0))
    );
    assert_eq!(answer["patterns"].as_array().unwrap().len(), 1);
    let pattern = &answer["patterns"][0];
    assert_eq!(pattern["template"], "connection to <ip> refused on attempt <num> today");
    assert_eq!((&pattern["count"], &pattern["is_new"]), (&json!(43), &json!(true)));
    assert_eq!(
        pattern["services"],
        json!([{"value": "checkout", "count": 40}, {"value": "cart", "count": 3}])
    );
    assert_eq!(pattern["parameters"][1]["kind"], "num");
    assert_eq!(
        (&pattern["parameters"][1]["min"], &pattern["parameters"][1]["max"]),
        (&json!(100.0), &json!(139.0))
    );
    let counted: u64 =
        pattern["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, 43);

    let id = pattern["id"].as_str().unwrap();
    program.find(&format!("pattern:{id}"), 43).await;
    program.find(&format!("-pattern:{id} service:cart"), 5).await;
    let example = pattern["examples"][0]["id"].as_str().unwrap();
    let context = program.json(&format!("{CONTEXT}?id={example}&before=0&after=0&same=none")).await;
    assert_eq!(context["record"]["body"], pattern["examples"][0]["body"]);
    let table = program
        .json(&format!("/api/v1/narrows/logs/search?query={}", escape("* | patterns | limit 1")))
        .await;
    assert_eq!(table["table"]["rows"][0][0], id);
    assert_eq!(table["table"]["rows"][0][2], 43);
}

#[tokio::test]
async fn facets_count_values_in_head_and_splits() {
    let program = Program::start();
    program.send(&request("checkout", (0..60).map(access).collect())).await;
    program.find("*", 60).await;
    seal(&program).await;
    program.send(&request("cart", (60..90).map(access).collect())).await;
    program.find("*", 90).await;

    let asked = "fields=service,severity,http.status_code,cached,nosuch&limit=1";
    let facets = program.json(&format!("{FACETS}?{asked}")).await;
    let expected = json!([
        {"field": "service", "values": [{"value": "checkout", "count": 60}], "missing": 0, "other": 30, "distinct": 2},
        {"field": "severity", "values": [{"value": "info", "count": 60}], "missing": 0, "other": 30, "distinct": 2},
        {"field": "http.status_code", "values": [{"value": 200, "count": 60}], "missing": 0, "other": 30, "distinct": 2},
        {"field": "cached", "values": [{"value": false, "count": 45}], "missing": 0, "other": 45, "distinct": 2},
        {"field": "nosuch", "values": [], "missing": 90, "other": 0, "distinct": 0},
    ]);
    assert_eq!(facets["fields"], expected);
    assert_eq!(
        (&facets["matched"], &facets["sampled"], &facets["partial"], &facets["warnings"]),
        (&json!(90), &json!(false), &json!(false), &json!([]))
    );

    let filtered = program
        .json(&format!("{FACETS}?query={}&fields=http.status_code", escape("severity:error | top 1 service")))
        .await;
    assert_eq!(filtered["fields"][0]["values"], json!([{"value": 503, "count": 30}]), "stages do not count");

    let chosen = program.json(FACETS).await;
    let names: Vec<_> = chosen["fields"].as_array().unwrap().iter().map(|one| one["field"].clone()).collect();
    let expected =
        ["severity", "service", "host", "cached", "http.route", "http.status_code", "bytes", "order"];
    assert_eq!(names, expected, "what all tell apart comes last");
}

#[tokio::test]
async fn fields_are_named_as_a_query_would() {
    let program = Program::start();
    let odd = LogRecord {
        attributes: vec![attribute("level", text("high")), attribute("n", text("x"))],
        ..access(0)
    };
    let number = LogRecord { attributes: vec![attribute("n", int(5))], ..access(0) };
    program.send(&request("checkout", vec![odd, number, access(1), access(2)])).await;
    program.find("*", 4).await;
    let answer = program.json(FIELDS).await;
    assert_eq!(answer["sampled_records"], 4);
    let field = |name: &str| {
        let found = answer["fields"].as_array().unwrap().iter().find(|field| field["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {answer}")).clone()
    };
    assert_eq!(
        field("http.status_code"),
        json!({"name": "http.status_code", "kind": "attribute", "type": "number", "share": 0.5})
    );
    assert_eq!(field("attributes.level")["type"], "string", "`level` is the severity");
    assert_eq!(field("n"), json!({"name": "n", "kind": "attribute", "type": "mixed", "share": 0.5}));
    assert_eq!(field("cached")["type"], "bool");
    assert_eq!(
        field("service"),
        json!({"name": "service", "kind": "builtin", "type": "string", "share": 1.0})
    );
    assert_eq!(field("trace_id")["share"], 0.0);
    let some = program.json(&format!("{FIELDS}?prefix=HTTP")).await;
    let names: Vec<_> = some["fields"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["http.route", "http.status_code"]);
}

#[tokio::test]
async fn values_complete_what_is_typed() {
    let program = Program::start();
    program.send(&request("checkout", (0..30).map(access).collect())).await;
    program.send(&request("Cart", (0..10).map(access).collect())).await;
    program.find("*", 40).await;
    let services = program.json(&format!("{VALUES}?field=service&prefix=ca")).await;
    assert_eq!(
        (&services["values"], &services["more"]),
        (&json!([{"value": "Cart", "count": 10}]), &json!(0))
    );
    let orders = program.json(&format!("{VALUES}?field=order&prefix=order-1&limit=5")).await;
    assert_eq!(orders["values"].as_array().unwrap().len(), 5);
    assert_eq!(orders["more"], 6, "1 and 10 to 19");
    let codes =
        program.json(&format!("{VALUES}?field=http.status_code&prefix=5&query=service:checkout")).await;
    assert_eq!(codes["values"], json!([{"value": 503, "count": 10}]));
}

/// Two files of one host, and another host, by turns, 10 ms apart.
async fn three_streams(program: &Program) -> Vec<String> {
    let begun = now_ns();
    for index in 0..90 {
        let service = if index % 3 == 2 { "cart" } else { "checkout" };
        let file = format!("/var/log/{}.log", index % 3);
        let one = LogRecord {
            time_unix_nano: begun - (90 - index) * 10_000_000,
            attributes: vec![attribute("log.file.path", text(&file))],
            ..record(&format!("line {index}"))
        };
        program.send(&request(service, vec![one])).await;
    }
    let (answer, _) = program.find("*", 90).await;
    let ids =
        answer["records"].as_array().unwrap().iter().rev().map(|one| one["id"].as_str().unwrap().to_owned());
    ids.collect()
}

fn bodies(records: &serde_json::Value) -> Vec<String> {
    let records = records.as_array().unwrap().iter();
    records.map(|record| record["body"].as_str().unwrap().trim_start_matches("line ").to_owned()).collect()
}

#[tokio::test]
async fn context_is_what_stood_around_a_record() {
    let program = Program::start();
    let ids = three_streams(&program).await;
    for sealed in [false, true] {
        if sealed {
            seal(&program).await;
        }
        let around = async |id: &str, more: &str| program.json(&format!("{CONTEXT}?id={id}{more}")).await;
        let stream = around(&ids[45], "&before=2&after=3").await;
        assert_eq!(
            (bodies(&stream["before"]), bodies(&stream["after"])),
            (vec!["39".into(), "42".into()], vec!["48".into(), "51".into(), "54".into()])
        );
        assert_eq!(stream["record"]["id"], json!(ids[45]));
        let same = json!({"service": "checkout", "host": "app-1", "log.file.path": "/var/log/0.log"});
        assert_eq!(
            (&stream["same"], &stream["more_before"], &stream["more_after"]),
            (&same, &json!(true), &json!(true))
        );
        let service = around(&ids[45], "&same=service&before=2&after=1").await;
        assert_eq!(
            (bodies(&service["before"]), bodies(&service["after"])),
            (vec!["42".into(), "43".into()], vec!["46".into()])
        );
        let host = around(&ids[1], "&same=host").await;
        assert_eq!((bodies(&host["before"]), &host["more_before"]), (vec!["0".into()], &json!(false)));
        assert_eq!((bodies(&host["after"]).len(), &host["more_after"]), (20, &json!(true)));
        let all = around(&ids[89], "&same=none&before=500&after=0").await;
        assert_eq!((bodies(&all["before"]).len(), &all["after"], &all["same"]), (89, &json!([]), &json!({})));
        assert_eq!(all["more_after"], false);
    }
    for (id, status, code) in [
        ("0-ffff00000", StatusCode::NOT_FOUND, "not_found"),
        ("7-1", StatusCode::NOT_FOUND, "not_found"),
        ("x", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("", StatusCode::BAD_REQUEST, "bad_parameter"),
    ] {
        let answer = program
            .get(&format!("{CONTEXT}?id={id}"))
            .basic_auth("admin", Some(PASSWORD))
            .send()
            .await
            .unwrap();
        assert_eq!(error_code(answer, status).await, code, "{id}");
    }
}

#[tokio::test]
async fn parameters_have_caps() {
    let program = Program::start();
    let many = vec!["x"; 21].join(",");
    let long = "x".repeat(257);
    let cases = [
        (FACETS, format!("fields={many}"), "fields"),
        (FACETS, format!("fields={long}"), "fields"),
        (FACETS, "fields=attributes.".to_owned(), "fields"),
        (FACETS, "limit=101".to_owned(), "limit"),
        (VALUES, String::new(), "field"),
        (VALUES, "field=service&limit=0".to_owned(), "limit"),
        (VALUES, format!("field=service&prefix={long}"), "prefix"),
        (CONTEXT, "id=0-1&before=501".to_owned(), "before"),
        (CONTEXT, "id=0-1&after=-1".to_owned(), "after"),
        (CONTEXT, "id=0-1&same=x".to_owned(), "same"),
        ("/api/v1/narrows/logs/export", "limit=1000001".to_owned(), "limit"),
        ("/api/v1/narrows/logs/export", "format=xml".to_owned(), "format"),
    ];
    for (path, parameters, name) in cases {
        let response = program.get(&format!("{path}?{parameters}")).basic_auth("admin", Some(PASSWORD));
        let body = json_of(response.send().await.unwrap(), StatusCode::BAD_REQUEST).await;
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("parameter {name}: ")), "{body}");
    }
}

#[tokio::test]
async fn very_many_values_are_estimated_in_bounded_memory() {
    let program = Program::start();
    for batch in 0..9 {
        let records = (0..5_000).map(|index| access(batch * 5_000 + index)).collect();
        program.send(&request("checkout", records)).await;
    }
    program.find("*", 45_000).await;
    let facets = program.json(&format!("{FACETS}?fields=order,http.route")).await;
    let (order, route) = (&facets["fields"][0], &facets["fields"][1]);
    assert_eq!(
        (&facets["sampled"], &order["distinct"], &order["missing"]),
        (&json!(true), &json!(null), &json!(0))
    );
    assert_eq!(
        (&route["distinct"], &route["values"][0]["count"]),
        (&json!(7), &json!(6_429)),
        "others stay exact"
    );
}
