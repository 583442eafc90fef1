//! What a configuration means to the dispatcher.

use std::collections::BTreeMap;

use crate::config::{AmConfig, InhibitRule};
use crate::labels::LabelSet;
use crate::route::Tree;
use crate::timing::TimeInterval;

/// One way to tell a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The receiver's name.
    pub receiver: String,
    /// `webhook`, `email`, …
    pub kind: String,
    /// Which one of its kind within the receiver.
    pub index: usize,
    /// Whether it is told what is over, too.
    pub send_resolved: bool,
}

/// What the dispatcher works by.
#[derive(Debug)]
pub struct Setup {
    /// Who is told of what.
    pub tree: Tree,
    /// What is not told while something else is the matter.
    pub inhibit_rules: Vec<InhibitRule>,
    /// Times by name.
    pub intervals: BTreeMap<String, Vec<TimeInterval>>,
    /// The ways to tell each receiver.
    pub receivers: BTreeMap<String, Vec<Endpoint>>,
    /// What receivers are found by.
    pub receiver_labels: BTreeMap<String, LabelSet>,
    /// When an alert ends that nobody gave an end.
    pub resolve_timeout_ms: i64,
}

impl Setup {
    /// What is read, but not sent by this version, is left out.
    pub fn new(config: &AmConfig) -> Self {
        let mut receivers = BTreeMap::new();
        for receiver in &config.receivers {
            let supported = receiver.integrations.iter().filter(|one| one.unsupported().is_none());
            let endpoint = |one: &crate::config::Integration| Endpoint {
                receiver: receiver.name.clone(),
                kind: one.kind.to_owned(),
                index: one.index,
                send_resolved: one.send_resolved,
            };
            receivers.insert(receiver.name.clone(), supported.map(endpoint).collect());
        }
        let labels = config.receivers.iter().map(|receiver| (receiver.name.clone(), receiver.labels.clone()));
        Self {
            tree: Tree::new(&config.route),
            inhibit_rules: config.inhibit_rules.clone(),
            intervals: config.time_intervals.clone(),
            receivers,
            receiver_labels: labels.collect(),
            resolve_timeout_ms: i64::try_from(config.global.resolve_timeout.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// The names of the times because of which a node does not tell now.
    pub fn muted_by(&self, node: usize, now_ms: i64) -> Vec<String> {
        let node = self.tree.node(node);
        let active = &node.active_time_intervals;
        let is_active = active.is_empty() || active.iter().any(|name| self.holds(name, now_ms));
        let mut muted_by: Vec<String> =
            node.mute_time_intervals.iter().filter(|name| self.holds(name, now_ms)).cloned().collect();
        if !is_active {
            muted_by.extend(active.iter().cloned());
        }
        muted_by
    }

    fn holds(&self, name: &str, now_ms: i64) -> bool {
        let intervals = self.intervals.get(name);
        intervals.is_some_and(|intervals| intervals.iter().any(|interval| interval.contains(now_ms)))
    }
}
