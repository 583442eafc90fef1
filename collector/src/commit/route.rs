//! Which partition items belong to: of logs all of a producer's batches to one, so that
//! one window decides about its resends, others by their resource; spans by their trace.

use std::collections::BTreeMap;

use telemetry::Batch;
use xxhash_rust::xxh3::Xxh3;

use super::windows::WindowKey;

/// The choice of partitions.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    partitions: u16,
    /// Producers whose window stands elsewhere than their hash says, because the number of
    /// partitions has changed: their resends must meet that window.
    settled: BTreeMap<WindowKey, u16>,
}

impl Routes {
    /// Routes over partitions `0..partitions`; `windows` are those that exist, with their partition.
    pub(super) fn new<'a>(partitions: u16, windows: impl IntoIterator<Item = (u16, &'a WindowKey)>) -> Self {
        let mut routes = Self { partitions: partitions.max(1), settled: BTreeMap::new() };
        for (partition, key) in windows {
            if routes.of_producer(key.tenant.as_str(), &key.producer) != partition {
                routes.settled.insert(key.clone(), partition);
            }
        }
        routes
    }

    /// The one partition of a batch, if it is sure to have one.
    pub(super) fn of_whole(&self, batch: &Batch) -> Option<u16> {
        match &batch.producer {
            None => (self.partitions == 1).then_some(0),
            Some(producer) => {
                let hashed = self.of_producer(batch.tenant.as_str(), &producer.id);
                if self.settled.is_empty() {
                    return Some(hashed);
                }
                let settled = WindowKey::of(batch).and_then(|key| self.settled.get(&key).copied());
                Some(settled.unwrap_or(hashed))
            }
        }
    }

    /// The partition of a resource's records in a batch.
    pub(super) fn of_resource(&self, batch: &Batch, resource: &[u8]) -> u16 {
        self.of_whole(batch).unwrap_or_else(|| self.hashed(batch.tenant.as_str().as_bytes(), resource))
    }

    /// How many partitions there are to choose from.
    pub(super) fn count(&self) -> usize {
        usize::from(self.partitions)
    }

    /// The partition of a trace's spans.
    pub(super) fn of_trace(&self, id: Option<[u8; 16]>) -> u16 {
        // Ids are random, but nobody promises that; a tenant's traces need not be kept from another's.
        self.hashed(&[], &id.unwrap_or_default())
    }

    fn of_producer(&self, tenant: &str, id: &str) -> u16 {
        self.hashed(tenant.as_bytes(), id.as_bytes())
    }

    fn hashed(&self, tenant: &[u8], key: &[u8]) -> u16 {
        let mut hash = Xxh3::new();
        hash.update(tenant);
        hash.update(&[0]);
        hash.update(key);
        (hash.digest() % u64::from(self.partitions)) as u16
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use telemetry::{Producer, Signal, TenantId};

    fn batch(id: &str) -> Batch {
        Batch {
            tenant: TenantId::default_tenant(),
            signal: Signal::Logs,
            producer: Some(Producer::new(id, 1, 1, 1).unwrap()),
            received_at_ns: 0,
            payload: bytes::Bytes::new(),
        }
    }

    #[test]
    fn a_producer_stays_where_its_window_is() {
        let key =
            |id: &str| WindowKey { tenant: TenantId::default_tenant(), producer: Arc::from(id), epoch: 1 };
        let ids: Vec<String> = (0..50).map(|n| format!("host-{n}")).collect();
        let before = Routes::new(1, []);
        let keys: Vec<WindowKey> = ids.iter().map(|id| key(id)).collect();
        let after = Routes::new(3, keys.iter().map(|key| (0, key)));
        let fresh = Routes::new(3, []);
        for id in &ids {
            assert_eq!(after.of_whole(&batch(id)), before.of_whole(&batch(id)), "{id}");
        }
        let spread: std::collections::BTreeSet<_> = ids.iter().map(|id| fresh.of_whole(&batch(id))).collect();
        assert_eq!(spread.len(), 3, "without windows they spread");
    }

    #[test]
    fn resources_spread_and_stay() {
        let routes = Routes::new(3, []);
        let batch = Batch { producer: None, ..batch("x") };
        assert_eq!(routes.of_whole(&batch), None);
        let of = |n: u32| routes.of_resource(&batch, &n.to_le_bytes());
        let used: std::collections::BTreeSet<_> = (0..100).map(of).collect();
        assert_eq!(used, [0, 1, 2].into());
        assert!((0..100).all(|n| of(n) == of(n)));
    }
}
