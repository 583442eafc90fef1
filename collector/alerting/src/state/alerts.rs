//! Alerts of a tenant by fingerprint, and what they take.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use super::{MAX_ALERT_BYTES, MAX_ALERTS, Posted, Stored};
use crate::alert::Alert;

/// Of a label or an annotation besides its texts: two strings, and their place in a map.
const OF_TEXT_BYTES: usize = 64;

/// By fingerprint. Whoever reads sees a map.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    all: BTreeMap<u64, Arc<Stored>>,
    bytes: usize,
}

impl Deref for Alerts {
    type Target = BTreeMap<u64, Arc<Stored>>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Alerts {
    /// What all of them take, bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there are more, or they take more, than a tenant may have.
    pub fn are_too_many(&self) -> bool {
        self.all.len() > MAX_ALERTS || self.bytes > MAX_ALERT_BYTES
    }

    pub(super) fn put(&mut self, stored: Arc<Stored>) {
        self.bytes += size_bytes(&stored.alert);
        if let Some(before) = self.all.insert(stored.fingerprint, stored) {
            self.bytes -= size_bytes(&before.alert);
        }
    }

    pub(super) fn remove(&mut self, fingerprint: u64) -> Option<Arc<Stored>> {
        let gone = self.all.remove(&fingerprint)?;
        self.bytes -= size_bytes(&gone.alert);
        Some(gone)
    }

    /// To change when they end, not what they say.
    pub(super) fn times_mut(&mut self) -> impl Iterator<Item = &mut Arc<Stored>> {
        self.all.values_mut()
    }
}

/// What a stored alert takes, bytes.
pub(super) fn size_bytes(alert: &Alert) -> usize {
    let texts = alert.labels.iter().chain(&alert.annotations);
    let texts = texts.map(|(name, value)| name.len() + value.len() + OF_TEXT_BYTES).sum::<usize>();
    size_of::<Stored>() + texts + alert.generator_url.len()
}

/// What there is room for.
pub(super) struct Room<'a> {
    known: &'a Alerts,
    alerts: usize,
    bytes: usize,
    /// New ones that have a place, and what they take.
    placed: BTreeMap<u64, usize>,
}

impl<'a> Room<'a> {
    /// What ended goes, so that only what fires takes room.
    pub(super) fn new(known: &'a Alerts, now_ms: i64) -> Self {
        let firing = known.values().filter(|stored| !stored.alert.is_resolved_at(now_ms));
        let (count, bytes) =
            firing.fold((0, 0), |all, stored| (all.0 + 1, all.1 + size_bytes(&stored.alert)));
        Self {
            known,
            alerts: MAX_ALERTS.saturating_sub(count),
            bytes: MAX_ALERT_BYTES.saturating_sub(bytes),
            placed: BTreeMap::new(),
        }
    }

    /// Whether one is taken. What is known is taken always; for what it says more than before there must be room, else it
    /// goes on to say what it said.
    pub(super) fn takes(&mut self, posted: &mut Posted) -> bool {
        let (fingerprint, bytes) = (posted.alert.fingerprint(), size_bytes(&posted.alert));
        if let Some(known) = self.known.get(&fingerprint) {
            let more = bytes.saturating_sub(size_bytes(&known.alert));
            if more > self.bytes {
                posted.alert.annotations = known.alert.annotations.clone();
                posted.alert.generator_url = known.alert.generator_url.clone();
            } else {
                self.bytes -= more;
            }
            return true;
        }
        let before = self.placed.get(&fingerprint).copied();
        let more = bytes.saturating_sub(before.unwrap_or(0));
        if more > self.bytes || (before.is_none() && self.placed.len() >= self.alerts) {
            return false;
        }
        self.bytes -= more;
        self.placed.insert(fingerprint, bytes.max(before.unwrap_or(0)));
        true
    }
}
