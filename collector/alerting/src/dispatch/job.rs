//! Telling one integration of one flush: tries, waits, gives up, or notes that it was told.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Action, Core, Endpoint};
use crate::message::Message;
use crate::state::{LogEntry, LogKey};

/// The first wait; each one after it is half as long again.
const FIRST_WAIT_MS: i64 = 500;
/// No wait is longer.
const LONGEST_WAIT_MS: i64 = 60_000;

/// Why an integration did not take a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whether it may take it later.
    pub retry: bool,
    /// How long it wants to be left alone.
    pub retry_after_ms: Option<i64>,
}

/// One integration, one flush.
#[derive(Debug)]
pub(super) struct Job {
    /// The group, as long as it is there.
    pub(super) group: Option<u64>,
    pub(super) key: LogKey,
    pub(super) progress: Progress,
    endpoint: Endpoint,
    message: Arc<Message>,
    firing: BTreeSet<u64>,
    resolved: BTreeSet<u64>,
    repeat_ms: i64,
    until_ms: i64,
    attempts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is on its way.
    Sending,
    /// It will be tried again.
    Waiting,
    /// It was told, and that is being noted.
    Recording { at_ms: i64 },
}

impl Job {
    #[expect(clippy::too_many_arguments, reason = "one caller, which has them all under these names")]
    pub(super) fn new(
        group: u64,
        key: LogKey,
        endpoint: Endpoint,
        message: Arc<Message>,
        firing: BTreeSet<u64>,
        resolved: BTreeSet<u64>,
        repeat_ms: i64,
        until_ms: i64,
    ) -> Self {
        let progress = Progress::Sending;
        let group = Some(group);
        Self { group, key, progress, endpoint, message, firing, resolved, repeat_ms, until_ms, attempts: 0 }
    }

    pub(super) fn deliver(&self, number: u64) -> Action {
        Action::Deliver {
            job: number,
            endpoint: self.endpoint.clone(),
            message: Arc::clone(&self.message),
            until_ms: self.until_ms,
            attempts: self.attempts,
        }
    }

    pub(super) fn entry(&self) -> LogEntry {
        let at_ms = match self.progress {
            Progress::Recording { at_ms } => at_ms,
            Progress::Sending | Progress::Waiting => self.message.at_ms,
        };
        // However soon it is repeated: what fires is told of again, or its end is, at the group's next flush only.
        let next_flush_ms = self.until_ms.saturating_sub(self.message.at_ms);
        LogEntry {
            key: self.key.clone(),
            firing: self.firing.clone(),
            resolved: self.resolved.clone(),
            at_ms,
            expires_at_ms: crate::state::expiry(at_ms, self.repeat_ms.max(next_flush_ms)),
        }
    }

    /// With up to a tenth more or less, so that what failed together is not tried together for ever.
    fn wait_ms(&self, number: u64) -> i64 {
        let mut wait_ms = FIRST_WAIT_MS;
        for _ in 1..self.attempts.min(16) {
            wait_ms = (wait_ms * 3 / 2).min(LONGEST_WAIT_MS);
        }
        let spread = (number ^ u64::from(self.attempts)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let tenth = wait_ms / 10;
        wait_ms - tenth + i64::try_from(spread).unwrap_or_default() % (2 * tenth + 1)
    }
}

impl Core {
    /// How a delivery ended. A job that is not known any more is nothing to do.
    pub fn delivered(&mut self, number: u64, outcome: Result<(), Refusal>, now_ms: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(job) = self.jobs.get_mut(&number) else { return actions };
        if job.progress != Progress::Sending {
            return actions;
        }
        job.attempts += 1;
        match outcome {
            Ok(()) => {
                job.progress = Progress::Recording { at_ms: now_ms };
                actions.push(Action::Record { job: number, entry: job.entry() });
            }
            // Without a group another one tells, soon.
            Err(refusal) if refusal.retry && now_ms < job.until_ms && job.group.is_some() => {
                job.progress = Progress::Waiting;
                let wait_ms = job.wait_ms(number).max(refusal.retry_after_ms.unwrap_or_default());
                let at_ms = now_ms.saturating_add(wait_ms).min(job.until_ms);
                self.retries.insert((at_ms, number));
            }
            Err(refusal) => {
                let outcome = if refusal.retry { "expired" } else { "failed" };
                self.end(number, outcome, now_ms, &mut actions);
            }
        }
        actions
    }

    /// What was told is noted, or could not be: then this process alone knows.
    pub fn recorded(&mut self, number: u64, now_ms: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        self.end(number, "sent", now_ms, &mut actions);
        actions
    }

    pub(super) fn try_again(&mut self, number: u64, now_ms: i64, actions: &mut Vec<Action>) {
        let Some(job) = self.jobs.get_mut(&number) else { return };
        if now_ms >= job.until_ms {
            self.end(number, "expired", now_ms, actions);
            return;
        }
        job.progress = Progress::Sending;
        actions.push(job.deliver(number));
    }

    /// Finds the groups of what is still on its way, after they were made anew.
    pub(super) fn adopt_jobs(&mut self) {
        for job in self.jobs.values_mut() {
            let is_same = |group: &super::Group| {
                group.key == job.key.group_key
                    && self.setup.tree.node(group.node).receiver == job.key.receiver
            };
            let found = self.groups.iter_mut().find(|(_, group)| is_same(group));
            job.group = found.map(|(id, group)| {
                group.flush.get_or_insert_default().open += 1;
                *id
            });
        }
    }

    fn end(&mut self, number: u64, outcome: &'static str, now_ms: i64, actions: &mut Vec<Action>) {
        let Some(job) = self.jobs.remove(&number) else { return };
        *self.counts.notifications.entry((job.endpoint.kind.clone(), outcome)).or_default() += 1;
        let Some(id) = job.group else { return };
        if let Some(flush) = self.groups.get_mut(&id).and_then(|group| group.flush.as_mut()) {
            flush.open = flush.open.saturating_sub(1);
            flush.failed |= outcome != "sent";
        }
        self.end_flush_if_done(id, now_ms, actions);
    }
}
