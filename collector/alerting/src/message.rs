//! What is told: the alerts of a group that one receiver gets in one message.

mod data;
mod functions;
mod json;
#[cfg(test)]
mod tests;
mod texts;

pub(crate) use data::quoted;
pub use texts::{BadFile, Rendering, Stamp, Texts, stamp};

use crate::Alert;
use crate::labels::LabelSet;

/// The alerts of a group that one receiver gets in one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Whose alerts they are.
    pub tenant: String,
    /// Who is told.
    pub receiver: String,
    /// What identifies the group from message to message.
    pub group_key: String,
    /// What its alerts have in common, by `group_by`.
    pub group_labels: LabelSet,
    /// Labels of the route, expanded.
    pub route_labels: LabelSet,
    /// Why it is told now, in Alertmanager's words; empty if nobody says.
    pub notification_reason: String,
    /// When it is told, Unix milliseconds: what has ended by then is resolved.
    pub at_ms: i64,
    /// What is the matter, and what no longer is.
    pub alerts: Vec<Alert>,
}

/// Whether something is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Firing,
    /// It no longer is.
    Resolved,
}

impl Status {
    /// As Alertmanager writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl Message {
    /// Resolved if all its alerts are.
    pub fn status(&self) -> Status {
        let fires = self.alerts.iter().any(|alert| self.status_of(alert) == Status::Firing);
        if fires { Status::Firing } else { Status::Resolved }
    }

    /// Whether one of its alerts still is the matter.
    pub fn status_of(&self, alert: &Alert) -> Status {
        if alert.is_resolved_at(self.at_ms) { Status::Resolved } else { Status::Firing }
    }

    /// What all alerts have in common of what `of` gives.
    fn common<'a>(&'a self, of: impl Fn(&'a Alert) -> &'a LabelSet) -> LabelSet {
        let Some((first, others)) = self.alerts.split_first() else { return LabelSet::new() };
        let is_common =
            |name: &String, value: &String| others.iter().all(|alert| of(alert).get(name) == Some(value));
        let pairs = of(first).iter().filter(|(name, value)| is_common(name, value));
        pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Labels that all alerts have.
    pub fn common_labels(&self) -> LabelSet {
        self.common(|alert| &alert.labels)
    }

    /// Annotations that all alerts have.
    pub fn common_annotations(&self) -> LabelSet {
        self.common(|alert| &alert.annotations)
    }
}
