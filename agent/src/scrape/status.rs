//! What `/status` shows of scraping.

use std::collections::BTreeMap;

use serde::Serialize;

/// One target.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TargetStatus {
    pub(crate) job: String,
    pub(crate) url: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// `unknown`, `up` or `down`.
    pub(crate) health: &'static str,
    pub(crate) last_error: Option<String>,
    pub(crate) last_scrape_unix_ms: Option<i64>,
    pub(crate) last_scrape_duration_seconds: Option<f64>,
    /// Of the last scrape, after relabelling.
    pub(crate) samples: u64,
    pub(crate) interval_seconds: f64,
}

/// All of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ScrapeStatus {
    pub(crate) targets: Vec<TargetStatus>,
    /// Targets that rules have dropped.
    pub(crate) dropped_targets: u64,
    /// Files and targets that are not as they should be.
    pub(crate) problems: Vec<String>,
    /// What of Prometheus' configuration has no effect here.
    pub(crate) not_there_yet: Vec<String>,
}
