//! What costs more the more a host has to do rests after it was done, so that it never costs more than a share of a core.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// 0.25 % of a core for each.
const SHARE: u32 = 400;
/// Longer, and queries would take the series for gone.
const MAX_REST: Duration = Duration::from_secs(120);

/// When it may be done again.
#[derive(Default)]
pub(super) struct Rest(Option<Instant>);

impl Rest {
    /// Does it, unless it has to rest.
    pub(super) fn work(&mut self, work: impl FnOnce()) {
        if self.0.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let begun = used();
        work();
        let spent = used().saturating_sub(begun);
        self.0 = Some(Instant::now() + (spent * SHARE).min(MAX_REST));
    }
}

/// CPU time of this thread: waiting for a busy CPU costs nothing.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_cost_much_rests() {
        let (mut rest, mut count) = (Rest::default(), 0);
        rest.work(|| {
            count += 1;
            let begun = used();
            while used() - begun < Duration::from_millis(5) {
                std::hint::spin_loop();
            }
        });
        rest.work(|| count += 1);
        assert_eq!(count, 1);
        assert!(rest.0.is_some_and(|until| until > Instant::now() + Duration::from_secs(1)));
    }
}
