//! How telling went: for each way, the last time and how often. Kept as long as the process lives.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::Failure;
use crate::config::Integration;

/// Of so many ways at most; configurations come and go.
const MAX_WAYS: usize = 10_000;

/// How telling by one way went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// When it was tried last, Unix milliseconds.
    pub at_ms: i64,
    /// How long that took.
    pub took_ms: u64,
    /// Why it failed then, if it did.
    pub error: Option<String>,
    /// How many messages were taken.
    pub sent: u64,
    /// How many attempts failed.
    pub failed: u64,
}

type Way = (String, &'static str, usize);

/// Of all ways of a tenant.
#[derive(Debug, Default)]
pub struct Outcomes(Mutex<BTreeMap<Way, Outcome>>);

/// An attempt that has begun. One that is dropped has been cut off.
pub(super) struct Attempt<'a> {
    outcomes: &'a Outcomes,
    way: Option<Way>,
    begun: Instant,
    at_ms: i64,
}

impl Outcomes {
    pub(super) fn get(&self, receiver: &str, integration: &Integration) -> Option<Outcome> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(receiver.to_owned(), integration.kind, integration.index)).cloned()
    }

    pub(super) fn begin(&self, receiver: &str, integration: &Integration) -> Attempt<'_> {
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Attempt {
            outcomes: self,
            way: Some((receiver.to_owned(), integration.kind, integration.index)),
            begun: Instant::now(),
            at_ms: i64::try_from(at_ms).unwrap_or(i64::MAX),
        }
    }
}

impl Attempt<'_> {
    pub(super) fn end(mut self, outcome: &Result<(), Failure>) {
        self.note(outcome.as_ref().err().map(|failure| failure.reason.clone()));
    }

    fn note(&mut self, error: Option<String>) {
        let Some(way) = self.way.take() else { return };
        let mut all = self.outcomes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_WAYS && !all.contains_key(&way) {
            all.clear();
        }
        let outcome = all.entry(way).or_default();
        outcome.at_ms = self.at_ms;
        outcome.took_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        *(if error.is_some() { &mut outcome.failed } else { &mut outcome.sent }) += 1;
        outcome.error = error;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.note(Some("it was cut off: it took longer than there was time".to_owned()));
    }
}
