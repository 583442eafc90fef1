//! One delta series: every increase is a power of two, so a sum is the set of the increases in it. A sum stands at
//! the newest time of its increases: one that comes late changes the value there.

use telemetry::LabelSet;

use super::{Event, What, When};

struct Delta {
    time_ms: i64,
    bit: u32,
    when: When,
    /// The set that it was seen with.
    seen: Option<u64>,
}

/// The increases that were sent.
#[derive(Default)]
pub(super) struct Deltas(Vec<Delta>);

/// The set that a running sum is.
pub(super) fn mask(bits: u64) -> Option<u64> {
    let sum = f64::from_bits(bits);
    (sum >= 0.0 && sum.fract() == 0.0 && sum < 9e15).then_some(sum as u64)
}

impl Deltas {
    pub(super) fn add(&mut self, time_ms: i64, bit: u32, when: When) {
        self.0.push(Delta { time_ms, bit, when, seen: None });
    }

    pub(super) fn whens(&mut self) -> impl Iterator<Item = &mut When> {
        self.0.iter_mut().map(|delta| &mut delta.when)
    }

    /// Which items are in a sum.
    pub(super) fn within(&self, bits: u64) -> impl Iterator<Item = (usize, usize)> {
        let mask = mask(bits).unwrap_or(0);
        let within = self.0.iter().filter(move |delta| mask >> delta.bit & 1 == 1);
        within.map(|delta| (delta.when.batch, delta.when.index))
    }

    /// The increases of earlier times: if one came after that of this time, it stands in the sum here. None of them
    /// is certain to, so that none rules anything else out.
    pub(super) fn late(&self, time_ms: i64) -> Vec<Event> {
        let earlier = self.0.iter().filter(|delta| delta.time_ms < time_ms);
        earlier.map(|delta| (When { certain: false, ..delta.when }, What::Delta(delta.bit))).collect()
    }

    /// Whether an increase of this time may have come after one of a later time.
    pub(super) fn may_be_late(&self, time_ms: i64, when: &When) -> bool {
        self.0.iter().any(|other| other.time_ms > time_ms && !when.surely_before(&other.when))
    }

    /// The sums grow by one increase each; none is in them twice, and none that was there is missing.
    pub(super) fn compare(&mut self, labels: &LabelSet, sums: &[(i64, u64)]) {
        let mut seen = Vec::new();
        for (time_ms, bits) in sums {
            let value = f64::from_bits(*bits);
            let Some(at) = self.0.iter().position(|delta| delta.time_ms == *time_ms) else {
                panic!("{labels:?}: no increase was sent at {time_ms}")
            };
            let mask = mask(*bits).unwrap_or_else(|| panic!("{labels:?} at {time_ms}: no sum: {value}"));
            self.check_order(labels, at, mask);
            let delta = &mut self.0[at];
            let before = delta.seen.replace(mask);
            assert!(
                before.is_none_or(|before| before & mask == before),
                "{labels:?} at {time_ms}: {before:x?} became {mask:x}"
            );
            seen.push(mask);
        }
        seen.sort_by_key(|mask| mask.count_ones());
        for pair in seen.windows(2) {
            let grows = pair[0] & pair[1] == pair[0] && pair[0] != pair[1];
            assert!(grows, "{labels:?}: a sum was reset or doubled: {:x} and {:x}", pair[0], pair[1]);
        }
    }

    fn check_order(&self, labels: &LabelSet, at: usize, mask: u64) {
        let own = &self.0[at];
        let sent = self.0.iter().fold(0, |all, delta| all | 1u64 << delta.bit);
        assert_eq!(mask & !sent, 0, "{labels:?}: the sum {mask:x} has increases that were never sent");
        assert!(
            mask >> own.bit & 1 == 1,
            "{labels:?}: the sum {mask:x} lacks the increase {} itself",
            own.bit
        );
        for other in &self.0 {
            let within = mask >> other.bit & 1 == 1;
            if other.when.certain && other.when.surely_before(&own.when) {
                assert!(within, "{labels:?}: the sum {mask:x} lacks the increase {} before it", other.bit);
            }
            assert!(
                !within || other.time_ms <= own.time_ms,
                "{labels:?}: the sum {mask:x} at {} has the increase {} of a later time",
                own.time_ms,
                other.bit
            );
        }
    }
}
