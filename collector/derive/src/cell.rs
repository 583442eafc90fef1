//! What was counted for one part of one subject: a sum and counts per bucket, and its bytes.
//!
//! Bytes: the sum, then per bucket the distance to the bucket before and the count; all as varints.

use crate::bytes::{Reader, put_uint, put_wide};
use crate::histogram::bucket_of;

/// A sum of durations and how many fell into which bucket. What only counts has all in bucket 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// In ns.
    pub(crate) sum: u128,
    /// Bucket and count, ascending, no count of 0.
    pub(crate) counts: Vec<(u16, u64)>,
}

impl Cell {
    /// Of durations in ascending order.
    pub(crate) fn of_sorted(durations: impl Iterator<Item = u64>) -> Self {
        let mut cell = Self::default();
        for duration in durations {
            cell.sum += u128::from(duration);
            let bucket = bucket_of(duration);
            match cell.counts.last_mut() {
                Some((last, count)) if *last == bucket => *count += 1,
                _ => cell.counts.push((bucket, 1)),
            }
        }
        cell
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().fold(0, |all, (_, count)| all.saturating_add(*count))
    }

    /// The highest bucket that has any.
    pub(crate) fn last_bucket(&self) -> u16 {
        self.counts.last().map_or(0, |(bucket, _)| *bucket)
    }

    /// Adds what the other has.
    pub(crate) fn add(&mut self, other: &Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.join(other, u64::saturating_add);
    }

    /// Takes away what the other has.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.sum = self.sum.saturating_sub(other.sum);
        self.join(other, u64::saturating_sub);
    }

    fn join(&mut self, other: &Self, how: impl Fn(u64, u64) -> u64) {
        let mut joined = Vec::with_capacity(self.counts.len() + other.counts.len());
        let (mut left, mut right) = (self.counts.iter().peekable(), other.counts.iter().peekable());
        while let Some(bucket) = left.peek().into_iter().chain(right.peek()).map(|(bucket, _)| *bucket).min()
        {
            let of = |entry: Option<&(u16, u64)>| entry.map_or(0, |(_, count)| *count);
            let mine = of(left.next_if(|(at, _)| *at == bucket));
            let its = of(right.next_if(|(at, _)| *at == bucket));
            let count = how(mine, its);
            if count > 0 {
                joined.push((bucket, count));
            }
        }
        self.counts = joined;
    }

    /// Appends its bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_wide(out, self.sum);
        let mut before = 0;
        for (bucket, count) in &self.counts {
            put_uint(out, u64::from(bucket - before));
            put_uint(out, *count);
            before = *bucket;
        }
    }

    /// Reads what `encode` wrote; `None` for what it never writes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let mut cell = Self { sum: reader.wide()?, counts: Vec::with_capacity(bytes.len() / 2) };
        let mut bucket = 0u16;
        while !reader.is_at_end() {
            let distance = u16::try_from(reader.uint()?).ok()?;
            bucket = bucket.checked_add(distance).filter(|_| distance > 0 || cell.counts.is_empty())?;
            let count = reader.uint().filter(|count| *count > 0)?;
            cell.counts.push((bucket, count));
        }
        Some(cell)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell() -> impl Strategy<Value = Cell> {
        proptest::collection::vec(0u64..1 << 47, 0..40).prop_map(|mut durations| {
            durations.sort_unstable();
            Cell::of_sorted(durations.into_iter())
        })
    }

    proptest! {
        #[test]
        fn cells_decode_to_themselves_and_add_up(left in cell(), right in cell()) {
            let mut bytes = Vec::new();
            left.encode(&mut bytes);
            prop_assert_eq!(Cell::decode(&bytes), Some(left.clone()));
            let mut both = left.clone();
            both.add(&right);
            prop_assert_eq!(both.count(), left.count() + right.count());
            both.subtract(&right);
            prop_assert_eq!(both, left);
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
            if let Some(cell) = Cell::decode(&bytes) {
                prop_assert!(cell.counts.is_sorted_by(|a, b| a.0 < b.0));
            }
        }
    }
}
