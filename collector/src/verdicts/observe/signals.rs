//! What is measured of hosts, programs and servers: a row per signal, with the query that gives it. The names are
//! those of docs/host-metrics.md, of OpenTelemetry's semantic conventions and of the agent's integrations.
//!
//! In a query `$by` stands for the labels that name the owner, `$s` for conditions on them (behind the others), and
//! `$w` for the range of rates.

use bottleneck::Signal;

/// Whose measurement a series is, and by which labels that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A host.
    Host,
    /// An executable on a host.
    Process,
    /// A control group on a host.
    Group,
    /// A service.
    Service,
    /// Something of a service, named by this label.
    Part(&'static str),
    /// A server of this system, told by its instance: the nodes that it is (`postgresql`, `postgresql/shop`).
    Server(&'static str),
    /// The node of a database of this system on a server, named by this label.
    Database(&'static str, &'static str),
    /// Something of every node of this system, named by this label.
    ServerPart(&'static str, &'static str),
    /// Something of the node of a database: system, label of the database, label of the part.
    DatabasePart(&'static str, &'static str, &'static str),
    /// A destination of a broker, named by the labels of its system and its own.
    Destination,
}

/// One signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) signal: Signal,
    pub(super) by: By,
    pub(super) query: &'static str,
}

const HOST: &str = "host_name";
const EXECUTABLE: &str = "process_executable_name";
const INSTANCE: &str = "instance";
const SERVICE: &str = "service_name";
const POOL: By = By::Part("db_client_connection_pool_name");
const PG: &str = "postgresql";
const D: &str = "postgresql_database_name";
const PG_STATEMENT: By = By::DatabasePart(PG, D, "db_query_text");
const PG_TABLE: By = By::DatabasePart(PG, D, "postgresql_table_name");
const PG_DATABASE: By = By::Database(PG, D);
const PG_SERVER: By = By::Server(PG);
const REDIS: By = By::Server("redis");
const RABBIT: By = By::Server("rabbitmq");
const QUEUE: By = By::ServerPart("rabbitmq", "rabbitmq_queue_name");
/// As RabbitMQ's own endpoint for Prometheus calls it.
const QUEUE_SCRAPED: By = By::ServerPart("rabbitmq", "queue");
const TOPIC: By = By::ServerPart("kafka", "topic");

impl By {
    /// The labels that name the owner.
    pub(super) fn labels(self) -> Vec<&'static str> {
        match self {
            Self::Host => vec![HOST],
            Self::Process => vec![HOST, EXECUTABLE],
            Self::Group => vec![HOST, "cgroup"],
            Self::Service => vec![SERVICE],
            Self::Part(part) => vec![SERVICE, part],
            Self::Server(_) => vec![INSTANCE],
            Self::Database(_, database) => vec![INSTANCE, database],
            Self::ServerPart(_, part) => vec![part],
            Self::DatabasePart(_, database, part) => vec![database, part],
            Self::Destination => vec!["messaging_system", "messaging_destination_name"],
        }
    }
}

const fn row(signal: Signal, by: By, query: &'static str) -> Row {
    Row { signal, by, query }
}

/// Where two rows give the same signal of the same owner the first counts.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(Signal::PressureCpu, By::Host, r#"sum by ($by) (rate(narrows_host_pressure_stalled_seconds_total{resource="cpu",kind="some"$s}[$w]))"#),
    row(Signal::PressureMemory, By::Host, r#"sum by ($by) (rate(narrows_host_pressure_stalled_seconds_total{resource="memory",kind="some"$s}[$w]))"#),
    row(Signal::PressureMemoryFull, By::Host, r#"sum by ($by) (rate(narrows_host_pressure_stalled_seconds_total{resource="memory",kind="full"$s}[$w]))"#),
    row(Signal::PressureIo, By::Host, r#"sum by ($by) (rate(narrows_host_pressure_stalled_seconds_total{resource="io",kind="some"$s}[$w]))"#),
    row(Signal::CpuUsed, By::Host, r#"sum by ($by) (rate(system_cpu_time_seconds_total{cpu_mode!~"idle|iowait"$s}[$w]))"#),
    row(Signal::CpuLimit, By::Host, r#"max by ($by) (system_cpu_logical_count{job="agent"$s})"#),
    row(Signal::RunQueue, By::Host, r#"max by ($by) (narrows_host_threads{state="running"$s}) / max by ($by) (system_cpu_logical_count{job="agent"$s})"#),
    row(Signal::CpuThrottled, By::Group, r#"max by ($by) (rate(narrows_host_cgroup_cpu_throttled_periods_total{job="agent"$s}[$w]) / (rate(narrows_host_cgroup_cpu_periods_total{job="agent"$s}[$w]) > 0))"#),
    row(Signal::MemoryUsed, By::Host, r#"max by ($by) (system_memory_limit_bytes{job="agent"$s}) - max by ($by) (system_linux_memory_available_bytes{job="agent"$s})"#),
    row(Signal::MemoryLimit, By::Host, r#"max by ($by) (system_memory_limit_bytes{job="agent"$s})"#),
    row(Signal::MajorFaults, By::Host, r#"sum by ($by) (rate(system_paging_faults_total{system_paging_type="major"$s}[$w]))"#),
    row(Signal::OomKills, By::Group, r#"sum by ($by) (rate(narrows_host_cgroup_memory_events_total{event="oom_kill"$s}[$w]))"#),
    row(Signal::DiskBusy, By::Host, r#"max by ($by) (rate(system_disk_io_time_seconds_total{job="agent"$s}[$w]))"#),
    row(Signal::DiskAwait, By::Host, r#"sum by ($by) (rate(system_disk_operation_time_seconds_total{job="agent"$s}[$w])) / (sum by ($by) (rate(system_disk_operations_total{job="agent"$s}[$w])) > 0)"#),
    row(Signal::DiskFull, By::Host, r#"max by ($by) (sum without (system_filesystem_state) (system_filesystem_usage_bytes{system_filesystem_state="used"$s}) / system_filesystem_limit_bytes{job="agent"$s})"#),
    row(Signal::NetworkBytes, By::Host, r#"sum by ($by) (rate(system_network_io_bytes_total{network_interface_name!="lo"$s}[$w]))"#),
    row(Signal::TcpRetransmits, By::Host, r#"sum by ($by) (rate(narrows_host_tcp_retransmits_total{job="agent"$s}[$w])) / (sum by ($by) (rate(narrows_host_tcp_segments_total{network_io_direction="transmit"$s}[$w])) > 0)"#),
    row(Signal::ContextSwitches, By::Host, r#"sum by ($by) (rate(narrows_host_context_switches_total{job="agent"$s}[$w]))"#),
    row(Signal::CpuUsed, By::Process, r#"sum by ($by) (rate(process_cpu_time_seconds_total{job="agent"$s}[$w]))"#),
    row(Signal::MemoryUsed, By::Process, r#"max by ($by) (process_memory_usage_bytes{job="agent"$s})"#),

    row(Signal::CpuUsed, By::Service, r#"sum by ($by) (rate(process_cpu_time_seconds_total{job!="agent"$s}[$w]))"#),
    row(Signal::MemoryUsed, By::Service, r#"sum by ($by) (process_memory_usage_bytes{job!="agent"$s})"#),
    row(Signal::GcTime, By::Service, r#"max by ($by) (sum by (service_name, instance) (rate(jvm_gc_duration_seconds_sum{service_name!=""$s}[$w])))"#),
    row(Signal::ActiveRequests, By::Service, r#"sum by ($by) (http_server_active_requests{service_name!=""$s})"#),
    row(Signal::PoolUsed, POOL, r#"sum by ($by) (db_client_connection_count{db_client_connection_state="used"$s})"#),
    row(Signal::PoolMax, POOL, r#"sum by ($by) (db_client_connection_max{service_name!=""$s})"#),
    row(Signal::PoolPending, POOL, r#"sum by ($by) (db_client_connection_pending_requests{service_name!=""$s})"#),
    row(Signal::PoolWait, POOL, r#"sum by ($by) (rate(db_client_connection_wait_time_seconds_sum{service_name!=""$s}[$w]))"#),

    row(Signal::PoolUsed, PG_DATABASE, r#"sum by ($by) (postgresql_backends{job!=""$s})"#),
    row(Signal::PoolMax, PG_SERVER, r#"max by ($by) (postgresql_connection_max{job!=""$s})"#),
    row(Signal::LockWaiting, PG_SERVER, r#"sum by ($by) (narrows_postgresql_sessions_blocked{job!=""$s})"#),
    row(Signal::StatementCalls, PG_STATEMENT, r#"sum by ($by) (rate(narrows_postgresql_statement_calls_total{job!=""$s}[$w]))"#),
    row(Signal::StatementSeconds, PG_STATEMENT, r#"sum by ($by) (rate(narrows_postgresql_statement_time_seconds_total{job!=""$s}[$w]))"#),
    row(Signal::StatementRows, PG_STATEMENT, r#"sum by ($by) (rate(narrows_postgresql_statement_rows_total{job!=""$s}[$w]))"#),
    row(Signal::SequentialScans, PG_TABLE, r#"sum by ($by) (rate(postgresql_sequential_scans_total{job!=""$s}[$w]))"#),
    row(Signal::SequentialRows, PG_TABLE, r#"sum by ($by) (rate(narrows_postgresql_table_rows_read_total{access="sequential"$s}[$w]))"#),

    row(Signal::CacheHits, REDIS, r#"sum by ($by) (rate(redis_keyspace_hits_total{job!=""$s}[$w]))"#),
    row(Signal::CacheMisses, REDIS, r#"sum by ($by) (rate(redis_keyspace_misses_total{job!=""$s}[$w]))"#),
    row(Signal::CpuUsed, REDIS, r#"sum by ($by) (rate(redis_cpu_time_seconds_total{job!=""$s}[$w]))"#),
    row(Signal::MemoryUsed, REDIS, r#"sum by ($by) (redis_memory_used_bytes{job!=""$s})"#),
    row(Signal::MemoryLimit, REDIS, r#"sum by ($by) (redis_maxmemory_bytes{job!=""$s}) > 0"#),

    row(Signal::QueueReady, QUEUE, r#"sum by ($by) (rabbitmq_message_current{state=~"ready|unacknowledged"$s})"#),
    row(Signal::QueueUnacked, QUEUE, r#"sum by ($by) (rabbitmq_message_current{state="unacknowledged"$s})"#),
    row(Signal::QueueConsumers, QUEUE, r#"sum by ($by) (rabbitmq_consumer_count{job!=""$s})"#),
    row(Signal::QueuePublished, QUEUE, r#"sum by ($by) (rate(rabbitmq_message_published_total{job!=""$s}[$w]))"#),
    row(Signal::QueueConsumed, QUEUE, r#"sum by ($by) (rate(rabbitmq_message_acknowledged_total{job!=""$s}[$w]))"#),
    row(Signal::MemoryUsed, RABBIT, r#"max by ($by) (rabbitmq_node_mem_used_bytes{job!=""$s})"#),
    row(Signal::MemoryLimit, RABBIT, r#"max by ($by) (rabbitmq_node_mem_limit_bytes{job!=""$s})"#),
    // RabbitMQ's plugin for Prometheus, per object and detailed.
    row(Signal::QueueReady, QUEUE_SCRAPED, r#"sum by ($by) (rabbitmq_queue_messages{job!=""$s})"#),
    row(Signal::QueueConsumers, QUEUE_SCRAPED, r#"sum by ($by) (rabbitmq_queue_consumers{job!=""$s})"#),
    row(Signal::QueuePublished, QUEUE_SCRAPED, r#"sum by ($by) (rate(rabbitmq_queue_messages_published_total{job!=""$s}[$w]))"#),
    row(Signal::QueueConsumed, QUEUE_SCRAPED, r#"sum by ($by) (rate(rabbitmq_channel_messages_acked_total{job!=""$s}[$w]))"#),
    row(Signal::QueueReady, QUEUE_SCRAPED, r#"sum by ($by) (rabbitmq_detailed_queue_messages{job!=""$s})"#),
    row(Signal::QueueConsumers, QUEUE_SCRAPED, r#"sum by ($by) (rabbitmq_detailed_queue_consumers{job!=""$s})"#),
    row(Signal::QueuePublished, QUEUE_SCRAPED, r#"sum by ($by) (rate(rabbitmq_detailed_queue_messages_published_total{job!=""$s}[$w]))"#),
    row(Signal::QueueConsumed, QUEUE_SCRAPED, r#"sum by ($by) (rate(rabbitmq_detailed_channel_messages_acked_total{job!=""$s}[$w]))"#),
    // Kafka: kafka_exporter, and the OpenTelemetry collector's receiver. Of several groups that which is farthest behind.
    row(Signal::QueueReady, TOPIC, r#"max by ($by) (sum by (consumergroup, topic) (kafka_consumergroup_lag{job!=""$s} >= 0))"#),
    row(Signal::QueuePublished, TOPIC, r#"sum by ($by) (rate(kafka_topic_partition_current_offset{job!=""$s}[$w]))"#),
    row(Signal::QueueConsumed, TOPIC, r#"max by ($by) (sum by (consumergroup, topic) (rate(kafka_consumergroup_current_offset{job!=""$s}[$w])))"#),
    row(Signal::QueueReady, TOPIC, r#"max by ($by) (sum by (group, topic) (kafka_consumer_group_lag_ratio{job!=""$s}))"#),
    row(Signal::QueuePublished, TOPIC, r#"sum by ($by) (rate(kafka_partition_current_offset_ratio{job!=""$s}[$w]))"#),
    row(Signal::QueueConsumed, TOPIC, r#"max by ($by) (sum by (group, topic) (rate(kafka_consumer_group_offset_ratio{job!=""$s}[$w])))"#),
    row(Signal::QueuePublished, By::Destination, r#"sum by ($by) (rate(messaging_client_sent_messages_total{messaging_destination_name!=""$s}[$w]))"#),
    row(Signal::QueueConsumed, By::Destination, r#"sum by ($by) (rate(messaging_client_consumed_messages_total{messaging_destination_name!=""$s}[$w]))"#),
];

impl Row {
    /// The query for all owners.
    pub(super) fn of_all(&self, window: &str) -> String {
        self.filled("", window)
    }

    /// The query for the owner with these values of its labels.
    pub(super) fn of_one(&self, values: &[&str], window: &str) -> String {
        let condition = |(label, value): (&str, &&str)| format!(",{label}={}", quoted(value));
        let conditions: String = self.by.labels().into_iter().zip(values).map(condition).collect();
        self.filled(&conditions, window)
    }

    fn filled(&self, conditions: &str, window: &str) -> String {
        let by = self.by.labels().join(", ");
        // Conditions last: what stands in them is nobody's placeholder.
        self.query.replace("$w", window).replace("$by", &by).replace("$s", conditions)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_query_can_be_read_for_all_and_for_one() {
        for row in ROWS {
            let values: Vec<&str> = row.by.labels().iter().map(|_| "a\"b\\c\n$w").collect();
            for text in [row.of_all("40s"), row.of_one(&values, "40s")] {
                promql::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            }
        }
    }

    #[test]
    fn an_owner_is_a_condition_of_every_selector() {
        let run_queue = ROWS.iter().find(|row| row.signal == Signal::RunQueue).unwrap();
        assert_eq!(
            run_queue.of_one(&["db-1"], "40s"),
            r#"max by (host_name) (narrows_host_threads{state="running",host_name="db-1"}) / max by (host_name) (system_cpu_logical_count{job="agent",host_name="db-1"})"#
        );
    }

    /// The names of series in a query, with the labels that conditions on them name.
    pub(in crate::verdicts::observe) fn selectors(query: &str) -> Vec<(String, BTreeSet<String>)> {
        let mut found = Vec::new();
        for (at, _) in query.match_indices('{') {
            let head =
                query[..at].rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
            let inside = &query[at + 1..at + query[at..].find('}').unwrap()];
            let labels = inside.split(',').filter_map(|one| one.split(['=', '!']).next());
            found.push((query[head..at].to_owned(), labels.map(str::to_owned).collect()));
        }
        found
    }

    #[test]
    fn rows_of_hosts_name_series_and_labels_of_the_documented_list() {
        let text = include_str!("../../../../docs/host-metrics.md");
        let documented: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).collect();
        for row in ROWS.iter().filter(|row| matches!(row.by, By::Host | By::Process | By::Group)) {
            for (name, labels) in selectors(&row.of_all("40s")) {
                let line = documented.iter().find(|(series, _)| *series == name);
                let (_, rest) = line.unwrap_or_else(|| panic!("{name} is not in docs/host-metrics.md"));
                for label in labels.iter().filter(|label| *label != "job") {
                    assert!(rest.contains(&format!("`{label}`")), "{name} has no label {label}");
                }
                let is_counter = rest.starts_with(" counter");
                assert_eq!(row.query.contains("rate("), is_counter, "{name}: only counters have rates");
            }
            if row.by == By::Process {
                assert!(row.of_all("40s").contains("by (host_name, process_executable_name)"));
            }
        }
    }
}
