//! What notifications count.

use std::time::Duration;

use alerting::dispatch::Core;
use alerting::silence::State;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts};

/// Seconds.
const BUCKETS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Counters that are added to, and gauges that are set at each scrape.
pub struct NotifyMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    unrecorded: IntCounter,
}

impl NotifyMetrics {
    pub(super) fn new() -> Self {
        let seconds = HistogramOpts::from(options(
            "notification_seconds",
            "How long receivers took to take a message.",
        ));
        Self {
            requests: counters(
                "notification_requests_total",
                "Tries to tell a receiver, by outcome.",
                &["integration", "outcome"],
            ),
            seconds: HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &["integration"])
                .expect("the name is a constant of valid form"),
            unrecorded: IntCounter::with_opts(options(
                "notifications_unrecorded_total",
                "Messages that were taken, but could not be noted as such on the disk.",
            ))
            .expect("the name is a constant of valid form"),
        }
    }

    pub(super) fn attempt(&self, kind: &str, is_ok: bool, took: Duration) {
        let outcome = if is_ok { "ok" } else { "failed" };
        self.requests.with_label_values(&[kind, outcome]).inc();
        self.seconds.with_label_values(&[kind]).observe(took.as_secs_f64());
    }

    pub(super) fn unrecorded(&self) {
        self.unrecorded.inc();
    }

    pub(super) fn gather<'a>(
        &self,
        cores: impl Iterator<Item = (&'a String, &'a Core)>,
        now_ms: i64,
    ) -> Vec<MetricFamily> {
        let sent = counters(
            "notifications_total",
            "Messages to receivers, by what became of them: sent; failed; expired where the group's next message came before.",
            &["integration", "outcome"],
        );
        let suppressed = counters(
            "alerts_suppressed_total",
            "Alerts that were left out of messages, by reason.",
            &["reason"],
        );
        let alerts = gauges("alerts", "Alerts that fire, by whether anybody is told.", &["state"]);
        let silences = gauges("silences", "Silences, by state.", &["state"]);
        for state in ["active", "suppressed"] {
            alerts.with_label_values(&[state]).set(0);
        }
        for (_, core) in cores {
            for ((kind, outcome), count) in &core.counts().notifications {
                sent.with_label_values(&[kind.as_str(), *outcome]).inc_by(*count);
            }
            for (reason, count) in &core.counts().suppressed {
                suppressed.with_label_values(&[*reason]).inc_by(*count);
            }
            suppressed.with_label_values(&["too_many_groups"]).inc_by(core.counts().without_group);
            let (active, muted) = core.count_alerts(now_ms);
            alerts.with_label_values(&["active"]).add(i64::try_from(active).unwrap_or(i64::MAX));
            alerts.with_label_values(&["suppressed"]).add(i64::try_from(muted).unwrap_or(i64::MAX));
            for state in [State::Active, State::Pending, State::Expired] {
                let count = core.state().silences.all().filter(|one| one.state_at(now_ms) == state).count();
                silences.with_label_values(&[state.as_str()]).add(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
        let own: [&dyn Collector; 3] = [&self.requests, &self.seconds, &self.unrecorded];
        let read: [&dyn Collector; 4] = [&sent, &suppressed, &alerts, &silences];
        let all = own.into_iter().chain(read).flat_map(Collector::collect);
        // Nothing was told yet: a family without metrics cannot be written.
        all.filter(|family| !family.get_metric().is_empty()).collect()
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("narrows")
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(options(name, help), labels).expect("names and labels are constants of valid form")
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(options(name, help), labels).expect("names and labels are constants of valid form")
}
