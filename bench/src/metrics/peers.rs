//! The servers that are measured: ours, and what Debian has.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use serde_json::Value as Json;

use super::bodies::Bodies;
use crate::api::Collector;
use crate::process::{Process, dir_bytes, free_port};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Narrows,
    VictoriaMetrics,
    Prometheus,
}

/// A server under measurement.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) base: String,
    server: Server,
    data: PathBuf,
    client: reqwest::Client,
}

enum Server {
    Ours(Box<Collector>),
    Other(Process),
}

const READY: Duration = Duration::from_secs(60);
/// A merge in the background is over when its process has been idle so long.
const IDLE: Duration = Duration::from_secs(3);

impl Peer {
    pub(crate) async fn start(kind: Kind, bin_dir: &Path, dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(kind, bin_dir, dir, None).await
    }

    /// The same with a configuration; VictoriaMetrics takes none.
    pub(crate) async fn start_with(
        kind: Kind,
        bin_dir: &Path,
        dir: &Path,
        config: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(600)).build()?;
        if kind == Kind::Narrows {
            let collector = Box::new(Collector::start_with(bin_dir, dir, config).await?);
            let (base, data) = (collector.http(""), collector.data.clone());
            return Ok(Self { kind, base, server: Server::Ours(collector), data, client });
        }
        let (port, data) = (free_port()?, dir.join(format!("{kind:?}")));
        let listen = format!("127.0.0.1:{port}");
        let process = match kind {
            Kind::VictoriaMetrics => victoria(&data, &listen, dir)?,
            _ => prometheus(&data, &listen, dir, config)?,
        };
        let base = format!("http://{listen}");
        let peer = Self { kind, base, server: Server::Other(process), data, client };
        peer.ready().await?;
        Ok(peer)
    }

    pub(crate) fn process(&self) -> &Process {
        match &self.server {
            Server::Ours(collector) => &collector.process,
            Server::Other(process) => process,
        }
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let path = if self.kind == Kind::Prometheus { "/-/ready" } else { "/health" };
        let begun = Instant::now();
        while begun.elapsed() < READY {
            let answer = self.client.get(format!("{}{path}", self.base)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{:?} was not ready within {READY:?}", self.kind)
    }

    /// Sends the requests of some scrapes; answers how long it took.
    pub(super) async fn ingest(
        &self,
        bodies: &Arc<Bodies>,
        scrapes: Range<usize>,
        senders: usize,
    ) -> anyhow::Result<Duration> {
        let url = format!("{}/api/v1/write", self.base);
        let begun = Instant::now();
        let mut under_way = tokio::task::JoinSet::new();
        for sender in 0..senders {
            let (bodies, client, url) = (bodies.clone(), self.client.clone(), url.clone());
            let scrapes = scrapes.clone();
            under_way.spawn(async move {
                for scrape in scrapes {
                    for part in (sender..bodies.per_scrape).step_by(senders) {
                        let body = bodies.body(scrape * bodies.per_scrape + part)?;
                        write(&client, &url, None, body).await?;
                    }
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = under_way.join_next().await {
            done??;
        }
        Ok(begun.elapsed())
    }

    /// Waits until everything is merged; answers the bytes on disk.
    pub(crate) async fn settle(&self) -> anyhow::Result<u64> {
        match &self.server {
            Server::Ours(collector) => {
                collector.barrier().await?;
                // The directory also has what was merged already and waits for its deletion.
                self.listed_bytes().await
            }
            Server::Other(_) if self.kind == Kind::VictoriaMetrics => {
                for path in ["/internal/force_flush", "/internal/force_merge"] {
                    self.client.get(format!("{}{path}", self.base)).send().await?.error_for_status()?;
                }
                self.idle().await?;
                Ok(dir_bytes(&self.data))
            }
            // Two hours stay in the head: a snapshot writes them as the block that compaction would make.
            Server::Other(_) => {
                let url = format!("{}/api/v1/admin/tsdb/snapshot", self.base);
                self.client.post(url).send().await?.error_for_status()?;
                Ok(dir_bytes(&self.data.join("snapshots")))
            }
        }
    }

    async fn listed_bytes(&self) -> anyhow::Result<u64> {
        let text = self.client.get(format!("{}/metrics", self.base)).send().await?.text().await?;
        let line = text.lines().find_map(|line| line.strip_prefix("narrows_collector_splits_bytes "));
        Ok(line.context("no narrows_collector_splits_bytes")?.trim().parse::<f64>()? as u64)
    }

    async fn idle(&self) -> anyhow::Result<()> {
        let (mut since, mut cpu_s) = (Instant::now(), self.process().usage()?.cpu_s);
        while since.elapsed() < IDLE {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now_s = self.process().usage()?.cpu_s;
            // Housekeeping takes a little always.
            if now_s - cpu_s > 0.1 {
                since = Instant::now();
            }
            cpu_s = now_s;
        }
        Ok(())
    }

    /// A query's `result`. `nocache` keeps VictoriaMetrics from answering out of its cache of answers.
    pub(crate) async fn query(&self, path: &str, parameters: &[(&str, String)]) -> anyhow::Result<Bytes> {
        let mut request = self.client.get(format!("{}{path}", self.base)).query(parameters);
        request = match &self.server {
            Server::Ours(_) => request.basic_auth("admin", Some(crate::api::PASSWORD)),
            Server::Other(_) => request.query(&[("nocache", "1")]),
        };
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(status.is_success(), "{:?}: {status}: {}", self.kind, String::from_utf8_lossy(&body));
        Ok(body)
    }
}

/// How many series and points an answer has.
pub(crate) fn answer_size(body: &[u8]) -> anyhow::Result<(usize, usize)> {
    let answer: Json = serde_json::from_slice(body)?;
    let result = answer["data"]["result"].as_array().context("no result")?;
    let points = result.iter().map(|series| series["values"].as_array().map_or(1, Vec::len)).sum();
    Ok((result.len(), points))
}

/// Sends one request, again as long as the server pushes back.
pub(crate) async fn write(
    client: &reqwest::Client,
    url: &str,
    token: Option<&str>,
    body: Bytes,
) -> anyhow::Result<()> {
    loop {
        let answer = post(client, url, token, body.clone()).await?;
        match answer.status().as_u16() {
            200 | 204 => return Ok(()),
            429 | 503 => tokio::time::sleep(Duration::from_millis(200)).await,
            status => bail!("{url}: {status}: {}", answer.text().await?),
        }
    }
}

pub(crate) async fn post(
    client: &reqwest::Client,
    url: &str,
    token: Option<&str>,
    body: Bytes,
) -> anyhow::Result<reqwest::Response> {
    let mut request = client
        .post(url)
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "0.1.0");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Ok(request.body(body).send().await?)
}

fn victoria(data: &Path, listen: &str, dir: &Path) -> anyhow::Result<Process> {
    let args = [
        format!("-storageDataPath={}", data.display()),
        format!("-httpListenAddr={listen}"),
        "-retentionPeriod=12".to_owned(),
        "-loggerLevel=WARN".to_owned(),
    ];
    Process::start(Path::new("victoria-metrics"), &args, &dir.join("victoria-metrics.log"))
        .context("install the Debian package victoria-metrics, or leave it out of --peers")
}

fn prometheus(data: &Path, listen: &str, dir: &Path, config: Option<&Path>) -> anyhow::Result<Process> {
    let config = config.map_or_else(|| dir.join("prometheus.yml"), Path::to_path_buf);
    if !config.exists() {
        std::fs::write(&config, "global: {}\n")?;
    }
    let args = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", data.display()),
        format!("--web.listen-address={listen}"),
        "--web.enable-remote-write-receiver".to_owned(),
        "--web.enable-admin-api".to_owned(),
        "--web.enable-lifecycle".to_owned(),
        "--log.level=warn".to_owned(),
    ];
    Process::start(Path::new("prometheus"), &args, &dir.join("prometheus.log"))
        .context("install the Debian package prometheus, or leave it out of --peers")
}
