//! The notification log: what each integration of each receiver was last told of each group, so that nobody is told
//! the same twice.

use std::collections::{BTreeMap, BTreeSet};

/// No entry is of use for longer.
const RETENTION_MS: i64 = 120 * 3_600_000;

/// Whom an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogKey {
    /// The group.
    pub group_key: String,
    /// The receiver's name.
    pub receiver: String,
    /// `webhook`, `email`, …
    pub kind: String,
    /// Which one of its kind.
    pub index: usize,
}

/// What was told.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Whom.
    pub key: LogKey,
    /// Fingerprints of the alerts that fired.
    pub firing: BTreeSet<u64>,
    /// Fingerprints of those that had ended.
    pub resolved: BTreeSet<u64>,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// When it may be forgotten.
    pub expires_at_ms: i64,
}

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing fired, as far as they know.
    First,
    /// More alerts fire.
    NewAlerts,
    /// Some have ended.
    SomeResolved,
    /// All have ended.
    AllResolved,
    /// It is long ago.
    Repeat,
}

impl Reason {
    /// As webhooks say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first notification",
            Self::NewAlerts => "new alerts added",
            Self::SomeResolved => "some alerts resolved",
            Self::AllResolved => "all alerts resolved",
            Self::Repeat => "repeat interval elapsed",
        }
    }
}

/// When an entry about a repeat interval may go.
pub(crate) fn expiry(at_ms: i64, repeat_ms: i64) -> i64 {
    at_ms.saturating_add(repeat_ms.saturating_mul(2).min(RETENTION_MS))
}

/// Whether an integration that was last told `entry` must be told of these alerts, and why.
pub fn needs_notification(
    entry: Option<&LogEntry>,
    firing: &BTreeSet<u64>,
    resolved: &BTreeSet<u64>,
    send_resolved: bool,
    repeat_ms: i64,
    now_ms: i64,
) -> Option<Reason> {
    let Some(entry) = entry else {
        return (!firing.is_empty()).then_some(Reason::First);
    };
    if !firing.is_subset(&entry.firing) {
        return Some(if entry.firing.is_empty() { Reason::First } else { Reason::NewAlerts });
    }
    if firing.is_empty() {
        // Whether or not the end is sent, it is noted, so that the next one to fire is new.
        return (!entry.firing.is_empty()).then_some(Reason::AllResolved);
    }
    if send_resolved && !resolved.is_subset(&entry.resolved) {
        return Some(Reason::SomeResolved);
    }
    (entry.at_ms < now_ms.saturating_sub(repeat_ms)).then_some(Reason::Repeat)
}

/// All entries of a tenant.
#[derive(Clone, Debug, Default)]
pub struct NotificationLog {
    entries: BTreeMap<LogKey, LogEntry>,
}

impl NotificationLog {
    /// What was last told.
    pub fn get(&self, key: &LogKey) -> Option<&LogEntry> {
        self.entries.get(key)
    }

    /// Every entry.
    pub fn all(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.values()
    }

    /// All alerts that somebody believes to fire.
    pub(super) fn all_believed(&self) -> BTreeSet<u64> {
        self.entries.values().flat_map(|entry| entry.firing.iter().copied()).collect()
    }

    /// Notes one; an older one than is there changes nothing.
    pub fn put(&mut self, entry: LogEntry) {
        if self.entries.get(&entry.key).is_none_or(|before| before.at_ms <= entry.at_ms) {
            self.entries.insert(entry.key.clone(), entry);
        }
    }

    /// Whether a receiver believes that an alert of a group fires.
    pub fn believed_firing(&self, group_key: &str, receiver: &str, fingerprint: u64) -> bool {
        let first = LogKey {
            group_key: group_key.to_owned(),
            receiver: receiver.to_owned(),
            kind: String::new(),
            index: 0,
        };
        let of_receiver = self
            .entries
            .range(first..)
            .take_while(|(key, _)| key.group_key == group_key && key.receiver == receiver);
        of_receiver.into_iter().any(|(_, entry)| entry.firing.contains(&fingerprint))
    }

    pub(super) fn collect_garbage(&mut self, now_ms: i64) {
        self.entries.retain(|_, entry| entry.expires_at_ms > now_ms);
    }
}
