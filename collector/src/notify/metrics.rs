//! What notifications count.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use alerting::dispatch::Core;
use alerting::silence::State;
use parking_lot::Mutex;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts};

/// Seconds.
const BUCKETS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Alerts are counted under everybody's lock: so much of the time at the most, as 1 to this.
const REST: u32 = 60;

/// Alerts of a tenant, as they were counted.
#[derive(Clone, Copy)]
struct Counted {
    active: usize,
    suppressed: usize,
    /// It holds until then.
    until: Instant,
}

/// Counters that are added to, and gauges that are set at each scrape.
pub struct NotifyMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    unrecorded: IntCounter,
    /// By tenant.
    counted: Mutex<BTreeMap<String, Counted>>,
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
            counted: Mutex::default(),
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
        for (tenant, core) in cores {
            for ((kind, outcome), count) in &core.counts().notifications {
                sent.with_label_values(&[kind.as_str(), *outcome]).inc_by(*count);
            }
            for (reason, count) in &core.counts().suppressed {
                suppressed.with_label_values(&[*reason]).inc_by(*count);
            }
            suppressed.with_label_values(&["too_many_groups"]).inc_by(core.counts().without_group);
            let counted = self.count_alerts(tenant, || core.count_alerts(now_ms));
            alerts.with_label_values(&["active"]).add(i64::try_from(counted.active).unwrap_or(i64::MAX));
            alerts
                .with_label_values(&["suppressed"])
                .add(i64::try_from(counted.suppressed).unwrap_or(i64::MAX));
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

impl NotifyMetrics {
    /// Many alerts and silences take long: the longer, the longer a count holds.
    fn count_alerts(&self, tenant: &str, count: impl FnOnce() -> (usize, usize)) -> Counted {
        let begun = Instant::now();
        let mut counted = self.counted.lock();
        if let Some(before) = counted.get(tenant).filter(|before| begun < before.until) {
            return *before;
        }
        let (active, suppressed) = count();
        let until = Instant::now() + begun.elapsed() * REST;
        let now = Counted { active, suppressed, until };
        counted.insert(tenant.to_owned(), now);
        now
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_counted_seldom() {
        let metrics = NotifyMetrics::new();
        let count = |active: usize, takes_ms: u64| {
            let counted = metrics.count_alerts("acme", || {
                std::thread::sleep(Duration::from_millis(takes_ms));
                (active, 0)
            });
            counted.active
        };
        assert_eq!(count(1, 0), 1);
        // That was quick, so it does not hold for long.
        while count(2, 100) == 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(count(3, 0), 2, "that one was slow");
        assert_eq!(metrics.count_alerts("other", || (4, 0)).active, 4);
    }
}
