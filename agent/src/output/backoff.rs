//! How long to wait before the next try: exponential, with full jitter, and
//! never less than the server asks for.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);

/// The wait behind the try number `tries` (from 0), at most `max`; `asked` is what the server asked for.
pub(super) fn pause(tries: u32, max: Duration, asked: Option<Duration>) -> Duration {
    let ceiling = FIRST.saturating_mul(1 << tries.min(16)).min(max);
    let jitter = ceiling.mul_f64(rand::random::<f64>());
    match asked {
        // Those who were all told the same time should not all come at that time.
        // What is asked for may be nothing: our own pace stays.
        Some(asked) => (asked + jitter.min(asked)).max(jitter),
        None => jitter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_ceiling_and_are_spread() {
        let max = Duration::from_secs(30);
        for (tries, ceiling_ms) in [(0, 250), (1, 500), (4, 4000), (7, 30_000), (u32::MAX, 30_000)] {
            let pauses: Vec<u128> = (0..200).map(|_| pause(tries, max, None).as_millis()).collect();
            assert!(pauses.iter().all(|ms| *ms <= ceiling_ms), "{tries}");
            let spread =
                pauses.iter().max().copied().unwrap_or(0) - pauses.iter().min().copied().unwrap_or(0);
            assert!(spread > ceiling_ms / 2, "{tries}: {spread}");
        }
    }

    #[test]
    fn the_server_is_never_asked_too_early() {
        let asked = Duration::from_secs(7);
        assert!((0..200).all(|tries| pause(tries % 9, Duration::from_secs(30), Some(asked)) >= asked));
    }

    #[test]
    fn a_server_that_asks_for_no_pause_gets_ours() {
        let max = Duration::from_secs(30);
        let longest = (0..200).map(|_| pause(7, max, Some(Duration::ZERO))).max();
        assert!(longest > Some(max / 2) && longest <= Some(max), "{longest:?}");
    }
}
