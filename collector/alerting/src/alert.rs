//! An alert on its way from whoever raised it to whoever is told.

use crate::labels::{self, LabelSet};

/// What a rule or a client of Alertmanager's API says about one set of labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alert {
    /// What identifies it; `alertname` is one of them as a rule.
    pub labels: LabelSet,
    /// What is said about it, expanded.
    pub annotations: LabelSet,
    /// When it began to fire, Unix milliseconds.
    pub starts_at_ms: i64,
    /// When it ended, or when it ends if nobody says more; Unix milliseconds.
    pub ends_at_ms: i64,
    /// Where its rule can be seen.
    pub generator_url: String,
}

impl Alert {
    /// What identifies it.
    pub fn fingerprint(&self) -> u64 {
        labels::fingerprint(&self.labels)
    }

    /// Whether it has ended.
    pub fn is_resolved_at(&self, now_ms: i64) -> bool {
        self.ends_at_ms <= now_ms
    }
}
