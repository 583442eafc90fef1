//! The input of the host's metrics: a look per interval, off the async threads. A look that finds no room in the queue
//! is skipped and counted; the next says more than it would.

use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::look::Host;
use crate::config::HostInput;
use crate::feed::{Shared, stopped};
use crate::queue::{QueueError, now_ns};

/// How long a look waits for room in the queue.
const PATIENCE: Duration = Duration::from_millis(500);
/// A look that begins so close to its time is said to begin at its time: times that are regular pack well.
const TOLERANCE_MS: i64 = 10;

/// Looks until it is told to stop, or the queue takes nothing more.
pub(crate) async fn run(
    input: HostInput,
    shared: Shared,
    mut stop: watch::Receiver<bool>,
) -> Result<(), QueueError> {
    let root = input.root.as_deref().unwrap_or(Path::new("/"));
    let new = || Host::new(root, &input, &shared.resource, shared.metrics.clone());
    let mut host = new();
    let mut ticks = tokio::time::interval(input.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let first_ms = now_ns() / 1_000_000;
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return Ok(()),
            _ = ticks.tick() => {}
        }
        let time_ms = on_grid(now_ns() / 1_000_000, first_ms, input.interval);
        let looking = tokio::task::spawn_blocking(move || {
            let parcels = host.look(time_ms.unsigned_abs().saturating_mul(1_000_000));
            (host, parcels)
        });
        let parcels = match looking.await {
            Ok((back, parcels)) => {
                host = back;
                parcels
            }
            Err(crash) => {
                tracing::error!(%crash, "a look at the host has crashed");
                shared.metrics.host_skipped.with_label_values(&["crashed"]).inc();
                host = new();
                continue;
            }
        };
        let items = parcels.iter().map(|parcel| u64::from(parcel.items)).sum();
        match shared.queue.append_all(parcels, PATIENCE).await {
            Ok(()) => shared.metrics.enqueued.with_label_values(&["host"]).inc_by(items),
            Err(QueueError::Full) => shared.metrics.host_skipped.with_label_values(&["queue_full"]).inc(),
            Err(QueueError::TooLarge) => shared.metrics.host_skipped.with_label_values(&["too_large"]).inc(),
            Err(error) => return Err(error),
        }
    }
}

/// The time that was meant, if it is close.
pub(crate) fn on_grid(now_ms: i64, first_ms: i64, interval: Duration) -> i64 {
    let step = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    let late = (now_ms - first_ms + step / 2).rem_euclid(step) - step / 2;
    if late.abs() <= TOLERANCE_MS.min(step / 100) { now_ms - late } else { now_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_regular() {
        let cases = [(1_000, 1_000), (11_003, 11_000), (20_995, 21_000), (31_200, 31_200), (500, 500)];
        for (now, expected) in cases {
            assert_eq!(on_grid(now, 1_000, Duration::from_secs(10)), expected, "{now}");
        }
    }
}
