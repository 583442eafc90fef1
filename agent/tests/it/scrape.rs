//! A real exporter by a real prometheus.yml, over a reload.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::agent::{Agent, configure};

struct Exporter(Child);

impl Drop for Exporter {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

async fn targets(agent: &Agent) -> Vec<Json> {
    let answer = reqwest::get(format!("{}/status", agent.status_url)).await.unwrap().text().await.unwrap();
    let status: Json = serde_json::from_str(&answer).unwrap();
    status["scrape"]["targets"].as_array().unwrap().clone()
}

/// Waits until all targets are as `done` says.
async fn until(agent: &Agent, what: &str, done: impl Fn(&[Json]) -> bool) -> Vec<Json> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let targets = targets(agent).await;
        if done(&targets) {
            return targets;
        }
        assert!(Instant::now() < deadline, "not within 20 s: {what}: {targets:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn node_exporter_is_scraped_by_prometheus_own_configuration() {
    let program = Path::new("/usr/bin/prometheus-node-exporter");
    if !program.is_file() {
        eprintln!("\n!!! NOT RUN: prometheus-node-exporter is not installed !!!\n");
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(program);
    command.arg(format!("--web.listen-address=127.0.0.1:{port}")).stdout(Stdio::null()).stderr(Stdio::null());
    let _exporter = Exporter(command.spawn().unwrap());
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "http://127.0.0.1:1", "/no/such/file");
    let file = folder.path().join("agent.yaml");
    let config = std::fs::read_to_string(&file).unwrap();
    let config = config.replace("inputs:\n", "inputs:\n  scrape: {config_file: prometheus.yml}\n");
    std::fs::write(&file, config).unwrap();
    let prometheus = |jobs: &str| {
        let text = format!(
            "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\nrule_files: [rules.yml]\nscrape_configs:\n\
             - job_name: node\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n{jobs}"
        );
        std::fs::write(folder.path().join("prometheus.yml"), text).unwrap();
    };
    prometheus("");
    let agent = Agent::start(folder.path());
    let found =
        until(&agent, "the exporter is up", |targets| targets.iter().any(|t| t["health"] == "up")).await;
    assert!(found.len() == 1 && found[0]["samples"].as_u64().unwrap() > 300, "{found:#?}");
    prometheus("- job_name: gone\n  static_configs: [{targets: ['127.0.0.1:1']}]\n");
    agent.signal("-HUP");
    let found = until(&agent, "the other target is down", |targets| {
        targets.len() == 2 && targets[0]["health"] == "down"
    })
    .await;
    assert!(found[0]["last_error"].as_str().unwrap().contains("onnect"), "{found:#?}");
    assert_eq!((&found[1]["job"], &found[1]["health"]), (&"node".into(), &"up".into()));
    assert!(agent.stop().success());
}
