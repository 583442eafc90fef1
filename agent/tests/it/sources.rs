//! Syslog, standard input, a configuration that is read again, and `test-pipeline`.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

use crate::agent::{Agent, command, eventually};
use crate::collector::Collector;

/// Writes a configuration with these inputs (YAML flow) and processors.
fn configure(folder: &Path, collector: &str, inputs: &str, processors: &str) {
    let text = format!(
        "agent_id: host-1\ndata: {folder}/data\nstatus: 127.0.0.1:0\n\
         inputs:\n  host: {{enabled: false}}\n  otlp: {{grpc: '127.0.0.1:0', http: '127.0.0.1:0'}}\n{inputs}\
         output: {{collector: '{collector}', timeout: 2s, max_backoff: 200ms}}\n{processors}",
        folder = folder.display()
    );
    fs::write(folder.join("agent.yaml"), text).unwrap();
}

#[tokio::test]
async fn syslog_arrives_over_udp_and_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::default();
    let inputs = "  syslog: [{listen: '127.0.0.1:0'}, {listen: '127.0.0.1:0', protocol: tcp, max_message_bytes: 480}]\n";
    configure(folder.path(), &collector.serve().await, inputs, "");
    let agent = Agent::start(folder.path());
    let port = |scheme: &str| {
        agent
            .said
            .iter()
            .find_map(|line| line.strip_prefix(&format!("receiving syslog on {scheme}://")))
            .unwrap()
    };
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.send_to(b"<34>Oct 11 22:14:15 web-1 su[7]: over udp", port("udp")).unwrap();
    let mut tcp = TcpStream::connect(port("tcp")).unwrap();
    let long = "x".repeat(600);
    let counted = r#"<165>1 2026-11-25T10:17:39Z web-2 shop - - [a b="c"] counted"#;
    let text = format!("{} {counted}<13>Nov 25 10:17:39 web-2 app: a line\n<13>app: {long}\n", counted.len());
    tcp.write_all(text.as_bytes()).unwrap();
    eventually("four records arrive", Duration::from_secs(10), || collector.record_count() == 4).await;
    let status = reqwest::get(format!("{}/status", agent.status_url)).await.unwrap().text().await.unwrap();
    let counts = r#""syslog":{"udp_messages":1,"tcp_messages":3,"dropped_datagrams":0}"#;
    assert!(status.contains(counts), "{status}");
    let records = collector.records();
    let find = |body: &str| records.iter().find(|record| record.body == body).unwrap();
    assert_eq!(find("over udp").resource["host.name"], "web-1");
    assert_eq!(find("over udp").attributes["process.pid"], "7");
    assert_eq!(find("counted").resource["service.name"], "shop");
    assert_eq!(find("counted").attributes["syslog.a.b"], "c");
    assert_eq!(find("a line").attributes["network.peer.address"], "127.0.0.1");
    assert!(
        records
            .iter()
            .any(|record| record.attributes.get("log.truncated").is_some_and(|mark| mark == "true"))
    );
    assert!(agent.stop().success());
}

#[tokio::test]
async fn syslog_connections_over_the_limit_and_silent_ones_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::default();
    let inputs =
        "  syslog: [{listen: '127.0.0.1:0', protocol: tcp, max_connections: 1, idle_timeout: 600ms}]\n";
    configure(folder.path(), &collector.serve().await, inputs, "");
    let agent = Agent::start(folder.path());
    let said = agent.said.iter().find_map(|line| line.strip_prefix("receiving syslog on tcp://")).unwrap();
    let connect = || {
        let stream = TcpStream::connect(said).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    };
    let mut first = connect();
    first.write_all(b"<13>app: kept without its newline").unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Closed at once, and the first when it has been silent for long enough: both reads end.
    assert_eq!(connect().read(&mut [0]).unwrap(), 0);
    assert_eq!(first.read(&mut [0]).unwrap(), 0);
    eventually("the rest arrives", Duration::from_secs(5), || collector.record_count() == 1).await;
    assert_eq!(collector.records()[0].body, "kept without its newline");
    connect().write_all(b"<13>app: there is room again\n").unwrap();
    eventually("another is taken", Duration::from_secs(5), || collector.record_count() == 2).await;
    let metrics = reqwest::get(format!("{}/metrics", agent.status_url)).await.unwrap().text().await.unwrap();
    for reason in ["too_many_connections", "idle"] {
        assert!(metrics.contains(&format!("syslog_problems_total{{reason=\"{reason}\"}} 1")), "{metrics}");
    }
    assert!(agent.stop().success());
}

#[tokio::test]
async fn standard_input_is_read_to_its_end_and_the_agent_ends() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::default();
    configure(folder.path(), &collector.serve().await, "  files: []\n", "");
    let mut child =
        command(folder.path()).arg("--stdin").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\nERROR two\n\tat a.b(C.java:1)\n{\"msg\":\"three\",\"a\":1}\nrest").unwrap();
    drop(input);
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(ended.success());
    let bodies: Vec<String> = collector.records().into_iter().map(|record| record.body).collect();
    assert_eq!(bodies, ["one", "ERROR two\n\tat a.b(C.java:1)", "three", "rest"]);
}

#[tokio::test]
async fn a_configuration_is_read_again_without_losing_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::default();
    let url = collector.serve().await;
    let files =
        |more: &str| format!("  files:\n    - {{include: '{}/a*.log'}}\n{more}", folder.path().display());
    let more = format!("    - {{include: '{}/b*.log', service: second}}\n", folder.path().display());
    configure(folder.path(), &url, &files(""), "");
    let agent = Agent::start(folder.path());
    let append = |name: &str, text: String| {
        let file = fs::OpenOptions::new().create(true).append(true).open(folder.path().join(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    };
    let mut written = 0;
    let mut next = |count: u64| {
        let start = written;
        written += count;
        (start..written).map(|line| format!("line {line}\n")).collect::<String>()
    };
    append("a.log", next(50));
    append("b.log", "of b\n".to_owned());
    for round in 0..6 {
        append("a.log", next(50));
        match round {
            // Refused as a whole: the old one goes on.
            1 => fs::write(folder.path().join("agent.yaml"), "queue: {max_bytes: much}\n").unwrap(),
            2 => configure(folder.path(), "http://127.0.0.1:9", &files(""), ""),
            _ => {
                let rule = "processors: {rules: [{name: not-b, when: {service: second}, action: set, attributes: {seen: true}}]}\n";
                configure(folder.path(), &url, &files(&more), rule);
            }
        }
        agent.signal("-HUP");
        tokio::time::sleep(Duration::from_millis(150)).await;
        append("a.log", next(50));
    }
    eventually("every line arrives", Duration::from_secs(15), || collector.record_count() >= 651).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let records = collector.records();
    let lines: Vec<&str> =
        records.iter().map(|record| record.body.as_str()).filter(|body| body.starts_with("line")).collect();
    let expected: Vec<String> = (0..650).map(|line| format!("line {line}")).collect();
    assert_eq!(lines, expected);
    let of_b = records.iter().find(|record| record.body == "of b").unwrap();
    assert_eq!(
        (of_b.resource["service.name"].as_str(), of_b.attributes["seen"].as_str()),
        ("second", "true")
    );
    let metrics = reqwest::get(format!("{}/metrics", agent.status_url)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("config_reloads_total{result=\"refused\"} 2"), "{metrics}");
    assert!(metrics.contains("config_reloads_total{result=\"applied\"} 4"), "{metrics}");
    assert!(agent.stop().success());
}

/// Runs `test-pipeline` over a sample; records and the summary.
pub(crate) fn test_pipeline(config: &Path, source: Option<&str>, sample: &[u8]) -> (Vec<Json>, Json) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows-agent"));
    command.arg("test-pipeline").arg("--config").arg(config);
    if let Some(source) = source {
        command.args(["--source", source]);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let sample = sample.to_vec();
    let writing = std::thread::spawn(move || input.write_all(&sample).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut records: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = records.pop().unwrap()["summary"].clone();
    (records, summary)
}

#[test]
fn test_pipeline_shows_what_lines_become() {
    let folder = tempfile::tempdir().unwrap();
    let processors = "processors:\n  redact: {known: [emails]}\n  rules: [{name: no-debug, when: {severity: debug}, action: drop}]\n";
    let inputs = "  files: [{include: /var/log/a.log}, {name: net, include: /b, multiline: off}]\n  syslog: [{listen: '127.0.0.1:0'}]\n";
    configure(folder.path(), "http://127.0.0.1:9", inputs, processors);
    let config = folder.path().join("agent.yaml");
    let sample = b"{\"level\":\"warn\",\"msg\":\"from a@b.example\",\"n\":1}\nDEBUG x\n\nERROR y\n\tat a.b(C.java:1)\n";
    let (records, summary) = test_pipeline(&config, None, sample);
    assert_eq!(records.len(), 2);
    assert_eq!(
        (&records[0]["body"], &records[0]["severity"]),
        (&Json::from("from [email]"), &Json::from("warn"))
    );
    assert_eq!(records[1]["body"], "ERROR y\n\tat a.b(C.java:1)");
    let expected = serde_json::json!({"lines": 5, "records": 2, "empty_lines": 1, "malformed": 0,
        "dropped": {"no-debug": 1}, "redacted": {"emails": 1}});
    assert_eq!(summary, expected);
    assert_eq!(test_pipeline(&config, Some("net"), sample).1["records"], 3);
    let (records, _) = test_pipeline(&config, Some("syslog"), b"<34>Oct 11 22:14:15 web-1 su: hi\n");
    assert_eq!(
        (&records[0]["body"], &records[0]["attributes"]["host.name"]),
        (&Json::from("hi"), &Json::from("web-1"))
    );
}
