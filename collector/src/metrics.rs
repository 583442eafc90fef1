//! What the collector says about itself, in Prometheus' text format. What is
//! counted here lives in one registry; what the store and the receivers count
//! themselves is read from them at each scrape.

mod scrape;

use std::time::Duration;

use parking_lot::Mutex;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use receive::Counts;

use crate::api::App;

type IngestCounts = Box<dyn Fn() -> Counts + Send + Sync>;

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    query_seconds: HistogramVec,
    logins: IntCounterVec,
    audit_lost: IntCounter,
    live_records: IntCounterVec,
    live_connections: IntGauge,
    ingest: Mutex<Option<IngestCounts>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let registry = Registry::new();
        let buckets =
            vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
        let metrics = Self {
            requests: counter(
                "http_requests_total",
                "HTTP requests by route and status.",
                &["route", "status"],
            ),
            request_seconds: histogram(
                "http_request_seconds",
                "Time to the answer's head.",
                &["route"],
                &buckets,
            ),
            query_seconds: histogram(
                "query_seconds",
                "Time of queries that were answered.",
                &["kind"],
                &buckets,
            ),
            logins: counter("logins_total", "Logins with a password, by outcome.", &["outcome"]),
            audit_lost: IntCounter::with_opts(options(
                "audit_lost_total",
                "Lines of the audit log that could not be stored.",
            ))
            .expect("the name is a constant of valid form"),
            live_records: counter(
                "live_records_total",
                "Records that came to live tails, by what became of them: sent; dropped beyond the limits; unread where too many came at once.",
                &["outcome"],
            ),
            live_connections: IntGauge::with_opts(options("live_connections", "Live tails that are open."))
                .expect("the name is a constant of valid form"),
            ingest: Mutex::new(None),
            registry,
        };
        let own: [Box<dyn prometheus::core::Collector>; 8] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.request_seconds.clone()),
            Box::new(metrics.query_seconds.clone()),
            Box::new(metrics.logins.clone()),
            Box::new(metrics.audit_lost.clone()),
            Box::new(metrics.live_records.clone()),
            Box::new(metrics.live_connections.clone()),
            Box::new(ProcessCollector::for_self()),
        ];
        for collector in own {
            metrics.registry.register(collector).expect("the names above are distinct");
        }
        metrics
    }

    /// Where the receivers' totals come from.
    pub fn count_ingest(&self, counts: impl Fn() -> Counts + Send + Sync + 'static) {
        *self.ingest.lock() = Some(Box::new(counts));
    }

    /// One answered request.
    pub fn request(&self, route: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[route, &status.to_string()]).inc();
        self.request_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// One answered query.
    pub fn query(&self, kind: &str, took: Duration) {
        self.query_seconds.with_label_values(&[kind]).observe(took.as_secs_f64());
    }

    /// One try to log in.
    pub fn login(&self, outcome: &str) {
        self.logins.with_label_values(&[outcome]).inc();
    }

    /// A line of the audit log that could not be stored.
    pub fn audit_lost(&self) {
        self.audit_lost.inc();
    }

    /// What became of records that came to a live tail.
    pub fn live(&self, sent: u64, dropped: u64, unread: u64) {
        for (outcome, count) in [("sent", sent), ("dropped", dropped), ("unread", unread)] {
            self.live_records.with_label_values(&[outcome]).inc_by(count);
        }
    }

    /// How many live tails there are.
    pub fn live_connections(&self, open: usize) {
        self.live_connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// The text of a scrape.
    pub fn render(&self, app: &App) -> Result<String, prometheus::Error> {
        let counts = self.ingest.lock().as_ref().map(|counts| counts()).unwrap_or_default();
        let damaged = app.store.health().damaged.len();
        let read = scrape::read(&app.store.stats(), &counts, app.queries.running(), damaged)?;
        let mut families = self.registry.gather();
        families.extend(read.gather());
        families.extend(app.notifier.gather());
        families.extend(app.rules.gather());
        families.extend(app.verdicts.gather());
        families.extend(app.addresses.certificates.iter().flat_map(|certificates| certificates.gather()));
        let mut out = Vec::new();
        TextEncoder::new().encode(&families, &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

pub(crate) fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("narrows").subsystem("collector")
}

pub(crate) fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(options(name, help), labels).expect("names and labels are constants of valid form")
}

fn histogram(name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
    let options = HistogramOpts::from(options(name, help)).buckets(buckets.to_vec());
    HistogramVec::new(options, labels).expect("names and labels are constants of valid form")
}
