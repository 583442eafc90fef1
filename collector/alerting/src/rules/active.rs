//! One element of an alerting rule, from pending to resolved.

use std::collections::BTreeMap;

use crate::LabelSet;

/// How long a resolved alert is remembered, so that its end can be sent again.
const RESOLVED_RETENTION_MS: i64 = 15 * 60_000;

/// How far an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// It has ended.
    Inactive,
    /// It is there, but not for long enough.
    Pending,
    /// It is there.
    Firing,
}

/// An alert of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    /// How far it is.
    pub state: AlertState,
    /// Its labels.
    pub labels: LabelSet,
    /// What is said about it.
    pub annotations: BTreeMap<String, String>,
    /// The value of its element, as of the last time that it was there.
    pub value: f64,
    /// Since when it is there, Unix milliseconds.
    pub active_at_ms: i64,
    /// Since when it fires.
    pub fired_at_ms: Option<i64>,
    /// When it ended.
    pub resolved_at_ms: Option<i64>,
    /// Since when it fires only because it is kept so.
    pub keep_firing_since_ms: Option<i64>,
    /// When it was last sent.
    pub last_sent_ms: Option<i64>,
}

/// What becomes of an alert at an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is there: it counts and is written.
    Counts,
    /// It has ended and is remembered.
    Rests,
    /// It is forgotten.
    Goes,
}

impl AlertState {
    /// As Prometheus calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

impl Active {
    /// What becomes of it, given whether its element is there.
    pub(super) fn step(&mut self, is_there: bool, now_ms: i64, for_ms: i64, keep_ms: i64) -> Next {
        if is_there {
            self.keep_firing_since_ms = None;
        } else {
            let is_kept = self.state == AlertState::Firing
                && keep_ms > 0
                && now_ms - *self.keep_firing_since_ms.get_or_insert(now_ms) < keep_ms;
            if !is_kept {
                return self.end(now_ms);
            }
        }
        if self.state == AlertState::Pending && now_ms - self.active_at_ms >= for_ms {
            self.state = AlertState::Firing;
            self.fired_at_ms = Some(now_ms);
        }
        Next::Counts
    }

    fn end(&mut self, now_ms: i64) -> Next {
        let is_over = self.resolved_at_ms.is_some_and(|at_ms| now_ms - at_ms > RESOLVED_RETENTION_MS);
        if self.state == AlertState::Pending || is_over {
            return Next::Goes;
        }
        if self.state != AlertState::Inactive {
            self.state = AlertState::Inactive;
            self.resolved_at_ms = Some(now_ms);
        }
        Next::Rests
    }

    /// Whether its element is there for the first time.
    pub(super) fn begins_at(&self, now_ms: i64) -> bool {
        self.active_at_ms == now_ms && self.state != AlertState::Inactive
    }

    /// Whether it is time to tell of it: it fires and was not sent for a while, or has ended since.
    pub(super) fn is_due(&self, now_ms: i64, resend_delay_ms: i64) -> bool {
        if self.state == AlertState::Pending {
            return false;
        }
        let Some(sent_ms) = self.last_sent_ms else { return true };
        self.resolved_at_ms.is_some_and(|resolved_ms| resolved_ms > sent_ms)
            || sent_ms + resend_delay_ms < now_ms
    }
}
