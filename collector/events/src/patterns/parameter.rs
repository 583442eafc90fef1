//! What stands in the slots of a pattern.

use std::collections::HashMap;

use super::ParameterRow;
use super::kind::{Kind, number, quantity};
use super::outline::Piece;

/// Distinct values of a slot that are told apart.
pub(crate) const MAX_DISTINCT: usize = 500;
/// Slots of a pattern that are looked at.
pub(crate) const MAX_SLOTS: usize = 16;
/// Longer values are cut.
const MAX_VALUE_BYTES: usize = 80;
/// Values that are named.
const TOP: usize = 5;

/// The values of one slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    kind: Option<Kind>,
    values: HashMap<Box<str>, u64>,
    is_capped: bool,
    range: Option<(f64, f64)>,
}

impl Slot {
    /// Adds a value; gives the memory that it takes.
    fn add(&mut self, value: &str) -> usize {
        let kind = Kind::of(value);
        self.kind = Some(self.kind.map_or(kind, |known| known.or(kind)));
        if let Some(number) = number(value).or_else(|| quantity(value).map(|(number, _)| number)) {
            self.widen(number, number);
        }
        self.count(shortened(value), 1)
    }

    fn widen(&mut self, low: f64, high: f64) {
        self.range = Some(self.range.map_or((low, high), |(min, max)| (min.min(low), max.max(high))));
    }

    fn count(&mut self, value: &str, count: u64) -> usize {
        if let Some(known) = self.values.get_mut(value) {
            *known += count;
            return 0;
        }
        if self.values.len() >= MAX_DISTINCT {
            self.is_capped = true;
            return 0;
        }
        self.values.insert(value.into(), count);
        2 * (value.len() + size_of::<(Box<str>, u64)>())
    }

    fn merge(&mut self, other: Self) -> usize {
        self.kind = match (self.kind, other.kind) {
            (Some(own), Some(other)) => Some(own.or(other)),
            (own, other) => own.or(other),
        };
        if let Some((low, high)) = other.range {
            self.widen(low, high);
        }
        self.is_capped |= other.is_capped;
        let mut values: Vec<_> = other.values.into_iter().collect();
        values.sort_unstable_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        values.into_iter().map(|(value, count)| self.count(&value, count)).sum()
    }

    fn row(self, slot: usize) -> ParameterRow {
        let kind = self.kind.unwrap_or(Kind::Text);
        let range = self.range.filter(|_| kind.has_range());
        let distinct = self.values.len() as u64;
        let mut top: Vec<(String, u64)> =
            self.values.into_iter().map(|(value, count)| (value.into_string(), count)).collect();
        top.sort_unstable_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        top.truncate(TOP);
        ParameterRow {
            slot,
            kind: kind.name(),
            distinct,
            distinct_is_capped: self.is_capped,
            min: range.map(|(min, _)| min),
            max: range.map(|(_, max)| max),
            top,
        }
    }
}

/// The slots of one pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    /// How many records they were read from.
    pub(crate) records: u64,
}

impl Slots {
    /// Adds a record's values; gives the memory that they take.
    pub(crate) fn add(&mut self, text: &str, pieces: &[Piece], holes: &[u16]) -> usize {
        self.records += 1;
        let (mut size, mut slot, mut holes) = (0, 0, holes.iter().peekable());
        for (at, piece) in pieces.iter().enumerate() {
            let is_hole = holes.next_if(|hole| usize::from(**hole) == at).is_some();
            if !is_hole && !matches!(piece, Piece::Value(..)) {
                continue;
            }
            if slot == MAX_SLOTS {
                break;
            }
            if slot == self.slots.len() {
                self.slots.push(Slot::default());
                size += size_of::<Slot>();
            }
            size += self.slots[slot].add(&text[piece.range().unwrap_or_default()]);
            slot += 1;
        }
        size
    }

    /// Adds what another file has; gives the memory that it takes.
    pub(crate) fn merge(&mut self, other: Self) -> usize {
        self.records += other.records;
        let mut size = 0;
        for (at, slot) in other.slots.into_iter().enumerate() {
            if at == self.slots.len() {
                self.slots.push(Slot::default());
                size += size_of::<Slot>();
            }
            size += self.slots[at].merge(slot);
        }
        size
    }

    /// Memory that it holds, about.
    pub(crate) fn size_bytes(&self) -> usize {
        let of_value = |value: &str| 2 * (value.len() + size_of::<(Box<str>, u64)>());
        let of_slot = |slot: &Slot| slot.values.keys().map(|value| of_value(value)).sum::<usize>();
        self.slots.iter().map(|slot| size_of::<Slot>() + of_slot(slot)).sum()
    }

    pub(crate) fn rows(self) -> Vec<ParameterRow> {
        self.slots.into_iter().enumerate().map(|(at, slot)| slot.row(at)).collect()
    }
}

fn shortened(value: &str) -> &str {
    &value[..value.floor_char_boundary(MAX_VALUE_BYTES)]
}
