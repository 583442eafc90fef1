//! What each tenant may send in a second: an account of bytes and one of records per
//! tenant, filled by the clock. A batch passes while none is overdrawn and may overdraw
//! it, so that one larger than a second's worth passes too and the average still holds.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use telemetry::TenantId;

use crate::commit::options::{RateLimit, RateLimits};

/// An idle tenant saves up this many seconds' worth.
const BURST_S: f64 = 5.0;
/// The longest wait that is asked for.
const MAX_WAIT_S: f64 = 60.0;

/// The accounts of all tenants that have a limit.
#[derive(Debug)]
pub(in crate::commit) struct Rates {
    limits: RateLimits,
    accounts: Mutex<BTreeMap<TenantId, Account>>,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    at_ns: i64,
    bytes: f64,
    records: f64,
}

/// Why a batch has to wait, and how long.
#[derive(Debug)]
pub(super) struct Overdrawn {
    pub(super) reason: String,
    pub(super) retry_after: Duration,
}

impl Rates {
    pub(in crate::commit) fn new(limits: RateLimits) -> Self {
        Self { limits, accounts: Mutex::default() }
    }

    /// Takes a batch's bytes and records out of the tenant's accounts, or says how long to wait.
    pub(super) fn take(
        &self,
        tenant: &TenantId,
        size_bytes: usize,
        records: u64,
        now_ns: i64,
    ) -> Result<(), Overdrawn> {
        let limit = self.limits.of(tenant);
        if limit.is_none() {
            return Ok(());
        }
        let mut accounts = self.accounts.lock();
        let account = accounts.entry(tenant.clone()).or_insert_with(|| Account::full(limit, now_ns));
        account.fill(limit, now_ns);
        if let Some(overdrawn) = account.overdrawn(limit) {
            return Err(overdrawn);
        }
        account.bytes -= size_bytes as f64;
        account.records -= records as f64;
        Ok(())
    }
}

impl Account {
    fn full(limit: RateLimit, at_ns: i64) -> Self {
        let most = |rate: Option<u64>| rate.map_or(f64::INFINITY, |rate| rate as f64 * BURST_S);
        Self { at_ns, bytes: most(limit.bytes_per_second), records: most(limit.records_per_second) }
    }

    /// A clock that was set back fills nothing, and counts on from there.
    fn fill(&mut self, limit: RateLimit, now_ns: i64) {
        let passed_s = now_ns.saturating_sub(self.at_ns).max(0) as f64 / 1e9;
        let full = Self::full(limit, now_ns);
        let filled = |left: f64, most: f64| (left + passed_s * most / BURST_S).min(most);
        *self = Self {
            at_ns: now_ns,
            bytes: filled(self.bytes, full.bytes),
            records: filled(self.records, full.records),
        };
    }

    fn overdrawn(&self, limit: RateLimit) -> Option<Overdrawn> {
        let kinds = [
            ("bytes", self.bytes, limit.bytes_per_second),
            ("records", self.records, limit.records_per_second),
        ];
        kinds.into_iter().find_map(|(what, left, rate)| {
            let rate = rate.filter(|_| left <= 0.0)?;
            let wait_s = (-left / rate as f64).clamp(0.001, MAX_WAIT_S);
            Some(Overdrawn {
                reason: format!("the tenant sends more than its {rate} {what} a second"),
                retry_after: Duration::from_secs_f64(wait_s),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: i64 = 1_000_000_000;

    fn rates(bytes: Option<u64>, records: Option<u64>) -> Rates {
        let every = RateLimit { bytes_per_second: bytes, records_per_second: records };
        Rates::new(RateLimits { every, of_tenant: BTreeMap::new() })
    }

    fn tenant() -> TenantId {
        TenantId::default_tenant()
    }

    #[test]
    fn the_average_holds_whatever_the_size_of_batches() {
        for size in [20, 999, 7000] {
            let rates = rates(Some(1000), None);
            let step_ns = SECOND_NS / 100;
            let sent: usize = (0..10_000)
                .filter(|step| rates.take(&tenant(), size, 1, step * step_ns).is_ok())
                .map(|_| size)
                .sum();
            // 100 s, the savings of the start, and one batch that overdraws.
            assert!((104_000..=106_000 + size).contains(&sent), "{size}: {sent}");
        }
    }

    #[test]
    fn waiting_as_long_as_was_asked_is_enough() {
        let rates = rates(None, Some(100));
        assert!(rates.take(&tenant(), 1, 2500, 0).is_ok());
        let refused = rates.take(&tenant(), 1, 1, 0).err();
        let wait = refused.as_ref().map_or(Duration::ZERO, |refused| refused.retry_after);
        assert!(refused.is_some_and(|refused| refused.reason.contains("100 records")));
        assert_eq!(wait, Duration::from_secs(20));
        assert!(rates.take(&tenant(), 1, 1, 19 * SECOND_NS).is_err());
        assert!(rates.take(&tenant(), 1, 1, 20 * SECOND_NS + SECOND_NS / 100).is_ok());
    }

    #[test]
    fn a_tenants_own_limit_stands_in_place_of_the_common_one() {
        let every = RateLimit { bytes_per_second: Some(10), records_per_second: None };
        let of_tenant = BTreeMap::from([(tenant(), RateLimit::default())]);
        let rates = Rates::new(RateLimits { every, of_tenant });
        assert!((0..100).all(|_| rates.take(&tenant(), 1000, 1, 0).is_ok()));
        let other = TenantId::new("other").unwrap_or_else(|_| tenant());
        assert!(rates.take(&other, 1000, 1, 0).is_ok() && rates.take(&other, 1000, 1, 0).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_neither_fills_nor_stops() {
        let rates = rates(Some(1000), None);
        assert!(rates.take(&tenant(), 5000, 1, 100 * SECOND_NS).is_ok());
        assert!(rates.take(&tenant(), 1, 1, 50 * SECOND_NS).is_err());
        assert!(rates.take(&tenant(), 1, 1, 51 * SECOND_NS).is_ok());
    }
}
