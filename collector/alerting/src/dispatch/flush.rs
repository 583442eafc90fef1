//! A group's time has come: which of its alerts are told to whom.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::group::Flush;
use super::job::{Job, Progress};
use super::{Action, Core};
use crate::Alert;
use crate::labels::LabelSet;
use crate::message::Message;
use crate::state::{LogKey, Stored, needs_notification};

/// However short a group's interval is, its receivers get so long.
const SHORTEST_MS: i64 = 10_000;

impl Core {
    /// Flushes a group, or notes that it is late.
    pub(super) fn tick(&mut self, id: u64, now_ms: i64, actions: &mut Vec<Action>) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if group.flush.is_some() {
            group.late = true;
            return;
        }
        group.late = false;
        let interval_ms = self.setup.tree.node(group.node).group_interval_ms;
        group.due_ms = now_ms.saturating_add(interval_ms);
        self.timers.insert((group.due_ms, id));
        self.flush(id, now_ms, actions);
    }

    fn flush(&mut self, id: u64, now_ms: i64, actions: &mut Vec<Action>) {
        let Some(group) = self.groups.get(&id) else { return };
        let alerts: Vec<Arc<Stored>> =
            group.alerts.iter().filter_map(|alert| self.state.alerts.get(alert).cloned()).collect();
        let node = group.node;
        let resolved = alerts.iter().filter(|stored| stored.alert.is_resolved_at(now_ms)).cloned().collect();
        let told = self.unsuppressed(alerts, node, now_ms);
        let jobs = if told.is_empty() { Vec::new() } else { self.jobs_for(id, &told, now_ms) };
        if let Some(group) = self.groups.get_mut(&id) {
            group.flush = Some(Flush { open: jobs.len(), failed: false, resolved });
        }
        for (job, first) in jobs {
            let number = self.new_id();
            actions.push(first.action(number, &job));
            self.jobs.insert(number, job);
        }
        self.end_flush_if_done(id, now_ms, actions);
    }

    /// Without those that are inhibited, muted by a time or silenced.
    fn unsuppressed(&mut self, alerts: Vec<Arc<Stored>>, node: usize, now_ms: i64) -> Vec<Arc<Stored>> {
        let before = alerts.len();
        let state = &self.state;
        let firing = |fingerprint| state.firing(fingerprint, now_ms);
        let mut told = alerts;
        told.retain(|stored| self.inhibitor.inhibiting(&stored.alert.labels, firing).is_none());
        let inhibited = before - told.len();
        let muted = if self.setup.muted_by(node, now_ms).is_empty() { 0 } else { told.len() };
        if muted > 0 {
            told.clear();
        }
        let before = told.len();
        told.retain(|stored| !state.silences.is_silenced(&stored.alert.labels, now_ms));
        let silenced = before - told.len();
        for (reason, count) in [("inhibition", inhibited), ("time", muted), ("silence", silenced)] {
            *self.counts.suppressed.entry(reason).or_default() += count as u64;
        }
        told
    }

    /// A job for each integration that must be told, and what is done first.
    fn jobs_for(&self, id: u64, told: &[Arc<Stored>], now_ms: i64) -> Vec<(Job, First)> {
        let Some(group) = self.groups.get(&id) else { return Vec::new() };
        let node = self.setup.tree.node(group.node);
        let is_resolved = |stored: &&Arc<Stored>| stored.alert.is_resolved_at(now_ms);
        let resolved: BTreeSet<u64> =
            told.iter().filter(is_resolved).map(|stored| stored.fingerprint).collect();
        let firing: BTreeSet<u64> =
            told.iter().map(|stored| stored.fingerprint).filter(|one| !resolved.contains(one)).collect();
        let mut alerts: Vec<&Alert> = told.iter().map(|stored| &stored.alert).collect();
        alerts.sort_by(|a, b| order(&a.labels, &b.labels));

        let mut jobs = Vec::new();
        for endpoint in self.setup.receivers.get(&node.receiver).into_iter().flatten() {
            let key = LogKey {
                group_key: group.key.clone(),
                receiver: endpoint.receiver.clone(),
                kind: endpoint.kind.clone(),
                index: endpoint.index,
            };
            let (entry, repeat_ms) = (self.state.log.get(&key), node.repeat_interval_ms);
            let send_resolved = endpoint.send_resolved;
            let reason = needs_notification(entry, &firing, &resolved, send_resolved, repeat_ms, now_ms);
            let Some(reason) = reason else { continue };
            // One that is not told of ends is not told that all have ended; the log notes it all the same.
            let first = if send_resolved || !firing.is_empty() { First::Deliver } else { First::Record };
            let sent = alerts.iter().filter(|alert| send_resolved || !alert.is_resolved_at(now_ms));
            let message = Arc::new(Message {
                tenant: self.tenant.clone(),
                receiver: node.receiver.clone(),
                group_key: group.key.clone(),
                group_labels: group.labels.clone(),
                route_labels: node.labels.clone(),
                notification_reason: reason.as_str().to_owned(),
                at_ms: now_ms,
                alerts: sent.map(|alert| (*alert).clone()).collect(),
            });
            let (firing, resolved) = (firing.clone(), resolved.clone());
            let until_ms = now_ms.saturating_add(node.group_interval_ms.max(SHORTEST_MS));
            let job = Job::new(id, key, endpoint.clone(), message, firing, resolved, repeat_ms, until_ms);
            jobs.push((first.begin(job, now_ms), first));
        }
        jobs
    }

    /// When all integrations are done: what had ended is told, and goes; a flush that was late comes now.
    pub(super) fn end_flush_if_done(&mut self, id: u64, now_ms: i64, actions: &mut Vec<Action>) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let Some(flush) = group.flush.take_if(|flush| flush.open == 0) else { return };
        if !flush.failed {
            // One that fires again meanwhile is another alert by now.
            let unchanged = |stored: &Arc<Stored>| {
                self.state.alerts.get(&stored.fingerprint).is_none_or(|now| Arc::ptr_eq(now, stored))
            };
            for stored in flush.resolved.iter().filter(|stored| unchanged(stored)) {
                group.alerts.remove(&stored.fingerprint);
            }
        }
        let late = group.late;
        self.end_if_empty(id);
        if late {
            self.tick(id, now_ms, actions);
        }
    }
}

/// What is done first about a job.
#[derive(Clone, Copy)]
enum First {
    Deliver,
    Record,
}

impl First {
    fn begin(self, mut job: Job, now_ms: i64) -> Job {
        if let Self::Record = self {
            job.progress = Progress::Recording { at_ms: now_ms };
        }
        job
    }

    fn action(self, number: u64, job: &Job) -> Action {
        match self {
            Self::Deliver => job.deliver(number),
            Self::Record => Action::Record { job: number, entry: job.entry() },
        }
    }
}

/// The order of alerts in a message: by job, by instance, then fewer labels first, then label by label.
fn order(a: &LabelSet, b: &LabelSet) -> Ordering {
    for name in ["job", "instance"] {
        let by_name = match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if by_name.is_ne() {
            return by_name;
        }
    }
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
