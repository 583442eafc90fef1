//! The program as a child process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running agent; killed when dropped.
pub(crate) struct Agent {
    child: Child,
    pub(crate) status_url: String,
    pub(crate) otlp_http: String,
    /// What it printed when it started.
    pub(crate) said: Vec<String>,
}

/// Writes a configuration with ports of the program's own choice.
pub(crate) fn configure(folder: &Path, collector: &str, files: &str) {
    let text = format!(
        "agent_id: host-1\ndata: {folder}/data\nstatus: 127.0.0.1:0\n\
         inputs:\n  files: [{{include: '{files}'}}]\n  otlp: {{grpc: '127.0.0.1:0', http: '127.0.0.1:0'}}\n  \
         host: {{enabled: false}}\n\
         output: {{collector: '{collector}', timeout: 2s, max_backoff: 200ms}}\n",
        folder = folder.display()
    );
    std::fs::write(folder.join("agent.yaml"), text).unwrap();
}

pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows-agent"));
    command.arg("--config").arg(folder.join("agent.yaml"));
    command.env("RUST_LOG", "warn").env_remove("NARROWS_INGEST_TOKEN");
    command
}

impl Agent {
    /// Starts it and waits until it serves.
    pub(crate) fn start(folder: &Path) -> Self {
        // For clients of this process; an error means that it is there.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut child = command(folder).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut agent = Self { child, status_url: String::new(), otlp_http: String::new(), said: Vec::new() };
        for line in output.lines().map_while(Result::ok) {
            agent.said.push(line.clone());
            if let Some(url) = line.strip_prefix("status on ") {
                agent.status_url = url.to_owned();
            } else if let Some(rest) = line.strip_prefix("receiving OTLP on http") {
                agent.otlp_http = format!("http{rest}");
                break;
            }
        }
        assert!(!agent.otlp_http.is_empty(), "the agent did not start");
        agent
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, as `-HUP`.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

/// Waits until `done`, or fails.
pub(crate) async fn eventually(what: &str, timeout: Duration, done: impl Fn() -> bool) {
    let deadline = Instant::now() + timeout;
    while !done() {
        assert!(Instant::now() < deadline, "not within {timeout:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
