//! The collector's HTTP API as these drivers use it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value as Json;

use crate::process::Process;

/// A collector under measurement.
pub(crate) struct Collector {
    pub(crate) process: Process,
    pub(crate) data: PathBuf,
    program: PathBuf,
    config: Option<PathBuf>,
    http_port: u16,
    grpc_port: u16,
    log: PathBuf,
    client: reqwest::Client,
}

/// Chooses among tenants.
const TENANT: &str = "x-scope-orgid";
pub(crate) const PASSWORD: &str = "bench-only-password";

impl Collector {
    /// Starts one on an empty or old data directory and waits until it is ready.
    pub(crate) async fn start(bin_dir: &Path, dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(bin_dir, dir, None).await
    }

    /// The same with a configuration file.
    pub(crate) async fn start_with(
        bin_dir: &Path,
        dir: &Path,
        config: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let (http_port, grpc_port) = (crate::process::free_port()?, crate::process::free_port()?);
        let program = bin_dir.join("narrows-collector");
        let (data, log) = (dir.join("collector"), dir.join("collector.log"));
        let client = reqwest::Client::builder().timeout(Duration::from_secs(120)).build()?;
        let config = config.map(Path::to_path_buf);
        let process = spawn(&program, &data, config.as_deref(), (http_port, grpc_port), &log)?;
        let collector = Self { process, data, program, config, http_port, grpc_port, log, client };
        collector.ready(Duration::from_secs(60)).await?;
        Ok(collector)
    }

    /// Starts it again on the same data and addresses, after it was killed.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        let ports = (self.http_port, self.grpc_port);
        self.process = spawn(&self.program, &self.data, self.config.as_deref(), ports, &self.log)?;
        Ok(())
    }

    pub(crate) fn http(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http_port)
    }

    pub(crate) fn grpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc_port)
    }

    pub(crate) async fn ready(&self, limit: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            let answer = self.client.get(self.http("/-/ready")).timeout(Duration::from_secs(2)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("the collector was not ready within {limit:?}; see {}", self.log.display())
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Json> {
        let request = self.client.get(self.http(path)).basic_auth("admin", Some(PASSWORD)).query(query);
        json(request.send().await?).await.with_context(|| format!("GET {path} {query:?}"))
    }

    /// The same of what is no JSON.
    pub(crate) async fn text(&self, path: &str) -> anyhow::Result<String> {
        let request = self.client.get(self.http(path)).basic_auth("admin", Some(PASSWORD));
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// The same of a tenant.
    pub(crate) async fn get_of(
        &self,
        tenant: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<Json> {
        let request = self.client.get(self.http(path)).basic_auth("admin", Some(PASSWORD)).query(query);
        let answer = request.header(TENANT, tenant).send().await?;
        json(answer).await.with_context(|| format!("GET {path} {query:?} of {tenant}"))
    }

    /// Posts JSON for a tenant.
    pub(crate) async fn post_of(&self, tenant: &str, path: &str, body: &Json) -> anyhow::Result<Json> {
        let request = self.client.post(self.http(path)).basic_auth("admin", Some(PASSWORD)).json(body);
        let answer = request.header(TENANT, tenant).send().await?;
        json(answer).await.with_context(|| format!("POST {path} {body} of {tenant}"))
    }

    /// Answers when everything that was acknowledged is sealed and merged.
    pub(crate) async fn barrier(&self) -> anyhow::Result<Json> {
        let path = "/api/v1/narrows/admin/seal?merge=true";
        let request = self.client.post(self.http(path)).basic_auth("admin", Some(PASSWORD));
        json(request.timeout(Duration::from_secs(600)).send().await?).await.context("POST seal")
    }
}

fn spawn(
    program: &Path,
    data: &Path,
    config: Option<&Path>,
    (http_port, grpc_port): (u16, u16),
    log: &Path,
) -> anyhow::Result<Process> {
    let mut args = vec!["--data".to_owned(), data.display().to_string()];
    args.extend(["--listen".to_owned(), format!("127.0.0.1:{http_port}")]);
    args.extend(["--listen-grpc".to_owned(), format!("127.0.0.1:{grpc_port}")]);
    if let Some(config) = config {
        args.extend(["--config".to_owned(), config.display().to_string()]);
    }
    Process::start_with(program, &args, &[("NARROWS_ADMIN_PASSWORD", PASSWORD)], log)
}

async fn json(answer: reqwest::Response) -> anyhow::Result<Json> {
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{status}: {text}");
    }
    serde_json::from_str(&text).with_context(|| format!("not JSON: {text:.200}"))
}
