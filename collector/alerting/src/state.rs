//! What must outlive the process: alerts, silences and the notification log, and the changes that make them. A change
//! is durable before it is applied; applying is the same whenever it is done, so that replay ends where the process
//! did. The bytes are those of `docs/format/notify.md`.

mod alerts;
mod encode;
mod log;
mod post;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::alert::Alert;
use crate::labels::LabelSet;
use crate::silence::{Silence, Silences};
use alerts::Room;

pub use alerts::Alerts;
pub use encode::{DecodeError, VERSION, decode_change, decode_state, encode_change, encode_state};
pub(crate) use log::expiry;
pub use log::{LogEntry, LogKey, NotificationLog, Reason, needs_notification};
pub use post::Draft;

/// How long an alert that has ended stays known, for the links in its messages.
pub const ALERT_RETENTION_MS: i64 = 5 * 24 * 3_600_000;
/// A tenant may have so many alerts that fire, and so many with those that ended.
pub const MAX_ALERTS: usize = 100_000;
/// And those may take so much.
pub const MAX_ALERT_BYTES: usize = 256 << 20;
/// Where there is more, those that ended first go until so much is left: not each new one looks for what goes.
const KEPT_ALERTS: usize = MAX_ALERTS / 10 * 9;
const KEPT_BYTES: usize = MAX_ALERT_BYTES / 10 * 9;

/// An alert and what we know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The alert.
    pub alert: Alert,
    /// Of its labels.
    pub fingerprint: u64,
    /// When somebody last told us of it, Unix milliseconds.
    pub updated_at_ms: i64,
    /// Its end is our guess: nobody gave one.
    pub is_timeout: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Alerts came in.
    Alerts {
        /// When, Unix milliseconds.
        received_at_ms: i64,
        /// Which.
        alerts: Vec<Posted>,
    },
    /// A silence is so now.
    Silence(Silence),
    /// A receiver has been told.
    Notified(LogEntry),
}

/// An alert as it came in, its times filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// The alert.
    pub alert: Alert,
    /// Its end is our guess: nobody gave one.
    pub is_timeout: bool,
}

/// Everything that is kept for a tenant.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What fires, and what has ended.
    pub alerts: Alerts,
    /// Who is not told.
    pub silences: Silences,
    /// Who has been told.
    pub log: NotificationLog,
}

impl State {
    /// Takes a change in. Gives the alerts that are new or different now.
    pub fn apply(&mut self, change: Change) -> Vec<Arc<Stored>> {
        match change {
            Change::Alerts { received_at_ms, alerts } => {
                alerts.into_iter().map(|posted| self.put(posted, received_at_ms)).collect()
            }
            Change::Silence(silence) => {
                self.silences.put(silence);
                Vec::new()
            }
            Change::Notified(entry) => {
                self.log.put(entry);
                Vec::new()
            }
        }
    }

    /// Of alerts that come in, those that there is room for, and how many there are beyond. What is known already has
    /// its place; what is new has the places of all that does not fire, for what has ended goes.
    pub fn admit(&self, mut alerts: Vec<Posted>, now_ms: i64) -> (Vec<Posted>, usize) {
        let bytes: usize = alerts.iter().map(|posted| alerts::size_bytes(&posted.alert)).sum();
        if self.alerts.len() + alerts.len() <= MAX_ALERTS && self.alerts.bytes() + bytes <= MAX_ALERT_BYTES {
            return (alerts, 0);
        }
        let (mut room, before) = (Room::new(&self.alerts, now_ms), alerts.len());
        alerts.retain_mut(|posted| room.takes(posted));
        let beyond = before - alerts.len();
        (alerts, beyond)
    }

    fn put(&mut self, posted: Posted, now_ms: i64) -> Arc<Stored> {
        let fingerprint = posted.alert.fingerprint();
        let new =
            Stored { alert: posted.alert, fingerprint, updated_at_ms: now_ms, is_timeout: posted.is_timeout };
        let merged = match self.alerts.get(&fingerprint) {
            Some(old) if overlap(&new.alert, &old.alert) => merge(old, new, now_ms),
            _ => new,
        };
        let stored = Arc::new(merged);
        self.alerts.put(Arc::clone(&stored));
        stored
    }

    /// The labels of an alert, if it fires now.
    pub fn firing(&self, fingerprint: u64, now_ms: i64) -> Option<&LabelSet> {
        let stored = self.alerts.get(&fingerprint)?;
        (!stored.alert.is_resolved_at(now_ms)).then_some(&stored.alert.labels)
    }

    /// After a start: an alert that somebody believes to fire, and that ran out while nobody could renew it, fires on
    /// for as long as it was good for. One that ran out before the last sign of life was not renewed although it could
    /// have been: it has ended.
    pub(crate) fn extend_lapsed(&mut self, now_ms: i64) {
        let told = self.log.all().map(|entry| entry.at_ms);
        let Some(alive_ms) = self.alerts.values().map(|stored| stored.updated_at_ms).chain(told).max() else {
            return;
        };
        let believed = self.log.all_believed();
        let lapsed = |stored: &Stored| {
            let ends_at_ms = stored.alert.ends_at_ms;
            ends_at_ms > alive_ms && ends_at_ms <= now_ms && believed.contains(&stored.fingerprint)
        };
        for stored in self.alerts.times_mut().filter(|stored| lapsed(stored)) {
            let stored = Arc::make_mut(stored);
            let good_for_ms = stored.alert.ends_at_ms - stored.updated_at_ms;
            stored.alert.ends_at_ms = now_ms.saturating_add(good_for_ms);
            // A state that is written now and read again does not make it good for longer.
            stored.updated_at_ms = now_ms;
        }
    }

    /// Forgets what is too old to matter, and the alerts that ended first where there are too many; those whose end
    /// somebody is still to be told of go last. Gives the alerts that are gone.
    pub fn collect_garbage(&mut self, now_ms: i64) -> Vec<Arc<Stored>> {
        self.silences.collect_garbage(now_ms);
        self.log.collect_garbage(now_ms);
        let is_full = self.alerts.are_too_many();
        let believed = if is_full { self.log.all_believed() } else { BTreeSet::new() };
        let mut ended: Vec<(bool, i64, u64)> = Vec::new();
        for stored in self.alerts.values().filter(|stored| stored.alert.is_resolved_at(now_ms)) {
            let fingerprint = stored.fingerprint;
            ended.push((believed.contains(&fingerprint), stored.alert.ends_at_ms, fingerprint));
        }
        ended.sort_unstable();
        let is_old = |ends_at_ms: i64| ends_at_ms.saturating_add(ALERT_RETENTION_MS) <= now_ms;
        let mut gone = Vec::new();
        for (_, ends_at_ms, fingerprint) in ended {
            let is_more = self.alerts.len() > KEPT_ALERTS || self.alerts.bytes() > KEPT_BYTES;
            if is_full && is_more || is_old(ends_at_ms) {
                gone.extend(self.alerts.remove(fingerprint));
            }
        }
        gone
    }
}

/// Whether two alerts of the same labels are about the same time.
fn overlap(new: &Alert, old: &Alert) -> bool {
    let inside = |at: i64| at > old.starts_at_ms && at < old.ends_at_ms;
    inside(new.ends_at_ms) || inside(new.starts_at_ms)
}

/// One alert of two, as of `now_ms`: what came later says what it is, the earlier start counts, and an end that
/// somebody gave counts more than one that we guessed.
fn merge(old: &Stored, new: Stored, now_ms: i64) -> Stored {
    if new.updated_at_ms < old.updated_at_ms {
        let old = old.clone();
        return merge(&new, old, now_ms);
    }
    let mut merged = new;
    let (mine, before) = (&mut merged.alert, &old.alert);
    mine.starts_at_ms = mine.starts_at_ms.min(before.starts_at_ms);
    let later_end_counts =
        if mine.is_resolved_at(now_ms) { before.is_resolved_at(now_ms) } else { !old.is_timeout };
    if later_end_counts {
        mine.ends_at_ms = mine.ends_at_ms.max(before.ends_at_ms);
    }
    merged
}

#[cfg(test)]
mod tests;
