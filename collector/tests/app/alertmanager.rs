//! Alertmanager's API on the real program, and that what was answered is there after a kill.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Program};

const ALERTS: &str = "/alertmanager/api/v2/alerts";
const SILENCES: &str = "/alertmanager/api/v2/silences";

async fn text(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    response.text().await.unwrap()
}

async fn post(program: &Program, path: &str, body: &Value) -> Response {
    let request = program.client.post(program.url(path)).basic_auth("admin", Some(PASSWORD));
    request.json(body).send().await.unwrap()
}

fn labels_of(alerts: &Value) -> Vec<&str> {
    alerts.as_array().unwrap().iter().map(|alert| alert["labels"]["n"].as_str().unwrap()).collect()
}

/// Far away, so that nothing ends meanwhile.
const LATER: &str = "2199-01-01T00:00:00Z";

fn firing(n: &str, severity: &str) -> Value {
    json!({
        "labels": {"alertname": "Disk", "n": n, "severity": severity},
        "annotations": {"summary": "full"}, "endsAt": LATER,
    })
}

#[tokio::test]
async fn alerts_silences_and_groups_are_as_clients_know_them() {
    let program = Program::start();
    // From this machine, as other data; the wrong one does not keep the others out.
    let alerts = json!([firing("1", "page"), firing("2", "warning"), {"labels": {"n": ""}}]);
    let response = program.client.post(program.url(ALERTS)).json(&alerts).send().await.unwrap();
    let told = text(response, StatusCode::BAD_REQUEST).await;
    assert!(told.contains("1 alerts are wrong and 2 were taken"), "{told}");

    let all = program.json(ALERTS).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let one = program.json(&format!("{ALERTS}?filter=n%3D%221%22")).await;
    assert_eq!(labels_of(&one), ["1"]);
    assert_eq!(
        one[0]["status"],
        json!({"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"})
    );
    assert_eq!(
        (&one[0]["receivers"], &one[0]["endsAt"]),
        (&json!([{"name": "on-call"}]), &json!("2199-01-01T00:00:00.000Z"))
    );

    let silence = json!({
        "matchers": [{"name": "severity", "value": "page|critical", "isRegex": true}],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": LATER, "comment": "c", "createdBy": "me",
    });
    let put: Value = post(&program, SILENCES, &silence).await.json().await.unwrap();
    let id = put["silenceID"].as_str().unwrap().to_owned();
    let silenced = program.json(&format!("{ALERTS}?active=false")).await;
    assert_eq!(labels_of(&silenced), ["1"]);
    assert_eq!(silenced[0]["status"]["silencedBy"], json!([id]));
    assert_eq!(labels_of(&program.json(&format!("{ALERTS}?silenced=false")).await), ["2"]);
    assert!(program.json(&format!("{ALERTS}?receiver=other")).await.as_array().unwrap().is_empty());

    let groups = program.json(&format!("{ALERTS}/groups")).await;
    assert_eq!(groups[0]["labels"], json!({"alertname": "Disk"}));
    assert_eq!(groups[0]["alerts"].as_array().unwrap().len(), 2);
    let silences =
        program.json(&format!("{SILENCES}?filter=severity%3D~%22page%7Ccritical%22&expired=false")).await;
    assert_eq!(silences[0]["id"], json!(id));
    assert_eq!(program.json(&format!("{SILENCES}?active=false")).await, json!([]));

    let end = program.client.delete(program.url(&format!("/alertmanager/api/v2/silence/{id}")));
    text(end.basic_auth("admin", Some(PASSWORD)).send().await.unwrap(), StatusCode::OK).await;
    let ended = program.json(&format!("/alertmanager/api/v2/silence/{id}")).await;
    assert_eq!(ended["status"]["state"], "expired");
    assert_eq!(
        program.json(&format!("{ALERTS}?active=true&silenced=false")).await.as_array().unwrap().len(),
        2
    );

    let status = program.json("/alertmanager/api/v2/status").await;
    assert_eq!(status["cluster"]["status"], "disabled");
    assert!(status["config"]["original"].as_str().unwrap().contains("on-call"));
    assert_eq!(program.json("/alertmanager/api/v2/receivers").await[0]["name"], "on-call");
    let ready = program.get("/alertmanager/-/ready").send().await.unwrap();
    assert_eq!(text(ready, StatusCode::OK).await, "OK");
}

/// Matchers of few bytes that take about 1 MiB each when they are compiled.
fn heavy(count: usize) -> Vec<Value> {
    vec![json!({"name": "a", "value": "\\w{20}", "isRegex": true}); count]
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nobody_else_gets_in() {
    let program = Program::start();
    let bad = [
        (SILENCES, json!({"matchers": [], "endsAt": LATER}), "at least one matcher"),
        (
            SILENCES,
            json!({"matchers": [{"name": "a", "value": "(", "isRegex": true}], "endsAt": LATER}),
            "invalid label matcher 0",
        ),
        (
            SILENCES,
            json!({"matchers": [{"name": "a", "value": "b"}], "endsAt": "2001-01-01T00:00:00Z"}),
            "start time must be before end",
        ),
        (SILENCES, json!({"matchers": heavy(5_500), "endsAt": LATER}), "the most is 100"),
        (SILENCES, json!({"matchers": heavy(100), "endsAt": LATER}), "regular expressions take more than"),
        (SILENCES, json!({"id": "x"}), "is not a silence"),
        (ALERTS, json!({"labels": {}}), "is not a list of alerts"),
        (ALERTS, json!([{"labels": {"a": "b"}, "startsAt": "soon"}]), "startsAt \\\"soon\\\""),
    ];
    for (path, body, message) in bad {
        let told = text(post(&program, path, &body).await, StatusCode::BAD_REQUEST).await;
        assert!(told.contains(message), "{body}: {told}");
    }
    for query in ["filter=a", "filter=%7Ba%3Db%7D", "receiver=(", "active=maybe", "receiver_matchers=%3D"] {
        let request = program.get(&format!("{ALERTS}?{query}")).basic_auth("admin", Some(PASSWORD));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST, "{query}");
    }
    let unknown = json!({"id": "6c8b5ef0-0000-4000-8000-000000000000", "matchers": [{"name": "a", "value": "b"}], "endsAt": LATER});
    text(post(&program, SILENCES, &unknown).await, StatusCode::NOT_FOUND).await;
    for path in [ALERTS, SILENCES, "/alertmanager/api/v2/status", "/api/v1/narrows/alerts"] {
        assert_eq!(program.get(path).send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    // A page elsewhere sends nothing, loopback or not.
    let foreign = program.client.post(program.url(ALERTS)).header("origin", "https://evil.example");
    let response = foreign.json(&json!([firing("1", "page")])).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(program.json(ALERTS).await, json!([]));
}

/// A webhook: gives every body as it comes.
fn webhook() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (send, bodies) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut read = Vec::new();
            let body = loop {
                let mut more = [0; 4096];
                match stream.read(&mut more) {
                    Ok(0) | Err(_) => break None,
                    Ok(count) => read.extend_from_slice(&more[..count]),
                }
                let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                if let Ok(body) = serde_json::from_slice::<Value>(&read[head + 4..]) {
                    break Some(body);
                }
            };
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            if body.is_some_and(|body| send.send(body).is_err()) {
                return;
            }
        }
    });
    (url, bodies)
}

#[tokio::test]
async fn a_killed_collector_tells_what_it_had_not_told_and_nothing_twice() {
    let (url, bodies) = webhook();
    let dir = tempfile::tempdir().unwrap();
    let (yaml, alertmanager) = (dir.path().join("collector.yaml"), dir.path().join("am.yml"));
    std::fs::write(&yaml, "alertmanager_config: am.yml\nshipped_rules: false\n").unwrap();
    let config = format!(
        "route: {{receiver: hook, group_by: [n], group_wait: 100ms, group_interval: 1s}}\nreceivers: [{{name: hook, webhook_configs: [{{url: '{url}'}}]}}]\n"
    );
    std::fs::write(&alertmanager, config).unwrap();
    let program = Program::start_in(dir, |command| {
        command.arg("--config").arg(&yaml);
    });
    text(post(&program, ALERTS, &json!([firing("1", "page")])).await, StatusCode::OK).await;
    let next = || bodies.recv_timeout(Duration::from_secs(20)).unwrap();
    let first = next();
    assert_eq!((&first["status"], &first["alerts"][0]["labels"]["n"]), (&json!("firing"), &json!("1")));
    assert_eq!(first["groupKey"], "{}:{n=\"1\"}");
    // The note that it was told is durable soon after; then it dies with one more alert.
    tokio::time::sleep(Duration::from_millis(300)).await;
    text(post(&program, ALERTS, &json!([firing("2", "page")])).await, StatusCode::OK).await;
    let program = program.kill_and_restart_with_config();
    assert_eq!(next()["alerts"][0]["labels"]["n"], "2");
    assert_eq!(program.json(ALERTS).await.as_array().unwrap().len(), 2);

    let mut over = firing("1", "page");
    over["endsAt"] = json!("2001-01-01T00:00:00Z");
    text(post(&program, ALERTS, &json!([over])).await, StatusCode::OK).await;
    let resolved = next();
    assert_eq!(
        (&resolved["status"], &resolved["alerts"][0]["labels"]["n"]),
        (&json!("resolved"), &json!("1"))
    );
    assert!(bodies.recv_timeout(Duration::from_millis(1500)).is_err(), "nothing is told twice");

    let alert = resolved["alerts"][0]["fingerprint"].as_str().unwrap();
    let view = program.json(&format!("/api/v1/narrows/alerts/{alert}")).await;
    assert_eq!(
        (&view["state"], &view["name"], &view["rule"]),
        (&json!("resolved"), &json!("Disk"), &Value::Null)
    );
    let list = program.json("/api/v1/narrows/alerts").await;
    assert_eq!(list["alerts"].as_array().unwrap().len(), 2);
    let metrics = program.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains("narrows_notifications_total{integration=\"webhook\",outcome=\"sent\"} 2"),
        "{metrics}"
    );
}
