//! Aggregation groups: the alerts that a route tells of together, and when.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Core, MAX_GROUPS};
use crate::labels::LabelSet;
use crate::state::Stored;

/// Alerts of the same labels `group_by` at one node of the routes.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) node: usize,
    pub(super) labels: LabelSet,
    pub(super) key: String,
    /// Fingerprints.
    pub(super) alerts: BTreeSet<u64>,
    /// When it is flushed next, unless it is late.
    pub(super) due_ms: i64,
    /// Its time came while it was being told of.
    pub(super) late: bool,
    pub(super) flush: Option<Flush>,
}

/// A group that is being told of.
#[derive(Debug, Default)]
pub(super) struct Flush {
    /// How many integrations are not done.
    pub(super) open: usize,
    pub(super) failed: bool,
    /// What had ended when it began: all know of it when it is done.
    pub(super) resolved: Vec<Arc<Stored>>,
}

impl Core {
    /// Puts an alert into its groups. After a start or a change of the configuration, one that has ended only where
    /// somebody believes that it fires.
    pub(super) fn group(&mut self, stored: &Arc<Stored>, now_ms: i64, is_known: bool) {
        let setup = Arc::clone(&self.setup);
        for index in setup.tree.matching(&stored.alert.labels) {
            let node = setup.tree.node(index);
            let labels = node.group_labels(&stored.alert.labels);
            if is_known && stored.alert.is_resolved_at(now_ms) {
                let key = node.group_key(&labels);
                if !self.state.log.believed_firing(&key, &node.receiver, stored.fingerprint) {
                    continue;
                }
            }
            let old_enough = stored.alert.starts_at_ms.saturating_add(node.group_wait_ms) < now_ms;
            let wait_ms = if old_enough { 0 } else { node.group_wait_ms };
            let due_ms = now_ms.saturating_add(wait_ms).max(self.not_before_ms);
            let known = self.by_labels.get(&(index, labels.clone())).copied();
            let Some(id) = known.or_else(|| self.new_group(index, labels, due_ms)) else {
                self.counts.without_group += 1;
                continue;
            };
            if let Some(group) = self.groups.get_mut(&id) {
                group.alerts.insert(stored.fingerprint);
                // Whichever alert comes first out of a state, an old one has waited long enough.
                if is_known && due_ms < group.due_ms {
                    self.timers.remove(&(group.due_ms, id));
                    self.timers.insert((due_ms, id));
                    group.due_ms = due_ms;
                }
            }
        }
    }

    fn new_group(&mut self, node: usize, labels: LabelSet, due_ms: i64) -> Option<u64> {
        if self.groups.len() >= MAX_GROUPS {
            return None;
        }
        let id = self.new_id();
        let key = self.setup.tree.node(node).group_key(&labels);
        self.by_labels.insert((node, labels.clone()), id);
        let alerts = BTreeSet::new();
        self.groups.insert(id, Group { node, labels, key, alerts, due_ms, late: false, flush: None });
        self.timers.insert((due_ms, id));
        Some(id)
    }

    /// Takes an alert out of a group; an empty group ends, unless it is being told of.
    pub(super) fn leave(&mut self, id: u64, fingerprint: u64) {
        if let Some(group) = self.groups.get_mut(&id) {
            group.alerts.remove(&fingerprint);
            self.end_if_empty(id);
        }
    }

    pub(super) fn end_if_empty(&mut self, id: u64) {
        let is_over = |group: &Group| group.alerts.is_empty() && group.flush.is_none();
        if self.groups.get(&id).is_some_and(is_over)
            && let Some(group) = self.groups.remove(&id)
        {
            self.timers.remove(&(group.due_ms, id));
            self.by_labels.remove(&(group.node, group.labels));
        }
    }
}
