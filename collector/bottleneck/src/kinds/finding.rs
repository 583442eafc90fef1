//! What a rule answers.

use crate::readings::Pair;
use crate::{CauseKind, Evidence, NodeId};

/// How specific a cause is; of two that explain enough the higher wins.
pub(super) mod rank {
    /// Something was killed, filled up, or is held by somebody who can be named.
    pub(crate) const EXACT: u8 = 90;
    /// More comes in than the narrowest resource takes: whatever else is full follows from it.
    pub(crate) const SURGE: u8 = 85;
    /// A resource of its own is exhausted, or a pattern of calls is seen.
    pub(crate) const INTERNAL: u8 = 80;
    /// A resource of its host is exhausted.
    pub(crate) const HOST: u8 = 70;
    /// One statement, one edge, one peer.
    pub(crate) const PART: u8 = 60;
    /// It uses more CPU than before.
    pub(crate) const OWN_CPU: u8 = 50;
    /// Since a change, and nothing else is known.
    pub(crate) const SINCE: u8 = 30;
    /// By what it is not.
    pub(crate) const EXCLUSION: u8 = 20;
}

/// A rule's answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// That is it.
    Holds(Box<Finding>),
    /// It was looked at, and is not it.
    No {
        /// The cause.
        what: String,
        /// The numbers against it.
        why: String,
    },
    /// It could not be looked at for want of this.
    Missing(String),
    /// It is about something else.
    Beside,
}

impl Outcome {
    pub(super) fn no(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::No { what: what.into(), why: why.into() }
    }
}

impl From<Finding> for Outcome {
    fn from(finding: Finding) -> Self {
        Self::Holds(Box::new(finding))
    }
}

/// A cause that holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub kind: CauseKind,
    pub rank: u8,
    /// Of what the candidate keeps, 0 to 1.
    pub share: f64,
    pub subkind: Option<String>,
    pub resource: &'static str,
    pub node: Option<NodeId>,
    pub process: Option<(String, String)>,
    pub statement: Option<String>,
    pub instance: Option<String>,
    pub host: Option<String>,
    pub queueing_share: f64,
    pub evidence: Vec<Evidence>,
}

impl Finding {
    pub(super) fn new(kind: CauseKind, rank: u8, resource: &'static str, share: f64) -> Self {
        Self {
            kind,
            rank,
            share,
            subkind: None,
            resource,
            node: None,
            process: None,
            statement: None,
            instance: None,
            host: None,
            queueing_share: 0.0,
            evidence: Vec::new(),
        }
    }

    pub(super) fn subkind(mut self, subkind: &str) -> Self {
        self.subkind = Some(subkind.to_owned());
        self
    }

    /// The part of what the candidate keeps that is waiting.
    pub(super) fn waits(mut self, share: f64) -> Self {
        self.queueing_share = share.clamp(0.0, 1.0);
        self
    }

    pub(super) fn on(mut self, host: Option<&str>) -> Self {
        self.host = host.map(str::to_owned);
        self
    }

    pub(super) fn with(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    pub(super) fn with_all(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// A finding's sentence with its numbers.
pub(super) fn evidence(
    (family, evidence_type): (&str, &str),
    text: String,
    pair: Pair,
    unit: &str,
    query: impl Into<String>,
) -> Evidence {
    Evidence {
        family: family.to_owned(),
        evidence_type: evidence_type.to_owned(),
        text,
        baseline: Some(pair.before),
        now: Some(pair.now),
        unit: unit.to_owned(),
        query: Some(query.into()),
        exemplars: Vec::new(),
        at_s: None,
    }
}
