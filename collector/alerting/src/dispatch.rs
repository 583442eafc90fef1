//! The dispatcher: alerts into groups, groups into notifications, as Alertmanager does it, without a clock, a disk or
//! a network of its own.
//!
//! Hops: [`Core::apply`] (a durable change) → group → [`Core::step`] (the time has come) → flush: inhibition, times,
//! silences, what was told before → [`Action::Deliver`] → whoever drives it → [`Core::delivered`] →
//! [`Action::Record`] → durable → [`Core::apply`], [`Core::recorded`]. A group that is being told of waits with its
//! next flush until all its integrations are done or have run out of time.

mod flush;
mod group;
mod job;
mod setup;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::inhibit::Inhibitor;
use crate::labels::LabelSet;
use crate::message::Message;
use crate::state::{Change, LogEntry, State, Stored};
use group::Group;
use job::{Job, Progress};

pub use job::Refusal;
pub use setup::{Endpoint, Setup};
pub use view::{AlertStatus, GroupView};

/// How often what is old is looked for.
const GARBAGE_EVERY_MS: i64 = 15 * 60_000;
/// A tenant may have so many groups at once; alerts beyond are kept, but told to nobody.
const MAX_GROUPS: usize = 50_000;

/// What whoever drives the core must do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Tell a receiver, then call [`Core::delivered`]. What takes longer than until `until_ms` counts as failed.
    Deliver {
        /// What it is called in the answer.
        job: u64,
        /// The receiver's integration.
        endpoint: Endpoint,
        /// What to tell.
        message: Arc<Message>,
        /// Unix milliseconds.
        until_ms: i64,
        /// How often it was tried before.
        attempts: u32,
    },
    /// Make this durable and [`Core::apply`] it, then call [`Core::recorded`].
    Record {
        /// What it is called in the answer.
        job: u64,
        /// What was told.
        entry: LogEntry,
    },
}

/// What the core has done since it was made.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Notifications by kind of integration and outcome: `sent`, `failed`, `expired`.
    pub notifications: BTreeMap<(String, &'static str), u64>,
    /// Alerts that were left out of a notification: `inhibition`, `silence`, `time`.
    pub suppressed: BTreeMap<&'static str, u64>,
    /// Alerts that found no place in a group.
    pub without_group: u64,
}

/// One tenant's dispatcher.
#[derive(Debug)]
pub struct Core {
    tenant: String,
    setup: Arc<Setup>,
    state: State,
    inhibitor: Inhibitor,
    groups: BTreeMap<u64, Group>,
    /// The group of a node and its labels.
    by_labels: HashMap<(usize, LabelSet), u64>,
    /// When each group is to be flushed.
    timers: BTreeSet<(i64, u64)>,
    jobs: BTreeMap<u64, Job>,
    /// When a job is to be tried again, or given up.
    retries: BTreeSet<(i64, u64)>,
    next_id: u64,
    not_before_ms: i64,
    garbage_at_ms: i64,
    counts: Counts,
}

impl Core {
    /// Goes on from a state. Alerts that had ended before, and whose end everybody knows, are in no group. What lapsed
    /// because nobody could renew it while there was no process goes on until there was time to.
    pub fn new(tenant: impl Into<String>, setup: Arc<Setup>, state: State, now_ms: i64) -> Self {
        let mut core = Self {
            tenant: tenant.into(),
            setup: Arc::clone(&setup),
            state,
            inhibitor: Inhibitor::default(),
            groups: BTreeMap::new(),
            by_labels: HashMap::new(),
            timers: BTreeSet::new(),
            jobs: BTreeMap::new(),
            retries: BTreeSet::new(),
            next_id: 1,
            not_before_ms: i64::MIN,
            garbage_at_ms: now_ms.saturating_add(GARBAGE_EVERY_MS),
            counts: Counts::default(),
        };
        core.state.extend_lapsed(now_ms);
        core.state.collect_garbage(now_ms);
        core.configure(setup, now_ms);
        core
    }

    /// No group is told of before.
    pub fn wait_until(&mut self, not_before_ms: i64) {
        self.not_before_ms = not_before_ms;
    }

    /// Groups are made anew as another configuration wants them. What is on its way to a receiver goes on; what
    /// waits to be tried again is given up, as its group is flushed soon.
    pub fn configure(&mut self, setup: Arc<Setup>, now_ms: i64) {
        self.inhibitor = Inhibitor::new(&setup.inhibit_rules);
        self.setup = setup;
        self.groups.clear();
        self.by_labels.clear();
        self.timers.clear();
        self.retries.clear();
        self.jobs.retain(|_, job| !matches!(job.progress, Progress::Waiting));
        let alerts: Vec<Arc<Stored>> = self.state.alerts.values().cloned().collect();
        for stored in &alerts {
            self.inhibitor.add(stored.fingerprint, &stored.alert.labels);
            self.group(stored, now_ms, true);
        }
        self.adopt_jobs();
    }

    /// Takes in a change that is durable.
    pub fn apply(&mut self, change: Change) {
        let now_ms = match &change {
            Change::Alerts { received_at_ms, .. } => *received_at_ms,
            Change::Silence(_) | Change::Notified(_) => 0,
        };
        for stored in self.state.apply(change) {
            self.inhibitor.add(stored.fingerprint, &stored.alert.labels);
            self.group(&stored, now_ms, false);
        }
        if self.state.alerts.are_too_many() {
            // What has ended makes room.
            self.garbage_at_ms = self.garbage_at_ms.min(now_ms);
        }
    }

    /// When [`Core::step`] has something to do next.
    pub fn next_at_ms(&self) -> i64 {
        let group = self.timers.first().map_or(i64::MAX, |(at, _)| *at);
        let job = self.retries.first().map_or(i64::MAX, |(at, _)| *at);
        group.min(job).min(self.garbage_at_ms)
    }

    /// Does what is due.
    pub fn step(&mut self, now_ms: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Some((_, group)) = due(&mut self.timers, now_ms) {
            self.tick(group, now_ms, &mut actions);
        }
        while let Some((_, job)) = due(&mut self.retries, now_ms) {
            self.try_again(job, now_ms, &mut actions);
        }
        if now_ms >= self.garbage_at_ms {
            self.garbage_at_ms = now_ms.saturating_add(GARBAGE_EVERY_MS);
            self.collect_garbage(now_ms);
        }
        actions
    }

    /// Everything that is kept.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What it works by.
    pub fn setup(&self) -> &Arc<Setup> {
        &self.setup
    }

    /// What it has done.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    fn collect_garbage(&mut self, now_ms: i64) {
        for stored in self.state.collect_garbage(now_ms) {
            self.inhibitor.remove(stored.fingerprint, &stored.alert.labels);
            for node in self.setup.tree.matching(&stored.alert.labels) {
                let labels = self.setup.tree.node(node).group_labels(&stored.alert.labels);
                if let Some(group) = self.by_labels.get(&(node, labels)).copied() {
                    self.leave(group, stored.fingerprint);
                }
            }
        }
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// Takes the first entry, if its time has come.
fn due(queue: &mut BTreeSet<(i64, u64)>, now_ms: i64) -> Option<(i64, u64)> {
    queue.first().is_some_and(|(at, _)| *at <= now_ms).then(|| queue.pop_first()).flatten()
}
