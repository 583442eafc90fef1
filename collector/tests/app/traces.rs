//! Traces over HTTP: from an exporter's request to the answers that the pages draw.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Program, attribute, error_code, escape, json_of, now_ns, seal, text};

const MS: u64 = 1_000_000;

/// One span of the trace `trace`; times in ms behind `base_ns`.
pub(crate) fn span(
    trace: u8,
    id: u8,
    parent: u8,
    name: &str,
    kind: i32,
    base_ns: u64,
    (start, end): (u64, u64),
) -> Span {
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: name.to_owned(),
        kind,
        start_time_unix_nano: base_ns + start * MS,
        end_time_unix_nano: base_ns + end * MS,
        attributes: vec![attribute("http.route", text("/cart"))],
        ..Span::default()
    }
}

pub(crate) fn of_service(service: &str, spans: Vec<Span>) -> ResourceSpans {
    let host = format!("host-of-{service}");
    let attributes = vec![attribute("service.name", text(service)), attribute("host.name", text(&host))];
    let scope =
        InstrumentationScope { name: "test".to_owned(), version: "1".to_owned(), ..Default::default() };
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

/// A shop that asks its stock, which fails: three spans of 100 ms. And a faster trace of the stock alone.
pub(crate) fn request(base_ns: u64) -> ExportTraceServiceRequest {
    let failed = Some(Status { code: 2, message: "out of stock".to_owned() });
    let shop = of_service(
        "shop",
        vec![
            span(1, 1, 0, "GET /cart", 2, base_ns, (0, 100)),
            span(1, 2, 1, "ask stock", 3, base_ns, (10, 90)),
        ],
    );
    let stock = of_service(
        "stock",
        vec![
            Span { status: failed, ..span(1, 3, 2, "reserve", 2, base_ns, (20, 80)) },
            span(2, 4, 0, "count", 1, base_ns, (500, 520)),
        ],
    );
    ExportTraceServiceRequest { resource_spans: vec![shop, stock] }
}

pub(crate) async fn send(program: &Program, token: &str, request: &ExportTraceServiceRequest) {
    let post = program.client.post(program.url("/v1/traces")).bearer_auth(token);
    let post = post.header("content-type", "application/x-protobuf").body(request.encode_to_vec());
    let response = post.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
}

const TENANTS: &str = "own_metrics: false\ntenants: [{name: acme, ingest_token: of-acme}, {name: umbrella, ingest_token: of-umbrella}]\n";

fn ids(answer: &Value) -> Vec<&str> {
    answer["traces"].as_array().unwrap().iter().map(|one| one["trace_id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_are_found_whole_and_by_their_own_tenant_alone() {
    let program = Program::with_config(TENANTS);
    // On a whole ms, so that the answers' times are.
    let base_ns = (now_ns() / MS - 10_000) * MS;
    send(&program, "of-acme", &request(base_ns)).await;
    check_all(&program, base_ns).await;
    seal(&program).await;
    check_all(&program, base_ns).await;
    let program = program.kill_and_restart_with_config();
    check_all(&program, base_ns).await;
    nobody_else_sees_it(&program).await;
}

async fn check_all(program: &Program, base_ns: u64) {
    let get =
        async |path: &str| program.json_of_tenant(&format!("/api/v1/narrows/traces{path}"), "acme").await;
    let (one, two) = ("01".repeat(16), "02".repeat(16));
    // What is acknowledged can be asked for within a second.
    for _ in 0..200 {
        if get("/search").await["traces"].as_array().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let found = get("/search?order=slowest").await;
    assert_eq!(ids(&found), [one.as_str(), &two], "{found}");
    assert_eq!(ids(&get("/search?order=newest&limit=1").await), [two.as_str()]);
    let trace = &found["traces"][0];
    assert_eq!(
        (&trace["duration_ns"], &trace["spans"], &trace["errors"]),
        (&json!(100 * MS), &json!(3), &json!(1))
    );
    let root = &trace["root"];
    assert_eq!(
        (&root["name"], &root["kind"], &root["parent_id"]),
        (&json!("GET /cart"), &json!("server"), &Value::Null)
    );
    assert_eq!(trace["services"][0], json!({"service": "shop", "spans": 2, "errors": 0}));
    assert_eq!(
        (&found["whole"], &found["partial"], &found["table"]),
        (&json!(true), &json!(false), &Value::Null)
    );

    let failing = get(&format!("/search?query={}", escape("service:stock status:error duration>50ms"))).await;
    assert_eq!((ids(&failing), &failing["matched_spans"]), (vec![one.as_str()], &json!(1)));
    assert_eq!(failing["traces"][0]["matched"][0]["span_id"], "03".repeat(8));
    let table = get(&format!("/search?query={}", escape("* | stats count() by service"))).await;
    assert_eq!((&table["table"]["columns"][0]["name"], ids(&table).len()), (&json!("service"), 0), "{table}");

    let points = get("/points").await;
    assert_eq!((&points["total"], points["points"].as_array().unwrap().len()), (&json!(2), 2), "{points}");
    let facets = get("/facets").await;
    let names: Vec<_> = facets["fields"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!(names[..5], ["service", "name", "kind", "status", "host"], "{facets}");
    assert!(names.iter().any(|name| **name == "http.route"), "{facets}");
    assert_eq!(facets["matched"], 4);
    let facets = get(&format!("/facets?fields=operation&query={}", escape("service:shop"))).await;
    assert_eq!(
        (&facets["fields"][0]["field"], &facets["fields"][0]["distinct"]),
        (&json!("name"), &json!(2))
    );
    let fields = get("/fields?prefix=ht").await;
    assert_eq!(
        (&fields["fields"][0]["name"], &fields["fields"][0]["share"]),
        (&json!("http.route"), &json!(1.0))
    );
    assert_eq!(fields["sampled_records"], 4, "{fields}");

    let whole = get(&format!("/{one}")).await;
    let spans = whole["resourceSpans"].as_array().unwrap().iter();
    let spans: usize = spans.map(|one| one["scopeSpans"][0]["spans"].as_array().unwrap().len()).sum();
    assert_eq!(spans, 3, "{whole}");
    let view = get(&format!("/{one}/view")).await;
    assert_eq!(view["spans"]["depth"], json!([0, 1, 2]));
    assert_eq!(view["critical_path"].as_array().unwrap().len(), 5, "{view}");
    assert_eq!(view["path_by_service"][0], json!({"service": "stock", "ns": 60 * MS}));
    let span = get(&format!("/{one}/spans/{}", "03".repeat(8))).await;
    let span = &span["spans"][0];
    assert_eq!((&span["status_message"], &span["host"]), (&json!("out of stock"), &json!("host-of-stock")));
    let stock = program.json_of_tenant("/api/v1/narrows/services/stock", "acme").await;
    assert_eq!(stock["hosts"], json!(["host-of-stock"]));
    assert!(span["start"].as_str().unwrap().ends_with("000000Z"), "{span} {base_ns}");
}

async fn nobody_else_sees_it(program: &Program) {
    for tenant in ["umbrella", "default"] {
        let get =
            async |path: &str| program.json_of_tenant(&format!("/api/v1/narrows/traces{path}"), tenant).await;
        assert_eq!(get("/search").await["traces"], json!([]), "{tenant}");
        assert_eq!(get("/points").await["total"], 0, "{tenant}");
        let stock = program.json_of_tenant("/api/v1/narrows/services/stock", tenant).await;
        assert_eq!(stock["hosts"], json!([]), "{tenant}");
        assert_eq!(get("/facets?fields=service").await["matched"], 0, "{tenant}");
        assert_eq!(get("/fields").await["sampled_records"], 0, "{tenant}");
        let one = "01".repeat(16);
        for path in [one.clone(), format!("{one}/view"), format!("{one}/spans/{}", "03".repeat(8))] {
            let request = program.get(&format!("/api/v1/narrows/traces/{path}"));
            let request = request.basic_auth("admin", Some(PASSWORD)).header("x-scope-orgid", tenant);
            let response = request.send().await.unwrap();
            assert_eq!(error_code(response, StatusCode::NOT_FOUND).await, "not_found", "{tenant}: {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_told() {
    let program = Program::start();
    let cases = [
        ("/search?limit=0", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("/search?limit=1001", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("/search?order=fastest", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("/search?start=9&end=5", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("/points?limit=x", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("/facets?fields=severity", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("/xyz", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("/0123456789abcdef/spans/01", StatusCode::BAD_REQUEST, "bad_parameter"),
        ("/0123456789abcdef/view", StatusCode::NOT_FOUND, "not_found"),
    ];
    for (path, status, code) in cases {
        let request = program.get(&format!("/api/v1/narrows/traces{path}"));
        let response = request.basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
        assert_eq!(error_code(response, status).await, code, "{path}");
    }
    for query in ["severity:error", "duration>fast", "status:error ("] {
        for path in ["search", "points", "facets", "fields"] {
            let request = program.get(&format!("/api/v1/narrows/traces/{path}?query={}", escape(query)));
            let response = request.basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
            let body = json_of(response, StatusCode::BAD_REQUEST).await;
            assert_eq!(body["error"]["code"], "bad_query", "{path}: {query}: {body}");
            assert!(body["error"]["position"]["end"].is_u64(), "{path}: {query}: {body}");
        }
    }
}
