//! From a sender's socket to a search's answer, over both protocols.

use std::time::{Duration, Instant};

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry_otlp::{LogExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use reqwest::StatusCode;
use serde_json::json;
use tonic::metadata::MetadataMap;

use crate::harness::{PASSWORD, Program, TOKEN, json_of, now_ns, record, request};

/// Logs must be visible this soon.
const VISIBLE: Duration = Duration::from_secs(2);

fn provider(program: &Program, token: Option<&str>) -> SdkLoggerProvider {
    let mut metadata = MetadataMap::new();
    if let Some(token) = token {
        metadata.insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let exporter = LogExporter::builder().with_tonic().with_endpoint(&program.grpc).with_metadata(metadata);
    let resource = Resource::builder_empty().with_service_name("exporter").build();
    SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter.build().unwrap())
        .build()
}

async fn export(provider: &SdkLoggerProvider, body: &'static str) -> Result<(), String> {
    let logger = provider.logger("shop.cart");
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Error);
    record.set_body(AnyValue::from(body));
    record.add_attribute("http.status_code", 503);
    record.set_trace_context(TraceId::from(7), SpanId::from(9), Some(TraceFlags::SAMPLED));
    logger.emit(record);
    let provider = provider.clone();
    let flushed = tokio::task::spawn_blocking(move || provider.force_flush()).await.unwrap();
    flushed.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_s_exporter_is_understood_over_grpc() {
    let mut program = Program::start();
    let provider = provider(&program, None);
    export(&provider, "the cart is lost").await.unwrap();
    let (answer, took) = program.find("\"cart is lost\"", 1).await;
    assert!(took < VISIBLE, "{took:?}");
    let record = &answer["records"][0];
    let expected = json!({
        "severity": "ERROR", "severity_number": 17, "service": "exporter", "host": null, "body": "the cart is lost",
        "attributes": {"http.status_code": 503}, "resource": {"service.name": "exporter"},
        "scope": {"name": "shop.cart", "version": "", "attributes": {}},
        "trace_id": "00000000000000000000000000000007", "span_id": "0000000000000009", "flags": 1,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&record[name], value, "{name}");
    }
    assert!(record["observed_timestamp"].is_string());

    let begun = Instant::now();
    assert_eq!(program.stop().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "open idle connections of both ports hold nothing up");
    drop(provider);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exporter_s_token_decides_over_grpc() {
    let program =
        Program::with_config("require_token: true\ntenants: [{name: acme, ingest_token: token-of-acme}]\n");
    assert!(export(&provider(&program, None), "nobody's").await.is_err());
    assert!(export(&provider(&program, Some("wrong")), "nobody's").await.is_err());
    export(&provider(&program, Some("token-of-acme")), "of acme").await.unwrap();
    export(&provider(&program, Some(TOKEN)), "of default").await.unwrap();
    program.find("default", 1).await;
    for (tenant, body) in [("acme", "of acme"), ("default", "of default")] {
        let answer = program.json_of_tenant("/api/v1/narrows/logs/search", tenant).await;
        assert_eq!((&answer["matched"], &answer["records"][0]["body"]), (&json!(1), &json!(body)));
    }
}

#[tokio::test]
async fn protobuf_and_json_over_http_are_visible_in_time() {
    let program = Program::start();
    program.send(&request("checkout", vec![record("sent as protobuf")])).await;
    let (_, took) = program.find("protobuf", 1).await;
    assert!(took < VISIBLE, "{took:?}");
    let body = json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]},
        "scopeLogs": [{"logRecords": [{
            "timeUnixNano": now_ns().to_string(), "severityNumber": 9, "body": {"stringValue": "sent as json"},
            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
        }]}],
    }]});
    let sent = program.client.post(program.url("/v1/logs")).json(&body).send().await.unwrap();
    assert_eq!(json_of(sent, StatusCode::OK).await, json!({}));
    let (answer, took) = program.find("service:web", 1).await;
    assert!(took < VISIBLE, "{took:?}");
    assert_eq!(answer["records"][0]["trace_id"], "5b8efff798038103d269b633813fc60c");
    assert_eq!(answer["records"][0]["severity"], "INFO");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_over_its_rate_is_told_when_to_come_back() {
    let program = Program::with_config(
        "limits: {ingest_records_per_second: 1}\ntenants: [{name: acme, ingest_token: token-of-acme}]\n",
    );
    program.send(&request("checkout", (0..30).map(|_| record("within the savings")).collect())).await;
    let refused = program.post_logs(&request("checkout", vec![record("too many")])).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait_s: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((20..=26).contains(&wait_s), "{wait_s}");
    let error = export(&provider(&program, None), "too many").await.unwrap_err();
    assert!(error.contains("Unavailable"), "retryable, which RESOURCE_EXHAUSTED would not be: {error}");
    export(&provider(&program, Some("token-of-acme")), "of another tenant").await.unwrap();
    let (answer, _) = program.find("within", 30).await;
    assert_eq!(answer["matched"], 30);
}

#[tokio::test]
async fn a_resend_of_a_numbered_batch_is_applied_once() {
    let program = Program::start();
    let batch = request("checkout", vec![record("numbered")]);
    for run in ["5", "5", "6"] {
        let sent = program.post_logs(&batch).header("narrows-producer", format!("host-1;a;1;{run}"));
        assert_eq!(sent.send().await.unwrap().status(), StatusCode::OK);
    }
    program.send(&request("checkout", vec![record("the last")])).await;
    program.find("last", 1).await;
    program.find("numbered", 1).await;
    let agents = program.json("/api/v1/narrows/status").await["agents"].clone();
    assert_eq!(agents[0]["id"], "host-1");
    assert!(agents[0]["last_seen"].is_string());
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_and_the_process_goes_on() {
    let program = Program::with_config("limits: {body: 64KiB, decompressed_body: 128KiB}\n");
    let post = |body: Vec<u8>, content_type: &str| {
        program
            .client
            .post(program.url("/v1/logs"))
            .header("content-type", content_type.to_owned())
            .body(body)
    };
    let protobuf = "application/x-protobuf";
    let cases = [
        (post(vec![0xff; 10], protobuf), StatusCode::BAD_REQUEST),
        (post(b"{".to_vec(), "application/json"), StatusCode::BAD_REQUEST),
        (post(vec![0; 140_000], protobuf), StatusCode::PAYLOAD_TOO_LARGE),
        (post(vec![0; 70_000], protobuf).header("content-encoding", "gzip"), StatusCode::PAYLOAD_TOO_LARGE),
        (post(vec![], "text/plain"), StatusCode::FORBIDDEN),
        (post(vec![], protobuf).header("origin", "https://evil.example"), StatusCode::FORBIDDEN),
        (post(vec![], protobuf).bearer_auth("wrong"), StatusCode::UNAUTHORIZED),
        (post(vec![], protobuf).header("x-forwarded-for", "192.0.2.1"), StatusCode::UNAUTHORIZED),
        (post(vec![], protobuf), StatusCode::OK),
    ];
    for (index, (request, status)) in cases.into_iter().enumerate() {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "case {index}: {}", response.text().await.unwrap());
    }
    program.send(&ExportLogsServiceRequest::default()).await;
    assert_eq!(program.get("/-/healthy").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn metrics_tell_what_came() {
    let program = Program::start();
    let mut old = record("too old");
    old.time_unix_nano = 1_000_000_000;
    program.send(&request("checkout", vec![record("one"), record("two"), old])).await;
    program.find("*", 2).await;
    let text = program.get("/metrics").send().await.unwrap().text().await.unwrap();
    for line in [
        "narrows_collector_ingest_records_total 2",
        "narrows_collector_ingest_rejected_records_total{reason=\"too_old\"} 1",
        "narrows_collector_records 2",
        "narrows_collector_lag_bytes{partition=\"logs-0\"} 0",
        "narrows_collector_http_requests_total{route=\"/v1/logs\",status=\"200\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    for name in [
        "narrows_collector_query_seconds_bucket{kind=\"search\"",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(text.contains(name), "{name}");
    }
}

#[tokio::test]
async fn metrics_count_seals_and_merges() {
    let program = Program::start();
    let metric = async |name: &str| {
        let text = program.get("/metrics").send().await.unwrap().text().await.unwrap();
        let prefix = format!("narrows_collector_{name}{{partition=\"logs-0\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&prefix)?.parse::<u64>().ok())
    };
    assert_eq!((metric("seals_total").await, metric("merges_total").await), (Some(0), Some(0)));
    for merge in ["false", "false", "true"] {
        program.send(&request("checkout", vec![record("x")])).await;
        let path = program.url(&format!("/api/v1/narrows/admin/seal?merge={merge}"));
        let sealed = program.client.post(path).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
        assert_eq!(sealed.status(), StatusCode::OK);
    }
    assert_eq!(metric("seals_total").await, Some(3));
    assert!(metric("merges_total").await >= Some(1));
}
