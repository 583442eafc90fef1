//! Who is told of alerts, and a message to try it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::harness::{PASSWORD, Program, command, error_code, json_of, output};

const RECEIVERS: &str = "/api/v1/narrows/receivers";

/// Takes everything, and keeps what it took.
async fn hook() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&taken);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            // One message is small: it comes with its end, which is that of the JSON.
            while !text.trim_end().ends_with('}') {
                let mut chunk = [0; 4096];
                let read = stream.read(&mut chunk).await.unwrap();
                text.push_str(&String::from_utf8_lossy(&chunk[..read]));
            }
            kept.lock().unwrap().push(text);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    });
    (format!("http://{address}"), taken)
}

fn start(alertmanager: &str, more: &str) -> Program {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("collector.yaml");
    std::fs::write(dir.path().join("am.yml"), alertmanager).unwrap();
    std::fs::write(&config, format!("external_url: https://n.example\nalertmanager_config: am.yml\n{more}"))
        .unwrap();
    Program::start_in(dir, |command| {
        command.arg("--config").arg(&config);
    })
}

async fn test(program: &Program, name: &str) -> Value {
    let sent = program.client.post(program.url(&format!("{RECEIVERS}/{name}/test")));
    let sent = sent.basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    json_of(sent, StatusCode::OK).await
}

#[tokio::test]
async fn a_test_goes_by_every_way_and_says_what_became_of_it() {
    let (url, taken) = hook().await;
    let file = format!(
        "route:\n  receiver: quiet\n  routes: [{{receiver: team/x, matchers: [a=b]}}, {{receiver: team/x, matchers: [c=d]}}]\n\
         receivers:\n- name: quiet\n- name: team/x\n  webhook_configs:\n  - {{url: '{url}/hook/secret'}}\n  \
         - {{url: 'http://169.254.169.254/latest', send_resolved: false}}\n  opsgenie_configs: [{{api_key: hush-hush}}]\n  \
         email_configs: [{{to: 'on-call@example.org', from: 'n@example.org', smarthost: '127.0.0.1:1', text: '{{{{ nope }}}}'}}]\n"
    );
    let program = start(&file, "");
    let before = program.json(RECEIVERS).await;
    assert!(before["source"].as_str().unwrap().ends_with("am.yml"), "{before}");
    let [quiet, team] = &before["receivers"].as_array().unwrap()[..] else { panic!("{before}") };
    assert_eq!((&quiet["routes"], &quiet["integrations"]), (&json!(1), &json!([])));
    assert_eq!((&team["name"], &team["routes"]), (&json!("team/x"), &json!(2)));
    let expected = json!({"kind": "webhook", "index": 0, "target": url, "send_resolved": true, "supported": true, "last": null, "sent": 0, "failed": 0});
    assert_eq!(team["integrations"][0], expected);
    assert_eq!(
        (&team["integrations"][2]["kind"], &team["integrations"][2]["target"]),
        (&json!("email"), &json!("on-call@example.org"))
    );
    assert_eq!(
        (&team["integrations"][3]["kind"], &team["integrations"][3]["supported"]),
        (&json!("opsgenie"), &json!(false))
    );
    assert_eq!(
        before["notes"][0]["message"],
        "receivers[1].opsgenie_configs[0]: opsgenie is read, but not sent yet"
    );
    assert!(
        before["problems"][0]["message"]
            .as_str()
            .unwrap()
            .starts_with("team/x: email 0: text is no template"),
        "{before}"
    );
    assert_eq!(before["problems"][0]["line"], 11, "{before}");
    let text = before.to_string();
    assert!(!text.contains("hush") && !text.contains("/hook/secret") && !text.contains("/latest"), "{text}");

    let results = test(&program, "team%2Fx").await["results"].clone();
    assert_eq!((&results[0]["ok"], &results[0]["error"]), (&json!(true), &Value::Null), "{results}");
    let closed = results[1]["error"].as_str().unwrap();
    assert!(
        closed.contains("169.254.169.254 is a link-local address") && results[1]["ok"] == false,
        "{results}"
    );
    assert!(results[2]["error"].as_str().unwrap().starts_with("the template of text fails"), "{results}");
    assert_eq!(results[3]["error"], "opsgenie is not sent yet");
    let taken = taken.lock().unwrap().clone();
    let [request] = &taken[..] else { panic!("{taken:?}") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook/secret HTTP/1.1"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["version"], &body["externalURL"]), (&json!("4"), &json!("https://n.example")));
    assert_eq!(body["alerts"][0]["labels"]["alertname"], "TestMessage");
    let after = program.json(RECEIVERS).await;
    let [first, second, ..] = &after["receivers"][1]["integrations"].as_array().unwrap()[..] else {
        panic!("{after}")
    };
    assert_eq!(
        (&first["sent"], &first["failed"], &first["last"]["error"]),
        (&json!(1), &json!(0), &Value::Null)
    );
    assert!(
        first["last"]["at"].as_str().unwrap().ends_with('Z') && first["last"]["took_ms"].is_u64(),
        "{after}"
    );
    assert_eq!((&second["sent"], &second["failed"]), (&json!(0), &json!(1)));

    let unknown = program.client.post(program.url(&format!("{RECEIVERS}/nobody/test")));
    let unknown = unknown.basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(error_code(unknown, StatusCode::NOT_FOUND).await, "not_found");
}

#[tokio::test]
async fn the_shipped_configuration_tells_nobody() {
    let program = Program::start();
    let mut answer = program.json(RECEIVERS).await;
    let route = answer.as_object_mut().unwrap().remove("route").unwrap();
    assert_eq!((&route["receiver"], &route["group_wait_s"]), (&json!("on-call"), &json!(10.0)));
    let expected = json!({"receivers": [{"name": "on-call", "routes": 1, "integrations": []}], "source": "shipped", "problems": [], "notes": []});
    assert_eq!(answer, expected);
    assert_eq!(test(&program, "on-call").await, json!({"results": []}));
}

/// Asks until an answer is as wanted.
async fn until(program: &Program, is_right: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = program.json(RECEIVERS).await;
        if is_right(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn files_and_templates_are_read_again_and_bad_ones_are_not_taken() {
    let (url, taken) = hook().await;
    let file = format!(
        "route: {{receiver: a}}\ntemplates: ['*.tmpl']\nreceivers:\n- name: a\n  webhook_configs: [{{url: '{url}', payload: {{told: '{{{{ template \"own\" . }}}}'}}}}]\n"
    );
    let write = |dir: &Path, name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "own.tmpl", "{{ define \"own\" }}first{{ end }}");
    write(dir.path(), "am.yml", &file);
    write(dir.path(), "collector.yaml", "alertmanager_config: am.yml\n");
    let config = dir.path().join("collector.yaml");
    let program = Program::start_in(dir, |command| {
        command.arg("--config").arg(&config);
    });
    let dir = program.dir.path();
    assert_eq!(test(&program, "a").await["results"][0]["ok"], true);
    write(dir, "own.tmpl", "{{ define \"own\" }}broken{{ end");
    let broken = until(&program, |answer| answer["problems"][0].is_object()).await;
    assert!(broken["problems"][0]["message"].as_str().unwrap().contains("own.tmpl:1:"), "{broken}");
    assert_eq!(test(&program, "a").await["results"][0]["ok"], true, "what was in force before still is");
    write(dir, "own.tmpl", "{{ define \"own\" }}another{{ end }}");
    until(&program, |answer| answer["problems"] == json!([])).await;
    assert_eq!(test(&program, "a").await["results"][0]["ok"], true);
    let told: Vec<String> =
        taken.lock().unwrap().iter().map(|text| text.split("\r\n\r\n").nth(1).unwrap().to_owned()).collect();
    assert_eq!(told, [r#"{"told":"first"}"#, r#"{"told":"first"}"#, r#"{"told":"another"}"#]);
    write(dir, "am.yml", "route: {receiver: b}\n");
    let wrong = until(&program, |answer| answer["problems"][0].is_object()).await;
    assert_eq!((&wrong["problems"][0]["line"], &wrong["receivers"][0]["name"]), (&json!(1), &json!("a")));
    assert_eq!(wrong["receivers"][0]["integrations"][0]["sent"], 3, "what was counted outlives a reload");
}

#[test]
fn the_program_checks_a_file_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("am.yml");
    let run = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let mut check = std::process::Command::new(env!("CARGO_BIN_EXE_narrows-collector"));
        let output = output(check.arg("check-alertmanager-config").arg(&path));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) =
        run("route: {receiver: a}\nreceivers: [{name: a, wechat_configs: [{api_secret: s, corp_id: c}]}]\n");
    assert_eq!(code, Some(0));
    assert!(
        out.contains("am.yml:2:40: receivers[0].wechat_configs[0]: wechat is read, but not sent yet\n")
            && out.ends_with("is good\n"),
        "{out}"
    );
    let (code, _, err) = run("route: {receiver: b}\nwhat: 1\n");
    assert_eq!((code, err.lines().count()), (Some(2), 2), "{err}");
    let config = dir.path().join("collector.yaml");
    std::fs::write(&config, "alertmanager_config: am.yml\n").unwrap();
    let checked = output(command(dir.path()).arg("--check-config").arg("--config").arg(&config));
    assert_eq!(checked.status.code(), Some(2));
    assert!(String::from_utf8(checked.stderr).unwrap().contains("am.yml:2:1: unknown key \"what\""));
}
