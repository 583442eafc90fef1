//! The naive model: what was sent, what became of it, and what queries may therefore answer.

use std::collections::{BTreeMap, BTreeSet};

use telemetry::TenantId;

use crate::query::Rows;

/// What is known of one record.
#[derive(Clone, Debug)]
struct Sent {
    /// Times that a row of it may have, in the order of the sends that would give them.
    times: Vec<i64>,
    /// It must be found: it was acknowledged, or was seen once.
    certain: bool,
    /// The time that it was seen with; a resend must not change it.
    seen: Option<i64>,
    /// Retention may have taken it.
    may_expire: bool,
}

/// Everything that was sent, by tenant and body.
#[derive(Default)]
pub(crate) struct Model {
    tenants: BTreeMap<TenantId, BTreeMap<String, Sent>>,
    pub(crate) acknowledged: u64,
    pub(crate) unanswered: u64,
    pub(crate) resent: u64,
}

impl Model {
    pub(crate) fn tenants(&self) -> BTreeSet<TenantId> {
        self.tenants.keys().cloned().collect()
    }

    /// A record is about to be sent; `time_ns` is what a row of this send would have.
    pub(crate) fn send(&mut self, tenant: &TenantId, body: &str, time_ns: i64) {
        let sent = self.tenants.entry(tenant.clone()).or_default().entry(body.to_owned());
        let sent = sent.or_insert(Sent { times: Vec::new(), certain: false, seen: None, may_expire: false });
        if sent.certain || !sent.times.is_empty() {
            self.resent += 1;
        }
        // Once it is acknowledged, it is in the journal, and no later send can be the first.
        if !sent.certain && sent.times.last() != Some(&time_ns) {
            sent.times.push(time_ns);
        }
    }

    /// The send was answered.
    pub(crate) fn acknowledge(&mut self, tenant: &TenantId, body: &str) {
        if let Some(sent) = self.tenants.get_mut(tenant).and_then(|bodies| bodies.get_mut(body)) {
            sent.certain = true;
            self.acknowledged += 1;
        }
    }

    /// Retention runs (or may have run): rows before this time may go.
    pub(crate) fn expire(&mut self, before_ns: i64) {
        for sent in self.tenants.values_mut().flat_map(BTreeMap::values_mut) {
            sent.may_expire |= sent.times.iter().any(|time_ns| *time_ns < before_ns);
        }
    }

    /// Holds a tenant's rows against what was sent. What is seen now must be seen for ever.
    pub(crate) fn compare(&mut self, tenant: &TenantId, rows: &Rows) {
        let Some(bodies) = self.tenants.get_mut(tenant) else {
            assert!(rows.is_empty(), "tenant {tenant} never sent anything");
            return;
        };
        for (body, times) in rows {
            let Some(sent) = bodies.get_mut(body) else {
                panic!("{tenant}: {body} was never sent by this tenant")
            };
            assert_eq!(times.len(), 1, "{tenant}: {body} is there {} times", times.len());
            assert!(sent.times.contains(&times[0]), "{tenant}: {body} has time {}, sent {sent:?}", times[0]);
            assert!(
                sent.seen.is_none_or(|seen| seen == times[0]),
                "{tenant}: {body} changed its time: {sent:?}"
            );
            sent.seen = Some(times[0]);
            sent.certain = true;
        }
        for (body, sent) in bodies.iter().filter(|(_, sent)| sent.certain && !sent.may_expire) {
            assert!(rows.contains_key(body), "{tenant}: {body} is lost: {sent:?}");
        }
    }
}
