//! Counts wrong credentials per address and user, and per address alone, so that
//! guessing is slow from one place and a guesser elsewhere locks nobody out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::AuthError;

/// Wrong tries that are free for one user from one address.
const BURST_USER: f64 = 10.0;
/// And for all users from one address.
const BURST_ADDRESS: f64 = 50.0;
/// How fast one try comes back.
const REFILL: Duration = Duration::from_secs(15);
/// How many counters are kept; the fullest stay.
const MAX_COUNTERS: usize = 8192;

#[derive(Default)]
pub(super) struct Failures {
    counters: Mutex<Counters>,
}

type Counters = HashMap<Key, Counter>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    address: IpAddr,
    /// A hash: user names come from outside and may be long.
    user: Option<[u8; 32]>,
}

struct Counter {
    wrong: f64,
    seen: Instant,
}

impl Counter {
    fn decayed(&self, now: Instant) -> f64 {
        let back = now.saturating_duration_since(self.seen).as_secs_f64() / REFILL.as_secs_f64();
        (self.wrong - back).max(0.0)
    }
}

impl Failures {
    /// Refuses a try when there were too many wrong ones.
    pub(super) fn check(&self, address: IpAddr, user: &str) -> Result<(), AuthError> {
        self.check_at(address, user, Instant::now())
    }

    /// The same, and counts this try as a wrong one in the same step.
    pub(super) fn check_and_count(&self, address: IpAddr, user: &str) -> Result<(), AuthError> {
        let (mut counters, now) = (self.counters.lock(), Instant::now());
        check(&counters, address, user, now)?;
        count(&mut counters, address, user, now);
        Ok(())
    }

    /// It was a right one.
    pub(super) fn forgive(&self, address: IpAddr, user: &str) {
        let mut counters = self.counters.lock();
        for (key, _) in keys(address, user) {
            if let Some(counter) = counters.get_mut(&key) {
                counter.wrong = (counter.wrong - 1.0).max(0.0);
            }
        }
    }

    fn check_at(&self, address: IpAddr, user: &str, now: Instant) -> Result<(), AuthError> {
        check(&self.counters.lock(), address, user, now)
    }
}

fn check(counters: &Counters, address: IpAddr, user: &str, now: Instant) -> Result<(), AuthError> {
    for (key, burst) in keys(address, user) {
        let wrong = counters.get(&key).map_or(0.0, |counter| counter.decayed(now));
        // Room for one more must have come back; a hair less is rounding.
        let over = wrong - (burst - 1.0);
        if over > 1e-6 {
            let retry_after = REFILL.mul_f64(over).max(Duration::from_secs(1));
            return Err(AuthError::TooMany { address, retry_after });
        }
    }
    Ok(())
}

fn count(counters: &mut Counters, address: IpAddr, user: &str, now: Instant) {
    if counters.len() + 2 > MAX_COUNTERS {
        make_room(counters, now);
    }
    for (key, _) in keys(address, user) {
        let counter = counters.entry(key).or_insert(Counter { wrong: 0.0, seen: now });
        *counter = Counter { wrong: counter.decayed(now) + 1.0, seen: now };
    }
}

/// Drops the emptier half.
fn make_room(counters: &mut Counters, now: Instant) {
    let mut levels: Vec<f64> = counters.values().map(|counter| counter.decayed(now)).collect();
    levels.sort_by(f64::total_cmp);
    let middle = levels[levels.len() / 2];
    counters.retain(|_, counter| counter.decayed(now) > middle);
}

fn keys(address: IpAddr, user: &str) -> [(Key, f64); 2] {
    let address = network(address);
    let user = Some(super::secrets::hash(user));
    [(Key { address, user }, BURST_USER), (Key { address, user: None }, BURST_ADDRESS)]
}

/// One IPv6 customer has a /64 to try from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    impl Failures {
        fn count_at(&self, address: IpAddr, user: &str, now: Instant) {
            count(&mut self.counters.lock(), address, user, now);
        }
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn ten_wrong_tries_then_one_each_refill() {
        let (failures, start) = (Failures::default(), Instant::now());
        for _ in 0..10 {
            failures.check_at(address(1), "admin", start).unwrap();
            failures.count_at(address(1), "admin", start);
        }
        let Err(AuthError::TooMany { retry_after, .. }) = failures.check_at(address(1), "admin", start)
        else {
            panic!("the eleventh try was allowed");
        };
        assert_eq!(retry_after, REFILL);
        failures.check_at(address(2), "admin", start).unwrap();
        failures.check_at(address(1), "other", start).unwrap();
        failures.check_at(address(1), "admin", start + retry_after).unwrap();
        failures.count_at(address(1), "admin", start + retry_after);
        assert!(failures.check_at(address(1), "admin", start + retry_after).is_err());
    }

    #[test]
    fn a_right_try_costs_nothing() {
        let failures = Failures::default();
        for _ in 0..100 {
            failures.check_and_count(address(1), "admin").unwrap();
            failures.forgive(address(1), "admin");
        }
        for _ in 0..10 {
            failures.check_and_count(address(1), "admin").unwrap();
        }
        assert!(failures.check_and_count(address(1), "admin").is_err());
    }

    #[test]
    fn changing_the_user_does_not_help_for_long() {
        let (failures, now) = (Failures::default(), Instant::now());
        (0..50).for_each(|n| failures.count_at(address(1), &n.to_string(), now));
        assert!(failures.check_at(address(1), "new", now).is_err());
    }

    #[test]
    fn counters_are_bounded_and_the_fullest_stay() {
        let (failures, now) = (Failures::default(), Instant::now());
        (0..10).for_each(|_| failures.count_at(address(1), "admin", now));
        for n in 0..20_000_u32 {
            failures.count_at(IpAddr::from(n.to_be_bytes()), "x", now);
        }
        assert!(failures.counters.lock().len() <= MAX_COUNTERS);
        assert!(failures.check_at(address(1), "admin", now).is_err());
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let (one, two): (IpAddr, IpAddr) =
            ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap());
        assert_eq!(network(one), network(two));
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), address(1));
    }
}
