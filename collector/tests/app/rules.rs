//! Rules: files that are watched, alerts that fire and survive a kill, and what the API tells of them.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use reqwest::StatusCode;
use serde_json::Value;

use crate::harness::{PASSWORD, Program, error_code, escape, record, request};

const CONFIG: &str = "shipped_rules: false\nrule_files: [\"rules/*.yaml\"]\nexternal_url: https://narrows.example.org\n\
    tenants: [{name: acme, ingest_token: token-of-acme, rule_files: [acme.yaml]}]\n";
const RULES: &str = "groups:
- name: fast
  interval: 1s
  rules:
  - record: two
    expr: vector(2)
    labels: {team: core}
  - alert: Two
    expr: two > 1
    labels: {severity: page}
    annotations: {summary: 'it is {{ $value }}'}
  - alert: Waits
    expr: vector(1)
    for: 1h
  - alert: Broken
    expr: vector(1) + on () {__name__=~\"two|ALERTS\"}
- name: words
  type: logs
  interval: 1s
  rules:
  - alert: Words
    expr: severity>=error | stats count() by (service) > 1
    annotations: {summary: '{{ $labels.service }}: {{ $value }}'}
";

fn program() -> Program {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    std::fs::write(dir.path().join("collector.yaml"), CONFIG).unwrap();
    std::fs::write(dir.path().join("rules/a.yaml"), RULES).unwrap();
    std::fs::write(
        dir.path().join("acme.yaml"),
        "groups:\n- name: of acme\n  rules:\n  - record: a\n    expr: '1'\n",
    )
    .unwrap();
    let config = dir.path().join("collector.yaml");
    Program::start_in(dir, |command| {
        command.arg("--config").arg(&config);
    })
}

/// Asks until the answer is as wanted.
async fn until(program: &Program, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let answer = program.json(path).await;
        if wanted(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{path}: {answer:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn alert_of<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    answer["data"]["alerts"].as_array().unwrap().iter().find(|alert| alert["labels"]["alertname"] == name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_are_evaluated_and_told() {
    let program = program();
    let alerts = until(&program, "/api/v1/alerts", |answer| {
        alert_of(answer, "Two").is_some_and(|alert| alert["state"] == "firing")
            && alert_of(answer, "Waits").is_some()
    })
    .await;
    let two = alert_of(&alerts, "Two").unwrap();
    assert_eq!(
        (&two["annotations"]["summary"], &two["value"], &two["labels"]["team"], &two["labels"]["severity"]),
        (&"it is 2".into(), &"2e+00".into(), &"core".into(), &"page".into())
    );
    assert_eq!(alert_of(&alerts, "Waits").unwrap()["state"], "pending");
    let stored =
        until(&program, &format!("/api/v1/query?query={}", escape("ALERTS{alertname=\"Two\"}")), |answer| {
            answer["data"]["result"].as_array().is_some_and(|result| result.len() == 1)
        })
        .await;
    assert_eq!(stored["data"]["result"][0]["metric"]["alertstate"], "firing");

    let rules =
        until(&program, "/api/v1/rules", |answer| answer["data"]["groups"][0]["rules"][3]["health"] == "err")
            .await;
    let group = &rules["data"]["groups"][0];
    assert_eq!((&group["name"], &group["interval"]), (&"fast".into(), &1.0.into()));
    let kinds: Vec<_> = group["rules"].as_array().unwrap().iter().map(|rule| rule["type"].clone()).collect();
    assert_eq!(kinds, ["recording", "alerting", "alerting", "alerting"]);
    assert!(group["rules"][3]["lastError"].as_str().unwrap().contains("match"), "{group:#}");
    assert_eq!(rules["data"]["groups"][1]["rules"][0]["narrows"]["type"], "logs");

    let metrics = program.get("/metrics").send().await.unwrap().text().await.unwrap();
    for metric in ["narrows_rule_evaluations_total", "narrows_rule_group_iterations_missed_total"] {
        assert!(metrics.contains(metric), "{metric}");
    }
    let of_acme = program.json_of_tenant("/api/v1/rules", "acme").await;
    let names: Vec<_> =
        of_acme["data"]["groups"].as_array().unwrap().iter().map(|group| &group["name"]).collect();
    assert_eq!(names, ["of acme"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_raise_alerts() {
    let program = program();
    let records =
        (0..3).map(|n| LogRecord { severity_number: 17, ..record(&format!("failure {n}")) }).collect();
    program.send(&request("checkout", records)).await;
    let alerts = until(&program, "/api/v1/alerts", |answer| alert_of(answer, "Words").is_some()).await;
    let alert = alert_of(&alerts, "Words").unwrap();
    assert_eq!(alert["annotations"]["summary"], "checkout: 3");
    assert_eq!(alert["labels"]["service"], "checkout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_filtered_and_paged() {
    let program = program();
    until(&program, "/api/v1/rules", |answer| answer["data"]["groups"].as_array().unwrap().len() == 2).await;
    let cases = [
        ("?type=record", vec!["two"]),
        ("?type=alert&rule_group[]=words", vec!["Words"]),
        ("?rule_name[]=Two&rule_name[]=two", vec!["two", "Two"]),
        ("?match[]=%7Bseverity%3D%22page%22%7D", vec!["Two"]),
        ("?file[]=none", vec![]),
        ("?group_limit=1", vec!["two", "Two", "Waits", "Broken"]),
    ];
    for (query, expected) in cases {
        let answer = program.json(&format!("/api/v1/rules{query}")).await;
        let groups = answer["data"]["groups"].as_array().unwrap();
        let names: Vec<_> = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
            .map(|rule| &rule["name"])
            .collect();
        assert_eq!(names, expected, "{query}");
    }
    let first = program.json("/api/v1/rules?group_limit=1&exclude_alerts=true").await;
    assert_eq!(first["data"]["groups"][0]["rules"][1]["alerts"], Value::Array(Vec::new()));
    let token = first["data"]["groupNextToken"].as_str().unwrap();
    let second = program.json(&format!("/api/v1/rules?group_limit=1&group_next_token={token}")).await;
    assert_eq!(second["data"]["groups"][0]["name"], "words");
    assert!(second["data"].get("groupNextToken").is_none());
    for bad in ["?type=x", "?group_limit=x", "?group_limit=1&group_next_token=x", "?match[]=%7B"] {
        let request = program.get(&format!("/api/v1/rules{bad}")).basic_auth("admin", Some(PASSWORD));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_watched_and_faults_told() {
    let program = program();
    let problems = "/api/v1/narrows/rules/problems";
    until(&program, problems, |answer| answer["files"].as_array().unwrap().len() == 1).await;
    let path = program.dir.path().join("rules/a.yaml");
    std::fs::write(&path, RULES.replace("expr: two > 1", "expr: two >")).unwrap();
    let bad =
        until(&program, problems, |answer| !answer["files"][0]["problems"].as_array().unwrap().is_empty())
            .await;
    let problem = &bad["files"][0]["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&9.into(), &11.into()), "{problem}");
    let rules = program.json("/api/v1/rules").await;
    assert_eq!(rules["data"]["groups"].as_array().unwrap().len(), 2, "the last good version goes on");

    std::fs::write(
        &path,
        "groups:\n- name: fast\n  interval: 1s\n  rules:\n  - record: two\n    expr: vector(3)\n",
    )
    .unwrap();
    until(&program, "/api/v1/rules", |answer| answer["data"]["groups"].as_array().unwrap().len() == 1).await;
    let gone = format!("/api/v1/query?query={}", escape("ALERTS"));
    until(&program, &gone, |answer| answer["data"]["result"].as_array().unwrap().is_empty()).await;
    let nobody = program.get(problems).send().await.unwrap();
    assert_eq!(error_code(nobody, StatusCode::UNAUTHORIZED).await, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_does_not_begin_anew() {
    let rules =
        "groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: Waits\n    expr: vector(1)\n    for: 3s\n";
    let program = program();
    std::fs::write(program.dir.path().join("rules/a.yaml"), rules).unwrap();
    let fires = |answer: &Value| alert_of(answer, "Waits").is_some_and(|alert| alert["state"] == "firing");
    let before = until(&program, "/api/v1/alerts", fires).await;
    let since =
        |answer: &Value| alert_of(answer, "Waits").unwrap()["activeAt"].as_str().unwrap()[..19].to_owned();
    // It has been written, too.
    let query = format!("/api/v1/query?query={}", escape("ALERTS{alertstate=\"firing\"}"));
    until(&program, &query, |answer| answer["data"]["result"].as_array().unwrap().len() == 1).await;
    let program = program.kill_and_restart_with_config();
    let after = until(&program, "/api/v1/alerts", fires).await;
    assert_eq!(since(&after), since(&before));
}
