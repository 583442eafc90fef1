//! What can be seen from outside: alerts with what keeps them from being told, and groups.

use std::sync::Arc;

use super::Core;
use crate::labels::LabelSet;
use crate::state::Stored;

/// What becomes of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertStatus {
    /// Ids of silences.
    pub silenced_by: Vec<String>,
    /// Fingerprints of alerts.
    pub inhibited_by: Vec<u64>,
}

impl AlertStatus {
    /// Whether nobody is told.
    pub fn is_suppressed(&self) -> bool {
        !self.silenced_by.is_empty() || !self.inhibited_by.is_empty()
    }
}

/// A group as it is.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// The labels `group_by`.
    pub labels: LabelSet,
    /// Labels of the route.
    pub route_labels: LabelSet,
    /// Who is told.
    pub receiver: String,
    /// Its key in messages.
    pub key: String,
    /// The names of the times because of which it is not told now.
    pub muted_by: Vec<String>,
    /// Its alerts.
    pub alerts: Vec<Arc<Stored>>,
}

impl Core {
    /// What keeps such an alert from being told now.
    pub fn status(&self, labels: &LabelSet, now_ms: i64) -> AlertStatus {
        let firing = |fingerprint| self.state.firing(fingerprint, now_ms);
        AlertStatus {
            silenced_by: self.state.silences.silencing(labels, now_ms),
            inhibited_by: self.inhibitor.inhibiting(labels, firing).into_iter().collect(),
        }
    }

    /// Who is told of such alerts, in the order of the routes.
    pub fn receivers_of(&self, labels: &LabelSet) -> Vec<&str> {
        let nodes = self.setup.tree.matching(labels);
        nodes.into_iter().map(|node| self.setup.tree.node(node).receiver.as_str()).collect()
    }

    /// The names of the times because of which such an alert is told to nobody now; none if one route tells.
    pub fn muted_by(&self, labels: &LabelSet, now_ms: i64) -> Vec<String> {
        let mut all = Vec::new();
        for node in self.setup.tree.matching(labels) {
            let muted_by = self.setup.muted_by(node, now_ms);
            if muted_by.is_empty() {
                return Vec::new();
            }
            all.extend(muted_by);
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Every group, by labels and receiver.
    pub fn groups(&self, now_ms: i64) -> Vec<GroupView> {
        let mut views = Vec::with_capacity(self.groups.len());
        for group in self.groups.values() {
            let node = self.setup.tree.node(group.node);
            let alerts = group.alerts.iter().filter_map(|one| self.state.alerts.get(one).cloned());
            views.push(GroupView {
                labels: group.labels.clone(),
                route_labels: node.labels.clone(),
                receiver: node.receiver.clone(),
                key: group.key.clone(),
                muted_by: self.setup.muted_by(group.node, now_ms),
                alerts: alerts.collect(),
            });
        }
        let place = |view: &GroupView| (view.labels.len(), view.labels.clone(), view.receiver.clone());
        views.sort_by_cached_key(place);
        views
    }

    /// How many alerts fire now, and how many of them nobody is told of.
    pub fn count_alerts(&self, now_ms: i64) -> (usize, usize) {
        let firing = self.state.alerts.values().filter(|stored| !stored.alert.is_resolved_at(now_ms));
        let (mut active, mut suppressed) = (0, 0);
        for stored in firing {
            match self.status(&stored.alert.labels, now_ms).is_suppressed() {
                true => suppressed += 1,
                false => active += 1,
            }
        }
        (active, suppressed)
    }
}
