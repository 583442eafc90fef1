//! The naive model of samples: what each (series, time) may hold, given what was sent, in which order, and
//! what became of it.
//!
//! Every send, answer and look is a moment; a write or a delete entered the journal, if it did, between two
//! of them. An answer is allowed if something gave it that nothing certainly later and certainly stored
//! replaced. What was seen stands from then on. Each increase of a delta series is a bit of its own, so that a
//! running sum says which increases are in it: doubled, missing or reset ones show.

mod deltas;

use std::collections::{BTreeMap, HashSet};

use promql::Matcher;
use telemetry::samples::{Delete, STALE_NAN_BITS};
use telemetry::{LabelSet, TenantId};

use deltas::Deltas;

/// What a query answers: per series its times and the bits of their values.
pub(crate) type Points = BTreeMap<LabelSet, Vec<(i64, u64)>>;

/// One thing to be sent.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// A value; `unique` if no other item has it.
    Value { labels: LabelSet, time_ms: i64, bits: u64, unique: bool },
    /// An increase by 2^bit.
    Delta { labels: LabelSet, time_ms: i64, bit: u32 },
    /// An order to forget.
    Delete(Delete),
}

impl Item {
    pub(crate) fn time_ms(&self) -> Option<i64> {
        match self {
            Self::Value { time_ms, .. } | Self::Delta { time_ms, .. } => Some(*time_ms),
            Self::Delete(_) => None,
        }
    }

    fn labels(&self) -> Option<&LabelSet> {
        match self {
            Self::Value { labels, .. } | Self::Delta { labels, .. } => Some(labels),
            Self::Delete(_) => None,
        }
    }
}

/// A batch, however often it is sent.
struct Sent {
    tenant: TenantId,
    items: Vec<Item>,
    /// It has a producer: it may be sent again, and each part of it is one record.
    numbered: bool,
    /// Some send of it had fewer items than it has.
    filtered: bool,
    noted: Vec<bool>,
}

/// When something entered the journal, if it did.
#[derive(Clone, Copy, Debug)]
struct When {
    batch: usize,
    index: usize,
    start: u64,
    end: u64,
    certain: bool,
}

impl When {
    fn surely_before(&self, other: &Self) -> bool {
        self.end < other.start || self.batch == other.batch && self.index < other.index
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Bits { bits: u64, unique: bool },
    Delta(u32),
    Gone,
}

impl What {
    fn gives(self, seen: Option<u64>) -> bool {
        match (self, seen) {
            (Self::Bits { bits, .. }, Some(seen)) => bits == seen,
            (Self::Delta(bit), Some(seen)) => deltas::mask(seen).is_some_and(|mask| mask >> bit & 1 == 1),
            (Self::Gone, None) => true,
            _ => false,
        }
    }
}

type Event = (When, What);

/// A series at a time.
#[derive(Debug, Default)]
struct Key {
    /// What was seen last, and when.
    seen: Option<u64>,
    seen_at: u64,
    events: Vec<Event>,
    /// All that was ever written there.
    ever: Vec<What>,
    may_expire: bool,
}

/// What increases that came late do to a time of a delta series.
struct Late<'a> {
    /// Whether an increase of this time may have come late, and stand at a later one.
    is_late: &'a dyn Fn(&When) -> bool,
    /// Increases of earlier times, each of which may have come late and stand in the sum of this one.
    earlier: Vec<Event>,
}

struct Deletion {
    when: When,
    matchers: Vec<Matcher>,
    range: (i64, i64),
}

/// What is known of the newest sample of a series: of those that are certain, of all.
#[derive(Clone, Copy)]
struct Newest {
    certain: i64,
    possible: i64,
}

impl Default for Newest {
    fn default() -> Self {
        Self { certain: i64::MIN, possible: i64::MIN }
    }
}

#[derive(Default)]
struct Tenant {
    keys: BTreeMap<(LabelSet, i64), Key>,
    newest: BTreeMap<LabelSet, Newest>,
    deletes: Vec<Deletion>,
    deltas: BTreeMap<LabelSet, Deltas>,
}

/// Everything that was sent.
pub(crate) struct SeriesModel {
    partitions: u64,
    moment: u64,
    batches: Vec<Sent>,
    tenants: BTreeMap<TenantId, Tenant>,
    /// Points that were compared, and of those the ones that were there.
    pub(crate) compared: u64,
    pub(crate) present: u64,
    /// Samples that were sent once more.
    pub(crate) resent: u64,
}

impl SeriesModel {
    pub(crate) fn new(partitions: u16) -> Self {
        Self {
            partitions: u64::from(partitions.max(1)),
            moment: 0,
            batches: Vec::new(),
            tenants: BTreeMap::new(),
            compared: 0,
            present: 0,
            resent: 0,
        }
    }

    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        self.tenants.keys().cloned().collect()
    }

    /// A batch that will be sent; the answer is its name.
    pub(crate) fn batch(&mut self, tenant: &TenantId, items: Vec<Item>, numbered: bool) -> usize {
        let noted = vec![false; items.len()];
        self.batches.push(Sent { tenant: tenant.clone(), items, numbered, filtered: false, noted });
        self.batches.len() - 1
    }

    pub(crate) fn items(&self, batch: usize) -> &[Item] {
        &self.batches[batch].items
    }

    /// A batch is about to be sent; what is older than `oldest_ms` will be refused.
    pub(crate) fn send(&mut self, batch: usize, oldest_ms: i64) {
        self.moment += 1;
        let sent = &mut self.batches[batch];
        let tenant = self.tenants.entry(sent.tenant.clone()).or_default();
        for (index, item) in sent.items.iter().enumerate() {
            if item.time_ms().is_some_and(|time_ms| time_ms < oldest_ms) {
                sent.filtered = true;
            } else if std::mem::replace(&mut sent.noted[index], true) {
                self.resent += 1;
            } else {
                let when = When { batch, index, start: self.moment, end: u64::MAX, certain: false };
                tenant.note(item, when);
            }
        }
    }

    /// The send was answered: what was not refused is in the journal now.
    pub(crate) fn acknowledge(&mut self, batch: usize, oldest_ms: i64) {
        self.moment += 1;
        let sent = &self.batches[batch];
        let Some(tenant) = self.tenants.get_mut(&sent.tenant) else { return };
        for (index, item) in sent.items.iter().enumerate().filter(|(index, _)| sent.noted[*index]) {
            let certain = item.time_ms().is_none_or(|time_ms| time_ms >= oldest_ms);
            tenant.settle(item, (batch, index), self.moment, certain);
        }
    }

    /// The process ended: what has no producer enters the journal now or never.
    pub(crate) fn closed(&mut self) {
        self.moment += 1;
        let (moment, batches) = (self.moment, &self.batches);
        let close = |when: &mut When| {
            if !batches[when.batch].numbered {
                when.end = when.end.min(moment);
            }
        };
        for tenant in self.tenants.values_mut() {
            tenant.keys.values_mut().flat_map(|key| &mut key.events).for_each(|(when, _)| close(when));
            tenant.deletes.iter_mut().for_each(|deletion| close(&mut deletion.when));
            tenant.deltas.values_mut().flat_map(Deltas::whens).for_each(close);
        }
    }

    /// Retention runs (or may have run): samples before this time may go.
    pub(crate) fn expire(&mut self, before_ms: i64) {
        for tenant in self.tenants.values_mut() {
            let old = tenant.keys.iter_mut().filter(|((_, time_ms), _)| *time_ms < before_ms);
            old.for_each(|(_, key)| key.may_expire = true);
        }
    }

    /// Holds what a tenant's queries answer against what was sent. What is seen now stands from now on.
    pub(crate) fn compare(&mut self, name: &TenantId, points: &Points) {
        self.moment += 1;
        self.learn(name, points);
        let moment = self.moment;
        let Some(tenant) = self.tenants.get_mut(name) else { return };
        let seen: BTreeMap<(LabelSet, i64), u64> = points
            .iter()
            .flat_map(|(labels, times)| times.iter().map(|(t, bits)| ((labels.clone(), *t), *bits)))
            .collect();
        for (place, key) in &mut tenant.keys {
            let seen = seen.get(place).copied();
            let (labels, time_ms) = place;
            let deltas = tenant.deltas.get(labels);
            let late = Late {
                is_late: &|when| deltas.is_some_and(|deltas| deltas.may_be_late(*time_ms, when)),
                earlier: deltas.map(|deltas| deltas.late(*time_ms)).unwrap_or_default(),
            };
            key.compare(place, seen, &tenant.deletes, moment, &late);
            self.compared += 1;
            self.present += u64::from(seen.is_some());
        }
        tenant.deletes.retain(|deletion| deletion.when.end > moment);
        for (labels, deltas) in &mut tenant.deltas {
            let sums = points.get(labels).map(Vec::as_slice).unwrap_or_default();
            deltas.compare(labels, sums);
        }
    }

    /// What is seen is in the journal; and a numbered batch is there as a whole in each partition.
    fn learn(&mut self, name: &TenantId, points: &Points) {
        let Some(tenant) = self.tenants.get_mut(name) else {
            return assert!(points.is_empty(), "tenant {name} never sent any sample");
        };
        let mut found = HashSet::new();
        for (labels, times) in points {
            for (time_ms, bits) in times {
                let Some(key) = tenant.keys.get(&(labels.clone(), *time_ms)) else {
                    panic!("{name}: {labels:?} at {time_ms} was never sent")
                };
                let gave =
                    |what: &What| matches!(what, What::Bits { unique: true, .. }) && what.gives(Some(*bits));
                found.extend(
                    key.events
                        .iter()
                        .filter(|(_, what)| gave(what))
                        .map(|(when, _)| (when.batch, when.index)),
                );
                if let Some(deltas) = tenant.deltas.get(labels) {
                    found.extend(deltas.within(*bits));
                }
            }
        }
        let partition = |item: &Item| item.labels().map(|labels| labels.hash64() % self.partitions);
        for (batch, index) in found {
            let sent = &self.batches[batch];
            let of = partition(&sent.items[index]);
            for (other, item) in sent.items.iter().enumerate() {
                let with_it = sent.numbered && !sent.filtered && partition(item) == of;
                if (other == index || with_it) && partition(item).is_some() {
                    tenant.settle(item, (batch, other), self.moment, true);
                }
            }
        }
    }
}

impl Tenant {
    fn note(&mut self, item: &Item, when: When) {
        let (labels, time_ms, what) = match item {
            Item::Value { labels, time_ms, bits, unique } => {
                (labels, *time_ms, What::Bits { bits: *bits, unique: *unique })
            }
            Item::Delta { labels, time_ms, bit } => {
                self.deltas.entry(labels.clone()).or_default().add(*time_ms, *bit, when);
                (labels, *time_ms, What::Delta(*bit))
            }
            Item::Delete(delete) => {
                let matchers = delete.matchers.iter().map(|(n, op, v)| Matcher::new(n, *op, v).unwrap());
                let range = (delete.start_ms, delete.end_ms);
                return self.deletes.push(Deletion { when, matchers: matchers.collect(), range });
            }
        };
        let newest = self.newest.entry(labels.clone()).or_default();
        newest.possible = newest.possible.max(time_ms);
        let key = self.keys.entry((labels.clone(), time_ms)).or_default();
        // A stale marker behind what certainly is there is dropped.
        if !is_stale(&what) || time_ms >= newest.certain {
            key.events.push((when, what));
            key.ever.push(what);
        }
    }

    /// An item is in the journal, certainly or if it ever was sent, and was before this moment.
    fn settle(&mut self, item: &Item, name: (usize, usize), moment: u64, certain: bool) {
        let settled = |when: &mut When, certain: bool| {
            if (when.batch, when.index) == name {
                when.end = when.end.min(moment);
                when.certain |= certain;
            }
        };
        let (Some(labels), Some(time_ms)) = (item.labels(), item.time_ms()) else {
            return self.deletes.iter_mut().for_each(|deletion| settled(&mut deletion.when, certain));
        };
        let newest = self.newest.entry(labels.clone()).or_default();
        for (when, what) in
            self.keys.get_mut(&(labels.clone(), time_ms)).into_iter().flat_map(|key| &mut key.events)
        {
            let kept = !is_stale(what) || time_ms >= newest.possible;
            settled(when, certain && kept);
        }
        if certain && !matches!(item, Item::Value { bits: STALE_NAN_BITS, .. }) {
            newest.certain = newest.certain.max(time_ms);
        }
        self.deltas
            .get_mut(labels)
            .into_iter()
            .flat_map(Deltas::whens)
            .for_each(|when| settled(when, certain));
    }
}

fn is_stale(what: &What) -> bool {
    matches!(what, What::Bits { bits: STALE_NAN_BITS, .. })
}

impl Key {
    fn compare(
        &mut self,
        place: &(LabelSet, i64),
        seen: Option<u64>,
        deletes: &[Deletion],
        moment: u64,
        late: &Late<'_>,
    ) {
        let (labels, time_ms) = place;
        let at = self.seen_at;
        let before = When { batch: usize::MAX, index: 0, start: at, end: at, certain: true };
        let stood = self.seen.map_or(What::Gone, |bits| What::Bits { bits, unique: false });
        let mut events = vec![(before, stood)];
        events.extend(self.events.iter().copied());
        let hits = deletes.iter().filter(|deletion| {
            (deletion.range.0..=deletion.range.1).contains(time_ms)
                && deletion.matchers.iter().all(|m| m.matches(labels.get(m.name()).unwrap_or_default()))
        });
        events.extend(hits.map(|deletion| (deletion.when, What::Gone)));
        let stands =
            |(when, _): &&Event| !events.iter().any(|(other, _)| other.certain && when.surely_before(other));
        let own = &self.events;
        let moved = |(when, what): &Event| matches!(what, What::Delta(_)) && (late.is_late)(when);
        let allowed = events.iter().filter(stands).any(|(_, what)| what.gives(seen))
            || late.earlier.iter().filter(stands).any(|(_, what)| what.gives(seen))
            || seen.is_none() && own.iter().filter(stands).any(moved);
        let expired = self.may_expire && (seen.is_none() || self.ever.iter().any(|what| what.gives(seen)));
        assert!(
            allowed || expired,
            "{labels:?} at {time_ms} is {:?} ({seen:x?}) at moment {moment}; it may be one of {events:#x?}",
            seen.map(f64::from_bits)
        );
        (self.seen, self.seen_at) = (seen, moment);
        self.events.retain(|(when, _)| when.end > moment);
    }
}
