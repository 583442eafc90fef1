//! The configuration file as it is written, before it is checked. docs/collector.md
//! says what each key means.

use serde::Deserialize;

use alerting::yaml::At;

/// The top level. A key that is not here is refused.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) data: Option<At<String>>,
    pub(super) listen: Option<At<String>>,
    pub(super) listen_grpc: Option<At<String>>,
    pub(super) insecure_listen: Option<At<bool>>,
    pub(super) tls: Option<TlsEntry>,
    pub(super) external_url: Option<At<String>>,
    pub(super) rule_files: Option<Vec<At<String>>>,
    pub(super) shipped_rules: Option<At<bool>>,
    pub(super) allowed_hosts: Option<Vec<At<String>>>,
    pub(super) allowed_origins: Option<Vec<At<String>>>,
    pub(super) trusted_proxies: Option<Vec<At<String>>>,
    pub(super) require_token: Option<At<bool>>,
    pub(super) own_metrics: Option<At<bool>>,
    pub(super) retention: Option<At<String>>,
    pub(super) disk_share: Option<At<f64>>,
    pub(super) partitions: Option<At<u16>>,
    pub(super) session_lifetime: Option<At<String>>,
    pub(super) admin_token_file: Option<At<String>>,
    pub(super) tenants: Option<Vec<TenantEntry>>,
    pub(super) limits: Option<LimitsEntry>,
    pub(super) promoted_resource_attributes: Option<Vec<At<String>>>,
    pub(super) alertmanager_config: Option<At<String>>,
    pub(super) notify_allow: Option<Vec<At<String>>>,
    pub(super) verdicts: Option<VerdictsEntry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VerdictsEntry {
    pub(super) enabled: Option<At<bool>>,
    pub(super) interval: Option<At<String>>,
    pub(super) baseline: Option<At<String>>,
    pub(super) keep: Option<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TlsEntry {
    pub(super) cert_file: Option<At<String>>,
    pub(super) key_file: Option<At<String>>,
    pub(super) client_ca_file: Option<At<String>>,
    pub(super) require_client_cert: Option<At<String>>,
    pub(super) min_version: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantEntry {
    pub(super) name: At<String>,
    #[serde(default)]
    pub(super) ingest_token: Option<At<String>>,
    #[serde(default)]
    pub(super) ingest_token_file: Option<At<String>>,
    #[serde(default)]
    pub(super) ingest_bytes_per_second: Option<At<String>>,
    #[serde(default)]
    pub(super) ingest_records_per_second: Option<At<u64>>,
    #[serde(default)]
    pub(super) alertmanager_config: Option<At<String>>,
    #[serde(default)]
    pub(super) rule_files: Option<Vec<At<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsEntry {
    pub(super) body: Option<At<String>>,
    pub(super) decompressed_body: Option<At<String>>,
    pub(super) inflight: Option<At<String>>,
    pub(super) connections: Option<At<usize>>,
    pub(super) query_timeout: Option<At<String>>,
    pub(super) query_memory: Option<At<String>>,
    pub(super) concurrent_queries: Option<At<usize>>,
    pub(super) queued_queries: Option<At<usize>>,
    pub(super) ingest_bytes_per_second: Option<At<String>>,
    pub(super) active_series: Option<At<usize>>,
    pub(super) active_series_per_metric: Option<At<usize>>,
    pub(super) ingest_records_per_second: Option<At<u64>>,
}
