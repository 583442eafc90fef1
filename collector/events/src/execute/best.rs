//! The first records by the values of fields, as `sort` asks for them: never more than a page of them is held.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use search::{RecordColumn, RecordSort, SortValue};

use super::Order;
use super::collect::Place;
use super::rows::Needs;
use crate::key::RowKey;

/// The best records so far.
#[derive(Clone)]
pub(super) struct Best {
    pub(super) sort: Arc<RecordSort>,
    /// Of records whose values are equal.
    order: Order,
    limit: usize,
    found: BTreeMap<Rank, Place>,
    size_bytes: usize,
}

/// Where a record comes.
#[derive(Clone, PartialEq, Eq)]
struct Rank {
    value: SortValue,
    order: Order,
    key: RowKey,
}

/// The most records that are put in another order than that of time.
const MOST: usize = 10_000;

impl Best {
    pub(super) fn new(sort: RecordSort, order: Order, limit: usize) -> Self {
        let (sort, limit) = (Arc::new(sort), limit.min(MOST));
        Self { sort, order, limit, found: BTreeMap::new(), size_bytes: 0 }
    }

    /// The columns of a block that the values are made of.
    pub(super) fn needs(&self) -> Needs {
        let needs = self.sort.columns().map(|column| match column {
            RecordColumn::Time => Needs::TIME,
            RecordColumn::Field(field) => Needs::of(field),
        });
        needs.fold(Needs::NONE, Needs::and)
    }

    /// About how much memory the values take.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    pub(super) fn offer(&mut self, value: SortValue, key: RowKey, place: impl FnOnce() -> Place) {
        let rank = Rank { value, order: self.order, key };
        let full = self.found.len() >= self.limit;
        if full && self.found.last_key_value().is_none_or(|(last, _)| *last <= rank) {
            return;
        }
        self.insert(rank, place());
    }

    fn insert(&mut self, rank: Rank, place: Place) {
        self.size_bytes += rank.size_bytes();
        self.found.insert(rank, place);
        if self.found.len() > self.limit
            && let Some((last, _)) = self.found.pop_last()
        {
            self.size_bytes -= last.size_bytes();
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (rank, place) in other.found {
            self.offer(rank.value, rank.key, || place);
        }
    }

    /// The records in order.
    pub(super) fn into_sorted(self) -> Vec<(RowKey, Place)> {
        self.found.into_iter().map(|(rank, place)| (rank.key, place)).collect()
    }
}

impl Rank {
    fn size_bytes(&self) -> usize {
        self.value.size_bytes() + size_of::<(Self, Place)>()
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_time = || match self.order {
            Order::Newest => other.key.cmp(&self.key),
            Order::Oldest => self.key.cmp(&other.key),
        };
        self.value.cmp(&other.value).then_with(by_time)
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
