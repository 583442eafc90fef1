//! Which producers are known, so that there are only so many windows.
//!
//! A list of its own and not the windows themselves: those are made when a batch is
//! applied, and applying must not refuse. Now and then it is compared with them:
//! producers whose window has expired leave, and so do those whose batch was never
//! journaled. What is known is never thrown out for what is new.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use telemetry::TenantId;

use crate::commit::options::ProducerLimits;
use crate::commit::windows::WindowKey;

/// The known producers.
#[derive(Debug)]
pub(in crate::commit) struct Producers {
    limits: ProducerLimits,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Each with the turn in which it was admitted or its window was last seen.
    keys: BTreeMap<WindowKey, u64>,
    of_tenant: BTreeMap<TenantId, usize>,
    turn: u64,
}

impl Producers {
    /// Those that have a window now are known, however many they are.
    pub(in crate::commit) fn new(
        limits: ProducerLimits,
        windows: impl IntoIterator<Item = WindowKey>,
    ) -> Self {
        let producers = Self { limits, known: Mutex::default() };
        producers.note_windows(windows);
        producers
    }

    /// Lets a known producer pass, and makes an unknown one known; or says why not.
    pub(super) fn admit(&self, key: WindowKey) -> Result<(), String> {
        let mut known = self.known.lock();
        if known.keys.contains_key(&key) {
            return Ok(());
        }
        let of_tenant = known.of_tenant.get(&key.tenant).copied().unwrap_or(0);
        let full = if of_tenant >= self.limits.per_tenant {
            Some(("the tenant", of_tenant))
        } else if known.keys.len() >= self.limits.total {
            Some(("the collector", known.keys.len()))
        } else {
            None
        };
        if let Some((whose, count)) = full {
            return Err(format!(
                "{whose} has {count} producers already, each new queue of an agent being one; unused ones are forgotten after seven days"
            ));
        }
        known.insert(key);
        Ok(())
    }

    /// Begins a turn of comparing with the windows.
    pub(in crate::commit) fn next_turn(&self) -> u64 {
        let mut known = self.known.lock();
        known.turn += 1;
        known.turn
    }

    /// These have a window.
    pub(in crate::commit) fn note_windows(&self, windows: impl IntoIterator<Item = WindowKey>) {
        let mut known = self.known.lock();
        windows.into_iter().for_each(|key| known.insert(key));
    }

    /// Forgets those that have no window. One that was admitted in the turn before may get it yet.
    pub(in crate::commit) fn forget_before(&self, turn: u64) {
        let mut known = self.known.lock();
        let Known { keys, of_tenant, .. } = &mut *known;
        keys.retain(|key, seen| {
            let stays = *seen + 1 >= turn;
            if let Some(count) = of_tenant.get_mut(&key.tenant).filter(|_| !stays) {
                *count -= 1;
            }
            stays
        });
        of_tenant.retain(|_, count| *count > 0);
    }
}

impl Known {
    fn insert(&mut self, key: WindowKey) {
        let tenant = key.tenant.clone();
        if self.keys.insert(key, self.turn).is_none() {
            *self.of_tenant.entry(tenant).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn key(tenant: &str, epoch: u64) -> WindowKey {
        let tenant = TenantId::new(tenant).unwrap_or_else(|_| TenantId::default_tenant());
        WindowKey { tenant, producer: Arc::from("host-1"), epoch }
    }

    #[test]
    fn what_is_known_passes_and_what_is_new_only_while_there_is_room() {
        let limits = ProducerLimits { per_tenant: 3, total: 5 };
        let producers = Producers::new(limits, [key("a", 1), key("a", 2)]);
        assert!(producers.admit(key("a", 3)).is_ok());
        assert!(producers.admit(key("a", 4)).is_err_and(|reason| reason.contains("the tenant")));
        assert!(producers.admit(key("b", 1)).is_ok() && producers.admit(key("b", 2)).is_ok());
        assert!(producers.admit(key("b", 3)).is_err_and(|reason| reason.contains("the collector")));
        assert!((1..4).all(|epoch| producers.admit(key("a", epoch)).is_ok()));
    }

    #[test]
    fn who_has_no_window_any_more_leaves_and_who_is_just_admitted_stays() {
        let limits = ProducerLimits { per_tenant: 2, total: 2 };
        let producers = Producers::new(limits, [key("a", 1)]);
        assert!(producers.admit(key("a", 2)).is_ok());
        let turn = producers.next_turn();
        producers.note_windows([key("a", 1)]);
        producers.forget_before(turn);
        assert!(producers.admit(key("a", 3)).is_err(), "the window of the second may be made yet");
        let turn = producers.next_turn();
        producers.note_windows([key("a", 1)]);
        producers.forget_before(turn);
        assert!(producers.admit(key("a", 3)).is_ok());
        assert!(producers.admit(key("a", 4)).is_err() && producers.admit(key("a", 1)).is_ok());
    }
}
