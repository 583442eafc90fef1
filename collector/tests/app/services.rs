//! Services over HTTP: from series in the store to the answers that the page draws.

use reqwest::StatusCode;
use serde_json::{Value, json};
use telemetry::samples::{Histogram, Sample, Span, Writer};

use crate::harness::{PASSWORD, Program, error_code, now_ns, seal};

/// What `derive` would have made of 20 requests a bucket of a shop, one of ten failing, each calling its database once.
fn derived(last_ms: i64) -> Vec<u8> {
    let mut writer = Writer::new();
    let times = || (0..6).map(|n| last_ms - n * 10_000).rev();
    let calls = |value| -> Vec<Sample> { times().map(|time_ms| Sample { time_ms, value }).collect() };
    // Schema 0: all of them between half a second and a second.
    let half_to_one = Histogram {
        count: 18.0,
        sum: 13.0,
        positive_spans: vec![Span { offset: 0, len: 1 }],
        positive_counts: vec![18.0],
        ..Histogram::default()
    };
    let histograms: Vec<_> = times().map(|time_ms| (time_ms, half_to_one.clone())).collect();
    let red = [("service", "shop"), ("operation", "GET /"), ("kind", "server"), ("partition", "0")];
    let edge = [("client", "shop"), ("server", "postgresql"), ("type", "database"), ("partition", "0")];
    for (status, value) in [("ok", 18.0), ("error", 2.0)] {
        for (name, labels) in [("narrows_red_calls", red), ("narrows_edge_calls", edge)] {
            let mut labels = [&labels[..], &[("__name__", name), ("status", status)]].concat();
            writer.series(&mut labels, false, &calls(value), &[], &[]).unwrap();
        }
    }
    for (name, labels) in [("narrows_red_duration_seconds", red), ("narrows_edge_client_seconds", edge)] {
        let mut labels = [&labels[..], &[("__name__", name)]].concat();
        writer.series(&mut labels, false, &[], &histograms, &[]).unwrap();
    }
    writer.finish()
}

async fn write(program: &Program, token: &str, payload: &[u8]) {
    let body = telemetry::remote_write::encode_v2(payload).unwrap();
    let body = snap::raw::Encoder::new().compress_vec(&body).unwrap();
    let request = program.client.post(program.url("/api/v1/write")).bearer_auth(token);
    let request = request
        .header("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request")
        .header("content-encoding", "snappy");
    let response = request.body(body).send().await.unwrap();
    let status = response.status();
    assert_eq!(status, StatusCode::NO_CONTENT, "{}", response.text().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_are_seen_by_their_own_tenant_alone() {
    let program = Program::with_config(
        "own_metrics: false\ntenants: [{name: acme, ingest_token: token-of-acme}, {name: umbrella, ingest_token: u}]\n",
    );
    let last_ms = (now_ns() / 10_000_000_000 * 10_000) as i64;
    write(&program, "token-of-acme", &derived(last_ms)).await;
    seal(&program).await;
    let range = format!("start={}&end={}", last_ms / 1_000 - 60, last_ms / 1_000);
    let get = async |path: &str, tenant: &str| {
        program.json_of_tenant(&format!("/api/v1/narrows/services{path}?{range}"), tenant).await
    };

    let list = get("", "acme").await;
    let shop = &list["services"][0];
    assert_eq!(
        (&shop["service"], &shop["rate"], &shop["errors"]),
        (&json!("shop"), &json!(2.0), &json!(0.1))
    );
    assert_eq!(shop["p50_ns"], 707_106_781, "the middle of the bucket, on a scale of logarithms");
    assert_eq!(
        (&shop["spark"]["step_s"], &shop["spark"]["rate"]),
        (&json!(10), &json!([2.0, 2.0, 2.0, 2.0, 2.0, 2.0]))
    );
    assert_eq!((&list["partial"], &list["warnings"]), (&json!(false), &json!([])));

    let one = get("/shop", "acme").await;
    assert_eq!(
        (&one["operations"][0]["operation"], &one["operations"][0]["rate"]),
        (&json!("GET /"), &json!(2.0))
    );
    assert_eq!((&one["downstream"][0]["server"], &one["upstream"]), (&json!("postgresql"), &json!([])));
    assert_eq!(one["downstream"][0]["client_p95_ns"], one["p95_ns"]);

    let map = get("/map", "acme").await;
    let types: Vec<_> = map["nodes"].as_array().unwrap().iter().map(|node| &node["type"]).collect();
    assert_eq!(types, ["database", "service"]);
    assert_eq!((&map["edges"][0]["client"], &map["edges"][0]["errors"]), (&json!("shop"), &json!(0.1)));

    for tenant in ["umbrella", "default"] {
        for (path, field) in [("", "services"), ("/shop", "operations"), ("/map", "nodes"), ("/map", "edges")]
        {
            let answer = get(path, tenant).await;
            assert_eq!((&answer[field], &answer["until"]), (&json!([]), &Value::Null), "{tenant}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_that_is_none_is_refused() {
    let program = Program::start();
    for path in ["", "/shop", "/map"] {
        let url = format!("/api/v1/narrows/services{path}?start=9&end=5");
        let response = program.get(&url).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
        assert_eq!(error_code(response, StatusCode::BAD_REQUEST).await, "bad_parameter", "{url}");
    }
}
