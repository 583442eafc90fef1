//! What a request wants to see: matchers, receivers, states.

use std::collections::BTreeMap;

use alerting::LabelSet;
use alerting::dispatch::AlertStatus;
use alerting::matcher::{self, Matcher};

use super::error::AmError;
use crate::api::pairs::Pairs;

/// A request may have so many matchers.
const MAX_MATCHERS: usize = 100;

/// Which alerts.
pub(super) struct Filter {
    matchers: Vec<Matcher>,
    receiver: Option<Matcher>,
    receiver_matchers: Vec<Matcher>,
    active: bool,
    silenced: bool,
    inhibited: bool,
    /// Groups that are muted, too.
    pub(super) muted: bool,
}

impl Filter {
    pub(super) fn read(pairs: &Pairs) -> Result<Self, AmError> {
        // Nothing is unprocessed here; a value that is no flag is wrong all the same.
        flag(pairs, "unprocessed")?;
        // A matcher on a label that nobody has: its regular expression is anchored, as this one has to be.
        let receiver = pairs.get("receiver").map(|text| Matcher::new(matcher::Op::Regex, "receiver", text));
        let bad = |error| AmError::Bad(format!("failed to parse receiver param: {error}"));
        Ok(Self {
            matchers: matchers(pairs, "filter")?,
            receiver: receiver.transpose().map_err(bad)?,
            receiver_matchers: matchers(pairs, "receiver_matchers")?,
            active: flag(pairs, "active")?,
            silenced: flag(pairs, "silenced")?,
            inhibited: flag(pairs, "inhibited")?,
            muted: flag(pairs, "muted")?,
        })
    }

    /// Whether alerts with such labels are wanted.
    pub(super) fn wants_labels(&self, labels: &LabelSet) -> bool {
        matcher::all_match(&self.matchers, labels)
    }

    /// Whether a receiver is wanted.
    pub(super) fn wants_receiver(&self, name: &str, labels: &BTreeMap<String, LabelSet>) -> bool {
        let of = |labels: &LabelSet| matcher::all_match(&self.receiver_matchers, labels);
        self.receiver.as_ref().is_none_or(|matcher| matcher.matches(name))
            && (self.receiver_matchers.is_empty() || labels.get(name).is_some_and(of))
    }

    /// Whether alerts of such a state are wanted.
    pub(super) fn wants_status(&self, status: &AlertStatus) -> bool {
        (self.active || status.is_suppressed())
            && (self.silenced || status.silenced_by.is_empty())
            && (self.inhibited || status.inhibited_by.is_empty())
    }
}

/// All matchers under a name, one each.
pub(super) fn matchers(pairs: &Pairs, name: &str) -> Result<Vec<Matcher>, AmError> {
    let mut matchers = Vec::new();
    for text in pairs.all(name).filter(|text| !text.is_empty()) {
        if matchers.len() == MAX_MATCHERS {
            return Err(AmError::Bad(format!("more than {MAX_MATCHERS} matchers in {name}")));
        }
        let matcher = matcher::parse_one(text);
        matchers.push(matcher.map_err(|error| AmError::Bad(format!("bad matcher in {name}: {error}")))?);
    }
    Ok(matchers)
}

/// True when not given.
pub(super) fn flag(pairs: &Pairs, name: &str) -> Result<bool, AmError> {
    match pairs.get(name) {
        None | Some("true" | "1" | "t") => Ok(true),
        Some("false" | "0" | "f") => Ok(false),
        Some(_) => Err(AmError::Bad(format!("{name} must be true or false"))),
    }
}
