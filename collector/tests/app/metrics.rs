//! From a sender's socket to a PromQL answer: remote write, OTLP, Prometheus' API, deletes, restarts.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use telemetry::samples::{Metadata, MetricKind, Sample, Writer};

use crate::harness::{PASSWORD, Program, error_code, escape, json_of, now_ns, seal};

/// Without the collector's own metrics, so that there is nothing but what a test writes.
fn start() -> Program {
    Program::with_config("own_metrics: false\n")
}

/// Kills it and starts it again, as it was.
fn restart(program: Program) -> Program {
    program.kill_and_restart_with_config()
}

fn now_ms() -> i64 {
    (now_ns() / 1_000_000) as i64
}

type Labelled<'a> = (&'a [(&'a str, &'a str)], &'a [(i64, f64)]);

async fn write(program: &Program, series: &[Labelled<'_>]) -> Response {
    let mut writer = Writer::new();
    for (labels, samples) in series {
        let samples: Vec<Sample> =
            samples.iter().map(|&(time_ms, value)| Sample { time_ms, value }).collect();
        writer.series(&mut labels.to_vec(), false, &samples, &[], &[]).unwrap();
    }
    let requests = Metadata {
        family: "requests_total".to_owned(),
        kind: MetricKind::Counter,
        unit: String::new(),
        help: "Requests.".to_owned(),
    };
    writer.metadata(&requests);
    send(program, writer.finish()).await
}

async fn send(program: &Program, payload: Vec<u8>) -> Response {
    let body = telemetry::remote_write::encode_v2(&payload).unwrap();
    let body = snap::raw::Encoder::new().compress_vec(&body).unwrap();
    let request = program.client.post(program.url("/api/v1/write"));
    let request = request
        .header("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "2.0.0");
    request.body(body).send().await.unwrap()
}

/// The values of an instant query by one label, in order of it.
async fn values(program: &Program, query: &str, time_ms: i64, label: &str) -> Vec<(String, String)> {
    let time = time_ms as f64 / 1000.0;
    let answer = program.json(&format!("/api/v1/query?query={}&time={time}", escape(query))).await;
    assert_eq!(answer["status"], "success", "{answer}");
    let series = answer["data"]["result"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut values: Vec<_> =
        series.iter().map(|one| (text(&one["metric"][label]), text(&one["value"][1]))).collect();
    values.sort();
    values
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

const A: [(&str, &str); 3] = [("__name__", "requests_total"), ("job", "shop"), ("host", "a")];
const B: [(&str, &str); 3] = [("__name__", "requests_total"), ("job", "shop"), ("host", "b")];

/// A counter that grows by 1 and one that grows by 2 a second, a sample each 15 s over ten minutes.
async fn write_counters(program: &Program, end_ms: i64) {
    let counter = |rate: f64| -> Vec<(i64, f64)> {
        (0..=40).map(|n| (end_ms - (40 - n) * 15_000, rate * 15.0 * n as f64)).collect()
    };
    let response = write(program, &[(&A, &counter(1.0)), (&B, &counter(2.0))]).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT, "{:?}", response.text().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_is_queried_sealed_and_survives_a_crash() {
    let program = start();
    let end_ms = now_ms();
    write_counters(&program, end_ms).await;
    let check = async |program: &Program| {
        let rates = values(program, "round(rate(requests_total[5m]), 0.001)", end_ms, "host").await;
        assert_eq!(rates, [pair("a", "1"), pair("b", "2")]);
        let sum = values(program, "sum by (job) (requests_total)", end_ms, "job").await;
        assert_eq!(sum, [pair("shop", "1800")]);
    };
    // Acknowledged is not yet visible: within a second it is.
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    check(&program).await;
    let program = restart(program);
    check(&program).await;
    let sealed = seal(&program).await;
    assert_eq!(sealed["sealed_offsets"]["samples-0"], 1);
    check(&program).await;
    let program = restart(program);
    check(&program).await;

    let start = end_ms as f64 / 1000.0 - 60.0;
    let path = format!(
        "/api/v1/query_range?query=requests_total%7Bhost%3D%22a%22%7D&start={start}&end={}&step=30",
        end_ms as f64 / 1000.0
    );
    let answer = program.json(&path).await;
    assert_eq!(answer["data"]["resultType"], "matrix");
    let points = answer["data"]["result"][0]["values"].as_array().unwrap();
    assert_eq!(
        points.iter().map(|point| point[1].as_str().unwrap()).collect::<Vec<_>>(),
        ["540", "570", "600"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn remote_write_tells_what_was_written_and_what_not() {
    let program = start();
    let now = now_ms();
    let response = write(&program, &[(&A, &[(now - 1000, 1.0), (now, 2.0)])]).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["x-prometheus-remote-write-samples-written"], "2");
    assert_eq!(response.headers()["x-prometheus-remote-write-histograms-written"], "0");

    let too_old = now - 20 * 86_400_000;
    let response = write(&program, &[(&A, &[(too_old, 1.0)]), (&B, &[(now, 7.0)])]).await;
    assert_eq!(response.headers()["x-prometheus-remote-write-samples-written"], "1");
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(response.text().await.unwrap().contains("older than what is kept"));
    seal(&program).await;
    assert_eq!(values(&program, "requests_total", now, "host").await, [pair("a", "2"), pair("b", "7")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_series_over_the_limit_is_refused_with_its_label() {
    let program = Program::with_config("own_metrics: false\nlimits: {active_series: 3}\n");
    let now = now_ms();
    let users: Vec<String> = (0..5).map(|n| n.to_string()).collect();
    let labels: Vec<[(&str, &str); 2]> =
        users.iter().map(|user| [("__name__", "logins"), ("user", user.as_str())]).collect();
    let sample = [(now, 1.0)];
    let series: Vec<Labelled<'_>> = labels.iter().map(|labels| (&labels[..], &sample[..])).collect();
    let response = write(&program, &series).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()["x-prometheus-remote-write-samples-written"], "3");
    let text = response.text().await.unwrap();
    assert!(text.contains("3 active series") && text.contains("\"user\""), "{text}");
    // The limit knows after a restart what is there.
    let program = restart(program);
    let status = program.json("/api/v1/status/runtimeinfo").await;
    assert_eq!(status["data"]["timeSeriesCount"], 3, "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_series_and_metadata_are_listed() {
    let program = start();
    let end_ms = now_ms();
    write_counters(&program, end_ms).await;
    seal(&program).await;
    let data = async |path: &str| program.json(path).await["data"].clone();
    assert_eq!(data("/api/v1/labels").await, json!(["__name__", "host", "job"]));
    assert_eq!(data("/prometheus/api/v1/label/host/values").await, json!(["a", "b"]));
    assert_eq!(data("/api/v1/label/U__host/values").await, json!(["a", "b"]));
    let matched = format!("/api/v1/label/host/values?match[]={}", escape("requests_total{host!=\"a\"}"));
    assert_eq!(data(&matched).await, json!(["b"]));
    assert_eq!(data("/api/v1/label/host/values?start=0&end=1000").await, json!([]));
    let found = data("/api/v1/series?match[]=requests_total").await;
    assert_eq!(found[0], json!({"__name__": "requests_total", "host": "a", "job": "shop"}));
    let limited = program.json("/api/v1/series?match[]=requests_total&limit=1").await;
    assert_eq!(
        (limited["data"].as_array().unwrap().len(), &limited["warnings"][0]),
        (1, &json!("results truncated due to limit"))
    );
    let described = json!({"requests_total": [{"type": "counter", "help": "Requests.", "unit": ""}]});
    assert_eq!(data("/api/v1/metadata").await, described);
    let tsdb = data("/api/v1/status/tsdb").await;
    assert_eq!(tsdb["seriesCountByMetricName"][0], json!({"name": "requests_total", "value": 2}), "{tsdb}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_probes_of_clients_are_answered() {
    let program = start();
    assert_eq!(
        program.json("/api/v1/query?query=1%2B1&time=4").await["data"],
        json!({"resultType": "scalar", "result": [4, "2"]})
    );
    let info = program.json("/api/v1/status/buildinfo").await;
    assert!(
        info["data"]["features"].is_null() && info["data"]["version"].as_str().unwrap().starts_with("3.")
    );
    assert_eq!(program.json("/api/v1/query_exemplars?query=up&start=0&end=9").await["data"], json!([]));
    assert!(program.json("/api/v1/rules").await["data"]["groups"].is_array());
    assert_eq!(program.json("/api/v1/format_query?query=sum(a)by(b)").await["data"], "sum by (b) (a)");
    assert_eq!(program.json("/api/v1/parse_query?query=up").await["data"]["type"], "vectorSelector");
    let form = program.client.post(program.url("/api/v1/query")).basic_auth("admin", Some(PASSWORD));
    let answer =
        json_of(form.form(&[("query", "vector(7)"), ("time", "1.5")]).send().await.unwrap(), StatusCode::OK)
            .await;
    assert_eq!(answer["data"]["result"], json!([{"metric": {}, "value": [1.5, "7"]}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_told_in_prometheus_envelope() {
    let program = start();
    let cases = [
        ("/api/v1/query?query=sum(", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/query?query=up&time=later", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/query_range?query=up&start=0&end=100000000&step=1", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/query_range?query=up&start=10&end=0&step=1", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/query_range?query=up&start=0&end=10&step=0", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/series", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/series?match[]=1", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/labels?limit=x", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/labels?match[]=up%20offset%205m", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/label/job/values?match[]=sum(", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/query_exemplars?query=sum(", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/format_query?query=sum(", StatusCode::BAD_REQUEST, "bad_data"),
        ("/api/v1/parse_query?query=sum(", StatusCode::BAD_REQUEST, "bad_data"),
    ];
    for (path, status, kind) in cases {
        let response = program.get(path).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
        let body = json_of(response, status).await;
        assert_eq!((&body["status"], &body["errorType"]), (&json!("error"), &json!(kind)), "{path}: {body}");
        assert!(body["error"].as_str().is_some_and(|text| text.len() > 10), "{body}");
    }
    let response =
        program.get("/api/v1/query?query=up%20foo").basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    let body = json_of(response, StatusCode::BAD_REQUEST).await;
    assert_eq!(body["position"]["start"], 3, "{body}");
    let put = async |form: &'static str| {
        let request = program.client.put(program.url("/api/v1/admin/tsdb/delete_series"));
        let request = request.basic_auth("admin", Some(PASSWORD));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        request.send().await.unwrap().status()
    };
    assert_eq!(put("match[]=up").await, StatusCode::NO_CONTENT);
    for form in ["match[]=up%20offset%205m", "match[]=up%20%40%2010", ""] {
        assert_eq!(put(form).await, StatusCode::BAD_REQUEST, "{form}");
    }
    let nobody = program.get("/api/v1/query?query=up").send().await.unwrap();
    assert_eq!(error_code(nobody, StatusCode::UNAUTHORIZED).await, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_is_gone_before_and_after_a_merge_and_a_crash() {
    let program = start();
    let end_ms = now_ms();
    write_counters(&program, end_ms).await;
    seal(&program).await;
    let path = format!("/api/v1/admin/tsdb/delete_series?match[]={}", escape("requests_total{host=\"a\"}"));
    let delete = program.client.post(program.url(&path)).basic_auth("admin", Some(PASSWORD));
    assert_eq!(delete.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let left = [pair("b", "1200")];
    assert_eq!(values(&program, "requests_total", end_ms, "host").await, left);
    let program = restart(program);
    assert_eq!(values(&program, "requests_total", end_ms, "host").await, left);
    seal(&program).await;
    assert_eq!(values(&program, "requests_total", end_ms, "host").await, left);
    // What comes after the delete stays.
    let response = write(&program, &[(&A, &[(end_ms, 5.0)])]).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    seal(&program).await;
    assert_eq!(values(&program, "requests_total", end_ms, "host").await, [pair("a", "5"), pair("b", "1200")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_see_their_own_series() {
    let program =
        Program::with_config("own_metrics: false\ntenants: [{name: acme, ingest_token: token-of-acme}]\n");
    write_counters(&program, now_ms()).await;
    seal(&program).await;
    let path = "/api/v1/label/host/values";
    assert_eq!(program.json(path).await["data"], json!(["a", "b"]));
    assert_eq!(program.json_of_tenant(path, "acme").await["data"], json!([]));
}
