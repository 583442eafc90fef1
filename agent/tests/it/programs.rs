//! With programs of the distribution: nginx writes an access log, systemd-journal-remote a journal.
//!
//! Where one is not installed, its test says so and passes, unless `NARROWS_CONFORMANCE=required`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::agent::{Agent, eventually};
use crate::collector::Collector;
use crate::sources::test_pipeline;

/// Where a program is, or `None` with a loud word.
fn program(name: &str, package: &str, places: &[&str]) -> Option<PathBuf> {
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var("NARROWS_CONFORMANCE").is_ok_and(|value| value == "required");
        assert!(!required, "NARROWS_CONFORMANCE=required, but {name} is not installed (package {package})");
        eprintln!("\n!!! NOT RUN: {name} is not installed (package {package}) !!!\n");
    }
    found
}

struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn request(port: u16, text: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answer = Vec::new();
    // A connection that nginx resets has been logged, too.
    let _reset = stream.read_to_end(&mut answer);
}

#[tokio::test]
async fn nginx_access_lines_counted_by_status_are_what_awk_counts() {
    let Some(nginx) = program("nginx", "nginx", &["/usr/sbin", "/usr/local/sbin", "/usr/bin"]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;\n\
         events {{}}\n\
         http {{ access_log {root}/access.log combined; client_body_temp_path {root}/b; proxy_temp_path {root}/p;\n\
         fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;\n\
         server {{ listen 127.0.0.1:{port}; root {root};\n\
         location = /ok {{ return 200 'fine'; }} location = /moved {{ return 301 /ok; }}\n\
         location = /broken {{ return 503; }} }} }}\n"
    );
    fs::write(folder.path().join("nginx.conf"), config).unwrap();
    let mut child = Command::new(nginx);
    child.arg("-c").arg(folder.path().join("nginx.conf")).arg("-e").arg(folder.path().join("error.log"));
    let _nginx = Stopped(child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    eventually("nginx listens", Duration::from_secs(10), || TcpStream::connect(("127.0.0.1", port)).is_ok())
        .await;
    for number in 0..120 {
        let path = ["/ok?q=a%20b&c=\"d\"", "/missing", "/moved", "/broken", "/ok"][number % 5];
        let agent = ["curl/8.5", "Mozilla/5.0 (X11; \"quoted\")", "-"][number % 3];
        request(
            port,
            &format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\nReferer: http://r.example/?{number}\r\nConnection: close\r\n\r\n"
            ),
        );
    }
    request(port, "\u{16}\u{3}\u{1}\r\n\r\n");
    request(port, "BREW /pot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let log = folder.path().join("access.log");
    let lines = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    eventually("every request is logged", Duration::from_secs(10), || lines() >= 122).await;

    let awk = Command::new("awk").arg("-F\"").arg("{ split($0, parts, \"\\\" \"); for (i in parts) if (parts[i] ~ /^[1-5][0-9][0-9] [0-9]+ \"/) { print substr(parts[i], 1, 3); break } }").arg(&log).output().unwrap();
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for status in String::from_utf8(awk.stdout).unwrap().lines() {
        *expected.entry(status.to_owned()).or_default() += 1;
    }
    fs::write(
        folder.path().join("agent.yaml"),
        format!("inputs: {{files: [{{include: '{root}/access.log'}}]}}\n"),
    )
    .unwrap();
    let (records, summary) = test_pipeline(&folder.path().join("agent.yaml"), None, &fs::read(&log).unwrap());
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for record in &records {
        let attributes = &record["attributes"];
        *counted.entry(attributes["http.response.status_code"].to_string()).or_default() += 1;
        assert_eq!(attributes["client.address"], "127.0.0.1", "{record}");
    }
    println!("nginx: {} lines, by status {counted:?}", summary["lines"]);
    assert_eq!(counted, expected);
    assert!(counted.len() >= 5 && counted.values().sum::<u64>() == lines() as u64, "{counted:?}");
    let quoted = records
        .iter()
        .filter(|record| record["attributes"]["user_agent.original"] == "Mozilla/5.0 (X11; \"quoted\")");
    assert_eq!(quoted.count(), 40);
}

#[tokio::test]
async fn a_journal_in_a_directory_is_read_exactly_once() {
    let places = ["/lib/systemd", "/usr/lib/systemd", "/usr/bin"];
    let Some(remote) = program("systemd-journal-remote", "systemd-journal-remote", &places) else { return };
    if program("journalctl", "systemd", &["/usr/bin", "/bin"]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    fs::create_dir(&journal).unwrap();
    let write = |file: &str, range: std::ops::Range<u64>| {
        let mut export = Vec::new();
        for number in range {
            let time = 1_795_601_859_000_000 + number;
            export.extend(format!(
                "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={number}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n\
                 _MACHINE_ID=fedcba9876543210fedcba9876543210\n_HOSTNAME=web-9\n_SYSTEMD_UNIT=shop.service\nPRIORITY=4\n\
                 MESSAGE=entry {number}\n"
            ).bytes());
            // Export format: a binary field is its name, a length, and its bytes.
            export.extend(b"BLOB\n\x03\0\0\0\0\0\0\0\xff\n\x01\n\n");
        }
        fs::write(folder.path().join("export"), export).unwrap();
        let output = Command::new(&remote)
            .arg(format!("--output={}", journal.join(file).display()))
            .arg(folder.path().join("export"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    write("one.journal", 0..200);
    let collector = Collector::default();
    let text = format!(
        "agent_id: host-1\ndata: {root}/data\nstatus: 127.0.0.1:0\n\
         inputs:\n  journald: [{{directory: '{root}/journal'}}]\n  host: {{enabled: false}}\n  otlp: {{grpc: '127.0.0.1:0', http: '127.0.0.1:0'}}\n\
         output: {{collector: '{}', timeout: 2s, max_backoff: 200ms}}\n",
        collector.serve().await,
        root = folder.path().display()
    );
    fs::write(folder.path().join("agent.yaml"), text).unwrap();
    let agent = Agent::start(folder.path());
    eventually("the journal is read", Duration::from_secs(20), || collector.record_count() >= 200).await;
    agent.kill();
    write("two.journal", 200..300);
    let agent = Agent::start(folder.path());
    eventually("the rest is read", Duration::from_secs(20), || collector.record_count() >= 300).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(agent.stop().success());
    let records = collector.records();
    let mut bodies: Vec<&str> = records.iter().map(|record| record.body.as_str()).collect();
    bodies.sort_unstable_by_key(|body| body.strip_prefix("entry ").unwrap().parse::<u64>().unwrap());
    let expected: Vec<String> = (0..300).map(|number| format!("entry {number}")).collect();
    assert_eq!(bodies, expected);
    let first = &records[0];
    assert_eq!(
        (first.resource["service.name"].as_str(), first.resource["host.name"].as_str()),
        ("shop", "web-9")
    );
    assert_eq!(first.attributes["journald.blob"], "/woB");
}
