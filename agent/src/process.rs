//! What happens to a record between its source and the queue: rules that drop,
//! keep, sample, rename and set, then redaction, so that nothing leaves unseen.

mod condition;
mod redact;
mod rules;

use std::sync::Arc;

use parking_lot::RwLock;

pub(crate) use condition::{Condition, SeverityTest};
pub(crate) use redact::{KnownSecret, OwnSecret, Redaction};
pub(crate) use rules::{Action, Rule};

use crate::draft::{Attributes, Draft};
use crate::metrics::Metrics;

/// Rules and redaction of the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ProcessorsConfig {
    /// In their order.
    pub(crate) rules: Vec<Rule>,
    pub(crate) known: Vec<KnownSecret>,
    pub(crate) own: Vec<OwnSecret>,
}

/// Where a record comes from, for conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// The input's name or kind.
    pub(crate) source: String,
    /// `service.name`.
    pub(crate) service: String,
    /// The path of its file; "" without.
    pub(crate) file: String,
}

/// What became of a record, for `test-pipeline`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// The rule that dropped it.
    pub(crate) dropped_by: Option<String>,
    /// What was redacted, and how often.
    pub(crate) redacted: Vec<(String, u64)>,
}

/// Rules and redaction, ready to run.
#[derive(Debug, Default)]
pub(crate) struct Processors {
    rules: Vec<Rule>,
    redaction: Redaction,
}

/// The processors of all sources; replaced as a whole when the configuration is read again.
#[derive(Clone, Debug)]
pub(crate) struct Processing {
    shared: Arc<RwLock<Arc<Processors>>>,
    current: Arc<Processors>,
}

impl Processors {
    pub(crate) fn new(config: &ProcessorsConfig) -> Self {
        Self { rules: config.rules.clone(), redaction: Redaction::new(&config.known, &config.own) }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.redaction.is_empty()
    }

    /// Runs everything over a record.
    pub(crate) fn apply(&self, draft: &mut Draft<'_>, context: &Context) -> Outcome {
        let mut outcome = Outcome::default();
        for rule in &self.rules {
            if !rule.apply(draft, context) {
                outcome.dropped_by = Some(rule.name.clone());
                return outcome;
            }
        }
        self.redaction.apply(draft, &mut |rule, count| outcome.redacted.push((rule.to_owned(), count)));
        outcome
    }
}

impl Processors {
    /// Whether anything is to be taken out of what is not a log record.
    pub(crate) fn redact_anything(&self) -> bool {
        !self.redaction.is_empty()
    }

    /// Takes secrets out of a text; `None` if there were none.
    pub(crate) fn redact_text(&self, text: &str) -> (Option<String>, Outcome) {
        let mut outcome = Outcome::default();
        let mut count = |rule: &str, count| outcome.redacted.push((rule.to_owned(), count));
        let redacted = self.redaction.text(text, &mut count);
        (redacted, outcome)
    }

    /// Takes secrets out of what records share.
    pub(crate) fn redact(&self, attributes: &mut Attributes<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        self.redaction
            .attributes(attributes, &mut |rule, count| outcome.redacted.push((rule.to_owned(), count)));
        outcome
    }
}

impl Processing {
    pub(crate) fn new(processors: Processors) -> Self {
        let current = Arc::new(processors);
        Self { shared: Arc::new(RwLock::new(current.clone())), current }
    }

    /// For every source, from its next record on.
    pub(crate) fn replace(&self, processors: Processors) {
        *self.shared.write() = Arc::new(processors);
    }

    /// Takes the newest processors.
    pub(crate) fn refresh(&mut self) {
        let newest = self.shared.read();
        if !Arc::ptr_eq(&newest, &self.current) {
            self.current = newest.clone();
        }
    }

    /// The newest processors.
    pub(crate) fn newest(&self) -> Arc<Processors> {
        self.shared.read().clone()
    }

    /// Whether the record stays; counts what happens to it.
    pub(crate) fn apply(&self, draft: &mut Draft<'_>, context: &Context, metrics: &Metrics) -> bool {
        if self.current.is_empty() {
            return true;
        }
        let outcome = self.current.apply(draft, context);
        metrics.observe_outcome(&outcome);
        outcome.dropped_by.is_none()
    }
}

#[cfg(test)]
mod tests;
