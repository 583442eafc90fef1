//! The command line, the OTLP input, the status pages and an ordered stop.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::agent::{Agent, command, configure, eventually};
use crate::collector::Collector;

#[tokio::test]
async fn lines_and_otlp_reach_the_collector_and_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::default();
    configure(folder.path(), &collector.serve().await, &format!("{}/*.log", folder.path().display()));
    fs::write(folder.path().join("shop.log"), "one\ntwo\n").unwrap();
    let agent = Agent::start(folder.path());
    let body = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]},
        "scopeLogs":[{"logRecords":[{"timeUnixNano":"1795601859000000000","severityNumber":17,"body":{"stringValue":"boom"}}]}]}]}"#;
    let client = reqwest::Client::new();
    let request =
        client.post(format!("{}/v1/logs", agent.otlp_http)).header("content-type", "application/json");
    assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    let garbage =
        client.post(format!("{}/v1/logs", agent.otlp_http)).header("content-type", "application/json");
    assert_eq!(garbage.body("{").send().await.unwrap().status(), 400);
    let span = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /cart","startTimeUnixNano":"1795601859000000000",
        "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}]}]}]}"#;
    let request =
        client.post(format!("{}/v1/traces", agent.otlp_http)).header("content-type", "application/json");
    assert_eq!(request.body(span).send().await.unwrap().status(), 200);
    eventually("four records arrive", Duration::from_secs(10), || collector.record_count() == 4).await;

    let records = collector.records();
    let boom = records.iter().find(|record| record.body == "boom").unwrap();
    assert_eq!(boom.resource["service.name"], "cart");
    assert!(!boom.resource["host.name"].is_empty() && boom.resource["os.type"] == "linux");
    let span = records.iter().find(|record| record.body == "GET /cart").unwrap();
    assert_eq!(span.resource["host.name"], boom.resource["host.name"]);
    let one = records.iter().find(|record| record.body == "one").unwrap();
    assert_eq!(one.resource["service.name"], "shop");
    assert_eq!(one.attributes["log.file.name"], "shop.log");

    let get = async |path: &str| {
        let answer = client.get(format!("{}{path}", agent.status_url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (code, metrics) = get("/metrics").await;
    assert_eq!(code, 200);
    for line in [
        "narrows_agent_lines_read_total 2",
        "narrows_agent_records_enqueued_total{source=\"file\"} 2",
        "narrows_agent_records_enqueued_total{source=\"otlp\"} 2",
        "narrows_agent_otlp_requests_total 3",
        "narrows_agent_otlp_requests_refused_total{reason=",
        "process_cpu_seconds_total",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert_eq!(get("/-/healthy").await, (200, "ok\n".to_owned()));
    let (code, ready) = get("/-/ready").await;
    assert!(code == 200 && ready.contains("\"ready\":true"), "{ready}");
    let (_, status) = get("/status").await;
    assert!(status.contains("shop.log") && status.contains("\"state\":\"ok\""), "{status}");
    assert_eq!(get("/nothing").await.0, 404);
    let foreign =
        client.get(format!("{}/status", agent.status_url)).header("host", "evil.example").send().await;
    assert_eq!(foreign.unwrap().status(), 403);
    assert!(agent.stop().success());
}

#[tokio::test]
async fn a_stop_keeps_what_the_collector_does_not_take() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "http://127.0.0.1:9", &format!("{}/*.log", folder.path().display()));
    fs::write(folder.path().join("a.log"), "kept\n").unwrap();
    let agent = Agent::start(folder.path());
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(agent.stop().success());
    let collector = Collector::default();
    configure(folder.path(), &collector.serve().await, &format!("{}/*.log", folder.path().display()));
    let agent = Agent::start(folder.path());
    eventually("the kept line arrives", Duration::from_secs(10), || collector.record_count() == 1).await;
    assert!(agent.stop().success());
}

#[test]
fn check_config_names_every_problem_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("agent.yaml"), "queue:\n  max_bytes: much\noutput: 7\n").unwrap();
    let output = command(folder.path()).arg("--check-config").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        text.contains("agent.yaml:2:14: queue.max_bytes") && text.contains("agent.yaml:3:9: output"),
        "{text}"
    );
    fs::write(folder.path().join("agent.yaml"), "queue:\n  max_bytes: 9MiB\n").unwrap();
    assert!(command(folder.path()).arg("--check-config").status().unwrap().success());
}

#[tokio::test]
async fn a_second_agent_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "http://127.0.0.1:9", "/no/such/file");
    let _first = Agent::start(folder.path());
    let second = command(folder.path()).output().unwrap();
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success() && text.contains("another agent uses the data directory"), "{text}");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = format!("data: {}/data\nstatus: 127.0.0.1:{port}\n", folder.path().display());
    fs::write(folder.path().join("agent.yaml"), text).unwrap();
    let output = command(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && text.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{text}"
    );
}

#[test]
fn the_command_line_explains_itself() {
    let output = Command::new(env!("CARGO_BIN_EXE_narrows-agent")).arg("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for flag in ["--config", "--data", "--collector", "--file", "--token-file", "--check-config"] {
        assert!(text.contains(flag), "{flag}: {text}");
    }
}
