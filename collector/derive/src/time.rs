//! Time in steps of ten seconds. Step `n` is what ended in `(10 (n - 1) s, 10 n s]`; its samples stand at `10 n s`.

use telemetry::otlp::Span;

/// How long a step is.
pub(crate) const STEP_NS: u64 = 10_000_000_000;

/// How many steps back a span may still change what was counted: 15 minutes.
pub(crate) const WINDOW_STEPS: u32 = 90;

/// The same in ns.
pub(crate) const WINDOW_NS: u64 = WINDOW_STEPS as u64 * STEP_NS;

/// A batch so much before the clock says that the clock was wrong: ten minutes.
pub(crate) const MAX_BACK_NS: u64 = 600_000_000_000;

/// Longer durations count as this one, 39 hours.
pub(crate) const MAX_DURATION_NS: u64 = (1 << 47) - 1;

/// The step that a moment belongs to. Moments are below 2^63 ns, so that a step has 30 bits.
pub(crate) fn step_of(time_ns: u64) -> u32 {
    time_ns.div_ceil(STEP_NS) as u32
}

/// The newest step that is over at a moment.
pub(crate) fn steps_over(time_ns: u64) -> u32 {
    (time_ns / STEP_NS) as u32
}

/// Where a step's samples stand.
pub(crate) fn step_ms(step: u32) -> i64 {
    i64::from(step) * (STEP_NS / 1_000_000) as i64
}

/// When a span ended and how long it took. A missing end is its start, else the clock; an end that is yet to come
/// is the clock. A span that does not say both has no duration.
#[inline]
pub(crate) fn end_and_duration(span: &Span<'_>, clock_ns: u64) -> (u64, u64) {
    let end_ns = match (span.end_ns, span.start_ns) {
        (0, 0) => clock_ns,
        (0, start) => start,
        (end, _) => end,
    };
    let duration_ns = match (span.start_ns, span.end_ns) {
        (0, _) | (_, 0) => 0,
        (start, end) => end.saturating_sub(start).min(MAX_DURATION_NS),
    };
    (end_ns.min(clock_ns), duration_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_with_its_moment() {
        for (time_ns, step, over) in [
            (0, 0, 0),
            (1, 1, 0),
            (STEP_NS - 1, 1, 0),
            (STEP_NS, 1, 1),
            (STEP_NS + 1, 2, 1),
            (i64::MAX as u64, 922_337_204, 922_337_203),
        ] {
            assert_eq!((step_of(time_ns), steps_over(time_ns)), (step, over), "{time_ns}");
        }
        assert_eq!(step_ms(170_000_001), 1_700_000_010_000);
    }

    #[test]
    fn odd_times_have_an_end_and_a_duration() {
        let cases = [
            ((100, 150), (150, 50)),
            ((150, 100), (100, 0)),
            ((0, 0), (1000, 0)),
            ((0, 150), (150, 0)),
            ((150, 0), (150, 0)),
            ((900, 2000), (1000, 1100)),
            ((1, u64::MAX), (1000, MAX_DURATION_NS)),
        ];
        for ((start_ns, end_ns), expected) in cases {
            let mut span = Span::default();
            (span.start_ns, span.end_ns) = (start_ns, end_ns);
            assert_eq!(end_and_duration(&span, 1000), expected, "{start_ns} {end_ns}");
        }
    }
}
