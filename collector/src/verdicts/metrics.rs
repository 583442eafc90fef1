//! What is counted of verdicts.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts};
use telemetry::TenantId;

/// Seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0];

/// Counters that are added to, and gauges that are set.
pub struct VerdictMetrics {
    open: IntGaugeVec,
    events: IntCounterVec,
    failures: IntCounterVec,
    missed: IntCounter,
    seconds: HistogramVec,
}

impl VerdictMetrics {
    pub(super) fn new() -> Self {
        let seconds = HistogramOpts::from(options(
            "verdict_seconds",
            "How long it took to look for symptoms (detect), to read the stores (observe), to say why (analyze).",
        ));
        Self {
            open: IntGaugeVec::new(options("verdicts_open", "Verdicts whose symptoms go on."), &["tenant"])
                .expect("name and labels are constants of valid form"),
            events: counters(
                "verdicts_total",
                "What became of verdicts: opened, updated, closed, merged; quiet where a symptom was none after all; surplus where too many were open.",
                &["tenant", "event"],
            ),
            failures: counters(
                "verdict_failures_total",
                "What failed: detect, observe, analyze, write, read.",
                &["what"],
            ),
            missed: IntCounter::with_opts(options(
                "verdict_looks_missed_total",
                "Looks for symptoms that were left out because the one before took too long.",
            ))
            .expect("the name is a constant of valid form"),
            seconds: HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &["what"])
                .expect("name and labels are constants of valid form"),
        }
    }

    pub(crate) fn open(&self, tenant: &TenantId, count: usize) {
        self.open.with_label_values(&[tenant.as_str()]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn event(&self, tenant: &TenantId, event: &str) {
        self.events.with_label_values(&[tenant.as_str(), event]).inc();
    }

    pub(crate) fn failed(&self, what: &str) {
        self.failures.with_label_values(&[what]).inc();
    }

    pub(crate) fn missed(&self, looks: u64) {
        self.missed.inc_by(looks);
    }

    pub(crate) fn took(&self, what: &str, took: Duration) {
        self.seconds.with_label_values(&[what]).observe(took.as_secs_f64());
    }

    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        let all: [&dyn Collector; 5] =
            [&self.open, &self.events, &self.failures, &self.missed, &self.seconds];
        let all = all.into_iter().flat_map(Collector::collect);
        // A family without metrics cannot be written.
        all.filter(|family| !family.get_metric().is_empty()).collect()
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("narrows")
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(options(name, help), labels).expect("names and labels are constants of valid form")
}
