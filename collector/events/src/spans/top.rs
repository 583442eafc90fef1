//! The best traces by the best of their matching spans.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use search::{Field, SpanField};

use super::gather::Sink;
use super::view::SpanView;
use super::{TraceId, TraceOrder};
use crate::SearchError;

/// A trace's place: the greatest rank first, then the least id.
type Place = (i64, Reverse<TraceId>);

/// At most so many traces.
pub(super) struct TopTraces {
    order: TraceOrder,
    limit: usize,
    ranks: HashMap<TraceId, i64>,
    places: BTreeSet<Place>,
    /// What is not above this comes too late.
    floor: Option<Place>,
}

impl TopTraces {
    /// What one trace takes.
    const ENTRY_BYTES: usize = 96;

    pub(super) fn new(order: TraceOrder, limit: usize) -> Self {
        Self { order, limit, ranks: HashMap::new(), places: BTreeSet::new(), floor: None }
    }

    fn offer(&mut self, id: TraceId, rank: i64) {
        let place = (rank, Reverse(id));
        if self.floor.is_some_and(|floor| place < floor) {
            return;
        }
        match self.ranks.insert(id, rank) {
            Some(known) if known >= rank => {
                self.ranks.insert(id, known);
                return;
            }
            Some(known) => self.places.remove(&(known, Reverse(id))),
            None => false,
        };
        self.places.insert(place);
        if self.places.len() > self.limit
            && let Some((_, Reverse(id))) = self.places.pop_first()
        {
            self.ranks.remove(&id);
        }
        self.floor = self.worst().max(self.floor);
    }

    /// The last one, if there are enough.
    fn worst(&self) -> Option<Place> {
        self.places.first().copied().filter(|_| self.places.len() >= self.limit)
    }

    /// The traces, best first.
    pub(super) fn into_ids(self) -> Vec<TraceId> {
        self.places.into_iter().rev().map(|(_, Reverse(id))| id).collect()
    }
}

impl Sink for TopTraces {
    const STOPS_EARLY: bool = true;

    fn fields(&self) -> Vec<Field> {
        match self.order {
            TraceOrder::Slowest => vec![Field::TraceId, Field::Span(SpanField::Duration)],
            TraceOrder::Newest | TraceOrder::Oldest => vec![Field::TraceId],
        }
    }

    fn fork(&self) -> Self {
        Self { floor: self.worst(), ..Self::new(self.order, self.limit) }
    }

    fn take<V: SpanView>(&mut self, view: &V) -> Result<(), SearchError> {
        let rank = self.order.rank(view.time_ns(), view.duration_ns());
        if self.floor.is_none_or(|(floor, _)| rank >= floor) {
            self.offer(view.id(), rank);
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), SearchError> {
        other.places.into_iter().rev().for_each(|(rank, Reverse(id))| self.offer(id, rank));
        Ok(())
    }

    fn is_enough(&self, bound: i64) -> bool {
        self.limit == 0 || self.worst().is_some_and(|(worst, _)| worst > bound)
    }

    fn size_bytes(&self) -> usize {
        self.places.len() * Self::ENTRY_BYTES
    }
}
