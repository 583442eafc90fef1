//! What the parts of the analysis hand to each other: the case as the localiser has cut it, its candidates, and what
//! the rules say of one.

use std::ops::Range;

use crate::{CauseKind, Evidence, NodeId, Observation, Question, RuledOut, Settings};

/// A symptom with its times found.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// What is known.
    pub observation: &'a Observation,
    /// What was asked.
    pub question: &'a Question,
    /// How strictly.
    pub settings: &'a Settings,
    /// The step in which it began.
    pub onset: usize,
    /// Steps to compare with.
    pub baseline: Range<usize>,
    /// Steps to explain: from the onset on.
    pub hot: Range<usize>,
    /// What has to be explained, per request of the symptom: s, or failures.
    pub symptom: f64,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The node itself.
    Node(NodeId),
    /// What lies between the two ends of an edge, by its index in the observation.
    Edge(usize),
}

/// Something that may be the bottleneck, before anybody asks why.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What it is.
    pub target: Target,
    /// What it adds to a request of the symptom, with those it calls: s, or failures.
    pub added: f64,
    /// What it adds itself.
    pub own: f64,
    /// Of its operations or calls the one that carries most of `own`, by its index.
    pub operation: Option<usize>,
    /// First step in which it was significantly worse.
    pub onset: Option<usize>,
}

/// What the rules say of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The most specific cause that holds.
    pub kind: CauseKind,
    /// More exactly.
    pub subkind: Option<String>,
    /// What is narrow.
    pub resource: String,
    /// Where the cause lies with another node than the candidate: the caller that makes too many calls of it.
    pub node: Option<NodeId>,
    /// Where the cause is not the candidate but a process on its host: its executable and host.
    pub process: Option<(String, String)>,
    /// Statement, instance or host that the cause points to.
    pub statement: Option<String>,
    /// See `statement`.
    pub instance: Option<String>,
    /// See `statement`.
    pub host: Option<String>,
    /// Of what the candidate keeps, the share that is waiting (pool, CPU, lock), 0 to 1.
    pub queueing_share: f64,
    /// What speaks for it, the strongest first.
    pub evidence: Vec<Evidence>,
    /// Causes that were looked at and are none.
    pub ruled_out: Vec<RuledOut>,
    /// What would have helped.
    pub missing: Vec<String>,
    /// What to do.
    pub next_steps: Vec<String>,
}
