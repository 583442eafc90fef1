//! Cuts a range of time into slices that hold a few pages each: a range is counted by
//! time, and where too much is in one bucket, that is counted again, more finely.

use events::{Buckets, Cursor, Order};

use crate::api::params::Range;

/// Records that a slice should not have more of.
const MOST: u64 = 5_000;
/// How finely one count looks.
const BUCKETS: usize = 1_000;
/// No bucket is narrower.
const FINEST_NS: i64 = 1_000_000;

/// A part of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    range: Range,
    /// Small enough to be read, or as narrow as can be.
    is_ready: bool,
    cursor: Option<Cursor>,
}

/// What is left to do, the next part last.
pub(super) struct Slices {
    order: Order,
    left: Vec<Slice>,
}

impl Slices {
    /// All of the range.
    pub(super) fn of(range: Range, order: Order) -> Self {
        Self { order, left: vec![Slice { range, is_ready: false, cursor: None }] }
    }

    /// The next part: to be counted in these buckets, or to be read from behind the cursor.
    pub(super) fn next(&self) -> Option<(Range, Option<Cursor>, Option<Buckets>)> {
        let Slice { range, is_ready, cursor } = *self.left.last()?;
        let buckets = (!is_ready).then(|| Buckets::covering(range.start_ns, range.end_ns, BUCKETS));
        Some((range, cursor, buckets))
    }

    /// The next part has been counted: its own parts stand in its place, without the empty ones.
    pub(super) fn counted(&mut self, buckets: Buckets, counts: impl Iterator<Item = u64>) {
        let Some(Slice { range, .. }) = self.left.pop() else { return };
        let mut parts: Vec<(Slice, u64)> = Vec::new();
        for (index, count) in counts.enumerate().filter(|(_, count)| *count > 0) {
            let start_ns = buckets.start_ns.saturating_add(buckets.width_ns.saturating_mul(index as i64));
            let end_ns = start_ns.saturating_add(buckets.width_ns).min(range.end_ns);
            let start_ns = start_ns.max(range.start_ns);
            match parts.last_mut() {
                Some((part, sum)) if *sum + count <= MOST => {
                    part.range.end_ns = end_ns;
                    *sum += count;
                }
                _ => {
                    let is_ready = count <= MOST || buckets.width_ns <= FINEST_NS;
                    parts.push((Slice { range: Range { start_ns, end_ns }, is_ready, cursor: None }, count));
                }
            }
        }
        let parts = parts.into_iter().map(|(part, _)| part);
        match self.order {
            Order::Newest => self.left.extend(parts),
            Order::Oldest => self.left.extend(parts.rev()),
        }
    }

    /// A page of the next part has been read; `None`: it was the last one.
    pub(super) fn read(&mut self, next: Option<Cursor>) {
        match (self.left.last_mut(), next) {
            (Some(slice), Some(cursor)) => slice.cursor = Some(cursor),
            _ => drop(self.left.pop()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Walks records at these times; answers the parts that were read, each with its count.
    fn walk(times: &[i64], range: Range, order: Order) -> Vec<(Range, u64)> {
        let (mut slices, mut read) = (Slices::of(range, order), Vec::new());
        while let Some((part, cursor, buckets)) = slices.next() {
            assert_eq!(cursor, None);
            let inside = |range: &Range| {
                let range = *range;
                times.iter().filter(move |time| (range.start_ns..range.end_ns).contains(*time))
            };
            match buckets {
                None => {
                    read.push((part, inside(&part).count() as u64));
                    slices.read(None);
                }
                Some(buckets) => {
                    let mut counts = vec![0; buckets.count];
                    inside(&part).for_each(|time| {
                        counts[((time - buckets.start_ns) / buckets.width_ns) as usize] += 1;
                    });
                    slices.counted(buckets, counts.into_iter());
                }
            }
        }
        read
    }

    #[test]
    fn every_record_is_in_one_part_and_parts_are_in_order() {
        let hour = 3_600_000_000_000;
        let mut times: Vec<i64> = (0..30_000).map(|index| index * hour / 30_000).collect();
        // A burst inside of a second, and one inside of a millisecond.
        times.extend((0..40_000).map(|index| hour / 2 + index * 25_000));
        times.extend((0..20_000).map(|index| hour / 3 + index));
        for order in [Order::Newest, Order::Oldest] {
            let range = Range { start_ns: 5, end_ns: hour - 7 };
            let read = walk(&times, range, order);
            let inside = times.iter().filter(|time| (5..hour - 7).contains(*time)).count() as u64;
            assert_eq!(read.iter().map(|(_, count)| count).sum::<u64>(), inside);
            let ascending = read.is_sorted_by(|(a, _), (b, _)| a.end_ns <= b.start_ns);
            let descending = read.is_sorted_by(|(a, _), (b, _)| b.end_ns <= a.start_ns);
            assert!(if order == Order::Oldest { ascending } else { descending });
            let large = read.iter().filter(|(_, count)| *count > MOST);
            assert!(large.clone().all(|(part, _)| part.end_ns - part.start_ns <= FINEST_NS), "{read:?}");
            assert_eq!(large.count(), 1, "only what cannot be cut");
            assert!(read.len() < 80, "{}", read.len());
        }
        assert!(walk(&[], Range { start_ns: 0, end_ns: hour }, Order::Newest).is_empty());
    }
}
