//! Starts the program in a directory of its own and talks to it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const TOKEN: &str = "token-of-default";

/// A running collector; killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) dir: TempDir,
    pub(crate) http: String,
    pub(crate) grpc: String,
    /// What it printed before it listened.
    pub(crate) told: Vec<String>,
    pub(crate) client: Client,
}

/// The program, with nothing of this process's environment that it would read.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows-collector"));
    let inherited =
        ["CONFIG", "DATA", "LISTEN", "LISTEN_GRPC", "RETENTION", "ADMIN_PASSWORD", "INGEST_TOKEN", "LOG"];
    for name in inherited {
        command.env_remove(format!("NARROWS_{name}"));
    }
    command.arg("--data").arg(dir.join("data")).args([
        "--listen",
        "127.0.0.1:0",
        "--listen-grpc",
        "127.0.0.1:0",
    ]);
    command.env("NARROWS_LOG", "warn").stdin(Stdio::null());
    command
}

/// Runs a command that must end by itself.
pub(crate) fn output(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = wait(&mut child);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    Output { status, stdout, stderr }
}

fn wait(child: &mut Child) -> ExitStatus {
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("the program did not end");
}

/// A client that has to do with nobody else; one that speaks TLS, so it wants a provider.
pub(crate) fn client() -> Client {
    // An error means that it is there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().timeout(Duration::from_secs(30)).build().unwrap()
}

impl Program {
    /// With a known password and token.
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), |_| {})
    }

    /// With a configuration file.
    pub(crate) fn with_config(yaml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("collector.yaml");
        std::fs::write(&path, yaml).unwrap();
        Self::start_in(dir, |command| {
            command.arg("--config").arg(&path);
        })
    }

    /// In a directory that may have been used before.
    pub(crate) fn start_in(dir: TempDir, change: impl Fn(&mut Command)) -> Self {
        let mut command = command(dir.path());
        command.env("NARROWS_ADMIN_PASSWORD", PASSWORD).env("NARROWS_INGEST_TOKEN", TOKEN);
        change(&mut command);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (told, http, grpc) = read_announcement(&mut child);
        let client = client();
        Self { child, dir, http, grpc, told, client }
    }

    /// Sends a signal, as `-HUP`.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Kills it as a power switch would, and starts it again.
    pub(crate) fn kill_and_restart(mut self, change: impl Fn(&mut Command)) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Self::start_in(std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap()), change)
    }

    /// The same, with the configuration of `with_config`.
    pub(crate) fn kill_and_restart_with_config(self) -> Self {
        let config = self.dir.path().join("collector.yaml");
        self.kill_and_restart(|command| {
            command.arg("--config").arg(&config);
        })
    }

    /// A file of /proc about it.
    pub(crate) fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(name)
    }

    /// Asks it to stop, and does not wait.
    pub(crate) fn ask_to_stop(&self) {
        self.signal("-TERM");
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// Asks it to stop.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.ask_to_stop();
        self.ended()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.http)
    }

    /// As nobody.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    /// As the admin.
    pub(crate) async fn json(&self, path: &str) -> serde_json::Value {
        let response = self.get(path).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
        json_of(response, StatusCode::OK).await
    }

    /// As the admin, for a tenant.
    pub(crate) async fn json_of_tenant(&self, path: &str, tenant: &str) -> serde_json::Value {
        let request = self.get(path).basic_auth("admin", Some(PASSWORD)).header("x-scope-orgid", tenant);
        json_of(request.send().await.unwrap(), StatusCode::OK).await
    }

    /// Sends records as protobuf; they are acknowledged when this returns.
    pub(crate) async fn send(&self, request: &ExportLogsServiceRequest) {
        let response = self.post_logs(request).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
    }

    pub(crate) fn post_logs(&self, request: &ExportLogsServiceRequest) -> RequestBuilder {
        let request_of =
            self.client.post(self.url("/v1/logs")).header("content-type", "application/x-protobuf");
        request_of.body(request.encode_to_vec())
    }

    /// Waits until a query matches `count` records; answers the search's result and how long it took.
    pub(crate) async fn find(&self, query: &str, count: u64) -> (serde_json::Value, Duration) {
        let (begun, path) = (Instant::now(), format!("/api/v1/narrows/logs/search?query={}", escape(query)));
        loop {
            let answer = self.json(&path).await;
            if answer["matched"] == count {
                return (answer, begun.elapsed());
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{query}: {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The cookie of a new session.
    pub(crate) async fn log_in(&self) -> String {
        let response = self.try_log_in("admin", PASSWORD).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn try_log_in(&self, user: &str, password: &str) -> Response {
        let body = serde_json::json!({"user": user, "password": password});
        self.client.post(self.url("/api/v1/narrows/session")).json(&body).send().await.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_announcement(child: &mut Child) -> (Vec<String>, String, String) {
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (lines, printed) = mpsc::channel();
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
    let (mut told, mut http) = (Vec::new(), String::new());
    loop {
        let line = printed.recv_timeout(Duration::from_secs(60)).expect("the program listens");
        if let Some(url) = line.strip_prefix("listening on grpc://") {
            let scheme = http.split("://").next().unwrap_or_default();
            return (told, http.clone(), format!("{scheme}://{url}"));
        }
        match line.strip_prefix("listening on http") {
            Some(rest) => http = format!("http{rest}"),
            None => told.push(line),
        }
    }
}

/// Everything acknowledged before is in few sealed files after.
pub(crate) async fn seal(program: &Program) -> serde_json::Value {
    let request = program.client.post(program.url("/api/v1/narrows/admin/seal?merge=true"));
    json_of(request.basic_auth("admin", Some(PASSWORD)).send().await.unwrap(), StatusCode::OK).await
}

/// The body of a response with the expected status.
pub(crate) async fn json_of(response: Response, status: StatusCode) -> serde_json::Value {
    let (got, url) = (response.status(), response.url().to_string());
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{url}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{url}: {error}: {text}"))
}

/// The code of an error, whose envelope is checked.
pub(crate) async fn error_code(response: Response, status: StatusCode) -> String {
    let body = json_of(response, status).await;
    let error = body["error"].as_object().unwrap();
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    assert!(
        error.keys().all(|key| ["code", "message", "hint", "position"].contains(&key.as_str())),
        "{body}"
    );
    error["code"].as_str().unwrap().to_owned()
}

/// For a query string.
pub(crate) fn escape(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

pub(crate) fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

pub(crate) fn text(value: &str) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(value.to_owned())) }
}

pub(crate) fn attribute(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

/// A record with a body, now.
pub(crate) fn record(body: &str) -> LogRecord {
    LogRecord { time_unix_nano: now_ns(), body: Some(text(body)), ..LogRecord::default() }
}

/// Records of one service on the host `app-1`.
pub(crate) fn request(service: &str, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let attributes = vec![attribute("service.name", text(service)), attribute("host.name", text("app-1"))];
    let scope =
        Some(InstrumentationScope { name: "test".to_owned(), version: "1".to_owned(), ..Default::default() });
    let scope_logs = vec![ScopeLogs { scope, log_records, ..ScopeLogs::default() }];
    let resource = Some(Resource { attributes, ..Resource::default() });
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }],
    }
}
