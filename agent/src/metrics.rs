//! The agent's own metrics, `narrows_agent_*`. Everything that is lost moves a
//! counter with a reason.

use std::sync::OnceLock;

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

/// One set per process; tests make their own.
pub(crate) struct Metrics {
    registry: Registry,
    /// When counting began, ns since 1970.
    pub(crate) started_ns: u64,
    refresh: OnceLock<Box<dyn Fn() + Send + Sync>>,
    pub(crate) lines: IntCounter,
    pub(crate) line_bytes: IntCounter,
    /// By what was special: `cut`, `invalid_utf8`, `partial`, `empty`.
    pub(crate) marked_lines: IntCounterVec,
    pub(crate) cut_bytes: IntCounter,
    /// Lines that stand in a record with others.
    pub(crate) joined_lines: IntCounter,
    /// By the name of the rule.
    filtered: IntCounterVec,
    /// By the name of the rule.
    redacted: IntCounterVec,
    /// By result: `applied`, `refused`.
    pub(crate) reloads: IntCounterVec,
    /// By protocol: `udp`, `tcp`.
    pub(crate) syslog_messages: IntCounterVec,
    /// By reason: `malformed`, `too_large`, `too_many_connections`, `idle`, `failed`.
    pub(crate) syslog_problems: IntCounterVec,
    pub(crate) syslog_connections: IntGauge,
    pub(crate) syslog_dropped: IntCounter,
    /// By result: `ok`, `failed`.
    pub(crate) scrapes: IntCounterVec,
    /// By reason: `queue_full`, `too_large`, `queue_failed`.
    pub(crate) scrapes_skipped: IntCounterVec,
    pub(crate) scrape_repeated: IntCounter,
    pub(crate) scrape_targets: IntGauge,
    /// By what: `disks`, `file systems`, `network interfaces`, `control groups`, `temperatures`, `processes`.
    pub(crate) host_left_out: IntCounterVec,
    /// By reason: `queue_full`, `too_large`, `crashed`.
    pub(crate) host_skipped: IntCounterVec,
    /// By result: `ok`, `failed`.
    pub(crate) integration_looks: IntCounterVec,
    /// By what: `statements`, `tables`, `databases`, `waits`, `queues`, `commands`.
    pub(crate) integration_left_out: IntCounterVec,
    /// By reason: `queue_full`, `too_large`.
    pub(crate) integration_skipped: IntCounterVec,
    pub(crate) journald_entries: IntCounter,
    /// By reason: `malformed`, `too_large`, `ended`.
    pub(crate) journald_problems: IntCounterVec,
    /// By kind: `list`, `open`, `read`, `give_up`.
    pub(crate) file_errors: IntCounterVec,
    pub(crate) truncations: IntCounter,
    pub(crate) files_open: IntGauge,
    pub(crate) file_position: IntGaugeVec,
    pub(crate) file_lag: IntGaugeVec,
    /// By source: `file`, `otlp`, `syslog`, `journald`, `stdin`, `scrape`, `host`, `integration`.
    pub(crate) enqueued: IntCounterVec,
    otlp_requests: IntCounter,
    otlp_refused: IntCounterVec,
    otlp_rejected: IntCounter,
    pub(crate) queue_bytes: IntGauge,
    pub(crate) queue_max_bytes: IntGauge,
    pub(crate) queue_records: IntGauge,
    pub(crate) queue_oldest: IntGauge,
    pub(crate) queue_full: IntCounter,
    pub(crate) disk_full: IntCounter,
    pub(crate) requests: IntCounter,
    pub(crate) request_bytes: IntCounter,
    pub(crate) retries: IntCounterVec,
    pub(crate) acknowledged: IntCounter,
    dropped: IntCounterVec,
    rejected: IntCounterVec,
    pub(crate) breaker_open: IntGauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let registry = Registry::new();
        let r = &registry;
        let metrics = Self {
            lines: counter(r, "lines_read_total", "Lines read from files"),
            line_bytes: counter(r, "bytes_read_total", "Bytes of lines read from files"),
            marked_lines: counters(
                r,
                "lines_marked_total",
                "Lines that were cut, mended, partial or empty",
                "mark",
            ),
            cut_bytes: counter(r, "bytes_cut_total", "Bytes of lines behind the 256 KiB that are kept"),
            joined_lines: counter(r, "lines_joined_total", "Lines that stand in one record with others"),
            filtered: counters(
                r,
                "records_filtered_total",
                "Log records that a rule of the configuration has dropped",
                "rule",
            ),
            redacted: counters(
                r,
                "redactions_total",
                "Secrets taken out of log records before the queue",
                "rule",
            ),
            reloads: counters(
                r,
                "config_reloads_total",
                "Times that the configuration was read again",
                "result",
            ),
            syslog_messages: counters(r, "syslog_messages_total", "Syslog messages received", "protocol"),
            syslog_problems: counters(
                r,
                "syslog_problems_total",
                "Syslog messages and connections that were not as they should be",
                "reason",
            ),
            syslog_connections: gauge(r, "syslog_connections", "Open syslog connections"),
            syslog_dropped: counter(
                r,
                "syslog_datagrams_dropped_total",
                "Syslog datagrams that the system dropped because the socket was full",
            ),
            scrapes: counters(r, "scrapes_total", "Scrapes of targets", "result"),
            scrapes_skipped: counters(
                r,
                "scrapes_skipped_total",
                "Scrapes that could not be kept in the queue",
                "reason",
            ),
            scrape_repeated: counter(
                r,
                "scrape_samples_repeated_total",
                "Samples left out because their series stands twice in one scrape",
            ),
            scrape_targets: gauge(r, "scrape_targets", "Targets that are scraped"),
            host_left_out: counters(
                r,
                "host_looks_cut_total",
                "Looks at the host that left out some of what there is more of than is reported",
                "what",
            ),
            host_skipped: counters(
                r,
                "host_looks_skipped_total",
                "Looks at the host that could not be kept in the queue",
                "reason",
            ),
            integration_looks: counters(
                r,
                "integration_looks_total",
                "Looks at PostgreSQL, Redis and RabbitMQ",
                "result",
            ),
            integration_left_out: counters(
                r,
                "integration_looks_cut_total",
                "Looks at a server that left out some of what there is more of than is reported",
                "what",
            ),
            integration_skipped: counters(
                r,
                "integration_looks_skipped_total",
                "Looks at a server that could not be kept in the queue",
                "reason",
            ),
            journald_entries: counter(r, "journald_entries_total", "Entries read from journald"),
            journald_problems: counters(
                r,
                "journald_problems_total",
                "Entries that could not be read, and ends of journalctl",
                "reason",
            ),
            file_errors: counters(
                r,
                "file_errors_total",
                "Files and directories that could not be read",
                "kind",
            ),
            truncations: counter(r, "file_truncations_total", "Files that began again from their start"),
            files_open: gauge(r, "files_open", "Files being tailed"),
            file_position: gauges(r, "file_position_bytes", "How far a file is read", "path"),
            file_lag: gauges(r, "file_lag_bytes", "Bytes of a file that are not read yet", "path"),
            enqueued: counters(
                r,
                "records_enqueued_total",
                "Log records and samples that are durable in the queue",
                "source",
            ),
            otlp_requests: counter(r, "otlp_requests_total", "OTLP requests, refused ones too"),
            otlp_refused: counters(
                r,
                "otlp_requests_refused_total",
                "OTLP requests refused as a whole",
                "reason",
            ),
            otlp_rejected: counter(
                r,
                "otlp_records_rejected_total",
                "Log records, points and spans refused inside OTLP requests",
            ),
            queue_bytes: gauge(r, "queue_bytes", "Bytes of the queue on disk"),
            queue_max_bytes: gauge(r, "queue_max_bytes", "The queue's limit"),
            queue_records: gauge(r, "queue_records", "Queue records (batches) that are not settled"),
            queue_oldest: gauge(r, "queue_oldest_age_seconds", "Age of the oldest batch that is not settled"),
            queue_full: counter(r, "queue_full_total", "Times that a source had to wait for room"),
            disk_full: counter(r, "queue_disk_full_total", "Times that the queue's disk was full"),
            requests: counter(r, "requests_sent_total", "Requests sent to the collector, tries included"),
            request_bytes: counter(r, "request_bytes_total", "Bytes of requests before compression"),
            retries: counters(r, "retries_total", "Requests that will be tried again", "reason"),
            acknowledged: counter(
                r,
                "records_acknowledged_total",
                "Log records and samples that the collector has taken",
            ),
            dropped: counters(
                r,
                "records_dropped_total",
                "Log records and samples that were lost here",
                "reason",
            ),
            rejected: counters(
                r,
                "records_rejected_total",
                "Log records and samples that the collector refused",
                "reason",
            ),
            breaker_open: gauge(r, "breaker_open", "1 while the collector is only probed"),
            started_ns: u64::try_from(crate::queue::now_ns()).unwrap_or(0),
            refresh: OnceLock::new(),
            registry,
        };
        valid(metrics.registry.register(Box::new(ProcessCollector::for_self())));
        metrics
    }

    pub(crate) fn drop_records(&self, reason: &str, items: u64) {
        self.dropped.with_label_values(&[reason]).inc_by(items);
    }

    pub(crate) fn reject_records(&self, reason: &str, items: u64) {
        self.rejected.with_label_values(&[reason]).inc_by(items);
    }

    /// Counts what the processors did.
    pub(crate) fn observe_outcome(&self, outcome: &crate::process::Outcome) {
        if let Some(rule) = &outcome.dropped_by {
            self.filtered.with_label_values(&[rule]).inc();
        }
        for (rule, count) in &outcome.redacted {
            self.redacted.with_label_values(&[rule]).inc_by(*count);
        }
    }

    /// Takes over what the OTLP receiver has counted.
    pub(crate) fn observe_otlp(&self, counts: &receive::Counts) {
        raise(&self.otlp_requests, counts.requests);
        raise(&self.otlp_rejected, counts.rejected_records + counts.rejected_points + counts.rejected_spans);
        for (reason, count) in &counts.refused_requests {
            raise(&self.otlp_refused.with_label_values(&[*reason]), *count);
        }
    }

    /// Log records lost or refused, over all reasons.
    pub(crate) fn lost(&self) -> (u64, u64) {
        let sum = |vec: &IntCounterVec| {
            let families = vec.collect();
            families
                .iter()
                .flat_map(|family| family.get_metric())
                .map(|metric| metric.get_counter().get_value() as u64)
                .sum()
        };
        (sum(&self.dropped), sum(&self.rejected))
    }

    /// What is to be done before the gauges are right; once, when everything runs.
    pub(crate) fn refresh_with(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.refresh.get_or_init(|| Box::new(refresh));
    }

    /// All of them, as they are now.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        if let Some(refresh) = self.refresh.get() {
            refresh();
        }
        self.registry.gather()
    }

    /// The text exposition format.
    pub(crate) fn render(&self) -> String {
        // Only a family without a name or metrics could fail to encode; `gather` makes none.
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}

fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("narrows_agent")
}

fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    register(registry, valid(IntCounter::with_opts(options(name, help))))
}

fn counters(registry: &Registry, name: &str, help: &str, label: &str) -> IntCounterVec {
    register(registry, valid(IntCounterVec::new(options(name, help), &[label])))
}

fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    register(registry, valid(IntGauge::with_opts(options(name, help))))
}

fn gauges(registry: &Registry, name: &str, help: &str, label: &str) -> IntGaugeVec {
    register(registry, valid(IntGaugeVec::new(options(name, help), &[label])))
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    valid(registry.register(Box::new(collector.clone())));
    collector
}

/// Names are literals above: a bad or double one fails the first test that makes the set.
fn valid<T>(made: prometheus::Result<T>) -> T {
    match made {
        Ok(made) => made,
        Err(error) => panic!("bad metric: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_prefixed_and_losses_are_summed() {
        let metrics = Metrics::new();
        metrics.drop_records("queue_full", 3);
        metrics.drop_records("unreadable", 1);
        metrics.reject_records("too_large", 2);
        assert_eq!(metrics.lost(), (4, 2));
        let text = metrics.render();
        assert!(text.contains("narrows_agent_records_dropped_total{reason=\"queue_full\"} 3"), "{text}");
        assert!(text.contains("process_resident_memory_bytes"), "{text}");
    }
}
