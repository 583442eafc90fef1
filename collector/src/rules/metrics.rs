//! What is counted of rules. A group's series go when it goes.

use alerting::rules::{AlertState, GroupView};
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};
use telemetry::TenantId;

use super::GroupKey;

const GROUP: &[&str] = &["tenant", "rule_group"];

/// The counters of all groups.
pub(super) struct RuleMetrics {
    registry: Registry,
    evaluations: IntCounterVec,
    failures: IntCounterVec,
    iterations: IntCounterVec,
    missed: IntCounterVec,
    samples: IntCounterVec,
    lost: IntCounterVec,
    duration: GaugeVec,
    last: GaugeVec,
    interval: GaugeVec,
    rules: IntGaugeVec,
    alerts: IntGaugeVec,
    bad_files: IntGaugeVec,
}

impl RuleMetrics {
    pub(super) fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            evaluations: counter("evaluations_total", "Rules that were evaluated.", GROUP),
            failures: counter("evaluation_failures_total", "Rules whose evaluation failed.", GROUP),
            iterations: counter("group_iterations_total", "Evaluations of the group.", GROUP),
            missed: counter(
                "group_iterations_missed_total",
                "Evaluations that came too late and were left out.",
                GROUP,
            ),
            samples: counter("samples_total", "Samples that rules have written.", GROUP),
            lost: counter(
                "lost_total",
                "What rules gave and nobody took: samples that the store refused, alerts that are told again.",
                &["tenant", "rule_group", "what"],
            ),
            duration: gauge("group_last_duration_seconds", "How long the last evaluation took."),
            last: gauge("group_last_evaluation_timestamp_seconds", "When the last evaluation was."),
            interval: gauge("group_interval_seconds", "Between evaluations."),
            rules: int_gauge("group_rules", "Rules of the group.", GROUP),
            alerts: int_gauge(
                "group_alerts",
                "Alerts of the group, by state.",
                &["tenant", "rule_group", "state"],
            ),
            bad_files: int_gauge(
                "bad_files",
                "Rule files that cannot be read; their last good version goes on.",
                &["tenant"],
            ),
            registry,
        };
        let own: [Box<dyn prometheus::core::Collector>; 12] = [
            Box::new(metrics.evaluations.clone()),
            Box::new(metrics.failures.clone()),
            Box::new(metrics.iterations.clone()),
            Box::new(metrics.missed.clone()),
            Box::new(metrics.samples.clone()),
            Box::new(metrics.lost.clone()),
            Box::new(metrics.duration.clone()),
            Box::new(metrics.last.clone()),
            Box::new(metrics.interval.clone()),
            Box::new(metrics.rules.clone()),
            Box::new(metrics.alerts.clone()),
            Box::new(metrics.bad_files.clone()),
        ];
        for collector in own {
            metrics.registry.register(collector).expect("the names above are distinct");
        }
        metrics
    }

    pub(super) fn gather(&self) -> Vec<prometheus::proto::MetricFamily> {
        self.registry.gather()
    }

    pub(super) fn evaluated(&self, tenant: &TenantId, key: &GroupKey, count: usize, failed: usize) {
        let name = key.label();
        self.evaluations.with_label_values(&[tenant.as_str(), &name]).inc_by(count as u64);
        self.failures.with_label_values(&[tenant.as_str(), &name]).inc_by(failed as u64);
    }

    pub(super) fn missed(&self, tenant: &TenantId, key: &GroupKey, missed: u64) {
        let name = key.label();
        self.iterations.with_label_values(&[tenant.as_str(), &name]).inc();
        self.missed.with_label_values(&[tenant.as_str(), &name]).inc_by(missed);
    }

    pub(super) fn appended(&self, tenant: &TenantId, key: &GroupKey, samples: usize) {
        self.samples.with_label_values(&[tenant.as_str(), &key.label()]).inc_by(samples as u64);
    }

    pub(super) fn append_failed(&self, tenant: &TenantId, key: &GroupKey, samples: usize) {
        self.lost.with_label_values(&[tenant.as_str(), &key.label(), "samples"]).inc_by(samples as u64);
    }

    pub(super) fn telling_failed(&self, tenant: &TenantId, key: &GroupKey, alerts: usize) {
        self.lost.with_label_values(&[tenant.as_str(), &key.label(), "alerts"]).inc_by(alerts as u64);
    }

    pub(super) fn bad_files(&self, tenant: &TenantId, count: usize) {
        self.bad_files.with_label_values(&[tenant.as_str()]).set(count as i64);
    }

    /// How a group does.
    pub(super) fn group(&self, tenant: &TenantId, key: &GroupKey, interval_ms: i64, view: &GroupView) {
        let name = key.label();
        let labels = [tenant.as_str(), &name];
        self.duration.with_label_values(&labels).set(view.took.as_secs_f64());
        self.last.with_label_values(&labels).set(view.last_evaluation_ms.unwrap_or(0) as f64 / 1000.0);
        self.interval.with_label_values(&labels).set(interval_ms as f64 / 1000.0);
        self.rules.with_label_values(&labels).set(view.rules.len() as i64);
        for state in [AlertState::Pending, AlertState::Firing] {
            let labels = [tenant.as_str(), &name, state.as_str()];
            self.alerts.with_label_values(&labels).set(view.count(state) as i64);
        }
    }

    /// The group is gone. Where it is absent already, so much the better.
    pub(super) fn forget(&self, tenant: &TenantId, key: &GroupKey) {
        let name = key.label();
        let labels = [tenant.as_str(), &name];
        for counter in [&self.evaluations, &self.failures, &self.iterations, &self.missed, &self.samples] {
            let _ = counter.remove_label_values(&labels);
        }
        for gauge in [&self.duration, &self.last, &self.interval] {
            let _ = gauge.remove_label_values(&labels);
        }
        let _ = self.rules.remove_label_values(&labels);
        for state in [AlertState::Pending, AlertState::Firing] {
            let _ = self.alerts.remove_label_values(&[tenant.as_str(), &name, state.as_str()]);
        }
        for what in ["samples", "alerts"] {
            let _ = self.lost.remove_label_values(&[tenant.as_str(), &name, what]);
        }
    }
}

impl GroupKey {
    /// As Prometheus calls a group.
    fn label(&self) -> String {
        format!("{};{}", self.file, self.name)
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("narrows").subsystem("rule")
}

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(options(name, help), labels).expect("names and labels are constants of valid form")
}

fn gauge(name: &str, help: &str) -> GaugeVec {
    GaugeVec::new(options(name, help), GROUP).expect("names and labels are constants of valid form")
}

fn int_gauge(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(options(name, help), labels).expect("names and labels are constants of valid form")
}
