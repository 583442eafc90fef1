//! The rules: groups of 20 like those of published mixins, half of them recording, several of a group over the same
//! series, some over what others of it have recorded.

use std::fmt::Write as _;

use crate::workload_r::{CLUSTERS, NAMESPACES, job};

/// A rule of a group; `$s` in its expression stands for the matchers of the group.
enum Form {
    Record(&'static str, &'static str),
    /// Name, `for`, expression.
    Alert(&'static str, &'static str, &'static str),
}

use Form::{Alert, Record};

/// What is looked at of one service.
const SERVICE: [Form; 20] = [
    Record(
        "job_code:http_requests:rate5m",
        "sum by (cluster, namespace, job, code) (rate(http_requests_total{$s}[5m]))",
    ),
    Record(
        "job:http_errors:ratio_rate5m",
        "sum by (job) (rate(http_requests_total{$s,code=~\"5..\"}[5m])) / sum by (job) (rate(http_requests_total{$s}[5m]))",
    ),
    Record(
        "job_handler_le:http_request_duration_seconds_bucket:rate5m",
        "sum by (job, handler, le) (rate(http_request_duration_seconds_bucket{$s}[5m]))",
    ),
    Record(
        "job:http_request_duration_seconds:p99",
        "histogram_quantile(0.99, sum by (job, le) (rate(http_request_duration_seconds_bucket{$s}[5m])))",
    ),
    Record(
        "job_handler:http_request_duration_seconds:p50",
        "histogram_quantile(0.5, job_handler_le:http_request_duration_seconds_bucket:rate5m{$s})",
    ),
    Record(
        "job:http_request_duration_seconds:mean5m",
        "sum by (job) (rate(http_request_duration_seconds_sum{$s}[5m])) / sum by (job) (rate(http_request_duration_seconds_count{$s}[5m]))",
    ),
    Record("instance:process_cpu:rate5m", "rate(process_cpu_seconds_total{$s}[5m])"),
    Record(
        "namespace_job:process_resident_memory_bytes:sum",
        "sum by (namespace, job) (process_resident_memory_bytes{$s})",
    ),
    Record(
        "job:cache_hits:ratio_rate5m",
        "sum by (job) (rate(cache_hits_total{$s}[5m])) / (sum by (job) (rate(cache_hits_total{$s}[5m])) + sum by (job) (rate(cache_misses_total{$s}[5m])))",
    ),
    Record(
        "job:http_slow_requests:ratio_rate5m",
        "1 - sum by (job) (rate(http_request_duration_seconds_bucket{$s,le=\"0.25\"}[5m])) / sum by (job) (rate(http_request_duration_seconds_count{$s}[5m]))",
    ),
    Alert(
        "HttpErrorsHigh",
        "1m",
        "sum by (job, instance) (rate(http_requests_total{$s,code=~\"5..\"}[5m])) / sum by (job, instance) (rate(http_requests_total{$s}[5m])) > 0.05",
    ),
    Alert("ErrorBudgetBurns", "30s", "job:http_errors:ratio_rate5m{$s} > 0.002"),
    Alert(
        "LatencyHigh",
        "1m",
        "histogram_quantile(0.99, sum by (job, instance, le) (rate(http_request_duration_seconds_bucket{$s,handler=\"/api/search\"}[5m]))) > 20",
    ),
    Alert("InstanceDown", "30s", "up{$s} == 0"),
    Alert("ServiceAbsent", "1m", "absent(up{$s})"),
    Alert("FilesRunOut", "1m", "process_open_fds{$s} / process_max_fds{$s} > 0.8"),
    Alert("ConnectionsRunOut", "30s", "db_connections_in_use{$s} / db_connections_max{$s} > 0.9"),
    Alert(
        "QueueGrows",
        "1m",
        "predict_linear(queue_depth{$s}[10m], 3600) > 200000 and deriv(queue_depth{$s}[5m]) > 10",
    ),
    Alert("RestartsOften", "1m", "changes(process_start_time_seconds{$s}[10m]) > 2"),
    Alert(
        "CpuThrottled",
        "1m",
        "sum by (job, instance) (increase(container_cpu_cfs_throttled_periods_total{$s}[5m])) / sum by (job, instance) (increase(container_cpu_cfs_periods_total{$s}[5m])) > 0.5",
    ),
];

/// What is looked at of the hosts of a cluster.
const HOSTS: [Form; 20] = [
    Record(
        "instance:node_cpu_utilisation:rate5m",
        "1 - avg without (mode) (rate(node_cpu_seconds_total{$s,mode=\"idle\"}[5m]))",
    ),
    Record("cluster_mode:node_cpu:rate5m", "sum by (cluster, mode) (rate(node_cpu_seconds_total{$s}[5m]))"),
    Record(
        "instance:node_memory_utilisation:ratio",
        "1 - node_memory_MemAvailable_bytes{$s} / node_memory_MemTotal_bytes{$s}",
    ),
    Record(
        "cluster:node_memory_utilisation:ratio",
        "1 - sum by (cluster) (node_memory_MemAvailable_bytes{$s}) / sum by (cluster) (node_memory_MemTotal_bytes{$s})",
    ),
    Record(
        "instance:node_load5:ratio",
        "node_load5{$s} / on (cluster, instance) count by (cluster, instance) (node_cpu_seconds_total{$s})",
    ),
    Record(
        "instance:node_network_receive_bytes:rate5m",
        "sum without (device) (rate(node_network_receive_bytes_total{$s}[5m]))",
    ),
    Record(
        "instance:node_network_transmit_bytes:rate5m",
        "sum without (device) (rate(node_network_transmit_bytes_total{$s}[5m]))",
    ),
    Record(
        "instance_device:node_disk_io_time_seconds:rate5m",
        "rate(node_disk_io_time_seconds_total{$s}[5m])",
    ),
    Record(
        "cluster:node_disk_read_bytes:rate5m",
        "sum by (cluster) (rate(node_disk_read_bytes_total{$s}[5m]))",
    ),
    Record("cluster:node_cpu_utilisation:avg", "avg by (cluster) (instance:node_cpu_utilisation:rate5m{$s})"),
    Alert("HostCpuBusy", "1m", "instance:node_cpu_utilisation:rate5m{$s} > 0.99"),
    Alert(
        "HostMemoryLow",
        "1m",
        "node_memory_MemAvailable_bytes{$s} / node_memory_MemTotal_bytes{$s} < 0.02",
    ),
    Alert(
        "HostDiskFills",
        "1m",
        "node_filesystem_avail_bytes{$s} / node_filesystem_size_bytes{$s} < 0.1 and predict_linear(node_filesystem_avail_bytes{$s}[10m], 14400) < 0",
    ),
    Alert("HostDown", "30s", "up{$s} == 0"),
    Alert("HostsAbsent", "1m", "absent(up{$s})"),
    Alert("HostHot", "1m", "node_hwmon_temp_celsius{$s} > 95"),
    Alert("HostRebooted", "30s", "changes(node_boot_time_seconds{$s}[10m]) > 0"),
    Alert(
        "HostIoWaits",
        "1m",
        "avg by (cluster, instance) (rate(node_cpu_seconds_total{$s,mode=\"iowait\"}[5m])) > 0.5",
    ),
    Alert("HostLoadHigh", "1m", "node_load1{$s} > 60 and node_load5{$s} > 60"),
    Alert("HostNetworkBusy", "1m", "rate(node_network_receive_bytes_total{$s}[5m]) > 1e9"),
];

/// What is looked at of many services at once.
const FLEET: [Form; 20] = [
    Record("namespace:http_requests:rate5m", "sum by (namespace) (rate(http_requests_total{$s}[5m]))"),
    Record(
        "namespace_job_code:http_requests:rate5m",
        "sum by (namespace, job, code) (rate(http_requests_total{$s}[5m]))",
    ),
    Record(
        "namespace:http_request_duration_seconds:p99",
        "histogram_quantile(0.99, sum by (namespace, le) (rate(http_request_duration_seconds_bucket{$s}[5m])))",
    ),
    Record(
        "cluster:http_request_duration_seconds:p90",
        "histogram_quantile(0.9, sum by (cluster, le) (rate(http_request_duration_seconds_bucket{$s}[5m])))",
    ),
    Record("namespace:process_cpu:rate5m", "sum by (namespace) (rate(process_cpu_seconds_total{$s}[5m]))"),
    Record(
        "namespace_job:process_cpu:rate5m",
        "sum by (namespace, job) (rate(process_cpu_seconds_total{$s}[5m]))",
    ),
    Record(
        "namespace:process_resident_memory_bytes:sum",
        "sum by (namespace) (process_resident_memory_bytes{$s})",
    ),
    Record("namespace_job:up:count", "count by (namespace, job) (up{$s})"),
    Record("namespace_job:up:ratio", "avg by (namespace, job) (up{$s})"),
    Record(
        "namespace:queue_processed:rate5m",
        "sum by (namespace, queue) (rate(queue_processed_total{$s}[5m]))",
    ),
    Record("namespace:goroutines:max", "max by (namespace) (go_goroutines{$s})"),
    Record(
        "namespace:http_errors:ratio_rate5m",
        "sum by (namespace) (namespace_job_code:http_requests:rate5m{$s,code=\"500\"}) / sum by (namespace) (namespace_job_code:http_requests:rate5m{$s})",
    ),
    Alert("NamespaceErrorsHigh", "1m", "namespace:http_errors:ratio_rate5m{$s} > 0.05"),
    Alert("JobsDown", "30s", "namespace_job:up:ratio{$s} < 0.97"),
    Alert("HeapLarge", "1m", "topk(3, go_memstats_heap_inuse_bytes{$s}) > 8e9"),
    Alert("QueueStands", "1m", "queue_depth{$s} > 10 and rate(queue_processed_total{$s}[5m]) == 0"),
    Alert(
        "ConnectionsHigh",
        "30s",
        "max by (namespace, job) (db_connections_in_use{$s} / db_connections_max{$s}) > 0.95",
    ),
    Alert("NoTraffic", "1m", "sum by (namespace, job) (rate(http_requests_total{$s}[5m])) == 0"),
    Alert("FewInstances", "1m", "count by (namespace, job) (up{$s} == 1) < 10"),
    Alert(
        "CacheCold",
        "1m",
        "sum by (job) (rate(cache_hits_total{$s}[5m])) / sum by (job) (rate(cache_misses_total{$s}[5m])) < 1",
    ),
];

/// A recording rule that reads nothing that rules write.
pub(super) struct Recorded {
    /// The value of its label `rule`.
    pub(super) id: String,
    pub(super) expr: String,
}

/// A rule file.
pub(super) struct Mix {
    pub(super) yaml: String,
    pub(super) groups: usize,
    pub(super) rules: usize,
    /// Those whose answers can be had from the samples alone.
    pub(super) recorded: Vec<Recorded>,
}

/// Groups of 20 rules, `rules` in all: one for each cluster's hosts, four for a quarter of the services each, the rest
/// for one service each.
pub(super) fn mix(rules: usize, interval_s: u64) -> Mix {
    let mut mix = Mix { yaml: "groups:\n".to_owned(), groups: 0, rules: 0, recorded: Vec::new() };
    let clusters =
        (0..CLUSTERS).map(|cluster| (format!("job=\"node\",cluster=\"cluster-{cluster}\""), &HOSTS));
    let fleet = (0..4).map(|part| {
        let numbers: Vec<String> =
            (part..NAMESPACES).step_by(4).map(|number| format!("{number:02}")).collect();
        (format!("namespace=~\"team-({})\"", numbers.join("|")), &FLEET)
    });
    let services = (0..).map(|service| (format!("job=\"{}\"", job(service)), &SERVICE));
    for (selector, forms) in clusters.chain(fleet).chain(services).take(rules / SERVICE.len()) {
        mix.group(&selector, forms, interval_s);
    }
    mix
}

impl Mix {
    fn group(&mut self, selector: &str, forms: &[Form], interval_s: u64) {
        let group = self.groups;
        self.groups += 1;
        let _ = write!(self.yaml, "  - name: group-{group:03}\n    interval: {interval_s}s\n    rules:\n");
        for (at, form) in forms.iter().enumerate() {
            self.rules += 1;
            let (head, expr) = match form {
                Record(name, expr) => (format!("record: {name}"), expr),
                Alert(name, hold, expr) => (format!("alert: {name}\n        for: {hold}"), expr),
            };
            let expr = expr.replace("$s", selector);
            let _ = write!(self.yaml, "      - {head}\n        expr: '{expr}'\n");
            if matches!(form, Alert(..)) {
                self.yaml.push_str(ALERT_TEXTS);
                continue;
            }
            let id = format!("{group}-{at}");
            let _ = writeln!(self.yaml, "        labels: {{rule: \"{id}\"}}");
            let reads_rules = forms
                .iter()
                .any(|other| matches!(other, Record(name, _) if expr.contains(&format!("{name}{{"))));
            if !reads_rules {
                self.recorded.push(Recorded { id, expr });
            }
        }
    }
}

const ALERT_TEXTS: &str = "        labels: {severity: warning}
        annotations:
          summary: '{{ $labels.instance }} of {{ $labels.job }} is at {{ $value | humanize }}'
          runbook: 'https://runbooks.example.net/{{ $labels.alertname }}'
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_rules_as_were_asked_for() {
        let mix = mix(2_000, 30);
        assert_eq!((mix.groups, mix.rules), (100, 2_000));
        assert_eq!(mix.yaml.matches("\n        expr: ").count(), 2_000);
        let dependent = mix.recorded.iter().filter(|recorded| recorded.expr.contains(":rate5m{"));
        assert_eq!(dependent.count(), 0);
        // 9 of the 10 of each service, 9 of 10 of each cluster, 11 of 12 of each part of the fleet.
        assert_eq!(mix.recorded.len(), 88 * 9 + 8 * 9 + 4 * 11);
    }
}
