//! Time as derived series have it: buckets of ten seconds, each named by its end, put together to bins of a round width.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::params::Range;

/// Width of the buckets that derived series come in.
const BUCKET_MS: i64 = 10_000;
/// Buckets that are this young may not have been told yet.
const DELAY_MS: i64 = 30_000;
/// Widths of bins.
const WIDTHS_S: [i64; 17] = [
    10, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/// The range that was asked for, in whole buckets, and its bins. A bucket of time `t` covers what ended in
/// `(t - 10 s, t]`, and counts where `from_ms < t <= to_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    /// Where the first bin begins: at or before `from_ms`.
    first_ms: i64,
    width_ms: i64,
    /// How many there are.
    pub(super) bins: usize,
    /// How many of them are shown: all, or all but the first, which the range only touches.
    shown: usize,
}

/// Times of the first and the last bucket that there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(pub(super) Option<(i64, i64)>);

/// The part of the range of which it is known what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    from_ms: i64,
    to_ms: i64,
}

/// When the bins of a line begin.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Axis {
    /// The first; RFC 3339.
    pub(super) start: String,
    /// How long each is.
    pub(super) step_s: i64,
}

impl Seen {
    pub(super) fn add(&mut self, time_ms: i64) {
        self.join(Self(Some((time_ms, time_ms))));
    }

    pub(super) fn join(&mut self, other: Self) {
        self.0 = match (self.0, other.0) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (one, other) => one.or(other),
        };
    }

    /// The end of the newest bucket, ns.
    pub(super) fn until_ns(self) -> Option<i64> {
        self.0.map(|(_, last_ms)| last_ms.saturating_mul(1_000_000))
    }
}

impl Grid {
    /// Of `most` bins at most.
    pub(super) fn new(range: Range, most: usize) -> Self {
        let bucket_ns = BUCKET_MS * 1_000_000;
        let from_ms = range.start_ns.div_euclid(bucket_ns) * BUCKET_MS;
        let to_ms = (range.end_ns - 1).div_euclid(bucket_ns) * BUCKET_MS + BUCKET_MS;
        let most = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
        let fits = |width_s: &i64| (to_ms - from_ms) <= most * width_s * 1_000;
        let longest = WIDTHS_S[WIDTHS_S.len() - 1];
        let weeks = ((to_ms - from_ms) / most / (longest * 1_000) + 1) * longest;
        let width_ms = WIDTHS_S.into_iter().find(fits).unwrap_or(weeks) * 1_000;
        let first_ms = from_ms.div_euclid(width_ms) * width_ms;
        let bins = (to_ms - first_ms + width_ms - 1) / width_ms;
        let (bins, shown) = (bins as usize, bins.min(most) as usize);
        Self { from_ms, to_ms, first_ms, width_ms, bins, shown }
    }

    /// One bin for all.
    pub(super) fn whole(range: Range) -> Self {
        let grid = Self::new(range, 1);
        Self { first_ms: grid.from_ms, width_ms: grid.to_ms - grid.from_ms, bins: 1, shown: 1, ..grid }
    }

    /// Which bin a bucket belongs to, by its time.
    pub(super) fn bin(&self, time_ms: i64) -> Option<usize> {
        let is_asked = self.from_ms < time_ms && time_ms <= self.to_ms;
        is_asked.then(|| ((time_ms - 1 - self.first_ms) / self.width_ms) as usize)
    }

    pub(super) fn axis(&self) -> Axis {
        let start_ms = self.first_ms + (self.bins - self.shown) as i64 * self.width_ms;
        Axis { start: crate::api::time::format(start_ms * 1_000_000), step_s: self.width_ms / 1_000 }
    }

    /// The bins of a line.
    pub(super) fn shown<'a, T>(&self, bins: &'a [T]) -> &'a [T] {
        &bins[(self.bins - self.shown).min(bins.len())..]
    }

    /// What is known, by what was seen: nothing happened in older buckets that are not there.
    pub(super) fn known(&self, seen: Seen, now_ms: i64) -> Known {
        let (first_ms, last_ms) = seen.0.unwrap_or((self.to_ms + BUCKET_MS, self.from_ms));
        let told_ms = self.to_ms.min((now_ms - DELAY_MS).div_euclid(BUCKET_MS) * BUCKET_MS);
        let to_ms = last_ms.max(told_ms).clamp(self.from_ms, self.to_ms);
        Known { from_ms: (first_ms - BUCKET_MS).max(self.from_ms), to_ms }
    }

    /// Seconds of the range that are known to have passed.
    pub(super) fn seconds(&self, known: Known) -> f64 {
        (known.to_ms - self.from_ms).max(BUCKET_MS) as f64 / 1_000.0
    }

    /// The known seconds of each bin; `None` where nothing is known.
    pub(super) fn seconds_of_bins(&self, known: Known) -> impl Iterator<Item = Option<f64>> {
        let grid = *self;
        (grid.bins - grid.shown..grid.bins).map(move |bin| {
            let start_ms = grid.first_ms + bin as i64 * grid.width_ms;
            let from_ms = start_ms.max(known.from_ms);
            let to_ms = (start_ms + grid.width_ms).min(known.to_ms);
            (from_ms < to_ms).then(|| (to_ms - from_ms) as f64 / 1_000.0)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    fn grid(start_s: i64, end_s: i64, most: usize) -> Grid {
        Grid::new(Range { start_ns: start_s * S, end_ns: end_s * S }, most)
    }

    #[test]
    fn bins_are_round_and_no_more_than_asked_for() {
        // Range and most; width, where the shown bins begin, how many there are and are shown.
        let cases = [
            ((0, 600, 60), (10, 0, 60, 60)),
            ((0, 3_600, 60), (60, 0, 60, 60)),
            ((30, 3_630, 60), (60, 60, 61, 60)),
            ((25, 3_630, 60), (120, 0, 31, 31)),
            ((7, 8, 60), (10, 0, 1, 1)),
            ((0, 86_400 * 7, 60), (10_800, 0, 56, 56)),
            ((0, 86_400 * 3_650, 60), (604_800 * 9, 0, 58, 58)),
            ((-25, 5, 60), (10, -30, 4, 4)),
        ];
        for ((start, end, most), (width_s, first_s, bins, shown)) in cases {
            let grid = grid(start, end, most);
            let axis = grid.axis();
            assert_eq!(
                (axis.step_s, axis.start, grid.bins, grid.shown),
                (width_s, crate::api::time::format(first_s * S), bins, shown),
                "{start} to {end}"
            );
        }
    }

    #[test]
    fn a_bucket_belongs_to_the_bin_that_its_end_closes() {
        let grid = grid(30, 3_630, 60);
        let cases = [
            (30_000, None),
            (40_000, Some(0)),
            (60_000, Some(0)),
            (70_000, Some(1)),
            (3_630_000, Some(60)),
            (3_640_000, None),
        ];
        for (time_ms, bin) in cases {
            assert_eq!(grid.bin(time_ms), bin, "{time_ms}");
        }
        let whole = Grid::whole(Range { start_ns: 30 * S, end_ns: 95 * S });
        assert_eq!((whole.bin(30_000), whole.bin(40_000), whole.bin(100_000)), (None, Some(0), Some(0)));
    }

    #[test]
    fn what_is_not_told_yet_is_not_nothing() {
        let grid = grid(0, 60, 60);
        let seconds = |seen, now_ms| {
            let known = grid.known(Seen(seen), now_ms);
            (grid.seconds(known), grid.seconds_of_bins(known).map(|bin| bin.is_some()).collect::<Vec<_>>())
        };
        let [no, yes] = [false, true];
        // Seen from 20 to 40, asked at 45, at 75 and much later.
        assert_eq!(seconds(Some((20_000, 40_000)), 45_000), (40.0, vec![no, yes, yes, yes, no, no]));
        assert_eq!(seconds(Some((20_000, 40_000)), 85_000), (50.0, vec![no, yes, yes, yes, yes, no]));
        assert_eq!(seconds(Some((20_000, 40_000)), 900_000), (60.0, vec![no, yes, yes, yes, yes, yes]));
        assert_eq!(seconds(None, 900_000), (60.0, vec![no; 6]));
    }
}
