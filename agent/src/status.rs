//! The agent's own HTTP port: `/metrics`, `/-/healthy`, `/-/ready`, `/status`.
//! It only reads, and only for this host.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::json;

use crate::files::FileStatus;
use crate::metrics::Metrics;
use crate::otlp::OtlpServer;
use crate::output::{Output, OutputStatus};
use crate::queue::Queue;
use crate::scrape::ScrapeView;
use crate::scrape::status::ScrapeStatus;

/// What the pages are made of.
pub(crate) struct StatusPages {
    pub(crate) agent_id: String,
    pub(crate) started: Instant,
    pub(crate) queue: Arc<Queue>,
    pub(crate) output: Arc<Output>,
    pub(crate) files: Arc<Mutex<Vec<FileStatus>>>,
    /// Why the queue takes nothing more from files.
    pub(crate) files_stopped: Arc<OnceLock<String>>,
    pub(crate) scraped: ScrapeView,
    pub(crate) otlp: Option<Arc<OtlpServer>>,
    pub(crate) metrics: Arc<Metrics>,
}

#[derive(Serialize)]
struct Status {
    version: &'static str,
    agent_id: String,
    uptime_s: u64,
    ready: bool,
    reasons: Vec<String>,
    queue: QueueStatus,
    output: OutputStatus,
    files: Vec<FileStatus>,
    syslog: SyslogStatus,
    scrape: ScrapeStatus,
}

#[derive(Serialize)]
struct SyslogStatus {
    udp_messages: u64,
    tcp_messages: u64,
    dropped_datagrams: u64,
}

#[derive(Serialize)]
struct QueueStatus {
    bytes: u64,
    records: u64,
    dropped_records: u64,
    rejected_records: u64,
}

/// The routes.
pub(crate) fn router(pages: Arc<StatusPages>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(|| async { "ok\n" }))
        .route("/-/ready", get(ready))
        .route("/status", get(status))
        .fallback(|| async {
            problem(
                StatusCode::NOT_FOUND,
                "not_found",
                "no such page; there are /status, /metrics, /-/healthy, /-/ready",
            )
        })
        .layer(middleware::from_fn(check_browser))
        .with_state(pages)
}

/// A page on the web must not read what this host logs, not even by a name that it made point here.
async fn check_browser(request: Request, next: Next) -> Response {
    let head = receive::RequestHead::new(request.headers(), None);
    match receive::check_browser_rules(&head, &[]) {
        Ok(()) => next.run(request).await,
        Err(denied) => problem(StatusCode::FORBIDDEN, "forbidden", &denied.to_string()),
    }
}

async fn metrics(State(pages): State<Arc<StatusPages>>) -> Response {
    pages.observe();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], pages.metrics.render())
        .into_response()
}

async fn ready(State(pages): State<Arc<StatusPages>>) -> Response {
    let status = pages.status();
    let code = if status.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "ready": status.ready, "reasons": status.reasons, "queue": status.queue, "output": status.output });
    (code, Json(body)).into_response()
}

async fn status(State(pages): State<Arc<StatusPages>>) -> Json<Status> {
    Json(pages.status())
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}

impl StatusPages {
    /// Brings gauges up to date that nothing else does while all is quiet.
    pub(crate) fn observe(&self) {
        self.metrics.queue_bytes.set(self.queue.size_bytes() as i64);
        self.metrics.queue_records.set(self.queue.pending() as i64);
        let _refreshes_the_age = self.output.status();
        if let Some(otlp) = &self.otlp {
            self.metrics.observe_otlp(&otlp.counts());
        }
    }

    /// Why the agent is not ready.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        if let Some(error) = self.queue.failed() {
            reasons.push(format!("the queue has stopped: {error}; restart the agent"));
        } else if let Some(error) = self.files_stopped.get() {
            reasons.push(format!("files are not read any more: {error}; restart the agent"));
        }
        if self.output.status().state == "unauthorized" {
            reasons.push("the collector refuses the ingest token; set the right one".to_owned());
        }
        reasons
    }

    fn syslog(&self) -> SyslogStatus {
        let received = |protocol| self.metrics.syslog_messages.with_label_values(&[protocol]).get();
        SyslogStatus {
            udp_messages: received("udp"),
            tcp_messages: received("tcp"),
            dropped_datagrams: self.metrics.syslog_dropped.get(),
        }
    }

    fn status(&self) -> Status {
        self.observe();
        let (output, reasons) = (self.output.status(), self.reasons());
        let (dropped_records, rejected_records) = self.metrics.lost();
        Status {
            version: env!("CARGO_PKG_VERSION"),
            agent_id: self.agent_id.clone(),
            uptime_s: self.started.elapsed().as_secs(),
            ready: reasons.is_empty(),
            reasons,
            queue: QueueStatus {
                bytes: self.queue.size_bytes(),
                records: self.queue.pending(),
                dropped_records,
                rejected_records,
            },
            output,
            files: self.files.lock().clone(),
            syslog: self.syslog(),
            scrape: self.scraped.status(),
        }
    }
}
