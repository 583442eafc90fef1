//! The circuit breaker: after a few failures in a row, one request at a time
//! probes the collector and the others wait for its answer.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::backoff;
use super::verdict::Verdict;

/// So many failures in a row open the breaker.
const THRESHOLD: u32 = 3;
/// At least so long between two probes with a token that was refused.
const UNAUTHORIZED_PAUSE: Duration = Duration::from_secs(10);
/// How often it is said that the collector does not answer.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// Shared by all requests.
#[derive(Debug)]
pub(super) struct Breaker {
    max_backoff: Duration,
    state: Mutex<State>,
    /// Counts answers, so that those who wait look again.
    answers: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    unauthorized: bool,
    probing: bool,
    /// No probe before.
    not_before: Option<Instant>,
    said_at: Option<Instant>,
}

/// Leave to send one request. When it is dropped without a report, another may probe.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    /// How many failures in a row there were when the request went.
    failures_before: u32,
}

impl Breaker {
    pub(super) fn new(max_backoff: Duration) -> Self {
        Self { max_backoff, state: Mutex::default(), answers: watch::Sender::new(0) }
    }

    /// Waits until a request may be sent.
    pub(super) async fn permit(&self) -> Permit<'_> {
        let mut answers = self.answers.subscribe();
        loop {
            answers.mark_unchanged();
            let wait = {
                let mut state = self.state.lock();
                let now = Instant::now();
                let failures_before = state.failures;
                if failures_before < THRESHOLD {
                    return Permit { breaker: self, is_probe: false, failures_before };
                }
                match state.not_before {
                    Some(at) if at > now => Some(at),
                    _ if state.probing => None,
                    _ => {
                        state.probing = true;
                        return Permit { breaker: self, is_probe: true, failures_before };
                    }
                }
            };
            // The sender lives in `self`, so the channel cannot close.
            match wait {
                Some(at) => drop(tokio::time::timeout_at(at, answers.changed()).await),
                None => drop(answers.changed().await),
            }
        }
    }

    /// Notes how the request with this permit went.
    pub(super) fn report(&self, permit: Permit<'_>, verdict: &Verdict) {
        {
            let mut state = self.state.lock();
            let (unauthorized, after, message) = match verdict {
                Verdict::Taken { .. } | Verdict::Refused { .. } => (false, None, None),
                Verdict::Suspect { message } => (false, None, Some(message)),
                Verdict::Later { after, message, .. } => (false, *after, Some(message)),
                Verdict::Unauthorized { message } => (true, None, Some(message)),
            };
            match message {
                None => state.recovered(),
                Some(message) => {
                    // Requests that were under way together fail together: that is one failure.
                    state.failures = state.failures.max(permit.failures_before.saturating_add(1));
                    state.failed(unauthorized, after, self.max_backoff, message);
                }
            }
        }
        drop(permit);
    }

    /// How long a request waits behind its try number `tries`. While the breaker is open, the breaker paces instead.
    pub(super) fn pause(&self, tries: u32, after: Option<Duration>) -> Duration {
        if self.is_open() { Duration::ZERO } else { backoff::pause(tries, self.max_backoff, after) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.failures() >= THRESHOLD
    }

    pub(super) fn failures(&self) -> u32 {
        self.state.lock().failures
    }

    pub(super) fn is_unauthorized(&self) -> bool {
        self.state.lock().unauthorized
    }
}

impl State {
    fn recovered(&mut self) {
        if self.said_at.is_some() {
            tracing::info!("the collector answers again");
        }
        *self = Self { probing: self.probing, ..Self::default() };
    }

    fn failed(&mut self, unauthorized: bool, after: Option<Duration>, max_backoff: Duration, message: &str) {
        self.unauthorized = unauthorized;
        let pause = backoff::pause(self.failures.saturating_sub(1), max_backoff, after);
        let pause = if unauthorized { pause.max(UNAUTHORIZED_PAUSE.min(max_backoff)) } else { pause };
        let now = Instant::now();
        self.not_before = Some(self.not_before.unwrap_or(now).max(now + pause));
        if self.said_at.is_none_or(|said| now - said >= SAY_EVERY) {
            self.said_at = Some(now);
            match unauthorized {
                true => tracing::error!(
                    answer = message,
                    "the collector refuses our token; the queue keeps everything until it is right"
                ),
                false => tracing::warn!(
                    answer = message,
                    failures = self.failures,
                    "the collector does not take our data; trying again"
                ),
            }
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.state.lock().probing = false;
        }
        self.breaker.answers.send_modify(|answers| *answers += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later() -> Verdict {
        Verdict::Later { reason: "unavailable", after: None, message: "no".to_owned() }
    }

    #[tokio::test]
    async fn an_open_breaker_lets_one_probe_through_at_a_time() {
        let breaker = Breaker::new(Duration::from_millis(20));
        for _ in 0..THRESHOLD {
            let permit = breaker.permit().await;
            breaker.report(permit, &later());
        }
        assert!(breaker.is_open());
        let probe = breaker.permit().await;
        let second = tokio::time::timeout(Duration::from_millis(100), breaker.permit());
        assert!(second.await.is_err(), "only one");
        breaker.report(probe, &Verdict::Taken { rejected: 0, message: String::new() });
        let (_one, _two) = (breaker.permit().await, breaker.permit().await);
        assert!(!breaker.is_open());
    }

    #[tokio::test]
    async fn requests_that_fail_together_are_one_failure() {
        let breaker = Breaker::new(Duration::from_secs(30));
        let permits =
            [breaker.permit().await, breaker.permit().await, breaker.permit().await, breaker.permit().await];
        permits.into_iter().for_each(|permit| breaker.report(permit, &later()));
        assert_eq!((breaker.failures(), breaker.is_open()), (1, false));
    }

    #[tokio::test]
    async fn a_probe_that_is_given_up_makes_way() {
        let breaker = Breaker::new(Duration::from_millis(20));
        for _ in 0..THRESHOLD {
            let permit = breaker.permit().await;
            breaker.report(permit, &later());
        }
        drop(breaker.permit().await);
        drop(breaker.permit().await);
    }

    #[tokio::test]
    async fn what_the_server_asks_for_is_waited_for() {
        let breaker = Breaker::new(Duration::from_millis(1));
        let asked = Duration::from_millis(150);
        for _ in 0..THRESHOLD {
            let permit = breaker.permit().await;
            breaker.report(
                permit,
                &Verdict::Later { reason: "unavailable", after: Some(asked), message: String::new() },
            );
        }
        let before = Instant::now();
        let _probe = breaker.permit().await;
        assert!(before.elapsed() >= asked);
    }

    #[tokio::test]
    async fn a_refused_token_is_tried_slowly_and_shown() {
        let slow = Duration::from_millis(120);
        assert!(slow < UNAUTHORIZED_PAUSE);
        let breaker = Breaker::new(slow);
        for _ in 0..THRESHOLD {
            let permit = breaker.permit().await;
            breaker.report(permit, &Verdict::Unauthorized { message: String::new() });
        }
        let before = Instant::now();
        let probe = breaker.permit().await;
        assert!(before.elapsed() >= slow / 2);
        assert!(breaker.is_unauthorized());
        breaker.report(probe, &Verdict::Taken { rejected: 0, message: String::new() });
        assert!(!breaker.is_unauthorized());
    }
}
